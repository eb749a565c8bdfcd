"""Influence that follows paths of several synapses, or the input of the target alone, is told from one another."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds.propagation import comparison as subject
from allometry.compare.measures.graphs.influence import activation_correlation, chain_strength
from allometry.errors import ComparisonError

NODES, DRIVEN, REWIRINGS = 60, 30, 19


@pytest.fixture(scope="module")
def chemical() -> np.ndarray:
    rng = np.random.default_rng(5)
    count = (rng.random((NODES, NODES)) < 0.08) * rng.integers(1, 30, (NODES, NODES)).astype(float)
    np.fill_diagonal(count, 0)
    return count


@pytest.fixture(scope="module")
def inputs(chemical: np.ndarray, make_connectome: Callable[..., xr.Dataset]) -> dict[str, xr.Dataset]:
    rng = np.random.default_rng(6)
    names = [f"n{i:02d}" for i in range(NODES)]
    sign = np.where(np.arange(NODES) % 5 == 0, -1.0, 1.0)
    anatomy = make_connectome(names, chemical=chemical).assign(sign=("node", sign))
    driven = np.arange(NODES) % 2 == 0
    received = chemical.sum(axis=0)
    chains = chain_strength(chemical * sign[:, None], received, 3)

    def point(response: np.ndarray, weight_mv: float) -> xr.Dataset:
        simulated = np.where(driven[:, None], response, np.nan)
        np.fill_diagonal(simulated, np.nan)
        store = make_connectome(names, functional=simulated)
        stores.set_attributes(store, parameters={"connectome": "anatomy", "weight_mv": weight_mv, "gap_junction": 0.0})
        null = rng.normal(size=(store.sizes["edge"], REWIRINGS))
        return store.assign(null=(("edge", "rewiring"), null))

    # a random order of magnitude: what is kept is the rank
    return {
        "anatomy": anatomy,
        "chains": point(np.exp(3 * chains), 1.0),
        "input": point(np.tile(received, (NODES, 1)) + 0.01 * rng.random((NODES, NODES)), 2.0),
    }


@pytest.fixture(scope="module")
def rows(inputs: dict[str, xr.Dataset]) -> pd.DataFrame:
    result = subject.propagation(inputs, run="run", structure=["anatomy"], bootstrap=200)
    assert set(result.curves) == {"activation_by_weight"}
    return pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"])


def test_influence_along_paths_is_told_by_them(rows: pd.DataFrame) -> None:
    for measure in ("activation_correlation", "activation_correlation_indirect"):
        found = rows.loc[(measure, "chains", "multi_step")]
        assert found.score == pytest.approx(1.0)
        assert found.verdict == "better"
        assert found.p == pytest.approx(1 / (REWIRINGS + 1))
        assert found.n == DRIVEN
    assert rows.loc[("activation_correlation", "chains", "direct")].score < 0.8
    assert ("activation_correlation_indirect", "chains", "direct") not in rows.index
    null = rows.loc[("activation_correlation", "chains", "multi_step, rewired connectomes")]
    # the mean of 30 correlations over 59 targets, drawn 19 times: deviation .024 each
    assert abs(null.score) < 0.03
    assert -0.1 < null.ci_low < 0 < null.ci_high < 0.1


def test_influence_by_the_input_of_the_target_is_told_by_that(rows: pd.DataFrame) -> None:
    assert rows.loc[("activation_correlation", "input", "input_strength")].score == pytest.approx(1.0, abs=1e-3)
    found = rows.loc[("activation_correlation", "input", "multi_step")]
    assert (found.verdict, found.baseline) == ("worse", "input_strength")
    # the other point of the run has another influence: what the weight changes no wiring tells
    assert found.ceiling_low == rows.loc[("activation_correlation", "chains", "multi_step")].ceiling_low < 0.9
    assert found.ceiling_high == 1


def test_strength_of_chains_is_the_sum_over_paths(chemical: np.ndarray) -> None:
    small = chemical[:8, :8] + np.eye(8, k=1)
    received = small.sum(axis=0) + 1.0
    share = small / received
    expected = np.zeros((8, 8))
    for i, j in product(range(8), range(8)):
        expected[i, j] = share[i, j]
        expected[i, j] += sum(share[i, k] * share[k, j] for k in range(8))
        expected[i, j] += sum(share[i, k] * share[k, m] * share[m, j] for k in range(8) for m in range(8))
    np.testing.assert_allclose(chain_strength(small, received, 3), expected, atol=1e-12)
    with pytest.raises(ComparisonError, match="steps is 0"):
        chain_strength(small, received, 0)
    with pytest.raises(ComparisonError, match="square matrix"):
        chain_strength(small[:3], received, 2)


def test_correlations_are_row_by_row() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 30))
    y = np.stack([2 * x[0], -x[1], np.ones(30), x[3]])
    y[3, 5:] = np.nan
    np.testing.assert_allclose(activation_correlation(x, y), [1, -1, np.nan, np.nan])


def test_neurons_that_reach_nobody_are_refused(
    inputs: dict[str, xr.Dataset], make_connectome: Callable[..., xr.Dataset]
) -> None:
    names = inputs["anatomy"]["node"].values.tolist()
    silent = np.full((NODES, NODES), np.nan)
    silent[:12] = 0.0
    silent[:3, 20:] = np.arange(40)
    np.fill_diagonal(silent, np.nan)
    point = make_connectome(names, functional=silent)
    stores.set_attributes(point, parameters={"connectome": "anatomy", "weight_mv": 1.0})
    with pytest.raises(ComparisonError, match="3 of 12 driven neurons do anything"):
        subject.propagation({"anatomy": inputs["anatomy"], "silent": point}, run="run", structure=["anatomy"])


def test_influence_that_ends_at_direct_targets_has_no_indirect_rows(
    inputs: dict[str, xr.Dataset], chemical: np.ndarray, make_connectome: Callable[..., xr.Dataset]
) -> None:
    names = inputs["anatomy"]["node"].values.tolist()
    direct = chemical.copy()
    np.fill_diagonal(direct, np.nan)
    point = make_connectome(names, functional=direct)
    stores.set_attributes(point, parameters={"connectome": "anatomy", "weight_mv": 1.0})
    result = subject.propagation({"anatomy": inputs["anatomy"], "weak": point}, run="run", structure=["anatomy"])
    assert {row["measure"] for row in result.rows} == {"activation_correlation"}
    assert "only where 10 driven neurons" in result.derived["indirect"]
