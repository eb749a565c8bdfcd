"""From summed edges and a table of nodes to a Connectome, without a Python object per edge."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edges as edge_rules
from allometry.homogenize.connectomes.edge_stream import EdgeTable
from allometry.homogenize.reader import Source

LISTED = "is in the node table"
"""Column of nodes that says so."""


def listed_only(
    nodes: pd.DataFrame, edges: pd.DataFrame, where: str
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Nodes of the node table, and the edges between them."""
    keep = nodes.pop(LISTED).to_numpy(bool)
    place = np.cumsum(keep) - 1
    inside = keep[edges["source"]] & keep[edges["target"]]
    kept = edges[inside].assign(source=place[edges["source"][inside]], target=place[edges["target"][inside]])
    if kept.empty:
        raise ReaderError("no edge is between nodes of the node table", where=where, expected="the same ids in both")
    kept = kept.astype({"source": np.int32, "target": np.int32}).reset_index(drop=True)
    return (
        nodes[keep],
        kept,
        {"left_out_with_nodes_that_are_not_listed": {"nodes": int((~keep).sum()), "edges": int((~inside).sum())}},
    )


def complete(nodes: pd.DataFrame | None, labels: list[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All nodes: those of the node table, and those that only the edge table names."""
    if nodes is None:
        return pd.DataFrame(index=pd.Index(list(dict.fromkeys(labels)), name="label")), {}
    known = set(nodes.index)
    extra = [name for name in dict.fromkeys(labels) if name not in known]
    complete = nodes.reindex(pd.Index([*nodes.index, *extra], name="label"))
    for column in complete.columns:
        if column == LISTED:
            complete[column] = complete[column].notna()
        elif not pd.api.types.is_numeric_dtype(complete[column]):
            complete[column] = complete[column].fillna("")
    return complete, {"nodes_missing_from_node_table": len(extra), "nodes_without_an_edge": len(known - set(labels))}


def indexed(
    table: EdgeTable,
    labels: list[str],
    nodes: pd.DataFrame,
    kinds: dict[str, str],
    min_weight: float,
    where: str,
    self_edges: bool,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Edges by node index (columns kind, source, target, weight), unique and sorted as the store wants them."""
    unknown = [name for name in table.kinds if name not in kinds]
    if unknown:
        raise ReaderError(f"unknown connection type {unknown[0]!r}", where=where, expected=f"one of {', '.join(kinds)}")
    index = nodes.index.get_indexer(pd.Index(labels)).astype(np.int32)
    names = sorted({kinds[name] for name in table.kinds})
    kind = np.array([names.index(kinds[name]) for name in table.kinds], np.int8)[table.kind]
    edges = pd.DataFrame(
        {"kind": kind, "source": index[table.source], "target": index[table.target], "weight": table.weight}
    )
    record: dict[str, Any] = {}
    if not self_edges and (loops := edges["source"] == edges["target"]).any():
        record["self_edges_left_out"] = int(loops.sum())
        edges = edges[~loops]
    listed = len(edges)
    if len(set(labels)) < len(labels) or len(names) < len(table.kinds):
        # Aliases and types that mean the same make edges one that were two.
        edges = edges.groupby(["kind", "source", "target"])["weight"].sum().reset_index()
    record["kinds"] = names
    if len(edges) < listed:
        record["edges_merged_after_renaming"] = listed - len(edges)
    weak = (edges["weight"].to_numpy() < min_weight) | (edges["weight"].to_numpy() == 0)
    signed = np.array([name in edge_rules.SIGNED for name in names], bool)[edges["kind"].to_numpy()]
    weak &= ~signed
    if weak.any() or table.dropped:
        left_out = int(weak.sum()) + table.dropped
        record["edges_left_out"] = {"below_min_weight_or_zero": left_out, "min_weight": min_weight}
        edges = edges[~weak]
    if edges.empty:
        raise ReaderError("no edge is left", where=where, expected="weights of at least min_weight")
    if "electrical" in names:
        edges, noted = _symmetric(edges, names.index("electrical"))
        record |= noted
    return edges.sort_values(["kind", "source", "target"], ignore_index=True), record


def _symmetric(edges: pd.DataFrame, code: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    electrical = edges["kind"] == code
    both, noted = edge_rules.symmetrise(edges[electrical].assign(synapse="electrical"))
    both = both.drop(columns="synapse").assign(kind=np.int8(code)).astype({"source": np.int32, "target": np.int32})
    return pd.concat([edges[~electrical], both], ignore_index=True), noted


def built(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    o: dict[str, Any],
    source: Source,
    derived: dict[str, Any],
    used: dict[str, Path],
) -> xr.Dataset:
    """Build a small store of one edge per kind for its form, then put in all edges.

    The builder takes labels; tens of millions of them as Python objects would need many times the memory of the edges.
    """
    kinds = derived.pop("kinds")
    names = np.array(kinds, object)
    labels = nodes.index.to_numpy(object)
    derived["stored"] = {
        kind: {"edges": int(n), "weight": float(w)}
        for kind, n, w in zip(
            kinds,
            np.bincount(edges["kind"], minlength=len(kinds)),
            np.bincount(edges["kind"], edges["weight"], len(kinds)),
        )
    }
    form = edges.groupby("kind").head(1)
    sample = form.assign(synapse=names[form["kind"]], source=labels[form["source"]], target=labels[form["target"]])
    template = stores.connectome(
        nodes,
        sample.drop(columns="kind"),
        attrs=dataclasses.replace(source, title=o["title"] or f"Connectome {source.name}").attrs(
            "", {"options": {k: v for k, v in o.items() if v}}, derived, used
        ),
        absent_means=dict.fromkeys(kinds, o["absent_means"]) if o["absent_means"] else None,
        weight_units=o["weight_units"],
        units=o["units"],
    )
    full = template.drop_dims("edge")
    for name in template.data_vars:
        if "edge" not in template[name].dims:
            continue
        if name == "synapse":
            values = np.array(kinds, np.dtypes.StringDType())[edges["kind"].to_numpy()]
        else:
            values = edges[name].to_numpy(template[name].dtype)
        full[name] = ("edge", values, template[name].attrs)
    stores.validate(full)
    return full
