"""Resampling of traces onto a common rate without aliasing and without inventing data.

The path of a trace:

1. Jittered time stamps are first brought onto the regular grid of their median interval by a cubic spline (its error is
   of fourth order in the interval; weighting irregular samples by a kernel would be of first order in the jitter).
2. A Kaiser-windowed sinc (60 dB) evaluates the regular samples at the new times. Down-sampling puts the end of its
   transition band at the new Nyquist frequency: what is above it is suppressed by at least 40 dB, what is below 80 % of
   it passes. Up-sampling puts the cut-off at the old Nyquist frequency.
3. The kernel is normalised over the samples that exist. Nothing is padded, reflected or extrapolated; the new times lie
   between the first and the last sample, and a new sample inside a gap is NaN.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.interpolate import make_interp_spline

from allometry.errors import ReaderError
from allometry.homogenize.traces.timebase import GAP_FACTOR

Up = Literal["band-limited", "linear"]
ATTENUATION_DB = 60.0
TRANSITION = 0.2  # width of the transition band, as a fraction of the Nyquist frequency it is bound to
REGULAR = 1e-3  # deviation from a regular grid, in intervals, below which time stamps count as regular
SAME_RATE = 1e-3  # relative difference of two rates below which they are called the same
MIN_WEIGHT = 0.25  # share of the kernel that must rest on existing samples


@dataclass(frozen=True)
class Resampled:
    """Traces on a regular grid.

    Attributes
    ----------
    time : numpy.ndarray, shape (m,), float64
        Seconds from the first sample of the recording.
    trace : numpy.ndarray, shape (m, n), float32
        NaN where the recording has no data.
    method : str
        What was done, one phrase.
    """

    time: npt.NDArray[np.float64]
    trace: npt.NDArray[np.float32]
    method: str


def new_times(duration_s: float, rate_hz: float) -> npt.NDArray[np.float64]:
    """Regular times from 0 to at most `duration_s`, s."""
    count = int(np.floor(duration_s * rate_hz * (1 + 1e-12) + 1e-9)) + 1
    return np.arange(count) / rate_hz


def resample(
    trace: npt.ArrayLike,
    time: npt.ArrayLike,
    rate_hz: float = 3.0,
    *,
    up: Up = "band-limited",
    max_gap_s: float | None = None,
) -> Resampled:
    """Bring traces onto a common rate.

    Parameters
    ----------
    trace : array_like, shape (n_samples, n_roi)
        Traces; NaN marks missing samples.
    time : array_like, shape (n_samples,)
        Seconds, strictly increasing, jitter and gaps allowed.
    rate_hz : float
        New rate, Hz.
    up : {"band-limited", "linear"}
        How to up-sample. Down-sampling is always anti-aliased.
    max_gap_s : float, optional
        A new sample is NaN if the existing samples around it are further apart than this. Default: the larger of 1.5
        native intervals and one new interval.

    Returns
    -------
    Resampled
        On `arange(0, duration, 1 / rate_hz)` from the first sample; the last new time is not after the last sample.

    Raises
    ------
    ReaderError
        If rate, mode or shapes are not usable.
    """
    axis = np.asarray(time, dtype=np.float64)
    values = np.asarray(trace, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != axis.size or axis.size < 2:
        raise ReaderError(
            what=f"Cannot resample traces of shape {values.shape} with {axis.size} time stamps.",
            where="resampling",
            expected="traces (samples, ROIs), one time stamp per sample, at least two samples",
            do="check the orientation of the traces",
        )
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ReaderError(
            what=f"{rate_hz!r} is not a sampling rate.",
            where="rate_hz",
            expected="a positive number of Hz",
            do="correct it",
        )
    if up not in ("band-limited", "linear"):
        raise ReaderError(
            what=f"Unknown way of up-sampling {up!r}.",
            where="resampling",
            expected="'band-limited' or 'linear'",
            do="correct `up` in the options of the data set",
        )
    axis = axis - axis[0]
    dt = float(np.median(np.diff(axis)))
    gap = max(GAP_FACTOR * dt, 1.0 / rate_hz) if max_gap_s is None else float(max_gap_s)
    gap *= 1 + 1e-9
    at = new_times(float(axis[-1]), rate_hz)
    finite = np.isfinite(values)
    ratio = dt * rate_hz
    if up == "linear" and ratio > 1:
        out = _linear(_filled(values, axis, finite), axis, at)
        method = f"linear up-sampling from {1 / dt:.6g} Hz"
    else:
        grid, dense, known = _regular(values, axis, dt, finite, gap)
        out = _sinc(dense, known, grid, at, rate_hz)
        kind = "band-limited up-sampling" if ratio > 1 else "anti-aliased down-sampling"
        if abs(ratio - 1) < SAME_RATE:
            kind = "band-limited resampling at the same rate"
        method = f"{kind} from {1 / dt:.6g} Hz (Kaiser-windowed sinc, {ATTENUATION_DB:g} dB)"
    out[~_covered(axis, finite, at, gap)] = np.nan
    return Resampled(time=at, trace=out.astype(np.float32), method=method)


def _filled(
    values: npt.NDArray[np.float64], axis: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Bridge missing samples by straight lines: carriers for the interpolators, masked again at the end."""
    incomplete = np.flatnonzero(~finite.all(axis=0))
    if incomplete.size == 0:
        return values
    values = values.copy()
    for column in incomplete:
        known = finite[:, column]
        values[~known, column] = np.interp(axis[~known], axis[known], values[known, column]) if known.any() else 0.0
    return values


def _linear(
    values: npt.NDArray[np.float64], axis: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    left = np.clip(np.searchsorted(axis, at, side="right") - 1, 0, axis.size - 2)
    share = ((at - axis[left]) / (axis[left + 1] - axis[left]))[:, None]
    return (1 - share) * values[left] + share * values[left + 1]


def _regular(
    values: npt.NDArray[np.float64],
    axis: npt.NDArray[np.float64],
    dt: float,
    finite: npt.NDArray[np.bool_],
    gap: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Samples on the grid of the median interval, and which of them rest on data."""
    mean_dt = axis[-1] / (axis.size - 1)
    grid = np.arange(axis.size) * mean_dt
    if np.abs(axis - grid).max() <= REGULAR * mean_dt:
        return grid, _filled(values, axis, finite), finite
    grid = new_times(float(axis[-1]), 1.0 / dt)
    degree = 3 if axis.size > 3 else 1
    dense = make_interp_spline(axis, _filled(values, axis, finite), k=degree)(grid)
    return grid, dense, _covered(axis, finite, grid, gap)


def _covered(
    axis: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_], at: npt.NDArray[np.float64], gap: float
) -> npt.NDArray[np.bool_]:
    """Which new samples (m, n) have existing samples on both sides at most `gap` apart."""
    covered = np.empty((at.size, finite.shape[1]), dtype=bool)
    complete = finite.all(axis=0)
    if complete.any():
        covered[:, complete] = _bracketed(axis, at, gap)[:, None]
    for column in np.flatnonzero(~complete):
        covered[:, column] = _bracketed(axis[finite[:, column]], at, gap)
    return covered


def _bracketed(known: npt.NDArray[np.float64], at: npt.NDArray[np.float64], gap: float) -> npt.NDArray[np.bool_]:
    if known.size == 0:
        return np.zeros(at.size, dtype=bool)
    tolerance = 1e-6 * gap
    # A new time that coincides with an existing sample is covered by that sample alone.
    left = np.searchsorted(known, at + tolerance, side="right") - 1
    right = np.searchsorted(known, at - tolerance, side="left")
    inside = (left >= 0) & (right < known.size)
    span = known[np.minimum(right, known.size - 1)] - known[np.maximum(left, 0)]
    return inside & (span <= gap)


def _sinc(
    values: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
    grid: npt.NDArray[np.float64],
    at: npt.NDArray[np.float64],
    rate_hz: float,
) -> npt.NDArray[np.float64]:
    native_hz = (grid.size - 1) / grid[-1]
    if abs(native_hz - rate_hz) <= 1e-9 * rate_hz and at.size <= grid.size:
        return values[: at.size].copy()
    weights = _weights(grid.size, float(grid[-1]), at.size, rate_hz)
    complete = known.all(axis=0)
    out = np.empty((at.size, values.shape[1]))
    share = np.asarray(weights.sum(axis=1)).ravel()
    out[:, complete] = (weights @ values[:, complete]) / share[:, None]
    if not complete.all():
        part = known[:, ~complete]
        share_part = weights @ part.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            some = (weights @ np.where(part, values[:, ~complete], 0.0)) / share_part
        some[share_part < MIN_WEIGHT] = np.nan
        out[:, ~complete] = some
    return out


@lru_cache(maxsize=8)
def _weights(n_in: int, duration_s: float, n_out: int, rate_hz: float) -> scipy.sparse.csr_array:
    """Kaiser-windowed sinc as a banded matrix (n_out, n_in); rows sum to 1 away from the edges."""
    native_hz = (n_in - 1) / duration_s
    down = rate_hz < native_hz
    nyquist = min(rate_hz, native_hz) / 2
    cutoff = nyquist * (1 - TRANSITION / 2) if down else nyquist
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    half_s = (ATTENUATION_DB - 7.95) / 14.36 / (TRANSITION * nyquist) / 2
    reach = int(np.ceil(half_s * native_hz))
    at = np.arange(n_out) / rate_hz
    nearest = np.rint(at * native_hz).astype(np.int64)
    column = nearest[:, None] + np.arange(-reach, reach + 1)[None, :]
    offset = at[:, None] - column / native_hz
    inside = (column >= 0) & (column < n_in) & (np.abs(offset) <= half_s)
    window = np.i0(beta * np.sqrt(np.clip(1 - (offset / half_s) ** 2, 0, None))) / np.i0(beta)
    weight = np.where(inside, 2 * cutoff / native_hz * np.sinc(2 * cutoff * offset) * window, 0.0)
    row = np.broadcast_to(np.arange(n_out)[:, None], column.shape)
    return scipy.sparse.csr_array((weight[inside], (row[inside], column[inside])), shape=(n_out, n_in))
