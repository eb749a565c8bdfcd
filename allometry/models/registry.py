"""Models by name, with the parameters that a configuration file may set."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from allometry.errors import SimulationError
from allometry.models.brunel import brunel
from allometry.models.connectome_lif import connectome_lif
from allometry.models.microcircuit import microcircuit
from allometry.network import Network
from allometry.network.scalars import plain


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
    needs_connectome : bool
        Whether a Connectome store must be given.
    """

    name: str
    build: Callable[..., Network]
    description: str
    source: str
    parameters: Mapping[str, str]
    needs_connectome: bool = False


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "brunel",
            brunel,
            "Random network of excitatory and inhibitory neurons with delta synapses.",
            "Brunel 2000, J Comput Neurosci 8:183",
            {
                "scale": "Number of neurons relative to 12,500.",
                "k_scale": "In-degrees relative to 1250; null: as scale.",
                "g": "Inhibitory over excitatory weight.",
                "eta": "External rate relative to the rate that alone reaches threshold.",
                "epsilon": "Connection probability at scale 1.",
                "j_mv": "Excitatory weight at in-degree scale 1, in mV.",
                "delay_ms": "Delay of all synapses, in ms.",
            },
        ),
        Model(
            "connectome_lif",
            connectome_lif,
            "Identical leaky integrate-and-fire neurons on a connectome, weights from signed synapse counts.",
            "Shiu et al. 2024, Nature 634:210",
            {
                "weight_mv": "Weight of one synapse, in mV.",
                "gap_junction": "Conductance of one gap junction over the leak conductance; 0 leaves them out.",
                "neurons": "Nodes to keep: sources (with outgoing chemical synapses) or all.",
                "driven": "Names of the neurons that receive kicks, separated by commas.",
                "silenced": "Names of the neurons without output, separated by commas.",
                "drive": "poisson or regular.",
                "drive_hz": "Rate of the kicks of every driven neuron, in Hz.",
                "kick_mv": "Size of a kick of the membrane potential, in mV.",
                "duration_ms": "Length of the regular drive, in ms.",
                "unknown_sign": "Sign of neurons whose sign is not known: 1, 0 (no output) or -1.",
            },
            needs_connectome=True,
        ),
        Model(
            "microcircuit",
            microcircuit,
            "Cortical microcircuit: 1 mm² of early sensory cortex, 77,169 neurons at full scale.",
            "Potjans & Diesmann 2014, Cereb Cortex 24:785; van Albada et al. 2015, PLoS Comput Biol 11:e1004490",
            {
                "scale": "Number of neurons relative to 77,169, up to 1.",
                "k_scale": "In-degrees relative to full scale, up to 1; null: as scale.",
                "input": "Background: poisson or dc.",
                "thalamus": "Add 902 thalamic neurons that fire in a window.",
                "psp_mv": "Excitatory postsynaptic potential, in mV.",
                "g": "Inhibitory weight relative to the excitatory one, negative.",
                "background_hz": "Rate of every external synapse, in Hz.",
                "thalamus_hz": "Rate of the thalamic neurons in the window, in Hz.",
                "thalamus_start_ms": "Start of the window, in ms.",
                "thalamus_duration_ms": "Length of the window, in ms.",
            },
        ),
    )
}


def expected(model: Model, parameter: str, value: Any) -> str:
    """What a parameter of a model has to be, in words, where `value` is something else; empty where it is right."""
    annotation = inspect.signature(model.build).parameters[parameter].annotation
    return "" if _fits(annotation, value) else _words(annotation)


def _fits(annotation: Any, value: Any) -> bool:
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return any(_fits(one, value) for one in get_args(annotation))
    if get_origin(annotation) is Sequence:
        return isinstance(value, list | tuple) and all(_fits(get_args(annotation)[0], one) for one in value)
    return isinstance(value, annotation)


def _words(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(map(_words, get_args(annotation)))
    if get_origin(annotation) is Sequence:
        return f"a list of {_words(get_args(annotation)[0])}"
    return {float: "a number", bool: "true or false", str: "text", NoneType: "null"}[annotation]


def build(name: str, parameters: Mapping[str, Any] | None = None, connectome: Any = None) -> Network:
    """Build a model by name.

    Parameters
    ----------
    name : str
        Key of `MODELS`.
    parameters : mapping, optional
        Arguments of the builder.
    connectome : Dataset or Graph, optional
        For models built on a connectome.

    Raises
    ------
    SimulationError
        If the model or a parameter is unknown, or a connectome is missing or superfluous.
    """
    model = MODELS.get(name)
    if model is None:
        raise SimulationError(f"unknown model {name!r}", where="model", expected=", ".join(MODELS))
    given = {name: plain(value) for name, value in (parameters or {}).items()}
    unknown = sorted(set(given) - set(model.parameters))
    if unknown:
        raise SimulationError(
            f"unknown parameters {', '.join(unknown)}",
            where=f"model {name}",
            expected=", ".join(model.parameters),
        )
    for parameter, value in given.items():
        if wanted := expected(model, parameter, value):
            raise SimulationError(
                f"{value!r} is no value of {parameter}", where=f"model {name}, {parameter}", expected=wanted
            )
    if model.needs_connectome != (connectome is not None):
        raise SimulationError(
            "a connectome is needed" if model.needs_connectome else "this model has no connectome",
            where=f"model {name}",
            expected="a Connectome store" if model.needs_connectome else "no connectome",
            do="name one, with --connectome at the command line" if model.needs_connectome else "leave it out",
        )
    return model.build(connectome, **given) if model.needs_connectome else model.build(**given)
