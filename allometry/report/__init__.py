"""The report: figures of what a run of the workflow made, and one self-contained page that shows them."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry.report import comparisons, connectomes, contents, page, recordings, simulations

logger = logging.getLogger(__name__)


def draw(
    kind: str, figures: Mapping[str, Mapping[str, str]], images: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Draw all figures of one kind of result.

    Parameters
    ----------
    kind : {"connectomes", "recordings", "simulations", "comparisons"}
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
            window, units = options["raster_ms"], options["raster_units"]
            simulations.draw(
                paths, image, name.removeprefix("simulated_"), window_ms=window, units=units, axes=options["axes"]
            )
        else:
            comparisons.draw(paths, image)


def write_page(
    path: str | Path,
    *,
    stores: Sequence[str],
    images: Sequence[str],
    configuration: Mapping[str, Any],
    sources: Mapping[str, Mapping[str, Any]],
    unused: Sequence[str],
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
    unused : sequence of str
        Registered data sets that were not.
    """
    page.render(
        path,
        title=configuration["report"]["title"],
        summary=contents.summary(stores, sources),
        sections=contents.sections(stores, images),
        stores=contents.store_table(stores),
        data=contents.data_table(sources),
        data_note=contents.data_note(sources, unused),
        versions=contents.versions(stores),
        configuration=configuration,
    )
