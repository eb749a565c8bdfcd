"""Pearson correlation of all pairs of units, block by block, for 10 to 10^5 units.

Spike counts are sparse: sum_t n_i n_j needs only the bins in which both fire, one unit against all at a time, and the
accumulator of one unit stays in cache. Traces that are not sparse go through BLAS in blocks of units. Where the
n(n-1)/2 values themselves do not fit, `pairwise_summary` reduces them to moments and a histogram on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, blocks, numbers
from allometry.compare.inference.blockwise import afford, estimate, fitting
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

_SPARSE_BELOW = 0.1  # share of non-zero entries below which the sparse kernel beats BLAS (measured at 10^4 units)
_BLOCK = 1024  # units per dense block: 1024 x 10^4 float64 are 80 MB
_SECONDS_PER_OPERATION = 1e-9  # of the kernels on few cores


@dataclass(frozen=True)
class PairwiseSummary:
    """Distribution of all pairwise correlations: number of defined pairs, moments, histogram over `edges`."""

    n_pairs: int
    mean: float
    sd: float
    edges: FloatArray = field(repr=False)
    histogram: IntArray = field(repr=False)


@dataclass(frozen=True)
class _Sparse:
    """Counts by unit (CSC) and by bin (CSR), and what standardises a product of sums."""

    by_unit: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
    by_bin: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
    mean: FloatArray
    inverse_sd: FloatArray
    n_bins: int

    def arguments(self) -> tuple[Any, ...]:
        """Arguments of the kernels, between the rows to do and the output."""
        position = _positions(self.by_unit, self.by_bin)
        return self.by_unit, self.by_bin, position, (self.mean, self.inverse_sd, self.n_bins)


def _refuse(what: str, expected: str, do: str = "") -> ComparisonError:
    return ComparisonError(what, where="counts", expected=expected, do=do)


def _load(counts: Any) -> FloatArray | scipy.sparse.csc_array:
    """Dense float64 or CSC counts from an array, a scipy sparse array, or a dask array read chunk by chunk."""
    if hasattr(counts, "dask"):
        rows: list[Any] = []
        for start, stop in _row_chunks(counts):
            part = np.asarray(counts[start:stop].compute())
            rows.append(scipy.sparse.csr_array(part) if np.count_nonzero(part) < _SPARSE_BELOW * part.size else part)
        if all(scipy.sparse.issparse(r) for r in rows):
            counts = scipy.sparse.vstack(rows)
        else:
            counts = np.concatenate([r.toarray() if scipy.sparse.issparse(r) else r for r in rows])
    if not scipy.sparse.issparse(counts):
        counts = numbers(counts, "counts")
    if counts.ndim != 2 or counts.shape[0] < 2 or counts.shape[1] < 2:
        raise _refuse(f"counts have shape {counts.shape}", "[bins, units] with at least two bins and two units")
    if not (np.issubdtype(counts.dtype, np.number) or counts.dtype == bool):
        raise _refuse(f"counts are of type {counts.dtype}", "numbers")
    if scipy.sparse.issparse(counts):
        out = scipy.sparse.csc_array(counts, dtype=np.float64)
        out.sum_duplicates()
        if not np.isfinite(out.data).all():
            raise _refuse("counts hold NaN or infinity", "finite values")
        return out
    if np.count_nonzero(counts) < _SPARSE_BELOW * counts.size:
        return _load(scipy.sparse.csc_array(counts))
    dense = counts.astype(np.float64)
    partly = ~np.isfinite(dense).all(axis=0) & np.isfinite(dense).any(axis=0)
    if partly.any():
        raise _refuse(
            f"{int(partly.sum())} units are NaN in some bins only",
            "units that are observed in every bin, or in none",
            "cut the recording to the bins that all units share",
        )
    return np.asarray(dense)


def _row_chunks(x: Any) -> list[tuple[int, int]]:
    stops = np.cumsum(x.chunks[0])
    return list(zip([0, *stops[:-1].tolist()], stops.tolist()))


def _inverse(sd: FloatArray, scale: FloatArray) -> FloatArray:
    """1 / sd, NaN for units that are constant (up to rounding): their correlation is undefined, not 0."""
    return np.divide(1.0, sd, out=np.full(sd.shape, np.nan), where=sd > 1e-7 * scale)


def _sparse(counts: scipy.sparse.csc_array) -> _Sparse:
    n_bins = counts.shape[0]
    mean = np.asarray(counts.sum(axis=0)).ravel() / n_bins
    squared = np.asarray(counts.multiply(counts).sum(axis=0)).ravel() / n_bins
    sd = np.sqrt(np.maximum(squared - mean**2, 0))
    rows = scipy.sparse.csr_array(counts)
    rows.sort_indices()
    whole = np.array_equal(counts.data, np.rint(counts.data))
    # Sums of products of counts are exact in int32, and half the size: the accumulator of 10^4 units stays in L1.
    kind = np.int32 if whole and squared.max() * n_bins < 2**31 else np.float64
    return _Sparse(
        (counts.indptr.astype(np.int64), counts.indices.astype(np.int32), counts.data.astype(kind)),
        (rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data.astype(kind)),
        mean,
        _inverse(sd, np.sqrt(squared)),
        n_bins,
    )


@numba.njit(cache=True, nogil=True)
def _row(i: int, by_unit: Any, by_bin: Any, position: Any, total: Any) -> None:
    """Sum of products of unit i with all later units, into total[i + 1:]."""
    unit_start, bins, unit_value = by_unit
    bin_start, units, bin_value = by_bin
    total[i + 1 :] = 0
    for k in range(unit_start[i], unit_start[i + 1]):
        value = unit_value[k]
        # `position` is where unit i itself stands in its bin; what follows there is j > i
        for m in range(position[k] + 1, bin_start[bins[k] + 1]):
            total[units[m]] += value * bin_value[m]


@numba.njit(cache=True, nogil=True, inline="always")
def _correlation(i: int, j: int, product: Any, standard: Any) -> float:
    mean, inverse_sd, n_bins = standard
    r = (product / n_bins - mean[i] * mean[j]) * inverse_sd[i] * inverse_sd[j]
    return min(1.0, max(-1.0, r)) if r == r else np.nan


@numba.njit(cache=True, nogil=True)
def _rows_to_pairs(
    first: int, stride: int, by_unit: Any, by_bin: Any, position: Any, standard: Any, out: FloatArray
) -> None:
    n = standard[0].size
    total = np.zeros(n, by_unit[2].dtype)
    for i in range(first, n, stride):
        _row(i, by_unit, by_bin, position, total)
        start = i * (2 * n - i - 1) // 2 - i - 1
        for j in range(i + 1, n):
            out[start + j] = _correlation(i, j, total[j], standard)


@numba.njit(cache=True, nogil=True)
def _rows_to_summary(
    first: int, stride: int, by_unit: Any, by_bin: Any, position: Any, standard: Any, histogram: Any, moments: Any
) -> None:
    n = standard[0].size
    total = np.zeros(n, by_unit[2].dtype)
    number, sums, squares = moments
    half, last = histogram.size / 2, histogram.size - 1
    for i in range(first, n, stride):
        _row(i, by_unit, by_bin, position, total)
        for j in range(i + 1, n):
            r = _correlation(i, j, total[j], standard)
            if r == r:
                number[i] += 1
                sums[i] += r
                squares[i] += r * r
                histogram[min(last, int((r + 1) * half))] += 1


@numba.njit(cache=True, nogil=True)
def _positions(by_unit: Any, by_bin: Any) -> Any:
    """Index, within the by-bin order, of every entry of the by-unit order."""
    unit_start, bins, _ = by_unit
    n = unit_start.size - 1
    cursor = by_bin[0][:-1].copy()
    position = np.empty(bins.size, np.int64)
    # Units ascend within a bin, so walking units in order meets the entries of every bin in order.
    for i in range(n):
        for k in range(unit_start[i], unit_start[i + 1]):
            position[k] = cursor[bins[k]]
            cursor[bins[k]] += 1
    return position


def _threaded(task: Callable[[int, int], None], threads: int | None) -> None:
    n = threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(n) as pool:
        # Rows are dealt in turn, since early rows have more partners. list() re-raises.
        list(pool.map(lambda first: task(first, n), range(n)))


def _standardised(dense: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        centred = dense - dense.mean(axis=0)
        inverse = _inverse(centred.std(axis=0), np.sqrt((dense**2).mean(axis=0)))
    return np.asarray(centred * (inverse / np.sqrt(dense.shape[0])))


@measure(
    name="pairwise",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="offset and scale of each unit",
    use="how much do units fluctuate together?",
    reference="Cohen & Kohn 2011, Nat. Neurosci. 14:811",
    cost="memory",
)
def pairwise(counts: Any, threads: int | None = None) -> FloatArray:
    """Pearson correlation of all pairs of units.

    Parameters
    ----------
    counts : array, scipy sparse array or dask array, shape (bins, units)
        Spike counts or traces. A dask array is read one chunk of rows at a time.
    threads : int, optional
        Default: all available cores. The result does not depend on it.

    Returns
    -------
    ndarray, shape (pairs,)
        Condensed upper triangle; NaN where a unit is constant (silent) or not recorded (all NaN).

    Raises
    ------
    ComparisonError
        For other shapes, or units that are NaN in some bins only.
    """
    data = _load(counts)
    n = data.shape[1]
    nonzero = data.size if isinstance(data, np.ndarray) else data.nnz
    need = estimate("pairwise", units=n, nonzero=nonzero)
    afford(
        need,
        f"`pairwise_summary`, which keeps no pairs, or a sample of at most {fitting(4, 2):,} units",
    )
    out = np.empty(n * (n - 1) // 2)
    if isinstance(data, np.ndarray):
        z = _standardised(data)
        for rows in steps(blocks(n, _BLOCK), "pairwise correlations, blocks of units"):
            product = np.clip(z[:, rows].T @ z[:, rows.start :], -1, 1)
            for k, i in enumerate(range(rows.start, rows.stop)):
                start = i * (2 * n - i - 1) // 2
                out[start : start + n - i - 1] = product[k, k + 1 :]
        return out
    s = _sparse(data)
    fixed = s.arguments()
    kernel: Any = _rows_to_pairs
    with whole(f"correlations of {n:,} units", _SECONDS_PER_OPERATION * need.operations):
        _threaded(lambda first, stride: kernel(first, stride, *fixed, out), threads)
    return out


@measure(
    name="pairwise_summary",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="offset and scale of each unit, order of units and of bins",
    use="distribution of pairwise correlations where the pairs are too many to hold",
    reference="Cohen & Kohn 2011, Nat. Neurosci. 14:811",
    cost="time",
)
def pairwise_summary(counts: Any, n_bins: int = 200, threads: int | None = None) -> PairwiseSummary:
    """Moments and histogram of all pairwise correlations, without ever holding them all.

    Memory is that of the counts (sparse: 24 bytes per non-zero entry) plus some vectors of length units: 10^5 units
    have 5 10^9 pairs, 40 GB if they were kept.

    Parameters
    ----------
    counts : array, scipy sparse array or dask array, shape (bins, units)
    n_bins : int
        Histogram bins between -1 and 1.
    threads : int, optional
        Default: all available cores. The result does not depend on it.

    Returns
    -------
    PairwiseSummary
        Pairs with a constant unit are left out.
    """
    data = _load(counts)
    n = data.shape[1]
    edges = np.linspace(-1, 1, n_bins + 1)
    number, sums, squares = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    histogram = np.zeros(n_bins, np.int64)
    if isinstance(data, np.ndarray):
        z = _standardised(data)
        for rows in steps(blocks(n, _BLOCK), "pairwise correlations, blocks of units"):
            product = np.clip(z[:, rows].T @ z[:, rows.start :], -1, 1)
            for k, i in enumerate(range(rows.start, rows.stop)):
                r = product[k, k + 1 :]
                r = r[np.isfinite(r)]
                number[i], sums[i], squares[i] = r.size, r.sum(), (r**2).sum()
                index = np.minimum(((r + 1) * (n_bins / 2)).astype(np.int64), n_bins - 1)
                histogram += np.bincount(index, minlength=n_bins)
    else:
        s = _sparse(data)
        fixed = s.arguments()
        kernel: Any = _rows_to_summary
        partial: list[IntArray] = []

        def task(first: int, stride: int) -> None:
            own = np.zeros(n_bins, np.int64)
            partial.append(own)
            kernel(first, stride, *fixed, own, (number, sums, squares))

        work = estimate("pairwise_summary", units=n, nonzero=data.nnz).operations
        with whole(f"correlations of {n:,} units", _SECONDS_PER_OPERATION * work):
            _threaded(task, threads)
        histogram = np.sum(partial, axis=0)
    total = int(number.sum())
    if total == 0:
        raise _refuse("no pair of units varies", "at least two units that are not constant")
    # Sums are kept per unit and added in unit order, so that the number of threads does not change a bit.
    mean = float(sums.sum() / total)
    return PairwiseSummary(total, mean, float(np.sqrt(max(squares.sum() / total - mean**2, 0.0))), edges, histogram)
