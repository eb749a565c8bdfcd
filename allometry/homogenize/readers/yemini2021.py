"""Yemini et al. 2021 (NeuroPAL): three MATLAB v5 files, neurons by class with both sides of all animals in one cell.

`files` names the animals, `neurons` the classes. For each class, `norm_traces` holds one trace per animal (a class without
sides) or the traces of all animals on one side followed by those on the other; `is_L` says which (1 left, 0 right, NaN
none). `fps` is the rate; `stim_names` and `stim_times` are kept where a file has them. The first samples of a trace are exactly 0: they are no data.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import matlab
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, labels
from allometry.homogenize.traces.recordings import RawRecording

FIELDS = ("fps", "files", "neurons", "is_L", "norm_traces")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `Head_Activity_OH15500`, `Head_Activity_OH16230` and `Tail_Activity_OH16230` (.mat).

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    found = activity.of_files(files, options, lambda _, path: read_file(path))
    return activity.build(
        found, source, options, files=files, title="Yemini et al. 2021, NeuroPAL head and tail activity"
    )


def read_file(path: Path) -> list[RawRecording]:
    """Unpack the animals of one file."""
    _, struct, _ = matlab.find_struct(matlab.load(path), [(name,) for name in FIELDS], str(path))
    animals, classes = _strings(struct["files"]), _strings(struct["neurons"])
    packed, sides = struct["norm_traces"], struct["is_L"]
    rate = np.asarray(struct["fps"]).ravel()
    if not isinstance(packed, list) or len(packed) != len(classes) or len(_cells(sides)) != len(classes) or not animals:
        raise _bad(
            path, f"{len(classes)} neurons, {len(_cells(packed))} trace cells and {len(_cells(sides))} side flags"
        )
    if rate.dtype.kind not in "iuf" or rate.size != 1 or not np.isfinite(rate[0]) or rate[0] <= 0:
        raise _bad(path, f"fps is {rate.tolist()!r}")
    found: list[dict[str, npt.NDArray[np.float64]]] = [{} for _ in animals]
    for class_, traces, side in zip(classes, packed, _cells(sides)):
        _unpack(found, class_, _cells(traces), np.asarray(side).ravel(order="F"), path)
    extra, lost = _stimulus(struct)
    out = []
    for animal, traces_of in zip(animals, found):
        if not traces_of:
            continue
        length = max(trace.size for trace in traces_of.values())
        block = np.full((length, len(traces_of)), np.nan)
        for roi, trace in enumerate(traces_of.values()):
            block[: trace.size, roi] = trace
        zeros = _leading_zeros(block)
        block[:zeros] = np.nan
        notes: dict[str, Any] = {"time_from": f"fps of the file ({rate[0]:g} Hz)"}
        if lost:
            notes["not_kept"] = lost
        if zeros:
            notes["leading_zeros"] = f"the first {zeros} samples of every trace are exactly 0 and were set to NaN"
        out.append(
            RawRecording(
                name=f"{path.stem}_{Path(animal).stem}",
                trace=block,
                time=np.arange(length) / float(rate[0]),
                labels=list(traces_of),
                where=path.name,
                metadata={
                    "strain": path.stem.rpartition("_")[2],
                    "part": path.stem.partition("_")[0].lower(),
                    "animal": animal,
                },
                extra=extra,
                notes=notes,
            )
        )
    if not out:
        raise _bad(path, "no animal with a trace")
    return out


def _unpack(
    found: list[dict[str, npt.NDArray[np.float64]]], class_: str, traces: list[Any], side: npt.NDArray[Any], path: Path
) -> None:
    """Give each animal its traces of one class."""
    count = len(found)
    if len(traces) not in (count, 2 * count) or side.dtype.kind not in "biuf":
        raise _bad(path, f"{class_}: {len(traces)} traces for {count} animals")
    flags = side.astype(np.float64)
    if flags.size == len(traces) // count and flags.size != len(traces):
        flags = np.repeat(flags, count)
    if flags.size != len(traces):
        raise _bad(path, f"{class_}: {len(traces)} traces and {flags.size} side flags")
    for place, (flag, item) in enumerate(zip(flags, traces)):
        if not isinstance(item, np.ndarray) or item.dtype.kind not in "biuf":
            raise _bad(path, f"{class_}: trace {place + 1} is not numeric")
        if item.size == 0:
            continue
        name = class_ + ("" if np.isnan(flag) else "L" if flag else "R")
        animal = found[place % count]
        if name in animal:
            raise _bad(path, f"{name} occurs twice in one animal")
        animal[name] = item.ravel().astype(np.float64)


def _stimulus(struct: dict[str, Any]) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Names and times (s) of the stimuli, the same for all animals of a file, and the fields that are not kept."""
    rest = sorted(set(struct) - set(FIELDS))
    names, times = struct.get("stim_names"), struct.get("stim_times")
    if names is None or not isinstance(times, np.ndarray) or times.dtype.kind not in "iuf" or times.ndim != 2:
        return {}, rest
    labels_of = _strings(names)
    if len(labels_of) != times.shape[0]:
        times = times.T
    if len(labels_of) != times.shape[0]:
        return {}, rest
    extra: dict[str, tuple[Any, ...]] = {
        "stimulus": (("presentation",), np.array(labels_of, dtype=object), {}),
        "stimulus_time": (("presentation", "edge"), times.astype(np.float64), {"units": "s"}),
    }
    return extra, [name for name in rest if name not in ("stim_names", "stim_times")]


def _leading_zeros(block: npt.NDArray[np.float64]) -> int:
    """Number of samples at the start that are exactly 0 in every trace."""
    busy = np.flatnonzero((block != 0).any(axis=1))
    return int(busy[0]) if busy.size else 0


def _cells(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _strings(value: Any) -> list[str]:
    return [labels.text(item[0] if isinstance(item, list) and item else item) for item in _cells(value)]


def _bad(path: Path, what: str) -> ReaderError:
    return ReaderError(
        what=f"The cells do not fit: {what}.",
        where=str(path),
        expected="one trace per animal for a class without sides, two for the others, and is_L as long as the cell",
        do="check that the file is complete",
    )


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the source."""
    what = "NeuroPAL activity of C. elegans in the layout of Yemini et al. 2021"
    return one_store(what, files.holding(*FIELDS), "activity", species="Caenorhabditis elegans")


READER = Reader("yemini2021", ("activity",), read, activity.OPTIONS, recognise=recognise)
