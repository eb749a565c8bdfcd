"""Edge tables in text, gzipped or in archives, in chunks of rows."""

import contextlib
import csv
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import lines as first_lines
from allometry.homogenize import mistaken
from allometry.homogenize.connectomes import edge_csv
from allometry.homogenize.connectomes.edge_columns import Columns, check_columns


def chunks(
    path: Path,
    columns: Columns,
    chunk_rows: int,
    *,
    more: Sequence[str] = (),
    more_texts: Sequence[str] = (),
    delimiter: str = ",",
    header: bool = True,
    member: str | None = None,
    encoding: str | None = None,
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
    more, more_texts : sequence of str
        Further columns that are wanted, of numbers and of text.
    delimiter : str
        Field separator.
    header : bool
        Whether the first line names the columns.
    member : str, optional
        File inside an archive, by its last path component.
    encoding : str, optional
        Of the text; by its byte order mark, else UTF-8, where none is given.
    """
    table = _Table(path, columns, list(more), list(more_texts), delimiter, header, member, encoding)
    yield from table.chunks(chunk_rows)


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


def decoded(stream: IO[bytes], encoding: str | None = None) -> io.TextIOWrapper:
    """The text of an opened table, in its encoding, which is what its byte order mark says, else UTF-8, where none is given."""
    return io.TextIOWrapper(stream, encoding=encoding or _marked(stream), newline="")


def _marked(stream: IO[bytes]) -> str:
    head: bytes = stream.peek(4)[:4]  # type: ignore[attr-defined]  # files, gzip and members of archives all have it
    return first_lines.encoding(head)


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


@dataclass
class _Table:
    """A table, and what is wanted of it."""

    path: Path
    columns: Columns
    more: list[str]
    more_texts: list[str]
    delimiter: str
    header: bool
    member: str | None
    encoding: str | None

    def chunks(self, chunk_rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
        """Chunks with the row number of their first line: by pyarrow as far as it goes, the rest by pandas."""
        try:
            with opened(self.path, self.member) as stream:
                encoding = self.encoding or _marked(stream)
                text = decoded(stream, encoding)
                names, above = self._head(text) if self.header else (None, 0)
                done = 0
                if encoding == "utf-8-sig" and self.delimiter != " " and above <= 1:
                    with contextlib.suppress(edge_csv.NotPlain), opened(self.path, self.member) as again:
                        for chunk in self._fast(again, names, chunk_rows):
                            yield above + 1 + done, chunk
                            done += len(chunk)
                        return
                yield from self._slow(text, names, above, done, chunk_rows)
        except pd.errors.EmptyDataError:
            return
        except ReaderError:
            raise
        except pd.errors.ParserError as error:
            if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
                raise ReaderError(
                    f"the row has {found[3]} fields, those before {found[1]}",
                    where=f"{self.path.name}, row {int(found[2]) + above}",
                    expected=f"{found[1]} fields in every row",
                    do="correct the file; a field with the delimiter inside needs quotes",
                ) from error
            raise _truncated(self.path, error) from error
        except UnicodeError as error:
            named = "UTF-8" if encoding == "utf-8-sig" else encoding
            raise ReaderError(
                f"table is not text in {named} ({getattr(error, 'reason', error)})",
                where=str(self.path),
                expected=f"text in {named}",
                do="set the option `encoding`, such as latin-1 or cp1252, or save it as UTF-8",
            ) from error
        except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
            raise _truncated(self.path, error) from error

    @property
    def _wanted(self) -> list[str]:
        return list(dict.fromkeys([*self.columns.names(), *self.more, *self.more_texts]))

    def _head(self, text: io.TextIOWrapper) -> tuple[list[str], int]:
        """Names of the columns, those that nobody asked for numbered so that none is there twice; and lines that were read."""
        blank = (line.split() for line in text)
        lines = csv.reader(text, delimiter=self.delimiter, skipinitialspace=True)
        head = next((line for line in (blank if self.delimiter == " " else lines) if line), [])
        names = [cell.strip() for cell in head]
        check_columns(names, self.columns, self.path, [*self.more, *self.more_texts])
        named = [name if name in self._wanted else f"{number} {name}" for number, name in enumerate(names)]
        return named, lines.line_num or 1

    def _fast(self, stream: IO[bytes], names: list[str] | None, chunk_rows: int) -> Iterator[pd.DataFrame]:
        texts = list(dict.fromkeys([*self.columns.texts(), *self.more_texts]))
        numbers = [name for name in self._wanted if name not in texts]
        return edge_csv.chunks(stream, names, texts, numbers, self.delimiter, chunk_rows)

    def _slow(
        self, text: io.TextIOWrapper, names: list[str] | None, above: int, done: int, chunk_rows: int
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """Chunks from the row `done` on; `text` stands behind the line of names."""
        ids = [*self.columns.texts(), *self.more_texts]
        # All columns are parsed, not only those asked for: otherwise pandas accepts rows with too many fields.
        reader = pd.read_csv(
            text,
            sep=r"\s+" if self.delimiter == " " else self.delimiter,
            header=None,
            names=names,
            dtype=dict.fromkeys(ids if self.header else map(_place, ids), str),
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
                    where=f"{self.path.name}, row {first}",
                    expected=f"{len(chunk.columns)} fields in every row",
                    do="correct the file; a field with the delimiter inside needs quotes",
                )
            if not self.header:
                chunk.columns = pd.Index([str(number) for number in range(1, len(chunk.columns) + 1)])
                check_columns(list(chunk.columns), self.columns, self.path, [*self.more, *self.more_texts])
            new = max(0, done - (first - above - 1))
            if new < len(chunk):
                yield first + new, chunk[self._wanted].iloc[new:].reset_index(drop=True)
            first += len(chunk)


def _place(column: str) -> int | str:
    """Number of a column without a name, as pandas counts."""
    return int(column) - 1 if column.isdigit() else column
