"""How long the activity of single units remembers itself: the time constant of the autocorrelation of their counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, integer_counts
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

SHORTEST_S, LONGEST_S = 0.001, 1.0
"""Bounds of the fit, those of the Allen Institute's table of timescales; a unit at one of them has none."""

GRID = np.geomspace(SHORTEST_S, LONGEST_S, 300)
LEAST_GAIN = scipy.stats.chi2.ppf(0.999, 2)


@measure(
    name="intrinsic_timescales",
    version="1",
    inputs="spike counts [bins, units], width of a bin, longest lag",
    invariances="further spikes of a unit in a bin",
    use="how long does the activity of single units outlast itself?",
    reference="Murray et al. 2014, Nat. Neurosci. 17:1661 (exponential decay and offset); its significance: this project",
)
def intrinsic_timescales(counts: npt.ArrayLike, bin_s: float = 0.005, longest_lag_s: float = 0.5) -> FloatArray:
    """Time constants of the autocorrelations of units.

    The autocorrelation r_k of the counts of a unit at lags of 1, 2, ... bins is fitted by a exp(-k bin / tau) + b, by least
    squares over tau from 1 ms to 1 s (300 steps of 2.3 %), with a > 0.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units)
        Spike counts in adjacent bins, or a sparse array of that shape.
    bin_s : float
        Width of a bin, s.
    longest_lag_s : float
        Longest lag of the fit, s.

    Returns
    -------
    ndarray of shape (units,)
        s; NaN where the fit is at a bound, or no better than a constant: where the sum of squares that it explains, times the
        number of bins, is below the .999 quantile of chi-squared with two degrees of freedom, which r of white counts exceed in
        few units (their variance is 1 / bins).

    Raises
    ------
    ComparisonError
        The values are not counts, or there are fewer than four times as many bins as lags.
    """
    sparse = scipy.sparse.issparse(counts)
    x: Any = counts if sparse else integer_counts(counts, "counts", ndim=2)
    bins, units = x.shape
    lags = int(longest_lag_s / bin_s + 1e-9)
    if lags < 5 or bins < 4 * lags:
        raise ComparisonError(
            f"{bins} bins for {lags} lags", where="counts", expected="at least 5 lags, and four times as many bins"
        )
    lag: FloatArray = bin_s * np.arange(1, lags + 1, dtype=np.float64)
    out = np.full(units, np.nan)
    for unit in range(units):
        own = np.asarray(x[:, [unit]].toarray() if sparse else x[:, unit], dtype=np.float64).ravel()
        if np.ptp(own) == 0:
            continue
        out[unit] = _fitted(_autocorrelation(own, lags), lag, bins)
    return out


def _autocorrelation(counts: FloatArray, lags: int) -> FloatArray:
    """Of counts [bin] at lags of 1 to `lags` bins, by the transform of the power."""
    centred = counts - counts.mean()
    size = scipy.fft.next_fast_len(counts.size + lags, real=True)
    power = np.abs(scipy.fft.rfft(centred, size)) ** 2
    found = scipy.fft.irfft(power, size)[: lags + 1]
    return np.asarray(found[1:] / found[0])


def _fitted(r: FloatArray, lag: FloatArray, bins: int) -> float:
    """Time constant, s, of r at lags [lag], s."""
    shape = np.exp(-lag / GRID[:, None])
    shape -= shape.mean(axis=1, keepdims=True)
    along = (shape * (r - r.mean())).sum(axis=1)
    explained = np.where(along > 0, along**2 / (shape**2).sum(axis=1), 0.0)
    best = int(explained.argmax())
    if explained[best] * bins < LEAST_GAIN or best in (0, GRID.size - 1):
        return np.nan
    return float(GRID[best])
