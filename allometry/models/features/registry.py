"""Feature models by name: their parameters checked, their fits made, their responses built.

Every module of this folder is imported, so that a model is registered by being there.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allometry.errors import SimulationError
from allometry.hints import hint
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.parameters import annotations, fits, words
from allometry.models.features.records import FEATURE_MODELS, FeatureModel, Features, Protocol
from allometry.network.scalars import plain

for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if _module.name != __name__.rpartition(".")[2]:
        importlib.import_module(f"{__package__}.{_module.name}")


def find(name: str) -> FeatureModel:
    """The feature model of a name.

    Raises
    ------
    SimulationError
        There is none.
    """
    model = FEATURE_MODELS.get(name)
    if model is None:
        raise SimulationError(
            f"unknown feature model {name!r}",
            where="model",
            expected=", ".join(FEATURE_MODELS),
            do=hint(name, FEATURE_MODELS),
        )
    return model


def resolved(name: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All parameters of a model: those that are given, and the defaults of the others.

    Parameters
    ----------
    name : str
        Key of `FEATURE_MODELS`.
    parameters : mapping, optional
        Arguments of its builder.

    Raises
    ------
    SimulationError
        The model or a parameter is unknown, or a value is none that the model can have.
    """
    model = find(name)
    given = {key: plain(value) for key, value in (parameters or {}).items()}
    if unknown := sorted(set(given) - set(model.parameters)):
        raise SimulationError(
            f"unknown parameters {', '.join(unknown)}",
            where=f"model {name}",
            expected=", ".join(model.parameters),
            do=hint(unknown[0], model.parameters),
        )
    annotated = annotations(model.build)
    for key, value in given.items():
        if not fits(annotated[key], value):
            raise SimulationError(
                f"{value!r} is no value of {key}", where=f"model {name}, {key}", expected=words(annotated[key])
            )
    whole = {**model.defaults, **given}
    if model.check is not None:
        model.check(**whole)
    return whole


def fitted_by(name: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Parameters that decide the fit of a model, with defaults; None of a model without a fit."""
    model = find(name)
    if model.fit is None:
        return None
    whole = {**model.defaults, **(parameters or {})}
    return {key: whole[key] for key in model.fitted_by}


def fit(name: str, parameters: Mapping[str, Any] | None = None, seed: int = 1) -> Fit:
    """Fit a model.

    Parameters
    ----------
    name : str
        Key of `FEATURE_MODELS`.
    parameters : mapping, optional
        Arguments of its builder.
    seed : int
        Seed of all that is drawn.

    Raises
    ------
    SimulationError
        Something is unknown or no value of the model, or the model is not fitted.
    """
    model, whole = find(name), resolved(name, parameters)
    if model.fit is None:
        raise SimulationError("this model is not fitted", where=f"model {name}", do="build it")
    return model.fit(seed, **{key: whole[key] for key in model.fitted_by})


def build(
    name: str, parameters: Mapping[str, Any] | None = None, seed: int = 1, fitted: Fit | None = None
) -> Features | Protocol:
    """Responses of a model, or what a network of rate units is to be shown (`simulate.features.responses_of`).

    Parameters
    ----------
    name : str
        Key of `FEATURE_MODELS`.
    parameters : mapping, optional
        Arguments of its builder.
    seed : int
        Seed of all that is drawn.
    fitted : Fit, optional
        Of a model that is fitted: what `fit` gave for these parameters and this seed; default: it is made.

    Raises
    ------
    SimulationError
        Something is unknown or no value of the model, or its builder gives something else.
    """
    model, whole = find(name), resolved(name, parameters)
    first: tuple[Any, ...] = (seed,)
    if model.fit is not None:
        first += (fitted if fitted is not None else fit(name, parameters, seed),)
    found = model.build(*first, **whole)
    if not isinstance(found, Features | Protocol):
        raise SimulationError(
            f"the model gives {type(found).__name__!r}",
            where=f"model {name}",
            expected="Features or a Protocol, returned by its builder",
        )
    return found
