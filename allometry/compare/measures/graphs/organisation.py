"""Organisation of a graph: communities, rich club, motifs and graphlets."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.partitions import RESTARTS, leiden
from allometry.compare.inference.progress import whole
from allometry.compare.inference.statistics import permutation_p
from allometry.compare.measures.graphs.matrices import (
    Floats,
    Ints,
    as_edges,
    endpoints,
    is_directed,
    rewired_graphs,
    undirected,
)
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

TRIADS = (
    *("003", "012", "102", "021D", "021U", "021C", "111D", "111U"),
    *("030T", "030C", "201", "120D", "120U", "120C", "210", "300"),
)
"""Davis & Leinhardt's names of the 16 directed graphs of three nodes, in igraph's order."""


@measure(
    name="modularity",
    version="1",
    inputs="weighted graph [nodes, nodes], communities",
    invariances="scale of weights, order of nodes",
    use="does the graph fall into groups?",
    reference="Newman & Girvan 2004, Phys. Rev. E 69:026113; Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)",
    cost="time",
)
@corresponding("graph", "communities")
def modularity(graph: Any, communities: ArrayLike | None = None, *, resolution: float = 1.0, seed: int = 0) -> float:
    """Newman's Q of the given communities, or of the best ones the Leiden algorithm finds.

    Q = sum_ij (A_ij - gamma k_i^out k_j^in / m) delta(c_i, c_j) / m
    (Leicht & Newman 2008; for symmetric A Newman & Girvan 2004).

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        Weights >= 0 from source to target, 0 without an edge; self-loops are left out.
    communities : array_like [nodes], optional
        Label of the community of each node; default: what `find_communities` finds.
    resolution : float
        gamma: larger values make smaller communities.
    seed : int
        Seed of the Leiden algorithm.

    Returns
    -------
    float
        At most 1; 0 for a single community at resolution 1.

    Raises
    ------
    ComparisonError
        Negative weights, no edge, another number of labels than of nodes, or a graph that is not square or has NaN.

    References
    ----------
    Newman & Girvan 2004, Phys. Rev. E 69:026113; Leicht & Newman 2008, Phys. Rev. Lett. 100:118703.
    """
    edges = as_edges(graph)
    if edges.data.min(initial=0) < 0 or edges.nnz == 0:
        raise ComparisonError("modularity needs non-negative weights and at least one edge")
    if communities is None:
        communities = find_communities(edges, resolution=resolution, seed=seed)
    member = np.asarray(communities)
    if member.shape != (edges.shape[0],):
        raise ComparisonError(f"{member.size} community labels for {edges.shape[0]} nodes", expected="one per node")
    _, group = np.unique(member, return_inverse=True)
    source, target = endpoints(edges)
    total = edges.data.sum()
    out_strength = np.bincount(group[source], weights=edges.data, minlength=group.max() + 1)
    in_strength = np.bincount(group[target], weights=edges.data, minlength=group.max() + 1)
    within = edges.data[group[source] == group[target]].sum()
    return float(within / total - resolution * (out_strength @ in_strength) / total**2)


@measure(
    name="find_communities",
    version="1",
    inputs="weighted graph [nodes, nodes]",
    invariances="scale of weights",
    use="into which groups does a graph fall?",
    reference="Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)",
    cost="time",
)
def find_communities(graph: Any, *, resolution: float = 1.0, seed: int = 0, restarts: int = RESTARTS) -> Ints:
    """Community of each node: the best of several runs of the Leiden algorithm.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        Weights >= 0 from source to target, 0 without an edge; self-loops are left out.
    resolution : float
        gamma of `modularity`: larger values make smaller communities.
    seed : int
        Seed of the runs.
    restarts : int
        Number of runs.

    Returns
    -------
    ndarray of int [nodes]
        Number of the community.

    Raises
    ------
    ComparisonError
        Negative weights, or a graph that is not square or has NaN.

    References
    ----------
    Traag, Waltman & van Eck 2019, Sci. Rep. 9:5233.
    """
    edges = as_edges(graph)
    if edges.data.min(initial=0) < 0:
        raise ComparisonError(
            "communities need non-negative weights", do="take magnitudes, or leave negative edges out"
        )
    directed = is_directed(edges)
    listed = edges if directed else scipy.sparse.csr_array(scipy.sparse.triu(edges, format="csr"))
    return leiden(
        edges.shape[0],
        *endpoints(listed),
        listed.data,
        directed=directed,
        resolution=resolution,
        seed=seed,
        restarts=restarts,
    )[0]


@dataclass(frozen=True)
class RichClub:
    """Density `phi[degree]` among nodes above each `degree`, the mean over nulls, and p of being that dense."""

    degree: Ints
    phi: Floats
    phi_null: Floats
    p: Floats


def _rich_club(adjacency: scipy.sparse.csr_array, levels: Ints) -> Floats:
    degree = np.diff(adjacency.indptr)
    source, target = endpoints(adjacency)
    # An edge lies within the club of every level below the smaller degree of its ends.
    ends = np.bincount(np.minimum(degree[source], degree[target]), minlength=levels.size + 1)
    nodes = np.bincount(degree, minlength=levels.size + 1)
    within, count = (tally.sum() - tally.cumsum()[: levels.size] for tally in (ends, nodes))
    return np.divide(within, count * (count - 1.0), out=np.full(levels.size, np.nan), where=count > 1)


@measure(
    name="rich_club",
    version="1",
    inputs="graph [nodes, nodes]",
    invariances="order of nodes",
    use="do hubs prefer hubs?",
    reference="Colizza et al. 2006, Nat. Phys. 2:110",
    cost="memory",
)
def rich_club(graph: Any, *, nulls: int = 20, seed: int = 0) -> RichClub:
    """Rich-club coefficient of the undirected binary graph against degree-preserving rewirings.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        An edge is what is not 0, in either direction; self-loops are left out.
    nulls : int
        Number of rewired graphs; 0: none, and NaN for what they tell.
    seed : int
        Seed of the rewirings.

    Returns
    -------
    RichClub
        Arrays [degree], for degrees from 0 to below the largest: density among the nodes above that degree, its mean over the
        nulls, and p of being that dense (`permutation_p`).

    Raises
    ------
    ComparisonError
        The graph is not square, or has NaN.

    References
    ----------
    Colizza, Flammini, Serrano & Vespignani 2006, Nat. Phys. 2:110.
    """
    adjacency = undirected(as_edges(graph))
    levels = np.arange(int(np.diff(adjacency.indptr).max(initial=0)), dtype=np.int64)
    phi = _rich_club(adjacency, levels)
    null = np.array([_rich_club(g, levels) for g in rewired_graphs(adjacency, nulls, seed=seed)])
    null = null.reshape(nulls, levels.size)
    with np.errstate(invalid="ignore"):
        mean = null.mean(axis=0) if nulls else np.full(levels.size, np.nan)
    p = np.array([permutation_p(phi[i], null[:, i]) for i in range(levels.size)])
    return RichClub(levels, phi, mean, p)


@dataclass(frozen=True)
class Motifs:
    """Number of each of the 16 triads, mean and sd over degree-preserving nulls, and z scores."""

    names: tuple[str, ...]
    count: Ints
    null_mean: Floats
    null_sd: Floats
    z: Floats = field(repr=False)


@measure(
    name="motifs",
    version="1",
    inputs="directed graph [nodes, nodes]",
    invariances="order of nodes",
    use="which three-neuron circuits are more frequent than chance?",
    reference="Milo et al. 2002, Science 298:824",
    cost="memory",
)
def motifs(graph: Any, *, nulls: int = 20, seed: int = 0) -> Motifs:
    """Census of the 16 directed three-node graphs against degree-preserving rewirings.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        An edge is what is not 0, from source to target; self-loops are left out.
    nulls : int
        Number of rewired graphs; 0: none, and NaN for what they tell.
    seed : int
        Seed of the rewirings.

    Returns
    -------
    Motifs
        Arrays [16], in the order of its `names`: number of each, mean and sd over the nulls, and z; z is NaN where the sd is 0.

    Raises
    ------
    ComparisonError
        The graph is not square, or has NaN.

    References
    ----------
    Milo et al. 2002, Science 298:824.
    """
    binary = as_edges(graph).astype(bool).astype(float)
    count = _triads(binary)
    null = np.array([_triads(g) for g in rewired_graphs(binary, nulls, seed=seed)]).reshape(nulls, len(TRIADS))
    mean = null.mean(axis=0) if nulls else np.full(len(TRIADS), np.nan)
    sd = null.std(axis=0) if nulls else np.full(len(TRIADS), np.nan)
    z = np.where(sd > 0, (count - mean) / np.where(sd > 0, sd, 1.0), np.nan)
    return Motifs(tuple(TRIADS), count, mean, sd, z)


def _paths(edges: scipy.sparse.csr_array) -> float:
    """Number of paths of two edges, whatever their directions: what an enumeration of three nodes goes through."""
    ends = np.concatenate(endpoints(edges))
    return float((np.bincount(ends, minlength=1).astype(float) ** 2).sum())


def _triads(edges: scipy.sparse.csr_array) -> Ints:
    import igraph

    pairs = np.column_stack(endpoints(edges))
    with whole(f"census of {edges.shape[0]:,} nodes", 1e-8 * _paths(edges)):
        census = igraph.Graph(n=edges.shape[0], edges=pairs, directed=True).triad_census()
    return np.array(list(census), dtype=np.int64)


@measure(
    name="graphlets",
    version="1",
    inputs="graph [nodes, nodes]",
    invariances="order of nodes, weights and directions of edges",
    use="of which small subgraphs is a graph made?",
    reference=(
        "Pržulj et al. 2004, Bioinformatics 20:3508; Wernicke 2006, IEEE/ACM Trans. Comput. Biol. Bioinform. "
        "3:347 (enumeration)"
    ),
    cost="time",
)
def graphlets(graph: Any, size: int = 4) -> dict[str, int]:
    """Number of connected induced subgraphs of 3 or 4 nodes of the undirected graph.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        An edge is what is not 0, in either direction; self-loops are left out.
    size : {3, 4}
        Nodes of a subgraph.

    Returns
    -------
    dict of str to int
        Number of each by name: path and triangle, or star, path, paw, cycle, diamond and clique.

    Raises
    ------
    ComparisonError
        Another size, or a graph that is not square or has NaN.

    References
    ----------
    Pržulj, Corneil & Jurisica 2004, Bioinformatics 20:3508; Wernicke 2006, IEEE/ACM Trans. Comput. Biol. Bioinform. 3:347.
    """
    import igraph

    names = {
        3: {2: "path", 3: "triangle"},
        4: {4: "star", 6: "path", 7: "paw", 8: "cycle", 9: "diamond", 10: "clique"},
    }
    if size not in names:
        raise ComparisonError(f"graphlets of {size} nodes", expected="3 or 4")
    edges = scipy.sparse.csr_array(scipy.sparse.triu(undirected(as_edges(graph)), format="csr"))
    reach = _paths(edges) * (edges.nnz / max(edges.shape[0], 1) if size == 4 else 1)
    with whole(f"graphlets of {edges.shape[0]:,} nodes", 1e-7 * reach):
        counts = igraph.Graph(n=edges.shape[0], edges=np.column_stack(endpoints(edges))).motifs_randesu(size)
    return {name: int(counts[index]) for index, name in names[size].items()}
