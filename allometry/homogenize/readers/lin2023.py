"""Lin et al. 2023: one MATLAB v5 file per worm with raw fluorescence.

`corrected_F` (neuron, time), its baseline `F_0`, `proofread_neurons` (names), `use_flag` (neurons that are fit for use) and
`times`, a struct whose last field holds seconds. The trace is (F - F_0) / F_0; the first sample of F is missing. Neurons that
are not fit for use are kept among the native regions, without a label.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import matlab
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, labels
from allometry.homogenize.traces.recordings import Pending, RawRecording

FIELDS = ("use_flag", "proofread_neurons", "times", "corrected_F", "F_0")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read one .mat per worm, or a folder of them.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """
    with folders.of_kind(files, ".mat") as inside:
        found = [
            Pending(path.stem, functools.partial(recording, path), path.name) for _, path in sorted(inside.items())
        ]
        return activity.build(found, source, options, files=files, title="Lin et al. 2023, olfactory responses")


def recording(path: Path) -> RawRecording:
    """Map the fields of one file."""
    _, struct, _ = matlab.find_struct(matlab.load(path), [(name,) for name in FIELDS], str(path))
    fluorescence, baseline = _matrix(struct["corrected_F"], "corrected_F", path), _matrix(struct["F_0"], "F_0", path)
    use = np.asarray(struct["use_flag"]).ravel()
    names = (
        struct["proofread_neurons"] if isinstance(struct["proofread_neurons"], list) else [struct["proofread_neurons"]]
    )
    time = _seconds(struct["times"], path)
    n_roi = len(names)
    if fluorescence.shape[0] != n_roi and fluorescence.shape[1] == n_roi:
        raise _bad(path, f"corrected_F is {fluorescence.shape} for {n_roi} neurons: it seems to be transposed")
    if baseline.shape[0] != n_roi and baseline.shape[1] == n_roi:
        baseline = baseline.T
    if not (fluorescence.shape[0] == baseline.shape[0] == use.size == n_roi) or use.dtype.kind not in "biuf":
        raise _bad(path, f"{n_roi} names, corrected_F {fluorescence.shape}, F_0 {baseline.shape}, use_flag {use.size}")
    good = use > 0
    f_0 = baseline[:, :1]
    notes: dict[str, Any] = {"trace": "(corrected_F - F_0) / F_0"}
    if lost := sorted(set(struct) - set(FIELDS)):
        notes["not_kept"] = lost
    if not good.all():
        unused = [_name(name) for name, flag in zip(names, good) if not flag]
        notes["unused_rois"] = {"names": unused, "why": "no use_flag: the names are not used as labels"}
    bad = ~((f_0[:, 0] != 0) & np.isfinite(f_0[:, 0]))
    if bad.any():
        notes["no_baseline"] = f"{int(bad.sum())} neurons have no usable F_0: their traces are NaN"
    with np.errstate(divide="ignore", invalid="ignore"):
        trace = np.where(bad[:, None], np.nan, (fluorescence - f_0) / f_0)
    return RawRecording(
        name=path.stem,
        trace=trace.T,
        time=time,
        labels=[_name(name) if flag else "" for name, flag in zip(names, good)],
        where=path.name,
        extra={"use_flag": (("roi",), good, {})},
        notes=notes,
    )


def _name(value: Any) -> str:
    return labels.text(value[0] if isinstance(value, list) and value else value)


def _matrix(value: Any, name: str, path: Path) -> npt.NDArray[np.float64]:
    values = np.asarray(value) if isinstance(value, np.ndarray) else np.zeros(0)
    if values.ndim != 2 or values.dtype.kind not in "iuf" or values.size == 0:
        raise _bad(path, f"{name} is no matrix of numbers")
    return values.astype(np.float64)


def _seconds(value: Any, path: Path) -> npt.NDArray[np.float64] | None:
    if isinstance(value, dict) and value:
        value = list(value.values())[-1]
    if isinstance(value, list) and value:
        value = value[-1]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        raise _bad(path, "times holds no seconds")
    return value.ravel().astype(np.float64)


def _bad(path: Path, what: str) -> ReaderError:
    return ReaderError(
        what=f"The fields do not fit: {what}.",
        where=str(path),
        expected="corrected_F (neuron, time), F_0, use_flag and proofread_neurons per neuron, times",
        do="check that the file is complete",
    )


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the source."""
    what = "activity of C. elegans in the layout of Lin et al. 2023"
    return one_store(what, files.holding(*FIELDS), "activity", species="Caenorhabditis elegans")


READER = Reader("lin2023", ("activity",), read, activity.OPTIONS, recognise=recognise, folders=True)
