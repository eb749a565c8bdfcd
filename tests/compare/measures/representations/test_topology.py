"""Topological transforms against rsatoolbox, networkx and the homology of known shapes."""

import importlib

import networkx as nx
import numpy as np
import pytest
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path
from scipy.spatial.distance import pdist, squareform

from allometry.compare.measures.representations import topology as top
from allometry.compare.measures.representations.rdm import rsa
from allometry.errors import ComparisonError


@pytest.fixture
def d():
    return pdist(np.random.default_rng(0).normal(size=(15, 4)))


def test_limits_of_the_geo_topological_transform(d):
    before = d.copy()
    whole = top.geo_topological(d, 0, 1, ranks=False)
    assert np.ptp(whole - (d - d.min()) / np.ptp(d)) == pytest.approx(0, abs=1e-12)  # affine
    assert rsa(top.geo_topological(d, 0, 1), d, "spearman") == pytest.approx(1)
    graph = top.geo_topological(d, 0.4, 0.4)
    assert set(graph) == {0.0, 1.0}
    assert (graph == 0).mean() == pytest.approx(0.4, abs=0.01)
    np.testing.assert_array_equal(d, before)


def test_geo_topological_transform_equals_rsatoolbox(d):
    rsatoolbox = pytest.importorskip("rsatoolbox")
    # rsatoolbox.rdm.transform is a function that hides the module of the same name
    transform = importlib.import_module("rsatoolbox.rdm.transform")
    rdms = rsatoolbox.rdm.RDMs(d[None].copy())  # it overwrites its input
    expected = transform.geotopological_transform(rdms, 0.2, 0.7).get_vectors()[0]
    np.testing.assert_allclose(top.geo_topological(d, 0.2, 0.7, ranks=False), expected, atol=1e-12)


def test_geodesic_equals_networkx(d):
    cut = np.quantile(d, 0.3)
    square = squareform(d)
    graph = nx.Graph()
    graph.add_nodes_from(range(15))
    graph.add_weighted_edges_from((i, j, square[i, j]) for i in range(15) for j in range(i) if square[i, j] <= cut)
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph))
    expected = [lengths[i].get(j, np.inf) for i in range(15) for j in range(i + 1, 15)]
    np.testing.assert_allclose(top.geodesic(d, 0.3), expected)
    np.testing.assert_allclose(top.geodesic(d, 1.0), d)  # Euclidean distances obey the triangle inequality


def test_equal_stimuli_stay_zero_apart():
    x = np.array([[0.0], [0.0], [1.0], [3.0]])
    assert top.geodesic(pdist(x), 0.7).tolist() == [0, 1, 3, 1, 3, 2]


def test_loop_of_the_unit_circle_dies_at_the_square_root_of_three():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = pdist(np.column_stack([np.cos(angle), np.sin(angle)]))
    result = top.persistence(circle)
    assert len(result.diagrams[1]) == 1
    birth, death = result.diagrams[1][0]
    assert birth == pytest.approx(2 * np.sin(np.pi / 60), abs=1e-6)  # ripser works in float32
    assert death == pytest.approx(np.sqrt(3), abs=1e-6)
    assert result.longest() == pytest.approx(death - birth)
    line = pdist(np.linspace(0, 1, 20)[:, None])
    assert top.persistence(line).longest() == 0


def test_trsa_ignores_geometry_beyond_the_neighbourhood():
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(4, 6)) * 30
    labels = np.repeat(np.arange(4), 6)
    a = centres[labels] + rng.normal(size=(24, 6))
    b = (centres * [[1], [2], [3], [4]])[labels] + rng.normal(size=(24, 6))
    within = (labels[:, None] == labels)[np.triu_indices(24, 1)].mean()
    assert top.trsa(pdist(a), pdist(b), within, within) == pytest.approx(1)
    assert top.trsa(pdist(a), pdist(b), 0, 1) < 0.99


def test_mds_reproduces_euclidean_distances():
    x = np.random.default_rng(2).normal(size=(12, 3))
    np.testing.assert_allclose(pdist(top.mds(pdist(x), 3)), pdist(x), atol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: top.geo_topological(np.arange(6.0), 0.8, 0.2),
        lambda: top.geo_topological(np.ones(6), 0.2, 0.8),
        lambda: top.geo_topological(np.arange(5.0), 0.2, 0.8),
        lambda: top.geodesic(np.arange(6.0), 0),
        lambda: top.geodesic(-np.arange(6.0)),
        lambda: top.persistence(-np.arange(6.0)),
        lambda: top.persistence(np.arange(6.0), 9),
        lambda: top.persistence([np.nan] * 6),
        lambda: top.mds(np.arange(6.0), 7),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


@pytest.mark.parametrize("threshold", [0.05, 0.3, 1.0])
def test_geodesic_equals_dijkstra_with_equal_stimuli_and_parts_that_nothing_connects(threshold: float) -> None:
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(size=(50, 3)), rng.normal(size=(30, 3)) + 40])
    x[1] = x[0]
    d = pdist(x)
    graph = squareform(np.where(d <= np.quantile(d, threshold), d, np.inf))
    known = shortest_path(csgraph_from_dense(graph, null_value=np.inf), method="D", directed=False)
    np.testing.assert_allclose(top.geodesic(d, threshold), squareform(known, checks=False), rtol=1e-13)
