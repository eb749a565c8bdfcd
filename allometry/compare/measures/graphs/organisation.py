"""Organisation of a graph: communities, small world, rich club, motifs and graphlets."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from allometry.compare.inference.blockwise import BLOCK_BYTES
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.partitions import RESTARTS, leiden
from allometry.compare.inference.progress import steps, whole
from allometry.compare.inference.statistics import permutation_p
from allometry.compare.measures.graphs.matrices import (
    Floats,
    Ints,
    as_edges,
    endpoints,
    is_directed,
    mean_path_length,
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
    """Newman's Q of the given communities [nodes], or of the best ones the Leiden algorithm finds.

    Q = sum_ij (A_ij - gamma k_i^out k_j^in / m) delta(c_i, c_j) / m
    (Leicht & Newman 2008; for symmetric A Newman & Girvan 2004).
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
    """Community of each node: the best of several runs of the Leiden algorithm (Traag et al. 2019)."""
    edges = as_edges(graph)
    if edges.data.min(initial=0) < 0:
        raise ComparisonError(
            "communities need non-negative weights", do="take magnitudes, or leave negative edges out"
        )
    directed = is_directed(edges)
    listed = edges if directed else sparse.csr_array(sparse.triu(edges, format="csr"))
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
class SmallWorld:
    """Clustering and path length, their means over degree-preserving nulls, and sigma = (C/C_null)/(L/L_null)."""

    clustering: float
    path_length: float
    clustering_null: float
    path_length_null: float
    sigma: float


@measure(
    name="clustering",
    version="1",
    inputs="graph [nodes, nodes]",
    invariances="order of nodes, weights and directions of edges",
    use="how many of a node's neighbours are neighbours?",
    reference="Watts & Strogatz 1998, Nature 393:440",
    cost="time",
)
def clustering(graph: Any) -> float:
    """Mean local clustering coefficient of the undirected binary graph (Watts & Strogatz 1998; degree < 2 counts 0)."""
    adjacency = undirected(as_edges(graph)).astype(np.int64)
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    triangles = np.zeros(degree.size, dtype=np.int64)
    # Of a hub's neighbours every pair is a path: rows whose paths fit in a block, however many neighbours they have.
    paths = np.cumsum(adjacency @ degree)
    starts = (
        np.unique(np.searchsorted(paths, np.arange(0, paths[-1], BLOCK_BYTES // 16), side="left"))
        if paths.size
        else paths
    )
    for first, last in steps(list(itertools.pairwise([*starts.tolist(), degree.size])), "triangles, blocks of nodes"):
        rows = adjacency[first:last]
        triangles[first:last] = np.asarray((rows @ adjacency).multiply(rows).sum(axis=1)).ravel()
    possible = degree * (degree - 1)
    return float(np.mean(np.where(possible > 0, triangles / np.maximum(possible, 1), 0.0)))


@measure(
    name="characteristic_path_length",
    version="1",
    inputs="graph [nodes, nodes]",
    invariances="order of nodes, weights and directions of edges",
    use="how many edges lie between two nodes?",
    reference="Watts & Strogatz 1998, Nature 393:440",
    cost="time",
)
def characteristic_path_length(graph: Any) -> float:
    """Mean number of undirected edges between pairs of nodes that have a path."""
    return mean_path_length(undirected(as_edges(graph)))


@measure(
    name="small_world",
    version="1",
    inputs="graph [nodes, nodes]",
    invariances="order of nodes",
    use="clustered and short at once, against degree-preserving nulls?",
    reference="Humphries & Gurney 2008, PLoS One 3:e2051",
    cost="memory",
)
def small_world(graph: Any, *, nulls: int = 20, seed: int = 0) -> SmallWorld:
    """Clustering and path length of the undirected binary graph against degree-preserving rewirings."""
    binary = undirected(as_edges(graph))
    c, length = clustering(binary), mean_path_length(binary)
    random = [(clustering(g), mean_path_length(g)) for g in rewired_graphs(binary, nulls, seed=seed)]
    c0, l0 = np.mean(random, axis=0) if random else (np.nan, np.nan)
    sigma = (c / c0) / (length / l0) if c0 > 0 and l0 > 0 else np.nan
    return SmallWorld(c, length, float(c0), float(l0), float(sigma))


@dataclass(frozen=True)
class RichClub:
    """Density `phi[degree]` among nodes above each `degree`, the mean over nulls, and p of being that dense."""

    degree: Ints
    phi: Floats
    phi_null: Floats
    p: Floats


def _rich_club(adjacency: sparse.csr_array, levels: Ints) -> Floats:
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
    """Rich-club coefficient of the undirected binary graph against rewired nulls (Colizza et al. 2006)."""
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
    """Census of the 16 directed three-node graphs against degree-preserving nulls (Milo et al. 2002)."""
    binary = as_edges(graph).astype(bool).astype(float)
    count = _triads(binary)
    null = np.array([_triads(g) for g in rewired_graphs(binary, nulls, seed=seed)]).reshape(nulls, len(TRIADS))
    mean = null.mean(axis=0) if nulls else np.full(len(TRIADS), np.nan)
    sd = null.std(axis=0) if nulls else np.full(len(TRIADS), np.nan)
    z = np.where(sd > 0, (count - mean) / np.where(sd > 0, sd, 1.0), np.nan)
    return Motifs(tuple(TRIADS), count, mean, sd, z)


def _paths(edges: sparse.csr_array) -> float:
    """Number of paths of two edges, whatever their directions: what an enumeration of three nodes goes through."""
    ends = np.concatenate(endpoints(edges))
    return float((np.bincount(ends, minlength=1).astype(float) ** 2).sum())


def _triads(edges: sparse.csr_array) -> Ints:
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
    """Number of connected induced subgraphs of 3 or 4 nodes of the undirected graph, by name (Pržulj et al. 2004)."""
    import igraph

    names = {
        3: {2: "path", 3: "triangle"},
        4: {4: "star", 6: "path", 7: "paw", 8: "cycle", 9: "diamond", 10: "clique"},
    }
    if size not in names:
        raise ComparisonError(f"graphlets of {size} nodes", expected="3 or 4")
    edges = sparse.csr_array(sparse.triu(undirected(as_edges(graph)), format="csr"))
    reach = _paths(edges) * (edges.nnz / max(edges.shape[0], 1) if size == 4 else 1)
    with whole(f"graphlets of {edges.shape[0]:,} nodes", 1e-7 * reach):
        counts = igraph.Graph(n=edges.shape[0], edges=np.column_stack(endpoints(edges))).motifs_randesu(size)
    return {name: int(counts[index]) for index, name in names[size].items()}
