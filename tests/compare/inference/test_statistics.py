"""Oracles: closed forms, scipy.stats.bootstrap, and the coverage that an interval promises."""

import numpy as np
import pytest
from scipy import stats

from allometry.compare.inference import ceilings
from allometry.compare.inference import statistics as st
from allometry.errors import ComparisonError


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_agrees_with_scipy(method: str) -> None:
    data = np.random.default_rng(1).exponential(size=80)
    ours = st.bootstrap(np.mean, data, seed=2, n=6000, method=method)
    theirs = stats.bootstrap((data,), np.mean, n_resamples=6000, method=method, rng=3).confidence_interval
    assert ours.estimate == pytest.approx(data.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_bca_differs_from_percentile_on_skewed_data() -> None:
    data = np.random.default_rng(1).exponential(size=40) ** 2
    percentile = st.bootstrap(np.mean, data, seed=2, n=4000)
    bca = st.bootstrap(np.mean, data, seed=2, n=4000, method="bca")
    assert bca.high > percentile.high * 1.03


def test_bootstrap_keeps_pairs_together() -> None:
    x = np.random.default_rng(0).normal(size=30)
    result = st.bootstrap(lambda a, b: np.corrcoef(a, b)[0, 1], x, 2 * x + 1, seed=1, n=200)
    assert result.low == pytest.approx(1.0)
    assert result.high == pytest.approx(1.0)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for repeat in range(200):
        ci = st.bootstrap(np.mean, rng.normal(size=40), seed=repeat, n=300)
        hits += ci.low <= 0 <= ci.high
    assert 0.88 <= hits / 200 <= 0.99


def test_same_seed_same_interval_other_seed_other_interval() -> None:
    data = np.random.default_rng(1).normal(size=20)
    a, b, c = (st.bootstrap(np.mean, data, seed=s, n=100) for s in (1, 1, 2))
    assert (a.low, a.high) == (b.low, b.high)
    assert (a.low, a.high) != (c.low, c.high)


def test_undefined_replicates_are_counted_not_used() -> None:
    ci = st.interval([0.1, 0.2, np.nan, 0.3], 0.2, units=20)
    assert ci.undefined == 1
    assert np.isfinite(ci.low)
    with pytest.raises(ComparisonError, match="undefined in 3 of 4"):
        st.interval([np.nan, np.nan, np.nan, 0.3], 0.3, units=20)


def test_too_few_items_and_unequal_lengths_are_named() -> None:
    with pytest.raises(ComparisonError, match="2 items are too few"):
        st.bootstrap(np.mean, np.arange(2.0), seed=0)
    with pytest.raises(ComparisonError, match="cannot be resampled together"):
        st.bootstrap(lambda a, b: 0.0, np.arange(3), np.arange(4), seed=0)
    with pytest.raises(ComparisonError, match="unknown bootstrap method"):
        st.bootstrap(np.mean, np.arange(5.0), seed=0, method="magic")


def test_permutation_p_is_never_below_one_over_n_plus_one() -> None:
    assert st.permutation_p(10.0, np.zeros(99)) == pytest.approx(0.01)
    assert st.permutation_p(0.0, np.zeros(99)) == 1.0
    assert st.permutation_p(-10.0, np.zeros(99), "two-sided") == pytest.approx(0.02)
    assert st.permutation_p(1.0, np.arange(4.0), "less") == pytest.approx(3 / 5)
    assert np.isnan(st.permutation_p(np.nan, np.zeros(9)))


def test_permutation_p_is_uniform_under_the_null() -> None:
    rng = np.random.default_rng(3)
    p = [st.permutation_p(rng.normal(), rng.normal(size=99)) for _ in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_fdr_is_benjamini_hochberg_and_ignores_nan() -> None:
    # Benjamini & Hochberg 1995, worked example: 4 of 15 are rejected at .05.
    text = ".0001 .0004 .0019 .0095 .0201 .0278 .0298 .0344 .0459 .3240 .4262 .5719 .6528 .7590 1.0"
    p = [float(value) for value in text.split()]
    adjusted = st.fdr(p)
    assert (adjusted <= 0.05).sum() == 4
    with_nan = st.fdr([*p, np.nan])
    assert with_nan[:-1] == pytest.approx(adjusted)
    assert np.isnan(with_nan[-1])


def test_split_half_equals_signal_over_signal_plus_noise() -> None:
    rng = np.random.default_rng(0)
    signal, noise, repeats = 1.0, 2.0, 10
    s = rng.normal(size=(400, 1, 60)) * signal
    data = s + noise * rng.normal(size=(400, repeats, 60))
    expected = signal**2 / (signal**2 + noise**2 / repeats)
    assert np.mean(ceilings.split_half(data, seed=1, splits=20)) == pytest.approx(expected, abs=0.01)


def test_split_half_with_missing_repeats_and_constant_unit() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(300, 1, 3)) + rng.normal(size=(300, 8, 3))
    data[:, 4:, 1] = np.nan
    data[:, :, 2] = 1.0
    r = ceilings.split_half(data, seed=1, splits=60)
    assert r[0] == pytest.approx(8 / 9, abs=0.03)
    assert r[1] == pytest.approx(4 / 5, abs=0.06)
    assert np.isnan(r[2])


def test_split_half_of_pure_noise_is_zero() -> None:
    r = ceilings.split_half(np.random.default_rng(4).normal(size=(200, 6, 200)), seed=0, splits=10)
    assert abs(np.mean(r)) < 0.02


def test_leave_one_out_ceiling_of_equal_and_of_noisy_subjects() -> None:
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 50)), 4, axis=0)
    low, high = ceilings.leave_one_out_ceiling(same)
    assert low == pytest.approx(1.0)
    assert high == pytest.approx(1.0)
    subjects, noise = 9, 1.5
    data = rng.normal(size=(1, 20000)) + noise * rng.normal(size=(subjects, 20000))
    low, high = ceilings.leave_one_out_ceiling(data)
    expected = 1 / np.sqrt((1 + noise**2) * (1 + noise**2 / (subjects - 1)))
    assert low.mean() == pytest.approx(expected, abs=0.01)
    assert (high > low).all()


def test_spearman_ceiling_does_not_see_monotonic_changes() -> None:
    data = np.random.default_rng(0).normal(size=(1, 40)) + 0.5 * np.random.default_rng(1).normal(size=(5, 40))
    plain = ceilings.leave_one_out_ceiling(data, "spearman")
    bent = ceilings.leave_one_out_ceiling(np.exp(data), "spearman")
    assert plain[0] == pytest.approx(bent[0])
    with pytest.raises(ComparisonError, match="unknown correlation"):
        ceilings.leave_one_out_ceiling(data, "tau")


def test_spearman_brown_and_ceiled_rules() -> None:
    assert ceilings.spearman_brown(0.5) == pytest.approx(2 / 3)
    assert ceilings.spearman_brown(0.5, 4) == pytest.approx(0.8)
    assert ceilings.ceiled(0.6, 0.72, "reliability") == pytest.approx(0.5)
    assert ceilings.ceiled(0.6, 0.5, "correlation") == pytest.approx(1.44)  # above 1 is shown, not clipped
    assert ceilings.ceiled(0.7, 0.9, "auc") == pytest.approx(0.5)
    assert ceilings.ceiled(0.3, 0.6, "ratio") == pytest.approx(0.5)
    assert np.isnan(ceilings.ceiled(0.3, 0.6, "none"))
    assert np.isnan(ceilings.ceiled(0.3, 0.4, "auc"))


def test_what_no_statistic_can_be_made_of_is_refused():
    with pytest.raises(ComparisonError, match="p values"):
        st.fdr([0.5, 1.5])
    with pytest.raises(ComparisonError, match="level"):
        st.bootstrap(np.mean, [1.0, 2.0, 3.0], seed=0, level=2)
    with pytest.raises(ComparisonError, match="infinite"):
        ceilings.split_half(np.full((3, 4, 2), np.inf), seed=0)


@pytest.mark.parametrize("rule", ["reliability", "correlation", "ratio"])
def test_a_score_opposite_to_the_reference_is_not_at_the_ceiling(rule):
    assert ceilings.ceiled(-0.5, 0.5, rule) == -ceilings.ceiled(0.5, 0.5, rule) < 0


def test_a_reliability_rests_on_three_stimuli_at_least() -> None:
    responses = np.random.default_rng(0).normal(size=(3, 4, 2)) + np.arange(3)[:, None, None]
    assert np.isfinite(ceilings.split_half(responses, seed=0)).all()
    responses[2, :, 1] = np.nan
    assert np.isnan(ceilings.split_half(responses, seed=0)).tolist() == [False, True]


def test_halves_are_means_however_many_repeats_a_stimulus_has() -> None:
    responses = np.tile(np.array([1.0, -2.0, 3.0, 0.5, 2.0])[:, None, None], (1, 8, 1))
    for stimulus, repeats in enumerate((8, 2, 3, 6, 4)):
        responses[stimulus, repeats:] = np.nan
    assert ceilings.split_half(responses, seed=0) == pytest.approx([1.0])


def test_a_subject_with_large_values_does_not_dominate_the_ceiling() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 30)) + np.random.default_rng(1).normal(size=30)
    scaled = vectors * np.array([[1.0], [50.0], [0.01], [3.0]]) + 7
    np.testing.assert_allclose(ceilings.leave_one_out_ceiling(scaled), ceilings.leave_one_out_ceiling(vectors))


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (19, 20), (20, 20)])
def test_wilson_equals_scipy(hits: int, n: int) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    found = st.wilson(hits / n, n)
    np.testing.assert_allclose([found.low, found.high], [expected.low, expected.high], atol=1e-12)


def test_one_split_is_enough_and_none_is_refused() -> None:
    responses = np.random.default_rng(0).normal(size=(8, 6, 5)) + np.arange(8)[:, None, None]
    assert np.isfinite(ceilings.split_half(responses, seed=1, splits=1)).all()
    with pytest.raises(ComparisonError, match="0 split-half"):
        ceilings.split_half(responses, seed=1, splits=0)


def test_a_null_is_its_mean_and_where_95_of_100_draws_lie() -> None:
    draws = np.random.default_rng(0).permutation(np.arange(101.0))
    found = st.null_interval([*draws, np.nan])
    assert (found.estimate, found.low, found.high) == (50.0, 2.5, 97.5)
    empty = st.null_interval([np.nan])
    assert np.isnan([empty.estimate, empty.low, empty.high]).all()
