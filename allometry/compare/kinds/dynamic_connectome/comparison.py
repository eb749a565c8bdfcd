"""Dynamic functional connectome of recorded worms: motifs of coupling over time x animal x pair, and their communities.

The measures of Dyballa et al. 2024 (arXiv:2402.14102) on Activity stores: affinities of pairs of neurons that change
together, non-negative factors of time x animal x pair ("motifs"), communities of each motif. Recordings differ in which
neurons are labelled; a pair that was not recorded in an animal is missing there, not 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import ROUNDING, FloatArray, IntArray
from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.partitions import chance_nmi, jackknife_nmi
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import null_interval, permutation_p
from allometry.compare.inputs.atlas import weights
from allometry.compare.kinds.dynamic_connectome.chance import (
    NULL_RESTARTS,
    Motifs,
    against_chance,
    by_chance,
    motifs_of,
)
from allometry.compare.kinds.dynamic_connectome.coupling_tensor import (
    FEWEST_NEURONS,
    MOST_SPLITS,
    Recorded,
    read_recorded,
    splits,
)
from allometry.compare.measures.graphs.organisation import find_communities
from allometry.compare.measures.tensors.incomplete import EVIDENCE, Incomplete, choose_rank, elbow, factorise, scan
from allometry.compare.options.dynamic_connectome import DynamicConnectome
from allometry.compare.records.kinds import comparison
from allometry.compare.records.measures import SHARE, measure
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError

PERMUTATIONS = 500


@measure(
    name="ntf_explained",
    version="1",
    inputs="affinities [time, animal, pair], rank",
    invariances="order of animals and pairs, scale of traces",
    use="how much of the coupling of neurons is in few motifs, and do animals share their timing?",
    reference="Dyballa et al. 2024, arXiv:2402.14102",
    scale=SHARE,
    cost="memory",
)
@measure(
    name="motif_match",
    version="2",
    inputs="loadings of pairs in two halves of the animals",
    invariances="scale and order of motifs",
    use="do other animals show the same motifs?",
    reference="Dyballa et al. 2024, arXiv:2402.14102; halves of animals: this project",
    scale=SHARE,
    cost="memory",
)
@comparison(DynamicConnectome)
def dynamic_connectome(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: DynamicConnectome) -> Result:
    """Motifs of coupling between neurons of several animals, and whether they are more than chance and shared.

    Parameters
    ----------
    inputs : mapping
        Activity and Connectome stores by name.
    options : DynamicConnectome
        What is compared, and how.

    Returns
    -------
    Result
        Rows `ntf_explained`, `ntf_similarity`, `motif_modularity`, `motif_match`, `community_nmi`; curves `motif_rank`,
        and for each store `motifs_{store}` (factors, communities).
    """
    rows: list[dict[str, Any]] = []
    curves: dict[str, xr.Dataset] = {}
    by_rank: list[dict[str, Any]] = []
    notes: dict[str, str] = {}
    for name in options.activity:
        recorded = read_recorded(name, cast(xr.DataTree, inputs[name]), options.share, options.smooth_s, options.bin_s)
        tensor = recorded.tensor(recorded.slopes)
        found, all_factors = scan(tensor, options.ranks, options.restarts, options.seed)
        rank = choose_rank(found, options.least_similarity)
        motifs = motifs_of(tensor, all_factors[rank], options.seed)
        drawn = by_chance(recorded, tensor, options.ranks, rank, options.nulls, options.seed)
        rows += against_chance(name, tensor, motifs, drawn)
        rows += _halves(recorded, rank, options.seed)
        for candidate in options.structure:
            rows += _modules(
                recorded, motifs, candidate, cast(xr.Dataset, inputs[candidate]), options.synapses, options.seed
            )
        by_rank.append(
            {
                "error": found.error,
                "similarity": found.similarity,
                "null": drawn["by_rank"],
                "chosen": float(rank),
                "elbow": float(elbow(found.ranks, found.error.min(axis=1))),
            }
        )
        curves[f"motifs_{name}"] = _curve(recorded, motifs)
        missing = 1 - float(tensor.observed.mean())
        notes[f"neurons_{name}"] = (
            f"{len(recorded.neurons)} neurons labelled in at least {options.share:.0%} of the {len(recorded.animals)} recordings; "
            f"{missing:.1%} of the (animal, pair) were not recorded together and are missing in the tensor, not 0; "
            f"{tensor.values.shape[0]} bins of {recorded.bin_samples * recorded.step_s:g} s: the shortest recording"
        )
    coords = {"activity": ("activity", list(options.activity)), "rank": ("rank", np.asarray(options.ranks))}
    curves["motif_rank"] = curve(
        ("activity", "rank", "restart"),
        coords,
        error=[entry["error"] for entry in by_rank],
        null_error=[entry["null"] for entry in by_rank],
    ).assign(
        similarity=(("activity", "rank", "other"), np.array([e["similarity"] for e in by_rank]), {"units": "1"}),
        chosen=(("activity",), np.array([e["chosen"] for e in by_rank]), {"units": "1"}),
        elbow=(("activity",), np.array([e["elbow"] for e in by_rank]), {"units": "1"}),
    )
    return Result(
        title="Dynamic functional connectome of the worm",
        rows=with_fdr(rows),
        curves=curves,
        derived={
            **notes,
            "affinity": "derivative of the canonical trace after a Gaussian filter (sd "
            f"{options.smooth_s:g} s), scaled to unit sd per neuron; sqrt|x'_i x'_j| exp(-(x'_i - x'_j)^2 / 2) where both have the "
            "same sign, 0 elsewhere; mean in each bin",
            "rank": "largest rank up to the elbow of the error (farthest below the line from first to last rank) at which "
            f"the median similarity of restarts to the best one is at least {options.least_similarity:g}",
            "time": "recordings start together in the tensor, but these animals saw no common stimulus: a motif at the same "
            "time in two animals is chance unless `ntf_explained` beats `shifted_animals`",
            "ntf_explained": "1 - |X - model|^2 / |X|^2 over what was measured; `constant` is the best model without time: "
            "every pair's mean in every animal",
            "shifted_neurons": f"{options.nulls} sets of recordings in which every neuron is shifted circularly by its own time",
            "shifted_animals": f"{options.nulls} sets in which every animal is shifted as a whole: coupling stays, common timing goes",
            "ntf_similarity": "similarity of each restart to the best (equation 11 of Williams et al. 2018); interval: "
            "lowest and highest restart",
            "evidence": "a pair is 0 in a motif, and left out of motif_match, where the animals that measured it hold less than "
            f"{EVIDENCE:.0%} of the motif's squared loading; a neuron without any pair is in no community",
            "motif_match": "correlation over pairs of the loadings of motifs of two halves of the animals, matched one to "
            "one; mean over motifs and splits",
            "community_nmi": "normalised mutual information of Leiden communities; halves: of matched motifs of two halves "
            "of the animals; otherwise of every motif with the Leiden communities of the connectome; mean over motifs",
            "ci": "community_nmi: jackknife over neurons; ntf_similarity: range of restarts; baselines: central 95 % of the null",
            "p": "one-sided; explained share, similarity and modularity against recordings with shifted neurons (the row "
            "`shifted_animals` has the p of the motifs against that null); motif_match and community_nmi against "
            f"{PERMUTATIONS} permutations of the neurons",
            "verdict": "ntf_explained: against the strongest of shifted neurons, shifted animals (the score less the central 95 % "
            "of them) and constant coupling (jackknife over animals); similarity and modularity: against shifted neurons; "
            "motif_match and community_nmi: against permuted neurons",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


@dynamic_connectome.estimate
def estimates(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: DynamicConnectome) -> Iterator[Estimate]:
    """Memory of the tensors, and work of their factors, from the sizes of the stores alone."""
    for name in options.activity:
        root = cast(xr.DataTree, inputs[name]).to_dataset(inherit=False)
        neurons = int((root["recorded"].values.mean(axis=0) >= options.share).sum())
        bins = int(root["row_size"].values.min()) // max(1, round(options.bin_s * float(root.attrs["rate_hz"])))
        entries = bins * root.sizes["recording"] * neurons * (neurons - 1) // 2
        fits = len(options.ranks) * (options.restarts + 1) + 2 * NULL_RESTARTS * options.nulls + 6 * MOST_SPLITS
        # the tensor, that of the null at hand, its copy in single precision and the affinities of one animal before binning
        yield Estimate(
            f"motifs of {name}", 24 * entries, 8 * neurons * neurons, 150.0 * fits * 4 * max(options.ranks) * entries
        )


def _halves(recorded: Recorded, rank: int, seed: int) -> list[dict[str, Any]]:
    """Motifs of one half of the animals against those of the other: loadings of pairs, and communities."""
    loadings: list[tuple[FloatArray, FloatArray]] = []
    partitions: list[tuple[IntArray, IntArray]] = []
    matches: list[float] = []
    whole = recorded.tensor(recorded.slopes)
    for one, other in splits(len(recorded.animals), seed):
        found = []
        for half in (one, other):
            part = Incomplete(whole.values[:, half], whole.observed[half])
            found.append((part, motifs_of(part, factorise(part, rank, 3, seed), seed)))
        # pairs that a motif's animals have not measured tell nothing about it
        a, b = (
            np.where(part.supported(motifs.factors.modes[1]), motifs.factors.modes[2], np.nan).T
            for part, motifs in found
        )
        loadings.append((a, b))
        for i, j, value in matched_motifs(a, b):
            matches.append(value)
            partitions.append((found[0][1].community[i], found[1][1].community[j]))
    size = len(recorded.neurons)
    match = float(np.mean(matches))
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(size) for _ in range(PERMUTATIONS)]
    # Motifs are matched anew in every permutation: the best of several matches is high by chance too.
    null = np.array(
        [
            np.mean([value for a, b in loadings for _, _, value in matched_motifs(_permuted(a, order), b)])
            for order in steps(orders, "permutations of neurons")
        ]
    )
    agreement, chance = jackknife_nmi(partitions), chance_nmi(partitions, PERMUTATIONS, seed)
    common: dict[str, Any] = {"candidate": f"{rank} motifs", "reference": recorded.name, "n": size}
    return [
        row("motif_match", score=match, group="halves", role="control", p=permutation_p(match, null),
            baselines=[verdict.over_null("permuted_neurons", match, null)], **common),
        row("motif_match", score=null_interval(null), group="permuted_neurons", role="baseline", **common),
        row("community_nmi", score=agreement, group="halves", role="control", p=permutation_p(agreement.estimate, chance),
            baselines=[verdict.over_null("permuted_neurons", agreement.estimate, chance)], **common),
        row("community_nmi", score=null_interval(chance), group="permuted_neurons", role="baseline", **common),
    ]  # fmt: skip


def _permuted(condensed: FloatArray, order: IntArray) -> FloatArray:
    """Rows of condensed matrices [rows, pairs] with the neurons in another order."""
    size = order.size
    i, j = np.triu_indices(size, 1)
    place = np.zeros((size, size), dtype=np.int64)
    place[i, j] = place[j, i] = np.arange(i.size)
    return condensed[:, place[order[i], order[j]]]


def matched_motifs(a: FloatArray, b: FloatArray) -> list[tuple[int, int, float]]:
    """Motifs of two halves matched one to one by the correlation of their loadings [motifs, pairs].

    Correlations are over the pairs that both know (NaN left out); a motif that is constant there counts as 0.
    """
    known = [np.isfinite(x) for x in (a, b)]
    # Scaled and shifted as a whole: sums of squares of loadings of any size keep their digits.
    x, y = (np.where(k, x - (x[k].mean() if k.any() else 0.0), 0.0) for x, k in zip((a, b), known))
    p, q = (k.astype(float) for k in known)
    count = np.maximum(p @ q.T, 1)
    sx, sy, sxx, syy = x @ q.T, p @ y.T, (x * x) @ q.T, p @ (y * y).T
    vx, vy = sxx - sx**2 / count, syy - sy**2 / count
    varying = (vx > ROUNDING * sxx) & (vy > ROUNDING * syy)
    scale = np.sqrt(np.where(varying, vx, 1.0)) * np.sqrt(np.where(varying, vy, 1.0))
    alike = np.where(varying, (x @ y.T - sx * sy / count) / scale, 0.0)
    return [
        (int(i), int(j), float(alike[i, j]))
        for i, j in zip(*scipy.optimize.linear_sum_assignment(alike, maximize=True))
    ]


def _modules(
    recorded: Recorded, motifs: Motifs, candidate: str, store: xr.Dataset, synapses: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """Communities of every motif against the modules of a connectome, on the neurons that both hold."""
    parts = [weights(store, synapse) for synapse in synapses]
    index = {label: i for i, label in enumerate(parts[0][0])}
    mine = [i for i, label in enumerate(recorded.neurons) if label in index]
    if len(mine) < FEWEST_NEURONS:
        raise ComparisonError(
            f"{recorded.name} and {candidate} share {len(mine)} neurons", expected=f"at least {FEWEST_NEURONS}"
        )
    at = [index[recorded.neurons[i]] for i in mine]
    total = np.sum([matrix for _, matrix in parts], axis=0)[np.ix_(at, at)]
    if not total.any():
        raise ComparisonError(f"the recorded neurons have no edge in {candidate}", do="choose other synapses")
    both = total + total.T
    module = find_communities(both, seed=seed)
    module = np.where(both.any(axis=0), module, -1)
    pairs = [(label[mine], module) for label in motifs.community]
    found, chance = jackknife_nmi(pairs), chance_nmi(pairs, PERMUTATIONS, seed)
    p = permutation_p(found.estimate, chance) if np.isfinite(found.estimate) else np.nan
    return [
        row("community_nmi", candidate, recorded.name, found, group="modules", p=p, n=len(mine),
            baselines=[verdict.over_null("permuted_neurons", found.estimate, chance)]),
        row("community_nmi", candidate, recorded.name, null_interval(chance), group="permuted_neurons", role="baseline", n=len(mine)),
    ]  # fmt: skip


def _curve(recorded: Recorded, motifs: Motifs) -> xr.Dataset:
    time, animal, affinity = motifs.factors.modes
    labels, neurons = recorded.neurons, range(len(recorded.neurons))
    square = np.zeros((motifs.factors.rank, len(labels), len(labels)))
    i, j = np.triu_indices(len(labels), 1)
    square[:, i, j] = square[:, j, i] = affinity.T
    width = recorded.bin_samples * recorded.step_s
    return xr.Dataset(
        {
            "time_course": (("motif", "bin"), time.T, {"units": "1"}),
            "animal": (("motif", "recording"), animal.T, {"units": "1"}),
            "affinity": (("motif", "neuron", "other"), square.astype(np.float32), {"units": "1"}),
            "community": (("motif", "neuron"), motifs.community, {"units": "1"}),
            "modularity": (("motif",), motifs.modularity, {"units": "1"}),
            "strength": (("motif",), motifs.factors.weights, {"units": "1"}),
        },
        coords={
            "neuron": [labels[k] for k in neurons],
            "recording": recorded.animals,
            "time": ("bin", (np.arange(len(time)) + 0.5) * width, {"units": "s"}),
        },
    )
