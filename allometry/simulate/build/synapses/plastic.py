"""Plastic projections in arrays: drawn as all others are, then held synapse by synapse; their state over a restart."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from allometry.network import STDP, ShortTermPlasticity
from allometry.simulate.build.fixedpoint import MAX_SUM, overflow
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.plan.projections import delay_ranges
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import Layout, synapse_slots
from allometry.simulate.build.synapses.wiring import drawn_synapses
from allometry.simulate.kernels.synapses.plastic import (
    HEADS,
    MUTE,
    P_COUNT,
    ROWS,
    SHORT_TERM,
    TIMING,
    UNIT,
    Plastic,
    bring_up_to_date,
)

ENTRY = ("entry_step", "before", "after", "owner", "trace")
PREFIX = "plastic_"
"""What the names of saved arrays begin with."""
# Entries of targets' spikes, at all and per synapse, above which those that no synapse needs any more are dropped.
_ENTRIES, _SPARED = 2**18, 2


def build_plastic(plan: Plan, where: Layout, part: int, parts: int, silenced: np.ndarray) -> Plastic:
    """Draw the plastic synapses of a part; spikes of silenced neurons (numbers in the network) reach nobody."""
    table, parameters, rows, listened = [], [], [], []
    columns: dict[str, list[np.ndarray]] = {name: [np.empty(0, np.int64)] for name in ("delay", "slot", "target")}
    weights, seconds = [np.empty(0)], [np.empty(0)]
    row_count = sources = heads = synapses_before = 0
    quiet = np.zeros(plan.size, bool)
    quiet[silenced] = True
    mute = [np.empty(0, bool)]
    for number, s in enumerate(plan.plastic):
        source, target = plan.neurons[s.source], plan.neurons[s.target]
        shortest, spans = delay_ranges(len(plan.neurons), [s])
        alone = dataclasses.replace(plan, synapses=(s,), plastic=(), shortest=shortest, spans=spans)
        drawn = drawn_synapses(alone, part, parts)
        kept = ~quiet[drawn.source]
        who, to, delay, weight = (column[kept] for column in drawn)
        place, slot = np.zeros(len(to), np.int64), np.zeros(len(to), np.int64)
        kind = SHORT_TERM if isinstance(s.plasticity, ShortTermPlasticity) else TIMING
        local = 0
        for row, segment in enumerate(where.segments):
            if segment.population != s.target:
                continue
            mine = to - target.first - segment.low
            slot = np.where(weight < 0, *synapse_slots(plan, where, row, s.number)[::-1]) + mine
            place = mine
            local = segment.count
            if kind == TIMING:
                listened.append([target.first + segment.low, segment.count, heads, number])
                mute.append(quiet[target.first + segment.low : target.first + segment.high])
        table.append([kind, source.first, source.size, row_count, sources, heads])
        begins = np.searchsorted(who, source.first + np.arange(source.size + 1))
        rows.append(begins + synapses_before)
        for name, values in (("delay", delay), ("slot", slot), ("target", place)):
            columns[name].append(values.astype(np.int64))
        weights.append(weight * target.quantum.value)
        parameters.append(_parameters(s.plasticity, plan.dt_ms, target.quantum.value))
        seconds.append(np.full(source.size, s.plasticity.U if isinstance(s.plasticity, ShortTermPlasticity) else 0.0))
        row_count += source.size + 1
        sources += source.size
        heads += local if kind == TIMING else 0
        synapses_before += len(who)
        if isinstance(s.plasticity, STDP) and plan.precision == "fast" and len(to):
            most = int(np.bincount(place).max()) * s.plasticity.Wmax / target.quantum.value
            if most + target.input_extent > MAX_SUM:
                raise overflow(target.name)
    second = np.concatenate(seconds)
    return Plastic(
        table=np.array(table, np.int64).reshape(-1, 6),
        parameters=np.array(parameters, np.float64).reshape(-1, 8),
        rows=np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int64),
        **{name: np.concatenate(values) for name, values in columns.items()},
        weight=np.concatenate(weights),
        last=np.full(sources, -1, np.int64),
        first=np.where(second > 0, 1.0, 0.0),
        second=second,
        heads=np.where(np.concatenate(mute), MUTE, -1).astype(np.int64),
        listened=np.array(listened, np.int64).reshape(-1, 4),
        entry_step=np.empty(0, np.int64),
        before=np.empty(0, np.int64),
        after=np.empty(0, np.int64),
        owner=np.empty(0, np.int64),
        trace=np.empty(0),
        used=np.zeros(2, np.int64),
        ring=np.zeros((plan.longest + 1, where.slots if table else 0), plan.sum_type),
    )


def _parameters(plasticity: object, dt_ms: float, unit: float) -> list[float]:
    out = [0.0] * 8
    if isinstance(plasticity, ShortTermPlasticity):
        out[:3] = [plasticity.U, plasticity.tau_rec / dt_ms, plasticity.tau_fac / dt_ms]
    else:
        assert isinstance(plasticity, STDP)
        p = plasticity
        taus = [p.tau_plus / dt_ms, p.tau_minus / dt_ms]
        out[:7] = [*taus, p.learning_rate, p.alpha, p.mu_plus, p.mu_minus, p.Wmax]
    out[UNIT] = unit
    return out


def with_room(plan: Plan, plastic: Plastic, now: int, stop: int) -> Plastic:
    """Return the synapses with room for what their targets can spike in steps [now, stop); `now` is the present."""
    if not len(plastic.listened):
        return plastic
    if plastic.used[0] > max(_ENTRIES, _SPARED * len(plastic.weight)):
        plastic = compacted(plan, plastic, now)
    need = int(plastic.used[0])
    for first, count, _, _ in plastic.listened.tolist():
        dead = next(n.dead_steps for n in plan.neurons if n.first <= first < n.first + n.size)
        need += count * -(-(stop - now) // (dead + 1))
    if need <= len(plastic.trace):
        return plastic
    extra = max(need, 2 * len(plastic.trace)) - len(plastic.trace)
    grown = {
        name: np.concatenate([getattr(plastic, name), np.zeros(extra, getattr(plastic, name).dtype)]) for name in ENTRY
    }
    return plastic._replace(**grown)


def compacted(plan: Plan, plastic: Plastic, now: int) -> Plastic:
    """Return the synapses up to date at `now`, without the spikes of targets that none of them will ask for again."""
    bring_up_to_date(plastic, now)
    count = int(plastic.used[0])
    old = plastic.entry_step[:count] <= now - plan.longest
    kept = ~old
    latest = np.full(len(plastic.heads), -1, np.int64)
    latest[plastic.owner[:count][old]] = np.flatnonzero(old)
    kept[latest[latest >= 0]] = True
    moved = np.where(kept, np.cumsum(kept) - 1, -1)
    changed = {name: getattr(plastic, name)[:count][kept] for name in ENTRY}
    for name in ("before", "after"):
        values = changed[name]
        changed[name] = np.where(values >= 0, moved[values], -1)
    heads = np.where(plastic.heads >= 0, moved[plastic.heads], plastic.heads)
    used = np.array([kept.sum(), now], np.int64)
    return plastic._replace(heads=heads, used=used, **changed)


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
