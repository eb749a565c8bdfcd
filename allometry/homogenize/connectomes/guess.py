"""Connectomes of nobody's layout, and published tables by their columns: what each column is; for `allometry inspect`."""

import csv
import itertools
from collections.abc import Sequence
from typing import Any

from allometry.homogenize import lines
from allometry.homogenize.connectomes import graphml, presets
from allometry.homogenize.lines import is_number
from allometry.homogenize.look import GUESS, LIKELY, SURE, Files, Finding, Peek, one_store, plain

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
    "label", "root_id", "pt_root_id", "bodyid", "body_id", "id", "node_id", "neuron_id", "cell_id", "neuron", "name", "node",
    "body",
)  # fmt: skip
COLUMNS = {
    "type": ("super_class", "type", "cell_type", "celltype", "primary_type", "pop_name"),
    "class_": ("class", "cell_class", "instance"),
    "neurotransmitter": ("neurotransmitter", "nt_type", "nt", "top_nt", "transmitter"),
    "side": ("side", "soma_side", "hemisphere"),
    "x": ("x", "pos_x", "soma_x", "x_nm", "x_um"),
    "y": ("y", "pos_y", "soma_y", "y_nm", "y_um"),
    "z": ("z", "pos_z", "soma_z", "z_nm", "z_um"),
}
POSITIONS = ("position", "pt_position", "somalocation", "soma_position", "pos")
_SMALL = 64 * 2**20
_TABLES = ("text", "parquet", "feather")


def recognise(files: Files) -> list[Finding]:
    """Edge tables and matrices, with the tables of nodes beside them."""
    seen = [files.peek(path) for path in files.paths]
    found = []
    for peek in seen:
        options, doubts, certainty = _edges(peek)
        if options is None:
            continue
        own, nodes = [peek.path], [other for other in seen if other.path != peek.path and _is_nodes(other, peek)]
        described, more = _with_nodes(peek, nodes, options)
        own += [other.path for other in nodes]
        form = _form(peek) + (f", nodes in {', '.join(other.path.name for other in nodes)}" if nodes else "")
        layout = described.get("layout")
        what = f"edges in the layout `{layout}`, {form}" if layout else f"edge list, {form}"
        species = {"codex": "Drosophila melanogaster", "flywire": "Drosophila melanogaster", "microns": "Mus musculus"}
        found += one_store(
            what,
            own,
            "connectome",
            described,
            certainty=certainty,
            doubts=(*doubts, *more),
            facts=_facts(peek),
            species=species.get(str(layout), ""),
        )
    for peek in seen:
        found += _matrix(peek)
    return found


def _form(peek: Peek) -> str:
    names = {"parquet": "Parquet", "feather": "Feather", "hdf5": "SONATA", "npz": "NPZ", "xml": "GraphML"}
    return names.get(peek.form, "archive" if peek.members else "text")


def _facts(peek: Peek) -> tuple[str, ...]:
    header = _header(peek)
    rows = next((array.shape[0] for array in peek.arrays.values() if array.shape), 0) if peek.form != "xml" else 0
    facts = [f"{rows:,} rows"] if rows else []
    return (*facts, *([f"columns {', '.join(header[:12])}"] if any(header) else []))


def _header(peek: Peek) -> list[str]:
    """Names of the columns of an edge table of any form."""
    if peek.form == "npz":
        return [name for name, array in peek.arrays.items() if len(array.shape) == 1]
    if peek.form in _TABLES:
        return list(peek.header)
    return []


def _edges(peek: Peek) -> tuple[dict[str, Any] | None, list[str], int]:
    """Options, doubts and certainty; no options where it is no edge table."""
    if (
        peek.form == "hdf5"
        and peek.path.suffix.lower() in (".h5", ".hdf5")
        and peek.has("source_node_id", "target_node_id")
    ):
        return _sonata(peek)
    if peek.form == "xml":
        return (
            ({}, ["the weight of an edge is its attribute `weight`: name another one"], LIKELY)
            if _is_graph(peek)
            else _NONE
        )
    if peek.form in ("tar", "zip"):
        return _member(peek)
    header = _header(peek)
    for name, preset in presets.PRESETS.items():
        needed = {preset["source"], preset["target"], *([preset["weight"]] if preset["weight"] else [])}
        needed |= set(preset.get("transmitter_scores", {}).values())
        if needed <= set(header) and (preset["weight"] or not _first(header, WEIGHTS)):
            sure = [] if preset["weight"] else ["every row counts as one synapse"]
            return {"layout": name} | _written(peek), sure, SURE
    source, target = _first(header, SOURCES), _first(header, TARGETS)
    if not source or not target or source == target:
        return _without_header(peek)
    doubts: list[str] = []
    options: dict[str, Any] = _written(peek)
    options |= {key: name for key, name in (("source", source), ("target", target)) if name != key}
    weight = _first(header, WEIGHTS)
    if not weight:
        doubts.append("no column of weights was found: every row counts 1")
        options["weight"] = None
    elif weight != "weight":
        options["weight"] = weight
    kind = _first(header, KINDS)
    values, whole = _values(peek, header.index(kind)) if kind else (set(), True)
    if values and all(plain(value) in MEANING for value in values):
        options |= {"synapse_column": kind, "synapse_names": {value: MEANING[plain(value)] for value in sorted(values)}}
        if not whole:
            doubts.append(f"kinds are those of the first {len(peek.rows) - 1} rows: add others that there are")
    else:
        doubts.append("all edges are taken for chemical ones: `synapse` says otherwise")
    return options, doubts, LIKELY


def _values(peek: Peek, column: int) -> tuple[set[str], bool]:
    """Values of a column of a text, and whether they are all: a large file is not read for them."""
    seen = {row[column] for row in peek.rows[1:] if len(row) == len(peek.header)}
    if peek.form != "text" or peek.packed or peek.size > _SMALL or len(seen) > len(MEANING):
        return seen, peek.form != "text" and not seen
    encoding = str(peek.attrs.get("encoding") or lines.encoding(peek.path))
    with peek.path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=peek.delimiter)
        next(rows, None)
        return {row[column].strip() for row in rows if len(row) == len(peek.header)}, True


_NONE: tuple[None, list[str], int] = (None, [], GUESS)


def _written(peek: Peek) -> dict[str, Any]:
    """How a text is written, where that is not as usual."""
    if peek.form != "text":
        return {}
    delimiter = {"delimiter": peek.delimiter} if peek.delimiter not in ("", ",") else {}
    return delimiter | {key: str(peek.attrs[key]) for key in ("encoding",) if key in peek.attrs}


def _without_header(peek: Peek) -> tuple[dict[str, Any] | None, list[str], int]:
    """Two columns of ids, and perhaps one of weights, from the first line on."""
    rows = [row for row in peek.rows if len(row) == len(peek.rows[0])] if peek.rows else []
    if peek.form != "text" or len(rows) < 3 or len(rows) < len(peek.rows) or not 2 <= len(rows[0]) <= 3:
        return _NONE
    ends = [cell for row in rows for cell in row[:2]]
    whole = all(cell.isdigit() for cell in ends)
    names = not any(map(is_number, ends)) and len(set(ends)) < len(ends)
    weights = [row[2] for row in rows] if len(rows[0]) == 3 else []
    if not (whole or names) or not all(map(is_number, weights)) or len({row[0] for row in rows}) == len(rows):
        return _NONE
    options = {"header": False, "source": 1, "target": 2, "weight": 3 if weights else None} | _written(peek)
    return options, ["there is no line of names: the first two columns are taken for source and target"], GUESS


def _sonata(peek: Peek) -> tuple[dict[str, Any] | None, list[str], int]:
    if any(name.endswith("/0/syn_weight") for name in peek.arrays):
        return {"weight": "syn_weight"}, [], SURE
    return {"weight": None}, ["no attribute syn_weight was found: every edge counts 1"], SURE


def _is_graph(peek: Peek) -> bool:
    return graphml.is_graphml(peek.path.name) and "<graphml" in peek.head


def _member(peek: Peek) -> tuple[dict[str, Any] | None, list[str], int]:
    """A table in an archive."""
    for name, rows in peek.sheets.items():
        inside = Peek(peek.path, "text", rows=rows, delimiter="\t" if name.lower().endswith(".tsv") else ",")
        options, doubts, certainty = _edges(inside) if rows and len(rows[0]) > 1 else _NONE
        # a total comes before its parts
        better = [other for other in peek.sheets if "total" in other and "total" not in name]
        if options is not None and options.get("header") is not False and not better:
            options["member"] = name.rsplit("/", 1)[-1]
            nodes = [
                m
                for m, r in peek.sheets.items()
                if m != name and r and _nodes(Peek(peek.path, "text", rows=r, delimiter=","))
            ]
            of_layout = presets.PRESETS.get(str(options.get("layout")), {}).get("nodes_label")
            fitting = [m for m in nodes if of_layout is None or of_layout in peek.sheets[m][0]]
            if len(fitting) == 1 and of_layout:
                options["nodes_member"] = fitting[0].rsplit("/", 1)[-1]
            return options, doubts, certainty
    return _NONE


def _is_nodes(peek: Peek, edges: Peek) -> bool:
    """Whether a file is a table of the nodes of these edges."""
    if peek.form == "hdf5":
        return edges.form == "hdf5" and peek.has("node_type_id") and not peek.has("source_node_id")
    if _edges(peek)[0] is not None or edges.form == "xml" or not _nodes(peek):
        return False
    layout = (_edges(edges)[0] or {}).get("layout")
    label = presets.PRESETS[str(layout)]["nodes_label"] if layout else ""
    return not label or label in peek.header


def _with_nodes(peek: Peek, nodes: Sequence[Peek], options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Options with those for the tables of nodes."""
    if not nodes:
        return dict(options), []
    made: dict[str, Any] = {**options, "file": peek.path.name}
    names = [other.path.name for other in nodes]
    made["nodes_file"] = names[0] if len(names) == 1 else names
    if "layout" in options:
        return made, []
    if peek.form == "hdf5":
        axes = {axis: axis for axis in "xyz" if all(other.has(axis) for other in nodes)}
        return made | ({"nodes_columns": axes, "units": dict.fromkeys(axes, "um")} if axes else {}), []
    doubts = []
    columns: dict[str, str] = {}
    for other in nodes:
        made |= {key: value for key, value in _written(other).items() if key == "encoding"}
        of = _nodes(other)
        made |= {key: of[key] for key in ("nodes_label", "nodes_position") if key in of}
        columns |= {key: value for key, value in of["nodes_columns"].items() if key not in columns}
    units = {axis: "nm" if columns.get(axis, "").lower().endswith("nm") else "um" for axis in "xyz" if axis in columns}
    units |= dict.fromkeys("xyz", "um") if "nodes_position" in made else {}
    if units:
        doubts.append(f"positions are taken to be in {', '.join(sorted(set(units.values())))}")
    made |= {"nodes_columns": columns} if columns else {}
    return made | ({"units": units} if units else {}), doubts


def _nodes(peek: Peek) -> dict[str, Any]:
    """Options for a table of nodes; none where it is not one."""
    header = list(peek.header) if peek.form in _TABLES else []
    label = _first(header, LABELS)
    if not label or len(header) < 2 or (peek.form == "text" and peek.delimiter not in (",", "\t")):
        return {}
    position = _first(header, POSITIONS)
    labels = [row[header.index(label)] for row in peek.rows[1:] if len(row) == len(header)]
    if peek.form == "text" and (not labels or (len(set(labels)) < len(labels) and not position)):
        return {}
    columns = {key: found for key, names in COLUMNS.items() if (found := _first(header, names)) and found != label}
    return {"nodes_label": label, "nodes_columns": columns} | ({"nodes_position": position} if position else {})


def _matrix(peek: Peek) -> list[Finding]:
    """Square matrices: of a text with the same names on both axes, or arrays, a store for each."""
    certain: dict[str, Any] = {"certainty": GUESS}
    doubt = "a square matrix is taken for a connectome: rows are sources, edges chemical"
    if peek.form == "text" and len(peek.rows) > 2 and not peek.packed:
        names = [row[0] for row in peek.rows[1:]]
        width = len(peek.rows[0]) - 1
        inner = [cell for row in peek.rows[1:] for cell in row[1:] if cell]
        if peek.header[1:][: len(names)] == tuple(names)[:width] and len(names) <= width and all(map(is_number, inner)):
            what = f"adjacency matrix of {width} nodes, text"
            options = {"form": "matrix"} | _written(peek)
            return one_store(what, [peek.path], "connectome", options, certainty=LIKELY, doubts=(doubt,))
        if _is_bare(peek):
            what = f"adjacency matrix of {len(peek.rows)} nodes, text without names"
            options = {"form": "matrix", "header": False} | _written(peek)
            return one_store(what, [peek.path], "connectome", options, certainty=GUESS, doubts=(doubt,))
        return []
    if peek.form not in ("npz", "mat", "hdf5") or peek.path.suffix.lower() == ".nwb":
        return []
    if peek.has("indptr", "indices", "data", "shape") or peek.has("row", "col", "data", "shape"):
        what = "sparse adjacency matrix as scipy saves it"
        return one_store(what, [peek.path], "connectome", {"form": "matrix"}, certainty=LIKELY, doubts=(doubt,))
    square = {
        name: array.shape[0]
        for name, array in peek.arrays.items()
        if len(array.shape) == 2 and array.shape[0] == array.shape[1] > 2 and array.kind in ("number", "bool")
    }
    stores: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, count in square.items():
        labels = [
            other for other, array in peek.arrays.items() if array.kind == "text" and _count(array.shape) == count
        ]
        options = {"form": "matrix", "matrix": name} | ({"labels": labels[0]} if labels else {})
        stores["" if len(square) == 1 else plain(name)] = ("connectome", options)
    what = f"adjacency {'matrix' if len(stores) == 1 else 'matrices'} {', '.join(square)} of {max(square.values(), default=0)} nodes"
    return [Finding(what, {peek.path.name: peek.path}, stores, doubts=(doubt,), **certain)] if stores else []


def _is_bare(peek: Peek) -> bool:
    """Whether a text is a square of numbers alone, of which no column counts anything."""
    size = len(peek.rows)
    if size < 3 or any(len(row) != size for row in peek.rows):
        return False
    if not all(is_number(cell) for row in peek.rows for cell in row):
        return False
    first = [float(row[0]) for row in peek.rows]
    return any(later <= earlier for earlier, later in itertools.pairwise(first))


def _count(shape: tuple[int, ...]) -> int:
    long = [length for length in shape if length != 1]
    return long[0] if len(long) == 1 else -1


def _first(header: Sequence[str], names: Sequence[str]) -> str:
    """The column whose name, in plain letters, comes first among `names`; empty if none does."""
    plainly = {plain(cell): cell for cell in reversed(header) if cell}
    return next((plainly[name] for name in names if name in plainly), "")
