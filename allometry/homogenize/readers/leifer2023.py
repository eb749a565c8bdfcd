"""Randi et al. 2023 (Leifer laboratory): three text files per worm.

`{n}_gcamp.txt` (or `_traces`): a line per time point; `{n}_labels.txt`: a line per neuron, blank where it is not
identified; `{n}_t.txt` (or `_time`): seconds. Quirks: some label files are longer than the traces are wide; classes are
named without their side; the label "merge". The collection of Simeon et al. drops neurons with more than 5 % of missing
samples in a row, or with straight segments (someone's interpolation): the option `filter` does the same, the default keeps
every trace and lists them.
"""

import functools
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import flag
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import Pending, RawRecording

KINDS = {"gcamp": "traces", "traces": "traces", "labels": "labels", "t": "time", "time": "time"}
NAN_STRETCH = 0.05
WINDOW = 50


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read all worms.

    Parameters
    ----------
    files : dict
        Text files, three per worm, or a folder of them; others beside them are ignored and named in the log of what is not kept.
    source : Source
        Registry entry.
    options : dict
        Those of every activity reader, and `filter`.
    """
    with folders.of_kind(files, ".txt") as inside:
        worms: dict[str, dict[str, Path]] = {}
        for name, path in inside.items():
            match = re.fullmatch(r"(.+)_([A-Za-z]+)\.txt", name)
            if match and match[2] in KINDS:
                worms.setdefault(match[1], {})[KINDS[match[2]]] = path
        if not worms:
            raise ReaderError(
                what="No worm among the files.",
                where=f"{source.name}: {', '.join(sorted(inside)[:5]) or 'no files'}",
                expected="{n}_gcamp.txt, {n}_labels.txt and {n}_t.txt for each worm",
                do="correct `files` in the registry entry",
            )
        for worm, parts in worms.items():
            missing = {"traces", "labels", "time"} - set(parts)
            if missing:
                raise ReaderError(
                    what=f"Worm {worm} has no {' and no '.join(sorted(missing))} file.",
                    where=source.name,
                    expected="three text files per worm",
                    do="correct `files` in the registry entry",
                )
        order = sorted(worms, key=lambda worm: (len(worm), worm))
        found = [
            Pending(
                _name(worm),
                functools.partial(recording, worm, worms[worm], options["filter"]),
                worms[worm]["traces"].name,
            )
            for worm in order
        ]
        return activity.build(
            found,
            source,
            options,
            files=files,
            title="Randi et al. 2023, whole-brain activity",
            parameters={"filter": options["filter"]},
        )


def _name(worm: str) -> str:
    return f"worm_{worm}"


def recording(worm: str, parts: dict[str, Path], drop: bool) -> RawRecording:
    """Map the three files of one worm."""
    trace = _numbers(parts["traces"], 2)
    time = _numbers(parts["time"], 1)
    try:
        raw = [line.strip() for line in parts["labels"].read_text(encoding="utf-8").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        raise ReaderError(
            what=f"The labels cannot be read ({error}).",
            where=str(parts["labels"]),
            expected="a text file, one line per neuron",
            do="retrieve the file again",
        ) from error
    raw = raw[:-1] if raw and not raw[-1] else raw
    notes: dict[str, Any] = {}
    if len(raw) > trace.shape[1]:
        notes["surplus_labels"] = f"{len(raw)} labels for {trace.shape[1]} traces: the first ones were used"
        raw = raw[: trace.shape[1]]
    raw = ["" if name.lower() == "merge" else name for name in raw]
    gappy, straight = long_gaps(trace), straight_segments(trace)
    if gappy.any():
        notes["gappy_rois"] = f"{int(gappy.sum())} ROIs miss more than 5 % in a row: {np.flatnonzero(gappy).tolist()}"
    if straight.any():
        notes["straight_rois"] = (
            f"{int(straight.sum())} ROIs have straight segments: {np.flatnonzero(straight).tolist()}"
        )
    if drop and len(raw) == trace.shape[1]:
        keep = ~(gappy | straight)
        trace, raw = trace[:, keep], [name for name, good in zip(raw, keep) if good]
        notes["dropped_rois"] = f"{int((~keep).sum())} ROIs were dropped for the reasons above (option filter)"
    return RawRecording(name=_name(worm), trace=trace, time=time, labels=raw, where=parts["traces"].name, notes=notes)


def long_gaps(trace: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """ROIs (n_roi,) with a run of missing samples longer than 5 % of the recording."""
    limit = int(trace.shape[0] * NAN_STRETCH)
    run = np.zeros(trace.shape[1], dtype=np.int64)
    longest = run.copy()
    for row in np.isnan(trace):
        run = np.where(row, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest > limit


def straight_segments(trace: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """ROIs (n_roi,) with a window of 50 samples (staggered by 25) of one slope to three decimals."""
    steps = np.round(np.diff(trace, axis=0), 3)
    found = np.zeros(trace.shape[1], dtype=bool)
    for start in range(0, trace.shape[0] - WINDOW, WINDOW // 2):
        part = steps[start : start + WINDOW - 1]
        found |= np.isfinite(part).all(axis=0) & (part == part[0]).all(axis=0)
    return found


def _numbers(path: Path, ndim: Literal[1, 2]) -> npt.NDArray[np.float64]:
    try:
        return np.loadtxt(path, dtype=np.float64, ndmin=ndim, encoding="utf-8")
    except (OSError, ValueError, UnicodeDecodeError, IndexError) as error:
        raise ReaderError(
            what=f"Not a table of numbers ({str(error)[:150]}).",
            where=str(path),
            expected="numbers, one line per time point, equally many on each line",
            do="retrieve the file again",
        ) from error


def recognise(files: Files) -> list[Finding]:
    """Three text files per worm, by the ends of their names."""
    own: dict[str, dict[str, Path]] = {}
    for path in files.paths:
        match = re.fullmatch(r"(.+)_([A-Za-z]+)\.txt", path.name)
        if match and match[2] in KINDS:
            own.setdefault(match[1], {})[KINDS[match[2]]] = path
    whole = [path for parts in own.values() if len(parts) == 3 for path in parts.values()]
    what = f"activity of {len(whole) // 3} C. elegans in the layout of the Leifer laboratory (Randi et al. 2023)"
    return one_store(what, whole, "activity", species="Caenorhabditis elegans")


OPTIONS = {**activity.OPTIONS, "filter": flag(False, "Drop neurons as the collection does.")}
READER = Reader("leifer2023", ("activity",), read, OPTIONS, recognise=recognise, folders=True)
