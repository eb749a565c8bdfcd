"""Oracles: renewal and branching processes with analytic statistics, planted oscillations and correlations, elephant."""

import numpy as np
import pytest
import xarray as xr

from allometry.compare.inputs.spike_trains import Trains, read
from allometry.compare.kinds.spike_statistics import profile as subject
from tests.compare.spike_trains import gamma_trains, recorded, responses, simulated


def trains(times: list[np.ndarray], duration_s: float) -> Trains:
    size = np.array([t.size for t in times], dtype=np.int64)
    return Trains(np.concatenate(times), size, duration_s)


def of_spikes(data: Trains, *asked: str, common: int = 10**6, bin_s: float = 0.01) -> subject.Profile:
    rng = np.random.default_rng(1)
    return subject.of_spikes(data, asked, common=common, bin_s=bin_s, bootstrap=50, rng=rng)


@pytest.mark.parametrize("order", [1, 4])
def test_renewal_processes_have_their_irregularity(order: int) -> None:
    profile = of_spikes(trains(gamma_trains([20.0] * 60, 50.0, 1, order), 50.0), "rate", "cv", "lv")
    # 60 units of 1000 intervals: the error of a mean CV is about 1/sqrt(2 x 60000) = .003, its bias below .002
    assert profile.samples["cv"].values.mean() == pytest.approx(1 / np.sqrt(order), abs=0.012)
    assert profile.samples["lv"].values.mean() == pytest.approx(3 / (2 * order + 1), abs=0.012)
    assert profile.samples["rate"].values.mean() == pytest.approx(20, abs=4 * np.sqrt(20 / order / 50 / 60))


def test_units_with_few_intervals_have_a_rate_but_no_irregularity() -> None:
    times = [np.arange(k) * 0.1 + 0.01 * k for k in range(20)]
    profile = of_spikes(trains(times, 3.0), "rate", "cv", "lv")
    assert profile.samples["rate"].values.tolist() == pytest.approx([k / 3 for k in range(20)])
    # three intervals need four spikes
    assert profile.samples["cv"].units.tolist() == list(range(4, 20))
    few = of_spikes(trains(times[:6], 3.0), "rate", "cv", "lv", "correlation", "osi")
    assert few.reasons["cv"] == "2 units with 3 intervals, fewer than 10"
    assert few.reasons["osi"] == "a Spikes store names no stimuli"
    assert "cv" not in few.samples


def _common(shared: float, private: float, units: int, duration_s: float, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    mother = rng.uniform(0, duration_s, rng.poisson(shared * duration_s))
    own = [rng.uniform(0, duration_s, rng.poisson(private * duration_s)) for _ in range(units)]
    return [np.sort(np.concatenate([mother, times])) for times in own]


def test_shared_spikes_give_their_share_as_correlation_and_the_synchrony_it_implies() -> None:
    units, duration_s = 20, 200.0
    data = trains(_common(2.0, 6.0, units, duration_s, 2), duration_s)
    profile = of_spikes(data, "correlation", "synchrony", "rate")
    # variance of the shared counts over that of all: 2 / 8; variance of the sum over its mean: 1 + (n - 1) r
    assert profile.samples["correlation"].values.mean() == pytest.approx(0.25, abs=0.01)
    synchrony = profile.scalars["synchrony"]
    assert synchrony.value == pytest.approx(1 + (units - 1) * 0.25, rel=0.05)
    low, high = np.quantile(synchrony.replicates, [0.025, 0.975])
    assert low < 1 + (units - 1) * 0.25 < high
    # half of the units: the population count of the others is not used
    few = of_spikes(data, "synchrony", common=10)
    assert few.scalars["synchrony"].value == pytest.approx(1 + 9 * 0.25, rel=0.06)


def _modulated(depth: float, hertz: float, units: int, duration_s: float, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(units):
        times = np.sort(rng.uniform(0, duration_s, rng.poisson(20 * (1 + depth) * duration_s)))
        rate = (1 + depth * np.cos(2 * np.pi * hertz * times)) / (1 + depth)
        found.append(times[rng.random(times.size) < rate])
    return found


@pytest.mark.parametrize("hertz", [23.4, 80.0])
def test_planted_oscillation_is_the_peak_of_the_spectrum(hertz: float) -> None:
    profile = of_spikes(trains(_modulated(0.5, hertz, 50, 20.0, 3), 20.0), "spectrum")
    peak = profile.scalars["peak_frequency"]
    assert peak.value == pytest.approx(hertz, abs=2.0)  # segments of 256 ms tell 3.9 Hz
    assert np.median(peak.replicates) == peak.value
    assert peak.resolution == pytest.approx(1000 / 256)


def test_poisson_units_have_the_spectrum_one_and_no_peak() -> None:
    profile = of_spikes(trains(gamma_trains([10.0] * 50, 60.0, 4), 60.0), "spectrum")
    assert profile.spectrum is not None
    # 234 segments: 1 +- 1/sqrt(234) at each frequency, the mean over 125 of them to .006
    assert profile.spectrum.power.mean() == pytest.approx(1, abs=0.025)
    assert np.std(profile.spectrum.power) == pytest.approx(1 / np.sqrt(234), rel=0.25)
    assert profile.reasons["peak_frequency"] == "no frequency stands out of the spectrum"


def _branching(m: float, bins: int, seed: int) -> Trains:
    """Poisson branching process with immigration in 4 ms bins, dealt to 40 units."""
    rng = np.random.default_rng(seed)
    activity = np.zeros(bins, np.int64)
    for t in range(1, bins):
        activity[t] = rng.poisson(m * activity[t - 1] + 2.0)
    at = np.repeat(np.arange(bins), activity) * 0.004 + rng.uniform(0, 0.004, activity.sum())
    unit = rng.integers(0, 40, at.size)
    order = np.lexsort((at, unit))
    return Trains(at[order], np.bincount(unit, minlength=40).astype(np.int64), bins * 0.004)


def test_bursts_are_those_that_were_planted() -> None:
    """Twelve bursts of 100 ms a minute, in which three quarters of the units fire four times, and nothing else."""
    duration_s, starts = 60.0, np.arange(2.0, 60.0, 5.0)
    within = np.array([0.01, 0.035, 0.06, 0.085])
    times = [(starts[:, None] + within).ravel() if i < 30 else np.empty(0) for i in range(40)]
    found = of_spikes(trains(times, duration_s), "bursts").scalars
    assert {name: scalar.value for name, scalar in found.items()} == {
        "burst_rate": pytest.approx(12.0),
        "burst_duration": pytest.approx(100.0),
        "burst_participation": pytest.approx(0.75),
        "burst_share": pytest.approx(1.0),
    }
    few = of_spikes(trains([t[:8] for t in times], duration_s), "bursts")
    assert list(few.scalars) == ["burst_rate"]
    assert few.reasons["burst_share"] == "2 bursts, fewer than 5"
    assert "burst_rate" not in few.reasons


def test_branching_ratio_is_that_of_the_process_whatever_is_sampled() -> None:
    data = _branching(0.9, 20_000, 5)
    assert of_spikes(data, "branching_ratio").scalars["branching_ratio"].value == pytest.approx(0.9, abs=0.02)
    sampled = of_spikes(data, "branching_ratio", common=8).scalars["branching_ratio"].value
    assert sampled == pytest.approx(0.9, abs=0.04)
    independent = of_spikes(trains(gamma_trains([10.0] * 40, 40.0, 6), 40.0), "branching_ratio")
    assert "not correlated" in independent.reasons["branching_ratio"]


def test_avalanches_of_poisson_units_have_the_sizes_of_their_runs() -> None:
    data = trains(gamma_trains([10.0] * 40, 60.0, 7), 60.0)
    profile = of_spikes(data, "avalanches")
    sizes = profile.samples["avalanche_size"].values
    # Bins of the mean interval hold Poisson(1) spikes; an avalanche lasts e bins of 1/(1 - 1/e) spikes each on average
    # (geometric with stopping probability 1/e, counts conditioned on being positive).
    assert sizes.mean() == pytest.approx(np.e / (1 - 1 / np.e), rel=0.04)
    # runs of Poisson counts end geometrically: no power law, and no two decades
    assert "avalanche_exponent" not in profile.scalars
    assert "decades, fewer than 2" in profile.reasons["avalanche_exponent"]


def test_a_tail_of_two_decades_has_its_exponent() -> None:
    # sizes of density s^-1.5 from 1 to 10,000, each in an instant of its own, with empty bins between
    u = np.random.default_rng(3).random(1500)
    size = np.floor((1 - u * (1 - 1e4**-0.5)) ** -2).astype(int)
    when = np.repeat(np.arange(size.size) + 0.5, size)
    profile = of_spikes(trains([when], float(size.size)), "avalanches")
    # deviation (alpha - 1) / sqrt(tail), below .03, and a bias of a cut distribution of the same order
    assert profile.scalars["avalanche_exponent"].value == pytest.approx(1.5, abs=0.1)
    few = of_spikes(trains(gamma_trains([0.2] * 40, 5.0, 7), 5.0), "avalanches")
    assert set(few.reasons) == {"avalanche_size", "avalanche_exponent"}


def test_statistics_equal_those_of_elephant() -> None:
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant import conversion, spike_train_correlation
    from elephant import statistics as elephant

    times = gamma_trains(np.linspace(4, 30, 12), 10.0, 8, 2)
    data = trains([np.round(t, 4) for t in times], 10.0)
    profile = of_spikes(data, "cv", "lv", "correlation", bin_s=0.05)
    ends = np.cumsum(data.row_size)
    units = [data.times[end - size : end] for end, size in zip(ends, data.row_size)]
    isis = [np.diff(unit) for unit in units]
    assert profile.samples["cv"].values == pytest.approx([elephant.cv(isi) for isi in isis])
    assert profile.samples["lv"].values == pytest.approx([elephant.lv(isi) for isi in isis])
    neo_trains = [neo.SpikeTrain(unit * pq.s, t_stop=10 * pq.s) for unit in units]
    binned = conversion.BinnedSpikeTrain(neo_trains, bin_size=50 * pq.ms)
    expected = spike_train_correlation.correlation_coefficient(binned)[np.triu_indices(12, 1)]
    assert profile.samples["correlation"].values == pytest.approx(expected, abs=1e-9)


def test_recordings_and_simulations_of_the_same_trains_have_the_same_statistics() -> None:
    times = [np.round(np.ceil(t * 1e4) / 1e4, 4) for t in gamma_trains([8.0] * 15, 6.0, 9)]
    times = [np.unique(t[t > 0]) for t in times]
    both = [
        of_spikes(read(store, {"all": np.arange(15)}, 1.0, 5.0)["all"], "rate", "cv", "correlation")
        for store in (simulated(times, 6.0, ["E"] * 15), recorded(times, [(0.0, 6.0)], ["E"] * 15))
    ]
    for name in ("rate", "cv", "correlation"):
        assert both[0].samples[name].values == pytest.approx(both[1].samples[name].values)


def tuned(depths: np.ndarray, scale: float = 40.0, offset: float = 0.0) -> xr.Dataset:
    """Responses r = scale (1 + a cos 2 theta) + offset to 12 directions, each shown twice."""
    directions = np.tile(np.arange(0, 360, 30.0), 2)
    theta = np.deg2rad(directions)
    return responses(scale * (1 + depths[:, None] * np.cos(2 * theta)) + offset, directions.tolist(), 2.0)


def test_orientation_selectivity_of_a_cosine_is_half_its_depth() -> None:
    depths = np.linspace(0, 1, 12)
    notes: dict[str, str] = {}
    profile = subject.of_responses(tuned(depths), np.arange(12), ["osi", "spectrum"], notes)
    assert profile.samples["osi"].values == pytest.approx(depths / 2, abs=1e-6)
    assert "12 directions, 24 presentations" in notes["osi"]
    assert "mean 0.25," in notes["osi"]
    assert set(profile.reasons) == {"spectrum", "peak_frequency"}


def test_selectivity_that_few_repeats_give_by_chance_is_told() -> None:
    rng = np.random.default_rng(3)
    directions = np.tile(np.arange(0, 360, 45.0), 2)
    notes: dict[str, str] = {}
    untuned = responses(rng.poisson(1.0, (300, 16)).astype(float), directions.tolist(), 1.0)
    profile = subject.of_responses(untuned, np.arange(300), ["osi"], notes)
    mean = profile.samples["osi"].values.mean()
    assert mean > 0.15
    told = float(notes["osi"].split(" with shuffled")[0].split()[-1])
    assert told == pytest.approx(mean, abs=0.03)


def test_rates_of_responses_need_counts() -> None:
    depths = np.zeros(12)
    notes: dict[str, str] = {}
    counts = subject.of_responses(tuned(depths, 40.0), np.arange(12), ["rate"], notes)
    assert counts.samples["rate"].values == pytest.approx(np.full(12, 20.0))  # 40 events in 2 s
    signed = subject.of_responses(tuned(depths + 0.5, 0.5, -0.4), np.arange(12), ["rate", "osi"], notes)
    assert signed.reasons["rate"] == "responses are no counts of events of known duration"
    assert "set to 0" in notes["osi"]


def test_missing_presentations_are_left_out() -> None:
    store = tuned(np.linspace(0, 1, 12))
    store["response"][3, 5] = np.nan
    notes: dict[str, str] = {}
    profile = subject.of_responses(store, np.arange(12), ["correlation", "rate"], notes)
    whole = np.delete(store["response"].values, 5, axis=1)[1:]  # the first unit is not tuned, so it is constant
    expected = np.corrcoef(whole)[np.triu_indices(11, 1)]
    assert profile.samples["correlation"].values == pytest.approx(expected, abs=1e-6)
    assert "over 23 presentations" in notes["correlation"]


def test_traces_have_the_correlations_of_each_recording() -> None:
    rng = np.random.default_rng(10)
    traces = [rng.normal(size=(200, 5)), rng.normal(size=(150, 4))]
    traces[0][:, 0] += traces[0][:, 1]
    traces[1][3, 2] = np.nan
    notes: dict[str, str] = {}
    profile = subject.of_activity(traces, ["correlation", "rate"], notes, 3.0)
    parts = [
        np.corrcoef(traces[0].T)[np.triu_indices(5, 1)],
        np.corrcoef(traces[1][:, [0, 1, 3]].T)[np.triu_indices(3, 1)],
    ]
    sample = profile.samples["correlation"]
    assert sample.values == pytest.approx(np.concatenate(parts))
    assert sample.n_units == 8
    assert sample.units.max() == 7
    assert profile.reasons["rate"] == "traces are not spikes"
