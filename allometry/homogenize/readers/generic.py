"""Users' own activity recordings in plain tables, NPZ, MATLAB, HDF5 or NWB 2 files, by configuration alone.

One file is one recording. The options say where things are:

- Tables (`.csv`, `.tsv`, `.txt`, `.xlsx`, `.parquet`, `.feather`): a column per ROI, named in the header line; `time` names the column of time stamps. With
  `orientation: roi` a row per ROI, its name in the column `labels` (default: the first). With `header: false` there is no
  header line, and the columns are named by their numbers, from 1.
- NPZ, HDF5, MATLAB: `traces`, `time`, `labels` (and `confidence`) name arrays; `orientation` says what a row of `traces` is.
- NWB 2: the only `RoiResponseSeries`, or the one that `traces` names; labels from the column `labels` of its table of ROIs (the
  ids of the ROIs where it has none), or from a dataset by its path.

A file without time needs the option `native_rate_hz`; so does one whose stamps are numbers of frames (`time_is: frames`), which may
leave out frames that were lost. `neurons` is the canonical axis: `worm` (302 names, the default where the species is C. elegans),
`labels` (every name that occurs, sorted; a label is itself, letter for letter), or `rois` (every ROI is itself, `RECORDING:NUMBER`; the
default where no recording has labels).
"""

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import generic_formats
from allometry.homogenize.formats.flat import rows
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
    "time_is": choice(
        "stamps",
        ("stamps", "frames"),
        "What the time is: stamps, or numbers of frames, of which `native_rate_hz` are in a second.",
    ),
    "neurons": choice(
        None,
        (None, "worm", "labels", "rois"),
        "Canonical axis: `worm` (302 names), `labels` (every name that occurs), `rois` (every ROI is itself, `RECORDING:NUMBER`); null: "
        "by the species, then by whether there are labels.",
    ),
    "units": text(None, "Unit of the traces, such as `dF/F`; null: as the file says, else 1."),
    **rows.OPTIONS,
    "title": text(None, "Title of the store; null: the name of the data set."),
}
WRITING = {name: option.default for name, option in rows.OPTIONS.items()} | {"time_is": "stamps"}
"""Options that say how a table is written: stored where they are not as usual."""


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
    if own["time_is"] == "frames" and options["native_rate_hz"] is None:
        raise ReaderError(
            what="The time is numbers of frames, and their rate is not known.",
            where=source.name,
            expected="the option `native_rate_hz`",
            do="set it to the frames per second",
        )
    worm = own["neurons"] == "worm" or (own["neurons"] is None and "elegans" in source.species.lower())
    found: list[Any] = [
        Pending(_name(path), functools.partial(recording, path, own, options["native_rate_hz"]), path.name)
        for _, path in sorted(files.items())
    ]
    neurons: tuple[str, ...] = NEURONS
    if not worm:
        # The axis is made of all labels, so that all files but those left out are read first.
        out = activity.left_out(options)
        found = [item if out & {item.name, item.file} else item() for item in found]
        raws = [raw for raw in found if isinstance(raw, RawRecording)]
        neurons = tuple(sorted({name for raw in raws for name in map(labels.text, raw.labels) if name}))
        if own["neurons"] == "rois" or (raws and not neurons and own["neurons"] is None):
            neurons = tuple(_named_themselves(raws))
        elif raws and not neurons:
            raise ReaderError(
                what="No ROI has a name, so there is no canonical axis.",
                where=source.name,
                expected="labels in at least one recording",
                do="name the labels with the option `labels`, or set `neurons: rois`",
            )
    return activity.build(
        found,
        dataclasses.replace(source, title=str(own["title"] or source.name)),
        options,
        files=files,
        title=source.name,
        neurons=neurons,
        units=own["units"],
        parameters={key: value for key, value in own.items() if value is not None and value != WRITING.get(key)},
    )


def _named_themselves(raws: list[RawRecording]) -> Iterator[str]:
    """Give every ROI the name of its recording and its number; what the file calls it stays beside it."""
    for raw in raws:
        if any(map(labels.text, raw.labels)):
            raw.extra["label_in_file"] = ("roi", np.array([labels.text(label) for label in raw.labels], object), {})
        raw.labels = [f"{raw.name}:{number}" for number in range(len(raw.labels))]
        raw.notes["labels"] = "every ROI is itself: RECORDING:NUMBER"
        yield from raw.labels


def _name(path: Path) -> str:
    return path.name.removesuffix(path.suffix)


def recording(path: Path, own: dict[str, Any], rate_hz: float | None = None) -> RawRecording:
    """Map one file as the options say; `rate_hz` is that of the frames, where the time is their numbers."""
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
    time, unit = content.time, content.time_unit
    if own["time_is"] == "frames" and time is not None:
        time, unit = _of_frames(time, float(rate_hz or 1.0), path.name), "s"
        content.notes["time_from"] = f"numbers of frames, {rate_hz:g} of them in a second"
    trace = content.traces
    if own["orientation"] == "roi" and not content.time_first:
        trace = trace.T
    raw = content.labels if content.labels is not None else [""] * int(np.shape(trace)[1] if np.ndim(trace) == 2 else 0)
    return RawRecording(
        name=_name(path),
        trace=trace,
        time=time,
        labels=raw,
        confidence=content.confidence,
        time_unit=unit,
        units=content.units,
        where=path.name,
        notes=content.notes,
    )


def _of_frames(frames: Any, rate_hz: float, where: str) -> np.ndarray:
    """Time of frames by their numbers, s from frame zero."""
    try:
        numbers = np.asarray(frames, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all() or (numbers % 1 != 0).any():
        raise ReaderError(
            what="The numbers of the frames are no whole numbers.",
            where=where,
            expected="one whole number per sample",
            do="leave out `time_is: frames` if these are time stamps",
        )
    return numbers / rate_hz


READER = Reader("generic", ("activity",), read, {**activity.OPTIONS, **OWN}, recognise=guess.recognise)
