"""Allen Brain Observatory files: two-photon (NWB 1.0) and Visual Coding Neuropixels (NWB 2), written with h5py alone.

Values are chosen so that the answer is known: a cell's trace is constant during each sweep.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

TEXT = h5py.string_dtype()
RATE = 30.0
SCENES, REPEATS, BLANKS = 118, 50, 50


def _blank_sweeps(rng: np.random.Generator, kinds: np.ndarray, blanks: int) -> np.ndarray:
    """Presentations in random order with blank ones (-1) among them."""
    order = np.concatenate([kinds, np.full(blanks, -1)])
    rng.shuffle(order)
    return order


def two_photon(path: Path, session: str, *, cells: int = 4, older: bool = False) -> dict[str, Any]:
    """One two-photon experiment, NWB 1.0; `older` writes the names of earlier versions of the pipeline.

    Session B shows natural scenes (118 x 50 + 50 blanks, each 7 or 8 frames) and a movie, session A drifting gratings
    (8 directions x 5 frequencies x 15 and 30 blanks, 60 frames, 30 between).
    """
    rng = np.random.default_rng(0)
    start, sweeps = 300, {}
    if session == "three_session_B":
        images = _blank_sweeps(rng, np.repeat(np.arange(SCENES), REPEATS), BLANKS)
        edges = start + np.floor(7.5 * np.arange(len(images) + 1)).astype(int)
        sweeps["natural_scenes"] = (images, np.stack([edges[:-1], edges[1:]], axis=1), None)
    else:
        which = _blank_sweeps(rng, np.repeat(np.arange(40), 15), 30)
        direction = np.where(which < 0, np.nan, 45.0 * (which // 5))
        frequency = np.where(which < 0, np.nan, np.array([1.0, 2, 4, 8, 15])[which % 5])
        on = start + 90 * np.arange(len(which))
        table = np.stack([frequency, direction, (which < 0).astype(float)], axis=1)
        sweeps["drifting_gratings"] = (
            table,
            np.stack([on, on + 60], axis=1),
            ["temporal_frequency", "orientation", "blank_sweep"],
        )
    last = int(next(iter(sweeps.values()))[1].max()) + 90
    movie = last + np.arange(20)
    sweeps["natural_movie_one"] = (np.tile(np.arange(10), 2), np.stack([movie, movie + 1], axis=1), None)
    rest = np.array([[0, 1], [start - 10, start - 9]])  # begin and end: 1 and -1, as events
    sweeps["spontaneous"] = (np.array([1.0, -1.0]), rest, None)
    samples = int(movie[-1]) + 100
    traces = np.zeros((cells, samples), np.float32)
    name = next(iter(sweeps))
    shown, windows, _ = sweeps[name]
    value = shown if shown.ndim == 1 else np.nan_to_num(shown[:, 1], nan=-1)
    for (first, end), what in zip(windows, value):
        traces[:, first:end] = what + 1000 * np.arange(cells)[:, None]
    time = 8.0 + np.arange(samples) / RATE
    suffix = "_stimulus" if older else ""
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        file["identifier"] = np.bytes_("synthetic")
        pipeline = file.create_group("processing/brain_observatory_pipeline")
        plane = pipeline.create_group("DfOverF/imaging_plane_1")
        plane["data"], plane["timestamps"] = traces, time
        raw = pipeline.create_group("Fluorescence/imaging_plane_1")
        raw["data"], raw["timestamps"] = 100 + traces, time
        if older:
            raw["neuropil_traces"], raw["r"] = np.full_like(traces, 50), np.full(cells, 0.7)
        else:
            neuropil = pipeline.create_group("Fluorescence/imaging_plane_1_neuropil_response")
            neuropil["data"], neuropil["r"] = np.full_like(traces, 50), np.full(cells, 0.7)
            pipeline["Fluorescence/imaging_plane_1_demixed_signal/data"] = 100 + traces
        rois = pipeline.create_group("ImageSegmentation")
        names = [f"roi_{i:03d}" for i in range(cells)]
        rois["roi_ids"] = np.array([str(300 + i) for i in range(cells)], "S")
        rois["cell_specimen_ids"] = 517_000_000 + 11 * np.arange(cells)
        rois.create_dataset("imaging_plane_1/roi_list", data=np.array(names, "S"))
        for i, roi in enumerate(names):
            mask = np.zeros((16, 16), np.uint8)
            mask[2 * i : 2 * i + 2, 3:6] = 1
            rois[f"imaging_plane_1/{roi}/img_mask"] = mask
        speed = pipeline.create_group("BehavioralTimeSeries/running_speed")
        speed["data"], speed["timestamps"] = np.full(samples, 3.0), time
        pipeline["PupilTracking/pupil_size/data"] = np.full(samples, 20.0)
        pipeline["PupilTracking/pupil_size/timestamps"] = time
        shift = pipeline.create_group(
            "MotionCorrection/2p_image_series/" + ("xy_translations" if older else "xy_translation")
        )
        shift["data"], shift["timestamps"] = np.zeros((samples, 2)), time
        for stimulus, (data, frames, features) in sweeps.items():
            group = file.create_group(f"stimulus/presentation/{stimulus}{suffix}")
            group["data"], group["frame_duration"] = data, frames.astype(np.int64)
            group["timestamps"] = time[frames[:, 0]]
            if features:
                group["features"] = np.array(features, "S")
        if "natural_scenes" in sweeps:
            file["stimulus/templates/natural_scenes_image_stack/data"] = np.zeros((SCENES, 4, 4), np.uint8)
        general = {
            "session_id": b"501574836",
            "experiment_container_id": b"511510736",
            "session_type": session.encode(),
            "specimen_name": b"Cux2-CreERT2;Camk2a-tTA;Ai93-222426",
            "fov": b"400x400 microns (512 x 512 pixels)",
            "subject/age": b"104 days",
            "subject/sex": b"male",
            "subject/genotype": b"Cux2-CreERT2/wt;Camk2a-tTA/wt;Ai93(TITL-GCaMP6f)/wt",
            "optophysiology/imaging_plane_1/imaging depth": b"175 microns",
            "optophysiology/imaging_plane_1/location": b"VISp",
            "optophysiology/imaging_plane_1/indicator": b"GCaMP6f",
            "optophysiology/imaging_plane_1/excitation_lambda": b"910 nanometers",
            "devices/2-photon microscope": b"synthetic",
        }
        for key, content in general.items():
            file[f"general/{key}"] = np.bytes_(content)
        file["general/generated_by"] = np.array([b"allensdk.brain_observatory", b"version", b"2.0.3"])
    return {
        "sweeps": sweeps,
        "traces": traces,
        "time": time,
        "ids": 517_000_000 + 11 * np.arange(cells),
        "value": value,
    }


def _table(
    parent: h5py.Group, name: str, kind: str, columns: dict[str, Any], ragged: dict[str, Any] | None = None
) -> None:
    """A DynamicTable; `ragged`: name -> (values, last index of each row)."""
    group = parent.create_group(name)
    length = len(next(iter(columns.values())))
    order = [*columns, *(ragged or {})]
    group.attrs.update({"neurodata_type": kind, "namespace": "core", "description": name})
    group.attrs.create("colnames", order, dtype=TEXT)
    group["id"] = np.arange(length)
    group["id"].attrs.update({"neurodata_type": "ElementIdentifiers", "namespace": "hdmf-common"})

    def column(key: str, values: Any, type_: str = "VectorData") -> None:
        values = np.asarray(values)
        is_text = values.dtype.kind in "OU"
        group.create_dataset(key, data=values.astype(object) if is_text else values, dtype=TEXT if is_text else None)
        group[key].attrs.update({"neurodata_type": type_, "namespace": "hdmf-common", "description": key})

    for key, values in columns.items():
        column(key, values)
    for key, (values, index) in (ragged or {}).items():
        column(key, values)
        column(f"{key}_index", index, "VectorIndex")
        group[f"{key}_index"].attrs["target"] = group[key].ref


def neuropixels(path: Path, *, units: int = 2779, good: int = 884, per_unit: int = 40) -> dict[str, Any]:
    """One Neuropixels session, NWB 2 with the types of ndx-aibs-ecephys, without cached specifications.

    Natural scenes 118 x 50 + 50 blanks (frame -1), static gratings 6000, drifting gratings 628, flashes 150, gabors 3645,
    spontaneous 15. phase, size and color are text, and so is spatial_frequency of drifting gratings; text of what does
    not apply is "null". Unit i fires at i-dependent times from 1 s on, some never.
    """
    rng = np.random.default_rng(1)
    begin, tables = 10.0, {}

    def sweeps(name: str, count: int, seconds: float, between: float = 0.0, **columns: Any) -> None:
        nonlocal begin
        start = begin + (seconds + between) * np.arange(count)
        begin = start[-1] + seconds + 20
        tables[name] = {
            "start_time": start,
            "stop_time": start + seconds,
            "stimulus_name": np.full(count, name, object),
            "stimulus_block": np.full(count, float(len(tables))),
            "stimulus_index": np.zeros(count),
            **columns,
        }

    def gratings(count: int, choices: np.ndarray, blanks: int) -> np.ndarray:
        which = np.concatenate([np.resize(choices, count - blanks), np.full(blanks, np.nan)])
        rng.shuffle(which)
        return which

    def texts(values: np.ndarray, given: str) -> np.ndarray:
        return np.where(np.isnan(values), "null", given).astype(object)

    sweeps("spontaneous", 15, 30.0)
    gabor = gratings(3645, np.array([0.0, 45, 90]), 0)
    place = np.tile(np.linspace(-40, 40, 9), 405)
    sweeps(
        "gabors", 3645, 0.25, orientation=gabor, x_position=place, y_position=place[::-1].copy(),
        temporal_frequency=np.full(3645, 4.0), contrast=np.full(3645, 0.8), spatial_frequency=np.full(3645, 0.08),
        phase=np.full(3645, "[3644.93333333, 3644.93333333]", object), size=np.full(3645, "[20.0, 20.0]", object),
    )  # fmt: skip
    sweeps("flashes", 150, 0.25, 1.75, color=np.where(np.arange(150) % 2, "1.0", "-1.0").astype(object),
           contrast=np.full(150, 0.8), size=np.full(150, "[300.0, 300.0]", object), phase=np.full(150, "[0.0, 0.0]", object))  # fmt: skip
    drifting = gratings(628, np.arange(0, 360, 45.0), 28)
    sweeps(
        "drifting_gratings", 628, 2.0, 1.0, orientation=drifting, contrast=np.where(np.isnan(drifting), np.nan, 0.8),
        temporal_frequency=np.where(np.isnan(drifting), np.nan, 2.0), spatial_frequency=texts(drifting, "0.04"),
        phase=texts(drifting, "[21211.93333333, 21211.93333333]"), size=texts(drifting, "[250.0, 250.0]"),
    )  # fmt: skip
    images = _blank_sweeps(rng, np.repeat(np.arange(SCENES), REPEATS), BLANKS).astype(float)
    sweeps("natural_scenes", len(images), 0.25, frame=images)
    static = gratings(6000, np.arange(0, 180, 30.0), 194)
    sweeps("static_gratings", 6000, 0.25, orientation=static, contrast=np.where(np.isnan(static), np.nan, 0.8),
           spatial_frequency=texts(static, "0.08"), phase=texts(static, "0.25"), size=texts(static, "[250.0, 250.0]"))  # fmt: skip
    passes = np.zeros(units, bool)
    passes[rng.choice(units, good, replace=False)] = True
    fails = rng.integers(0, 3, units)
    counts = np.full(units, per_unit)
    counts[::10] = 0  # a tenth of the units never fires
    spikes = [np.sort(rng.uniform(1.0, begin, count)) for count in counts]
    with h5py.File(path, "w") as file:
        file.attrs.update({"neurodata_type": "NWBFile", "namespace": "core", "nwb_version": "2.2.2"})
        file["identifier"], file["session_description"] = "715093703", "synthetic"
        file["session_start_time"] = "2019-01-19T00:54:18-08:00"
        file["timestamps_reference_time"] = "2019-01-19T00:54:18-08:00"
        subject = file.create_group("general/subject")
        subject.attrs.update({"neurodata_type": "EcephysSpecimen", "namespace": "ndx-aibs-ecephys"})
        for key, text in {"age": "P118D", "sex": "M", "species": "Mus musculus", "genotype": "Sst-IRES-Cre/wt"}.items():
            subject[key] = text
        intervals = file.create_group("intervals")
        for name, columns in tables.items():
            rows = len(columns["start_time"])
            tags = np.full(rows, "stimulus_time_interval", object)
            series = np.zeros(rows, np.dtype([("idx_start", "i4"), ("count", "i4")]))
            _table(intervals, f"{name}_presentations", "TimeIntervals", columns, {"tags": (tags, 1 + np.arange(rows))})
            intervals[f"{name}_presentations"]["timeseries"] = series
            intervals[f"{name}_presentations"]["timeseries_index"] = 1 + np.arange(rows)
        electrodes = {
            "location": np.resize(np.array(["VISp", "VISl", "CA1", "LGd", "APN", ""], object), 2304),
            "x": np.full(2304, 8000.0), "y": np.arange(2304.0), "z": np.full(2304, 7000.0),
            "probe_id": np.repeat(810_755_797 + np.arange(6), 384), "local_index": np.tile(np.arange(384), 6),
            "probe_vertical_position": np.tile(20 * (1 + np.arange(384)), 6), "valid_data": np.ones(2304, bool),
        }  # fmt: skip
        _table(file.create_group("general/extracellular_ephys"), "electrodes", "DynamicTable", electrodes)
        peak = rng.integers(0, 2304, units)
        ends = np.cumsum(counts)
        _table(
            file, "units", "Units",
            {
                "peak_channel_id": peak, "local_index": np.arange(units), "cluster_id": np.arange(units),
                "quality": np.full(units, "good", object), "snr": rng.uniform(1, 5, units),
                "isi_violations": np.where(passes | (fails != 0), 0.1, 2.0),
                "presence_ratio": np.where(passes | (fails != 1), 0.99, 0.5),
                "amplitude_cutoff": np.where(passes | (fails != 2), 0.01, 0.4),
                "d_prime": rng.uniform(1, 8, units), "firing_rate": counts / begin,
            },
            {
                "spike_times": (np.concatenate(spikes), ends),
                "spike_amplitudes": (np.full(int(ends[-1]), 1e-4), ends),
            },
        )  # fmt: skip
        file["units/id"][...] = 950_000_000 + np.arange(units)
        running = file.create_group("processing/running/running_speed")
        running.attrs.update({"neurodata_type": "TimeSeries", "namespace": "core"})
        clock = np.arange(0, begin, 0.5)
        running["data"], running["timestamps"] = np.full(clock.size, 7.0), clock
        running["data"].attrs.update({"unit": "cm/s", "conversion": 1.0})
    return {"tables": tables, "spikes": spikes, "passes": passes, "ids": 950_000_000 + np.arange(units), "end": begin}
