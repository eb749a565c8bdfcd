"""The page itself: findings, chain, figures, tables and provenance of a run in one self-contained HTML file."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml
from PIL import Image

from allometry import files
from allometry.errors import ReportError
from allometry.report.drawing.drawing import REPORT, Description
from allometry.report.drawing.verdicts import badge
from allometry.report.excerpt import Excerpt
from allometry.report.page.chain import Stage, in_words
from allometry.report.page.tables import Shown, anchor_of, relative, shown

DPI = 96
"""Pixels per inch of a screen, by which images are shown in the size that they were drawn for."""
THUMBNAIL = 300
"""Width of a small image in pixels; it is shown at half of it."""


@dataclass(frozen=True)
class Gallery:
    """One figure large, others small and linked to their full images.

    Attributes
    ----------
    large : path
        The figure that is shown in full.
    small : sequence of path
        The others.
    """

    large: str | Path
    small: Sequence[str | Path] = ()


@dataclass(frozen=True)
class Part:
    """Part of a section.

    Attributes
    ----------
    title, note : str
        Heading, which may be empty, and the sentence below it.
    figures : sequence of path or Gallery
        Images, each with its description beside it.
    tables : mapping of str to DataFrame or Excerpt
        Tables below the figures, by title.
    """

    title: str = ""
    note: str = ""
    figures: Sequence[str | Path | Gallery] = ()
    tables: Mapping[str, pd.DataFrame | Excerpt] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """What one stage made.

    Attributes
    ----------
    title, anchor, note : str
        Heading, place on the page, and the sentence below the heading.
    parts : sequence of Part
        Its content; a section without figures and tables is left out.
    """

    title: str
    anchor: str
    note: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Line:
    """A finding.

    Attributes
    ----------
    text, verdict : str
        What was found, and the verdict as stored.
    figure : str
        Name of the figure that shows it; empty if none does.
    card : str
        Address of its benchmark cards, relative to the page; empty if there are none.
    """

    text: str
    verdict: str
    figure: str = ""
    card: str = ""


def render(
    path: str | Path,
    *,
    title: str,
    summary: str,
    findings: Sequence[Line],
    chain: Sequence[Stage],
    sections: Sequence[Section],
    versions: Mapping[str, Any],
    configuration: Mapping[str, Any],
) -> list[Path]:
    """Write the page to `path`, and its tables as CSV beside it; the page appears when it is complete.

    Parameters
    ----------
    path : path
        The HTML file.
    title, summary : str
        Head of the page.
    findings : sequence of Line
        First part of the page.
    chain : sequence of Stage
        Second part.
    sections : sequence of Section
        Body.
    versions : mapping
        Packages, commit and host.
    configuration : mapping
        The whole configuration.

    Returns
    -------
    list of Path
        The tables.
    """
    path = Path(path)
    tables: list[Path] = []
    body = [made for section in sections if (made := _section(section, path.parent, tables))["parts"]]
    html = (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            summary=summary,
            findings=findings,
            chain=chain,
            chain_in_words=in_words(chain),
            sections=body,
            anchors={section["anchor"] for section in body} | {"provenance"},
            versions=shown("Versions", pd.DataFrame(versions.items(), columns=["what", "version"]), path.parent),
            configuration=yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True, width=110),
        )
    )
    with files.writing(path, ReportError):
        files.write_text(path, html)
    return tables


def environment() -> jinja2.Environment:
    """Templates of the report's pages."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("allometry.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"badge": badge}
    return made


def _section(section: Section, folder: Path, tables: list[Path]) -> dict[str, Any]:
    parts = []
    for part in section.parts:
        listed = {name: table for name, table in part.tables.items() if len(table)}
        if not part.figures and not listed:
            continue
        parts.append(
            {
                "title": part.title,
                "anchor": f"{section.anchor}-{anchor_of(part.title)}" if part.title else "",
                "note": part.note,
                "figures": [_figure(item, folder) for item in part.figures],
                "tables": [_table(name, table, folder, tables) for name, table in listed.items()],
            }
        )
    return {"title": section.title, "anchor": section.anchor, "note": section.note, "parts": parts}


def _table(title: str, table: pd.DataFrame | Excerpt, folder: Path, written: list[Path]) -> Shown:
    written.append(folder / "tables" / f"{anchor_of(title).replace('-', '_')}.csv")
    return shown(title, table, folder, written[-1])


def _figure(item: str | Path | Gallery, folder: Path) -> dict[str, Any]:
    if isinstance(item, Gallery):
        return {**_image(item.large, folder), "small": [_thumbnail(image, folder) for image in item.small]}
    return {**_image(item, folder), "small": []}


def _image(image: str | Path, folder: Path) -> dict[str, Any]:
    """What the page shows of a figure."""
    path = Path(image)
    described = Description.load(path)
    with Image.open(path) as opened:
        width, height = opened.size
        dpi = float(opened.info.get("dpi", (DPI, DPI))[0])
    return {
        "name": path.stem,
        "title": described.title,
        "caption": described.caption,
        "alternative": described.alternative,
        "image": base64.b64encode(path.read_bytes()).decode(),
        "width": round(width * DPI / dpi),
        "height": round(height * DPI / dpi),
        "files": [{"href": relative(str(path.with_suffix(end)), folder), "text": end[1:].upper()} for end in REPORT],
        "links": [{"href": relative(store, folder), "text": store} for store in described.stores],
        "command": described.command(f"{path.stem}.svg"),
        "call": described.call(),
    }


def _thumbnail(image: str | Path, folder: Path) -> dict[str, Any]:
    """A small image of the core of a figure, linked to all of it."""
    path = Path(image)
    described = Description.load(path)
    with Image.open(path) as opened:
        left, upper, right, lower = described.core
        width, height = opened.size
        cut = opened.convert("RGB").crop(
            (round(left * width), round(upper * height), round(right * width), round(lower * height))
        )
    cut.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    stream = io.BytesIO()
    cut.quantize(64).save(stream, "png")
    return {
        "name": path.stem,
        "title": described.title.partition(": ")[2] or described.title,
        "alternative": described.alternative,
        "image": base64.b64encode(stream.getvalue()).decode(),
        "width": cut.width // 2,
        "height": cut.height // 2,
        "href": relative(str(path), folder),
        "files": [
            {"href": relative(str(path.with_suffix(end)), folder), "text": end[1:].upper()} for end in REPORT[1:]
        ],
        "command": described.command(f"{path.stem}.svg"),
    }
