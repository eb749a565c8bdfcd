"""Recorded traces of an NWB file: which series are meant, and each of them with its time, ROIs or electrodes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.hints import hint
from allometry.homogenize.formats.neurodata import behaviour, rois, tables
from allometry.homogenize.formats.neurodata import series as of_series
from allometry.homogenize.formats.neurodata.session import Session
from allometry.homogenize.formats.neurodata.tree import Group, array, group, last
from allometry.homogenize.traces import labels
from allometry.homogenize.traces.blocks import Blocks

FILTERED = ("LFP", "FilteredEphys")
RELATIVE = ("dff", "dfof", "dfoverf", "df_over_f", "df_f", "deltaf")
DERIVED = ("neuropil", "deconv", "spike", "background", "event", "baseline", "denoised")
"""Words in the names of series that are made from, or for, the fluorescence of the cells."""


@dataclass
class Traces:
    """One series.

    Parameters
    ----------
    path : str
        Where it is in the file.
    name : str
        What tells it from the other chosen series of the file; empty for the only one.
    values : (time, roi) float64 or Blocks
        In `unit`.
    time : (time,) float64 or None
        s.
    unit : str
        Empty where the file says none.
    rois : Rois
        Labels, positions and columns, one row per trace.
    notes : dict
        Time, conversion, orientation, labels.
    """

    path: str
    name: str
    values: npt.NDArray[np.float64] | Blocks
    time: npt.NDArray[np.float64] | None
    unit: str
    rois: rois.Rois
    notes: dict[str, Any] = field(default_factory=dict)


def choose(session: Session, wanted: Any) -> list[Group]:
    """Series that are traces of one and the same kind.

    Without a wish: for each table of ROIs the only series, or its only dF/F, or the only one that is no neuropil, deconvolved or
    otherwise derived signal; in a file without ROIs the filtered voltages (LFP).

    Raises
    ------
    ReaderError
        No series, several that could be meant, or none of the name that is wished for.
    """
    every = session.all_of("TimeSeries")
    if wanted:
        return _named(session, every, [wanted] if isinstance(wanted, str) else [str(name) for name in wanted])
    optical = [item for item in every if session.is_a(item, "RoiResponseSeries") and array(item, "data") is not None]
    if optical:
        by_table: dict[str, list[Group]] = {}
        for item in optical:
            by_table.setdefault(rois.table_of(session, item), []).append(item)
        return [_only(session, candidates) for _, candidates in sorted(by_table.items())]
    voltages = [item for item in every if session.is_a(item, "ElectricalSeries") and _parent(session, item) in FILTERED]
    if not voltages:
        voltages = [
            item
            for item in every
            if session.is_a(item, "ElectricalSeries")
            and item.path.startswith("processing/")
            and "lfp" in item.path.lower()
        ]
    if voltages:
        return voltages
    have = [item.path for item in every if behaviour.of_interest(session, item)]
    raise ReaderError(
        "the file has neither traces of ROIs nor filtered voltages",
        where=session.path.name,
        expected="a RoiResponseSeries or an LFP, or the option `series` with the path of another series",
        do=f"set `series` to one of: {', '.join(have[:20])}" if have else "make a store of kind spikes of this file",
    )


def _parent(session: Session, item: Group) -> str:
    above = group(session.root, item.path.rpartition("/")[0])
    return str(above.attrs.get("neurodata_type", "")) if above is not None else ""


def _only(session: Session, candidates: list[Group]) -> Group:
    if len(candidates) == 1:
        return candidates[0]
    relative = [item for item in candidates if _parent(session, item) == "DfOverF"]
    relative = relative or [item for item in candidates if any(word in last(item.path).lower() for word in RELATIVE)]
    plain = [item for item in candidates if not any(word in item.path.lower() for word in DERIVED)]
    for some in (relative, plain):
        if len(some) == 1:
            return some[0]
    have = [item.path for item in candidates]
    raise ReaderError(
        f"{len(have)} series belong to one table of ROIs, and any of them could be meant: {', '.join(have[:20])}",
        where=session.path.name,
        expected="the option `series` with the name or path of one",
        do="set `series` in the options of this data set",
    )


def _named(session: Session, every: list[Group], wanted: list[str]) -> list[Group]:
    out: list[Group] = []
    for name in wanted:
        plain = name.strip("/")
        found = [item for item in every if item.path == plain]
        found = found or [item for item in every if last(item.path) == plain or plain in item.path.split("/")[-2:-1]]
        if not found:
            have = [item.path for item in every if behaviour.of_interest(session, item)]
            raise ReaderError(
                f"there is no series {name!r}",
                where=session.path.name,
                expected=f"one of {', '.join(have[:20]) or '(there are none)'}",
                do=hint(plain, have, "correct the option `series`"),
            )
        out += [item for item in found if item.path not in {one.path for one in out}]
    return out


def read(
    session: Session, chosen: list[Group], wanted_labels: str | None, orientation: str, areas: Any
) -> list[Traces]:
    """Read the series.

    Parameters
    ----------
    session : Session
        Open file.
    chosen : list of Group
        Series.
    wanted_labels : str, optional
        Column or path of labels.
    orientation : str
        `time` or `roi`: what a row of the data is.
    areas : str, list of str or None
        Locations of planes or electrodes that are kept; None: all.

    Raises
    ------
    ReaderError
        The parts do not fit each other, or nothing is left.
    """
    names = _short([item.path for item in chosen])
    out = []
    for item, name in zip(chosen, names):
        traces = _traces(session, item, name, wanted_labels, orientation)
        session.mark(item)
        kept = _in_areas(traces, areas)
        if kept.any():
            if not kept.all():
                values = traces.values
                traces.values = values.columns(kept) if isinstance(values, Blocks) else values[:, kept]
                traces.rois = _subset(traces.rois, kept)
            out.append(traces)
    if not out:
        raise ReaderError(
            f"nothing was recorded in {areas!r}",
            where=session.path.name,
            expected="locations of planes or electrodes of this file",
            do="correct the option `areas`",
        )
    return out


def _traces(session: Session, item: Group, name: str, wanted_labels: str | None, orientation: str) -> Traces:
    shape = of_series.data_of(item).shape
    regions = array(item, "rois") or array(item, "electrodes")
    count = None if regions is None else int(np.prod(regions.shape))
    turned, said = False, ""
    if len(shape) == 1:
        said = "one trace in one dimension"
    elif orientation == "roi":
        turned, said = True, "stored as (ROI, time), as the option says; transposed"
    elif count is not None and len(shape) == 2 and shape[1] != count == shape[0]:
        turned, said = True, f"stored as (ROI, time) = {shape}; transposed"
    values, notes = of_series.traces(session, item, turned)
    if said:
        notes["orientation"] = said
    time, more = of_series.time(item, values.shape[0])
    if array(item, "electrodes") is not None:
        who = _electrodes(session, item, values.shape[1])
    else:
        who = rois.of_series(session, item, values.shape[1], wanted_labels)
    notes |= more | who.notes | {"series": f"/{item.path}"}
    return Traces(item.path, name, values, time, of_series.unit_of(item), who, notes)


def _electrodes(session: Session, item: Group, count: int) -> rois.Rois:
    rows, of = tables.region(item, "electrodes", session)
    if rows is None or rows.size != count:
        raise ReaderError(
            f"the series has {count} channels, and refers to {0 if rows is None else rows.size} electrodes",
            where=item.where,
            expected="one electrode per channel",
            do="repair the file",
        )
    if of is None:
        return rois.Rois([str(row) for row in rows.tolist()])
    table = tables.table(of)
    columns, refused = tables.frame(table, session, frozenset({"id", "group"}))
    ids = table.values("id")[rows] if "id" in table.data else rows
    out = rois.Rois([labels.text(value) for value in ids.tolist()], unit="um")
    out.columns = columns.iloc[rows].reset_index(drop=True)
    for axis in "xyz":
        for name in (axis, f"rel_{axis}"):
            if name in out.columns and axis not in out.positions and out.columns[name].dtype.kind in "iuf":
                out.positions[axis] = out.columns[name].to_numpy(np.float64)
    out.columns = out.columns.drop(columns=[axis for axis in "xyz" if axis in out.columns])
    if refused:
        out.notes["columns_not_read"] = [f"{of.path}/{name}" for name in refused]
    return out


def _in_areas(traces: Traces, areas: Any) -> npt.NDArray[np.bool_]:
    count = traces.values.shape[1]
    if areas is None:
        return np.ones(count, bool)
    wanted = {areas} if isinstance(areas, str) else {str(area) for area in areas}
    for name in ("location", "region", "area"):
        if name in traces.rois.columns:
            return np.isin(traces.rois.columns[name].to_numpy(object).astype(str), sorted(wanted))
    return np.full(count, traces.rois.about.get("location", "") in wanted)


def _subset(of: rois.Rois, kept: npt.NDArray[np.bool_]) -> rois.Rois:
    at = np.flatnonzero(kept)
    return rois.Rois(
        ids=[of.ids[i] for i in at],
        names=None if of.names is None else [of.names[i] for i in at],
        columns=of.columns.iloc[at].reset_index(drop=True) if len(of.columns) else of.columns,
        positions={name: values[kept] for name, values in of.positions.items()},
        unit=of.unit,
        about=of.about,
        notes=of.notes,
    )


def _short(paths: list[str]) -> list[str]:
    """What tells each path from the others; empty for the only one."""
    if len(paths) == 1:
        return [""]
    parts = [path.split("/") for path in paths]
    for place in range(1, max(map(len, parts)) + 1):
        tails = ["_".join(part[-place:]) for part in parts]
        if len(set(tails)) == len(tails):
            single = [part[-place] if len(part) >= place else "" for part in parts]
            return single if len(set(single)) == len(single) else tails
    return [path.replace("/", "_") for path in paths]


def extras(traces: Traces) -> dict[str, tuple[Any, ...]]:
    """Native arrays of a recording: positions and the columns of the table of ROIs or electrodes."""
    out: dict[str, tuple[Any, ...]] = {}
    for axis, values in traces.rois.positions.items():
        out[axis] = ("roi", values, {"units": traces.rois.unit})
    out["roi_id"] = ("roi", np.array(traces.rois.ids, dtype=object), {})
    frame: pd.DataFrame = traces.rois.columns
    for name in frame:
        values = frame[name].to_numpy()
        key = f"roi_{name}"
        if key not in out:
            out[key] = ("roi", values, {"units": "1"} if values.dtype.kind == "f" else {})
    return out
