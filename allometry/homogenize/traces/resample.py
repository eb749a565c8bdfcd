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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.interpolate import make_interp_spline

from allometry.errors import ReaderError
from allometry.homogenize.traces.elementary import cubic_spline, i0, sinc
from allometry.homogenize.traces.timebase import GAP_FACTOR

Up = Literal["band-limited", "linear"]
ATTENUATION_DB = 60.0
TRANSITION = 0.2  # width of the transition band, as a fraction of the Nyquist frequency it is bound to
REGULAR = 1e-3  # deviation from a regular grid, in intervals, below which time stamps count as regular
SAME_RATE = 1e-3  # relative difference of two rates below which they are called the same
MIN_WEIGHT = 0.25  # share of the kernel that must rest on existing samples
MAX_BYTES = 2**31  # of the resampled traces of one recording
BLOCK_VALUES = 1 << 20  # elements of the kernel matrix that are in memory at a time
PART_VALUES = 2**24
"""Samples of ROIs that are resampled at a time."""


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


def new_count(duration_s: float, rate_hz: float) -> int:
    """Number of regular times from 0 to at most `duration_s`."""
    return int(np.floor(duration_s * rate_hz * (1 + 1e-12) + 1e-9)) + 1


def new_times(duration_s: float, rate_hz: float) -> npt.NDArray[np.float64]:
    """Regular times from 0 to at most `duration_s`, s."""
    return np.arange(new_count(duration_s, rate_hz)) / rate_hz


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
    given = np.asarray(trace)
    columns = max(1, PART_VALUES // max(1, axis.size))
    if given.ndim == 2 and given.shape[1] > columns:  # ROIs do not depend on each other: never all of them as float64
        starts = range(0, given.shape[1], columns)
        parts = [resample(given[:, at : at + columns], axis, rate_hz, up=up, max_gap_s=max_gap_s) for at in starts]
        return Resampled(parts[0].time, np.concatenate([part.trace for part in parts], axis=1), parts[0].method)
    values = given.astype(np.float64)
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
    check_length(axis, rate_hz, values.shape[1], "resampling")
    dt = float(np.median(np.diff(axis)))
    gap = max(GAP_FACTOR * dt, 1.0 / rate_hz) if max_gap_s is None else float(max_gap_s)
    gap *= 1 + 1e-9
    at = new_times(float(axis[-1]), rate_hz)
    finite = np.isfinite(values)
    ratio = dt * rate_hz
    if up == "linear" and ratio > 1:
        filled = _filled(values, axis, finite)
        rows = max(1, BLOCK_VALUES // max(1, values.shape[1]))
        method = f"linear up-sampling from {1 / dt:.6g} Hz"

        def evaluate(start: int, stop: int) -> npt.NDArray[np.float64]:
            return _linear(filled, axis, at[start:stop])
    else:
        native = _regular(values, axis, dt, finite, gap)
        kernel = _Kernel.of(native, rate_hz)
        rows = max(1, BLOCK_VALUES // max(kernel.width, values.shape[1], 1))
        kind = "band-limited up-sampling" if ratio > 1 else "anti-aliased down-sampling"
        if abs(ratio - 1) < SAME_RATE:
            kind = "band-limited resampling at the same rate"
        method = f"{kind} from {1 / dt:.6g} Hz (Kaiser-windowed sinc, {ATTENUATION_DB:g} dB)"

        def evaluate(start: int, stop: int) -> npt.NDArray[np.float64]:
            return _sinc(native, kernel, at, start, stop)

    out = np.full((at.size, values.shape[1]), np.nan, np.float32)
    for start in range(0, at.size, rows):
        stop = min(start + rows, at.size)
        covered = _covered(axis, finite, at[start:stop], gap)
        if covered.any():  # nothing is computed where a pause leaves nothing to compute
            out[start:stop] = np.where(covered, evaluate(start, stop), np.nan)
    return Resampled(time=at, trace=out, method=method)


def check_length(time: npt.NDArray[np.float64], rate_hz: float, n_roi: int, where: str) -> None:
    """Refuse a recording whose resampled traces would take more than `MAX_BYTES`, before anything is allocated.

    Parameters
    ----------
    time : numpy.ndarray, shape (n_samples,)
        Seconds.
    rate_hz : float
        New rate, Hz.
    n_roi : int
        Number of traces.
    where : str
        File and recording, for the message.
    """
    duration = float(time[-1] - time[0])
    samples = duration * rate_hz + 1
    each = 4 * n_roi + 8
    if samples * each > MAX_BYTES:
        longest = (MAX_BYTES / each - 1) / rate_hz
        raise ReaderError(
            what=f"{duration:.6g} s at {rate_hz:g} Hz are {samples:.3g} samples of {n_roi} traces, "
            f"{samples * each / 2**30:.3g} GiB.",
            where=where,
            expected=f"at most {MAX_BYTES / 2**30:g} GiB, {longest:.4g} s at this rate",
            do="check the time stamps and their unit (`time_unit`); lower `rate_hz`, or cut the recording",
        )


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


@dataclass(frozen=True)
class _Native:
    """Samples on the grid of the median interval, computed for a range of it when asked for.

    Attributes
    ----------
    size, duration : int, float
        Number of grid points, time of the last one in s.
    complete : numpy.ndarray, shape (roi,), bool
        Traces that rest on data on the whole grid.
    part : callable
        `(first, last)` -> values and which of them rest on data, (last - first, roi) each.
    """

    size: int
    duration: float
    complete: npt.NDArray[np.bool_]
    part: Callable[[int, int], tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]

    @property
    def rate_hz(self) -> float:
        return (self.size - 1) / self.duration


def _regular(
    values: npt.NDArray[np.float64],
    axis: npt.NDArray[np.float64],
    dt: float,
    finite: npt.NDArray[np.bool_],
    gap: float,
) -> _Native:
    mean_dt = axis[-1] / (axis.size - 1)
    grid = np.arange(axis.size) * mean_dt
    filled = _filled(values, axis, finite)
    if np.abs(axis - grid).max() <= REGULAR * mean_dt:
        whole = np.asarray(finite.all(axis=0))
        return _Native(axis.size, float(grid[-1]), whole, lambda first, last: (filled[first:last], finite[first:last]))
    # The grid bridges every pause: as a whole it can be many times as long as the recording.
    size = new_count(float(axis[-1]), 1.0 / dt)
    spline = cubic_spline(axis, filled) if axis.size > 3 else make_interp_spline(axis, filled, k=1)

    def part(first: int, last: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        at = np.arange(first, last) / (1.0 / dt)
        return spline(at), _covered(axis, finite, at, gap)

    whole = np.array([_unbroken(axis[column], axis, gap) for column in finite.T], dtype=bool)
    return _Native(size, (size - 1) / (1.0 / dt), whole, part)


def _unbroken(known: npt.NDArray[np.float64], axis: npt.NDArray[np.float64], gap: float) -> bool:
    """Whether the known times reach from end to end of the axis without a gap."""
    ends = known.size > 1 and known[0] == axis[0] and known[-1] == axis[-1]
    return bool(ends and np.diff(known).max() <= gap)


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


@dataclass(frozen=True)
class _Kernel:
    """A Kaiser-windowed sinc between two rates; its samples sum to 1 away from the edges.

    Attributes
    ----------
    native_hz, rate_hz, cutoff : float
        Hz.
    half_s : float
        Half its length, s.
    reach : int
        Half its length in native samples.
    identity : bool
        Whether the two rates are one and nothing is to be done.
    """

    native_hz: float
    rate_hz: float
    cutoff: float
    half_s: float
    reach: int
    identity: bool

    @classmethod
    def of(cls, native: _Native, rate_hz: float) -> "_Kernel":
        native_hz = native.rate_hz
        nyquist = min(rate_hz, native_hz) / 2
        cutoff = nyquist * (1 - TRANSITION / 2) if rate_hz < native_hz else nyquist
        half_s = (ATTENUATION_DB - 7.95) / 14.36 / (TRANSITION * nyquist) / 2
        same = abs(native_hz - rate_hz) <= 1e-9 * rate_hz and new_count(native.duration, rate_hz) <= native.size
        return cls(native_hz, rate_hz, cutoff, half_s, int(np.ceil(half_s * native_hz)), same)

    @property
    def width(self) -> int:
        return 2 * self.reach + 1

    def weights(
        self, at: npt.NDArray[np.float64], nearest: npt.NDArray[np.int64], first: int, last: int
    ) -> scipy.sparse.csr_array:
        """Weights of the native samples first to last - 1 at the times `at`, as a banded matrix."""
        beta = 0.1102 * (ATTENUATION_DB - 8.7)
        column = nearest[:, None] + np.arange(-self.reach, self.reach + 1)[None, :]
        offset = at[:, None] - column / self.native_hz
        inside = (column >= first) & (column < last) & (np.abs(offset) <= self.half_s)
        window = i0(beta * np.sqrt(np.clip(1 - (offset / self.half_s) ** 2, 0, None))) / i0(np.array(beta))
        weight = 2 * self.cutoff / self.native_hz * sinc(2 * self.cutoff * offset) * window
        row = np.broadcast_to(np.arange(at.size)[:, None], column.shape)
        shape = (at.size, last - first)
        return scipy.sparse.csr_array((weight[inside], (row[inside], column[inside] - first)), shape=shape)


def _sinc(
    native: _Native, kernel: _Kernel, at: npt.NDArray[np.float64], start: int, stop: int
) -> npt.NDArray[np.float64]:
    """New samples start to stop - 1."""
    if kernel.identity:
        return native.part(start, stop)[0]
    block = at[start:stop]
    nearest = np.rint(block * kernel.native_hz).astype(np.int64)
    first, last = max(0, int(nearest[0]) - kernel.reach), min(native.size, int(nearest[-1]) + kernel.reach + 1)
    values, known = native.part(first, last)
    weights = kernel.weights(block, nearest, first, last)
    complete = native.complete
    out = np.empty((block.size, values.shape[1]))
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
