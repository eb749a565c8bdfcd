"""Oracles: planted tuning and correlations, other implementations of the suite, the published decoding of a recording."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
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
QUICK = {"nulls": 20, "bootstrap": 100, "subsets": 2, "splits": 5}
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
    ratio = covariance_.participation_ratio(covariance)
    assert rows.loc[("participation_ratio", "noise"), "score"] == pytest.approx(ratio)
    curve = result.curves["spectral_radius_by_size"]
    assert (np.diff(curve["radius"].values) > 0).all()
    assert curve["size"].values[0] == UNITS
    # two orientation components
    assert rows.loc[("participation_ratio", "signal"), "score"] == pytest.approx(2, abs=0.1)
    one = statistics_of.dispersion(covariance, freedom, np.array([500.0]), np.ones((1, UNITS)))
    assert one.radius[0, 0] == pytest.approx(covariance_.spectral_radius_of_covariance(covariance, 500, freedom + 1))


def test_drawing_units_does_not_shift_statistics_of_pairs() -> None:
    rng = np.random.default_rng(4)
    covariance = np.cov(rng.normal(size=(400, 60)).T)
    draws = statistics_of.unit_draws(60, 400, 1)
    found = statistics_of.dispersion(covariance, 399, np.array([60.0]), draws)
    # copies of a unit that counted as pairs would halve the participation ratio of independent units
    assert found.participation.mean() == pytest.approx(covariance_.participation_ratio(covariance), rel=0.03)
    r = statistics_of.correlation_of(covariance)
    mean = statistics_of.mean_over_pairs(r, draws)
    assert mean.estimate == pytest.approx(np.nanmean(r))
    assert mean.replicates.mean() == pytest.approx(mean.estimate, abs=0.003)


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
    store = mcateer_v1.READER.read({"DFF.mat": folder / "DFF.mat"}, source, {})
    found = population_code({"m": store}, responses=["m"], decoders=["nearest_centroid"], **QUICK)  # type: ignore[arg-type]
    rows = rows_of(found)
    decoded = rows.loc[("decoding_within", "nearest_centroid")]
    assert decoded.score * 72 == pytest.approx(54)  # data/README.md: 54/72, chance 6/72
    assert decoded.n == 72
    halves = found.curves["tuning"]["split_half"].values
    assert np.median(halves) == pytest.approx(0.36, abs=0.05)  # data/README.md, of odd and even repeats


@pytest.mark.parametrize("key", ["nulls", "bootstrap", "subsets", "splits"])
def test_no_shuffles_or_resamples_are_refused(key: str) -> None:
    with pytest.raises(ComparisonError, match=f"{key} is 0"):
        population_code({}, responses=[], **{**QUICK, key: 0})
