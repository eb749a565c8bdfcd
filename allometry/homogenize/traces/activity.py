"""The one path from what a reader found in its files to a valid Activity store.

A reader only maps fields into `RawRecording`. Time axis, orientation, labels, duplicates, resampling, masks and the
record of everything that was inferred are dealt with here, the same way for every source. Recordings are independent
Dask tasks; how many run at a time is for `homogenize.run` to say.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import compute
from dask.delayed import delayed

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source, recording_options, resolve_options
from allometry.homogenize.traces import imputation, labels, simeon2024
from allometry.homogenize.traces.recordings import RawRecording, checked, confidences, extras
from allometry.homogenize.traces.resample import resample
from allometry.homogenize.worm.neurons import NEURONS

log = logging.getLogger("allometry")

DEFAULTS: dict[str, Any] = {
    "rate_hz": 3.0,
    "preset": "default",
    "label_policy": "strict",
    "length_policy": "error",
    "impute": "none",
    "up": "band-limited",
    "max_gap_s": None,
    "native_rate_hz": None,
    "duration_s": None,
    "leave_out": (),
}
"""Options that every activity reader has, with their defaults."""

Lazy = RawRecording | Callable[[], RawRecording]


def build(
    found: Sequence[Lazy],
    source: Source,
    options: Mapping[str, Any],
    *,
    files: Mapping[str, Path],
    title: str,
    neurons: Sequence[str] = NEURONS,
    units: str = "1",
    parameters: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Make an Activity store of what a reader found.

    Parameters
    ----------
    found : sequence of RawRecording, or of functions that load one
        The recordings; functions are called inside the Dask tasks.
    source : Source
        Registry entry.
    options : mapping
        Options of `DEFAULTS`; readers strip their own before.
    files : mapping
        Files that were used.
    title : str
        Title of the store.
    neurons : sequence of str
        Canonical axis.
    units : str
        Units of the traces.
    parameters : mapping, optional
        Options of the reader itself, to be stored.

    Returns
    -------
    xarray.DataTree

    Raises
    ------
    ReaderError
        Everything that is wrong with a recording, with file and recording named.
    """
    chosen = resolve_options(recording_options(options), DEFAULTS, source.name)
    _check_options(chosen, source.name)
    left_out = {str(name) for name in chosen["leave_out"]}
    tasks = [delayed(_one, pure=False)(item, tuple(neurons), chosen, left_out) for item in found]
    done = compute(*tasks, scheduler="threads") if tasks else ()
    skipped = {name: reason for name, _, reason in done if reason}
    recordings = [recording for _, recording, _ in done if recording is not None]
    if not recordings:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:5])
        raise ReaderError(
            what="No recording is left.",
            where=f"{source.name}: {', '.join(sorted(files)) or 'no files'}",
            expected="at least one recording",
            do=reasons or "check that the files hold recordings",
        )
    _unique_names(recordings, source.name)
    _report(recordings, source)
    rate = simeon2024.RATE_HZ if chosen["preset"] == "simeon2024" else float(chosen["rate_hz"])
    kept = {key: chosen[key] for key in DEFAULTS if key != "leave_out"} | {
        "rate_hz": rate,
        "leave_out": sorted(left_out),
    }
    if chosen["preset"] == "simeon2024":  # what the preset did, whatever the other options say
        kept |= {"label_policy": "nearest", "impute": "iterative", "up": "linear"}
    attrs = source.attrs(title, {**kept, **(parameters or {})}, _summary(recordings, skipped), dict(files))
    tree = stores.activity(
        recordings, neurons, rate, attrs=attrs, units="1" if chosen["preset"] == "simeon2024" else units
    )
    if not isinstance(tree, xr.DataTree):
        raise TypeError("stores.activity must return a DataTree")
    return tree


def _check_options(chosen: Mapping[str, Any], where: str) -> None:
    allowed = {
        "preset": ("default", "simeon2024"),
        "label_policy": ("strict", "nearest", "drop"),
        "length_policy": ("error", "truncate"),
        "impute": ("none", "iterative"),
        "up": ("band-limited", "linear"),
    }
    for key, values in allowed.items():
        if chosen[key] not in values:
            raise ReaderError(
                what=f"Option {key} is {chosen[key]!r}.",
                where=where,
                expected=f"one of {', '.join(values)}",
                do=f"correct {key!r} in the options of this data set",
            )
    for key in ("rate_hz", "native_rate_hz", "duration_s", "max_gap_s"):
        value = chosen[key]
        if value is None and key != "rate_hz":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value <= 0:
            raise ReaderError(
                what=f"Option {key} is {value!r}.",
                where=where,
                expected="a positive number",
                do=f"correct {key!r} in the options of this data set",
            )


def _one(
    item: Lazy, neurons: tuple[str, ...], chosen: Mapping[str, Any], left_out: set[str]
) -> tuple[str, stores.Recording | None, str]:
    """Process one recording: (name, recording or None, why it was skipped)."""
    raw = item if isinstance(item, RawRecording) else item()
    if raw.name in left_out:
        return raw.name, None, "left out by the options"
    raw, base, trace = checked(raw, chosen)
    preset = chosen["preset"] == "simeon2024"
    confidence = None if raw.confidence is None else confidences(raw.confidence, trace.shape[1], raw.where)
    given = labels.assign(
        raw.labels,
        neurons,
        policy="nearest" if preset else chosen["label_policy"],
        confidence=None if preset or confidence is None else confidence.tolist(),
        where=raw.where,
    )
    notes = {**raw.notes, **base.notes, **given.notes}
    notes["sampling"] = {"interval_s": base.dt, "jitter": base.jitter, "gaps": base.gaps, "start_s": base.start}
    if preset:
        reason = simeon2024.reason_to_skip(trace.shape[0], given.label)
        if reason:
            return raw.name, None, reason
    if chosen["impute"] == "iterative" or preset:
        trace, note = imputation.iterative(trace)
        notes.update(note)
    place = {name: index for index, name in enumerate(neurons)}
    rois = [roi for roi, name in enumerate(given.label) if name]
    slots = [place[given.label[roi]] for roi in rois]
    extra_views: dict[str, npt.NDArray[np.float32]] = {}
    if preset:
        time, views = simeon2024.process(trace[:, rois], base.time)
        values, method = views.pop("trace"), simeon2024.METHOD
        extra_views = views
    else:
        out = resample(trace[:, rois], base.time, chosen["rate_hz"], up=chosen["up"], max_gap_s=chosen["max_gap_s"])
        time, values, method = out.time, out.trace, out.method
    notes["resampling"] = method
    on_axis: dict[str, Any] = {name: (("sample", "neuron"), view, {"units": "1"}) for name, view in extra_views.items()}
    missing = float(np.mean(~np.isfinite(trace)))
    recording = stores.Recording(
        name=raw.name,
        time=base.time,
        trace=trace.astype(np.float32),
        label=given.label,
        resampled=values,
        slots=np.array(slots, dtype=np.int64),
        rate_hz=base.rate_hz,
        label_confidence=None if confidence is None else confidence.astype(np.float32),
        metadata={"file": raw.where.split(",")[0], "missing_fraction": missing, **raw.metadata},
        extra=extras(raw, given, trace.shape),
        resampled_extra=on_axis,
        resampled_time=time,
        attrs={"derived": notes},
    )
    return raw.name, recording, ""


def _unique_names(recordings: list[stores.Recording], where: str) -> None:
    seen: dict[str, int] = {}
    for recording in recordings:
        name = "".join("_" if sign in "/\\ \t\n" else sign for sign in recording.name).lstrip(".") or "recording"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            raise ReaderError(
                what=f"Two recordings are named {name!r}.",
                where=where,
                expected="unique names",
                do="give the files different names",
            )
        recording.name = name


def _summary(recordings: list[stores.Recording], skipped: Mapping[str, str]) -> dict[str, Any]:
    """What was inferred, by kind: for which recordings, and one of the notes; all are in /native/{recording}."""
    summary: dict[str, Any] = {}
    keys = sorted({key for r in recordings for key in r.attrs["derived"]} - {"sampling", "resampling"})
    for key in keys:
        having = [r for r in recordings if key in r.attrs["derived"]]
        summary[key] = {
            "recordings": [r.name for r in having],
            "first": having[0].attrs["derived"][key],
            "all": "attribute 'derived' of /native/{recording}",
        }
    summary["resampling"] = sorted({str(r.attrs["derived"]["resampling"]) for r in recordings})[:20]
    if skipped:
        summary["skipped"] = dict(skipped)
    return summary


def _report(recordings: list[stores.Recording], source: Source) -> None:
    """Log what was found; for a reader that never saw a genuine file, ask the user to check it."""
    ask = source.verified != "real"
    level = logging.WARNING if ask else logging.INFO
    for recording in recordings:
        named = [name for name in recording.label if name]
        log.log(
            level,
            "%s/%s: %d samples x %d ROIs, %.4g Hz, %d labelled (%s%s)",
            source.name,
            recording.name,
            *recording.trace.shape,
            recording.rate_hz,
            len(named),
            ", ".join(named[:6]),
            ", ..." if len(named) > 6 else "",
        )
    if ask:
        log.warning(
            "%s: this reader was written from a description of the layout and never saw a genuine file. "
            "Please check the shapes, rates and labels above against the publication.",
            source.name,
        )
