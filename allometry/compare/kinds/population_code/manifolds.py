"""Manifolds of the repeats of each stimulus: how many a linear readout can tell apart, and learning from few examples."""

from typing import Any

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.crossed import crossed_interval
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval
from allometry.compare.kinds.population_code.description import Described
from allometry.compare.measures.representations.object_manifolds import Capacity, capacity, few_shot_snr
from allometry.errors import ComparisonError

DIRECTIONS = 100
SHOTS = (1, 5)
MOST_NULLS = 20
MOST_STIMULI = 30
"""Stimuli whose pairs are taken: evenly among all of them."""


def describe(described: Described) -> dict[str, FloatArray]:
    """Add rows of the capacity of manifolds and of few-shot learning; capacity, radius and dimension of each stimulus.

    Parameters
    ----------
    described : Described
        The population; it gets the rows.
    """
    cube = described.data
    kept = np.unique(np.linspace(0, len(cube) - 1, min(MOST_STIMULI, len(cube))).astype(int))
    own = _capacity(cube[kept], described.seed)
    shuffles = min(described.nulls, MOST_NULLS)
    shuffled = [x[kept] for x in described.shuffled(shuffles)]
    null = np.array([_alpha(_capacity(x, described.seed)) for x in shuffled])
    left = [_alpha(own, np.delete(np.arange(kept.size), k)) for k in range(kept.size)] if own else []
    bounds = crossed_interval(_alpha(own), left, scale=(np.log, np.exp))
    described.add("capacity", bounds, null, "shuffled labels", "greater", n=kept.size)
    for shots in SHOTS:
        pairs = _few_shot(cube[kept], shots)
        chance = np.array([_mean(_few_shot(x, shots)) for x in shuffled])
        without = [_mean(np.delete(np.delete(pairs, k, 0), k, 1)) for k in range(kept.size)]
        group = f"{shots} example{'s' * (shots > 1)}"
        score: Interval = crossed_interval(_mean(pairs), without)
        described.add("few_shot_snr", score, chance, "shuffled labels", "greater", group=group, n=kept.size)
    empty = np.full(kept.size, np.nan)
    return {
        "stimulus": kept.astype(float),
        "alpha": own.alpha_each if own else empty,
        "radius": own.radius if own else empty,
        "dimension": own.dimension if own else empty,
    }


def _points(cube: FloatArray) -> list[FloatArray]:
    return [repeats[np.isfinite(repeats).all(axis=1)] for repeats in cube]


def _capacity(cube: FloatArray, seed: int) -> Capacity | None:
    try:
        return capacity(_points(cube), n_t=DIRECTIONS, seed=seed)
    except ComparisonError:  # a manifold that is centred on the mean of all has none
        return None


def _alpha(found: Capacity | None, kept: np.ndarray | None = None) -> float:
    """Harmonic mean over manifolds."""
    if found is None:
        return float("nan")
    each = found.alpha_each if kept is None else found.alpha_each[kept]
    return float(1 / np.mean(1 / each))


def _few_shot(cube: FloatArray, shots: int) -> FloatArray:
    """Signal-to-noise ratio of every ordered pair of stimuli; NaN of a stimulus with itself, or whose repeats are equal."""
    points = _points(cube)
    found = np.full((len(points), len(points)), np.nan)
    for a in steps(range(len(points)), "pairs of manifolds"):
        for b in range(len(points)):
            if a != b and min(len(points[a]), len(points[b])) > 1:
                try:
                    found[a, b] = few_shot_snr(points[a], points[b], shots).snr
                except ComparisonError:  # repeats that are all equal
                    continue
    return found


def _mean(pairs: FloatArray) -> float:
    known = pairs[np.isfinite(pairs)]
    return float(known.mean()) if known.size else float("nan")


def words() -> dict[str, Any]:
    """What was done."""
    return {
        "capacity": f"repeats of a stimulus are the points of its manifold, at most {MOST_STIMULI} stimuli; {DIRECTIONS} directions "
        "(Chung et al. 2018), harmonic mean over manifolds; interval: jackknife over stimuli of their capacities",
        "few_shot_snr": "mean over ordered pairs of stimuli (Sorscher et al. 2022); the error of a test example is Phi(-SNR); "
        "interval: jackknife over stimuli",
    }
