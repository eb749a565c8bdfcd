"""Edge tables in Parquet and Feather, in batches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.connectomes.edge_columns import Columns, check_columns

SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")


def chunks(
    path: Path, columns: Columns, chunk_rows: int, *, more: Sequence[str] = ()
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Chunks of the wanted columns, each with the number of its first row, from 1.

    Parameters
    ----------
    path : Path
        A Parquet or Feather (version 2) file; told apart by its first bytes.
    columns : Columns
        What its columns are called. Ids are integers or text.
    chunk_rows : int
        Most rows held at a time; a batch of a Feather file is read whole.
    more : sequence of str
        Further columns that are wanted.
    """
    import pyarrow

    wanted = list(dict.fromkeys([*columns.names(), *more]))
    try:
        names, batches = _open(path, wanted, chunk_rows)
        check_columns(names, columns, path, more)
        first = 1
        for batch in batches:
            for start in range(0, batch.num_rows, chunk_rows):
                part = batch.slice(start, chunk_rows)
                yield first, _frame(part, columns, path, first)
                first += part.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise ReaderError(
            f"table cannot be read ({type(error).__name__}: {str(error)[:120]})",
            where=str(path),
            expected="a complete Parquet or Feather file",
            do="delete the file and retrieve it again",
        ) from error


def frame(path: Path, wanted: Sequence[str] | None = None) -> pd.DataFrame:
    """A small table whole, such as one of nodes: integers and text as text, so that ids meet those of the edges."""
    import pyarrow

    try:
        names, batches = _open(path, wanted, 2**20)
        absent = [name for name in wanted or () if name not in names]
        if absent:
            raise ReaderError(
                f"column {absent[0]!r} is missing",
                where=path.name,
                expected=f"columns {', '.join(wanted or ())} (the table has: {', '.join(names[:20])})",
            )
        parts = [pd.DataFrame({name: _texts(batch.column(name)) for name in wanted or names}) for batch in batches]
    except (pyarrow.ArrowException, OSError) as error:
        raise ReaderError(
            f"table cannot be read ({type(error).__name__}: {str(error)[:120]})",
            where=str(path),
            expected="a complete file",
        ) from error
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(wanted or names))


def _open(path: Path, wanted: Sequence[str] | None, chunk_rows: int) -> tuple[list[str], Iterator[Any]]:
    """Names of all columns, and batches of the wanted ones."""
    import pyarrow
    import pyarrow.parquet

    mistaken.refuse(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        file_ = pyarrow.parquet.ParquetFile(path)
        names = list(file_.schema_arrow.names)
        chosen = [name for name in wanted if name in names] if wanted is not None else names
        return names, file_.iter_batches(batch_size=chunk_rows, columns=chosen)
    if magic == b"FEA1":
        raise ReaderError(
            "this is a Feather file of version 1",
            where=str(path),
            expected="version 2",
            do="write it again with pyarrow",
        )
    source = pyarrow.memory_map(str(path))
    names = list(pyarrow.ipc.open_file(source).schema.names)
    chosen = [name for name in wanted if name in names] if wanted is not None else names
    # only the columns asked for are unpacked
    options = pyarrow.ipc.IpcReadOptions(included_fields=[names.index(name) for name in chosen])
    reader = pyarrow.ipc.open_file(source, options=options)
    return names, (reader.get_batch(number) for number in range(reader.num_record_batches))


def _frame(batch: Any, columns: Columns, path: Path, first: int) -> pd.DataFrame:
    import pyarrow.types as types

    out = {}
    for name in batch.schema.names:
        values = batch.column(name)
        if name in (columns.source, columns.target) and (values.null_count or types.is_floating(values.type)):
            at = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
            raise ReaderError(
                f"name is missing: {name}" if values.null_count else f"ids are numbers with a point: {name}",
                where=f"{path.name}, row {first + at}",
                expected="an id (a whole number or text) in every row",
            )
        if types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        named = name in (columns.kind, columns.transmitter) or (
            name in columns.texts() and not types.is_integer(values.type)
        )
        if named and not _is_text(values.type):
            values = values.cast("string")
        # of text, only the different ones become objects
        out[name] = (values.dictionary_encode() if _is_text(values.type) else values).to_pandas()
    return pd.DataFrame(out)


def _is_text(type_: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(type_) or types.is_large_string(type_))


def _texts(values: Any) -> list[Any]:
    """Cells of a column as text, None where there is none; lists (positions) as `[x, y, z]`."""
    return [None if cell is None or cell != cell else str(cell) for cell in values.to_pylist()]
