"""State of plastic synapses over a restart, independently of how the network is cut."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from allometry.simulate.build.cut import Segment
from allometry.simulate.build.plan import Plan
from allometry.simulate.build.plastic import ENTRY, compacted
from allometry.simulate.build.state import Layout
from allometry.simulate.kernels.plastic import HEADS, P_COUNT, ROWS, TIMING, Plastic

PREFIX = "plastic_"


def _targets(plan: Plan, where: Layout, plastic: Plastic) -> Iterator[tuple[int, Segment, slice]]:
    """Yield every projection with local targets: its number, their segment, its synapses."""
    for k, line in enumerate(plastic.table):
        rows = plastic.rows[line[ROWS] : line[ROWS] + line[P_COUNT] + 1]
        for s in where.segments:
            if s.population == plan.plastic[k].target:
                yield k, s, slice(int(rows[0]), int(rows[-1]))


def weights_of(plan: Plan, where: Layout, plastic: Plastic, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the synapses of plastic projection `number`: source and target in the network, int64 [2, synapse]; weights."""
    ends, weights = [np.empty((2, 0), np.int64)], [np.empty(0)]
    for k, s, here in _targets(plan, where, plastic):
        if k == number:
            first, low = plan.neurons[plan.plastic[k].source].first, plan.neurons[s.population].first + s.low
            ends.append(np.stack([_sources(plastic, k) + first, plastic.target[here] + low]))
            weights.append(plastic.weight[here])
    return np.concatenate(ends, axis=1), np.concatenate(weights)


def _sources(plastic: Plastic, k: int) -> np.ndarray:
    rows = plastic.rows[plastic.table[k, ROWS] : plastic.table[k, ROWS] + plastic.table[k, P_COUNT] + 1]
    return np.repeat(np.arange(len(rows) - 1), rows[1:] - rows[:-1])


def saved(plan: Plan, where: Layout, plastic: Plastic, now: int) -> tuple[Plastic, dict[str, np.ndarray]]:
    """Return the synapses brought up to date at step `now`, and their state by names that no cut enters."""
    plastic = compacted(plan, plastic, now)
    edges, weights = [np.empty((0, 3), np.int64)], [np.empty(0)]
    entries, traces = [np.empty((0, 3), np.int64)], [np.empty(0)]
    for k, s, here in _targets(plan, where, plastic):
        source = _sources(plastic, k)
        target = plastic.target[here] + s.low
        edges.append(np.column_stack([np.full(len(target), k), source, target]))
        weights.append(plastic.weight[here])
        owner = plastic.owner - plastic.table[k, HEADS]
        mine = (owner >= 0) & (owner < s.count) & (plastic.table[k, 0] == TIMING)
        entries.append(np.column_stack([np.full(mine.sum(), k), owner[mine] + s.low, plastic.entry_step[mine]]))
        traces.append(plastic.trace[mine])
    state = {
        "edges": np.concatenate(edges),
        "weight": np.concatenate(weights),
        "entries": np.concatenate(entries),
        "trace": np.concatenate(traces),
        "under_way": _under_way(plan, where, plastic, now),
        "last": plastic.last.copy(),
        "first": plastic.first.copy(),
        "second": plastic.second.copy(),
    }
    return plastic, {PREFIX + name: values for name, values in state.items()}


def _under_way(plan: Plan, where: Layout, plastic: Plastic, now: int) -> np.ndarray:
    """Return what has been sent and not received: neuron, receptor, step, sum, int64 [4, any]."""
    steps = plastic.ring.shape[0]
    place, slot = np.nonzero(plastic.ring)
    due = now + (place - now) % steps
    neuron, receptor = np.zeros(len(slot), np.int64), np.zeros(len(slot), np.int64)
    for row, s in enumerate(where.segments):
        n = plan.neurons[s.population]
        here = slot - where.slot[row]
        mine = (here >= 0) & (here < len(n.form.receptors) * s.count)
        receptor[mine], neuron[mine] = here[mine] // s.count, n.first + s.low + here[mine] % s.count
    return np.stack([neuron, receptor, due, plastic.ring[place, slot].astype(np.int64)])


def joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the states of several parts as one; what is held per source is the same in all of them."""
    out = {PREFIX + name: parts[0][PREFIX + name] for name in ("last", "first", "second")}
    for name in ("edges", "weight", "entries", "trace"):
        out[PREFIX + name] = np.concatenate([part[PREFIX + name] for part in parts])
    out[PREFIX + "under_way"] = np.concatenate([part[PREFIX + "under_way"] for part in parts], axis=1)
    return out


def loaded(plan: Plan, where: Layout, plastic: Plastic, now: int, state: Mapping[str, np.ndarray]) -> Plastic:
    """Return synapses as they were built, in the state that `saved` of all parts of the network gave, `joined`."""
    if not len(plastic.table):
        return plastic
    edges, weight, entries, trace = (state[PREFIX + name] for name in ("edges", "weight", "entries", "trace"))
    order = np.lexsort((edges[:, 2], edges[:, 1], edges[:, 0]))
    edges, weight = edges[order], weight[order]
    order = np.lexsort((entries[:, 2], entries[:, 1], entries[:, 0]))
    entries, trace = entries[order], trace[order]
    owners, steps, traces = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for k, s, here in _targets(plan, where, plastic):
        mine = (edges[:, 0] == k) & (edges[:, 2] >= s.low) & (edges[:, 2] < s.high)
        plastic.weight[here] = weight[mine]
        mine = (entries[:, 0] == k) & (entries[:, 1] >= s.low) & (entries[:, 1] < s.high)
        owners.append(entries[mine, 1] - s.low + plastic.table[k, HEADS])
        steps.append(entries[mine, 2])
        traces.append(trace[mine])
    for name in ("last", "first", "second"):
        getattr(plastic, name)[:] = state[PREFIX + name]
    _receive_later(plan, where, plastic, state[PREFIX + "under_way"])
    return _chained(plastic, np.concatenate(owners), np.concatenate(steps), np.concatenate(traces), now)


def _chained(plastic: Plastic, owner: np.ndarray, step: np.ndarray, trace: np.ndarray, now: int) -> Plastic:
    """Join entries, sorted by owner and step, into the list of each owner."""
    count = len(owner)
    follows = np.zeros(count, bool)
    follows[1:] = owner[1:] == owner[:-1]
    number = np.arange(count)
    before = np.where(follows, number - 1, -1)
    after = np.full(count, -1, np.int64)
    after[number[follows] - 1] = number[follows]
    heads = plastic.heads.copy()
    heads[owner] = number  # the last of equal ones stays
    values = dict(zip(ENTRY, (step, before, after, owner, trace)))
    return plastic._replace(heads=heads, used=np.array([count, now], np.int64), **values)


def _receive_later(plan: Plan, where: Layout, plastic: Plastic, under_way: np.ndarray) -> None:
    neuron, receptor, due, total = under_way
    for row, s in enumerate(where.segments):
        first = plan.neurons[s.population].first + s.low
        mine = (neuron >= first) & (neuron < first + s.count)
        slot = where.slot[row] + receptor[mine] * s.count + neuron[mine] - first
        plastic.ring[due[mine] % plastic.ring.shape[0], slot] = total[mine]
