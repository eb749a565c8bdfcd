"""Bursts of single units and of networks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, IntArray, integer_counts, spike_times
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Bursts:
    """Bursts of one unit: arrays `[bursts]`, and the fraction of all spikes that fall in bursts."""

    start: FloatArray
    stop: FloatArray
    n_spikes: IntArray
    fraction_in_bursts: float


@dataclass(frozen=True)
class NetworkBursts:
    """Network bursts: first bin, bin after the last, spikes and share of active units of each burst."""

    start: IntArray
    stop: IntArray
    n_spikes: IntArray
    participation: FloatArray


def runs(mask: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Return first index, and index after the last, of every run of True."""
    edge = np.diff(np.concatenate(([False], mask, [False])).astype(np.int8))
    return np.flatnonzero(edge == 1).astype(np.int64), np.flatnonzero(edge == -1).astype(np.int64)


@measure(
    name="bursts",
    version="1",
    inputs="spike times of one unit, longest interval inside a burst",
    invariances="order of spikes, shift of time",
    use="does a unit fire in bursts, and which share of its spikes?",
    reference="Cotterill et al. 2016, J. Neurophysiol. 116:306 (MaxInterval)",
)
def bursts(times: npt.ArrayLike, max_interval: float, min_spikes: int = 3) -> Bursts:
    """Bursts of one unit: at least `min_spikes` spikes with all intervals at most `max_interval`.

    Parameters
    ----------
    times : array_like, shape (spikes,)
    max_interval : float
        Longest interval inside a burst, in the unit of `times` (100 ms is usual in cultures).
    min_spikes : int

    Returns
    -------
    Bursts

    References
    ----------
    The MaxInterval criterion; Cotterill, Charlesworth, Thomas, Paulsen & Eglen 2016, J. Neurophysiol. 116:306.
    """
    if min_spikes < 2 or not max_interval > 0:
        raise ComparisonError(
            f"max_interval={max_interval}, min_spikes={min_spikes}",
            where="max_interval, min_spikes",
            expected="an interval > 0 and at least two spikes",
        )
    t = spike_times(times)
    first, last = runs(np.diff(t) <= max_interval)
    size = last - first + 1
    keep = size >= min_spikes
    first, last, size = first[keep], last[keep], size[keep]
    fraction = float(size.sum() / t.size) if t.size else float("nan")
    return Bursts(t[first], t[last], size, fraction)


@measure(
    name="network_bursts",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="order of units",
    use="when do many units fire much more than on average?",
    reference=(
        "Bakkum et al. 2014, Front. Comput. Neurosci. 7:193 (threshold on the rate of the network); share of "
        "units: this project"
    ),
)
def network_bursts(counts: npt.ArrayLike, threshold_sd: float = 3.0, min_participation: float = 0.2) -> NetworkBursts:
    """Network bursts: runs of bins whose pooled count exceeds mean + `threshold_sd` sd, with enough active units.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units)
    threshold_sd : float
        Height of the threshold over the mean pooled count, in standard deviations.
    min_participation : float
        Least share of the units that must fire in the run.

    Returns
    -------
    NetworkBursts
        Empty arrays where the activity has no bursts (a constant pooled count has none by definition).

    References
    ----------
    A threshold on the rate of the network, see Bakkum et al. 2014, Front. Comput. Neurosci. 7:193.
    """
    x = integer_counts(counts, "counts")
    pooled = x.sum(axis=1)
    first, last = runs(pooled > pooled.mean() + threshold_sd * pooled.std())
    share = np.array([np.count_nonzero(x[i:j].sum(axis=0)) / x.shape[1] for i, j in zip(first, last)], dtype=float)
    spikes = np.array([pooled[i:j].sum() for i, j in zip(first, last)], dtype=np.int64)
    keep = share >= min_participation
    return NetworkBursts(first[keep], last[keep], spikes[keep], share[keep])
