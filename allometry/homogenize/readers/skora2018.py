"""Skora et al. 2018: fasted and starved worms, MATLAB v7.3 files of one struct each."""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.formats import worm_structs
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `WT_fasted.mat` and `WT_starved.mat`: fields IDs, traces, timeVectorSeconds.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    shared = {key: value for key, value in options.items() if key != "group"}  # fills file names in the registry
    found = []
    for name, path in sorted(files.items()):
        condition = Path(name).stem.removeprefix("WT_")
        found += worm_structs.read_file(path, ("IDs",), ("traces",), ("timeVectorSeconds",), {"condition": condition})
    return activity.build(
        found, source, shared, files=files, title="Skora et al. 2018, activity of fasted and starved worms"
    )


READER = Reader("skora2018", ("activity",), read)
