"""Kernels that draw the synapses of the rules one-to-one, fixed in-degree without multapses, and fixed out-degree.

They write rows and words as `connect` does, with the same use of a synapse's 64 bits. Out-degrees are keyed by (source,
index): every part of the network draws all of them and keeps those onto its own targets.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import numpy as np
from numba import int32, int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.rng import GOLDEN, draw, mix
from allometry.simulate.kernels.wiring.connect import place

_HALF = uint64(32)


@compiled
def one_to_one(
    fill, key, low, n_target, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits, extent
):  # fmt: skip
    """Source i to target i; the bits of a synapse are keyed by its target."""
    for t in range(n_target):
        place(
            fill, low + t, t, draw(key, low + t), weights, delays, shortest, span, first_row, cursor, words, slots,
            slot_bits, extent,
        )  # fmt: skip


@njit(nogil=True)
def _distinct(bits, limit, taken, mark):
    """Return a number of [0, limit] that has no `mark` in `taken`, and mark it (Floyd's algorithm: limit grows by one)."""
    pick = int64(((bits >> _HALF) * uint64(limit + 1)) >> _HALF)
    if taken[pick] == mark:
        pick = limit
    taken[pick] = mark
    return pick


@compiled
def without_replacement(
    fill, key, low, n_target, n_source, n, autapses, weights, delays, shortest, span, first_row, cursor, words, slots,
    slot_bits, extent,
):  # fmt: skip
    """Every target gets `n` different sources: every set of `n` is equally likely (Floyd; Bentley, CACM 30:754, 1987)."""
    pool = n_source if autapses else n_source - 1
    taken = np.full(max(1, pool), -1, np.int32)
    for t in range(n_target):
        base = draw(key, low + t)
        for j in range(n):
            bits = mix(base + uint64(j) * GOLDEN)
            source = _distinct(bits, int64(pool - n + j), taken, int32(t))
            if not autapses and source >= low + t:
                source += 1
            place(
                fill, source, t, bits, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits,
                extent,
            )  # fmt: skip


@compiled
def outdegree(
    fill, key, low, n_target, n_source, size, n, autapses, multapses, weights, delays, shortest, span, first_row,
    cursor, words, slots, slot_bits, extent,
):  # fmt: skip
    """Every source makes `n` synapses onto the `size` neurons of the target population; those onto other parts are left out."""
    pool = size if autapses else size - 1
    taken = np.full(1 if multapses else max(1, pool), -1, np.int32)
    for source in range(n_source):
        base = draw(key, source)
        for j in range(n):
            bits = mix(base + uint64(j) * GOLDEN)
            if multapses:
                target = int64(((bits >> _HALF) * uint64(pool)) >> _HALF)
            else:
                target = _distinct(bits, int64(pool - n + j), taken, int32(source))
            if not autapses and target >= source:
                target += 1
            t = target - low
            if t >= 0 and t < n_target:
                place(
                    fill, source, t, bits, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits,
                    extent,
                )  # fmt: skip
