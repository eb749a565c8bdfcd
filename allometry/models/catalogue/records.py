"""The record that stands beside every network model, and the register of all models."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from allometry.errors import PluginError, require_record
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.parameters import annotations, descriptions, words
from allometry.network import Network
from allometry.plugins import Register

Builder = TypeVar("Builder", bound=Callable[..., Network])
Reduce = Callable[[float, str], Mapping[str, Any]]
"""`reduce(size, scheme)`: arguments of the builder of a model of that size; a SimulationError for a size it cannot have."""

Columns = Callable[[str, int], Mapping[str, Any]]
"""`columns(population, size)`: what is known of the units of a population, arrays [unit] by name; empty of others."""

StandIn = Callable[[Mapping[str, Any]], Any]
"""`stand_in(parameters)`: a connectome that stands for the one that a model is built on, before that is made."""

FULL = 1.0
"""Size of a model as it is published, in the unit of its own: the share of its neurons, say."""

Expected = Callable[..., Any]
"""`correlations(**parameters)`: theory of the correlations in space of a model built with them, as `theory.rates.SpatialBalance`."""

CONNECTOME = "connectome"
"""First parameter of the builder of a model that is built on a Connectome."""

SEED, FITTED = "seed", "fitted"
"""Parameters of a builder that draws weights itself, or takes a fit: the seed of the run, and what its `fit` found."""

_GIVEN = (CONNECTOME, SEED, FITTED)


@dataclass(frozen=True)
class Model:
    """A network model that can be named in a configuration.

    Parameters
    ----------
    name : str
        Its name.
    build : callable
        Builder of the `Network`; its first argument is a Connectome where `needs_connectome`.
    description : str
        One line.
    source : str
        Publication.
    parameters : mapping
        Keyword of the builder to description with unit.
    reduce : callable or None
        Arguments of the builder for a size and a scheme (`Reduce`); None of a model that has no other size.
    schemes : mapping
        Scheme of reduction to what it keeps, one line.
    calibrate : mapping
        Scheme to the parameters that are calibrated in it: factors that are 1 by default.
    stimulus : sequence of str
        Parameters that decide named inputs and nothing else: what a condition may change.
    columns : callable or None
        What is known of the units (`Columns`), as their places.
    fit : callable or None
        `fit(seed, **some of the parameters)` gives the `Fit` that the builder takes.
    correlations : callable or None
        Theory of its correlations in space (`Expected`).
    stand_in : callable or None
        What stands for its connectome before that is made (`StandIn`); None: two neurons with the names that are asked for.
    """

    name: str
    build: Callable[..., Network]
    description: str
    source: str
    parameters: Mapping[str, str]
    reduce: Reduce | None = None
    schemes: Mapping[str, str] = field(default_factory=dict)
    calibrate: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stimulus: Sequence[str] = ()
    columns: Columns | None = None
    fit: Callable[..., Fit] | None = None
    correlations: Expected | None = None
    stand_in: StandIn | None = None

    @property
    def defaults(self) -> dict[str, Any]:
        """Defaults of the parameters."""
        signature = inspect.signature(self.build).parameters
        return {key: signature[key].default for key in self.parameters}

    @property
    def needs_connectome(self) -> bool:
        """Whether a Connectome store must be given."""
        return next(iter(inspect.signature(self.build).parameters), "") == CONNECTOME

    @property
    def draws(self) -> bool:
        """Whether the builder draws weights itself, with the seed of the run."""
        return SEED in inspect.signature(self.build).parameters

    @property
    def fitted_by(self) -> tuple[str, ...]:
        """Parameters that the fit depends on, beside the seed."""
        return parameters_of(self.fit)


def parameters_of(fit: Callable[..., Fit] | None) -> tuple[str, ...]:
    """Parameters of a model that its fit takes, beside the seed; none of a model without one."""
    return () if fit is None else tuple(key for key in inspect.signature(fit).parameters if key != SEED)


MODELS: Register[Model] = Register("model")
"""Models by name."""


def model(
    above: object = None,
    /,
    *,
    description: str = "",
    source: str = "",
    name: str = "",
    reduce: Reduce | None = None,
    schemes: Mapping[str, str] | None = None,
    calibrate: Mapping[str, Sequence[str]] | None = None,
    stimulus: Sequence[str] = (),
    columns: Columns | None = None,
    fit: Callable[..., Fit] | None = None,
    correlations: Expected | None = None,
    stand_in: StandIn | None = None,
) -> Callable[[Builder], Builder]:
    """Decorator that makes a builder a model that a configuration may name.

    The parameters of the model are those of the builder, with their annotations (float, int, bool, str, Literal, sequences
    and unions of them), defaults, and the descriptions in the section Parameters of its docstring. A first parameter
    `connectome` is the Connectome that the model is built on; `seed` is that of the run, of a builder that draws weights
    itself; `fitted` is the `Fit` of a model with one, None before it is made.

    Parameters
    ----------
    above : None
        What a decorator without its record would get.
    description : str
        One line.
    source : str
        Publication.
    name : str
        Name of the model; empty: that of the builder.
    reduce : callable, optional
        `reduce(size, scheme)`: arguments of the builder for a model of this size; 1 is the model as published. It raises a
        SimulationError for a size that the model cannot have.
    schemes : mapping, optional
        Names of the schemes of reduction, and what each keeps, in one line.
    calibrate : mapping, optional
        Scheme to the parameters that a study calibrates in it, factors of default 1. The others are not calibrated.
    stimulus : sequence of str
        Parameters that decide nothing but inputs with a name (`name=` of an input): a condition of a configuration may
        change them.
    columns : callable, optional
        `columns(population, size)`: arrays [unit] by name, what is known of the units of a population. `orientation_deg` is
        the preferred orientation of a unit's place, in [0, 180); bool `central` and `inner` say which units lie where.
    fit : callable, optional
        `fit(seed, **some of the parameters)` gives the `Fit` that the builder takes as `fitted`; all conditions of a run share
        it. As a job of its own it is that of a feature model (`features.feature_model`).
    correlations : callable, optional
        `correlations(**parameters)`: theory of the correlations in space of the model, which studies hold beside the simulation.
    stand_in : callable, optional
        `stand_in(parameters)` gives what the builder takes for a connectome, for checks of a configuration and for estimates of
        memory and time before the store is made; needed by a builder that wants more of a store than a `Graph` has.

    Returns
    -------
    callable
        Gives the builder back as it is.

    Raises
    ------
    PluginError
        Something is missing, or the name is taken.
    """
    require_record(above, "model")

    def register(builder: Builder) -> Builder:
        title = name or builder.__name__
        described, annotated = descriptions(builder), annotations(builder)
        signature = inspect.signature(builder).parameters
        own = {key: value for key, value in signature.items() if key not in _GIVEN}
        missing = [field for field, text in (("description", description), ("source", source)) if not text]
        missing += [f"description of {key} in its docstring" for key in own if not described.get(key)]
        missing += [f"annotation of {key} that can be written in YAML" for key in own if not words(annotated.get(key))]
        missing += [f"default of {key}" for key, value in own.items() if value.default is value.empty]
        free = {key for keys in (calibrate or {}).values() for key in keys}
        missing += [
            f"parameter {key} of default 1, to be calibrated" for key in sorted(free) if not _is_factor(own, key)
        ]
        missing += [f"parameter {key}, which is its stimulus" for key in stimulus if key not in own]
        missing += [f"scheme {key}, which is calibrated" for key in (calibrate or {}) if key not in (schemes or {})]
        missing += ["schemes for its reduce" if reduce else "reduce for its schemes"] * (bool(schemes) != bool(reduce))
        missing += [f"parameter {FITTED} for its fit" if fit else f"fit for its parameter {FITTED}"] * (
            (fit is None) == (FITTED in signature)
        )
        missing += ["first parameter connectome for its stand_in"] * (
            stand_in is not None and CONNECTOME not in signature
        )
        fitted_by = parameters_of(fit)
        missing += [f"parameter {key}, which its fit takes" for key in fitted_by if key not in own]
        if missing:
            raise PluginError(
                f"the model {title!r} has no {', no '.join(missing)}",
                where=f"{builder.__module__}.{builder.__name__}",
                expected="a description, a source, and for every parameter an annotation, a default and a description",
                do="state them in @model(...), in the signature and under Parameters in the docstring",
            )
        parameters = {key: described[key] for key in own}
        sizes = (reduce, dict(schemes or {}), {key: tuple(keys) for key, keys in (calibrate or {}).items()})
        entry = Model(
            title,
            builder,
            description,
            source,
            parameters,
            *sizes,
            tuple(stimulus),
            columns,
            fit,
            correlations,
            stand_in,
        )
        MODELS.add(title, entry, builder.__module__)
        return builder

    return register


def _is_factor(parameters: Mapping[str, inspect.Parameter], name: str) -> bool:
    return name in parameters and parameters[name].default == 1.0
