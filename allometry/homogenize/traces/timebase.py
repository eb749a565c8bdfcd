"""Time axes of recordings: checked, derived where the file has none, and described.

Nothing is guessed silently: every decision ends up in the `notes` of the returned `TimeBase`, which the reader stores
in the `derived` attribute of the recording.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError

LengthPolicy = Literal["error", "truncate"]
GAP_FACTOR = 1.5  # an interval longer than this many median intervals is a gap: at least one sample is missing


@dataclass(frozen=True)
class TimeBase:
    """Time axis of one recording.

    Attributes
    ----------
    time : numpy.ndarray, shape (n,), float64
        Seconds from the first sample, strictly increasing.
    start : float
        Time of the first sample in the clock of the file, s.
    dt : float
        Median interval, s.
    jitter : float
        Standard deviation of the intervals without gaps, as a fraction of `dt`.
    gaps : int
        Number of intervals longer than 1.5 `dt`.
    notes : dict
        What was inferred, and how; empty if the file said everything.
    """

    time: npt.NDArray[np.float64]
    start: float
    dt: float
    jitter: float
    gaps: int
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def rate_hz(self) -> float:
        """Native sampling rate, Hz: the reciprocal of the median interval."""
        return 1.0 / self.dt


def describe(time: npt.ArrayLike, *, where: str, notes: dict[str, Any] | None = None) -> TimeBase:
    """Check a time axis and measure interval, jitter and gaps.

    Parameters
    ----------
    time : array_like, shape (n,)
        Seconds, in the clock of the file.
    where : str
        File and recording, for the messages.
    notes : dict, optional
        Facts already recorded about this axis.

    Raises
    ------
    ReaderError
        If the axis is not one-dimensional, not finite, not strictly increasing, or shorter than two samples.
    """
    try:
        if np.iscomplexobj(time):
            raise TypeError("complex numbers")
        axis = np.asarray(time, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="The time axis is not numeric.",
            where=where,
            expected="a vector of seconds",
            do="check the field that holds the time stamps",
        ) from error
    if axis.ndim != 1:
        axis = axis.squeeze()
    if axis.ndim != 1 or axis.size < 2:
        raise ReaderError(
            what=f"The time axis has shape {np.shape(time)}.",
            where=where,
            expected="a vector of at least two samples",
            do="check that the file is complete",
        )
    if not np.isfinite(axis).all():
        first = int(np.flatnonzero(~np.isfinite(axis))[0])
        raise ReaderError(
            what=f"The time axis is not finite at sample {first}.",
            where=where,
            expected="finite seconds for every sample",
            do="repair the time stamps in the source file, or leave this recording out",
        )
    steps = np.diff(axis)
    if (steps <= 0).any():
        first = int(np.flatnonzero(steps <= 0)[0])
        raise ReaderError(
            what=f"Time does not increase from sample {first} ({axis[first]:g} s) to the next ({axis[first + 1]:g} s).",
            where=where,
            expected="strictly increasing seconds",
            do="repair the time stamps in the source file, or leave this recording out",
        )
    dt = float(np.median(steps))
    ordinary = steps[steps <= GAP_FACTOR * dt]
    return TimeBase(
        time=axis - axis[0],
        start=float(axis[0]),
        dt=dt,
        jitter=float(np.std(ordinary) / dt),
        gaps=int(np.count_nonzero(steps > GAP_FACTOR * dt)),
        notes=dict(notes or {}),
    )


def match_length(
    time: npt.ArrayLike, n_samples: int, *, policy: LengthPolicy = "error", where: str
) -> tuple[npt.NDArray[np.float64], int, dict[str, Any]]:
    """Reconcile the number of time stamps with the number of samples.

    Parameters
    ----------
    time : array_like, shape (n,)
        Time stamps, s.
    n_samples : int
        Number of samples in the traces.
    policy : {"error", "truncate"}
        What to do if the two differ; `truncate` keeps the first samples of both and records it.
    where : str
        File and recording, for the messages.

    Returns
    -------
    time : numpy.ndarray
        The time stamps to use.
    n_keep : int
        Number of samples to keep of the traces.
    notes : dict
        Empty, or the record of the truncation.

    Raises
    ------
    ReaderError
        If the lengths differ and the policy is `error`, or the policy is unknown.
    """
    axis = np.atleast_1d(np.asarray(time)).squeeze()
    axis = np.atleast_1d(axis)
    if policy not in ("error", "truncate"):
        raise ReaderError(
            what=f"Unknown length policy {policy!r}.",
            where=where,
            expected="'error' or 'truncate'",
            do="correct `length_policy` in the options of the data set",
        )
    if axis.ndim != 1 or axis.size == n_samples:
        return axis, n_samples, {}
    if policy == "error":
        raise ReaderError(
            what=f"{n_samples} samples but {axis.size} time stamps.",
            where=where,
            expected="one time stamp per sample",
            do="set the option `length_policy: truncate` to keep the first samples of both (recorded in the store)",
        )
    n_keep = min(n_samples, axis.size)
    note = f"{n_samples} samples and {axis.size} time stamps: the first {n_keep} of both were kept"
    return axis[:n_keep], n_keep, {"length_mismatch": note}


def derive_time(
    n_samples: int, *, rate_hz: float | None = None, duration_s: float | None = None, why: str
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Build a regular time axis for a file that has none, and say so.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    rate_hz, duration_s : float, optional
        Exactly one of them: the sampling rate, or the length of the recording (n_samples intervals), s.
    why : str
        Where the number comes from; stored.

    Returns
    -------
    time : numpy.ndarray, shape (n_samples,)
        Seconds from the first sample.
    notes : dict
        `{"time": ...}`, to be stored as derived.
    """
    if (rate_hz is None) == (duration_s is None):
        raise ReaderError(
            what="A time axis can be derived from a rate or from a duration, not from both or none.",
            where=why,
            expected="either `rate_hz` or `duration_s`",
            do="set one of the two in the options of the data set",
        )
    known = rate_hz if rate_hz is not None else duration_s
    try:
        number = float(known)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or number <= 0:
        raise ReaderError(
            what=f"{known!r} is not a usable sampling rate or duration.",
            where=why,
            expected="a positive number",
            do="correct `rate_hz` or `duration_s` in the options of the data set",
        )
    rate = number if rate_hz is not None else n_samples / number
    basis = f"a rate of {rate:.6g} Hz" if rate_hz is not None else f"a duration of {number:g} s"
    note = f"not in the file: {n_samples} samples at {rate:.6g} Hz, derived from {basis} ({why})"
    return np.arange(n_samples) / rate, {"time": note}
