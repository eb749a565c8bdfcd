"""The neurons of `tests.reference.driven_neurons` as networks of the engine, and their spikes."""

from typing import Any

import numpy as np

from allometry.network import (
    AdEx,
    CondExp,
    Eif,
    ExplicitEdges,
    Network,
    NeuronModel,
    Population,
    Projection,
    SpikeListInput,
)
from tests.reference import driven_neurons as d
from tests.simulate import engine

MODELS: dict[str, type[NeuronModel]] = {
    "adex": AdEx,
    "adex_without_refractoriness": AdEx,
    "eif": Eif,
    "eif_sharp": Eif,
    "cond_exp": CondExp,
}
STEPS = round(d.DURATION_MS / d.DT_MS)


def single(name: str) -> Network:
    case = d.CASES[name]
    neuron, step, weight = d.given_spikes(case)
    population = Population("n", d.CONSTANT + d.GIVEN, _model(name, I_e=d.currents(case)))
    return Network((population,), inputs=(SpikeListInput("n", neuron, step * d.DT_MS, weight),), dt_ms=d.DT_MS)


def recurrent(name: str) -> Network:
    edges = d.network(d.CASES[name])
    rule = ExplicitEdges(edges["source"], edges["target"], edges["weight"], edges["delay_steps"] * d.DT_MS)
    population = Population("n", d.N, _model(name, I_e=edges["current_pa"]), edges["v0_mv"])
    return Network((population,), (Projection("n", "n", rule),), dt_ms=d.DT_MS)


def _model(name: str, **given: Any) -> NeuronModel:
    return MODELS[name](**d.CASES[name].parameters, **given)


def spikes(net: Network, precision: str) -> tuple[np.ndarray, np.ndarray]:
    """Step and unit of every spike, sorted by both."""
    found = engine.spikes(net, STEPS, precision=precision)
    return found[:, 0], found[:, 1]
