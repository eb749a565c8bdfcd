"""The page itself: figures, tables and provenance of a run in one self-contained HTML file."""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from allometry import files
from allometry.errors import ReportError
from allometry.report.drawing import verdicts
from allometry.report.drawing.figure_file import Figure
from allometry.report.excerpt import Excerpt


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    title, note : str
        Heading and the sentence below it.
    images : sequence of path
        Figures, each with its description beside it.
    tables : mapping of str to DataFrame or Excerpt
        Tables below the figures, by title.
    """

    title: str
    note: str
    images: Sequence[str | Path] = ()
    tables: Mapping[str, pd.DataFrame | Excerpt] = field(default_factory=dict)


def render(
    path: str | Path,
    *,
    title: str,
    summary: str,
    sections: Sequence[Section],
    stores: pd.DataFrame,
    data: pd.DataFrame,
    data_note: str,
    versions: Mapping[str, Any],
    configuration: Mapping[str, Any],
) -> None:
    """Write the page to `path`; it appears when it is complete.

    Parameters
    ----------
    path : path
        The HTML file.
    title, summary : str
        Head of the page.
    sections : sequence of Section
        Body; a section without figures and tables is left out.
    stores, data : DataFrame
        Tables of all stores and of all data sets; a column `path` becomes a link.
    data_note : str
        What the tier of this run contains and what it does not.
    versions : mapping
        Packages, commit and host.
    configuration : mapping
        The whole configuration.
    """
    path = Path(path)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("allometry.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    shown = [
        {
            "title": section.title,
            "anchor": section.title.lower().replace(" ", "-"),
            "note": section.note,
            "figures": [_figure(image, path.parent) for image in section.images],
            "tables": [_table(name, table, path.parent) for name, table in section.tables.items()],
        }
        for section in sections
        if section.images or any(len(table) for table in section.tables.values())
    ]
    html = environment.get_template("page.html").render(
        title=title,
        summary=summary,
        sections=shown,
        stores=table_html(stores, path.parent),
        data=table_html(data, path.parent),
        data_note=data_note,
        versions=table_html(pd.DataFrame(versions.items(), columns=["what", "version"]), path.parent),
        configuration=yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True, width=110),
    )
    with files.writing(path, ReportError):
        files.write_text(path, html)


def _table(title: str, table: pd.DataFrame | Excerpt, folder: Path) -> dict[str, Any]:
    """A table of a section; of an excerpt also all rows, within the page."""
    if not isinstance(table, Excerpt):
        return {"title": title, "html": table_html(table, folder), "csv": None}
    text = base64.b64encode(table.whole.to_csv(index=False).encode()).decode()
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    csv = {"name": f"{name}.csv", "rows": len(table.whole), "text": text}
    return {"title": title, "html": table_html(table.shown, folder), "csv": csv}


def table_html(table: pd.DataFrame, folder: Path) -> Markup:
    """An HTML table: numbers to the right with sensible digits, the column `path` as links relative to `folder`.

    A row whose `role` is that of a baseline or a control is set apart.
    """
    head = "".join(f"<th>{escape(str(column))}</th>" for column in table.columns)
    rows = []
    for row in table.itertuples(index=False):
        mark = ' class="baseline"' if getattr(row, "role", "") in ("baseline", "control") else ""
        rows.append(
            f"<tr{mark}>" + "".join(_cell(column, value, folder) for column, value in zip(table.columns, row)) + "</tr>"
        )
    return Markup(
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cell(column: str, value: Any, folder: Path) -> str:
    if column == "verdict" and value in verdicts.SIGNS:
        return f"<td>{verdicts.badge(value)}</td>"
    if column == "path":
        return f'<td><a href="{escape(_relative(value, folder))}">{escape(str(value))}</a></td>'
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return f"<td>{escape('' if value is None else str(value))}</td>"
    if pd.isna(value):
        return '<td class="number"></td>'
    text = f"{value:,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return f'<td class="number">{text}</td>'


def _figure(image: str | Path, folder: Path) -> dict[str, Any]:
    description = Figure.load(image)
    return {
        "title": description.title,
        "caption": description.caption,
        "image": base64.b64encode(Path(image).read_bytes()).decode(),
        "links": [{"href": _relative(store, folder), "text": store} for store in description.stores],
    }


def _relative(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
