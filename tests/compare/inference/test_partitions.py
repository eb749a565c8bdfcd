"""Mutual information against scikit-learn, its interval against repeated draws, its chance level against permutations."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from sklearn.metrics import normalized_mutual_info_score

from allometry.compare.inference import partitions as subject
from allometry.compare.measures.graphs.organisation import find_communities
from allometry.compare.measures.tensors import affinity
from allometry.errors import ComparisonError


@pytest.mark.parametrize("seed", range(4))
def test_nmi_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 60)
    b = np.where(rng.random(60) < 0.6, a, rng.integers(0, 3, 60))
    assert subject.nmi(a, b) == pytest.approx(normalized_mutual_info_score(a, b))
    assert subject.nmi(a, (a + 2) % 4) == pytest.approx(1)


def test_items_without_a_community_are_left_out() -> None:
    a, b = np.array([0, 0, 1, 1, -1, 0]), np.array([1, 1, 0, 0, 1, -1])
    assert subject.nmi(a, b) == pytest.approx(1)
    assert np.isnan(subject.nmi(np.zeros(5, dtype=int), np.zeros(5, dtype=int)))
    assert np.isnan(subject.nmi(np.array([-1, 0]), np.array([0, -1])))
    with pytest.raises(ComparisonError):
        subject.nmi([0, 1], [0, 1, 1])


def test_interval_covers_the_value_of_many_items() -> None:
    rng = np.random.default_rng(5)

    def draw(items: int) -> list[tuple[np.ndarray, np.ndarray]]:
        a = rng.integers(0, 2, items)
        return [(a, np.where(rng.random(items) < 0.8, a, 1 - a))]

    truth = subject.mean_nmi(draw(200_000))
    inside = 0
    for _ in range(100):
        found = subject.jackknife_nmi(draw(120))
        inside += found.low <= truth <= found.high
    assert 88 <= inside <= 100


def test_chance_is_what_unrelated_partitions_reach() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    null = subject.chance_nmi([(a, b)], 300, seed=1)
    expected = np.mean([normalized_mutual_info_score(rng.permutation(a), b) for _ in range(80)])
    assert null.mean() == pytest.approx(expected, abs=0.02)
    assert subject.mean_nmi([(a, a), (a, b)]) == pytest.approx((1 + subject.nmi(a, b)) / 2)


def test_leiden_is_the_best_of_its_runs_on_a_graph_of_known_communities() -> None:
    group = np.repeat(np.arange(4), 8)
    rng = np.random.default_rng(1)
    source, target = np.triu_indices(32, 1)
    weight = np.where(group[source] == group[target], 1.0, 0.05) * rng.uniform(0.5, 1.5, source.size)
    member, q = subject.leiden(32, source, target, weight, seed=3)
    assert subject.nmi(member, group) == 1
    # Newman's Q by its definition
    matrix = np.zeros((32, 32))
    matrix[source, target] = matrix[target, source] = weight
    strength, total = matrix.sum(axis=0), matrix.sum()
    expected = ((matrix - np.outer(strength, strength) / total) * (member[:, None] == member)).sum() / total
    assert q == pytest.approx(expected)
    single = [subject.leiden(32, source, target, rng.permutation(weight), seed=k, restarts=1)[1] for k in range(3)]
    assert all(0 < value < q for value in single)


def test_communities_of_affinities_and_of_graphs_are_the_same() -> None:
    weights = np.random.default_rng(4).gamma(0.3, size=30 * 29 // 2)
    label, _ = affinity.communities(weights, seed=5)
    np.testing.assert_array_equal(label, find_communities(squareform(weights), seed=5))


def test_labels_as_stores_hold_them() -> None:
    """Text of variable length, which numpy does not cast to one of a fixed length."""
    stored = np.array(["left", "right", "left", "right"], np.dtypes.StringDType())
    assert subject.nmi(stored, np.array(["a", "b", "a", "b"])) == pytest.approx(1)
    assert subject.nmi(stored, stored) == pytest.approx(1)
