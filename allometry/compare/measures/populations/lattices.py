"""Correlation against distance of units on a periodic lattice: all pairs at once, by Fourier transform.

The mean of r_ij over all pairs at one displacement is the autocorrelation of the standardised counts at that displacement,
summed over bins: a two-dimensional transform per bin, where 4·10⁴ units have 8·10⁸ pairs.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, matrix, vector, whole_number
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

_RESOLVED = 1e-7  # of its scale, below which the spread of a unit's counts is rounding
_BINS = 8  # transformed at a time


@dataclass(frozen=True)
class LatticeCorrelation:
    """Correlation of all pairs: in bins of distance, `[bins]`, and at every displacement, `[rows, columns]`.

    `distance` is the mean distance of the pairs of each bin, `n_pairs` their number, each pair once; `mean_of_all` and
    `n_units` are of all pairs and of the units that vary. Means are NaN where there is no pair.
    """

    edges: FloatArray
    distance: FloatArray
    mean: FloatArray
    n_pairs: IntArray
    mean_of_all: float
    n_units: int
    displacement_mean: FloatArray = field(repr=False)
    displacement_pairs: IntArray = field(repr=False)


@measure(
    name="lattice_correlation",
    version="1",
    inputs="counts [bins, units] of units on a periodic lattice, its columns, edges of distance",
    invariances="gain and offset of each unit, order of the bins",
    use="spatial reach of correlation over all pairs of a model on a torus",
    reference="Rosenbaum et al. 2017, Nat. Neurosci. 20:107, who sample pairs; by the Wiener-Khinchin theorem for all",
)
def lattice_correlation(
    counts: npt.ArrayLike, columns: int, edges: npt.ArrayLike, include: npt.ArrayLike | None = None
) -> LatticeCorrelation:
    """Mean Pearson correlation of all pairs of units against their distance on a torus of sides 1.

    Parameters
    ----------
    counts : array_like, shape (bins, units)
        Unit i is at (i mod columns, i // columns) of a lattice that the units fill. Units whose counts do not vary have no
        correlation, and are left out.
    columns : int
        Sites per row.
    edges : array_like, shape (edges,)
        Ascending distances, in sides of the sheet; the last bin holds its upper edge too.
    include : array_like of bool, shape (units,), optional
        Units to look at, such as those that fire often enough; default all.

    Returns
    -------
    LatticeCorrelation
        A unit is no pair with itself.

    Raises
    ------
    ComparisonError
        If the units do not fill the lattice, there are fewer than two bins, or the edges do not ascend.
    """
    x, e = matrix(counts, "counts", rows=2, columns=2), vector(edges, "edges", size=2)
    width = whole_number(columns, "columns")
    if x.shape[1] % width:
        raise ComparisonError(
            f"{x.shape[1]} units do not fill rows of {width}",
            where="columns",
            expected="a divisor of the number of units",
        )
    if (np.diff(e) <= 0).any():
        raise ComparisonError("edges do not ascend", where="edges", expected="ascending distances")
    mean, sd = x.mean(axis=0), x.std(axis=0, ddof=1)
    good = sd > _RESOLVED * np.abs(x).max(axis=0)
    if include is not None:
        wanted = np.asarray(include)
        if wanted.shape != good.shape or wanted.dtype != bool:
            raise ComparisonError(
                f"include is {wanted.dtype} of shape {wanted.shape}", where="include", expected=f"bool [{x.shape[1]}]"
            )
        good &= wanted
    shape = (x.shape[1] // width, width)
    power = np.zeros((shape[0], width // 2 + 1))
    inverse = np.divide(1.0, sd, out=np.zeros_like(sd), where=good)
    for start in range(0, x.shape[0], _BINS):
        z = (x[start : start + _BINS] - mean) * inverse
        power += (np.abs(scipy.fft.rfft2(z.reshape(-1, *shape))) ** 2).sum(axis=0)
    total = scipy.fft.irfft2(power, shape) / (x.shape[0] - 1)
    mask = np.abs(scipy.fft.rfft2(good.reshape(shape).astype(float))) ** 2
    pairs = np.rint(scipy.fft.irfft2(mask, shape)).astype(np.int64)
    pairs[0, 0] = 0
    total[0, 0] = 0.0
    there = pairs > 0
    displacement_mean = np.divide(total, pairs, out=np.full(shape, np.nan), where=there)
    return LatticeCorrelation(e, *_binned(total, pairs, e), _ratio(total.sum(), pairs.sum()), int(good.sum()),
                              displacement_mean, pairs)  # fmt: skip


def _ratio(a: Any, b: Any) -> float:
    return float(a / b) if b else float("nan")


def _binned(total: FloatArray, pairs: IntArray, edges: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Mean distance and correlation of the pairs in every bin, and their number; opposite displacements are one pair."""
    y, x = (np.minimum(i, n - i) / n for n in total.shape for i in [np.arange(n)])
    d = np.hypot(y[:, None], x)
    index = np.searchsorted(edges, d, side="right") - 1
    index[d == edges[-1]] = edges.size - 2
    inside = (index >= 0) & (index < edges.size - 1) & (pairs > 0)
    n, s, far = (
        np.bincount(index[inside], weight[inside], minlength=edges.size - 1) for weight in (pairs, total, pairs * d)
    )
    distance, mean = (np.divide(part, n, out=np.full(n.shape, np.nan), where=n > 0) for part in (far, s))
    return distance, mean, np.rint(n / 2).astype(np.int64)
