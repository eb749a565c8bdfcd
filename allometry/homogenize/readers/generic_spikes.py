"""Lists of spikes, one row each with a unit and a time: CSV, TSV, XLSX, Parquet, Feather, NPZ, and what simulators write.

Without options the names of the columns say what they are: `unit, time` (s); `i, t` of Brian2 (s); `senders, times` of NEST (ms), and
`sender, time_ms` of the files that its recorders write (one per thread and node: all of a source are read together). A file of two
columns without names is `unit, time`, as `.gdf` files are, with the unit of time that the option states. A second table, with a
row per unit, gives the columns of the units: positions, quality, areas.
"""

import re
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.hints import hint
from allometry.homogenize.formats import object_npy
from allometry.homogenize.formats.flat import rows
from allometry.homogenize.look import LIKELY, Files, Finding, Peek, one_store
from allometry.homogenize.options import choice, flag, quantity, text
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.spikes import trains
from allometry.homogenize.traces.timebase import UNITS

OPTIONS = {
    **trains.OPTIONS,
    **rows.OPTIONS,
    "unit": text(None, "Column of the units; null: by its name.", digits=True),
    "time": text(None, "Column of the times; null: by its name.", digits=True),
    "time_unit": choice(None, (None, *UNITS), "Unit of the times; null: as known of the columns' names, else s."),
    "header": flag(True, "Whether the first line of a table names its columns; if not, they are numbered from 1."),
    "step_ms": quantity(None, "Length of a step, ms, where times are steps (`time_step` of NEST).", above=0),
    "units_file": text(None, "Table with a row per unit."),
    "units_label": text("unit", "Column of that table with the labels that the spikes use.", digits=True),
    "duration_s": quantity(None, "Length of the recording, s; null: to the last spike.", above=0),
}
KNOWN = (
    ("unit", "time", "s"),
    ("units", "times", "s"),
    ("unit_id", "time", "s"),
    ("unit_id", "spike_time", "s"),
    ("cluster", "time", "s"),
    ("neuron", "time", "s"),
    ("i", "t", "s"),
    ("senders", "times", "ms"),
    ("sender", "time_ms", "ms"),
    ("sender", "time_step", "step"),
)
"""Names of columns that say what they are: unit, time, and the unit of time."""


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read lists of spikes; those of several files are one recording.

    Parameters
    ----------
    files : dict
        Tables and `.npz` files.
    options : dict
        Those of every reader of spike trains and of tables, and of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes, recorded.

    Raises
    ------
    ReaderError
        A file is no list of spikes, or the options name columns that it has not.
    """
    if options["units_file"] is not None and options["units_file"] not in files:
        raise ReaderError(
            f"file {options['units_file']!r} is not one of the files of the source",
            where=source.name,
            expected=f"one of {', '.join(sorted(files))}",
            do=hint(str(options["units_file"]), files, "add it to the registry entry"),
        )
    labels, times, notes = [], [], dict[str, Any]()
    for name, path in sorted(files.items()):
        if name == options["units_file"]:
            continue
        label, time, more = _npz(path, options) if path.suffix.lower() == ".npz" else _table(path, options)
        labels.append(label)
        times.append(time)
        notes |= more
    if not labels:
        raise ReaderError("there is no list of spikes", where=source.name, expected="a file with a row per spike")
    same = all(part.dtype.kind in "iu" for part in labels)
    if not same:
        labels = [np.array([str(one) for one in part.tolist()], object) for part in labels]
    ids, load, sizes = trains.by_unit(trains.joined(times), trains.joined(labels))
    index = pd.Index(ids.astype(np.int64)) if same else pd.Index([str(one) for one in ids])
    units, load, sizes = _units(files, options, index, load, sizes, notes)
    found = trains.Found(units, load, sizes, source.name, end=options["duration_s"], notes=notes)
    kept = {
        name: options[name] for name in OPTIONS if name not in trains.OPTIONS and options[name] != OPTIONS[name].default
    }
    return trains.build(found, source, options, files=files, title=source.name, parameters=kept)


def _choose(have: list[str], options: dict[str, Any], where: str) -> tuple[str, str, str]:
    """Columns of units and times, and the unit of time."""
    unit, time = (None if options[key] is None else str(options[key]) for key in ("unit", "time"))
    for known_unit, known_time, known in KNOWN:
        if known_unit in have and known_time in have and unit in (None, known_unit) and time in (None, known_time):
            return known_unit, known_time, options["time_unit"] or known
    if unit is None and time is None and len(have) == 2 and have == ["1", "2"]:
        return "1", "2", options["time_unit"] or "s"
    for key, name in (("unit", unit), ("time", time)):
        if name not in have:
            raise ReaderError(
                f"there is no column {name!r}" if name else f"which column is the {key} is not known",
                where=where,
                expected=f"one of {', '.join(have[:20])}",
                do=hint(name or key, have, f"set the option {key!r}"),
            )
    return str(unit), str(time), options["time_unit"] or "s"


def _scale(unit: str, options: dict[str, Any], where: str) -> float:
    if unit != "step":
        return UNITS[unit]
    if options["step_ms"] is None:
        raise ReaderError(
            "times are steps",
            where=where,
            expected="the option `step_ms` with the length of a step, ms",
            do="set it to the resolution of the simulation",
        )
    return float(options["step_ms"]) * 1e-3


def _table(path: Path, options: dict[str, Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], dict[str, Any]]:
    if path.suffix.lower() not in rows.SUFFIXES:
        raise ReaderError(
            f"files of type {path.suffix!r} are no lists of spikes",
            where=str(path),
            expected=f"{', '.join(sorted(rows.SUFFIXES))} or .npz",
            do="convert the file",
        )
    header = options["header"] and path.suffix.lower() != ".gdf"
    table = rows.load(path, options, header)
    if header and all(cell.replace(".", "").isdigit() for cell in table.header):
        raise ReaderError(
            f"the first line has numbers only ({', '.join(table.header[:4])}): it would be lost as a header",
            where=str(path),
            expected="a line with the names of the columns",
            do="set the option `header: false`; the columns are then named by their numbers, from 1",
        )
    unit, time, scale_name = _choose(table.header, options, str(path))
    scale = _scale(scale_name, options, str(path))
    at_unit, at_time = table.header.index(unit), table.header.index(time)
    offset = table.header.index("time_offset") if scale_name == "step" and "time_offset" in table.header else None
    codes: dict[str, int] = {}
    code, times = array("q"), array("d")
    for number, row in enumerate(table.rows, start=table.first):
        try:
            label, value = row[at_unit].strip(), table.number(row[at_time]) * scale
            value += table.number(row[offset]) * 1e-3 if offset is not None else 0.0
        except (ValueError, IndexError) as error:
            raise ReaderError(
                f"no spike: {','.join(row)[:60]!r}",
                where=f"{path}: row {number}",
                expected=f"a unit in column {unit!r} and a number in column {time!r}",
                do="correct the file, or the options `unit`, `time`, `delimiter` and `decimal`",
            ) from error
        if not label:
            raise ReaderError("the unit is empty", where=f"{path}: row {number}", expected=f"a name in column {unit!r}")
        code.append(codes.setdefault(label, len(codes)))
        times.append(value)
    names = list(codes)
    whole = all(name.isdigit() and (name == "0" or name[0] != "0") and len(name) < 19 for name in names)
    labels = np.array([int(name) for name in names], np.int64) if whole else np.array(names, object)
    taken = labels[np.frombuffer(code, np.int64)] if len(code) else np.zeros(0, np.int64)
    notes = {**table.notes, "columns": {"unit": unit, "time": time, "time_unit": scale_name}}
    return taken, np.array(times), notes


def _npz(path: Path, options: dict[str, Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], dict[str, Any]]:
    content = object_npy.load(path)
    unit, time, scale_name = _choose(list(content), options, str(path))
    label, times = np.asarray(content[unit]).ravel(), np.asarray(content[time]).ravel()
    if label.shape != times.shape or times.dtype.kind not in "iuf" or label.dtype.kind not in "iufUSO":
        raise ReaderError(
            f"{len(label)} units of type {label.dtype} and {len(times)} times of type {times.dtype} do not fit",
            where=str(path),
            expected="one unit and one number per spike",
            do="correct the options `unit` and `time`",
        )
    if label.dtype.kind == "f":
        if not (np.isfinite(label).all() and (label == np.rint(label)).all() and (np.abs(label) < 2**53).all()):
            raise ReaderError("units are no whole numbers", where=f"{path}, {unit}", expected="ids or names")
        label = label.astype(np.int64)
    if label.dtype.kind not in "iu":
        label = np.array([one.decode() if isinstance(one, bytes) else str(one) for one in label.tolist()], object)
    notes = {"columns": {"unit": unit, "time": time, "time_unit": scale_name}}
    left = sorted(set(content) - {unit, time})
    if left:
        notes["not_read"] = left  # type: ignore[assignment]
    return label, np.multiply(times, _scale(scale_name, options, str(path)), dtype=np.float64), notes


def _units(
    files: dict[str, Path],
    options: dict[str, Any],
    index: pd.Index,
    load: Any,
    sizes: npt.NDArray[np.int64],
    notes: dict[str, Any],
) -> tuple[pd.DataFrame, Any, npt.NDArray[np.int64]]:
    """Table of the units, with those that it lists and that have no spike."""
    if options["units_file"] is None:
        notes["units"] = "those with at least one spike: silent ones are not listed"
        return pd.DataFrame(index=index), load, sizes
    path = files[options["units_file"]]
    table = rows.load(path, options)
    key = str(options["units_label"])
    if key not in table.header:
        raise ReaderError(
            f"the table of units has no column {key!r}",
            where=str(path),
            expected=f"one of {', '.join(table.header)}",
            do=hint(key, table.header, "correct the option `units_label`"),
        )
    cells: dict[str, list[str]] = {name: [] for name in table.header}
    for number, row in enumerate(table.rows, start=table.first):
        if len(row) != len(table.header):
            raise ReaderError(
                f"the row has {len(row)} fields, the header {len(table.header)}", where=f"{path}: row {number}"
            )
        for name, cell in zip(table.header, row):
            cells[name].append(cell.strip())
    names = cells.pop(key)
    try:
        listed = pd.Index([int(name) for name in names]) if index.dtype.kind in "iu" else pd.Index(names, dtype=object)
    except ValueError:
        listed = pd.Index(names, dtype=object)
    strays = index.difference(listed)
    if len(strays) or listed.has_duplicates:
        raise ReaderError(
            f"unit {strays[0]!r} has spikes and no row" if len(strays) else "a unit has two rows",
            where=str(path),
            expected="one row for every unit",
            do="correct the table, or `units_label`",
        )
    units = pd.DataFrame({name: _column(values, table) for name, values in cells.items()}, index=listed)
    place = index.get_indexer(listed)
    counts = np.where(place < 0, 0, sizes[np.maximum(place, 0)]) if len(sizes) else np.zeros(len(listed), np.int64)
    return units, lambda row: load(int(place[row])) if place[row] >= 0 else trains.SILENT, counts.astype(np.int64)


def _column(cells: list[str], table: rows.Rows) -> npt.NDArray[Any]:
    try:
        return np.array([table.number(cell) for cell in cells])
    except ValueError:
        return np.array(cells, object)


UNITS_NAMED = (
    "unit",
    "units",
    "unit_id",
    "cluster",
    "cluster_id",
    "neuron",
    "neuron_id",
    "cell",
    "cell_id",
    "node_id",
    "gid",
)
TIMES_NAMED = {
    "time": "s",
    "times": "s",
    "spike_time": "s",
    "spike_times": "s",
    "time_s": "s",
    "t": "s",
    "t_ms": "ms",
    "time_ms": "ms",
}


def recognise(files: Files) -> list[Finding]:
    """Tables and arrays with a column of units and one of times; files of one recorder of NEST together."""
    found: dict[str, tuple[list[Path], dict[str, Any], str]] = {}
    for path in files.paths:
        peek = files.peek(path)
        options, form = _listed(peek)
        if options is not None:
            # NEST writes a file per thread: label-node-thread.dat
            recorder = re.sub(r"[-_]\d+(\.dat)$", r"\1", path.name) if path.suffix == ".dat" else path.name
            found.setdefault(recorder, ([], options, form))[0].append(path)
    made = []
    for paths, options, form in found.values():
        doubts = ("times are in steps: `step_ms` is the resolution of the simulation",) if "step_ms" in options else ()
        made += one_store(f"list of spikes, {form}", paths, "spikes", options, certainty=LIKELY, doubts=doubts)
    return made


def _listed(peek: Peek) -> tuple[dict[str, Any] | None, str]:
    """Options that read a list of spikes, and its form; None where it is none."""
    if peek.form == "npz":
        have = [name for name, array in peek.arrays.items() if len(array.shape) == 1]
        form = "NPZ"
    elif peek.form in ("text", "parquet", "feather") and not peek.packed and peek.path.suffix.lower() in rows.SUFFIXES:
        have, form = list(peek.header), {"text": "text"}.get(peek.form, peek.form.capitalize())
    else:
        return None, ""
    if peek.path.suffix.lower() == ".gdf":
        return {"time_unit": "ms"}, "text without names of columns (.gdf)"
    for unit, time, scale in KNOWN:
        if unit in have and time in have and len(have) <= _MOST_COLUMNS:
            return ({"step_ms": 0.1} if scale == "step" else {}), form
    unit = next((name for name in have if name.lower() in UNITS_NAMED), "")
    time = next((name for name in have if name.lower() in TIMES_NAMED), "")
    if not unit or not time or len(have) > _MOST_COLUMNS:
        return None, ""
    scale = TIMES_NAMED[time.lower()]
    return {"unit": unit, "time": time} | ({"time_unit": scale} if scale != "s" else {}), form


_MOST_COLUMNS = 8


READER = Reader("generic_spikes", ("spikes",), read, OPTIONS, recognise=recognise)
