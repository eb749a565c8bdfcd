"""The report: figures of what a run of the workflow made, and one self-contained page that shows them."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry.report import plots
from allometry.report.drawing.drawing import REPORT
from allometry.report.page import cards as benchmark_cards
from allometry.report.page import contents, render
from allometry.stores.storage.file_manifest import write_file_manifest

logger = logging.getLogger(__name__)


def draw(figures: Mapping[str, Mapping[str, Any]], images: Sequence[str]) -> None:
    """Draw figures, each as PNG, as SVG, its numbers as CSV, and its description as JSON.

    Parameters
    ----------
    figures : mapping
        For each figure the function of `allometry.report.figures` (`plot`), its `stores` and its `options`.
    images : sequence of path
        PNG files to write, in the order of `figures`; the other files lie beside them.
    """
    for figure, image in zip(figures.values(), images, strict=True):
        logger.info("drawing %s", image)
        drawing = plots.drawing(figure["stores"], figure["plot"], figure["options"])
        drawing.save(Path(image).with_suffix(""), (*REPORT, ".json"))


def write_cards(cards: Sequence[str], *, recovery: Sequence[str], data: Sequence[str], pages: Sequence[str]) -> None:
    """Write the benchmark cards of every comparison as JSON, with what model recovery says of them, and as pages.

    Parameters
    ----------
    cards : sequence of path
        Cards as the compare stage writes them, one file per comparison.
    recovery : sequence of path
        Scores stores of all model recoveries.
    data, pages : sequence of path
        JSON and HTML files to write, in the order of `cards`.
    """
    benchmark_cards.write_cards(cards, recovery, data, pages)


def write_page(
    path: str | Path,
    *,
    stores: Sequence[str],
    images: Sequence[str],
    configuration: Mapping[str, Any],
    sources: Mapping[str, Mapping[str, Any]],
    unused: Mapping[str, Sequence[str]],
    left_out: Mapping[str, str] | None = None,
    cards: Sequence[str] = (),
    benchmarks: str | Path | None = None,
    manifest: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the report page, and its tables as CSV in `tables` beside it.

    Parameters
    ----------
    path : path
        The HTML file.
    stores : sequence of path
        Every store of the run.
    images : sequence of path
        Every figure as PNG, with its description, its SVG and its CSV beside it.
    configuration : mapping
        The whole configuration.
    sources : mapping
        Registry entries of the data sets that were used.
    unused : mapping of sequences of str
        Registered data sets that were not: `packages` (all their files are in packages) and `elsewhere`.
    left_out : mapping of str to str, optional
        What was configured and could not be made here, and why.
    cards : sequence of path, optional
        Benchmark cards as `write_cards` writes them (JSON, each with its page beside it), to be linked.
    benchmarks : path, optional
        Folder of Snakemake's benchmark files, a folder per stage, for the minutes that each took.
    manifest : path, optional
        JSON file beside the page for the checksums of the page, of its tables, of the figures and of the cards.
    provenance : mapping, optional
        For the manifest.
    """
    started = time.time()
    made = contents.Made(stores, images, cards)
    tables = render.render(
        path,
        title=configuration["report"]["title"],
        summary=contents.summary(made, sources),
        findings=contents.lines(made),
        chain=contents.links(made, sources, benchmarks),
        sections=contents.sections(made, sources, unused, left_out or {}),
        versions=contents.versions(stores),
        configuration=configuration,
    )
    if manifest is not None:
        written = [
            Path(path),
            *tables,
            *(Path(image).with_suffix(end) for image in images for end in (*REPORT, ".json")),
            *(file for card in cards for file in (Path(card), Path(card).with_suffix(".html"))),
        ]
        write_file_manifest(manifest, written, provenance=provenance, started=started)
