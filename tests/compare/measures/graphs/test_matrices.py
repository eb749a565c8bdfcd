"""Oracles: networkx, and exact degree sequences."""

import itertools

import igraph
import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from allometry.compare.measures.graphs import matrices
from allometry.errors import ComparisonError


def random_graph(nodes: int = 60, p: float = 0.1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = (rng.random((nodes, nodes)) < p) * rng.integers(1, 20, (nodes, nodes)).astype(float)
    np.fill_diagonal(matrix, 0)
    return matrix


def test_every_representation_gives_the_same_matrix() -> None:
    matrix = random_graph(12)
    others = [
        sparse.csr_array(matrix),
        nx.from_numpy_array(matrix, create_using=nx.DiGraph),
        igraph.Graph.Weighted_Adjacency(matrix.tolist()),
        matrix + np.diag(np.ones(12)),  # self-loops are left out
    ]
    for other in others:
        assert np.array_equal(matrices.as_matrix(other), matrix)


def test_bad_graphs_are_named() -> None:
    with pytest.raises(ComparisonError, match=r"shape \(2, 3\)"):
        matrices.as_matrix(np.zeros((2, 3)))
    with pytest.raises(ComparisonError, match="1 of 4 weights are NaN"):
        matrices.as_matrix([[0, np.nan], [1, 0]])


def test_path_lengths_equal_networkx() -> None:
    matrix = random_graph(40, 0.05)
    lengths = matrices.path_lengths(matrix)
    expected = dict(nx.all_pairs_shortest_path_length(nx.from_numpy_array(matrix, create_using=nx.DiGraph)))
    for a, b in itertools.product(range(40), repeat=2):
        assert lengths[a, b] == expected[a].get(b, np.inf)


@pytest.mark.parametrize("directed", [True, False])
def test_rewiring_keeps_degrees_weights_and_simplicity(directed: bool) -> None:
    matrix = random_graph()
    if not directed:
        matrix = np.triu(matrix) + np.triu(matrix).T
    (null,) = matrices.rewirings(matrix, 1, seed=3)
    assert np.array_equal((null > 0).sum(axis=0), (matrix > 0).sum(axis=0))
    assert np.array_equal((null > 0).sum(axis=1), (matrix > 0).sum(axis=1))
    assert np.array_equal(np.sort(null[null > 0]), np.sort(matrix[matrix > 0]))
    assert np.trace(null) == 0
    assert matrices.is_directed(null) == directed
    if directed:
        assert np.array_equal(null.sum(axis=1), matrix.sum(axis=1))
    # as few edges survive as in an independent graph: the expected overlap is about the density
    assert ((null > 0) & (matrix > 0)).sum() / (matrix > 0).sum() < 0.3


def test_rewiring_depends_on_the_seed_only() -> None:
    matrix = random_graph(30)
    a, b = (list(matrices.rewirings(matrix, 2, seed=1)) for _ in range(2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a[0], a[1])
    assert not np.array_equal(a[0], next(matrices.rewirings(matrix, 1, seed=2)))


def test_rounding_does_not_make_a_symmetric_graph_directed() -> None:
    """One weight off by 1e-15 turned every null and every modularity into that of a directed graph."""
    matrix = np.array([[0, 0.3, 2e-9], [0.3, 0, 5], [2e-9, 5, 0]])
    for factor in (1 + 4e-16, 1 - 1e-12):
        nearly = matrix.copy()
        nearly[0, 1] *= factor
        assert not matrices.is_directed(nearly)
        (rewired,) = matrices.rewirings(nearly, 1, seed=0)
        np.testing.assert_array_equal(rewired, rewired.T)
    for other in (
        matrix * [[1, 1.001, 1], [1, 1, 1], [1, 1, 1]],
        np.triu(matrix),
        matrix * 1e-12 + np.eye(3, k=1) * 1e-13,
    ):
        assert matrices.is_directed(other)
