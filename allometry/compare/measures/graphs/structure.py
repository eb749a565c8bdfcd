"""Structure: function given anatomy, and agreement of connectomes.

Graphs are dense arrays [source, target], scipy sparse matrices, or networkx and igraph graphs; self-loops are left out. Of
sparse ones no dense matrix is made.
igraph brings matplotlib along, so that the functions that need it import it themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from allometry.compare.inference.arrays import numbers, same_length, varies, whole_number
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.roc import cluster_bootstrap
from allometry.compare.inference.statistics import Interval
from allometry.compare.measures.graphs.matrices import Floats, Ints, as_edges, at, lengths_of
from allometry.compare.records.measures import SHARE, Scale, measure
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner

G = TypeVar("G", Floats, scipy.sparse.csr_array)


@dataclass(frozen=True)
class FunctionGivenStructure:
    """What anatomical edges say about measured influence, over all measured ordered pairs of different nodes.

    Attributes
    ----------
    pairs, edges, influences : int
        Measured pairs; those with an anatomical edge; those with q below alpha.
    p_edge, p_no_edge : float
        Share of influences among pairs with and without an edge.
    auc : Interval
        Area under the ROC curve of the weight for influence; interval over source nodes.
    spearman : float
        Rank correlation of weight and measured value over pairs with an edge.
    distance, p_distance, n_distance : arrays [distance]
        Path length (inf: no path), share of influences and number of pairs at it.
    """

    pairs: int
    edges: int
    influences: int
    p_edge: float
    p_no_edge: float
    auc: Interval
    spearman: float
    distance: Floats
    p_distance: Floats
    n_distance: Ints


@measure(
    name="function_given_structure",
    version="1",
    inputs="edge weights and signal propagation (value, q) per ordered pair",
    invariances="monotonic transformation of weights (AUC)",
    use="do connected neurons influence each other?",
    reference="Randi et al. 2023, Nature 623:406",
    ceiling="auc",
    cost="time",
)
@measure(
    name="influence_auc",
    version="1",
    inputs="a score and q per measured ordered pair",
    invariances="monotonic transformation of the score",
    use="does anatomy, or activity simulated on it, tell which neuron influences which?",
    reference="Randi et al. 2023, Nature 623:406",
    ceiling="auc",
    scale=SHARE,
    cost="time",
)
@measure(
    name="influence_given_edge",
    version="1",
    inputs="edges and q per measured ordered pair",
    invariances="weights of edges",
    use="how often does a connected neuron respond?",
    reference="Randi et al. 2023, Nature 623:406",
    scale=SHARE,
    cost="time",
)
@measure(
    name="influence_without_edge",
    version="1",
    inputs="edges and q per measured ordered pair",
    invariances="weights of edges",
    use="how often does an unconnected neuron respond?",
    reference="Randi et al. 2023, Nature 623:406",
    cost="time",
)
@measure(
    name="influence_ratio",
    version="1",
    inputs="edges and q per measured ordered pair",
    invariances="weights of edges",
    use="how many times as often does a connected neuron respond?",
    reference="Randi et al. 2023, Nature 623:406",
    scale=Scale(True, 0.1),
    cost="time",
)
@measure(
    name="weight_response_correlation",
    version="1",
    inputs="weight and response per measured edge",
    invariances="monotonic transformation of either",
    use="do stronger edges give larger responses?",
    reference="Randi et al. 2023, Nature 623:406",
    scale=SHARE,
    cost="time",
)
@corresponding("weight", "value", "q", axes=2)
def function_given_structure(
    weight: Any,
    value: Any,
    q: Any,
    *,
    alpha: float = 0.05,
    seed: int = 0,
    bootstrap: int = 1000,
) -> FunctionGivenStructure:
    """Hold measured influence against anatomical weight (Randi et al. 2023).

    Parameters
    ----------
    weight : array or sparse matrix [source, target]
        Anatomical weight, 0 without an edge.
    value, q : arrays or sparse matrices [source, target]
        Measured response of the target to stimulation of the source (dF/F), and its false discovery rate. NaN in `q`
        marks a pair that was not measured; such pairs count nowhere. In a sparse `q` neither do pairs that it does not
        store (a q of 0 is stored), and memory is then that of the edges and of the measured pairs.
    alpha : float
        A pair is an influence where q < alpha.
    seed : int
        Seed of the resamples.
    bootstrap : int
        Number of resamples of the source nodes for the interval of the AUC.

    Returns
    -------
    FunctionGivenStructure
        Counts, shares of influences and correlations; NaN for a share of no pairs.

    Raises
    ------
    ComparisonError
        Shapes differ, no pair is measured, or all pairs are of one class.

    References
    ----------
    Randi et al. 2023, Nature 623:406.
    """
    edges, bootstrap = as_edges(weight), whole_number(bootstrap, "bootstrap", 0)
    value, q = (m if scipy.sparse.issparse(m) else numbers(m, name) for m, name in ((value, "value"), (q, "q")))
    shapes = [np.shape(m) for m in (edges, value, q)]
    if not shapes[0] == shapes[1] == shapes[2]:
        raise ComparisonError(f"shapes {', '.join(map(str, shapes))} of weight, value and q", expected="one shape")
    _unsigned(edges.data)
    source, target, qs = _measured(q)
    if not source.size:
        raise ComparisonError("no pair of these nodes was measured", do="check that both use the same node names")
    w, v = at(edges, source, target, 0.0), at(value, source, target, np.nan)
    influence = qs < alpha
    edge = w > 0
    distance = lengths_of(edges, source, target)
    lengths, index = np.unique(distance, return_inverse=True)
    counts = np.bincount(index)
    defined = edge & np.isfinite(v)
    return FunctionGivenStructure(
        pairs=source.size,
        edges=int(edge.sum()),
        influences=int(influence.sum()),
        p_edge=_mean(influence[edge]),
        p_no_edge=_mean(influence[~edge]),
        auc=cluster_bootstrap(w, influence, source, seed=seed, n=bootstrap),
        spearman=rank_correlation(w[defined], v[defined]),
        distance=lengths,
        p_distance=np.bincount(index, weights=influence) / counts,
        n_distance=counts.astype(np.int64),
    )


def _measured(q: Any) -> tuple[Ints, Ints, Floats]:
    """Source, target and q of the measured pairs of different nodes, by source: of a sparse q the entries it stores."""
    if scipy.sparse.issparse(q):
        entries = scipy.sparse.coo_array(q)
        order = np.lexsort((entries.col, entries.row))
        source, target, values = entries.row[order], entries.col[order], entries.data[order].astype(float)
    else:
        values = np.asarray(q, dtype=float)
        source, target = np.nonzero(np.isfinite(values))
        values = values[source, target]
    chosen = np.isfinite(values) & (source != target)
    return source[chosen].astype(np.int64), target[chosen].astype(np.int64), values[chosen]


def _unsigned(*weights: Any) -> None:
    """Refuse negative weights: an edge is a weight above 0 here, so that inhibitory edges would vanish unseen."""
    negative = sum(int((w < 0).sum()) for w in weights)
    if negative:
        raise ComparisonError(
            f"{negative} weights are negative",
            expected="weights >= 0, 0 without an edge",
            do="pass magnitudes, or compare excitatory and inhibitory edges one after the other",
        )


def _mean(values: NDArray) -> float:
    return float(values.mean()) if values.size else float("nan")


@corresponding("x", "y", axes=2)
def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman correlation over the items finite in both; NaN for fewer than 3 items or a constant one."""
    a, b = numbers(x, "x").astype(float).ravel(), numbers(y, "y").astype(float).ravel()
    same_length(a, b, "x and y")
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if a.size < 3 or not (varies(a) and varies(b)):
        return float("nan")
    ra, rb = (ranks - ranks.mean() for ranks in (scipy.stats.rankdata(a), scipy.stats.rankdata(b)))
    return float(np.clip(inner(ra, rb) / np.sqrt(inner(ra, ra) * inner(rb, rb)), -1, 1))


@dataclass(frozen=True)
class Agreement:
    """Agreement of a candidate graph with a reference on the nodes they share.

    Attributes
    ----------
    nodes, edges_candidate, edges_reference, edges_shared : int
        Sizes on the shared nodes.
    recall, precision, jaccard : float
        Share of the reference's edges found, of the candidate's edges confirmed, and shared over all edges.
    weight_rank_correlation : float
        Spearman correlation of the weights of the shared edges.
    """

    nodes: int
    edges_candidate: int
    edges_reference: int
    edges_shared: int
    recall: float
    precision: float
    jaccard: float
    weight_rank_correlation: float


@measure(
    name="agreement",
    version="1",
    inputs="two weighted directed graphs with node labels",
    invariances="scale of weights (monotonic for the rank correlation)",
    use="do two annotations find the same connections?",
    reference="Witvliet et al. 2021, Nature 596:257",
    ceiling="ratio",
)
@measure(
    name="edge_recall",
    version="1",
    inputs="two weighted directed graphs with node labels",
    invariances="weights of edges",
    use="which share of the reference's edges does the candidate have?",
    reference="Witvliet et al. 2021, Nature 596:257",
    scale=SHARE,
)
@measure(
    name="edge_precision",
    version="1",
    inputs="two weighted directed graphs with node labels",
    invariances="weights of edges",
    use="which share of the candidate's edges does the reference confirm?",
    reference="Witvliet et al. 2021, Nature 596:257",
    scale=SHARE,
)
@measure(
    name="edge_jaccard",
    version="1",
    inputs="two weighted directed graphs with node labels",
    invariances="weights of edges, exchange of the two",
    use="which share of all edges do both have?",
    reference="Witvliet et al. 2021, Nature 596:257",
    scale=SHARE,
)
@measure(
    name="weight_rank_correlation",
    version="2",
    inputs="two weighted directed graphs with node labels",
    invariances="monotonic transformation of either's weights, exchange of the two",
    use="do shared edges have similar strength?",
    reference="Cook et al. 2019, Nature 571:63",
    scale=SHARE,
)
@corresponding("candidate", "reference", axes=2)
def agreement(
    candidate: Any,
    reference: Any,
    labels_candidate: Sequence[str] | None = None,
    labels_reference: Sequence[str] | None = None,
) -> Agreement:
    """Edge recall and precision and weight rank correlation of two annotations, on matched node sets.

    Parameters
    ----------
    candidate, reference : graphs [source, target]
        Weights, 0 without an edge.
    labels_candidate, labels_reference : sequences of str, optional
        Node names; only nodes in both are compared. Without them the nodes must already correspond.

    Returns
    -------
    Agreement
        Numbers of edges and shares in [0, 1]; NaN for a share of no edges.

    Raises
    ------
    ComparisonError
        Labels of one graph only, different numbers of nodes without labels, or weights below 0.

    References
    ----------
    Witvliet et al. 2021, Nature 596:257.
    """
    a, b = as_edges(candidate), as_edges(reference)
    if (labels_candidate is None) != (labels_reference is None):
        raise ComparisonError("labels of one graph only", expected="the labels of both, or of neither")
    if labels_candidate is not None and labels_reference is not None:
        a, b, _ = matched(a, labels_candidate, b, labels_reference)
    if a.shape != b.shape:
        raise ComparisonError(
            f"graphs of {a.shape[0]} and {b.shape[0]} nodes",
            expected="the same nodes",
            do="pass the labels of both, to match the nodes",
        )
    _unsigned(a, b)
    in_a, in_b = a.astype(bool), b.astype(bool)
    # What is shared lies in the same places of both, so that the weights correspond.
    weights = [scipy.sparse.csr_array(own.multiply(other)) for own, other in ((a, in_b), (b, in_a))]
    for part in weights:
        part.sort_indices()
    shared, total_a, total_b = weights[0].nnz, a.nnz, b.nnz
    return Agreement(
        nodes=a.shape[0],
        edges_candidate=total_a,
        edges_reference=total_b,
        edges_shared=shared,
        recall=shared / total_b if total_b else float("nan"),
        precision=shared / total_a if total_a else float("nan"),
        jaccard=shared / (total_a + total_b - shared) if total_a + total_b else float("nan"),
        weight_rank_correlation=rank_correlation(weights[0].data, weights[1].data),
    )


def matched(a: G, labels_a: Sequence[str], b: G, labels_b: Sequence[str]) -> tuple[G, G, list[str]]:
    """Both matrices restricted to the nodes in both, in the alphabetical order of their names."""
    for labels, matrix in ((labels_a, a), (labels_b, b)):
        if len(set(labels)) != matrix.shape[0]:
            raise ComparisonError(
                f"{len(set(labels))} different labels for {matrix.shape[0]} nodes", expected="one unique label each"
            )
    shared = sorted(set(labels_a) & set(labels_b))
    if not shared:
        raise ComparisonError("the two graphs share no node name", do="check that both use the same naming")
    index_a = {label: i for i, label in enumerate(labels_a)}
    index_b = {label: i for i, label in enumerate(labels_b)}
    rows_a, rows_b = [index_a[s] for s in shared], [index_b[s] for s in shared]
    return a[np.ix_(rows_a, rows_a)], b[np.ix_(rows_b, rows_b)], shared
