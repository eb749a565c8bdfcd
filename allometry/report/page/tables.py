"""Tables of the page: sorted and filtered in the browser, complete in print, and as CSV beside the page."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from allometry import files
from allometry.errors import ReportError
from allometry.report.drawing import verdicts
from allometry.report.excerpt import Excerpt

FEW = 8
"""Rows up to which there is nothing to filter."""
MOST_CHOICES = 12
"""Different values of a column of texts up to which they are offered to choose from."""
WIDE = 10
"""Columns from which a table is printed on its own landscape pages."""


@dataclass(frozen=True)
class Shown:
    """A table as the page has it.

    Attributes
    ----------
    title, anchor : str
        Heading and anchor.
    head, body : Markup
        Cells of the head and of the body.
    rows, columns : int
        How many the page has.
    whole : int
        Rows of the CSV file; more than `rows` where the page shows an excerpt.
    choices : list of (str, list of str)
        Columns that are filtered by choosing: number and title, and their values.
    csv : str
        Address of the CSV file, relative to the page; empty if there is none.
    """

    title: str
    anchor: str
    head: Markup
    body: Markup
    rows: int
    columns: int
    whole: int
    choices: list[tuple[int, str, list[str]]]
    csv: str

    @property
    def searchable(self) -> bool:
        """Whether there is something to filter."""
        return self.rows > FEW

    @property
    def landscape(self) -> bool:
        """Whether it is printed on landscape pages."""
        return self.columns >= WIDE


def anchor_of(title: str) -> str:
    """Name of a place on the page."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def shown(title: str, table: pd.DataFrame | Excerpt, page: Path, csv: Path | None = None) -> Shown:
    """A table as HTML; written as CSV too where a file is named.

    Parameters
    ----------
    title : str
        Its heading.
    table : DataFrame or Excerpt
        Its content: numbers to the right with sensible digits, the column `path` as links. A row whose `role` is that of a
        baseline or a control is set apart. Of an excerpt the CSV file has all rows.
    page : Path
        Folder of the page, which links are relative to.
    csv : Path, optional
        File to write.
    """
    table, whole = (table.shown, table.whole) if isinstance(table, Excerpt) else (table, table)
    names = [str(column) for column in table.columns]
    numeric = [pd.api.types.is_numeric_dtype(table[column]) and table[column].dtype != bool for column in table.columns]
    head = "".join(
        f'<th scope="col"{" class=n" if right else ""} aria-sort="none">{escape(name)}</th>'
        for name, right in zip(names, numeric)
    )
    rows = []
    for row in table.itertuples(index=False):
        mark = ' class="baseline"' if getattr(row, "role", "") in ("baseline", "control") else ""
        rows.append(f"<tr{mark}>" + "".join(_cell(name, value, page) for name, value in zip(names, row)) + "</tr>")
    if csv is not None:
        with files.writing(csv, ReportError):
            csv.parent.mkdir(parents=True, exist_ok=True)
            files.write_text(csv, whole.to_csv(index=False, lineterminator="\n"))
    return Shown(
        title,
        anchor_of(title),
        Markup(head),
        Markup("\n".join(rows)),
        len(table),
        len(names),
        len(whole),
        _choices(table, names, numeric) if len(table) > FEW else [],
        relative(str(csv), page) if csv is not None else "",
    )


def _choices(table: pd.DataFrame, names: Sequence[str], numeric: Sequence[bool]) -> list[tuple[int, str, list[str]]]:
    found = []
    for place, (name, right) in enumerate(zip(names, numeric)):
        if right or name == "path":
            continue
        values = sorted({str(value) for value in table.iloc[:, place].dropna()} - {""})
        if 2 <= len(values) <= MOST_CHOICES and len(values) < len(table) / 2 and max(map(len, values)) < 45:
            found.append((place, name, values))
    return found[:5]


def _cell(column: str, value: Any, page: Path) -> str:
    if column == "verdict" and value in verdicts.SIGNS:
        return f"<td>{verdicts.badge(value)}</td>"
    if column == "path":
        return f'<td><a href="{escape(relative(value, page))}">{escape(str(value))}</a></td>'
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return f"<td>{_breakable(escape('' if value is None else str(value)))}</td>"
    if pd.isna(value):
        return "<td class=n></td>"
    text = f"{value:,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return f"<td class=n>{text.replace('-', '−')}</td>"


def _breakable(text: str) -> str:
    """Long names may be broken behind their underscores."""
    return text.replace("_", "_<wbr>") if len(text) > 16 and " " not in text else text


def relative(path: str, page: Path) -> str:
    """Address of a file, seen from the page."""
    return Path(os.path.relpath(path, page)).as_posix()
