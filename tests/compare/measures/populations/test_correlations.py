"""Correlations against numpy, analytic covariances of linear networks, and constructed populations."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import pdist

from allometry.compare.measures.populations import correlations as co
from allometry.compare.measures.populations import covariance, pairwise
from allometry.errors import ComparisonError


def upper(c):
    return c[np.triu_indices(len(c), 1)]


def linear_network(g, n, seed=0):
    """Exact long-window covariance (1-W)^-1 (1-W)^-T of a linear network with iid weights of variance g^2/n."""
    w = np.random.default_rng(seed).normal(0, g / np.sqrt(n), (n, n))
    b = np.linalg.inv(np.eye(n) - w)
    return b @ b.T


def spectrum_edges(g):
    """Edges of the covariance spectrum of such a network (Hu & Sompolinsky 2022, PLoS Comput. Biol. 18:e1010327, equation 9)."""
    centre, half = 2 + 5 * g**2 - g**4 / 4, g / 4 * (8 + g**2) ** 1.5
    return (np.array([centre - half, centre + half]) / (2 * (1 - g**2) ** 3)).tolist()


@pytest.mark.parametrize("density", [0.02, 0.8])
def test_pairwise_equals_corrcoef_on_sparse_and_dense_counts(density):
    rng = np.random.default_rng(0)
    x = rng.poisson(density, size=(700, 53))
    x[:, 7] = 0
    x[:, 9] = 3
    with np.errstate(invalid="ignore"):
        expected = upper(np.corrcoef(x.T))
    for counts in (x, sp.csr_array(x), da.from_array(x, chunks=(200, 53))):
        # one pass of float64 sums against numpy's two: rounding
        np.testing.assert_allclose(pairwise.pairwise(counts), expected, atol=1e-12)
    summary = pairwise.pairwise_summary(x, n_bins=40, threads=3)
    good = expected[np.isfinite(expected)]
    assert summary.n_pairs == good.size == 51 * 50 // 2
    assert summary.mean == pytest.approx(good.mean(), abs=1e-12)
    assert summary.sd == pytest.approx(good.std(), abs=1e-12)
    assert np.abs(summary.histogram - np.histogram(good, summary.edges)[0]).sum() <= 2  # values on an edge
    assert summary.histogram.sum() == good.size


def test_result_does_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(1).poisson(0.05, size=(500, 60))
    a, b = pairwise.pairwise_summary(x, threads=1), pairwise.pairwise_summary(x, threads=3)
    assert (a.mean, a.sd) == (b.mean, b.sd)
    np.testing.assert_array_equal(pairwise.pairwise(x, threads=1), pairwise.pairwise(x, threads=3))


def test_units_that_were_not_recorded_are_nan():
    x = np.random.default_rng(2).normal(size=(100, 4))
    x[:, 2] = np.nan
    assert np.isnan(pairwise.pairwise(x)).tolist() == [False, True, False, True, False, True]


def test_spectral_radius_recovers_the_radius_of_a_random_network():
    # COMPARE.md: .300 .501 .701 .893 at N = 800; the deviations between seeds are about .002 (.01 near instability)
    for g, expected in ((0.3, 0.300), (0.5, 0.501), (0.7, 0.701)):
        c = linear_network(g, 800)
        assert covariance.spectral_radius_of_covariance(c, 800) == pytest.approx(expected, abs=0.005)
    c = linear_network(0.9, 800)
    assert covariance.spectral_radius_of_covariance(c, 800) == pytest.approx(0.893, abs=0.015)


def test_spectral_radius_of_a_sample_needs_the_whole_population_and_the_bias_correction():
    g, n, recorded, windows = 0.7, 600, 200, 400
    c = linear_network(g, n)
    x = np.random.default_rng(3).multivariate_normal(np.zeros(n), c, size=windows, method="cholesky")[:, :recorded]
    # 2 10^4 pairs from 400 windows: sd about .01 over seeds
    assert covariance.spectral_radius(x, n) == pytest.approx(g, abs=0.04)
    assert covariance.spectral_radius(x, recorded) < g - 0.1
    assert covariance.spectral_radius(x, n, correct_bias=False) > g + 0.04


def test_spectral_radius_of_independent_units_is_about_zero():
    x = np.random.default_rng(4).normal(size=(2000, 300))
    assert covariance.spectral_radius(x, 300) < 0.2
    assert covariance.spectral_radius(x, 300, correct_bias=False) > 0.24


def test_participation_ratio_and_spectrum_follow_random_network_theory():
    n = 800
    for g in (0.3, 0.5, 0.7):
        c = linear_network(g, n)
        # finite-size deviation at N = 800 is below 3 %
        assert covariance.participation_ratio(c) / n == pytest.approx((1 - g**2) ** 2, rel=0.05)
        eigenvalues = np.linalg.eigvalsh(c)
        low, high = spectrum_edges(g)
        assert eigenvalues[0] == pytest.approx(low, rel=0.05)
        assert eigenvalues[-1] == pytest.approx(high, rel=0.08)


def test_covariance_moments_are_the_same_by_gram_and_by_covariance_matrix():
    rng = np.random.default_rng(5)
    for shape in ((40, 90), (90, 40)):
        x = rng.normal(size=shape) @ np.diag(rng.random(shape[1]))
        c = np.cov(x.T)
        for counts in (x, da.from_array(x, chunks=(shape[0], 17))):
            m = covariance.covariance_moments(counts)
            assert m.mean_variance == pytest.approx(np.diag(c).mean())
            assert m.mean_covariance == pytest.approx(upper(c).mean())
            assert m.mean_squared_covariance == pytest.approx((upper(c) ** 2).mean())
            d = np.diag(c)
            assert m.variance_product == pytest.approx(upper(np.outer(d, d)).mean())
            plain = covariance.participation_ratio_of_counts(counts, correct_bias=False)
            assert plain == pytest.approx(covariance.participation_ratio(c))
            expected = covariance.participation_ratio(c, shape[0])
            assert covariance.participation_ratio_of_counts(counts) == pytest.approx(expected)
            eigenvalues = np.sort(np.linalg.eigvalsh(c))[::-1][: min(shape)]
            np.testing.assert_allclose(covariance.covariance_spectrum(counts), eigenvalues, atol=1e-12)


def test_participation_ratio_of_known_spectra():
    assert covariance.participation_ratio(np.eye(7)) == pytest.approx(7)
    assert covariance.participation_ratio(np.ones((7, 7))) == pytest.approx(1)


def test_noise_and_signal_correlation_are_told_apart():
    rng = np.random.default_rng(6)
    stimuli, repeats = 400, 8
    tuning = rng.multivariate_normal([0, 0], [[1, -0.6], [-0.6, 1]], size=stimuli)
    variability = rng.multivariate_normal([0, 0], 2 * np.array([[1, 0.5], [0.5, 1]]), size=(stimuli, repeats))
    x = tuning[:, None, :] + variability
    # standard errors: .75/sqrt(2800) = .014 and about .05
    assert co.noise_correlation(x)[0] == pytest.approx(0.5, abs=0.06)
    assert co.signal_correlation(x)[0] == pytest.approx(-0.6, abs=0.12)
    leaked = (-0.6 + 0.125) / 1.25
    assert co.signal_correlation(x, corrected=False)[0] == pytest.approx(leaked, abs=0.12)
    unbalanced = x.copy()
    unbalanced[::2, 5:] = np.nan
    assert co.noise_correlation(unbalanced)[0] == pytest.approx(0.5, abs=0.07)
    assert co.signal_correlation(unbalanced)[0] == pytest.approx(-0.6, abs=0.15)


def test_correlation_by_distance_bins_pairs():
    rng = np.random.default_rng(7)
    positions = rng.random((80, 2))
    d = pdist(positions)
    r = np.exp(-d / 0.3)
    r[5] = np.nan
    curve = co.by_distance(r, positions, np.linspace(0, 1.5, 16))
    good = np.isfinite(r)
    for k in range(15):
        inside = good & (d >= curve.edges[k]) & (d < curve.edges[k + 1])
        assert curve.n_pairs[k] == inside.sum()
        if inside.any():
            assert curve.mean[k] == pytest.approx(r[inside].mean())
            assert curve.distance[k] == pytest.approx(d[inside].mean())
        else:
            assert np.isnan(curve.mean[k])


@pytest.mark.parametrize(
    "call",
    [
        lambda: pairwise.pairwise(np.zeros(5)),
        lambda: pairwise.pairwise(np.zeros((1, 5))),
        lambda: pairwise.pairwise([[np.nan, 1.0], [2.0, 3.0], [1.0, 4.0]]),
        lambda: pairwise.pairwise([["a", "b"], ["c", "d"]]),
        lambda: pairwise.pairwise_summary(np.ones((10, 3))),
        lambda: covariance.spectral_radius(np.random.default_rng(0).random((10, 5)), 4),
        lambda: covariance.spectral_radius(np.ones((10, 5)), 10),
        lambda: covariance.participation_ratio(np.zeros((3, 3))),
        lambda: covariance.participation_ratio(np.arange(9.0).reshape(3, 3)),
        lambda: co.noise_correlation(np.zeros((4, 1, 3))),
        lambda: co.noise_correlation(np.where(np.arange(24).reshape(4, 3, 2) == 3, np.nan, 1.0)),
        lambda: co.signal_correlation(np.zeros((2, 3, 3))),
        lambda: co.by_distance(np.zeros(4), np.zeros((3, 2)), [0, 1]),
        lambda: co.by_distance(np.zeros(3), np.zeros((4, 2)), [0, 1]),
        lambda: co.by_distance(np.zeros(3), np.zeros((3, 2)), [1, 0]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


def test_no_stimuli_and_negative_variances_are_refused():
    with pytest.raises(ComparisonError):
        co.noise_correlation(np.empty((0, 4, 3)))
    with pytest.raises(ComparisonError, match="negative variances"):
        covariance.participation_ratio(-np.eye(3))


def test_lazy_counts_of_many_bins_make_the_smaller_of_both_products(monkeypatch):
    """Bins x bins of a dask array of 200,000 bins are 298 GiB, whatever few units there are."""
    monkeypatch.setenv("ALLOMETRY_MEMORY", "40MB")
    x = np.random.default_rng(1).normal(size=(3000, 6)) * np.arange(1, 7)
    lazy = da.from_array(x, chunks=(500, 6))
    assert covariance.participation_ratio_of_counts(lazy) == pytest.approx(covariance.participation_ratio_of_counts(x))
    assert covariance.spectral_radius(lazy, 50) == pytest.approx(covariance.spectral_radius(x, 50))
    with pytest.raises(ComparisonError, match="covariance_moments needs about") as refused:
        covariance.covariance_moments(da.zeros((200_000, 100_000), chunks=(1000, 1000)))
    assert "at most 1,200 bins or units" in refused.value.do


def test_unbiased_traces_are_unbiased():
    rng = np.random.default_rng(2)
    scale = np.array([3.0, 1.0, 1.0, 0.5])
    found = []
    for _ in range(4000):
        s = np.cov((scale * rng.normal(size=(6, 4))).T)
        found.append(covariance.unbiased_traces(np.trace(s), (s**2).sum(), 5))
    truth = (scale**2).sum() ** 2, (scale**4).sum()
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - truth) < 4 * error).all()
