"""Kaplan et al. 2020: three strains with silenced neurons, MATLAB v7.3 files of one struct each."""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.formats import worm_structs
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import RawRecording


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `Neuron2019_Data_{strain}.mat`: fields neuron_ID, traces_bleach_corrected, time_vector.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """

    def recordings(name: str, path: Path) -> list[RawRecording]:
        about = {"strain": Path(name).stem.removeprefix("Neuron2019_Data_")}
        return worm_structs.read_file(path, ("neuron_ID",), ("traces_bleach_corrected",), ("time_vector",), about)

    found = activity.of_files(files, options, recordings)
    return activity.build(
        found, source, options, files=files, title="Kaplan et al. 2020, activity with silenced neurons"
    )


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the laboratory."""
    return worm_structs.recognise(
        files,
        ("neuron_ID",),
        ("traces_bleach_corrected",),
        ("time_vector",),
        ("Neuron2019_Data_*.mat", "*.mat"),
        "Kaplan et al. 2020",
    )


READER = Reader("kaplan2020", ("activity",), read, activity.OPTIONS, recognise=recognise)
