"""Distances between two spike trains: Victor-Purpura, van Rossum, ISI and SPIKE.

All times share one unit; trains are unsorted or sorted arrays of spike times.
"""

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, blocks, spike_times
from allometry.compare.inference.progress import steps
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner

_BLOCK = 2048  # rows of a block of pairwise differences: 2048 x 10^4 spikes are 160 MB


@measure(
    name="victor_purpura",
    version="1",
    inputs="two spike trains, cost per time",
    invariances="shift of both trains",
    use="distance of trains",
    reference="Victor & Purpura 1996, J. Neurophysiol. 76:1310",
    cost="time",
)
def victor_purpura(a: npt.ArrayLike, b: npt.ArrayLike, q: float = 1.0) -> float:
    """Victor-Purpura distance: the least cost of turning one train into the other.

    Deleting or inserting a spike costs 1, moving it by dt costs q |dt|.

    Parameters
    ----------
    a, b : array_like, shape (spikes,)
    q : float
        Cost of moving a spike by one unit of time (1 / time), >= 0.

    Returns
    -------
    float
        In [|n_a - n_b|, n_a + n_b]. O(n_a n_b) time, O(n_b) memory.

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310.
    """
    if not 0 <= q < np.inf:
        raise ComparisonError(f"q is {q}", where="q", expected="a cost >= 0 per unit of time")
    x, y = spike_times(a, "a"), spike_times(b, "b")
    column = np.arange(y.size + 1, dtype=float)
    row = column.copy()
    for i, t in enumerate(steps(x, "spikes")):
        best = np.empty_like(row)
        best[0] = i + 1
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + q * np.abs(t - y))
        # row[j] = min over k <= j of best[k] + (j - k): insertions turn the recursion into a running minimum
        row = np.minimum.accumulate(best - column) + column
    return float(row[-1])


def _kernel_sum(x: FloatArray, y: FloatArray, tau: float) -> float:
    return float(
        sum(
            np.exp(-np.abs(x[block, None] - y[None, :]) / tau).sum()
            for block in steps(blocks(x.size, _BLOCK), "spikes, blocks")
        )
    )


@measure(
    name="van_rossum",
    version="1",
    inputs="two spike trains, time constant",
    invariances="shift of both trains",
    use="distance of trains",
    reference="van Rossum 2001, Neural Comput. 13:751",
    cost="time",
)
def van_rossum(a: npt.ArrayLike, b: npt.ArrayLike, tau: float = 1.0) -> float:
    """Van Rossum distance: L2 distance of the trains filtered with exp(-t / tau), t >= 0.

    Normalised so that one spike against none has distance 1:
    D^2 = sum_ij e^{-|a_i-a_j|/tau} + sum_ij e^{-|b_i-b_j|/tau} - 2 sum_ij e^{-|a_i-b_j|/tau}
    (van Rossum's D^2 is half of this; `elephant` uses the same normalisation as here).

    Parameters
    ----------
    a, b : array_like, shape (spikes,)
    tau : float
        Time constant of the filter, > 0.

    Returns
    -------
    float

    References
    ----------
    van Rossum 2001, Neural Comput. 13:751; Houghton & Kreuz 2012, Network 23:48.
    """
    if not 0 < tau < np.inf:
        raise ComparisonError(f"tau is {tau}", where="tau", expected="a time constant > 0")
    x, y = spike_times(a, "a"), spike_times(b, "b")
    squared = _kernel_sum(x, x, tau) + _kernel_sum(y, y, tau) - 2 * _kernel_sum(x, y, tau)
    return float(np.sqrt(max(squared, 0.0)))


def _window(a: npt.ArrayLike, b: npt.ArrayLike, start: float, stop: float) -> tuple[FloatArray, FloatArray]:
    """Trains inside the window, each spike once; an empty train is given spikes at both edges (as in PySpike)."""
    if not stop > start:
        raise ComparisonError(f"the window [{start}, {stop}] is empty", where="stop", expected="stop > start")
    trains = []
    for times, name in ((a, "a"), (b, "b")):
        t = np.unique(spike_times(times, name))
        if t.size and (t[0] < start or t[-1] > stop):
            raise ComparisonError(
                f"{name} has spikes outside [{start}, {stop}]", where=name, expected="spikes in the window"
            )
        trains.append(t if t.size else np.array([start, stop], dtype=float))
    return trains[0], trains[1]


def _auxiliary(t: FloatArray, start: float, stop: float) -> tuple[float, float]:
    """Virtual spikes before and after the train, which define the intervals at the edges (as PySpike does)."""
    if t.size == 1:
        return start, stop
    return min(start, t[0] - (t[1] - t[0])), max(stop, t[-1] + (t[-1] - t[-2]))


def _surround(t: FloatArray, start: float, stop: float) -> FloatArray:
    before, after = _auxiliary(t, start, stop)
    return np.concatenate(([] if t[0] <= start else [before], t, [] if t[-1] >= stop else [after]))


def _events(x: FloatArray, y: FloatArray, start: float, stop: float) -> FloatArray:
    return np.unique(np.concatenate(([start, stop], x, y)))


@measure(
    name="isi_distance",
    version="1",
    inputs="two spike trains, window",
    invariances="shift and scale of time, exchange of the two",
    use="do two trains have the same rate at every moment?",
    reference="Kreuz et al. 2007, J. Neurosci. Methods 165:151",
)
def isi_distance(a: npt.ArrayLike, b: npt.ArrayLike, start: float, stop: float) -> float:
    """ISI distance: time average of |I_a - I_b| / max(I_a, I_b), I the interval current at each time.

    Parameters
    ----------
    a, b : array_like, shape (spikes,)
    start, stop : float
        Window that holds both trains. At its edges the interval is the longer of the distance to the edge and the
        neighbouring interval.

    Returns
    -------
    float
        In [0, 1); 0 for equal trains.

    References
    ----------
    Kreuz, Haas, Morelli, Abarbanel & Politi 2007, J. Neurosci. Methods 165:151; edges as in PySpike (Mulansky & Kreuz
    2016).
    """
    x, y = _window(a, b, start, stop)
    events = _events(x, y, start, stop)
    middle = (events[1:] + events[:-1]) / 2
    current = []
    for t in (x, y):
        full = _surround(t, start, stop)
        current.append(np.diff(full)[np.searchsorted(full, middle) - 1])
    ratio = np.abs(current[0] - current[1]) / np.maximum(*current)
    return inner(ratio, np.diff(events)) / (stop - start)


def _nearest(t: FloatArray, other: FloatArray) -> FloatArray:
    """Distance of each time of `t` to the nearest of `other` (sorted)."""
    right = np.clip(np.searchsorted(other, t), 1, other.size - 1)
    return np.minimum(np.abs(t - other[right - 1]), np.abs(t - other[right]))


def _spike_profile(
    t: FloatArray, other: FloatArray, left: FloatArray, right: FloatArray, start: float, stop: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted spike-time difference of train `t` at both ends of each segment, and its current interval."""
    full = _surround(t, start, stop)
    before, after = _auxiliary(other, start, stop)
    distance = _nearest(t, np.concatenate(([before], other, [after])))
    # Virtual spikes carry the difference of the neighbouring real one.
    pad_left, pad_right = int(full[0] < t[0]), int(full[-1] > t[-1])
    distance = np.concatenate((distance[:1].repeat(pad_left), distance, distance[-1:].repeat(pad_right)))
    index = np.searchsorted(full, (left + right) / 2) - 1
    isi = np.diff(full)[index]
    d_before, d_after = distance[index], distance[index + 1]

    def weighted(x: FloatArray) -> FloatArray:
        return np.asarray((d_before * (full[index + 1] - x) + d_after * (x - full[index])) / isi)

    return weighted(left), weighted(right), isi


@measure(
    name="spike_distance",
    version="1",
    inputs="two spike trains, window",
    invariances="shift and scale of time, exchange of the two",
    use="do two trains spike at the same times? (no time scale to choose)",
    reference="Kreuz et al. 2013, J. Neurophysiol. 109:1457",
)
def spike_distance(a: npt.ArrayLike, b: npt.ArrayLike, start: float, stop: float) -> float:
    """SPIKE distance: time average of (S_a I_b + S_b I_a) / (2 <I>^2), sensitive to spike timing at every moment.

    Parameters
    ----------
    a, b : array_like, shape (spikes,)
    start, stop : float
        Window that holds both trains.

    Returns
    -------
    float
        0 for equal trains; the profile is linear between spikes, so the average is exact.

    References
    ----------
    Kreuz, Chicharro, Houghton, Andrzejak & Mormann 2013, J. Neurophysiol. 109:1457, equation 19; edges as in PySpike.
    """
    x, y = _window(a, b, start, stop)
    events = _events(x, y, start, stop)
    left, right = events[:-1], events[1:]
    x_left, x_right, x_isi = _spike_profile(x, y, left, right, start, stop)
    y_left, y_right, y_isi = _spike_profile(y, x, left, right, start, stop)
    mean_squared = ((x_isi + y_isi) / 2) ** 2
    at_left = (x_left * y_isi + y_left * x_isi) / (2 * mean_squared)
    at_right = (x_right * y_isi + y_right * x_isi) / (2 * mean_squared)
    return inner((at_left + at_right) / 2, right - left) / (stop - start)
