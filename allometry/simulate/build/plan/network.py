"""A network turned into numbers: what every partition needs to know, and none of it depends on the partition."""

from dataclasses import dataclass

import numpy as np

from allometry.network import (
    STDP,
    CorrelatedInput,
    ExplicitEdges,
    Network,
    PoissonInput,
    Population,
    SpikeListInput,
)
from allometry.network.inputs import acts_on
from allometry.network.neuron_model import receptor_called, unit_of
from allometry.simulate.build.fixedpoint import MAX_SUM, GivenEdges, Weights, overflow, quantum
from allometry.simulate.build.plan.inputs import (
    Current,
    Poisson,
    compile_currents,
    compile_poisson,
    compile_rates,
    input_extent,
)
from allometry.simulate.build.plan.neurons import Neurons, compile_neurons, longest_time_constant
from allometry.simulate.build.plan.projections import (
    Synapses,
    compile_projection,
    delay_ranges,
    expected_synapses,
    raw_weights,
)

LONGEST_SINGLE = 1000
"""Time constant in steps up to which float32 follows a decay: beyond, what a step adds is lost in rounding, and neurons
just above threshold fire per cents early or late."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A compiled network; `released` are the projections with draws for every spike.

    `shortest` and `spans` give, per source population, the smallest delay in steps and the number of different delays
    up to its largest; `interval` is the number of steps between exchanges of spikes.
    """

    network: Network
    seed: int
    precision: str
    neurons: tuple[Neurons, ...]
    synapses: tuple[Synapses, ...]
    plastic: tuple[Synapses, ...]
    released: tuple[Synapses, ...]
    poisson: tuple[Poisson, ...]
    currents: tuple[Current, ...]
    shortest: np.ndarray
    spans: np.ndarray
    interval: int
    longest: int
    drive_seed: int

    def __repr__(self) -> str:
        return f"Plan({self.network!r}, seed {self.seed}, {self.precision}, exchange every {self.interval} steps)"

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.network.size

    @property
    def float_type(self) -> type[np.floating]:
        """Type of the state: float32 in `fast`, where that resolves what a step does."""
        return np.float64 if self.precision == "exact" or self.slow else np.float32

    @property
    def slow(self) -> str:
        """Name of a population with a time constant above `LONGEST_SINGLE` steps; empty where there is none."""
        limit = LONGEST_SINGLE * self.dt_ms
        return next((p.name for p in self.network.populations if longest_time_constant(p.neuron) > limit), "")

    @property
    def dt_ms(self) -> float:
        """Time step, ms."""
        return self.network.dt_ms

    @property
    def sum_type(self) -> type[np.signedinteger]:
        """Type of the sums of synaptic input."""
        return np.int32 if self.precision == "fast" else np.int64

    @property
    def rounding_error(self) -> float:
        """Largest difference between a weight asked for and the one used."""
        return max((n.quantum.error for n in self.neurons), default=0.0)


def compile_network(
    net: Network, seed: int, precision: str, drive_seed: int | None = None, known: GivenEdges | None = None
) -> Plan:
    """Turn a validated network into numbers.

    The drive and initial voltages have the seed `drive_seed`, default `seed`; connections and drawn parameters have `seed`. `known` is `given_edges` of a network
    that this one shares lists with.
    """
    known = known or {}
    other_seed = seed if drive_seed is None else drive_seed
    index = {p.name: i for i, p in enumerate(net.populations)}
    offsets = net.offsets
    raw = [raw_weights(projection, known) for projection in net.projections]
    rates = {
        number: compile_rates(x, net.dt_ms)
        for number, x in enumerate(net.inputs)
        if isinstance(x, PoissonInput | CorrelatedInput) and not getattr(x, "sparse", False)
    }
    neurons = []
    for i, p in enumerate(net.populations):
        sets = [w for projection, w in zip(net.projections, raw) if index[projection.target] == i]
        sets += [
            Weights(np.array([x.plasticity.Wmax]))
            for x in net.projections
            if isinstance(x.plasticity, STDP) and x.target == p.name
        ]
        sets += [
            Weights(np.atleast_1d(np.asarray(x.weight, np.float64)))
            for x in net.inputs
            if isinstance(x, PoissonInput | CorrelatedInput | SpikeListInput) and x.population == p.name
        ]
        scale = quantum(sets, unit_of(p.neuron), precision, f"weights into population {p.name}")
        extent = input_extent(net, p, scale.value, rates)
        neurons.append(compile_neurons(net, i, offsets[p.name], scale, (seed, other_seed), precision, extent))
        _check_sums(net, p, neurons[-1], raw, precision)
    for number, projection in enumerate(net.projections):
        if projection.receptor is not None:
            where = f"projection {number} ({projection.source} -> {projection.target})"
            receptor_called(neurons[index[projection.target]].form, projection.receptor, where)
    synapses = [
        compile_projection(
            net, number, weights, neurons[index[projection.target]].quantum.value, (seed, other_seed), known
        )
        for number, (projection, weights) in enumerate(zip(net.projections, raw))
    ]
    static = [s for s in synapses if s.plasticity is None and s.release is None]
    shortest, spans = delay_ranges(len(neurons), static)
    every_shortest, every_span = delay_ranges(len(neurons), synapses)
    least = min((int(every_shortest[s.source]) for s in synapses if s.expected > 0), default=64)
    poisson = [
        compile_poisson(net, number, neurons[index[acts_on(x)]].quantum.value, other_seed, rates[number])
        for number, x in enumerate(net.inputs)
        if number in rates
    ]
    return Plan(
        network=net,
        seed=seed,
        precision=precision,
        neurons=tuple(neurons),
        synapses=tuple(static),
        plastic=tuple(s for s in synapses if s.plasticity is not None),
        released=tuple(s for s in synapses if s.release is not None),
        poisson=tuple(poisson),
        currents=compile_currents(net),
        shortest=shortest,
        spans=spans,
        interval=1 if net.gap_junctions else max(1, min(least, 64, 2**23 // max(1, net.size))),
        longest=int((every_shortest + every_span).max(initial=1)),
        drive_seed=other_seed,
    )


def _check_sums(net: Network, p: Population, neurons: Neurons, raw: list[Weights], precision: str) -> None:
    """Refuse what is sure to overflow the integer sums of `fast` before anything is built."""
    if precision != "fast":
        return
    total = float(neurons.input_extent)
    for projection, weights in zip(net.projections, raw):
        if projection.target == p.name and not isinstance(projection.rule, ExplicitEdges):
            expected = expected_synapses(net, projection)
            total += expected / p.size * weights.mean / neurons.quantum.value
    if total > MAX_SUM:
        raise overflow(p.name)
