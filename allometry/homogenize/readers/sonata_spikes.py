"""Spikes in a SONATA file: `/spikes/{population}` with `node_ids` and `timestamps`, of BMTK, Neurodamus, NEST or Brian2 exporters.

A unit is a node of a population; the unit of the time stamps is an attribute of them (ms where the file says nothing).
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import dataset, member_names, numeric, open_hdf5, subgroup
from allometry.homogenize.look import Files, Finding, store_per_file
from allometry.homogenize.options import listed, quantity, text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.spikes import trains
from allometry.homogenize.traces.timebase import UNITS

OPTIONS = {
    **trains.OPTIONS,
    "file": text(None, "Name of the file to read, where the source has several."),
    "populations": listed(None, "Populations that are read; null: all."),
    "duration_s": quantity(None, "Length of the recording, s; null: to the last spike.", above=0),
}
NAMES = {"milliseconds": "ms", "seconds": "s", "millisecond": "ms", "second": "s"}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one file.

    Parameters
    ----------
    files : dict
        One `.h5`, or the one that the option `file` names.
    options : dict
        Those of every reader of spike trains, and of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes; units are `POPULATION:NODE`, or the ids of the nodes where there is one population.

    Raises
    ------
    ReaderError
        There are no spikes, or they cannot be told apart.
    """
    path = named_file(files, options["file"], source.name)
    used = {next(name for name, where in files.items() if where == path): path}
    with open_hdf5(path) as file:
        parts = _spikes(file, path, options["populations"])
    time, node = trains.joined([one for one, _, _ in parts]), trains.joined([one for _, one, _ in parts])
    populations = [name for part, _, name in parts if len(part)]
    if len(set(populations)) > 1:
        names = np.concatenate([np.full(len(part), name, object) for part, _, name in parts])
        labels = np.array([f"{name}:{one}" for name, one in zip(names, node)], object)
        ids, load, sizes = trains.by_unit(time, labels)
        first = np.unique(labels, return_index=True)[1]
        units = pd.DataFrame({"population": names[first], "node_id": node[first]}, index=pd.Index(ids))
    else:
        del parts
        ids, load, sizes = trains.by_unit(time, node)
        units = pd.DataFrame({"population": np.repeat(populations[:1], len(ids)).astype(object), "node_id": ids})
        units.index = pd.Index(ids.astype(np.int64))
    found = trains.Found(units, load, sizes, path.name, end=options["duration_s"])
    found.notes["units"] = "nodes with at least one spike: the file does not list the silent ones"
    kept = {name: options[name] for name in ("populations", "duration_s") if options[name] is not None}
    return trains.build(found, source, options, files=used, title=source.name, parameters=kept)


def _spikes(file: h5py.File, path: Path, wanted: Any) -> list[tuple[Any, Any, str]]:
    """Times in s and node ids of the spikes of each population, and its name."""
    spikes = subgroup(file, "spikes")
    plain = isinstance(spikes.get("timestamps"), h5py.Dataset)  # files older than populations
    have = [""] if plain else [name for name in spikes if isinstance(spikes.get(name), h5py.Group)]
    chosen = have if wanted is None else [wanted] if isinstance(wanted, str) else [str(name) for name in wanted]
    missing = [name for name in chosen if name not in have]
    if missing or not chosen:
        raise ReaderError(
            f"there is no population {missing[0]!r}" if missing else "the file has no population with spikes",
            where=f"{path.name}, /spikes",
            expected=f"one of {', '.join(have) or '(there are none)'} (the group has: {member_names(spikes)})",
            do="correct the option `populations`, or retrieve the file again",
        )
    parts: list[tuple[Any, Any, str]] = []
    for name in chosen:
        group = spikes[name] if name else spikes
        time = numeric(group, "timestamps", ndim=1)
        key = "gids" if "node_ids" not in group and "gids" in group else "node_ids"
        node = dataset(group, key, 1)
        if node.dtype.kind not in "iu" or node.shape != time.shape:
            raise ReaderError(
                f"{len(time)} times and {node.shape} ids of type {node.dtype} do not fit",
                where=f"{path.name}, {group.name}",
                expected="one whole number per spike",
                do="retrieve the file again",
            )
        said = group["timestamps"].attrs.get("units", "ms")
        said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        unit = NAMES.get(said.lower(), said)
        if unit not in UNITS:
            raise ReaderError(
                f"the unit of the time stamps is {said!r}",
                where=f"{path.name}, {group.name}/timestamps",
                expected=f"one of {', '.join(UNITS)}",
                do="correct the attribute `units` in the file",
            )
        time *= UNITS[unit]  # in place: it may be as large as the recording
        parts.append((time, node.astype(np.int64, copy=False), name or "units"))
    return parts


def recognise(files: Files) -> list[Finding]:
    """HDF5 files with times and node ids below `spikes`."""
    own = []
    for path in files.paths:
        peek = files.peek(path)
        if peek.form == "hdf5" and any(
            name.startswith("spikes/") and name.endswith("timestamps") for name in peek.arrays
        ):
            own += [path] if peek.has("node_ids") and path.suffix.lower() in (".h5", ".hdf5") else []
    return store_per_file("spikes in SONATA", own, "spikes")


READER = Reader("sonata_spikes", ("spikes",), read, OPTIONS, recognise=recognise)
