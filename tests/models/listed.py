"""A network with all that a seed draws written out, for plain loops that follow the engine spike by spike."""

from dataclasses import dataclass

import numpy as np

from allometry.network import CorrelatedInput, Network, PoissonInput
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.plan.neurons import drawn
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import initial_values
from allometry.simulate.build.synapses.wiring import drawn_synapses, with_plastic
from tests.simulate.engine import _listed


@dataclass(frozen=True)
class Listed:
    """Synapses sorted by source, float64 weights; voltages and models with drawn parameters by population; events by input."""

    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray
    voltage: list[np.ndarray]
    cells: list
    events: list[np.ndarray]

    def of(self, neuron: int) -> slice:
        """Rows of a neuron's synapses."""
        return slice(*np.searchsorted(self.source, [neuron, neuron + 1]))


def listed(net: Network, seed: int, steps: int) -> Listed:
    """Write out a network in precision `exact`; `events`: sums of weights [step, neuron of the network], one per Poisson input."""
    plan = compile_network(net, seed, "exact")
    whole = with_plastic(plan)
    found = drawn_synapses(whole, 0, 1)
    population = np.repeat(np.arange(len(plan.neurons)), [n.size for n in plan.neurons])
    unit = np.array([n.quantum.value for n in plan.neurons])[population[found.target]]
    events = []
    random = iter(plan.poisson)
    for x in net.inputs:
        if isinstance(x, PoissonInput | CorrelatedInput):
            given = _listed(net, plan, next(random), steps)
            total = np.zeros((steps, net.size))
            step = np.rint(given.times_ms / net.dt_ms).astype(int)
            np.add.at(total, (step, given.neurons + net.offsets[x.population]), given.weight)
            events.append(total)
    return Listed(
        found.source.astype(int),
        found.target.astype(int),
        found.delay.astype(int),
        found.weight * unit,
        [initial_values(plan, Segment(i, 0, p.size, 0))["V_m"] for i, p in enumerate(net.populations)],
        [drawn(p, i, seed, net.dt_ms) for i, p in enumerate(net.populations)],
        events,
    )
