"""Oracles: scipy's two-sample distances, analytic distances of known distributions, the null of Kolmogorov-Smirnov."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from allometry.compare.inference import ecdf
from allometry.errors import ComparisonError

VALUES = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=40)


@given(VALUES, VALUES)
def test_distances_are_those_of_scipy(a: list[float], b: list[float]) -> None:
    ks, wasserstein = ecdf.ks_and_wasserstein(np.array(a), np.array(b))
    assert ks == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic)
    assert wasserstein == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-12)
    assert ecdf.ks_and_wasserstein(np.array(b), np.array(a)) == pytest.approx((ks, wasserstein))
    assert ecdf.ks_and_wasserstein(np.array(a), np.array(a)) == (0.0, 0.0)


def test_weights_count_units_as_often_as_they_are_drawn() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=30)
    sample = ecdf.Sample.of_units(values)
    weights = ecdf.bootstrap_weights(30, 5, rng)
    grid = ecdf.full_grid(sample)
    for row, found in zip(weights, ecdf.weighted_cdfs(sample, grid, weights)):
        repeated = np.sort(np.repeat(values, row.astype(int)))
        assert found == pytest.approx(np.searchsorted(repeated, grid, side="right") / repeated.size)


def test_pairs_count_as_often_as_both_units_are_drawn() -> None:
    rng = np.random.default_rng(2)
    n = 12
    square = rng.normal(size=(n, n))
    square = square + square.T
    upper = np.triu_indices(n, 1)
    values = square[upper]
    values[3] = np.nan
    sample = ecdf.Sample.of_pairs(values, n)
    drawn = rng.integers(0, n, n)
    weights = np.bincount(drawn, minlength=n)[None].astype(float)
    square[upper], square.T[upper] = values, values
    resampled = square[np.ix_(drawn, drawn)][np.triu_indices(n, 1)]
    different = drawn[upper[0]] != drawn[upper[1]]  # a unit drawn twice has no correlation with itself
    expected = resampled[different & np.isfinite(resampled)]
    grid = ecdf.full_grid(sample)
    found = ecdf.weighted_cdfs(sample, grid, weights)[0]
    assert found == pytest.approx(np.searchsorted(np.sort(expected), grid, side="right") / expected.size)


def test_quantile_grid_is_fine_enough() -> None:
    rng = np.random.default_rng(3)
    a, b = ecdf.Sample.of_units(rng.normal(size=3000)), ecdf.Sample.of_units(rng.normal(0.4, 1.3, 2000))
    grid = ecdf.quantile_grid(a, b)
    ks, wasserstein = ecdf.distances(ecdf.cdf(a, grid), ecdf.cdf(b, grid), grid)
    assert ks == pytest.approx(ecdf.exact(a, b)[0], abs=2 / ecdf.GRID)
    assert wasserstein == pytest.approx(ecdf.exact(a, b)[1], rel=0.02)


def test_halves_have_the_distance_of_two_independent_samples() -> None:
    rng = np.random.default_rng(4)
    n = 400
    halves, pairs = [], []
    for _ in range(60):
        x, y = rng.exponential(size=(2, n))
        halves.append([part.mean() for part in ecdf.halves(ecdf.Sample.of_units(x), rng)])
        pairs.append(ecdf.ks_and_wasserstein(x, y))
    # E of the Kolmogorov distribution: sqrt(pi/2) ln 2 = .8687, times sqrt(2/n)
    expected = np.sqrt(np.pi / 2) * np.log(2) * np.sqrt(2 / n)
    assert np.mean(halves, axis=0)[0] == pytest.approx(expected, rel=0.08)
    assert np.mean(halves, axis=0) == pytest.approx(np.mean(pairs, axis=0), rel=0.12)


@pytest.mark.parametrize("bad", [[], [1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_bad_values_are_refused(bad: list[float]) -> None:
    with pytest.raises(ComparisonError):
        ecdf.ks_and_wasserstein(np.array(bad), np.array([1.0, 2.0]))
