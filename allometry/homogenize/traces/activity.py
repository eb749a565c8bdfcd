"""The one path from what a reader found in its files to a valid Activity store.

A reader only maps fields into `RawRecording`. Time axis, orientation, labels, duplicates, resampling, masks and the
record of everything that was inferred are dealt with here, the same way for every source. Recordings are independent
Dask tasks; how many run at a time is for `homogenize.run` to say.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import compute
from dask.delayed import delayed

from allometry import stores
from allometry.errors import ReaderError
from allometry.hints import nearest
from allometry.homogenize.options import Options, choice, complete, listed, quantity
from allometry.homogenize.reader import Source
from allometry.homogenize.traces import imputation, labels, simeon2024, timebase
from allometry.homogenize.traces.blocks import Blocks
from allometry.homogenize.traces.recordings import Pending, RawRecording, checked, confidences, extras
from allometry.homogenize.traces.resample import check_length, resample
from allometry.homogenize.worm.neurons import NEURONS

log = logging.getLogger("allometry")

OPTIONS: Options = {
    "rate_hz": quantity(3.0, "Common sampling rate of the canonical view, in Hz.", above=0).for_all(),
    "preset": choice(
        "default",
        ("default", "simeon2024"),
        "`default`: anti-aliased resampling, no smoothing, no imputation; `simeon2024`: the steps of that collection.",
    ).for_all(),
    "label_policy": choice(
        "strict",
        ("strict", "nearest", "drop"),
        "Ambiguous labels such as `AWC?`: `strict` keeps them as ambiguous, `nearest` takes the first free name, "
        "`drop` leaves the ROI unlabelled.",
    ).for_all(),
    "length_policy": choice(
        "error",
        ("error", "truncate"),
        "Trace and timestamps of different length: refuse, or cut to the shorter and record it.",
    ).for_all(),
    "impute": choice(
        "none", ("none", "iterative"), "Missing samples: keep NaN and mask, or impute and record."
    ).for_all(),
    "up": choice("band-limited", ("band-limited", "linear"), "Up-sampling to the common rate."),
    "max_gap_s": quantity(None, "Longest gap between samples that is interpolated, s; null: by the rate.", above=0),
    "native_rate_hz": quantity(None, "Rate of a file without times, Hz.", above=0),
    "duration_s": quantity(None, "Length of a recording without times, s: the rate is derived from it.", above=0),
    "time_unit": choice(
        None,
        (None, *timebase.UNITS),
        "Unit of the time stamps (`datenum`: days, as MATLAB counts them); null: seconds, or dates.",
    ),
    "max_pause_s": quantity(
        None, "Longest interval between two samples, s; null: a stamp far off all others is refused.", above=0
    ),
    "empty_view": choice(
        "error",
        ("error", "keep"),
        "A recording of which no neuron is on the canonical axis: refuse it, or keep it at its native rate alone.",
    ).for_all(),
    "leave_out": listed((), "Names of recordings, or of files, that are not read."),
}
"""Options that every activity reader has."""

LEFT_OUT = "left out by the options"
Lazy = RawRecording | Pending | Callable[[], RawRecording]


def left_out(options: Mapping[str, Any]) -> set[str]:
    """Names of the recordings and files that the options leave out: for readers that open files before `build`."""
    names = options.get("leave_out") or ()
    return {names} if isinstance(names, str) else {str(name) for name in names}


def of_files(
    files: Mapping[str, Path], options: Mapping[str, Any], read: Callable[[str, Path], Sequence[Lazy]]
) -> list[Lazy]:
    """Recordings of files that must be opened to know which they hold; a file that `leave_out` names is not opened.

    Parameters
    ----------
    files : mapping
        Files by name.
    options : mapping
        Options as a reader gets them.
    read : callable
        `read(name, path)` -> recordings of one file.
    """
    names = left_out(options)
    found: list[Lazy] = []
    for name, path in sorted(files.items()):
        found += [Pending(name, _unread, name)] if name in names else read(name, path)
    return found


def _unread() -> RawRecording:
    raise AssertionError("a file that was left out is not read")


def build(
    found: Sequence[Lazy],
    source: Source,
    options: Mapping[str, Any],
    *,
    files: Mapping[str, Path],
    title: str,
    neurons: Sequence[str] = NEURONS,
    units: str | None = "1",
    parameters: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Make an Activity store of what a reader found.

    Parameters
    ----------
    found : sequence of RawRecording, or of functions that load one
        The recordings; functions are called inside the Dask tasks. A `Pending` one is not read if it is left out.
    source : Source
        Registry entry.
    options : mapping
        Options as a reader gets them; those of `OPTIONS` are used here.
    files : mapping
        Files that were used.
    title : str
        Title of the store.
    neurons : sequence of str
        Canonical axis.
    units : str, optional
        Units of the traces; None: as the files say, 1 where they do not.
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
    chosen = complete(OPTIONS, {key: value for key, value in options.items() if key in OPTIONS}, source.name)
    chosen["own_files"] = source.own
    names = left_out(options)
    tasks = [delayed(_one, pure=False)(item, tuple(neurons), chosen, names) for item in found]
    done = compute(*tasks, scheduler="threads") if tasks else ()
    skipped = {one.name: one.skipped for one in done if one.skipped}
    recordings = [one.recording for one in done if one.recording is not None]
    _all_met(names, {text for one in done for text in (one.name, one.file)}, source.name)
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
    kept = {key: chosen[key] for key in OPTIONS if key != "leave_out"} | {
        "rate_hz": rate,
        "leave_out": sorted(names),
    }
    if chosen["preset"] == "simeon2024":  # what the preset did, whatever the other options say
        kept |= {"label_policy": "nearest", "impute": "iterative", "up": "linear"}
    attrs = source.attrs(title, {**kept, **(parameters or {})}, _summary(recordings, skipped), dict(files))
    if chosen["preset"] == "simeon2024":
        units = "1"
    elif units is None:
        units = _units({one.name: one.units for one in done if one.recording is not None}, source.name)
    tree = stores.activity(recordings, neurons, rate, attrs=attrs, units=units)
    if not isinstance(tree, xr.DataTree):
        raise TypeError("stores.activity must return a DataTree")
    return tree


@dataclass(frozen=True)
class _Done:
    """One recording after its treatment: the recording, or why it was skipped."""

    name: str
    file: str
    recording: stores.Recording | None = None
    skipped: str = ""
    units: str | None = None


def _one(item: Lazy, neurons: tuple[str, ...], chosen: Mapping[str, Any], names: set[str]) -> _Done:
    """Process one recording."""
    if isinstance(item, Pending) and names & {item.name, item.file}:
        return _Done(item.name, item.file, skipped=LEFT_OUT)
    raw = item if isinstance(item, RawRecording) else item()
    file = raw.where.split(",")[0]
    if names & {raw.name, file}:
        return _Done(raw.name, file, skipped=LEFT_OUT)
    trace: npt.NDArray[Any] | Blocks
    raw, base, trace, missing = checked(raw, chosen)
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
            return _Done(raw.name, file, skipped=reason)
    if preset or chosen["impute"] == "iterative":
        trace, note = imputation.iterative(trace.whole() if isinstance(trace, Blocks) else trace)
        missing = float(np.count_nonzero(~np.isfinite(trace)) / trace.size)
        notes.update(note)
    place = {name: index for index, name in enumerate(neurons)}
    rois = [roi for roi, name in enumerate(given.label) if name]
    slots = [place[given.label[roi]] for roi in rois]
    extra_views: dict[str, npt.NDArray[np.float32]] = {}
    _check_named(raw, given, neurons, chosen)
    check_length(base.time, simeon2024.FINEST_HZ if preset else chosen["rate_hz"], len(rois), raw.where)
    if preset and not isinstance(trace, Blocks):
        time, views = simeon2024.process(trace[:, rois], base.time)
        values, method = views.pop("trace"), simeon2024.METHOD
        extra_views = views
    else:
        named = trace
        if len(rois) < trace.shape[1]:  # else a copy as large as the recording
            named = trace.columns(rois) if isinstance(trace, Blocks) else trace[:, rois]
        out = resample(named, base.time, chosen["rate_hz"], up=chosen["up"], max_gap_s=chosen["max_gap_s"])
        time, values, method = out.time, out.trace, out.method
    if rois and chosen["empty_view"] == "error" and not np.isfinite(values).any():
        raise ReaderError(
            what="Nothing of this recording reaches the canonical view: its named ROIs have no two samples near enough.",
            where=raw.where,
            expected=f"samples at most {chosen['max_gap_s'] or 'one new or 1.5 native intervals'} s apart",
            do="raise `max_gap_s`, or set `empty_view: keep` to store the recording at its native rate alone",
        )
    notes["resampling"] = method
    on_axis: dict[str, Any] = {name: (("sample", "neuron"), view, {"units": "1"}) for name, view in extra_views.items()}
    recording = stores.Recording(
        name=raw.name,
        time=base.time,
        trace=trace.variable() if isinstance(trace, Blocks) else trace.astype(np.float32, copy=False),
        label=given.label,
        resampled=values,
        slots=np.array(slots, dtype=np.int64),
        rate_hz=base.rate_hz,
        label_confidence=None if confidence is None else confidence.astype(np.float32),
        metadata={"file": file, "missing_fraction": missing, **raw.metadata},
        extra=extras(raw, given, trace.shape),
        resampled_extra=on_axis,
        resampled_time=time,
        attrs={"derived": notes},
    )
    return _Done(raw.name, file, recording, units=raw.units)


def _check_named(
    raw: RawRecording, given: labels.Assignment, neurons: tuple[str, ...], chosen: Mapping[str, Any]
) -> None:
    """Refuse a recording of which nothing would be in the canonical view, unless that was asked for."""
    if any(given.label) or chosen["empty_view"] == "keep":
        return
    some = [name for name in given.raw if name][:5]
    raise ReaderError(
        what=f"Nothing of this recording reaches the canonical view: none of its {len(given.raw)} ROIs has a name on the axis"
        + (f" (labels such as {', '.join(map(repr, some))})." if some else " (it has no labels)."),
        where=raw.where,
        expected=f"at least one label that is one of {len(neurons)} names such as {', '.join(neurons[:3])}",
        do="check the labels, the `species` and the option `neurons` (generic); leave the recording out with `leave_out`; or set "
        "`empty_view: keep` to store it at its native rate alone",
    )


def _all_met(names: set[str], met: set[str], where: str) -> None:
    """Refuse names in `leave_out` that nothing has: a slip of the pen would leave the recording in."""
    if missed := sorted(names - met):
        near = nearest(missed[0], sorted(met - {""}))
        raise ReaderError(
            what=f"There is no recording or file {missed[0]!r} to leave out.",
            where=f"{where}, leave_out",
            expected=f"one of {', '.join(sorted(met - {''})[:20])}",
            do=f"write {near[0]!r}" if near else "remove it from the option `leave_out`",
        )


def _units(found: Mapping[str, str | None], where: str) -> str:
    """The unit of the traces, which must be one for the whole store."""
    named = {name: unit or "1" for name, unit in found.items()}
    if len(set(named.values())) > 1:
        first, second = (next(n for n, u in named.items() if u == unit) for unit in sorted(set(named.values()))[:2])
        raise ReaderError(
            what=f"The traces have different units: {named[first]!r} ({first}), {named[second]!r} ({second}).",
            where=where,
            expected="one unit",
            do="set the option `units` if they are the same in truth, or make two data sets of them",
        )
    return next(iter(named.values()), "1")


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
    if ask and source.own:
        log.warning(
            "%s: please compare the shapes, rates and labels above with what you know of your files.", source.name
        )
    elif ask:
        log.warning(
            "%s: this reader was written from a description of the layout and never saw a genuine file. "
            "Please check the shapes, rates and labels above against the publication.",
            source.name,
        )
