"""Bursts of a population against counts made by hand, and a plain loop over the definition."""

import numpy as np
import pytest

from allometry.compare import population_bursts
from allometry.errors import ComparisonError


def _counts(rates_hz: list[float], units: int = 40) -> np.ndarray:
    """Counts [bin, unit] whose pooled rate in bins of 25 ms is close to the given ones: one spike per unit, the first ones."""
    out = np.zeros((len(rates_hz), units), int)
    for row, rate in zip(out, rates_hz):
        spikes = round(rate * 0.025 * units)
        row[:] = spikes // units
        row[: spikes % units] += 1
    return out


def test_a_burst_begins_and_ends_at_the_edge_and_reaches_the_threshold() -> None:
    # 1 spike of 40 units in 25 ms is 1 Hz per unit; the mean is 3.1 Hz, so that the threshold is 15.5 Hz
    rates = [0, 1, 2, 40, 30, 2, 1, 0, 0, 0, 0, 0, 3, 10, 3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    counts = _counts(rates)
    found = population_bursts(counts)
    assert found.threshold_hz == pytest.approx(5 * sum(rates) / 30)
    assert (found.start.tolist(), found.stop.tolist(), found.n_spikes.tolist()) == ([2], [6], [74])
    assert found.participation == pytest.approx([1.0])
    assert found.fraction_in_bursts == pytest.approx(74 / sum(rates))
    assert found.durations_s == pytest.approx([0.1])
    assert found.per_minute == pytest.approx(60 / 0.75)
    # with a fixed threshold the smaller one is a burst too, of the units that fire in it
    fixed = population_bursts(counts, factor=0.0)
    assert (fixed.start.tolist(), fixed.stop.tolist()) == ([2, 12], [6, 15])
    assert fixed.participation == pytest.approx([1.0, 10 / 40])
    assert fixed.intervals_s == pytest.approx([0.25])


@pytest.mark.parametrize(("gap", "bursts"), [(1, 1), (3, 1), (4, 2), (6, 2)])
def test_bursts_with_a_gap_below_100_ms_are_one(gap: int, bursts: int) -> None:
    rates = [0] * 20 + [20, 20] + [0] * gap + [20, 20] + [0] * 20
    found = population_bursts(_counts(rates), factor=0.0)
    assert len(found.start) == bursts
    assert (found.start[0], found.stop[-1]) == (20, 24 + gap)
    assert found.n_spikes.sum() == 80


def _loop(counts: np.ndarray, bin_s: float) -> list[tuple[int, int]]:
    """The definition, bin by bin: start above the threshold, back to the edge, on to the edge, and near ones merged."""
    rate = counts.sum(axis=1) / counts.shape[1] / bin_s
    threshold = max(5 * rate.mean(), 5.0)
    found: list[tuple[int, int]] = []
    k = 0
    while k < len(rate):
        if rate[k] <= threshold:
            k += 1
            continue
        start = stop = k
        while start > 0 and rate[start - 1] > 1.0:
            start -= 1
        while stop < len(rate) and rate[stop] > 1.0:
            stop += 1
        if found and (start - found[-1][1]) < round(0.1 / bin_s):
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
        k = stop
    return found


def test_random_bursts_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    several = 0
    for _ in range(40):
        rate = np.where(rng.random(300) < 0.08, rng.uniform(0, 80, 300), 0.4)
        rate = np.convolve(rate, [0.3, 0.5, 0.2], "same")
        counts = rng.poisson(rate[:, None] * 0.025, (300, 50))
        found = population_bursts(counts)
        wanted = _loop(counts, 0.025)
        assert list(zip(found.start.tolist(), found.stop.tolist())) == wanted
        several += len(wanted) > 2
    assert several > 20


def test_silence_and_steady_firing_have_no_bursts() -> None:
    silent = population_bursts(np.zeros((100, 5), int))
    assert silent.start.size == 0
    assert np.isnan(silent.fraction_in_bursts)
    steady = population_bursts(np.ones((100, 5), int))
    assert (steady.per_minute, steady.fraction_in_bursts, steady.intervals_s.size) == (0.0, 0.0, 0)


@pytest.mark.parametrize(
    "given", [{"bin_s": 0.0}, {"factor": -1.0}, {"edge_hz": 6.0}, {"merge_s": -0.1}, {"least_hz": float("nan")}]
)
def test_impossible_options_are_refused(given: dict) -> None:
    with pytest.raises(ComparisonError, match="population_bursts"):
        population_bursts(np.ones((10, 3), int), **given)


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ComparisonError, match="counts"):
        population_bursts(np.full((10, 3), 0.5))
