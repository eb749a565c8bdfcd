"""Any NWB 2 file, HDF5 or Zarr, of any laboratory and with any extension: Spikes, Activity or Responses.

- Spikes: the sorted units of one session, with quality, area and position of their electrode.
- Activity: every imaging plane of every session (dF/F before fluorescence), or the filtered voltages (LFP), or the series that the
  option `series` names, with the positions of the ROIs; behaviour, running and pupil beside them, each over its own time.
- Responses: units, or ROIs, in the trials, stimulus presentations or other intervals of one session.

What a store does not hold is listed in it (`derived`, `not_read`). Types of extensions are known by the description that the file
has of them; h5py and zarr read the file, so that neither pynwb, hdmf-zarr nor the extension has to be there, or to be of the version
that wrote it.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata import behaviour, intervals, recognised, recorded, units
from allometry.homogenize.formats.neurodata.session import Session, open_session
from allometry.homogenize.options import choice, listed, span, text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.responses import sweeps
from allometry.homogenize.spikes import trains, unit_table
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.blocks import Blocks, beyond_float32
from allometry.homogenize.traces.recordings import RawRecording
from allometry.homogenize.worm.neurons import NEURONS

OWN = {
    "file": text(None, "Spikes and Responses: name of the file to read, where the source has several."),
    "units": text(None, "Path of the table of units; null: `/units`, else the only one."),
    "series": listed(
        None, "Names or paths of the series of traces; null: one for each table of ROIs (dF/F first), else the LFP."
    ),
    "areas": listed(None, "Areas whose units, planes or electrodes are kept; null: all."),
    "labels": text(None, "Column of the table of ROIs, or path of an array, with the labels; null: as far as known."),
    "orientation": choice("time", ("time", "roi"), "What a row of the traces is."),
    "neurons": choice(
        None,
        (None, "worm", "labels", "rois"),
        "Canonical axis: `worm` (302 names), `labels` (every label that occurs), `rois` (every ROI is itself, named "
        "`RECORDING:ID`); null: by the species, then by whether there are labels.",
    ),
    "intervals": listed(
        None,
        "Responses: tables of intervals, or stimuli, that are read; null: stimulus presentations, else trials, else all others.",
    ),
    "condition": listed(None, "Responses: columns that make a condition; null: those whose values come back."),
    "response": choice(
        None, (None, "units", "traces"), "Responses: of units or of traces; null: units if there are any."
    ),
    "lags": span("Responses: bins of a lag axis, s from onset; null: one value per presentation."),
}
OPTIONS = {**activity.OPTIONS, **trains.OPTIONS, **OWN}
KINDS = ("spikes", "activity", "responses")
STATED = ("", "unknown")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset | xr.DataTree:
    """Read sessions.

    Parameters
    ----------
    files : dict
        `.nwb` files, and Zarr stores as folders or ZIP archives. One session for Spikes and Responses, any number for Activity.
    source : Source
        Registry entry; a species that it does not state is taken from the files.
    options : dict
        Those of every reader of recordings and of every reader of spike trains, and of `OWN`.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        Spikes, Activity or Responses.

    Raises
    ------
    ReaderError
        Whatever is wrong with file or options.
    """
    if options["kind"] == "activity":
        return _activity(files, source, options)
    path = named_file(files, options["file"], source.name)
    used = {next(name for name, where in files.items() if where == path): path}
    with open_session(path) as session:
        source, species = _of_species(source, [session.about()])
        if options["kind"] == "spikes":
            return _spikes(session, source, options, used, species)
        return _responses(session, source, options, used, species)


def _of_species(source: Source, about: list[dict[str, str]]) -> tuple[Source, dict[str, Any]]:
    """The source with the species of the files where it states none, and the note of that."""
    found = {one.get("species", "") for one in about} - {""}
    if source.species.lower() not in STATED or len(found) != 1:
        return source, {}
    name = found.pop()
    return dataclasses.replace(source, species=name), {"species": f"{name!r}, as the files say"}


def _kept(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if options[name] not in (None, OWN[name].default)}


def _units(session: Session, options: dict[str, Any]) -> trains.Found:
    """Units of the areas that are asked for."""
    found = units.read(session, options["units"])
    if options["areas"] is None:
        return found
    if "area" not in found.units:
        raise ReaderError(
            "the areas of the units are not known",
            where=found.where,
            expected="electrodes with a location, or a column such as brain_area",
            do="leave out the option `areas`, or use `keep`",
        )
    wanted = [options["areas"]] if isinstance(options["areas"], str) else [str(area) for area in options["areas"]]
    rows = np.flatnonzero(np.isin(found.units["area"].to_numpy(object).astype(str), wanted))
    if not len(rows):
        raise ReaderError(
            f"no unit is in {', '.join(wanted)}",
            where=found.where,
            expected=f"some of {', '.join(sorted(set(map(str, found.units['area'])))[:20])}",
            do="correct the option `areas`",
        )
    load = found.load
    return dataclasses.replace(
        found, units=found.units.iloc[rows], load=lambda row: load(int(rows[row])), sizes=found.sizes[rows]
    )


def _spikes(
    session: Session, source: Source, options: dict[str, Any], used: dict[str, Path], species: dict[str, Any]
) -> xr.Dataset:
    found = _units(session, options)
    found.notes |= species
    store = trains.build(
        found,
        source,
        options,
        files=used,
        title=source.name,
        parameters=_kept(options, "file", "units", "areas"),
    )
    _finish(store, session)
    return store


def _finish(store: xr.Dataset, session: Session) -> None:
    """Add electrodes, what the file says about the session, and what was not read."""
    notes = dict(stores.attribute(store, "derived"))
    units.attach_electrodes(store, session, notes)
    unread = session.unread()
    if unread:
        notes["not_read"] = unread
    stores.set_attributes(store, derived=notes, session=session.about())


def _activity(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    chosen = {name: path for name, path in files.items() if options["file"] in (None, name)}
    if not chosen:
        named_file(files, options["file"], source.name)
    about: list[dict[str, str]] = []

    def of_file(_: str, path: Path) -> list[RawRecording]:
        with open_session(path) as session:
            about.append(session.about())
            return _recordings(session, options)

    found = activity.of_files(chosen, options, of_file)
    raws = [raw for raw in found if isinstance(raw, RawRecording)]
    source, species = _of_species(source, about)
    axis, neurons = _axis(raws, source, options)
    for raw in raws:
        raw.notes |= species
        if axis == "rois":
            raw.labels = [f"{raw.name}:{roi}" for roi in raw.extra["roi_id"][1].tolist()]
    if axis == "rois":
        neurons = tuple(label for raw in raws for label in raw.labels)
    return activity.build(
        found,
        source,
        options,
        files=chosen,
        title=source.name,
        neurons=neurons,
        units=None,
        parameters={"kind": "activity", "neurons": axis}
        | _kept(options, "file", "series", "areas", "labels", "orientation"),
    )


def _axis(raws: list[RawRecording], source: Source, options: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Kind of the canonical axis, and its names where they are not those of the ROIs."""
    axis = options["neurons"]
    labelled = sorted({name for raw in raws for name in raw.labels if name})
    if axis is None:
        axis = "worm" if "elegans" in source.species.lower() else "labels" if labelled else "rois"
    if axis == "labels" and not labelled and raws:
        raise ReaderError(
            "no ROI has a label, so there is no canonical axis",
            where=source.name,
            expected="labels in at least one recording",
            do="name them with the option `labels`, or set `neurons: rois`",
        )
    return axis, NEURONS if axis == "worm" else tuple(labelled)


def _recordings(session: Session, options: dict[str, Any]) -> list[RawRecording]:
    chosen = recorded.choose(session, options["series"])
    found = recorded.read(session, chosen, options["labels"], options["orientation"], options["areas"])
    channels, refused = behaviour.read(session, {item.path for item in chosen})
    unread = session.unread()
    about = {name: value for name, value in session.about().items() if name != "session_description"}
    out = []
    for traces in found:
        start = float(traces.time[0]) if traces.time is not None and len(traces.time) else 0.0
        notes = dict(traces.notes)
        if refused:
            notes["side_channels_not_read"] = refused
        if unread:
            notes["not_read"] = unread
        out.append(
            RawRecording(
                name=f"{session.name}_{traces.name}" if traces.name else session.name,
                trace=traces.values,
                time=traces.time,
                labels=traces.rois.names or [""] * traces.values.shape[1],
                where=f"{session.path.name}, /{traces.path}",
                time_unit="s" if "time_from" in traces.notes else None,
                units=traces.unit or None,
                extra=recorded.extras(traces) | (behaviour.extras(channels, start) if np.isfinite(start) else {}),
                metadata={**about, **traces.rois.about, "series": traces.path},
                notes=notes,
            )
        )
    return out


def _responses(
    session: Session, source: Source, options: dict[str, Any], used: dict[str, Path], species: dict[str, Any]
) -> xr.Dataset:
    table, notes = intervals.read(session, options["intervals"], options["condition"])
    edges = sweeps.lag_axis(options["lags"], source.name)
    onset, duration = table["onset"].to_numpy(np.float64), table["duration"].to_numpy(np.float64)
    if edges is None:
        start, stop = onset[:, None], (onset + duration)[:, None]
    else:
        start, stop = onset[:, None] + edges[:-1], onset[:, None] + edges[1:]
    of = options["response"] or ("units" if session.all_of("Units") or "units" in session.root.names() else "traces")
    if of == "units":
        response, who, more, unit, of_columns = _of_units(session, options, start, stop)
    else:
        response, who, more, unit, of_columns = _of_traces(session, options, start, stop)
    if edges is None:
        response = response[:, :, 0]
    channels, _ = behaviour.read(session, set())
    of_table: dict[str, str] = {}
    for channel in channels:
        if channel.values.ndim == 1 and channel.name not in table:
            table[channel.name] = behaviour.means(channel, onset, onset + duration)
            of_table[channel.name] = channel.unit
    if of_table:
        notes["behaviour"] = "means over each presentation, from " + ", ".join(
            f"/{channel.path}" for channel in channels if channel.name in of_table
        )
    notes |= more | species | sweeps.missing_note(sweeps.as_response(response, session.path.name))
    store = stores.responses(
        sweeps.as_response(response, session.path.name),
        table,
        who,
        lag_s=None if edges is None else edges[:-1],
        attrs=source.attrs(
            source.name,
            {"kind": "responses", "response": of}
            | {key: options[key] for key in unit_table.FILTER if options[key]}
            | _kept(options, "file", "units", "series", "areas", "labels", "intervals", "condition", "lags"),
            notes,
            used,
        ),
        response_units=unit,
        column_units=of_table | {name: unit for name, unit in of_columns.items() if name in who},
    )
    _finish(store, session)
    return store


Windows = npt.NDArray[np.float64]
Answer = tuple[npt.NDArray[np.float64], pd.DataFrame, dict[str, Any], str, dict[str, str]]


def _of_units(session: Session, options: dict[str, Any], start: Windows, stop: Windows) -> Answer:
    """Spikes per second of each unit in each window [start, stop)."""
    found = _units(session, options)
    rows, steps = unit_table.select(found.units, options, found.where)
    who = unit_table.table(found.units, rows, options["population"], found.where)
    sweeps.check_size(len(rows) * start.size)
    response = np.full((len(rows), *start.shape), np.nan)
    known = np.isfinite(start) & np.isfinite(stop) & (stop > start)
    if found.observed is not None and len(found.observed):
        at = np.searchsorted(found.observed[:, 0], np.where(known, start, 0), side="right") - 1
        known &= (at >= 0) & (stop <= found.observed[np.maximum(at, 0), 1])
    each = trains.Trains(found, rows)
    for number, train in enumerate(each):
        response[number, known] = sweeps.counts(train, start[known], stop[known]) / (stop[known] - start[known])
    notes = {**found.notes, **each.notes()}
    if len(steps) > 1:
        notes["unit_filter"] = steps
    notes["response"] = (
        "spikes per second in [start, stop); 0 where there is no spike, NaN where the unit was not observed or there is no time"
    )
    return response, who, notes, "Hz", found.units_of


def _of_traces(session: Session, options: dict[str, Any], start: Windows, stop: Windows) -> Answer:
    """Mean of each trace over the samples in each window [start, stop)."""
    chosen = recorded.choose(session, options["series"])
    found = recorded.read(session, chosen, options["labels"], options["orientation"], options["areas"])
    sweeps.check_size(sum(traces.values.shape[1] for traces in found) * start.size)
    parts, tables, notes = [], [], dict[str, Any]()
    for traces in found:
        samples = traces.values.shape[0]
        if traces.time is None or len(traces.time) != samples or len(traces.time) < 2:
            raise ReaderError(
                f"the series has {samples} samples and {0 if traces.time is None else len(traces.time)} time stamps",
                where=f"{session.path.name}, /{traces.path}",
                expected="one time stamp per sample, at least two",
                do="name another series with the option `series`",
            )
        parts.append(_window_means(traces, start, stop, session.path.name))
        frame = (
            traces.rois.columns.copy() if len(traces.rois.columns) else pd.DataFrame(index=range(len(traces.rois.ids)))
        )
        frame.index = pd.Index([f"{traces.name}:{roi}" if traces.name else roi for roi in traces.rois.ids])
        for axis, values in traces.rois.positions.items():
            frame[axis] = values
        if "area" not in frame:
            frame["area"] = traces.rois.about.get("location", "")
        if traces.rois.names is not None:
            frame["label"] = traces.rois.names
        tables.append(frame)
        notes[traces.path] = traces.notes
    who = pd.concat(tables)
    where = session.path.name
    unit = {traces.unit or "1" for traces in found}
    if len(unit) > 1:
        raise ReaderError(
            f"the series have different units: {', '.join(sorted(unit))}",
            where=where,
            expected="one unit",
            do="name series of one unit with the option `series`",
        )
    rows, steps = unit_table.select(who, options, where)
    if len(steps) > 1:
        notes["unit_filter"] = steps
    response = np.concatenate(parts)[rows]
    notes["response"] = (
        "mean of the samples in [start, stop); NaN where there is none, or the window leaves the recording"
    )
    who = unit_table.table(who, rows, options["population"], where)
    return response, who, notes, unit.pop(), dict.fromkeys("xyz", found[0].rois.unit)


def _window_means(traces: recorded.Traces, start: Windows, stop: Windows, where: str) -> npt.NDArray[np.float64]:
    time = traces.time
    assert time is not None
    if not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise ReaderError(
            "the time stamps of the series do not increase",
            where=f"{where}, /{traces.path}",
            expected="finite, increasing time stamps",
            do="repair the file",
        )
    step = float(np.median(np.diff(time)))
    known = np.isfinite(start) & np.isfinite(stop)
    with np.errstate(invalid="ignore"):
        known &= (start >= time[0] - step / 2) & (stop <= time[-1] + 1.5 * step)
    first = np.where(known, np.searchsorted(time, np.nan_to_num(start)), 0)
    last = np.where(known, np.searchsorted(time, np.nan_to_num(stop)), 0)
    values = traces.values
    if isinstance(values, Blocks):
        out = values.means(first.ravel(), last.ravel())
    else:
        out = sweeps.window_means(np.where(beyond_float32(values), np.nan, values).T, first.ravel(), last.ravel())
    return out.reshape(values.shape[1], *start.shape)


READER = Reader("nwb", KINDS, read, OPTIONS, recognise=recognised.recognise, folders=True)
