"""A folder of Suite2p: `F.npy`, `Fneu.npy`, `spks.npy`, `iscell.npy` of each plane, with what is needed of `ops.npy` and `stat.npy`.

Each plane is a recording. `ops.npy` and `stat.npy` are pickles, which are never loaded: their opcodes are read as data, and only the
rate (`fs`), the coefficient of the neuropil (`neucoeff`), the indicator's decay (`tau`) and the centres of the ROIs are taken.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy
from allometry.homogenize.formats.flat import folders, npy
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import choice, quantity
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, rois
from allometry.homogenize.traces.recordings import RawRecording

NEUCOEFF = 0.7  # what Suite2p takes by default
USED = ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "ops.npy", "stat.npy")
OWN = {
    "signal": choice(
        "corrected",
        ("corrected", "fluorescence", "neuropil", "deconvolved"),
        "`corrected`: F less the neuropil; `fluorescence`: F; `neuropil`: Fneu; `deconvolved`: spks.",
    ),
    "neuropil_coefficient": quantity(
        None, "What of the neuropil is subtracted; null: `neucoeff` of `ops.npy`, else 0.7.", above=-1e-12
    ),
    "cells": choice("accepted", ("accepted", "all"), "ROIs that are kept: those that `iscell.npy` accepts, or all."),
    "min_probability": quantity(None, "Least probability of being a cell, by `iscell.npy`; null: no limit.", most=1),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read every plane.

    Parameters
    ----------
    files : dict
        Files of one plane one by one; or the folder, or a ZIP archive of it, with a folder for each plane.
    options : dict
        Those of every activity reader, and of `OWN`.

    Returns
    -------
    xarray.DataTree
        Activity; every ROI is itself.

    Raises
    ------
    ReaderError
        A file is missing, or files of a plane do not fit each other.
    """
    with folders.contents(files) as inside:
        planes: dict[str, dict[str, Path]] = {}
        for name, path in inside.items():
            planes.setdefault(name.rpartition("/")[0], {})[name.rpartition("/")[2]] = path
        found = {place: plane for place, plane in planes.items() if "F.npy" in plane or len(planes) == 1}
        if len(found) > 1:  # the planes once more, side by side
            found = {place: plane for place, plane in found.items() if not place.endswith("combined")}
        if not found:
            folders.need(inside, "fluorescence of the ROIs, (roi, time)", "F.npy")
        raws = [_plane(plane, place or source.name, options) for place, plane in sorted(found.items())]
        kept = {key: options[key] for key in OWN if options[key] is not None}
        return rois.build(
            raws,
            source,
            options,
            files=files,
            parameters=kept,
            units="1" if options["signal"] == "deconvolved" else "au",
        )


def _plane(files: dict[str, Path], name: str, options: dict[str, Any]) -> RawRecording:
    settings, notes = _settings(files)
    trace, more = _signal(files, options, settings)
    notes |= more
    count = len(trace)
    kept, extra = _cells(files, options, count, notes)
    if not kept.any():
        raise ReaderError(
            f"none of {count} ROIs is kept",
            where=name,
            expected="cells that `iscell.npy` accepts, with `min_probability`",
            do="lower `min_probability`, or set `cells: all`",
        )
    extra |= _positions(files, count, notes)
    rate, time = settings.get("fs"), None
    if (
        options["native_rate_hz"] is None
        and options["duration_s"] is None
        and isinstance(rate, int | float)
        and rate > 0
    ):
        time, notes["time_from"] = np.arange(trace.shape[1]) / float(rate), f"fs of ops.npy ({rate:g} Hz)"
    unread = sorted(set(files) - set(USED))
    if unread:
        notes["not_read"] = unread
    tau = settings.get("tau")
    return RawRecording(
        name=name.replace("/", "_"),
        trace=np.asarray(trace[kept]).T,
        time=time,
        labels=[str(number) for number in np.flatnonzero(kept).tolist()],
        where=f"{name}, F.npy",
        time_unit="s" if time is not None else None,
        extra={key: ("roi", values[kept], attrs) for key, (values, attrs) in extra.items()},
        metadata={"indicator_decay_s": float(tau)} if isinstance(tau, int | float) else {},
        notes=notes,
    )


def _settings(files: dict[str, Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is needed of ops.npy."""
    if "ops.npy" not in files:
        return {}, {"settings": "there is no ops.npy"}
    found = object_npy.load_npy(files["ops.npy"], tolerant=True)
    found = found[0] if isinstance(found, list) and found else found
    if not isinstance(found, dict):
        raise ReaderError("ops.npy holds no settings", where=str(files["ops.npy"]), expected="a dictionary of Suite2p")
    return {key: found.get(key) for key in ("fs", "neucoeff", "tau")}, {}


def _load(files: dict[str, Path], name: str, what: str) -> npt.NDArray[Any]:
    values = npy.load(folders.need(files, what, name), 2, "iuf")
    if not values.size:
        raise ReaderError(f"the array has shape {values.shape}", where=str(files[name]), expected="(roi, time)")
    return values


def _signal(
    files: dict[str, Path], options: dict[str, Any], settings: dict[str, Any]
) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """The chosen signal, (roi, time)."""
    plain = {"fluorescence": "F.npy", "neuropil": "Fneu.npy", "deconvolved": "spks.npy"}
    if options["signal"] in plain:
        name = plain[options["signal"]]
        return _load(files, name, f"{options['signal']} of the ROIs, (roi, time)"), {"signal": name}
    cells, around = (
        _load(files, "F.npy", "fluorescence"),
        _load(files, "Fneu.npy", "neuropil, or `signal: fluorescence`"),
    )
    if cells.shape != around.shape:
        raise ReaderError(
            f"F.npy has shape {cells.shape}, Fneu.npy {around.shape}",
            where=str(files["F.npy"].parent),
            expected="one shape, (roi, time)",
            do="take both from one run",
        )
    share, said = options["neuropil_coefficient"], "the options of the data set"
    if share is None:
        known = settings.get("neucoeff")
        share, said = (
            (known, "ops.npy")
            if isinstance(known, int | float) and np.isfinite(known)
            else (NEUCOEFF, "Suite2p's default")
        )
    return np.asarray(cells, np.float64) - float(share) * np.asarray(around, np.float64), {
        "signal": f"F - {float(share):g} Fneu; the coefficient is from {said}"
    }


def _cells(
    files: dict[str, Path], options: dict[str, Any], count: int, notes: dict[str, Any]
) -> tuple[npt.NDArray[np.bool_], dict[str, Any]]:
    """ROIs that are kept, and the columns of iscell.npy."""
    if "iscell.npy" not in files:
        if options["cells"] == "accepted" or options["min_probability"] is not None:
            raise ReaderError(
                "there is no iscell.npy",
                where=", ".join(sorted(files)),
                expected="which ROIs are cells",
                do="name it among the files, or set `cells: all`",
            )
        return np.ones(count, bool), {}
    values = npy.load(files["iscell.npy"], (1, 2))
    values = np.asarray(values, np.float64).reshape(len(values), -1) if values.size else np.zeros((len(values), 1))
    if len(values) != count:
        raise ReaderError(
            f"iscell.npy has {len(values)} rows for {count} ROIs",
            where=str(files["iscell.npy"]),
            expected="one row per ROI",
            do="take all files from one run",
        )
    kept = values[:, 0] > 0 if options["cells"] == "accepted" else np.ones(count, bool)
    columns: dict[str, Any] = {"accepted": (values[:, 0] > 0, {})}
    if values.shape[1] > 1:
        columns["cell_probability"] = (values[:, 1], {"units": "1"})
        if options["min_probability"] is not None:
            kept &= values[:, 1] >= options["min_probability"]
    elif options["min_probability"] is not None:
        raise ReaderError(
            "iscell.npy has no probabilities", where=str(files["iscell.npy"]), do="leave out `min_probability`"
        )
    notes["cells"] = f"{int(kept.sum())} of {count} ROIs are kept"
    return kept, columns


def _positions(files: dict[str, Path], count: int, notes: dict[str, Any]) -> dict[str, Any]:
    """Centres of the ROIs, pixels, and their size."""
    if "stat.npy" not in files:
        notes["positions"] = "not known: there is no stat.npy"
        return {}
    found = object_npy.load_npy(files["stat.npy"], tolerant=True)
    try:
        centre = np.array([[float(one["med"][1]), float(one["med"][0])] for one in found])
        pixels = np.array([float(one.get("npix", np.nan)) for one in found])
    except (TypeError, KeyError, ValueError, IndexError, AttributeError):
        notes["positions"] = "not known: stat.npy has no `med`"
        return {}
    if len(centre) != count:
        notes["positions"] = f"not known: stat.npy has {len(centre)} ROIs"
        return {}
    notes["positions"] = "`med` of stat.npy: the pixel in the middle of the ROI; x counts columns, y rows"
    attrs = {"units": "pixel"}
    return {"x": (centre[:, 0], attrs), "y": (centre[:, 1], attrs), "pixels": (pixels, {"units": "1"})}


def recognise(files: Files) -> list[Finding]:
    """The files of a plane by their names, or an archive of planes."""
    own = files.named("F.npy", *USED)
    found = []
    if files.named("F.npy") and files.named("Fneu.npy", "iscell.npy", "ops.npy", "stat.npy"):
        first = files.named("F.npy")
        peek = files.peek(first[0])
        facts = tuple(f"F {' x '.join(map(str, array.shape))} (roi, time)" for array in peek.arrays.values())
        doubts = () if files.named("ops.npy") else (_NO_RATE,)
        options = {} if files.named("ops.npy") else {"native_rate_hz": 1.0}
        plane = [*first, *(path for path in own if path not in first)]
        found += one_store("plane of Suite2p", plane, "activity", options, facts=facts, doubts=doubts)
    for path in files.paths:
        members = {name.rsplit("/", 1)[-1] for name in files.peek(path).members}
        if "F.npy" in members and members & {"Fneu.npy", "iscell.npy", "ops.npy"}:
            found += one_store("archive of planes of Suite2p", [path], "activity")
    return found


_NO_RATE = "there is no ops.npy with the rate: one frame counts as one second until `native_rate_hz` says it"


READER = Reader("suite2p", ("activity",), read, {**activity.OPTIONS, **OWN}, recognise=recognise, folders=True)
