"""Any connectome that comes as edges or as a matrix: users' own, and the published ones of whole brains.

What the columns are called is said in the registry or in the user's configuration; no code is needed:

    datasets:
      my_circuit:
        reader: generic_edges
        files: [my_edges.csv, my_cells.csv]
        options: {file: my_edges.csv, source: pre, target: post, weight: n_syn, synapse: chemical,
                  nodes_file: my_cells.csv, nodes_label: id, nodes_columns: {type: cell_type, x: x_nm}, units: {x: nm}}

- Edges: text (also gzipped, or in an archive), Parquet, Feather, arrays of an .npz, GraphML, SONATA.
- Matrices (`form: matrix`): text, Parquet, Feather, .npz (dense or sparse), MATLAB, HDF5.
- Nodes: text, .xlsx, Parquet, Feather, GraphML, SONATA; several tables are joined by their ids.
- `layout` knows the columns of published tables (`connectomes.presets`).

Ids are text, as they are written. Tables of any length are read in bounded memory (`connectomes.edge_stream`).
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import (
    edge_arrays,
    edge_arrow,
    edge_store,
    edge_text,
    graphml,
    guess,
    node_tables,
    presets,
    sonata,
    transmitters,
)
from allometry.homogenize.connectomes import edges as edge_rules
from allometry.homogenize.connectomes.edge_columns import Columns, Rows, readable
from allometry.homogenize.connectomes.edge_stream import CHUNK_ROWS, EdgeTable, sum_edges
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.options import (
    Option,
    choice,
    flag,
    listed,
    mapping,
    number_of_each,
    quantity,
    text,
    text_encoding,
    three_numbers,
    values_of_each,
)
from allometry.homogenize.reader import Reader, Source, choose, named_file
from allometry.homogenize.worm.neurons import SIGN_CONVENTION, canonical_names, worm_nodes
from allometry.stores.kinds import KINDS

OPTIONS = {
    "layout": choice(
        None,
        (None, *presets.PRESETS),
        "Published tables whose columns are known: exports of Codex, the FlyWire release on Zenodo, MICrONS tables of CAVE, "
        "neuPrint; what is set beside it comes first.",
    ),
    "form": choice("edges", ("edges", "matrix"), "A list of edges, or an adjacency matrix."),
    "file": text(None, "The edge table or matrix; null: the only file."),
    "member": text(None, "File inside an archive; null: the only one."),
    "delimiter": Option(
        ",",
        "one character",
        lambda value: isinstance(value, str) and len(value) == 1,
        "What separates the fields; a blank stands for any white space.",
    ),
    "encoding": text_encoding("Encoding of tables in text; null: by their byte order marks, else UTF-8."),
    "header": flag(
        True,
        "Whether the first line of the edge table names its columns (if not, they are numbered from 1); of a matrix in text "
        "whether the first row and column are names.",
    ),
    "source": text("source", "Column of the presynaptic ends.", digits=True),
    "target": text("target", "Column of the postsynaptic ends.", digits=True),
    "weight": text("weight", "Column of the weights; null: every row counts 1.", null=True, digits=True),
    "matrix": text(None, "Array with the matrix, in a file of several; null: the only one."),
    "labels": text(None, "Array with the names of the nodes of a matrix; null: they are numbered from 0."),
    "rows": choice("source", ("source", "target"), "What a row of a matrix is."),
    "synapse": choice("chemical", stores.SYNAPSES, "Kind of all edges."),
    "synapse_column": text(None, "Column of kinds.", digits=True),
    "synapse_names": mapping("What the values of `synapse_column` stand for; null: they are kinds."),
    "names": choice("as_is", ("as_is", "worm"), "Labels: as they are, or canonical names of C. elegans."),
    "min_weight": quantity(0.0, "Edges with a smaller summed weight are left out (recorded)."),
    "least_values": number_of_each(
        "Columns of numbers with their least value, such as the score of a synapse: rows below are left out (recorded)."
    ),
    "only_values": values_of_each("Columns with the values whose rows are kept, such as some neuropils (recorded)."),
    "leave_out_ids": listed(None, "Ids that are no nodes: their rows are left out (recorded)."),
    "keep_nodes": choice(
        "all", ("all", "listed"), "Nodes that are kept: all that have an edge, or those of the node table (recorded)."
    ),
    "self_edges": flag(True, "Whether edges of a node with itself are kept (recorded)."),
    "absent_means": choice(
        None, (None, "zero", "unmeasured"), "What a pair without an edge means; null: as usual for the kind."
    ),
    "weight_units": text("1", "Unit of the weight."),
    "edge_types_file": text(None, "SONATA: table of edge types."),
    "nodes_file": listed(None, "A table of nodes, or several."),
    "nodes_member": text(None, "File inside an archive that is a table of nodes."),
    "node_types_file": text(None, "SONATA: table of node types."),
    "nodes_label": text(
        "label",
        "Column of the node table with the ids that the edges use (GraphML and SONATA: `id` in place of `label`).",
    ),
    "nodes_columns": mapping(
        "Columns of the node table that are kept, name in the store to name in the file; `type`, `class_`, `side`, "
        "`neurotransmitter`, `neurotransmitter_confidence`, `sign`, `x`, `y`, `z` have a meaning."
    ),
    "nodes_position": text(None, "Column of the node table with positions in one cell, `[x, y, z]`."),
    "voxel": three_numbers("What positions are multiplied by: the sides of a voxel, in the unit of `units`."),
    "units": mapping("Units of further numeric columns of the nodes, by their name in the store."),
    "transmitter_column": text(
        None, "Column of the edges with the transmitter of the row; the source has that of most synapses."
    ),
    "transmitter_scores": mapping(
        "Columns of the edges with the score of each transmitter, name to column; the source has that of the highest mean over "
        "its synapses, which is the confidence."
    ),
    "transmitter_names": mapping("Names of transmitters in the files to names in the store."),
    "min_confidence": quantity(0.0, "Transmitters of a lower confidence count as unknown (recorded).", most=1),
    "signs": number_of_each("Sign of each transmitter (1, -1, 0), by its name in the store; null: no signs."),
    "title": text(None, "Title of the store; null: of the name of the data set."),
}
# Names in a store that are not for columns of the node table.
_RESERVED = (
    "label",
    "node",
    "edge",
    "rewiring",
    *(name for name, v in KINDS["connectome"].variables.items() if v.dims != ("node",)),
)


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read edges or a matrix, and the tables of nodes if there are any."""
    where = f"generic_edges, source {source.name}"
    o = _options(options, where)
    kinds = _kinds(o, where)
    beside = {*o["nodes_file"], o["edge_types_file"], o["node_types_file"]}
    left = {name: p for name, p in files.items() if name not in beside} or files
    path = named_file(left, o["file"], where)
    used = {path.name: path}
    signed = set(kinds.values()) <= edge_rules.SIGNED
    # Weak edges can go while the table is read, unless renaming or symmetry may still add to them.
    early = o["names"] == "as_is" and o["synapse_column"] is None and not signed and o["synapse"] != "electrical"
    table = _table(path, o, signed, float(o["min_weight"]) if early and o["min_weight"] > 0 else None, files, used)
    derived: dict[str, Any] = {"rows": table.rows, "rows_summed_into_an_edge_of_an_earlier_row": table.merged}
    if table.left_out:
        derived["rows_left_out"] = dict(table.left_out)
    nodes, noted = _nodes(files, path, o, where, used)
    derived |= noted
    labels = canonical_names(table.labels, path.name) if o["names"] == "worm" else [str(name) for name in table.labels]
    if o["names"] == "worm" and nodes is None:
        nodes = worm_nodes(labels)
        derived["sign"] = SIGN_CONVENTION
    _check_shared(nodes, labels, o, path.name)
    if o["keep_nodes"] == "listed" and nodes is not None:
        nodes = nodes.assign(**{edge_store.LISTED: True})
    nodes, noted = edge_store.complete(nodes, labels)
    derived |= noted
    nodes, noted = transmitters.add(nodes, table, labels, o)
    derived |= noted
    edges, dropped = edge_store.indexed(table, labels, nodes, kinds, float(o["min_weight"]), path.name, o["self_edges"])
    if o["keep_nodes"] == "listed":
        nodes, edges, noted = edge_store.listed_only(nodes, edges, path.name)
        derived |= noted
    return edge_store.built(nodes, edges, o, source, derived | dropped, used)


def _table(
    path: Path, o: dict[str, Any], signed: bool, min_weight: float | None, files: dict[str, Path], used: dict[str, Path]
) -> EdgeTable:
    """Summed edges of a file of any form."""
    columns = Columns(
        o["source"],
        o["target"],
        o["weight"],
        o["synapse_column"],
        o["transmitter_column"],
        o["transmitter_scores"] or {},
    )
    only = {
        str(name): [str(v) for v in (value if isinstance(value, list | tuple) else [value])]
        for name, value in o["only_values"].items()
    }
    rows = Rows(o["least_values"], only, [str(name) for name in o["leave_out_ids"]])
    chunks: Iterator[tuple[int, pd.DataFrame]]
    if o["form"] == "matrix":
        columns = edge_arrays.MATRIX_COLUMNS
        text_options = {"delimiter": o["delimiter"], "header": o["header"], "encoding": o["encoding"]}
        chunks = edge_arrays.matrix_chunks(
            path,
            matrix=o["matrix"],
            labels=o["labels"],
            by_target=o["rows"] == "target",
            missing=signed,
            **text_options,
        )
    elif path.suffix.lower() in edge_arrow.SUFFIXES:
        chunks = edge_arrow.chunks(path, columns, CHUNK_ROWS, more=rows.names())
    elif path.suffix.lower() == ".npz":
        chunks = edge_arrays.npz_chunks(path, columns, CHUNK_ROWS, more=rows.names())
    elif graphml.is_graphml(path.name):
        chunks = graphml.chunks(path, columns, CHUNK_ROWS, more=rows.names())
    elif sonata.holds(path, "edges"):
        types = None
        if o["edge_types_file"]:
            used[o["edge_types_file"]] = named_file(files, o["edge_types_file"], path.name)
            types = sonata.read_types(used[o["edge_types_file"]])
        chunks = sonata.chunks(path, columns, CHUNK_ROWS, types=types, named=_several_populations(path))
    else:
        chunks = edge_text.chunks(
            path,
            columns,
            CHUNK_ROWS,
            more=list(rows.least),
            more_texts=list(rows.only),
            delimiter=o["delimiter"],
            header=o["header"],
            member=o["member"],
            encoding=o["encoding"],
        )
    return sum_edges(readable(chunks, path), columns, path, rows=rows, signed=signed, min_weight=min_weight)


def _several_populations(path: Path) -> bool:
    return sonata.holds(path, "edges") and len(sonata.populations(path)) > 1


def _options(options: dict[str, Any], where: str) -> dict[str, Any]:
    """Options with those of the layout, and names of columns as text; what contradicts each other is refused."""
    o = presets.completed(options, {key: option.default for key, option in OPTIONS.items()})
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
    for key in ("units", "nodes_columns", "least_values", "only_values", "transmitter_names"):
        o[key] = {str(name): value for name, value in (o[key] or {}).items()}
    for key in ("nodes_file", "leave_out_ids"):
        o[key] = [] if o[key] is None else [o[key]] if isinstance(o[key], str) else list(o[key])
    if taken := [name for name in o["nodes_columns"] if name in _RESERVED]:
        raise ReaderError(
            f"option nodes_columns: {taken[0]!r} has a meaning of its own in a store",
            where=where,
            expected=f"none of {', '.join(_RESERVED)}",
            do=f"choose another name, such as {taken[0] + '_of_node'!r}; the labels are named by `nodes_label`",
        )
    if o["keep_nodes"] == "listed" and not (o["nodes_file"] or o["nodes_member"]):
        raise ReaderError("option keep_nodes: 'listed'", where=where, expected="a table of nodes (`nodes_file`)")
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


def _nodes(
    files: dict[str, Path], edges: Path, o: dict[str, Any], where: str, used: dict[str, Path]
) -> tuple[pd.DataFrame | None, dict[str, Any]]:
    """Nodes of the tables of nodes; of a GraphML file those that stand with its edges."""
    own = {name: named_file(files, name, where) for name in o["nodes_file"]}
    if not own and (
        o["nodes_member"] or (graphml.is_graphml(edges.name) and (o["nodes_columns"] or o["nodes_position"]))
    ):
        own = {edges.name: edges}
    if not own:
        return None, {}
    types = None
    if o["node_types_file"]:
        used[o["node_types_file"]] = named_file(files, o["node_types_file"], where)
        types = sonata.read_types(used[o["node_types_file"]])
    named = _several_populations(edges)
    tables = []
    label = o["nodes_label"]
    for name, path in own.items():
        used[name] = path
        table = node_tables.load(path, types, named=named)
        if table is not None and label == OPTIONS["nodes_label"].default and label not in table:
            label = "id"
        tables.append((name, _text_table(path, o["nodes_member"], o["encoding"]) if table is None else table))
    wanted = node_tables.Wanted(
        label,
        o["nodes_columns"],
        o["nodes_position"],
        o["voxel"] or (1.0, 1.0, 1.0),
        tuple(o["units"]),
        # a layout offers more than every file has
        optional=o["layout"] is not None,
    )
    nodes, record = node_tables.read(tables, wanted)
    if o["names"] == "worm":
        nodes.index = pd.Index(canonical_names(list(nodes.index), ", ".join(own)), name="label")
    if nodes.index.has_duplicates:
        twice = nodes.index[nodes.index.duplicated()][0]
        raise ReaderError(f"node {twice!r} occurs twice", where=", ".join(own), expected="one row per node")
    return nodes, record


def _text_table(path: Path, member: str | None, encoding: str | None) -> pd.DataFrame:
    """A table of nodes in text, also in an archive, or in a workbook; empty cells are None."""
    if path.suffix.lower() in (".xlsx", ".xls"):
        rows = spreadsheets.read_sheet(path, member)
    elif member is not None:
        with edge_text.opened(path, member) as file:
            lines = csv.reader(edge_text.decoded(file, encoding))
            rows = [[cell.strip() or None for cell in line] for line in lines]
    else:
        rows = spreadsheets.read_delimited(path, "\t" if ".tsv" in path.name.lower() else ",", encoding=encoding)
    spreadsheets.refuse_long_rows(rows, path.name)
    if not rows:
        raise ReaderError("table is empty", where=path.name, expected="a header and a row per node")
    header = [str(cell or "").strip() for cell in rows[0]]
    body = [
        [*row, *[None] * (len(header) - len(row))] for row in rows[1:] if any(cell not in (None, "") for cell in row)
    ]
    table = pd.DataFrame(body, columns=range(len(header)), dtype=object)
    table.columns = pd.Index(header)
    return table.loc[:, [name != "" for name in header]]


def _check_shared(nodes: pd.DataFrame | None, labels: list[str], o: dict[str, Any], where: str) -> None:
    """Refuse a node table that has none of the nodes of the edges: it is another table, or its ids are written otherwise."""
    if nodes is None or not o["nodes_file"] or not nodes.index.intersection(pd.Index(labels)).empty:
        return
    raise ReaderError(
        f"none of the {len(labels)} nodes of the edges is in the node table {', '.join(o['nodes_file'])} of {len(nodes)} nodes",
        where=where,
        expected=f"the same ids; the edges have {', '.join(labels[:3])}, the node table {', '.join(nodes.index[:3])}",
        do="check the option `nodes_label`, and that both write ids alike (01 and 1 are two)",
    )


READER = Reader("generic_edges", ("connectome",), read, OPTIONS, recognise=guess.recognise)
