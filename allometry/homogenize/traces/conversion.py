"""From the time stamps of a recording to a regular grid: a conversion, and runs of samples that it is applied to.

A new sample rests on the native samples within the reach of the kernel, and on those around a gap. So a recording can be
converted run by run; a run begins and ends so far outside of its new samples that they are those of the whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.homogenize.traces.elementary import cubic_spline, i0, sinc
from allometry.homogenize.traces.timebase import GAP_FACTOR

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ATTENUATION_DB = 60.0
TRANSITION = 0.2  # width of the transition band, as a fraction of the Nyquist frequency it is bound to
REGULAR = 1e-3  # deviation from a regular grid, in intervals, below which time stamps count as regular
SAME_RATE = 1e-3  # relative difference of two rates below which they are called the same
MIN_WEIGHT = 0.25  # share of the kernel that must rest on existing samples
BLOCK_VALUES = 1 << 20  # elements of the kernel matrix that are in memory at a time
PIECE_VALUES = 1 << 22  # samples of ROIs that are read at a time from where they are too many for memory
SETTLED = 64  # samples after which a cubic spline has forgotten how it ended: a factor of 0.27 each


def new_count(duration_s: float, rate_hz: float) -> int:
    """Number of regular times from 0 to at most `duration_s`."""
    return int(np.floor(duration_s * rate_hz * (1 + 1e-12) + 1e-9)) + 1


def new_times(duration_s: float, rate_hz: float) -> Floats:
    """Regular times from 0 to at most `duration_s`, s."""
    return np.arange(new_count(duration_s, rate_hz)) / rate_hz


@dataclass(frozen=True)
class Kernel:
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
    def of(cls, size: int, duration_s: float, rate_hz: float) -> "Kernel":
        """Kernel from a grid of so many native samples to a rate."""
        native_hz = (size - 1) / duration_s
        nyquist = min(rate_hz, native_hz) / 2
        cutoff = nyquist * (1 - TRANSITION / 2) if rate_hz < native_hz else nyquist
        half_s = (ATTENUATION_DB - 7.95) / 14.36 / (TRANSITION * nyquist) / 2
        same = abs(native_hz - rate_hz) <= 1e-9 * rate_hz and new_count(duration_s, rate_hz) <= size
        return cls(native_hz, rate_hz, cutoff, half_s, int(np.ceil(half_s * native_hz)), same)

    @property
    def width(self) -> int:
        """Length in native samples."""
        return 2 * self.reach + 1

    def weights(self, at: Floats, nearest: npt.NDArray[np.int64], first: int, last: int) -> scipy.sparse.csr_array:
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


@dataclass(frozen=True)
class Conversion:
    """How a recording with these time stamps comes onto a regular grid.

    Attributes
    ----------
    axis : numpy.ndarray, shape (n,), float64
        Time of the native samples from the first one, s.
    at : numpy.ndarray, shape (m,), float64
        New times, s.
    dt : float
        Median interval, s.
    gap : float
        Longest interval between existing samples in which a new one is made, s.
    size : int
        Points of the native grid: the samples where they are regular, else times of the median interval.
    regular : bool
        Whether the samples are the points of that grid.
    kernel : Kernel or None
        None: straight lines between the samples.
    method : str
        One phrase.
    """

    axis: Floats
    at: Floats
    dt: float
    gap: float
    size: int
    regular: bool
    kernel: Kernel | None
    method: str

    @classmethod
    def of(cls, time: Floats, rate_hz: float, *, linear: bool, max_gap_s: float | None) -> "Conversion":
        """Conversion of a recording.

        Parameters
        ----------
        time : numpy.ndarray, shape (n,)
            Seconds, strictly increasing, at least two.
        rate_hz : float
            New rate, Hz.
        linear : bool
            Up-sample by straight lines.
        max_gap_s : float or None
            As in `resample`.
        """
        axis = time - time[0]
        dt = float(np.median(np.diff(axis)))
        gap = max(GAP_FACTOR * dt, 1.0 / rate_hz) if max_gap_s is None else float(max_gap_s)
        at = new_times(float(axis[-1]), rate_hz)
        ratio = dt * rate_hz
        mean_dt = axis[-1] / (axis.size - 1)
        grid = np.arange(axis.size) * mean_dt
        regular = bool(np.abs(axis - grid).max() <= REGULAR * mean_dt)
        # The grid of the median interval bridges every pause: as a whole it can be many times as long as the recording.
        size = axis.size if regular else new_count(float(axis[-1]), 1.0 / dt)
        duration = float(grid[-1]) if regular else (size - 1) / (1.0 / dt)
        kernel = None if linear and ratio > 1 else Kernel.of(size, duration, rate_hz)
        if kernel is None:
            method = f"linear up-sampling from {1 / dt:.6g} Hz"
        else:
            kind = "band-limited up-sampling" if ratio > 1 else "anti-aliased down-sampling"
            if abs(ratio - 1) < SAME_RATE:
                kind = "band-limited resampling at the same rate"
            method = f"{kind} from {1 / dt:.6g} Hz (Kaiser-windowed sinc, {ATTENUATION_DB:g} dB)"
        return cls(axis, at, dt, gap * (1 + 1e-9), size, regular, kernel, method)

    @property
    def reach(self) -> int:
        """Native samples on each side of a new one that it rests on."""
        return 1 if self.kernel is None else self.kernel.reach

    def pieces(self, columns: int) -> Iterator[tuple[int, int]]:
        """Bounds of runs of new samples, each of about `PIECE_VALUES` native values; runs within a pause are left out."""
        native = max(PIECE_VALUES // max(1, columns), 4 * self.reach)
        step = max(1, int(native * self.dt * (self.at.size - 1) / self.axis[-1]))
        for start in range(0, self.at.size, step):
            stop = min(start + step, self.at.size)
            if _bracketed(self.axis, self.at[start:stop], self.gap).any():
                yield start, stop

    def samples(self, start: int, stop: int) -> tuple[int, int]:
        """Native samples, first to last - 1, on which the new ones start to stop - 1 rest."""
        around = (self.reach + 1) * self.dt + self.gap
        first = int(np.searchsorted(self.axis, self.at[start] - around)) - SETTLED
        last = int(np.searchsorted(self.axis, self.at[stop - 1] + around, side="right")) + SETTLED
        return max(0, first), min(self.axis.size, last)


class Samples:
    """A run of the samples of a recording, and what becomes of it.

    Parameters
    ----------
    how : Conversion
        Of the whole recording.
    values : numpy.ndarray, shape (samples, roi)
        NaN where missing.
    first : int
        Number of the first of them in the recording.
    """

    def __init__(self, how: Conversion, values: npt.NDArray[np.floating[Any]], first: int) -> None:
        self.how, self.first = how, first
        self.axis = how.axis[first : first + len(values)]
        plain = values.astype(np.float64)
        self.finite: Mask = np.isfinite(plain)
        self.filled = _filled(plain, self.axis, self.finite)

    @cached_property
    def complete(self) -> Mask:
        """Which ROIs rest on data in the whole run."""
        if self.how.regular:
            return np.asarray(self.finite.all(axis=0))
        unbroken = [_unbroken(self.axis[column], self.axis, self.how.gap) for column in self.finite.T]
        return np.array(unbroken, dtype=bool)

    def into(self, out: npt.NDArray[np.float32], start: int, stop: int) -> None:
        """Fill in the new samples start to stop - 1, a block of the kernel matrix at a time."""
        kernel = self.how.kernel
        wide = max(1, self.filled.shape[1], 1 if kernel is None else kernel.width)
        rows = max(1, BLOCK_VALUES // wide)
        for begin in range(start, stop, rows):
            end = min(begin + rows, stop)
            covered = _covered(self.axis, self.finite, self.how.at[begin:end], self.how.gap)
            if covered.any():  # nothing is computed where a pause leaves nothing to compute
                made = self._straight(begin, end) if kernel is None else self._sinc(kernel, begin, end)
                out[begin:end] = np.where(covered, made, np.nan)

    def _straight(self, start: int, stop: int) -> Floats:
        at, axis = self.how.at[start:stop], self.axis
        left = np.clip(np.searchsorted(axis, at, side="right") - 1, 0, axis.size - 2)
        share = ((at - axis[left]) / (axis[left + 1] - axis[left]))[:, None]
        return (1 - share) * self.filled[left] + share * self.filled[left + 1]

    def _sinc(self, kernel: Kernel, start: int, stop: int) -> Floats:
        if kernel.identity:
            return self._grid(start, stop)[0]
        block = self.how.at[start:stop]
        nearest = np.rint(block * kernel.native_hz).astype(np.int64)
        first, last = max(0, int(nearest[0]) - kernel.reach), min(self.how.size, int(nearest[-1]) + kernel.reach + 1)
        values, known = self._grid(first, last)
        weights = kernel.weights(block, nearest, first, last)
        complete = self.complete
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

    def _grid(self, first: int, last: int) -> tuple[Floats, Mask]:
        """Values on the points first to last - 1 of the native grid, and which of them rest on data."""
        if self.how.regular:
            part = slice(first - self.first, last - self.first)
            return self.filled[part], self.finite[part]
        at = np.arange(first, last) / (1.0 / self.how.dt)
        return self._spline(at), _covered(self.axis, self.finite, at, self.how.gap)

    @cached_property
    def _spline(self) -> Callable[[Floats], Floats]:
        if self.axis.size > 3:
            return cubic_spline(self.axis, self.filled)
        straight: Callable[[Floats], Floats] = scipy.interpolate.make_interp_spline(self.axis, self.filled, k=1)
        return straight


def _filled(values: Floats, axis: Floats, finite: Mask) -> Floats:
    """Bridge missing samples by straight lines: carriers for the interpolators, masked again at the end."""
    incomplete = np.flatnonzero(~finite.all(axis=0))
    if incomplete.size == 0:
        return values
    values = values.copy()
    for column in incomplete:
        known = finite[:, column]
        values[~known, column] = np.interp(axis[~known], axis[known], values[known, column]) if known.any() else 0.0
    return values


def _unbroken(known: Floats, axis: Floats, gap: float) -> bool:
    """Whether the known times reach from end to end of the axis without a gap."""
    ends = known.size > 1 and known[0] == axis[0] and known[-1] == axis[-1]
    return bool(ends and np.diff(known).max() <= gap)


def _covered(axis: Floats, finite: Mask, at: Floats, gap: float) -> Mask:
    """Which new samples (m, n) have existing samples on both sides at most `gap` apart."""
    covered = np.empty((at.size, finite.shape[1]), dtype=bool)
    complete = finite.all(axis=0)
    if complete.any():
        covered[:, complete] = _bracketed(axis, at, gap)[:, None]
    for column in np.flatnonzero(~complete):
        covered[:, column] = _bracketed(axis[finite[:, column]], at, gap)
    return covered


def _bracketed(known: Floats, at: Floats, gap: float) -> Mask:
    if known.size == 0:
        return np.zeros(at.size, dtype=bool)
    tolerance = 1e-6 * gap
    # A new time that coincides with an existing sample is covered by that sample alone.
    left = np.searchsorted(known, at + tolerance, side="right") - 1
    right = np.searchsorted(known, at - tolerance, side="left")
    inside = (left >= 0) & (right < known.size)
    span = known[np.minimum(right, known.size - 1)] - known[np.maximum(left, 0)]
    return inside & (span <= gap)
