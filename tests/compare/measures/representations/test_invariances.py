"""What the registry calls an invariance is one, and what it does not is none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import ortho_group

from allometry.compare import registry
from allometry.compare.measures.populations import covariance, tuning
from allometry.compare.measures.representations import kernel_analysis, object_manifolds, rdm, similarity, unit_matching
from allometry.errors import ComparisonError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)) * RNG.lognormal(size=6)
Y = X[:, :5] @ RNG.normal(size=(5, 5)) + RNG.normal(size=(40, 5))
TURN = ortho_group.rvs(6, random_state=1)
LINEAR = RNG.normal(size=(5, 5))

ROTATED: dict[str, Callable[[np.ndarray], Any]] = {
    "cka": lambda x: similarity.cka(x, Y),
    "procrustes": lambda x: similarity.procrustes(x, Y),
    "svcca": lambda x: similarity.svcca(x, Y),
    "kernel_analysis": lambda x: kernel_analysis.kernel_analysis(x, Y[:, 0]).error,
    "participation_ratio": lambda x: covariance.participation_ratio(np.cov(x.T)),
    "few_shot_snr": lambda x: object_manifolds.few_shot_snr(x[:20], x[20:], 3).snr,
}


@pytest.mark.parametrize("name", ROTATED)
def test_rotation_and_scaling_change_nothing_where_the_registry_says_so(name: str) -> None:
    assert "rotation" in registry.find(name).invariances
    np.testing.assert_allclose(ROTATED[name](3 * X @ TURN), ROTATED[name](X), rtol=1e-6, atol=1e-12)


def test_pwcca_sees_a_rotation_of_x_and_no_linear_map_of_y() -> None:
    """Its weights are sums over the single units of x (Morcos et al. 2018): .903 became .942 by a rotation."""
    value = similarity.pwcca(X, Y)
    assert similarity.pwcca(X, Y @ LINEAR + 5) == pytest.approx(value)
    assert similarity.pwcca(-3 * X[:, ::-1] + 2, Y) == pytest.approx(value)
    assert abs(similarity.pwcca(X @ TURN, Y) - value) > 0.01
    said = registry.find("pwcca").invariances
    assert "linear maps of y" in said
    assert "not rotation of x" in said


def test_pwcca_is_the_mean_of_the_correlations_by_the_weights_of_the_paper() -> None:
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    # canonical variates from the covariances, another way than the bases of the measure
    inner = np.linalg.solve(x.T @ x, x.T @ y) @ np.linalg.solve(y.T @ y, y.T @ x)
    squared, maps = np.linalg.eig(inner)
    order = np.argsort(squared.real)[::-1][:5]
    variates = x @ maps.real[:, order]
    variates /= np.linalg.norm(variates, axis=0)
    weight = np.abs(variates.T @ x).sum(axis=1)
    assert similarity.pwcca(X, Y) == pytest.approx(np.sqrt(squared.real[order]) @ weight / weight.sum())


def test_matching_of_units_sees_a_rotation() -> None:
    def mean(x: np.ndarray) -> float:
        return float(np.nanmean(unit_matching.match_units(x, X)[1]))

    assert mean(2 * X[:, ::-1]) == pytest.approx(1)
    assert mean(X @ TURN) < 0.95


def test_two_opposite_directions_have_no_orientation_selectivity() -> None:
    """It was 1 whatever the rates: both directions have the same orientation."""
    angles = np.array([0.3, 0.3 + np.pi])
    with pytest.raises(ComparisonError, match="one orientation"):
        tuning.osi([1.0, 5.0], angles)
    with pytest.raises(ComparisonError, match="one orientation"):
        tuning.circular_variance([1.0, 5.0], angles)
    assert tuning.dsi([1.0, 5.0], angles) == pytest.approx(4 / 6)
    found = tuning.preferred([1.0, 5.0], angles)
    assert np.isnan(found.orientation).all()
    assert found.direction == pytest.approx(0.3 + np.pi)
    assert [tuning.orientations(a) for a in ([], [1.0], [0, np.pi / 2], [0, np.pi / 2, np.pi, 3 * np.pi / 2])] == [
        0,
        1,
        2,
        2,
    ]


def test_euclidean_distances_keep_their_digits_with_an_offset_of_a_million() -> None:
    offset = 1e6 * RNG.normal(size=6)
    for metric in ("euclidean", "sqeuclidean"):
        np.testing.assert_allclose(rdm.rdm(X + offset, metric), rdm.rdm(X, metric), rtol=1e-7)
    noise = np.cov(RNG.normal(size=(6, 50)))
    np.testing.assert_allclose(rdm.rdm(X + offset, "mahalanobis", noise), rdm.rdm(X, "mahalanobis", noise), rtol=1e-7)
