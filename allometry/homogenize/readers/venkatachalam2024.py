"""Venkatachalam laboratory 2024: zipped CSV, one animal per zip, a row per neuron.

Columns 107 to the last but one are samples, 0.375 s apart; their header is the number of the frame. The columns before
are facts about the neuron (its name in `neuron`) and a blank lead.
"""

import functools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.formats.flat import folders
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity, labels
from allometry.homogenize.traces.recordings import Pending, RawRecording
from allometry.homogenize.worm.neurons import NEURONS

FIRST = 107
DT_S = 0.375


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read the CSV files in the zips, or in the zips of a folder.

    Parameters and errors: see `allometry.homogenize.traces.activity.build`.
    """

    def recordings(_: str, path: Path) -> list[Pending]:
        return [
            Pending(Path(member).stem, functools.partial(recording, path, member), path.name)
            for member in _members(path)
        ]

    with folders.of_kind(files, ".zip") as inside:
        found = activity.of_files(inside, options, recordings)
        return activity.build(
            found, source, options, files=files, title="Venkatachalam laboratory 2024, chemosensory data"
        )


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(name for name in archive.namelist() if name.lower().endswith(".csv"))
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ReaderError(
            what=f"Not a readable zip ({error}).",
            where=str(path),
            expected="a zip with CSV files",
            do="retrieve it again",
        ) from error
    members = [name for name in members if "__MACOSX" not in name]
    if not members:
        raise ReaderError(
            what="No CSV in the zip.",
            where=str(path),
            expected="a zip with CSV files",
            do="check that this is the right file",
        )
    return members


def recording(path: Path, member: str) -> RawRecording:
    """Map one CSV."""
    where = f"{path.name}, {member}"
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(member)
        table = spreadsheets.text_frame(content, where)
    except ReaderError:
        raise
    except Exception as error:  # zlib, zip, encoding and parser errors of a damaged file are of many types
        raise ReaderError(
            what=f"The CSV cannot be read ({type(error).__name__}: {str(error)[:100]}).",
            where=where,
            expected="a table with a row per neuron",
            do="retrieve the file again",
        ) from error
    if table.shape[1] < FIRST + 3 or table.empty:
        raise ReaderError(
            what=f"The table has {table.shape[0]} rows and {table.shape[1]} columns.",
            where=where,
            expected=f"a row per neuron, {FIRST} columns about it, then its samples and one more column",
            do="check that the file is complete",
        )
    samples = table.iloc[:, FIRST:-1]
    try:
        trace = samples.replace("", "nan").to_numpy(dtype=np.float64).T
    except (TypeError, ValueError) as error:
        raise ReaderError(
            what="The samples are not numbers.",
            where=where,
            expected=f"numbers from column {FIRST} on",
            do="check the columns",
        ) from error
    notes: dict[str, Any] = {"not_kept": [str(name) for name in [*table.columns[:9], table.columns[-1]]]}
    try:
        frames = np.array([float(name) for name in samples.columns])
        time: npt.NDArray[np.float64] = np.asarray(frames * DT_S, dtype=np.float64)
    except ValueError:
        time = np.asarray(np.arange(trace.shape[0]) * DT_S, dtype=np.float64)
        notes["time"] = "the headers are no frame numbers: samples are counted, 0.375 s apart"
    column = _name_column(table)
    notes["labels_from"] = f"column {column!r}"
    return RawRecording(
        name=Path(member).stem,
        trace=trace,
        time=time,
        labels=table[column].tolist(),
        where=where,
        notes=notes,
    )


def _name_column(table: pd.DataFrame) -> str:
    """`neuron`, or the column before the samples in which most cells are names of neurons."""
    if "neuron" in table.columns:
        return "neuron"
    hits = {
        str(name): sum(labels.parse(cell, NEURONS).status == "named" for cell in table[name])
        for name in table.columns[:FIRST]
    }
    return max(hits, key=lambda name: hits[name])


def recognise(files: Files) -> list[Finding]:
    """Archives of tables with a row per neuron and more than {FIRST} columns."""
    own = []
    for path in files.paths:
        peek = files.peek(path)
        heads = [rows[0] for name, rows in peek.sheets.items() if rows and name.lower().endswith(".csv")]
        if peek.form == "zip" and heads and all(len(head) > FIRST + 2 and "neuron" in head[:FIRST] for head in heads):
            own.append(path)
    what = "chemosensory activity of C. elegans in the layout of the Venkatachalam laboratory"
    return one_store(what, own, "activity", species="Caenorhabditis elegans")


READER = Reader("venkatachalam2024", ("activity",), read, activity.OPTIONS, recognise=recognise, folders=True)
