"""Kernels of virtual recordings: what an indicator sums, and what is left to chance.

Draws are keyed by (seed, effect, recording, neuron), never by a stream's state.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from enum import IntEnum
from typing import cast

import numpy as np

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.rng import Purpose, draw, exp, key, ln, normal_quantile, uniform


class Effect(IntEnum):
    """What a draw is for; the numbers are none of `rng.Purpose`."""

    CHOICE = 101
    NOISE = 102
    GAP = 103
    MISSED = 104
    FALSE = 105
    CONFUSED = 106


def stream(seed: int, effect: Effect, recording: int, neuron: int = 0) -> np.uint64:
    """Key of the draws of one effect on one neuron of one recording."""
    return key(seed, cast("Purpose", effect), (recording << 32) + neuron)


@compiled
def uniforms(of, size):
    """`size` uniform numbers in (0, 1) of a key."""
    out = np.empty(size)
    for i in range(size):
        out[i] = uniform(draw(of, i))
    return out


@compiled
def normals(of, size):
    """`size` standard normal numbers of a key."""
    out = np.empty(size)
    for i in range(size):
        out[i] = normal_quantile(uniform(draw(of, i)))
    return out


@compiled
def poisson_times(of, rate, start, stop):
    """Times of a Poisson process of `rate` (1/s) between two times (s), sorted."""
    found = [0.0 for _ in range(0)]
    time, i = start, 0
    while rate > 0.0:
        time -= ln(uniform(draw(of, i))) / rate
        i += 1
        if time >= stop:
            break
        found.append(time)
    return np.array(found, np.float64)


@compiled
def gaps(of, size, share, length):
    """Which of `size` samples are missing: a stationary chain with gaps of `length` samples in the mean, geometric.

    A gap ends with probability 1 / length at each sample, and begins with share / ((1 - share) length), so that `share` of
    the samples are missing.
    """
    out = np.zeros(size, np.bool_)
    if share <= 0.0:
        return out
    end = 1.0 / length
    begin = end * share / (1.0 - share)
    missing = False
    for i in range(size):
        u = uniform(draw(of, i))
        if i == 0:
            missing = u < share
        elif missing:
            missing = u >= end
        else:
            missing = u < begin
        out[i] = missing
    return out


def chosen(candidates: np.ndarray, size: int, of: np.uint64) -> np.ndarray:
    """`size` of the candidates, each set of them equally likely; in their order.

    Parameters
    ----------
    candidates : (candidate,) int
        Indices of neurons.
    size : int
        At most their number.
    of : uint64
        Key.

    Returns
    -------
    ndarray [size]
    """
    ticket = uniforms(of, candidates.size)
    return np.sort(candidates[np.argsort(ticket, kind="stable")[:size]])


@compiled
def summed(time, weight, frames, period, rise, decay):
    """Sum of two exponentials after every event, weighted, at the end of every frame; times in s, ascending."""
    out = np.empty(frames)
    keep_slow = exp(-period / decay)
    keep_fast = exp(-period / rise) if rise > 0.0 else 0.0
    slow, fast, i = 0.0, 0.0, 0
    for frame in range(frames):
        now = (frame + 1) * period
        slow *= keep_slow
        fast *= keep_fast
        while i < time.size and time[i] <= now:
            slow += weight[i] * exp(-(now - time[i]) / decay)
            if rise > 0.0:
                fast += weight[i] * exp(-(now - time[i]) / rise)
            i += 1
        out[frame] = slow - fast
    return out
