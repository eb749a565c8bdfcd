"""Containers that the generic reader knows: where traces, time and labels are in each of them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.formats import matlab, nwb_series, object_npy
from allometry.homogenize.formats.content import Content, missing
from allometry.homogenize.formats.flat import npy, recording_tables, rows
from allometry.homogenize.formats.hdf5 import dataset, open_hdf5
from allometry.homogenize.traces import labels

SONATA = ("report", "reports", "spikes", "nodes", "edges")


def load(path: Path, own: dict[str, Any]) -> Content:
    """Read a file by its ending."""
    mistaken.refuse(path)
    suffix = path.suffix.lower()
    if suffix in rows.SUFFIXES:
        return recording_tables.load(path, own)
    if suffix == ".nwb":
        return nwb_series.load(path, own)
    if suffix == ".npy":
        return _named(path, {path.stem: npy.load(path, (1, 2))}, {**own, "time": None, "labels": None})
    if suffix == ".npz":
        return _named(path, object_npy.load(path), own)
    if suffix == ".mat":
        return _named(path, _flat(matlab.load(path)), own)
    if suffix in (".h5", ".hdf5"):
        return _hdf5(path, own)
    raise ReaderError(
        what=f"The generic reader knows no files of type {suffix!r}.",
        where=str(path),
        expected=".csv, .tsv, .txt, .xlsx, .parquet, .feather, .npy, .npz, .mat, .h5 or .nwb",
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
                else f"use the reader {'sonata_spikes' if part == 'spikes' else 'generic_edges'}",
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
