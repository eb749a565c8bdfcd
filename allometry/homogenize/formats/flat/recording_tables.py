"""Traces in a table: a column per ROI with a column of time stamps, or a row per ROI with a column of names."""

from array import array
from pathlib import Path
from typing import Any

import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize.formats.content import Content
from allometry.homogenize.formats.flat.rows import Rows
from allometry.homogenize.formats.flat.rows import load as rows_of
from allometry.homogenize.traces.timebase import UNITS

SAME_UNIT = frozenset({"", "1", "-", "none", "au", "a.u."})


def load(path: Path, own: dict[str, Any]) -> Content:
    """Read a table; its cells are taken as they are written, names included.

    Parameters
    ----------
    path : Path
        Delimited text, XLSX, Parquet or Feather.
    own : dict
        Options `time`, `labels`, `orientation`, `header`, and those of `rows`.

    Raises
    ------
    ReaderError
        A cell is no number, a row has too many or too few, or the first line would be lost as a header.
    """
    table = rows_of(path, own, own["header"])
    names, place = table.header, "row {} below the header" if own["header"] else "row {}"
    if own["header"] and all(is_number(name, table) for name in names) and not all(name.isdigit() for name in names):
        raise ReaderError(
            what=f"The first line has numbers only ({', '.join(names[:4])}, ...): it would be lost as a header.",
            where=str(path),
            expected="a line with the names of the columns",
            do="set the option `header: false`; the columns are then named by their numbers, from 1",
        )
    by_roi = own["orientation"] == "roi"
    wanted = str(own["labels"] if by_roi else own["time"])
    if names.count(wanted) > 1:
        raise ReaderError(f"column {wanted!r} occurs {names.count(wanted)} times", where=str(path), expected="once")
    special = names.index(wanted) if wanted in names else 0 if by_roi else None
    values, texts = array("d"), []
    for number, row in enumerate(table.rows, start=1):
        where = f"{path}: {place.format(number)}"
        if len(row) != len(names):
            raise ReaderError(
                what=f"The row has {len(row)} fields, the first line {len(names)}.",
                where=where,
                expected=f"{len(names)} fields in every row",
                do="correct the file; a missing value is an empty field",
            )
        if special is not None:
            texts.append(row[special].strip())
            row = [*row[:special], *row[special + 1 :]]
        values.extend(_floats(row, names, special, where, table))
    columns = len(names) - (special is not None)
    matrix = np.array(values).reshape(-1, columns) if columns else np.empty((len(texts), 0))
    if by_roi:
        notes = {**table.notes, "labels_from": names[special or 0]}
        across = _across(names, special, table)
        if across is not None:
            notes["time_from"] = f"the header line, whose column of names is called {names[special or 0]!r}"
        return Content(matrix.T, across, texts, None, notes, time_first=True)
    time = None if special is None else np.array([_stamp(cell, table) for cell in texts], dtype=object)
    named = [name for at, name in enumerate(names) if at != special]
    notes = {**table.notes, "labels_from": "header line" if own["header"] else "numbers of the columns"}
    units = {table.units[name] for name in named if table.units.get(name, "").lower() not in SAME_UNIT}
    stamps = table.units.get(names[special], "") if special is not None else ""
    return Content(
        matrix,
        time,
        named,
        None,
        notes,
        time_first=True,
        time_unit=stamps if stamps in UNITS else None,
        units=units.pop() if len(units) == 1 else None,
    )


TIMES = frozenset({"time", "times", "t", "time_s", "t_s", "seconds"})


def _across(names: list[str], special: int | None, table: Rows) -> np.ndarray | None:
    """Time stamps in the header of a table with a row per ROI: increasing numbers beside a name of a time."""
    others = [name for at, name in enumerate(names) if at != special]
    if names[special or 0].strip().lower() not in TIMES or not all(is_number(name, table) for name in others):
        return None
    stamps = np.array([table.number(name) for name in others])
    return stamps.astype(object) if stamps.size > 1 and (np.diff(stamps) > 0).all() else None


def _stamp(cell: str, table: Rows) -> str:
    """A time stamp with a point before its fraction; a date stays as it is."""
    return cell.replace(",", ".") if table.decimal == "," and is_number(cell, table) else cell


def _floats(row: list[str], names: list[str], special: int | None, where: str, table: Rows) -> list[float]:
    try:
        return [table.number(cell) for cell in row]
    except ValueError as error:
        at = next(at for at, cell in enumerate(row) if not is_number(cell, table))
        column = names[at + (special is not None and at >= special)]
        raise ReaderError(
            what=f"{row[at][:40]!r} is not a number.",
            where=f"{where}, column {column!r}",
            expected="numbers below the header; an empty cell is a missing value",
            do="correct the file; a row of units needs `unit_row: true`, a decimal comma `decimal: ','`",
        ) from error


def is_number(cell: str, table: Rows) -> bool:
    """Whether a cell is a number, or empty."""
    try:
        table.number(cell)
    except ValueError:
        return False
    return True
