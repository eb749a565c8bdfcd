"""Sums over units in a fixed order: every sum runs from its first to its last term, and nothing depends on the cut.

Sums over all units (latent variables, readouts) are taken in blocks of `BLOCK` units of a population, block after block; a
cut goes between blocks. No product is fused with a sum.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

from numba import njit

BLOCK = 64
"""Units of a block."""
TILE = 512
"""Columns of a matrix that are gone through for one condition after the other, while they are in the cache."""


@njit(nogil=True, error_model="numpy")
def add_rows(matrix, first, count, factors, at, out, low, high):
    """Add to `out[low:high]` rows [first, first + count) of a matrix times `factors[at:]`, row after row.

    matrix : float64 [row, column]; factors : float64 [row]; out : float64 [column].
    """
    row = out[low:high]
    width = row.size
    whole = count - count % 8
    for k in range(0, whole, 8):
        i, f = first + k, at + k
        a0, a1, a2, a3 = factors[f], factors[f + 1], factors[f + 2], factors[f + 3]
        a4, a5, a6, a7 = factors[f + 4], factors[f + 5], factors[f + 6], factors[f + 7]
        x0, x1, x2, x3 = matrix[i, low:high], matrix[i + 1, low:high], matrix[i + 2, low:high], matrix[i + 3, low:high]
        x4, x5, x6, x7 = (
            matrix[i + 4, low:high],
            matrix[i + 5, low:high],
            matrix[i + 6, low:high],
            matrix[i + 7, low:high],
        )
        for j in range(width):
            t = (((row[j] + a0 * x0[j]) + a1 * x1[j]) + a2 * x2[j]) + a3 * x3[j]
            row[j] = (((t + a4 * x4[j]) + a5 * x5[j]) + a6 * x6[j]) + a7 * x7[j]
    for k in range(whole, count):
        a, x = factors[at + k], matrix[first + k, low:high]
        for j in range(width):
            row[j] += a * x[j]


@njit(nogil=True, error_model="numpy")
def add_edges(limits, source, weight, rates, out, start, count):
    """Add to `out[start:]` the rates of the sources of each target times their weights, edge after edge.

    limits : int64 [target + 1]; source : int64 [edge], where in `rates`; weight : float64 [edge].
    """
    for i in range(count):
        total = 0.0
        for e in range(limits[i], limits[i + 1]):
            total += weight[e] * rates[source[e]]
        out[start + i] += total
