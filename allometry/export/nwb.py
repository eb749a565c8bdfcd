"""NWB 2: a recording as a session, spikes as a table of units, responses as presentations with a series of answers.

What NWB demands and a store has not is said to be unknown: the start of the session (1970-01-01), devices, and the optics of
a plane. What a store knows and NWB has no place for stands as JSON in `notes`.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import ExportError
from allometry.export.contents import attributes, not_held, over, plain, units, units_of
from allometry.stores.access.structures import trains
from allometry.stores.schema import Data, parts

UNKNOWN = "unknown"
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "hermaphrodite": "O", "o": "O"}
_RESAMPLED = "NWB holds the traces as they were recorded; those at the common rate are made from them"
_COUNTED = "counts in bins, which the spikes give again"


def write(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write an Activity, Spikes or Responses store.

    Parameters
    ----------
    obj : Dataset or DataTree
    out : Path
        File to write. Of several recordings each is a file `NAME.RECORDING.nwb` of its own, the first in place of `out`.
    name : str
        Name of the store.

    Returns
    -------
    dict, list of str
        What the files hold, counted; what is left out.

    Raises
    ------
    ExportError
        Responses whose presentations have no time.
    """
    kind = str(obj.attrs["schema"])
    if kind == "Activity":
        return _activity(obj, out, name)
    assert isinstance(obj, xr.Dataset)
    return _spikes(obj, out, name) if kind == "Spikes" else _responses(obj, out, name)


def _file(obj: Data, identifier: str, notes: Mapping[str, Any], sex: str = "") -> Any:
    from pynwb import NWBFile
    from pynwb.file import Subject

    facts = attributes(obj)
    subject = Subject(subject_id=identifier, species=str(facts["species"]), sex=_SEXES.get(sex.lower(), "U"))
    return NWBFile(
        session_description=str(facts["title"]),
        identifier=identifier,
        session_start_time=datetime(1970, 1, 1, tzinfo=UTC),
        related_publications=[str(facts["citation"])],
        notes=json.dumps({"attributes": facts, "session_start_time": UNKNOWN, **notes}, ensure_ascii=False),
        subject=subject,
    )


def _save(file: Any, out: Path) -> None:
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(out, "w") as io:
        io.write(file)


def _columns(variables: Mapping[str, xr.DataArray]) -> Iterator[Any]:
    """Columns of a table of NWB: text, numbers and booleans, with their unit in the description."""
    from hdmf.common import VectorData

    for key, array in variables.items():
        unit = units(array)
        yield VectorData(name=key, description=f"{key} ({unit})" if unit else key, data=plain(array.values).tolist())


def _series(name: str, array: xr.DataArray, time: np.ndarray, comments: str = "no comments") -> Any:
    from pynwb import TimeSeries

    values = array.values
    return TimeSeries(
        name=name,
        data=values.astype(np.int8) if values.dtype.kind == "b" else values,
        unit=units(array) or UNKNOWN,
        timestamps=time,
        description=json.dumps(attributes(array), ensure_ascii=False),
        comments=comments,
    )


def _activity(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    root, groups = parts(obj)
    recordings = plain(root["recording"].values).tolist()
    of_recording = over(root, "recording", ("recording", "row_size"))
    held = {"recording", "row_size", *of_recording}
    rois = samples = 0
    for number, recording in enumerate(recordings):
        metadata = {key: plain(array.values)[number] for key, array in of_recording.items()}
        metadata = {key: value.item() if isinstance(value, np.generic) else value for key, value in metadata.items()}
        native = groups[f"native/{recording}"]
        file = _file(
            obj,
            f"{name}_{recording}",
            {"recording": recording, "metadata": metadata, "of_recording": attributes(native)},
            str(metadata.get("sex", "")),
        )
        held |= {f"/native/{recording}/{key}" for key in _recording(file, native)}
        _save(file, out if number == 0 else out.with_name(f"{out.stem}.{recording}{out.suffix}"))
        rois += native.sizes["roi"]
        samples += native.sizes["time"]
    why = dict.fromkeys(("trace", "time", "recording_index", "recorded"), _RESAMPLED)
    left_out = list(not_held(obj, held, why))
    return {"recordings": len(recordings), "ROIs": rois, "samples": samples}, left_out


def _recording(file: Any, native: xr.Dataset) -> set[str]:
    """Put one recording into a file; return the names of the variables that it holds."""
    from hdmf.common import VectorData
    from pynwb.ophys import Fluorescence, ImageSegmentation, OpticalChannel, PlaneSegmentation

    time = native["time"].values
    optics = file.create_device(name="device", description=UNKNOWN)
    channel = OpticalChannel(name="channel", description=UNKNOWN, emission_lambda=float("nan"))
    plane = file.create_imaging_plane(
        name="plane",
        description=UNKNOWN,
        device=optics,
        optical_channel=channel,
        excitation_lambda=float("nan"),
        indicator=UNKNOWN,
        location=UNKNOWN,
    )
    of_roi = over(native, "roi", ("roi",)) | {
        str(key): native[key]
        for key in native.variables
        if native[key].dims[0] == "roi" and 1 < native[key].ndim < 4 and native[key].dtype.kind in "biuf"
    }
    # NWB wants a mask of each region; one pixel that weighs nothing says that none is known
    mask = VectorData(
        name="image_mask", description="not known", data=np.zeros((native.sizes["roi"], 1, 1), np.float32)
    )
    table = PlaneSegmentation(
        name="rois",
        description="regions of interest, one row per trace",
        imaging_plane=plane,
        id=list(range(native.sizes["roi"])),
        columns=[*_columns(of_roi), mask],
    )
    ophys = file.create_processing_module("ophys", "traces as they were recorded")
    ophys.add(ImageSegmentation(plane_segmentations=[table]))
    region = table.create_roi_table_region(description="all", region=list(range(native.sizes["roi"])))
    trace = native["trace"]
    fluorescence = Fluorescence()
    ophys.add(fluorescence)
    fluorescence.create_roi_response_series(
        name="trace",
        data=trace.values,
        rois=region,
        unit=units(trace),
        timestamps=time,
        description="NaN where missing",
    )
    channels = {
        str(key): native[key]
        for key in native.variables
        if native[key].dims[:1] == ("time",)
        and "roi" not in native[key].dims
        and native[key].dtype.kind in "biuf"
        and key != "time"
        and native[key].ndim < 5
    }
    if channels:
        behaviour = file.create_processing_module("behavior", "what was measured beside the traces")
        for key, array in channels.items():
            behaviour.add(_series(key, array, time))
    return {"time", "trace", *of_roi, *channels}


def _spikes(ds: xr.Dataset, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    columns = over(ds, "unit", ("unit", "row_size"))
    columns = {key: array for key, array in columns.items() if not key.startswith("state_")}
    file = _file(ds, name, {"units_of_columns": units_of(columns)})
    labels = plain(ds["unit"].values).tolist()
    for key, array in columns.items():
        file.add_unit_column(key, f"{key} ({units(array)})" if units(array) else key)
    file.add_unit_column("label", "name or number of the unit")
    observed = ds["observed"].values
    lists = {key: plain(array.values).tolist() for key, array in columns.items()}
    total = 0
    for row, train in enumerate(trains(ds)):
        file.add_unit(
            id=row,
            spike_times=train,
            obs_intervals=observed,
            label=str(labels[row]),
            **{key: values[row] for key, values in lists.items()},
        )
        total += len(train)
    held = {"unit", "row_size", "spike_step", "spike_unit", "spike_time", "observed", *columns}
    if "voltage" in ds:
        time = ds["step"].values * (float(ds.attrs["dt_ms"]) / 1000)
        probed = json.dumps({"unit of each column": [labels[index] for index in ds["probe"].values]})
        file.add_acquisition(_series("voltage", ds["voltage"], time, probed))
        held |= {"voltage", "step", "probe"}
    _save(file, out)
    return {"spikes": total, "units": len(labels)}, list(not_held(ds, held, {"count": _COUNTED}))


def _responses(ds: xr.Dataset, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    from hdmf.common import DynamicTable
    from pynwb.epoch import TimeIntervals

    onset = ds["onset"].values if "onset" in ds else np.full(ds.sizes["presentation"], np.nan)
    if not np.isfinite(onset).all():
        raise ExportError(
            "presentations have no time of onset, and NWB places them in time",
            where=f"{name}, onset ({int((~np.isfinite(onset)).sum())} of {len(onset)} are missing)",
            expected="an onset of every presentation, s",
            do="choose another format (netcdf, csv, parquet)",
        )
    order = np.argsort(onset, kind="stable")
    shown = {key: array.isel(presentation=order) for key, array in over(ds, "presentation").items()}
    of_unit = over(ds, "unit")
    file = _file(ds, name, {"units_of_columns": units_of({**shown, **of_unit})})
    stop = onset[order] + (np.nan_to_num(shown["duration"].values) if "duration" in shown else 0.0)
    table = TimeIntervals(
        name="presentations", description="presentations of stimuli; conditions come back as repeats", id=None
    )
    for key, array in shown.items():
        table.add_column(key, f"{key} ({units(array)})" if units(array) else key)
    lists = {key: plain(array.values).tolist() for key, array in shown.items()}
    for row in range(len(order)):
        values = {key: column[row] for key, column in lists.items()}
        table.add_interval(start_time=float(onset[order[row]]), stop_time=float(stop[row]), **values)
    file.add_time_intervals(table)
    module = file.create_processing_module("responses", "what each unit did in each presentation")
    module.add(
        DynamicTable(name="units", description="columns of the response", columns=list(_columns(of_unit)))
        if ds.sizes["unit"]
        else DynamicTable(name="units", description="there is none")
    )
    response = ds["response"].isel(presentation=order).transpose("presentation", "unit", ...)
    rows = "one row per presentation, at its onset; columns are the rows of the table of units"
    module.add(_series("response", response, onset[order], rows))
    held = {*shown, *of_unit, "response"}
    if "lag" in ds:
        lags = {"lag": ds["lag"]}
        module.add(DynamicTable(name="lags", description="third axis of the response", columns=list(_columns(lags))))
        held.add("lag")
    _save(file, out)
    return {
        "presentations": len(order),
        "units": ds.sizes["unit"],
    }, list(not_held(ds, held))
