"""What the columns of an edge table are called, which of its rows count, and what is wrong with a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from allometry.errors import AllometryError, ReaderError


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
    transmitter : str or None
        Column with the name of the transmitter of the row, a vote for that of its source.
    scores : mapping of str to str
        Columns with the score of each transmitter (name to column), in place of one name.
    """

    source: str
    target: str
    weight: str | None = None
    kind: str | None = None
    transmitter: str | None = None
    scores: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Names of the columns that are read."""
        own = (self.source, self.target, self.weight, self.kind, self.transmitter, *self.scores.values())
        return list(dict.fromkeys(name for name in own if name is not None))

    def texts(self) -> list[str]:
        """Names of the columns that are text: 01 and 1 are two."""
        return [name for name in (self.source, self.target, self.kind, self.transmitter) if name is not None]


@dataclass
class Rows:
    """Which rows of a table count.

    Parameters
    ----------
    least : mapping of str to float
        Columns of numbers (such as the score of a synapse) with their least value; a missing one is below it.
    only : mapping of str to sequence of str
        Columns of text (such as the neuropil) with the values that are kept.
    no_nodes : sequence of str
        Ids that are no nodes, such as the 0 of a synapse outside all cells.
    left_out : dict of str to int
        Rows left out so far, by the reason.
    """

    least: Mapping[str, float] = field(default_factory=dict)
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    no_nodes: Sequence[str] = ()
    left_out: dict[str, int] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Names of further columns that are read."""
        return [*self.least, *self.only]

    def of(self, chunk: pd.DataFrame, columns: Columns) -> pd.DataFrame:
        """Rows of a chunk that count; the others are counted in `left_out`."""
        keep = np.ones(len(chunk), bool)

        def require(true: np.ndarray, reason: str) -> None:
            nonlocal keep
            if lost := int(np.count_nonzero(keep & ~true)):
                self.left_out[reason] = self.left_out.get(reason, 0) + lost
            keep = keep & true

        for name, number in self.least.items():
            values = numbers(chunk[name])
            require(values >= number, f"{name} below {number:g}")
        for name, wanted in self.only.items():
            require(_one_of(chunk[name], wanted), f"{name} is another")
        if self.no_nodes:
            outside = [_one_of(chunk[name], self.no_nodes) for name in (columns.source, columns.target)]
            require(~(outside[0] | outside[1]), f"an end is {', '.join(self.no_nodes)}")
        return chunk if keep.all() else chunk[keep]


def _one_of(values: pd.Series, wanted: Sequence[str]) -> np.ndarray:
    """Which values are, as text, one of some."""
    of, some = named(values), set(wanted)
    chosen = np.array([*(text in some for text in of.texts()), False])  # the last stands for what is missing
    return np.asarray(chosen[of.code])


def readable(chunks: Iterator[tuple[int, pd.DataFrame]], path: Path) -> Iterator[tuple[int, pd.DataFrame]]:
    """The same chunks; whatever a parser makes of a damaged file becomes a `ReaderError`."""
    try:
        yield from chunks
    except AllometryError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # of h5py, pyarrow, zlib, struct and numpy, there is no end of them
        raise ReaderError(
            f"the file cannot be read ({type(error).__name__}: {str(error)[:120]})",
            where=str(path),
            expected="a complete file, whose parts fit each other",
            do="delete the file and retrieve it again",
        ) from error


def check_columns(names: Sequence[str], columns: Columns, path: Path, more: Sequence[str] = ()) -> None:
    """Raise a `ReaderError` for a column that is missing, or there twice; it names the option that would name another."""
    wanted = [
        (columns.source, "source"),
        (columns.target, "target"),
        (columns.weight, "weight"),
        (columns.kind, "synapse_column"),
        (columns.transmitter, "transmitter_column"),
        *((name, "transmitter_scores") for name in columns.scores.values()),
        *((name, "least_values, only_values") for name in more),
    ]
    for name, option in wanted:
        if name is not None and list(names).count(name) != 1:
            raise ReaderError(
                f"column {name!r} is missing" if name not in names else f"column {name!r} is there twice",
                where=path.name,
                expected=f"columns {', '.join([*columns.names(), *more])} (the table has: {', '.join(names[:20])})",
                do=f"name the column with the option {option!r}"
                + (", or set `weight: null` to count rows" if option == "weight" else ""),
            )


@dataclass(frozen=True)
class Named:
    """A column of text or ids, each different one once.

    Parameters
    ----------
    code : (row,) int
        Which of the names.
    names : Index
        As in the file: with blanks around, integers as integers.
    """

    code: np.ndarray
    names: pd.Index

    def texts(self) -> list[str]:
        """The names as text, without blanks around."""
        return [str(name).strip() for name in self.names.tolist()]

    def empty(self) -> np.ndarray:
        """Which names are nothing but blanks."""
        if isinstance(self.names.dtype, pd.StringDtype):
            return np.asarray(self.names.str.strip().to_numpy(object) == "", bool)
        return np.array([not text for text in self.texts()], bool)


@dataclass(frozen=True)
class EdgeRows:
    """Rows of a chunk that are in order.

    Parameters
    ----------
    source, target : Named
    weight : (row,) float64
    kind, transmitter : Named, optional
    scores : dict of str to (row,) float64
        By transmitter; NaN where a row has none.
    """

    source: Named
    target: Named
    weight: np.ndarray
    kind: Named | None = None
    transmitter: Named | None = None
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)


def numbers(values: pd.Series) -> np.ndarray:
    """A column as float64, NaN where it holds no real number."""
    if values.dtype.kind == "c":  # whose imaginary part would be lost without a word
        return np.full(len(values), np.nan)
    return pd.to_numeric(values, errors="coerce").to_numpy(np.float64)


def named(values: pd.Series) -> Named:
    """A column by its different values; the code of a missing one is -1."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        # categories of rows that were left out are no names
        code = values.cat.codes.to_numpy()
        used = np.flatnonzero(np.bincount(code[code >= 0], minlength=len(values.cat.categories)))
        place = np.full(len(values.cat.categories) + 1, -1)
        place[used] = np.arange(len(used))
        return Named(place[code], values.cat.categories[used])
    code, names = pd.factorize(values)
    return Named(code, pd.Index(names))


def checked(chunk: pd.DataFrame, columns: Columns, signed: bool, path: Path, first: int) -> EdgeRows:
    """The columns of one chunk as what they are, all values in order.

    Parameters
    ----------
    chunk : DataFrame
        Its index is the place of each row below `first`.
    columns : Columns
        What its columns are called.
    signed : bool
        Whether negative weights are data (functional) or an error (anatomical).
    path : Path
        For messages.
    first : int
        Row of the file that the index 0 stands for.

    Raises
    ------
    ReaderError
        An empty name, or a weight that is no number or negative, with the row.
    """

    def refuse(bad: np.ndarray, what: str, column: str, expected: str) -> None:
        if bad.any():
            place = int(np.argmax(bad))
            value = chunk[column].astype(object).iloc[place]
            raise ReaderError(
                f"{what}: {column} = {'an empty cell' if pd.isna(value) else repr(value)}",
                where=f"{path.name}, row {first + int(chunk.index[place])}",
                expected=expected,
            )

    def ends(column: str) -> Named:
        found = named(chunk[column])
        refuse(found.code < 0, "name is missing", column, "an id or a name")
        if found.names.dtype.kind not in "iu":
            empty = found.empty()
            refuse(empty[found.code] if len(empty) else empty, "name is empty", column, "an id or a name")
        return found

    source, target = ends(columns.source), ends(columns.target)
    weight = np.ones(len(chunk))
    if columns.weight is not None:
        weight = numbers(chunk[columns.weight])
        refuse(~np.isfinite(weight), "weight is not a number", columns.weight, "a finite number")
        if not signed:
            refuse(weight < 0, "negative weight of an anatomical connection", columns.weight, "a weight >= 0")
    kind = None
    if columns.kind is not None:
        kind = named(chunk[columns.kind])
        refuse(kind.code < 0, "connection type is missing", columns.kind, "a connection type")
    scores = {name: numbers(chunk[column]) for name, column in columns.scores.items()}
    transmitter = None if columns.transmitter is None else named(chunk[columns.transmitter])
    return EdgeRows(source, target, weight, kind, transmitter, scores)
