"""Synapses with draws for every spike: delays and weights drawn anew, sources behind a gate.

What a spike of a source does to a target is a function of (seed, projection, step of the spike, source, target): the same
for any cut of the network, and when spikes under way are sent again after a restart. Events wait in a list of the step in
which they are due; where all delays are one step and spikes are exchanged at every step, they go straight into the sums of
the next step.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.intrinsics import prefetch
from allometry.simulate.kernels.neurons.update import cast
from allometry.simulate.kernels.rng import GOLDEN, draw, mix, uniform
from allometry.simulate.kernels.wiring.connect import TABLE, from_tail

# Columns of `Release.table`: number of the source population's first neuron in the network, how many; where its rows begin;
# bits of a target in a word, 32 in wide ones, and 1 where words are wide; slot and number in the population of the part's
# first target; 1 where events go straight into sums; begin and number of delays (one, or a table to draw from), of weights to
# draw from (0: none), and of delays of what passes again (0: the same); where the gate's values begin, -1: no gate; the mean
# of the drawn weights, where those of a synapse go with its own weight, else 0.
(
    R_FIRST, R_COUNT, R_ROWS, R_BITS, R_WIDE, R_SLOT, R_LOW, R_DIRECT, R_DELAYS, R_DELAYS_N, R_WEIGHTS, R_WEIGHTS_N,
    R_REPEATS, R_REPEATS_N, R_GATE, R_MEAN,
) = range(16)  # fmt: skip
_LOW = uint64(0xFFFFFFFF)
# Spikes whose synapses are asked for before they are needed, and cache lines of each row.
_AHEAD, _LINES, _LINE = 6, 8, 64


class Release(NamedTuple):
    """Synapses of one thread with draws for every spike.

    table : int64 [projection, 16]; keys, gate_keys : uint64 [projection]. begins, ends : uint32 [row], words of each source;
    narrow : uint32, wide : uint64 words (weight above the target, which counts from the part's first one). delays : uint16,
    weights : int32, tables of what is drawn; gates : float64, mean passes per source.
    """

    table: np.ndarray
    keys: np.ndarray
    gate_keys: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    narrow: np.ndarray
    wide: np.ndarray
    delays: np.ndarray
    weights: np.ndarray
    gates: np.ndarray


class Held(NamedTuple):
    """Events that are due in a later step: slot : uint32, weight : sum [step, event]; count : int64 [step]."""

    slot: np.ndarray
    weight: np.ndarray
    count: np.ndarray


def nothing_held(steps: int, room: int, total: type) -> Held:
    """Return an empty list for each of `steps` steps, of `room` events to begin with."""
    return Held(np.empty((steps, room), np.uint32), np.empty((steps, room), total), np.zeros(steps, np.int64))


@njit(nogil=True)
def due_events(held, step, arrived):
    """Add what is due in a step to `arrived`."""
    due = step % len(held.count)
    slot, weight = held.slot[due], held.weight[due]
    for n in range(held.count[due]):
        arrived[slot[n]] += weight[n]
    held.count[due] = 0


@njit(nogil=True)
def _with_room(held, more):
    """Return lists in which every step has room for `more` events."""
    filled = int64(0)
    for n in held.count:
        filled = max(filled, n)
    steps, room = held.slot.shape
    if filled + more <= room:
        return held
    while room < filled + more:
        room *= 2
    # An odd number of cache lines, or the ends of all lists would compete for the same ones.
    room += 16
    slot, weight = np.empty((steps, room), np.uint32), np.empty((steps, room), held.weight.dtype)
    for due in range(steps):
        for n in range(held.count[due]):
            slot[due, n] = held.slot[due, n]
            weight[due, n] = held.weight[due, n]
    return Held(slot, weight, held.count)


@njit(nogil=True)
def _constant(held, row, words, signed, begin, end, due, multiple, arrived):
    """Add the weights of synapses [begin, end), times `multiple`, to what is due in one step."""
    mask, bits, first = (uint64(1) << uint64(row[R_BITS])) - uint64(1), int64(row[R_BITS]), row[R_SLOT]
    if row[R_DIRECT] != 0:
        for e in range(begin, end):
            arrived[first + int64(uint64(words[e]) & mask)] += cast(multiple * (int64(signed[e]) >> bits), arrived)
        return
    due = due % len(held.count)
    slot, weight, at = held.slot[due], held.weight[due], held.count[due]
    for e in range(begin, end):
        slot[at + e - begin] = first + int64(uint64(words[e]) & mask)
        weight[at + e - begin] = cast(multiple * (int64(signed[e]) >> bits), arrived)
    held.count[due] = at + end - begin


@njit(nogil=True)
def _drawn(held, row, words, signed, begin, end, base, step, multiple, delays, weights, earliest, arrived):
    """Add the weights of synapses [begin, end), or weights drawn for each of them, after delays drawn for each of them."""
    mask, bits, first = (uint64(1) << uint64(row[R_BITS])) - uint64(1), int64(row[R_BITS]), row[R_SLOT]
    delay_mask, weight_mask = uint64(len(delays) - 1), uint64(max(1, min(len(weights), TABLE)) - 1)
    low, direct, mean, tailed = row[R_LOW], row[R_DIRECT] != 0, row[R_MEAN], len(weights) > TABLE
    slots, sums, count = held.slot, held.weight, held.count
    steps, redrawn = len(count), len(weights) > 0
    now = step % steps
    for e in range(begin, end):
        target = int64(uint64(words[e]) & mask)
        drawn = mix(base + uint64(low + target) * GOLDEN)
        weight = int64(signed[e]) >> bits
        if redrawn:
            own, pick = weight, int64(drawn & weight_mask)
            weight = int64(weights[from_tail(pick, drawn, len(weights)) if tailed else pick])
            if mean != 0:
                weight = int64(math.floor(float(weight * own) / float(mean) + 0.5))
        delay = int64(delays[(drawn >> uint64(16)) & delay_mask])
        if step + delay < earliest:
            continue
        if direct:
            arrived[first + target] += cast(multiple * weight, arrived)
            continue
        due = now + delay
        due = due - steps if due >= steps else due
        at = count[due]
        slots[due, at] = first + target
        sums[due, at] = cast(multiple * weight, arrived)
        count[due] = at + 1


@njit(nogil=True)
def _spread(r, held, k, words, signed, begin, end, step, source, passes, earliest, arrived):
    """Send one spike over the synapses [begin, end) of its row."""
    row = r.table[k]
    apart = row[R_REPEATS_N] > 0
    multiple = int64(1) if apart else passes
    base = draw(draw(r.keys[k], step), source)
    delays = r.delays[row[R_DELAYS] : row[R_DELAYS] + row[R_DELAYS_N]]
    weights = r.weights[row[R_WEIGHTS] : row[R_WEIGHTS] + row[R_WEIGHTS_N]]
    if len(delays) > 1 or len(weights) > 0:
        _drawn(held, row, words, signed, begin, end, base, step, multiple, delays, weights, earliest, arrived)
    elif step + int64(delays[0]) >= earliest:
        _constant(held, row, words, signed, begin, end, step + int64(delays[0]), multiple, arrived)
    if apart:
        delays = r.delays[row[R_REPEATS] : row[R_REPEATS] + row[R_REPEATS_N]]
        for again in range(1, passes):
            other = mix(base + uint64(again))
            _drawn(held, row, words, signed, begin, end, other, step, int64(1), delays, weights, earliest, arrived)


@njit(nogil=True)
def _ask(r, spike):
    """Ask for the synapses of a spike that is sent soon."""
    neuron = int64(uint64(spike) & _LOW)
    for k in range(r.table.shape[0]):
        source = neuron - r.table[k, R_FIRST]
        if source < 0 or source >= r.table[k, R_COUNT]:
            continue
        begin, end = int64(r.begins[r.table[k, R_ROWS] + source]), int64(r.ends[r.table[k, R_ROWS] + source])
        if r.table[k, R_WIDE] != 0:
            for e in range(begin, min(end, begin + _LINES * _LINE // 8), _LINE // 8):
                prefetch(r.wide, e)
        else:
            for e in range(begin, min(end, begin + _LINES * _LINE // 4), _LINE // 4):
                prefetch(r.narrow, e)


@njit(nogil=True)
def release(r, held, spikes, count, earliest, arrived):
    """Send spikes (step << 32 | neuron); what is due before step `earliest` is dropped.

    Returns the number of events, and the events that wait, whose lists may have grown.
    """
    events = int64(0)
    for s in range(min(_AHEAD, count)):
        _ask(r, spikes[s])
    for s in range(count):
        if s + _AHEAD < count:
            _ask(r, spikes[s + _AHEAD])
        neuron = int64(uint64(spikes[s]) & _LOW)
        step = int64(uint64(spikes[s]) >> uint64(32))
        for k in range(r.table.shape[0]):
            row = r.table[k]
            source = neuron - row[R_FIRST]
            if source < 0 or source >= row[R_COUNT]:
                continue
            begin, end = int64(r.begins[row[R_ROWS] + source]), int64(r.ends[row[R_ROWS] + source])
            if begin == end:
                continue
            passes = int64(1)
            if row[R_GATE] >= 0:
                mean = r.gates[row[R_GATE] + source]
                passes = int64(math.floor(mean))
                if uniform(draw(draw(r.gate_keys[k], step), source)) < mean - passes:
                    passes += 1
                if passes == 0:
                    continue
            if row[R_DIRECT] == 0:
                held = _with_room(held, (end - begin) * passes)
            if row[R_WIDE] != 0:
                _spread(r, held, k, r.wide, r.wide.view(np.int64), begin, end, step, source, passes, earliest, arrived)
            else:
                _spread(
                    r, held, k, r.narrow, r.narrow.view(np.int32), begin, end, step, source, passes, earliest, arrived
                )
            events += (end - begin) * passes
    return events, held


@compiled
def release_again(r, held, spikes, earliest, arrived):
    """Send spikes that are still under way, after a restart; returns the events that wait."""
    return release(r, held, spikes, len(spikes), earliest, arrived)[1]
