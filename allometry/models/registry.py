"""Models by name, with the parameters that a configuration file may set.

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
from allometry.models.catalogue.records import FITTED, MODELS, SEED, Model
from allometry.models.features.records import FEATURE_MODELS, FeatureModel
from allometry.network import Network
from allometry.network.scalars import plain

for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if _module.name != __name__.rpartition(".")[2]:
        importlib.import_module(f"{__package__}.{_module.name}")


def expected(model: Model | FeatureModel, parameter: str, value: Any) -> str:
    """What a parameter of a model has to be, in words, where `value` is something else; empty where it is right."""
    annotation = annotations(model.build)[parameter]
    return "" if fits(annotation, value) else words(annotation)


def build(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    connectome: Any = None,
    *,
    seed: int = 1,
    fitted: Fit | None = None,
    fit_first: bool = True,
) -> Network:
    """Build a model by name.

    Parameters
    ----------
    name : str
        Key of `MODELS`.
    parameters : mapping, optional
        Arguments of the builder.
    connectome : Dataset or Graph, optional
        For models built on a connectome.
    seed : int
        Of the run, for builders that draw weights themselves.
    fitted : Fit, optional
        Of a model with a fit, what `fit` found; without one it is made anew.
    fit_first : bool
        Whether it is made anew: else the network is as before its fit, of which only the form is right.

    Returns
    -------
    Network
        What `simulate.run` takes.

    Raises
    ------
    SimulationError
        If the model or a parameter is unknown, or a connectome is missing or superfluous.
    """
    model, given = _given(name, parameters)
    if model.needs_connectome != (connectome is not None):
        raise SimulationError(
            "a connectome is needed" if model.needs_connectome else "this model has no connectome",
            where=f"model {name}",
            expected="a Connectome store" if model.needs_connectome else "no connectome",
            do="name one, with --connectome at the command line" if model.needs_connectome else "leave it out",
        )
    own: dict[str, Any] = {SEED: seed} if model.draws else {}
    if model.fit is not None:
        own[FITTED] = fit(name, parameters, seed) if fitted is None and fit_first else fitted
    net = model.build(connectome, **own, **given) if model.needs_connectome else model.build(**own, **given)
    if not isinstance(net, Network):
        raise SimulationError(
            f"the model gives {type(net).__name__!r}",
            where=f"model {name}",
            expected="a Network, returned by its builder",
        )
    return net


def fit(name: str, parameters: Mapping[str, Any] | None = None, seed: int = 1) -> Fit:
    """Fit a model.

    Parameters
    ----------
    name : str
        Key of `MODELS`; a model with a fit.
    parameters : mapping, optional
        Arguments of its builder.
    seed : int
        Of the run.

    Returns
    -------
    Fit
        What the builder takes; it may not have converged, which it says.

    Raises
    ------
    SimulationError
        If the model or a parameter is unknown, or the model is not fitted.
    """
    model, given = _given(name, parameters)
    if model.fit is None:
        raise SimulationError(
            f"the model {name} is not fitted",
            where="model",
            expected="one of " + ", ".join(key for key, entry in MODELS.items() if entry.fit is not None),
        )
    whole = {**model.defaults, **given}
    return model.fit(seed, **{key: whole[key] for key in model.fitted_by})


def _given(name: str, parameters: Mapping[str, Any] | None) -> tuple[Model, dict[str, Any]]:
    """A model and its checked arguments."""
    model = MODELS.get(name)
    if model is None:
        is_feature = name in FEATURE_MODELS
        raise SimulationError(
            f"{name} is a feature model, and no network" if is_feature else f"unknown model {name!r}",
            where="model",
            expected=", ".join(MODELS),
            do="run it with `kind: feature`, or with models.features.build" if is_feature else hint(name, MODELS),
        )
    given = {name: plain(value) for name, value in (parameters or {}).items()}
    unknown = sorted(set(given) - set(model.parameters))
    if unknown:
        raise SimulationError(
            f"unknown parameters {', '.join(unknown)}",
            where=f"model {name}",
            expected=", ".join(model.parameters),
            do=hint(unknown[0], model.parameters),
        )
    for parameter, value in given.items():
        if wanted := expected(model, parameter, value):
            raise SimulationError(
                f"{value!r} is no value of {parameter}", where=f"model {name}, {parameter}", expected=wanted
            )
    return model, given
