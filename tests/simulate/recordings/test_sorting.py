"""Sorted units: rates and correlations of counts are those that missed, false and foreign spikes leave of the planted ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import stores
from allometry.config.recordings import SortingConfig
from allometry.errors import SimulationError
from allometry.simulate.recordings.experiment import write_recording
from allometry.simulate.recordings.reference import like_sorting
from allometry.simulate.recordings.sorting import inside
from tests.simulate.recordings import planted

RATE, SHARED, SECONDS, UNITS, WINDOW = 10.0, 0.4, 1000.0, 12, 0.5
MISSED, FALSE, FOREIGN = 0.2, 1.5, 0.1
SEEN = {
    "kind": "sorting", "run": "r", "units": UNITS, "least_rate_hz": 0.1, "missing": 0.0, "missed": MISSED,
    "false_hz": FALSE, "contamination": FOREIGN, "seed": 2,
}  # fmt: skip


def settings(**changed: Any) -> dict[str, Any]:
    return SortingConfig(**{**SEEN, **changed}).model_dump(mode="json")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.spikes(tmp_path_factory.mktemp("truth") / "planted.zarr", 16, RATE, SHARED, SECONDS)


def test_rates_and_correlations_are_those_of_theory(truth: Path, tmp_path: Path) -> None:
    write_recording([planted.trial(truth)], tmp_path / "s.zarr", None, settings())
    store = stores.open(tmp_path / "s.zarr")
    trains = stores.trains(store)
    rate = np.array([train.size for train in trains]) / SECONDS
    kept = 1 - MISSED
    # one neuron's spikes of 1000 s have a deviation of 1 %; all share .4 of them
    assert rate.mean() == pytest.approx((kept + FOREIGN) * RATE + FALSE, rel=0.03)
    edges = np.arange(0, SECONDS + WINDOW / 2, WINDOW)
    counts = np.array([np.histogram(train, edges)[0] for train in trains])
    covariance = np.cov(counts)
    expected = RATE * WINDOW
    variance = expected * (kept + FOREIGN + 2 * kept * FOREIGN * SHARED) + FALSE * WINDOW
    apart = SHARED * expected * (kept + FOREIGN) ** 2
    # a neighbour has spikes of the same neuron
    beside = SHARED * expected * (kept**2 + kept * FOREIGN + FOREIGN**2) + kept * FOREIGN * expected
    i, j = np.triu_indices(UNITS, 1)
    near = (j - i == 1) | (j - i == UNITS - 1)
    # 2000 windows: a covariance is known to 1/sqrt(2000) of the variance, and the pairs share the mother
    assert np.diag(covariance).mean() == pytest.approx(variance, rel=0.06)
    assert covariance[i, j][~near].mean() == pytest.approx(apart, abs=0.06 * variance)
    assert covariance[i, j][near].mean() == pytest.approx(beside, abs=0.06 * variance)
    assert SHARED - apart / variance > 0.08


def test_correlations_are_those_of_theory_beside_gaps(truth: Path, tmp_path: Path) -> None:
    """All effects on: windows that a gap cuts are missing, the others have the covariance of a whole recording."""
    write_recording(
        [planted.trial(truth)],
        tmp_path / "s.zarr",
        None,
        settings(missing=0.2, gap_s=2.0, trials={"window_ms": 1000 * WINDOW}),
    )
    response = stores.open(tmp_path / "s.zarr")["response"].values.astype(np.float64)
    whole = np.isfinite(response).all(axis=0)
    # a gap of 2 s hides five windows of half a second: (1 - .2) exp(-.2 / .8 * .5 / 2) is left
    assert whole.mean() == pytest.approx(0.8 * np.exp(-0.0625), abs=0.06)
    counts = WINDOW * response[:, whole]
    kept, expected = 1 - MISSED, RATE * WINDOW
    assert counts.mean() == pytest.approx((kept + FOREIGN) * expected + FALSE * WINDOW, rel=0.03)
    variance = expected * (kept + FOREIGN + 2 * kept * FOREIGN * SHARED) + FALSE * WINDOW
    i, j = np.triu_indices(UNITS, 1)
    apart = ~((j - i == 1) | (j - i == UNITS - 1))
    found = np.cov(counts)[i, j][apart].mean()
    # 1500 windows, whose pairs share the mother
    assert found == pytest.approx(SHARED * expected * (kept + FOREIGN) ** 2, abs=0.07 * variance)


def test_gaps_are_not_observed(truth: Path, tmp_path: Path) -> None:
    write_recording([planted.trial(truth)], tmp_path / "s.zarr", None, settings(missing=0.25, gap_s=5.0))
    store = stores.open(tmp_path / "s.zarr")
    intervals = store["observed"].values
    seconds = np.diff(intervals, axis=1).sum()
    # some 50 gaps of 5 s
    assert seconds == pytest.approx(750.0, rel=0.12)
    trains = stores.trains(store)
    assert all(inside(train, intervals).size == train.size for train in trains)
    rate = sum(train.size for train in trains) / len(trains) / seconds
    assert rate == pytest.approx((1 - MISSED + FOREIGN) * RATE + FALSE, rel=0.04)


def test_without_errors_the_units_are_the_neurons(truth: Path, tmp_path: Path) -> None:
    perfect = settings(missed=0.0, false_hz=0.0, contamination=0.0, units=5)
    write_recording([planted.trial(truth)], tmp_path / "s.zarr", None, perfect)
    store, source = stores.open(tmp_path / "s.zarr"), stores.open(truth)
    true = stores.trains(source)
    assert len(set(store["true_unit"].values.tolist())) == 5
    for train, unit in zip(stores.trains(store), store["true_unit"].values):
        assert np.array_equal(train, true[unit])


def test_units_and_least_rate_are_those_of_the_reference(truth: Path, tmp_path: Path) -> None:
    write_recording([planted.trial(truth)], tmp_path / "first.zarr", None, settings(units=7))
    first = stores.open(tmp_path / "first.zarr")
    found = like_sorting(tmp_path / "first.zarr")
    assert found == {
        "units": 7, "missing": 0.0, "least_rate_hz": min(train.size for train in stores.trains(first)) / SECONDS,
    }  # fmt: skip
    open_ = {"units": None, "missing": None}
    write_recording(
        [planted.trial(truth)], tmp_path / "s.zarr", tmp_path / "first.zarr", settings(**open_, like="first")
    )
    assert stores.open(tmp_path / "s.zarr").sizes["unit"] == 7
    with pytest.raises(SimulationError, match="of 0 that can be"):
        write_recording([planted.trial(truth)], tmp_path / "none.zarr", None, settings(least_rate_hz=50.0))


def test_windows_of_several_networks_and_conditions(truth: Path, tmp_path: Path) -> None:
    other = planted.spikes(tmp_path / "other.zarr", 16, RATE, SHARED, 40.0, seed=2)
    third = planted.spikes(tmp_path / "third.zarr", 16, 2 * RATE, SHARED, 40.0, seed=3)
    trials = [planted.trial(other, condition="low"), planted.trial(third, condition="high")]
    write_recording(trials, tmp_path / "r.zarr", None, settings(trials={"window_ms": 1000.0}))
    store = stores.open(tmp_path / "r.zarr")
    assert dict(store.sizes) == {"unit": UNITS, "presentation": 80}
    mean = store["response"].mean("unit").groupby(store["condition"]).mean()
    for name, factor in (("low", 1), ("high", 2)):
        expected = (1 - MISSED + FOREIGN) * factor * RATE + FALSE
        # 40 s of the shared spikes: 25 of them a second give 3 %
        assert float(mean.sel(condition=name)) == pytest.approx(expected, rel=0.12)
