"""Atanas et al. 2023 (Flavell laboratory): WormWideWeb files, one JSON or HDF5 per worm.

The JSON may be compressed by bzip2, as the site delivers it. `timestamp_confocal`, `trace_array` (roi, time) and `labeled`
(ROI number from 1 -> label, confidence). In HDF5 files the names may be inside groups (`timing/`, `gcamp/`), traces are
(time, roi), and a list `neuropal_label`, one name per ROI, may stand for `labeled`. Behaviour on the same clock is kept.
"""

import bz2
import functools
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import flavell_h5
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.formats.hdf5 import open_hdf5, whole
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, labels
from allometry.homogenize.traces.recordings import Pending, RawRecording

NAMES = ("timestamp_confocal", "trace_array", "labeled")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read one file per worm, or a folder of them.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    with folders.of_kind(files, ".json", ".json.bz2", ".h5", ".hdf5") as inside:
        found = [
            Pending(flavell_h5.stem(path), functools.partial(recording, path), path.name)
            for _, path in sorted(inside.items())
        ]
        return activity.build(found, source, options, files=files, title="Atanas et al. 2023, activity and behaviour")


def recording(path: Path) -> RawRecording:
    """Map the fields of one file."""
    extra: dict[str, tuple[Any, ...]] = {}
    lost: list[str] = []
    if path.suffix in (".h5", ".hdf5"):
        with open_hdf5(path) as file:
            content = _hdf5(file)
            extra, lost = flavell_h5.behaviour(file, int(np.size(content.get("timestamp_confocal", ()))))
    else:
        content = _json(path)
    missing = [name for name in NAMES[:2] if name not in content]
    if missing:
        raise ReaderError(
            what=f"No {' and no '.join(missing)}.",
            where=str(path),
            expected=", ".join(NAMES),
            do=f"check that this is a WormWideWeb file; it has: {', '.join(list(content)[:10]) or 'nothing'}",
        )
    try:
        trace = np.asarray(content["trace_array"], dtype=np.float64)
        time = np.asarray(content["timestamp_confocal"], dtype=np.float64).squeeze()
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="Traces or time are not numeric, or of unequal lengths.",
            where=str(path),
            expected="numbers",
            do="retrieve it again",
        ) from error
    if trace.ndim != 2 or time.ndim != 1:
        raise ReaderError(
            what=f"Traces of shape {trace.shape} and time of shape {time.shape}.",
            where=str(path),
            expected="trace_array (roi, time), timestamp_confocal (time)",
            do="retrieve the file again",
        )
    notes: dict[str, Any] = {"not_kept": sorted(lost)} if lost else {}
    if trace.shape[0] == time.size != trace.shape[1]:
        notes["orientation"] = "trace_array is (time, roi), unlike the description of the layout (roi, time)"
    else:
        trace = trace.T
    n_roi = trace.shape[1]
    raw, confidence = [""] * n_roi, np.full(n_roi, np.nan)
    table = content.get("labeled")
    listed = content.get("neuropal_label")
    if table is None and listed is not None:
        table = _numbered(listed, n_roi, path)
    if not isinstance(table, dict):
        notes["labels"] = "the file has no table `labeled`: no ROI is labelled"
        table = {}
    for key, item in table.items():
        number = int(key) if str(key).isdigit() else 0
        if not 1 <= number <= n_roi or not isinstance(item, dict):
            raise ReaderError(
                what=f"The label table has an entry {key!r}; the recording has {n_roi} ROIs.",
                where=str(path),
                expected=f"ROI numbers from 1 to {n_roi}, each with a label",
                do="check that trace_array is (roi, time)",
            )
        raw[number - 1] = labels.text(item.get("label", ""))
        try:
            confidence[number - 1] = float(item.get("confidence", np.nan))
        except (TypeError, ValueError):
            notes["confidence"] = "some confidences are not numbers"
    for name, values in content.items():
        if name in NAMES or not isinstance(values, list):
            continue
        series = np.asarray(values) if all(isinstance(v, int | float) for v in values) else np.zeros(0)
        if series.ndim == 1 and series.size == time.size:
            extra[name] = (("time",), series.astype(np.float32), {})
    return RawRecording(
        name=flavell_h5.stem(path),
        trace=trace,
        time=time,
        labels=raw,
        confidence=confidence,
        where=path.name,
        extra=extra,
        notes=notes,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        content = json.loads(bz2.decompress(data) if data.startswith(b"BZh") else data)
    except (OSError, ValueError, RecursionError, EOFError) as error:
        raise ReaderError(
            what=f"Not a readable JSON file ({error}).",
            where=str(path),
            expected="a WormWideWeb JSON",
            do="retrieve it again",
        ) from error
    if not isinstance(content, dict):
        raise ReaderError(
            what="The JSON holds no object.", where=str(path), expected=", ".join(NAMES), do="retrieve the file again"
        )
    return content


def _hdf5(file: h5py.File) -> dict[str, Any]:
    """The three fields, at the top of the file or inside a group of it."""
    content: dict[str, Any] = {}
    try:
        for group in (file, *(item for item in file.values() if isinstance(item, h5py.Group))):
            for name in NAMES[:2]:
                if name not in content and isinstance(group.get(name), h5py.Dataset):
                    content[name] = whole(group[name])
            if "neuropal_label" not in content and isinstance(group.get("neuropal_label"), h5py.Dataset):
                content["neuropal_label"] = group["neuropal_label"][()]
            if "labeled" not in content and isinstance(group.get("labeled"), h5py.Group):
                content["labeled"] = {key: _entry(value) for key, value in group["labeled"].items()}
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ReaderError(
            what=f"The file cannot be read ({error}).",
            where=str(file.filename),
            expected="HDF5",
            do="retrieve it again",
        ) from error
    return content


def _numbered(listed: Any, n_roi: int, path: Path) -> dict[str, Any]:
    """The list `neuropal_label` in the form of the table `labeled`."""
    names = [labels.text(name) for name in np.asarray(listed).ravel().tolist()]
    if len(names) != n_roi:
        raise ReaderError(
            what=f"neuropal_label has {len(names)} names; the recording has {n_roi} ROIs.",
            where=str(path),
            expected="one name per ROI",
            do="retrieve the file again",
        )
    return {str(number): {"label": name} for number, name in enumerate(names, start=1)}


def _entry(group: Any) -> Any:
    if not isinstance(group, h5py.Group):
        return group[()] if isinstance(group, h5py.Dataset) else None
    return {name: item[()] for name, item in group.items() if isinstance(item, h5py.Dataset)}


def recognise(files: Files) -> list[Finding]:
    """JSON or HDF5 files with traces and time of the laboratory."""
    own = [path for path in files.holding(*NAMES[:2]) if files.peek(path).form in ("json", "hdf5")]
    what = "activity of C. elegans in the layout of WormWideWeb (Atanas et al. 2023)"
    return one_store(what, own, "activity", species="Caenorhabditis elegans")


READER = Reader("flavell2023", ("activity",), read, activity.OPTIONS, recognise=recognise, folders=True)
