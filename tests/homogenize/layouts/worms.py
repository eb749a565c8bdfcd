"""The layouts of the worm collections, one function each: writes the files of a source and says what is in them."""

import bz2
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from .matlab_v73 import Writer
from .truth import Worm


def _column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values)[:, None]


def zimmer(
    path: Path,
    worms: Sequence[Worm],
    struct: str,
    fields: tuple[str, str, str] = ("IDs", "traces", "timeVectorSeconds"),
    *,
    nested: bool = True,
) -> None:
    """Kato 2015, Nichols 2017, Skora 2018, Kaplan 2020, Uzel 2022: one struct named after the file, in it cells over worms.

    Traces are (time, neuron) in MATLAB. A neuron's entry is its name, nothing, or a cell of candidates of which some are
    nothing (`nested`).
    """
    ids, traces, time = fields
    names: list[list[Any]] = []
    for worm in worms:
        named: list[Any] = [name or None for name in worm.names]
        if nested:
            named[0] = [None, worm.names[0], None]
        names.append(named)
    with Writer(path) as file:
        file.struct(
            struct,
            {
                ids: names,
                traces: [worm.trace for worm in worms],
                time: [_column(worm.time) for worm in worms],
                "fps": [1 / np.median(np.diff(worm.time)) for worm in worms],
            },
        )


def _cell(values: Sequence[Any], *, row: bool = False) -> np.ndarray:
    cell = np.empty(len(values), object)
    cell[:] = [*values] if len(values) != 1 else [values[0]]
    return cell[None, :] if row else cell[:, None]


def yemini(path: Path, fps: float, files: list[str], neurons: dict[str, tuple[bool, list[np.ndarray]]]) -> None:
    """Yemini 2021, MATLAB v5: per neuron one cell over the worms, those of the left before those of the right.

    `neurons`: name without side -> (whether it has sides, traces; empty where the worm lacks it).
    """
    is_left, packed = [], []
    for sided, traces in neurons.values():
        half = len(files)
        is_left.append(_column(np.repeat([1.0, 0.0], half)) if sided else np.full((half, 1), np.nan))
        packed.append(_cell([trace[:, None] if trace.size else np.zeros((0, 0)) for trace in traces]))
    scipy.io.savemat(
        path,
        {
            "fps": float(fps),
            "files": _cell(files),
            "neurons": _cell(list(neurons)),
            "is_L": _cell(is_left),
            "norm_traces": _cell(packed),
        },
    )


def lin(path: Path, worm: Worm, use: np.ndarray) -> np.ndarray:
    """Lin 2023, MATLAB v5: (neuron, time), the first sample of all is NaN (F_0 stands beside), time within a struct."""
    corrected = worm.trace.T.copy()
    corrected[:, 0] = np.nan
    scipy.io.savemat(
        path,
        {
            "use_flag": use.astype(float)[:, None],
            "proofread_neurons": _cell(worm.names),
            "times": {"stimulus": np.array([[10.0, 20.0]]), "times": worm.time[:, None]},
            "corrected_F": corrected,
            "F_0": worm.trace[0][:, None],
        },
    )
    return corrected.T


def leifer(folder: Path, number: int, worm: Worm, *, surplus: int = 2) -> None:
    """Leifer 2023: three text files per worm; there may be more labels than traces, numbers in scientific notation."""
    rows = [" ".join(f"{value:.12e}" for value in row) for row in worm.trace]
    (folder / f"{number}_gcamp.txt").write_text("\n".join(rows) + "\n")
    (folder / f"{number}_labels.txt").write_text("".join(f"{name}\n" for name in [*worm.names, *[""] * surplus]))
    (folder / f"{number}_t.txt").write_text("".join(f"{value:.18e}\n" for value in worm.time))


def flavell_json(path: Path, worm: Worm) -> None:
    """Atanas 2023 on WormWideWeb, JSON (bzip2): (neuron, time), labels by 1-based number as text."""
    labeled = {
        str(number): {"label": name, "confidence": 4.0, "roi_id": [number]}
        for number, name in enumerate(worm.names, start=1)
        if name
    }
    content = {
        "uid": path.name.split(".")[0],
        "timestamp_confocal": worm.time.tolist(),
        "trace_array": worm.trace.T.tolist(),
        "labeled": labeled,
        "velocity": np.sin(worm.time).tolist(),
        "num_neurons": worm.trace.shape[1],
        "max_t": worm.trace.shape[0],
    }
    text = json.dumps(content).encode()
    path.write_bytes(bz2.compress(text) if path.suffix == ".bz2" else text)


def flavell_h5(path: Path, worm: Worm) -> None:
    """Atanas 2023 as HDF5: (time, neuron), `neuropal_label` beside."""
    with h5py.File(path, "w") as file:
        file["timestamp_confocal"] = worm.time
        file["trace_array"] = worm.trace
        file.create_dataset("neuropal_label", data=worm.names, dtype=h5py.string_dtype())


def venkatachalam(path: Path, worm: Worm, blank: int = 98) -> None:
    """Venkatachalam 2024: a zipped table, one neuron a row; 9 columns, 98 empty frames, the frames by number, one more."""
    first = ["", "neuron", "x", "y", "z", "quality", "odour", "file", "worm"]
    frames = [str(number) for number in range(blank + len(worm.time))]
    lines = [",".join([*first, *frames, "remark"])]
    for row, name in enumerate(worm.names):
        before = [str(row), name or str(row), "1.5", "2.5", "3.5", "0.9", "none", "a", "1"]
        values = ["" if np.isnan(value) else repr(float(value)) for value in worm.trace[:, row]]
        lines.append(",".join([*before, *[""] * blank, *values, "ok"]))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.stem + ".csv", "\n".join(lines) + "\n")


def nejatbakhsh(path: Path, worm: Worm) -> None:
    """Nejatbakhsh 2020, NWB 2 written without pynwb: (time, roi), labels in a type of its own, 4 Hz."""
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs.update({"neurodata_type": "NWBFile", "namespace": "core", "nwb_version": "2.6.0"})
        file["identifier"], file["session_description"] = "synthetic", "synthetic"
        module = file.create_group("processing/CalciumActivity")
        module.attrs.update({"neurodata_type": "ProcessingModule", "namespace": "core"})
        signal = module.create_group("SignalRawFluor")
        signal.attrs.update({"neurodata_type": "Fluorescence", "namespace": "core"})
        series = signal.create_group("SignalCalciumImResponseSeries")
        series.attrs.update({"neurodata_type": "RoiResponseSeries", "namespace": "core"})
        series["data"] = worm.trace
        series["data"].attrs.update({"unit": "lumens", "conversion": 1.0})
        start = series.create_dataset("starting_time", data=0.0)
        start.attrs.update({"rate": 4.0, "unit": "seconds"})
        names = module.create_group("NeuronIDs")
        names.attrs.update({"neurodata_type": "SegmentationLabels", "namespace": "ndx-multichannel-volume"})
        names.create_dataset("labels", data=worm.names, dtype=text)
