"""Tables of any make as rows of text: delimited text, XLSX and XLS, Parquet, Feather.

A cell is what is written in it; what it means is for the reader. Lines of comment before the table are left out, and the last of
them is the header where it has as many fields as the rows below it, as NEST and numpy write it.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allometry.errors import ReaderError
from allometry.homogenize import lines as first_lines
from allometry.homogenize import mistaken
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.options import Option, Options, choice, flag, text, text_encoding

TEXT = frozenset({".csv", ".tsv", ".txt", ".dat", ".gdf", ".ras", ".asc"})
SHEETS = frozenset({".xlsx", ".xls", ".xlsm"})
COLUMNS = frozenset({".parquet", ".pq", ".feather", ".arrow"})
SUFFIXES = TEXT | SHEETS | COLUMNS


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


OPTIONS: Options = {
    "delimiter": text(
        None, "What separates the fields of a table; null: tab, `;`, `,` or blanks, as the first line has it."
    ),
    "decimal": choice(
        None, (None, ".", ","), "Sign before the fraction of a number; null: `,` where only that can be, else `.`."
    ),
    "encoding": text_encoding("Encoding of a text; null: by its byte order mark, else UTF-8."),
    "comment": text(None, "Sign that begins a line of comment; null: `#` or `%`, in the lines before the table."),
    "skip_rows": Option(0, "a whole number from 0", _is_count, "Lines before the table that are left out."),
    "unit_row": flag(False, "Whether the line below the header holds the units of the columns."),
    "sheet": text(None, "Sheet of a workbook; null: the only one."),
}
"""How a table is written: options of every reader of tables."""

NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
LOOK = 200  # lines that are looked at for delimiter and decimal sign


@dataclass
class Rows:
    """A table.

    Parameters
    ----------
    header : list of str
        Names of the columns, or their numbers from 1.
    rows : iterator of list of str
        The rows below, with as many cells as they have.
    decimal : str
        Sign before the fraction.
    units : dict
        Unit by column, where a row says them.
    notes : dict
        What was found out.
    first : int
        Number of the first of `rows` in the file, from 1.
    """

    header: list[str]
    rows: Iterator[list[str]]
    decimal: str = "."
    units: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    first: int = 2

    def number(self, cell: str) -> float:
        """A cell as a number; NaN where it is empty. Raises ValueError."""
        plain = cell.strip()
        if not plain:
            return float("nan")
        return float(plain if self.decimal == "." else plain.replace(".", "").replace(",", "."))


def load(path: Path, options: dict[str, Any], header: bool = True) -> Rows:
    """Open a table.

    Parameters
    ----------
    path : Path
        Its ending says what it is.
    options : dict
        Those of `OPTIONS`.
    header : bool
        Whether the first row names the columns.

    Raises
    ------
    ReaderError
        It is no table, or its encoding is another one.
    """
    mistaken.refuse(path)
    suffix = path.suffix.lower()
    notes: dict[str, Any] = {}
    if suffix in COLUMNS:
        return _columns(path)
    if suffix in SHEETS:
        found = spreadsheets.read_sheet(path, options["sheet"])
        plain = iter([["" if cell is None else _cell(cell) for cell in row] for row in found])
        lines: Iterator[list[str]] = itertools.islice(plain, options["skip_rows"], None)
        commented: list[list[str]] = []
        decimal = options["decimal"] or "."
    else:
        lines, commented, decimal = _text(path, options, notes)
    lines = (row for row in lines if any(cell.strip() for cell in row))
    top = next(lines, None)
    if top is None:
        raise ReaderError("the table is empty", where=str(path), expected="a header line and rows")
    out = Rows([], lines, decimal, notes=notes)
    if header and commented and len(commented[-1]) == len(top) and all(_numeric(cell, decimal) for cell in top):
        out.header, out.rows = commented[-1], itertools.chain([top], lines)
        notes["header"] = "the last line of comment"
    elif header:
        out.header = [cell.strip() for cell in top]
    else:
        out.header, out.rows, out.first = (
            [str(number + 1) for number in range(len(top))],
            itertools.chain([top], lines),
            1,
        )
    if options["unit_row"]:
        units = next(out.rows, None)
        if units is None or len(units) != len(out.header):
            raise ReaderError(
                "there is no row of units below the header",
                where=str(path),
                expected=f"{len(out.header)} units",
                do="set `unit_row: false`",
            )
        out.units = {name: unit.strip().strip("[]()") for name, unit in zip(out.header, units)}
        out.first += 1
        notes["units_of_columns"] = out.units
    return out


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _numeric(cell: str, decimal: str) -> bool:
    try:
        Rows([], iter(()), decimal).number(cell)
    except ValueError:
        return False
    return True


def _text(
    path: Path, options: dict[str, Any], notes: dict[str, Any]
) -> tuple[Iterator[list[str]], list[list[str]], str]:
    """Rows of a text, the lines of comment before them, and the decimal sign."""
    encoding = options["encoding"] or first_lines.encoding(path)
    if encoding != (options["encoding"] or "utf-8-sig"):
        notes["encoding"] = f"{encoding}, by the byte order mark"
    try:
        with path.open(encoding=encoding, newline="") as file:
            head = list(itertools.islice(file, options["skip_rows"] + LOOK))
    except UnicodeDecodeError as error:
        raise ReaderError(
            f"the text is not {encoding.removesuffix('-sig')}: byte {error.object[error.start]:#x} at {error.start}",
            where=str(path),
            expected=f"text in {encoding.removesuffix('-sig')}",
            do="set the option `encoding`, such as latin-1 or cp1252",
        ) from error
    head = head[options["skip_rows"] :]
    signs = (options["comment"],) if options["comment"] else ("#", "%")
    before = list(itertools.takewhile(lambda line: not line.strip() or line.lstrip().startswith(signs), head))
    table = [line for line in head[len(before) :] if line.strip()]
    delimiter = options["delimiter"] or _delimiter(table)
    comments = [line.lstrip().lstrip("".join(signs)).strip() for line in before if line.strip()]
    if comments:
        notes["comment"] = comments[:20]
    commented = [[cell.strip() for cell in row] for row in _split(comments, delimiter)]
    decimal = options["decimal"] or _decimal(table, delimiter, notes)

    def rows() -> Iterator[list[str]]:
        try:
            with path.open(encoding=encoding, newline="") as file:
                lines: Iterator[str] = itertools.islice(file, options["skip_rows"] + len(before), None)
                if options["comment"]:
                    lines = (line for line in lines if not line.lstrip().startswith(signs))
                yield from _split(lines, delimiter)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ReaderError(
                f"not a readable table ({type(error).__name__}: {str(error)[:100]})",
                where=str(path),
                expected="text with rows of fields",
                do="check the file, and the options `encoding` and `delimiter`",
            ) from error

    return rows(), commented, decimal


def _split(lines: Any, delimiter: str | None) -> Iterator[list[str]]:
    if delimiter is None:
        return (line.split() for line in lines)
    if len(delimiter) > 1:
        return (line.rstrip("\r\n").split(delimiter) for line in lines)
    return csv.reader(lines, delimiter=delimiter)


def _delimiter(table: list[str]) -> str | None:
    """Sign between the fields: the first of tab, `;` and `,` that every line has; else that of the first line, else blanks."""
    for sign in "\t;,":
        if table and all(sign in line for line in table[:20]):
            return sign
    first = table[0] if table else ""
    return next((sign for sign in "\t;," if sign in first), None)


def _decimal(table: list[str], delimiter: str | None, notes: dict[str, Any]) -> str:
    if delimiter == ",":
        return "."
    cells = [cell.strip() for row in _split(io.StringIO("".join(table[1:])), delimiter) for cell in row]
    comma = any(NUMBER.fullmatch(cell) for cell in cells)
    point = any(re.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", cell) for cell in cells)
    if comma and not point:
        notes["decimal"] = "a comma, as the numbers show"
        return ","
    return "."


def _columns(path: Path) -> Rows:
    """A Parquet or Feather file, by pyarrow."""
    import pyarrow.feather  # half a second, which most tables can do without
    import pyarrow.parquet

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            found = pyarrow.parquet.read_table(path)
        else:
            found = pyarrow.feather.read_table(path, memory_map=False)
        header = [str(name) for name in found.column_names]

        def rows() -> Iterator[list[str]]:
            for batch in found.to_batches(max_chunksize=65536):
                columns = [column.to_pylist() for column in batch.columns]
                for row in zip(*columns):
                    yield ["" if cell is None else _cell(cell) for cell in row]

    except Exception as error:  # pyarrow raises what the damage makes it raise
        raise ReaderError(
            f"not a readable {path.suffix} file ({type(error).__name__}: {' '.join(str(error).split())[:100]})",
            where=str(path),
            expected="a complete file",
            do="retrieve it again",
        ) from error
    if not header:
        raise ReaderError("the table is empty", where=str(path), expected="columns")
    return Rows(header, rows(), notes={"table": f"{found.num_rows} rows of {path.suffix}"})
