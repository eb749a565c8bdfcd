"""Any connectome that comes as an edge table: users' own, and the full fly connectomes (FlyWire, hemibrain, MaleCNS).

What the columns are called is said in the registry or in the user's configuration; no code is needed:

    datasets:
      my_circuit:
        reader: generic_edges
        files: [my_edges.csv, my_cells.csv]
        options: {file: my_edges.csv, source: pre, target: post, weight: n_syn, synapse: chemical,
                  nodes_file: my_cells.csv, nodes_label: id, nodes_columns: {type: cell_type, x: x_nm}, units: {x: nm}}

Ids are text, as they are written. Tables of any length are read in bounded memory (`edge_stream`).
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edges as edge_rules
from allometry.homogenize.connectomes import guess
from allometry.homogenize.connectomes.edge_stream import Columns, EdgeTable, read_edge_table
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.options import Option, choice, flag, mapping, quantity, text
from allometry.homogenize.reader import Reader, Source, choose, named_file
from allometry.homogenize.worm.neurons import SIGN_CONVENTION, canonical_names, worm_nodes
from allometry.stores.kinds import KINDS

OPTIONS = {
    "file": text(None, "The edge table; null: the only file."),
    "member": text(None, "File inside an archive; null: the only one."),
    "delimiter": Option(
        ",", "one character", lambda value: isinstance(value, str) and len(value) == 1, "What separates the fields."
    ),
    "header": flag(
        True, "Whether the first line of the edge table names its columns; if not, they are numbered from 1."
    ),
    "source": text("source", "Column of the presynaptic ends.", digits=True),
    "target": text("target", "Column of the postsynaptic ends.", digits=True),
    "weight": text("weight", "Column of the weights; null: every row counts 1.", null=True, digits=True),
    "synapse": choice("chemical", stores.SYNAPSES, "Kind of all edges."),
    "synapse_column": text(None, "Column of kinds.", digits=True),
    "synapse_names": mapping("What the values of `synapse_column` stand for; null: they are kinds."),
    "names": choice("as_is", ("as_is", "worm"), "Labels: as they are, or canonical names of C. elegans."),
    "min_weight": quantity(0.0, "Edges with a smaller summed weight are left out (recorded)."),
    "absent_means": choice(
        None, (None, "zero", "unmeasured"), "What a pair without an edge means; null: as usual for the kind."
    ),
    "weight_units": text("1", "Unit of the weight."),
    "nodes_file": text(None, "A table of nodes."),
    "nodes_label": text("label", "Column of the node table with the ids that the edges use."),
    "nodes_columns": mapping(
        "Columns of the node table that are kept, name in the store to name in the file; `type`, `class_`, "
        "`neurotransmitter`, `sign`, `x`, `y`, `z` have a meaning."
    ),
    "units": mapping("Units of further numeric columns of the nodes, by their name in the store."),
    "title": text(None, "Title of the store; null: of the name of the data set."),
}
_NUMERIC = ("x", "y", "z", "sign")
# Names in a store that are not for columns of the node table.
_RESERVED = (
    "label",
    "node",
    "edge",
    "rewiring",
    *(name for name, v in KINDS["connectome"].variables.items() if v.dims != ("node",)),
)


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read an edge table, and the table of nodes if there is one."""
    where = f"generic_edges, source {source.name}"
    o = _options(options, where)
    kinds = _kinds(o, where)
    path = named_file({name: p for name, p in files.items() if name != o["nodes_file"]}, o["file"], where)
    columns = Columns(o["source"], o["target"], o["weight"], o["synapse_column"])
    signed = set(kinds.values()) <= edge_rules.SIGNED
    # Weak edges can go while the table is read, unless renaming or symmetry may still add to them.
    early = o["names"] == "as_is" and o["synapse_column"] is None and not signed and o["synapse"] != "electrical"
    table = read_edge_table(
        path,
        columns,
        delimiter=o["delimiter"],
        header=o["header"],
        member=o["member"],
        signed=signed,
        min_weight=float(o["min_weight"]) if early and o["min_weight"] > 0 else None,
    )
    used = {path.name: path}
    derived: dict[str, Any] = {"rows": table.rows, "rows_summed_into_an_edge_of_an_earlier_row": table.merged}
    nodes = _nodes(files, o, where, used)
    labels = canonical_names(table.labels, path.name) if o["names"] == "worm" else [str(name) for name in table.labels]
    if o["names"] == "worm" and nodes is None:
        nodes = worm_nodes(labels)
        derived["sign"] = SIGN_CONVENTION
    _check_shared(nodes, labels, o, path.name)
    nodes, noted = _complete(nodes, labels)
    edges, dropped = _edges(table, labels, nodes, kinds, float(o["min_weight"]), path.name)
    derived |= noted | dropped
    return _store(nodes, edges, o, source, derived, used)


def _options(options: dict[str, Any], where: str) -> dict[str, Any]:
    """Options with the names of columns as text; what contradicts each other is refused."""
    o = dict(options)
    for key in ("source", "target", "weight", "synapse_column"):
        if isinstance(o[key], int) and o["header"]:
            raise ReaderError(
                f"option {key}: {o[key]!r}",
                where=where,
                expected="text: the header names the columns",
                do="set `header: false`",
            )
        if isinstance(o[key], int):
            o[key] = str(o[key])
    o["units"] = {str(name): unit for name, unit in (o["units"] or {}).items()}
    o["nodes_columns"] = {str(name): column for name, column in (o["nodes_columns"] or {}).items()}
    if taken := [name for name in o["nodes_columns"] if name in _RESERVED]:
        raise ReaderError(
            f"option nodes_columns: {taken[0]!r} has a meaning of its own in a store",
            where=where,
            expected=f"none of {', '.join(_RESERVED)}",
            do=f"choose another name, such as {taken[0] + '_of_node'!r}; the labels are named by `nodes_label`",
        )
    return o


def _kinds(o: dict[str, Any], where: str) -> dict[str, str]:
    """Connection types of the table to kinds of the store."""
    if o["synapse_column"] is None:
        kinds = {"": o["synapse"]}
    else:
        named = o["synapse_names"] or {kind: kind for kind in stores.SYNAPSES}
        kinds = {str(name): kind for name, kind in named.items()}
    for kind in kinds.values():
        choose(kind, stores.SYNAPSES, "synapse", where)
    return kinds


def _nodes(files: dict[str, Path], o: dict[str, Any], where: str, used: dict[str, Path]) -> pd.DataFrame | None:
    if o["nodes_file"] is None:
        return None
    path = named_file(files, o["nodes_file"], where)
    used[path.name] = path
    wanted = o["nodes_columns"]
    rows = spreadsheets.read_delimited(path, "\t" if path.suffix == ".tsv" else ",")
    spreadsheets.refuse_long_rows(rows, path.name)
    table = spreadsheets.table(rows, list(dict.fromkeys([o["nodes_label"], *wanted.values()])), path.name)
    labels = spreadsheets.texts(table[o["nodes_label"]], path.name)
    names = canonical_names(labels, path.name) if o["names"] == "worm" else labels.tolist()
    if len(set(names)) < len(names):
        twice = pd.Index(names)[pd.Index(names).duplicated()][0]
        raise ReaderError(f"node {twice!r} occurs twice", where=path.name, expected="one row per node")
    nodes = pd.DataFrame(index=pd.Index(names, name="label"))
    for name, column in wanted.items():
        if name in _NUMERIC or name in o["units"]:
            nodes[name] = spreadsheets.numbers(table[column], path.name, allow_missing=True).to_numpy()
        else:
            nodes[name] = table[column].fillna("").to_numpy()
    return nodes


def _check_shared(nodes: pd.DataFrame | None, labels: list[str], o: dict[str, Any], where: str) -> None:
    """Refuse a node table that has none of the nodes of the edges: it is another table, or its ids are written otherwise."""
    if nodes is None or o["nodes_file"] is None or not nodes.index.intersection(pd.Index(labels)).empty:
        return
    raise ReaderError(
        f"none of the {len(labels)} nodes of the edges is in the node table {o['nodes_file']} of {len(nodes)} nodes",
        where=where,
        expected=f"the same ids; the edges have {', '.join(labels[:3])}, the node table {', '.join(nodes.index[:3])}",
        do="check the option `nodes_label`, and that both write ids alike (01 and 1 are two)",
    )


def _complete(nodes: pd.DataFrame | None, labels: list[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All nodes: those of the node table, and those that only the edge table names."""
    if nodes is None:
        return pd.DataFrame(index=pd.Index(list(dict.fromkeys(labels)), name="label")), {}
    known = set(nodes.index)
    extra = [name for name in dict.fromkeys(labels) if name not in known]
    complete = nodes.reindex(pd.Index([*nodes.index, *extra], name="label"))
    for column in complete.columns:
        if not pd.api.types.is_numeric_dtype(complete[column]):
            complete[column] = complete[column].fillna("")
    return complete, {"nodes_missing_from_node_table": len(extra), "nodes_without_an_edge": len(known - set(labels))}


def _edges(
    table: EdgeTable, labels: list[str], nodes: pd.DataFrame, kinds: dict[str, str], min_weight: float, where: str
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
    listed = len(edges)
    if len(set(labels)) < len(labels) or len(names) < len(table.kinds):
        # Aliases and types that mean the same make edges one that were two.
        edges = edges.groupby(["kind", "source", "target"])["weight"].sum().reset_index()
    record: dict[str, Any] = {"kinds": names}
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


def _store(
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


READER = Reader("generic_edges", ("connectome",), read, OPTIONS, recognise=guess.recognise)
