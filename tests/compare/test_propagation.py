"""Oracles: a simulation that repeats the weights gains nothing, one that knows the truth gains, noise loses."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare import propagation as subject
from allometry.errors import ComparisonError

OPTIONS = {"run": "run", "function": "atlas", "structure": ["anatomy"], "nulls": 39, "bootstrap": 200, "seed": 3}


def point(make: Callable[..., xr.Dataset], names: list[str], response: np.ndarray, **parameters: float) -> xr.Dataset:
    store = make(names, functional=response)
    store.attrs["parameters"] = {"connectome": "anatomy", **parameters}
    return store


@pytest.fixture(scope="module")
def inputs(worm: dict[str, xr.Dataset], make_connectome: Callable[..., xr.Dataset]) -> dict[str, xr.Dataset]:
    rng = np.random.default_rng(8)
    names = worm["anatomy"]["node"].values.tolist()
    _, weight = stores.to_dense(worm["anatomy"])
    _, q = stores.to_dense(worm["atlas"], "functional", "q")
    truth = np.where(q < 0.05, 1.0, 0.0) + rng.normal(size=weight.shape)
    return {
        "atlas": worm["atlas"],
        "anatomy": worm["anatomy"],
        "same": point(make_connectome, names, 3.0 * weight, weight_mv=0.275, gap_mv=0.0),
        "truth": point(make_connectome, names, truth, weight_mv=1.1, gap_mv=0.0),
        "random": point(make_connectome, names, rng.normal(size=weight.shape), weight_mv=2.2, gap_mv=0.05),
    }


@pytest.fixture(scope="module")
def result(inputs: dict[str, xr.Dataset]) -> subject.Result:
    return subject.propagation(inputs, **OPTIONS)


@pytest.fixture(scope="module")
def rows(result: subject.Result) -> pd.DataFrame:
    return pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"])


def test_a_simulation_that_repeats_the_weights_is_no_better_than_them(rows: pd.DataFrame) -> None:
    same, weight = rows.loc[("influence_auc", "same", "simulated")], rows.loc[("influence_auc", "anatomy", "weight")]
    assert same.score == weight.score
    gain = rows.loc[("influence_auc_gain", "same", "over_weight")]
    assert (gain.score, gain.ci_low, gain.ci_high) == (0, 0, 0)
    assert gain.verdict == "no better than direct weight"
    assert rows.loc[("influence_auc_gain", "same", "over_degree")].verdict == "better than degrees"


def test_a_simulation_that_knows_more_gains(rows: pd.DataFrame) -> None:
    truth = rows.loc[("influence_auc", "truth", "simulated")]
    # two normals one standard deviation apart: AUC = Phi(1 / sqrt 2)
    assert truth.score == pytest.approx(0.760, abs=0.03)
    assert truth.p == pytest.approx(1 / 40)
    assert rows.loc[("influence_auc_indirect", "truth", "simulated")].score == pytest.approx(0.760, abs=0.04)


def test_noise_is_at_chance_and_worse_than_the_weights(rows: pd.DataFrame) -> None:
    noise = rows.loc[("influence_auc", "random", "simulated")]
    assert noise.ci_low < 0.5 < noise.ci_high
    assert noise.p > 0.05
    gain = rows.loc[("influence_auc_gain", "random", "over_weight")]
    assert gain.verdict == "worse than direct weight"
    assert gain.p > 0.9
    assert (noise.weight_mv, noise.gap_mv, noise.connectome) == (2.2, 0.05, "anatomy")


def test_gains_are_differences_of_the_areas(rows: pd.DataFrame) -> None:
    for name in ("same", "truth", "random"):
        for group in ("weight", "path_length", "degree"):
            gain = rows.loc[("influence_auc_gain", name, f"over_{group}")]
            simulated = rows.loc[("influence_auc", name, "simulated")]
            assert gain.score == pytest.approx(
                simulated.score - rows.loc[("influence_auc", "anatomy", group)].score, abs=1e-12
            )
            assert gain.ci_low <= gain.score <= gain.ci_high


def test_curves_follow_the_weight_per_synapse(result: subject.Result, rows: pd.DataFrame) -> None:
    curve = result.curves["influence_auc_by_weight"]
    assert curve["candidate"].values.tolist() == ["same", "truth", "random"]
    for i, name in enumerate(curve["candidate"].values):
        assert curve["auc"].values[i] == rows.loc[("influence_auc", name, "simulated")].score
    roc = result.curves["influence_roc"]
    assert roc["predictor"].values.tolist() == ["weight", "path_length", "degree", "same", "truth", "random"]
    assert np.isfinite(result.curves["influence_auc_null"]["auc"].values).all()


def test_simulated_nulls_are_used_where_the_run_has_enough(
    inputs: dict[str, xr.Dataset], make_connectome: Callable[..., xr.Dataset]
) -> None:
    rng = np.random.default_rng(6)
    names = inputs["anatomy"]["node"].values.tolist()
    null = {
        f"null{i}": point(make_connectome, names, rng.normal(size=(80, 80)), weight_mv=1.1, gap_mv=0.0, rewiring=i)
        for i in range(1, 20)
    }
    chosen = {name: inputs[name] for name in ("atlas", "anatomy", "truth")}
    rows = pd.DataFrame(subject.propagation({**chosen, **null}, **OPTIONS).rows)
    simulated = rows[(rows.measure == "influence_auc") & (rows.group == "simulated")]
    assert simulated["null"].tolist() == ["simulated on rewired connectomes"]
    assert simulated["p"].tolist() == [1 / 20]


def test_wrong_stores_are_named(inputs: dict[str, xr.Dataset]) -> None:
    plain = {name: inputs[name] for name in ("atlas", "anatomy")}
    with pytest.raises(ComparisonError, match="no points"):
        subject.propagation(plain, **OPTIONS)
    with pytest.raises(ComparisonError, match="no store of simulated"):
        subject.propagation({**plain, "x": inputs["anatomy"]}, **OPTIONS)
    chosen = {"atlas": inputs["atlas"], "same": inputs["same"], "other": inputs["anatomy"]}
    with pytest.raises(ComparisonError, match="simulates anatomy, which is not among"):
        subject.propagation(chosen, **{**OPTIONS, "structure": ["other"]})
