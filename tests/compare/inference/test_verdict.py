"""Each verdict from numbers whose truth is known, and how often one is wrong where result and baseline are equal."""

import numpy as np
import pytest
from scipy import stats

from allometry.compare.inference import verdict
from allometry.compare.inference.statistics import Interval
from allometry.compare.registry import find
from allometry.compare.result import judged


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((0.01, 0.05), "better"),
        ((-0.05, -0.01), "worse"),
        ((-0.05, 0.01), "no better"),
        ((-0.05, 0.03), "undecided"),
        ((0.0, 0.0), "no better"),
        ((-0.05, 0.0), "no better"),
        ((0.0, 0.05), "undecided"),
        ((-0.05, 0.02), "no better"),
        ((-0.05, np.inf), "undecided"),
        ((-np.inf, -0.05), "undecided"),
        ((np.nan, np.nan), "undecided"),
    ],
)
def test_verdict_of_an_interval(bounds: tuple[float, float], expected: str) -> None:
    low, high = bounds
    assert verdict.judge(Interval((low + high) / 2, low, high), margin=0.02) == expected
    # a distance: the mirror image
    assert verdict.judge(Interval(-(low + high) / 2, -high, -low), margin=0.02, larger=False) == expected


def test_paired_interval_is_that_of_the_difference_and_not_of_the_scores() -> None:
    rng = np.random.default_rng(1)
    common, own = rng.normal(0, 1, 4000), rng.normal(0, 0.1, 4000)
    found = verdict.paired("b", 0.6, 0.3, 0.6 + common + own, 0.3 + common, units=40)
    assert found.difference.estimate == pytest.approx(0.3)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.3 - 0.2, 0.3 + 0.2), abs=0.015)
    few = verdict.paired("b", 0.6, 0.3, 0.6 + common, 0.3 + common, units=2)
    assert verdict.against([few], margin=0.02).verdict == "undecided"  # type: ignore[union-attr]


def test_undefined_resamples_are_left_out_in_pairs() -> None:
    a, b = np.arange(100.0), np.arange(100.0) - 1
    a[::4], b[1::4] = np.nan, np.nan
    assert (lambda d: (d.low, d.high))(verdict.paired("b", 1, 0, a, b, units=50).difference) == (1, 1)
    undefined = verdict.paired("b", np.nan, 0, np.arange(100.0), np.arange(100.0), units=50)
    assert np.isnan([undefined.difference.estimate, undefined.difference.low]).all()
    half = np.where(np.arange(100) % 2, np.nan, np.arange(100.0))
    assert verdict.paired("b", 1, 0, half + 1, half, units=50).difference.low == 1
    a[1::2] = np.nan
    lost = verdict.paired("b", 1.0, 0.25, a, b, units=50)
    assert (lost.name, lost.score, lost.difference.estimate) == ("b", 0.25, 0.75)
    assert np.isnan(verdict.paired("b", 1, 0, a, b, units=50).difference.low)


def test_the_strongest_baseline_is_the_one_that_counts() -> None:
    weak = verdict.Baseline("chance", 0.5, Interval(0.064, 0.04, 0.09))
    strong = verdict.Baseline("path_length", 0.637, Interval(-0.073, -0.1, -0.05))
    undefined = verdict.Baseline("nothing", np.nan, Interval(np.nan, np.nan, np.nan))
    found = verdict.against([weak, undefined, strong], margin=0.02)
    assert found is not None
    assert (found.verdict, found.baseline, found.difference.estimate) == ("worse", "path_length", -0.073)
    assert verdict.strongest([weak, undefined, strong]) is strong
    nearest = verdict.strongest([weak, strong], larger=False)
    assert nearest is not None
    assert nearest.name == "chance"
    assert verdict.against([undefined], margin=0.02) is None


def test_units_and_jackknife_give_the_t_interval() -> None:
    x, y = np.array([0.5, 0.4, 0.7, 0.6, 0.3]), np.array([0.3, 0.35, 0.4, 0.5, 0.2])
    expected = stats.t.interval(0.95, 4, (x - y).mean(), stats.sem(x - y))
    found = verdict.over_units("strength", x, y)
    assert (found.difference.low, found.difference.high) == pytest.approx(expected)
    # the jackknife of a mean has the standard error of the mean
    left = [np.delete(x - y, i).mean() for i in range(5)]
    found = verdict.jackknifed("strength", x.mean(), y.mean(), left)
    assert (found.difference.low, found.difference.high) == pytest.approx(expected)
    assert np.isnan(verdict.over_units("strength", x[:2], y[:2]).difference.low)


def test_the_fewest_units_that_have_an_interval() -> None:
    x, y = np.array([0.5, 0.4, 0.9, np.nan]), np.array([0.3, 0.35, 0.4, 0.1])
    three = verdict.over_units("b", x, y)
    expected = stats.t.interval(0.95, 2, (x - y)[:3].mean(), stats.sem((x - y)[:3]))
    assert (three.difference.low, three.difference.high) == pytest.approx(expected)
    assert (three.score, three.difference.method) == (pytest.approx(0.35), "t")
    two = verdict.over_units("b", x[1:], y[1:])
    assert two.difference.estimate == pytest.approx(0.275)
    assert np.isnan([two.difference.low, two.difference.high]).all()
    assert verdict.over_units("b", [0.5], [0.25]).difference.estimate == 0.25
    none = verdict.over_units("b", [np.nan, 1.0], [0.0, np.nan])
    assert np.isnan([none.score, none.difference.estimate]).all()
    left = [np.delete((x - y)[:3], i).mean() for i in range(3)]
    assert verdict.jackknifed("b", 0.6, 0.35, left).difference.high == pytest.approx(0.25 + np.ptp(expected) / 2)
    for few in (left[:2], [*left, np.nan]):
        found = verdict.jackknifed("b", 0.6, 0.35, few)
        assert (found.name, found.score, found.difference.method) == ("b", 0.35, "jackknife")
        assert found.difference.estimate == pytest.approx(0.25)
        assert np.isnan([found.difference.low, found.difference.high]).all()


def test_two_intervals_of_the_same_resamples_are_paired_and_others_have_none() -> None:
    drawn = np.random.default_rng(2).normal(size=(2, 400))
    one, other = (Interval(e, e - 1, e + 1, replicates=r, units=u) for e, r, u in zip((0.7, 0.4), drawn, (30, 20)))
    found = verdict.same_resamples("b", one, other)
    wanted = verdict.paired("b", 0.7, 0.4, *drawn, units=20)
    assert (found.score, found.difference.low, found.difference.high) == (
        0.4,
        wanted.difference.low,
        wanted.difference.high,
    )
    broken = Interval(0.4, 0.0, 1.0, replicates=drawn[1], units=20, undefined=1)
    shorter = Interval(0.4, 0.0, 1.0, replicates=drawn[1, 1:], units=20)
    for x, y in ((one, broken), (broken, one), (one, shorter)):
        apart = verdict.same_resamples("b", x, y)
        assert (apart.name, apart.score) == ("b", y.estimate)
        assert apart.difference.estimate == pytest.approx(x.estimate - y.estimate)
        assert np.isnan([apart.difference.low, apart.difference.high]).all()


def test_a_known_value_moves_the_interval() -> None:
    found = verdict.over_value("chance", Interval(0.75, 0.5, 1.0, method="t"), 0.25)
    assert (found.name, found.score) == ("chance", 0.25)
    assert found.difference == Interval(0.5, 0.25, 0.75, method="t", replicates=found.difference.replicates)


def test_a_null_needs_39_draws_and_is_exact() -> None:
    null = np.arange(39.0)
    assert verdict.over_null("n", 38.5, null).difference.low > 0
    assert verdict.over_null("n", 38.0, null).difference.low == 0  # the largest draw reaches it: p = 2/40
    assert verdict.over_null("n", -0.5, null).difference.high < 0
    assert np.isnan(verdict.over_null("n", 50.0, null[:38]).difference.low)
    for result in (38.5, 0.0):
        assert verdict.over_null("n", result, null).score == 19
        assert verdict.over_null("n", result, [*null, np.nan]).difference.estimate == result - 19
    # the second largest and smallest of 79
    middle = verdict.over_null("n", 100.0, np.arange(79.0)).difference
    assert (middle.low, middle.high, middle.method) == (100 - 77, 100 - 1, "null")
    nothing = verdict.over_null("n", 1.0, [np.nan])
    assert np.isnan([nothing.score, nothing.difference.estimate, nothing.difference.low]).all()
    # whatever the unit
    tiny = verdict.over_null("n", 38e-12, null * 1e-12)
    assert tiny.difference.low == 0


@pytest.mark.parametrize("draws", [39, 200])
def test_a_result_that_is_one_of_its_null_is_better_in_a_fortieth(draws: int) -> None:
    rng = np.random.default_rng(5)
    found = [verdict.over_null("n", rng.gamma(2), rng.gamma(2, size=draws)) for _ in range(2000)]
    said = [verdict.judge(baseline.difference, margin=0.02) for baseline in found]
    assert said.count("better") / 2000 == pytest.approx(0.025, abs=0.009)
    assert said.count("worse") / 2000 == pytest.approx(0.025, abs=0.009)


def test_a_result_that_equals_three_baselines_is_hardly_ever_better() -> None:
    rng = np.random.default_rng(6)
    said = []
    for _ in range(400):
        each = rng.normal(0, 1, (4, 30)) + rng.normal(0, 1, 30)
        drawn = each[:, rng.integers(0, 30, (300, 30))].mean(axis=2)
        score = each.mean(axis=1)
        held = [verdict.paired(str(k), score[0], score[k], drawn[0], drawn[k], units=30) for k in (1, 2, 3)]
        said.append(verdict.against(held, margin=0.02).verdict)  # type: ignore[union-attr]
    assert said.count("better") / 400 < 0.03


def test_columns_follow_the_direction_of_the_measure() -> None:
    above = [verdict.Baseline("b", 0.2, Interval(0.1, 0.05, 0.15))]
    assert judged("influence_auc", above)["verdict"] == "better"
    assert judged("cv_ks", above)["verdict"] == "worse"
    assert judged("pseudo_depth", above)["verdict"] == ""
    assert judged("influence_auc", ())["verdict"] == ""


def test_of_a_distance_less_is_better() -> None:
    scale = find("rate_ks").scale
    assert scale is not None
    assert not scale.larger
