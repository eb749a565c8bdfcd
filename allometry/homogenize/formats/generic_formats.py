"""Containers that the generic reader knows: where traces, time and labels are in each of them."""

import csv
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.formats import matlab, nwb_series, object_npy
from allometry.homogenize.formats.content import Content, missing
from allometry.homogenize.formats.hdf5 import dataset, open_hdf5
from allometry.homogenize.traces import labels

SONATA = ("report", "reports", "spikes", "nodes", "edges")


def load(path: Path, own: dict[str, Any]) -> Content:
    """Read a file by its ending."""
    mistaken.refuse(path)
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        return _table(path, own)
    if suffix == ".nwb":
        return nwb_series.load(path, own)
    if suffix == ".npz":
        return _named(path, object_npy.load(path), own)
    if suffix == ".mat":
        return _named(path, _flat(matlab.load(path)), own)
    if suffix in (".h5", ".hdf5"):
        return _hdf5(path, own)
    raise ReaderError(
        what=f"The generic reader knows no files of type {suffix!r}.",
        where=str(path),
        expected=".csv, .tsv, .txt, .npz, .mat, .h5 or .nwb",
        do="convert the file, or write a reader (docs/add-a-reader.md)",
    )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in tree.items():
        out[prefix + name] = value
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{name}.")
    return out


def _hdf5(path: Path, own: dict[str, Any]) -> Content:
    """The arrays that the options name; the others are not read, only looked at for their shapes."""
    with open_hdf5(path) as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
                shapes[name] = item.shape or ()

        file.visititems(note)
        if own["traces"] is None and "magic" in file.attrs and (part := next((p for p in SONATA if p in file), None)):
            raise ReaderError(
                what=f"This is a SONATA file with {part!r}.",
                where=str(path),
                expected="the option `traces` with the path of a matrix"
                if part.startswith("report")
                else "traces: spikes and networks are no recordings of traces",
                do=f"name the parts, as in `traces: {part}/POPULATION/data`, `labels: {part}/POPULATION/mapping/node_ids`, with "
                "`native_rate_hz`"
                if part.startswith("report")
                else "export what is needed as CSV (a connectome: reader `generic_edges`)",
            )
        name = _traces_name(path, own["traces"], shapes)
        wanted = [name, *(own[key] for key in ("time", "labels", "confidence") if own[key])]
        content = {item: dataset(file, item) for item in wanted if isinstance(file.get(item), h5py.Dataset)}
        return _named(path, content, {**own, "traces": name}, list(shapes))


def _traces_name(path: Path, wanted: str | None, shapes: dict[str, tuple[int, ...]]) -> str:
    """Name of the traces: as the option says, else that of the only matrix."""
    if wanted is not None:
        return wanted
    matrices = {name: shape for name, shape in shapes.items() if len(shape) == 2 and min(shape) > 1}
    if len(matrices) == 1:
        return next(iter(matrices))
    listed = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in list(matrices.items())[:20])
    raise ReaderError(
        what=f"The file has {len(matrices)} matrices"
        + (f": {listed}." if matrices else ": nothing that could be traces."),
        where=str(path),
        expected="one matrix, or the option `traces` with the name of one array",
        do=f"set `traces` to one of: {', '.join(list(matrices or shapes)[:20]) or '(the file has no arrays of numbers)'}",
    )


def _named(path: Path, content: dict[str, Any], own: dict[str, Any], have: list[str] | None = None) -> Content:
    """Arrays by name; the only matrix is the traces if the options name none."""
    have = list(content) if have is None else have
    numeric = {
        key: value.shape
        for key, value in content.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
    }
    name = _traces_name(path, own["traces"], numeric)
    if name not in content:
        raise missing(path, f"array {name!r}", "traces", have)
    values = {key: content.get(own[key]) if own[key] else None for key in ("time", "labels", "confidence")}
    if own["confidence"] and values["confidence"] is None:
        raise missing(path, f"array {own['confidence']!r}", "confidence", have)
    names = None
    if values["labels"] is not None:
        raw = values["labels"]
        names = [labels.text(item) for item in (raw if isinstance(raw, list) else np.asarray(raw).ravel().tolist())]
    time, traces = values["time"], np.asarray(content[name])
    notes: dict[str, Any] = {
        "fields": {"traces": name, **{key: own[key] for key, value in values.items() if value is not None}}
    }
    alone = traces.ndim == 1 and traces.size > 1 and (names is None or len(names) == 1)
    if alone:
        traces, notes["orientation"] = traces[:, None], "one trace in one dimension"
    return Content(
        traces=traces,
        time=None if time is None else np.asarray(time).ravel(),
        labels=names,
        confidence=values["confidence"],
        notes=notes,
        time_first=alone,
    )


def _table(path: Path, own: dict[str, Any]) -> Content:
    """A delimited table; its cells are taken as they are written, names included."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            separator = max(",\t;", key=head.count) if any(sign in head for sign in ",\t;") else None
            rows = csv.reader(file, delimiter=separator) if separator else (line.split() for line in file)
            return _read_rows(path, (row for row in rows if any(cell.strip() for cell in row)), own)
    except ReaderError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReaderError(
            what=f"Not a readable table ({type(error).__name__}: {str(error)[:100]}).",
            where=str(path),
            expected="text with a header line and a separator",
            do="check the file",
        ) from error


def _read_rows(path: Path, rows: Iterator[list[str]], own: dict[str, Any]) -> Content:
    first = next(rows, None)
    if first is None:
        raise ReaderError(what="The table is empty.", where=str(path), expected="a header line and rows of numbers")
    if own["header"]:
        names, place = [cell.strip() for cell in first], "row {} below the header"
        if all(map(_is_number, names)) and not all(name.isdigit() for name in names):
            raise ReaderError(
                what=f"The first line has numbers only ({', '.join(names[:4])}, ...): it would be lost as a header.",
                where=str(path),
                expected="a line with the names of the columns",
                do="set the option `header: false`; the columns are then named by their numbers, from 1",
            )
    else:
        names, place = [str(number) for number in range(1, len(first) + 1)], "row {}"
        rows = _after(first, rows)
    by_roi = own["orientation"] == "roi"
    wanted = str(own["labels"] if by_roi else own["time"])
    if names.count(wanted) > 1:
        raise ReaderError(f"column {wanted!r} occurs {names.count(wanted)} times", where=str(path), expected="once")
    special = names.index(wanted) if wanted in names else 0 if by_roi else None
    values, texts = array("d"), []
    for number, row in enumerate(rows, start=1):
        where = f"{path}: {place.format(number)}"
        if len(row) != len(names):
            raise ReaderError(
                what=f"The row has {len(row)} fields, the first line {len(names)}.",
                where=where,
                expected=f"{len(names)} fields in every row",
                do="correct the file; a missing value is an empty field",
            )
        if special is not None:
            texts.append(row.pop(special).strip())
        values.extend(_floats(row, names, special, where))
    columns = len(names) - (special is not None)
    matrix = np.array(values).reshape(-1, columns) if columns else np.empty((len(texts), 0))
    if by_roi:
        return Content(matrix.T, None, texts, None, {"labels_from": names[special or 0]}, time_first=True)
    time = None if special is None else np.array(texts, dtype=object)
    named = [name for at, name in enumerate(names) if at != special]
    origin = "header line" if own["header"] else "numbers of the columns"
    return Content(matrix, time, named, None, {"labels_from": origin}, time_first=True)


def _after(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _floats(row: list[str], names: list[str], special: int | None, where: str) -> list[float]:
    try:
        return [float(cell) if cell.strip() else np.nan for cell in row]
    except ValueError as error:
        at = next(at for at, cell in enumerate(row) if cell.strip() and not _is_number(cell))
        column = names[at + (special is not None and at >= special)]
        raise ReaderError(
            what=f"{row[at][:40]!r} is not a number.",
            where=f"{where}, column {column!r}",
            expected="numbers below the header; an empty cell is a missing value",
            do="correct the file",
        ) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
