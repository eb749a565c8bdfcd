"""Distances between distributions of a statistic over units or pairs of units, and their resamples over units.

Both distances are functionals of the empirical distribution functions F and G on a common grid: Kolmogorov-Smirnov is
max |F - G|, Wasserstein the integral of |F - G|. On the grid of all values they are exact; resamples use a grid of
quantiles, fine enough for an interval.
"""

from dataclasses import dataclass

import numpy as np

from allometry.compare.inference.arrays import FloatArray, IntArray, blocks, vector
from allometry.errors import ComparisonError

GRID = 400  # quantiles of the pooled values: KS on them is within 1/400 of the exact one
BLOCK_BYTES = 4_000_000  # of resampled items at once: more does not fit a cache


@dataclass(frozen=True)
class Sample:
    """Values `[items]` and the unit or the two units `[items]` or `[items, 2]` that each belongs to, of `n_units`."""

    values: FloatArray
    units: IntArray
    n_units: int

    @classmethod
    def of_units(cls, values: FloatArray) -> "Sample":
        """One value per unit; undefined ones (NaN) are left out, their units stay in the resamples."""
        keep = np.flatnonzero(np.isfinite(values))
        return cls(np.asarray(values, float)[keep], keep, len(values))

    @classmethod
    def of_pairs(cls, values: FloatArray, n_units: int) -> "Sample":
        """One value per pair of units, the condensed upper triangle; undefined ones are left out."""
        keep = np.flatnonzero(np.isfinite(values))
        first, second = np.triu_indices(n_units, 1)
        return cls(np.asarray(values, float)[keep], np.stack([first[keep], second[keep]], axis=1), n_units)


def full_grid(*samples: Sample) -> FloatArray:
    """All distinct values, ascending: on it both distances are exact."""
    return np.unique(np.concatenate([sample.values for sample in samples]))


def quantile_grid(*samples: Sample) -> FloatArray:
    """At most `GRID` values between which the samples have about equal shares, every sample with the same weight."""
    level = np.linspace(0, 1, GRID // max(len(samples), 1) + 2)
    return np.unique(np.concatenate([np.quantile(sample.values, level) for sample in samples]))


def cdf(sample: Sample, grid: FloatArray) -> FloatArray:
    """Empirical distribution function at the ascending `grid`."""
    return np.searchsorted(np.sort(sample.values), grid, side="right") / sample.values.size


def weighted_cdfs(sample: Sample, grid: FloatArray, weights: FloatArray) -> FloatArray:
    """Distribution functions where unit u counts `weights[replicate, u]` times, and a pair the product of its units.

    Returns
    -------
    ndarray, shape (replicates, grid)
        NaN where no item has any weight.
    """
    order = np.argsort(sample.values, kind="stable")
    units = sample.units[order]
    stop = np.searchsorted(sample.values[order], grid, side="right")
    out = np.empty((len(weights), grid.size))
    for rows in blocks(len(weights), max(1, BLOCK_BYTES // (8 * max(order.size, 1)))):
        part = weights[rows]
        item = part[:, units] if units.ndim == 1 else part[:, units[:, 0]] * part[:, units[:, 1]]
        total = np.concatenate([np.zeros((len(part), 1)), np.cumsum(item, axis=1)], axis=1)
        with np.errstate(invalid="ignore"):
            out[rows] = total[:, stop] / np.where(total[:, -1:] > 0, total[:, -1:], np.nan)
    return out


def bootstrap_weights(n_units: int, n: int, rng: np.random.Generator) -> FloatArray:
    """How often each unit is drawn, in each of `n` resamples with replacement."""
    return rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n).astype(float)


def distances(f: FloatArray, g: FloatArray, grid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Kolmogorov-Smirnov and Wasserstein distance of distribution functions `[..., grid]`."""
    gap = np.abs(f - g)
    return gap.max(axis=-1), (gap[..., :-1] * np.diff(grid)).sum(axis=-1)


def ks_and_wasserstein(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Kolmogorov-Smirnov and Wasserstein (earth mover's, in the unit of the values) distance of two sets of values.

    Parameters
    ----------
    a, b : ndarray, shape (items,)

    Returns
    -------
    (float, float)
        Kolmogorov-Smirnov distance in [0, 1], and Wasserstein distance in the unit of the values.

    Raises
    ------
    ComparisonError
        Fewer than two values, or values that are not finite.

    References
    ----------
    Massey 1951, J. Am. Stat. Assoc. 46:68; Vallender 1974, Theory Probab. Appl. 18:784 (W_1 = integral of |F - G|).
    """
    x = Sample.of_units(vector(a, "a", size=2))
    y = Sample.of_units(vector(b, "b", size=2))
    return exact(x, y)


def exact(a: Sample, b: Sample) -> tuple[float, float]:
    """Both distances of two samples."""
    if not a.values.size or not b.values.size:
        raise ComparisonError("a sample is empty", where="values", expected="at least one value")
    grid = full_grid(a, b)
    ks, wasserstein = distances(cdf(a, grid), cdf(b, grid), grid)
    return float(ks), float(wasserstein)


def halves(sample: Sample, rng: np.random.Generator, n: int = 20) -> tuple[FloatArray, FloatArray]:
    """Distances between random halves of the units, scaled to what two samples of all units would have by chance.

    The squared distance of two samples of the same distribution goes with 1/n_a + 1/n_b: 4/n for the halves, 2/n for
    two whole samples, so that the distances are divided by sqrt 2.

    Returns
    -------
    (ks, wasserstein) : ndarrays, shape (n,)
    """
    first = np.array([rng.permutation(sample.n_units) < sample.n_units // 2 for _ in range(n)], dtype=float)
    grid = quantile_grid(sample)
    ks, wasserstein = distances(weighted_cdfs(sample, grid, first), weighted_cdfs(sample, grid, 1 - first), grid)
    return ks / np.sqrt(2), wasserstein / np.sqrt(2)
