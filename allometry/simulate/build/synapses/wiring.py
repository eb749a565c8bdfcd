"""The incoming synapses of one thread: a count pass over all projections, allocation, a fill pass; and reading them back."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from allometry.errors import SimulationError
from allometry.network import (
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    OneToOne,
    PairwiseBernoulli,
)
from allometry.simulate.build.fixedpoint import MAX_SUM, overflow
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.plan.projections import Synapses, delay_ranges
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import Layout, layout, synapse_slots
from allometry.simulate.kernels.loop.cells import Wiring
from allometry.simulate.kernels.rng import multinomial_indegrees
from allometry.simulate.kernels.wiring import connect, degrees, distance, lattice

_NO_WORDS: dict[type, np.ndarray] = {np.uint32: np.empty(0, np.uint32), np.uint64: np.empty(0, np.uint64)}
NO_WIRING = Wiring(*[np.empty(0, np.int64)] * len(Wiring._fields))
"""Stands for synapses that have not been drawn."""
_NOTHING, _NO_SECOND = np.empty(0), np.empty(0, np.uint8)
# A peak at which everyone within the cutoff is connected.
_ALL = 1e300
Known = dict[tuple[int, int], np.ndarray]
"""In-degrees or peak probabilities by projection and first target of a segment."""


def build_wiring(plan: Plan, where: Layout) -> Wiring:
    """Draw the incoming synapses of a part, and check that a neuron's input fits the integers it is summed in."""
    wiring, extent = draw_synapses(plan, where)
    require_sums(plan, where, extent)
    return wiring


def draw_synapses(plan: Plan, where: Layout, drawn: Wiring = NO_WIRING) -> tuple[Wiring, np.ndarray]:
    """Draw the incoming synapses of a part: count per row, allocate, fill.

    Parameters
    ----------
    plan : Plan
        The network.
    where : Layout
        Slots of the part.
    drawn : Wiring, optional
        The same synapses with other weights; where their words are as wide, only the weights are drawn, in place.

    Returns
    -------
    The wiring, and the sums of |weight| per sign and slot, int64 [2, slot].
    """
    bits = where.slot_bits
    narrow, wide = row_counts(plan, bits)
    population = np.repeat(np.arange(len(plan.neurons), dtype=np.uint16), [n.size for n in plan.neurons])
    extent = np.zeros((2, where.slots), np.int64)
    tables: list[np.ndarray] = []
    again = as_wide(plan, where, drawn)
    for base, dtype, shift, old in (
        (narrow, np.uint32, bits, (drawn.narrow_limits, drawn.narrow)),
        (wide, np.uint64, 32, (drawn.wide_limits, drawn.wide)),
    ):
        total_rows = int(base[-1])
        cursor = np.zeros(total_rows + 1 if total_rows else 1, np.uint32)
        words = _NO_WORDS[dtype]
        if total_rows:
            known: Known = {}
            if again:
                cursor, words = old
            else:
                _pass(plan, where, base, cursor, words, shift, extent, known, fill=False)
                count = connect.starts(cursor)
                if count < 0:
                    raise SimulationError(
                        "more than 4.29e9 synapses on one thread",
                        do="use more partitions or threads, so that each has fewer",
                    )
                words = np.empty(count, dtype)
            _pass(plan, where, base, cursor, words, shift, extent, known, fill=True)
            connect.rewind(cursor)
        first = np.full(plan.size, -1, np.int64)
        for number, n in enumerate(plan.neurons):
            if base[number + 1] > base[number]:
                first[n.first : n.first + n.size] = base[number] + np.arange(n.size) * plan.spans[number]
        tables += [first, cursor, words]
    return Wiring(population, plan.shortest, plan.spans, *tables), extent


def as_wide(plan: Plan, where: Layout, drawn: Wiring) -> bool:
    """Whether synapses drawn before have words of the width that a plan asks for: other weights can then take their place."""
    if not len(drawn.narrow_row):
        return False
    narrow, wide = row_counts(plan, where.slot_bits)
    first = [n.first for n in plan.neurons]
    pairs = ((drawn.narrow_row, narrow), (drawn.wide_row, wide))
    return all(np.array_equal(table[first] >= 0, np.diff(base) > 0) for table, base in pairs)


def require_sums(plan: Plan, where: Layout, extent: np.ndarray) -> None:
    """Refuse input whose sum over all synapses and given events may overflow the integers of `fast`."""
    if plan.precision != "fast":
        return
    for row, s in enumerate(where.segments):
        neurons = plan.neurons[s.population]
        slot = where.slot[row]
        if int(extent[:, slot : slot + s.count].max(initial=0)) + neurons.input_extent > MAX_SUM:
            raise overflow(neurons.name)


def without(wiring: Wiring, silenced: np.ndarray) -> Wiring:
    """Return the wiring in which spikes of some neurons (numbers in the network) reach nobody."""
    if not len(silenced):
        return wiring
    rows = [table.copy() for table in (wiring.narrow_row, wiring.wide_row)]
    for table in rows:
        table[silenced] = -1
    return wiring._replace(narrow_row=rows[0], wide_row=rows[1])


def row_counts(plan: Plan, slot_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each source population among the 32-bit and the 64-bit rows, int64 [population + 1]."""
    need = np.zeros(len(plan.neurons), np.int64)
    for s in plan.synapses:
        if s.expected > 0:
            need[s.source] = max(need[s.source], s.weight_bits + slot_bits)
    rows = np.array([n.size for n in plan.neurons], np.int64) * plan.spans
    narrow = np.where((need > 0) & (need <= 32), rows, 0)
    wide = np.where(need > 32, rows, 0)
    return tuple(np.concatenate([[0], np.cumsum(x)]) for x in (narrow, wide))  # type: ignore[return-value]


def _pass(
    plan: Plan,
    where: Layout,
    base: np.ndarray,
    cursor: np.ndarray,
    words: np.ndarray,
    shift: int,
    extent: np.ndarray,
    known: Known,
    fill: bool,
) -> None:
    for synapses in plan.synapses:
        if base[synapses.source + 1] == base[synapses.source]:
            continue
        for row, s in enumerate(where.segments):
            if s.population != synapses.target:
                continue
            slots = np.array(synapse_slots(plan, where, row, synapses.number), np.int64) - where.zero
            part = extent[:, where.slot[row] : where.slot[row] + s.count]
            shared = (
                int(plan.shortest[synapses.source]), int(plan.spans[synapses.source]), int(base[synapses.source]),
                cursor, words, slots, shift, part,
            )  # fmt: skip
            _draw(plan, synapses, s, known, fill, shared)


def _draw(plan: Plan, synapses: Synapses, s: Segment, known: Known, fill: bool, shared: Any) -> None:
    """Draw the synapses of a projection onto a segment; `known` keeps what both passes need."""
    n_source, n_target = plan.neurons[synapses.source].size, plan.neurons[synapses.target].size
    number, rule, field, tables = synapses.number, synapses.rule, synapses.field, (synapses.weights, synapses.delays)
    head = (fill, synapses.key, s.low)
    where = f"projection {number} ({plan.neurons[synapses.source].name} -> {plan.neurons[synapses.target].name})"
    if isinstance(rule, ExplicitEdges):
        connect.explicit(fill, s.low, s.count, rule.source, rule.target, *tables, *shared)
    elif isinstance(rule, PairwiseBernoulli):
        connect.bernoulli(*head, s.count, n_source, rule.p, synapses.autapses, *tables, *shared)
    elif isinstance(rule, OneToOne):
        degrees.one_to_one(*head, s.count, *tables, *shared)
    elif isinstance(rule, DistanceDependent):
        if (number, s.low) not in known:
            known[number, s.low] = _peaks(rule, synapses, s, n_target, where)
        norm = synapses.norm[s.low : s.high] if synapses.norm is not None else _NOTHING
        again = _second_attempts(rule, synapses, n_target, where)[s.low : s.high]
        distance.bernoulli(
            *head, s.count, field, known[number, s.low], synapses.autapses, again, norm, *tables, *shared
        )  # fmt: skip
    elif isinstance(field, lattice.Lattice):
        assert isinstance(rule, FixedOutdegree)
        lattice.outdegree(*head, s.count, field, rule.n, *tables, *shared)
    elif isinstance(rule, FixedIndegree | FixedOutdegree) and field is not None:
        outward = isinstance(rule, FixedOutdegree)
        lonely = distance.fixed_degree(
            *head, s.count, field, outward, rule.n, synapses.autapses, *tables, *shared
        )  # fmt: skip
        if lonely >= 0:
            raise SimulationError(
                f"no {'target' if outward else 'source'} is within the kernel of neuron {lonely}",
                where=where,
                expected="someone to connect to for every neuron",
                do="widen the kernel's cutoff, or use DistanceDependent, where a neuron may have no synapses",
            )
    elif isinstance(rule, FixedOutdegree):
        degrees.outdegree(
            *head, s.count, n_source, n_target, rule.n, synapses.autapses, rule.multapses, *tables, *shared
        )  # fmt: skip
    elif isinstance(rule, FixedIndegree) and not rule.multapses:
        degrees.without_replacement(*head, s.count, n_source, rule.n, synapses.autapses, *tables, *shared)
    else:
        assert isinstance(rule, FixedIndegree | FixedTotalNumber)
        if (number, s.low) not in known:
            count = np.full(s.count, rule.n, np.int64)
            if isinstance(rule, FixedTotalNumber):
                multinomial_indegrees(rule.n, n_target, s.low, s.high, synapses.degree_key, count)
            known[number, s.low] = count
        connect.with_replacement(*head, known[number, s.low], n_source, synapses.autapses, *tables, *shared)


def _peaks(rule: DistanceDependent, synapses: Synapses, s: Segment, n_target: int, where: str) -> np.ndarray:
    """Return the peak probability of every target of a segment, float64."""
    given = rule.p if rule.indegree is None else rule.indegree
    whole = np.array(np.broadcast_to(np.asarray(given, np.float64), n_target))
    here = whole[s.low : s.high]
    if rule.indegree is None:
        return here
    if rule.redrawn_tails > 0:
        found = synapses.together.of(
            "peaks", n_target, lambda low, high: distance.peaks(synapses.field, low, whole[low:high], synapses.autapses)
        )[s.low : s.high].copy()
    else:
        found = distance.peaks(synapses.field, s.low, here, synapses.autapses)
    if rule.clipped:
        found[found < 0] = _ALL
    if (found < 0).any():
        first = int(np.argmax(found < 0))
        raise SimulationError(
            f"neuron {s.low + first} has fewer than {here[first]:g} possible sources within the kernel",
            where=where,
            expected="an expected in-degree that the sources in reach allow",
            do="lower indegree, or widen the kernel's cutoff",
        )
    return found


def _second_attempts(rule: DistanceDependent, synapses: Synapses, n_target: int, where: str) -> np.ndarray:
    """Return which targets of a whole projection are in the tails of their class, uint8 [target]; empty where none is."""
    if rule.redrawn_tails <= 0:
        return _NO_SECOND
    peaks = _peaks(rule, synapses, Segment(synapses.target, 0, n_target, 0), n_target, where)
    found = synapses.together.of(
        "degrees",
        n_target,
        lambda low, high: distance.degrees(synapses.key, low, synapses.field, peaks[low:high], synapses.autapses),
    )
    again = np.zeros(n_target, np.uint8)
    classes = np.zeros(n_target, np.int64) if rule.classes is None else rule.classes
    for c in np.unique(classes):
        members = np.flatnonzero(classes == c)
        order = members[np.argsort(found[members], kind="stable")]
        again[order[: int(rule.redrawn_tails * len(order))]] = 1
        again[order[int((1.0 - rule.redrawn_tails) * len(order)) :]] = 1
    return again


class Drawn(NamedTuple):
    """Synapses, sorted by (source, target): numbers of neurons in the network, delays in steps, integer weights.

    source, target : int32; delay : int32; weight : int64, each [synapse].
    """

    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray


def with_plastic(plan: Plan) -> Plan:
    """Return the plan in which plastic synapses are drawn among the others, with their initial weights.

    So are those with draws for every spike, with the means of what is drawn.
    """
    synapses = (*plan.synapses, *plan.plastic, *(_with_means(s, plan.network) for s in plan.released))
    shortest, spans = delay_ranges(len(plan.neurons), synapses)
    return dataclasses.replace(plan, synapses=synapses, plastic=(), released=(), shortest=shortest, spans=spans)


def _with_means(s: Synapses, net: Network) -> Synapses:
    redrawn = net.projections[s.number].redrawn
    weights = np.rint(np.array([s.weights.mean()])).astype(np.int32) if "weight" in redrawn else s.weights
    delays = np.rint(np.array([s.delays.mean()])).astype(np.uint16) if "delay" in redrawn else s.delays
    return dataclasses.replace(s, weights=weights, delays=delays, release=None)


def drawn_synapses(plan: Plan, part: int, parts: int) -> Drawn:
    """Draw the synapses onto part `part` of `parts`."""
    where = layout(plan, part, parts)
    wiring = build_wiring(plan, where)
    owner = np.zeros(where.slots, np.int32)
    for row, s in enumerate(where.segments):
        first = plan.neurons[s.population].first + s.low
        receptors = len(plan.neurons[s.population].form.receptors)
        slots = slice(where.slot[row], where.slot[row] + receptors * s.count)
        owner[slots] = np.tile(np.arange(first, first + s.count), receptors)
    narrow, wide = row_counts(plan, where.slot_bits)
    found = [
        _decoded(plan, base, limits, words, shift, owner)
        for base, limits, words, shift in (
            (narrow, wiring.narrow_limits, wiring.narrow, where.slot_bits),
            (wide, wiring.wide_limits, wiring.wide, 32),
        )
        if len(words)
    ]
    if not found:
        empty = np.empty(0, np.int32)
        return Drawn(empty, empty, empty, np.empty(0, np.int64))
    whole = Drawn(*(np.concatenate(column) for column in zip(*found)))
    order = np.lexsort((whole.target, whole.source))
    return Drawn(*(column[order] for column in whole))


def _decoded(
    plan: Plan, base: np.ndarray, limits: np.ndarray, words: np.ndarray, shift: int, owner: np.ndarray
) -> Drawn:
    count = int(base[-1])
    source, delay = np.zeros(count, np.int32), np.zeros(count, np.int32)
    for number, n in enumerate(plan.neurons):
        span, rows = int(plan.spans[number]), slice(int(base[number]), int(base[number + 1]))
        if rows.stop > rows.start:
            source[rows] = n.first + np.repeat(np.arange(n.size), span)
            delay[rows] = np.tile(int(plan.shortest[number]) + np.arange(span), n.size)
    ends = limits[: count + 1].astype(np.int64)
    row = np.repeat(np.arange(count), ends[1:] - ends[:-1])
    signed: np.ndarray = words.view(np.int32 if words.dtype == np.uint32 else np.int64)
    slot = words & words.dtype.type((1 << shift) - 1)
    return Drawn(source[row], owner[slot], delay[row], np.right_shift(signed, shift).astype(np.int64))
