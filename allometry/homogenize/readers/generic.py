"""Users' own activity recordings in plain CSV, NPZ, MATLAB, HDF5 or NWB 2 files, by configuration alone.

One file is one recording. The options say where things are:

- CSV/TSV (`.csv`, `.tsv`, `.txt`): a column per ROI, named in the header line; `time` names the column of time stamps. With
  `orientation: roi` a row per ROI, its name in the column `labels` (default: the first). With `header: false` there is no
  header line, and the columns are named by their numbers, from 1.
- NPZ, HDF5, MATLAB: `traces`, `time`, `labels` (and `confidence`) name arrays; `orientation` says what a row of `traces` is.
- NWB 2: the only `RoiResponseSeries`, or the one that `traces` names; labels from the column `labels` of its table of ROIs (the
  ids of the ROIs where it has none), or from a dataset by its path.

A file without time needs the option `native_rate_hz`. `neurons` is the canonical axis: `worm` (302 names, the default where
the species is C. elegans) or `labels` (every name that occurs, sorted; a label is itself, letter for letter).
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import generic_formats
from allometry.homogenize.options import choice, flag, text
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, guess, labels
from allometry.homogenize.traces.recordings import Pending, RawRecording
from allometry.homogenize.worm.neurons import NEURONS

OWN = {
    "traces": text(None, "Array of traces, or the name or path of a `RoiResponseSeries`; null: the only matrix."),
    "time": text("time", "Column or array of time stamps; null: there is none.", null=True, digits=True),
    "labels": text(
        "labels", "Array of names; of a CSV with `orientation: roi` the column of names.", null=True, digits=True
    ),
    "confidence": text(None, "Array of label confidences.", digits=True),
    "orientation": choice("time", ("time", "roi"), "What a row of the traces is."),
    "header": flag(True, "Whether the first line of a CSV names the columns; if not, they are numbered from 1."),
    "neurons": choice(
        None,
        (None, "worm", "labels"),
        "Canonical axis: `worm` (302 names) or `labels` (every name that occurs); null: by the species.",
    ),
    "units": text(None, "Unit of the traces, such as `dF/F`; null: as the file says, else 1."),
    "title": text(None, "Title of the store; null: the name of the data set."),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read one recording per file.

    Parameters
    ----------
    files : dict
        Files of the formats above; formats may be mixed.
    source : Source
        Registry entry or the user's `datasets` entry.
    options : dict
        Those of every activity reader, and of `OWN`.

    Returns
    -------
    xarray.DataTree
        Activity store.

    Raises
    ------
    ReaderError
        If a file lacks what the options name.
    """
    own = {key: options[key] for key in OWN}
    worm = own["neurons"] == "worm" or (own["neurons"] is None and "elegans" in source.species.lower())
    found: list[Any] = [
        Pending(_name(path), functools.partial(recording, path, own), path.name) for _, path in sorted(files.items())
    ]
    neurons: tuple[str, ...] = NEURONS
    if not worm:
        # The axis is made of all labels, so that all files but those left out are read first.
        out = activity.left_out(options)
        found = [item if out & {item.name, item.file} else item() for item in found]
        raws = [raw for raw in found if isinstance(raw, RawRecording)]
        neurons = tuple(sorted({name for raw in raws for name in map(labels.text, raw.labels) if name}))
        if raws and not neurons:
            raise ReaderError(
                what="No ROI has a name, so there is no canonical axis.",
                where=source.name,
                expected="labels in at least one recording",
                do="name the labels with the option `labels`, or set `neurons: worm`",
            )
    return activity.build(
        found,
        dataclasses.replace(source, title=str(own["title"] or source.name)),
        options,
        files=files,
        title=source.name,
        neurons=neurons,
        units=own["units"],
        parameters={key: value for key, value in own.items() if value is not None},
    )


def _name(path: Path) -> str:
    return path.name.removesuffix(path.suffix)


def recording(path: Path, own: dict[str, Any]) -> RawRecording:
    """Map one file as the options say."""
    content = generic_formats.load(path, own)
    if content.time is None and own["time"] not in (None, OWN["time"].default):
        raise ReaderError(
            what=f"There is no {own['time']!r} to read the time from.",
            where=path.name,
            expected="the column or array that the option `time` names",
            do="correct the option `time`, or leave it out and set `native_rate_hz`",
        )
    if content.labels is None and own["labels"] not in (None, OWN["labels"].default):
        raise ReaderError(
            what=f"There is no {own['labels']!r} to read the labels from.",
            where=path.name,
            expected="the column or array that the option `labels` names",
            do="correct the option `labels`, or leave it out",
        )
    trace = content.traces
    if own["orientation"] == "roi" and not content.time_first:
        trace = trace.T
    raw = content.labels if content.labels is not None else [""] * int(np.shape(trace)[1] if np.ndim(trace) == 2 else 0)
    return RawRecording(
        name=_name(path),
        trace=trace,
        time=content.time,
        labels=raw,
        confidence=content.confidence,
        time_unit=content.time_unit,
        units=content.units,
        where=path.name,
        notes=content.notes,
    )


READER = Reader("generic", ("activity",), read, {**activity.OPTIONS, **OWN}, recognise=guess.recognise)
