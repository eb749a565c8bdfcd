"""A RoiResponseSeries of an NWB 2 file: its traces in their unit, and the ROI that each column belongs to.

The series refers to rows of a table of ROIs by `rois`, in any order and not always to all; what the table says about a trace is
found through it. Stored numbers become values by `conversion` and `offset`.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats import nwb
from allometry.homogenize.formats.content import Content, missing
from allometry.homogenize.formats.hdf5 import open_hdf5, whole
from allometry.homogenize.traces import labels

DEFAULT_LABELS = "labels"
NO_UNIT = frozenset({"", "n/a", "na", "none", "unknown", "1"})


def load(path: Path, own: dict[str, Any]) -> Content:
    """Read the series that the option `traces` names, by path or by name; without it, the only one.

    Parameters
    ----------
    path : Path
        The file.
    own : dict
        Options `traces`, `labels` (a column of the table of ROIs, or the path of a dataset with one name per trace; without
        such a column the ids of the rows are the names) and `orientation`.

    Raises
    ------
    ReaderError
        No series, several to choose from, or parts that do not fit each other.
    """
    with open_hdf5(path) as file:
        series = _series(file, own["traces"], path)
        where = f"{path.name}, {series.name}"
        rows = _rows(series, where)
        traces, notes = _oriented(_values(series, where), rows, own["orientation"], where)
        time, more = nwb.time_of(series, traces.shape[0], path)
        names, origin = _names(file, series, rows, traces.shape[1], own["labels"], path)
        unit = labels.text(series["data"].attrs.get("unit", ""))
        notes |= more | {"fields": {"traces": series.name, "labels": origin}}
        return Content(
            traces,
            time,
            names,
            None,
            notes,
            time_first=True,
            time_unit="s"
            if "time_from" in more
            else None,  # a rate is in hertz whatever the stamps of other files are in
            units=None if unit.lower() in NO_UNIT else unit,
        )


def _series(file: h5py.File, wanted: str | None, path: Path) -> h5py.Group:
    found: list[h5py.Group] = []
    file.visititems(lambda name, item: found.append(item) if _is_series(item) else None)
    have = [item.name.lstrip("/") for item in found]
    if wanted:
        item = file.get(wanted)
        if isinstance(item, h5py.Group) and isinstance(item.get("data"), h5py.Dataset):
            return item
        found = [item for item in found if item.name.rsplit("/", 1)[-1] == wanted]
        if not found:
            raise missing(path, f"RoiResponseSeries {wanted!r}", "traces", have)
    if not found:
        raise missing(path, "RoiResponseSeries", "traces", have)
    if len(found) > 1:
        raise ReaderError(
            what=f"The file has {len(found)} RoiResponseSeries"
            + (f" named {wanted!r}" if wanted else "")
            + f": {', '.join(item.name.lstrip('/') for item in found[:20])}.",
            where=str(path),
            expected="the option `traces` with the name or path of one",
            do="set `traces` in the options of this data set",
        )
    return found[0]


def _is_series(item: Any) -> bool:
    kind = item.attrs.get("neurodata_type", b"") if isinstance(item, h5py.Group) else b""
    return nwb.text(kind) == "RoiResponseSeries" and isinstance(item.get("data"), h5py.Dataset)


def _values(series: h5py.Group, where: str) -> npt.NDArray[np.float64]:
    """Values in the unit of the series."""
    item = series["data"]
    stored = whole(item)
    if stored.ndim not in (1, 2) or stored.dtype.kind not in "biuf":
        raise ReaderError(
            what=f"The data of the series have shape {stored.shape} and type {stored.dtype}.",
            where=where,
            expected="numbers, (time, ROI) or (time)",
            do="name another series with the option `traces`",
        )
    numbers = {}
    for name, default in (("conversion", 1.0), ("offset", 0.0)):
        try:
            numbers[name] = float(item.attrs.get(name, default))
        except (TypeError, ValueError):
            numbers[name] = np.nan
        if not np.isfinite(numbers[name]) or (name == "conversion" and numbers[name] == 0):
            raise ReaderError(
                what=f"The {name} of the series is {item.attrs[name]}.",
                where=where,
                expected="a finite number" + (" other than 0" if name == "conversion" else ""),
                do="correct the attribute of `data` in the file",
            )
    values = stored.astype(np.float64)
    if numbers != {"conversion": 1.0, "offset": 0.0}:
        values = values * numbers["conversion"] + numbers["offset"]
    return values


def _rows(series: h5py.Group, where: str) -> npt.NDArray[np.int64] | None:
    """Row of the table of ROIs for each trace; None where the series refers to no table."""
    rois = series.get("rois")
    if not isinstance(rois, h5py.Dataset):
        return None
    rows = np.asarray(whole(rois)).ravel()
    if rows.dtype.kind not in "iu":
        raise ReaderError(
            what=f"The region `rois` of the series is of type {rows.dtype}.", where=where, expected="row numbers"
        )
    return rows.astype(np.int64)


def _oriented(
    values: npt.NDArray[np.float64], rows: npt.NDArray[np.int64] | None, orientation: str, where: str
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Traces as (time, ROI): as the option says, or as the number of ROIs shows."""
    n_roi = None if rows is None else rows.size
    if values.ndim == 1:
        if n_roi not in (None, 1):
            raise ReaderError(
                what=f"The data of the series have one dimension, and its region has {n_roi} ROIs.",
                where=where,
                expected="(time, ROI)",
                do="repair the file",
            )
        return values[:, None], {"orientation": "one trace in one dimension"}
    if orientation == "roi":
        values, notes = values.T, {"orientation": "stored as (ROI, time), as the option says; transposed"}
    elif n_roi is not None and values.shape[1] != n_roi == values.shape[0]:
        values, notes = values.T, {"orientation": f"stored as (ROI, time) = {values.shape}; transposed"}
    else:
        notes = {}
    if n_roi is not None and values.shape[1] != n_roi:
        raise ReaderError(
            what=f"The series has traces of shape {values.shape} (time, ROI), and its region has {n_roi} ROIs.",
            where=where,
            expected="one trace per ROI of the region",
            do="correct the option `orientation`, or repair the file",
        )
    return values, notes


def _names(
    file: h5py.File,
    series: h5py.Group,
    rows: npt.NDArray[np.int64] | None,
    n_roi: int,
    wanted: str | None,
    path: Path,
) -> tuple[list[str] | None, str]:
    """Name of each trace, and where it is from."""
    if not wanted:
        return None, "none"
    table = _table(series)
    column = table.get(wanted) if table is not None else None
    if table is not None and isinstance(column, h5py.Dataset) and f"{wanted}_index" not in table:
        return _through(column, rows, path), column.name
    item = file.get(wanted)
    if isinstance(item, h5py.Dataset):
        if table is not None and item.parent == table:
            return _through(item, rows, path), item.name
        names = [labels.text(value) for value in np.asarray(whole(item)).ravel().tolist()]
        if len(names) == n_roi:
            return names, item.name
        if rows is not None and len(names) > rows.max(initial=-1):  # a list with the rows of the table
            return [names[row] for row in rows], item.name
        raise ReaderError(
            what=f"{wanted!r} has {len(names)} names, and the series has {n_roi} ROIs.",
            where=str(path),
            expected="one name per ROI of the series",
            do="correct the option `labels`",
        )
    columns = [name for name in table if isinstance(table[name], h5py.Dataset)] if table is not None else []
    if wanted != DEFAULT_LABELS:
        raise missing(path, f"column {wanted!r} in the table of ROIs", "labels", columns)
    if "id" in columns and table is not None:
        return _through(table["id"], rows, path), f"{table.name}/id, as the table has no column {wanted!r}"
    return None, "none"


def _table(series: h5py.Group) -> h5py.Group | None:
    rois = series.get("rois")
    if not isinstance(rois, h5py.Dataset) or "table" not in rois.attrs:
        return None
    try:
        found = series.file[rois.attrs["table"]]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return found if isinstance(found, h5py.Group) else None


def _through(column: h5py.Dataset, rows: npt.NDArray[np.int64] | None, path: Path) -> list[str]:
    """Entries of a column for the rows of the region."""
    values = np.asarray(whole(column)).ravel()
    if "elements" in column.attrs:  # an EnumData column holds numbers of its elements
        values = np.asarray(whole(column.file[column.attrs["elements"]])).ravel()[values]
    if rows is None:
        return [labels.text(value) for value in values.tolist()]
    outside = (rows < 0) | (rows >= values.size)
    if outside.any():
        raise ReaderError(
            what=f"The region of the series names row {rows[outside][0]}; {column.name} has {values.size} rows.",
            where=str(path),
            expected=f"rows 0 to {values.size - 1}",
            do="repair the file",
        )
    return [labels.text(value) for value in values[rows].tolist()]
