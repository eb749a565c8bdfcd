"""How well a score tells two classes apart: ROC curves and the area under them (AUC)."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from allometry.compare.inference.arrays import blocks, labelling, numbers, whole_number
from allometry.compare.inference.blockwise import BLOCK_BYTES, BLOCK_WORK
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, interval
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Roc:
    """ROC curve: `false_positive` and `true_positive` rates at falling `threshold` (first point 0, 0 at infinity)."""

    false_positive: Floats
    true_positive: Floats
    threshold: Floats
    auc: float


def _classes(score: ArrayLike, label: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, known = numbers(score, "score").astype(float).ravel(), numbers(label, "label").ravel()
    if np.isnan(known).any():
        raise ComparisonError(
            f"{np.isnan(known).sum()} labels are NaN", where="label", expected="whether each item is positive"
        )
    positive = known.astype(bool)
    if values.shape != positive.shape:
        raise ComparisonError(f"{values.size} scores for {positive.size} labels", expected="one score per label")
    finite = np.isfinite(values)
    values, positive = values[finite], positive[finite]
    if positive.all() or not positive.any():
        raise ComparisonError(
            f"an AUC needs both classes, but {positive.sum()} of {positive.size} labels are positive",
            do="check the threshold that makes the labels, or use more pairs",
        )
    return values, positive


@corresponding("score", "label")
def auc(score: ArrayLike, label: ArrayLike) -> float:
    """Probability that a positive has a higher score than a negative, ties counted half.

    Parameters
    ----------
    score : array_like [items]
        Higher for what should be positive, in any unit; items with NaN are left out.
    label : array_like of bool [items]
        Whether an item is positive; both classes are needed.

    Returns
    -------
    float
        Area under the ROC curve in [0, 1]; .5 is chance.

    Raises
    ------
    ComparisonError
        Different numbers of scores and labels, or all items with a score are of one class.

    References
    ----------
    Hanley & McNeil 1982, Radiology 143:29.
    """
    values, positive = _classes(score, label)
    # Most pairs have no edge: sorting the others alone is ten times faster, and nulls do it thousands of times.
    rest = values > values.min()
    _, level = np.unique(values[rest], return_inverse=True)
    full = np.zeros(values.size, dtype=np.int64)
    full[rest] = level + 1
    return auc_of_levels(full, positive)


def auc_of_levels(level: NDArray[np.int64], positive: NDArray[np.bool_]) -> float:
    """AUC of scores that are small non-negative integers already (ranks of a null's shared scores), without a sort."""
    levels = int(level.max()) + 1
    above = np.bincount(level[positive], minlength=levels)
    below = np.bincount(level[~positive], minlength=levels)
    wins = above * (np.cumsum(below) - 0.5 * below)
    return float(wins.sum() / (above.sum() * below.sum()))


@corresponding("score", "label")
def roc(score: ArrayLike, label: ArrayLike) -> Roc:
    """ROC curve with one point per distinct score.

    Parameters
    ----------
    score : array_like [items]
        Higher for what should be positive, in any unit; items with NaN are left out.
    label : array_like of bool [items]
        Whether an item is positive; both classes are needed.

    Returns
    -------
    Roc
        Rates of false and of true positives, both in [0, 1], at every threshold [distinct scores + 1], falling from infinity;
        and the area under the curve.

    Raises
    ------
    ComparisonError
        Different numbers of scores and labels, or all items with a score are of one class.
    """
    values, positive = _classes(score, label)
    distinct, level = np.unique(values, return_inverse=True)
    true = np.bincount(level[positive], minlength=distinct.size)[::-1].cumsum() / positive.sum()
    false = np.bincount(level[~positive], minlength=distinct.size)[::-1].cumsum() / (~positive).sum()
    return Roc(
        np.concatenate([[0.0], false]),
        np.concatenate([[0.0], true]),
        np.concatenate([[np.inf], distinct[::-1]]),
        auc(values, positive),
    )


@njit(cache=True, nogil=True)
def _areas(draws: Floats, group: NDArray[np.int64], positive: NDArray[np.bool_], last: NDArray[np.bool_]) -> Floats:
    areas = np.empty(draws.shape[0])
    for i in range(draws.shape[0]):
        above = below = level_above = level_below = wins = 0.0
        for k in range(group.size):
            weight = draws[i, group[k]]
            if positive[k]:
                level_above += weight
            else:
                level_below += weight
            if last[k]:
                wins += level_above * (below + 0.5 * level_below)
                above += level_above
                below += level_below
                level_above = level_below = 0.0
        areas[i] = wins / (above * below) if above * below > 0 else np.nan
    return areas


@measure(
    name="influence_auc_indirect",
    version="1",
    inputs="a score and q per measured pair without an edge",
    invariances="monotonic transformation of the score",
    use="does simulation tell influences that no direct edge explains?",
    reference="Randi et al. 2023, Nature 623:406",
    scale=SHARE,
    cost="time",
)
@measure(
    name="influence_auc_gain",
    version="1",
    inputs="two scores and q per measured ordered pair",
    invariances="monotonic transformation of either score",
    use="is a simulation better than the edge weight, the path length or the degrees alone?",
    reference="DeLong et al. 1988, Biometrics 44:837 (paired AUC); here by resampling neurons",
    scale=SHARE,
    cost="time",
)
@corresponding("score", "label", "cluster")
def cluster_replicates(score: ArrayLike, label: ArrayLike, cluster: ArrayLike, *, seed: int, n: int = 1000) -> Floats:
    """AUC of resamples of whole clusters (all pairs of one stimulated neuron, say).

    Two scores of the same items, clusters and seed see the same resamples, so that their difference is a paired bootstrap.

    Parameters
    ----------
    score : array_like [items]
        Higher for what should be positive, in any unit; items with NaN are left out.
    label : array_like of bool [items]
        Whether an item is positive; both classes are needed.
    cluster : array_like of int [items]
        Cluster of each item; at least 3.
    seed : int
        Seed of the resamples.
    n : int
        Number of resamples.

    Returns
    -------
    ndarray [n]
        In [0, 1]; NaN where a resample has one class only.

    Raises
    ------
    ComparisonError
        Different numbers of scores and labels, items of one class only, or fewer than 3 clusters.
    """
    n = whole_number(n, "n", 0)
    finite = np.isfinite(numbers(score, "score").ravel())
    values, positive = _classes(score, label)
    every = labelling(cluster, "cluster").ravel()
    if every.shape != finite.shape:
        raise ComparisonError(
            f"{every.size} clusters for {finite.size} scores", where="cluster", expected="one cluster per score"
        )
    _, group = np.unique(every[finite], return_inverse=True)
    clusters = int(group.max()) + 1
    if clusters < 3:
        raise ComparisonError(f"{clusters} clusters are too few for a bootstrap", expected="at least 3")
    # All resamples share one sort: a resample is a weight per cluster.
    order = np.argsort(values, kind="stable")
    values = values[order]
    last = np.concatenate([values[1:] != values[:-1], [True]])
    rng = np.random.default_rng(seed)
    areas = np.empty(n)
    at_once = max(1, int(min(BLOCK_BYTES / (8 * clusters), BLOCK_WORK / order.size)))
    for part in steps(blocks(n, at_once), f"resamples of clusters, {at_once} at a time"):
        drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=part.stop - part.start).astype(float)
        areas[part] = _areas(drawn, group[order].astype(np.int64), positive[order], last)
    return areas


@corresponding("score", "label", "cluster")
def cluster_bootstrap(
    score: ArrayLike, label: ArrayLike, cluster: ArrayLike, *, seed: int, n: int = 1000, level: float = 0.95
) -> Interval:
    """AUC with the interval of `cluster_replicates` by `statistics.interval`: Student's t for fewer than 10 clusters."""
    replicates = cluster_replicates(score, label, cluster, seed=seed, n=n)
    units = np.unique(np.asarray(cluster).ravel()[np.isfinite(np.asarray(score, dtype=float).ravel())]).size
    return interval(replicates, auc(score, label), level, units=units, bounds=(0.0, 1.0))
