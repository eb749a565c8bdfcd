"""Nichols et al. 2017: quiescence in two strains and stages, four MATLAB v7.3 files of one struct each."""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.formats import worm_structs
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import RawRecording


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read `n2_let`, `n2_prelet`, `npr1_let`, `npr1_prelet` (.mat): fields IDs, traces, timeVectorSeconds.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """

    def recordings(name: str, path: Path) -> list[RawRecording]:
        strain, _, stage = Path(name).stem.partition("_")
        about = {"strain": strain, "stage": stage}
        return worm_structs.read_file(path, ("IDs",), ("traces",), ("timeVectorSeconds",), about)

    found = activity.of_files(files, options, recordings)
    return activity.build(
        found, source, options, files=files, title="Nichols et al. 2017, activity in lethargus and before"
    )


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the laboratory, by the names of strain and stage."""
    return worm_structs.recognise(
        files, ("IDs",), ("traces",), ("timeVectorSeconds",), ("n2_*.mat", "npr1_*.mat"), "Nichols et al. 2017"
    )


READER = Reader("nichols2017", ("activity",), read, activity.OPTIONS, recognise=recognise)
