"""Statistics of spike trains: rate, irregularity, variability, synchrony, complexity.

Functions of one train take its *intervals* (`numpy.diff` of sorted spike times) or its spike times, as their first
argument is named; functions of a population take `counts[bins, units]`. Times and intervals share one unit, of the caller's choice.

A quantity that a train is too short to define is NaN, never 0 (a silent unit is not a regular one).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, integer_counts, numbers, spike_times, vector
from allometry.compare.inference.progress import whole
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class UnitStatistics:
    """Statistics of every unit: arrays `[units]`; NaN where a unit has too few spikes."""

    rate: FloatArray
    cv: FloatArray
    cv2: FloatArray
    lv: FloatArray


@measure(
    name="rate",
    version="1",
    inputs="spike times of one unit, window",
    invariances="order of spikes, shift of spikes and window",
    use="how often does a unit fire?",
    reference="Dayan & Abbott 2001, Theoretical Neuroscience, section 1.2 (spike-count rate)",
)
def rate(times: npt.ArrayLike, start: float, stop: float) -> float:
    """Mean rate: spikes in [start, stop) per unit of time.

    Parameters
    ----------
    times : array_like [spikes]
        Spike times of one unit, in s or any other unit of time.
    start, stop : float
        Window, in the unit of `times`.

    Returns
    -------
    float
        Per unit of time: Hz where times are in s.

    Raises
    ------
    ComparisonError
        If the window is empty.

    References
    ----------
    Dayan & Abbott 2001, Theoretical Neuroscience, section 1.2 (spike-count rate).
    """
    if not stop > start:
        raise ComparisonError(f"the window [{start}, {stop}) is empty", where="stop", expected="stop > start")
    t = spike_times(times)
    return float(np.count_nonzero((t >= start) & (t < stop)) / (stop - start))


def _positive_intervals(isi: npt.ArrayLike) -> FloatArray:
    out = vector(isi, "intervals", size=0)
    if (out < 0).any():
        raise ComparisonError(
            "intervals holds negative values",
            where="intervals",
            expected="inter-spike intervals >= 0",
            do="pass numpy.diff of sorted spike times",
        )
    return out


@measure(
    name="cv",
    version="1",
    inputs="inter-spike intervals of one unit, ms or s",
    invariances="scale of time",
    use="irregularity of a train",
    reference="Softky & Koch 1993, J. Neurosci. 13:334",
)
def cv(isi: npt.ArrayLike) -> float:
    """Coefficient of variation of inter-spike intervals, sd / mean (population sd).

    1 for a Poisson process, 1/sqrt(k) for a gamma process of order k, 0 for a clock.

    Parameters
    ----------
    isi : array_like, shape (intervals,)
        Inter-spike intervals.

    Returns
    -------
    float
        NaN for fewer than two intervals.
    """
    x = _positive_intervals(isi)
    return float(x.std() / x.mean()) if x.size > 1 and x.mean() > 0 else float("nan")


@measure(
    name="cv2",
    version="1",
    inputs="inter-spike intervals of one unit, ms or s",
    invariances="scale of time, slow changes of rate",
    use="irregularity where the rate drifts",
    reference="Holt et al. 1996, J. Neurophysiol. 75:1806",
)
def cv2(isi: npt.ArrayLike) -> float:
    """Local coefficient of variation, mean of 2 |I_{n+1} - I_n| / (I_{n+1} + I_n).

    Parameters
    ----------
    isi : array_like, shape (intervals,)

    Returns
    -------
    float
        NaN for fewer than two intervals.

    References
    ----------
    Holt, Softky, Koch & Douglas 1996, J. Neurophysiol. 75:1806, equation 4.
    """
    x = _positive_intervals(isi)
    if x.size < 2:
        return float("nan")
    return float(np.nanmean(2 * np.abs(_contrast(x))))


@measure(
    name="lv",
    version="1",
    inputs="inter-spike intervals of one unit, ms or s",
    invariances="scale of time, slow changes of rate",
    use="irregularity where the rate drifts",
    reference="Shinomoto et al. 2003, Neural Comput. 15:2823",
)
def lv(isi: npt.ArrayLike) -> float:
    """Local variation, mean of 3 (I_n - I_{n+1})^2 / (I_n + I_{n+1})^2; insensitive to slow changes of rate.

    Parameters
    ----------
    isi : array_like, shape (intervals,)

    Returns
    -------
    float
        NaN for fewer than two intervals.

    References
    ----------
    Shinomoto, Shima & Tanji 2003, Neural Comput. 15:2823, equation 2.2.
    """
    x = _positive_intervals(isi)
    if x.size < 2:
        return float("nan")
    return float(np.nanmean(3 * _contrast(x) ** 2))


def _contrast(isi: FloatArray) -> FloatArray:
    """(I_{n+1} - I_n) / (I_{n+1} + I_n), NaN where both intervals are 0."""
    total = isi[1:] + isi[:-1]
    return np.divide(np.diff(isi), total, out=np.full(total.shape, np.nan), where=total > 0)


@measure(
    name="per_unit",
    version="1",
    inputs="spike times, unit after unit, number of each unit's spikes, duration",
    invariances="shift of time; scale of time (irregularity)",
    use="rate, cv, cv2 and lv of all units in one pass",
    reference="Holt et al. 1996, J. Neurophysiol. 75:1806; Shinomoto et al. 2003, Neural Comput. 15:2823",
)
def per_unit(times: npt.ArrayLike, row_size: npt.ArrayLike, duration: float) -> UnitStatistics:
    """Rate, CV, CV2 and LV of every unit in one pass over a unit-ordered (ragged) spike list.

    Parameters
    ----------
    times : array_like, shape (spikes,)
        Spike times, unit after unit, sorted within a unit.
    row_size : array_like of int, shape (units,)
        Spikes of each unit; sums to the number of spikes.
    duration : float
        Observed time.

    Returns
    -------
    UnitStatistics
        Arrays of shape (units,); NaN where a unit has fewer than three spikes (rate is always defined).
    """
    t = vector(times, "times", size=0)
    size = integer_counts(row_size, "row_size", ndim=1).astype(np.int64)
    if size.sum() != t.size:
        raise ComparisonError(
            f"row_size sums to {size.sum()}, but there are {t.size} spikes", where="row_size", expected="equal numbers"
        )
    if not duration > 0:
        raise ComparisonError(f"duration is {duration}", where="duration", expected="a time > 0")
    unit = np.repeat(np.arange(size.size), size)
    step = np.diff(t)
    inside = unit[1:] == unit[:-1]
    if (step[inside] < 0).any():
        raise ComparisonError(
            "spike times are not sorted within a unit", where="times", expected="ascending times per unit"
        )
    isi, owner = step[inside], unit[1:][inside]
    n = np.bincount(owner, minlength=size.size).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, isi, size.size) / n
        variance = np.bincount(owner, (isi - mean[owner]) ** 2, size.size) / n
        pair = owner[1:] == owner[:-1]
        contrast = (isi[1:] - isi[:-1]) / (isi[1:] + isi[:-1])
        good = pair & np.isfinite(contrast)
        contrast, pair_owner = contrast[good], owner[1:][good]
        pairs = np.bincount(pair_owner, minlength=size.size)
        cv2_all = np.bincount(pair_owner, 2 * np.abs(contrast), size.size) / pairs
        lv_all = np.bincount(pair_owner, 3 * contrast**2, size.size) / pairs
        cv_all = np.where((n > 1) & (mean > 0), np.sqrt(variance) / mean, np.nan)
    return UnitStatistics(size / duration, cv_all, cv2_all, lv_all)


@measure(
    name="fano",
    version="1",
    inputs="counts [windows] or [windows, units]",
    invariances="none",
    use="variability across repeats",
    reference="Fano 1947, Phys. Rev. 72:26",
)
def fano(counts: npt.ArrayLike) -> float | FloatArray:
    """Fano factor of spike counts, variance / mean over windows (unbiased variance).

    Parameters
    ----------
    counts : array_like of int, shape (windows,) or (windows, units)

    Returns
    -------
    float, or ndarray of shape (units,)
        NaN for silent units.

    Raises
    ------
    ComparisonError
        If the values are not counts, or there are fewer than two windows.
    """
    raw = numbers(counts, "counts")
    x = integer_counts(raw, "counts", ndim=min(max(raw.ndim, 1), 2))
    if x.shape[0] < 2:
        raise ComparisonError("fewer than two windows", where="counts", expected="at least two windows (rows)")
    mean = x.mean(axis=0)
    variance = x.var(axis=0, ddof=1)
    out = np.divide(variance, mean, out=np.full(np.shape(mean), np.nan), where=mean > 0)
    return float(out) if raw.ndim == 1 else out


@measure(
    name="synchrony",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="order of units",
    use="variance of the population count over that of independent units",
    reference="Potjans & Diesmann 2014, Cereb. Cortex 24:785",
)
def synchrony(counts: npt.ArrayLike) -> float:
    """Synchrony of a population: variance / mean of the spike-count histogram pooled over units.

    1 for independent Poisson units of constant rate, n for n identical Poisson units.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units) or (bins,)
        Counts per bin (3 ms in the reference) and unit, or the pooled histogram itself.

    Returns
    -------
    float
        NaN if nothing fired.

    References
    ----------
    Potjans & Diesmann 2014, Cereb. Cortex 24:785, "synchrony".
    """
    raw = numbers(counts, "counts")
    x = integer_counts(raw, "counts", ndim=min(max(raw.ndim, 1), 2))
    pooled = x if x.ndim == 1 else x.sum(axis=1)
    if pooled.size < 2:
        raise ComparisonError("fewer than two bins", where="counts", expected="at least two bins (rows)")
    mean = pooled.mean()
    return float(pooled.var() / mean) if mean > 0 else float("nan")


@measure(
    name="lempel_ziv",
    version="1",
    inputs="binary sequence",
    invariances="none",
    use="complexity of activity",
    reference="Lempel & Ziv 1976, IEEE Trans. Inf. Theory 22:75",
    cost="time",
)
def lempel_ziv(sequence: npt.ArrayLike | str, normalised: bool = False) -> float:
    """Lempel-Ziv complexity: number of components of the exhaustive history of a symbol sequence.

    Parameters
    ----------
    sequence : str or array_like of int, shape (n,)
        Symbols 0 to 255, usually a binarised spike train.
    normalised : bool
        Divide by n / log_k(n), the limit of a random sequence over the k symbols that occur.

    Returns
    -------
    float

    References
    ----------
    Lempel & Ziv 1976, IEEE Trans. Inf. Theory 22:75; 1001111011000010 has 6 components (1.0.01.1110.1100.0010).
    """
    if isinstance(sequence, str):
        text = sequence.encode("latin-1")
    else:
        symbols = integer_counts(sequence, "sequence", ndim=1)
        if symbols.max() > 255:
            raise ComparisonError("symbols above 255", where="sequence", expected="few symbols: binarise the train")
        text = symbols.astype(np.uint8).tobytes()
    n = len(text)
    if n == 0:
        raise ComparisonError("the sequence is empty", where="sequence", expected="at least one symbol")
    with whole(f"complexity of {n:,} symbols", 1e-10 * n**2):
        components = _components(text)
    if not normalised:
        return float(components)
    alphabet = max(len(set(text)), 2)
    return components * np.log(n) / (np.log(alphabet) * n) if n > 1 else float(components)


def _components(text: bytes) -> int:
    """Components of the exhaustive history."""
    n = len(text)
    components, start = 0, 0
    while start < n:
        length = 1
        # A component grows while it can be copied from what precedes its own last symbol.
        source = text.find(text[start : start + length], 0, start + length - 1)
        while source >= 0 and start + length < n:
            length += 1
            # An earlier, shorter match cannot start before the first one found.
            source = text.find(text[start : start + length], source, start + length - 1)
        components += 1
        start += length
    return components
