"""What a run will need, said before anything large is allocated."""

from dataclasses import dataclass

import numpy as np

from allometry.errors import SimulationError
from allometry.simulate.build.engine import AnyPlan
from allometry.simulate.build.partition import QUEUE_ROOM
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.plan.neurons import Neurons
from allometry.simulate.build.plan.projections import Synapses, expected_synapses
from allometry.simulate.build.rates.plan import RatePlan
from allometry.simulate.build.shards.state import layout
from allometry.simulate.build.synapses.wiring import row_counts
from allometry.simulate.kernels.wiring.lattice import Lattice

#: Resident memory of a process before it builds anything: interpreter, libraries, compiled kernels.
PROCESS_BYTES = 300 * 2**20
#: The unit table, measured: what the process that collects the spikes holds per neuron while the run goes on, and at most,
#: when the labels are made into arrays and written; by then the synapses are gone.
UNIT_BYTES, WRITTEN_UNIT_BYTES = 150, 500
#: Measured on one core of a 2020s server; they set the scale of the estimate, not its last digit.
NS_PER_SYNAPSE_BUILT = 30.0
#: Of a fixed out-degree on a lattice, of which every part draws all synapses and keeps its own.
NS_PER_LATTICE_SYNAPSE = 120.0
NS_PER_NEURON_STEP = 1.5
NS_PER_EVENT = 1.4
US_PER_EXCHANGE = {1: 0.5, 2: 20.0}
#: Likewise of rate units: a unit and a weight in a step, a weight that is laid out; products of matrices for a propagator.
NS_PER_RATE = 6.0
NS_PER_WEIGHT = 0.2
NS_PER_WEIGHT_BUILT = 5.0
PRODUCTS = 25
ASSUMED_HZ = 5.0


@dataclass(frozen=True)
class Estimate:
    """Size, memory and time of a run.

    Parameters
    ----------
    neurons, synapses : int
        Synapses as expected from the connection rules.
    bytes_total, bytes_partition : int
        Memory of all partitions with the process that collects the spikes, and of the largest partition, processes included.
    bytes_collector : int
        Memory of the process that collects the spikes, where no partition is in it; else 0.
    build_s, sim_s : float
        Wall time; `sim_s` assumes `ASSUMED_HZ` spikes per second and neuron.
    spiking : bool
        Whether it is a network of spiking neurons; of rate units synapses are weights, or factors of them.
    """

    neurons: int
    synapses: int
    bytes_total: int
    bytes_partition: int
    bytes_collector: int
    build_s: float
    sim_s: float
    spiking: bool = True

    def __str__(self) -> str:
        units, weights = ("neurons", "synapses") if self.spiking else ("rate units", "weights")
        at = f" (at {ASSUMED_HZ:g} spikes/s per neuron)" if self.spiking else ""
        return (
            f"{self.neurons:,} {units}, {self.synapses:,} {weights}; about {self.bytes_total / 2**30:.2f} GiB, "
            f"build {duration(self.build_s)}, simulation {duration(self.sim_s)}{at}"
        )


def duration(seconds: float) -> str:
    """Return a time a person reads: `3.2 s`, `4 min`, `2.5 h`."""
    if seconds != seconds:
        return "unknown time"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def estimate(plan: AnyPlan, duration_ms: float, partitions: int, threads: int, processes: bool = True) -> Estimate:
    """Estimate a run on `partitions` times `threads` cores; `processes` counts one process per partition."""
    if isinstance(plan, RatePlan):
        return _of_rates(plan, duration_ms, partitions, threads, processes)
    parts = partitions * threads
    every = (*plan.synapses, *plan.plastic, *plan.released)
    synapses = sum(s.expected for s in every)
    on_lattice = sum(s.expected for s in every if isinstance(s.field, Lattice))
    part_bytes = [_part_bytes(plan, k, parts) for k in range(parts)]
    process = PROCESS_BYTES + _given_bytes(plan)
    per_partition = [sum(part_bytes[p * threads : (p + 1) * threads]) + process for p in range(partitions)]
    if not processes:
        # The same process builds, runs, and then writes the unit table, beside what is left of the state.
        run = sum(per_partition) - (partitions - 1) * process + plan.size * UNIT_BYTES
        write = process + sum(_state_bytes(plan, k, parts) for k in range(parts)) + plan.size * WRITTEN_UNIT_BYTES
        per_partition = [max(run, write)]
    collector = process + plan.size * WRITTEN_UNIT_BYTES if processes else 0
    steps = duration_ms / plan.network.dt_ms
    outgoing = {n.name: 0.0 for n in plan.neurons}
    for s in every:
        outgoing[plan.neurons[s.source].name] += s.expected
    events = sum(outgoing.values()) * ASSUMED_HZ * duration_ms * 1e-3
    exchange = steps / plan.interval * US_PER_EXCHANGE[1 if partitions == 1 else 2] * 1e-6
    return Estimate(
        neurons=plan.size,
        synapses=round(synapses),
        bytes_total=sum(per_partition) + collector,
        bytes_partition=max(per_partition),
        bytes_collector=collector,
        build_s=1e-9 * ((synapses - on_lattice) * NS_PER_SYNAPSE_BUILT / parts + on_lattice * NS_PER_LATTICE_SYNAPSE),
        sim_s=(plan.size * steps * NS_PER_NEURON_STEP + events * NS_PER_EVENT) * 1e-9 / parts + exchange,
    )


def _of_rates(plan: RatePlan, duration_ms: float, partitions: int, threads: int, processes: bool) -> Estimate:
    net = plan.network
    weights = sum(expected_synapses(net, p) for p in net.projections) + sum(s.factors.size for s in plan.sums)
    settings = plan.settings if plan.exact else 0
    held = 8 * (weights + 2 * plan.patterns.size + 8 * plan.size) + 24.0 * settings * plan.size**2
    process = PROCESS_BYTES + 8 * round(weights)  # the network as it is described
    each = process + round(held / partitions)
    steps = duration_ms / net.dt_ms
    worked = (plan.size**2 if plan.exact else weights) * NS_PER_WEIGHT + plan.size * NS_PER_RATE
    exchange = steps * US_PER_EXCHANGE[1 if partitions == 1 else 2] * 1e-6
    collector = process if processes else 0
    return Estimate(
        neurons=plan.size,
        synapses=round(weights),
        bytes_total=partitions * each + collector,
        bytes_partition=each,
        bytes_collector=collector,
        build_s=weights * NS_PER_WEIGHT_BUILT * 1e-9 + settings * PRODUCTS * plan.size**3 * NS_PER_WEIGHT * 1e-9,
        sim_s=worked * steps * 1e-9 / (partitions * threads) + exchange,
        spiking=False,
    )


def _part_bytes(plan: Plan, part: int, parts: int) -> int:
    where = layout(plan, part, parts)
    narrow, wide = row_counts(plan, where.slot_bits)
    share = {s.population: s.count / plan.neurons[s.population].size for s in where.segments}
    words = 0.0
    for s in plan.synapses:
        wide_words = wide[s.source + 1] > wide[s.source]
        words += s.expected * share.get(s.target, 0.0) * (8 if wide_words else 4)
    rows = 4 * int(narrow[-1] + wide[-1]) + 18 * plan.size
    # A spike is queued once for every different delay of its population; queues double as they fill.
    queued = (
        sum(n.size * int(plan.spans[i]) for i, n in enumerate(plan.neurons)) * ASSUMED_HZ * plan.network.dt_ms * 1e-3
    )
    entries = max(QUEUE_ROOM, 4 * queued)
    queue = 2 * (plan.longest + 1) * round(entries) * 8
    plastic = sum(32 * s.expected * share.get(s.target, 0.0) + 32 * plan.neurons[s.source].size for s in plan.plastic)
    total = np.dtype(plan.sum_type).itemsize
    released = sum(_released_bytes(plan, s, share.get(s.target, 0.0), 4 + total) for s in plan.released)
    ring = (plan.longest + 1) * where.slots * total if plan.plastic else 0
    return round(words + plastic + released) + rows + _state_bytes(plan, part, parts) + queue + ring


def _released_bytes(plan: Plan, s: Synapses, share: float, event: int) -> float:
    """Bytes of synapses with draws for every spike onto a share of the targets, and of what waits in lists that double."""
    assert s.release is not None
    targets = max(1, round(share * plan.neurons[s.target].size))
    word = 8 if s.weight_bits + max(1, (targets - 1).bit_length()) > 32 else 4
    every = np.concatenate([s.release.delays, s.release.repeats])
    waiting = s.expected * share * s.release.most * ASSUMED_HZ * 1e-3 * plan.network.dt_ms * float(every.max())
    return word * s.expected * share + 8 * plan.neurons[s.source].size + 4 * event * waiting


def _state_bytes(plan: Plan, part: int, parts: int) -> int:
    where = layout(plan, part, parts)
    width = np.dtype(plan.float_type).itemsize
    variables = sum(s.count * _neuron_bytes(plan.neurons[s.population], width) for s in where.segments)
    return variables + where.neurons * (2 * width + 16) + where.slots * (np.dtype(plan.sum_type).itemsize + 16)


def _neuron_bytes(neurons: Neurons, width: int) -> int:
    """Bytes of the state variables of a neuron, and of the constants that are its own."""
    sizes = {"real": width, "double": 8, "count": 2}
    return sum(sizes[s.width] for s in neurons.form.states) + len(neurons.varied) * width


def _given_bytes(plan: Plan) -> int:
    """Bytes of explicit edges, positions, tables and given events, which every process holds whole."""
    arrays = [
        array
        for s in (*plan.synapses, *plan.plastic, *plan.released)
        for array in (s.weights, s.delays, *(s.field or ()))
    ]
    net = plan.network
    for described in (*net.populations, *(p.rule for p in net.projections), *net.inputs, *net.gap_junctions):
        arrays += [value for value in vars(described).values() if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


def check_fits(need: Estimate, available: dict[str, int], placed: dict[str, int]) -> None:
    """Refuse a run that does not fit into the free memory of its hosts.

    Parameters
    ----------
    available : dict
        Free bytes per host.
    placed : dict
        Number of partitions (in-process ones counted as one) per host.

    Raises
    ------
    SimulationError
        Saying what would fit.
    """
    for host, count in placed.items():
        # Workers at the loopback address share this host with the process that collects.
        wanted = need.bytes_partition * count + (need.bytes_collector if host == "127.0.0.1" else 0)
        free = available[host]
        if wanted > free:
            usable = max(0, free - count * PROCESS_BYTES)
            share = usable / max(1, wanted - count * PROCESS_BYTES)
            raise SimulationError(
                f"the network does not fit: it needs about {wanted / 2**30:.1f} GiB on {host}, "
                f"where {free / 2**30:.1f} GiB are free",
                where="simulate.run",
                expected=f"at most about {int(need.synapses * share):,} synapses there ({100 * share:.0f} % of this network)",
                do="lower the scale, or spread more partitions over more machines",
            )
