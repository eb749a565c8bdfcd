"""What a reader finds in a file for one recording, and the checks every recording passes: shapes, numbers, time, extras."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.traces import labels, timebase


@dataclass(frozen=True)
class Pending:
    """A recording that is read when its turn comes; its name is known before, so that it can be left out unread.

    Parameters
    ----------
    name : str
        Name that the recording will have.
    load : callable
        Reads it.
    file : str
        Name of its file, by which it can be left out, too.
    """

    name: str
    load: Callable[[], "RawRecording"]
    file: str = ""

    def __call__(self) -> "RawRecording":
        """Read it."""
        return self.load()


WHOLE = 2**24
"""Samples up to which a recording is held as float64; a larger one (LFP) is held as float32, as it is stored."""

RESERVED = frozenset({"time", "trace", "label", "label_confidence", "label_raw", "label_candidates", "roi"})


@dataclass
class RawRecording:
    """One recording as a reader finds it in its file.

    Parameters
    ----------
    name : str
        Name of the recording, unique within the source.
    trace : array_like, (time, roi)
        Samples; NaN is missing.
    time : array_like, (time,), optional
        In the clock of the file; None if the file has no time.
    labels : sequence, (roi,)
        As in the file, in any form (str, bytes, None, NaN).
    where : str
        File and place, for messages.
    confidence : sequence of float, (roi,), optional
        Confidence of the labels in the source's own scale.
    time_unit : str, optional
        Unit of `time` where the reader knows it (one of `timebase.UNITS`); None: as the options say.
    units : str, optional
        Unit of the traces where the file says it.
    rate_hz, duration_s : float, optional
        For a file without time: what is known from elsewhere, and `why`.
    extra : dict
        Positions, behaviour, stimulus: name -> (dims, values, attrs), dims `time`, `roi` or own ones; one that is the name of
        another extra is shared with it (the time of a side channel).
    metadata : dict
        Scalars about the recording.
    notes : dict
        What the reader inferred or left out.
    """

    name: str
    trace: Any
    time: Any
    labels: Sequence[Any]
    where: str
    confidence: Any = None
    time_unit: str | None = None
    units: str | None = None
    rate_hz: float | None = None
    duration_s: float | None = None
    why: str = ""
    extra: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def confidences(values: Any, n_roi: int, where: str) -> npt.NDArray[np.float64]:
    """Confidences of the labels as numbers, one per ROI."""
    try:
        out = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        out = np.zeros(0)
    if out.size != n_roi:
        raise ReaderError(
            what=f"The confidences of the labels do not fit {n_roi} ROIs.",
            where=where,
            expected="one number per ROI",
            do="check the label table",
        )
    return out


def checked(
    raw: RawRecording, chosen: Mapping[str, Any]
) -> tuple[RawRecording, timebase.TimeBase, npt.NDArray[np.float64]]:
    """Traces as (time, roi) with a time axis of the same length, or a clear error."""
    where = f"{raw.where}, recording {raw.name}" if raw.name not in raw.where else raw.where
    try:
        trace = np.asarray(raw.trace)
        if trace.dtype.kind == "c":
            raise TypeError("complex numbers")
        large = trace.size > WHOLE
        own = large and trace.flags.owndata and trace.flags.writeable  # what a reader made, for this recording alone
        trace = trace.astype(np.float32 if large else np.float64, copy=not own)
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="The traces are not numeric.",
            where=where,
            expected="numbers",
            do="check the field that holds the traces",
        ) from error
    n_labels = len(raw.labels)
    if trace.ndim != 2 or trace.size == 0:
        raise ReaderError(
            what=f"The traces have shape {trace.shape}.",
            where=where,
            expected=f"(samples, ROIs) with {n_labels} ROIs",
            do="check that the file is complete",
        )
    notes = dict(raw.notes)
    n_time = None if raw.time is None else int(np.size(raw.time))
    if trace.shape[1] != n_labels and trace.shape[0] == n_labels and n_time in (None, trace.shape[1]):
        notes["orientation"] = f"stored as (ROIs, samples) = {trace.shape}; transposed"
        trace = trace.T
    if trace.shape[1] != n_labels:
        raise ReaderError(
            what=f"Traces of shape {trace.shape} and {n_labels} labels do not fit.",
            where=where,
            expected="one label per ROI",
            do="check labels and traces in the file; unlabelled ROIs need an empty label",
        )
    beyond, some = _bounded(trace)
    if beyond:
        notes["infinite_values"] = f"{beyond} samples, infinite or beyond 3.4e38, were set to NaN"
    empty = int((~some).sum())
    if empty:
        notes["rois_without_data"] = empty
    if empty == trace.shape[1]:
        raise ReaderError(
            what="No ROI has a single finite sample.",
            where=where,
            expected="traces with data",
            do="leave this recording out with the option `leave_out`",
        )
    time, trace, unit, more = _time_of(raw, trace, chosen, where)
    base = timebase.describe(
        time, where=where, notes={**notes, **more}, unit=unit, max_pause_s=chosen.get("max_pause_s")
    )
    return replace(raw, notes={}, where=where), base, trace


def _bounded(trace: npt.NDArray[np.floating[Any]]) -> tuple[int, npt.NDArray[np.bool_]]:
    """Set what float32 cannot hold to NaN; how many samples that were, and which ROIs have a finite one."""
    count, some = 0, np.zeros(trace.shape[1], bool)
    rows = max(1, 2**20 // trace.shape[1])
    for start in range(0, trace.shape[0], rows):
        block = trace[start : start + rows]
        size = np.abs(block)
        beyond = (size > np.finfo(np.float32).max) | np.isinf(size)
        count += int(beyond.sum())
        block[beyond] = np.nan
        some |= np.isfinite(block).any(axis=0)
    return count, some


def _time_of(
    raw: RawRecording, trace: npt.NDArray[np.float64], chosen: Mapping[str, Any], where: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], str | None, dict[str, Any]]:
    """Time stamps, the traces at them, the unit of the stamps, and what was inferred."""
    if raw.time is not None and np.size(raw.time) > 0:
        time, keep, note = timebase.match_length(raw.time, trace.shape[0], policy=chosen["length_policy"], where=where)
        return time, trace[:keep], raw.time_unit or chosen.get("time_unit"), note
    # The published rate of a collection says nothing about a recording of the user's own.
    rate, duration, why = (None, None, "") if chosen.get("own_files") else (raw.rate_hz, raw.duration_s, raw.why)
    if chosen["native_rate_hz"] is not None or chosen["duration_s"] is not None:
        rate, duration, why = chosen["native_rate_hz"], chosen["duration_s"], "given by the options of the data set"
    if rate is None and duration is None:
        raise ReaderError(
            what="The recording has no time.",
            where=where,
            expected="time stamps, or a known sampling rate",
            do="set the option `native_rate_hz` (Hz) or `duration_s` (s) of the data set; it is recorded as derived",
        )
    time, note = timebase.derive_time(trace.shape[0], rate_hz=rate, duration_s=duration, why=why)
    return time, trace, "s", note


def extras(raw: RawRecording, given: labels.Assignment, shape: tuple[int, ...]) -> dict[str, Any]:
    """Native arrays besides the trace: labels as in the file, positions, behaviour; dimensions renamed where they differ."""
    out: dict[str, Any] = {
        "label_raw": ("roi", np.array(given.raw, dtype=object), {}),
        "label_candidates": ("roi", np.array(given.candidates, dtype=object), {}),
    }
    sizes = {"time": shape[0], "roi": shape[1]}
    for name, item in raw.extra.items():
        dims = (item[0],) if isinstance(item[0], str) else tuple(item[0])
        values = np.asarray(item[1])
        attrs = dict(item[2]) if len(item) > 2 else {}
        key = "".join(sign if sign.isalnum() or sign == "_" else "_" for sign in name)
        key = f"{key}_" if key in RESERVED else key
        if values.ndim == 0 or values.ndim != len(dims) or values.dtype.kind not in "biufSUOT" or values.size == 0:
            continue
        if dims[0] == "time" and values.shape[0] > sizes["time"]:
            values = values[: sizes["time"]]
        dims = tuple(d if size == sizes.get(d, size) else f"{key}_{d}" for d, size in zip(dims, values.shape))
        dims = tuple(d if d in sizes or d in raw.extra or d.startswith(key) else f"{key}_{d}" for d in dims)
        out[key] = (dims, values, attrs)
    return out
