"""Mutual information against scikit-learn, its interval against repeated draws, its chance level against permutations."""

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from allometry.compare.inference import partitions as subject
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
