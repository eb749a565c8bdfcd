"""One two-photon session in the NWB 1.0 layout of the Allen Brain Observatory, read with h5py (pynwb reads NWB 2 only).

Variants of older files are known: neuropil traces inside `imaging_plane_1`, stimuli without the suffix `_stimulus`,
`xy_translations`, no demixed signal, no pupil. `frame_duration` holds numbers of two-photon frames, half-open, in spite of
its name.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import dataset, numeric, open_hdf5
from allometry.homogenize.formats.nwb import text
from allometry.homogenize.responses import presentations
from allometry.homogenize.traces import timebase

PIPELINE = "processing/brain_observatory_pipeline"
PLANE = "imaging_plane_1"
SIGNALS = {
    "dff": (f"DfOverF/{PLANE}/data",),
    "fluorescence": (f"Fluorescence/{PLANE}/data",),
    "demixed": (f"Fluorescence/{PLANE}_demixed_signal/data",),
    "neuropil": (f"Fluorescence/{PLANE}_neuropil_response/data", f"Fluorescence/{PLANE}/neuropil_traces"),
}
"""Where each signal is, in newer and in older files."""

NEUROPIL_R = (f"Fluorescence/{PLANE}_neuropil_response/r", f"Fluorescence/{PLANE}/r")
TIMES = (f"DfOverF/{PLANE}/timestamps", f"Fluorescence/{PLANE}/timestamps")
GENERAL = {
    "session_id": "session_id",
    "experiment_container_id": "experiment_container_id",
    "session_type": "session_type",
    "specimen_name": "specimen_name",
    "field_of_view": "fov",
    "age": "subject/age",
    "sex": "subject/sex",
    "genotype": "subject/genotype",
    "imaging_depth": f"optophysiology/{PLANE}/imaging depth",
    "area": f"optophysiology/{PLANE}/location",
    "indicator": f"optophysiology/{PLANE}/indicator",
    "excitation": f"optophysiology/{PLANE}/excitation_lambda",
    "device": "devices/2-photon microscope",
}


@dataclass
class Session:
    """What a file says.

    Attributes
    ----------
    trace : (cell, time)
        The chosen signal.
    base : TimeBase
        Time of the frames, s from the first.
    cells : DataFrame
        Index: cell specimen id (or ROI id); columns roi, area, depth (m), cell_type, neuropil_r, mask_pixels.
    shown : DataFrame
        Presentations of all stimuli: stimulus, start, stop (frames), blank, parameters.
    behaviour : dict
        `running_speed` (m/s) and `pupil_size`, at the frames; NaN where not measured.
    about : dict
        Texts about session and animal.
    notes : dict
        What was inferred, missing or left out.
    """

    name: str
    trace: npt.NDArray[Any]
    base: timebase.TimeBase
    cells: pd.DataFrame
    shown: pd.DataFrame
    behaviour: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def read_session(path: Path, signal: str = "dff", length_policy: timebase.LengthPolicy = "error") -> Session:
    """Read one file.

    Parameters
    ----------
    path : Path
        `{experiment}.nwb`.
    signal : str
        Key of `SIGNALS`.
    length_policy : {"error", "truncate"}
        What to do where traces and time stamps differ in length.

    Raises
    ------
    ReaderError
        Traces, time or stimuli are missing or do not fit each other.
    """
    notes: dict[str, Any] = {}
    with open_hdf5(path) as file:
        pipeline = file.get(PIPELINE)
        if not isinstance(pipeline, h5py.Group):
            raise ReaderError(
                "this is not a two-photon session of the Brain Observatory",
                where=path.name,
                expected=f"a group {PIPELINE} (the file has: {', '.join(list(file)[:8]) or 'nothing'})",
                do="NWB 2 files are read by allen_neuropixels; else retrieve the file again",
            )
        trace = _trace(pipeline, signal, path)
        about = _about(file, notes)
        time = numeric(pipeline, _first(pipeline, TIMES), ndim=1)
        if trace.shape[0] == time.size != trace.shape[1]:
            notes["orientation"] = f"stored as (time, cell) = {trace.shape}; transposed"
            trace = trace.T
        axis, keep, more = timebase.match_length(time, trace.shape[1], policy=length_policy, where=path.name)
        trace = trace[:, :keep]
        base = timebase.describe(axis, where=f"{path.name}, {_first(pipeline, TIMES)}", notes={**notes, **more})
        notes = base.notes
        cells = _cells(pipeline, trace.shape[0], about, notes, path)
        behaviour = _behaviour(pipeline, base, notes)
        shown = _stimuli(file, path, notes)
        known = {"DfOverF", "Fluorescence", "ImageSegmentation", "BehavioralTimeSeries", "PupilTracking"}
        left = [f"{PIPELINE}/{name}" for name in pipeline if name not in known]
        notes["not_read"] = sorted(
            left + [f"signal {name}" for name in SIGNALS if name != signal] + ["image masks", "stimulus templates"]
        )
    return Session(path.stem, trace, base, cells, shown, behaviour, about, notes)


def _first(group: h5py.Group, names: tuple[str, ...]) -> str:
    """The first of `names` that the group has; the newest one where it has none, for the message."""
    return next((name for name in names if name in group), names[0])


def _trace(pipeline: h5py.Group, signal: str, path: Path) -> npt.NDArray[Any]:
    name = _first(pipeline, SIGNALS[signal])
    values = dataset(pipeline, name, ndim=2)
    if values.dtype.kind not in "iuf" or values.size == 0:
        raise ReaderError(
            f"traces are of type {values.dtype} and shape {values.shape}",
            where=f"{path.name}, {PIPELINE}/{name}",
            expected="numbers (cell, time)",
            do="retrieve the file again",
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if np.isinf(values).any():
        raise ReaderError(
            "traces hold infinite values or values beyond 3.4e38",
            where=f"{path.name}, {PIPELINE}/{name}",
            expected="ordinary numbers, NaN where missing",
            do="retrieve the file again",
        )
    return values


def _about(file: h5py.File, notes: dict[str, Any]) -> dict[str, str]:
    about = {}
    for name, where in GENERAL.items():
        item = file.get(f"general/{where}")
        try:
            value = item[()] if isinstance(item, h5py.Dataset) else None
        except (OSError, RuntimeError, TypeError, ValueError):
            value = None
        if isinstance(value, bytes | str):
            about[name] = text(value)
    generated = file.get("general/generated_by")
    if isinstance(generated, h5py.Dataset) and generated.ndim == 1 and generated.size:
        about["pipeline_version"] = text(generated[-1])
    missing = sorted(set(GENERAL) - set(about))
    if missing:
        notes["metadata_missing"] = missing
    return about


def _cells(pipeline: h5py.Group, count: int, about: dict[str, str], notes: dict[str, Any], path: Path) -> pd.DataFrame:
    """Table of the cells, in the order of the traces."""
    segmentation = pipeline.get("ImageSegmentation")
    group = segmentation if isinstance(segmentation, h5py.Group) else None
    found = {
        name: _ids(group, name, count, path) for name in ("cell_specimen_ids", "roi_ids") if group and name in group
    }
    labels: list[Any] | None = None
    for name in ("cell_specimen_ids", "roi_ids"):
        if name in found and len(set(found[name])) == count and all(found[name]):
            labels = found[name]
            break
        notes[f"cells_{name}"] = "missing" if name not in found else "not unique, or empty; not used to name the cells"
    if labels is None:
        notes["cells"] = "no usable ids: cells are numbered by row"
        labels = list(range(count))
    if all(isinstance(label, str) and re.fullmatch("[1-9][0-9]{0,17}", label) for label in labels):
        labels = [int(label) for label in labels]
    table = pd.DataFrame(index=pd.Index(labels))
    rois = found.get("roi_ids", [""] * count)
    table["roi"] = rois
    table["area"] = about.get("area", "")
    table["depth"] = _depth(about.get("imaging_depth", ""), notes)
    table["cell_type"] = about.get("genotype", "")
    where = _first(pipeline, NEUROPIL_R)
    if where in pipeline:
        table["neuropil_r"] = numeric(pipeline, where, shape=(count,))
    else:
        notes["neuropil_r"] = "not in the file"
    table["mask_pixels"] = _mask_pixels(group, rois, notes)
    return table


def _ids(group: h5py.Group, name: str, count: int, path: Path) -> list[str]:
    values = dataset(group, name)
    if values.shape != (count,):
        raise ReaderError(
            f"{count} traces, but {name} has shape {values.shape}",
            where=f"{path.name}, {group.name}/{name}",
            expected="one id per trace",
            do="retrieve the file again; ids are never assigned by guess",
        )
    cells = []
    for value in values.tolist():
        if isinstance(value, float):
            cells.append(str(int(value)) if np.isfinite(value) and value == int(value) else "")
        else:
            cells.append(presentations.as_text(value))
    return cells


def _depth(said: str, notes: dict[str, Any]) -> float:
    match = re.match(r"\s*([0-9.]+)\s*(microns?|um|µm)?\s*$", said)
    try:
        micrometres = float(match.group(1)) if match else np.nan
    except ValueError:
        micrometres = np.nan
    if np.isnan(micrometres):
        notes["depth"] = f"not understood: {said!r}"
    return micrometres * 1e-6


def _mask_pixels(group: h5py.Group | None, rois: list[str], notes: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Size of each cell's mask; masks go by the ROI's id, or by the names in `roi_list`, one per cell in their order."""
    plane = group.get(PLANE) if group is not None else None
    sizes = np.full(len(rois), np.nan)
    listed = [""] * len(rois)
    if isinstance(plane, h5py.Group) and isinstance(plane.get("roi_list"), h5py.Dataset):
        named = [presentations.as_text(name) for name in np.ravel(plane["roi_list"][()]).tolist()]
        listed = named if len(named) == len(rois) == len(set(named)) else listed
    for number, roi in enumerate(rois):
        for name in (f"roi_{roi}" if roi else "", roi, listed[number]):
            mask = plane.get(f"{name}/img_mask") if isinstance(plane, h5py.Group) and name else None
            if isinstance(mask, h5py.Dataset) and mask.dtype.kind in "biuf" and mask.ndim == 2:
                sizes[number] = np.count_nonzero(mask[()])
                break
    absent = int(np.isnan(sizes).sum())
    if absent:
        notes["cells_without_mask"] = absent
    return sizes


def _behaviour(
    pipeline: h5py.Group, base: timebase.TimeBase, notes: dict[str, Any]
) -> dict[str, npt.NDArray[np.float64]]:
    """Running speed and pupil size at the times of the frames; NaN before, after, and where not measured."""
    found = {}
    for name, where, factor, unit in (
        ("running_speed", "BehavioralTimeSeries/running_speed", 0.01, "cm/s of the file as m/s"),
        ("pupil_size", "PupilTracking/pupil_size", 1.0, "as in the file"),
    ):
        if not isinstance(pipeline.get(where), h5py.Group):
            notes[name] = "not in the file"
            continue
        try:
            values = numeric(pipeline, f"{where}/data", ndim=1)
            time = numeric(pipeline, f"{where}/timestamps", shape=values.shape)
            checked = timebase.describe(time, where=f"{PIPELINE}/{where}")
        except ReaderError as error:
            notes[name] = f"left out: {error.what}"
            continue
        frames = base.start + base.time
        values = np.where(np.isinf(values), np.nan, values) * factor
        found[name] = np.interp(frames, checked.start + checked.time, values, left=np.nan, right=np.nan)
        notes[name] = f"{unit}, linear between its own samples; NaN outside them"
    return found


def _stimuli(file: h5py.File, path: Path, notes: dict[str, Any]) -> pd.DataFrame:
    group = file.get("stimulus/presentation")
    names = [name for name in group if isinstance(group[name], h5py.Group)] if isinstance(group, h5py.Group) else []
    tables = []
    for name in names:
        stimulus = name.removesuffix("_stimulus")
        tables.append(_presentations(group[name], stimulus, f"{path.name}, stimulus/presentation/{name}", notes))
        note = _templates(file, stimulus, tables[-1])
        if note:
            notes.setdefault("templates", {})[stimulus] = note
    if not tables:
        notes["stimuli"] = "the file has no stimulus"
        return pd.DataFrame({"stimulus": [], "start": [], "stop": [], "blank": [], "condition": []})
    return pd.concat(tables, ignore_index=True)


def _presentations(group: h5py.Group, stimulus: str, where: str, notes: dict[str, Any]) -> pd.DataFrame:
    """Presentations of one stimulus: frames and parameters."""
    data = dataset(group, "data")
    frames = numeric(group, "frame_duration", ndim=2)
    if data.dtype.kind not in "biuf" or data.ndim not in (1, 2) or frames.shape != (len(data), 2):
        raise ReaderError(
            f"data has shape {data.shape}, frame_duration {frames.shape}",
            where=where,
            expected="one row of numbers, and first and last frame, for each presentation",
            do="retrieve the file again",
        )
    whole = np.isfinite(frames) & (frames == np.rint(frames)) & (np.abs(frames) < 2**40)
    if not whole.all():
        raise ReaderError(
            f"frame_duration of {np.count_nonzero(~whole.all(axis=1))} presentations are no frame numbers",
            where=where,
            expected="whole numbers of two-photon frames (not seconds)",
            do="retrieve the file again",
        )
    data, frames = data.astype(np.float64), frames.astype(np.int64)
    if stimulus == "spontaneous":
        return _spontaneous(data.ravel(), frames, where)
    if (frames[:, 1] < frames[:, 0]).any():
        row = int(np.flatnonzero(frames[:, 1] < frames[:, 0])[0])
        raise ReaderError(
            f"presentation {row} ends at frame {frames[row, 1]}, and starts at {frames[row, 0]}",
            where=where,
            expected="an end after the start",
            do="retrieve the file again",
        )
    short = frames[:, 1] == frames[:, 0]
    if short.any():
        frames[short, 1] += 1
        notes.setdefault("single_frames", {})[stimulus] = (
            f"{short.sum()} presentations end at the frame at which they start; they have that frame"
        )
    if "features" in group:
        names = [text(name).replace(" ", "_") for name in dataset(group, "features").ravel().tolist()]
        values = data if data.ndim == 2 else data[:, None]
        if values.shape[1] != len(names) or len(set(names)) < len(names):
            raise ReaderError(
                f"data has {values.shape[1]} columns, features are {', '.join(names)}",
                where=where,
                expected="one name per column",
                do="retrieve the file again",
            )
        columns = dict(zip(names, values.T))
        blank = columns.pop("blank_sweep", np.zeros(len(data))) == 1
        blank |= np.all([np.isnan(column) for column in columns.values()], axis=0) if columns else False
    else:
        if data.ndim != 1:
            raise ReaderError(f"data has shape {data.shape}", where=where, expected="one image number per presentation")
        columns, blank = {"frame": data}, data < 0
    table = pd.DataFrame({"stimulus": stimulus, "start": frames[:, 0], "stop": frames[:, 1], "blank": blank})
    parameters = {name: np.where(blank, np.nan, column) for name, column in columns.items()}
    table["condition"] = presentations.condition_names(stimulus, parameters, blank)
    # the blank screen is image -1 of the file, and stays so
    return table.assign(**{name: columns[name] for name in columns})


def _spontaneous(marks: npt.NDArray[np.float64], frames: npt.NDArray[np.int64], where: str) -> pd.DataFrame:
    """Blocks without a stimulus: 1 marks the frame at which one starts, -1 that at which it ends."""
    start, stop = frames[marks == 1, 0], frames[marks == -1, 0]
    if len(start) != len(stop) or not np.isin(marks, (-1, 1)).all() or (stop <= start).any():
        raise ReaderError(
            "starts and ends of spontaneous activity do not pair",
            where=where,
            expected="1 at each start and -1 at each end, alternating",
            do="retrieve the file again",
        )
    return pd.DataFrame(
        {"stimulus": "spontaneous", "start": start, "stop": stop, "blank": False, "condition": "spontaneous"}
    )


def _templates(file: h5py.File, stimulus: str, table: pd.DataFrame) -> str:
    """Say so where images shown and images in the file differ in number; there are 9000 of sparse noise, 8880 shown."""
    if "frame" not in table:
        return ""
    shown = np.unique(table["frame"][~table["blank"]])
    for name in (f"{stimulus}_image_stack", stimulus):
        item = file.get(f"stimulus/templates/{name}/data")
        if isinstance(item, h5py.Dataset) and item.ndim:
            return "" if item.shape[0] == shown.size else f"{item.shape[0]} templates, {shown.size} of them shown"
    return ""
