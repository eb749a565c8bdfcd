"""Edge tables in text that pyarrow can read: several times faster than by pandas, and of ids only the different ones are objects.

It reads what is plain: one record per line, as many fields in each, numbers where numbers are to be. All else is left to
`edge_text`, which also knows how to say what is wrong.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pandas as pd

BLOCK_BYTES = 2**26


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
    try:
        reader = pyarrow.csv.open_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                skip_rows=0 if names is None else 1,
                column_names=None if names is None else list(names),
                autogenerate_column_names=names is None,
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(called.values()),
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        for batch in reader:
            for start in range(0, batch.num_rows, chunk_rows):
                frame = batch.slice(start, chunk_rows).to_pandas()
                frame.columns = pd.Index(wanted)
                for name in texts:
                    # a quote that is not the first sign of its field means another thing to every parser
                    different = [str(value) for value in frame[name].cat.categories]
                    if any('"' in value for value in different):
                        raise NotPlain
                    if blank := [value for value in different if not value.strip(" \t")]:
                        frame[name] = frame[name].cat.remove_categories(blank)
                yield frame
    except (pyarrow.ArrowException, OSError, EOFError, ValueError, zlib.error) as error:
        raise NotPlain from error
