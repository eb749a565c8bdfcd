"""Draws recomputed one by one: keys, tables and samplers from their published definitions, in other arithmetic."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import stats

from allometry.simulate.kernels import rng
from tests.simulate.kernels.plain import GOLDEN, MASK, draw, key_of, mix, uniform, unmix

KEY = 0x0123456789ABCDEF


def test_keys_and_purposes_are_those_of_every_stored_network() -> None:
    assert {p.name: int(p) for p in rng.Purpose} == {
        "INDEGREE": 1, "SYNAPSE": 2, "INITIAL_V": 3, "POISSON": 4, "PARAMETER": 5, "POSITION": 6,
        "RELEASE": 7, "GATE": 8, "RHYTHM": 9, "NOISE": 10,
    }  # fmt: skip
    assert int(rng.GOLDEN) == GOLDEN
    for seed, purpose, number in ((0, rng.Purpose.SYNAPSE, 0), (7, rng.Purpose.POISSON, 3), (2**63, 1, 10**6)):
        wanted = mix((mix((mix((seed + GOLDEN) & MASK) + purpose * GOLDEN) & MASK) + (number + 1) * GOLDEN) & MASK)
        assert int(rng.key(seed, rng.Purpose(purpose), number)) == wanted
        assert rng._mix_int(wanted) == mix(wanted) == int(rng.mix(np.uint64(wanted)))
        assert unmix(mix(wanted)) == wanted


def test_uniform_deviates_are_between_the_ends() -> None:
    out = np.empty(1)
    for bits in (0, 2**11 - 1, 2**11, 2**62, 2**63 + 2**11, MASK - 2**11, MASK):
        rng.uniform_draws(np.uint64(key_of(bits, 5)), 5, 0.0, 1.0, out)
        assert out[0] == uniform(bits)
        assert 0 < out[0] < 1
        # to the midpoint of its cell: half a cell of rounding
        assert abs(out[0] - ((bits >> 11) + 0.5) / 2**53) <= 2.0**-53
    rng.normal_draws(np.uint64(key_of(MASK)), 0, 0.0, 1.0, out)
    assert out[0] == pytest.approx(stats.norm.isf(2.0**-53), rel=1e-12)


def test_deviates_are_numbered_shifted_and_scaled() -> None:
    out = np.empty(50)
    u = np.array([uniform(draw(KEY, 7 + i)) for i in range(50)])
    rng.uniform_draws(np.uint64(KEY), 7, -3.0, 2.5, out)
    np.testing.assert_array_equal(out, -3.0 + 2.5 * u)
    rng.normal_draws(np.uint64(KEY), 7, -60.0, 4.0, out)
    np.testing.assert_allclose(out, stats.norm.ppf(u, -60.0, 4.0), rtol=1e-13)


def test_logarithm_and_exponential_to_the_last_places() -> None:
    near = [math.sqrt(0.5) * (1 + s * 2.0**-50) for s in (-9, -1, 0, 1, 9)]
    x = [0.3, 0.5, 0.75, *near, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.1, 1.41, 1.42, 2.0, 10.0, 12345.678, 1e-200, 1e300]
    with localcontext() as context:
        context.prec = 60
        for v in x:
            exact = Decimal(v).ln()
            assert abs(Decimal(float(rng.ln(v))) - exact) <= abs(exact) * Decimal("5e-16"), v
        for v in (-700.0, -699.9, -20.3, -0.35, -0.3466, 0.0, 0.3465, 0.35, 0.5, 1.0, 7.7, 300.0, 709.0):
            exact = Decimal(v).exp()
            assert abs(Decimal(float(rng.exp(v))) - exact) <= exact * Decimal("5e-16"), v
    assert rng.exp(math.nextafter(-700.0, -math.inf)) == 0.0


def test_factorials_beyond_stirlings_formula() -> None:
    """A table to 9, then the series, whose error is just below the first term that it leaves out, 1 / (1680 n^7)."""
    with localcontext() as context:
        context.prec = 60
        half_ln_2_pi = (2 * Decimal("3.14159265358979323846264338327950288419716939937510582097494")).ln() / 2
        for k in range(40):
            n = Decimal(k + 1)
            formula = (n - Decimal("0.5")) * n.ln() - n + half_ln_2_pi
            wrong = Decimal(float(rng._stirling(float(k)))) - (Decimal(math.factorial(k)).ln() - formula)
            if k < 10:
                assert abs(wrong) < Decimal("3e-17")
            else:
                left_out, rounding = 1 / (1680 * n**7), Decimal("2e-18")
                assert left_out * Decimal("0.95") - rounding < wrong < left_out + rounding


def transformed_rejection(n: int, p: float, key: int) -> int:
    """Hörmann (1993), algorithm BTRS, with the binomial probabilities from libm's gamma function."""
    q = min(p, 1 - p)
    sd = math.sqrt(n * q * (1 - q))
    b = 1.15 + 2.53 * sd
    a = -0.0873 + 0.0248 * b + 0.01 * q
    alpha = (2.83 + 5.1 / b) * sd
    mode = math.floor((n + 1) * q)

    def log_mass(k: float) -> float:
        return k * math.log(q / (1 - q)) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    for index in range(0, 10**4, 2):
        u, v = uniform(draw(key, index)) - 0.5, uniform(draw(key, index + 1))
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + n * q + 0.5)
        quick = us >= 0.07 and v <= 0.92 - 4.2 / b
        if quick or (0 <= k <= n and math.log(v * alpha / (a / (us * us) + b)) <= log_mass(k) - log_mass(mode)):
            return n - k if p > 0.5 else k
    raise AssertionError


@pytest.mark.parametrize(
    ("n", "p"), [(20, 0.5), (21, 0.49), (40, 0.26), (101, 0.1), (150, 0.93), (1000, 0.37), (10**5, 0.001), (10**5, 0.6)]
)
def test_binomial_draws_are_those_of_transformed_rejection(n: int, p: float) -> None:
    for number in range(400):
        key = draw(KEY, number)
        assert rng.binomial(n, p, np.uint64(key)) == transformed_rejection(n, p, key)


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (7, 0.3), (19, 0.5), (19, 0.51), (20, 0.93), (100, 0.0999), (10**6, 2e-6)]
)
def test_binomial_draws_of_a_small_mean_are_quantiles(n: int, p: float) -> None:
    q = min(p, 1 - p)
    for number in range(400):
        key = draw(KEY, number)
        wanted = int(stats.binom.ppf(uniform(draw(key, 0)), n, q))
        assert rng.binomial(n, p, np.uint64(key)) == (n - wanted if p > 0.5 else wanted)


def splits(node: int, low: int, high: int, count: int, out: list[int]) -> None:
    """The children of a node of the tree over [low, high) are 2 node and 2 node + 1."""
    if high - low == 1:
        out[low] = count
        return
    middle = (low + high) // 2
    left = int(rng.binomial(count, (middle - low) / (high - low), np.uint64(draw(KEY, node))))
    splits(2 * node, low, middle, left, out)
    splits(2 * node + 1, middle, high, count - left, out)


@pytest.mark.parametrize(("total", "size"), [(100, 13), (5000, 64), (3, 1), (0, 5)])
def test_multinomial_counts_by_recursion(total: int, size: int) -> None:
    wanted = [-1] * size
    splits(1, 0, size, total, wanted)
    assert sum(wanted) == total
    for low in range(size):
        for high in (low + 1, size):
            out = np.full(high - low, -1, np.int64)
            rng.multinomial_indegrees(total, size, low, high, np.uint64(KEY), out)
            assert out.tolist() == wanted[low:high]


def test_tables_are_equiprobable_quantiles() -> None:
    inside = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(rng.normal_table(16, -math.inf), stats.norm.ppf(inside), rtol=1e-13)
    for low in (-3.0, -0.2, 1.5):
        np.testing.assert_allclose(rng.normal_table(16, low), stats.truncnorm.ppf(inside, low, np.inf), rtol=1e-11)
    share = 1e-9
    np.testing.assert_allclose(rng.upper_normal_table(16, share), stats.norm.isf(share * inside[::-1]), rtol=1e-13)
    z = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(rng.lognormal_values(z, 0.7, 0.4), np.exp(0.7 + 0.4 * z), rtol=1e-15)


def test_quantiles_in_all_three_pieces_and_their_inverse() -> None:
    u = np.concatenate([[0.5, 0.075, 0.925, 0.0749, 0.0751, 0.4, 1e-11, 1.4e-11, 1e-12], np.geomspace(1e-300, 0.4, 60)])
    np.testing.assert_allclose([rng.normal_quantile(v) for v in u], stats.norm.ppf(u), rtol=2e-15, atol=1e-16)
    for x in (-38.0, -8.5, -1.0, 0.0, 0.3, 6.0):
        assert rng.normal_cdf(x) == pytest.approx(stats.norm.cdf(x), rel=1e-12, abs=1e-29)
