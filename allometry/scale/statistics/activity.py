"""Statistics of a simulation that studies compare between sizes; measures of `compare`, by population.

What grows with the number of neurons by itself has a normalised companion: `synchrony` is the published statistic, and
`synchrony_correlation` the mean correlation that it amounts to.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.compare.measures.populations.pairwise import pairwise
from allometry.compare.measures.spikes import train_statistics
from allometry.scale.statistics.recorded import POOLED_MS, SYNCHRONY_MS, Recorded
from allometry.scale.statistics.records import statistic

FEWEST_SPIKES = 4  # of a unit, for its irregularity: three intervals
FEWEST_UNITS = 5
FEWEST_BINS = 20
FEWEST_ALTOGETHER = 100  # spikes of a population, for its spectrum
SEGMENT = 256  # bins of a segment of a spectrum: 3.9 Hz
UNITS_TOGETHER = 50  # whose spectra are found at once: a few MB
GAMMA_HZ = (30.0, 80.0)
RHYTHM_HZ = (10.0, 200.0)


@statistic(unit="spikes/s", description="mean over all neurons", theme="rates")
def rate(recorded: Recorded, population: str) -> float:
    """Mean rate of all neurons of a population, spikes/s."""
    return recorded.spikes[population] / recorded.units[population] / recorded.duration_s


@statistic(
    unit="1",
    description="mean CV of interspike intervals of the sampled neurons with three of them or more",
    theme="variability",
)
def cv(recorded: Recorded, population: str) -> float:
    """Mean irregularity of interspike intervals."""
    return _irregularity(recorded, population, "cv")


@statistic(
    unit="1",
    description="mean local variation of interspike intervals (Shinomoto et al. 2003), as for cv",
    theme="variability",
)
def lv(recorded: Recorded, population: str) -> float:
    """Mean local irregularity, slow changes of the rate aside."""
    return _irregularity(recorded, population, "lv")


def _irregularity(recorded: Recorded, population: str, name: str) -> float:
    trains = recorded.trains[population]
    told = train_statistics.per_unit(trains.times, trains.row_size, trains.duration_s)
    values = getattr(told, name)[trains.row_size >= FEWEST_SPIKES]
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size >= FEWEST_UNITS else float("nan")


@statistic(
    unit="1",
    description="mean Pearson correlation of the spike counts of all pairs of sampled neurons that fire",
    theme="variability",
)
def correlation(recorded: Recorded, population: str) -> float:
    """Mean pairwise correlation of spike counts in the bins of the study."""
    trains = recorded.trains[population]
    counts = trains.counts(recorded.bin_s)
    if counts.shape[0] < FEWEST_BINS or (trains.row_size > 0).sum() < FEWEST_UNITS:
        return float("nan")
    # one thread, as the rule has; the result does not depend on it
    found = pairwise(counts, threads=1)
    found = found[np.isfinite(found)]
    return float(found.mean()) if found.size else float("nan")


def _wide(recorded: Recorded, population: str) -> np.ndarray:
    width = round(SYNCHRONY_MS / POOLED_MS)
    counts = recorded.pooled[population]
    return counts[: counts.size // width * width].reshape(-1, width).sum(axis=1)


@statistic(
    unit="1",
    description="variance over mean of the spike count of all neurons in 3 ms (Potjans & Diesmann 2014)",
    grows="in proportion to the number of neurons, at given correlations: synchrony_correlation",
    theme="variability",
)
def synchrony(recorded: Recorded, population: str) -> float:
    """Variance over mean of the count of the whole population; it grows with the number of neurons."""
    counts = _wide(recorded, population)
    return train_statistics.synchrony(counts) if counts.size >= FEWEST_BINS else float("nan")


@statistic(
    unit="1",
    description="mean correlation of the counts of all neurons in 3 ms, from the variance of their sum",
    theme="variability",
)
def synchrony_correlation(recorded: Recorded, population: str) -> float:
    """Synchrony as a mean correlation: what of the variance of the sum is not that of the parts, per pair.

    (Var(sum) - sum of Var) / ((n - 1) sum of Var), which is the mean covariance over the mean variance.
    """
    counts, n = _wide(recorded, population), recorded.units[population]
    single = recorded.single_variance[population]
    if counts.size < FEWEST_BINS or n < 2 or not single > 0:
        return float("nan")
    return float((counts.var() - single) / ((n - 1) * single))


def _segments(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) and periodograms [segment, frequency, ...] of counts [bin, ...] in bins of 1 ms."""
    whole = counts[: len(counts) // SEGMENT * SEGMENT].reshape(-1, SEGMENT, *counts.shape[1:]).astype(float)
    frequency, power = scipy.signal.periodogram(whole, 1000 / POOLED_MS, window="hann", detrend="constant", axis=1)
    return frequency, power


@statistic(
    unit="1",
    description="mean coherence of pairs of sampled neurons at 30 to 80 Hz: the gamma rhythm, per pair",
    theme="variability",
)
def gamma_correlation(recorded: Recorded, population: str) -> float:
    """Gamma rhythm as a mean correlation of pairs: power of the sum over that of the parts, less 1, per further neuron."""
    trains = recorded.trains[population]
    n = trains.row_size.size
    counts = trains.counts(POOLED_MS / 1000)
    if n < FEWEST_UNITS or counts.shape[0] < 3 * SEGMENT or trains.times.size < FEWEST_ALTOGETHER:
        return float("nan")
    frequency, together = _segments(np.asarray(counts.sum(axis=1)).ravel())
    band = (frequency >= GAMMA_HZ[0]) & (frequency <= GAMMA_HZ[1])
    single = np.zeros(int(band.sum()))
    firing = np.flatnonzero(trains.row_size)
    for first in range(0, firing.size, UNITS_TOGETHER):
        _, power = _segments(counts[:, firing[first : first + UNITS_TOGETHER]].toarray())
        single += power.mean(axis=0)[band].sum(axis=1)
    return float(((together.mean(axis=0)[band] / single - 1) / (n - 1)).mean())


@statistic(
    unit="Hz",
    description="strongest rhythm of the count of all neurons, 10 to 200 Hz, where one stands out",
    theme="variability",
)
def peak_frequency(recorded: Recorded, population: str) -> float:
    """Frequency of the largest power of the population count; NaN where no frequency exceeds what chance allows.

    Under no rhythm, every frequency is the floor times Gamma(K)/K of K segments: what the largest exceeds once in 20 times.
    """
    counts = recorded.pooled[population]
    if counts.size < 3 * SEGMENT or counts.sum() < FEWEST_ALTOGETHER:
        return float("nan")
    frequency, power = _segments(counts)
    band = (frequency >= RHYTHM_HZ[0]) & (frequency <= RHYTHM_HZ[1])
    mean, k = power.mean(axis=0)[band], len(power)
    floor = np.median(mean) / scipy.stats.gamma.median(k) * k
    threshold = floor * scipy.stats.gamma.ppf(0.95 ** (1 / mean.size), k) / k
    return float(frequency[band][mean.argmax()]) if mean.max() >= threshold else float("nan")


@statistic(
    unit="unit of V_m",
    description="standard deviation in time of the membrane potential of the recorded neurons; mV, of v1 the threshold",
    theme="inputs",
)
def voltage_sd(recorded: Recorded, population: str) -> float:
    """Fluctuation of the membrane potential, mean over the neurons whose voltage was recorded."""
    return _spread(_summed(recorded, population, (("V_m", 1.0),)))


def _summed(recorded: Recorded, population: str, parts: Sequence[tuple[str, float]]) -> NDArray[np.float64] | None:
    """Sum of state variables with their signs, [sample, neuron]; None where one was not recorded."""
    found = [recorded.states.get(name, {}).get(population) for name, _ in parts]
    known = [values for values in found if values is not None]
    if len(known) < len(parts):
        return None
    return np.asarray(sum(sign * values for values, (_, sign) in zip(known, parts)))


def _spread(values: NDArray[np.float64] | None) -> float:
    return float(values.std(axis=0).mean()) if values is not None and values.size else float("nan")


EXCITATION = ((("g_ampa", 1.0), ("nmda_slow", 1.0), ("nmda_rise", -1.0)), (("g_ex", 1.0),), (("I_syn_ex", 1.0),))
INHIBITION = ((("g_gaba", 1.0),), (("g_in", 1.0),), (("I_syn_in", 1.0),))
"""State variables that add to the excitatory and to the inhibitory conductance or current, of one kind of neuron each."""


def _input(
    recorded: Recorded, population: str, kinds: Sequence[Sequence[tuple[str, float]]]
) -> NDArray[np.float64] | None:
    return next((x for parts in kinds if (x := _summed(recorded, population, parts)) is not None), None)


@statistic(
    unit="unit of the state",
    description="mean excitatory conductance or current of the recorded neurons",
    theme="inputs",
)
def excitation(recorded: Recorded, population: str) -> float:
    """Mean over time and recorded neurons of the excitatory conductance (1/ms) or current."""
    values = _input(recorded, population, EXCITATION)
    return float(values.mean()) if values is not None and values.size else float("nan")


@statistic(
    unit="unit of the state",
    description="mean inhibitory conductance or current of the recorded neurons",
    theme="inputs",
)
def inhibition(recorded: Recorded, population: str) -> float:
    """Mean over time and recorded neurons of the inhibitory conductance (1/ms) or current."""
    values = _input(recorded, population, INHIBITION)
    return float(values.mean()) if values is not None and values.size else float("nan")


@statistic(
    unit="unit of the state", description="fluctuation in time of the excitatory conductance or current", theme="inputs"
)
def excitation_sd(recorded: Recorded, population: str) -> float:
    """Standard deviation in time, mean over recorded neurons."""
    return _spread(_input(recorded, population, EXCITATION))


@statistic(
    unit="unit of the state", description="fluctuation in time of the inhibitory conductance or current", theme="inputs"
)
def inhibition_sd(recorded: Recorded, population: str) -> float:
    """Standard deviation in time, mean over recorded neurons."""
    return _spread(_input(recorded, population, INHIBITION))
