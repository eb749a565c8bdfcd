"""Plastic projections: every spike is sent synapse by synapse, with the weight of its moment, into a ring of future sums.

Weights are float64 and each event is rounded to the integer unit of its target, so that sums are exact in any order. What
depends on presynaptic spikes only (x and u, K_plus) is held per source by every thread; weights, and the spikes of targets
with their traces, by the thread of the target. A synapse is brought up to date when its source spikes, from the spikes of
its target since then: their order, and with it every bit of a weight, does not depend on who computes it or when.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.rng import exp, ln

SHORT_TERM, TIMING = 0, 1
KIND, P_FIRST, P_COUNT, ROWS, SOURCES, HEADS = range(6)
# Of short-term plasticity; of spike-timing dependent plasticity; UNIT of both: weight per integer.
U, TAU_REC, TAU_FAC = range(3)
TAU_PLUS, TAU_MINUS, RATE, ALPHA, MU_PLUS, MU_MINUS, W_MAX, UNIT = range(8)
_LOW = uint64(0xFFFFFFFF)
MUTE = -2
"""Head of a neuron that emits no spikes."""


class Plastic(NamedTuple):
    """Plastic synapses of one thread.

    table : int64 [projection, 6], parameters : float64 [projection, 8], times in steps.
    rows : int64, per projection [source + 1], first synapse of each source; delay, slot, target : int64 [synapse], weight :
    float64 [synapse]; target counts from the projection's part of `heads`.
    last : int64 [source of a projection], step at whose end it spiked last, or -1; first, second : float64, x and u or K_plus.
    heads : int64 [target of a projection], latest of its entries, or -1; listened : int64 [part of a population, 4], network
    number of its first neuron, count, begin in `heads`, projection.
    entry_step, before, after, owner : int64 [entry], trace : float64 [entry]; spikes of targets; used : int64 [2], entries in
    use, and the step up to which all weights are up to date.
    ring : sum [steps, slot].
    """

    table: np.ndarray
    parameters: np.ndarray
    rows: np.ndarray
    delay: np.ndarray
    slot: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    last: np.ndarray
    first: np.ndarray
    second: np.ndarray
    heads: np.ndarray
    listened: np.ndarray
    entry_step: np.ndarray
    before: np.ndarray
    after: np.ndarray
    owner: np.ndarray
    trace: np.ndarray
    used: np.ndarray
    ring: np.ndarray


@njit(nogil=True)
def receive(plastic, step, arrived):
    """Add what is due in a step to `arrived`."""
    due = plastic.ring[step % plastic.ring.shape[0]]
    for s in range(len(due)):
        arrived[s] += due[s]
        due[s] = 0


@njit(nogil=True)
def listen(plastic, spikes, count):
    """Note the spikes (step << 32 | neuron) of this thread's neurons, in order of time for each neuron."""
    p = plastic
    for s in range(count):
        neuron = int64(uint64(spikes[s]) & _LOW)
        step = int64(uint64(spikes[s]) >> uint64(32)) + 1
        for k in range(p.listened.shape[0]):
            place = neuron - p.listened[k, 0]
            if place < 0 or place >= p.listened[k, 1]:
                continue
            place += p.listened[k, 2]
            head = p.heads[place]
            if head == MUTE:
                continue
            entry = p.used[0]
            p.used[0] += 1
            p.entry_step[entry], p.before[entry], p.after[entry], p.owner[entry] = step, head, -1, place
            if head < 0:
                p.trace[entry] = 1.0
            else:
                p.after[head] = entry
                tau = p.parameters[p.listened[k, 3], TAU_MINUS]
                p.trace[entry] = p.trace[head] * exp((p.entry_step[head] - step) / tau) + 1.0
            p.heads[place] = entry


@njit(nogil=True)
def _power(x, mu):
    if mu == 0.0:
        return 1.0
    if mu == 1.0:
        return x
    return exp(mu * ln(x)) if x > 0.0 else 0.0


@njit(nogil=True)
def _potentiated(p, k, weight, place, since, until, last, k_plus, delay):
    """Return a weight after the target's spikes in (since, until]; times of the target, which the synapse sees `delay` later."""
    entry = p.heads[place]
    found = int64(-1)
    while entry >= 0 and p.entry_step[entry] > since:
        found = entry
        entry = p.before[entry]
    rate, mu, w_max, tau = (
        p.parameters[k, RATE],
        p.parameters[k, MU_PLUS],
        p.parameters[k, W_MAX],
        p.parameters[k, TAU_PLUS],
    )
    while found >= 0 and p.entry_step[found] <= until:
        w = weight / w_max
        w += rate * _power(1.0 - w, mu) * k_plus * exp((last - (p.entry_step[found] + delay)) / tau)
        weight = w * w_max if w < 1.0 else w_max
        found = p.after[found]
    return weight


@njit(nogil=True)
def _depressed(p, k, weight, place, at):
    """Return a weight after a presynaptic spike, by the target's trace of the spikes before `at`."""
    entry = p.heads[place]
    while entry >= 0 and p.entry_step[entry] >= at:
        entry = p.before[entry]
    if entry < 0:
        return weight
    trace = p.trace[entry] * exp((p.entry_step[entry] - at) / p.parameters[k, TAU_MINUS])
    w = weight / p.parameters[k, W_MAX]
    w -= p.parameters[k, ALPHA] * p.parameters[k, RATE] * _power(w, p.parameters[k, MU_MINUS]) * trace
    return w * p.parameters[k, W_MAX] if w > 0.0 else 0.0


@njit(nogil=True)
def _add(p, e, step, weight, unit):
    due = (step + p.delay[e]) % p.ring.shape[0]
    p.ring[due, p.slot[e]] += int64(math.floor(weight / unit + 0.5))


@njit(nogil=True)
def _release(p, k, step, source, begin, end):
    state = p.table[k, SOURCES] + source
    if p.last[state] >= 0:
        gone = p.last[state] - (step + 1)
        x, u, share = p.first[state], p.second[state], p.parameters[k, U]
        facilitated = exp(gone / p.parameters[k, TAU_FAC]) if p.parameters[k, TAU_FAC] > 0.0 else 0.0
        p.first[state] = 1.0 + (x - x * u - 1.0) * exp(gone / p.parameters[k, TAU_REC])
        p.second[state] = share + u * (1.0 - share) * facilitated
    p.last[state] = step + 1
    scale = p.first[state] * p.second[state]
    for e in range(begin, end):
        _add(p, e, step, p.weight[e] * scale, p.parameters[k, UNIT])


@njit(nogil=True)
def _adapt(p, k, step, source, begin, end):
    state = p.table[k, SOURCES] + source
    last, now, k_plus = p.last[state], step + 1, p.first[state]
    for e in range(begin, end):
        weight, place, delay = p.weight[e], p.table[k, HEADS] + p.target[e], p.delay[e]
        if last >= 0:
            since = max(last, p.used[1]) - delay
            weight = _potentiated(p, k, weight, place, since, now - delay, last, k_plus, delay)
        weight = _depressed(p, k, weight, place, now - delay)
        p.weight[e] = weight
        _add(p, e, step, weight, p.parameters[k, UNIT])
    p.first[state] = (k_plus * exp((last - now) / p.parameters[k, TAU_PLUS]) if last >= 0 else 0.0) + 1.0
    p.last[state] = now


@njit(nogil=True)
def send(plastic, spikes, count):
    """Send spikes (step << 32 | neuron) over their plastic synapses; returns the number of events."""
    p = plastic
    events = 0
    for s in range(count):
        neuron = int64(uint64(spikes[s]) & _LOW)
        step = int64(uint64(spikes[s]) >> uint64(32))
        for k in range(p.table.shape[0]):
            source = neuron - p.table[k, P_FIRST]
            if source < 0 or source >= p.table[k, P_COUNT]:
                continue
            begin, end = p.rows[p.table[k, ROWS] + source], p.rows[p.table[k, ROWS] + source + 1]
            if p.table[k, KIND] == SHORT_TERM:
                _release(p, k, step, source, begin, end)
            else:
                _adapt(p, k, step, source, begin, end)
            events += end - begin
    return events


@compiled
def bring_up_to_date(plastic, now):
    """Apply to all weights what the targets' spikes up to step `now` do to them, as their synapses see them by then."""
    p = plastic
    for k in range(p.table.shape[0]):
        if p.table[k, KIND] != TIMING:
            continue
        for source in range(p.table[k, P_COUNT]):
            state = p.table[k, SOURCES] + source
            last = p.last[state]
            if last < 0:
                continue
            for e in range(p.rows[p.table[k, ROWS] + source], p.rows[p.table[k, ROWS] + source + 1]):
                place, delay = p.table[k, HEADS] + p.target[e], p.delay[e]
                since = max(last, p.used[1]) - delay
                p.weight[e] = _potentiated(p, k, p.weight[e], place, since, now - delay, last, p.first[state], delay)
    p.used[1] = now
