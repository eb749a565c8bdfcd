"""Edge tables in text, gzipped or in archives, in chunks of rows."""

import csv
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import lines as first_lines
from allometry.homogenize import mistaken
from allometry.homogenize.connectomes.edge_columns import Columns, check_columns


def chunks(
    path: Path,
    columns: Columns,
    chunk_rows: int,
    *,
    more: Sequence[str] = (),
    delimiter: str = ",",
    header: bool = True,
    member: str | None = None,
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Chunks of the wanted columns of a .csv, .csv.gz, or member of an archive, each with the number of its first line.

    Parameters
    ----------
    path : Path
        The table or the archive.
    columns : Columns
        What its columns are called; without a header they are named by their numbers, from 1.
    chunk_rows : int
        Rows held at a time.
    more : sequence of str
        Further columns that are wanted.
    delimiter : str
        Field separator.
    header : bool
        Whether the first line names the columns.
    member : str, optional
        File inside an archive, by its last path component.
    """
    with opened(path, member) as stream:
        yield from _chunks(stream, path, columns, list(more), delimiter, header, chunk_rows)


def opened(path: Path, member: str | None) -> IO[bytes]:
    """A table, or the member of an archive by its last path component, unpacked as it is read; nothing is extracted."""
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


def decoded(stream: IO[bytes]) -> io.TextIOWrapper:
    """The text of an opened table, in the encoding that its byte order mark says, else UTF-8."""
    head: bytes = stream.peek(4)[:4]  # type: ignore[attr-defined]  # files, gzip and members of archives all have it
    return io.TextIOWrapper(stream, encoding=first_lines.encoding(head), newline="")


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
    stream: IO[bytes],
    path: Path,
    columns: Columns,
    more: list[str],
    delimiter: str,
    header: bool,
    chunk_rows: int,
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Chunks of the wanted columns, each with the row number of its first line."""
    above = 0
    try:
        text = decoded(stream)
        names = None
        if header:
            blank = (line.split() for line in text)
            lines = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
            names = _unique(
                next((line for line in (blank if delimiter == " " else lines) if line), []), columns, more, path
            )
            above = lines.line_num or 1
        ids = columns.texts()
        # All columns are parsed, not only those asked for: otherwise pandas accepts rows with too many fields.
        reader = pd.read_csv(
            text,
            sep=r"\s+" if delimiter == " " else delimiter,
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
                check_columns(list(chunk.columns), columns, path, more)
            yield first, chunk[list(dict.fromkeys([*columns.names(), *more]))].reset_index(drop=True)
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
            expected="text in UTF-8, or in UTF-16 with a byte order mark",
            do="save it as UTF-8",
        ) from error
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise _truncated(path, error) from error


def _place(column: str) -> int | str:
    """Number of a column without a name, as pandas counts."""
    return int(column) - 1 if column.isdigit() else column


def _unique(head: list[str], columns: Columns, more: list[str], path: Path) -> list[str]:
    """Names of the columns, those that nobody asked for numbered so that none is there twice."""
    names = [cell.strip() for cell in head]
    check_columns(names, columns, path, more)
    return [name if name in (*columns.names(), *more) else f"{number} {name}" for number, name in enumerate(names)]
