"""Runs of feature models: where their fits lie, and what each of them is of, for the rules of the simulate stage."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from allometry import config as configuration
from allometry.config import Config
from allometry.config.features import FeatureRun
from allometry.models.features.registry import fitted_by
from allometry.pathnames import part, shortened


def feature_runs(cfg: Config) -> dict[str, FeatureRun]:
    """Configured runs of feature models by name."""
    return {name: run for name, run in cfg.simulate.runs.items() if isinstance(run, FeatureRun)}


def names(cfg: Config) -> str:
    """Expression for their names; it matches nothing where there are none."""
    return "|".join(feature_runs(cfg)) or "(?!)"


def fit_of(parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Name of the fit of a point, and what determines it; None of a model that is not fitted.

    Parameters
    ----------
    parameters : mapping
        Of the point: `model`, `parameters` and `seed`.
    """
    decided = fitted_by(parameters["model"], parameters["parameters"])
    if decided is None:
        return None
    determined = {"model": parameters["model"], "parameters": decided, "seed": parameters["seed"]}
    digest = hashlib.sha256(json.dumps(determined, sort_keys=True).encode()).hexdigest()[:8]
    given = [f"{key}{part(str(parameters['parameters'][key]))}" for key in decided if key in parameters["parameters"]]
    return f"{shortened('_'.join([*given, 's' + str(parameters['seed'])]))}_{digest}", determined


def fit_files(cfg: Config, run: str, point: str) -> list[str]:
    """Path of the fit that a point reads; empty of a model that is not fitted."""
    entry = next(one for one in configuration.points(cfg.simulate.runs[run]) if one.name == point)
    found = fit_of(entry.parameters)
    return [fit_file(run, found[0])] if found else []


def fit_file(run: str, fit: str) -> str:
    """Path of a fit."""
    return f"results/simulated/{run}/{fit}.fit.json"


def fits(cfg: Config, run: str) -> dict[str, dict[str, Any]]:
    """All fits of a run by name, with what determines each."""
    found = (fit_of(point.parameters) for point in configuration.points(cfg.simulate.runs[run]))
    return dict(one for one in found if one is not None)
