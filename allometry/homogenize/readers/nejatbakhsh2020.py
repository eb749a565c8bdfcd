"""Nejatbakhsh et al. 2020: one NWB 2 file per worm.

`processing/CalciumActivity/SignalRawFluor/SignalCalciumImResponseSeries` (time, roi) and `processing/CalciumActivity/
NeuronIDs/labels`, which is of an NWB extension; h5py reads the file whether the extension is installed or not. 4 Hz where
the file does not say.
"""

import functools
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import nwb_series
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.formats.hdf5 import open_hdf5
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import Pending, RawRecording

MODULE = "processing/CalciumActivity"
SERIES = "SignalRawFluor/SignalCalciumImResponseSeries"
PUBLISHED_RATE_HZ = 4.0


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read one NWB file per worm, or a folder of them.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    with folders.of_kind(files, ".nwb") as inside:
        found = [
            Pending(path.stem, functools.partial(recording, path), path.name) for _, path in sorted(inside.items())
        ]
        return activity.build(
            found, source, options, files=files, title="Nejatbakhsh et al. 2020, semi-immobilised worms", units="au"
        )


def recording(path: Path) -> RawRecording:
    """Map the fields of one file."""
    with open_hdf5(path) as file:
        module = file.get(MODULE)
        series = module.get(SERIES) if isinstance(module, h5py.Group) else None
        ids = module.get("NeuronIDs") if isinstance(module, h5py.Group) else None
        if not isinstance(series, h5py.Group) or not isinstance(ids, h5py.Group):
            raise ReaderError(
                what="The calcium activity or the neuron IDs are missing.",
                where=str(path),
                expected=f"{MODULE}/{SERIES} and {MODULE}/NeuronIDs",
                do=f"check that this is a file of the source; it has: {', '.join(list(file.get('processing', {}))[:8])}",
            )
    # Conversion, offset and region of the series mean what they mean in every NWB file.
    content = nwb_series.load(
        path, {"traces": f"{MODULE}/{SERIES}", "labels": f"{MODULE}/NeuronIDs/labels", "orientation": "time"}
    )
    return RawRecording(
        name=path.stem,
        trace=content.traces,
        time=content.time,
        labels=content.labels or [],
        where=path.name,
        time_unit=content.time_unit,
        rate_hz=PUBLISHED_RATE_HZ,
        why="published rate of Nejatbakhsh et al. 2020",
        notes=content.notes,
    )


def recognise(files: Files) -> list[Finding]:
    """NWB files with the series and the neuron IDs of the source."""
    own = files.holding(f"{MODULE}/{SERIES}", f"{MODULE}/NeuronIDs", form="hdf5")
    what = "whole-brain activity of C. elegans in the layout of Nejatbakhsh et al. 2020"
    return one_store(what, own, "activity", species="Caenorhabditis elegans")


READER = Reader("nejatbakhsh2020", ("activity",), read, activity.OPTIONS, recognise=recognise, folders=True)
