"""Oracles: identical stores, Poisson populations of known rates, the null of two seeds; NEST's microcircuit (slow)."""

import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from allometry import stores
from allometry.compare.inference import ecdf
from allometry.compare.kinds.spike_statistics import comparison as subject
from allometry.compare.kinds.spike_statistics import ensembles
from allometry.compare.kinds.spike_statistics import measures as spike_measures
from allometry.compare.registry import MEASURES
from allometry.compare.result import Result
from allometry.errors import ComparisonError
from tests.compare.conftest import ATTRS
from tests.compare.spike_trains import gamma_trains, recorded, responses, simulated

Inputs = Mapping[str, xr.Dataset | xr.DataTree]


def compare(inputs: Inputs, **options: Any) -> Result:
    return subject.spike_statistics(inputs, **{"bootstrap": 100, "skip_ms": 0.0, **options})


def table(result: Result, role: str = "result") -> pd.DataFrame:
    frame = pd.DataFrame(result.rows)
    return frame[frame["role"] == role].set_index(["measure", "group"])


def poisson(rate: float, seed: int, units: int = 100, duration_s: float = 4.0, **parameters: Any) -> xr.Dataset:
    """Poisson units of one rate, in populations E and I."""
    half = units // 2
    trains = gamma_trains([rate] * units, duration_s, seed)
    return simulated(trains, duration_s, ["E"] * half + ["I"] * (units - half), rate=rate, **parameters)


def ensemble(name: str, rate: float, seeds: range, **options: Any) -> dict[str, xr.Dataset | xr.DataTree]:
    return {f"{name}_s{seed}_{seed:08x}": poisson(rate, seed, **options) for seed in seeds}


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """Two ensembles of the same network under two names, one that fires faster, three seeds each."""
    return {
        **ensemble("slow", 8.0, range(1, 4)),
        **ensemble("same", 8.0, range(11, 14), wiring=2),
        **ensemble("fast", 11.0, range(21, 24)),
    }


@pytest.fixture(scope="module")
def result(inputs: Inputs) -> Result:
    return compare(
        inputs, reference="slow", statistics=["rate", "cv", "correlation", "spectrum", "synchrony"], bin_ms=20
    )


def test_identical_stores_have_no_distance() -> None:
    store = poisson(20.0, 1)
    result = compare({"a": store, "b": store.assign_attrs(parameters={"other": 1})}, reference="a", max_units=50)
    rows = table(result)
    defined = rows[np.isfinite(rows["score"])]
    assert {measure for measure, _ in defined.index} >= {"rate_ks", "lv_wasserstein", "spectrum_distance"}
    assert (defined["score"] == 0).all()
    assert defined["beside_seeds"].isin(["within unit sampling", "no baseline"]).all()


def test_distance_of_poisson_populations_is_the_analytic_one() -> None:
    units, duration_s = 2000, 4.0
    inputs = {
        name: simulated(gamma_trains([rate] * units, duration_s, seed), duration_s, ["E"] * units, rate=rate)
        for seed, (name, rate) in enumerate({"five": 5.0, "six": 6.0}.items())
    }
    rows = table(compare(inputs, statistics=["rate"], max_units=units))
    counts = np.arange(80)
    expected = np.abs(stats.poisson.cdf(counts, 20) - stats.poisson.cdf(counts, 24)).max()
    # Dvoretzky-Kiefer-Wolfowitz: each distribution function is within .036 with probability 99 %
    ks = rows.loc[("rate_ks", "E")]
    assert ks.score == pytest.approx(expected, abs=2 * np.sqrt(np.log(2 / 0.01) / (2 * units)))
    # One stochastically exceeds the other, so that the distance is the difference of the means.
    wasserstein = rows.loc[("rate_wasserstein", "E")]
    error = np.sqrt((5 + 6) / duration_s / units)
    assert wasserstein.score == pytest.approx(1.0, abs=3 * error)
    assert wasserstein.unit == "Hz"
    assert wasserstein.ci_high - wasserstein.ci_low == pytest.approx(2 * 1.96 * error, rel=0.35)
    for row, value in ((ks, expected), (wasserstein, 1.0)):
        assert row.ci_low - 0.02 < value < row.ci_high + 0.02
        assert row.beside_seeds == "beyond unit sampling"
    assert wasserstein.candidate_value == pytest.approx(6, abs=0.2)
    assert wasserstein.reference_value == pytest.approx(5, abs=0.2)


def test_members_differ_only_in_their_seed(inputs: Inputs) -> None:
    found = ensembles.ensembles_of(inputs)
    assert {name: len(e.members) for name, e in found.items()} == {"slow": 3, "same": 3, "fast": 3}
    assert found["slow"].populations == ("E", "I")
    alone = ensembles.ensembles_of({"s1_00000001": poisson(8.0, 1), "s2_00000002": poisson(8.0, 2)})
    assert list(alone) == ["renewal"]  # a point without parameters is called by its model
    clash = ensembles.ensembles_of({"x_s1_0000000a": poisson(8.0, 1), "x_s1_0000000b": poisson(9.0, 1)})
    assert list(clash) == ["x", "x_s1_0000000b"]


def test_what_a_seed_has_drawn_and_seeds_of_conditions_tell_no_ensembles_apart() -> None:
    def stored(seed: int, rate: float = 1.0, **more: Any) -> xr.Dataset:
        condition = {"name": "shown", "seed": 100 + seed, "replaced": {}}
        network = {"edges": f"sha of seed {seed}"}
        return poisson(8.0, seed, load=rate, condition=condition, network=network, **more)

    names = ("shown_s1_00000001", "shown_s2_00000002")
    drawn = {name: stored(seed, drawn_with_seed="edges") for seed, name in enumerate(names, 1)}
    assert [e.members for e in ensembles.ensembles_of(drawn).values()] == [names]
    # networks that differ otherwise, and other parameters, are others
    assert len(ensembles.ensembles_of({name: stored(seed) for seed, name in enumerate(names, 1)})) == 2
    other = {names[0]: drawn[names[0]], names[1]: stored(2, 2.0, drawn_with_seed="edges")}
    assert len(ensembles.ensembles_of(other)) == 2


def test_distances_between_seeds_are_inside_the_null_of_kolmogorov_smirnov(result: Result) -> None:
    baseline = table(result, "baseline")
    baseline = baseline[baseline["candidate"] == baseline["reference"]]
    for measure in ("rate_ks", "cv_ks"):
        for population in ("E", "I"):
            rows = baseline.loc[[(measure, population)]]
            assert rows["candidate"].tolist() == ["slow", "same", "fast"] or len(rows) == 3
            assert (rows["pairs"] == 3).all()
            # the largest of three distances of 50 and 50 units: beyond it once in 1000 times
            assert (stats.kstwobign.sf(rows["ci_high"] * np.sqrt(50 / 2)) > 0.001 / 3).all()
            # mean of the Kolmogorov distribution .8687; ties and three dependent pairs leave it wide
            assert 0.4 < (rows["score"] * np.sqrt(50 / 2)).mean() < 1.3


def test_another_seed_is_within_and_another_rate_beyond(result: Result) -> None:
    rows = table(result).reset_index().set_index(["candidate", "measure"])
    assert (rows.loc[("fast", "rate_ks")]["beside_seeds"] == "beyond seed-to-seed").all()
    assert (rows.loc[("fast", "rate_ks")]["relative"] > 2).all()
    # of 20 ways to deal six seeds to two ensembles, the true one and its mirror image
    assert rows.loc[("fast", "rate_ks")]["p"].tolist() == pytest.approx([2 / 20] * 2)
    same = rows.loc["same"]
    assert not same["beside_seeds"].str.startswith("beyond").any()
    assert same["relative"].median() == pytest.approx(1, abs=0.35)
    assert same["p"].min() >= 2 / 20
    assert not rows.loc[("fast", "cv_ks")]["beside_seeds"].str.startswith("beyond").any()
    known = rows[np.isfinite(rows["ci_low"])]
    assert len(known) > len(rows) / 2
    assert (known["ci_low"] <= known["score"]).all()
    assert (known["score"] <= known["ci_high"]).all()
    assert (rows["n"] == 50).all()


def test_every_measure_is_registered_and_curves_hold_the_distributions(result: Result, inputs: Inputs) -> None:
    assert set(spike_measures.MEASURES) <= set(MEASURES)
    assert {row["measure"] for row in result.rows} <= set(MEASURES)
    curve = result.curves["spike_distributions"]
    chosen = (curve["store"] == "fast_s21_00000015") & (curve["population"] == "E") & (curve["statistic"] == "rate")
    store = inputs["fast_s21_00000015"]
    assert isinstance(store, xr.Dataset)
    spikes = np.bincount(store["spike_unit"].values, minlength=100)[:50]
    assert curve["value"].values[chosen.values][0] == pytest.approx(np.quantile(spikes / 4.0, np.linspace(0, 1, 101)))
    assert set(curve["ensemble"].values.tolist()) == {"slow", "same", "fast"}
    tree = stores.scores(result.rows, result.curves, attrs={**ATTRS, "derived": result.derived})
    assert stores.violations(tree) == []


def test_results_do_not_depend_on_the_order_of_the_stores() -> None:
    inputs = {**ensemble("slow", 8.0, range(1, 3)), **ensemble("fast", 11.0, range(21, 23))}
    options = {"reference": "slow", "statistics": ["rate", "correlation", "spectrum"], "bin_ms": 20}
    rows = [table(compare(dict(order), **options)) for order in (inputs.items(), reversed(inputs.items()))]
    pd.testing.assert_frame_equal(rows[0].sort_index(), rows[1].sort_index())


def test_too_few_spikes_are_undefined_with_the_reason() -> None:
    silent = simulated([np.array([0.5]), *[np.zeros(0)] * 99], 4.0, ["E"] * 50 + ["I"] * 50)
    result = compare({"some": poisson(10.0, 1), "none": silent}, reference="some")
    rows = table(result)
    assert rows.loc[("rate_ks", "E")].score == pytest.approx(1.0)
    assert rows.loc[("cv_ks", "E")].beside_seeds == "undefined"
    assert np.isnan(rows.loc[("cv_ks", "E")].score)
    assert "0 units with 3 intervals, fewer than 10 (E of none, I of none)" in result.derived["undefined cv"]
    assert "osi_ks" not in {measure for measure, _ in rows.index}  # neither store has stimuli
    assert "(everywhere)" in result.derived["undefined osi"]
    unrecorded = silent.assign_attrs(parameters={"record": {"spikes": False}}).isel(spike=slice(0))
    result = compare({"some": poisson(10.0, 1), "none": unrecorded}, reference="some", statistics=["rate", "spectrum"])
    assert table(result)["beside_seeds"].eq("undefined").all()
    assert "not recorded one by one" in result.derived["undefined rate"]


def test_recordings_too_small_for_any_statistic_are_one_message() -> None:
    few = [recorded(gamma_trains([8.0] * 4, 5.0, seed), [(0.0, 5.0)], ["V1"] * 4) for seed in (1, 2)]
    with pytest.raises(
        ComparisonError, match=r"no statistic can be compared: a and b have too few(.|\n)*at least 10 units"
    ):
        compare({"a": few[0], "b": few[1]}, statistics=["rate", "cv"])


def test_stores_without_common_populations_are_compared_in_all_units() -> None:
    trains = gamma_trains([8.0] * 40, 5.0, 3)
    recording = recorded(trains, [(0.0, 5.0)], ["V1"] * 40)
    result = compare({"model": poisson(8.0, 1), "data": recording}, reference="data", statistics=["rate", "synchrony"])
    rows = table(result)
    assert {group for _, group in rows.index} == {"all"}
    assert rows.loc[("rate_ks", "all")].beside_seeds != "beyond unit sampling"
    # counts of 40 units in both, though the model has 100; 4 s of both
    assert "40 of all" in result.derived["sample"]
    assert result.derived["window"].startswith("4 s ")


def test_recordings_of_responses_are_held_against_simulations_and_each_other() -> None:
    rng = np.random.default_rng(5)
    directions = np.tile(np.arange(0, 360, 45.0), 10)
    theta = np.deg2rad(directions)

    def imaged(depth: float) -> xr.Dataset:
        rate = 8 * (1 + depth * rng.uniform(0.5, 1, (60, 1)) * np.cos(2 * (theta - rng.uniform(0, np.pi, (60, 1)))))
        return responses(rng.poisson(2 * rate).astype(float), directions.tolist(), 2.0)

    inputs = {"tuned": imaged(1.0), "untuned": imaged(0.0), "model": poisson(8.0, 1)}
    result = compare(
        inputs, responses=["tuned", "untuned"], reference="tuned", statistics=["rate", "osi", "correlation"]
    )
    rows = table(result).reset_index().set_index(["candidate", "measure"])
    assert rows.loc[("untuned", "osi_ks")]["score"] > 0.9
    assert rows.loc[("untuned", "osi_ks")]["beside_seeds"] == "beyond unit sampling"
    assert rows.loc[("untuned", "rate_ks")]["beside_seeds"] != "beyond unit sampling"
    assert rows.loc[("model", "osi_ks")]["beside_seeds"] == "undefined"
    assert rows.loc[("model", "rate_wasserstein")]["reference_value"] == pytest.approx(8, abs=0.5)
    assert "80 presentations" in result.derived["correlation of tuned"]


def test_traces_have_only_correlations() -> None:
    rng = np.random.default_rng(6)
    names = [f"N{i}" for i in range(12)]

    def worm(shared: float) -> xr.DataTree:
        trace = (rng.normal(size=(400, 12)) + shared * rng.normal(size=(400, 1))).astype(np.float32)
        recording = stores.Recording(name="w", time=np.arange(400.0), trace=trace, label=names, resampled=trace)
        return stores.activity([recording], names, 1.0, attrs=ATTRS, units="1")

    inputs = {"alone": worm(0.0), "together": worm(1.0)}
    result = compare(inputs, activity=list(inputs), statistics=["correlation", "rate"])
    rows = table(result)
    assert {measure for measure, _ in rows.index} == {"correlation_ks", "correlation_wasserstein"}
    assert rows.loc[("correlation_wasserstein", "all")].score == pytest.approx(0.5, abs=0.05)
    assert "1 samples/s" in result.derived["correlation of together"]


def test_many_recordings_of_traces_are_sampled() -> None:
    rng = np.random.default_rng(7)
    names = [f"N{i}" for i in range(12)]

    def worm(index: int) -> stores.Recording:
        trace = rng.normal(size=(100, 12)).astype(np.float32)
        return stores.Recording(name=f"w{index}", time=np.arange(100.0), trace=trace, label=names, resampled=trace)

    many, few = (
        stores.activity([worm(i) for i in range(count)], names, 1.0, attrs=ATTRS, units="1") for count in (6, 2)
    )
    inputs = {"many": many, "few": few}
    result = compare(inputs, activity=list(inputs), statistics=["correlation"], max_units=30)
    assert (
        "3 recordings, not of spike counts; 3 further recordings are not used" in result.derived["correlation of many"]
    )
    assert "further" not in result.derived["correlation of few"]
    assert (table(result)["n"] == 24).all()
    assert "window" not in result.derived


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "medium"}, "no ensemble or store 'medium'"),
        ({"statistics": ["rates"]}, "unknown statistics"),
        ({"statistics": []}, "unknown statistics"),
        ({"skip_ms": 4000.0}, "all of which is warm-up"),
    ],
)
def test_bad_options_are_refused(inputs: Inputs, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        compare(inputs, **options)


def test_bad_stores_are_refused(worm: dict[str, xr.Dataset]) -> None:
    with pytest.raises(ComparisonError, match="fewer than two stores"):
        compare({"one": poisson(8.0, 1)})
    with pytest.raises(ComparisonError, match="anatomy is a Connectome store"):
        compare({"one": poisson(8.0, 1), "anatomy": worm["anatomy"]})


def test_one_ensemble_has_its_baseline_alone() -> None:
    result = compare(ensemble("slow", 8.0, range(1, 3)), statistics=["rate"])
    assert {row["role"] for row in result.rows} == {"baseline"}
    assert {row["beside_seeds"] for row in result.rows} == {"between seeds"}


def test_estimate_bounds_the_memory_of_the_comparison() -> None:
    inputs = {"a": poisson(60.0, 1, units=800, duration_s=12.0), "b": poisson(60.0, 2, units=800, duration_s=12.0)}
    asked = ["rate", "cv", "correlation"]
    compare(inputs, statistics=asked, max_units=100)  # compiled code stays
    need = max(need.peak_bytes for need in subject.estimates(inputs, max_units=100, statistics=asked))
    tracemalloc.start()
    compare(inputs, statistics=asked, max_units=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.3 * need < peak < 1.3 * need


def test_estimates_are_made_without_reading_spikes(inputs: Inputs) -> None:
    needs = list(subject.estimates(inputs, max_units=20, statistics=["rate"], seed=1))
    assert len(needs) == len(inputs)
    store = inputs["slow_s1_00000001"]
    assert needs[0].measure == "40 of 100 units of slow_s1_00000001"
    kept = int(store.sizes["spike"] * 0.4)
    assert needs[0].peak_bytes == 40 * kept + 28 * store.sizes["spike"] + 6 * ecdf.BLOCK_BYTES
    pairs = [need for need in subject.estimates(inputs) if need.measure.startswith("correlations of 50 units of")]
    assert len(pairs) == len(inputs)
    assert pairs[0].result_bytes == 8 * 50 * 49 // 2


@pytest.mark.slow
def test_ensembles_that_differ_in_nothing_but_seeds_are_rarely_beyond() -> None:
    """The verdict has no p: this is how often it errs, with unequal numbers of units and two seeds each."""
    verdicts: list[str] = []
    relative: list[float] = []
    for repeat in range(30):
        seeds = range(100 * repeat + 1, 100 * repeat + 3)
        inputs = {
            **ensemble("a", 6.0, seeds, units=160, duration_s=6.0),
            **ensemble("b", 6.0, range(seeds.stop, seeds.stop + 2), units=80, duration_s=6.0, wiring=2),
        }
        asked = ["rate", "cv", "lv", "correlation", "spectrum", "synchrony", "avalanches"]
        rows = table(compare(inputs, reference="a", statistics=asked, bin_ms=5))
        verdicts += rows["beside_seeds"].tolist()
        relative += rows["relative"].tolist()
    beyond = np.mean([verdict.startswith("beyond") for verdict in verdicts])
    assert len(verdicts) > 500
    assert beyond < 0.02
    assert np.nanmedian(relative) == pytest.approx(1, abs=0.15)


@pytest.mark.slow
def test_microcircuit_has_the_rates_irregularity_and_synchrony_of_nest(root: Path, tmp_path: Path) -> None:
    from allometry import models, simulate

    reference = np.load(root / "tests/data/nest_microcircuit_tenth.npz")
    skip, duration = (float(reference[f"{name}_ms"]) for name in ("presimulation", "duration"))
    store = simulate.run(
        models.microcircuit(scale=0.1), duration_ms=skip + duration, seed=7, store=tmp_path / "ours.zarr"
    )
    profiles = ensembles.Profiles(
        {"ours": store, "again": store},
        ensembles.pairs_of(ensembles.ensembles_of({"ours": store, "again": store}), None),
        ensembles.Options(["rate", "cv", "synchrony"], 2.0, skip, 10**6, 10, 1),
    ).by_store["ours"]
    edges = reference["rate_edges_hz"]
    for index, profile in enumerate(profiles.values()):
        own = ecdf.cdf(profile.samples["rate"], edges[1:] - 1e-9)
        theirs = reference["rate_histogram"][:, index].cumsum(axis=1)
        theirs = theirs / theirs[:, -1:]
        between = ecdf.distances(theirs[:, None], theirs[None], edges[1:])[0][np.triu_indices(len(theirs), 1)]
        assert ecdf.distances(own, theirs, edges[1:])[0].mean() < between.mean() + 3 * between.std()
        for name, key in (("cv", "cv"), ("synchrony", "sync")):
            value = profile.samples[name].values.mean() if name in profile.samples else profile.scalars[name].value
            seeds = reference[key][:, index]
            assert abs(value - seeds.mean()) < max(4.5 * seeds.std(ddof=1), 0.03 * seeds.mean()), (name, index)
    assert list(profiles) == ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]


def test_regular_spikes_are_nearer_to_regular_spikes_than_poisson_units_are() -> None:
    def regular(seed: int, shape: float, **parameters: Any) -> xr.Dataset:
        trains = gamma_trains([10.0] * 60, 4.0, seed, shape)
        return simulated(trains, 4.0, ["E"] * 60, **parameters)

    inputs = {
        **{f"data_s{k}_{k:08x}": regular(k, 6.0) for k in (1, 2, 3)},
        **{f"good_s{k}_{k:08x}": regular(k, 6.0, wiring=2) for k in (11, 12, 13)},
        **{f"bad_s{k}_{k:08x}": regular(k, 0.3, wiring=3) for k in (21, 22, 23)},
        **{f"plain_s{k}_{k:08x}": regular(k, 1.0, wiring=4) for k in (31, 32, 33)},
    }
    result = compare(inputs, reference="data", statistics=["rate", "cv"])
    rows = pd.DataFrame(result.rows).query("reference == 'data'").set_index(["measure", "candidate"])
    for measure in ("cv_ks", "cv_wasserstein"):
        good, plain = rows.loc[(measure, "good")], rows.loc[(measure, "plain")]
        assert (good.verdict, good.baseline) == ("better", "Poisson units"), measure
        assert good.difference == pytest.approx(good.score - rows.loc[(measure, "Poisson units")].score)
        assert good.difference_high < 0  # of a distance less is better
        assert plain.verdict != "better", measure
    assert rows.loc[("cv_wasserstein", "bad")].verdict == "worse"
    # Poisson units are given the rates
    assert rows.loc[("rate_ks", "good")].verdict == ""
    assert "Rates have none" in result.derived["verdict"]


def test_timescales_of_a_table_stand_for_those_of_its_few_units() -> None:
    """Units of two areas; a fit that ran into a bound of 1 or 1000 ms tells none."""
    rng = np.random.default_rng(4)
    value = np.concatenate([rng.uniform(20, 60, 50), rng.uniform(100, 200, 30), [1.0000006, 999.99999, np.nan]])
    area = np.array(["VISp"] * 50 + ["LGd"] * 30 + ["VISp"] * 3, dtype=np.dtypes.StringDType())
    one = recorded(gamma_trains([8.0], 20.0, 1), [(0.0, 20.0)], ["VISp"])
    table_of_all = one.assign(
        catalogued_timescale_ac=("catalogued_unit", value), catalogued_area=("catalogued_unit", area)
    )
    # a rate that switches, as in the test of the measure
    state = np.repeat(rng.integers(0, 2, (40, 2000)), 20, axis=1)
    trains = [np.flatnonzero(rng.random(on.size) < 0.03 * on) * 0.001 for on in state]
    inputs = {"table": table_of_all, "model": simulated(trains, 40.0, ["E"] * 40)}
    result = compare(inputs, reference="table", statistics=["timescale"], areas=["VISp"])
    (row,) = (row for row in result.rows if row["measure"] == "timescale_wasserstein" and row["role"] == "result")
    assert row["reference_value"] == pytest.approx(value[:50].mean())
    assert row["group"] == "all"
    assert row["verdict"] == ""
    assert "50 units of VISp, without 2 whose fit ran into a bound" in result.derived["timescale of table"]
    assert (
        compare(inputs, reference="table", statistics=["timescale"])
        .derived["timescale of table"]
        .startswith("of the table of its collection: 80 units of all areas")
    )
    with pytest.raises(ComparisonError, match="no unit is of area 'VISx'"):
        compare(inputs, reference="table", statistics=["timescale"], areas=["VISx"])


def test_units_of_several_recordings_have_only_what_each_has_alone() -> None:
    first, second = (recorded(gamma_trains([8.0] * 30, 20.0, seed), [(0.0, 20.0)], ["E"] * 30) for seed in (1, 2))
    mixed = first.assign(recording=("unit", np.repeat(["one", "two"], 15)))
    result = compare({"mixed": mixed, "one": second}, reference="one", statistics=["rate", "correlation", "spectrum"])
    told = {row["measure"] for row in result.rows if row["role"] == "result" and np.isfinite(row["score"])}
    assert told == {"rate_ks", "rate_wasserstein"}
    assert "the units are of several recordings" in result.derived["undefined correlation"]
    assert "E of mixed" in result.derived["undefined spectrum"]
