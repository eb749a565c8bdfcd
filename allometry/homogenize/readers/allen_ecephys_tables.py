"""Tables of the 58 Visual Coding Neuropixels sessions, and spike times of single units, as derived by the Allen Institute.

`ole_all_sessions.csv` (sessions), `ole_probes.csv` (probes), `layer_info.csv` (layer and relative cortical depth of every unit)
and `timescale_metrics.csv` (intrinsic timescales of the units that have one) describe the whole collection.
`spike_data_{session}_{unit}_{stimulus}.npy` is an object array of lists: the spike times of one unit, s on the clock of its
session, one list per block of the stimulus. The file has no times of blocks or presentations.

The store is the spike trains, with the tables beside them over dimensions of their own.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy, spreadsheets
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.responses import presentations

SPIKES = re.compile(r"spike_data_(\d+)_(\d+)_(\w+)\.npy")
TEXT = np.dtypes.StringDType()
SESSIONS = {
    "session_type": str,
    "published_at": str,
    "specimen_id": int,
    "age_in_days": float,
    "sex": str,
    "full_genotype": str,
    "unit_count": int,
    "channel_count": int,
    "probe_count": int,
    "ecephys_structure_acronyms": str,
}
PROBES = {
    "ecephys_session_id": int,
    "name": str,
    "phase": str,
    "sampling_rate": float,
    "lfp_sampling_rate": float,
    "lfp_temporal_subsampling_factor": float,
    "air_channel_index": int,
    "surface_channel_index": int,
    "has_lfp_data": bool,
}
TIMESCALES = ("timescale_ac", "err_ac", "spike_count_ac", "timescale_it", "err_it", "spike_count_it")
UNITS = {"age_in_days": "d", "sampling_rate": "Hz", "lfp_sampling_rate": "Hz"}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the spike trains and the tables.

    Parameters
    ----------
    files : dict
        The four tables, and at least one `spike_data_...npy`; several must be of one session and one stimulus.

    Returns
    -------
    xarray.Dataset
        Spikes; tables over `session`, `probe_id` and `catalogued_unit`.

    Raises
    ------
    ReaderError
        Tables that contradict each other, and whatever else is wrong with the files.
    """
    where = source.name
    sessions = _table(named_file(files, "ole_all_sessions.csv", where), "id", SESSIONS)
    probes = _table(named_file(files, "ole_probes.csv", where), "id", PROBES)
    catalogue = _catalogue(
        named_file(files, "layer_info.csv", where), named_file(files, "timescale_metrics.csv", where)
    )
    _check(sessions, probes, catalogue)
    trains, session, stimulus, intervals = _trains(files, where)
    if session not in sessions.index:
        raise ReaderError(f"session {session} is unknown", where=where, expected="a row of ole_all_sessions.csv")
    units = catalogue.reindex(list(trains)).drop(columns="session")
    units.insert(0, "population", [area or "unknown" for area in units["area"].fillna("")])
    units["area"] = units["area"].fillna("")
    dataset = stores.spikes_recorded(
        np.concatenate([np.zeros(0), *trains.values()]),
        np.array([train.size for train in trains.values()]),
        units=units,
        observed=intervals,
        attrs=source.attrs(
            f"Allen Visual Coding Neuropixels, session {session}: {len(trains)} unit{'s' * (len(trains) > 1)}, {stimulus}",
            {"stimulus": stimulus, "session": session},
            {
                "observed": f"{len(intervals)} blocks, each from its first to its last spike: the file has no other times",
                "area": "of timescale_metrics.csv; empty for a unit that is not in it",
                "cortical_depth": "relative, 0 to 1; 0 and layer 0 where the source has none",
                "sessions": {str(kind): int(n) for kind, n in sessions["session_type"].value_counts().items()},
                "units_of_all_sessions": int(sessions["unit_count"].sum()),
            },
            files,
        ),
    )
    _attach(dataset, "session", sessions.rename(columns={"ecephys_structure_acronyms": "structures"}), "session")
    _attach(dataset, "probe_id", probes.rename(columns={"ecephys_session_id": "session"}), "probe")
    _attach(dataset, "catalogued_unit", catalogue, "catalogued")
    return dataset


def _table(path: Path, key: str, columns: dict[str, type]) -> pd.DataFrame:
    """Columns of their types, by the number in column `key`."""
    raw = spreadsheets.table(spreadsheets.read_delimited(path, ","), [key, *columns], path.name)
    out = pd.DataFrame(index=_ids(raw[key], path.name))
    for name, kind in columns.items():
        values = raw[name]
        if kind is str:
            text = values.map(presentations.as_text)
            # a printed array of names, over several lines
            listed = text.map(lambda cell: " ".join(re.findall(r"'([^']*)'", cell)) if cell.startswith("[") else cell)
            out[name] = listed.to_numpy(object)
        elif kind is bool:
            if not values.isin(["True", "False"]).all():
                raise ReaderError(f"{name} is not True or False", where=path.name, expected="True or False")
            out[name] = (values == "True").to_numpy()
        else:
            numbers = spreadsheets.numbers(values, path.name, allow_missing=kind is float)
            out[name] = numbers.to_numpy() if kind is float else _whole(numbers, path.name)
    return out


def _ids(values: pd.Series, where: str) -> pd.Index:
    ids = pd.Index(_whole(spreadsheets.numbers(values, where), where))
    if not ids.is_unique:
        raise ReaderError(
            f"{values.name} {ids[ids.duplicated()][0]} is listed twice", where=where, expected="one row each"
        )
    return ids


def _whole(values: pd.Series, where: str) -> npt.NDArray[np.int64]:
    if not ((values == np.rint(values)) & (values.abs() < 2**53)).all():
        raise ReaderError(f"{values.name} is not a whole number", where=where, expected="whole numbers")
    return values.to_numpy().astype(np.int64)


def layers(path: Path) -> pd.DataFrame:
    """`cortical_layer` (0: none) and relative `cortical_depth` by unit id, of `layer_info.csv`."""
    return _table(path, "ecephys_unit_id", {"cortical_layer": int, "cortical_depth": float})


def _catalogue(layer_info: Path, timescales: Path) -> pd.DataFrame:
    """Layer and depth of every unit, and area, session and timescales where there are any."""
    table = layers(layer_info)
    measured = _table(timescales, "ecephys_unit_id", {"area": str, "session": int, **dict.fromkeys(TIMESCALES, float)})
    stray = measured.index.difference(table.index)
    if len(stray):
        raise ReaderError(
            f"{len(stray)} units of {timescales.name} are not in {layer_info.name} (the first is {stray[0]})",
            where=timescales.name,
            expected="units of the collection",
            do="retrieve both files again",
        )
    joined = table.join(measured)
    joined["area"] = joined["area"].fillna("")
    return joined


def _check(sessions: pd.DataFrame, probes: pd.DataFrame, catalogue: pd.DataFrame) -> None:
    """Sessions, probes and units must be of one collection."""
    for name, named in (
        ("ole_probes.csv", probes["ecephys_session_id"]),
        ("timescale_metrics.csv", catalogue["session"]),
    ):
        unknown = sorted(set(named.dropna().astype(np.int64)) - set(sessions.index))
        if unknown:
            raise ReaderError(
                f"sessions {unknown[:3]} are unknown", where=name, expected="sessions of ole_all_sessions.csv"
            )
    counted = probes["ecephys_session_id"].value_counts().reindex(sessions.index, fill_value=0)
    differ = counted != sessions["probe_count"]
    if differ.any():
        raise ReaderError(
            f"session {sessions.index[differ][0]} has {counted[differ].iloc[0]} probes",
            where="ole_probes.csv",
            expected=f"{sessions['probe_count'][differ].iloc[0]}, as ole_all_sessions.csv says",
            do="retrieve both files again",
        )


def _trains(
    files: dict[str, Path], where: str
) -> tuple[dict[int, npt.NDArray[np.float64]], int, str, npt.NDArray[np.float64]]:
    """Spike times by unit, in order; session, stimulus, and first and last spike of each block."""
    found = [(match, path) for name, path in sorted(files.items()) if (match := SPIKES.fullmatch(name))]
    about = {(int(match[1]), match[3]) for match, _ in found}
    if len(about) != 1:
        raise ReaderError(
            f"spike times of {len(about)} sessions or stimuli",
            where=f"{where}: {', '.join(sorted(files))}",
            expected="files spike_data_{session}_{unit}_{stimulus}.npy of one session and one stimulus",
            do="make a data set of each",
        )
    trains: dict[int, npt.NDArray[np.float64]] = {}
    blocks: list[list[npt.NDArray[np.float64]]] = []
    for match, path in found:
        blocks.append(_blocks(path))
        trains[int(match[2])] = np.concatenate(blocks[-1])
    if len({len(some) for some in blocks}) > 1:
        raise ReaderError("units have different numbers of blocks", where=where, expected="the blocks of one stimulus")
    spans = [[some for some in block if some.size] for block in zip(*blocks)]
    intervals = np.array([[min(s[0] for s in some), max(s[-1] for s in some)] for some in spans if some])
    if not len(intervals) or (np.diff(intervals.ravel()) <= 0).any():
        raise ReaderError("blocks are empty, or overlap", where=where, expected="blocks one after the other")
    ((session, stimulus),) = about
    return trains, session, stimulus, intervals


def _blocks(path: Path) -> list[npt.NDArray[np.float64]]:
    content = object_npy.load_npy(path)
    content = list(content) if isinstance(content, np.ndarray) and content.ndim == 2 else content
    out = []
    for block in content if isinstance(content, list) else []:
        try:
            times = np.asarray(block, dtype=np.float64)
        except (TypeError, ValueError):
            times = np.zeros((0, 0))
        if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
            break
        out.append(times)
    if not out or len(out) != len(content):
        raise ReaderError(
            "no lists of spike times",
            where=path.name,
            expected="one list per block, of increasing seconds",
            do="retrieve the file again",
        )
    return out


def _attach(dataset: xr.Dataset, dim: str, table: pd.DataFrame, prefix: str) -> None:
    """Add a table as variables over a dimension of its own."""
    dataset.coords[dim] = (dim, table.index.to_numpy(np.int64))
    for name, values in table.items():
        array = values.to_numpy()
        if array.dtype == object:
            array = np.array([str(value) for value in array], dtype=TEXT)
        key = str(name) if str(name).startswith(prefix) else f"{prefix}_{name}"
        dataset[key] = (dim, array, {"units": UNITS[str(name)]} if name in UNITS else {})


def recognise(files: Files) -> list[Finding]:
    """The four tables and the spike trains, by their names."""
    tables = files.named("ole_all_sessions.csv", "ole_probes.csv", "layer_info.csv", "timescale_metrics.csv")
    trains = [path for path in files.paths if SPIKES.fullmatch(path.name)]
    what = f"spike trains of {len(trains)} units and the tables of the Visual Coding Neuropixels sessions"
    own = [*tables, *trains] if len(tables) == 4 and trains else []
    return one_store(what, own, "spikes", species="Mus musculus")


READER = Reader("allen_ecephys_tables", ("spikes",), read, recognise=recognise)
