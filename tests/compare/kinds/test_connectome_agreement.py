"""Oracles: subsampled copies have known recall and precision; unrelated graphs agree no more than their nulls."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats as scipy_stats

from allometry.compare.kinds import connectome_agreement as subject
from allometry.compare.measures.graphs.edge_weights import weights_within_nodes
from allometry.compare.measures.graphs.structure import agreement
from allometry.errors import ComparisonError


@pytest.fixture(scope="module")
def stores(make_connectome: Callable[..., xr.Dataset]) -> dict[str, xr.Dataset]:
    rng = np.random.default_rng(3)
    names = [f"n{i:03d}" for i in range(90)]
    full = (rng.random((90, 90)) < 0.1) * rng.integers(1, 40, (90, 90)).astype(float)
    np.fill_diagonal(full, 0)
    part = np.where(rng.random((90, 90)) < 0.7, full, 0)  # 70 % of the edges, same weights
    other = rng.permutation(full.ravel()).reshape(90, 90)
    np.fill_diagonal(other, 0)
    return {
        "full": make_connectome(names, chemical=full),
        "part": make_connectome(names[:80], chemical=part[:80, :80]),
        "other": make_connectome(names, chemical=other),
    }


@pytest.fixture(scope="module")
def rows(stores: dict[str, xr.Dataset]) -> pd.DataFrame:
    result = subject.connectome_agreement(stores, structure=["full", "part", "other"], nulls=99, bootstrap=300, seed=2)
    assert result.curves["agreement"].sizes == {"synapse": 2, "candidate": 3, "reference": 3}
    return pd.DataFrame(result.rows).set_index(["measure", "candidate", "reference", "group"])


def test_a_copy_with_missing_edges_has_full_precision_and_its_recall(rows: pd.DataFrame) -> None:
    recall = rows.loc[("edge_recall", "part", "full", "chemical")]
    assert recall.ci_low < 0.7 < recall.ci_high
    assert recall.score == pytest.approx(0.7, abs=0.05)
    assert recall.p == pytest.approx(1 / 100)
    assert rows.loc[("edge_precision", "part", "full", "chemical")].score == 1.0
    assert rows.loc[("edge_recall", "full", "part", "chemical")].score == 1.0
    assert rows.loc[("weight_rank_correlation", "part", "full", "chemical")].score == pytest.approx(1.0)
    assert recall.shared_nodes == 80
    for measure in ("edge_recall", "edge_precision", "edge_jaccard", "weight_rank_correlation"):
        own = rows.loc[(measure, "part", "full", "chemical")]
        assert own.verdict == "better", measure
        assert own.difference_low > 0
        held = rows.loc[(measure, "part", "full", own.baseline)]
        assert held.role == "baseline"
        if measure != "weight_rank_correlation":  # whose difference is the partial correlation
            assert own.difference == pytest.approx(own.score - held.score)
    # about a tenth of all pairs are edges of the reference, a few more among hubs
    assert rows.loc[("edge_precision", "part", "full", "chemical, rewired")].score == pytest.approx(0.12, abs=0.03)


def test_unrelated_graphs_share_what_chance_gives(rows: pd.DataFrame) -> None:
    recall = rows.loc[("edge_recall", "other", "full", "chemical")]
    assert recall.score == pytest.approx(0.1, abs=0.03)
    assert recall.p > 0.05
    for measure in ("edge_recall", "edge_precision", "edge_jaccard", "weight_rank_correlation"):
        assert rows.loc[(measure, "other", "full", "chemical")].verdict != "better", measure
    weight = rows.loc[("weight_rank_correlation", "other", "full", "chemical")]
    assert weight.ci_low < 0 < weight.ci_high
    # About 80 shared edges say no more than the 180 effects of their sources and targets.
    assert np.isnan(weight.p)


def graphs(symmetric: bool, hubs: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same edges twice, with independent weights; `hubs`: every node has an effect on all its edges."""
    edges = rng.random((24, 24)) < 0.4
    np.fill_diagonal(edges, False)
    found = []
    for _ in range(2):
        strength = rng.lognormal(sigma=1, size=24) if hubs else np.ones(24)
        weight = edges * np.ceil(3 * np.outer(strength, strength) * rng.lognormal(sigma=0.5, size=(24, 24)))
        found.append(np.triu(weight) + np.triu(weight).T if symmetric else weight)
    return found[0], found[1]


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("hubs", [False, True])
def test_p_of_weights_is_right_with_node_effects_and_with_electrical_pairs(symmetric: bool, hubs: bool) -> None:
    rng = np.random.default_rng(5)
    p = np.array([weights_within_nodes(*graphs(symmetric, hubs, rng)).p for _ in range(300)])
    # A t test over edges finds agreement in 16 % (directed) and 23 % (symmetric) of these.
    assert 0.02 <= (p < 0.05).mean() <= 0.08
    assert scipy_stats.kstest(p, "uniform").pvalue > 0.001


def test_partial_correlation_of_weights_is_that_of_least_squares_and_counts_symmetric_pairs_once() -> None:
    rng = np.random.default_rng(1)
    for symmetric in (False, True):
        a, b = graphs(symmetric, True, rng)
        b = b + 0.5 * a
        source, target = np.nonzero(np.triu(a) if symmetric else a)
        design = np.zeros((source.size, 48))
        np.add.at(design, (np.arange(source.size), source), 1)
        np.add.at(design, (np.arange(source.size), target if symmetric else 24 + target), 1)
        u, s, _ = np.linalg.svd(design, full_matrices=False)
        basis = u[:, s > 1e-9 * s[0]]
        ranks = [scipy_stats.rankdata(m[source, target]) for m in (a, b)]
        left = [r - basis @ (basis.T @ r) for r in ranks]
        found = weights_within_nodes(a, b)
        assert found.correlation == pytest.approx(np.corrcoef(*left)[0, 1])
        assert found.edges == source.size
        assert found.freedom == source.size - basis.shape[1] - 1
        t = found.correlation * np.sqrt(found.freedom / (1 - found.correlation**2))
        assert found.p == pytest.approx(scipy_stats.t.sf(t, found.freedom))
        assert found.p < 0.05
        assert found.low < found.correlation < found.high


def test_rows_equal_agreement_of_the_matrices(stores: dict[str, xr.Dataset], rows: pd.DataFrame) -> None:
    from allometry import stores as store

    (labels_a, a), (labels_b, b) = (store.to_dense(stores[name], "chemical") for name in ("other", "part"))
    expected = agreement(a, b, labels_a.tolist(), labels_b.tolist())
    for measure, value in (("edge_recall", expected.recall), ("edge_jaccard", expected.jaccard)):
        assert rows.loc[(measure, "other", "part", "chemical")].score == pytest.approx(value)


def test_a_kind_nobody_has_is_named(stores: dict[str, xr.Dataset]) -> None:
    with pytest.raises(ComparisonError, match="have electrical edges"):
        subject.connectome_agreement(stores, structure=["full", "part"], synapses=["electrical"])
