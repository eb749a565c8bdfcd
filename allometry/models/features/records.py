"""The record that stands beside every feature model, and the register of all of them.

A feature model has units that respond to stimuli, and no spikes: it returns the responses themselves.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from allometry.errors import PluginError, require_record
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.parameters import annotations, descriptions, words
from allometry.models.catalogue.records import MODELS, Reduce, parameters_of
from allometry.network import Condition, Network
from allometry.network.recording import Record
from allometry.plugins import Register

SEED, FITTED = "seed", "fitted"
"""First parameters of a builder: the seed of all that is drawn, and, of a model with a fit, what was found."""


@dataclass(frozen=True, eq=False)
class Features:
    """What the units of a feature model do under its stimuli.

    Parameters
    ----------
    response : ndarray [unit, presentation] or [unit, presentation, lag]
        NaN where there is none.
    presentations : mapping of str to array_like [presentation]
        `stimulus` and `condition` (text), optionally `repeat`, `duration` (s) and any parameters of what was shown.
    units : mapping of str to array_like [unit]
        `area` (text), and what else is known of them.
    lag_s : ndarray [lag], optional
        Time of each lag from onset, s.
    unit : str
        Unit of the responses.
    column_units : mapping of str to str
        Units of floating columns of both tables; default 1.
    derived : mapping of str to str
        What was assumed or computed, in words.
    measured : sequence of str
        Columns of the presentations that say what the network did, and not what was shown to it.
    """

    response: NDArray[np.floating[Any]]
    presentations: Mapping[str, Any]
    units: Mapping[str, Any]
    lag_s: NDArray[np.float64] | None = None
    unit: str = "1"
    column_units: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    measured: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Protocol:
    """What is shown to a network of rate units, and how its responses are taken from what is recorded.

    Parameters
    ----------
    network : Network
        Of rate units.
    conditions : sequence of Condition
        Each is a run of its own, all on one connectivity.
    duration_ms : float
        Length of every run, ms.
    record : Record
        What is recorded.
    responses : callable
        `responses(recordings)` gives the `Features`. There is a recording per condition: arrays [sample, ...] by name, the
        `trace` of the probes, `readout_{name}` and `latent_{name}`.
    """

    network: Network
    conditions: Sequence[Condition]
    duration_ms: float
    record: Record
    responses: Callable[[Sequence[Mapping[str, NDArray[Any]]]], Features]


Builder = TypeVar("Builder", bound=Callable[..., Features | Protocol])
Size = Callable[..., tuple[int, float]]
"""`size(**parameters)`: number of units and expected number of synapses of a model, without building it."""


@dataclass(frozen=True)
class FeatureModel:
    """A feature model that can be named in a configuration.

    Parameters
    ----------
    name : str
        Its name.
    build : callable
        Builder of the `Features`, or of the `Protocol` that gives them: `build(seed, **parameters)`, or
        `build(seed, fitted, **parameters)` where it has a `fit`.
    description : str
        One line.
    source : str
        Publication.
    parameters : mapping
        Keyword of the builder to description with unit.
    check : callable or None
        `check(**parameters)`, with all parameters: raises a SimulationError for values that the model cannot have.
    fit : callable or None
        `fit(seed, **some of the parameters)` gives the `Fit` that the builder takes.
    stimulus : sequence of str
        Parameters that decide what is presented.
    size : callable or None
        Number of units and of synapses (`Size`).
    reduce : callable or None
        `reduce(size, scheme)`: arguments of the builder of a model of that size.
    schemes : mapping
        Scheme to what it keeps, one line.
    """

    name: str
    build: Callable[..., Features | Protocol]
    description: str
    source: str
    parameters: Mapping[str, str]
    check: Callable[..., None] | None = None
    fit: Callable[..., Fit] | None = None
    stimulus: Sequence[str] = ()
    size: Size | None = None
    reduce: Reduce | None = None
    schemes: Mapping[str, str] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, Any]:
        """Defaults of the parameters."""
        signature = inspect.signature(self.build).parameters
        return {key: signature[key].default for key in self.parameters}

    @property
    def calibrate(self) -> Mapping[str, Sequence[str]]:
        """Parameters that a study calibrates by scheme: none, since there are no rates."""
        return {}

    @property
    def fitted_by(self) -> tuple[str, ...]:
        """Parameters that the fit depends on, beside the seed."""
        return parameters_of(self.fit)


FEATURE_MODELS: Register[FeatureModel] = Register("feature model")
"""Feature models by name."""


def feature_model(
    above: object = None,
    /,
    *,
    description: str = "",
    source: str = "",
    name: str = "",
    network: str = "",
    check: Callable[..., None] | None = None,
    fit: Callable[..., Fit] | None = None,
    stimulus: Sequence[str] = (),
    size: Size | None = None,
    reduce: Reduce | None = None,
    schemes: Mapping[str, str] | None = None,
) -> Callable[[Builder], Builder]:
    """Decorator that makes a builder a feature model that a configuration may name.

    The first parameter of the builder is `seed`; the second is `fitted` where the model has a fit. The others are the
    parameters of the model, with their annotations (float, int, bool, str, Literal, sequences and unions of them), defaults,
    and the descriptions in the section Parameters of its docstring.

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
    network : str
        Name of the network of rate units that the builder returns a `Protocol` of; it is that of the model too.
    check : callable, optional
        `check(**parameters)`, with all parameters: raises a SimulationError for values that the model cannot have. It is
        called before anything runs.
    fit : callable, optional
        `fit(seed, **some of the parameters)` gives the `Fit` that the builder takes; it is a job of its own, shared by all
        points that differ in other parameters.
    stimulus : sequence of str
        Parameters that decide what is presented: the responses of points that differ in one are not gathered.
    size : callable, optional
        `size(**parameters)`: number of units and expected number of synapses.
    reduce : callable, optional
        `reduce(size, scheme)`: arguments of the builder for a model of this size, a number of inputs, neurons or the like. It
        raises a SimulationError for a size that the model cannot have.
    schemes : mapping, optional
        Names of the schemes, and what each keeps, in one line.

    Returns
    -------
    callable
        Gives the builder back as it is.

    Raises
    ------
    PluginError
        Something is missing, or the name is taken.
    """
    require_record(above, "feature_model")

    def register(builder: Builder) -> Builder:
        title = network or name or builder.__name__
        described, annotated = descriptions(builder), annotations(builder)
        given = dict(inspect.signature(builder).parameters)
        first = [SEED, FITTED] if fit else [SEED]
        own = {key: value for key, value in given.items() if key not in first}
        missing = [field for field, text in (("description", description), ("source", source)) if not text]
        if list(given)[: len(first)] != first:
            missing.append(f"first parameters {' and '.join(first)}")
        missing += [f"description of {key} in its docstring" for key in own if not described.get(key)]
        missing += [f"annotation of {key} that can be written in YAML" for key in own if not words(annotated.get(key))]
        missing += [f"default of {key}" for key, value in own.items() if value.default is value.empty]
        missing += [f"parameter {key}, which is its stimulus" for key in stimulus if key not in own]
        fitted_by = parameters_of(fit)
        missing += [f"parameter {key}, which its fit takes" for key in fitted_by if key not in own]
        missing += ["schemes for its reduce" if reduce else "reduce for its schemes"] * (bool(schemes) != bool(reduce))
        missing += ["size for its reduce"] * (reduce is not None and size is None)
        if missing:
            raise PluginError(
                f"the feature model {title!r} has no {', no '.join(missing)}",
                where=f"{builder.__module__}.{builder.__name__}",
                expected="a description, a source, and for every parameter an annotation, a default and a description",
                do="state them in @feature_model(...), in the signature and under Parameters in the docstring",
            )
        if (title in MODELS.parts) != bool(network):
            raise PluginError(
                f"there is no network model called {title!r}"
                if network
                else f"there is a network model called {title!r} already",
                where=builder.__module__,
                expected="the name of a network of rate units" if network else "a name that no model has",
                do="register the network with @model first" if network else "rename it",
            )
        parameters = {key: described[key] for key in own}
        entry = FeatureModel(
            title, builder, description, source, parameters, check, fit, tuple(stimulus), size, reduce, dict(schemes or {})
        )  # fmt: skip
        FEATURE_MODELS.add(title, entry, builder.__module__)
        return builder

    return register
