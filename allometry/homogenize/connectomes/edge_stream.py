"""Edge tables of any length in bounded memory: read in chunks, sum repeated pairs in spooled buckets.

Full fly connectomes come as tables of tens of millions of rows, one per pair and neuropil. A chunk of rows is summed,
spooled to disk by a hash of the source, and each bucket is summed on its own; only the distinct edges that reach
`min_weight` are held in memory. Ids are text, as they are written: `01` and `1`, `1E5` and `100000` are different nodes.
"""

import csv
import gzip
import io
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import mistaken

CHUNK_ROWS = 1_000_000
BUCKETS = 64
_SPOOLED = np.dtype([("kind", "i4"), ("source", "i8"), ("target", "i8"), ("weight", "f8")])


@dataclass(frozen=True)
class Columns:
    """Names of the columns of an edge table.

    Parameters
    ----------
    source, target : str
        Presynaptic and postsynaptic id or name.
    weight : str or None
        Weight; None: every row is one synapse.
    kind : str or None
        Column of connection types; None: one type for all rows.
    """

    source: str
    target: str
    weight: str | None = None
    kind: str | None = None

    def names(self) -> list[str]:
        """Names of the columns that are read."""
        return [name for name in (self.source, self.target, self.weight, self.kind) if name is not None]


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


def read_edge_table(
    path: Path,
    columns: Columns,
    *,
    delimiter: str = ",",
    member: str | None = None,
    header: bool = True,
    signed: bool = False,
    min_weight: float | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> EdgeTable:
    """Read a .csv, .csv.gz, or a member of a .tar(.gz) or .zip archive.

    Parameters
    ----------
    path : Path
        The table or the archive.
    columns : Columns
        What its columns are called.
    delimiter : str
        Field separator.
    member : str, optional
        File inside an archive, by its last path component.
    header : bool
        Whether the first line names the columns; without, they are named by their numbers, from 1.
    signed : bool
        Whether negative weights are data (functional) or an error (anatomical).
    min_weight : float, optional
        Leave out edges with a smaller sum; their nodes stay.
    chunk_rows : int
        Rows held at a time.

    Raises
    ------
    ReaderError
        Missing column, empty name, weight that is no number or negative, truncated file; with the row where there is one.
    """
    spool = _Spool()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="allometry_edges_")))
        stream = stack.enter_context(_opened(path, member))
        for first, chunk in _chunks(stream, path, columns, delimiter, header, chunk_rows):
            spool.add(_checked(chunk, columns, signed, path, first), folder)
        if not spool.rows:
            raise ReaderError("table has no rows", where=path.name, expected="one connection per row")
        return spool.collect(folder, min_weight)


class _Spool:
    """Rows on their way to distinct edges: names to codes, sums per chunk, buckets on disk."""

    def __init__(self) -> None:
        self.rows = 0
        self._codes: dict[str, int] = {}
        self._kinds: dict[str, int] = {}

    def add(self, chunk: pd.DataFrame, folder: Path) -> None:
        self.rows += len(chunk)
        # Codes grow with the number of nodes, not of rows.
        source, target = self._code(chunk["source"]), self._code(chunk["target"])
        kind_codes, kind_names = pd.factorize(chunk["kind"])
        kinds = np.array([self._kinds.setdefault(str(name), len(self._kinds)) for name in kind_names], np.int32)
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
        lookup = np.array([self._codes.setdefault(name, len(self._codes)) for name in unique.tolist()], np.int64)
        return lookup[codes]

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


def _opened(path: Path, member: str | None) -> IO[bytes]:
    if not path.is_file():
        raise ReaderError("table is missing", where=str(path), do="run the retrieve stage")
    mistaken.refuse(path)
    if mistaken.is_hdf5(path):
        raise ReaderError(
            "this is an HDF5 file",
            where=str(path),
            expected="a table of edges in text (.csv, .tsv, also packed)",
            do="export the edges as text; of a SONATA file `source_node_id`, `target_node_id` and a weight",
        )
    name = path.name.lower()
    try:
        if name.endswith((".tar", ".tar.gz", ".tgz")):
            archive = tarfile.open(path)  # noqa: SIM115  (closed with the process's last reference to the member)
            found = [item for item in archive.getmembers() if item.isfile() and _is(item.name, member)]
            extracted = archive.extractfile(found[0]) if len(found) == 1 else None
            if extracted is None:
                raise _no_member(path, member, [item.name for item in archive.getmembers()])
            return extracted
        if name.endswith(".zip"):
            zipped = zipfile.ZipFile(path)
            inside = [item for item in zipped.namelist() if _is(item, member) and not item.endswith("/")]
            if len(inside) != 1:
                raise _no_member(path, member, zipped.namelist())
            return zipped.open(inside[0])
        if name.endswith(".gz"):
            return gzip.open(path)  # type: ignore[return-value]
        return path.open("rb")
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise _truncated(path, error) from error


def _is(name: str, member: str | None) -> bool:
    return member is None or name.rsplit("/", 1)[-1] == member


def _no_member(path: Path, member: str | None, names: list[str]) -> ReaderError:
    return ReaderError(
        f"archive has no single member {member!r}" if member else "archive has several members",
        where=path.name,
        expected=f"one of {', '.join(names[:8])}",
        do="name the table with the option 'member'",
    )


def _truncated(path: Path, error: Exception) -> ReaderError:
    return ReaderError(
        f"table cannot be read ({type(error).__name__}: {error})",
        where=str(path),
        expected="a complete file",
        do="delete the file and retrieve it again",
    )


def _chunks(
    stream: IO[bytes], path: Path, columns: Columns, delimiter: str, header: bool, chunk_rows: int
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Chunks of the wanted columns, each with the row number of its first line."""
    above = 0
    try:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        names = None
        if header:
            lines = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
            names = _unique(next((line for line in lines if line), []), columns, path)
            above = lines.line_num
        ids = (columns.source, columns.target, *((columns.kind,) if columns.kind else ()))
        # All columns are parsed, not only those asked for: otherwise pandas accepts rows with too many fields.
        reader = pd.read_csv(
            text,
            sep=delimiter,
            header=None,
            names=names,
            dtype=dict.fromkeys(ids if header else map(_place, ids), str),
            chunksize=chunk_rows,
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            low_memory=False,
        )
        first = above + 1
        for chunk in reader:
            if not isinstance(chunk.index, pd.RangeIndex):  # pandas makes an index of what the names do not cover
                raise ReaderError(
                    "the row has more fields than the header",
                    where=f"{path.name}, row {first}",
                    expected=f"{len(chunk.columns)} fields in every row",
                    do="correct the file; a field with the delimiter inside needs quotes",
                )
            if not header:
                chunk.columns = pd.Index([str(number) for number in range(1, len(chunk.columns) + 1)])
                _check_columns(list(chunk.columns), columns, path)
            yield first, chunk[columns.names()]
            first += len(chunk)
    except pd.errors.EmptyDataError:
        return
    except ReaderError:
        raise
    except pd.errors.ParserError as error:
        if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
            raise ReaderError(
                f"the row has {found[3]} fields, those before {found[1]}",
                where=f"{path.name}, row {int(found[2]) + above}",
                expected=f"{found[1]} fields in every row",
                do="correct the file; a field with the delimiter inside needs quotes",
            ) from error
        raise _truncated(path, error) from error
    except UnicodeDecodeError as error:
        raise ReaderError(
            f"table is not text in UTF-8 ({error.reason})",
            where=str(path),
            expected="text in UTF-8",
            do="save it as UTF-8",
        ) from error
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise _truncated(path, error) from error


def _place(column: str) -> int | str:
    """Number of a column without a name, as pandas counts."""
    return int(column) - 1 if column.isdigit() else column


def _unique(head: list[str], columns: Columns, path: Path) -> list[str]:
    """Names of the columns, those that nobody asked for numbered so that none is there twice."""
    names = [cell.strip() for cell in head]
    _check_columns(names, columns, path)
    return [name if name in columns.names() else f"{number} {name}" for number, name in enumerate(names)]


def _check_columns(names: list[str], columns: Columns, path: Path) -> None:
    for role, option in (
        ("source", "source"),
        ("target", "target"),
        ("weight", "weight"),
        ("kind", "synapse_column"),
    ):
        wanted = getattr(columns, role)
        if wanted is not None and names.count(wanted) != 1:
            raise ReaderError(
                f"column {wanted!r} is missing" if wanted not in names else f"column {wanted!r} is there twice",
                where=path.name,
                expected=f"columns {', '.join(columns.names())} (the table has: {', '.join(names[:20])})",
                do=f"name the column with the option {option!r}"
                + (", or set `weight: null` to count rows" if role == "weight" else ""),
            )


def _checked(chunk: pd.DataFrame, columns: Columns, signed: bool, path: Path, first: int) -> pd.DataFrame:
    """Columns source, target, kind, weight of one chunk; `first` is the row of its first line in the file."""

    def refuse(bad: np.ndarray, what: str, column: str, expected: str) -> None:
        if bad.any():
            place = int(np.argmax(bad))
            raise ReaderError(
                f"{what}: {column} = {chunk[column].iloc[place]!r}",
                where=f"{path.name}, row {first + place}",
                expected=expected,
            )

    out = pd.DataFrame(index=chunk.index)
    for role, column in (("source", columns.source), ("target", columns.target)):
        values = chunk[column]
        refuse(values.isna().to_numpy(), "name is missing", column, "an id or a name")
        out[role] = values.str.strip()
        refuse((out[role] == "").to_numpy(), "name is empty", column, "an id or a name")
    if columns.weight is None:
        out["weight"] = 1.0
    else:
        weight = pd.to_numeric(chunk[columns.weight], errors="coerce").astype(np.float64)
        refuse(~np.isfinite(weight.to_numpy()), "weight is not a number", columns.weight, "a finite number")
        if not signed:
            refuse(
                (weight < 0).to_numpy(), "negative weight of an anatomical connection", columns.weight, "a weight >= 0"
            )
        out["weight"] = weight
    if columns.kind is None:
        out["kind"] = ""
    else:
        refuse(chunk[columns.kind].isna().to_numpy(), "connection type is missing", columns.kind, "a connection type")
        out["kind"] = chunk[columns.kind].astype(str).str.strip()
    return out
