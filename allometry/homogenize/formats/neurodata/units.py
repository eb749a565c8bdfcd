"""Sorted units of an NWB file: their trains, their table, and the electrodes that they were seen on."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.hints import hint
from allometry.homogenize.formats.neurodata import tables
from allometry.homogenize.formats.neurodata.session import Session
from allometry.homogenize.formats.neurodata.tree import Group, array, group, text
from allometry.homogenize.formats.nwb_tables import Table
from allometry.homogenize.spikes.trains import Found, merged

BLOCK = 2**22  # spikes read at once: 32 MiB
PEAKS = ("peak_channel_id", "peak_channel", "peak_electrode", "max_electrode", "max_channel_id")
"""Columns that name the electrode on which a unit is largest: ids of electrodes."""
PLACES = ("x", "y", "z", "rel_x", "rel_y", "rel_z")
AREAS = ("area", "brain_area", "brain_region", "location", "region", "structure")
UNITS_OF = dict.fromkeys(PLACES, "um")
RAGGED = frozenset({"spike_times", "electrodes", "obs_intervals"})


def choose(session: Session, wanted: str | None) -> Group:
    """The table of units: the one that an option names, else `/units`, else the only one.

    Raises
    ------
    ReaderError
        There is none, or there are several.
    """
    found = session.all_of("Units")
    plain = group(session.root, "units")
    if plain is not None and plain.path not in {item.path for item in found}:
        found.append(plain)
    have = [item.path for item in found]
    if wanted:
        named = [item for item in found if item.path == wanted.strip("/")]
        if not named:
            raise ReaderError(
                f"there is no table of units {wanted!r}",
                where=session.path.name,
                expected=f"one of {', '.join(have) or '(there are none)'}",
                do=hint(wanted, have, "correct the option `units`"),
            )
        return named[0]
    main = [item for item in found if item.path == "units"] or found
    if len(main) != 1:
        raise ReaderError(
            f"the file has {len(main)} tables of units",
            where=session.path.name,
            expected="one, or the option `units` with the path of one",
            do=f"set `units` to one of: {', '.join(have)}"
            if have
            else "make a store of kind activity or responses of this file",
        )
    return main[0]


def read(session: Session, wanted: str | None) -> Found:
    """Units of a file, with areas and positions from their electrodes.

    Raises
    ------
    ReaderError
        There are no units, or their spike times cannot be told apart.
    """
    item = choose(session, wanted)
    of = tables.table(item)
    if "spike_times" not in of.data:
        raise ReaderError(
            "the units have no spike times",
            where=of.where,
            expected=f"a column spike_times (the table has: {', '.join(sorted(of.data)) or 'none'})",
            do="name another table with the option `units`, or retrieve the file again",
        )
    session.mark(item)
    spans = of.spans("spike_times")
    ids = of.values("id") if "id" in of.data else np.arange(len(spans))
    if len(ids) != len(spans):
        raise ReaderError(f"{len(ids)} units have {len(spans)} trains", where=of.where, expected="one train per unit")
    units, refused = tables.frame(of, session, RAGGED | {"id", "electrode_group"})
    units.index = pd.Index(ids.astype(np.int64)) if ids.dtype.kind in "iu" else pd.Index([str(i) for i in ids.tolist()])
    notes: dict[str, Any] = {}
    if refused:
        notes["unit_columns_not_read"] = refused
    _join_electrodes(session, of, units, notes)
    resolution = of.data["spike_times"].attrs.get("resolution")
    if isinstance(resolution, int | float) and resolution > 0:
        notes["resolution_s"] = float(resolution)

    def load(row: int) -> npt.NDArray[Any]:
        start, stop = spans[row].tolist()
        parts = [of.piece("spike_times", at, min(at + BLOCK, stop)) for at in range(start, stop, BLOCK)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0), *parts])

    return Found(
        units,
        load,
        spans[:, 1] - spans[:, 0],
        session.path.name,
        observed=_observed(of, notes),
        end=last_event(session),
        units_of=dict(UNITS_OF),
        notes=notes,
    )


def _observed(of: Table, notes: dict[str, Any]) -> npt.NDArray[np.float64] | None:
    """Union of the observed intervals of all units; says so where they differ."""
    if "obs_intervals" not in of.data or "obs_intervals_index" not in of.data:
        return None
    values = of.data["obs_intervals"]
    if values.ndim != 2 or values.shape[1:] != (2,) or not values.is_number:
        notes["observed"] = f"obs_intervals of shape {values.shape} was not read"
        return None
    intervals, spans = values.numbers(), of.spans("obs_intervals")
    each = {intervals[start:stop].tobytes() for start, stop in spans.tolist()}
    out = merged(intervals)
    if len(out):
        notes["observed"] = (
            "obs_intervals of the units, the same for all"
            if len(each) == 1
            else f"union of the obs_intervals of the units, of which there are {len(each)} different ones"
        )
    return out if len(out) else None


def last_event(session: Session) -> float:
    """Latest time of the intervals of a file, s; NaN where there are none."""
    last = np.nan
    for item in session.all_of("TimeIntervals"):
        stops = array(item, "stop_time")
        if stops is None or not stops.is_number or stops.ndim != 1:
            continue
        try:
            values = stops.numbers()
        except ReaderError:
            continue
        values = values[np.isfinite(values)]
        if values.size:
            last = float(np.nanmax([last, values.max()]))
    return last


def electrodes(session: Session) -> Table | None:
    """Table of the electrodes."""
    item = group(session.root, "general/extracellular_ephys/electrodes")
    return None if item is None else tables.table(item)


def _rows(session: Session, of: Table, units: pd.DataFrame, notes: dict[str, Any]) -> npt.NDArray[np.int64] | None:
    """Row of the electrodes for each unit, -1 where there is none; where several, that of the peak, else the first."""
    table = electrodes(session)
    if table is None:
        return None
    ids = table.values("id") if "id" in table.data else np.arange(len(table))
    peak = next((name for name in PEAKS if name in units and units[name].dtype.kind in "iuf"), None)
    if peak is not None and len(np.unique(ids)) == len(ids):
        notes["electrode_of_unit"] = f"by {peak}, an id of an electrode"
        return pd.Index(ids.astype(np.float64)).get_indexer(pd.Index(units[peak].to_numpy(np.float64)))
    if "electrodes" not in of.data:
        return None
    region = of.data["electrodes"]
    values = region.values()
    if values.ndim != 1 or values.dtype.kind not in "iu":
        return None
    spans = of.spans("electrodes") if "electrodes_index" in of.data else np.arange(len(units) + 1)
    spans = spans if spans.ndim == 2 else np.stack([spans[:-1], spans[1:]], axis=1)
    out = np.full(len(units), -1)
    has = (spans[:, 1] > spans[:, 0]) & (spans[:, 0] < len(values))
    out[has] = values[spans[has, 0]]
    out[(out >= len(table)) | (out < 0)] = -1
    several = int((spans[:, 1] - spans[:, 0] > 1).sum())
    notes["electrode_of_unit"] = "the electrode that the unit refers to" + (
        f"; of {several} units that refer to several, the first: the file does not say where they are largest"
        if several
        else ""
    )
    return out


def _join_electrodes(session: Session, of: Table, units: pd.DataFrame, notes: dict[str, Any]) -> None:
    """Add area and position of the electrode of each unit to the table."""
    area = next((name for name in AREAS if name in units and units[name].dtype.kind not in "biuf"), None)
    try:
        rows = _rows(session, of, units, notes)
        table = electrodes(session)
        columns = {
            name: tables.column(table, name, session)
            for name in (*PLACES, "location", "group_name")
            if table is not None and name in table.data
        }
    except (ReaderError, ValueError, TypeError, OverflowError) as error:
        notes["electrodes"] = f"not joined to the units: {str(error).splitlines()[0]}"
        rows, columns = None, {}
    location = columns.pop("location", None)
    if rows is not None:
        for name, values in columns.items():
            if name in units:
                continue
            if values.dtype.kind in "iuf":
                units[name] = np.where(rows < 0, np.nan, values[rows].astype(np.float64))
            else:
                units[name] = np.where(rows < 0, "", values[rows].astype(object))
        if location is not None and location.dtype.kind not in "biuf":
            found = np.where(rows < 0, "", location[rows].astype(object))
            if "area" not in units:
                units["area"] = found
                notes["area"] = "location of the electrode of each unit"
            area = "area"
    if "area" not in units and area is not None:
        units["area"] = units[area]
        notes["area"] = f"column {area!r} of the units"


def attach_electrodes(dataset: xr.Dataset, session: Session, notes: dict[str, Any]) -> None:
    """Add the table of electrodes as variables over `electrode`."""
    table = electrodes(session)
    if table is None:
        return
    try:
        columns, refused = tables.frame(table, session, frozenset({"id", "group"}))
        ids = table.values("id").astype(np.int64) if "id" in table.data else np.arange(len(table))
    except (ReaderError, ValueError, TypeError, OverflowError) as error:
        notes["electrodes"] = f"left out: {str(error).splitlines()[0]}"
        return
    if refused:
        notes["electrode_columns_not_read"] = refused
    dataset.coords["electrode"] = ("electrode", ids)
    for name in columns:
        key = f"electrode_{''.join(sign if sign.isalnum() else '_' for sign in str(name))}"
        values = columns[name].to_numpy()
        if values.dtype.kind in "biuf":
            dataset[key] = (
                "electrode",
                values,
                {"units": UNITS_OF.get(str(name), "1")} if values.dtype.kind == "f" else {},
            )
        else:
            dataset[key] = ("electrode", np.array(values.tolist(), dtype=np.dtypes.StringDType()))


def name_of(session: Session) -> str:
    """What the file calls the session."""
    return text(session.root, "general/session_id") or text(session.root, "identifier") or session.name
