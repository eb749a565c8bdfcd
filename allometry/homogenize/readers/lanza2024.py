"""Lanza et al. 2024 (See-Elegans): tracked neurons of one worm, MATLAB v5.

`neurons_cleaned` is a struct array with `coords` (time, 5): x, y, z, frame, fluorescence; `neurons_identified` has `id` and
`name` of the identified ones. `id` counts neurons from 1 in the order of `neurons_cleaned`. The frame rate is not in the
file: without the option `native_rate_hz` the frame is the unit of time, and the store says so.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import matlab
from allometry.homogenize.formats.worm_structs import name_of
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source, only_file
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import RawRecording

COLUMNS = ("x", "y", "z", "frame", "F")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read the recording; see `allometry.homogenize.traces.activity.build` for the options.

    Parameters
    ----------
    files : dict
        One .mat file.
    source : Source
        Registry entry.
    options : dict
        Options of every activity reader; `native_rate_hz` gives the frame rate.

    Returns
    -------
    xarray.DataTree
        Activity store; positions x, y, z per ROI and time are kept in pixels and planes.
    """
    _, path = only_file(files, source.name, (".mat",))
    raw = recording(path)
    return activity.build([raw], source, options, files=files, title="Lanza et al. 2024, See-Elegans", units="au")


def recording(path: Path) -> RawRecording:
    """Map the fields of the file."""
    tree = matlab.load(path)
    _, struct, _ = matlab.find_struct(tree, [("neurons_cleaned",), ("neurons_identified",)], str(path))
    neurons, identified = struct["neurons_cleaned"], struct["neurons_identified"]
    tracks = (
        [item.get("coords", ()) if isinstance(item, dict) else () for item in neurons]
        if isinstance(neurons, list)
        else []
    )
    shapes = {np.shape(track) for track in tracks}
    if not tracks or len(shapes) != 1 or next(iter(shapes))[1:] != (len(COLUMNS),):
        raise ReaderError(
            what=f"The tracks have shapes {sorted(map(str, shapes))[:4]}.",
            where=str(path),
            expected="neurons_cleaned(i).coords, (time, 5) with the columns x, y, z, frame, F, equally long",
            do="check that this is a data set of See-Elegans",
        )
    try:
        block = np.stack([np.asarray(track).astype(np.float64, casting="same_kind") for track in tracks], axis=2)
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="The tracks are not numeric.", where=str(path), expected="numbers", do="retrieve the file again"
        ) from error
    notes: dict[str, Any] = {"labels_from": "neurons_identified (id counts from 1)"}
    frames = block[:, COLUMNS.index("frame")]
    steps = np.diff(np.nanmedian(frames, axis=1)) if np.isfinite(frames).any() else np.zeros(0)
    if not (steps == 1).all() or not steps.size:
        raise ReaderError(
            what="The frame numbers of the tracks do not count up by one.",
            where=str(path),
            expected="frames 1, 2, 3, ... in the fourth column",
            do="check that the file is complete",
        )
    return RawRecording(
        name=path.stem,
        trace=block[:, COLUMNS.index("F")],
        time=None,
        labels=_names(identified, block.shape[2], path),
        where=path.name,
        rate_hz=1.0,
        why="the file has no frame rate: one frame counts as one second; set native_rate_hz",
        extra={
            axis: (("time", "roi"), block[:, i].astype(np.float32), {"units": "pixel"}) for i, axis in enumerate("xyz")
        },
        notes=notes,
    )


def _names(identified: Any, n_roi: int, path: Path) -> list[str]:
    raw = [""] * n_roi
    if not isinstance(identified, dict) or "id" not in identified or "name" not in identified:
        raise ReaderError(
            what="The identified neurons have no id and name.",
            where=str(path),
            expected="neurons_identified with id and name",
            do="check that this is a data set of See-Elegans",
        )
    names = identified["name"] if isinstance(identified["name"], list) else [identified["name"]]
    try:
        numbers = [int(number) for number in np.asarray(identified["id"]).ravel()]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != len(names) or any(not 1 <= number <= n_roi for number in numbers):
        raise ReaderError(
            what=f"{len(names)} names and ids {numbers[:5]}... do not fit {n_roi} neurons.",
            where=str(path),
            expected=f"one id from 1 to {n_roi} per name",
            do="retrieve the file again",
        )
    for number, name in zip(numbers, names):
        raw[number - 1] = name_of(name)
    return raw


def recognise(files: Files) -> list[Finding]:
    """A MATLAB file with the tracked and the identified neurons."""
    what = "whole-brain activity of C. elegans in the layout of See-Elegans (Lanza et al. 2024)"
    doubt = "the frame rate is not in the file: one frame counts as one second until `native_rate_hz` says it"
    own = files.holding("neurons_cleaned", "neurons_identified")
    options = {"native_rate_hz": 1.0}
    worm = "Caenorhabditis elegans"
    found = [one_store(what, [path], "activity", options, doubts=(doubt,), species=worm) for path in own]
    return [finding for findings in found for finding in findings]


READER = Reader("lanza2024", ("activity",), read, activity.OPTIONS, recognise=recognise)
