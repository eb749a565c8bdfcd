"""Reading spreadsheets and delimited tables, with one clear error for each way they can be wrong."""

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import xlrd

from allometry.errors import ReaderError
from allometry.homogenize import lines as first_lines
from allometry.homogenize import mistaken

Rows = list[list[Any]]


def read_sheet(path: Path, name: str | None = None) -> Rows:
    """Read one sheet of an .xlsx or .xls file as rows of cells (str, int, float, bool or None).

    Parameters
    ----------
    path : Path
        The file; its first bytes, not its suffix, say which format it is.
    name : str, optional
        Sheet, compared without regard to case and repeated blanks; None is the only sheet of the file.

    Raises
    ------
    ReaderError
        If the file is missing, truncated or not a spreadsheet, or the sheet is missing.
    """
    if not path.is_file():
        raise ReaderError("spreadsheet is missing", where=str(path), do="run the retrieve stage")
    mistaken.refuse(path)
    with path.open("rb") as file:
        magic = file.read(8)
    try:
        # The suffix is not trusted: files are renamed more often than they are converted.
        if magic.startswith(b"PK"):
            return _read_xlsx(path, name)
        if magic.startswith(b"\xd0\xcf\x11\xe0"):
            return _read_xls(path, name)
    except ReaderError:
        raise
    except Exception as error:  # both libraries fail on damaged files in a dozen undocumented ways
        raise ReaderError(
            f"spreadsheet cannot be read ({type(error).__name__}: {error})",
            where=str(path),
            expected="a complete .xlsx or .xls file",
            do="delete the file and retrieve it again",
        ) from error
    raise ReaderError(
        "not a spreadsheet",
        where=str(path),
        expected="an .xlsx or .xls file (the first bytes are those of neither)",
        do="check the file in the registry; a saved web page is a frequent cause",
    )


def _read_xlsx(path: Path, name: str | None) -> Rows:
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # openpyxl warns of extensions that concern the looks only
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            sheet = book[_pick([s.title for s in book.worksheets], name, path)]
            return [list(row) for row in sheet.iter_rows(values_only=True)]
        finally:
            book.close()


def _read_xls(path: Path, name: str | None) -> Rows:
    with xlrd.open_workbook(path, logfile=io.StringIO(), on_demand=True) as book:
        sheet = book.sheet_by_name(_pick(book.sheet_names(), name, path))
        empty = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)
        return [[None if cell.ctype in empty else _xls_value(cell) for cell in row] for row in sheet.get_rows()]


def _xls_value(cell: Any) -> Any:
    # Booleans and error codes are integers in this format; neither may pass for a number.
    return f"#{cell.value}" if cell.ctype in (xlrd.XL_CELL_BOOLEAN, xlrd.XL_CELL_ERROR) else cell.value


def _pick(titles: list[str], name: str | None, path: Path) -> str:
    if name is None:
        if len(titles) == 1:
            return titles[0]
        raise ReaderError(f"{len(titles)} sheets, one is expected", where=path.name, expected="a file with one sheet")
    by_name = {" ".join(title.split()).casefold(): title for title in titles}
    key = " ".join(name.split()).casefold()
    if key not in by_name:
        raise ReaderError(
            f"sheet {name!r} is missing",
            where=path.name,
            expected=f"sheet {name!r} (the file has: {', '.join(titles) or 'none'})",
            do="check that the registry names the right file",
        )
    return by_name[key]


def table(rows: Rows, columns: Sequence[str], where: str) -> pd.DataFrame:
    """Rows with a header row into a DataFrame with exactly `columns` (found by name, in any order; others ignored).

    Empty rows are skipped. The index is the row number in the file, counted from 1 as spreadsheets do.
    """
    if not rows:
        raise ReaderError("table is empty", where=where, expected=f"a header with columns {', '.join(columns)}")
    header = ["" if cell is None else " ".join(str(cell).split()) for cell in rows[0]]
    places = []
    for column in columns:
        found = [i for i, name in enumerate(header) if name.casefold() == column.casefold()]
        if len(found) != 1:
            problem = "is missing" if not found else f"occurs {len(found)} times"
            raise ReaderError(
                f"column {column!r} {problem}",
                where=where,
                expected=f"columns {', '.join(columns)} (found: {', '.join(h or '(blank)' for h in header)})",
                do="check that the registry names the right file, or map the columns with the reader's options",
            )
        places.append(found[0])
    body, index = [], []
    for number, row in enumerate(rows[1:], start=2):
        cells = [row[i] if i < len(row) else None for i in places]
        if all(c is None or c == "" for c in row):
            continue
        body.append(cells)
        index.append(number)
    return pd.DataFrame(body, columns=list(columns), index=pd.Index(index, name="row"), dtype=object)


def read_delimited(path: Path, delimiter: str, comment: str | None = None, encoding: str | None = None) -> Rows:
    """Read a delimited text file, gzipped or not, as rows of str (empty cells: None), with a fixed delimiter.

    The delimiter is never guessed: `aconnectome_white_1986_A.csv` and its like break sniffing. Without an encoding, it is
    that of the byte order mark, else UTF-8, else Latin-1.
    """
    if not path.is_file():
        raise ReaderError("table is missing", where=str(path), do="run the retrieve stage")
    mistaken.refuse(path)
    raw = path.read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ReaderError(f"table cannot be unpacked ({error})", where=str(path), do="retrieve it again") from error
    marked = encoding or first_lines.encoding(raw[:4])
    if marked == "utf-8-sig" and b"\x00" in raw:
        raise ReaderError("not a text table", where=str(path), expected="delimited text (it has zero bytes)")
    try:
        text = raw.decode(marked)
    except UnicodeError as error:
        if encoding is not None:
            raise ReaderError(
                f"table is not text in {encoding} ({getattr(error, 'reason', error)})",
                where=str(path),
                expected=f"text in {encoding}",
                do="correct the option `encoding`",
            ) from error
        text = raw.decode("latin-1")
    lines = (line for line in text.splitlines() if not (comment and line.lstrip().startswith(comment)))
    try:
        return [[cell.strip() or None for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise ReaderError(
            f"table cannot be read ({error})", where=str(path), expected="a delimited text file"
        ) from error


def refuse_long_rows(rows: Rows, where: str) -> None:
    """Raise a `ReaderError` for the first row with more fields than the header: its cells are not those of their columns."""
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(rows[0]):
            raise ReaderError(
                f"the row has {len(row)} fields, the header {len(rows[0])}",
                where=f"{where}, row {number}",
                expected=f"{len(rows[0])} fields in every row",
                do="correct the file; a field with the delimiter inside needs quotes",
            )


def text_frame(data: bytes, where: str) -> pd.DataFrame:
    """A comma-separated table with a header as text, empty cells as ""; rows longer than the header are refused.

    pandas would take their first cells for an index, and shift all others by a column.
    """
    table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    if not isinstance(table.index, pd.RangeIndex):
        raise ReaderError(
            "the row has more fields than the header",
            where=f"{where}, row 2",
            expected=f"{table.shape[1]} fields in every row",
            do="correct the file; a field with the delimiter inside needs quotes",
        )
    return table


def numbers(values: pd.Series, where: str, *, allow_missing: bool = False) -> pd.Series:
    """Float64 values of a column.

    Text that is no number, an infinite number, and an empty cell or NaN (unless `allow_missing`) are errors that name
    the row.
    """
    empty = values.map(lambda v: v is None or (isinstance(v, str) and not v.strip()) or v != v)
    # A checked box is no number, although Python counts with it.
    plain = values.map(lambda v: float("nan") if v is None or isinstance(v, bool) else v)
    out = pd.to_numeric(plain, errors="coerce").astype("float64")
    bad = ~np.isfinite(out.to_numpy()) & ~(empty.to_numpy(bool) & allow_missing)
    if bad.any():
        place = int(np.argmax(bad))
        raise ReaderError(
            f"{values.name!r} is not a number: {values.iloc[place]!r}",
            where=f"{where}, row {values.index[place]}",
            expected="a finite number",
            do="correct the cell; a missing value cannot be guessed",
        )
    return out


def texts(values: pd.Series, where: str) -> pd.Series:
    """Stripped text of a column; an empty or non-text cell is an error with its row."""
    for row, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise ReaderError(
                f"{values.name!r} is not a name: {value!r}", where=f"{where}, row {row}", expected="a text cell"
            )
    return values.map(str.strip)


def number_matrix(path: Path, delimiter: str | None, *, skip_rows: int = 0) -> np.ndarray:
    """Read a text file of numbers alone as a float64 matrix; ragged rows or other text are an error that names the row."""
    if not path.is_file():
        raise ReaderError("table is missing", where=str(path), do="run the retrieve stage")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # numpy only warns of an empty file
            return np.loadtxt(path, delimiter=delimiter, skiprows=skip_rows, ndmin=2, encoding="utf-8", comments=None)
    except (ValueError, UserWarning) as error:
        raise ReaderError(
            f"table of numbers cannot be read ({error})",
            where=str(path),
            expected="the same number of numbers in each row",
            do="delete the file and retrieve it again",
        ) from error


def labelled_matrix(path: Path, sheet: str, missing: str | None = None) -> tuple[np.ndarray, list[str], list[str]]:
    """Read a sheet with names in its first row and first column.

    Parameters
    ----------
    path : Path
        Spreadsheet.
    sheet : str
        Sheet.
    missing : str, optional
        Cell text that stands for a missing value (NaN).

    Returns
    -------
    matrix : (row, column) float64
    rows, columns : list of str
    """
    where = f"{path.name}, sheet {sheet!r}"
    cells = read_sheet(path, sheet)
    while cells and all(cell is None for cell in cells[-1]):
        cells.pop()
    if len(cells) < 2:
        raise ReaderError("sheet is empty", where=where, expected="names in the first row and column, numbers between")
    columns = list(cells[0][1:])
    while columns and columns[-1] is None:
        columns.pop()
    column_names = _axis_names(columns, "column", where)
    row_names = _axis_names([row[0] if row else None for row in cells[1:]], "row", where)
    matrix = np.full((len(row_names), len(column_names)), np.nan)
    for i, row in enumerate(cells[1:]):
        for j in range(len(column_names)):
            cell = row[j + 1] if j + 1 < len(row) else None
            if missing is not None and cell == missing:
                continue
            if isinstance(cell, bool) or not isinstance(cell, int | float) or not np.isfinite(cell):
                raise ReaderError(
                    f"{row_names[i]} -> {column_names[j]} is not a number: {cell!r}",
                    where=f"{where}, row {i + 2}, column {j + 2}",
                    expected="a number" + (f" or {missing}" if missing else ""),
                )
            matrix[i, j] = cell
    return matrix, row_names, column_names


def _axis_names(names: list[Any], axis: str, where: str) -> list[str]:
    bad = [name for name in names if not isinstance(name, str) or not name.strip()]
    if bad or not names:
        raise ReaderError(f"a {axis} has no name ({bad[:1]})", where=where, expected="a name for each row and column")
    if len(set(names)) < len(names):
        raise ReaderError(f"a {axis} name occurs twice", where=where, expected="unique names")
    return [str(name) for name in names]
