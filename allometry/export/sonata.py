"""SONATA: connectomes as nodes and edges, spikes with their nodes, for BMTK, libsonata and what else reads circuits."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from allometry.export.contents import attributes_text, not_held, over, plain, units
from allometry.stores.access.structures import trains
from allometry.stores.schema import Data

MAGIC, VERSION = 0x0A7A, (0, 1)
_WHY = {
    "count": "counts in bins, which the spikes give again",
    "observed": "SONATA takes spikes to be observed from 0 on without a gap",
    "voltage": "SONATA has reports in files of their own for it",
}


def write(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write a connectome (`/nodes/NAME`, `/edges/KIND`) or spikes (`/spikes/POPULATION`, `/nodes/POPULATION`).

    Labels are the attribute `label` of the nodes, units the HDF5 attribute `units` of what has them. Beside the file stand
    the tables of types and a `circuit_config.json` that names all of them.

    Parameters
    ----------
    obj : Dataset
        Connectome or Spikes store.
    out : Path
        HDF5 file to write.
    name : str
        Name of the store, that of the population of nodes of a connectome.

    Returns
    -------
    dict, list of str
        What the file holds, counted; what is left out.
    """
    assert isinstance(obj, xr.Dataset)
    with h5py.File(out, "w") as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array(VERSION, np.uint32)
        file.attrs["title"] = str(obj.attrs["title"])
        file.attrs["attributes"] = attributes_text(obj)
        return _connectome(obj, file, out, name) if obj.attrs["schema"] == "Connectome" else _spikes(obj, file, out)


def _connectome(ds: xr.Dataset, file: h5py.File, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    population = _population(name)
    nodes = over(ds, "node", ("node",))
    _nodes(file, population, plain(ds["node"].values), {key: array.values for key, array in nodes.items()}, nodes)
    edges = over(ds, "edge", ("source", "target"))
    synapse = ds["synapse"].values
    kinds = np.unique(synapse).tolist()
    for number, kind in enumerate(kinds):
        rows = np.flatnonzero(synapse == kind)
        group = file.create_group(f"edges/{kind}")
        group["edge_type_id"] = np.full(len(rows), number, np.uint64)
        ends = {end: ds[end].values[rows].astype(np.uint64) for end in ("source", "target")}
        for end, index in ends.items():
            group[f"{end}_node_id"] = index
            group[f"{end}_node_id"].attrs["node_population"] = population
        group["edge_group_id"] = np.zeros(len(rows), np.uint64)
        group["edge_group_index"] = np.arange(len(rows), dtype=np.uint64)
        _columns(group.create_group("0"), {key: array.values[rows] for key, array in edges.items()}, edges)
        for one, other in (("source", "target"), ("target", "source")):
            _index(group.create_group(f"indices/{one}_to_{other}"), ends[one], ds.sizes["node"])
    _types(out, "node", {population: 0}, "population")
    _types(out, "edge", {kind: number for number, kind in enumerate(kinds)}, "synapse")
    _config(out, [population], kinds)
    left_out = list(not_held(ds, {"node", "source", "target", *nodes, *edges}))
    return {"nodes": ds.sizes["node"], "edges": ds.sizes["edge"], "kinds of edges": len(kinds)}, left_out


def _index(group: h5py.Group, ends: np.ndarray, nodes: int) -> None:
    """For each node the ranges of rows with its edges, as SONATA has them: ranges of ranges, and ranges of rows."""
    order = np.argsort(ends, kind="stable")
    # runs of rows that follow each other and are of one node
    cut = np.flatnonzero((np.diff(order) != 1) | (np.diff(ends[order]) != 0)) + 1
    first = np.concatenate([[0], cut]).astype(np.int64) if len(order) else np.zeros(0, np.int64)
    last = np.append(first[1:], len(order)) if len(order) else first
    ranges = np.stack([order[first], order[last - 1] + 1], axis=1) if len(order) else np.zeros((0, 2), np.int64)
    of_node = ends[order[first]].astype(np.int64) if len(order) else np.zeros(0, np.int64)
    bounds = np.searchsorted(of_node, np.arange(nodes + 1))
    group["node_id_to_ranges"] = np.stack([bounds[:-1], bounds[1:]], axis=1).astype(np.uint64)
    group["range_to_edge_id"] = ranges.astype(np.uint64)


def _spikes(ds: xr.Dataset, file: h5py.File, out: Path) -> tuple[dict[str, int], list[str]]:
    populations = ds["population"].values.astype(object)
    labels, columns = plain(ds["unit"].values), over(ds, "unit", ("unit", "row_size"))
    kept = {key: array for key, array in columns.items() if not key.startswith("state_")}
    all_trains = trains(ds)
    names = {population: _population(str(population)) for population in dict.fromkeys(populations.tolist())}
    if len(set(names.values())) < len(names):
        names = {population: f"{short}_{number}" for number, (population, short) in enumerate(names.items())}
    for population, short in names.items():
        mine = np.flatnonzero(populations == population)
        sizes = np.array([len(all_trains[unit]) for unit in mine], np.int64)
        times = np.concatenate([all_trains[unit] for unit in mine])
        node = np.repeat(np.arange(len(mine)), sizes)
        order = np.lexsort((node, times))
        group = file.create_group(f"spikes/{short}")
        group["node_ids"] = node[order].astype(np.uint64)
        group["timestamps"] = times[order] * 1000
        group["timestamps"].attrs["units"] = "ms"
        kinds = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="i4")
        group.attrs.create("sorting", 2, dtype=kinds)
        _nodes(file, short, labels[mine], {key: array.values[mine] for key, array in kept.items()}, kept)
    _types(out, "node", dict.fromkeys(names.values(), 0), "population")
    _config(out, list(names.values()), [])
    held = {"unit", "row_size", "spike_step", "spike_unit", "spike_time", *kept}
    gaps = ds.sizes["interval"] != 1 or float(ds["observed"].values[0, 0]) != 0
    held |= set() if gaps else {"observed"}
    return {
        "spikes": sum(map(len, all_trains)),
        "units": ds.sizes["unit"],
        "populations": len(names),
    }, list(not_held(ds, held, _WHY))


def _nodes(
    file: h5py.File,
    population: str,
    labels: np.ndarray,
    values: Mapping[str, np.ndarray],
    described: Mapping[str, xr.DataArray],
) -> None:
    group = file.create_group(f"nodes/{population}")
    count = len(labels)
    group["node_type_id"] = np.zeros(count, np.uint64)
    group["node_id"] = np.arange(count, dtype=np.uint64)
    group["node_group_id"] = np.zeros(count, np.uint64)
    group["node_group_index"] = np.arange(count, dtype=np.uint64)
    inside = group.create_group("0")
    _column(inside, "label", labels)
    _columns(inside, values, described)


def _columns(group: h5py.Group, values: Mapping[str, np.ndarray], described: Mapping[str, xr.DataArray]) -> None:
    for key, column in values.items():
        _column(group, key, plain(column))
        if units(described[key]):
            group[key].attrs["units"] = units(described[key])


def _column(group: h5py.Group, key: str, column: np.ndarray) -> None:
    if column.dtype.kind == "O":
        group.create_dataset(key, data=column.astype(object), dtype=h5py.string_dtype())
    else:
        # libsonata knows no booleans
        group[key] = column.astype(np.int8) if column.dtype.kind == "b" else column


def _population(name: str) -> str:
    return name.replace("/", "_").replace(".", "_") or "units"


def _types(out: Path, of: str, numbers: Mapping[str, int], column: str) -> None:
    rows = "".join(f"{number} {json.dumps(name)}\n" for name, number in numbers.items())
    path = out.with_name(f"{out.stem}.{of}_types.csv")
    path.write_text(f"{of}_type_id {column}\n{rows}", encoding="utf-8")


def _config(out: Path, nodes: Sequence[str], edges: Sequence[str]) -> None:
    files: dict[str, list[dict[str, Any]]] = {
        "nodes": [
            {
                "nodes_file": f"$BASE_DIR/{out.name}",
                "node_types_file": f"$BASE_DIR/{out.stem}.node_types.csv",
                "populations": {name: {"type": "point_neuron"} for name in nodes},
            }
        ],
        "edges": [
            {
                "edges_file": f"$BASE_DIR/{out.name}",
                "edge_types_file": f"$BASE_DIR/{out.stem}.edge_types.csv",
                "populations": {name: {"type": "chemical"} for name in edges},
            }
        ]
        if edges
        else [],
    }
    text = json.dumps({"version": 2, "manifest": {"$BASE_DIR": "."}, "networks": files}, indent=1)
    out.with_name(f"{out.stem}.circuit_config.json").write_text(text + "\n", encoding="utf-8")
