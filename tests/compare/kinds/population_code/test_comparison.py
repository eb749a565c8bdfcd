"""Oracles: planted tuning and correlations, other implementations of the suite, the published decoding of a recording."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.inference.crossed import crossed_interval, without_trials
from allometry.compare.kinds.population_code import statistics as statistics_of
from allometry.compare.kinds.population_code.comparison import estimates, population_code
from allometry.compare.measures.populations import correlations, decoding
from allometry.compare.measures.populations import covariance as covariance_
from allometry.compare.result import Result
from allometry.errors import ComparisonError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import mcateer_v1
from tests.compare.responses import directions, make_responses

STIMULI, REPEATS, UNITS = 8, 6, 24
QUICK = {"nulls": 20, "subsets": 2, "splits": 5}
AMPLITUDE = 0.8


SHARED = np.tile([0.2, 0.8], UNITS // 2)


def planted(seed: int = 1, noise: float = 0.15, shared: float | np.ndarray = 0.0) -> np.ndarray:
    """Units with r = 1 + a cos 2(theta - theta0), and noise of which the share `shared` of the variance is common."""
    rng = np.random.default_rng(seed)
    theta = np.deg2rad(directions(STIMULI))[:, None]
    preferred = np.pi * np.arange(UNITS) / UNITS
    tuned = 1 + AMPLITUDE * np.cos(2 * (theta - preferred))
    common = rng.normal(size=(STIMULI, REPEATS, 1))
    own = rng.normal(size=(STIMULI, REPEATS, UNITS))
    return tuned[:, None] + noise * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)


@pytest.fixture(scope="module")
def result() -> Result:
    store = make_responses(planted(shared=SHARED), {"direction": directions(STIMULI)})
    return population_code({"v1": store}, responses=["v1"], **QUICK)  # type: ignore[arg-type]


def rows_of(found: Result) -> pd.DataFrame:
    return pd.DataFrame(found.rows).set_index(["measure", "group"])


def test_planted_tuning_is_found(result: Result) -> None:
    rows = rows_of(result)
    assert rows.loc[("osi", ""), "score"] == pytest.approx(AMPLITUDE / 2, abs=0.02)
    assert rows.loc[("circular_variance", ""), "score"] == pytest.approx(1 - AMPLITUDE / 2, abs=0.02)
    assert rows.loc[("dsi", ""), "score"] < 0.06  # no direction was planted
    assert rows.loc[("dsi", ""), "p"] > 0.05
    assert rows.loc[("osi", ""), "p"] == pytest.approx(1 / 101)
    assert rows.loc[("tuned_share", ""), "score"] == 1
    assert rows.loc[("osi", "shuffled labels"), "ci_high"] < 0.2
    tuning = result.curves["tuning"]
    error = np.mod(tuning["orientation"].values - 180 * np.arange(UNITS) / UNITS + 90, 180) - 90
    assert np.abs(error).max() < 10
    assert tuning["orientation"].attrs["units"] == "degree"


def test_planted_correlations_are_found(result: Result) -> None:
    rows = rows_of(result)
    noise = rows.loc[("noise_correlation", "")]
    load = np.sqrt(SHARED)
    expected = (load.sum() ** 2 - (load**2).sum()) / (UNITS * (UNITS - 1))
    assert noise.score == pytest.approx(expected, abs=0.08)
    assert noise.ci_low < noise.score < noise.ci_high
    assert abs(rows.loc[("noise_correlation", "shuffled trials"), "score"]) < 0.05
    # preferred orientations are spread evenly: mean of cos 2 d over other units is -1 / (n - 1)
    assert rows.loc[("signal_correlation", ""), "score"] == pytest.approx(-1 / (UNITS - 1), abs=0.03)
    signal_variance, noise_variance = AMPLITUDE**2 / 2, 0.15**2
    expected = signal_variance / (signal_variance + noise_variance / REPEATS)
    assert rows.loc[("reliability", ""), "score"] == pytest.approx(expected, abs=0.01)
    values = planted(shared=SHARED).astype(np.float32).astype(float)
    np.testing.assert_allclose(correlations.noise_correlation(values).mean(), noise.score)


def test_decoding_is_that_of_the_suite_with_shuffles_at_chance(result: Result) -> None:
    rows = rows_of(result)
    values = planted(shared=SHARED).astype(np.float32).astype(float)
    for decoder in ("nearest_centroid", "correlation"):
        expected = decoding.decode_within(values, decoder, centre_blocks=True).accuracy
        assert rows.loc[("decoding_within", decoder), "score"] == pytest.approx(expected)
        assert rows.loc[("decoding_within", f"{decoder}, shuffled labels"), "score"] == pytest.approx(0.125, abs=0.06)
    confusion = result.curves["confusion"]["trials"].values[0]
    assert confusion.sum() == STIMULI * REPEATS
    # opposite directions look alike to units that only see orientation
    assert confusion.trace() + confusion.diagonal(4).sum() + confusion.diagonal(-4).sum() == confusion.sum()


def test_spectral_radius_and_dimension_equal_those_of_the_suite(result: Result) -> None:
    rows = rows_of(result)
    covariance, freedom = statistics_of.noise_covariance(planted(shared=SHARED).astype(np.float32).astype(float))
    assert freedom == STIMULI * (REPEATS - 1)
    radius = covariance_.spectral_radius_of_covariance(covariance, UNITS, freedom + 1)
    assert rows.loc[("spectral_radius", ""), "score"] == pytest.approx(radius)
    ratio = covariance_.participation_ratio(covariance, freedom + 1)
    assert rows.loc[("participation_ratio", "noise"), "score"] == pytest.approx(ratio)
    curve = result.curves["spectral_radius_by_size"]
    assert (np.diff(curve["radius"].values) > 0).all()
    assert curve["size"].values[0] == UNITS
    # two orientation components
    assert rows.loc[("participation_ratio", "signal"), "score"] == pytest.approx(2, abs=0.1)
    one = statistics_of.dispersion(covariance, freedom, np.array([500.0]))
    assert one.radius[0] == pytest.approx(covariance_.spectral_radius_of_covariance(covariance, 500, freedom + 1))
    less = np.delete(np.delete(covariance, 3, 0), 3, 1)
    assert one.radius_without[3, 0] == pytest.approx(covariance_.spectral_radius_of_covariance(less, 500, freedom + 1))
    assert one.participation_without[3] == pytest.approx(covariance_.participation_ratio(less, freedom + 1))


def test_what_is_left_out_changes_statistics_of_pairs_as_it_should() -> None:
    rng = np.random.default_rng(4)
    r = statistics_of.correlation_of(np.cov(rng.normal(size=(50, 12)).T))
    r[3, 5] = r[5, 3] = np.nan
    without = statistics_of.pairs_without(r)
    assert without == pytest.approx([np.nanmean(np.delete(np.delete(r, k, 0), k, 1)) for k in range(12)])
    values = np.array([0.1, np.nan, 0.4, 0.7])
    assert statistics_of.units_without(values) == pytest.approx([0.55, 0.4, 0.25])


def recorded_together(seed: int, units: int, common: float, stimuli: int = 10, repeats: int = 8) -> np.ndarray:
    """Untuned units whose noise correlation is `common`, from one source that all share in a trial."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(stimuli, repeats, 1))
    return np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(size=(stimuli, repeats, units))


@pytest.mark.parametrize("units", [10, 100])
def test_noise_that_all_units_share_is_in_the_interval_of_their_correlation(units: int) -> None:
    """Resampling units alone covered .81 with 10 units and .33 with 200: trials vary, too."""
    inside, repeats, widths = 0, 60, []
    for seed in range(repeats):
        x = recorded_together(seed, units, 0.2)
        r = statistics_of.correlation_of(statistics_of.noise_covariance(x)[0])
        parts = without_trials(x, 2, stimuli=True)
        left = [statistics_of.correlation_of(statistics_of.noise_covariance(part)[0]) for part in parts]
        found = statistics_of.mean_over_pairs(r, left)
        inside += found.low <= 0.2 <= found.high
        widths.append(found.high - found.low)
    # 60 repeats of .95: fewer than 51 once in 200 times
    assert inside >= 51
    assert np.median(widths) < 0.25


def test_dimension_of_noise_is_not_lost_in_few_trials() -> None:
    """60 units of true dimension 33 in 40 trials: the plain ratio is about 15 whatever is done."""
    rng = np.random.default_rng(1)
    scale = np.linspace(0.2, 2.2, 60)
    truth = (scale**2).sum() ** 2 / (scale**4).sum()
    plain, corrected, inside = [], [], 0
    for _ in range(60):
        x = scale * rng.normal(size=(8, 6, 60))
        c, freedom = statistics_of.noise_covariance(x)
        own = statistics_of.dispersion(c, freedom, np.array([60]))
        left = [
            statistics_of.dispersion(*statistics_of.noise_covariance(part), np.array([60]))
            for part in without_trials(x, 2, stimuli=True)
        ]
        plain.append(covariance_.participation_ratio(c))
        corrected.append(own.participation)
        found = crossed_interval(own.participation, [t.participation for t in left], scale=(np.log, np.exp))
        inside += found.low <= truth <= found.high
    assert np.mean(plain) < 0.65 * truth
    # a ratio of unbiased traces is itself unbiased to the order of its squared error (.1)
    assert np.median(corrected) == pytest.approx(truth, rel=0.06)
    assert inside >= 51


def test_the_interval_of_decoding_covers_what_other_recordings_give() -> None:
    """Resampled blocks covered .75 to .84: decoders of one recording share their training trials."""
    centres = 0.35 * np.random.default_rng(7).normal(size=(8, 1, 24))
    found = []
    for seed in range(60):
        x = centres + recorded_together(seed, 24, 0.2, stimuli=8, repeats=6)
        decoded = decoding.decode_within(x, "correlation", True)
        found.append(decoding.block_interval(decoded))
    truth = np.mean([one.estimate for one in found])
    assert sum(one.low <= truth <= one.high for one in found) >= 53


def test_directions_that_drift_over_a_session_do_not_pass_for_tuning() -> None:
    """Directions shown one after the other more than at random, and a slow drift of gain: .08 to .12 had p below .05."""
    stimuli, repeats, below, old = 8, 10, 0, 0
    theta = np.deg2rad(directions(stimuli))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        # presentations in random order of a session, in which early ones favour small directions
        when = np.sort(rng.random((stimuli, repeats)) + 0.25 * np.arange(stimuli)[:, None] / stimuli, axis=1)
        drift = 1 + 1.5 * when[:, :, None] * rng.random(40)
        x = drift + 0.3 * rng.normal(size=(stimuli, repeats, 40))
        own = statistics_of.tuned(x, "direction", theta, "rectify").osi
        for order in (when, None):
            null = [
                statistics_of.tuned(s, "direction", theta, "rectify").osi
                for s in statistics_of.shuffled_labels(x, 39, seed, order)
            ]
            p = (1 + (np.array(null) >= own).sum(axis=0)) / 40
            below += (p <= 0.05).sum() if order is not None else 0
            old += (p <= 0.05).sum() if order is None else 0
    assert old / 480 > 0.08
    assert below / 480 < 0.075


def test_shuffles_change_what_they_say_and_nothing_else() -> None:
    values = planted()
    values[3, 5] = np.nan
    (labels,) = statistics_of.shuffled_labels(values, 1, 2)
    np.testing.assert_allclose(np.nanmean(labels, axis=0), np.nanmean(values, axis=0))  # each block keeps its trials
    assert not np.allclose(np.nanmean(labels, axis=1), np.nanmean(values, axis=1), atol=0.1)
    assert np.isnan(labels[3, 5]).all()
    assert np.isfinite(labels).sum() == np.isfinite(values).sum()
    (trials,) = statistics_of.shuffled_trials(values, 1, 2)
    np.testing.assert_allclose(np.nanmean(trials, axis=1), np.nanmean(values, axis=1))  # tuning is kept
    assert not np.allclose(np.nan_to_num(trials), np.nan_to_num(values))


def test_signal_correlation_does_not_see_shared_noise() -> None:
    rng = np.random.default_rng(3)
    flat = 2 * rng.normal(size=(30, 8, 1)) + rng.normal(size=(30, 8, 10))  # no tuning, strong noise correlation
    across = statistics_of.signal_correlation(flat, splits=20, seed=1)
    assert abs(np.nanmean(across)) < 0.12
    assert np.mean(correlations.signal_correlation(flat, corrected=False)) > 0.6


def test_subsampling_reaches_the_whole_and_grows(result: Result) -> None:
    table = result.curves["subsampling"].to_dataframe().astype({"measure": str, "axis": str})
    rows = rows_of(result)
    decoded = table[(table["measure"] == "decoding_within") & (table["axis"] == "units")]
    assert decoded["size"].tolist()[-1] == UNITS
    assert decoded["mean"].iloc[-1] == pytest.approx(rows.loc[("decoding_within", "nearest_centroid"), "score"])
    assert decoded["mean"].iloc[0] < decoded["mean"].iloc[-1]
    assert (decoded["chance"] == 0.125).all()
    stimuli = table[(table["measure"] == "decoding_within") & (table["axis"] == "stimuli")]
    assert stimuli["chance"].tolist() == pytest.approx((1 / stimuli["size"]).tolist())
    repeats = table[(table["measure"] == "reliability") & (table["axis"] == "repeats")]
    assert repeats["size"].tolist() == [2, 3, 4, 5, 6]
    assert repeats["mean"].iloc[0] < repeats["mean"].iloc[-1]


def test_unbalanced_designs_and_conditions_without_an_angle() -> None:
    values = planted()
    values[0, 3:] = np.nan
    store = make_responses(values, {"frame": list(range(STIMULI))}, kind="natural_scenes")
    found = population_code({"x": store}, responses=["x"], **QUICK)  # type: ignore[arg-type]
    rows = rows_of(found)
    assert "osi" not in rows.index.get_level_values("measure")
    assert "not centred" in found.derived["x: design"]
    assert rows.loc[("decoding_within", "nearest_centroid"), "n"] == STIMULI * REPEATS - 3
    scores = stores.scores(found.rows, found.curves, attrs=store.attrs | {"seed": 1})
    assert isinstance(scores, xr.DataTree)


def test_negative_responses_are_rectified_or_their_units_dropped() -> None:
    values = planted() - 0.5
    kept = statistics_of.rates(values, "rectify")
    assert kept.min() == 0
    dropped = statistics_of.tuned(values, "direction", np.deg2rad(directions(STIMULI)), "drop")
    assert np.isnan(dropped.osi).all()
    with pytest.raises(ComparisonError, match="negative='shift'"):
        statistics_of.rates(values, "shift")


def test_what_is_needed_is_known_before_it_is_needed() -> None:
    store = make_responses(planted(), {"direction": directions(STIMULI)})
    (small,) = estimates({"x": store}, responses=["x"])
    (large,) = estimates({"x": store}, responses=["x"], nulls=2000)
    assert small.peak_bytes > 8 * store["response"].size
    assert large.operations > 3 * small.operations


def test_mcateer_is_decoded_as_published(mirror: Path) -> None:
    folder = mirror / "mouse_v1_mcateer"
    if not (folder / "DFF.mat").is_file():
        pytest.skip("the mirror has no mouse_v1_mcateer")
    source = Source("mcateer_v1", "Mus musculus", "", "MIT", "real", {})
    store = mcateer_v1.READER({"DFF.mat": folder / "DFF.mat"}, source, {})
    found = population_code({"m": store}, responses=["m"], decoders=["nearest_centroid"], **QUICK)  # type: ignore[arg-type]
    rows = rows_of(found)
    decoded = rows.loc[("decoding_within", "nearest_centroid")]
    assert decoded.score * 72 == pytest.approx(54)  # data/README.md: 54/72, chance 6/72
    assert decoded.n == 72
    halves = found.curves["tuning"]["split_half"].values
    assert np.median(halves) == pytest.approx(0.36, abs=0.05)  # data/README.md, of odd and even repeats


@pytest.mark.parametrize("key", ["nulls", "subsets", "splits"])
def test_no_shuffles_or_resamples_are_refused(key: str) -> None:
    with pytest.raises(ComparisonError, match=f"{key} is 0"):
        population_code({}, responses=[], **{**QUICK, key: 0})


def test_planted_codes_are_better_than_shuffles_and_noise_is_not() -> None:
    options = {**QUICK, "nulls": 49}
    store = make_responses(planted(shared=SHARED), {"direction": directions(STIMULI)})
    rows = rows_of(population_code({"v1": store}, responses=["v1"], **options))  # type: ignore[arg-type]
    for measure, group, baseline in (
        ("decoding_within", "nearest_centroid", "nearest_centroid, shuffled labels"),
        ("osi", "", "shuffled labels"),
        ("circular_variance", "", "shuffled labels"),
        ("reliability", "", "shuffled labels"),
        ("noise_correlation", "", "shuffled trials"),
    ):
        found = rows.loc[(measure, group)]
        assert (found.verdict, found.baseline) == ("better", baseline), measure
        assert found.difference == pytest.approx(found.score - rows.loc[(measure, baseline)].score)
    noise = np.random.default_rng(2).normal(5, 1, (STIMULI, REPEATS, UNITS))
    store = make_responses(noise, {"direction": directions(STIMULI)})
    rows = rows_of(population_code({"v1": store}, responses=["v1"], **options))  # type: ignore[arg-type]
    for measure, group in (("decoding_within", "nearest_centroid"), ("osi", ""), ("reliability", "")):
        assert rows.loc[(measure, group)].verdict != "better", measure
