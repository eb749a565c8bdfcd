"""Jobs of a coarse-grained model as a workflow makes them: networks that are observed, tables, and what the model misses."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry import stores
from allometry.scale.coarse.estimation import Observation, fit_tables, observe, read_observation, stimuli
from allometry.scale.coarse.evaluation import evaluate, scores
from allometry.scale.coarse.responses import read_tables, write_tables
from allometry.simulate.distribute.execution import Execution
from allometry.stores.storage.manifest import sources_read

PARTS = ("training", "evaluation")
Settings = Mapping[str, Any]
"""A configured coarse-grained model as plain values."""


def part_of(settings: Settings, seed: int) -> Settings:
    """What is configured of the networks that a seed is one of."""
    return next(settings[part] for part in PARTS if part in settings and seed in settings[part]["seeds"])


def conditions(settings: Settings, seed: int) -> dict[str, dict[str, float]]:
    """Stimuli of a network, by the names of their conditions."""
    return stimuli(part_of(settings, seed)["orientations_deg"])


def observe_job(
    settings: Settings,
    seed: int,
    places: Sequence[str | Path],
    execution: Execution,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Simulate the network of a seed under all its stimuli; a Spikes store for each, in their order."""
    part = part_of(settings, seed)
    duration_ms = part["duration_ms"] + part["skip_ms"]
    observe(places, settings["reduction"], seed, conditions(settings, seed), duration_ms, execution, provenance)


def table_job(
    settings: Settings,
    observed: Mapping[int, Sequence[str | Path]],
    out: str | Path,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Take the tables from networks, which are Spikes stores by seed, and write them."""
    drawn, expected = ([_read(settings, seed, of, known) for seed, of in observed.items()] for known in (True, False))
    tables = fit_tables(drawn, expected)
    given = {**(provenance or {}), **_sources(observed, out)}
    write_tables(tables, out, {"parameters": {"kind": "coarse_tables", **settings}}, given)


def evaluation_job(
    settings: Settings,
    name: str,
    tables: str | Path,
    observed: Mapping[int, Sequence[str | Path]],
    out: str | Path,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Solve networks that the tables have not seen, hold them against their simulations, and write the Scores."""
    known = read_tables(tables)
    options = {key: settings[key] for key in ("tolerance", "iterations")}
    found = [
        evaluate(_read(settings, seed, of, True), _read(settings, seed, of, False), known, **options)
        for seed, of in observed.items()
    ]
    tree = scores(found, name, {"parameters": {"kind": "coarse", **settings}})
    stores.write(tree, out, overwrite=True, provenance={**(provenance or {}), **_sources(observed, out)})


def _read(settings: Settings, seed: int, places: Sequence[str | Path], drawn: bool) -> Observation:
    shown = conditions(settings, seed)
    skip_ms = part_of(settings, seed)["skip_ms"]
    by_condition = dict(zip(shown, places, strict=True))
    return read_observation(by_condition, settings["reduction"], seed, shown, skip_ms, settings["pixel_um"], drawn)


def _sources(observed: Mapping[int, Sequence[str | Path]], out: str | Path) -> dict[str, Any]:
    read = {f"{seed} {Path(path).stem}": path for seed, places in observed.items() for path in places}
    return sources_read(read, Path(out))
