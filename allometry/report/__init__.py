"""The report: figures of what a run of the workflow made, and one self-contained page that shows them."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry.report import cards as benchmark_cards
from allometry.report import (
    comparisons,
    connectomes,
    contents,
    page,
    recordings,
    simulations,
    tuning,
)
from allometry.report.scaling import overview, statistics
from allometry.stores.storage.file_manifest import write_file_manifest

logger = logging.getLogger(__name__)


def draw(
    kind: str, figures: Mapping[str, Mapping[str, str]], images: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Draw all figures of one kind of result.

    Parameters
    ----------
    kind : {"connectomes", "recordings", "simulations", "studies", "comparisons"}
        Kind of result.
    figures : mapping
        For each figure the paths of its stores by name.
    images : sequence of path
        Files to write, in the order of `figures`.
    options : mapping
        The report part of the configuration, and the canonical `axes` by species.
    """
    for (name, paths), image in zip(figures.items(), images):
        logger.info("drawing %s", image)
        if kind == "connectomes":
            connectomes.draw(paths, image, options["axes"])
        elif kind == "recordings":
            recordings.draw(paths, image)
        elif kind == "simulations":
            if name in {f"simulated_responses_of_{run}" for run in paths}:
                tuning.draw(paths, image)
                continue
            window, units = options["raster_ms"], options["raster_units"]
            simulations.draw(
                paths, image, name.removeprefix("simulated_"), window_ms=window, units=units, axes=options["axes"]
            )
        elif kind == "studies":
            drawing = overview if name in {f"scaled_{study}" for study in paths} else statistics
            drawing.draw(paths, image)
        else:
            comparisons.draw(paths, image)


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
    manifest: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the report page.

    Parameters
    ----------
    path : path
        The HTML file.
    stores : sequence of path
        Every store of the run.
    images : sequence of path
        Every figure, with its description beside it.
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
    manifest : path, optional
        JSON file beside the page for the checksums of the page, of the figures and of the cards.
    provenance : mapping, optional
        For the manifest.
    """
    started = time.time()
    page.render(
        path,
        title=configuration["report"]["title"],
        summary=contents.summary(stores, sources),
        sections=contents.sections(stores, images, cards),
        stores=contents.store_table(stores),
        data=contents.data_table(sources),
        data_note=contents.data_note(sources, unused, left_out or {}),
        versions=contents.versions(stores),
        configuration=configuration,
    )
    if manifest is not None:
        made = [
            Path(path),
            *(file for image in images for file in (Path(image), Path(image).with_suffix(".json"))),
            *(file for card in cards for file in (Path(card), Path(card).with_suffix(".html"))),
        ]
        write_file_manifest(manifest, made, provenance=provenance, started=started)
