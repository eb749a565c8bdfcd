"""Edge rows of any number in bounded memory: chunks of rows are summed, and repeated pairs meet in spooled buckets.

Full fly connectomes come as tables of tens of millions of rows, one per pair and neuropil. A chunk of rows is summed,
spooled to disk by a hash of the source, and each bucket is summed on its own; only the distinct edges that reach
`min_weight` are held in memory. Ids are text, as they are written: `01` and `1`, `1E5` and `100000` are different nodes.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edge_columns import Columns, Rows, checked

CHUNK_ROWS = 1_000_000
BUCKETS = 64
_SPOOLED = np.dtype([("kind", "i4"), ("source", "i8"), ("target", "i8"), ("weight", "f8")])


@dataclass
class EdgeTable:
    """Distinct edges of a table, by node index.

    Parameters
    ----------
    labels : (node,) array of str
        Ids or names, sorted (as numbers where all are plain ones).
    kinds : list of str
        Connection types; `kind` indexes it.
    kind, source, target : (edge,) int32
        Sorted by kind, source, target.
    weight : (edge,) float64
        Sum over the rows of the edge.
    rows : int
        Rows of the table.
    merged : int
        Rows that repeated an edge of an earlier row.
    dropped : int
        Distinct edges below `min_weight`.
    left_out : dict of str to int
        Rows that do not count, by the reason.
    votes : dict of str to (node,) float64
        For each transmitter the sum over the rows of a source: of their weights where a row names one, of weight times
        score where a row has scores.
    voted : (node,) float64
        Summed weight of the rows with a transmitter or with scores.
    """

    labels: np.ndarray
    kinds: list[str]
    kind: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    rows: int
    merged: int = 0
    dropped: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    votes: Mapping[str, np.ndarray] = field(default_factory=dict)
    voted: np.ndarray = field(default_factory=lambda: np.zeros(0))


def sum_edges(
    chunks: Iterable[tuple[int, pd.DataFrame]],
    columns: Columns,
    path: Path,
    *,
    rows: Rows | None = None,
    signed: bool = False,
    min_weight: float | None = None,
) -> EdgeTable:
    """Sum the rows of each pair.

    Parameters
    ----------
    chunks : iterable of (int, DataFrame)
        Rows with the columns that are named, in blocks of any length, each with the number of its first row in the file.
    columns : Columns
        What the columns are called.
    path : Path
        The file, for messages.
    rows : Rows, optional
        Which rows count; all by default.
    signed : bool
        Whether negative weights are data (functional) or an error (anatomical).
    min_weight : float, optional
        Leave out edges with a smaller sum; their nodes stay.

    Raises
    ------
    ReaderError
        Empty name, weight that is no number or negative, with the row; no row at all, or none that counts.
    """
    selection = rows or Rows()
    spool = _Spool()
    listed = 0
    with tempfile.TemporaryDirectory(prefix="allometry_edges_") as folder:
        for first, chunk in chunks:
            listed += len(chunk)
            kept = selection.of(chunk, columns)
            if len(kept):
                spool.add(checked(kept, columns, signed, path, first), Path(folder))
        if not spool.rows:
            raise ReaderError(
                "no row is left" if listed else "table has no rows",
                where=path.name,
                expected="rows that fit: " + ", ".join(f"{n} left out, {why}" for why, n in selection.left_out.items())
                if listed
                else "one connection per row",
            )
        table = spool.collect(Path(folder), min_weight)
    table.rows, table.left_out = listed, selection.left_out
    return table


class _Spool:
    """Rows on their way to distinct edges: names to codes, sums per chunk, buckets on disk."""

    def __init__(self) -> None:
        self.rows = 0
        self._codes: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self._seen: dict[str, tuple[pd.Index, np.ndarray]] = {}
        self._votes: dict[str, np.ndarray] = {}
        self._voted = np.zeros(0)

    def add(self, chunk: pd.DataFrame, folder: Path) -> None:
        self.rows += len(chunk)
        # Codes grow with the number of nodes, not of rows.
        source, target = self._code(chunk["source"]), self._code(chunk["target"])
        kind_codes, kind_names = pd.factorize(chunk["kind"])
        kinds = np.array([self._kinds.setdefault(str(name), len(self._kinds)) for name in kind_names], np.int32)
        self._vote(chunk, source)
        summed = _sum(kinds[kind_codes], source, target, chunk["weight"].to_numpy())
        bucket = summed["source"] % BUCKETS
        order = np.argsort(bucket, kind="stable")
        bounds = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
        for number in range(BUCKETS):
            part = summed[order[bounds[number] : bounds[number + 1]]]
            if len(part):
                with (folder / f"{number}.bin").open("ab") as file:
                    part.tofile(file)

    def _code(self, names: pd.Series) -> np.ndarray:
        codes, unique = pd.factorize(names)
        found = pd.Index(unique)
        # most ids of a chunk came before: they are found together, and only new ones become text, once per node
        seen, known = self._seen.get(str(found.dtype), (found[:0], np.zeros(0, np.int64)))
        place = seen.get_indexer(found)
        lookup = np.append(known, 0)[place]
        new = np.flatnonzero(place < 0)
        if len(new):
            texts = map(str, found[new].tolist())
            lookup[new] = [self._codes.setdefault(name, len(self._codes)) for name in texts]
            self._seen[str(found.dtype)] = (seen.append(found[new]), np.append(known, lookup[new]))
        return lookup[codes]

    def _vote(self, chunk: pd.DataFrame, source: np.ndarray) -> None:
        """Add what the rows say about the transmitter of their sources."""
        weight = chunk["weight"].to_numpy()
        if "transmitter" in chunk:
            codes, names = pd.factorize(chunk["transmitter"])
            for code, name in enumerate(names.tolist()):
                if name:
                    self._add(name, source, np.where(codes == code, weight, 0.0))
            self._voted = _plus(self._voted, source, np.where(chunk["transmitter"].to_numpy() != "", weight, 0.0))
        columns = [str(name) for name in chunk if str(name).startswith("score ")]
        scores = {name.removeprefix("score "): chunk[name].to_numpy() for name in columns}
        if scores:
            whole = np.isfinite(np.column_stack(list(scores.values()))).all(axis=1)
            for name, score in scores.items():
                self._add(name, source, np.where(whole, weight * np.nan_to_num(score), 0.0))
            self._voted = _plus(self._voted, source, np.where(whole, weight, 0.0))

    def _add(self, transmitter: str, source: np.ndarray, votes: np.ndarray) -> None:
        self._votes[transmitter] = _plus(self._votes.get(transmitter, np.zeros(0)), source, votes)

    def collect(self, folder: Path, min_weight: float | None) -> EdgeTable:
        names = list(self._codes)
        # Plain numbers (no sign, no leading zero) have their own order.
        plain = all(name.isascii() and name.isdigit() and (name[0] != "0" or name == "0") for name in names)
        keys: list[Any] = [int(name) for name in names] if plain else names
        order = sorted(range(len(names)), key=keys.__getitem__)
        rank = np.empty(len(names), np.int64)
        rank[order] = np.arange(len(names))
        kinds = sorted(self._kinds)
        kind_rank = np.array([kinds.index(name) for name in self._kinds], np.int32)
        parts, distinct = [np.empty(0, _SPOOLED)], 0
        for number in range(BUCKETS):
            file = folder / f"{number}.bin"
            if file.exists():
                rows = np.fromfile(file, _SPOOLED)
                file.unlink()
                part = _sum(kind_rank[rows["kind"]], rank[rows["source"]], rank[rows["target"]], rows["weight"])
                distinct += len(part)
                parts.append(part if min_weight is None else part[part["weight"] >= min_weight])
        edges = np.concatenate(parts)
        parts.clear()
        edges = edges[np.lexsort((edges["target"], edges["source"], edges["kind"]))]
        return EdgeTable(
            labels=np.array([names[i] for i in order], object),
            kinds=kinds,
            kind=edges["kind"].astype(np.int32),
            source=edges["source"].astype(np.int32),
            target=edges["target"].astype(np.int32),
            weight=edges["weight"].astype(np.float64),
            rows=self.rows,
            merged=self.rows - distinct,
            dropped=distinct - len(edges),
            votes={name: _long(self._votes[name], len(names))[order] for name in sorted(self._votes)},
            voted=_long(self._voted, len(names))[order],
        )


def _sum(kind: np.ndarray, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Distinct (kind, source, target) with summed weights."""
    order = np.lexsort((target, source, kind))
    kind, source, target = kind[order], source[order], target[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(kind) != 0) | (np.diff(source) != 0) | (np.diff(target) != 0)
    starts = np.flatnonzero(new)
    out = np.empty(len(starts), _SPOOLED)
    out["kind"], out["source"], out["target"] = kind[starts], source[starts], target[starts]
    out["weight"] = np.add.reduceat(weight[order], starts) if len(starts) else 0.0
    return out


def _plus(total: np.ndarray, index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`total` with the values added at their index; it grows as needed."""
    added = np.bincount(index, values, minlength=len(total))
    added[: len(total)] += total
    return added


def _long(values: np.ndarray, length: int) -> np.ndarray:
    return np.append(values, np.zeros(length - len(values)))
