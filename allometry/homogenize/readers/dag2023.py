"""Dag et al. 2023 (Flavell laboratory): whole-brain GCaMP of freely moving worms with NeuroPAL labels.

One `*-data.h5` per worm: `gcamp/traces_array_F_F20` (time, roi; F over its 20th percentile), `timing/timestamp_confocal`,
`behavior/*` on the same clock, `neuropal_registration`. Labels of all worms are in `NeuroPAL_labels_dict.jld2` (or a JSON
of the same form), keyed by recording and by ROI number from 1. "?" marks an ambiguous side.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import flavell_h5, jld2
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.formats.hdf5 import numeric, open_hdf5
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import quantity, text
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import Pending, RawRecording

FIELDS = frozenset({"label", "confidence"})
OWN = {
    "traces": text("traces_array_F_F20", "Dataset of the group `gcamp` that is read."),
    "min_confidence": quantity(None, "Labels of a lower confidence count as not identified; null: none does."),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read all worms of the source; see `allometry.homogenize.traces.activity.build` for the options of every reader.

    Parameters
    ----------
    files : dict
        `*-data.h5` files and at most one label file (`.jld2` or `.json`), or a folder of them.
    source : Source
        Registry entry.
    options : dict
        Those of every activity reader, and of `OWN`.

    Returns
    -------
    xarray.DataTree
        Activity store.
    """
    with folders.of_kind(files, ".h5", ".hdf5", ".jld2", ".json") as inside:
        own = {key: options[key] for key in OWN}
        data = {name: path for name, path in inside.items() if path.suffix in (".h5", ".hdf5")}
        tables = [path for path in inside.values() if path.suffix in (".jld2", ".json")]
        if not data or len(tables) > 1:
            raise ReaderError(
                what=f"{len(data)} recordings and {len(tables)} label files given.",
                where=f"{source.name}: {', '.join(sorted(inside)) or 'no files'}",
                expected="one or more *-data.h5 and one NeuroPAL_labels_dict.jld2 (or .json)",
                do="correct `files` in the registry entry",
            )
        labels = load_labels(tables[0], map(flavell_h5.stem, data.values())) if tables else {}
        found = [
            Pending(flavell_h5.stem(path), functools.partial(recording, path, labels, own), path.name)
            for _, path in sorted(data.items())
        ]
        return activity.build(
            found,
            source,
            options,
            files=files,
            title="Dag et al. 2023, whole-brain activity of freely moving worms",
            parameters=own,
        )


def load_labels(path: Path, recordings: Iterable[str] = ()) -> dict[str, dict[int, dict[str, Any]]]:
    """Labels by recording and by ROI number from 1: each a dict with `label` and `confidence`.

    Only the named recordings are read; all of them if none is named.
    """
    wanted = frozenset(recordings) or ...
    if path.suffix == ".json":
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReaderError(
                what=f"Not a readable JSON file ({error}).",
                where=str(path),
                expected="labels by recording",
                do="retrieve it again",
            ) from error
    else:
        tree = jld2.load(path, "NeuroPAL_labels", ("dict_match_dict", wanted, 0, ..., FIELDS))
    out: dict[str, dict[int, dict[str, Any]]] = {}
    try:
        for name, entry in tree.items():
            by_roi = entry[0] if isinstance(entry, list | tuple) else entry
            out[str(name)] = {int(number): dict(item) for number, item in by_roi.items()}
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
        raise ReaderError(
            what="The label table does not have the known form.",
            where=str(path),
            expected="recording -> (ROI number -> {label, confidence, ...}, ...)",
            do="check that this is the NeuroPAL label table of the source",
        ) from error
    return out


def recording(path: Path, labels: dict[str, dict[int, dict[str, Any]]], own: dict[str, Any]) -> RawRecording:
    """Map the fields of one file."""
    name = flavell_h5.stem(path)
    with open_hdf5(path) as file:
        trace = numeric(_group(file, "gcamp", path), str(own["traces"]), ndim=2)
        time = numeric(_group(file, "timing", path), "timestamp_confocal", ndim=1)
        n_time, n_roi = trace.shape
        extra, lost = flavell_h5.behaviour(file, n_time)
        lost += [f"gcamp/{other}" for other in file["gcamp"] if other != own["traces"]]
        if isinstance(file.get("timing/timestamp_nir"), h5py.Dataset):
            lost.append("timing/timestamp_nir")
        if isinstance(file.get("neuropal_registration"), h5py.Group):
            for key in ("roi_match", "roi_match_confidence"):
                if key in file["neuropal_registration"]:
                    values = numeric(file["neuropal_registration"], key)
                    extra[f"neuropal_{key}"] = (tuple(f"axis{i}" for i in range(values.ndim)), values, {})
    raw = [""] * n_roi
    confidence = np.full(n_roi, np.nan)
    notes: dict[str, Any] = {"not_kept": sorted(lost)}
    table = labels.get(name)
    if table is None:
        notes["labels"] = "this recording is not in the label table: no ROI is labelled"
    low = 0
    for number, item in (table or {}).items():
        if not 1 <= number <= n_roi:
            raise ReaderError(
                what=f"The label table names ROI {number}, the recording has {n_roi} ROIs.",
                where=f"{path}, recording {name}",
                expected=f"ROI numbers from 1 to {n_roi}",
                do="check that labels and traces belong together, and that the traces are (time, ROI)",
            )
        try:
            confidence[number - 1] = float(item.get("confidence", np.nan))
        except (TypeError, ValueError):
            confidence[number - 1] = np.nan
        threshold = own["min_confidence"]
        if threshold is not None and not confidence[number - 1] >= float(threshold):
            low += 1
            continue
        raw[number - 1] = item.get("label", "")
    if low:
        notes["low_confidence_labels"] = f"{low} labels below confidence {own['min_confidence']} were not used"
    return RawRecording(
        name=name,
        trace=trace,
        time=time,
        labels=raw,
        confidence=confidence,
        where=str(path.name),
        extra=extra,
        notes=notes,
    )


def _group(file: h5py.File, name: str, path: Path) -> h5py.Group:
    item = file.get(name)
    if not isinstance(item, h5py.Group):
        raise ReaderError(
            what=f"No group {name!r}.",
            where=str(path),
            expected="groups gcamp and timing",
            do=f"check that this is a *-data.h5 file of the laboratory; it has: {', '.join(list(file)[:10]) or 'nothing'}",
        )
    return item


def recognise(files: Files) -> list[Finding]:
    """HDF5 files of the laboratory, with the table of labels beside them."""
    data = files.holding(f"gcamp/{OWN['traces'].default}", "timing/timestamp_confocal", form="hdf5")
    data = [path for path in data if path.suffix in (".h5", ".hdf5")]
    tables = files.named("*.jld2") or files.named("NeuroPAL_labels*.json")
    doubts = (
        () if tables else ("there is no table of labels (NeuroPAL_labels_dict.jld2) beside it: no ROI is labelled",)
    )
    what = "whole-brain activity of C. elegans in the layout of Dag et al. 2023"
    if not data:
        return []
    return one_store(what, [*data, *tables[:1]], "activity", doubts=doubts, species="Caenorhabditis elegans")


READER = Reader("dag2023", ("activity",), read, {**activity.OPTIONS, **OWN}, recognise=recognise, folders=True)
