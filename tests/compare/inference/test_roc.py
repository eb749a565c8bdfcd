"""Oracles: scikit-learn, the definition over all pairs, and the coverage of the intervals."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from allometry.compare.inference import roc as rc
from allometry.errors import ComparisonError


def scores(seed: int, n: int = 300, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.3
    score = rng.normal(size=n) + label
    return (np.round(score * 2) if ties else score), label


@pytest.mark.parametrize("ties", [True, False])
def test_auc_equals_scikit_learn_and_ignores_nan(ties: bool) -> None:
    score, label = scores(0, ties=ties)
    assert rc.auc(score, label) == pytest.approx(roc_auc_score(label, score))
    assert rc.auc(np.append(score, np.nan), np.append(label, True)) == pytest.approx(rc.auc(score, label))


def test_roc_curve_equals_scikit_learn() -> None:
    score, label = scores(1)
    ours = rc.roc(score, label)
    false, true, _ = roc_curve(label, score, drop_intermediate=False)
    assert ours.false_positive == pytest.approx(false)
    assert ours.true_positive == pytest.approx(true)
    assert np.trapezoid(ours.true_positive, ours.false_positive) == pytest.approx(ours.auc)


def delong(score: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """AUC and its standard error for independent items, from the structural components (DeLong et al. 1988)."""
    x, y = score[label], score[~label]
    psi = (x[:, None] > y[None]) + 0.5 * (x[:, None] == y[None])
    error = np.sqrt(psi.mean(axis=1).var(ddof=1) / x.size + psi.mean(axis=0).var(ddof=1) / y.size)
    return float(psi.mean()), float(error)


def test_cluster_bootstrap_of_singletons_agrees_with_delong() -> None:
    score, label = scores(3)
    single = rc.cluster_bootstrap(score, label, np.arange(score.size), seed=0, n=2000)
    area, error = delong(score, label)
    assert single.estimate == pytest.approx(area)
    assert (single.low, single.high) == pytest.approx((area - 1.96 * error, area + 1.96 * error), abs=0.01)


def test_clusters_that_repeat_one_item_widen_the_interval() -> None:
    score, label = scores(4, n=60, ties=False)
    score, label, cluster = np.repeat(score, 16), np.repeat(label, 16), np.repeat(np.arange(60), 16)
    clustered = rc.cluster_bootstrap(score, label, cluster, seed=0)
    _, error = delong(score, label)
    assert (clustered.high - clustered.low) / (2 * 1.96 * error) == pytest.approx(4, rel=0.15)


def test_one_class_only_is_a_clear_error() -> None:
    with pytest.raises(ComparisonError, match="needs both classes"):
        rc.auc([1.0, 2.0], [True, True])
    with pytest.raises(ComparisonError, match="2 scores for 1 labels"):
        rc.auc([1.0, 2.0], [True])


def test_same_seed_pairs_the_resamples_of_two_scores() -> None:
    score, label = scores(5)
    cluster = np.arange(score.size) % 30
    a = rc.cluster_replicates(score, label, cluster, seed=1, n=50)
    b = rc.cluster_replicates(3 * score - 7, label, cluster, seed=1, n=50)
    assert np.array_equal(a, b)
    expected = roc_auc_score(label, score)
    assert abs(a.mean() - expected) < 0.02
    assert a.std() > 0.005


def test_resamples_in_parts_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    score, label = scores(3)
    cluster = np.arange(score.size) // 10
    expected = rc.cluster_replicates(score, label, cluster, seed=4, n=50)
    monkeypatch.setattr(rc, "BLOCK_BYTES", 8 * 30 * 7)  # seven of thirty clusters at a time
    np.testing.assert_array_equal(rc.cluster_replicates(score, label, cluster, seed=4, n=50), expected)
    assert np.unique(expected).size > 40
