"""Numbers of a figure as a CSV file."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from allometry.report.drawing.numbers import Piece, pieces, table_of

LISTED = 10_000
"""Entries of a matrix up to which a CSV lists them one by one."""


def as_csv(figure: Figure) -> str:
    """The numbers of a figure as CSV: six significant digits, nothing for what is missing.

    A matrix of more than `LISTED` entries is not listed entry by entry, which would be tens of megabytes: each of its rows is
    a row of the table, with the name in `y_name` and all its entries in `values`, separated by semicolons. The names of its
    columns come before, in a row whose mark is `columns`.
    """
    found = [piece for piece in pieces(figure) if piece.size]
    large = [piece for piece in found if piece.mark.startswith("matrix") and piece.size > LISTED]
    numbers = table_of([piece for piece in found if piece not in large])
    columns = [_texts(numbers[name].to_numpy()) for name in numbers]
    names = [str(name) for name in numbers.columns]
    if not large:
        lines = [",".join(names), *map(",".join, zip(*columns, strict=True))]
        return "\n".join(lines) + "\n"
    for needed in ("series", "y_name"):
        if needed not in names:
            names.append(needed)
            columns.append([""] * len(numbers))
    lines = [",".join([*names, "values"]), *(",".join(row) + "," for row in zip(*columns, strict=True))]
    for piece in large:
        for mark, name, values in _rows(piece):
            cells = {"panel": piece.panel, "mark": mark, "series": piece.series, "y_name": name}
            lines.append(",".join([*(_quoted(cells.get(key, "")) for key in names), _quoted(values)]))
    return "\n".join(lines) + "\n"


def _rows(piece: Piece) -> Iterator[tuple[str, str, str]]:
    """Mark, name and entries of the rows of a large matrix."""
    height, width = piece.shape
    x, y = (piece.columns[axis].astype(int) for axis in "xy")
    texts = np.full((height, width), "", dtype=object)
    texts[y, x] = _texts(piece.columns["value"])
    named: dict[str, npt.NDArray[Any]] = {}
    for axis, index, size in (("x", x, width), ("y", y, height)):
        names = np.array([str(place) for place in range(size)], dtype=object)
        if f"{axis}_name" in piece.columns:
            names[index] = piece.columns[f"{axis}_name"]
        named[axis] = names
    yield "columns", "", ";".join(named["x"].tolist())
    for name, row in zip(named["y"].tolist(), texts.tolist()):
        yield "row of a matrix", str(name), ";".join(row)


def _texts(values: npt.NDArray[Any]) -> list[str]:
    """Cells of a column; equal values are formatted once."""
    if values.dtype == object:
        known = {value: _quoted(str(value)) for value in set(values.tolist())}
        return [known[value] for value in values.tolist()]
    different, place = np.unique(values, return_inverse=True)
    formatted = np.array(["" if np.isnan(value) else f"{value:.6g}" for value in different.tolist()], dtype=object)
    return list(formatted[place]) if len(different) else []


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text
