"""What a reader finds in a file for one recording, and the checks every recording passes: shapes, numbers, time, extras."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.traces import labels, timebase
from allometry.homogenize.traces.blocks import Blocks, beyond_float32, runs


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
"""Samples up to which a recording is held as float64. A larger one is held as float32, as it is stored, or, of readers that give
`Blocks` (LFP), not at all."""

RESERVED = frozenset({"time", "trace", "label", "label_confidence", "label_raw", "label_candidates", "roi"})


@dataclass
class RawRecording:
    """One recording as a reader finds it in its file.

    Parameters
    ----------
    name : str
        Name of the recording, unique within the source.
    trace : array_like or Blocks, (time, roi)
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
) -> tuple[RawRecording, timebase.TimeBase, npt.NDArray[np.float64] | Blocks, float]:
    """Traces as (time, roi) with a time axis of the same length and the share of missing samples, or a clear error."""
    where = f"{raw.where}, recording {raw.name}" if raw.name not in raw.where else raw.where
    trace = raw.trace if isinstance(raw.trace, Blocks) else _numbers(raw.trace, where)
    n_labels = len(raw.labels)
    if len(trace.shape) != 2 or trace.size == 0:
        raise ReaderError(
            what=f"The traces have shape {trace.shape}.",
            where=where,
            expected=f"(samples, ROIs) with {n_labels} ROIs",
            do="check that the file is complete",
        )
    notes = dict(raw.notes)
    n_time = None if raw.time is None else int(np.size(raw.time))
    turned = trace.shape[1] != n_labels and trace.shape[0] == n_labels and n_time in (None, trace.shape[1])
    if turned and not isinstance(trace, Blocks):
        notes["orientation"] = f"stored as (ROIs, samples) = {trace.shape}; transposed"
        trace = trace.T
    if trace.shape[1] != n_labels:
        raise ReaderError(
            what=f"Traces of shape {trace.shape} and {n_labels} labels do not fit.",
            where=where,
            expected="one label per ROI",
            do="check labels and traces in the file; unlabelled ROIs need an empty label",
        )
    time, trace, unit, more = _time_of(raw, trace, chosen, where)
    beyond, finite = _bounded(trace)
    if beyond:
        notes["infinite_values"] = f"{beyond} samples, infinite or beyond 3.4e38, were set to NaN"
    empty = int((finite == 0).sum())
    if empty:
        notes["rois_without_data"] = empty
    if empty == trace.shape[1]:
        raise ReaderError(
            what="No ROI has a single finite sample.",
            where=where,
            expected="traces with data",
            do="leave this recording out with the option `leave_out`",
        )
    base = timebase.describe(
        time, where=where, notes={**notes, **more}, unit=unit, max_pause_s=chosen.get("max_pause_s")
    )
    return replace(raw, notes={}, where=where), base, trace, float((trace.size - finite.sum()) / trace.size)


def _numbers(given: Any, where: str) -> npt.NDArray[np.floating[Any]]:
    """Traces in memory as floating numbers."""
    try:
        trace = np.asarray(given)
        if trace.dtype.kind == "c":
            raise TypeError("complex numbers")
        large = trace.size > WHOLE
        own = large and trace.flags.owndata and trace.flags.writeable  # what a reader made, for this recording alone
        return trace.astype(np.float32 if large else np.float64, copy=not own)
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="The traces are not numeric.",
            where=where,
            expected="numbers",
            do="check the field that holds the traces",
        ) from error


def _bounded(trace: npt.NDArray[np.floating[Any]] | Blocks) -> tuple[int, npt.NDArray[np.int64]]:
    """Set what float32 cannot hold to NaN (`Blocks` do so themselves); how many samples that were, and finite ones by ROI."""
    count, finite = 0, np.zeros(trace.shape[1], np.int64)
    for start, stop in runs(trace.shape):
        block = trace.read(start, stop) if isinstance(trace, Blocks) else trace[start:stop]
        beyond = beyond_float32(block)
        count += int(beyond.sum())
        if not isinstance(trace, Blocks):
            block[beyond] = np.nan
        finite += (np.isfinite(block) & ~beyond).sum(axis=0)
    return count, finite


def _time_of(
    raw: RawRecording, trace: Any, chosen: Mapping[str, Any], where: str
) -> tuple[npt.NDArray[Any], Any, str | None, dict[str, Any]]:
    """Time stamps, the traces at them, the unit of the stamps, and what was inferred."""
    if raw.time is not None and np.size(raw.time) > 0:
        time, keep, note = timebase.match_length(raw.time, trace.shape[0], policy=chosen["length_policy"], where=where)
        if isinstance(trace, Blocks):
            return time, replace(trace, shape=(keep, trace.shape[1])), raw.time_unit or chosen.get("time_unit"), note
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
