"""Graphs as arrays: conversion, path lengths, and their degree-preserving nulls."""

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from allometry.compare.inference.arrays import numbers
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.labels import square
from allometry.errors import ComparisonError
from allometry.rewiring import rewire

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Relative difference of two weights below which they are one weight.
SAME_WEIGHT = 1e-9


def as_matrix(graph: Any) -> Floats:
    """Dense weights [source, target] of an array, scipy sparse matrix, networkx or igraph graph, without self-loops.

    Raises
    ------
    ComparisonError
        Not square, or with NaN (a pair that was not measured is no edge of zero weight: restrict to measured nodes).
    """
    if hasattr(graph, "number_of_nodes") or sparse.issparse(graph) or hasattr(graph, "vcount"):
        nodes = (
            graph.shape[0] if sparse.issparse(graph) else len(graph) if isinstance(graph, nx.Graph) else graph.vcount()
        )
        afford(
            Estimate(f"a dense matrix of {nodes:,} nodes", 24 * nodes**2, 8 * nodes**2, float(nodes) ** 2),
            f"at most {fitting(24, 2):,} nodes; `clustering` keeps sparse graphs sparse",
        )
    if isinstance(graph, nx.Graph):
        matrix = nx.to_numpy_array(graph, weight="weight")
    elif sparse.issparse(graph):
        matrix = graph.toarray().astype(float)
    elif hasattr(graph, "get_adjacency_sparse"):
        attribute = "weight" if "weight" in graph.es.attributes() else None
        matrix = graph.get_adjacency_sparse(attribute).toarray().astype(float)
    else:
        matrix = numbers(square(graph, "graph"), "graph").astype(float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ComparisonError(f"a graph of shape {matrix.shape}", expected="a square matrix [source, target]")
    if not np.isfinite(matrix).all():
        raise ComparisonError(
            f"{(~np.isfinite(matrix)).sum()} of {matrix.size} weights are NaN or infinite",
            expected="a number for every pair",
            do="restrict the graph to pairs that were measured, or set what is absent to 0",
        )
    np.fill_diagonal(matrix, 0.0)
    return matrix


def is_directed(matrix: Floats) -> bool:
    """Whether the weights differ between the two directions of any pair, by more than the rounding of sums and products."""
    return not np.allclose(matrix, matrix.T, rtol=SAME_WEIGHT, atol=0.0)


def path_lengths(graph: Any) -> Floats:
    """Number of edges on the shortest directed path [source, target]; inf where there is none."""
    matrix = sparse.csr_array(as_matrix(graph) != 0)
    lengths: Floats = csgraph.shortest_path(matrix.astype(float), unweighted=True)
    return lengths


def rewired_edges(weights: Any, n: int, *, seed: int, swaps: float = 10.0) -> Iterator[tuple[Ints, Ints, Floats]]:
    """`n` degree-preserving rewirings as (source, target, weight) of every edge; symmetric ones stay symmetric.

    Each edge keeps its weight: a directed rewiring preserves every node's out-strength, too.
    """
    matrix = as_matrix(weights)
    directed = is_directed(matrix)
    source, target = np.nonzero((matrix if directed else np.triu(matrix)) != 0)
    value = matrix[source, target]
    for child in np.random.SeedSequence(seed).spawn(n):
        a, b = rewire(source, target, len(matrix), seed=int(child.generate_state(1)[0]), swaps=swaps, directed=directed)
        if directed:
            yield a, b, value
        else:
            yield np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([value, value])


def rewirings(weights: Any, n: int, *, seed: int, swaps: float = 10.0) -> Iterator[Floats]:
    """The graphs of `rewired_edges` as matrices [source, target]."""
    matrix = as_matrix(weights)
    for source, target, value in rewired_edges(matrix, n, seed=seed, swaps=swaps):
        result = np.zeros_like(matrix)
        result[source, target] = value
        yield result
