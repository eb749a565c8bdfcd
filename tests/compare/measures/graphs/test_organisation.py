"""Oracles: closed forms, networkx, planted organisation."""

import networkx as nx
import numpy as np
import pytest

from allometry.compare.measures.graphs import organisation, small_world
from allometry.errors import ComparisonError


def directed(nodes: int = 40, p: float = 0.1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = (rng.random((nodes, nodes)) < p) * rng.integers(1, 9, (nodes, nodes)).astype(float)
    np.fill_diagonal(matrix, 0)
    return matrix


def test_modularity_of_a_ring_of_cliques() -> None:
    ring = nx.ring_of_cliques(10, 5)
    # 110 edges: 10 cliques of 10 edges and one link each; Q = 100/110 - 10 (22/220)^2
    assert organisation.modularity(ring) == pytest.approx(100 / 110 - 0.1)
    assert round(organisation.modularity(ring), 4) == 0.8091
    assert len(set(organisation.find_communities(ring).tolist())) == 10


def test_modularity_equals_networkx_for_directed_weights() -> None:
    matrix = directed()
    member = np.arange(40) % 4
    expected = nx.community.modularity(
        nx.from_numpy_array(matrix, create_using=nx.DiGraph), [set(np.flatnonzero(member == c)) for c in range(4)]
    )
    assert organisation.modularity(matrix, member) == pytest.approx(expected)
    assert organisation.modularity(matrix) > expected


def test_modularity_refuses_what_has_none() -> None:
    with pytest.raises(ComparisonError, match="3 community labels for 40 nodes"):
        organisation.modularity(directed(), [0, 1, 2])
    with pytest.raises(ComparisonError, match="at least one edge"):
        organisation.modularity(np.zeros((4, 4)), np.zeros(4))


@pytest.mark.parametrize("k", [4, 6, 10])
def test_clustering_of_a_ring_lattice(k: int) -> None:
    lattice = nx.watts_strogatz_graph(100, k, 0)
    assert small_world.clustering(lattice) == pytest.approx(3 * (k - 2) / (4 * (k - 1)))


def test_clustering_and_path_length_equal_networkx() -> None:
    graph = nx.watts_strogatz_graph(80, 6, 0.2, seed=1)
    assert small_world.clustering(graph) == pytest.approx(nx.average_clustering(graph))
    assert small_world.characteristic_path_length(graph) == pytest.approx(nx.average_shortest_path_length(graph))


def test_small_world_is_between_lattice_and_random() -> None:
    small = small_world.small_world(nx.connected_watts_strogatz_graph(200, 8, 0.1, seed=1), nulls=5)
    random = small_world.small_world(nx.gnm_random_graph(200, 800, seed=1), nulls=5)
    assert small.sigma > 4
    assert random.sigma == pytest.approx(1, abs=0.25)
    assert small.path_length < 1.6 * small.path_length_null


def test_rich_club_equals_networkx_and_finds_a_planted_club() -> None:
    graph = nx.barabasi_albert_graph(80, 3, seed=2)
    ours = organisation.rich_club(graph, nulls=0)
    for degree, phi in nx.rich_club_coefficient(graph, normalized=False).items():
        assert ours.phi[degree] == pytest.approx(phi)
    planted = nx.gnm_random_graph(60, 60, seed=1)
    planted.add_edges_from((a, b) for a in range(8) for b in range(a))
    for hub in range(8):
        planted.add_edges_from((hub, other) for other in range(8 + hub * 6, 14 + hub * 6))
    club = organisation.rich_club(planted, nulls=40, seed=0)
    level = 8
    assert club.phi[level] > 1.3 * club.phi_null[level]
    assert club.p[level] == pytest.approx(1 / 41)


def test_triads_equal_networkx() -> None:
    matrix = directed(30, 0.15)
    census = nx.triadic_census(nx.from_numpy_array(matrix, create_using=nx.DiGraph))
    ours = organisation.motifs(matrix, nulls=0)
    assert dict(zip(ours.names, ours.count.tolist())) == census


def test_feed_forward_loops_stand_out_against_nulls() -> None:
    rng = np.random.default_rng(0)
    matrix = np.zeros((60, 60))
    for _ in range(40):
        a, b, c = rng.choice(60, 3, replace=False)
        matrix[a, b] = matrix[b, c] = matrix[a, c] = 1
    found = organisation.motifs(matrix, nulls=50)
    assert found.z[found.names.index("030T")] > 5
    assert found.z[found.names.index("030C")] < 2


def test_graphlets_of_known_graphs() -> None:
    # a 4-clique with a pendant node: 1 clique, C(4,1) - 1 = 3 paws (pendant + hub + two others), nothing else
    graph = nx.complete_graph(4)
    graph.add_edge(0, 4)
    assert organisation.graphlets(graph) == {"star": 0, "path": 0, "paw": 3, "cycle": 0, "diamond": 0, "clique": 1}
    assert organisation.graphlets(nx.cycle_graph(6)) == {
        "star": 0, "path": 6, "paw": 0, "cycle": 0, "diamond": 0, "clique": 0
    }  # fmt: skip
    assert organisation.graphlets(nx.star_graph(5), 3) == {"path": 10, "triangle": 0}
    with pytest.raises(ComparisonError, match="5 nodes"):
        organisation.graphlets(graph, 5)


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_modularity_refuses_negative_and_infinite_weights(bad):
    graph = np.ones((5, 5))
    graph[0, 1] = bad
    with pytest.raises(ComparisonError):
        organisation.modularity(graph)
    with pytest.raises(ComparisonError):
        organisation.find_communities(graph)
