"""Inputs that are computed step by step: Poisson input at rates per neuron, its common oscillation, and currents in waves.

Poisson input at rates of their own: neurons are taken in groups; the events of a group are Poisson at the rate that all of
it would have at its largest, and each falls on one of its neurons, which takes it with the probability of its own rate over
the largest. The cost is one draw per group and one per event, whoever owns which neurons.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.neurons.update import cast
from allometry.simulate.kernels.rng import GOLDEN, draw, exp, mix, normal_quantile, uniform

# Columns of `Signals.sparse`: slot of the part's first neuron, its number in the population, how many; neurons of a group;
# where the population's shares and groups begin; weight; first step, and the one after the last; row of `factors`, or -1;
# neurons of the population.
(
    S_SLOT, S_LOW, S_COUNT, S_SIZE, S_SHARES, S_GROUPS, S_WEIGHT, S_FROM, S_TO, S_RHYTHM, S_WHOLE,
) = range(11)  # fmt: skip
# Columns of `Signals.waves`: local index of the first neuron, how many; where samples begin, how many; where amplitudes and
# phases begin; first step, and the one after the last; 1 where no wave before has the same neurons.
W_START, W_COUNT, W_SAMPLES, W_LENGTH, W_OWN, W_FROM, W_TO, W_FRESH = range(8)
_HALF = uint64(32)
_UNIT = 1.0 / 4294967296.0
_QUARTER = 0.25


class Signals(NamedTuple):
    """Inputs of one thread that are computed step by step.

    sparse : int64 [input of a segment, 11], sparse_keys : uint64. shares : float32, probability that a neuron takes an event
    of its group; means : float64 [group], events of a step at the largest rates, nothing : float64 [group], exp(-mean).
    factors : float64 [rhythm, step], relative to the largest, from step first[0] on.
    waves : int64 [wave of a segment, 8]; turns : float64 [wave], periods per step; samples, amplitude, phase : float64;
    base : float [neuron], the current without waves.
    """

    sparse: np.ndarray
    sparse_keys: np.ndarray
    shares: np.ndarray
    means: np.ndarray
    nothing: np.ndarray
    factors: np.ndarray
    first: np.ndarray
    waves: np.ndarray
    turns: np.ndarray
    samples: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray
    base: np.ndarray


@njit(nogil=True)
def sparse_events(signals, step, arrived):
    """Add the events of a step of all Poisson inputs at rates per neuron to `arrived`."""
    g = signals
    for d in range(g.sparse.shape[0]):
        row = g.sparse[d]
        if step < row[S_FROM] or step >= row[S_TO]:
            continue
        factor = 1.0
        if row[S_RHYTHM] >= 0:
            factor = g.factors[row[S_RHYTHM], step - g.first[0]]
            if factor <= 0.0:
                continue
        base = draw(g.sparse_keys[d], step)
        size, low = row[S_SIZE], row[S_LOW]
        high = low + row[S_COUNT]
        weight = cast(row[S_WEIGHT], arrived)
        slot = row[S_SLOT] - low
        shares = row[S_SHARES]
        for group in range(low // size, (high - 1) // size + 1):
            mean = g.means[row[S_GROUPS] + group]
            stream = draw(base, group + 1)
            u = uniform(stream)
            mass = g.nothing[row[S_GROUPS] + group]
            below = mass
            first = group * size
            here = uint64(min(size, row[S_WHOLE] - first))
            count = int64(0)
            while u > below and mass > 0.0:
                count += 1
                mass *= mean / count
                below += mass
                bits = mix(stream + uint64(count) * GOLDEN)
                i = first + int64(((bits >> _HALF) * here) >> _HALF)
                if i < low or i >= high:
                    continue
                if float(bits & uint64(0xFFFFFFFF)) * _UNIT < factor * g.shares[shares + i]:
                    arrived[slot + i] += weight


@njit(nogil=True)
def waves(signals, step, current):
    """Write the currents of a step that have waves into `current`."""
    g = signals
    for w in range(g.waves.shape[0]):
        row = g.waves[w]
        start, count = row[W_START], row[W_COUNT]
        if row[W_FRESH] != 0:
            for i in range(count):
                current[start + i] = g.base[start + i]
        if step < row[W_FROM] or step >= row[W_TO]:
            continue
        time = step * g.turns[w]
        time -= math.floor(time)
        begin, length, own = row[W_SAMPLES], row[W_LENGTH], row[W_OWN]
        for i in range(count):
            place = time + g.phase[own + i]
            place = (place - math.floor(place)) * length
            k = int64(place)
            k = k if k < length else 0
            after = k + 1 if k + 1 < length else 0
            low = g.samples[begin + k]
            value = low + (place - k) * (g.samples[begin + after] - low)
            current[start + i] += cast(g.amplitude[own + i] * value, current)


@njit(nogil=True)
def _cosine(turn):
    """Return cos(2 pi turn)."""
    x = turn - math.floor(turn + 0.5)
    x = abs(x)
    sign = 1.0
    if x > _QUARTER:
        x = 0.5 - x
        sign = -1.0
    z = 2.0 * math.pi * x
    z = z * z
    total = 0.0
    for k in range(20, 0, -2):
        total = (1.0 - total) * z / (k * (k - 1.0))
    return sign * (1.0 - total)


@compiled
def rhythm(key, first, last, turn, spread, depth, state, out):
    """Write the factors max(0, 1 + depth cos(phase)) / (1 + depth) of steps [first, last) into `out`.

    state : float64 [2], a step and the phase there, in turns, from which to go on; begun anew where `first` is before it.
    turn, spread : turns per step, and their standard deviation.
    """
    at, phase = int64(state[0]), state[1]
    if at < 0 or at > first:
        at, phase = int64(0), uniform(draw(key, 0))
    while at < last:
        if at >= first:
            out[at - first] = max(0.0, 1.0 + depth * _cosine(phase)) / (1.0 + depth)
        phase += turn
        if spread > 0.0:
            phase += spread * normal_quantile(uniform(draw(key, at + 1)))
        phase -= math.floor(phase)
        at += 1
    state[0], state[1] = at, phase


@compiled
def negative_exponentials(means):
    """Return exp(-mean), float64."""
    out = np.empty(len(means), np.float64)
    for i in range(len(means)):
        out[i] = exp(-means[i])
    return out
