"""Plastic projections in arrays: drawn as all others are, then held synapse by synapse; their state over a restart."""

import dataclasses

import numpy as np

from allometry.network import STDP, ShortTermPlasticity
from allometry.simulate.build.edges import drawn_synapses
from allometry.simulate.build.fixedpoint import MAX_SUM, overflow
from allometry.simulate.build.plan import Plan
from allometry.simulate.build.projections import delay_ranges
from allometry.simulate.build.state import Layout, slot_of
from allometry.simulate.kernels.plastic import MUTE, SHORT_TERM, TIMING, UNIT, Plastic, bring_up_to_date

# Entries of targets' spikes above which those that no synapse needs any more are dropped.
_ENTRIES = 2**18
_SPARED = 2
"""The same, per synapse."""


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
            for negative in (False, True):
                chosen = (weight < 0) == negative
                slot[chosen] = slot_of(plan, where, row, negative, "synapses") + mine[chosen]
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


ENTRY = ("entry_step", "before", "after", "owner", "trace")


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
