"""Share of tuned units: what is left out, against leaving it out by hand; intervals at the ends."""

import numpy as np
import pytest
from scipy import stats

from allometry.compare.inference.crossed import without_trials
from allometry.compare.inference.statistics import permutation_p, wilson
from allometry.compare.kinds.population_code import statistics as statistics_of
from allometry.compare.kinds.population_code.tuned_share import WithoutBlocks, means_without_blocks, tuned_share
from tests.compare.responses import directions

THETA = np.deg2rad(directions(8))


def responses(seed: int) -> np.ndarray:
    """Responses of five units, two of them tuned; the last presentation of a stimulus is missing."""
    rng = np.random.default_rng(seed)
    depth = np.array([0.0, 0.0, 0.0, 0.5, 0.8])
    x = 2 + depth * np.cos(2 * THETA)[:, None, None] + 0.5 * rng.normal(size=(8, 5, 5))
    x[3, 4] = np.nan
    return x


def test_means_are_those_of_the_blocks_that_are_left() -> None:
    x = responses(0)
    expected = [np.nanmean(part, axis=1) for part in without_trials(x, 1)]
    np.testing.assert_allclose(means_without_blocks(x), expected, atol=1e-12)
    alone = x.copy()
    alone[0, 1:] = np.nan
    # a stimulus would lose its only presentation with the first block; four blocks are left out in turn
    assert len(means_without_blocks(alone)) == len(without_trials(alone, 1)) == 4
    assert means_without_blocks(x[:, :2]).shape == (0, 8, 5)


def test_p_without_a_block_is_that_of_the_other_blocks() -> None:
    x = responses(1)
    shuffles = list(statistics_of.shuffled_labels(x, 60, 1))
    found = WithoutBlocks(x, THETA, "rectify")
    for shuffle in shuffles:
        found.add(shuffle)
    for block in range(5):

        def osi(values: np.ndarray, block: int = block) -> np.ndarray:
            return statistics_of.tuned(np.delete(values, block, axis=1), "direction", THETA, "rectify").osi

        null = np.array([osi(shuffle) for shuffle in shuffles])
        expected = [permutation_p(value, column) for value, column in zip(osi(x), null.T)]
        np.testing.assert_allclose(found.p[block], expected, atol=1e-12)


def test_the_false_discovery_rate_is_taken_anew_without_each_unit() -> None:
    # .03 is below 4/5 of .05, and below 3/4 of it without one of the small ones
    p = np.array([0.001, 0.002, 0.003, 0.03, 0.9])
    found = tuned_share(p)
    assert found.estimate == 0.8
    left = np.array([0.75, 0.75, 0.75, 0.75, 1.0])
    half = stats.t.ppf(0.975, 4) * np.sqrt(4 * left.var())
    assert found.low == pytest.approx(min(0.8 - half, wilson(0.8, 5).low))
    # without one of the small ones the fourth fails as well: .04 > 3/4 of .05
    coupled = tuned_share(np.array([0.001, 0.002, 0.003, 0.04, 0.9]))
    left = np.array([0.5, 0.5, 0.5, 0.75, 1.0])
    assert coupled.low == pytest.approx(max(0.8 - stats.t.ppf(0.975, 4) * np.sqrt(4 * left.var()), 0.0))


def test_an_interval_is_no_point_where_all_or_no_units_are_tuned() -> None:
    none, every = tuned_share(np.full(12, 0.7)), tuned_share(np.full(12, 0.001))
    assert (none.low, none.high) == pytest.approx((0.0, wilson(0.0, 12).high))
    assert (every.low, every.high) == pytest.approx((wilson(1.0, 12).low, 1.0))


def test_trials_widen_the_interval() -> None:
    p = np.r_[np.full(6, 0.001), np.full(6, 0.5)]
    without = [np.r_[np.full(k, 0.001), np.full(12 - k, 0.5)] for k in (3, 4, 6, 8, 9)]
    alone, both = tuned_share(p), tuned_share(p, without)
    assert both.low < alone.low
    assert both.high > alone.high
    assert np.isnan(tuned_share(np.full(3, np.nan)).estimate)
