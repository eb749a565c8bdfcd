"""Oracles: subsampled copies have known recall and precision; unrelated graphs agree no more than their nulls."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry.compare.kinds import connectome_agreement as subject
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


def test_unrelated_graphs_share_what_chance_gives(rows: pd.DataFrame) -> None:
    recall = rows.loc[("edge_recall", "other", "full", "chemical")]
    assert recall.score == pytest.approx(0.1, abs=0.03)
    assert recall.p > 0.05
    weight = rows.loc[("weight_rank_correlation", "other", "full", "chemical")]
    assert weight.ci_low < 0 < weight.ci_high
    assert weight.p > 0.05


def test_rows_equal_agreement_of_the_matrices(stores: dict[str, xr.Dataset], rows: pd.DataFrame) -> None:
    from allometry import stores as store

    (labels_a, a), (labels_b, b) = (store.to_dense(stores[name], "chemical") for name in ("other", "part"))
    expected = agreement(a, b, labels_a.tolist(), labels_b.tolist())
    for measure, value in (("edge_recall", expected.recall), ("edge_jaccard", expected.jaccard)):
        assert rows.loc[(measure, "other", "part", "chemical")].score == pytest.approx(value)


def test_a_kind_nobody_has_is_named(stores: dict[str, xr.Dataset]) -> None:
    with pytest.raises(ComparisonError, match="have electrical edges"):
        subject.connectome_agreement(stores, structure=["full", "part"], synapses=["electrical"])
