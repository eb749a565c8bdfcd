"""Containers that the generic reader knows: where traces, time and labels are in each of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats import matlab, nwb, object_npy
from allometry.homogenize.formats.hdf5 import dataset, open_hdf5
from allometry.homogenize.traces import labels


@dataclass
class Content:
    """Traces with what names them.

    Parameters
    ----------
    traces : numpy.ndarray
        Two-dimensional.
    time : numpy.ndarray or None
        Seconds.
    labels : list of str or None
        One per ROI.
    confidence : numpy.ndarray or None
        One per ROI.
    notes : dict
        Where things were found.
    time_first : bool
        Whether the traces are known to be (time, roi), whatever the options say.
    """

    traces: Any
    time: Any = None
    labels: list[str] | None = None
    confidence: Any = None
    notes: dict[str, Any] = field(default_factory=dict)
    time_first: bool = False


def load(path: Path, own: dict[str, Any]) -> Content:
    """Read a file by its ending."""
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        return _table(path, own)
    if suffix == ".nwb":
        return _nwb(path, own)
    if suffix == ".npz":
        return _named(path, object_npy.load(path), own)
    if suffix == ".mat":
        return _named(path, _flat(matlab.load(path)), own)
    if suffix in (".h5", ".hdf5"):
        with open_hdf5(path) as file:
            wanted = [own[key] for key in ("traces", "time", "labels", "confidence") if own[key]]
            return _named(path, {name: dataset(file, name) for name in wanted if name in file}, own)
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


def _missing(path: Path, what: str, option: str, have: list[str]) -> ReaderError:
    return ReaderError(
        what=f"No {what}.",
        where=str(path),
        expected=f"what the option {option!r} names",
        do=f"set {option!r} to one of: {', '.join(have[:20]) or '(the file has nothing)'}",
    )


def _named(path: Path, content: dict[str, Any], own: dict[str, Any]) -> Content:
    """Arrays by name; the only matrix is the traces if the options name none."""
    have = list(content)
    name = own["traces"]
    if name is None:
        matrices = [
            key
            for key, value in content.items()
            if isinstance(value, np.ndarray) and value.ndim == 2 and min(value.shape) > 1
        ]
        name = matrices[0] if len(matrices) == 1 else "traces"
    if name not in content:
        raise _missing(path, f"array {name!r}", "traces", have)
    values = {key: content.get(own[key]) if own[key] else None for key in ("time", "labels", "confidence")}
    names = None
    if values["labels"] is not None:
        raw = values["labels"]
        names = [labels.text(item) for item in (raw if isinstance(raw, list) else np.asarray(raw).ravel().tolist())]
    time = values["time"]
    return Content(
        traces=np.asarray(content[name]),
        time=None if time is None else np.asarray(time).ravel(),
        labels=names,
        confidence=values["confidence"],
        notes={"fields": {"traces": name, **{key: own[key] for key, value in values.items() if value is not None}}},
    )


def _table(path: Path, own: dict[str, Any]) -> Content:
    try:
        head = path.read_text(encoding="utf-8").partition("\n")[0]
        separator = max(",\t;", key=head.count) if any(sign in head for sign in ",\t;") else r"\s+"
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except Exception as error:  # the parser and the decoder raise many types on damaged text
        raise ReaderError(
            what=f"Not a readable table ({type(error).__name__}: {str(error)[:100]}).",
            where=str(path),
            expected="text with a header line and a separator",
            do="check the file",
        ) from error
    columns = [str(name) for name in table.columns]
    if own["orientation"] == "roi":
        column = own["labels"] if own["labels"] in columns else columns[0] if columns else ""
        if not column:
            raise _missing(path, "column of labels", "labels", columns)
        rest = table.drop(columns=column)
        return Content(
            _floats(rest, path).T, None, table[column].tolist(), None, {"labels_from": column}, time_first=True
        )
    time = None
    if own["time"] in columns:
        time = _floats(table[[own["time"]]], path)[:, 0]
        table = table.drop(columns=own["time"])
    names = [str(name).partition(".")[0] for name in table.columns]  # the parser numbers repeated names: AVAL, AVAL.1
    return Content(_floats(table, path), time, names, None, {"labels_from": "header line"}, time_first=True)


def _floats(table: pd.DataFrame, path: Path) -> Any:
    filled = table.replace("", "nan")
    try:
        return filled.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        row, column = next(
            (row, column)
            for column in range(filled.shape[1])
            for row, cell in enumerate(filled.iloc[:, column])
            if not _is_number(cell)
        )
        raise ReaderError(
            what=f"{str(filled.iloc[row, column])[:40]!r} is not a number.",
            where=f"{path}: row {row + 1} below the header, column {str(filled.columns[column])!r}",
            expected="numbers below the header; an empty cell is a missing value",
            do="correct the file",
        ) from error


def _is_number(cell: Any) -> bool:
    try:
        np.float64(cell)
    except (TypeError, ValueError):
        return False
    return True


def _nwb(path: Path, own: dict[str, Any]) -> Content:
    with open_hdf5(path) as file:
        series = file.get(own["traces"]) if own["traces"] else _first_series(file)
        if not isinstance(series, h5py.Group) or "data" not in series:
            found: list[str] = []
            file.visititems(lambda name, item: found.append(name) if _is_series(item) else None)
            raise _missing(path, "RoiResponseSeries", "traces", found)
        traces = dataset(series, "data", ndim=2)
        time, notes = nwb.time_of(series, traces.shape[0], path)
        names = None
        if own["labels"]:
            item = file.get(own["labels"]) or _column(series, str(own["labels"]))
            if isinstance(item, h5py.Dataset):
                names = [nwb.text(value) for value in np.asarray(item[()]).ravel()]
        notes["fields"] = {"traces": series.name, "labels": str(own["labels"]) if names else "none"}
        return Content(traces, time, names, None, notes, time_first=True)


def _is_series(item: Any) -> bool:
    kind = item.attrs.get("neurodata_type", b"") if isinstance(item, h5py.Group) else b""
    return nwb.text(kind) == "RoiResponseSeries"


def _first_series(file: h5py.File) -> Any:
    found: list[Any] = []
    file.visititems(lambda name, item: found.append(item) if _is_series(item) else None)
    return found[0] if found else None


def _column(series: h5py.Group, name: str) -> Any:
    """A column of the ROI table that the series refers to."""
    rois = series.get("rois")
    if not isinstance(rois, h5py.Dataset) or "table" not in rois.attrs:
        return None
    try:
        return series.file[rois.attrs["table"]].get(name)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
