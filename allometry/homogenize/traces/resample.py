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
from typing import Literal

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.traces.blocks import Blocks
from allometry.homogenize.traces.conversion import Conversion, Samples

Up = Literal["band-limited", "linear"]
MAX_BYTES = 2**31  # of the resampled traces of one recording
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


def resample(
    trace: npt.ArrayLike | Blocks,
    time: npt.ArrayLike,
    rate_hz: float = 3.0,
    *,
    up: Up = "band-limited",
    max_gap_s: float | None = None,
) -> Resampled:
    """Bring traces onto a common rate.

    Parameters
    ----------
    trace : array_like or Blocks, shape (n_samples, n_roi)
        Traces; NaN marks missing samples. `Blocks` are read run by run, and never held as a whole.
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
    given = trace if isinstance(trace, Blocks) else np.asarray(trace)
    if len(given.shape) != 2 or given.shape[0] != axis.size or axis.size < 2:
        raise ReaderError(
            what=f"Cannot resample traces of shape {given.shape} with {axis.size} time stamps.",
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
    check_length(axis, rate_hz, given.shape[1], "resampling")
    how = Conversion.of(axis, rate_hz, linear=up == "linear", max_gap_s=max_gap_s)
    out = np.full((how.at.size, given.shape[1]), np.nan, np.float32)
    if isinstance(given, Blocks):
        for start, stop in how.pieces(given.shape[1]):
            first, last = how.samples(start, stop)
            Samples(how, given.rows(first, last), first).into(out, start, stop)
    else:
        columns = max(1, PART_VALUES // axis.size)  # ROIs do not depend on each other: never all of them as float64
        for at in range(0, given.shape[1], columns):
            part = slice(at, at + columns)
            Samples(how, given[:, part], 0).into(out[:, part], 0, how.at.size)
    return Resampled(time=how.at, trace=out, method=how.method)


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
