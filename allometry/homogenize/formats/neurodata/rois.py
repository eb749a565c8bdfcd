"""Regions of interest of an NWB file: positions from their masks, labels, and the other columns of their table."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata import tables
from allometry.homogenize.formats.neurodata.session import Session, plane_of
from allometry.homogenize.formats.neurodata.tree import Array, Group, array, group, last, text
from allometry.homogenize.formats.nwb_tables import Table
from allometry.homogenize.traces import labels

LABELS = ("labels", "label", "ID_labels", "neuron_labels", "cell_specimen_id", "global_id")
"""Columns whose values name a cell beyond its recording, in the order in which they are looked for."""
MASKS = ("image_mask", "pixel_mask", "voxel_mask", "color_voxel_mask")
BLOCK = 2**24  # pixels of masks that are in memory at a time
TO_METRES = {"meters": 1.0, "m": 1.0, "micrometers": 1e-6, "microns": 1e-6, "um": 1e-6, "millimeters": 1e-3, "mm": 1e-3}


@dataclass
class Rois:
    """What is known of the ROIs of a series, one row each.

    Parameters
    ----------
    ids : list of str
        What the table calls its rows; their numbers where there is no table.
    names : list of str or None
        Labels, and None where the file has none.
    columns : DataFrame
        Plain columns of the table.
    positions : dict
        `x`, `y`, `z`: centres of the masks.
    unit : str
        Unit of the positions.
    about : dict
        Plane, location, indicator.
    notes : dict
        How labels and positions were found.
    """

    ids: list[str]
    names: list[str] | None = None
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    positions: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    unit: str = "pixel"
    about: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def of_series(session: Session, series: Group, count: int, wanted: str | None) -> Rois:
    """ROIs of a series.

    Parameters
    ----------
    session : Session
        Open file.
    series : Group
        The series.
    count : int
        Number of its traces.
    wanted : str, optional
        Column of labels, or path of an array with one label per ROI; None: as `LABELS` and the labels of extensions.

    Raises
    ------
    ReaderError
        The region does not fit the traces, or there is no such column.
    """
    rows, item = tables.region(series, "rois", session)
    if rows is not None and rows.size != count:
        raise ReaderError(
            f"the series has {count} traces, and its region has {rows.size} ROIs",
            where=series.where,
            expected="one trace per ROI of the region",
            do="set the option `orientation` if the traces are stored as (ROI, time), or repair the file",
        )
    if rows is None or item is None:
        out = Rois([str(number) for number in range(count)])
        out.notes["rois"] = "the series refers to no table of ROIs"
        out.names, said = _elsewhere(session, series, np.arange(count), wanted)
    else:
        session.mark(item)
        of = tables.table(item)
        ids = of.values("id")[rows] if "id" in of.data else rows
        out = Rois([labels.text(value) for value in ids.tolist()])
        columns, refused = tables.frame(of, session, frozenset({"id"}))
        refused = [name for name in refused if name not in MASKS]
        out.columns = columns.iloc[rows].reset_index(drop=True)
        if refused:
            out.notes["columns_not_read"] = [f"{item.path}/{name}" for name in refused]
        out.names, said = _names(session, series, of, rows, wanted)
        _place(out, session, item, of, rows)
    plane = plane_of(session, item)
    if plane is not None:
        out.about = {"plane": last(plane.path)}
        out.about |= {name: text(plane, name) for name in ("location", "indicator") if text(plane, name)}
        session.mark(plane)
    if said:
        out.notes["labels"] = said
    return out


def _names(
    session: Session, series: Group, of: Table, rows: npt.NDArray[np.int64], wanted: str | None
) -> tuple[list[str] | None, str]:
    for name in (wanted,) if wanted else LABELS:
        if name in of.data and f"{name}_index" not in of.data and of.data[name].ndim == 1:
            values = tables.texts(of.data[name].values(), of.data[name], session)
            if values.shape == (len(of),):
                return [labels.text(value) for value in values[rows].tolist()], f"column {name!r} of {of.where}"
    return _elsewhere(session, series, rows, wanted, of)


def _elsewhere(
    session: Session, series: Group, rows: npt.NDArray[np.int64], wanted: str | None, of: Table | None = None
) -> tuple[list[str] | None, str]:
    """Labels that an option names by path, or that an extension keeps in an object beside the series."""
    if wanted:
        found = array(session.root, wanted)
        candidates = [found] if found is not None else []
    else:
        module = "/".join(series.path.split("/")[:2])
        nodes = [node for node in session.nodes if isinstance(node, Array) and last(node.path) == "labels"]
        candidates = [
            node
            for node in nodes
            if node.path.startswith(f"{module}/") and _labelled(session, node.path.rpartition("/")[0])
        ]
        candidates = candidates if len(candidates) == 1 else []
    for node in candidates:
        values = [labels.text(value) for value in node.values().ravel().tolist()]
        session.mark(node.path.rpartition("/")[0] if not wanted else node)
        if len(values) == rows.size:
            return values, f"/{node.path}"
        if len(values) > rows.max(initial=-1):  # a list with the rows of the table
            return [values[row] for row in rows.tolist()], f"/{node.path}, by the rows of the region"
        raise ReaderError(
            f"there are {len(values)} labels, and the series has {rows.size} ROIs",
            where=node.where,
            expected="one label per ROI of the series",
            do="correct the option `labels`",
        )
    if wanted:
        raise ReaderError(
            f"there are no labels {wanted!r}",
            where=series.where,
            expected="a column of the table of ROIs, or the path of an array",
            do=f"set `labels` to one of: {', '.join(of.plain()) if of is not None else '(there is no table)'}",
        )
    return None, ""


def _labelled(session: Session, path: str) -> bool:
    """Whether an object holds labels of cells, as ndx-multichannel-volume keeps them."""
    holder = session.root.get(path) if path else None
    kind = str(holder.attrs.get("neurodata_type", "")) if holder is not None else ""
    return kind in ("SegmentationLabels", "VolumeSegmentation", "NeuronIDs") or last(path) == "NeuronIDs"


def _place(out: Rois, session: Session, item: Group, of: Table, rows: npt.NDArray[np.int64]) -> None:
    """Centres of the masks, in metres where the plane says how large a pixel is."""
    name = next((name for name in MASKS if name in of.data), None)
    if name is None:
        return
    mask = of.data[name]
    try:
        if name == "image_mask":
            centres = _of_images(mask, len(of))
            out.notes["positions"] = (
                "centres of image_mask, weighted; its first axis is taken for x, as the schema says (some writers have y first)"
            )
        else:
            centres = _of_lists(of, name)
            out.notes["positions"] = f"centres of {name}, weighted"
    except ReaderError as error:
        out.notes["positions"] = f"not known: {error.what}"
        return
    plane = plane_of(session, item)
    spacing = array(plane, "grid_spacing") if plane is not None else None
    for axis, letter in enumerate("xyz"):
        if axis < centres.shape[1]:
            out.positions[letter] = centres[rows, axis]
    if spacing is None:
        return
    unit = str(spacing.attrs.get("unit", "meters")).lower()
    size = spacing.numbers().ravel()
    if unit in TO_METRES and size.size >= len(out.positions) and np.isfinite(size).all() and (size > 0).all():
        for axis, letter in enumerate(out.positions):
            out.positions[letter] = out.positions[letter] * size[axis] * TO_METRES[unit] * 1e6
        out.unit = "um"
        out.notes["positions"] += f"; pixels of {', '.join(f'{s:g}' for s in size)} {unit}, in um"


def _of_images(mask: Array, count: int) -> npt.NDArray[np.float64]:
    """Centre of each mask (ROI, x, y[, z]), pixels."""
    if mask.ndim not in (3, 4) or len(mask) != count or not mask.is_number:
        raise ReaderError(f"image_mask has shape {mask.shape} and type {mask.dtype}", where=mask.where)
    out = np.full((count, mask.ndim - 1), np.nan)
    step = max(1, BLOCK // max(1, int(np.prod(mask.shape[1:]))))
    for start in range(0, count, step):
        block = np.abs(np.nan_to_num(mask[start : start + step].astype(np.float64), posinf=0, neginf=0))
        total = block.reshape(len(block), -1).sum(axis=1)
        for axis in range(mask.ndim - 1):
            others = tuple(other + 1 for other in range(mask.ndim - 1) if other != axis)
            along = block.sum(axis=others) @ np.arange(block.shape[axis + 1])
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                out[start : start + step, axis] = np.where(total > 0, along / total, np.nan)
    return out


def _of_lists(of: Table, name: str) -> npt.NDArray[np.float64]:
    """Centre of each mask that is a list of pixels or voxels with weights; one voxel per ROI where there is no index."""
    voxels = of.data[name].values()
    fields = voxels.dtype.names or ()
    axes = [axis for axis in "xyz" if axis in fields]
    if len(axes) < 2 or voxels.ndim != 1:
        raise ReaderError(f"{name} is of type {voxels.dtype}", where=of.where)
    ends = of.spans(name) if f"{name}_index" in of.data else None
    if ends is None and len(voxels) != len(of):
        raise ReaderError(f"{name} has {len(voxels)} entries for {len(of)} ROIs, and no index", where=of.where)
    row = np.arange(len(of)) if ends is None else np.repeat(np.arange(len(of)), ends[:, 1] - ends[:, 0])
    voxels = voxels[: len(row)]
    weight = np.ones(len(row))
    if "weight" in fields and ends is not None:
        weight = np.abs(np.nan_to_num(voxels["weight"].astype(np.float64), posinf=0, neginf=0))
    total = np.bincount(row, weight, len(of))
    out = np.full((len(of), len(axes)), np.nan)
    for place, axis in enumerate(axes):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            out[:, place] = np.bincount(row, weight * voxels[axis].astype(np.float64), len(of)) / total
    out[~np.isfinite(out)] = np.nan
    return out


def table_of(session: Session, series: Group) -> str:
    """Path of the table of ROIs of a series; its own where it refers to none."""
    found = array(series, "rois")
    target = found.links.get("table") if found is not None else None
    return target if target and group(session.root, target) is not None else series.path
