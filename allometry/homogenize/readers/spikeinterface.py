"""Sortings that SpikeInterface saved: its folder (`numpysorting_info.json`, `spikes.npy`, `properties/`), or its `.npz`.

SpikeInterface itself needs zarr 2 and is not asked for: both layouts are plain arrays. A sorting in memory is taken by
`allometry.homogenize.spikes.objects.of_sorting`, from which `trains.build` makes a store.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy
from allometry.homogenize.formats.flat import folders, npy
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import quantity
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.spikes import trains

OPTIONS = {
    **trains.OPTIONS,
    "segment": trains.SEGMENT,
    "duration_s": quantity(None, "Length of the recording, s; null: to the last spike.", above=0),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one sorting.

    Parameters
    ----------
    files : dict
        A `.npz`; or the files of a folder one by one, the folder, or a ZIP archive of it.
    options : dict
        Those of every reader of spike trains, and of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes, recorded.

    Raises
    ------
    ReaderError
        A file is missing, or there are several segments to choose from.
    """
    with folders.contents(files) as inside:
        packed = [path for name, path in inside.items() if name.lower().endswith(".npz")]
        found = _of_npz(packed[0], options) if len(packed) == 1 else _of_folder(inside, options)
        found.end = options["duration_s"]
        kept = {name: options[name] for name in ("segment", "duration_s") if options[name] is not None}
        return trains.build(found, source, options, files=files, title=source.name, parameters=kept)


def _rate(value: Any, where: str) -> float:
    try:
        rate = float(np.asarray(value).ravel()[0])
    except (TypeError, ValueError, IndexError):
        rate = np.nan
    if not np.isfinite(rate) or rate <= 0:
        raise ReaderError(f"the sampling frequency is {value!r}", where=where, expected="a positive number, Hz")
    return rate


def _index(ids: Any, where: str) -> pd.Index:
    plain = np.asarray(ids).ravel()
    if not plain.size or plain.dtype.kind not in "iuUSO":
        raise ReaderError("the units have no ids", where=where, expected="numbers or names of the units")
    return (
        pd.Index(plain.astype(np.int64)) if plain.dtype.kind in "iu" else pd.Index([str(one) for one in plain.tolist()])
    )


def _of_folder(files: dict[str, Path], options: dict[str, Any]) -> trains.Found:
    info = folders.need(files, "a folder that SpikeInterface saved", "numpysorting_info.json")
    where = info.parent.name
    try:
        said = json.loads(info.read_text())
        rate, index = _rate(said["sampling_frequency"], where), _index(said["unit_ids"], where)
        segment = trains.segment(options["segment"], int(said["num_segments"]), "sorting", where)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ReaderError(
            f"not a readable description of a sorting ({type(error).__name__}: {str(error)[:80]})",
            where=str(info),
            expected="sampling_frequency, unit_ids and num_segments",
            do="save the sorting again",
        ) from error
    spikes = npy.load(folders.need(files, "the spikes", "spikes.npy"), 1, "V")
    lacking = [
        name for name in ("sample_index", "unit_index", "segment_index") if name not in (spikes.dtype.names or ())
    ]
    if lacking:
        raise ReaderError(f"the spikes have no {lacking[0]}", where=f"{where}, spikes.npy", do="save the sorting again")
    inside = spikes["segment_index"] == segment
    sample, unit = np.asarray(spikes["sample_index"][inside]), np.asarray(spikes["unit_index"][inside])
    if len(unit) and (unit.min() < 0 or unit.max() >= len(index)):
        raise ReaderError(
            f"a spike is of unit {int(unit.max())} of {len(index)}", where=f"{where}, spikes.npy", do="save it again"
        )
    units, notes = pd.DataFrame(index=index), dict[str, Any]()
    for name, path in sorted(files.items()):
        parts = name.split("/")
        if (
            parts[-1].endswith(".npy")
            and (parts[-2:-1] == ["properties"] or len(parts) == 1)
            and parts[-1] != "spikes.npy"
        ):
            values = npy.load(path, (1, 2), "biufU")
            if values.ndim == 1 and len(values) == len(units):
                units[parts[-1].removesuffix(".npy")] = np.asarray(values)
            else:
                notes.setdefault("properties_not_read", []).append(name)
    load, sizes = _trains(sample, unit, len(index), rate)
    return trains.Found(units, load, sizes, where, notes={**notes, "sampling_rate": f"{rate:g} Hz"})


def _of_npz(path: Path, options: dict[str, Any]) -> trains.Found:
    content = object_npy.load(path)
    where = path.name
    lacking = [name for name in ("unit_ids", "sampling_frequency") if name not in content]
    if lacking:
        raise ReaderError(
            f"there is no {lacking[0]}",
            where=where,
            expected="a sorting that SpikeInterface wrote: unit_ids, sampling_frequency, spike_indexes_seg0, spike_labels_seg0",
            do="read other lists of spikes with the reader `generic_spikes`",
        )
    count = sum(name.startswith("spike_indexes_seg") for name in content)
    segment = trains.segment(options["segment"], count, "sorting", where)
    index, rate = _index(content["unit_ids"], where), _rate(content["sampling_frequency"], where)
    sample = np.asarray(content.get(f"spike_indexes_seg{segment}", []))
    label = np.asarray(content.get(f"spike_labels_seg{segment}", [])).ravel()
    if sample.ndim != 1 or sample.shape != label.shape or sample.dtype.kind not in "iuf":
        raise ReaderError(
            f"{sample.shape} spikes of type {sample.dtype} and {label.shape} labels do not fit",
            where=where,
            expected="one label per spike",
            do="save the sorting again",
        )
    named = [str(one) for one in label.tolist()] if index.dtype == object else label
    unique = len(set(index.tolist())) == len(index)
    unit = index.get_indexer(pd.Index(named)) if len(label) and unique else np.zeros(0, np.int64)
    if not unique or (unit < 0).any():
        raise ReaderError(
            "a spike is of a unit that is not listed, or a unit is listed twice",
            where=where,
            do="save the sorting again",
        )
    load, sizes = _trains(sample, unit, len(index), rate)
    return trains.Found(pd.DataFrame(index=index), load, sizes, where, notes={"sampling_rate": f"{rate:g} Hz"})


def _trains(sample: npt.NDArray[Any], unit: npt.NDArray[Any], count: int, rate: float) -> tuple[Any, Any]:
    """Trains of all units, those without a spike among them."""
    ids, load, some = trains.by_unit(sample.astype(np.float64) / rate, unit)
    sizes = np.zeros(count, np.int64)
    sizes[ids.astype(np.int64)] = some
    place = {int(one): row for row, one in enumerate(ids.tolist())}
    return lambda row: load(place[row]) if row in place else trains.SILENT, sizes


def recognise(files: Files) -> list[Finding]:
    """A folder, an archive of it, or an .npz that SpikeInterface saved."""
    what = "sorting of SpikeInterface"
    found = []
    if files.named("numpysorting_info.json") and files.named("spikes.npy"):
        own = files.named("numpysorting_info.json", "spikes.npy")
        properties = own[0].parent / "properties"
        own += sorted(properties.glob("*.npy")) if properties.is_dir() else []
        found += one_store(what, own, "spikes")
    for path in files.paths:
        peek = files.peek(path)
        if any(name.endswith("numpysorting_info.json") for name in peek.members):
            found += one_store(f"{what}, archive", [path], "spikes")
        if peek.form == "npz" and peek.has("unit_ids", "sampling_frequency", "spike_indexes_seg0"):
            found += one_store(f"{what}, NPZ", [path], "spikes")
    return found


READER = Reader("spikeinterface", ("spikes",), read, OPTIONS, recognise=recognise, folders=True)
