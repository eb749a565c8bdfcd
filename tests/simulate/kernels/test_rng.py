"""Draws against scipy's distributions; elementary functions against libm."""

import math

import numpy as np
import pytest
from scipy import stats

from allometry.simulate.kernels import rng
from allometry.simulate.kernels.inputs.drive import ROW, poisson_block, poisson_some, poisson_thresholds


def test_elementary_functions_agree_with_libm() -> None:
    x = np.concatenate([np.geomspace(1e-300, 1e300, 500), np.linspace(0.5, 2, 500)])
    assert all(abs(rng.ln(v) - math.log(v)) <= 1e-15 * max(1.0, abs(math.log(v))) for v in x)
    y = np.linspace(-690, 50, 1000)
    assert all(abs(rng.exp(v) / math.exp(v) - 1) < 1e-14 for v in y)
    assert rng.exp(-1e4) == 0.0


def test_normal_quantile_and_distribution() -> None:
    u = np.concatenate([np.geomspace(1e-30, 0.4, 200), np.linspace(0.01, 0.99, 200), 1 - np.geomspace(1e-15, 0.4, 50)])
    assert max(abs(rng.normal_quantile(v) - stats.norm.ppf(v)) for v in u) < 1e-13
    assert max(abs(rng.normal_cdf(x) - stats.norm.cdf(x)) for x in np.linspace(-6, 6, 101)) < 1e-14


def test_mix_is_the_published_splitmix64() -> None:
    # First outputs of splitmix64 seeded with 1234567 (Vigna's reference code).
    state, want = 1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [int(rng.draw(np.uint64(state), k + 1)) for k in range(3)] == want


def test_keys_differ_in_every_part() -> None:
    keys = {int(rng.key(s, p, n)) for s in range(5) for p in rng.Purpose for n in range(20)}
    assert len(keys) == 5 * len(rng.Purpose) * 20


@pytest.mark.parametrize(("n", "p"), [(7, 0.3), (50, 0.1), (1000, 0.5), (100_000, 0.3), (20, 0.9), (10**8, 0.5)])
def test_binomial_distribution(n: int, p: float) -> None:
    draws = np.array([rng.binomial(n, p, rng.key(3, rng.Purpose.INDEGREE, i)) for i in range(5000)])
    inside = np.random.default_rng(0).random(len(draws))
    smooth = stats.binom.cdf(draws - 1, n, p) + inside * stats.binom.pmf(draws, n, p)
    assert stats.kstest(smooth, "uniform").pvalue > 1e-3


def test_binomial_limits() -> None:
    key = rng.key(1, rng.Purpose.INDEGREE, 0)
    assert [rng.binomial(n, p, key) for n, p in ((0, 0.5), (9, 0.0), (9, 1.0))] == [0, 0, 9]


def test_multinomial_indegrees_have_the_binomial_variance_and_do_not_depend_on_the_range() -> None:
    total, size = 300_000, 1001
    whole = np.empty(size, np.int64)
    variances = []
    for number in range(20):
        key = rng.key(5, rng.Purpose.INDEGREE, number)
        rng.multinomial_indegrees(total, size, 0, size, key, whole)
        assert whole.sum() == total
        variances.append(whole.var() / (total / size * (1 - 1 / size)))
    # The mean of 20 variances of 1001 counts: 1 +- 4 standard errors. Equal in-degrees would give 0.
    assert abs(np.mean(variances) - 1) < 4 * math.sqrt(2 / (20 * size))
    for low, high in ((0, 1), (500, 502), (77, 900)):
        part = np.empty(high - low, np.int64)
        rng.multinomial_indegrees(total, size, low, high, key, part)
        np.testing.assert_array_equal(part, whole[low:high])


@pytest.mark.parametrize("mean", [0.0, 0.015, 1.28, 2.32, 9.0, 40.0, 700.0])
def test_poisson_thresholds_are_the_distribution(mean: float) -> None:
    offset, row = poisson_thresholds(mean)
    assert len(row) >= ROW
    row = row[row < 2**32 - 1]
    k = offset + np.arange(len(row))
    # P(count > k) = P(u > t) = 1 - (t + 1) / 2^32
    np.testing.assert_allclose((row + 1.0) / 2**32, stats.poisson.cdf(k, mean), atol=2**-31)
    assert stats.poisson.sf(offset + len(row), mean) < 2**-31
    assert stats.poisson.cdf(offset - 1, mean) < 2**-31


def test_poisson_block_and_list_draw_the_same() -> None:
    offset, row = poisson_thresholds(4.0)
    base = rng.key(1, rng.Purpose.POISSON, 0)
    scratch = np.zeros(1024, np.uint64)
    block, listed = np.zeros(2001, np.int32), np.zeros(2001, np.int32)
    poisson_block(scratch, scratch.view(np.uint32), base, 0, row, offset, np.int32(3), block)
    members = np.arange(2001)
    poisson_some(base, members, members, row, offset, np.int32(3), listed)
    np.testing.assert_array_equal(block, listed)
    counts = block // 3
    assert abs(counts.mean() - 4) < 5 * math.sqrt(4 / 2001)
    assert counts.max() > 8
    later = np.zeros(1001, np.int32)
    poisson_block(scratch, scratch.view(np.uint32), base, 500, row, offset, np.int32(3), later)
    np.testing.assert_array_equal(later, block[1000:])
