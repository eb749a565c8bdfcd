"""Time axes of recordings: checked, derived where the file has none, and described.

Nothing is guessed silently: every decision ends up in the `notes` of the returned `TimeBase`, which the reader stores
in the `derived` attribute of the recording.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError

LengthPolicy = Literal["error", "truncate"]
GAP_FACTOR = 1.5  # an interval longer than this many median intervals is a gap: at least one sample is missing
UNITS = {
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
    "min": 60.0,
    "h": 3600.0,
    "days": 86400.0,
    "datenum": 86400.0,
}
"""Units that time stamps come in, in seconds; `datenum` is MATLAB's count of days."""
# Calcium, voltage and BOLD are sampled between these; milliseconds taken for seconds are mostly outside.
SHORTEST_S, LONGEST_S = 2e-5, 10.0
PAUSE_FACTOR = 100  # an interval longer than this many median intervals is a pause, not a few lost samples
PAUSE_SHARE = 10  # a pause this many times as long as all that was recorded is a wrong stamp rather than a pause


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


def describe(
    time: npt.ArrayLike,
    *,
    where: str,
    notes: dict[str, Any] | None = None,
    unit: str | None = None,
    max_pause_s: float | None = None,
) -> TimeBase:
    """Check a time axis and measure interval, jitter and gaps.

    Parameters
    ----------
    time : array_like, shape (n,)
        Time stamps in the clock of the file: numbers, datetimes, or text of datetimes (ISO 8601).
    where : str
        File and recording, for the messages.
    notes : dict, optional
        Facts already recorded about this axis.
    unit : str, optional
        Unit of numbers, one of `UNITS`. None: seconds, which then must be plausible as such.
    max_pause_s : float, optional
        Longest interval between two samples, s. None: whatever is no sign of a wrong stamp (a single sample more than 100
        intervals away from all others, or an interval ten times as long as everything that was recorded).

    Raises
    ------
    ReaderError
        If the axis is not one-dimensional, not finite, not strictly increasing, shorter than two samples, or not
        plausible; it names the sample and its value.
    """
    values = np.asarray(time)
    values = values.squeeze() if values.ndim != 1 else values
    if values.ndim != 1 or values.size < 2:
        raise ReaderError(
            what=f"The time axis has shape {np.shape(time)}.",
            where=where,
            expected="a vector of at least two samples",
            do="check that the file is complete",
        )
    clock = _clock(values, unit, where)
    steps = clock.steps
    if (steps <= 0).any():
        first = int(np.flatnonzero(steps <= 0)[0])
        raise ReaderError(
            what=f"Time does not increase from sample {first} ({clock.shown(first)}) to the next ({clock.shown(first + 1)}).",
            where=where,
            expected="strictly increasing times",
            do="repair the time stamps in the source file, or leave this recording out",
        )
    dt = float(np.median(steps))
    if unit is None and clock.assumed:
        _check_unit(clock, dt, where)
    _check_pauses(clock, dt, max_pause_s, where)
    ordinary = steps[steps <= GAP_FACTOR * dt]
    return TimeBase(
        time=clock.seconds,
        start=clock.start,
        dt=dt,
        jitter=float(np.std(ordinary) / dt),
        gaps=int(np.count_nonzero(steps > GAP_FACTOR * dt)),
        notes={**(notes or {}), **clock.notes},
    )


@dataclass(frozen=True)
class _Clock:
    """Time stamps in seconds from the first one, and as the file has them."""

    values: npt.NDArray[Any]
    seconds: npt.NDArray[np.float64]
    steps: npt.NDArray[np.float64]
    start: float
    unit: str
    assumed: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    def shown(self, sample: int) -> str:
        """Stamp of a sample as in the file."""
        value = self.values[sample]
        return f"{value:.10g} {self.unit}" if self.unit else str(value)


def _clock(values: npt.NDArray[Any], unit: str | None, where: str) -> _Clock:
    if unit is not None and unit not in UNITS:
        raise ReaderError(
            what=f"Unknown unit of time {unit!r}.",
            where=where,
            expected=f"one of {', '.join(UNITS)}",
            do="correct `time_unit` in the options of the data set",
        )
    if values.dtype.kind in "OUST":
        values = _from_text(values, where)
    if values.dtype.kind in "Mm":
        _check_finite(np.isnat(values), where)
        # Whole nanoseconds: as a float a date has lost the microseconds.
        ticks = values.astype(f"{values.dtype.kind}8[ns]").astype(np.int64)
        seconds = (ticks - ticks[0]) / 1e9
        notes = {"time_from": f"datetimes, the first {values[0]}"} if values.dtype.kind == "M" else {}
        return _Clock(values, seconds, np.diff(ticks) / 1e9, float(ticks[0]) / 1e9, "", notes=notes)
    if values.dtype.kind not in "biuf":
        raise _not_numeric(where)
    if values.dtype.kind in "iu" and (values.dtype != np.uint64 or values.max() < 2**63):
        values = values.astype(np.int64)  # differences of unsigned numbers wrap around, and floats round large ones
    else:
        values = values.astype(np.float64)
        _check_finite(~np.isfinite(values), where)
    factor = UNITS[unit or "s"]
    notes = {} if factor == 1 else {"time_unit": f"{unit} in the file, converted to seconds"}
    seconds = (values - values[0]).astype(np.float64) * factor
    steps = np.diff(values).astype(np.float64) * factor
    return _Clock(values, seconds, steps, float(values[0]) * factor, unit or "s", unit is None, notes)


def _from_text(values: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Numbers or datetimes of stamps that are text or Python objects."""
    plain = [
        value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value for value in values.tolist()
    ]
    numbers = [_number(value) for value in plain]
    if None not in numbers:
        return np.array(numbers, dtype=np.float64)
    if numbers[0] is not None:
        bad = np.array([number is None for number in numbers])
    else:
        try:
            # Only the ISO order: 03/04/2024 is a day in March or in April.
            dates = pd.to_datetime(pd.Series(plain, dtype=object), format="ISO8601", utc=True, errors="coerce")
        except (TypeError, ValueError, OverflowError) as error:
            raise _not_numeric(where) from error
        bad = dates.isna().to_numpy()
        if bad.all():
            raise _not_numeric(where)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ReaderError(
            what=f"The time stamp of sample {first} is no time: {str(plain[first])[:40]!r}.",
            where=where,
            expected="numbers, or datetimes such as 2024-05-17T10:00:00.25",
            do="repair the time stamps in the source file",
        )
    return dates.dt.tz_localize(None).to_numpy("datetime64[ns]")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _not_numeric(where: str) -> ReaderError:
    return ReaderError(
        what="The time axis is not numeric.",
        where=where,
        expected="a vector of numbers (option `time_unit`), or of datetimes such as 2024-05-17T10:00:00.25",
        do="check the field that holds the time stamps",
    )


def _check_finite(bad: npt.NDArray[np.bool_], where: str) -> None:
    if bad.any():
        raise ReaderError(
            what=f"The time axis is not finite at sample {int(np.flatnonzero(bad)[0])}.",
            where=where,
            expected="a finite time for every sample",
            do="repair the time stamps in the source file, or leave this recording out",
        )


def _check_unit(clock: _Clock, dt: float, where: str) -> None:
    """Refuse numbers that are hardly seconds, where nobody said that they are."""
    if SHORTEST_S <= dt <= LONGEST_S:
        return
    near = int(np.argmin(np.abs(clock.steps - dt)))
    raise ReaderError(
        what=f"Samples would be {dt:.4g} s apart: sample {near} is at {clock.values[near]:.10g} and sample {near + 1} at "
        f"{clock.values[near + 1]:.10g}, taken as seconds.",
        where=where,
        expected=f"seconds, {SHORTEST_S:g} to {LONGEST_S:g} s from sample to sample",
        do=f"set the option `time_unit` of this data set: {', '.join(UNITS)} (`s` if these are seconds all the same)",
    )


def _check_pauses(clock: _Clock, dt: float, max_pause_s: float | None, where: str) -> None:
    steps = clock.steps
    if max_pause_s is not None:
        wrong = steps > max_pause_s * (1 + 1e-9)
    else:
        pause = steps > PAUSE_FACTOR * dt
        wrong = pause & (steps > PAUSE_SHARE * float(steps[~pause].sum()))
        wrong[0] |= pause[0]
        wrong[-1] |= pause[-1]
    if not wrong.any():
        return
    at = int(np.flatnonzero(wrong)[0])
    lone_first = at == 0 and max_pause_s is None and len(steps) > 1
    sample, side = (0, "before the next") if lone_first else (at + 1, "after the one before")
    raise ReaderError(
        what=f"The time stamp of sample {sample} is {clock.shown(sample)}, {steps[at]:.6g} s {side}; the others are "
        f"{dt:.4g} s apart.",
        where=where,
        expected="time stamps without an outlier" if max_pause_s is None else f"no interval above {max_pause_s:g} s",
        do="repair the time stamp in the source file; if it is a pause of the recording, set `max_pause_s` (s) to its length "
        "in the options of this data set",
    )


def match_length(
    time: npt.ArrayLike, n_samples: int, *, policy: LengthPolicy = "error", where: str
) -> tuple[npt.NDArray[Any], int, dict[str, Any]]:
    """Reconcile the number of time stamps with the number of samples.

    Parameters
    ----------
    time : array_like, shape (n,)
        Time stamps.
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
