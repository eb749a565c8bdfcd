"""Edge rows of any number in bounded memory: chunks of rows are summed, and repeated pairs meet in spooled buckets.

Full fly connectomes come as tables of tens of millions of rows, one per pair and neuropil. Rows are spooled to disk by their
source, and each bucket is summed on its own; only the distinct edges that reach `min_weight` are held in memory. Ids are text, as they are written: `01` and `1`, `1E5` and `100000` are different nodes.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edge_columns import Columns, EdgeRows, Named, Rows, checked

CHUNK_ROWS = 1_000_000
BUCKETS = 64
SUMMED_ROWS = 2**22  # rows of a bucket that are summed at a time
_TARGET = np.int64(2**32 - 1)  # the lower half of a pair
# an edge by the codes of its ends, source above target in one number: what is sorted is one number, not three
_SPOOLED = np.dtype([("pair", "i8"), ("weight", "f8"), ("kind", "i4")], align=True)


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

    def add(self, rows: EdgeRows, folder: Path) -> None:
        self.rows += len(rows.weight)
        # Codes grow with the number of nodes, not of rows.
        source, target = self._code(rows.source), self._code(rows.target)
        self._vote(rows, source)
        spooled = np.empty(len(source), _SPOOLED)
        spooled["pair"], spooled["weight"] = _pair(source, target), rows.weight
        spooled["kind"] = self._kind(rows.kind)
        bucket = (source % BUCKETS).astype(np.uint8)
        spooled = spooled[np.argsort(bucket, kind="stable")]
        bounds = np.concatenate([[0], np.cumsum(np.bincount(bucket, minlength=BUCKETS))])
        for number in np.flatnonzero(np.diff(bounds)):
            with (folder / f"{number}.bin").open("ab") as file:
                spooled[bounds[number] : bounds[number + 1]].tofile(file)

    def _kind(self, kind: Named | None) -> np.ndarray | int:
        if kind is None:
            return self._kinds.setdefault("", 0)
        return np.array([self._kinds.setdefault(name, len(self._kinds)) for name in kind.texts()], np.int32)[kind.code]

    def _code(self, ends: Named) -> np.ndarray:
        # most ids of a chunk came before: they are found together, and only new ones become text, once per node
        key = str(ends.names.dtype)
        seen, known = self._seen.get(key, (ends.names[:0], np.zeros(0, np.int64)))
        place = seen.get_indexer(ends.names)
        lookup = np.append(known, 0)[place]
        new = np.flatnonzero(place < 0)
        if len(new):
            some = Named(ends.code, ends.names[new])
            lookup[new] = [self._codes.setdefault(name, len(self._codes)) for name in some.texts()]
            self._seen[key] = (seen.append(some.names), np.append(known, lookup[new]))
        return lookup[ends.code]

    def _vote(self, rows: EdgeRows, source: np.ndarray) -> None:
        """Add what the rows say about the transmitter of their sources."""
        weight = rows.weight
        if rows.transmitter is not None:
            code, names = rows.transmitter.code, rows.transmitter.texts()
            for number, name in enumerate(names):
                if name:
                    some = code == number
                    self._add(name, source[some], weight[some])
            said = np.array([*map(bool, names), False])[code]
            self._voted = _plus(self._voted, source[said], weight[said])
        if rows.scores:
            whole = np.ones(len(weight), bool)
            for score in rows.scores.values():
                whole &= np.isfinite(score)
            every = bool(whole.all())
            ends, share = (source, weight) if every else (source[whole], weight[whole])
            for name, score in rows.scores.items():
                self._add(name, ends, share * (score if every else score[whole]))
            self._voted = _plus(self._voted, ends, share)

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
            part = _summed(folder / f"{number}.bin")
            distinct += len(part)
            if min_weight is not None:
                part = part[part["weight"] >= min_weight]
            part["pair"] = _pair(rank[part["pair"] >> 32], rank[part["pair"] & _TARGET])
            part["kind"] = kind_rank[part["kind"]]
            parts.append(part)
        edges = np.concatenate(parts)
        parts.clear()
        edges = edges[_order(edges)]
        return EdgeTable(
            labels=np.array([names[i] for i in order], object),
            kinds=kinds,
            kind=edges["kind"].astype(np.int32),
            source=(edges["pair"] >> 32).astype(np.int32),
            target=(edges["pair"] & _TARGET).astype(np.int32),
            weight=edges["weight"].astype(np.float64),
            rows=self.rows,
            merged=self.rows - distinct,
            dropped=distinct - len(edges),
            votes={name: _long(self._votes[name], len(names))[order] for name in sorted(self._votes)},
            voted=_long(self._voted, len(names))[order],
        )


def _pair(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return source.astype(np.int64) << 32 | target.astype(np.int64)


def _order(rows: np.ndarray) -> np.ndarray:
    """Order by kind and pair; rows of one edge stay in their order, so that sums are the same everywhere."""
    if len(rows) and (rows["kind"] == rows["kind"][0]).all():
        return np.argsort(rows["pair"], kind="stable")
    return np.lexsort((rows["pair"], rows["kind"]))


def _sum(rows: np.ndarray) -> np.ndarray:
    """Distinct edges with summed weights, in the order of `_order`."""
    if not len(rows):
        return rows
    rows = rows[_order(rows)]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows["pair"]) != 0) | (np.diff(rows["kind"]) != 0)
    starts = np.flatnonzero(new)
    out = rows[starts]
    out["weight"] = np.add.reduceat(rows["weight"], starts)
    return out


def _summed(file: Path) -> np.ndarray:
    """Distinct edges of a bucket, which is deleted; rows are read some at a time."""
    total = np.empty(0, _SPOOLED)
    if not file.exists():
        return total
    with file.open("rb") as stream:
        while len(rows := np.fromfile(stream, _SPOOLED, SUMMED_ROWS)):
            total = _sum(np.concatenate([total, rows]) if len(total) else rows)
    file.unlink()
    return total


def _plus(total: np.ndarray, index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`total` with the values added at their index; it grows as needed."""
    added = np.bincount(index, values, minlength=len(total)).astype(np.float64)  # of no values it counts
    added[: len(total)] += total
    return added


def _long(values: np.ndarray, length: int) -> np.ndarray:
    return np.append(values, np.zeros(length - len(values)))
