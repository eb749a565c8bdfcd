"""What a job costs: seconds, memory, disk and files, from amounts of work and what each amount took on one machine.

A job is described by amounts by name (a synapse that is built, a resample of a pair of connectomes, a store that is drawn); its
cost is the sum of amounts times coefficients. These stand in `cost_coefficients.json`, measured and fitted by
`python -m benchmarks.plan`, which also has how long the machine took for the short measurement of `speed`; the seconds of another
machine, or another hour, are scaled by what it takes there.
"""

import functools
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allometry.network import Network
from allometry.simulate.build.estimate import estimate
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.plan.projections import Synapses
from allometry.simulate.kernels.wiring.lattice import Lattice

COEFFICIENTS = Path(__file__).with_name("cost_coefficients.json")
#: Stands for every name of its group that was not measured.
OTHER = "other"
#: What building a network takes, however long it is simulated afterwards.
BUILT = ("simulate.synapse", "simulate.placed_synapse", "simulate.lattice_synapse")


@dataclass(frozen=True)
class Work:
    """What a job does.

    Parameters
    ----------
    seconds, disk : mapping of str to float
        Amounts of what takes time, and of what it writes, by name: `{group}.{what}`.
    memory : str
        Name of the peak memory that such jobs were measured to have.
    bytes_memory : int
        Peak memory where it is known better.
    neurons, synapses : int
        Size of the network that is simulated.
    """

    seconds: Mapping[str, float]
    disk: Mapping[str, float] = field(default_factory=dict)
    memory: str = ""
    bytes_memory: int = 0
    neurons: int = 0
    synapses: int = 0


@dataclass(frozen=True)
class Cost:
    """What a job needs: wall time in s, peak memory in bytes, bytes on disk, and files."""

    seconds: float
    bytes_memory: int
    bytes_disk: int
    files: int


@dataclass(frozen=True)
class Coefficients:
    """What an amount of work costs.

    Parameters
    ----------
    seconds, bytes, files, memory : mapping of str to float
        By the names that `Work` uses: s, bytes on disk and files per amount; bytes of memory.
    rates_hz : mapping of str to float
        Spikes per second and neuron by population, `{model}.{population}`, and what is assumed of any other (`other`).
    raw_bytes : mapping of str to float
        By reader: size of the files that the seconds of a store were measured with.
    speed_s : mapping of str to float
        What `speed.measure` gave on the machine.
    measured : mapping
        When and on what.
    """

    seconds: Mapping[str, float]
    bytes: Mapping[str, float]
    files: Mapping[str, float]
    memory: Mapping[str, float]
    rates_hz: Mapping[str, float]
    raw_bytes: Mapping[str, float]
    speed_s: Mapping[str, float]
    measured: Mapping[str, Any] = field(default_factory=dict)

    def cost(self, work: Work, slowness: Mapping[str, float] | None = None) -> Cost:
        """Add up the cost of a job on a machine that takes `slowness` times the seconds, by part (see `speed`)."""
        slow = slowness or {}
        seconds = (
            _of(self.seconds, name) * amount * slow.get(part(name), 1.0) for name, amount in work.seconds.items()
        )
        return Cost(
            seconds=sum(seconds),
            bytes_memory=work.bytes_memory or round(_of(self.memory, work.memory)),
            bytes_disk=round(sum(_of(self.bytes, name) * amount for name, amount in work.disk.items())),
            files=round(sum(_of(self.files, name) * amount for name, amount in work.disk.items())),
        )

    def knows(self, work: Work) -> bool:
        """Whether all that takes time was measured; if not, the middle of its group stands for it."""
        return all(name in self.seconds for name in work.seconds)


@functools.cache
def coefficients(path: Path = COEFFICIENTS) -> Coefficients:
    """Read the coefficients."""
    return Coefficients(**json.loads(path.read_text(encoding="utf-8")))


def part(name: str) -> str:
    """Part of the measurement of speed that what is called so resembles."""
    return "network" if name.startswith("simulate.") and not name.startswith("simulate.start") else "tables"


def _of(known: Mapping[str, float], name: str) -> float:
    if name in known:
        return known[name]
    group = name
    while group := group.rpartition(".")[0]:
        if values := [value for other, value in known.items() if other.startswith(f"{group}.")]:
            return statistics.median(values)
    return 0.0


def simulation(
    network: Network, duration_ms: float, *, slowness: Mapping[str, float] | None = None, **how: Any
) -> Cost:
    """What a simulation costs: its `seconds` and `bytes_memory`, bytes on disk and files.

    Parameters
    ----------
    network : Network
        What is simulated; nothing large is built.
    duration_ms : float
        Simulated time, ms.
    slowness : mapping, optional
        From `speed.slowness(coefficients().speed_s)`; default the machine of the coefficients.
    **how
        See `simulated`.
    """
    return coefficients().cost(simulated(network, duration_ms, **how), slowness)


def simulated(
    network: Network,
    duration_ms: float,
    *,
    threads: int = 1,
    partitions: int = 1,
    precision: str = "fast",
    conditions: int = 1,
    record: Mapping[str, Any] | None = None,
    known: Coefficients | None = None,
) -> Work:
    """What one simulation does, with all its conditions on one connectivity.

    Parameters
    ----------
    network : Network
        What is simulated; nothing large is built.
    duration_ms : float
        Simulated time of each condition, ms.
    threads : int
        Threads of each partition.
    partitions, precision
        As `simulate.run` takes them.
    conditions : int
        Number of runs on the connectivity.
    record : mapping, optional
        What is recorded, as a configuration says it; default all spikes and nothing else.
    known : Coefficients, optional
        Has the rates of the models.

    """
    plan = compile_network(network, 1, precision)
    need = estimate(plan, duration_ms, partitions, threads, processes=partitions > 1)
    steps = conditions * duration_ms / network.dt_ms
    seconds = 1e-3 * conditions * duration_ms
    cores = partitions * threads
    rates = _rates(known or coefficients(), network)
    spikes = {n.name: seconds * n.size * rate for n, rate in zip(plan.neurons, rates)}
    kept = (record or {}).get("populations") or spikes
    samples = _samples_per_ms(record or {}) * conditions * duration_ms
    every = (*plan.synapses, *plan.plastic, *plan.released)
    on_lattice = sum(s.expected for s in every if isinstance(s.field, Lattice))
    placed = sum(s.expected for s in every if s.field is not None) - on_lattice
    work = {
        "simulate.start.network": 1.0,
        "simulate.condition": float(conditions),
        "simulate.synapse": max(0.0, need.synapses - placed - on_lattice) / cores,
        # drawn by the distance of their ends
        "simulate.placed_synapse": placed / cores,
        # every part draws all of them, and keeps its own
        "simulate.lattice_synapse": on_lattice,
        "simulate.event": seconds * _events_per_s((*plan.synapses, *plan.plastic), rates) / cores,
        "simulate.drawn_event": seconds * _events_per_s(plan.released, rates) / cores,
        "simulate.exchange": steps / plan.interval if partitions > 1 else 0.0,
        "simulate.spike": sum(spikes.values()),
        "simulate.sample": samples,
    }
    for n in plan.neurons:
        name = f"simulate.neuron_step.{type(n.model).__name__}"
        work[name] = work.get(name, 0.0) + n.size * steps / cores
    return Work(
        # what is not done says nothing of a job, and needs no measurement
        seconds={name: amount for name, amount in work.items() if amount},
        disk={
            "simulated.store": conditions,
            "simulated.spike": sum(count for name, count in spikes.items() if name in kept),
            "simulated.neuron": conditions * plan.size,
            "simulated.sample": samples,
        },
        bytes_memory=need.bytes_total,
        neurons=plan.size,
        synapses=need.synapses,
    )


def propagation(neurons: int, edges: int, duration_ms: float, dt_ms: float, rewirings: int, threads: int) -> Work:
    """What driving every neuron of a connectome in turn does, in it and in its rewirings."""
    networks = 1 + rewirings
    steps = neurons * duration_ms / dt_ms * networks / threads
    return Work(
        seconds={
            "simulate.start.propagation": 1,
            "simulate.rewiring": edges * rewirings,
            "simulate.propagated": neurons * steps,
        },
        disk={"propagated.store": 1, "propagated.pair": neurons**2 * networks},
        memory="simulate.propagation",
        neurons=neurons,
        synapses=edges,
    )


def _rates(known: Coefficients, network: Network) -> list[float]:
    """Spikes per second and neuron of each population."""
    model = (network.parameters or {}).get("model")
    return [known.rates_hz.get(f"{model}.{p.name}", known.rates_hz[OTHER]) for p in network.populations]


def _samples_per_ms(record: Mapping[str, Any]) -> int:
    """Values of state variables that are recorded in one ms: of each probe the voltage, and what else is asked for."""
    return sum((record.get("voltage") or {}).values()) * (1 + len(record.get("states") or ()))


def _events_per_s(synapses: Sequence[Synapses], rates: Sequence[float]) -> float:
    return float(sum(s.expected * rates[s.source] for s in synapses))
