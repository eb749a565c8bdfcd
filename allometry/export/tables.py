"""CSV and Parquet: a store as tables, with what their columns are (units, attributes) in a JSON file beside them.

The table that was asked for holds what the kind is about (edges, spikes, traces, responses, rows of scores); the others stand
beside it as `NAME.TABLE.csv`. Variables of one dimension are columns of one table; a variable over time and neurons has a
column per neuron; others are long, with a row per value. Indices of nodes and units are replaced by their labels.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.export.contents import attributes, plain, units
from allometry.stores.schema import Data, parts

# The table that is written under the name that was asked for, by the kind of store.
MAIN = {
    "activity": "trace",
    "connectome": "edge",
    "responses": "response",
    "spikes": "spike",
    "scores": "comparison",
    "scaling": "value",
    "compute": "point",
    "clamp": "voltage",
    "stack": "matrix",
}
TIME = ("sample", "time", "step", "bin")
SUFFIXES = {"csv": (".csv",), "parquet": (".parquet", ".pq")}


@dataclass
class Table:
    """A table.

    Parameters
    ----------
    name : str
        Within the store.
    frame : DataFrame
        Its rows.
    units : dict
        Unit by column.
    notes : dict
        Further attributes by column, or by variable where all columns are one.
    """

    name: str
    frame: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def write_csv(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write the tables of a store as CSV; numbers have the digits that give the same bits when they are read again."""
    return _write(obj, out, name)


def write_parquet(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write the tables of a store as Parquet; units stand in the metadata of the columns as well."""
    return _write(obj, out, name)


def _write(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    kind = str(obj.attrs["schema"]).lower()
    described: dict[str, Any] = {"store": name, "attributes": attributes(obj), "tables": {}, "values": values(obj)}
    holds: dict[str, int] = {}
    for table in tables(obj):
        main = table.name == MAIN[kind]
        path = out if main else out.with_name(f"{out.stem}.{table.name}{out.suffix}")
        if out.suffix == ".csv":
            table.frame.to_csv(path, index=False, lineterminator="\n")
        else:
            _parquet(table, path)
        described["tables"][path.name] = {
            "rows": len(table.frame),
            "columns": {
                str(column): {"units": table.units.get(str(column), ""), **table.notes.get(str(column), {})}
                for column in table.frame.columns
            },
        }
        if main:
            holds = {f"rows in {len(table.frame.columns)} columns": len(table.frame), **holds}
    holds["tables"] = len(described["tables"])
    text = json.dumps(described, indent=1, ensure_ascii=False, sort_keys=True)
    out.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return holds, []


def _parquet(table: Table, path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    frame = table.frame.rename(columns=str)
    arrow = pyarrow.Table.from_pandas(frame, preserve_index=False)
    fields = [
        one.with_metadata({"units": table.units[one.name]}) if one.name in table.units else one for one in arrow.schema
    ]
    pyarrow.parquet.write_table(arrow.cast(pyarrow.schema(fields, metadata=arrow.schema.metadata)), path)


def values(obj: Data) -> dict[str, Any]:
    """Variables without a dimension, by name; those of groups with their path."""
    root, groups = parts(obj)
    return {
        f"{path}/{name}".lstrip("/"): np.asarray(plain(variable.values)).item()
        for path, group in {"": root, **groups}.items()
        for name, variable in group.variables.items()
        if variable.ndim == 0
    }


def tables(obj: Data) -> Iterator[Table]:
    """All tables of a store.

    Parameters
    ----------
    obj : Dataset or DataTree

    Yields
    ------
    Table
        Names are `edge`, `trace`, `native.worm_1.trace`, ...
    """
    root, groups = parts(obj)
    root = _labelled(root)
    yield from _tables(root, "")
    for path, group in groups.items():
        yield from _tables(_labelled(group), path.replace("/", ".") + ".")


def _labelled(ds: xr.Dataset) -> xr.Dataset:
    """Indices of nodes, units and ROIs as what they point at, steps with their times."""
    if ds.attrs.get("schema") == "Connectome":
        labels = plain(ds["node"].values)
        return ds.assign({end: ("edge", labels[ds[end].values]) for end in ("source", "target")})
    if ds.attrs.get("schema") == "Spikes":
        return _spikes(ds)
    if "roi" in ds.dims and "label" in ds and "roi" not in ds.coords:
        labels = ds["label"].values.astype(object)
        names, counts = np.unique(labels.astype(str), return_counts=True)
        unique = {name for name, count in zip(names.tolist(), counts.tolist()) if name and count == 1}
        return ds.assign_coords(
            roi=("roi", np.array([x if x in unique else f"roi_{i}" for i, x in enumerate(labels)], object))
        )
    return ds


def _spikes(ds: xr.Dataset) -> xr.Dataset:
    labels = plain(ds["unit"].values)
    if ds.attrs["order"] == "unit":
        unit = np.repeat(labels, ds["row_size"].values)
        out = ds.assign(spike_unit=("spike", unit)).rename({"spike_time": "time"})
    else:
        dt_s = float(ds.attrs["dt_ms"]) / 1000
        out = ds.assign(
            spike_unit=("spike", labels[ds["spike_unit"].values]),
            time=("spike", ds["spike_step"].values * dt_s, {"units": "s"}),
        )
        for name in [str(name) for name in ds.coords if str(name).startswith("probe")]:
            out = out.assign_coords({name: (name, labels[ds[name].values])})
    return out.rename({"spike_unit": "unit_of_spike"})


_FIRST = ("source", "target", "unit", "time", "measure", "candidate", "reference", "group")


def _tables(ds: xr.Dataset, prefix: str) -> Iterator[Table]:
    by_dims: dict[tuple[str, ...], list[str]] = {}
    for name in ds.variables:
        by_dims.setdefault(tuple(map(str, ds[name].dims)), []).append(str(name))
    for dims, names in by_dims.items():
        if len(dims) == 1:
            # labels of an axis that stand in the table of what is over it need no table of their own
            if names != [dims[0]] or not any(dims[0] in other and len(other) > 1 for other in by_dims):
                yield _columns(ds, dims[0], names, prefix)
        elif len(dims) == 2 and dims[0].split("_")[0] in TIME:
            for name in names:
                yield _wide(ds, name, prefix)
        elif dims:
            yield _long(ds, dims, names, prefix)


def _columns(ds: xr.Dataset, dim: str, names: list[str], prefix: str) -> Table:
    arrays = {"unit" if name == "unit_of_spike" else name: ds[name] for name in names}
    order = [name for name in (dim, *_FIRST) if name in arrays]
    order = list(dict.fromkeys([*order, *arrays]))
    frame = pd.DataFrame({name: plain(arrays[name].values) for name in order})
    return Table(prefix + dim, frame, _units(arrays), _notes(arrays))


def _wide(ds: xr.Dataset, name: str, prefix: str) -> Table:
    rows, columns = map(str, ds[name].dims)
    beside = {str(key): ds[key] for key in ds.coords if ds[key].dims == (rows,)}
    frame = pd.DataFrame({key: plain(array.values) for key, array in beside.items()})
    if "recording_index" in frame:
        recordings = plain(ds["recording"].values)
        frame.insert(0, "recording", recordings[frame.pop("recording_index").to_numpy()])
    if not len(frame.columns):
        frame[rows] = np.arange(ds.sizes[rows])
    labels = plain(ds[columns].values).tolist() if columns in ds.coords else range(ds.sizes[columns])
    # a neuron may be called as the column of the times is
    named = [f"{label}_" if str(label) in frame else str(label) for label in labels]
    body = pd.DataFrame(plain(ds[name].values), columns=named)
    unit = {key: units(ds[name]) for key in named} if units(ds[name]) else {}
    return Table(prefix + name, pd.concat([frame, body], axis=1), unit | _units(beside), _notes({name: ds[name]}))


def _long(ds: xr.Dataset, dims: tuple[str, ...], names: list[str], prefix: str) -> Table:
    shape = tuple(ds.sizes[dim] for dim in dims)
    places = np.indices(shape).reshape(len(shape), -1) if shape else np.zeros((0, 1), int)
    frame = pd.DataFrame(
        {
            dim: plain(ds[dim].values)[place] if dim in ds.coords else place
            for dim, place in zip(dims, places, strict=True)
        }
    )
    for name in names:
        frame[name] = plain(ds[name].values).ravel()
    arrays = {name: ds[name] for name in (*names, *(dim for dim in dims if dim in ds.coords))}
    named = names[0] if ds.attrs.get("schema") != "Stack" or len(dims) < 3 else "matrix"
    return Table(prefix + named, frame, _units(arrays), _notes(arrays))


def _units(arrays: Mapping[str, xr.DataArray]) -> dict[str, str]:
    return {name: units(array) for name, array in arrays.items() if units(array)}


def _notes(arrays: Mapping[str, xr.DataArray]) -> dict[str, Any]:
    found = {
        name: {key: value for key, value in attributes(array).items() if key != "units"}
        for name, array in arrays.items()
    }
    return {name: notes for name, notes in found.items() if notes}
