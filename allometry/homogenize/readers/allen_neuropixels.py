"""Allen Visual Coding, Neuropixels: one NWB 2 file per session, into Spikes or Responses.

Units are filtered as the Allen Institute does by default (session 715093703: 2779 units, 884 after it). Spike times are
read unit by unit in blocks, so that memory holds the spikes of the units kept, and never the file.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import stimulus_tables
from allometry.homogenize.formats.nwb_tables import Nwb, Table, open_nwb
from allometry.homogenize.look import Files, Finding, by_name
from allometry.homogenize.options import listed, quantity, span, text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.readers import allen_ecephys_tables
from allometry.homogenize.responses import presentations, sweeps
from allometry.homogenize.spikes import trains

BLOCK = 2**22  # spikes read at once: 32 MiB
LAYERS = "layer_info.csv"
FILTER = {"presence_ratio": ">=", "isi_violations": "<=", "amplitude_cutoff": "<="}
OPTIONS = {
    "file": text(None, "Name of the file to read, where the source has several."),
    "presence_ratio": quantity(0.95, "Least fraction of the session in which a unit fires; null: no limit.", null=True),
    "isi_violations": quantity(0.5, "Most violations of the refractory period, relative; null: no limit.", null=True),
    "amplitude_cutoff": quantity(0.1, "Most of the fraction of missed spikes; null: no limit.", null=True),
    "areas": listed(None, "Areas whose units are kept; null: all."),
    "stimuli": listed(None, "Responses: stimuli that are kept; null: all."),
    "lags": span("Responses: bins of a lag axis, s from onset; null: one value per presentation."),
}
COLUMN_UNITS = {
    "orientation": "degree",
    "temporal_frequency": "Hz",
    "spatial_frequency": "1/degree",
    "x_position": "degree",
    "y_position": "degree",
    "running_speed": "m s-1",
    "firing_rate": "Hz",
    "x": "um",
    "y": "um",
    "z": "um",
    "probe_vertical_position": "um",
    "waveform_duration": "ms",
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one session.

    Parameters
    ----------
    files : dict
        `session_{session}.nwb`; one, or the one that the option `file` names. A file `layer_info.csv` beside it (see
        `allen_ecephys_tables`) gives the units their cortical layer and relative depth, which the session lacks.
    options : dict
        Those of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes (recorded), or Responses in Hz.

    Raises
    ------
    ReaderError
        Whatever is wrong with file or options.
    """
    kind = options["kind"]
    path = named_file(files, options["file"], source.name, (".nwb",))
    used = {next(name for name, where in files.items() if where == path): path}
    edges = sweeps.lag_axis(options["lags"], source.name)
    with open_nwb(path) as nwb:
        if nwb.units is None:
            raise ReaderError(
                "there is no unit table", where=path.name, expected="/units", do="retrieve the file again"
            )
        units, rows = _unit_table(nwb, options, path.name)
        notes: dict[str, Any] = nwb.notes
        if LAYERS in files:
            layers = allen_ecephys_tables.layers(files[LAYERS])
            units = units.drop(columns=[name for name in layers if name in units]).join(layers)
            used[LAYERS] = files[LAYERS]
            notes["layers"] = f"of {LAYERS}; {int((~units.index.isin(layers.index)).sum())} units are not in it"
        kept = {name: options[name] for name in (*FILTER, "areas")}
        if kind == "spikes":
            dataset = _spikes(nwb.units, units, rows, nwb, source, kept, used)
        else:
            table, more = stimulus_tables.read_all(nwb, options["stimuli"], path.name)
            notes |= more
            dataset = _responses(nwb.units, units, rows, table, edges, options, source, kept, used, notes)
        _attach_electrodes(dataset, nwb)
        stores.set_attributes(dataset, session=_about(nwb.file))
    for name in set(map(str, dataset.variables)) & set(COLUMN_UNITS):
        dataset[name].attrs["units"] = COLUMN_UNITS[name]
    return dataset


def _about(file: h5py.File) -> dict[str, str]:
    about = {}
    wanted = {"identifier": "identifier", "session_id": "general/session_id", "institution": "general/institution"}
    wanted |= {name: f"general/subject/{name}" for name in ("age", "sex", "genotype", "subject_id", "species")}
    for name, where in wanted.items():
        item = file.get(where)
        try:
            value = item[()] if isinstance(item, h5py.Dataset) and item.shape == () else None
        except (OSError, RuntimeError, TypeError, ValueError):
            value = None
        if isinstance(value, bytes | str):
            about[name] = presentations.as_text(value)
    return about


def _unit_table(nwb: Nwb, options: dict[str, Any], where: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Table of the units that pass the filter, and their rows in the file."""
    table = nwb.units
    assert table is not None
    ids = table.values("id") if "id" in table.data else np.arange(len(table))
    if ids.dtype.kind not in "iu":
        raise ReaderError(f"unit ids are of type {ids.dtype}", where=where, expected="whole numbers")
    keep = np.ones(len(table), bool)
    steps = {"all": len(table)}
    for name, sign in FILTER.items():
        limit = options[name]
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise ReaderError(f"option {name} is {limit!r}", where=where, expected="a number, or none for no limit")
        values = table.numbers(name)
        with np.errstate(invalid="ignore"):
            keep &= values >= limit if sign == ">=" else values <= limit
        steps[f"{name} {sign} {limit:g}"] = int(keep.sum())
    frame = pd.DataFrame(index=pd.Index(ids.astype(np.int64)))
    skipped = []
    for name in table.plain():
        try:
            column = presentations.plain_column(table.values(name))
        except ReaderError:
            skipped.append(name)
            continue
        frame[{"quality": "sorting_quality"}.get(name, name)] = column
    areas = _areas(frame, nwb)
    frame.insert(0, "population", np.where(areas == "", "unknown", areas))
    frame.insert(1, "area", areas)
    if "snr" in frame and frame["snr"].dtype.kind == "f":
        frame["quality"] = frame["snr"]
    if options["areas"] is not None:
        wanted = [options["areas"]] if isinstance(options["areas"], str) else list(options["areas"])
        keep &= np.isin(areas, [str(area) for area in wanted])
        steps["areas"] = int(keep.sum())
    if not keep.any():
        raise ReaderError(
            "no unit is left",
            where=where,
            expected="units that pass " + ", then ".join(f"{name}: {left}" for name, left in steps.items()),
            do="relax the filter (presence_ratio, isi_violations, amplitude_cutoff: none), or check `areas`",
        )
    nwb.notes["unit_filter"] = steps
    if skipped:
        nwb.notes["unit_columns_not_read"] = skipped
    ragged = sorted(set(table.ragged()) - {"spike_times"})
    if ragged:
        nwb.notes["not_read"] = [f"units/{name}" for name in ragged]
    frame = frame[keep]
    sweeps.deduplicated(frame.index.tolist(), f"{where}, units/id")
    clash = {
        "unit",
        "spike",
        "row_size",
        "spike_time",
        "observed",
        "response",
        "repeat",
        "lag",
        "presentation",
        "count",
    }
    return frame.drop(columns=[name for name in frame if name in clash]), np.flatnonzero(keep)


def _areas(frame: pd.DataFrame, nwb: Nwb) -> npt.NDArray[Any]:
    """Area of each unit by its peak channel; joins position and probe from the electrodes into `frame`."""
    table = nwb.electrodes
    none = np.full(len(frame), "", dtype=object)
    if table is None or "peak_channel_id" not in frame or frame["peak_channel_id"].dtype.kind not in "iuf":
        nwb.notes["area"] = "not known: no electrodes, or no peak channels"
        return none
    try:
        ids = pd.Index(table.values("id").astype(np.float64))
        columns = {
            name: presentations.plain_column(table.values(name))
            for name in ("location", "x", "y", "z", "probe_id", "probe_vertical_position")
            if name in table.data
        }
    except (ReaderError, ValueError, TypeError) as error:
        nwb.notes["area"] = f"not known: electrodes cannot be read ({str(error).splitlines()[0]})"
        return none
    if not ids.is_unique:
        nwb.notes["area"] = "not known: electrode ids are not unique"
        return none
    row = ids.get_indexer(pd.Index(frame["peak_channel_id"].to_numpy(np.float64)))
    lost = int((row < 0).sum())
    if lost:
        nwb.notes["units_without_electrode"] = lost
    for name, values in columns.items():
        if name != "location" and name not in frame and values.dtype.kind in "iuf":
            frame[name] = np.where(row < 0, np.nan, values[row]) if lost else values[row]
    location = columns.get("location", np.full(len(ids), "", dtype=object))
    if location.dtype.kind == "f":  # a column without a single name
        return none
    return np.where(row < 0, "", location[row]).astype(object)


def _trains(table: Table, units: pd.DataFrame, rows: npt.NDArray[np.int64], where: str) -> trains.Trains:
    """Trains of the units kept, each read in blocks."""
    spans = table.spans("spike_times")[rows]

    def load(number: int) -> npt.NDArray[np.float64]:
        start, stop = spans[number].tolist()
        parts = [table.piece("spike_times", at, min(at + BLOCK, stop)) for at in range(start, stop, BLOCK)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0), *parts])

    return trains.Trains(trains.Found(units, load, spans[:, 1] - spans[:, 0], where), np.arange(len(rows)))


def _spikes(
    table: Table,
    units: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    nwb: Nwb,
    source: Source,
    kept: dict[str, Any],
    used: dict[str, Path],
) -> xr.Dataset:
    kept_trains = _trains(table, units, rows, next(iter(used)))
    times, sizes = trains.together(kept_trains)
    observed = _observed(times, nwb)
    notes = {
        **nwb.notes,
        **kept_trains.notes(),
        "observed": "from the first to the last event in the file, which does not say",
    }
    return stores.spikes_recorded(
        times,
        sizes,
        units=units,
        observed=[observed],
        attrs=source.attrs(
            f"Allen Visual Coding Neuropixels, {next(iter(used))}", {"kind": "spikes", **kept}, notes, used
        ),
    )


def _observed(times: npt.NDArray[np.float64], nwb: Nwb) -> tuple[float, float]:
    """First and last time that anything in the file has, s."""
    edges = [0.0]
    if len(times):
        edges += [float(times.min()), float(times.max())]
    for table in nwb.intervals.values():
        for name in ("start_time", "stop_time"):
            try:
                values = table.numbers(name)
            except ReaderError:
                continue
            values = values[np.isfinite(values)]
            edges += [float(values.min()), float(values.max())] if values.size else []
    low, high = min(edges), max(edges)
    if high <= low:
        raise ReaderError("the session has no extent in time", where=nwb.file.filename, expected="spikes or stimuli")
    return low, high


def _responses(
    table: Table,
    units: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    shown: pd.DataFrame,
    edges: npt.NDArray[np.float64] | None,
    options: dict[str, Any],
    source: Source,
    kept: dict[str, Any],
    used: dict[str, Path],
    notes: dict[str, Any],
) -> xr.Dataset:
    onset = shown["onset"].to_numpy()
    if edges is None:
        start, stop = onset[:, None], (onset + shown["duration"].to_numpy())[:, None]
    else:
        start, stop = onset[:, None] + edges[:-1], onset[:, None] + edges[1:]
    sweeps.check_size(len(rows) * start.size)
    response = np.empty((len(rows), *start.shape), np.float32)
    known = np.isfinite(start) & np.isfinite(stop)
    kept_trains = _trains(table, units, rows, next(iter(used)))
    for number, train in enumerate(kept_trains):
        counts = sweeps.counts(train, np.where(known, start, 0), np.where(known, stop, 0))
        response[number] = np.where(known, counts / np.where(known, stop - start, 1), np.nan)
    if edges is None:
        response = response[:, :, 0]
    notes |= {**kept_trains.notes(), **sweeps.missing_note(response)}
    notes["response"] = "spikes per second in [start, stop); 0 where there is no spike, NaN only where there is no time"
    return stores.responses(
        response,
        shown,
        units.drop(columns="population"),
        lag_s=None if edges is None else edges[:-1],
        attrs=source.attrs(
            f"Allen Visual Coding Neuropixels responses, {next(iter(used))}",
            {"kind": "responses", **kept, "stimuli": options["stimuli"], "lags": options["lags"]},
            notes,
            used,
        ),
        response_units="Hz",
    )


def _note(dataset: xr.Dataset, electrodes: str) -> None:
    stores.set_attributes(dataset, derived={**stores.attribute(dataset, "derived"), "electrodes": electrodes})


def _attach_electrodes(dataset: xr.Dataset, nwb: Nwb) -> None:
    """Add the electrode table as variables over `electrode`."""
    table = nwb.electrodes
    if table is None:
        _note(dataset, "no table in the file")
        return
    try:
        columns = {name: presentations.plain_column(table.values(name)) for name in table.plain()}
        ids = table.values("id").astype(np.int64)
    except (ReaderError, ValueError, TypeError, OverflowError) as error:
        _note(dataset, f"left out: {str(error).splitlines()[0]}")
        return
    dataset.coords["electrode"] = ("electrode", ids)
    for name, values in columns.items():
        key = f"electrode_{''.join(sign if sign.isalnum() else '_' for sign in name)}"
        if values.dtype.kind in "biuf":
            units = {"units": COLUMN_UNITS.get(name, "1")} if values.dtype.kind == "f" else {}
            dataset[key] = ("electrode", values, units)
        else:
            dataset[key] = ("electrode", np.array(values.tolist(), dtype=np.dtypes.StringDType()))


def recognise(files: Files) -> list[Finding]:
    """NWB 2 files of Visual Coding, by the columns of their unit table."""
    columns = [f"units/{name}" for name in (*FILTER, "spike_times", "peak_channel_id")]
    found = []
    for path in files.holding(*columns, "general/extracellular_ephys", form="hdf5"):
        if path.suffix != ".nwb":
            continue
        peek = files.peek(path)
        stores: dict[str, tuple[str, dict[str, Any]]] = {"": ("spikes", {})}
        if any(name.endswith("_presentations") for name in peek.arrays):
            stores["responses"] = ("responses", {})
        units, spikes = (peek.arrays[f"units/{name}"].shape for name in ("id", "spike_times"))
        facts = (f"{units[0]} units before the default filter, {spikes[0]:,} spikes",)
        what = "Neuropixels session of the Allen Visual Coding collection (NWB 2)"
        found.append(
            Finding(what, {path.name: path} | by_name(files.named(LAYERS)), stores, facts=facts, species="Mus musculus")
        )
    return found


READER = Reader("allen_neuropixels", ("spikes", "responses"), read, OPTIONS, recognise=recognise)
