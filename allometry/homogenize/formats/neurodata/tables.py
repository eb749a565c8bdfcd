"""Tables of an NWB file (DynamicTable): their columns, and the rows that something else refers to."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata.session import Session
from allometry.homogenize.formats.neurodata.tree import Array, Group, array, group, plain
from allometry.homogenize.formats.nwb_tables import Table


def table(item: Group) -> Table:
    """Columns of a table, read when they are asked for."""
    columns: dict[str, Any] = {}
    for name in item.names():
        found = array(item, name)
        if found is not None and found.ndim:
            columns[name] = found
    return Table(item.where, columns)


def texts(values: npt.NDArray[Any], column: Any, session: Session) -> npt.NDArray[Any]:
    """Values of a column; numbers of a column of choices (EnumData) become the choices."""
    elements = column.links.get("elements") if isinstance(column, Array) else None
    chosen = session.root.get(elements) if elements else None
    if not isinstance(chosen, Array) or values.dtype.kind not in "iu":
        return values
    names = chosen.values().ravel()
    if values.size and (values.min() < 0 or values.max() >= names.size):
        raise ReaderError(
            f"a row names choice {int(values.max())} of {names.size}",
            where=column.where,
            expected="numbers of the choices",
            do="repair the file",
        )
    return names[values]


def column(of: Table, name: str, session: Session) -> npt.NDArray[Any]:
    """A column with one value per row: numbers as they are, text letter for letter."""
    values = texts(of.values(name), of.data[name], session)
    if values.dtype.kind in "biuf":
        return values
    return np.array(["" if value is None else str(plain(value)) for value in values.tolist()], dtype=object)


def frame(of: Table, session: Session, leave: frozenset[str] = frozenset()) -> tuple[pd.DataFrame, list[str]]:
    """Columns with one plain value per row, and the names of those that cannot be read as such."""
    out: dict[str, Any] = {}
    refused = []
    for name in of.plain():
        if name in leave:
            continue
        try:
            out[name] = column(of, name, session)
        except ReaderError:
            refused.append(name)
    names = {name for name in of.data if not name.endswith("_index")} - {"id"} - set(of.plain()) - leave
    return pd.DataFrame(out, index=pd.RangeIndex(len(of))), sorted({*refused, *names})


def region(item: Group, name: str, session: Session) -> tuple[npt.NDArray[np.int64] | None, Group | None]:
    """Rows of a table that a region refers to, and the table; None where there is no region, or its table is not known.

    Raises
    ------
    ReaderError
        The rows are none of the table.
    """
    found = array(item, name)
    if found is None:
        return None, None
    rows = found.values().ravel()
    if rows.dtype.kind not in "iu":
        raise ReaderError(f"the region is of type {rows.dtype}", where=found.where, expected="row numbers")
    of = group(session.root, found.links["table"]) if "table" in found.links else None
    rows = rows.astype(np.int64)
    if of is not None:
        size = len(table(of))
        outside = (rows < 0) | (rows >= size)
        if outside.any():
            raise ReaderError(
                f"the region names row {int(rows[outside][0])} of a table of {size}",
                where=found.where,
                expected=f"rows 0 to {size - 1} of {of.path}",
                do="repair the file",
            )
    return rows, of
