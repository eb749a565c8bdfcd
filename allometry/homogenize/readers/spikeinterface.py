"""Sortings that SpikeInterface saved: a folder (`numpysorting_info.json` and `spikes.npy`, or `sorting_cached.npz`, with
`properties/`), a `.npz`, or a Zarr store; the Zarr store of an analyzer holds its sorting.

SpikeInterface itself needs zarr 2 and is not asked for: all layouts are plain arrays. A sorting in memory is taken by
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
from allometry.homogenize.formats.neurodata import zarr_tree
from allometry.homogenize.formats.neurodata.tree import Array
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import quantity
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.spikes import trains

OPTIONS = {
    **trains.OPTIONS,
    "segment": trains.SEGMENT,
    "duration_s": quantity(None, "Length of the recording, s; null: to the last spike.", above=0),
}
_TREE = (".zgroup", ".zattrs", "zarr.json")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one sorting.

    Parameters
    ----------
    files : dict
        A `.npz`; a Zarr store; or the files of a folder one by one, the folder, or a ZIP archive of it.
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
    trees = [path for path in files.values() if path.is_dir() and any((path / name).exists() for name in _TREE)]
    with folders.contents({} if trees else files) as inside:
        packed = [path for name, path in inside.items() if name.lower().endswith(".npz")]
        if trees:
            found = _of_zarr(trees[0], options)
        else:
            found = _of_npz(packed[0], inside, options) if len(packed) == 1 else _of_folder(inside, options)
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
    return _found(sample, unit, _properties(files, index), rate, where)


def _found(
    sample: npt.NDArray[Any],
    unit: npt.NDArray[Any],
    described: tuple[pd.DataFrame, dict[str, Any]],
    rate: float,
    where: str,
) -> trains.Found:
    units, notes = described
    if len(unit) and (unit.min() < 0 or unit.max() >= len(units)):
        worst = unit.min() if unit.min() < 0 else unit.max()
        raise ReaderError(
            f"a spike is of unit {int(worst)} of {len(units)}", where=f"{where}, spikes", do="save the sorting again"
        )
    load, sizes = _trains(sample, unit, len(units), rate)
    return trains.Found(units, load, sizes, where, notes={**notes, "sampling_rate": f"{rate:g} Hz"})


def _properties(files: dict[str, Path], index: pd.Index) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Columns of the units, of the files of `properties/`; and what of them is no column."""
    found = {}
    for name, path in sorted(files.items()):
        parts = name.split("/")
        if (
            parts[-1].endswith(".npy")
            and (parts[-2:-1] == ["properties"] or len(parts) == 1)
            and parts[-1] != "spikes.npy"
        ):
            found[parts[-1]] = npy.load(path, (1, 2), "biufU")
    return _columns(found, index)


def _columns(found: dict[str, npt.NDArray[Any]], index: pd.Index) -> tuple[pd.DataFrame, dict[str, Any]]:
    units, left = pd.DataFrame(index=index), []
    for name, values in found.items():
        if values.ndim == 1 and len(values) == len(index) and values.dtype.kind in "biufUO":
            units[name.removesuffix(".npy")] = np.asarray(values)
        else:
            left.append(name)
    return units, {"properties_not_read": left} if left else {}


def _of_zarr(path: Path, options: dict[str, Any]) -> trains.Found:
    where = path.name
    with zarr_tree.open_tree(path) as top:
        inner = top.get("sorting")
        tree = inner if isinstance(inner, zarr_tree.ZarrGroup) else top

        def array(name: str) -> Array:
            found = tree.get(name)
            if not isinstance(found, Array):
                raise ReaderError(
                    f"there is no array {name}",
                    where=where,
                    expected="a sorting that SpikeInterface saved with `format='zarr'`, or a Zarr store of an analyzer",
                    do="save the sorting again",
                )
            return found

        index, rate = _index(array("unit_ids")[:], where), _rate(tree.attrs.get("sampling_frequency"), where)
        slices = np.asarray(array("spikes/segment_slices")[:])
        if slices.ndim != 2 or slices.shape[1] != 2 or slices.dtype.kind not in "iu":
            raise ReaderError(
                f"segment_slices are {slices.shape} of type {slices.dtype}",
                where=where,
                expected="first and last spike of each segment",
                do="save the sorting again",
            )
        segment = trains.segment(options["segment"], len(slices), "sorting", where)
        part = slice(*(int(one) for one in slices[segment]))
        sample, unit = (array(f"spikes/{name}")[part] for name in ("sample_index", "unit_index"))
        if (
            sample.shape != unit.shape
            or sample.ndim != 1
            or sample.dtype.kind not in "iu"
            or unit.dtype.kind not in "iu"
        ):
            raise ReaderError(
                f"{sample.shape} samples of type {sample.dtype} and {unit.shape} units of type {unit.dtype} do not fit",
                where=f"{where}, spikes",
                expected="one sample and one unit per spike, as whole numbers",
                do="save the sorting again",
            )
        properties = tree.get("properties")
        found = {}
        if isinstance(properties, zarr_tree.ZarrGroup):
            found = {name: item[:] for name in properties.names() if isinstance(item := properties.get(name), Array)}
        return _found(sample, unit, _columns(found, index), rate, where)


def _of_npz(path: Path, files: dict[str, Path], options: dict[str, Any]) -> trains.Found:
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
    return _found(sample, unit, _properties(files, index), rate, where)


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
    for path in files.named("sorting_cached.npz"):
        if files.peek(path).has("unit_ids", "sampling_frequency", "spike_indexes_seg0"):
            found += one_store(what, [path, *sorted((path.parent / "properties").glob("*.npy"))], "spikes")
    for path in files.paths:
        peek = files.peek(path)
        if peek.form == "folder" and peek.has("unit_ids", "spikes/sample_index", "spikes/segment_slices"):
            found += one_store(f"{what}, Zarr", [path], "spikes")
        if any(name.endswith(("numpysorting_info.json", "sorting_cached.npz")) for name in peek.members):
            found += one_store(f"{what}, archive", [path], "spikes")
        alone = path.name != "sorting_cached.npz" and peek.form == "npz"
        if alone and peek.has("unit_ids", "sampling_frequency", "spike_indexes_seg0"):
            found += one_store(f"{what}, NPZ", [path], "spikes")
    return found


READER = Reader("spikeinterface", ("spikes",), read, OPTIONS, recognise=recognise, folders=True)
