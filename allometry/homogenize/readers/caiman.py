"""Results of CaImAn: one HDF5 file per recording, as `cnmf.save` writes it (`estimates`, `params`, `dims`).

The layout is that of `save_dict_to_hdf5` (github.com/flatironinstitute/CaImAn, caiman/utils/utils.py): a group for every object
and dictionary, sparse matrices by columns as `data`, `indices`, `indptr` and `shape`, the text `NoneType` for what is None.

Components, not ROIs: `C` is denoised, `F_dff` relative to the baseline, `S` deconvolved. Those that CaImAn accepted are in
`estimates/idx_components`. Their centres are those of the columns of the sparse matrix `A`, whose pixels count rows first.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import dataset, member_names, numeric, open_hdf5, subgroup
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import choice
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, rois
from allometry.homogenize.traces.recordings import RawRecording

SIGNALS = {"dff": "F_dff", "denoised": "C", "deconvolved": "S"}
OWN = {
    "signal": choice(
        None,
        (None, "dff", "denoised", "raw", "deconvolved"),
        "`dff`: F_dff; `denoised`: C; `raw`: C + YrA; `deconvolved`: S; null: dff where it was computed, else denoised.",
    ),
    "cells": choice(
        "accepted", ("accepted", "all"), "Components that are kept: those accepted (all, if none were judged), or all."
    ),
}
SCORES = {"SNR_comp": "snr", "r_values": "spatial_correlation", "cnn_preds": "cnn_probability"}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read one recording per file.

    Parameters
    ----------
    files : dict
        `.hdf5` files of CaImAn.
    options : dict
        Those of every activity reader, and of `OWN`.

    Returns
    -------
    xarray.DataTree
        Activity; every component is itself.

    Raises
    ------
    ReaderError
        The file has no estimates, or not the signal that is asked for.
    """
    raws = activity.of_files(files, options, lambda _, path: [_recording(path, options)])
    kept = {key: options[key] for key in OWN if options[key] is not None}
    return rois.build(raws, source, options, files=files, parameters=kept)


def _recording(path: Path, options: dict[str, Any]) -> RawRecording:
    with open_hdf5(path) as file:
        estimates = subgroup(file, "estimates")
        trace, signal = _signal(estimates, options["signal"], path)
        notes: dict[str, Any] = {"signal": f"/estimates/{signal}"}
        count = len(trace)
        kept = _accepted(estimates, options["cells"], count, notes)
        extra = _scores(estimates, count) | _centres(file, estimates, count, notes)
        rate = _number(file.get("params/data/fr"))
        time = None
        if options["native_rate_hz"] is None and options["duration_s"] is None and rate is not None:
            time, notes["time_from"] = np.arange(trace.shape[1]) / rate, f"params/data/fr ({rate:g} Hz)"
        decay = _number(file.get("params/data/decay_time"))
    if not kept.any():
        raise ReaderError("no component was accepted", where=path.name, do="set `cells: all`")
    return RawRecording(
        name=path.stem,
        trace=trace[kept].T,
        time=time,
        labels=[str(number) for number in np.flatnonzero(kept).tolist()],
        where=path.name,
        time_unit="s" if time is not None else None,
        units="1" if signal in ("F_dff", "S") else "au",
        extra={name: ("roi", values[kept], attrs) for name, (values, attrs) in extra.items()},
        metadata={} if decay is None else {"indicator_decay_s": decay},
        notes=notes,
    )


def _number(item: Any) -> float | None:
    if not isinstance(item, h5py.Dataset) or item.shape not in ((), (1,)) or item.dtype.kind not in "iuf":
        return None
    value = float(np.asarray(item[()]).ravel()[0])
    return value if np.isfinite(value) and value > 0 else None


def _matrix(estimates: h5py.Group, name: str) -> npt.NDArray[np.float64] | None:
    """A matrix of traces; None where CaImAn wrote that there is none (text)."""
    item = estimates.get(name)
    if not isinstance(item, h5py.Dataset) or item.ndim != 2 or item.dtype.kind not in "iuf" or not item.size:
        return None
    return numeric(estimates, name, ndim=2)


def _signal(estimates: h5py.Group, wanted: str | None, path: Path) -> tuple[npt.NDArray[np.float64], str]:
    """Traces (component, time), and where they are from."""
    for signal in [wanted] if wanted else ["dff", "denoised"]:
        if signal == "raw":
            denoised, rest = _matrix(estimates, "C"), _matrix(estimates, "YrA")
            if denoised is not None and rest is not None and denoised.shape == rest.shape:
                return denoised + rest, "C + YrA"
            continue
        found = _matrix(estimates, SIGNALS[signal])
        if found is not None:
            return found, SIGNALS[signal]
    raise ReaderError(
        f"there is no signal {wanted or 'dff or denoised'}",
        where=f"{path.name}, /estimates",
        expected=f"{SIGNALS.get(wanted or 'denoised', 'C and YrA')}, (component, time) (the group has: {member_names(estimates)})",
        do="choose another one with the option `signal`, or save the estimates again",
    )


def _accepted(estimates: h5py.Group, wanted: str, count: int, notes: dict[str, Any]) -> npt.NDArray[np.bool_]:
    every = np.ones(count, bool)
    item = estimates.get("idx_components")
    if wanted == "all":
        return every
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf" or item.ndim != 1:
        notes["cells"] = "components were not judged: all are kept"
        return every
    chosen = dataset(estimates, "idx_components", 1)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= count or (chosen % 1 != 0).any()):
        raise ReaderError(
            f"component {chosen.max()} of {count} is accepted",
            where=f"{estimates.file.filename}, /estimates/idx_components",
            expected="numbers of components",
            do="save the estimates again",
        )
    kept = np.zeros(count, bool)
    kept[chosen.astype(np.int64)] = True
    notes["cells"] = f"{int(kept.sum())} of {count} components are accepted"
    return kept


def _scores(estimates: h5py.Group, count: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, key in SCORES.items():
        item = estimates.get(name)
        if isinstance(item, h5py.Dataset) and item.shape == (count,) and item.dtype.kind in "iuf":
            out[key] = (numeric(estimates, name, (count,)), {"units": "1"})
    return out


def _centres(file: h5py.File, estimates: h5py.Group, count: int, notes: dict[str, Any]) -> dict[str, Any]:
    """Centres of the components, pixels, by the columns of A (pixel, component), compressed by columns."""
    # CaImAn writes text where it has no value
    said = (file.get(place) for place in ("dims", "estimates/dims", "params/data/dims"))
    shape = next((item for item in said if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf"), None)
    group = estimates.get("A")
    if shape is None or not isinstance(group, h5py.Group):
        notes["positions"] = "not known: there is no A, or no dims"
        return {}
    dims = np.nan_to_num(np.asarray(shape[()], np.float64)).ravel().clip(0, 2**31).astype(np.int64)
    weight = np.abs(np.nan_to_num(numeric(group, "data", ndim=1)))
    index, ends = (
        np.nan_to_num(numeric(group, name, ndim=1), nan=-1).clip(-1, 2**52).astype(np.int64)
        for name in ("indices", "indptr")
    )
    sizes = np.diff(ends)
    size = int(np.prod(dims)) if len(dims) in (2, 3) else 0
    fits = len(sizes) == count and (sizes >= 0).all() and len(index) == len(weight) == (ends[-1] if len(ends) else -1)
    if not fits or ends[0] != 0 or not size or (len(index) and (index.min() < 0 or index.max() >= size)):
        notes["positions"] = f"not known: A does not fit {count} components of {dims.tolist()} pixels"
        return {}
    component = np.repeat(np.arange(count), sizes)
    total = np.bincount(component, weight, count)
    places = np.unravel_index(index, tuple(dims.tolist()), order="F")
    out: dict[str, Any] = {}
    for axis, along in zip("yxz", places):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            out[axis] = (np.bincount(component, weight * along, count) / total, {"units": "pixel"})
    notes["positions"] = "centres of the components, weighted; x counts columns, y rows"
    return out


def recognise(files: Files) -> list[Finding]:
    """HDF5 files with the estimates of CaImAn."""
    own = files.holding("estimates/C", "estimates/A/indptr", form="hdf5")
    return one_store("components of CaImAn", own, "activity")


READER = Reader("caiman", ("activity",), read, {**activity.OPTIONS, **OWN}, recognise=recognise)
