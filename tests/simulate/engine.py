"""Running a plan on any number of partitions and threads of this process, and reading back what was built."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from allometry import stores
from allometry.network import (
    CorrelatedInput,
    DCInput,
    ExplicitEdges,
    Network,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.simulate.build.partition import Partition, message_room
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import initial_values, layout
from allometry.simulate.build.synapses.wiring import build_wiring
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.kernels import rng


def spikes(net: Network, steps: int, partitions: int = 1, threads: int = 1, seed: int = 1, precision: str = "fast"):
    """Sorted spikes (int64 [spike, 2]: step of the update, neuron) of the first `steps` steps."""
    plan = compile_network(net, seed, precision)
    return decoded(run_plan(plan, [steps], partitions, threads))


def decoded(packed: np.ndarray) -> np.ndarray:
    return np.stack([packed >> 32, packed & 0xFFFFFFFF], axis=1)


def run_plan(plan: Plan, windows: list[int], partitions: int = 1, threads: int = 1) -> np.ndarray:
    """Packed sorted spikes of a run in the given windows (last steps)."""
    sockets = mesh(partitions)
    room = message_room(plan, partitions, threads)
    results: dict[int, np.ndarray] = {}

    def one(number: int) -> None:
        # Where there are three or more, the last is as if on another host.
        here = number < max(2, partitions - 1)
        with (
            open_mail(sockets[number], room, share=here) as mail,
            Partition(plan, number, partitions, threads, mail=mail, crowded=True) as partition,
        ):
            partition.build()
            results[number] = np.concatenate([partition.window(last).spikes for last in windows])

    with ThreadPoolExecutor(partitions) as pool:
        list(pool.map(one, range(partitions)))
    for row in sockets:
        for s in row:
            s.close()
    return np.sort(np.concatenate(list(results.values())))


def mesh(count: int) -> list[list[socket.socket]]:
    """Connected sockets: row p holds those of partition p, in ascending order of the peers."""
    rows: list[dict[int, socket.socket]] = [{} for _ in range(count)]
    for a in range(count):
        for b in range(a + 1, count):
            rows[a][b], rows[b][a] = socket.socketpair()
    return [[row[other] for other in sorted(row)] for row in rows]


def edges(plan: Plan, part: int = 0, parts: int = 1) -> np.ndarray:
    """Synapses of a part, sorted int64 [synapse, 4]: source, target (network-wide), delay steps, integer weight."""
    where = layout(plan, part, parts)
    wiring = build_wiring(plan, where)
    owner = np.full(where.slots, -1)
    for row, s in enumerate(where.segments):
        first = plan.neurons[s.population].first + s.low
        receptors = len(plan.neurons[s.population].form.receptors)
        slots = slice(where.slot[row], where.slot[row] + receptors * s.count)
        owner[slots] = np.tile(np.arange(first, first + s.count), receptors)
    found = [np.empty((0, 4), np.int64)]
    tables = (
        (wiring.narrow_row, wiring.narrow_limits, wiring.narrow, where.slot_bits),
        (wiring.wide_row, wiring.wide_limits, wiring.wide, 32),
    )
    for first_row, limits, words, shift in tables:
        signed = words.view(np.int32 if words.dtype == np.uint32 else np.int64).astype(np.int64)
        for neuron in np.flatnonzero(first_row >= 0):
            population = wiring.population[neuron]
            for d in range(wiring.spans[population]):
                row = first_row[neuron] + d
                here = slice(int(limits[row]), int(limits[row + 1]))
                n = here.stop - here.start
                if n:
                    slot = words[here].astype(np.int64) & ((1 << shift) - 1)
                    delay = np.full(n, wiring.shortest[population] + d)
                    found.append(np.stack([np.full(n, neuron), owner[slot], delay, signed[here] >> shift], axis=1))
    table = np.concatenate(found)
    return table[np.lexsort(table.T[::-1])]


def explicit(net: Network, seed: int, steps: int, precision: str = "exact") -> Network:
    """The same network with its drawn edges, voltages and Poisson events listed, for the plain oracle."""
    plan = compile_network(net, seed, precision)
    table = edges(plan)
    population = np.repeat(np.arange(len(plan.neurons)), [n.size for n in plan.neurons])
    populations, projections, inputs = [], [], []
    for i, p in enumerate(net.populations):
        v = initial_values(plan, Segment(i, 0, p.size, 0))["V_m"]
        populations.append(Population(p.name, p.size, p.neuron, v))
    for a in range(len(plan.neurons)):
        for b in range(len(plan.neurons)):
            mine = table[(population[table[:, 0]] == a) & (population[table[:, 1]] == b)]
            source, target = mine[:, 0] - plan.neurons[a].first, mine[:, 1] - plan.neurons[b].first
            weight = mine[:, 3] * plan.neurons[b].quantum.value
            rule = ExplicitEdges(source, target, weight, mine[:, 2] * net.dt_ms)
            projections.append(Projection(net.populations[a].name, net.populations[b].name, rule))
    poisson = iter(plan.poisson)
    for x in net.inputs:
        if isinstance(x, PoissonInput | CorrelatedInput):
            inputs.append(_listed(net, plan, next(poisson), steps))
        else:
            inputs.append(x)
    return Network(tuple(populations), tuple(projections), tuple(inputs), dt_ms=net.dt_ms)


def _listed(net: Network, plan: Plan, x, steps: int) -> SpikeListInput:
    """Poisson events drawn in plain Python, one hash at a time."""
    neurons = range(plan.neurons[x.target].size) if x.neurons is None else x.neurons
    golden, mask = int(rng.GOLDEN), 2**64 - 1
    who, when = [], []
    for step in range(max(0, x.start), min(steps, x.stop)):
        base = rng._mix_int(int(x.key) + step * golden)
        offset, begin, end = x.rates.table[np.searchsorted(x.rates.steps, step, side="right") - 1]
        row = x.rates.rows[begin:end]
        if x.copied:
            first = rng._mix_int(base) & 0xFFFFFFFF
            for k in range(int(offset + np.searchsorted(row, first, side="left"))):
                stream = rng._mix_int((base + (k + 1) * golden) & mask)
                for i in neurons:
                    bits = rng._mix_int((stream + int(i) * golden) & mask)
                    if ((bits >> 11) + 0.5) / 2**53 < x.copied:
                        who.append(i)
                        when.append(step * net.dt_ms)
            continue
        for i in neurons:
            bits = rng._mix_int((base + (int(i) >> 1) * golden) & mask)
            u = bits >> 32 if i & 1 else bits & 0xFFFFFFFF
            count = int(offset + np.searchsorted(row, u, side="left"))
            who += [i] * count
            when += [step * net.dt_ms] * count
    unit = plan.neurons[x.target].quantum.value
    return SpikeListInput(plan.neurons[x.target].name, np.array(who, int), np.array(when, float), x.weight * unit)


def content(store: Path) -> str:
    """Hash of what a store holds."""
    return str(stores.read_manifest(store)["content"]["content_sha256"])


def alive() -> set[str]:
    """Names of the running threads of partitions."""
    return {t.name for t in threading.enumerate() if t.name.startswith("partition-")}


__all__ = ["DCInput", "alive", "decoded", "edges", "explicit", "mesh", "run_plan", "spikes"]
