"""Kernels that draw synapses by distance: candidates are sorted into patches, and a patch is skipped over as a whole.

Within a patch the kernel is at most its value at the shortest distance to it; candidates are drawn by this bound and
accepted by their own value. All draws are keyed by (projection, neuron, patch), so that a part draws its own targets only.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.rng import GOLDEN, draw, exp, ln, mix, uniform
from allometry.simulate.kernels.wiring.connect import place

GAUSSIAN, EXPONENTIAL, BOX, WRAPPED = range(4)
_TRIES = 4096
_STEPS = 60
_HALF = uint64(32)


class Field(NamedTuple):
    """A kernel, the candidates in patches, and the neurons that look for them.

    kind : int; length, cutoff : of the kernel; width, height : of the space; periodic : bool.
    columns, rows : patches; order : int64 [candidate], by patch; starts : int64 [patch + 1]; x, y : float64 [candidate],
    in the order of `order`; own_x, own_y : float64 [neuron]. Coordinates count from the corner of the space.
    """

    kind: int
    length: float
    cutoff: float
    width: float
    height: float
    periodic: bool
    columns: int
    rows: int
    order: np.ndarray
    starts: np.ndarray
    x: np.ndarray
    y: np.ndarray
    own_x: np.ndarray
    own_y: np.ndarray


@njit(nogil=True)
def _images(d, extent, sigma):
    """Return the sum over all images of a Gaussian at distance `d` on a ring."""
    total = 0.0
    reach = int64(math.floor(9.0 * sigma / extent)) + 1
    for m in range(-reach, reach + 1):
        z = (d + m * extent) / sigma
        total += exp(-0.5 * z * z)
    return total


@njit(nogil=True)
def _value(kind, length, cutoff, width, height, dx, dy):
    """Return the kernel at a displacement, each part of it the shortest one (>= 0)."""
    if kind == WRAPPED:
        return _images(dx, width, length) * _images(dy, height, length)
    squared = dx * dx + dy * dy
    if squared > cutoff * cutoff:
        return 0.0
    if kind == GAUSSIAN:
        return exp(-0.5 * squared / (length * length))
    if kind == EXPONENTIAL:
        return exp(-math.sqrt(squared) / length)
    return 1.0


@njit(nogil=True, forceinline=True)
def _apart(a, b, extent, periodic):
    d = abs(a - b)
    return min(d, extent - d) if periodic else d


@njit(nogil=True, forceinline=True)
def _to_patch(at, low, size, extent, periodic):
    """Return the shortest distance from `at` to [low, low + size]."""
    after = at - low
    if periodic:
        if after < 0.0:
            after += extent
        return 0.0 if after <= size else min(after - size, extent - after)
    return -after if after < 0.0 else max(0.0, after - size)


@njit(nogil=True, forceinline=True)
def _bound(f, i, patch):
    """Return the largest value that the kernel of neuron `i` has in a patch."""
    wide, high = f.width / f.columns, f.height / f.rows
    dx = _to_patch(f.own_x[i], (patch % f.columns) * wide, wide, f.width, f.periodic)
    dy = _to_patch(f.own_y[i], (patch // f.columns) * high, high, f.height, f.periodic)
    return _value(f.kind, f.length, f.cutoff, f.width, f.height, dx, dy)


@njit(nogil=True, forceinline=True)
def _kernel(f, i, c):
    """Return the kernel between neuron `i` and candidate number `c` of the sorted ones."""
    dx = _apart(f.own_x[i], f.x[c], f.width, f.periodic)
    dy = _apart(f.own_y[i], f.y[c], f.height, f.periodic)
    return _value(f.kind, f.length, f.cutoff, f.width, f.height, dx, dy)


@njit(nogil=True)
def _base(key, target, again):
    """Return the key of a target's draws: the first ones, or those of its second attempt."""
    base = draw(key, target)
    return mix(~base) if again else base


@njit(nogil=True)
def _sources(field, target, peak, base, autapses, found):
    """Write the sources of one target, each drawn with probability min(1, peak k(d)), into `found`; return their number.

    Geometric skips over the sources of a patch, then acceptance.
    """
    count = 0
    # Arrays of a tuple are counted as often as they are read from it.
    starts, order, xs, ys = field.starts, field.order, field.x, field.y
    x, y = field.own_x[target], field.own_y[target]
    kind, length, cutoff, width, height = field.kind, field.length, field.cutoff, field.width, field.height
    periodic, columns = field.periodic, field.columns
    wide, high = width / columns, height / field.rows
    farthest = cutoff * cutoff
    for row in range(field.rows):
        dy = _to_patch(y, row * high, high, height, periodic)
        if dy * dy > farthest:
            continue
        for column in range(columns):
            first, end = starts[row * columns + column], starts[row * columns + column + 1]
            dx = _to_patch(x, column * wide, wide, width, periodic)
            if first == end or dx * dx > farthest:
                continue
            bound = min(1.0, peak * _value(kind, length, cutoff, width, height, dx, dy))
            if bound <= 1e-100:
                continue
            stream = draw(base, row * columns + column + 1)
            scale = 0.0 if bound >= 1.0 else (1.0 / ln(1.0 - bound) if 1.0 - bound < 1.0 else -1.0 / bound)
            at = first - 1
            index = 0
            while True:
                skip = 0.0 if scale == 0.0 else ln(uniform(draw(stream, index))) * scale
                if skip >= float(end - first):
                    break
                at += 1 + int64(skip)
                if at >= end:
                    break
                accept = uniform(draw(stream, index + 1)) * bound
                index += 2
                dx, dy_at = _apart(x, xs[at], width, periodic), _apart(y, ys[at], height, periodic)
                if accept >= peak * _value(kind, length, cutoff, width, height, dx, dy_at):
                    continue
                if autapses or order[at] != target:
                    found[count] = order[at]
                    count += 1
    return count


@compiled
def bernoulli(
    fill, key, low, n_target, field, peak, autapses, again, norm, weights, delays, shortest, span, first_row, cursor, words,
    slots, slot_bits, extent,
):  # fmt: skip
    """Each pair with probability min(1, peak k(d)).

    peak : float64 [target of the part]; again : uint8 [target of the part], 1 for a second attempt, or empty; norm : float64
    [target of the part], what a target's weights are multiplied by, over its in-degree, or empty.
    """
    found = np.empty(len(field.x), np.int64)
    for t in range(n_target):
        base = _base(key, low + t, len(again) > 0 and again[t] != 0)
        other = mix(base)
        count = _sources(field, low + t, peak[t], base, autapses, found)
        factor = norm[t] / count if len(norm) > 0 and count > 0 else 1.0
        for j in range(count):
            source = found[j]
            place(
                fill, source, t, mix(other + uint64(source) * GOLDEN), weights, delays, shortest, span, first_row, cursor,
                words, slots, slot_bits, extent, factor,
            )  # fmt: skip


@compiled
def degrees(key, low, field, peak, autapses):
    """Return the in-degrees that first attempts give targets `low`, `low + 1`, ..., int64; peak : float64 [target]."""
    found = np.empty(len(field.x), np.int64)
    out = np.empty(len(peak), np.int64)
    for t in range(len(peak)):
        out[t] = _sources(field, low + t, peak[t], _base(key, low + t, False), autapses, found)
    return out


@njit(nogil=True)
def _sums(field, i, autapses, values):
    """Return the sum of the kernel over all candidates of neuron `i`, and how many have one above 0; these go to `values`."""
    total, count = 0.0, 0
    starts, order, xs, ys = field.starts, field.order, field.x, field.y
    x, y = field.own_x[i], field.own_y[i]
    kind, length, cutoff, width, height = field.kind, field.length, field.cutoff, field.width, field.height
    periodic, columns = field.periodic, field.columns
    wide, high = width / columns, height / field.rows
    for row in range(field.rows):
        dy = _to_patch(y, row * high, high, height, periodic)
        if dy * dy > cutoff * cutoff:
            continue
        for column in range(columns):
            dx = _to_patch(x, column * wide, wide, width, periodic)
            if dx * dx + dy * dy > cutoff * cutoff:
                continue
            patch = row * columns + column
            for c in range(starts[patch], starts[patch + 1]):
                apart_x, apart_y = _apart(x, xs[c], width, periodic), _apart(y, ys[c], height, periodic)
                value = _value(kind, length, cutoff, width, height, apart_x, apart_y)
                if value > 0.0 and (autapses or order[c] != i):
                    values[count] = value
                    total += value
                    count += 1
    return total, count


@njit(nogil=True)
def _saturated(values, count, peak):
    total = 0.0
    for c in range(count):
        total += min(1.0, peak * values[c])
    return total


@compiled
def expected_degrees(field, neurons, peak, autapses):
    """Return the expected number of synapses of the listed neurons, float64; peak : float64 [listed neuron]."""
    out = np.empty(len(neurons), np.float64)
    values = np.empty(len(field.x), np.float64)
    for n in range(len(neurons)):
        _, count = _sums(field, neurons[n], autapses, values)
        out[n] = _saturated(values, count, peak[n])
    return out


@compiled
def peaks(field, low, wanted, autapses):
    """Return the peak probability that gives each neuron its expected number of synapses, float64; -1 where none does.

    wanted : float64 [neuron], for neurons `low`, `low + 1`, ...
    """
    out = np.zeros(len(wanted), np.float64)
    values = np.empty(len(field.x), np.float64)
    for t in range(len(wanted)):
        if wanted[t] <= 0.0:
            continue
        total, count = _sums(field, low + t, autapses, values)
        if float(count) < wanted[t]:
            out[t] = -1.0
            continue
        # Without saturation the sum is linear; with it, too little: bracket, then bisect.
        peak = wanted[t] / total
        if _saturated(values, count, peak) < wanted[t] * (1.0 - 1e-12):
            below, above = peak, 2.0 * peak
            while _saturated(values, count, above) < wanted[t] * (1.0 - 1e-12) and above < 1e300:
                below, above = above, 4.0 * above
            for _ in range(_STEPS):
                peak = 0.5 * (below + above)
                if _saturated(values, count, peak) < wanted[t]:
                    below = peak
                else:
                    above = peak
        out[t] = peak
    return out


@njit(nogil=True)
def _bounds(field, i, bounds, total):
    """Write the bound of every patch, and the cumulative bounds times its candidates; return the last of these."""
    for patch in range(len(bounds)):
        bounds[patch] = _bound(field, i, patch) if field.kind != WRAPPED else 0.0
    if field.kind == WRAPPED:
        # The product of the axes: as many exponentials as columns and rows.
        wide, high = field.width / field.columns, field.height / field.rows
        for column in range(field.columns):
            dx = _to_patch(field.own_x[i], column * wide, wide, field.width, field.periodic)
            value = _images(dx, field.width, field.length)
            for row in range(field.rows):
                bounds[row * field.columns + column] = value
        for row in range(field.rows):
            dy = _to_patch(field.own_y[i], row * high, high, field.height, field.periodic)
            value = _images(dy, field.height, field.length)
            for column in range(field.columns):
                bounds[row * field.columns + column] *= value
    above = 0.0
    for patch in range(len(bounds)):
        above += (field.starts[patch + 1] - field.starts[patch]) * bounds[patch]
        total[patch] = above
    return above


@njit(nogil=True)
def _candidate(field, i, stream, index, bounds, total, above, excluded):
    """Return the place of a candidate drawn in proportion to the kernel, or -1 where it is rejected; two draws."""
    u = uniform(draw(stream, index)) * above
    low, high = 0, len(total) - 1
    while low < high:
        middle = (low + high) >> 1
        if u < total[middle]:
            high = middle
        else:
            low = middle + 1
    first = field.starts[low]
    count = field.starts[low + 1] - first
    bits = draw(stream, index + 1)
    c = first + int64(((bits >> _HALF) * uint64(count)) >> _HALF)
    accept = float(bits & uint64(0xFFFFFFFF)) * (1.0 / 4294967296.0) * bounds[low]
    if field.order[c] == excluded or accept >= _kernel(field, i, c):
        return int64(-1)
    return c


@compiled
def fixed_degree(
    fill, key, low, n_target, field, from_source, n, autapses, weights, delays, shortest, span, first_row, cursor,
    words, slots, slot_bits, extent,
):  # fmt: skip
    """`n` synapses per target, or `from_source` per source, the other ends drawn in proportion to the kernel.

    Returns -1, or the number of a neuron that has nobody within its kernel.
    """
    total = np.empty(len(field.starts) - 1, np.float64)
    bounds = np.empty(len(field.starts) - 1, np.float64)
    begin, end = (0, len(field.own_x)) if from_source else (low, low + n_target)
    for i in range(begin, end):
        base = draw(key, i)
        other = mix(base)
        above = _bounds(field, i, bounds, total)
        excluded = int64(-1) if autapses else int64(i)
        if n > 0 and above <= 0.0:
            return int64(i)
        index = 0
        for j in range(n):
            tries = 0
            c = int64(-1)
            while c < 0:
                c = _candidate(field, i, base, index, bounds, total, above, excluded)
                index += 2
                tries += 1
                if c < 0 and tries == _TRIES:
                    tries = 0
                    if _sums(field, i, autapses, np.empty(len(field.x), np.float64))[1] == 0:
                        return int64(i)
            bits = mix(other + uint64(j) * GOLDEN)
            source = i if from_source else field.order[c]
            t = field.order[c] - low if from_source else i - low
            if t >= 0 and t < n_target:
                place(
                    fill, source, t, bits, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits,
                    extent,
                )  # fmt: skip
    return int64(-1)
