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
            values = pd.to_numeric(chunk[name], errors="coerce").to_numpy(float)
            require(values >= number, f"{name} below {number:g}")
        for name, wanted in self.only.items():
            require(chunk[name].astype(str).isin(list(wanted)).to_numpy(), f"{name} is another")
        if self.no_nodes:
            outside = [
                chunk[name].astype(str).isin(list(self.no_nodes)).to_numpy()
                for name in (columns.source, columns.target)
            ]
            require(~(outside[0] | outside[1]), f"an end is {', '.join(self.no_nodes)}")
        return chunk if keep.all() else chunk[keep]


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


def checked(chunk: pd.DataFrame, columns: Columns, signed: bool, path: Path, first: int) -> pd.DataFrame:
    """Columns source, target, kind, weight of one chunk, the others as they are.

    Parameters
    ----------
    chunk : DataFrame
        Its index is kept: the place of each row below `first`.
    columns : Columns
        What its columns are called.
    signed : bool
        Whether negative weights are data (functional) or an error (anatomical).
    path : Path
        For messages.
    first : int
        Row of the file that the index 0 stands for.
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

    out = pd.DataFrame(index=chunk.index)
    for role, column in (("source", columns.source), ("target", columns.target)):
        values = chunk[column]
        if values.dtype.kind in "iu":
            out[role] = values
            continue
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
    if columns.transmitter is not None:
        out["transmitter"] = chunk[columns.transmitter].fillna("").astype(str).str.strip()
    for name, column in columns.scores.items():
        out[f"score {name}"] = pd.to_numeric(chunk[column], errors="coerce").astype(np.float64)
    return out
