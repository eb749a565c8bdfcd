"""The jobs of a study: simulate, calibrate, and take the statistics of what was simulated."""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import files, stores
from allometry.compare.inputs.spike_trains import EVERYONE
from allometry.errors import SimulationError
from allometry.models.catalogue.records import MODELS
from allometry.models.features import FEATURE_MODELS
from allometry.scale.calibration import Settings, calibrate
from allometry.scale.features import responded
from allometry.scale.features import statistics as feature_statistics  # noqa: F401 - the same
from allometry.scale.features import trials as trial_statistics  # noqa: F401 - the same
from allometry.scale.jobs import under
from allometry.scale.statistics import activity, distance, selectivity  # noqa: F401 - register those of the package
from allometry.scale.statistics.recorded import Recorded, rates, read
from allometry.scale.statistics.records import STATISTICS
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.features import run_feature
from allometry.simulate.point import run_batch_of, run_point

_LOG = logging.getLogger("allometry")

ALL_CONDITIONS = "all"
"""Condition of a statistic that takes all of them."""


def simulate_job(
    parameters: Mapping[str, Any],
    places: Sequence[str | Path],
    execution: Execution,
    calibration: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
    fits: Sequence[str | Path] = (),
) -> None:
    """Simulate every condition of a job.

    Parameters
    ----------
    parameters : mapping
        Of the job (`jobs.Job`).
    places : sequence of path
        A Spikes store for each condition, in their order; of a feature model a Responses store.
    execution : Execution
        Where and how to run.
    calibration : path, optional
        What `calibrate_job` wrote, whose factors are taken.
    fits : sequence of path
        Fit of a feature model for each condition; none of a model that is not fitted.
    """
    if parameters["kind"] == "feature":
        for number, (point, place) in enumerate(zip(under(parameters), places, strict=True)):
            run_feature(point, place, fits[number] if fits else None, provenance, True, execution)
        return
    factors = read_json(calibration)["factors"] if calibration else {}
    given = {**parameters, "parameters": {**parameters["parameters"], **factors}}
    if given["conditions"]:
        run_batch_of(given, places, execution=execution, provenance=provenance, overwrite=True)
    else:
        run_point(given, places[0], execution=execution, provenance=provenance, overwrite=True)


def calibrate_job(
    parameters: Mapping[str, Any],
    factors: Sequence[str],
    out: str | Path,
    execution: Execution,
    reference: Sequence[str | Path] = (),
) -> None:
    """Calibrate factors so that every population has its target rate in every condition, and write what was found as JSON.

    Parameters
    ----------
    parameters : mapping
        Of the calibration (`jobs.CalibrationJob`).
    factors : sequence of str
        Free parameters of the model.
    out : path
        JSON file to write: factors, residual, whether it converged, targets and every evaluation.
    execution : Execution
        Where and how to run.
    reference : sequence of path
        Statistics of the jobs of full size, whose mean rates are the targets where the calibration names none.

    Raises
    ------
    SimulationError
        There are no positive target rates, or one is of a population or condition that is not simulated.
    """
    how = dict(parameters["calibration"])
    simulated = [entry["name"] for entry in parameters["conditions"]]
    known = how["targets"] or {
        name: rates for name, rates in _mean_rates(reference).items() if name in simulated or not simulated
    }
    targets = _targets(known, parameters)
    keys = [(condition, population) for condition, by in targets.items() for population in by]
    wanted = np.array([targets[condition][population] for condition, population in keys])

    def measured(tried: Mapping[str, float]) -> np.ndarray:
        _LOG.info("trying %s", ", ".join(f"{name} {value:.3f}" for name, value in tried.items()))
        found = [_rates_of(parameters, tried, seed, execution, Path(out).parent) for seed in parameters["seeds"]]
        _known(keys, found[0])
        return np.mean([[by[condition][population] for condition, population in keys] for by in found], axis=0)

    settings = Settings(**{key: how[key] for key in ("step", "cap", "damping", "ridge", "tolerance", "iterations")})
    found = calibrate(measured, wanted, list(factors), settings)
    said = "converged" if found.converged else "did NOT converge"
    _LOG.info("the calibration %s: residual %.3f, tolerance %g", said, found.residual, settings.tolerance)
    write_json(out, {**found.as_dict(), "targets": targets, "tolerance": settings.tolerance})


def measure_job(
    places: Mapping[str, str | Path],
    out: str | Path,
    *,
    names: Sequence[str],
    skip_ms: float,
    bin_ms: float,
    max_units: int,
    populations: Sequence[str] = (),
    model: str = "",
    stimuli: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Take the statistics of every condition of a job, and write them as JSON.

    Parameters
    ----------
    places : mapping of str to path
        Spikes store by condition.
    out : path
        JSON file to write: `values` by condition, statistic and population, null where undefined; where a correlation at a
        distance is asked for, `courses` by condition and population: `correlation` and `distance` in bins.
    names : sequence of str
        Statistics.
    skip_ms, bin_ms : float
        Warm-up that is left out, and bin of pairwise correlations, ms.
    max_units : int
        Units sampled from each population.
    populations : sequence of str
        Those that are studied; none: all of them.
    model : str
        Name of the model, which may say where its units are.
    stimuli : mapping of str to mapping, optional
        What was shown, by condition.
    """
    if model in FEATURE_MODELS:
        _measure_responses(places, out, names, populations)
        return
    columns = MODELS[model].columns if model else None
    recorded: dict[str, Recorded] = {}
    for condition, path in places.items():
        store = stores.open(path)
        assert isinstance(store, xr.Dataset)
        recorded[condition] = read(
            store,
            skip_ms=skip_ms,
            bin_ms=bin_ms,
            max_units=max_units,
            populations=populations,
            stimulus=(stimuli or {}).get(condition),
            columns=columns,
        )
    populations = list(next(iter(recorded.values())).units)
    found: dict[str, Any] = {"values": _taken(names, recorded, populations)}
    if set(names) & set(distance.BINS):
        found["courses"] = {condition: _courses(one) for condition, one in recorded.items()}
    write_json(out, found)


def _courses(recorded: Recorded) -> dict[str, dict[str, list[float | None]]]:
    """Correlation against distance of the populations that fill a lattice."""
    found = {name: distance.against_distance(recorded, name, distance.EDGES) for name in recorded.units}
    return {
        name: {"correlation": list(map(_finite, one.mean)), "distance": list(map(_finite, one.distance))}
        for name, one in found.items()
        if one is not None
    }


def _measure_responses(
    places: Mapping[str, str | Path], out: str | Path, names: Sequence[str], areas: Sequence[str]
) -> None:
    """The same of a feature model, by area, with what its fits left."""
    found = {}
    for condition, path in places.items():
        store = stores.open(path)
        assert isinstance(store, xr.Dataset)
        found[condition] = responded.read(store)
    known = next(iter(found.values())).areas
    if unknown := [name for name in areas if name not in known]:
        raise SimulationError(
            f"no area is called {unknown[0]!r}", where="populations", expected="one of " + ", ".join(known)
        )
    fits = {condition: dict(one.fit) for condition, one in found.items() if one.fit}
    write_json(out, {"values": _taken(names, found, list(areas) or known), "fits": fits})


def _taken(
    names: Sequence[str], recorded: Mapping[str, Any], populations: Sequence[str]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Statistics by condition, name and population."""
    values: dict[str, dict[str, dict[str, float | None]]] = {}
    for name in names:
        entry = STATISTICS[name]
        inputs: Mapping[str, Any] = {ALL_CONDITIONS: recorded} if entry.across else recorded
        for condition, given in inputs.items():
            found = {population: entry.function(given, population) for population in populations}
            values.setdefault(condition, {})[name] = {key: _finite(value) for key, value in found.items()}
    return values


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean_rates(reference: Sequence[str | Path]) -> dict[str, dict[str, float]]:
    """Mean rates over jobs, by condition and population, from their statistics."""
    found = [read_json(path)["values"] for path in reference]
    return {
        condition: {
            population: float(np.mean([job[condition]["rate"][population] for job in found]))
            for population in by["rate"]
            if population != EVERYONE
        }
        for condition, by in found[0].items()
        if "rate" in by
    }


def _targets(given: Mapping[str, Mapping[str, float]], parameters: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Targets without the populations that are silent at full size, whose rates no factor can be told from."""
    kept = {
        condition: {population: rate for population, rate in by.items() if rate > 0} for condition, by in given.items()
    }
    kept = {condition: by for condition, by in kept.items() if by}
    if not kept:
        raise SimulationError(
            "every population is silent at full size", where="calibration", expected="a target rate above 0"
        )
    return kept


def _known(keys: Sequence[tuple[str, str]], found: Mapping[str, Mapping[str, float]]) -> None:
    for condition, population in keys:
        if population not in found.get(condition, {}):
            known: Mapping[str, Any] = found.get(condition, found)
            raise SimulationError(
                f"nothing is simulated under {condition!r}"
                if condition not in found
                else f"there is no population {population!r}",
                where=f"calibration.targets.{condition}",
                expected="one of " + ", ".join(known),
            )


def _rates_of(
    parameters: Mapping[str, Any], factors: Mapping[str, float], seed: int, execution: Execution, beside: Path
) -> dict[str, dict[str, float]]:
    """Rates by condition and population of one simulation, whose spikes are not kept."""
    beside.mkdir(parents=True, exist_ok=True)
    given = {**parameters, "seed": seed, "parameters": {**parameters["parameters"], **factors}}
    names = [entry["name"] for entry in given["conditions"]] or ["unchanged"]
    with tempfile.TemporaryDirectory(prefix=".calibration-", dir=beside) as folder:
        places = [Path(folder) / f"{name}.zarr" for name in names]
        simulate_job(given, places, execution)
        found = {}
        for name, path in zip(names, places, strict=True):
            store = stores.open(path)
            assert isinstance(store, xr.Dataset)
            found[name] = rates(store, parameters["skip_ms"])
    return found


def read_json(path: str | Path) -> dict[str, Any]:
    """What a job of a study wrote."""
    return dict(json.loads(Path(path).read_text(encoding="utf-8")))


def write_json(path: str | Path, values: Mapping[str, Any]) -> None:
    """Write what a job of a study found; it appears when it is complete."""
    with files.writing(path, SimulationError):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        files.write_text(Path(path), json.dumps(values, indent=1, sort_keys=True) + "\n")
