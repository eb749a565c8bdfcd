"""The synapses of a part of a network, read back from the words that the step loop uses."""

import dataclasses
from typing import NamedTuple

import numpy as np

from allometry.simulate.build.plan import Plan
from allometry.simulate.build.projections import delay_ranges
from allometry.simulate.build.state import layout
from allometry.simulate.build.wiring import build_wiring, row_counts


class Drawn(NamedTuple):
    """Synapses, sorted by (source, target): numbers of neurons in the network, delays in steps, integer weights.

    source, target : int32; delay : int32; weight : int64, each [synapse].
    """

    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray


def with_plastic(plan: Plan) -> Plan:
    """Return the plan in which plastic synapses are drawn among the others, with their initial weights."""
    synapses = (*plan.synapses, *plan.plastic)
    shortest, spans = delay_ranges(len(plan.neurons), synapses)
    return dataclasses.replace(plan, synapses=synapses, plastic=(), shortest=shortest, spans=spans)


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
