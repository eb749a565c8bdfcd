"""Oracles: networkx, exact degree sequences, and uniformity over all graphs of a small degree sequence."""

import itertools
from collections import Counter

import igraph
import networkx as nx
import numpy as np
import pytest
from scipy import sparse, stats

from allometry.compare import graphs
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
        assert np.array_equal(graphs.as_matrix(other), matrix)


def test_bad_graphs_are_named() -> None:
    with pytest.raises(ComparisonError, match=r"shape \(2, 3\)"):
        graphs.as_matrix(np.zeros((2, 3)))
    with pytest.raises(ComparisonError, match="1 of 4 weights are NaN"):
        graphs.as_matrix([[0, np.nan], [1, 0]])


def test_path_lengths_equal_networkx() -> None:
    matrix = random_graph(40, 0.05)
    lengths = graphs.path_lengths(matrix)
    expected = dict(nx.all_pairs_shortest_path_length(nx.from_numpy_array(matrix, create_using=nx.DiGraph)))
    for a, b in itertools.product(range(40), repeat=2):
        assert lengths[a, b] == expected[a].get(b, np.inf)


@pytest.mark.parametrize("directed", [True, False])
def test_rewiring_keeps_degrees_weights_and_simplicity(directed: bool) -> None:
    matrix = random_graph()
    if not directed:
        matrix = np.triu(matrix) + np.triu(matrix).T
    (null,) = graphs.rewirings(matrix, 1, seed=3)
    assert np.array_equal((null > 0).sum(axis=0), (matrix > 0).sum(axis=0))
    assert np.array_equal((null > 0).sum(axis=1), (matrix > 0).sum(axis=1))
    assert np.array_equal(np.sort(null[null > 0]), np.sort(matrix[matrix > 0]))
    assert np.trace(null) == 0
    assert graphs.is_directed(null) == directed
    if directed:
        assert np.array_equal(null.sum(axis=1), matrix.sum(axis=1))
    # as few edges survive as in an independent graph: the expected overlap is about the density
    assert ((null > 0) & (matrix > 0)).sum() / (matrix > 0).sum() < 0.3


def test_rewiring_is_uniform_over_all_graphs_of_the_degree_sequence() -> None:
    out_degree, in_degree = (2, 1, 1, 1), (1, 2, 1, 1)
    pairs = [(a, b) for a in range(4) for b in range(4) if a != b]
    possible = set()
    for edges in itertools.combinations(pairs, 5):
        if (
            tuple(sum(a == n for a, _ in edges) for n in range(4)) == out_degree
            and tuple(sum(b == n for _, b in edges) for n in range(4)) == in_degree
        ):
            possible.add(frozenset(edges))
    start = sorted(next(iter(possible)))
    source, target = np.array(start).T
    found = Counter(
        frozenset(zip(*(part.tolist() for part in graphs.rewire(source, target, 4, seed=seed, swaps=40))))
        for seed in range(4000)
    )
    assert set(found) == possible
    assert stats.chisquare(list(found.values())).pvalue > 1e-3


def test_rewiring_depends_on_the_seed_only() -> None:
    matrix = random_graph(30)
    a, b = (list(graphs.rewirings(matrix, 2, seed=1)) for _ in range(2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a[0], a[1])
    assert not np.array_equal(a[0], next(graphs.rewirings(matrix, 1, seed=2)))


def test_complete_graph_cannot_change_and_repeated_edges_are_refused() -> None:
    complete = 1.0 - np.eye(5)
    assert np.array_equal(next(graphs.rewirings(complete, 1, seed=0)), complete)
    with pytest.raises(ComparisonError, match="repeated edges"):
        graphs.rewire([0, 0], [1, 1], 3, seed=0)
    with pytest.raises(ComparisonError, match="GiB"):
        graphs.rewire([0], [1], 10**6, seed=0)
