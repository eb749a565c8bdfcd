"""Poisson input: one draw of the summed rate per neuron and step, from one hash and a row of thresholds; common processes."""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math

import numpy as np
from numba import njit, uint32, uint64

from allometry.simulate.kernels.neurons.update import cast
from allometry.simulate.kernels.rng import GOLDEN, draw, mix, uniform

ROW = 12
"""Thresholds compared in registers; rarer counts are finished by a scalar pass."""


def poisson_thresholds(mean: float) -> tuple[int, np.ndarray]:
    """Return (offset, t) with count = offset + sum(u > t) Poisson distributed for u uniform on uint32, to 2^-32.

    `t` has at least `ROW` elements (filled with the largest uint32, which nothing exceeds). `offset` counts the leading
    thresholds that every u exceeds. The masses come from the recurrence around the mode, which cannot underflow.
    """
    cells = 2**32
    terms = int(mean + 12.0 * math.sqrt(mean) + 24.0)
    mass = [0.0] * terms
    mode = int(mean)
    mass[mode] = 1.0
    for k in range(mode + 1, terms):
        mass[k] = mass[k - 1] * mean / k
    for k in range(mode - 1, -1, -1):
        mass[k] = mass[k + 1] * (k + 1) / mean
    total = math.fsum(mass)
    offset, below = 0, 0.0
    row: list[int] = []
    for value in mass:
        below += value / total
        threshold = int(below * cells + 0.5) - 1
        if threshold < 0:
            offset += 1
        elif threshold < cells - 1:
            row.append(threshold)
    row += [cells - 1] * max(0, ROW - len(row))
    return offset, np.array(row, dtype=np.uint32)


@njit(inline="always")
def _exceeded(u, row):
    """Return how many elements of the ascending `row` are below `u`."""
    low, high = 0, len(row)
    while low < high:
        middle = (low + high) >> 1
        if u > row[middle]:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True)
def poisson_block(scratch, lanes, base, pair, row, offset, weight, arrived):
    """Add `weight` times a Poisson count to every element of `arrived`.

    Two neurons share one hash: neuron 2 j of the population takes the low half of draw j, 2 j + 1 the high half. `pair`
    is j of the first neuron; `lanes` is `scratch` (uint64) seen as uint32.
    """
    n = len(arrived)
    for j in range((n + 1) // 2):
        scratch[j] = mix(base + (uint64(pair) + uint64(j)) * GOLDEN)
    r0, r1, r2, r3, r4, r5 = row[0], row[1], row[2], row[3], row[4], row[5]
    r6, r7, r8, r9, r10, r11 = row[6], row[7], row[8], row[9], row[10], row[11]
    least = cast(offset * weight, arrived)
    rare = np.int32(0)
    for i in range(n):
        u = lanes[i]
        total = cast(arrived[i] + least, arrived)
        total = cast(total + weight, arrived) if u > r0 else total
        total = cast(total + weight, arrived) if u > r1 else total
        total = cast(total + weight, arrived) if u > r2 else total
        total = cast(total + weight, arrived) if u > r3 else total
        total = cast(total + weight, arrived) if u > r4 else total
        total = cast(total + weight, arrived) if u > r5 else total
        total = cast(total + weight, arrived) if u > r6 else total
        total = cast(total + weight, arrived) if u > r7 else total
        total = cast(total + weight, arrived) if u > r8 else total
        total = cast(total + weight, arrived) if u > r9 else total
        total = cast(total + weight, arrived) if u > r10 else total
        total = cast(total + weight, arrived) if u > r11 else total
        arrived[i] = total
        rare = np.int32(rare + np.int32(u > r11))
    if rare > 0:
        tail = row[12:]
        for i in range(n):
            if lanes[i] > r11:
                arrived[i] += _exceeded(lanes[i], tail) * weight


@njit(nogil=True)
def poisson_some(base, members, slots, row, offset, weight, arrived):
    """Add Poisson input to listed neurons only: `members` are indices in the population, `slots` where to add."""
    for i in range(len(members)):
        member = uint64(members[i])
        bits = draw(base, member >> uint64(1))
        u = uint32(bits >> uint64(32)) if member & uint64(1) else uint32(bits & uint64(0xFFFFFFFF))
        arrived[slots[i]] += (offset + _exceeded(u, row)) * weight


@njit(nogil=True)
def copied_block(base, first, row, offset, probability, weight, arrived):
    """Add to every element of `arrived` `weight` times its copies of the events of one common Poisson process.

    Draw 0 of `base` gives the number of events, draw k the copies of event k: draw i of that is for neuron i.
    """
    for k in range(_events(base, row, offset)):
        stream = draw(base, k + 1)
        for i in range(len(arrived)):
            if uniform(draw(stream, first + i)) < probability:
                arrived[i] += weight


@njit(nogil=True)
def copied_some(base, members, slots, row, offset, probability, weight, arrived):
    """Add copies of a common process to listed neurons only: `members` are indices in the population."""
    for k in range(_events(base, row, offset)):
        stream = draw(base, k + 1)
        for i in range(len(members)):
            if uniform(draw(stream, members[i])) < probability:
                arrived[slots[i]] += weight


@njit(nogil=True)
def _events(base, row, offset):
    return offset + _exceeded(uint32(draw(base, 0) & uint64(0xFFFFFFFF)), row)
