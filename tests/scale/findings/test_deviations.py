"""Intervals over a few seeds hold the truth as often as they say, and verdicts follow from them."""

import numpy as np
import pytest
from scipy import stats

from allometry.scale.findings.deviations import deviations, kept_within, means, verdicts


def test_mean_and_interval_are_those_of_scipy() -> None:
    x = np.random.default_rng(1).normal(3.0, 1.0, (5, 4))
    found = means(x, axis=1)
    for row, mean, low, high in zip(x, found.mean, found.low, found.high):
        expected = stats.ttest_1samp(row, 0).confidence_interval(0.95)
        assert (mean, low, high) == pytest.approx((row.mean(), expected.low, expected.high))


def test_undefined_values_are_left_out_and_one_has_no_interval() -> None:
    found = means([[1.0, np.nan, 3.0], [2.0, np.nan, np.nan], [np.nan] * 3], axis=1)
    np.testing.assert_array_equal(found.n, [2, 1, 0])
    np.testing.assert_array_equal(found.mean, [2.0, 2.0, np.nan])
    assert np.isfinite(found.low[0])
    assert np.isnan(found.low[1:]).all()


def test_degrees_of_freedom_are_welchs() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(10.0, 3.0, 4), rng.normal(10.0, 0.5, 6)
    b += 10.0 - b.mean()
    a += 10.0 - a.mean()
    # at equal means the linear terms are those of the difference
    found = deviations(means(a, axis=0), means(b, axis=0))
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert found.degrees == pytest.approx(stats.ttest_ind(a, b, equal_var=False).df)
    assert (float(found.low), float(found.high)) == pytest.approx((expected.low / 10, expected.high / 10))


@pytest.mark.parametrize(("ratio", "spreads"), [(0.5, (0.08, 0.03)), (1.0, (0.1, 0.1)), (1.3, (0.2, 0.02))])
def test_intervals_of_deviations_hold_the_truth(ratio: float, spreads: tuple[float, float]) -> None:
    rng, times = np.random.default_rng(3), 4000
    ours = means(ratio * rng.normal(1.0, spreads[0], (times, 4)), axis=1)
    theirs = means(rng.normal(1.0, spreads[1], (times, 4)), axis=1)
    found = deviations(ours, theirs)
    held = np.mean((found.low <= ratio - 1) & (ratio - 1 <= found.high))
    # three standard errors of a share of 4000; Welch is a little conservative with four seeds
    assert 0.94 <= held <= 0.98


def test_verdicts() -> None:
    seeds = np.array([0.99, 1.0, 1.01])
    reference = means(seeds, axis=0)
    found = deviations(means(np.stack([seeds * 1.02, seeds * 0.5, seeds * 1.1, seeds * np.nan]), axis=1), reference)
    assert verdicts(found, 0.1).tolist() == ["preserved", "changed", "undetermined", ""]
    alone = deviations(means([[1.0]], axis=1), reference)
    assert verdicts(alone, 0.1).tolist() == ["undetermined"]
    assert kept_within(found)[0] == pytest.approx(max(abs(found.low[0]), abs(found.high[0])))
    assert verdicts(found, float(kept_within(found)[2]) + 1e-9)[2] == "preserved"


def test_equal_values_are_preserved_and_nothing_to_divide_by_is_undefined() -> None:
    same = means(np.full((1, 3), 2.0), axis=1)
    assert verdicts(deviations(same, same), 0.1).tolist() == ["preserved"]
    zero = means(np.zeros((1, 3)), axis=1)
    assert verdicts(deviations(same, zero), 0.1).tolist() == [""]
