"""Edge tables of nobody's layout: which columns are source, target, weight and kind; for `allometry inspect`."""

from collections.abc import Sequence
from typing import Any

from allometry.homogenize.look import GUESS, LIKELY, Files, Finding, Peek, one_store, plain

SOURCES = (
    "source", "pre", "from", "pre_root_id", "pre_pt_root_id", "bodyid_pre", "body_pre", "pre_id", "preid", "src", "origin",
    "presynaptic", "presynaptic_id", "presynaptic_neuron", "source_node_id", "source_id", "pre_neuron", "neuron_pre", "sender",
)  # fmt: skip
TARGETS = (
    "target", "post", "to", "post_root_id", "post_pt_root_id", "bodyid_post", "body_post", "post_id", "postid", "dst",
    "destination", "postsynaptic", "postsynaptic_id", "postsynaptic_neuron", "target_node_id", "target_id", "post_neuron",
    "neuron_post", "receiver",
)  # fmt: skip
WEIGHTS = (
    "weight", "syn_count", "n_syn", "nsyn", "synapses", "synapse_count", "n_synapses", "count", "counts", "number", "w", "n",
    "number_of_connections", "strength", "syn_weight", "nbr",
)  # fmt: skip
KINDS = ("type", "kind", "synapse", "edge_type", "synapse_type", "connection_type", "typ")
MEANING = {
    "chemical": "chemical", "chem": "chemical", "c": "chemical", "s": "chemical", "send": "chemical",
    "electrical": "electrical", "elec": "electrical", "gap": "electrical", "gap_junction": "electrical", "gj": "electrical",
    "gapjunction": "electrical", "ej": "electrical", "functional": "functional", "mesoscale": "mesoscale",
    "structural": "structural", "monoaminergic": "monoaminergic", "peptidergic": "peptidergic",
}  # fmt: skip
LABELS = (
    "label",
    "root_id",
    "pt_root_id",
    "bodyid",
    "body_id",
    "id",
    "node_id",
    "neuron_id",
    "cell_id",
    "neuron",
    "name",
    "node",
    "body",
)
COLUMNS = {
    "type": ("super_class", "type", "cell_type", "celltype", "primary_type"),
    "class_": ("class", "cell_class", "instance"),
    "neurotransmitter": ("neurotransmitter", "nt_type", "nt", "top_nt", "transmitter"),
    "side": ("side", "soma_side", "hemisphere"),
    "x": ("x", "pos_x", "soma_x", "x_nm", "x_um"),
    "y": ("y", "pos_y", "soma_y", "y_nm", "y_um"),
    "z": ("z", "pos_z", "soma_z", "z_nm", "z_um"),
}


def recognise(files: Files) -> list[Finding]:
    """Tables with a column of sources and one of targets, and a table of nodes beside them."""
    tables = [files.peek(path) for path in files.paths]
    found = []
    for peek in tables:
        options, doubts, certainty = _edges(peek)
        if not options:
            continue
        nodes = [other for other in tables if other.path != peek.path and not _edges(other)[0] and _nodes(other)]
        own = [peek.path]
        if len(nodes) == 1:
            own.append(nodes[0].path)
            options |= {"file": peek.path.name, "nodes_file": nodes[0].path.name, **_nodes(nodes[0])}
            if any(axis in options.get("nodes_columns", {}) for axis in "xyz"):
                doubts.append("the unit of the positions is taken from the name of the column, or else to be um")
        facts = (f"columns {', '.join(peek.header[:12])}" if peek.rows else "",)
        what = f"edge list in {_form(peek)}" + (f", nodes in {nodes[0].path.name}" if len(nodes) == 1 else "")
        found += one_store(
            what,
            own,
            "connectome",
            options,
            certainty=certainty,
            doubts=tuple(doubts),
            facts=tuple(filter(None, facts)),
        )
    return found


def _form(peek: Peek) -> str:
    return {"text": "text", "parquet": "Parquet", "feather": "Feather"}.get(peek.form, peek.form)


def _edges(peek: Peek) -> tuple[dict[str, Any], list[str], int]:
    """Options, doubts and certainty; no options where it is no edge table."""
    header = list(peek.header)
    source, target = _first(header, SOURCES), _first(header, TARGETS)
    if peek.form != "text" or peek.delimiter in ("", " ") or not source or not target or source == target:
        return {}, [], GUESS
    doubts: list[str] = []
    options: dict[str, Any] = {} if peek.delimiter == "," else {"delimiter": peek.delimiter}
    options |= {key: name for key, name in (("source", source), ("target", target)) if name != key}
    weight = _first(header, WEIGHTS)
    if not weight:
        doubts.append("no column of weights was found: every row counts 1")
        options["weight"] = None
    elif weight != "weight":
        options["weight"] = weight
    kind = _first(header, KINDS)
    values = {row[header.index(kind)] for row in peek.rows[1:] if len(row) == len(header)} if kind else set()
    if values and all(plain(value) in MEANING for value in values):
        options |= {"synapse_column": kind, "synapse_names": {value: MEANING[plain(value)] for value in sorted(values)}}
        if len(peek.rows) > 100:
            doubts.append(f"kinds are those of the first {len(peek.rows) - 1} rows")
    else:
        doubts.append("all edges are taken for chemical ones: `synapse` says otherwise")
    return options, doubts, LIKELY


def _nodes(peek: Peek) -> dict[str, Any]:
    """Options for a table of nodes; none where it is not one."""
    header = list(peek.header)
    label = _first(header, LABELS)
    if peek.form != "text" or peek.packed or peek.delimiter not in (",", "\t") or not label or len(header) < 2:
        return {}
    labels = [row[header.index(label)] for row in peek.rows[1:] if len(row) == len(header)]
    if not labels or len(set(labels)) < len(labels):
        return {}
    columns = {key: found for key, names in COLUMNS.items() if (found := _first(header, names)) and found != label}
    units = {axis: "nm" if columns[axis].lower().endswith("nm") else "um" for axis in "xyz" if axis in columns}
    options: dict[str, Any] = {"nodes_label": label}
    options |= {"nodes_columns": columns} if columns else {}
    return options | ({"units": units} if units else {})


def _first(header: Sequence[str], names: Sequence[str]) -> str:
    """The column whose name, in plain letters, comes first among `names`; empty if none does."""
    plainly = {plain(cell): cell for cell in reversed(header) if cell}
    return next((plainly[name] for name in names if name in plainly), "")
