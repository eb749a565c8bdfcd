"""Model recovery of influences: relations between a connectome and measured influence that are known.

Influence may follow the connections and their weights, the connections alone, their reverse, chains of two, or nothing but how
many connections a neuron has. Which measure of function given structure tells which?
"""

from collections.abc import Mapping

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.roc import auc
from allometry.compare.kinds.model_recovery.connectomes import Wiring, connectome
from allometry.compare.kinds.model_recovery.recovery import Measure, Relation
from allometry.compare.measures.graphs.structure import rank_correlation

BASE_RATE = 0.04
"""Share of influences that nothing explains, without added noise."""


def _influence(
    weight: FloatArray, drive: FloatArray, w: Wiring, rng: np.random.Generator, base: float = BASE_RATE
) -> FloatArray:
    """Response and influence [2, source, target] of a `drive`, in synapses, scaled to the mean of the `weight`s.

    An influence has the probability `base` + (1 - base) d / (d + 4) of its drive d; a response is proportional to the drive.
    """
    scaled = drive * weight.mean() / drive.mean()
    probability = base + (1 - base) * scaled / (scaled + 4)
    response = scaled + rng.normal(0, 10 * w.noise, weight.shape)
    return np.stack([response, rng.random(weight.shape) < probability])


def _direct(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = connectome(w, rng)
    return x, _influence(x, x, w, rng)


def _noisy(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """As many influences that nothing explains as `noise`, and responses three times as noisy."""
    x = connectome(w, rng)
    return x, _influence(x, x, Wiring(w.n_neurons, w.density, 3 * w.noise), rng, w.noise)


def _weight_blind(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Every connection has the same effect."""
    x = connectome(w, rng)
    return x, _influence(x, (x > 0).astype(float), w, rng)


def _indirect(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Chains of two connections have as much effect in total as the connections themselves."""
    x = connectome(w, rng)
    chains = x @ x
    np.fill_diagonal(chains, 0)
    return x, _influence(x, x + chains * x.sum() / chains.sum(), w, rng)


def _reversed(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = connectome(w, rng)
    return x, _influence(x, x.T, w, rng)


def _degree(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Neurons with many outputs influence neurons with many inputs, connected or not."""
    x = connectome(w, rng)
    expected = np.outer(x.sum(axis=1), x.sum(axis=0))
    np.fill_diagonal(expected, 0)
    return x, _influence(x, expected, w, rng)


def _unrelated(w: Wiring, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Influence along the connections of another connectome."""
    x, other = connectome(w, rng), connectome(w, rng)
    return x, _influence(x, other, w, rng)


#: Relations between a connectome and the influences measured on it, from direct to unrelated.
TRUTHS: Mapping[str, Relation] = {
    "direct": _direct,
    "noisy": _noisy,
    "weight-blind": _weight_blind,
    "indirect": _indirect,
    "reversed": _reversed,
    "degree only": _degree,
    "unrelated": _unrelated,
}


def _pairs(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weight, response and influence of every ordered pair of different neurons."""
    apart = ~np.eye(len(x), dtype=bool)
    return x[apart], y[0][apart], y[1][apart]


def _auc(x: FloatArray, y: FloatArray) -> float:
    weight, _, influence = _pairs(x, y)
    return auc(weight, influence)


def _ratio(x: FloatArray, y: FloatArray) -> float:
    weight, _, influence = _pairs(x, y)
    return float(influence[weight > 0].mean() / influence[weight == 0].mean())


def _given_edge(x: FloatArray, y: FloatArray) -> float:
    weight, _, influence = _pairs(x, y)
    return float(influence[weight > 0].mean())


def _weight_response(x: FloatArray, y: FloatArray) -> float:
    weight, response, _ = _pairs(x, y)
    return rank_correlation(weight[weight > 0], response[weight > 0])


def _pair_correlation(x: FloatArray, y: FloatArray) -> float:
    """Rank correlation over unordered pairs, as of symmetric connectivity with correlations of activity."""
    upper = np.triu_indices(len(x), 1)
    return rank_correlation((x + x.T)[upper], (y[0] + y[0].T)[upper])


#: Measures of function given structure; each takes weights [source, target] and [response, influence] of the same pairs.
MEASURES: Mapping[str, Measure] = {
    "influence_auc": _auc,
    "influence_ratio": _ratio,
    "influence_given_edge": _given_edge,
    "weight_response_correlation": _weight_response,
    "pair_rank_correlation": _pair_correlation,
}
