"""What changes with size: means over seeds with their intervals, and deviations from a reference size with a verdict.

Seeds are few, so that intervals are Student's (Student 1908, Biometrika 6:1); those of a deviation have the degrees of freedom
of Welch & Satterthwaite (Welch 1947, Biometrika 34:28), since small networks vary more between seeds than large ones.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
PRESERVED, CHANGED, UNDETERMINED = "preserved", "changed", "undetermined"


@dataclass(frozen=True)
class Means:
    """Means over seeds: `mean`, bounds `low` and `high` of the interval, `variance` between seeds, `n` seeds that have a value."""

    mean: Floats
    low: Floats
    high: Floats
    variance: Floats
    n: NDArray[np.int64]


def means(values: ArrayLike, axis: int) -> Means:
    """Mean along an axis with its 95 % interval; NaN is left out, and one value has no interval.

    Parameters
    ----------
    values : array
        With NaN where a statistic is undefined.
    axis : int
        That of the seeds.
    """
    x = np.moveaxis(np.asarray(values, np.float64), axis, -1)
    n = np.isfinite(x).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, np.nansum(x, axis=-1) / n, np.nan)
        variance = np.where(n > 1, np.nansum((x - mean[..., None]) ** 2, axis=-1) / (n - 1), np.nan)
        half = scipy.stats.t.ppf((1 + LEVEL) / 2, np.maximum(n - 1, 1)) * np.sqrt(variance / n)
    return Means(mean, mean - half, mean + half, variance, n)


@dataclass(frozen=True)
class Deviations:
    """Relative deviations from a reference with their intervals; `degrees` of freedom of each."""

    value: Floats
    low: Floats
    high: Floats
    degrees: Floats


def deviations(found: Means, reference: Means) -> Deviations:
    """Mean over that of the reference, less 1, with its 95 % interval.

    The variance of the ratio is that of its linear terms (delta method); with the reference far from 0 relative to its
    own error, which is where a relative deviation means something, the interval holds the truth as often as it says.

    Parameters
    ----------
    found, reference : Means
        Of shapes that broadcast against each other.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.abs(reference.mean)
        ratio = found.mean / reference.mean
        ours = found.variance / found.n * scale**2
        theirs = reference.variance / reference.n * (ratio * scale) ** 2
        error = ours + theirs
        degrees = error**2 / (ours**2 / (found.n - 1) + theirs**2 / (reference.n - 1))
        half = scipy.stats.t.ppf((1 + LEVEL) / 2, degrees) * np.sqrt(error)
        value = ratio - 1
    # no spread at all is no error; one seed is no measure of it
    half = np.where(error == 0, 0.0, half)
    value = np.where(np.isfinite(value), value, np.nan)
    return Deviations(value, value - half, value + half, degrees)


def verdicts(found: Deviations, tolerance: float) -> NDArray[np.object_]:
    """`preserved` where the whole interval is within the tolerance, `changed` where it is outside, else `undetermined`.

    Empty where the statistic is undefined.
    """
    low, high = found.low, found.high
    with np.errstate(invalid="ignore"):
        within = (low >= -tolerance) & (high <= tolerance)
        outside = (low > tolerance) | (high < -tolerance)
    words = np.where(within, PRESERVED, np.where(outside, CHANGED, UNDETERMINED)).astype(object)
    words[~np.isfinite(found.value)] = ""
    return words


def kept_within(found: Deviations) -> Floats:
    """Smallest tolerance to which each statistic is known to be preserved: the bound of its interval that is farther from 0."""
    return np.maximum(np.abs(found.low), np.abs(found.high))
