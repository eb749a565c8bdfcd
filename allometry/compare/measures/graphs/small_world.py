"""Small worlds: clustering and path length of a graph, and both against chance."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.compare.inference.blockwise import BLOCK_BYTES
from allometry.compare.inference.progress import steps
from allometry.compare.measures.graphs.matrices import (
    as_edges,
    mean_path_length,
    rewired_graphs,
    undirected,
)
from allometry.compare.records.measures import measure


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
    """Mean local clustering coefficient of the undirected binary graph.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        An edge is what is not 0, in either direction; self-loops are left out.

    Returns
    -------
    float
        In [0, 1]; a node with fewer than two neighbours counts 0.

    Raises
    ------
    ComparisonError
        The graph is not square, or has NaN.

    References
    ----------
    Watts & Strogatz 1998, Nature 393:440.
    """
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
    """Mean number of undirected edges between pairs of nodes that have a path.

    Parameters
    ----------
    graph : array, sparse matrix, networkx or igraph graph [nodes, nodes]
        An edge is what is not 0, in either direction; self-loops are left out.

    Returns
    -------
    float
        Edges, at least 1; NaN without any edge.

    Raises
    ------
    ComparisonError
        The graph is not square, or has NaN.

    References
    ----------
    Watts & Strogatz 1998, Nature 393:440.
    """
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
    """Clustering and path length of the undirected binary graph against degree-preserving rewirings.

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
    SmallWorld
        Clustering and path length (edges), their means over the nulls, and sigma, their ratio; sigma is NaN where the nulls
        have no clustering.

    Raises
    ------
    ComparisonError
        The graph is not square, or has NaN.

    References
    ----------
    Humphries & Gurney 2008, PLoS One 3:e2051.
    """
    binary = undirected(as_edges(graph))
    c, length = clustering(binary), mean_path_length(binary)
    random = [(clustering(g), mean_path_length(g)) for g in rewired_graphs(binary, nulls, seed=seed)]
    c0, l0 = np.mean(random, axis=0) if random else (np.nan, np.nan)
    sigma = (c / c0) / (length / l0) if c0 > 0 and l0 > 0 else np.nan
    return SmallWorld(c, length, float(c0), float(l0), float(sigma))
