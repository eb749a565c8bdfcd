"""Uzel et al. 2022: whole-brain activity of the wild type, one MATLAB v7.3 file of one struct."""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.formats import worm_structs
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `Uzel_WT.mat`: fields IDs, traces, tv.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    found = activity.of_files(
        files, options, lambda _, path: worm_structs.read_file(path, ("IDs",), ("traces",), ("tv",))
    )
    return activity.build(found, source, options, files=files, title="Uzel et al. 2022, whole-brain activity")


def recognise(files: Files) -> list[Finding]:
    """A MATLAB file with the fields of the laboratory, by its name."""
    return worm_structs.recognise(files, ("IDs",), ("traces",), ("tv",), ("Uzel_WT.mat",), "Uzel et al. 2022")


READER = Reader("uzel2022_activity", ("activity",), read, activity.OPTIONS, recognise=recognise)
