"""Intervals of a statistic of units that were recorded together: units vary, and so do the trials that all of them share.

Noise that is common to the units does not average out over them, so that resampling units alone gives intervals that are the
more wrong the more units there are. Both are left out in turn (jackknife); for crossed factors the variances add up.
"""

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike

from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.compare.inference.statistics import Interval

MOST_GROUPS = 20
FEWEST_GROUPS = 3


def jackknife_variance(left_out: ArrayLike) -> tuple[float, int]:
    """Variance and degrees of freedom from values [groups] of a statistic without each group; (NaN, 0) below 3 groups."""
    values = np.asarray(left_out, dtype=float)
    values = values[np.isfinite(values)]
    if values.size < FEWEST_GROUPS:
        return float("nan"), 0
    return float((values.size - 1) * values.var()), values.size - 1


def crossed_interval(
    estimate: float,
    *left_out: ArrayLike,
    level: float = 0.95,
    scale: tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]] | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Interval from the jackknife over each of several crossed factors (units; trials).

    Parameters
    ----------
    estimate : float
    *left_out : array_like, shape (groups,)
        Values of the statistic without each unit, without each group of trials. A factor of fewer than 3 groups says
        nothing of its variance, and is left out.
    level : float
    scale : pair of functions, optional
        A transformation to a scale on which errors are symmetric, and its inverse.
    bounds : (low, high)
        Values that the statistic can take.

    Returns
    -------
    Interval
        Estimate -+ t sqrt(sum of variances), t with the degrees of freedom of Satterthwaite (1946, Biometrics Bull. 2:110);
        NaN where no factor has groups.
    """
    to, back = scale or (np.asarray, np.asarray)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = float(to(estimate))
        found = [jackknife_variance(to(np.asarray(values, dtype=float))) for values in left_out]
    found = [(variance, degrees) for variance, degrees in found if degrees]
    if not found or not np.isfinite(centre):
        return Interval(float(estimate), np.nan, np.nan, level, "jackknife")
    total = sum(variance for variance, _ in found)
    below = sum(variance**2 / degrees for variance, degrees in found)
    degrees = total**2 / below if below > 0 else max(degrees for _, degrees in found)
    half = float(scipy.stats.t.ppf((1 + level) / 2, degrees) * np.sqrt(total))
    low, high = (float(back(centre + side)) for side in (-half, half))
    return Interval(float(estimate), max(low, bounds[0]), min(high, bounds[1]), level, "jackknife")


def groups(items: int, most: int = MOST_GROUPS) -> list[IntArray]:
    """Numbers of `items` in at most `most` contiguous groups of nearly equal size."""
    return [np.asarray(part, dtype=np.int64) for part in np.array_split(np.arange(items), min(items, most))]


def without_trials(responses: FloatArray, fewest_repeats: int, stimuli: bool = False) -> list[FloatArray]:
    """Responses [stimuli, repeats, units] without each group of blocks (repeats), which share what drifts.

    Every stimulus keeps `fewest_repeats` presentations, or the list is empty. Where there are fewer than 5 blocks, and
    the statistic bears it, groups of `stimuli` are left out instead.
    """
    parts = groups(responses.shape[1])
    if stimuli and len(parts) < 5 <= len(responses):
        return [np.delete(responses, part, axis=0) for part in groups(len(responses))]
    kept = [np.delete(responses, part, axis=1) for part in parts]
    kept = [part for part in kept if (np.isfinite(part[:, :, 0]).sum(axis=1) >= fewest_repeats).all()]
    return kept if len(kept) >= FEWEST_GROUPS else []
