"""Delivery of spikes: a spike queues its rows of synapses at the steps at which they are due; a step reads its queue.

A row holds the synapses of one source with one delay. Queueing reads the row limits of a source once, contiguously;
delivery then streams rows, prefetched some rows ahead, into the one slot array that is due, which stays in cache.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import numpy as np
from numba import int32, int64, njit, uint32, uint64

from allometry.simulate.kernels.intrinsics import borrowed, prefetch

AHEAD = 8
_FAR = 256
"""Words of a row that are prefetched."""
_SPIKES_AHEAD = 4
_LOW = uint64(0xFFFFFFFF)


@njit(nogil=True)
def grown(queue):
    """Return a copy of the queue with twice the room per step.

    The room stays an odd number of cache lines, or the ends of all steps would compete for the same lines.
    """
    steps, room = queue.shape
    out = np.empty((steps, 2 * room + 8), np.uint64)
    for step in range(steps):
        for n in range(room):
            out[step, n] = queue[step, n]
    return out


@njit(nogil=True)
def _crowded(queue, filled, count):
    """Whether some step of a queue may lack room for the rows of `count` more spikes, each of which has one row at most."""
    most = 0
    for step in range(len(filled)):
        most = max(most, filled[step])
    return most + count > queue.shape[1]


@njit(nogil=True)
def _prefetch_limits(spike, first_row, population, spans, limits):
    neuron = int64(uint64(spike) & _LOW)
    row = first_row[neuron]
    if row >= 0:
        for ahead in range(row, row + int64(spans[population[neuron]]) + 1, 16):
            prefetch(limits, ahead)


@njit(nogil=True)
def enqueue(spikes, count, queue, filled, first_row, population, shortest, spans, limits):
    """Queue the rows of `count` spikes (step << 32 | neuron) and return the queue, which may have grown.

    first_row : int64 [neuron], -1 where the neuron has no synapses here; shortest, spans : delay range per population;
    limits : uint32 [row + 1]; an entry of the queue is start << 32 | end of a row.
    """
    # Room is made before the loop: one that may replace its array counts references to it in every pass.
    while _crowded(borrowed(queue), filled, count):
        queue = grown(queue)
    _enter(spikes, count, borrowed(queue), filled, first_row, population, shortest, spans, limits)
    return queue


@njit(nogil=True)
def _enter(spikes, count, queue, filled, first_row, population, shortest, spans, limits):
    steps = uint64(queue.shape[0])
    for s in range(count):
        prefetch(first_row, int64(uint64(spikes[s]) & _LOW))
    for s in range(min(_SPIKES_AHEAD, count)):
        _prefetch_limits(spikes[s], first_row, population, spans, limits)
    for s in range(count):
        if s + _SPIKES_AHEAD < count:
            _prefetch_limits(spikes[s + _SPIKES_AHEAD], first_row, population, spans, limits)
        spike = uint64(spikes[s])
        neuron = int64(spike & _LOW)
        row = first_row[neuron]
        if row < 0:
            continue
        owner = population[neuron]
        due = ((spike >> uint64(32)) + uint64(shortest[owner])) % steps
        start = limits[row]
        for d in range(int64(spans[owner])):
            end = limits[row + d + 1]
            n = filled[due]
            # An entry of an empty row is written too, and overwritten by the next one: cheaper than a branch that nobody can predict.
            queue[due, uint64(n)] = (uint64(start) << uint64(32)) | uint64(end)
            filled[due] = n + int64(end > start)
            start = end
            due += uint64(1)
            if due == steps:
                due = uint64(0)


@njit(nogil=True)
def deliver_narrow(entries, count, words, slot_bits, arrived):
    """Add the weights of `count` queued rows, none of them empty, of 32-bit words (weight above, slot in the lowest `slot_bits`).

    Words go by fours; what is left of a row are three words of which those beyond its end count 0. The processor guesses wrong
    once in a row, where the fours end.
    """
    shift = int32(slot_bits)
    mask = (uint32(1) << uint32(slot_bits)) - uint32(1)
    for i in range(min(AHEAD, count)):
        prefetch(words, int64(entries[i] >> uint64(32)))
    events = 0
    for i in range(count):
        if i + AHEAD < count:
            entry = entries[i + AHEAD]
            near = int64(entry >> uint64(32))
            far = min(int64(entry & _LOW), near + _FAR)
            while near < far:
                prefetch(words, near)
                near += 16
        p = entries[i] >> uint64(32)
        end = entries[i] & _LOW
        events += int64(end - p)
        last = end - uint64(1)
        while p + uint64(4) <= end:
            w0, w1, w2, w3 = words[p], words[p + uint64(1)], words[p + uint64(2)], words[p + uint64(3)]
            arrived[w0 & mask] += int32(w0) >> shift
            arrived[w1 & mask] += int32(w1) >> shift
            arrived[w2 & mask] += int32(w2) >> shift
            arrived[w3 & mask] += int32(w3) >> shift
            p += uint64(4)
        w0, w1, w2 = words[min(p, last)], words[min(p + uint64(1), last)], words[min(p + uint64(2), last)]
        arrived[w0 & mask] += int32(w0) >> shift if p < end else int64(0)
        arrived[w1 & mask] += int32(w1) >> shift if p + uint64(1) < end else int64(0)
        arrived[w2 & mask] += int32(w2) >> shift if p + uint64(2) < end else int64(0)
    return events


@njit(nogil=True)
def deliver_wide(entries, count, words, arrived):
    """Add the weights of `count` queued rows of 64-bit words (weight in the upper half, slot in the lower)."""
    events = 0
    for i in range(count):
        if i + AHEAD < count:
            prefetch(words, int64(entries[i + AHEAD] >> uint64(32)))
        start = entries[i] >> uint64(32)
        end = entries[i] & _LOW
        for p in range(start, end):
            word = words[p]
            arrived[word & _LOW] += int64(word) >> int64(32)
        events += int64(end - start)
    return events
