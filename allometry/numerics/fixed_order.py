"""Sums in an order of their own, so that what is stored has the same bits on every CPU.

A BLAS adds in the order that suits the registers of a CPU and the number of its threads, and its sums differ in their last
bits from one machine to the next. Here every sum runs over the shared index from its first to its last element, or in
numpy's pairs, and no product is fused with a sum.
"""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

_COLUMNS = 256  # of the right matrix at a time: some rows of them stay in the cache of a core


@njit(cache=True, nogil=True)
def _add_product(a: NDArray[np.float64], b: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    terms = b.shape[0]
    whole = terms - terms % 4
    for first in range(0, b.shape[1], _COLUMNS):
        last = min(first + _COLUMNS, b.shape[1])
        for i in range(a.shape[0]):
            row = out[i, first:last]
            # four terms a turn, each added after the one before
            for k in range(0, whole, 4):
                p, q, r, s = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
                x, y, z, w = b[k, first:last], b[k + 1, first:last], b[k + 2, first:last], b[k + 3, first:last]
                for j in range(row.size):
                    row[j] = (((row[j] + p * x[j]) + q * y[j]) + r * z[j]) + s * w[j]
            for k in range(whole, terms):
                p, x = a[i, k], b[k, first:last]
                for j in range(row.size):
                    row[j] += p * x[j]


def product(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return the matrix product, every sum from the first to the last element of the shared index, in float64.

    Parameters
    ----------
    a : array [rows, shared]
    b : array [shared, columns] or [shared]

    Returns
    -------
    ndarray of float64 [rows, columns] or [rows]

    Raises
    ------
    ValueError
        The shapes do not fit.
    """
    left = np.ascontiguousarray(a, dtype=np.float64)
    right = np.asarray(b, dtype=np.float64)
    if left.ndim != 2 or right.ndim not in (1, 2) or left.shape[1] != len(right):
        raise ValueError(f"shapes {left.shape} and {right.shape} have no product")
    columns = np.ascontiguousarray(right if right.ndim == 2 else right[:, None])
    out = np.zeros((len(left), columns.shape[1]))
    _add_product(left, columns, out)
    return out if right.ndim == 2 else out[:, 0]


@njit(cache=True, nogil=True)
def _factor(a: NDArray[np.float64]) -> bool:
    """Turn the lower triangle into its Cholesky factor, in place; whether all pivots are positive."""
    for i in range(a.shape[0]):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            if i != j:
                a[i, j] = total / a[j, j]
            elif total > 0.0:
                a[i, i] = np.sqrt(total)
            else:
                return False
    return True


@njit(cache=True, nogil=True)
def _substitute(factor: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Solve for every column of the right side, in place."""
    n = factor.shape[0]
    for i in range(n):
        for k in range(i):
            for c in range(x.shape[1]):
                x[i, c] -= factor[i, k] * x[k, c]
        for c in range(x.shape[1]):
            x[i, c] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            for c in range(x.shape[1]):
                x[i, c] -= factor[k, i] * x[k, c]
        for c in range(x.shape[1]):
            x[i, c] /= factor[i, i]


def cholesky(a: ArrayLike) -> NDArray[np.float64]:
    """Return the lower factor of a positive definite matrix, in float64.

    Parameters
    ----------
    a : array [n, n]
        Only its lower triangle is read.

    Raises
    ------
    ValueError
        It is no square matrix, or not positive definite.
    """
    factor = np.array(a, dtype=np.float64, order="C")
    if factor.ndim != 2 or factor.shape[0] != factor.shape[1]:
        raise ValueError(f"a matrix of shape {factor.shape} has no Cholesky factor")
    if not _factor(factor):
        raise ValueError("the matrix is not positive definite")
    return np.tril(factor)


def solve_positive(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return the x of a x = b, with a positive definite a, in float64.

    Parameters
    ----------
    a : array [n, n]
    b : array [n] or [n, columns]

    Raises
    ------
    ValueError
        The shapes do not fit, or a is not positive definite.
    """
    factor, right = cholesky(a), np.array(b, dtype=np.float64)
    if right.ndim not in (1, 2) or len(right) != len(factor):
        raise ValueError(f"shapes {factor.shape} and {right.shape} make no equations")
    x = np.ascontiguousarray(right if right.ndim == 2 else right[:, None])
    _substitute(factor, x)
    return x if right.ndim == 2 else x[:, 0]


def inner(a: ArrayLike, b: ArrayLike) -> float:
    """Return the inner product of two arrays of one shape, summed in pairs.

    Parameters
    ----------
    a, b : arrays of one shape
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape} have no inner product")
    return float(np.multiply(x, y).sum())


def norm(a: ArrayLike) -> float:
    """Return the Euclidean norm of an array, of any shape.

    Parameters
    ----------
    a : array
    """
    return float(np.sqrt(inner(a, a)))
