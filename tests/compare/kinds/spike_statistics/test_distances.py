"""Oracles: hand-made distances, all relabellings enumerated, resamples of known spread."""

import itertools

import numpy as np
import pytest

from allometry.compare.inference.ecdf import Sample
from allometry.compare.kinds.spike_statistics import distances as subject
from allometry.compare.kinds.spike_statistics.profile import Profile, Scalar, Spectrum


def scalars(values: dict[str, float], resolution: float = 0.0) -> subject.Distances:
    """Distances of stores that have nothing but a synchrony, resampled with a standard deviation of .1."""
    rng = np.random.default_rng(1)
    profiles = {
        name: Profile(scalars={"synchrony": Scalar(value, value + 0.1 * rng.normal(size=400), resolution)})
        for name, value in values.items()
    }
    return subject.Distances(profiles, "E", 100, 1)


def test_score_baseline_and_verdict_of_numbers() -> None:
    distances = scalars({"a1": 1.0, "a2": 1.1, "b1": 3.0, "b2": 3.3})
    judged = distances.judge(["b1", "b2"], ["a1", "a2"], "synchrony_difference")
    assert judged is not None
    assert judged.score.estimate == pytest.approx(np.mean([2.0, 1.9, 2.3, 2.2]))
    assert judged.pairs == 4
    assert judged.baseline == pytest.approx(np.sqrt((0.1**2 + 0.3**2) / 2))
    assert judged.relative == pytest.approx(2.1 / judged.baseline)
    # the mean over all pairs varies as the difference of two means of two: sqrt(.005 + .005)
    assert judged.score.high - judged.score.low == pytest.approx(2 * 1.96 * 0.1, rel=0.2)
    assert judged.verdict == "too few seeds"
    assert judged.p == pytest.approx(1 / 3)
    near = scalars({"a1": 1.0, "a2": 1.2, "b1": 1.0, "b2": 1.1})
    within = near.judge(["b1", "b2"], ["a1", "a2"], "synchrony_difference")
    assert within is not None
    assert within.verdict == "within seed-to-seed"
    between = scalars({"a1": 1.0, "a2": 1.1, "b1": 1.2, "b2": 1.3}).judge(
        ["b1", "b2"], ["a1", "a2"], "synchrony_difference"
    )
    assert between is not None
    assert between.verdict == "too few seeds"


def test_beyond_needs_three_seeds_of_every_ensemble_that_has_seeds() -> None:
    """One distance between two seeds is exceeded by the next one often: *beyond* was wrong in up to 12 of 100 cases."""
    three = {"a1": 1.0, "a2": 1.1, "a3": 1.05, "b1": 3.0, "b2": 3.3, "b3": 3.1}
    for members, verdict in ((3, "beyond seed-to-seed"), (2, "too few seeds")):
        judged = scalars(three).judge(["b1", "b2", "b3"][:members], ["a1", "a2", "a3"], "synchrony_difference")
        assert judged is not None
        assert judged.verdict == verdict
    near = scalars({**three, "b1": 1.2, "b2": 1.25, "b3": 1.15}).judge(
        ["b1", "b2", "b3"], ["a1", "a2", "a3"], "synchrony_difference"
    )
    assert near is not None
    assert near.verdict == "unresolved"
    # a recording has no other seed: the three of the simulation are the baseline
    recorded = scalars({**three, "r": 9.0}).judge(["a1", "a2", "a3"], ["r"], "synchrony_difference")
    assert recorded is not None
    assert recorded.verdict == "beyond seed-to-seed"


def test_less_than_the_resolution_is_no_difference() -> None:
    same_seeds = {f"{name}{k}": value for name, value in (("a", 10.0), ("b", 12.0)) for k in range(3)}
    for resolution, verdict in ((0.0, "beyond seed-to-seed"), (4.0, "within seed-to-seed")):
        judged = scalars(same_seeds, resolution).judge(["b0", "b1", "b2"], ["a0", "a1", "a2"], "synchrony_difference")
        assert judged is not None
        assert judged.verdict == verdict


def test_one_store_each_has_no_baseline_of_a_number() -> None:
    judged = scalars({"a": 1.0, "b": 3.0}).judge(["b"], ["a"], "synchrony_difference")
    assert judged is not None
    assert judged.verdict == "no baseline"
    assert np.isnan(judged.p)
    assert np.isnan(judged.relative)


def test_what_nobody_defines_is_left_out_and_what_one_lacks_is_undefined() -> None:
    distances = scalars({"a": 1.0, "b": 3.0})
    assert distances.judge(["b"], ["a"], "rate_ks") is None
    profiles = {"a": Profile(scalars={"synchrony": Scalar(1.0)}), "b": Profile()}
    judged = subject.Distances(profiles, "E", 100, 1).judge(["b"], ["a"], "synchrony_difference")
    assert judged is not None
    assert judged.verdict == "undefined"
    assert np.isnan(judged.score.estimate)


@pytest.mark.parametrize("sizes", [(2, 3), (4, 4)])
def test_p_is_the_share_of_relabellings(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    first, second = sizes
    values = rng.normal(size=first + second) + np.arange(first + second) * 0.3
    names = [f"s{i}" for i in range(values.size)]
    judged = scalars(dict(zip(names, values))).judge(names[:first], names[first:], "synchrony_difference")
    matrix = np.abs(values[:, None] - values)

    def gap(chosen: tuple[int, ...]) -> float:
        others = [i for i in range(values.size) if i not in chosen]
        across = np.mean([matrix[i, j] for i in chosen for j in others])
        own = [np.mean([matrix[i, j] for i, j in itertools.combinations(g, 2)]) for g in (chosen, others)]
        return float(across - np.mean(own))

    gaps = [gap(way) for way in itertools.combinations(range(values.size), first)]
    assert judged is not None
    assert judged.p == pytest.approx(np.mean(np.array(gaps) >= gaps[0] - 1e-12))


def test_many_members_are_dealt_at_random() -> None:
    names = [f"s{i:02d}" for i in range(16)]
    apart = scalars({name: float(i >= 8) + 0.01 * i for i, name in enumerate(names)})
    judged = apart.judge(names[:8], names[8:], "synchrony_difference")
    assert judged is not None
    # of 1000 of the 12870 ways hardly any but the true one is so good
    assert 0.001 <= judged.p <= 0.004
    alike = scalars(dict(zip(names, np.random.default_rng(3).normal(size=16))))
    judged = alike.judge(names[:8], names[8:], "synchrony_difference")
    assert judged is not None
    assert judged.p > 0.02


def test_spectra_differ_by_their_ratio_in_decibel() -> None:
    power = np.linspace(1, 3, 20)
    assert subject.decibel_distance(power, 10 * power) == pytest.approx(10)
    assert subject.decibel_distance(power, np.where(np.arange(20) < 10, power, 2 * power)) == pytest.approx(
        10 * np.log10(2) / np.sqrt(2)
    )
    profiles = {
        name: Profile(spectrum=Spectrum(np.arange(20.0), factor * power, factor * np.tile(power, (100, 1))))
        for name, factor in (("a", 1.0), ("b", 100.0))
    }
    judged = subject.Distances(profiles, "E", 100, 1).judge(["a"], ["b"], "spectrum_distance")
    assert judged is not None
    assert judged.score.estimate == pytest.approx(20)
    assert (judged.score.low, judged.score.high) == pytest.approx((20, 20))


def test_intervals_of_distances_are_moved_to_the_estimate() -> None:
    rng = np.random.default_rng(4)
    replicates = 3.0 + rng.normal(size=2000)  # resampling adds noise: larger than the estimate on average
    found = subject.recentred([1.5], [replicates])
    assert found.estimate == 1.5
    assert found.high == pytest.approx(1.5 + 1.96, abs=0.15)
    assert found.low == 0.0  # no distance is negative
    few = subject.recentred([1.5], [replicates], 5)
    assert few.high == pytest.approx(1.5 + 2.776 * np.sqrt(5 / 4), abs=0.15)  # Student's t of five units
    assert np.isnan(
        [subject.recentred([1.5], [replicates], 2).low, subject.recentred([1.5], [replicates], 2).high]
    ).all()
    assert np.isnan(subject.recentred([1.5], [np.empty(0)]).low)
    assert np.isnan(subject.recentred([1.5], [np.array([np.nan, np.nan, np.nan, 1.0])]).low)


def test_halves_are_the_baseline_of_a_store_without_another_seed() -> None:
    rng = np.random.default_rng(5)
    profiles = {
        name: Profile(samples={"rate": Sample.of_units(shift + rng.exponential(size=300))})
        for name, shift in (("a", 0.0), ("b", 0.0), ("c", 2.0), ("d", 0.0))
    }
    distances = subject.Distances(profiles, "E", 100, 1)
    assert distances.within(["a"], "rate_ks").basis == subject.HALVES
    assert distances.within(["a", "b"], "rate_ks").basis == subject.SEEDS
    same, other = (distances.judge([name], ["a"], "rate_ks") for name in "bc")
    assert same is not None
    assert other is not None
    assert same.relative == pytest.approx(1, abs=0.6)
    assert same.verdict != "beyond unit sampling"
    assert other.verdict == "beyond unit sampling"
    mixed = distances.judge(["c"], ["a", "b", "d"], "rate_ks")
    assert mixed is not None
    assert mixed.verdict == "beyond seed-to-seed"
