"""Avalanches against the theory of branching processes."""

import logging

import numpy as np
import powerlaw
import pytest
from scipy.special import gammaln

from allometry.compare.measures.spikes import criticality as cr
from allometry.compare.measures.spikes import tails
from allometry.errors import ComparisonError


def branching_counts(m, n, seed, limit=2000):
    """Generations of n Poisson Galton-Watson trees of one ancestor each, one after the other, separated by empty bins."""
    rng = np.random.default_rng(seed)
    alive = np.ones(n, np.int64)
    generations = [alive]
    while alive.any() and len(generations) < limit:
        alive = rng.poisson(m * alive)
        generations.append(alive)
    trees = np.array([*generations, np.zeros(n, np.int64)]).T
    length = (trees > 0).sum(axis=1) + 1
    return np.concatenate([[0], *[t[:k] for t, k in zip(trees, length)]])


@pytest.fixture(scope="module")
def critical():
    return cr.avalanches(branching_counts(1.0, 20_000, seed=0))


def test_sizes_of_subcritical_trees_follow_the_borel_distribution():
    n_trees, m = 40_000, 0.7
    found = cr.avalanches(branching_counts(m, n_trees, seed=1))
    assert found.size.size == n_trees
    n = np.arange(1, 9)
    borel = np.exp(-m * n + (n - 1) * np.log(m * n) - gammaln(n + 1))
    observed = np.array([(found.size == k).mean() for k in n])
    # five binomial standard deviations
    assert (np.abs(observed - borel) < 5 * np.sqrt(borel / n_trees)).all()
    assert found.size.mean() == pytest.approx(1 / (1 - m), rel=0.03)


def test_critical_exponents_and_crackling_relation(critical):
    size = cr.power_law(critical.size, xmin=20)
    # Borel at m = 1 approaches n^-1.5 as 1 + O(1/n): statistical error .01
    assert size.alpha == pytest.approx(1.5, abs=0.04)
    assert size.alternatives["exponential"][0] > 0
    assert size.alternatives["exponential"][1] < 0.01
    result = cr.crackling(critical, xmin_size=20, xmin_duration=20)
    # durations have corrections of order log T / T: 5 to 10 % at T = 20 to 500
    assert result.alpha == pytest.approx(2.0, abs=0.2)
    assert result.gamma == pytest.approx(2.0, abs=0.2)
    assert result.deviation < 0.35
    assert result.gamma_predicted == pytest.approx((result.alpha - 1) / (result.tau - 1))


def test_shape_collapse_finds_gamma_of_a_constructed_parabola():
    parts = [np.zeros(1, int)]
    for duration in range(8, 40):
        t = (np.arange(duration) + 0.5) / duration
        shape = np.rint(1000 * duration**0.8 * t * (1 - t)).astype(int)
        parts += [np.concatenate([shape, [0]])] * 20
    result = cr.shape_collapse(cr.avalanches(np.concatenate(parts)))
    assert result.gamma == pytest.approx(1.8, abs=0.02)  # interpolation near the ends of short avalanches
    assert result.error < 1e-3
    assert result.shape.argmax() in (24, 25)


def test_shape_collapse_of_critical_trees_gives_gamma_two(critical):
    assert cr.shape_collapse(critical, min_duration=15, min_count=20).gamma == pytest.approx(2.0, abs=0.25)


def test_power_law_of_exact_samples_and_scanned_start():
    u = np.random.default_rng(2).random(20_000)
    x = (1 - u) ** (-1 / 1.2)  # alpha = 2.2, xmin = 1
    fit = cr.power_law(x, discrete=False, xmin=1.0)
    assert fit.alpha == pytest.approx(2.2, abs=5 * fit.standard_error)
    assert fit.alpha == pytest.approx(1 + x.size / np.log(x).sum(), abs=1e-6)  # Clauset et al. 2009, equation 3.1
    assert cr.power_law(x[:600], discrete=False, alternatives=()).alpha == pytest.approx(2.2, abs=0.4)
    exponential = np.ceil(np.random.default_rng(3).exponential(8, 5000))
    assert cr.power_law(exponential, xmin=1).alternatives["exponential"][0] < -5


def test_avalanches_by_hand():
    found = cr.avalanches([[1, 0], [0, 0], [2, 1], [1, 0], [0, 0], [0, 5], [0, 0], [3, 0]])
    assert found.size.tolist() == [4, 5]
    assert found.duration.tolist() == [2, 1]
    assert found.start.tolist() == [2, 5]
    assert cr.avalanches([0, 3, 5, 3, 1], threshold=2).size.tolist() == [5]


def test_susceptibility_of_independent_units_and_its_curve():
    rng = np.random.default_rng(5)
    p = 0.2
    counts = rng.random((20_000, 50)) < p
    assert cr.susceptibility(counts.astype(int)) == pytest.approx(p * (1 - p), rel=0.05)
    driven = []
    for h in (0.5, 2.0, 8.0):
        a, series = 10, []
        for _ in range(4000):
            a = rng.poisson(0.9 * a + h)
            series.append(rng.poisson(a / 100, 100))
        driven.append(np.array(series))
    result = cr.quasicriticality([driven[2], driven[0], driven[1]], [8.0, 0.5, 2.0])
    assert result.drive.tolist() == [0.5, 2.0, 8.0]
    assert result.m == pytest.approx([0.9] * 3, abs=0.05)
    assert result.peak_drive == result.drive[result.susceptibility.argmax()]


@pytest.mark.parametrize(
    "call",
    [
        lambda: cr.avalanches([0.5, 1.0]),
        lambda: cr.avalanches([-1, 2]),
        lambda: cr.power_law(np.ones(20)),
        lambda: cr.power_law(np.ones(100)),
        lambda: cr.power_law(np.arange(100)),
        lambda: cr.power_law(np.linspace(1, 2, 100)),
        lambda: cr.power_law(np.arange(1, 100), xmin=80),
        lambda: cr.shape_collapse(cr.avalanches([0, 1, 0, 2, 0])),
        lambda: cr.susceptibility([0.5]),
        lambda: cr.quasicriticality([np.ones((4, 2), int)], [1.0, 2.0]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


@pytest.mark.parametrize("alpha", [2.5, 3.5, 4.5])
def test_exponents_above_three_are_found(alpha):
    # powerlaw 2 searches exponents up to 3 unless it is told otherwise, and then returns 3
    sizes = np.random.default_rng(3).zipf(alpha, 20_000)
    # standard error of the discrete estimate, about 1.3 (alpha - 1) / sqrt(n) at xmin = 1: 3 of them
    assert cr.power_law(sizes, xmin=1, alternatives=()).alpha == pytest.approx(alpha, abs=0.028 * (alpha - 1))


@pytest.mark.parametrize("bad", [np.inf, np.nan, 0.5])
def test_counts_are_finite_whole_numbers(bad):
    counts = np.ones((9, 2))
    counts[3, 1] = bad
    for function in (cr.avalanches, cr.susceptibility):
        with pytest.raises(ComparisonError, match="not whole numbers"):
            function(counts)


@pytest.mark.parametrize("seed", range(4))
def test_starts_that_are_tried_some_at_a_time_give_the_one_of_powerlaw(seed):
    """From 5 distinct sizes (fewer than are tried at a time) to some hundred."""
    import powerlaw

    rng = np.random.default_rng(seed)
    sizes = np.clip(np.floor((1 - rng.random(400)) ** (-1 / 1.3)), 1, (6, 19, 40, 10**4)[seed])
    found = cr.power_law(sizes, alternatives=())
    with tails.quiet():
        whole = powerlaw.Fit(sizes, discrete=True, parameter_ranges={"alpha": [0, tails.STEEPEST]}, verbose=False)
    assert (found.xmin, found.alpha, found.n_tail) == (whole.xmin, whole.power_law.alpha, (sizes >= whole.xmin).sum())


def test_a_fit_that_takes_long_is_announced(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """powerlaw takes some 14 s for a truncated power law of 10^4 continuous values, and minutes for 10^5, in one call."""
    monkeypatch.setattr(powerlaw.Fit, "distribution_compare", lambda *_, **__: (1.0, 0.5))
    caplog.set_level(logging.INFO, "allometry")
    x = 1 + np.random.default_rng(4).pareto(1.5, 10_000)
    cr.power_law(x, 1.0, discrete=False)
    assert caplog.messages == ["fit of a truncated_power_law to 10,000 values: about 14 s"]
    caplog.clear()
    cr.power_law(np.floor(x), 1.0)
    assert not caplog.messages
