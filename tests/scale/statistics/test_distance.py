"""Correlation at a distance on lattices whose correlations are known, of every unit and not of a sample."""

import numpy as np
import pytest

from allometry.models.spatial_balanced import places
from allometry.scale import STATISTICS
from allometry.scale.statistics import distance
from allometry.scale.statistics.recorded import Recorded, read
from tests.scale.statistics.test_activity import stored

SIDE, SECONDS, WINDOW_MS = 8, 15.0, 250.0
NAMES = list(distance.BINS)


def simulated(counts: np.ndarray, others: int = 4, skip_ms: float = 0.0, before: int = 0) -> Recorded:
    """A simulation in which the units of `a` have these counts [window, unit], beside a population `b` that fires once a window."""
    windows, units = counts.shape
    every = np.hstack([counts, np.ones((windows, others), int)])
    window, unit = (np.repeat(i.ravel(), every.ravel()) for i in np.indices(every.shape))
    # spikes of one unit in one window at different steps, the first at its very beginning
    order = np.concatenate([np.arange(n) for n in every.ravel()])
    steps = before + window * 2500 + order * 40 + 1
    store = stored(steps, unit, ["a"] * units + ["b"] * others, seconds=(before + windows * 2500) / 1e4)
    return read(
        store,
        skip_ms=skip_ms,
        bin_ms=WINDOW_MS,
        max_units=5,
        columns=lambda name, n: places("E", n) if name == "a" else {},
    )


def planted(rng: np.random.Generator, side: int = SIDE, windows: int = 60) -> np.ndarray:
    """Counts with a wave of one period over the sheet: positive near, negative where half a period away."""
    x = np.arange(side * side) % side / side
    phase = rng.uniform(0, 2 * np.pi, windows)
    rate = 4 + 3 * np.cos(2 * np.pi * x - phase[:, None])
    return rng.poisson(rate)


def pairs(counts: np.ndarray, low: float, high: float, included: np.ndarray, side: int = SIDE) -> float:
    """Mean correlation of pairs within a range of distance, one by one."""
    place = np.stack([np.arange(side * side) % side, np.arange(side * side) // side], axis=1) / side
    apart = np.abs(place[:, None] - place)
    d = np.hypot(*np.moveaxis(np.minimum(apart, 1 - apart), -1, 0))
    r = np.corrcoef(counts[:, included].T)
    d = d[np.ix_(included, included)]
    chosen = np.triu((d >= low) & (d <= high), 1)
    return float(r[chosen].mean())


def test_all_pairs_are_taken_one_by_one() -> None:
    counts = planted(np.random.default_rng(1))
    counts[:, 3] = 0
    counts[::20, 3] = 1  # below one spike per second
    counts[:, 9] = 0
    found = simulated(counts)
    assert found.trains["a"].row_size.size == 5  # of single units a sample
    firing = counts.sum(axis=0) >= SECONDS
    assert np.flatnonzero(~firing).tolist() == [3, 9]
    for name, (low, high) in distance.BINS.items():
        assert STATISTICS[name].function(found, "a") == pytest.approx(pairs(counts, low, high, firing), rel=1e-9), name
    near, middle = (STATISTICS[name].function(found, "a") for name in NAMES[:2])
    assert near > 0.3 > 0 > middle - 0.3


def test_the_course_has_the_pairs_of_every_bin() -> None:
    counts = planted(np.random.default_rng(2))
    found = distance.against_distance(simulated(counts), "a", distance.EDGES)
    assert found is not None
    every = np.ones(SIDE * SIDE, bool)
    there = np.flatnonzero(found.n_pairs)
    assert there.size > 4
    for k in there:
        # the upper edge belongs to the next bin; no pair lies on one by chance of rounding
        expected = pairs(counts, distance.EDGES[k], distance.EDGES[k + 1] - 1e-9, every)
        assert found.mean[k] == pytest.approx(expected, rel=1e-9), k


def test_windows_count_every_unit_after_the_warm_up() -> None:
    counts = planted(np.random.default_rng(3), windows=24)
    found = simulated(counts, skip_ms=700.0, before=7000)
    assert found.windows("a", WINDOW_MS / 1000).tolist() == counts.tolist()
    assert (found.windows("b", 0.5) == 2).all()
    # what does not fill a window is left out
    assert found.windows("a", 3.5).shape == (1, SIDE * SIDE)


def test_what_fills_no_lattice_has_none() -> None:
    found = simulated(planted(np.random.default_rng(4)))
    for name in NAMES:
        assert np.isnan(STATISTICS[name].function(found, "b"))
        assert np.isnan(STATISTICS[name].function(found, "all"))
    few = simulated(planted(np.random.default_rng(5), windows=19))
    assert np.isnan(STATISTICS["correlation_near"].function(few, "a"))


def test_independent_units_have_no_correlation() -> None:
    rng = np.random.default_rng(6)
    found = simulated(rng.poisson(4.0, (80, 24 * 24)))
    for name in NAMES:
        value = STATISTICS[name].function(found, "a")
        n = pairs_in(name, 24)
        # r of independent counts has the variance 1/(windows - 1), and is uncorrelated between pairs
        assert abs(value) < 4 / np.sqrt(79 * n), name


def pairs_in(name: str, side: int) -> int:
    x = np.minimum(np.arange(side), side - np.arange(side)) / side
    d = np.hypot(x[:, None], x).ravel()[1:]
    low, high = distance.BINS[name]
    return int(side * side * ((d >= low) & (d <= high)).sum() / 2)
