"""Run one configured comparison: read its stores, call the function of its kind, write the Scores."""

import importlib
import logging
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from allometry import stores
from allometry.compare import card
from allometry.compare.kinds import module_of
from allometry.compare.result import Result

logger = logging.getLogger(__name__)


def run(
    options: Mapping[str, Any],
    paths: Mapping[str, str],
    out: str | Path,
    *,
    cards: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Compute a comparison and write it as a Scores store.

    Parameters
    ----------
    options : mapping
        The comparison as configured: `kind`, `seed`, and what its function takes.
    paths : mapping
        Path of every store that is read, by name.
    out : path
        The Scores store.
    cards : path, optional
        JSON file for the benchmark cards.
    provenance : mapping, optional
        Passed to the manifest.

    Raises
    ------
    ComparisonError
        The stores cannot be compared as asked.
    """
    started = time.perf_counter()
    given = dict(options)
    kind = given.pop("kind")
    # Imported by name, so that editing one kind does not rerun the others.
    function: Callable[..., Result] = getattr(importlib.import_module(module_of(kind)), kind)
    inputs = {name: stores.open(path) for name, path in paths.items()}
    logger.info("comparing %d stores: %s", len(inputs), kind)
    result = function(inputs, **given)
    roots = [store.attrs for store in inputs.values()]
    tree = stores.scores(
        result.rows,
        result.curves,
        attrs={
            "title": result.title,
            "species": _joined(attrs["species"] for attrs in roots),
            "citation": _joined(attrs["citation"] for attrs in roots),
            "licence": _joined(attrs["licence"] for attrs in roots),
            "source": {
                f"{name}.zarr": stores.read_manifest(path)["content"]["content_sha256"]
                for name, path in sorted(paths.items())
            },
            "parameters": dict(options),
            "derived": result.derived,
            "seed": int(given["seed"]),
        },
    )
    if cards is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        cost = {"seconds": round(time.perf_counter() - started, 2), "peak_mib": round(peak, 1)}
        card.write(cards, tree, cost)
    # last, since its manifest has the checksum of the cards
    stores.write(tree, out, provenance=provenance, beside=[Path(cards)] if cards is not None else [])
    logger.info("wrote %s: %d rows", out, len(result.rows))


def _joined(texts: Any) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
