"""Stimulus tables of NWB 2 files (`/intervals/{stimulus}_presentations`) as one presentation table."""

from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import numeric
from allometry.homogenize.formats.nwb_tables import Nwb, Table
from allometry.homogenize.responses import presentations
from allometry.homogenize.traces import timebase

SUFFIX = "_presentations"
INVALID = "invalid_times"
PARAMETERS = (
    "color",
    "contrast",
    "frame",
    "orientation",
    "phase",
    "size",
    "spatial_frequency",
    "temporal_frequency",
    "x_position",
    "y_position",
)
DEFINING = {
    "drifting_gratings": ("orientation", "temporal_frequency"),
    "static_gratings": ("orientation", "phase", "spatial_frequency"),
    "natural_scenes": ("frame",),
    "flashes": ("color",),
    "gabors": ("orientation", "x_position", "y_position"),
    "spontaneous": (),
}
"""What makes a condition, by stimulus; of other stimuli every parameter that varies."""

KEPT = ("stimulus_block", "stimulus_index")


def read_all(nwb: Nwb, wanted: Any, where: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Presentations of the chosen stimuli in the order of time.

    Parameters
    ----------
    nwb : Nwb
        Open file.
    wanted : None, str or list of str
        Stimuli; None for all.
    where : str
        File, for messages.

    Returns
    -------
    table : DataFrame
        stimulus, condition, repeat, onset, duration (s), blank, parameters, running_speed, invalid (overlaps a time
        that the source calls invalid; kept, for the user to leave out).
    notes : dict
        Design, what was out of order, what was not read.
    """
    names = sorted(name.removesuffix(SUFFIX) for name in nwb.intervals if name.endswith(SUFFIX))
    chosen = presentations.choose_stimuli(wanted, names, where)
    notes: dict[str, Any] = {}
    tables = []
    for stimulus in chosen:
        table, order = presentations.in_time_order(_stimulus(nwb.intervals[stimulus + SUFFIX], stimulus))
        tables.append(table)
        if order:
            notes.setdefault("row_order", {})[stimulus] = order["row_order"]
    if not sum(map(len, tables)):
        raise ReaderError(
            "no stimulus was shown",
            where=where,
            expected="/intervals/{stimulus}_presentations",
            do="make Spikes instead",
        )
    table, _ = presentations.in_time_order(pd.concat(tables, ignore_index=True))
    table, design = presentations.repeats(table)
    for name in PARAMETERS:
        if name in table and table[name].dtype == object:
            table[name] = presentations.parameter(table[name].to_numpy())
    table["running_speed"] = _running(nwb.file, table, notes)
    table["invalid"] = _invalid(nwb, table, notes)
    other = sorted(name for name in nwb.intervals if not name.endswith(SUFFIX) and name != INVALID)
    if other:
        notes["intervals_not_read"] = other
    left = sorted(set(names) - set(chosen))
    if left:
        notes["stimuli_left_out"] = left
    return table, {**notes, **design}


def _stimulus(table: Table, stimulus: str) -> pd.DataFrame:
    start, stop = table.numbers("start_time"), table.numbers("stop_time")
    for values in (start, stop):
        values[np.isinf(values)] = np.nan
    if (stop <= start).any():
        row = int(np.flatnonzero(stop <= start)[0])
        raise ReaderError(
            f"presentation {row} ends at {stop[row]:g} s, and starts at {start[row]:g} s",
            where=table.where,
            expected="an end after the start",
            do="retrieve the file again",
        )
    columns = {
        name: presentations.parameter(table.values(name)) for name in PARAMETERS if name in table.data and len(table)
    }
    defining = DEFINING.get(stimulus) or (("frame",) if "frame" in columns and stimulus.startswith("natural") else None)
    if defining is None:
        defining = ()
        if stimulus not in DEFINING:
            defining = tuple(name for name, values in columns.items() if _varies(values))
    elif "contrast" in columns and _varies(columns["contrast"]):
        defining = (*defining, "contrast")  # sessions of functional connectivity vary it
    present = {name: columns[name] for name in defining if name in columns}
    blank = np.zeros(len(table), bool)
    if present:
        blank = np.all([_absent(values) for values in present.values()], axis=0)
    if "frame" in columns and columns["frame"].dtype.kind == "f":
        blank |= columns["frame"] < 0  # the blank screen is image -1
    out = pd.DataFrame(
        {
            "stimulus": stimulus,
            "condition": presentations.condition_names(stimulus, present, blank),
            "onset": start,
            "duration": stop - start,
            "blank": blank,
            **columns,
        }
    )
    for name in KEPT:
        if name in table.data:
            out[name] = presentations.parameter(table.values(name))
    return out


def _absent(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.isnan(values) if values.dtype.kind == "f" else np.array([not value for value in values.tolist()])


def _varies(values: npt.NDArray[Any]) -> bool:
    return len(set(values[~_absent(values)].tolist())) > 1


def _invalid(nwb: Nwb, table: pd.DataFrame, notes: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """Presentations that overlap `/intervals/invalid_times`, whatever part of the equipment they are about."""
    marked = np.zeros(len(table), bool)
    if INVALID not in nwb.intervals:
        return marked
    intervals = nwb.intervals[INVALID]
    onset, stop = table["onset"].to_numpy(), (table["onset"] + table["duration"]).to_numpy()
    for start, end in zip(intervals.numbers("start_time"), intervals.numbers("stop_time")):
        marked |= (onset < end) & (stop > start)
    notes[INVALID] = f"{len(intervals)} intervals, {marked.sum()} presentations in them: see `invalid`"
    return marked


def _running(file: h5py.File, table: pd.DataFrame, notes: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Mean running speed in each presentation, m/s; between samples where none falls into it, NaN where unknown."""
    out = np.full(len(table), np.nan)
    group = file.get("processing/running/running_speed")
    if not isinstance(group, h5py.Group):
        notes["running_speed"] = "not in the file"
        return out
    try:
        values = numeric(group, "data", ndim=1) * 0.01
        base = timebase.describe(numeric(group, "timestamps", shape=values.shape), where="processing/running")
    except ReaderError as error:
        notes["running_speed"] = f"left out: {error.what}"
        return out
    time = base.time + base.start
    values[~np.isfinite(values)] = np.nan
    onset, stop = table["onset"].to_numpy(), (table["onset"] + table["duration"]).to_numpy()
    first, last = np.searchsorted(time, onset), np.searchsorted(time, stop)
    inside = (onset >= time[0]) & (stop <= time[-1])
    missing = np.concatenate([[0], np.cumsum(np.isnan(values))])
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    several = inside & (last > first)
    count = last[several] - first[several]
    out[several] = (total[last[several]] - total[first[several]]) / count
    out[several & (missing[last] > missing[first])] = np.nan
    between = inside & (last == first)
    out[between] = np.interp((onset[between] + stop[between]) / 2, time, values)
    notes["running_speed"] = "cm/s of the file as m/s, mean over the presentation; NaN where not measured"
    return out
