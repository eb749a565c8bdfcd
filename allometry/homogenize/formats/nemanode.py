"""Edge lists of the NemaNode collection, as tables and as JSON: the layout shared by Witvliet 2020 and White 1986.

Tables have columns `pre`, `post`, `type` (chemical, electrical) and `synapses`; JSON files list objects with `pre`, `post`,
`typ` (0 chemical, 2 electrical) and `syn` (one number per synapse).
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets

COLUMNS = ("pre", "post", "type", "synapses")
_TYPES = {"chemical": "chemical", "electrical": "electrical"}
_TYPE_CODES = {0: "chemical", 2: "electrical"}


def read_edges(path: Path) -> pd.DataFrame:
    """Read an .xlsx, tab-separated or .json edge list.

    Returns
    -------
    pandas.DataFrame
        `source`, `target` (names of the file), `weight` (number of synapses), `synapse`; the index is the row.
    """
    if path.suffix.lower() == ".json":
        return _from_json(path)
    if path.suffix.lower() in (".xlsx", ".xls"):
        rows = spreadsheets.read_sheet(path)
    else:
        rows = spreadsheets.read_delimited(path, _delimiter(path))
    table = spreadsheets.table(rows, COLUMNS, path.name)
    return edge_rows(table, COLUMNS, _TYPES, path.name)


def edge_rows(table: pd.DataFrame, columns: tuple[str, ...], types: dict[str, str], where: str) -> pd.DataFrame:
    """Map four columns (source, target, type, weight) to edge rows; an unknown type is an error that names the row."""
    pre, post, kind, weight = columns
    if table.empty:
        raise ReaderError("table has no rows", where=where, expected="one connection per row")
    kinds = spreadsheets.texts(table[kind], where)
    unknown = ~kinds.isin(list(types))
    if unknown.any():
        raise ReaderError(
            f"unknown connection type {kinds[unknown].iloc[0]!r}",
            where=f"{where}, row {kinds.index[unknown][0]}",
            expected=f"one of {', '.join(types)}",
        )
    return pd.DataFrame(
        {
            "source": spreadsheets.texts(table[pre], where),
            "target": spreadsheets.texts(table[post], where),
            "weight": spreadsheets.numbers(table[weight], where),
            "synapse": kinds.map(types),
        }
    )


def _delimiter(path: Path) -> str:
    # One copy has blanks in its header and tabs below: what separates the rows counts.
    try:
        with path.open("rb") as file:
            file.readline()
            second = file.readline()
    except OSError as error:
        raise ReaderError(f"table cannot be read ({error})", where=str(path), do="run the retrieve stage") from error
    return "\t" if b"\t" in second else ","


def _from_json(path: Path) -> pd.DataFrame:
    try:
        entries = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ReaderError(
            f"JSON cannot be read ({error})", where=str(path), expected="a complete JSON file", do="retrieve it again"
        ) from error
    if not isinstance(entries, list) or not entries:
        raise ReaderError(
            "JSON holds no list of connections", where=path.name, expected='[{"pre": ..., "post": ...}, ...]'
        )
    rows = [_entry(entry, number, path) for number, entry in enumerate(entries, start=1)]
    index = pd.RangeIndex(1, len(rows) + 1, name="row")
    return pd.DataFrame(rows, columns=["source", "target", "weight", "synapse"], index=index)


def _entry(entry: Any, number: int, path: Path) -> tuple[str, str, float, str]:
    where = f"{path.name}, entry {number}"
    if not isinstance(entry, dict):
        raise ReaderError(f"entry is {entry!r}", where=where, expected="an object with pre, post, typ and syn")
    pre, post, kind, synapses = (entry.get(key) for key in ("pre", "post", "typ", "syn"))
    if not (isinstance(pre, str) and isinstance(post, str) and pre.strip() and post.strip()):
        raise ReaderError(f"names are {pre!r} and {post!r}", where=where, expected="text in pre and post")
    if isinstance(kind, bool) or not isinstance(kind, int) or kind not in _TYPE_CODES:
        raise ReaderError(
            f"unknown connection type {kind!r}", where=where, expected="typ 0 (chemical) or 2 (electrical)"
        )
    counts = synapses if isinstance(synapses, list) and synapses else [None]
    if any(isinstance(count, bool) or not isinstance(count, int | float) for count in counts):
        raise ReaderError(f"syn is {synapses!r}", where=where, expected="a list of numbers, one per synapse")
    return pre.strip(), post.strip(), float(sum(counts)), _TYPE_CODES[kind]
