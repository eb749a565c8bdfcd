"""Graphs as arrays: conversion, path lengths, and rewiring that keeps every degree."""

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from allometry.errors import ComparisonError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OCCUPANCY_LIMIT = 2**32  # bytes of the pair table that rewiring keeps: 65,536 nodes


def as_matrix(graph: Any) -> Floats:
    """Dense weights [source, target] of an array, scipy sparse matrix, networkx or igraph graph, without self-loops.

    Raises
    ------
    ComparisonError
        Not square, or with NaN (a pair that was not measured is no edge of zero weight: restrict to measured nodes).
    """
    if isinstance(graph, nx.Graph):
        matrix = nx.to_numpy_array(graph, weight="weight")
    elif sparse.issparse(graph):
        matrix = graph.toarray().astype(float)
    elif hasattr(graph, "get_adjacency_sparse"):
        attribute = "weight" if "weight" in graph.es.attributes() else None
        matrix = graph.get_adjacency_sparse(attribute).toarray().astype(float)
    else:
        matrix = np.array(graph, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ComparisonError(f"a graph of shape {matrix.shape}", expected="a square matrix [source, target]")
    if np.isnan(matrix).any():
        raise ComparisonError(
            f"{np.isnan(matrix).sum()} of {matrix.size} weights are NaN",
            expected="a number for every pair",
            do="restrict the graph to pairs that were measured, or set what is absent to 0",
        )
    np.fill_diagonal(matrix, 0.0)
    return matrix


def is_directed(matrix: Floats) -> bool:
    """Whether the weights differ between the two directions of any pair."""
    return not np.array_equal(matrix, matrix.T)


def path_lengths(graph: Any) -> Floats:
    """Number of edges on the shortest directed path [source, target]; inf where there is none."""
    matrix = sparse.csr_array(as_matrix(graph) != 0)
    lengths: Floats = csgraph.shortest_path(matrix.astype(float), unweighted=True)
    return lengths


@njit(cache=True, nogil=True)
def _swap(source: Ints, target: Ints, occupied: NDArray[np.uint8], first: Ints, second: Ints, flip: Ints) -> int:
    done = 0
    undirected = flip.size > 0
    for k in range(first.size):
        e, f = first[k], second[k]
        a, b = source[e], target[e]
        c, d = source[f], target[f]
        if undirected and flip[k]:
            c, d = d, c
        if a == d or c == b or occupied[a, d] or occupied[c, b]:
            continue
        occupied[a, b] = 0
        occupied[c, d] = 0
        occupied[a, d] = 1
        occupied[c, b] = 1
        if undirected:
            occupied[b, a] = 0
            occupied[d, c] = 0
            occupied[d, a] = 1
            occupied[b, c] = 1
        source[e], target[e] = a, d
        source[f], target[f] = c, b
        done += 1
    return done


def rewire(
    source: ArrayLike, target: ArrayLike, nodes: int, *, seed: int, swaps: float = 10.0, directed: bool = True
) -> tuple[Ints, Ints]:
    """Random simple graph with the same in- and out-degree of every node (Maslov & Sneppen 2002).

    Parameters
    ----------
    source, target : int arrays [edges]
        A simple graph without self-loops; undirected edges are listed once, in either direction.
    swaps : float
        Attempted swaps of two targets per edge. Rejected attempts count, which makes the chain's limit uniform.

    Returns
    -------
    (source, target) : int arrays [edges]
        Edge i of the result keeps the source of edge i when directed, so that weights kept by edge number keep every
        node's out-strength.
    """
    a, b = np.array(source, dtype=np.int64), np.array(target, dtype=np.int64)
    if nodes * nodes > OCCUPANCY_LIMIT:
        raise ComparisonError(
            f"rewiring {nodes} nodes needs a table of {nodes * nodes / 2**30:.0f} GiB",
            expected=f"at most {int(OCCUPANCY_LIMIT**0.5)} nodes",
        )
    occupied = np.zeros((nodes, nodes), dtype=np.uint8)
    occupied[a, b] = 1
    if not directed:
        occupied[b, a] = 1
    if np.any(a == b) or occupied.sum(dtype=np.int64) != a.size * (1 if directed else 2):
        raise ComparisonError(
            "the graph has self-loops or repeated edges", expected="a simple graph", do="merge repeated edges"
        )
    if a.size < 2:
        return a, b
    rng = np.random.default_rng(seed)
    attempts = int(np.ceil(swaps * a.size))
    first, second = rng.integers(0, a.size, (2, attempts))
    flip = np.empty(0, dtype=np.int64) if directed else rng.integers(0, 2, attempts)
    _swap(a, b, occupied, first, second, flip)
    return a, b


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
