"""Stores as the structures that analyses use: matrices, graphs, spike trains, trials, single recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import attribute
from allometry.stores.schema import Data

if TYPE_CHECKING:
    import networkx as nx

DENSE_BYTES = 8 * 2**30


def require_kind(obj: Data, kind: str) -> None:
    """Refuse an object that is not a store of the kind that is needed.

    Parameters
    ----------
    obj : Dataset or DataTree
    kind : str
        Name of the schema: `Connectome`, `Activity`, `Responses`, `Spikes`, `Scores`, `Scaling` or `Stack`.

    Raises
    ------
    StoreError
        Says what the object is.
    """
    if obj.attrs.get("schema") != kind:
        raise StoreError(
            what=f"this is a store of kind {obj.attrs['schema']}"
            if obj.attrs.get("schema")
            else "this is no store of Allometry",
            where=str(obj.attrs.get("title", "")),
            expected=f"a {kind} store",
            do="choose another store",
        )


def split(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """Cut an Activity store's canonical view into its recordings.

    Parameters
    ----------
    tree : DataTree
        Activity store.

    Returns
    -------
    Recording name -> Dataset with `trace(sample, neuron)`, `time(sample)` in s from recording start, `recorded(neuron)`,
    and the recording's metadata as scalars; every neuron of the canonical axis is kept.

    Raises
    ------
    StoreError
        Another kind of store.
    """
    require_kind(tree, "Activity")
    root = tree.to_dataset(inherit=False)
    stops = np.cumsum(root["row_size"].values)
    return {
        str(name): root.isel(recording=i, sample=slice(int(stops[i] - root["row_size"].values[i]), int(stops[i])))
        for i, name in enumerate(root["recording"].values)
    }


def _unit_index(ds: xr.Dataset, units: Any) -> np.ndarray:
    if units is None:
        return np.arange(ds.sizes["unit"])
    units = np.atleast_1d(np.asarray(units))
    if units.dtype == bool:
        if units.shape != (ds.sizes["unit"],):
            raise StoreError(what=f"mask has shape {units.shape}", where="units", expected=f"({ds.sizes['unit']},)")
        return np.flatnonzero(units)
    index = ds.indexes["unit"].get_indexer(units.tolist())
    if (index < 0).any():
        raise StoreError(
            what=f"unit {units[index < 0].tolist()[0]!r} is not in the store",
            where=str(ds.attrs.get("title", "")),
            expected="labels of the unit coordinate, or a mask over it",
            do="see ds.unit",
        )
    return index


def trains(
    ds: xr.Dataset,
    units: Sequence[Any] | np.ndarray | None = None,
    window: tuple[float, float] | None = None,
) -> list[np.ndarray]:
    """Return the spike times of each unit, from stores of either order.

    Parameters
    ----------
    ds : Spikes store
    units : labels of the `unit` coordinate, or a mask (unit,), optional
        Default: all.
    window : (start, stop), optional
        Only spikes with start <= t < stop, s.

    Returns
    -------
    list of ndarray [spikes]
        Spike times of each unit, s, sorted, float64, in the order of `units`.
    """
    require_kind(ds, "Spikes")
    index = _unit_index(ds, units)
    start, stop = window if window is not None else (-np.inf, np.inf)
    if ds.attrs["order"] == "unit":
        times, stops = ds["spike_time"].values, np.cumsum(ds["row_size"].values)
        starts = stops - ds["row_size"].values
        rows = [times[starts[i] : stops[i]] for i in index]
        return [row[np.searchsorted(row, start) : np.searchsorted(row, stop)] for row in rows]
    step, unit = ds["spike_step"].values, ds["spike_unit"].values
    rate = 1000 / ds.attrs["dt_ms"]
    # in steps, so that a spike at exactly `stop` is left out whatever the rounding of seconds
    inside = slice(*np.searchsorted(step, np.ceil(np.array([start, stop]) * rate - 1e-6)))
    seconds, unit = step[inside] / rate, unit[inside]
    order = np.argsort(unit, kind="stable")
    ends = np.searchsorted(unit[order], np.arange(ds.sizes["unit"] + 1))
    return [seconds[order[ends[i] : ends[i + 1]]] for i in index]


def _edges(ds: xr.Dataset, synapse: str | None, variable: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return source, target and values of the chosen edges, and what an absent edge means."""
    require_kind(ds, "Connectome")
    absent = _absent_means(ds, synapse)
    if variable not in ds or ds[variable].dims != ("edge",):
        names = sorted(str(name) for name in ds.data_vars if ds[name].dims == ("edge",))
        raise StoreError(what=f"there is no edge variable {variable!r}", where="variable", expected=f"one of {names}")
    source, target, values = ds["source"].values, ds["target"].values, ds[variable].values
    if synapse is None:
        if len(absent) > 1 and (variable != "weight" or len(set(absent.values())) > 1):
            raise StoreError(
                what=f"{variable} of {sorted(absent)} edges cannot be added",
                where=str(ds.attrs.get("title", "")),
                expected="one kind of synapse, or weights of kinds in which an absent edge means the same",
                do="choose one with synapse=",
            )
        means = next(iter(absent.values()), "zero")
    else:
        chosen = ds["synapse"].values == synapse
        source, target, values, means = source[chosen], target[chosen], values[chosen], absent[synapse]
    return source, target, values, np.nan if means == "unmeasured" else 0.0


def _absent_means(ds: xr.Dataset, synapse: str | None) -> dict[str, str]:
    """Return what an absent edge means, by kind: of one kind where one is asked for, which has to be there."""
    absent: dict[str, str] = attribute(ds, "absent_means")
    if synapse is None:
        return absent
    if synapse not in absent:
        raise StoreError(
            what=f"there are no {synapse} edges",
            where=str(ds.attrs.get("title", "")),
            expected=f"one of {sorted(absent)}",
            do="choose another synapse, or None for all",
        )
    return {synapse: absent[synapse]}


def to_csr(
    ds: xr.Dataset, synapse: str | None = None, variable: str = "weight"
) -> tuple[np.ndarray, scipy.sparse.csr_array]:
    """Return a connectome as a sparse matrix [source, target].

    Parameters
    ----------
    ds : Connectome store
    synapse : str, optional
        One kind of edge; None adds the weights of all.
    variable : str
        Edge variable that fills the matrix.

    Returns
    -------
    labels : (node,) str
    matrix : (node, node) csr_array; listed edges are stored even where they are 0.
    """
    source, target, values, _ = _edges(ds, synapse, variable)
    size = ds.sizes["node"]
    return ds["node"].values, scipy.sparse.csr_array((values, (source, target)), shape=(size, size))


def to_dense(ds: xr.Dataset, synapse: str | None = None, variable: str = "weight") -> tuple[np.ndarray, np.ndarray]:
    """Return a connectome as a matrix [source, target]; as `to_csr`, absent edges being 0, or NaN where unmeasured.

    Parameters
    ----------
    ds : Connectome store
    synapse : str, optional
        One kind of edge; None adds the weights of all.
    variable : str
        Edge variable that fills the matrix; edges of one pair are added.

    Returns
    -------
    labels : (node,) str
    matrix : (node, node) float, of the variable's dtype where that is floating, in the variable's unit.

    Raises
    ------
    StoreError
        Another kind of store, no such synapse or variable, kinds that cannot be added, or a matrix of more than 8 GiB.
    """
    source, target, values, absent = _edges(ds, synapse, variable)
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    size = ds.sizes["node"]
    if size**2 * dtype.itemsize > DENSE_BYTES:
        raise StoreError(
            what=f"a dense matrix of {size} nodes takes {size**2 * dtype.itemsize / 2**30:.0f} GiB",
            where=str(ds.attrs.get("title", "")),
            expected=f"at most {DENSE_BYTES // 2**30} GiB",
            do="use to_csr, or select nodes first",
        )
    matrix = np.zeros((size, size), dtype)
    np.add.at(matrix, (source, target), values.astype(dtype))
    if np.isnan(absent):
        listed = np.zeros((size, size), bool)
        listed[source, target] = True
        matrix[~listed] = np.nan
    return ds["node"].values, matrix


def to_networkx(ds: xr.Dataset, synapse: str | None = None) -> nx.MultiDiGraph:
    """Return a connectome as a MultiDiGraph: node and edge variables as attributes, the synapse kind as edge key.

    Parameters
    ----------
    ds : Connectome store
    synapse : str, optional
        One kind of edge; default all.

    Returns
    -------
    MultiDiGraph
        Nodes are the labels of the `node` coordinate. The graph's own attributes are `title`, `units` (by variable) and
        `absent_means` (by kind of edge: whether a pair without an edge has none, or was not measured).

    Raises
    ------
    StoreError
        Another kind of store, or no such synapse.
    """
    import networkx as nx

    require_kind(ds, "Connectome")
    absent = _absent_means(ds, synapse)
    nodes = {str(name): ds[name] for name in ds.variables if ds[name].dims == ("node",) and name != "node"}
    edges = {str(name): ds[name] for name in ds.data_vars if ds[name].dims == ("edge",)}
    units = {name: array.attrs["units"] for name, array in (nodes | edges).items() if array.attrs.get("units")}
    graph = nx.MultiDiGraph(title=ds.attrs.get("title", ""), units=units, absent_means=absent)
    labels = ds["node"].values.tolist()
    table = {name: array.values.tolist() for name, array in nodes.items()}
    graph.add_nodes_from((label, {name: table[name][i] for name in table}) for i, label in enumerate(labels))
    chosen = np.arange(ds.sizes["edge"]) if synapse is None else np.flatnonzero(ds["synapse"].values == synapse)
    values = {name: array.values[chosen].tolist() for name, array in edges.items()}
    source, target, kind = values.pop("source"), values.pop("target"), values.pop("synapse")
    graph.add_edges_from(
        (labels[source[i]], labels[target[i]], kind[i], {name: values[name][i] for name in values})
        for i in range(len(chosen))
    )
    return graph


def to_trials(ds: xr.Dataset) -> xr.DataArray:
    """Return responses with repeats of each condition side by side.

    Parameters
    ----------
    ds : Responses store

    Returns
    -------
    DataArray float32 (condition, trial, unit[, lag]) in the unit of `response`, conditions in order of their names, trials
    in order of `repeat`; NaN where a condition has fewer repeats than the longest.

    Raises
    ------
    StoreError
        Another kind of store.
    """
    require_kind(ds, "Responses")
    response = ds["response"].transpose("presentation", "unit", ...)
    conditions, index = np.unique(ds["condition"].values, return_inverse=True)
    order = np.lexsort((ds["repeat"].values, index))
    counts = np.bincount(index, minlength=len(conditions))
    trial = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (len(conditions), int(counts.max(initial=0)), *response.shape[1:])
    values = np.full(shape, np.nan, np.float32)
    values[index[order], trial] = response.values[order]
    coords = {"condition": conditions, "unit": ds["unit"].values}
    if "lag" in response.dims:
        coords["lag"] = ds["lag"].values
    return xr.DataArray(
        values, coords, ("condition", "trial", *response.dims[1:]), name="response", attrs=response.attrs
    )
