"""The statistics of one population in one store: distributions over its units, its spectrum, its avalanches, scalars.

Statistics of single units and pairs use every sampled unit. Those of the population count (spectrum, synchrony,
avalanches, branching ratio) grow with the number of units, so they use the same number in every store.
What a store cannot define is left out, with the reason in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.ecdf import Sample
from allometry.compare.inference.progress import steps
from allometry.compare.inputs.spike_trains import Trains
from allometry.compare.kinds.spike_statistics.bursting import BURSTS, burst_numbers
from allometry.compare.measures.populations import tuning
from allometry.compare.measures.populations.pairwise import pairwise
from allometry.compare.measures.spikes import branching, criticality, timescales, train_statistics
from allometry.compare.options.spike_statistics import SpikeStatistic
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product

DISTRIBUTIONS = {
    "rate": "Hz",
    "cv": "1",
    "lv": "1",
    "correlation": "1",
    "osi": "1",
    "timescale": "ms",
    "avalanche_size": "spikes",
}
"""Statistics with one value per unit, pair or avalanche, and their units."""

SCALARS = {"synchrony": "1", "peak_frequency": "Hz", "branching_ratio": "1", "avalanche_exponent": "1", **BURSTS}
"""Statistics with one value per population."""

STATISTICS: tuple[str, ...] = get_args(SpikeStatistic)
"""What can be asked for; `spectrum` brings its peak, `avalanches` their exponent, `bursts` four numbers."""

ALONE = ("rate", "cv", "lv", "osi", "timescale")
"""Statistics of each unit by itself."""

FEWEST_INTERVALS = 3  # for the CV of a unit, as in the reference implementation of the microcircuit
FEWEST_ITEMS = 10  # units or pairs of a distribution
FEWEST_AVALANCHES = 50
FEWEST_DECADES = 2  # of a tail that has an exponent
SYNCHRONY_BIN_S = 0.003  # Potjans & Diesmann 2014
BRANCHING_BIN_S = 0.004  # Wilting & Priesemann 2018
TIMESCALE_BIN_S = 0.005
SPECTRUM_BIN_S = 0.001
SEGMENT = 256  # bins of a segment of the spectrum: 3.9 Hz
BLOCK_S = 0.1  # resampled blocks of time
MANY = 1_000_000  # resampled pieces where their number does not limit an interval


@dataclass(frozen=True)
class Scalar:
    """A number, its values in resamples of `units` pieces of time (empty where there are none), and the step it can be told to."""

    value: float
    replicates: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    resolution: float = 0.0
    units: int = MANY


@dataclass(frozen=True)
class Spectrum:
    """Power `[frequency]` of the population count over that of independent Poisson units, and in resamples of its segments."""

    frequency: FloatArray
    power: FloatArray
    replicates: FloatArray = field(repr=False)
    units: int = MANY


@dataclass
class Profile:
    """Statistics of one population: samples and scalars by name, and why the others are undefined."""

    samples: dict[str, Sample] = field(default_factory=dict)
    scalars: dict[str, Scalar] = field(default_factory=dict)
    spectrum: Spectrum | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def undefined(self, names: Sequence[str], reason: str) -> None:
        """Note why statistics are missing."""
        self.reasons.update(dict.fromkeys(names, reason))

    def keep(self, name: str, sample: Sample, what: str) -> None:
        """Keep a distribution that has enough items."""
        if sample.values.size < FEWEST_ITEMS:
            self.undefined([name], f"{sample.values.size} {what}, fewer than {FEWEST_ITEMS}")
        else:
            self.samples[name] = sample


def of_spikes(
    trains: Trains, asked: Sequence[str], *, common: int, bin_s: float, bootstrap: int, rng: np.random.Generator
) -> Profile:
    """Statistics of spike trains.

    Parameters
    ----------
    trains : Trains
        Of the sampled units, in random order.
    asked : sequence of str
        Names of `STATISTICS`.
    common : int
        Units of the population count.
    bin_s : float
        Bin of the pairwise correlations, s.
    bootstrap : int
        Resamples of time, for statistics of the population count.
    """
    profile = Profile()
    _units(profile, trains, asked)
    if "correlation" in asked:
        _correlation(profile, trains, bin_s)
    if "timescale" in asked:
        _timescale(profile, trains)
    if "osi" in asked:
        profile.undefined(["osi"], "a Spikes store names no stimuli")
    few = trains.first(common)
    if "spectrum" in asked:
        _spectrum(profile, few, bootstrap, rng)
    if "synchrony" in asked:
        _synchrony(profile, few, bootstrap, rng)
    if "avalanches" in asked:
        _avalanches(profile, few)
    if "branching_ratio" in asked:
        _branching(profile, few, bootstrap, rng)
    if "bursts" in asked:
        numbers, reason = burst_numbers(few)
        profile.scalars |= {name: Scalar(value) for name, value in numbers.items()}
        profile.undefined([name for name in BURSTS if name not in numbers], reason)
    return profile


def _units(profile: Profile, trains: Trains, asked: Sequence[str]) -> None:
    told = train_statistics.per_unit(trains.times, trains.row_size, trains.duration_s)
    enough = trains.row_size > FEWEST_INTERVALS
    for name, values in (("rate", told.rate), ("cv", told.cv), ("lv", told.lv)):
        if name in asked:
            kept = values if name == "rate" else np.where(enough, values, np.nan)
            profile.keep(
                name, Sample.of_units(kept), "units" if name == "rate" else f"units with {FEWEST_INTERVALS} intervals"
            )


def _correlation(profile: Profile, trains: Trains, bin_s: float) -> None:
    units = trains.row_size.size
    if units < 2 or trains.duration_s < 2 * bin_s:
        profile.undefined(["correlation"], "fewer than two units or two bins")
        return
    # One thread, as the rule of the workflow has; the result does not depend on it.
    r = pairwise(trains.counts(bin_s), threads=1)
    profile.keep("correlation", Sample.of_pairs(r, units), "pairs of units that fire")


def _timescale(profile: Profile, trains: Trains) -> None:
    """Time constants of the units that have one, in ms."""
    try:
        found = 1000 * timescales.intrinsic_timescales(trains.counts(TIMESCALE_BIN_S), TIMESCALE_BIN_S)
    except ComparisonError as error:
        profile.undefined(["timescale"], error.what)
        return
    profile.keep("timescale", Sample.of_units(found), f"of {found.size} units whose counts remember themselves")


def _segments(trains: Trains) -> tuple[FloatArray, FloatArray]:
    """Frequencies and periodograms [segment, frequency] over the power of Poisson units of the same rate."""
    counts = trains.pooled(SPECTRUM_BIN_S).astype(float)
    whole = counts[: counts.size // SEGMENT * SEGMENT].reshape(-1, SEGMENT)
    frequency, power = scipy.signal.periodogram(whole, 1 / SPECTRUM_BIN_S, window="hann", detrend="constant", axis=1)
    # One-sided density of white counts with variance = mean; the first two frequencies feel the removed mean.
    return frequency[2:-1], power[:, 2:-1] / (2 * SPECTRUM_BIN_S * whole.mean())


def _spectrum(profile: Profile, trains: Trains, bootstrap: int, rng: np.random.Generator) -> None:
    names = ["spectrum", "peak_frequency"]
    if trains.duration_s < 3 * SEGMENT * SPECTRUM_BIN_S:
        profile.undefined(names, f"less than three segments of {SEGMENT * SPECTRUM_BIN_S:g} s")
        return
    if trains.times.size < 100:
        profile.undefined(names, f"{trains.times.size} spikes, fewer than 100")
        return
    frequency, power = _segments(trains)
    drawn = rng.multinomial(len(power), np.full(len(power), 1 / len(power)), size=bootstrap) / len(power)
    mean, replicates = power.mean(axis=0), product(drawn, power)
    profile.spectrum = Spectrum(frequency, mean, replicates, len(power))
    # Under no oscillation every frequency is the floor times Gamma(K)/K: what the largest of all exceeds once in 20 times
    floor = np.median(mean) / scipy.stats.gamma.median(len(power)) * len(power)
    threshold = floor * scipy.stats.gamma.ppf(0.95 ** (1 / mean.size), len(power)) / len(power)
    if mean.max() < threshold:
        profile.undefined(["peak_frequency"], "no frequency stands out of the spectrum")
    else:
        profile.scalars["peak_frequency"] = Scalar(
            float(frequency[mean.argmax()]),
            frequency[replicates.argmax(axis=1)],
            float(frequency[1] - frequency[0]),
            len(power),
        )


def _synchrony(profile: Profile, trains: Trains, bootstrap: int, rng: np.random.Generator) -> None:
    counts = trains.pooled(SYNCHRONY_BIN_S)
    width = round(BLOCK_S / SYNCHRONY_BIN_S)
    blocks = counts.size // width
    if blocks < 5 or trains.times.size < 100:
        profile.undefined(
            ["synchrony"], f"{trains.times.size} spikes in {blocks} blocks of {BLOCK_S:g} s, fewer than 100 or 5"
        )
        return
    cut = counts[: blocks * width].reshape(blocks, width).astype(float)
    drawn = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=bootstrap) / (blocks * width)
    mean, square = product(drawn, cut.sum(axis=1)), product(drawn, (cut**2).sum(axis=1))
    profile.scalars["synchrony"] = Scalar(train_statistics.synchrony(counts), (square - mean**2) / mean, units=blocks)


def _avalanches(profile: Profile, trains: Trains) -> None:
    """Avalanches in bins of the mean interval between spikes of the sampled population (Beggs & Plenz 2003)."""
    names = ["avalanche_size", "avalanche_exponent"]
    if trains.times.size < 2 * FEWEST_AVALANCHES:
        profile.undefined(names, f"{trains.times.size} spikes, fewer than {2 * FEWEST_AVALANCHES}")
        return
    found = criticality.avalanches(trains.pooled(trains.duration_s / trains.times.size))
    if found.size.size < FEWEST_AVALANCHES:
        profile.undefined(names, f"{found.size.size} avalanches, fewer than {FEWEST_AVALANCHES}")
        return
    profile.samples["avalanche_size"] = Sample.of_units(found.size)
    try:
        tail = criticality.power_law(found.size, alternatives=())
    except ComparisonError as error:
        profile.undefined(["avalanche_exponent"], error.what)
        return
    span = np.log10(found.size.max() / tail.xmin)
    if span < FEWEST_DECADES:
        profile.undefined(["avalanche_exponent"], f"the tail spans {span:.1f} decades, fewer than {FEWEST_DECADES}")
    else:
        profile.scalars["avalanche_exponent"] = Scalar(tail.alpha)


def _branching(profile: Profile, trains: Trains, bootstrap: int, rng: np.random.Generator) -> None:
    counts = trains.pooled(BRANCHING_BIN_S)
    lags = min(100, counts.size // 4)
    if lags < 10 or np.ptp(counts) == 0:
        profile.undefined(["branching_ratio"], f"{counts.size} bins of {BRANCHING_BIN_S * 1000:g} ms that vary")
        return
    try:
        found = branching.branching_ratio(counts, lags, bootstrap=bootstrap, seed=int(rng.integers(2**31)))
    except ComparisonError as error:
        profile.undefined(["branching_ratio"], error.what)
        return
    # A fit of r_k = b m^k to the r_k of uncorrelated counts gives any m: there must be something to fit.
    if found.naive < 3 / np.sqrt(counts.size):
        profile.undefined(["branching_ratio"], "activity of successive bins is not correlated (r_1 < 3/sqrt(bins))")
    else:
        profile.scalars["branching_ratio"] = Scalar(found.m, found.replicates)


def of_responses(store: xr.Dataset, units: np.ndarray, asked: Sequence[str], note: dict[str, str]) -> Profile:
    """Statistics of stimulus-driven responses: rates where they are counts, correlation over presentations, selectivity.

    Parameters
    ----------
    store : Dataset
        A Responses store.
    units : ndarray of int
        Indices of the sampled units.
    asked : sequence of str
        Names of `STATISTICS`.
    note : dict
        Gets how each statistic was made, in words.
    """
    profile = Profile()
    values = store["response"][units].values.astype(float)
    finite = np.isfinite(values).reshape(units.size, store.sizes["presentation"], -1).all(axis=(0, 2))
    shown = np.flatnonzero(finite)
    response = values[:, shown].reshape(units.size, shown.size, -1).mean(axis=2)
    timed = [name for name in asked if name not in ("rate", "correlation", "osi")]
    profile.undefined(parts_of(timed), "responses to presentations have no spike times")
    if "rate" in asked:
        whole = response.size and (response >= 0).all() and np.array_equal(response, np.rint(response))
        if not whole or "duration" not in store:
            profile.undefined(["rate"], "responses are no counts of events of known duration")
        else:
            seconds = store["duration"].values[shown].sum()
            profile.keep("rate", Sample.of_units(response.sum(axis=1) / seconds), "units")
            note["rate"] = (
                f"events per second over {shown.size} presentations; an event that was found in fluorescence can be several "
                "spikes, and few spikes none"
            )
    if "correlation" in asked:
        if units.size < 2 or shown.size < 20:
            profile.undefined(["correlation"], f"{units.size} units, {shown.size} presentations, fewer than 2 or 20")
        else:
            r = pairwise(response.T, threads=1)
            profile.keep("correlation", Sample.of_pairs(r, units.size), "pairs of units that respond")
            note["correlation"] = f"over {shown.size} presentations, signal and noise together, not over bins of time"
    if "osi" in asked:
        _selectivity(profile, store, response, shown, note)
    return profile


def _selectivity(
    profile: Profile, store: xr.Dataset, response: FloatArray, shown: np.ndarray, note: dict[str, str]
) -> None:
    name = next((name for name in ("direction", "orientation") if name in store), None)
    degrees = store[name].values[shown] if name else np.full(shown.size, np.nan)
    known = np.isfinite(degrees)
    angles = np.unique(degrees[known])
    if angles.size < 4:
        profile.undefined(["osi"], f"{angles.size} known directions of the stimulus, fewer than 4")
        return
    mean = np.stack([response[:, known & (degrees == angle)].mean(axis=1) for angle in angles])
    try:
        values = np.atleast_1d(tuning.osi(np.maximum(mean, 0), np.deg2rad(angles)))
    except ComparisonError as error:
        profile.undefined(["osi"], error.what)
        return
    profile.keep("osi", Sample.of_units(values), "units that respond")
    rectified = ", negative mean responses set to 0" if (mean < 0).any() else ""
    note["osi"] = (
        f"{angles.size} directions, {int(known.sum())} presentations in all{rectified}; mean {np.nanmean(values):.2f}, "
        f"{_shuffled(response[:, known], degrees[known]):.2f} with shuffled directions: what few repeats give by chance"
    )


def _shuffled(response: FloatArray, degrees: FloatArray, times: int = 20) -> float:
    """Mean selectivity of all units when the directions of the presentations are shuffled."""
    rng = np.random.default_rng(0)
    angles = np.unique(degrees)
    found = []
    for _ in steps(range(times), "permuted stimuli"):
        drawn = rng.permutation(degrees)
        mean = np.stack([response[:, drawn == angle].mean(axis=1) for angle in angles])
        found.append(np.nanmean(tuning.osi(np.maximum(mean, 0), np.deg2rad(angles))))
    return float(np.mean(found))


def of_activity(traces: Sequence[FloatArray], asked: Sequence[str], note: dict[str, str], rate_hz: float) -> Profile:
    """Statistics of continuous traces [samples, units] of some recordings: the pairwise correlations of each."""
    profile = Profile()
    profile.undefined(parts_of([name for name in asked if name != "correlation"]), "traces are not spikes")
    if "correlation" in asked:
        values, units, total = [], [], 0
        for trace in traces:
            good = np.isfinite(trace).all(axis=0) if len(trace) else np.zeros(trace.shape[1], bool)
            if good.sum() < 2 or len(trace) < 50:
                continue
            part = Sample.of_pairs(pairwise(trace[:, good].astype(float), threads=1), int(good.sum()))
            values.append(part.values)
            units.append(part.units + total)
            total += part.n_units
        if not total:
            profile.undefined(["correlation"], "no recording has two units that are finite for 50 samples")
            return profile
        profile.keep("correlation", Sample(np.concatenate(values), np.concatenate(units), total), "pairs of units")
        note["correlation"] = f"of traces at {rate_hz:g} samples/s, {len(values)} recordings, not of spike counts"
    return profile


def parts_of(asked: Sequence[str]) -> list[str]:
    """Names of the distributions, scalars and spectra that the asked statistics bring."""
    more = {
        "spectrum": ["spectrum", "peak_frequency"],
        "avalanches": ["avalanche_size", "avalanche_exponent"],
        "bursts": list(BURSTS),
    }
    return [part for name in asked for part in more.get(name, [name])]
