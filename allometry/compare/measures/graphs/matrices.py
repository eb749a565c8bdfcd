"""Graphs as arrays: conversion, path lengths, and their degree-preserving nulls."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy
from numba import njit
from numpy.typing import NDArray

from allometry.compare.inference.arrays import blocks, numbers, whole_number
from allometry.compare.inference.blockwise import BLOCK_BYTES, Estimate, afford, fitting
from allometry.compare.inference.labels import square
from allometry.compare.inference.progress import steps
from allometry.errors import ComparisonError
from allometry.numerics.rewiring import rewire

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Relative difference of two weights below which they are one weight.
SAME_WEIGHT = 1e-9


def is_networkx(graph: Any) -> bool:
    """Whether it is a graph of networkx, which is not imported to find out: who has such a graph has done so."""
    return "networkx" in sys.modules and isinstance(graph, sys.modules["networkx"].Graph)


def as_matrix(graph: Any) -> Floats:
    """Dense weights [source, target] of an array, scipy sparse matrix, networkx or igraph graph, without self-loops.

    Raises
    ------
    ComparisonError
        Not square, or with NaN (a pair that was not measured is no edge of zero weight: restrict to measured nodes).
    """
    if hasattr(graph, "number_of_nodes") or scipy.sparse.issparse(graph) or hasattr(graph, "vcount"):
        nodes = graph.shape[0] if scipy.sparse.issparse(graph) else len(graph) if is_networkx(graph) else graph.vcount()
        afford(
            Estimate(f"a dense matrix of {nodes:,} nodes", 24 * nodes**2, 8 * nodes**2, float(nodes) ** 2),
            f"at most {fitting(24, 2):,} nodes here; measures of the architecture of a graph keep sparse ones sparse",
        )
    if is_networkx(graph):
        import networkx as nx

        matrix = nx.to_numpy_array(graph, weight="weight")
    elif scipy.sparse.issparse(graph):
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


def as_edges(graph: Any) -> scipy.sparse.csr_array:
    """Weights [source, target] of the edges of any graph that `as_matrix` takes, without self-loops and zeros.

    A sparse graph stays sparse: 50,000 nodes as a dense matrix would be 20 GB. Rows are in order, and columns in each row.

    Raises
    ------
    ComparisonError
        As `as_matrix`.
    """
    if is_networkx(graph):
        import networkx as nx

        graph = nx.to_scipy_sparse_array(graph, weight="weight", format="csr") if len(graph) else as_matrix(graph)
    elif hasattr(graph, "get_adjacency_sparse"):
        graph = graph.get_adjacency_sparse("weight" if "weight" in graph.es.attributes() else None)
    if not scipy.sparse.issparse(graph):
        edges = scipy.sparse.csr_array(as_matrix(graph))
    else:
        if graph.ndim != 2 or graph.shape[0] != graph.shape[1]:
            raise ComparisonError(f"a graph of shape {graph.shape}", expected="a square matrix [source, target]")
        entries = scipy.sparse.coo_array(graph)
        there = entries.row != entries.col
        edges = scipy.sparse.csr_array(
            (entries.data[there].astype(float), (entries.row[there], entries.col[there])), shape=entries.shape
        )
        unknown = np.count_nonzero(~np.isfinite(entries.data))
        if unknown:
            raise ComparisonError(
                f"{unknown} of {entries.nnz} stored weights are NaN or infinite",
                expected="a number for every pair",
                do="restrict the graph to pairs that were measured, or set what is absent to 0",
            )
    edges.eliminate_zeros()
    edges.sort_indices()
    return edges


def undirected(edges: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """The binary graph with an edge both ways where there is one either way."""
    there = edges.astype(bool)
    return scipy.sparse.csr_array(there + there.T).astype(float)


def endpoints(edges: scipy.sparse.csr_array) -> tuple[Ints, Ints]:
    """Source and target of every edge, in the order of the weights `edges.data`."""
    source = np.repeat(np.arange(edges.shape[0]), np.diff(edges.indptr))
    return source.astype(np.int64), edges.indices.astype(np.int64)


def is_directed(matrix: Floats | scipy.sparse.csr_array) -> bool:
    """Whether the weights differ between the two directions of any pair, by more than the rounding of sums and products."""
    if scipy.sparse.issparse(matrix):
        back = scipy.sparse.csr_array(matrix.T)
        return bool((abs(matrix - back) > SAME_WEIGHT * abs(back)).nnz)
    return not np.allclose(matrix, matrix.T, rtol=SAME_WEIGHT, atol=0.0)


def path_lengths(graph: Any) -> Floats:
    """Number of edges on the shortest directed path [source, target]; inf where there is none."""
    matrix = scipy.sparse.csr_array(as_matrix(graph) != 0)
    lengths: Floats = scipy.sparse.csgraph.shortest_path(matrix.astype(float), unweighted=True)
    return lengths


def at(matrix: Any, source: Ints, target: Ints, absent: float) -> Floats:
    """Values [pairs] of a dense or sparse matrix; `absent` where a sparse one stores nothing."""
    if not scipy.sparse.issparse(matrix):
        return np.asarray(matrix, dtype=float)[source, target]
    entries = scipy.sparse.csr_array(matrix)
    entries.sum_duplicates()
    rows, columns = endpoints(entries)
    nodes = entries.shape[1]
    stored, wanted = rows * nodes + columns, source * nodes + target
    place = np.minimum(np.searchsorted(stored, wanted), max(stored.size - 1, 0))
    found = stored[place] == wanted if stored.size else np.zeros(wanted.size, dtype=bool)
    result = np.full(wanted.size, absent)
    result[found] = entries.data[place[found]]
    return result


def lengths_of(edges: scipy.sparse.csr_array, source: Ints, target: Ints) -> Floats:
    """Path lengths [pairs] of the given pairs, inf where there is none: one block of sources at a time."""
    graph = edges.astype(bool).astype(float)
    result = np.empty(source.size)
    sources, row = np.unique(source, return_inverse=True)
    order = np.argsort(row, kind="stable")
    width = max(1, BLOCK_BYTES // (16 * edges.shape[0]))
    for part in steps(blocks(sources.size, width), f"path lengths, {width} sources each"):
        lengths = scipy.sparse.csgraph.shortest_path(graph, unweighted=True, indices=sources[part])
        own = order[np.searchsorted(row[order], part.start) : np.searchsorted(row[order], part.stop)]
        result[own] = lengths[row[own] - part.start, target[own]]
    return result


def mean_path_length(graph: scipy.sparse.csr_array) -> float:
    """Mean number of edges on the shortest paths between connected pairs of a binary graph; NaN without any.

    One search per source and no matrix of lengths: memory is that of the edges.
    """
    total, pairs = 0, 0
    n = graph.shape[0]
    for part in steps(blocks(n, 256), "path lengths, 256 sources each"):
        found = _breadth_first(graph.indptr, graph.indices, part.start, part.stop)
        total, pairs = total + found[0], pairs + found[1]
    return total / pairs if pairs else float("nan")


@njit(cache=True, nogil=True)
def _breadth_first(start: NDArray, neighbour: NDArray, first: int, last: int) -> tuple[int, int]:
    """Sum of the path lengths from sources first to last - 1 to all nodes they reach, and number of those pairs."""
    n = start.size - 1
    seen = np.full(n, -1, np.int64)
    length = np.zeros(n, np.int64)
    queue = np.empty(n, np.int64)
    total, pairs = 0, 0
    for source in range(first, last):
        seen[source], length[source], queue[0] = source, 0, source
        head, tail = 0, 1
        while head < tail:
            node = queue[head]
            head += 1
            for k in range(start[node], start[node + 1]):
                other = neighbour[k]
                if seen[other] != source:
                    seen[other] = source
                    length[other] = length[node] + 1
                    total += length[other]
                    queue[tail] = other
                    tail += 1
        pairs += tail - 1
    return total, pairs


def rewired_edges(weights: Any, n: int, *, seed: int, swaps: float = 10.0) -> Iterator[tuple[Ints, Ints, Floats]]:
    """`n` degree-preserving rewirings as (source, target, weight) of every edge; symmetric ones stay symmetric.

    Each edge keeps its weight: a directed rewiring preserves every node's out-strength, too.

    Raises
    ------
    ComparisonError
        The table of all pairs, one byte each, does not fit.
    """
    n, edges = whole_number(n, "nulls", 0), as_edges(weights)
    nodes, directed = edges.shape[0], is_directed(edges)
    listed = edges if directed else scipy.sparse.csr_array(scipy.sparse.triu(edges, format="csr"))
    (source, target), value = endpoints(listed), listed.data
    attempts = swaps * source.size
    need = Estimate(
        f"rewiring {nodes:,} nodes",
        int(nodes**2 + 32 * attempts + 48 * source.size),
        48 * source.size,
        20.0 * attempts,
    )
    for child in steps(np.random.SeedSequence(seed).spawn(n), "degree-preserving rewirings"):
        afford(
            need, f"at most {fitting(1, 2, need.peak_bytes - nodes**2):,} nodes, or nulls=0: no comparison with chance"
        )
        a, b = rewire(source, target, nodes, seed=int(child.generate_state(1)[0]), swaps=swaps, directed=directed)
        if directed:
            yield a, b, value
        else:
            yield np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([value, value])


def rewired_graphs(weights: Any, n: int, *, seed: int, swaps: float = 10.0) -> Iterator[scipy.sparse.csr_array]:
    """The graphs of `rewired_edges` as sparse matrices [source, target]."""
    edges = as_edges(weights)
    for source, target, value in rewired_edges(edges, n, seed=seed, swaps=swaps):
        yield scipy.sparse.csr_array((value, (source, target)), shape=edges.shape)


def rewirings(weights: Any, n: int, *, seed: int, swaps: float = 10.0) -> Iterator[Floats]:
    """The graphs of `rewired_edges` as dense matrices [source, target]."""
    matrix = as_matrix(weights)
    for source, target, value in rewired_edges(matrix, n, seed=seed, swaps=swaps):
        result = np.zeros_like(matrix)
        result[source, target] = value
        yield result


def summed_rewirings(parts: Sequence[Floats], n: int, *, seed: int) -> Iterator[Floats]:
    """Sums of `n` rewirings of several matrices [source, target], as of kinds of synapse: each is rewired by itself."""
    streams = [rewirings(part, n, seed=seed + 7919 * i) for i, part in enumerate(parts)]
    for drawn in zip(*streams):
        yield np.sum(drawn, axis=0)
