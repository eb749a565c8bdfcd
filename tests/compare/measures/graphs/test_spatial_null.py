"""What the spatial null keeps (degrees, distance classes, weights: exactly) and what it destroys."""

import numpy as np
import pytest

from allometry.compare.measures.graphs import spatial_null as subject
from allometry.compare.measures.graphs.matrices import rewirings
from allometry.errors import ComparisonError


def network(seed: int, directed: bool = True, nodes: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Positions in a box, connections that become rare with distance, log-normal weights."""
    rng = np.random.default_rng(seed)
    place = rng.random((nodes, 3)) * [4.0, 1.0, 1.0]
    chance = 0.6 * np.exp(-subject.distances(place))
    edge = rng.random((nodes, nodes)) < chance
    weight = edge * rng.lognormal(size=(nodes, nodes))
    np.fill_diagonal(weight, 0)
    if not directed:
        weight = np.triu(weight) + np.triu(weight).T
    return weight, place


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_degrees_classes_and_weights_are_exactly_kept(seed: int, directed: bool) -> None:
    weight, place = network(seed, directed)
    distance = subject.distances(place)
    known = subject.distance_bins(distance, weight != 0, 8)
    assert np.unique(known).size == 8
    for null in subject.spatial_rewirings(weight, distance, 3, bins=8, seed=seed):
        edge, own = null != 0, weight != 0
        assert (edge.sum(axis=0) == own.sum(axis=0)).all()
        assert (edge.sum(axis=1) == own.sum(axis=1)).all()
        assert np.bincount(known[edge], minlength=8).tolist() == np.bincount(known[own], minlength=8).tolist()
        for k in range(8):
            np.testing.assert_allclose(
                np.sort(null[edge & (known == k)]), np.sort(weight[own & (known == k)])
            )  # weights by distance
        if directed:
            np.testing.assert_allclose(null.sum(axis=1), weight.sum(axis=1))
            for node in range(len(weight)):
                mine, before = known[node][edge[node]], known[node][own[node]]
                assert sorted(mine.tolist()) == sorted(before.tolist())
        else:
            assert np.array_equal(null, null.T)
        assert not np.diag(null).any()
        assert (edge & ~own).sum() > 0.3 * own.sum()


def test_wiring_length_is_kept_where_degree_preserving_wiring_grows() -> None:
    weight, place = network(1)
    distance = subject.distances(place)
    own = distance[weight != 0].mean()
    spatial = [distance[null != 0].mean() for null in subject.spatial_rewirings(weight, distance, 3, bins=20, seed=1)]
    plain = [distance[null != 0].mean() for null in rewirings(weight, 3, seed=1)]
    assert spatial == pytest.approx([own] * 3, rel=0.02)
    assert min(plain) > 1.2 * own


def test_what_is_not_spatial_is_destroyed() -> None:
    rng = np.random.default_rng(2)
    weight, place = network(2)
    # every connection answered: reciprocity 1, though distance does not ask for it
    half = np.triu(weight) * (rng.random(weight.shape) < 0.5)
    mutual = np.where(half + half.T > 0, 1.0 + rng.random(weight.shape), 0.0)
    null = next(subject.spatial_rewirings(mutual, subject.distances(place), 1, bins=5, seed=0))
    assert ((null != 0) & (null.T != 0)).sum() < 0.6 * (null != 0).sum()


def test_edges_of_nodes_without_a_position_stay() -> None:
    weight, place = network(3)
    place[:6] = np.nan
    null = next(subject.spatial_rewirings(weight, subject.distances(place), 1, seed=0))
    np.testing.assert_array_equal(null[:6], weight[:6])
    np.testing.assert_array_equal(null[:, :6], weight[:, :6])
    assert not np.array_equal(null, weight)


def test_one_class_is_the_degree_preserving_null_and_draws_differ() -> None:
    weight, place = network(4)
    distance = subject.distances(place)
    first, second = subject.spatial_rewirings(weight, distance, 2, bins=1, seed=0)
    assert not np.array_equal(first, second)
    again = next(subject.spatial_rewirings(weight, distance, 1, bins=1, seed=0))
    np.testing.assert_array_equal(first, again)
    changed = ((first != 0) & (weight == 0)).sum() / (weight != 0).sum()
    plain = next(rewirings(weight, 1, seed=0))
    assert changed == pytest.approx(((plain != 0) & (weight == 0)).sum() / (weight != 0).sum(), abs=0.05)


def test_bad_geometry_is_refused() -> None:
    weight, _ = network(5)
    with pytest.raises(ComparisonError, match="no connected pair"):
        next(subject.spatial_rewirings(weight, np.full((60, 60), np.nan), 1))
    with pytest.raises(ComparisonError, match="not symmetric"):
        next(subject.spatial_rewirings(weight, np.random.default_rng(0).random((60, 60)), 1))
    with pytest.raises(ComparisonError, match="two square matrices"):
        next(subject.spatial_rewirings(weight, np.ones((5, 5)), 1))
    with pytest.raises(ComparisonError):
        subject.distances(np.ones(4))
