"""Kernel that draws fixed out-degrees by rounded Gaussian displacements on a lattice of targets.

It writes rows and words as `connect` does. Two hashes make a synapse, keyed by (source, index): the halves of the first are its
displacements along both axes, and the second is its delay and weight. Every part of the network draws all synapses and
keeps those onto its own targets.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.rng import GOLDEN, draw, mix, normal_quantile
from allometry.simulate.kernels.wiring.connect import place

_HALF = uint64(32)
_LOW32 = uint64(0xFFFFFFFF)


class Lattice(NamedTuple):
    """Targets on a full lattice of a torus, and where the sources are on it.

    columns, rows : sites of the targets; wide, high : standard deviations of a displacement, in sites; x, y : float64
    [source], in sites, where target i is at (i mod columns, i // columns).
    """

    columns: int
    rows: int
    wide: float
    high: float
    x: np.ndarray
    y: np.ndarray


@njit(inline="always")
def _normal(bits):
    """Return 32 random bits as a standard normal deviate, by the midpoint of one of 2^32 cells."""
    return normal_quantile((float(int64(bits)) + 0.5) * (1.0 / 4294967296.0))


@njit(inline="always")
def _site(at, sites):
    """Return the site nearest to a place, halves away from zero, on a ring of so many sites."""
    nearest = int64(math.floor(at + 0.5)) if at >= 0.0 else -int64(math.floor(0.5 - at))
    return nearest % sites


@compiled
def outdegree(
    fill, key, low, n_target, lattice, n, weights, delays, shortest, span, first_row, cursor, words, slots, slot_bits, extent
):  # fmt: skip
    """Every source makes `n` synapses, each onto the site nearest to its own place plus a normal displacement."""
    columns, rows, wide, high = lattice.columns, lattice.rows, lattice.wide, lattice.high
    xs, ys = lattice.x, lattice.y
    for source in range(len(xs)):
        x, y = xs[source], ys[source]
        base = draw(key, source)
        other = mix(base)
        for j in range(n):
            bits = mix(base + uint64(j) * GOLDEN)
            row = _site(y + high * _normal(bits & _LOW32), rows)
            first = row * columns
            if first - low >= n_target or first + columns <= low:
                continue
            t = first + _site(x + wide * _normal(bits >> _HALF), columns) - low
            if t >= 0 and t < n_target:
                place(
                    fill, source, t, mix(other + uint64(j) * GOLDEN), weights, delays, shortest, span, first_row, cursor,
                    words, slots, slot_bits, extent,
                )  # fmt: skip
