"""Statistics by which two simulators of one network are compared (numpy only: peers import it too).

Rates, irregularity and synchrony are those of the Potjans-Diesmann verification practice (Dasbach et al. 2021, Front
Neuroinform 15:609147): distributions over neurons of rate and CV of inter-spike intervals, and the distribution of
pairwise correlations of spike counts, compared between seeds and simulators by the Kolmogorov-Smirnov distance.
Histograms are stored instead of values: the rate bins hold one possible value each at 10 s, the others are fine
compared with the distances of interest, so that a distance between
two histograms of equal edges is exact up to the bin.
"""

import numpy as np
from numpy.typing import NDArray

MIN_INTERVALS = 3
SYNC_BIN_MS = 3.0
CORRELATION_BIN_MS = 2.0
CORRELATION_NEURONS = 250

RATE_EDGES_HZ = np.round(np.arange(-0.05, 80.06, 0.1), 2)
CV_EDGES = np.round(np.arange(0.0, 3.001, 0.01), 2)
CORRELATION_EDGES = np.round(np.arange(-0.2, 1.0001, 0.001), 3)


def rates(unit: NDArray[np.integer], n: int, seconds: float) -> NDArray[np.float64]:
    """Spikes per second of each of `n` units, shape (n,)."""
    return np.bincount(unit, minlength=n) / seconds


def interval_cv(step: NDArray[np.integer], unit: NDArray[np.integer], n: int) -> NDArray[np.float64]:
    """SD over mean of the inter-spike intervals (population SD) per unit, shape (n,); NaN below `MIN_INTERVALS`."""
    order = np.lexsort((step, unit))
    unit, step = np.asarray(unit)[order], np.asarray(step)[order].astype(np.float64)
    same = unit[1:] == unit[:-1]
    interval, owner = np.diff(step)[same], unit[1:][same]
    count = np.bincount(owner, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, interval, minlength=n) / count
        deviation = np.bincount(owner, (interval - mean[owner]) ** 2, minlength=n) / count
        cv = np.sqrt(deviation) / mean
    return np.where(count >= MIN_INTERVALS, cv, np.nan)


def synchrony(step: NDArray[np.integer], steps: int, dt_ms: float, bin_ms: float = SYNC_BIN_MS) -> float:
    """Variance over mean of the summed spike count in bins of `bin_ms`; `step` counts from 0 to `steps` - 1."""
    width = round(bin_ms / dt_ms)
    bins = steps // width
    index = np.asarray(step) // width
    count = np.bincount(index[index < bins], minlength=bins)
    return float(count.var() / count.mean()) if count.any() else float("nan")


def count_correlations(
    step: NDArray[np.integer], unit: NDArray[np.integer], chosen: NDArray[np.integer], steps: int, dt_ms: float
) -> NDArray[np.float64]:
    """Pearson correlations of the spike counts of all pairs of `chosen` units, pairs with a silent unit left out."""
    width = round(CORRELATION_BIN_MS / dt_ms)
    bins = steps // width
    row = np.full(max(int(np.max(chosen)), int(np.max(unit, initial=0))) + 1, -1)
    row[chosen] = np.arange(len(chosen))
    index, which = np.asarray(step) // width, row[unit]
    kept = (which >= 0) & (index < bins)
    counts = np.zeros((len(chosen), bins))
    np.add.at(counts, (which[kept], index[kept]), 1.0)
    counts = counts[counts.any(axis=1)]
    if len(counts) < 2:
        return np.empty(0)
    return np.corrcoef(counts)[np.triu_indices(len(counts), 1)]


def ks_distance(a: NDArray[np.number], b: NDArray[np.number]) -> float:
    """Kolmogorov-Smirnov distance between two histograms with equal edges."""
    if not a.sum() or not b.sum():
        return float("nan")
    return float(np.abs(np.cumsum(a) / a.sum() - np.cumsum(b) / b.sum()).max())


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int32]:
    values = values[np.isfinite(values)]
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0].astype(np.int32)


def population_statistics(
    step: NDArray[np.integer],
    unit: NDArray[np.integer],
    sizes: NDArray[np.integer],
    steps: int,
    dt_ms: float,
    seed: int = 0,
) -> dict[str, NDArray]:
    """Statistics of each population of one run.

    Parameters
    ----------
    step, unit : integer arrays, shape (spike,)
        Spikes after the presimulation, `step` from 0 to `steps` - 1, `unit` numbered over the populations in order.
    sizes : shape (population,)
        Number of neurons per population.
    steps, dt_ms
        Length of the observed window in steps, and the step in ms.
    seed
        Of the choice of `CORRELATION_NEURONS` neurons per population for the correlations.

    Returns
    -------
    dict of arrays with first dimension population: `rate` (Hz), `cv`, `sync`, and the histograms `rate_histogram`,
    `cv_histogram`, `correlation_histogram` over the bins of this module's edges.
    """
    offset = np.concatenate([[0], np.cumsum(sizes)])
    rng = np.random.default_rng(seed)
    rows: list[tuple] = []
    for p, n in enumerate(sizes):
        mine = (unit >= offset[p]) & (unit < offset[p + 1])
        s, u = step[mine], unit[mine] - offset[p]
        rate, cv = rates(u, int(n), steps * dt_ms / 1000), interval_cv(s, u, int(n))
        chosen = np.sort(rng.choice(int(n), min(int(n), CORRELATION_NEURONS), replace=False))
        correlation = count_correlations(s, u, chosen, steps, dt_ms)
        rows.append(
            (
                rate.mean(),
                np.nanmean(cv) if np.isfinite(cv).any() else np.nan,
                synchrony(s, steps, dt_ms),
                _histogram(rate, RATE_EDGES_HZ),
                _histogram(cv, CV_EDGES),
                _histogram(correlation, CORRELATION_EDGES),
            )
        )
    names = ("rate", "cv", "sync", "rate_histogram", "cv_histogram", "correlation_histogram")
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}
