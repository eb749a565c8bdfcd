"""Intervals and p of few independent units, of values in any unit, and of results only."""

import numpy as np
import pytest
from scipy import stats

from allometry.compare.inference import roc
from allometry.compare.inference import statistics as st
from allometry.compare.result import row, with_fdr


def replicates_of_mean(x: np.ndarray, n: int = 20_000) -> np.ndarray:
    return x[np.random.default_rng(0).integers(0, x.size, (n, x.size))].mean(axis=1)


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_a_mean_of_few_units_has_the_interval_of_student(size: int) -> None:
    x = np.random.default_rng(size).normal(size=size)
    found = st.interval(replicates_of_mean(x), x.mean(), units=size)
    expected = stats.t.interval(0.95, size - 1, x.mean(), stats.sem(x))
    assert (found.low, found.high) == pytest.approx(expected, rel=0.03)
    assert found.method == "t"
    assert found.p_above() == pytest.approx(stats.ttest_1samp(x, 0, alternative="greater").pvalue, abs=0.01)


@pytest.mark.parametrize("size", [3, 5, 7, 10, 15])
def test_the_interval_of_a_mean_covers_it(size: int) -> None:
    """Plain percentiles cover .83 at 5 units and .87 at 7."""
    rng = np.random.default_rng(size)
    hits = 0
    for _ in range(400):
        x = rng.normal(size=size)
        found = st.resample(lambda index, x=x: x[index].mean(), size, seed=1, n=300)
        hits += found.low <= 0 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_two_units_have_no_interval_and_many_have_percentiles() -> None:
    draws = np.random.default_rng(0).normal(size=5000)
    none = st.interval(draws, 0.0, units=2)
    assert np.isnan([none.low, none.high, none.p_above()]).all()
    many = st.interval(draws, 0.0, units=100_000)
    assert (many.low, many.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975], method="weibull")), abs=1e-3)


@pytest.mark.parametrize("units", [5, 30])
def test_p_of_an_interval_never_contradicts_its_bounds(units: int) -> None:
    rng = np.random.default_rng(units)
    for shift in np.linspace(0, 4, 60):
        found = st.interval(rng.normal(size=1999) + shift, shift, units=units)
        if abs(found.low) > 0.02:  # the edge itself is a matter of interpolation between replicates
            assert (found.low > 0) == (found.p_above() < 0.025)


def test_an_interval_stays_inside_its_bounds() -> None:
    found = st.interval(np.array([0.9, 0.95, 1.0, 0.97] * 50), 0.96, units=4, bounds=(0.0, 1.0))
    assert found.high == 1.0


def test_cluster_bootstrap_of_few_clusters_is_wider_than_its_percentiles() -> None:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(5), 40)
    label = rng.random(200) < 0.5
    score = label + rng.normal(size=200) + rng.normal(size=5)[cluster]
    found = roc.cluster_bootstrap(score, label, cluster, seed=0)
    low, high = np.nanquantile(found.replicates, [0.025, 0.975])
    assert (found.method, found.low < low, found.high > high) == ("t", True, True)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_p_does_not_depend_on_the_unit(unit: float) -> None:
    """In ampere every null value was within 1e-12 of the observed one: p = 1 instead of .001."""
    rng = np.random.default_rng(0)
    null = rng.normal(size=999) * unit
    assert st.permutation_p(5 * unit, null) == 0.001
    assert st.permutation_p(-5 * unit, null) == 1
    # what differs in the last bits is a tie
    assert st.permutation_p(0.3 * unit, np.full(9, (0.1 + 0.2) * unit)) == 1
    assert st.permutation_p((0.1 + 0.2) * unit, np.full(9, 0.3 * unit), "less") == 1


def test_fdr_is_over_results_only() -> None:
    rows = [row("m", str(k), "r", 0.0, p=p) for k, p in enumerate((0.01, 0.04))]
    rows += [row("m", "b", "r", 0.0, p=0.9, role=role) for role in ("baseline", "control") for _ in range(10)]
    found = [entry["p_fdr"] for entry in with_fdr(rows)]
    assert found[:2] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[2:]).all()


@pytest.mark.parametrize("units", [5, 30])
def test_replicates_of_two_statistics_stay_pairs_where_some_are_undefined(units: int) -> None:
    """A difference of resamples was one of other resamples, or crashed, once one of them was undefined."""
    x, y = np.random.default_rng(0).normal(size=(2, 300)) + 3
    x[7] = y[100] = np.nan
    first, second = (st.interval(values, np.nanmean(values), units=units) for values in (x, y))
    gain = st.interval(first.replicates - second.replicates, 0.0, units=units)
    assert (first.undefined, gain.undefined) == (1, 2)
    assert np.array_equal(gain.replicates, x - y, equal_nan=True)
    assert 0 < gain.p_above() < 1


def test_bounds_of_few_resamples_are_as_far_out_as_of_many() -> None:
    """Of 99 resamples of 12 units, .069 of means had their truth outside."""
    outside = 0
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=12)
        found = st.interval(values[rng.integers(0, 12, (99, 12))].mean(axis=1), values.mean(), units=12)
        outside += not found.low <= 0 <= found.high
    # binomial sd .005
    assert outside / 2000 < 0.062
