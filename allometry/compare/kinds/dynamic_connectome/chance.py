"""Motifs of coupling beside those of recordings whose neurons or animals are shifted in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, null_interval, permutation_p
from allometry.compare.kinds.dynamic_connectome.coupling_tensor import (
    Recorded,
)
from allometry.compare.measures.tensors.affinity import communities
from allometry.compare.measures.tensors.decomposition import Factors, factor_similarity
from allometry.compare.measures.tensors.incomplete import Incomplete, factorise
from allometry.compare.result import row

NULL_RESTARTS = 2


@dataclass(frozen=True)
class Motifs:
    """Factors of a tensor, the share they explain, and the communities of each: labels [motifs, neurons], modularity."""

    factors: Factors
    explained: float
    similarity: FloatArray
    community: IntArray
    modularity: FloatArray


def motifs_of(tensor: Incomplete, found: list[Factors], seed: int) -> Motifs:
    """Motifs of a tensor from its factorisations, best first, with the communities of each."""
    best = found[0]
    parts = [communities(best.modes[2][:, r], 1.0, seed) for r in range(best.rank)]
    return Motifs(
        best,
        tensor.explained(best),
        np.array([factor_similarity(best, other) for other in found[1:]]),
        np.array([label for label, _ in parts]),
        np.array([q for _, q in parts]),
    )


def by_chance(
    recorded: Recorded, tensor: Incomplete, ranks: Sequence[int], rank: int, nulls: int, seed: int
) -> dict[str, FloatArray]:
    """Explained share, similarity and modularity at the rank of recordings with shifted neurons or animals.

    `by_rank` is the error of one set of shifted neurons against rank, to be drawn beside that of the recordings.
    """
    rng = np.random.default_rng(seed)
    explained, alike, modularity, moved = (np.empty(nulls) for _ in range(4))
    for k in steps(range(nulls), "shifted recordings"):
        null = recorded.tensor(recorded.shifted(rng))
        motifs = motifs_of(null, factorise(null, rank, NULL_RESTARTS, seed + k), seed)
        explained[k], alike[k], modularity[k] = motifs.explained, motifs.similarity.mean(), motifs.modularity.mean()
        if k == 0:
            by_rank = np.array([factorise(null, r, 1, seed)[0].error for r in ranks])
        lags = [int(lag) for lag in rng.integers(0, len(tensor.values), size=(tensor.values.shape[1],))]
        together = np.stack([np.roll(tensor.values[:, a], lag, axis=0) for a, lag in enumerate(lags)], axis=1)
        shifted = Incomplete(together, tensor.observed)
        moved[k] = shifted.explained(factorise(shifted, rank, NULL_RESTARTS, seed + k)[0])
    # More restarts explain a little more: what is held against the null has as many as the null.
    own = factorise(tensor, rank, NULL_RESTARTS, seed)[0]
    return {
        "own": np.array([tensor.explained(own)]),
        "shifted_neurons": explained,
        "similarity": alike,
        "modularity": modularity,
        "shifted_animals": moved,
        "by_rank": by_rank,
    }


def against_chance(name: str, tensor: Incomplete, motifs: Motifs, drawn: dict[str, FloatArray]) -> list[dict[str, Any]]:
    """Rows of the motifs, and of what shifted neurons and animals give (`by_chance`)."""
    items = int(tensor.observed.sum()) * len(tensor.values)
    seen = tensor.values[:, tensor.observed]
    constant = float(len(seen) * (seen.mean(axis=0) ** 2).sum() / tensor.power)
    alike = motifs.similarity
    restarts = Interval(float(alike.mean()), float(alike.min()), float(alike.max()))
    rank = motifs.factors.rank

    def entry(
        measure: str,
        score: float | Interval,
        group: str,
        p: float = np.nan,
        n: int = items,
        held: Sequence[verdict.Baseline] = (),
    ) -> dict[str, Any]:
        role = "result" if group == "motifs" else "baseline"
        return row(measure, f"{rank} motifs", name, score, group=group, role=role, p=p, n=n, baselines=held)

    explained, modularity = motifs.explained, float(motifs.modularity.mean())
    neurons, animals, own = drawn["shifted_neurons"], drawn["shifted_animals"], float(drawn["own"][0])
    held = [
        _over_shifts(key, explained, own, null)
        for key, null in (("shifted_neurons", neurons), ("shifted_animals", animals))
    ]
    held.append(verdict.jackknifed("constant", explained, constant, without_each_animal(tensor, motifs.factors)))
    like = [verdict.over_null("shifted_neurons", restarts.estimate, drawn["similarity"])]
    apart = [verdict.over_null("shifted_neurons", modularity, drawn["modularity"])]
    return [
        entry("ntf_explained", explained, "motifs", permutation_p(own, neurons), held=held),
        entry("ntf_explained", null_interval(neurons), "shifted_neurons"),
        entry("ntf_explained", null_interval(animals), "shifted_animals", permutation_p(own, animals)),
        entry("ntf_explained", constant, "constant"),
        entry(
            "ntf_similarity",
            restarts,
            "motifs",
            permutation_p(restarts.estimate, drawn["similarity"]),
            alike.size,
            like,
        ),
        entry("ntf_similarity", null_interval(drawn["similarity"]), "shifted_neurons", n=alike.size),
        entry("motif_modularity", modularity, "motifs", permutation_p(modularity, drawn["modularity"]), rank, apart),
        entry("motif_modularity", null_interval(drawn["modularity"]), "shifted_neurons", n=rank),
    ]


def _over_shifts(name: str, explained: float, own: float, null: FloatArray) -> verdict.Baseline:
    """Explained share beside that of a null, with the bounds of a fit with as few restarts as the null's (`own`)."""
    found = verdict.over_null(name, own, null)
    difference = explained - found.score
    bounds = found.difference
    return verdict.Baseline(
        name, found.score, Interval(difference, bounds.low, max(bounds.high, difference), method="null")
    )


def without_each_animal(tensor: Incomplete, factors: Factors) -> FloatArray:
    """Explained share of the motifs less that of constant coupling, with each animal left out in turn [animals]."""
    time, animal, pair = factors.modes
    power, left, constant = (np.zeros(len(animal)) for _ in range(3))
    for a, seen in enumerate(tensor.observed):
        values = tensor.values[:, a, seen]
        model = (time * (factors.weights * animal[a])) @ pair[seen].T
        power[a], left[a] = (values**2).sum(), ((values - model) ** 2).sum()
        constant[a] = ((values - values.mean(axis=0)) ** 2).sum()
    others = power.sum() - power
    gain = (constant.sum() - constant) - (left.sum() - left)
    return np.divide(gain, others, out=np.full(len(power), np.nan), where=others > 0)
