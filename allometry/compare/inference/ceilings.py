"""Ceilings: how reliable data are, what a perfect model could reach, and a score relative to it."""

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from allometry.compare.inference.arrays import numbers, varies
from allometry.compare.inference.progress import steps
from allometry.errors import ComparisonError

Floats = NDArray[np.float64]


def spearman_brown(r: ArrayLike, factor: float = 2.0) -> Floats:
    """Reliability of a measurement `factor` times as long, k r / (1 + (k - 1) r).

    Parameters
    ----------
    r : array_like, of any shape
        Reliability (correlation of two measurements); NaN stay NaN.
    factor : float
        k, how many times as long.

    Returns
    -------
    ndarray, same shape
        Reliability of the longer measurement.

    References
    ----------
    Spearman 1910, Br. J. Psychol. 3:271; Brown 1910, Br. J. Psychol. 3:296.
    """
    values = np.asarray(r, dtype=float)
    return factor * values / (1 + (factor - 1) * values)


def _columns_correlation(a: Floats, b: Floats) -> Floats:
    """Pearson correlation of the columns of a and b [items, columns] over the items finite in both; NaN if constant."""
    both = np.isfinite(a) & np.isfinite(b)
    varying = varies(np.where(both, a, np.nan)) & varies(np.where(both, b, np.nan))
    count = np.maximum(both.sum(axis=0), 1)
    a = np.where(both, a, 0.0)
    b = np.where(both, b, 0.0)
    a = np.where(both, a - a.sum(axis=0) / count, 0.0)
    b = np.where(both, b - b.sum(axis=0) / count, 0.0)
    # Two roots: the product of two sums of squares of small values (currents in A) can underflow.
    norm = np.sqrt((a * a).sum(axis=0)) * np.sqrt((b * b).sum(axis=0))
    return np.where(varying, (a * b).sum(axis=0) / np.where(varying, norm, 1.0), np.nan)


def split_half(responses: ArrayLike, *, seed: int, splits: int = 100) -> Floats:
    """Reliability of each unit's mean response over all repeats: split-half correlation with Spearman-Brown correction.

    Parameters
    ----------
    responses : array [stimuli, repeats, units]
        NaN marks what was not presented or not recorded: halves are drawn among the repeats each stimulus has.
    seed : int
        Seed of the halves.
    splits : int
        Number of random halves, at least 1.

    Returns
    -------
    array [units]
        Mean over `splits` random halves of 2r/(1+r); s^2/(s^2 + n^2/T) for signal variance s^2, noise variance n^2 and
        T repeats. NaN for a unit that is constant or has fewer than 3 stimuli with 2 repeats.

    Raises
    ------
    ComparisonError
        Infinite values, fewer than 2 repeats, another number of axes, or no split.
    """
    data = numbers(responses, "responses").astype(float)
    if np.isinf(data).any():
        raise ComparisonError("responses hold infinite values", where="responses", expected="numbers, NaN if missing")
    if data.ndim != 3 or data.shape[1] < 2 or splits < 1:
        raise ComparisonError(
            f"{splits} split-half reliabilities of responses with shape {data.shape}",
            expected="[stimuli, repeats >= 2, units], at least one split",
        )
    rng = np.random.default_rng(seed)
    presented = np.isfinite(data).any(axis=2)
    finite = np.isfinite(data)
    filled = np.where(finite, data, 0.0)
    total, total_count = filled.sum(axis=1), finite.sum(axis=1)
    values = np.empty((splits, data.shape[2]))
    for i in steps(range(splits), "split-half reliability"):
        order = np.argsort(np.where(presented, rng.random(presented.shape), np.inf), axis=1)
        rank = np.argsort(order, axis=1)
        chosen = (presented & (rank % 2 == 0)).astype(float)
        first = np.einsum("sr,sru->su", chosen, filled)
        first_count = np.einsum("sr,sru->su", chosen, finite)
        with np.errstate(invalid="ignore", divide="ignore"):
            halves = first / first_count, (total - first) / (total_count - first_count)
        usable = np.isfinite(halves[0]) & np.isfinite(halves[1])
        r = np.where(usable.sum(axis=0) >= 3, _columns_correlation(*halves), np.nan)
        values[i] = r
    # Correct the mean correlation, not each one: 2r/(1+r) is concave and explodes near r = -1.
    return spearman_brown(values.mean(axis=0))


def leave_one_out_ceiling(vectors: ArrayLike, method: str = "pearson") -> tuple[Floats, Floats]:
    """Ceiling of each subject: correlation with the mean of the others (low) and with the mean of all (high).

    Parameters
    ----------
    vectors : array [subjects, features]
        One feature vector (an RDM, the upper triangle of a correlation matrix, …) per subject; NaN are left out.
    method : {"pearson", "spearman"}
        With Spearman the vectors are ranked before they are averaged (Nili et al. 2014).

    Returns
    -------
    (low, high) : arrays [subjects]
        Their means bound what a perfect group-level model can reach.
    """
    data = numbers(vectors, "vectors").astype(float)
    data = np.where(np.isfinite(data), data, np.nan)
    if data.ndim != 2 or len(data) < 2:
        raise ComparisonError(f"noise ceiling of vectors with shape {data.shape}", expected="[subjects >= 2, features]")
    if method not in ("pearson", "spearman"):
        raise ComparisonError(f"unknown correlation {method!r}", expected="pearson or spearman")
    if method == "spearman":
        data = scipy.stats.rankdata(data, axis=1, nan_policy="omit")
    center = data - np.nanmean(data, axis=1, keepdims=True)
    scale = np.nanstd(data, axis=1, keepdims=True)
    standard = center / np.where(varies(data, axis=1)[:, None], scale, np.nan)
    low = [np.nanmean(np.delete(standard, i, axis=0), axis=0) for i in range(len(standard))]
    high = np.repeat(np.nanmean(standard, axis=0)[None], len(standard), axis=0)
    return _columns_correlation(standard.T, np.array(low).T), _columns_correlation(standard.T, high.T)


def ceiled(score: float, ceiling: float, rule: str) -> float:
    """Score relative to its ceiling, by the rule of the measure; above 1 is reported, never clipped.

    A score below 0 stays below 0 where it is squared: opposite to the reference is not the same as like it.

    Parameters
    ----------
    score : float
        What the candidate reaches.
    ceiling : float
        What a perfect candidate would reach.
    rule : {"reliability", "correlation", "ratio", "auc", "none"}
        "reliability": score^2 / ceiling, where `ceiling` is a reliability (a variance ratio); "correlation":
        (score / ceiling)^2, where `ceiling` is itself a correlation; "ratio": score / ceiling; "auc": (score - .5) /
        (ceiling - .5); "none": NaN.

    Returns
    -------
    float
        1 at the ceiling. NaN where the ceiling is not finite, or at or below chance.

    Raises
    ------
    ComparisonError
        An unknown rule.
    """
    excess = ceiling - 0.5 if rule == "auc" else ceiling
    if rule == "none" or not np.isfinite(excess) or excess <= 0:
        return float("nan")
    values = {
        "reliability": score * abs(score) / excess,
        "correlation": score * abs(score) / excess**2,
        "ratio": score / excess,
        "auc": (score - 0.5) / excess,
    }
    if rule not in values:
        raise ComparisonError(f"unknown ceiling rule {rule!r}", expected=", ".join([*values, "none"]))
    return float(values[rule])
