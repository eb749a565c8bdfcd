"""Conditions of a model that a configuration names: what they change of its network, and of its stimulus."""

import hashlib
from collections.abc import Mapping
from typing import Any

from allometry.errors import SimulationError
from allometry.hints import hint
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.records import MODELS
from allometry.models.registry import build
from allometry.network import Condition
from allometry.network.conditions import condition_of
from allometry.network.inputs import Input


def model_condition(
    model: str,
    parameters: Mapping[str, Any],
    name: str,
    settings: Mapping[str, Any],
    connectome: Any = None,
    *,
    seed: int = 1,
    fitted: Fit | None = None,
) -> Condition:
    """Build a condition of a model from an entry of a configuration.

    Parameters
    ----------
    model : str
        Name of the model.
    parameters : mapping
        Arguments of its builder.
    name : str
        Name of the condition.
    settings : mapping
        As `network.conditions.condition_of` takes them, and `stimulus`: arguments of the builder that decide named inputs
        alone.
    connectome : Dataset or Graph, optional
        Of models built on one.
    seed : int
        Of the run, for builders that draw weights themselves.
    fitted : Fit, optional
        Of a model with a fit, what was found; without one inputs are those before its fit.

    Raises
    ------
    SimulationError
        For a parameter that is none of the stimulus of the model.
    """
    stimulus = settings.get("stimulus") or {}
    known = MODELS[model].stimulus
    for key in stimulus:
        if key not in known:
            raise SimulationError(
                f"{key} is no stimulus of the model {model}",
                where=f"conditions.{name}.stimulus",
                expected="one of " + ", ".join(known) if known else f"none: {model} has no stimulus",
                do=hint(key, known),
            )
    replaced: dict[str, Input] = {}
    if stimulus:
        net = build(model, {**parameters, **stimulus}, connectome, seed=seed, fitted=fitted, fit_first=False)
        replaced = {x.name: x for x in net.inputs if x.name is not None}
    return condition_of(name, settings, replaced)


def shown(model: str, parameters: Mapping[str, Any], settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """The stimulus of a model under a condition: all its parameters with their values.

    Parameters
    ----------
    model : str
        Name of the model.
    parameters : mapping
        Arguments of its builder.
    settings : mapping or None
        The condition as configured.
    """
    entry = MODELS[model]
    given = {**entry.defaults, **parameters, **((settings or {}).get("stimulus") or {})}
    return {key: given[key] for key in entry.stimulus}


def with_own_seed(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A condition with a seed of its drive: one that shows another stimulus is another trial.

    Without this the noise of all stimuli would be the same, and responses to them more alike than those of trials.

    Parameters
    ----------
    settings : mapping
        The condition as configured, with its `name`.
    seed : int
        Of the simulation.
    """
    if settings.get("seed") is not None or not settings.get("stimulus"):
        return dict(settings)
    text = f"{seed} {settings['name']}".encode()
    return {**settings, "seed": int.from_bytes(hashlib.sha256(text).digest()[:7], "big")}
