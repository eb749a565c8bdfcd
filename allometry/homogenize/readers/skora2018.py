"""Skora et al. 2018: fasted and starved worms, MATLAB v7.3 files of one struct each."""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.formats import worm_structs
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import RawRecording


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `WT_fasted.mat` and `WT_starved.mat`: fields IDs, traces, timeVectorSeconds.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """

    def recordings(name: str, path: Path) -> list[RawRecording]:
        condition = Path(name).stem.removeprefix("WT_")
        return worm_structs.read_file(path, ("IDs",), ("traces",), ("timeVectorSeconds",), {"condition": condition})

    found = activity.of_files(files, options, recordings)
    return activity.build(
        found, source, options, files=files, title="Skora et al. 2018, activity of fasted and starved worms"
    )


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the laboratory, by their names."""
    return worm_structs.recognise(
        files, ("IDs",), ("traces",), ("timeVectorSeconds",), ("WT_fasted.mat", "WT_starved.mat"), "Skora et al. 2018"
    )


READER = Reader("skora2018", ("activity",), read, activity.OPTIONS, recognise=recognise)
