"""Oracles: a linear network whose couplings are the gap junctions; numpy's correlations; Spearman-Brown."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds import activity_structure as subject
from allometry.compare.measures.graphs import dyads
from allometry.errors import ComparisonError
from tests.compare.conftest import ATTRS, labels

NAMES = labels(25)


@pytest.fixture(scope="module")
def inputs(make_connectome: Callable[..., xr.Dataset]) -> dict[str, xr.Dataset | xr.DataTree]:
    rng = np.random.default_rng(1)
    half = np.triu((rng.random((50, 50)) < 0.1) * rng.integers(1, 20, (50, 50)), 1).astype(float)
    electrical = half + half.T
    chemical = (rng.random((50, 50)) < 0.1) * rng.integers(1, 20, (50, 50)).astype(float)
    np.fill_diagonal(chemical, 0)
    coupling = 0.8 * electrical / np.abs(np.linalg.eigvalsh(electrical)).max()
    recordings = []
    for animal in range(4):
        trace = np.linalg.solve(np.eye(50) - coupling, rng.normal(size=(50, 900))).T.astype(np.float32)
        trace[:, rng.random(50) < 0.2] = np.nan  # not every neuron is labelled in every animal
        trace[:100, 0] = np.nan
        recordings.append(
            stores.Recording(name=f"w{animal}", time=np.arange(900.0), trace=trace, label=NAMES, resampled=trace)
        )
    return {
        "anatomy": make_connectome(NAMES, chemical=chemical, electrical=electrical),
        "activity": stores.activity(recordings, NAMES, 1.0, attrs=ATTRS, units="1"),
    }


def test_couplings_are_found_and_unrelated_synapses_are_not(inputs: dict[str, xr.Dataset | xr.DataTree]) -> None:
    result = subject.activity_structure(
        inputs, activity=["activity"], structure=["anatomy"], nulls=199, bootstrap=200, seed=1
    )
    rows = pd.DataFrame(result.rows).set_index("group")
    assert rows.loc["electrical"].score > 0.3
    assert rows.loc["electrical"].p == pytest.approx(1 / 200)
    assert rows.loc["electrical"].ci_low > 0.2
    assert rows.loc["chemical"].ci_low < 0 < rows.loc["chemical"].ci_high
    assert rows.loc["chemical"].p > 0.05
    assert rows.loc["electrical"].ceiling_low <= rows.loc["electrical"].ceiling_high <= 1
    assert rows.loc["degree"].role == "baseline"
    assert rows.loc["electrical"].verdict == "better"
    assert rows.loc["electrical"].difference_low > 0
    assert rows.loc["chemical"].verdict != "better"
    held = rows.loc[rows.loc["electrical"].baseline]
    assert rows.loc["electrical"].difference == pytest.approx(rows.loc["electrical"].score - held.score)
    curve = result.curves["correlation_by_weight"]
    assert curve["pairs"].values.sum() == rows.loc["all"].n
    alone = subject.activity_structure(
        inputs, activity=["activity"], structure=["anatomy"], synapses=["electrical"], nulls=20, bootstrap=100
    )
    mean = alone.curves["correlation_by_weight"]["correlation"].values[0]
    # gap junctions are counted once, so that 1 to 19 fill the classes up to 11-20
    assert mean[4] > mean[0] + 0.1
    assert np.isnan(mean[5])


def test_correlations_over_common_samples_equal_numpy() -> None:
    rng = np.random.default_rng(2)
    trace = rng.normal(size=(300, 4)) + 1e4
    trace[:, 1] += trace[:, 0]
    trace[:60, 0] = np.nan
    trace[200:, 1] = np.nan
    trace[:, 3] = 7.0
    r = subject._correlations(trace)
    assert r[0, 1] == pytest.approx(np.corrcoef(trace[60:200, :2].T)[0, 1])
    assert r[0, 2] == pytest.approx(np.corrcoef(trace[60:, [0, 2]].T)[0, 1])
    assert np.isnan(r[3]).all()
    trace[:, 2] = np.where(np.arange(300) < 90, trace[:, 2], np.nan)
    assert np.isnan(subject._correlations(trace)[0, 2])  # 30 common samples are too few


def test_ceiling_of_recordings_that_share_a_truth() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(60, 60))
    noise = rng.normal(size=(6, 60, 60))
    low, high = subject._ceiling(truth + noise)
    # r between two is 1/2; against the mean of 5 others 1/sqrt(2 * 1.2); reliability of the mean of 6 is 6/7
    assert low == pytest.approx(1 / np.sqrt(2 * 1.2), abs=0.03)
    assert high == pytest.approx(np.sqrt(6 / 7), abs=0.03)
    assert np.isnan(subject._ceiling(noise[:1])).all()


def test_electrical_weights_count_once_and_chemical_in_both_directions(
    make_connectome: Callable[..., xr.Dataset],
) -> None:
    chemical, electrical = np.zeros((3, 3)), np.zeros((3, 3))
    chemical[0, 1], chemical[1, 0] = 3, 4
    electrical[0, 2] = electrical[2, 0] = 5
    found = subject._predictors(
        make_connectome(["a", "b", "c"], chemical=chemical, electrical=electrical),
        ["chemical", "electrical"],
        ["a", "b", "c", "stranger"],
    )
    assert (found["all"][0, 1], found["all"][0, 2], found["all"][1, 2]) == (7, 5, 0)
    assert np.isnan(found["all"][3]).all()


def test_too_few_pairs_are_named(
    inputs: dict[str, xr.Dataset | xr.DataTree], make_connectome: Callable[..., xr.Dataset]
) -> None:
    small = make_connectome(NAMES[:4], chemical=np.ones((4, 4)) - np.eye(4))
    with pytest.raises(ComparisonError, match="share 6 pairs"):
        subject.activity_structure({**inputs, "small": small}, activity=["activity"], structure=["small"])


def test_the_model_that_made_the_recordings_stays_below_the_upper_ceiling() -> None:
    """The root of the reliability is what it reaches on average: it lay above in 27 to 47 of 100."""
    above, above_average, repeats = 0, 0, 20
    upper = np.triu_indices(24, 1)
    for seed in range(repeats):
        rng = np.random.default_rng(seed)

        def symmetric(sd: float, rng: np.random.Generator = rng) -> np.ndarray:
            own, node = rng.normal(size=(24, 24)), rng.normal(size=24)
            return sd * (own + own.T + np.add.outer(node, node))

        truth = symmetric(1.0)
        each = np.array([np.tanh(0.1 * (truth + symmetric(0.6))) for _ in range(4)])
        each[:, range(24), range(24)] = np.nan
        score = dyads.dyadic_correlation(truth, np.tanh(np.arctanh(each).mean(axis=0)))
        above += score > subject._ceiling(each)[1]
        above_average += score > subject._reached(each[:, upper[0], upper[1]])[0]
    assert above <= 3
    assert above_average >= 5
