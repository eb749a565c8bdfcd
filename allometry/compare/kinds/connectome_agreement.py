"""Connectome against connectome: do two annotations of one nervous system find the same edges, and the same weights?

Every pair is compared on the nodes that both hold (a neuron that one of them did not reconstruct is no disagreement),
one kind of synapse at a time. The candidate is judged against the reference: recall is the share of the reference's edges
that it has, precision the share of its edges that the reference confirms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import blocks
from allometry.compare.inference.statistics import Interval, interval, null_interval, permutation_p
from allometry.compare.inputs.atlas import weights
from allometry.compare.measures.graphs.edge_weights import weights_within_nodes
from allometry.compare.measures.graphs.matrices import Floats, Ints, rewired_edges
from allometry.compare.measures.graphs.structure import Agreement, agreement, rank_correlation
from allometry.compare.options.connectome_agreement import ConnectomeAgreement
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product

MATRIX_MEASURES = ("edge_recall", "edge_jaccard", "weight_rank_correlation", "shared_nodes")


@dataclass(frozen=True)
class Annotation:
    """One connectome and one kind of synapse on the common axis of all connectomes.

    `present` [node] says which nodes it holds; `null` are sources and targets of its degree-preserving rewirings.
    """

    name: str
    weight: Floats
    present: np.ndarray
    null: list[tuple[Ints, Ints]]


@comparison(ConnectomeAgreement)
def connectome_agreement(inputs: Mapping[str, xr.Dataset], options: ConnectomeAgreement) -> Result:
    """Compare every ordered pair of connectomes (candidate, reference).

    Parameters
    ----------
    inputs : mapping
        Connectome stores by name.
    options : ConnectomeAgreement
        What is compared, and how.

    Returns
    -------
    Result
        Rows `edge_recall`, `edge_precision`, `edge_jaccard` and `weight_rank_correlation` (group: kind of synapse; the last
        with `within_nodes`, the partial correlation that its p tests; baselines: rewired, node strengths);
        curve `agreement`: the same as matrices [synapse, candidate, reference], with the number of shared nodes.
    """
    rows: list[dict[str, Any]] = []
    axis = sorted({label for name in options.structure for label in inputs[name]["node"].values.tolist()})
    shape = (len(options.synapses), len(options.structure), len(options.structure))
    matrices = {name: np.full(shape, np.nan) for name in MATRIX_MEASURES}
    for k, synapse in enumerate(options.synapses):
        annotations = [
            _annotation(name, inputs[name], synapse, axis, options.nulls, options.seed) for name in options.structure
        ]
        for i, a in enumerate(annotations):
            for j, b in enumerate(annotations):
                if i >= j or not a.weight.any() or not b.weight.any():
                    continue
                forward, backward, found = _pair(a, b, synapse, options.bootstrap, options.seed)
                rows += forward + backward
                for m, n, recall in ((i, j, found.recall), (j, i, found.precision)):
                    matrices["edge_recall"][k, m, n] = recall
                    matrices["edge_jaccard"][k, m, n] = found.jaccard
                    matrices["weight_rank_correlation"][k, m, n] = found.weight_rank_correlation
                    matrices["shared_nodes"][k, m, n] = found.nodes
            if a.weight.any():
                for name, value in zip(MATRIX_MEASURES, (1.0, 1.0, 1.0, a.present.sum())):
                    matrices[name][k, i, i] = value
    if not rows:
        raise ComparisonError(
            f"no two of {', '.join(options.structure)} have {' or '.join(options.synapses)} edges",
            do="choose other stores or synapses",
        )
    coords = {
        "synapse": ("synapse", list(options.synapses)),
        "candidate": ("candidate", list(options.structure)),
        "reference": ("reference", list(options.structure)),
    }
    return Result(
        title="Agreement of connectome annotations",
        rows=with_fdr(rows),
        curves={"agreement": curve(("synapse", "candidate", "reference"), coords, **matrices)},
        derived={
            "nodes": "each pair is compared on the nodes that both hold; self-loops are left out",
            "ci": f"percentiles of {options.bootstrap} resamples of the shared nodes (an edge counts as often as both its ends); wider "
            "than need be where edges are independent of their nodes, since every edge is then resampled twice",
            "p": f"edges: one-sided, against the overlap of the reference with {options.nulls} rewirings of the candidate that keep "
            "every degree; weights: one-sided t test of column `within_nodes`, given the edges that both have",
            "within_nodes": "partial rank correlation of the weights of shared edges, with the effects of their sources and "
            "targets projected out (within_low, within_high: 95 % interval); a pair of nodes with electrical synapses "
            "counts once. The score is not corrected: nodes with strong synapses in both raise it",
            "verdict": "edges: against the rewirings; weights: against what the strengths of source and target tell, of which "
            "column `difference` holds `within_nodes`, what is left when they are projected out",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


def _annotation(name: str, store: xr.Dataset, synapse: str, axis: list[str], nulls: int, seed: int) -> Annotation:
    labels, matrix = weights(store, synapse)
    index = np.searchsorted(axis, labels)
    weight = np.zeros((len(axis), len(axis)))
    weight[np.ix_(index, index)] = matrix
    present = np.zeros(len(axis), dtype=bool)
    present[index] = True
    null = [(source, target) for source, target, _ in rewired_edges(weight, nulls, seed=seed)] if matrix.any() else []
    return Annotation(name, weight, present, null)


def _pair(
    a: Annotation, b: Annotation, synapse: str, bootstrap: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Agreement]:
    """Rows of a against b, of b against a, and the agreement of a with b."""
    nodes = np.flatnonzero(a.present & b.present)
    if nodes.size == 0:
        raise ComparisonError(
            f"{a.name} and {b.name} share no node", do="compare connectomes of one species with the same node names"
        )
    x, y = a.weight[np.ix_(nodes, nodes)], b.weight[np.ix_(nodes, nodes)]
    found = agreement(x, y)
    intervals = _intervals(x, y, found, bootstrap, seed)
    within = weights_within_nodes(x, y)
    conditional = {"within_nodes": within.correlation, "within_low": within.low, "within_high": within.high}
    rows = []
    for one, other, recall, precision, edges in (
        (a, b, "recall", "precision", found.edges_reference),
        (b, a, "precision", "recall", found.edges_candidate),
    ):
        overlaps = _overlaps(one, other)
        p = permutation_p(found.edges_shared, overlaps)
        common: dict[str, Any] = {
            "group": synapse,
            "shared_nodes": found.nodes,
            "shared_edges": found.edges_shared,
        }
        nothing = dict.fromkeys(conditional, np.nan)
        overlap: dict[str, Any] = common | {"p": p, "n": edges} | nothing
        weight: dict[str, Any] = common | {"p": within.p, "n": within.edges} | conditional
        if one is not a:
            x, y = y, x
        sizes = (found.edges_reference, found.edges_candidate)
        to, of = sizes if one is a else sizes[::-1]
        null = {
            "edge_recall": overlaps / to,
            "edge_precision": overlaps / of,
            "edge_jaccard": overlaps / (to + of - overlaps),
        }
        score = {
            "edge_recall": intervals[recall],
            "edge_precision": intervals[precision],
            "edge_jaccard": intervals["jaccard"],
        }
        name = f"{synapse}, rewired"
        beyond = Interval(within.correlation, within.low, within.high, method="t")
        held = verdict.Baseline(f"{synapse}, node strengths", _strengths(x, y), beyond)
        weights_ = intervals["weight"]
        rows.append(
            [
                *(
                    row(key, one.name, other.name, value, **overlap,
                        baselines=[verdict.over_null(name, value.estimate, null[key])])
                    for key, value in score.items()
                ),
                row("weight_rank_correlation", one.name, other.name, weights_, baselines=[held], **weight),
                *(
                    row(key, one.name, other.name, null_interval(values), role="baseline",
                        **common | nothing | {"group": name, "n": edges})
                    for key, values in null.items()
                ),
                row("weight_rank_correlation", one.name, other.name, held.score, role="baseline",
                    **common | nothing | {"group": held.name, "n": within.edges}),
            ]
        )  # fmt: skip
    return rows[0], rows[1], found


def _overlaps(candidate: Annotation, reference: Annotation) -> Floats:
    """Edges that each rewiring shares with the reference by degrees alone: recall, precision and Jaccard grow with them."""
    edges = reference.weight > 0
    # Rewired edges to nodes outside the reference overlap with nothing, as the candidate's own do.
    return np.array([edges[source, target].sum() for source, target in candidate.null], dtype=float)


def _strengths(x: Floats, y: Floats) -> float:
    """Rank correlation of y with the products of x's strengths of source and target, over the edges both have."""
    both = (x > 0) & (y > 0)
    return rank_correlation(np.outer(x.sum(axis=1), x.sum(axis=0))[both], y[both])


def _intervals(x: Floats, y: Floats, found: Agreement, bootstrap: int, seed: int) -> dict[str, Interval]:
    """Bootstrap over nodes: node i drawn m_i times makes edge (i, j) count m_i m_j times; ranks of weights are kept."""
    size = len(x)
    estimates = {
        "recall": found.recall,
        "precision": found.precision,
        "jaccard": found.jaccard,
        "weight": found.weight_rank_correlation,
    }
    if found.edges_shared < 10 or size < 10:
        # Too few to say anything about their spread.
        return {name: Interval(value, np.nan, np.nan) for name, value in estimates.items()}
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=bootstrap).astype(np.float32)

    def total(edges: np.ndarray) -> np.ndarray:
        # whole numbers, which BLAS adds exactly
        return np.einsum("bi,bi->b", draws @ edges.astype(np.float32), draws, dtype=np.float64)

    total_x, total_y = total(x > 0), total(y > 0)
    both = np.nonzero((x > 0) & (y > 0))
    rx, ry = (2 * ranks - (len(ranks) + 1) for ranks in (scipy.stats.rankdata(x[both]), scipy.stats.rankdata(y[both])))
    terms = np.stack([np.ones_like(rx), rx, ry, rx * rx, ry * ry, rx * ry], axis=1)
    sums = [product(draws[part][:, both[0]] * draws[part][:, both[1]], terms) for part in blocks(bootstrap, 64)]
    s, *of_ranks = np.concatenate(sums).T
    mx, my, mxx, myy, mxy = np.stack(of_ranks) / s
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (mxy - mx * my) / np.sqrt((mxx - mx**2) * (myy - my**2))
    values = {"recall": s / total_y, "precision": s / total_x, "jaccard": s / (total_x + total_y - s), "weight": r}
    return {
        name: interval(values[name], estimate, units=size, bounds=(-1.0 if name == "weight" else 0.0, 1.0))
        if np.isfinite(values[name]).mean() > 0.5
        else Interval(estimate, np.nan, np.nan)
        for name, estimate in estimates.items()
    }
