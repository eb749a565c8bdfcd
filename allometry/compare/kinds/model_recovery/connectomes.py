"""Model recovery of connectomes: relations between two annotations that are known, and measures of their agreement.

Two annotations of one nervous system differ because edges were missed, because edges were added that are not there, because
contacts were counted differently, or because the wiring itself differs. Which measure of agreement tells which?
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.kinds.model_recovery.recovery import Measure, Relation
from allometry.compare.measures.graphs.matrices import rewirings
from allometry.compare.measures.graphs.structure import Agreement, agreement


@dataclass(frozen=True)
class Wiring:
    """Sizes of generated connectomes; `noise` is the share of edges missed or added, and the log-sd of jittered counts."""

    n_neurons: int = 60
    density: float = 0.12
    noise: float = 0.3


def connectome(wiring: Wiring, rng: np.random.Generator) -> FloatArray:
    """Synapse counts [source, target]: lognormal propensities of sources and targets, geometric counts per edge."""
    n = wiring.n_neurons
    propensity = np.outer(rng.lognormal(0, 0.6, n), rng.lognormal(0, 0.6, n))
    np.fill_diagonal(propensity, 0)
    probability = np.minimum(propensity * wiring.density * n * (n - 1) / propensity.sum(), 1)
    return np.where(rng.random((n, n)) < probability, rng.geometric(0.25, (n, n)), 0).astype(float)


def _identical(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = connectome(w, rng)
    return x.copy(), x


def _rescaled(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Contacts measured by area instead of number: a monotonic transformation of every weight."""
    x = connectome(w, rng)
    return 0.1 * x**1.5, x


def _recounted(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = connectome(w, rng)
    return x * rng.lognormal(0, w.noise, x.shape), x


def _shuffled(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """The right edges with each other's weights."""
    x = connectome(w, rng)
    y = np.zeros_like(x)
    y[x > 0] = rng.permutation(x[x > 0])
    return y, x


def _missed(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = connectome(w, rng)
    return np.where(rng.random(x.shape) < w.noise, 0, x), x


def _added(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """As many edges as `noise` of the reference's where the reference has none."""
    x = connectome(w, rng)
    free = np.argwhere((x == 0) & ~np.eye(len(x), dtype=bool))
    chosen = free[rng.choice(len(free), round(w.noise * np.count_nonzero(x)), replace=False)]
    y = x.copy()
    y[chosen[:, 0], chosen[:, 1]] = rng.geometric(0.25, len(chosen))
    return y, x


def _rewired(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Every neuron keeps the numbers of its inputs and outputs, not their partners."""
    x = connectome(w, rng)
    return next(rewirings(x, 1, seed=int(rng.integers(2**31)))), x


def _different(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    return connectome(w, rng), connectome(w, rng)


#: Relations (candidate, reference) between two connectomes, from the same to unrelated.
TRUTHS: Mapping[str, Relation] = {
    "identical": _identical,
    "rescaled": _rescaled,
    "recounted": _recounted,
    "shuffled": _shuffled,
    "missed": _missed,
    "added": _added,
    "rewired": _rewired,
    "different": _different,
}


def _of(pick: Callable[[Agreement], float]) -> Measure:
    def score(candidate: FloatArray, reference: FloatArray) -> float:
        return pick(agreement(candidate, reference))

    return score


#: Measures of agreement; each takes two matrices [source, target], the candidate first.
MEASURES: Mapping[str, Measure] = {
    "edge_recall": _of(lambda found: found.recall),
    "edge_precision": _of(lambda found: found.precision),
    "edge_jaccard": _of(lambda found: found.jaccard),
    "weight_rank_correlation": _of(lambda found: found.weight_rank_correlation),
}
