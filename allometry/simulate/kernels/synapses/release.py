"""Synapses with draws for every spike: delays and weights drawn anew, sources behind a gate.

What a spike of a source does to a target is a function of (seed, projection, step of the spike, source, target): the same
for any cut of the network, and when spikes under way are sent again after a restart. Events go into a ring of future sums;
where all delays are one step and spikes are exchanged at every step, straight into those of the next step.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.neurons.update import cast
from allometry.simulate.kernels.rng import GOLDEN, draw, mix, uniform
from allometry.simulate.kernels.wiring.connect import TABLE, from_tail

# Columns of `Release.table`: number of the source population's first neuron in the network, how many; where its rows begin;
# bits of a slot in a word, 32 in wide ones, and 1 where words are wide; slot and number in the population of the part's
# first target; where its part of the ring begins, -1: no ring; begin and number of delays (one, or a table to draw from), of
# weights to draw from (0: none), and of delays of what passes again (0: the same); where the gate's values begin, -1: no gate;
# the mean of the drawn weights, where those of a synapse go with its own weight, else 0.
(
    R_FIRST, R_COUNT, R_ROWS, R_BITS, R_WIDE, R_SLOT, R_LOW, R_RING, R_DELAYS, R_DELAYS_N, R_WEIGHTS, R_WEIGHTS_N, R_REPEATS,
    R_REPEATS_N, R_GATE, R_MEAN,
) = range(16)  # fmt: skip
_LOW = uint64(0xFFFFFFFF)


class Release(NamedTuple):
    """Synapses of one thread with draws for every spike.

    table : int64 [projection, 16]; keys, gate_keys : uint64 [projection]. begins, ends : uint32 [row], words of each source;
    narrow : uint32, wide : uint64 words (weight above the slot). delays : uint16, weights : int32, tables of what is drawn;
    gates : float64, mean passes per source. ring : sum [steps, target]; blocks : int64 [block, 3], slot of its first target,
    how many, and where it begins in the ring.
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
    ring: np.ndarray
    blocks: np.ndarray


@njit(nogil=True)
def due_events(release, step, arrived):
    """Add what is due in a step to `arrived`."""
    due = release.ring[step % release.ring.shape[0]]
    for b in range(release.blocks.shape[0]):
        slot, count, at = release.blocks[b, 0], release.blocks[b, 1], release.blocks[b, 2]
        target, ring = arrived[slot : slot + count], due[at : at + count]
        for i in range(count):
            target[i] += ring[i]
            ring[i] = 0


@njit(nogil=True)
def _constant(r, row, words, signed, begin, end, due, multiple, arrived):
    """Add the weights of synapses [begin, end), times `multiple`, to what is due in one step."""
    mask, bits = (uint64(1) << uint64(row[R_BITS])) - uint64(1), int64(row[R_BITS])
    if row[R_RING] < 0:
        for e in range(begin, end):
            arrived[int64(uint64(words[e]) & mask)] += cast(multiple * (int64(signed[e]) >> bits), arrived)
        return
    line = r.ring[due % r.ring.shape[0]]
    to_ring = row[R_RING] - row[R_SLOT]
    for e in range(begin, end):
        line[to_ring + int64(uint64(words[e]) & mask)] += cast(multiple * (int64(signed[e]) >> bits), arrived)


@njit(nogil=True)
def _drawn(r, row, words, signed, begin, end, base, step, multiple, delays, weights, earliest, arrived):
    """Add the weights of synapses [begin, end), or weights drawn for each of them, after delays drawn for each of them."""
    mask, bits = (uint64(1) << uint64(row[R_BITS])) - uint64(1), int64(row[R_BITS])
    delay_mask, weight_mask = uint64(len(delays) - 1), uint64(max(1, min(len(weights), TABLE)) - 1)
    to_ring, to_target = row[R_RING] - row[R_SLOT], row[R_LOW] - row[R_SLOT]
    steps = r.ring.shape[0]
    now = step % max(1, steps)
    for e in range(begin, end):
        slot = int64(uint64(words[e]) & mask)
        drawn = mix(base + uint64(to_target + slot) * GOLDEN)
        weight = int64(signed[e]) >> bits
        if len(weights) > 0:
            own = weight
            weight = int64(weights[from_tail(int64(drawn & weight_mask), drawn, len(weights))])
            if row[R_MEAN] != 0:
                weight = int64(math.floor(float(weight * own) / float(row[R_MEAN]) + 0.5))
        delay = int64(delays[(drawn >> uint64(16)) & delay_mask])
        if step + delay < earliest:
            continue
        if row[R_RING] < 0:
            arrived[slot] += cast(multiple * weight, arrived)
            continue
        due = now + delay
        due = due - steps if due >= steps else due
        r.ring[due, to_ring + slot] += cast(multiple * weight, arrived)


@njit(nogil=True)
def _spread(r, k, words, signed, begin, end, step, source, passes, earliest, arrived):
    """Send one spike over the synapses [begin, end) of its row."""
    row = r.table[k]
    apart = row[R_REPEATS_N] > 0
    multiple = int64(1) if apart else passes
    base = draw(draw(r.keys[k], step), source)
    delays = r.delays[row[R_DELAYS] : row[R_DELAYS] + row[R_DELAYS_N]]
    weights = r.weights[row[R_WEIGHTS] : row[R_WEIGHTS] + row[R_WEIGHTS_N]]
    if len(delays) > 1 or len(weights) > 0:
        _drawn(r, row, words, signed, begin, end, base, step, multiple, delays, weights, earliest, arrived)
    elif step + int64(delays[0]) >= earliest:
        _constant(r, row, words, signed, begin, end, step + int64(delays[0]), multiple, arrived)
    if apart:
        delays = r.delays[row[R_REPEATS] : row[R_REPEATS] + row[R_REPEATS_N]]
        for again in range(1, passes):
            other = mix(base + uint64(again))
            _drawn(r, row, words, signed, begin, end, other, step, int64(1), delays, weights, earliest, arrived)
    return int64(end - begin) * passes


@njit(nogil=True)
def release(r, spikes, count, earliest, arrived):
    """Send spikes (step << 32 | neuron); what is due before step `earliest` is dropped. Returns the number of events."""
    events = int64(0)
    for s in range(count):
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
            if row[R_WIDE] != 0:
                events += _spread(
                    r, k, r.wide, r.wide.view(np.int64), begin, end, step, source, passes, earliest, arrived
                )  # fmt: skip
            else:
                events += _spread(
                    r, k, r.narrow, r.narrow.view(np.int32), begin, end, step, source, passes, earliest, arrived
                )  # fmt: skip
    return events


@compiled
def release_again(r, spikes, earliest, arrived):
    """Send spikes that are still under way, after a restart."""
    return release(r, spikes, len(spikes), earliest, arrived)
