"""Recordings in files of nobody's layout: which array or column is traces, time, labels; for `allometry inspect`."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry.homogenize.lines import is_number
from allometry.homogenize.look import GUESS, LIKELY, Array, Files, Finding, Peek, one_store, plain
from allometry.homogenize.worm.neurons import NEURONS

TRACES = (
    "traces",
    "trace",
    "dff",
    "df_f",
    "dfof",
    "f",
    "fluorescence",
    "calcium",
    "activity",
    "data",
    "signal",
    "spks",
    "c",
)
TIMES = (
    "time",
    "times",
    "t",
    "timestamps",
    "timestamp",
    "time_s",
    "t_s",
    "seconds",
    "sec",
    "time_sec",
    "time_ms",
    "tv",
)
TIMES_LONG = (
    "timevectorseconds",
    "time_vector",
    "frame_times",
    "timevector",
    "time_seconds",
    "time_stamp",
    "time_stamps",
)
FRAMES = ("frame", "frames", "frame_number", "frame_no")
NAMES = (
    "labels",
    "label",
    "names",
    "name",
    "neurons",
    "neuron",
    "ids",
    "id",
    "neuron_names",
    "cell",
    "cells",
    "roi",
    "rois",
)
_TIMES_ACROSS = ("time", "times", "t", "time_s", "t_s", "seconds")
_TABLES = ("text", "xlsx", "xls", "parquet", "feather")
_MILLISECONDS = ("time_ms", "t_ms", "ms")
_NO_TIME = "there is no time in the file: one sample counts as one second until `native_rate_hz` says the rate"


def recognise(files: Files) -> list[Finding]:
    """Tables, NPZ, MATLAB and HDF5 files with a matrix that could be traces, one finding per set of equal options."""
    found: dict[str, tuple[list[Path], dict[str, Any]]] = {}
    for path in files.paths:
        peek = files.peek(path)
        alone = len(files.paths) == 1
        guess = _of_table(peek) if peek.form in _TABLES else _of_array(peek, alone) or _of_arrays(peek)
        if guess is not None:
            key = repr(sorted((name, guess[name]) for name in ("options", "doubts", "certainty", "species")))
            found.setdefault(key, ([], guess))[0].append(path)
    made = []
    for paths, guess in found.values():
        what = f"traces in {'a file' if len(paths) == 1 else f'{len(paths)} files'} of {guess.pop('form')}"
        made += one_store(what, paths, "activity", **guess)
    return made


def _of_table(peek: Peek) -> dict[str, Any] | None:
    """A table of numbers: columns are ROIs, or rows are."""
    if peek.form in ("parquet", "feather"):
        numeric = [array.kind == "number" for array in peek.arrays.values()]
        whole = len(numeric) > 1 and all(numeric) and max(array.shape[0] for array in peek.arrays.values()) > 3
        return _columns(list(peek.arrays), None, True, peek.form.capitalize()) if whole else None
    listed = next(iter(peek.sheets.values())) if len(peek.sheets) == 1 else peek.rows
    form = "a workbook" if peek.sheets else "text"
    rows = [row for row in listed if len(row) == len(listed[0])] if listed else []
    suffixes = (".xlsx", ".xls") if peek.sheets else (".csv", ".tsv", ".txt")
    if peek.packed or peek.path.suffix.lower() not in suffixes or len(rows) < 4 or len(rows[0]) < 2:
        return None
    units = not any(map(_number, filter(None, rows[1]))) and all(map(_number, filter(None, rows[2])))
    body = rows[2:] if units else rows[1:]
    numeric = [all(map(_number, filter(None, column))) and any(column) for column in zip(*body)]
    if all(numeric):
        header = not all(map(_number, rows[0]))
        names = rows[0] if header else [str(number + 1) for number in range(len(rows[0]))]
        made = _columns(names, list(zip(*(body if header else rows))), header, form)
        if made is not None and units:
            made["options"] = {**made["options"], "unit_row": True}
        return made and _encoded(made, peek)
    square = [row[0] for row in rows[1:]] == list(rows[0][1 : len(rows)])  # pairs: a matrix of nodes
    if not numeric[0] and all(numeric[1:]) and len(numeric) > 10 and not square:
        options: dict[str, Any] = {"orientation": "roi"} | ({"labels": rows[0][0]} if rows[0][0] else {})
        across = plain(rows[0][0]) in _TIMES_ACROSS and all(map(_number, rows[0][1:])) and _increases(rows[0][1:])
        doubts = ["the numbers of the header line are taken for the time, in s"] if across else [_NO_TIME]
        options |= {} if across else {"native_rate_hz": 1.0}
        made = _guess(f"{form}, a row per ROI", options, doubts, GUESS, [row[0] for row in rows[1:]])
        return _encoded(made, peek)
    return None


def _encoded(made: dict[str, Any], peek: Peek) -> dict[str, Any]:
    """With the encoding of a text that is not UTF-8."""
    if "encoding" in peek.attrs and peek.form == "text":
        made["options"] = {**made["options"], "encoding": peek.attrs["encoding"]}
        made["doubts"] = (*made["doubts"], "the text is not UTF-8: letters beyond ASCII are read as latin-1")
    return made


def _number(cell: str) -> bool:
    """Whether a field is a number, with a point or a comma before its fraction."""
    return is_number(cell) or is_number(cell.replace(",", ".", 1))


def _columns(
    names: Sequence[str], columns: list[tuple[str, ...]] | None, header: bool, form: str
) -> dict[str, Any] | None:
    lower = [plain(name) for name in names]
    at = next((lower.index(name) for name in (*TIMES, *TIMES_LONG) if name in lower), None)
    frames = next((lower.index(name) for name in FRAMES if name in lower), None) if at is None else None
    certainty = LIKELY if (at if frames is None else frames) is not None and header else GUESS
    doubts = []
    if at is None and frames is None and columns is not None and _increases(columns[0]):
        at = 0
        doubts.append(f"column {names[0]!r} is taken for the time, in s, because it increases")
    if len(names) < 2:
        return None
    options: dict[str, Any] = {} if header else {"header": False}
    if frames is not None:
        at = frames
        options |= {"time": names[at], "time_is": "frames", "native_rate_hz": 1.0}
        doubts.append(f"column {names[at]!r} counts frames: `native_rate_hz` says how many are in a second")
    elif at is None:
        options["native_rate_hz"] = 1.0
        doubts.append(_NO_TIME)
    elif names[at] != "time":
        options["time"] = names[at]
    if at is not None and lower[at] in _MILLISECONDS:
        options["time_unit"] = "ms"
    if not header:
        doubts.append("there is no line of names: columns are named by their numbers, from 1")
    return _guess(f"{form}, a column per ROI", options, doubts, certainty, [n for i, n in enumerate(names) if i != at])


def _increases(column: Sequence[str]) -> bool:
    values = [float(cell.replace(",", ".", 1)) for cell in column if cell]
    return len(values) > 3 and all(b > a for a, b in itertools.pairwise(values))


def _of_array(peek: Peek, alone: bool) -> dict[str, Any] | None:
    """A matrix in a .npy file that is called as traces are, or lies by itself."""
    shapes = [array.shape for array in peek.arrays.values() if array.kind == "number" and _is_matrix(array.shape)]
    if peek.form != "npy" or not shapes or not (alone or plain(peek.path.stem) in TRACES):
        return None
    rows_are_time = shapes[0][0] >= shapes[0][1]
    options = {"native_rate_hz": 1.0} | ({} if rows_are_time else {"orientation": "roi"})
    doubts = [_NO_TIME, f"{'rows' if rows_are_time else 'columns'} are taken for samples: there are more of them"]
    return _unlabelled(_guess("NPY", options, doubts, GUESS, ()))


def _of_arrays(peek: Peek) -> dict[str, Any] | None:
    """Matrices by name and shape, with a vector as long as one of their sides."""
    if peek.form not in ("npz", "mat", "hdf5") or peek.path.suffix.lower() == ".nwb":
        return None
    arrays = {name: array for name, array in peek.arrays.items() if array.kind != "group"}
    matrices = {
        name: array.shape for name, array in arrays.items() if array.kind == "number" and _is_matrix(array.shape)
    }
    name = _chosen(matrices)
    if not name:
        return None
    shape = matrices[name]
    time = _vector(arrays, TIMES + TIMES_LONG, shape, "number")
    label = _vector(arrays, NAMES, shape, "text")
    rows_are_time = _rows_are_time(shape, time, label, arrays)
    options: dict[str, Any] = {"traces": _as_option(peek, name)}
    doubts = [] if len(matrices) == 1 else [f"the file has {len(matrices)} matrices: {', '.join(list(matrices)[:8])}"]
    if not rows_are_time:
        options["orientation"] = "roi"
    if time:
        options |= {"time": _as_option(peek, time)}
        options |= {"time_unit": "ms"} if plain(time) in _MILLISECONDS else {}
    else:
        options |= {"time": None, "native_rate_hz": 1.0}
        doubts.append(_NO_TIME)
        doubts.append(f"{'rows' if rows_are_time else 'columns'} are taken for samples: there are more of them")
    options |= {"labels": _as_option(peek, label) if label else None}
    form = {"npz": "NPZ", "mat": "MATLAB", "hdf5": "HDF5"}[peek.form]
    certainty = LIKELY if time and plain(name.rsplit("/", 1)[-1]) in TRACES else GUESS
    facts = (f"{name} {' x '.join(map(str, shape))}", *(f"{x} {arrays[x].shape}" for x in (time, label) if x))
    guess = _guess(
        form, {k: v for k, v in options.items() if (k, v) != (k, _DEFAULT.get(k, "?"))}, doubts, certainty, ()
    )
    return guess | {"facts": facts} if label else _unlabelled(guess) | {"facts": facts}


_DEFAULT: Mapping[str, Any] = {"time": "time", "labels": "labels"}


def _unlabelled(guess: dict[str, Any]) -> dict[str, Any]:
    guess["doubts"] = (*guess["doubts"], "no names of the ROIs were found")
    return guess


def _is_matrix(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and min(shape) > 1 and max(shape) > 10


def _chosen(matrices: Mapping[str, tuple[int, ...]]) -> str:
    """Name of the traces: by its name, else the only one, else the largest."""
    by_name = {plain(name.rsplit("/", 1)[-1]): name for name in reversed(list(matrices))}
    named = next((by_name[name] for name in TRACES if name in by_name), "")
    return named or max(matrices, key=lambda name: matrices[name][0] * matrices[name][1], default="")


def _vector(arrays: Mapping[str, Array], names: Sequence[str], shape: tuple[int, ...], kind: str) -> str:
    """A vector as long as one side of the matrix, by its name; of text also by its length alone."""
    fitting = [name for name, array in arrays.items() if array.kind == kind and _length(array.shape) in shape]
    named = [name for name in fitting if plain(name.rsplit("/", 1)[-1]) in names]
    return next(iter(named), fitting[0] if kind == "text" and fitting else "")


def _length(shape: tuple[int, ...]) -> int:
    long = [length for length in shape if length != 1]
    return long[0] if len(long) == 1 else -1


def _rows_are_time(shape: tuple[int, ...], time: str, label: str, arrays: Mapping[str, Array]) -> bool:
    if time and shape[0] != shape[1]:
        return _length(arrays[time].shape) == shape[0]
    if label and shape[0] != shape[1]:
        return _length(arrays[label].shape) == shape[1]
    return shape[0] >= shape[1]


def _as_option(peek: Peek, name: str) -> str:
    """How the reader `generic` names it: with points in MATLAB files of structs."""
    matlab = peek.form == "mat" or (peek.form == "hdf5" and peek.path.suffix.lower() == ".mat")
    return name.replace("/", ".") if matlab else name


def _guess(
    form: str, options: dict[str, Any], doubts: list[str], certainty: int, labels: Sequence[str]
) -> dict[str, Any]:
    worm = _worm(labels)
    names = {"species": "Caenorhabditis elegans"} if worm else {"species": ""}
    if worm:
        doubts = [*doubts, "the names are those of C. elegans neurons: the species is taken from them"]
    return {"form": form, "options": options, "doubts": tuple(doubts), "certainty": certainty, **names}


def _worm(labels: Sequence[str]) -> bool:
    """Whether most names are of neurons of C. elegans, numbered as in VB2 or VB02."""
    named = [label.upper().rstrip("?") for label in labels if label and not label.isdigit()]
    known = {*NEURONS, *(f"{name[:-1]}0{name[-1]}" for name in NEURONS if name[-1].isdigit())}
    return len(named) > 2 and sum(label in known for label in named) > 0.6 * len(named)
