"""Kernels that draw the synapses of one projection onto a range of targets: a count pass, then a fill pass.

A synapse is one 64-bit hash keyed by (projection, target, index): its upper half selects the source, 16 bits the delay
and 16 bits the weight. Rows (source, delay) of one source population are contiguous; `cursor[row]` counts in the first
pass and holds the next free word in the second. A weight of the last values of its table, which stand for a further table
(`fixedpoint.weight_table`), takes 16 bits of another hash.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math

import numpy as np
from numba import int32, int64, njit, uint32, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.intrinsics import prefetch_write
from allometry.simulate.kernels.rng import GOLDEN, draw, ln, mix, uniform

BATCH = 256
TABLE = 65536
"""Number of equiprobable values that a drawn weight or delay takes; 16 bits of a synapse's hash select one."""
TAIL = 16
"""Values at the end of a table that stand for the whole of the next one."""
_HALF = uint64(32)
_LOW16 = uint64(0xFFFF)


@njit(inline="always")
def _word(weight, slot, slot_bits):
    return (int64(weight) << int64(slot_bits)) | int64(slot)


@njit(nogil=True)
def from_tail(pick, bits, size):
    """Return the value that a synapse takes, whose first pick may stand for a further table of `size` values in all."""
    end = TABLE
    while pick >= end - TAIL and end < size:
        bits = mix(bits + GOLDEN)
        pick = end + int64(bits & _LOW16)
        end += TABLE
    return pick


@njit(nogil=True)
def place(
    fill, source, t, bits, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits, extent, factor=1.0
):  # fmt: skip
    """Count, or where `fill` write, the synapse from `source` onto target `t` of the part: 16 bits of `bits` are its
    delay, 16 its weight, which is multiplied by `factor`."""
    delay = int64(delays[(bits >> uint64(16)) & uint64(len(delays) - 1)])
    row = first_row + source * span + delay - shortest
    at = cursor[row]
    cursor[row] = at + uint32(1)
    if fill:
        pick = int64(bits & uint64(min(len(weights), TABLE) - 1))
        weight = int64(weights[from_tail(pick, bits, len(weights))])
        if factor != 1.0:
            weight = int64(math.floor(weight * factor + 0.5))
        negative = 1 if weight < 0 else 0
        extent[negative, t] += abs(weight)
        words[at] = _word(weight, slots[negative] + t, slot_bits)


@compiled
def with_replacement(
    fill, key, low, degrees, n_source, autapses, weights, delays, shortest, span, first_row, cursor, words, slots,
    slot_bits, extent,
):  # fmt: skip
    """Fixed in-degrees (drawn or constant): each input's source is uniform on the source population.

    low : index of the first target in its population; degrees : int64 [target]; slots : int64 [2], the slot of the
    first target for weights >= 0 and < 0; extent : int64 [2, target], sums of |weight| per sign.
    """
    rows = np.empty(BATCH, np.int64)
    picks = np.empty(BATCH, np.int32)
    places = np.empty(BATCH, np.uint32)
    weight_mask = uint64(min(len(weights), TABLE) - 1)
    tailed = len(weights) > TABLE
    delay_mask = uint64(len(delays) - 1)
    sources = uint64(n_source if autapses else n_source - 1)
    for t in range(len(degrees)):
        target = low + t
        base = draw(key, target)
        left = degrees[t]
        positive = negative = int64(0)
        slot, slot_in = int64(slots[0] + t), int64(slots[1] + t)
        done = 0
        while done < left:
            # Rows and words are all over memory: ask for a batch of each before touching any.
            batch = min(BATCH, left - done)
            for j in range(batch):
                bits = mix(base + uint64(done + j) * GOLDEN)
                source = int64(((bits >> _HALF) * sources) >> _HALF)
                if not autapses and source >= target:
                    source += 1
                delay = int64(delays[(bits >> uint64(16)) & delay_mask])
                row = first_row + source * span + delay - shortest
                rows[j] = row
                prefetch_write(cursor, row)
                picks[j] = int32(bits & weight_mask)
            if fill and tailed:
                for j in range(batch):
                    if picks[j] >= TABLE - TAIL:
                        picks[j] = from_tail(int64(picks[j]), mix(base + uint64(done + j) * GOLDEN), len(weights))
            if fill:
                for j in range(batch):
                    place = cursor[rows[j]]
                    cursor[rows[j]] = place + uint32(1)
                    places[j] = place
                    prefetch_write(words, int64(place))
                for j in range(batch):
                    weight = int64(weights[picks[j]])
                    if weight < 0:
                        negative -= weight
                        words[places[j]] = _word(weight, slot_in, slot_bits)
                    else:
                        positive += weight
                        words[places[j]] = _word(weight, slot, slot_bits)
            else:
                for j in range(batch):
                    cursor[rows[j]] += uint32(1)
            done += batch
        if fill:
            extent[0, t] += positive
            extent[1, t] += negative


@compiled
def bernoulli(
    fill, key, low, n_target, n_source, p, autapses, weights, delays, shortest, span, first_row, cursor, words, slots,
    slot_bits, extent,
):  # fmt: skip
    """Each ordered pair with probability `p`: geometric skips over the sources, keyed by (target, index)."""
    weight_mask = uint64(min(len(weights), TABLE) - 1)
    delay_mask = uint64(len(delays) - 1)
    if p <= 1e-100:
        return
    # ln(1 - p) is -p where 1 - p rounds to 1.
    scale = 0.0 if p >= 1.0 else (1.0 / ln(1.0 - p) if 1.0 - p < 1.0 else -1.0 / p)
    for t in range(n_target):
        target = low + t
        base = draw(key, target)
        other = mix(base)
        source = int64(-1)
        index = 0
        while True:
            skip = 0.0 if scale == 0.0 else ln(uniform(mix(base + uint64(index) * GOLDEN))) * scale
            index += 1
            if skip >= float(n_source):
                break
            source += 1 + int64(skip)
            if source >= n_source:
                break
            if not autapses and source == target:
                continue
            bits = mix(other + uint64(source) * GOLDEN)
            delay = int64(delays[(bits >> uint64(16)) & delay_mask])
            row = first_row + source * span + delay - shortest
            at = cursor[row]
            cursor[row] = at + uint32(1)
            if fill:
                weight = weights[from_tail(int64(bits & weight_mask), bits, len(weights))]
                negative = 1 if weight < 0 else 0
                extent[negative, t] += abs(weight)
                words[at] = _word(weight, slots[negative] + t, slot_bits)


@compiled
def explicit(
    fill, low, n_target, source, target, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits,
    extent,
):  # fmt: skip
    """Edges from a list; those onto other targets are skipped."""
    for e in range(len(source)):
        t = target[e] - low
        if t < 0 or t >= n_target:
            continue
        row = first_row + source[e] * span + int64(delays[e]) - shortest
        at = cursor[row]
        cursor[row] = at + uint32(1)
        if fill:
            weight = weights[e]
            negative = 1 if weight < 0 else 0
            extent[negative, t] += abs(weight)
            words[at] = _word(weight, slots[negative] + t, slot_bits)


@compiled
def starts(cursor):
    """Turn counts per row into the first word of each row, in place; the last element becomes the total.

    Returns the total, or -1 if it does not fit 32 bits.
    """
    total = int64(0)
    for row in range(len(cursor)):
        count = int64(cursor[row])
        cursor[row] = uint32(total)
        total += count
        if total > int64(0xFFFFFFFF):
            return int64(-1)
    return total


@compiled
def rewind(cursor):
    """After the fill pass every element holds the end of its row: shift, so that it holds the start again."""
    for row in range(len(cursor) - 1, 0, -1):
        cursor[row] = cursor[row - 1]
    cursor[0] = uint32(0)
