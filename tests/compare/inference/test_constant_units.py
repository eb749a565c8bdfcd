"""A constant whose value is no binary fraction is constant: undefined, not perfectly reliable."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from allometry.compare.inference import arrays, ceilings
from allometry.compare.kinds.activity_structure import _correlations
from allometry.compare.kinds.population_code import statistics as population
from allometry.compare.kinds.structure_bold import functional_connectivity
from allometry.compare.measures.graphs.structure import rank_correlation
from allometry.compare.measures.populations import correlations, decoding, tuning
from allometry.compare.measures.representations import crossnobis, rdm, unit_matching
from allometry.compare.measures.tensors import affinity
from allometry.errors import ComparisonError

CONSTANTS = [0.0, 0.1, 0.5, 0.7, 1e6 / 3, 1e-13]


@pytest.fixture(params=CONSTANTS)
def responses(request: pytest.FixtureRequest) -> np.ndarray:
    """8 stimuli, 6 repeats, 6 units; the last three are constant."""
    x = np.random.default_rng(0).normal(size=(8, 6, 6)) ** 2
    x[:, :, 3:] = request.param
    return x


def undefined(values: np.ndarray) -> list[bool]:
    return np.isnan(values).tolist()


def test_reliability_and_correlations_of_constant_units_are_undefined(responses: np.ndarray) -> None:
    half = [False] * 3 + [True] * 3
    assert undefined(tuning.reliability(responses, 20)) == half
    assert undefined(ceilings.split_half(responses, seed=0, splits=20)) == half
    assert undefined(tuning.signal_to_noise(responses)) == half
    known = np.outer(~np.array(half), ~np.array(half)) & ~np.eye(6, dtype=bool)
    for condensed in (correlations.noise_correlation(responses), correlations.signal_correlation(responses, False)):
        square = squareform(condensed, checks=False)
        np.fill_diagonal(square, np.nan)
        assert (np.isfinite(square) == known).all()
    assert (np.isfinite(population.signal_correlation(responses, splits=5, seed=0)) == known).all()
    assert (np.isfinite(population.correlation_of(population.noise_covariance(responses)[0])) == known).all()
    trace = responses.reshape(48, 6)
    assert undefined(np.diag(functional_connectivity(trace))) == half
    assert (np.isfinite(_correlations(np.tile(trace, (2, 1)))) == known).all()
    assert undefined(unit_matching.sparse_prediction(trace, trace)[0]) == half
    assert (affinity.slopes(trace, 2.0)[:, 3:] == 0).all()
    with pytest.raises(ComparisonError, match="3 units have no trial-to-trial variability"):
        crossnobis.crossnobis(responses, whiten="diagonal")


def test_what_is_constant_throughout_is_refused_or_undefined(responses: np.ndarray) -> None:
    with pytest.raises(ComparisonError, match="constant"):
        decoding.decode_within(responses[:, :, 3:])
    values = responses[:, 0, 3] + responses[:, 0, 3] * np.array([0, 1e-16, 0, 2e-16, 0, 0, 0, 0])
    assert np.isnan(rank_correlation(values, np.arange(8.0)))


@pytest.mark.parametrize("value", CONSTANTS)
def test_a_constant_pattern_has_no_correlation_distance(value: float) -> None:
    x = np.random.default_rng(0).normal(size=(4, 30))
    x[1] = value
    found = squareform(rdm.rdm(x), checks=False)
    assert np.isnan(found[1, [0, 2, 3]]).all()
    assert np.isfinite(found[0, [2, 3]]).all()
    # a pattern of small but real variation is none
    x[1] = np.random.default_rng(1).normal(size=30) * 1e-14
    assert np.isfinite(rdm.rdm(x)).all()


def test_what_varies_and_what_rounding_leaves() -> None:
    x = np.array([[0.1, 1e6, np.nan, 3.0], [0.1 + 1e-17, 1e6 + 1e-3, np.nan, np.nan], [0.3 / 3, 1e6, np.nan, np.nan]])
    assert arrays.varies(x).tolist() == [False, True, False, False]
    assert arrays.varies(x * 1e-200).tolist() == [False, True, False, False]
