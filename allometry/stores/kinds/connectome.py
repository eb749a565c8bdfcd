"""Connectomes: a node table and a sorted list of weighted edges."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import attribute
from allometry.stores.schema import ANY_UNIT, Schema, Variable, conform, require, text

SYNAPSES = ("chemical", "electrical", "functional", "mesoscale", "monoaminergic", "peptidergic", "structural")
SIGNED = frozenset({"functional"})
ABSENT = ("zero", "unmeasured")


def _codes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As np.unique with inverse, but fast where equal values stand in long runs (a text sort takes a while)."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, np.intp)
    names, of_run = np.unique(values[starts], return_inverse=True)
    return names, np.repeat(of_run, np.diff(np.append(starts, len(values))))


def _increases(*keys: np.ndarray) -> bool:
    """Whether rows increase strictly by the first key, then the second, and so on."""
    equal, increases = np.ones(max(0, len(keys[0]) - 1), bool), np.zeros(max(0, len(keys[0]) - 1), bool)
    for key in keys:
        increases |= equal & (key[1:] > key[:-1])
        equal &= key[1:] == key[:-1]
    return bool(increases.all())


def _first(labels: np.ndarray, where: np.ndarray) -> str:
    return str(labels[np.flatnonzero(where)[0]])


def edge_names(root: xr.Dataset, index: np.ndarray) -> list[str]:
    """Write edges as `source -> target (synapse)`, for messages."""
    nodes, source, target, synapse = (root[name].values for name in ("node", "source", "target", "synapse"))
    return [f"{nodes[source[i]]} -> {nodes[target[i]]} ({synapse[i]})" for i in index]


def _electrical_violations(root: xr.Dataset) -> list[str]:
    edges = np.flatnonzero(root["synapse"].values == "electrical")
    nodes = root.sizes["node"]
    source, target = root["source"].values[edges].astype(np.int64), root["target"].values[edges].astype(np.int64)
    weight = root["weight"].values[edges]
    forward, backward = source * nodes + target, target * nodes + source
    place = np.searchsorted(forward, backward)
    place[place == len(forward)] = 0
    lonely = forward[place] != backward if len(forward) else np.zeros(0, bool)
    if lonely.any():
        name = edge_names(root, edges[lonely][:1])[0]
        return [f"edge: {lonely.sum()} electrical edges lack the opposite direction, first {name}"]
    unequal = weight != weight[place]
    if unequal.any():
        name = edge_names(root, edges[unequal][:1])[0]
        return [f"weight: {unequal.sum()} electrical edges differ from the opposite direction, first {name}"]
    return []


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a connectome."""
    found = []
    nodes = root["node"].values
    if len(np.unique(nodes)) < len(nodes):
        labels, counts = np.unique(nodes, return_counts=True)
        found.append(f"node: label {_first(labels, counts > 1)!r} is not unique")
    if (nodes == "").any():
        found.append("node: a label is empty")
    source, target, weight = root["source"].values, root["target"].values, root["weight"].values
    for name, index in (("source", source), ("target", target)):
        if ((index < 0) | (index >= len(nodes))).any():
            return [*found, f"{name}: holds an index outside 0..{len(nodes) - 1}"]
    synapses, synapse = _codes(root["synapse"].values)
    unknown = sorted(set(synapses.tolist()) - set(SYNAPSES))
    if unknown:
        return [*found, f"synapse: {unknown} are not among {list(SYNAPSES)}"]
    anatomical = np.array([kind not in SIGNED for kind in synapses], bool)
    # A functional pair can be measured, with a q, and its response be missing.
    bad = np.flatnonzero(~np.isfinite(weight) & (anatomical[synapse] | ~np.isnan(weight)))
    if len(bad):
        found.append(f"weight: {len(bad)} values are NaN or infinite, first {edge_names(root, bad[:1])[0]}")
    if len(weight):
        bad = np.flatnonzero((weight < 0) & anatomical[synapse])
        if len(bad):
            found.append(f"weight: {len(bad)} anatomical weights are negative, first {edge_names(root, bad[:1])[0]}")
    if not _increases(synapse, source, target):
        order = np.lexsort((target, source, synapse))
        repeated = (np.diff(synapse[order]) == 0) & (np.diff(source[order]) == 0) & (np.diff(target[order]) == 0)
        if repeated.any():
            name = edge_names(root, order[1:][repeated][:1])[0]
            found.append(f"edge: {repeated.sum()} edges are listed more than once, first {name}")
        else:
            found.append("edge: not sorted by (synapse, source, target)")
    elif "electrical" in synapses:
        found += _electrical_violations(root)
    absent = attribute(root, "absent_means")
    for kind in synapses.tolist():
        if absent.get(kind) not in ABSENT:
            found.append(f"attribute absent_means: {kind} is {absent.get(kind)!r}, expected one of {ABSENT}")
    return found


SCHEMA = Schema(
    kind="connectome",
    doc="A node table and edges that are unique and sorted by (synapse, source, target).",
    variables={
        "node": Variable(("node",), "text", doc="label, unique"),
        "source": Variable(("edge",), "int32", doc="index of the source node; the stimulated one of functional edges"),
        "target": Variable(("edge",), "int32", doc="index of the target node"),
        "weight": Variable(
            ("edge",),
            "float32",
            ANY_UNIT,
            doc=">= 0 for anatomical kinds; signed for functional ones, and NaN where the response is missing",
        ),
        "synapse": Variable(("edge",), "text", doc="one of " + ", ".join(SYNAPSES)),
        "type": Variable(("node",), "text", optional=True, doc="sensory, interneuron, motor, muscle, ..."),
        "class_": Variable(("node",), "text", optional=True, doc="cell class"),
        "neurotransmitter": Variable(("node",), "text", optional=True, doc="empty where unknown"),
        "neurotransmitter_confidence": Variable(
            ("node",), "number", "1", optional=True, doc="of the transmitter, 0 to 1"
        ),
        "side": Variable(("node",), "text", optional=True, doc="left, right, ... as the source writes it"),
        "sign": Variable(("node",), "number", "1", optional=True, doc="+1 excitatory, -1 inhibitory, 0 unknown"),
        "x": Variable(("node",), "number", ANY_UNIT, optional=True, doc="position"),
        "y": Variable(("node",), "number", ANY_UNIT, optional=True, doc="position"),
        "z": Variable(("node",), "number", ANY_UNIT, optional=True, doc="position"),
        "q": Variable(("edge",), "number", "1", optional=True, doc="false discovery rate of a functional edge"),
        "occurrences": Variable(("edge",), "number", "1", optional=True, doc="times a functional pair was measured"),
        "weight_forward": Variable(
            ("edge",), "float32", ANY_UNIT, optional=True, doc="listed weight of source -> target where they differ"
        ),
        "weight_backward": Variable(
            ("edge",), "float32", ANY_UNIT, optional=True, doc="listed weight of target -> source where they differ"
        ),
        "null": Variable(
            ("edge", "rewiring"),
            "float32",
            "mV",
            optional=True,
            doc="simulated response of the pair in connectomes rewired with every degree kept",
        ),
    },
    attrs={"absent_means": dict},
    check=check,
)


def _node_index(nodes: pd.Index, labels: pd.Series, name: str) -> np.ndarray:
    index = nodes.get_indexer(pd.Index(labels.astype(str)))
    unknown = labels[index < 0]
    if len(unknown):
        raise StoreError(
            what=f"edge {name} {unknown.iloc[0]!r} is not in the node table ({len(unknown)} such edges)",
            where=f"edges.{name}",
            expected="a label of the nodes' index",
            do="add the node, or translate the alias before building the connectome",
        )
    return index


def _both_directions(edges: pd.DataFrame) -> pd.DataFrame:
    """Store electrical edges both ways with equal weight: the mean of the two listed, or the one listed."""
    electrical = edges["synapse"] == "electrical"
    if not electrical.any():
        return edges
    listed = edges[electrical]
    mirrored = listed.rename(columns={"source": "target", "target": "source"})
    if {"weight_forward", "weight_backward"} <= set(edges.columns):
        mirrored = mirrored.rename(columns={"weight_forward": "weight_backward", "weight_backward": "weight_forward"})
    else:
        opposite = mirrored.set_index(["source", "target"])["weight"]
        pairs = pd.MultiIndex.from_frame(listed[["source", "target"]])
        backward = opposite.reindex(pairs).to_numpy(float)
        forward = listed["weight"].to_numpy(float)
        differ = np.isfinite(backward) & (forward != backward)
        if differ.any():
            edges = edges.assign(weight=edges["weight"].astype(float), weight_forward=np.nan, weight_backward=np.nan)
            rows = listed.index[differ]
            edges.loc[rows, "weight_forward"], edges.loc[rows, "weight_backward"] = forward[differ], backward[differ]
            edges.loc[rows, "weight"] = (forward[differ] + backward[differ]) / 2
    missing = ~pd.MultiIndex.from_frame(mirrored[["source", "target"]]).isin(
        pd.MultiIndex.from_frame(listed[["source", "target"]])
    )
    return pd.concat([edges, mirrored[missing]], ignore_index=True)


def _refuse_bad_edges(edges: pd.DataFrame) -> None:
    required = {"source", "target", "weight", "synapse"}
    if not required <= set(edges.columns):
        raise StoreError(
            what=f"edge table lacks {sorted(required - set(edges.columns))}",
            where="edges",
            expected=f"columns {sorted(required)}",
            do="name the columns so",
        )
    weight = pd.to_numeric(edges["weight"], errors="coerce")
    for problem, rows, do in (
        (
            "NaN or infinite weight",
            ~np.isfinite(weight) & ~(np.isnan(weight) & edges["weight"].isna() & edges["synapse"].isin(SIGNED)),
            "leave unmeasured pairs out of the list",
        ),
        ("negative weight of an anatomical edge", (weight < 0) & ~edges["synapse"].isin(SIGNED), "check the reader"),
        ("edge listed more than once", edges.duplicated(["synapse", "source", "target"]), "sum or choose first"),
    ):
        if rows.any():
            row = edges[rows].iloc[0]
            raise StoreError(
                what=f"{problem}: {row['source']} -> {row['target']} ({row['synapse']}, weight {row['weight']}); "
                f"{int(rows.sum())} in all",
                where="edges",
                expected="unique edges with finite weights, >= 0 for anatomical kinds",
                do=do,
            )


def connectome(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    attrs: Mapping[str, Any],
    absent_means: Mapping[str, str] | None = None,
    weight_units: str = "1",
    units: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Build a Connectome.

    Parameters
    ----------
    nodes : DataFrame, index = unique label
        Any columns; known ones are type, class_, side, neurotransmitter, neurotransmitter_confidence, sign,
        x, y, z. Their order is the node order.
    edges : DataFrame
        `source`, `target` (labels), `weight`, `synapse`, and further columns (q, occurrences, ...), in any order.
        Electrical edges may be listed in one direction or both; they are stored in both with equal weight (the mean of
        the two listed, or the one listed), the listed ones being kept in `weight_forward` and `weight_backward` where
        they differ.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived).
    absent_means : mapping, optional
        Synapse kind -> `zero` or `unmeasured`; by default `unmeasured` for functional, `zero` for the others.
    weight_units : str
        Units of the weight, `1` for synapse counts and dF/F.
    units : mapping, optional
        Units of further numeric columns (default `1`); needed for positions.

    Returns
    -------
    Dataset with dimensions node and edge.

    Raises
    ------
    StoreError
        Unknown node label, duplicate edge, NaN or negative weight of an anatomical edge, a name of both a node and an edge
        variable, and every other violation.
    """
    _refuse_bad_edges(edges)
    labels = pd.Index([str(label) for label in nodes.index])
    if not labels.is_unique:
        raise StoreError(
            what=f"node label {labels[labels.duplicated()][0]!r} is not unique",
            where="nodes",
            expected="one row per node",
            do="merge the rows, or make the labels distinct",
        )
    if both := sorted(
        ({*map(str, nodes.columns), "node"} & {*map(str, edges.columns)}) | ({"node"} & {*map(str, nodes.columns)})
    ):
        raise StoreError(
            what=f"column {both[0]!r} is named twice",
            where="nodes and edges",
            expected="different names for columns of the node table and of the edge table, none of them 'node'",
            do="rename the column of the node table",
        )
    units = {"x": ANY_UNIT, "y": ANY_UNIT, "z": ANY_UNIT} | {"weight": weight_units} | dict(units or {})
    units |= {"weight_forward": weight_units, "weight_backward": weight_units}
    table = edges.reset_index(drop=True)
    table = table.assign(
        source=_node_index(labels, table["source"], "source"), target=_node_index(labels, table["target"], "target")
    )
    table = _both_directions(table).sort_values(["synapse", "source", "target"], kind="stable")

    dataset = xr.Dataset(coords={"node": ("node", text(labels))})
    for dim, frame in (("node", nodes), ("edge", table)):
        for name in frame.columns:
            values = conform(frame[name], SCHEMA.variables.get(name))
            described = values.dtype.kind in "iuf" and name not in ("source", "target")
            unit = units.get(name, "1")
            if unit == ANY_UNIT:
                raise StoreError(
                    what=f"position {name} has no units",
                    where="nodes",
                    expected="units={'x': 'm', ...}",
                    do="pass the units",
                )
            dataset[name] = (dim, values, {"units": unit} if described else {})
    kinds = sorted(set(table["synapse"]))
    means = {kind: "unmeasured" if kind in SIGNED else "zero" for kind in kinds} | dict(absent_means or {})
    dataset.attrs = SCHEMA.root_attrs(attrs, {"absent_means": means})
    require(dataset, SCHEMA)
    return dataset
