"""Edge tables in text that pyarrow can read: only the wanted columns are parsed, and of ids only the different ones are objects.

It reads what is plain: one record per line, as many fields in each, numbers where numbers are to be. All else is left to
`edge_text`, which also knows how to say what is wrong.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pandas as pd

BLOCK_BYTES = 2**25  # one such block of text is held


class NotPlain(Exception):
    """The table, or the rest of it, is for another parser."""


def chunks(
    stream: IO[bytes],
    names: Sequence[str] | None,
    texts: Sequence[str],
    numbers: Sequence[str],
    delimiter: str,
    chunk_rows: int,
) -> Iterator[pd.DataFrame]:
    """Chunks of the wanted columns: texts as categories, numbers as float64.

    Parameters
    ----------
    stream : file
        A table in UTF-8, from its beginning.
    names : sequence of str or None
        Names of all columns, for the one line of names is left out; None: there is no such line, and columns are numbers from
        1.
    texts, numbers : sequence of str
        Columns that are wanted.
    delimiter : str
        Field separator.
    chunk_rows : int
        Most rows of a chunk.

    Raises
    ------
    NotPlain
        Something in the rows to come is not as it is here.
    """
    import pyarrow
    import pyarrow.csv

    wanted = list(dict.fromkeys([*texts, *numbers]))
    if names is None and not all(name.isdigit() and name != "0" for name in wanted):
        raise NotPlain
    called = {name: name if names is not None else f"f{int(name) - 1}" for name in wanted}
    types: dict[str, Any] = {called[name]: pyarrow.float64() for name in numbers}
    types |= {called[name]: pyarrow.dictionary(pyarrow.int32(), pyarrow.string()) for name in texts}
    fields = None if names is None else list(names)
    try:
        for number, block in enumerate(_blocks(stream)):
            if fields is None:
                fields = [f"f{place}" for place in range(block[: block.index(b"\n")].decode().count(delimiter) + 1)]
            if names is not None and number == 0:
                block = block[block.index(b"\n") + 1 :]
            if not block:
                continue
            table = pyarrow.csv.read_csv(
                pyarrow.BufferReader(block),
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False,
                    block_size=len(block) + 1,
                    column_names=fields,
                ),
                parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=list(called.values()),
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for batch in table.to_batches(max_chunksize=chunk_rows):
                yield _frame(batch, wanted, texts)
    except (pyarrow.ArrowException, OSError, EOFError, ValueError, zlib.error) as error:
        raise NotPlain from error


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, so many that they are a block; pyarrow itself would read 32 blocks ahead."""
    rest = b""
    while more := stream.read(BLOCK_BYTES):
        if end := more.rfind(b"\n") + 1:
            yield rest + more[:end]
            rest = more[end:]
        else:
            rest += more
        if len(rest) > BLOCK_BYTES:  # a line of that length, or lines that end otherwise
            raise NotPlain
    if rest:
        yield rest + b"\n"


def _frame(batch: Any, wanted: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    from pyarrow import compute

    frame = batch.to_pandas()
    frame.columns = pd.Index(wanted)
    for name in texts:
        different = batch.column(wanted.index(name)).dictionary
        # a quote that is not the first sign of its field means another thing to every parser
        if compute.any(compute.match_substring(different, '"')).as_py():
            raise NotPlain
        blank = different.filter(compute.equal(compute.ascii_trim(different, " \t"), ""))
        if len(blank):
            frame[name] = frame[name].cat.remove_categories(blank.to_pylist())
    return frame
