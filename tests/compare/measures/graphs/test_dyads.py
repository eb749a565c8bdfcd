"""Oracles: scipy's Spearman, the spread of independent pairs, the coverage of the interval, unmeasured pairs."""

import numpy as np
import pytest
from scipy import stats

from allometry.compare.measures.graphs import dyads


def symmetric(rng: np.random.Generator, size: int) -> np.ndarray:
    matrix = rng.normal(size=(size, size))
    return matrix + matrix.T


def test_correlation_is_that_of_scipy_over_measured_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = symmetric(rng, 20), symmetric(rng, 20)
    hidden = np.triu(rng.random((20, 20)) < 0.3, 1)
    y[hidden | hidden.T] = np.nan
    upper = np.triu_indices(20, 1)
    seen = np.isfinite(y[upper])
    expected = stats.spearmanr(x[upper][seen], y[upper][seen]).statistic
    assert dyads.dyadic_correlation(x, y) == pytest.approx(expected)
    ci = dyads.bootstrap(x, y, 200, 0)
    assert ci.estimate == pytest.approx(expected)
    assert ci.low < expected < ci.high


def test_interval_of_a_perfect_relation_is_a_point() -> None:
    x = symmetric(np.random.default_rng(1), 15)
    ci = dyads.bootstrap(x, np.exp(x), 100, 0)
    assert (ci.low, ci.high) == pytest.approx((1.0, 1.0))
    assert dyads.null(x, x, 99, 0).max() < 0.6


def test_node_effects_widen_the_null() -> None:
    # a matrix of sums of node values: pairs that share a node are alike, and a test over pairs would be far too sure
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=40), rng.normal(size=40)
    null = dyads.null(np.add.outer(a, a), np.add.outer(b, b), 1000, 0)
    assert null.std() > 3 / np.sqrt(40 * 39 / 2)


def test_permuted_ranks_have_mean_zero_and_the_spread_of_random_pairs() -> None:
    rng = np.random.default_rng(2)
    x, y = (lambda m: m + m.T)(rng.normal(size=(30, 30))), (lambda m: m + m.T)(rng.normal(size=(30, 30)))
    null = dyads.null(x, y, 2000, 0)
    assert abs(null.mean()) < 0.005
    assert null.std() == pytest.approx(1 / np.sqrt(435), rel=0.15)


def test_region_interval_covers_the_truth_of_independent_pairs() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for repeat in range(60):
        x, y = (lambda m: m + m.T)(rng.normal(size=(25, 25))), (lambda m: m + m.T)(rng.normal(size=(25, 25)))
        ci = dyads.bootstrap(x, y, 200, repeat)
        inside += ci.low <= 0 <= ci.high
    assert inside / 60 >= 0.85


def test_nodes_that_one_side_does_not_know_leave_the_null_as_wide_as_without_them():
    rng = np.random.default_rng(4)
    x, y = (m + m.T for m in rng.normal(size=(2, 30, 30)))
    inner = dyads.null(x[:15, :15], y[:15, :15], 200, 1)
    x[15:], x[:, 15:] = np.nan, np.nan
    np.testing.assert_array_equal(dyads.null(x, y, 200, 1), inner)
    # 105 pairs: a null over all 435 would be half as wide
    assert inner.std() == pytest.approx(1 / np.sqrt(105), rel=0.25)


def test_unknown_pairs_of_the_first_matrix_leave_the_test_exact() -> None:
    """Pairs unknown in x were given middle ranks where they landed, which made the null too narrow: type-I .25 at 80 %."""
    below = 0
    for repeat in range(120):
        rng = np.random.default_rng(repeat)
        x, y = (symmetric(rng, 20) + np.add.outer(u, u) for u in rng.normal(size=(2, 20)))
        hidden = np.triu(rng.random((20, 20)) < 0.8, 1)
        x[hidden | hidden.T] = np.nan
        null = dyads.null(x, y, 39, repeat)
        below += (null >= dyads.dyadic_correlation(x, y)).sum() < 2  # p <= .05
    # binomial with p = .05: more than 13 of 120 once in 200 times
    assert below <= 13
