"""Tables of nodes of any form, several of them joined by their ids: types, sides, transmitters, positions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edge_arrow, graphml, sonata

AXES = ("x", "y", "z")
NUMERIC = (*AXES, "sign", "neurotransmitter_confidence")
_NUMBER = re.compile(r"[-+0-9.eE]+")


@dataclass(frozen=True)
class Wanted:
    """What is taken from tables of nodes.

    Parameters
    ----------
    label : str
        Column with the ids.
    columns : mapping of str to str
        Name in the store to name in the file.
    position : str or None
        Column with positions in one cell: `[x, y, z]`, or a list.
    scale : sequence of float
        What positions are multiplied by (the size of a voxel), per axis.
    numeric : sequence of str
        Names in the store that are numbers.
    optional : bool
        Whether columns may be missing.
    """

    label: str
    columns: Mapping[str, str] = field(default_factory=dict)
    position: str | None = None
    scale: Sequence[float] = (1.0, 1.0, 1.0)
    numeric: Sequence[str] = ()
    optional: bool = False


def read(tables: Sequence[tuple[str, pd.DataFrame]], wanted: Wanted) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One table of nodes from several.

    Parameters
    ----------
    tables : sequence of (str, DataFrame)
        Name of the file, and its cells as text (None: empty).
    wanted : Wanted
        What is taken.

    Returns
    -------
    nodes : DataFrame
        By id; those of all tables, in the order in which they come.
    record : dict
        What was done: ids that are listed more than once, columns that no table has.

    Raises
    ------
    ReaderError
        A column that no table has, an id twice in a table of one row per node, a position or number that is none.
    """
    record: dict[str, Any] = {}
    parts: list[pd.DataFrame] = []
    names = {key: column for key, column in wanted.columns.items() if column != wanted.label}
    if wanted.position:
        names["position"] = wanted.position
    missing = dict(names)
    for where, table in tables:
        label = _column(table, wanted.label, where)
        if label is None:
            raise ReaderError(
                f"column {wanted.label!r} is missing",
                where=where,
                expected=f"the ids of the nodes (the table has: {', '.join(map(str, table.columns[:20]))})",
                do="name it with the option `nodes_label`",
            )
        ids = table[label].map(lambda cell: None if cell is None else str(cell).strip())
        part = pd.DataFrame({"label": ids})
        for key, column in names.items():
            if (found := _column(table, column, where)) is not None and key in missing:
                part[key] = table[found]
                missing.pop(key)
        part = part[part["label"].notna() & (part["label"] != "")]
        again = int(part["label"].duplicated().sum())
        if again and set(part.columns) != {"label", "position"}:
            twice = part["label"][part["label"].duplicated()].iloc[0]
            raise ReaderError(f"node {twice!r} occurs twice", where=where, expected="one row per node")
        if again:
            record[f"nodes_listed_again_in_{where}"] = f"{again} rows; the first position of a node counts"
            part = part.drop_duplicates("label")
        parts.append(part.set_index("label"))
    if missing and not wanted.optional:
        key, column = next(iter(missing.items()))
        raise ReaderError(
            f"column {column!r} is missing",
            where=", ".join(name for name, _ in tables),
            expected=f"a table of nodes that has it (for {key!r})",
            do="correct the option `nodes_columns` or `nodes_position`",
        )
    if missing:
        record["columns_that_no_table_has"] = sorted(missing.values())
    order = dict.fromkeys(label for part in parts for label in part.index)
    nodes = pd.concat([part.reindex(list(order)) for part in parts], axis=1) if parts else pd.DataFrame()
    nodes.index.name = "label"
    return _typed(nodes, wanted, ", ".join(name for name, _ in tables)), record


def _column(table: pd.DataFrame, name: str, where: str) -> Any:
    """The column of this name, capitals or not."""
    exact = [column for column in table.columns if str(column) == name]
    if len(exact) > 1:
        raise ReaderError(
            f"{len(exact)} columns are called {name!r}",
            where=where,
            expected="one column of this name",
            do="rename the others",
        )
    alike = [column for column in table.columns if str(column).casefold() == name.casefold()]
    return exact[0] if exact else alike[0] if len(alike) == 1 else None


def _typed(nodes: pd.DataFrame, wanted: Wanted, where: str) -> pd.DataFrame:
    if "position" in nodes:
        for axis, values in zip(AXES, positions(nodes.pop("position"), where).T):
            nodes[axis] = values
    for name in nodes.columns:
        if name in (*NUMERIC, *wanted.numeric):
            nodes[name] = _numbers(nodes[name], name, where)
        else:
            nodes[name] = ["" if cell is None or cell != cell else str(cell).strip() for cell in nodes[name].tolist()]
    for axis, factor in zip(AXES, wanted.scale):
        if axis in nodes:
            nodes[axis] = nodes[axis] * factor
    return nodes


def positions(cells: pd.Series, where: str) -> np.ndarray:
    """Positions (node, 3) from cells such as `[1, 2, 3]`, `1 2 3` or lists; NaN where a cell is empty."""
    out = np.full((len(cells), 3), np.nan)
    for row, (label, cell) in enumerate(cells.items()):
        if cell is None or cell != cell or cell == "":
            continue
        found = _NUMBER.findall(cell) if isinstance(cell, str) else list(cell)
        try:
            out[row] = [float(part) for part in found]
        except ValueError as error:
            raise ReaderError(
                f"{str(cell)[:60]!r} is no position",
                where=f"{where}, node {label}",
                expected="three numbers, as [x, y, z]",
            ) from error
    return out


def _numbers(cells: pd.Series, name: str, where: str) -> np.ndarray:
    values = pd.to_numeric(cells.map(lambda cell: None if cell is None or cell == "" else cell), errors="coerce")
    bad = values.isna().to_numpy() & np.array(
        [cell is not None and cell == cell and cell != "" for cell in cells.tolist()], bool
    )
    if bad.any():
        at = int(np.argmax(bad))
        raise ReaderError(
            f"{cells.iloc[at]!r} is no number",
            where=f"{where}, node {cells.index[at]}, {name}",
            expected="numbers; an empty cell is missing",
        )
    return values.to_numpy(float)


def load(path: Path, types: pd.DataFrame | None = None, *, named: bool = True) -> pd.DataFrame | None:
    """A table of nodes in Parquet, Feather, GraphML or SONATA, cells as text; None of another form."""
    if path.suffix.lower() in edge_arrow.SUFFIXES:
        return edge_arrow.frame(path)
    if graphml.is_graphml(path.name):
        return graphml.nodes(path)
    if sonata.holds(path, "nodes"):
        return sonata.nodes(path, types, named=named)
    return None
