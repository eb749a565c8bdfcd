"""Oracles: a simulation that repeats the weights gains nothing, one that knows the truth gains, noise loses."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds.propagation import comparison as subject
from allometry.errors import ComparisonError

OPTIONS = {"run": "run", "function": "atlas", "structure": ["anatomy"], "nulls": 39, "bootstrap": 200, "seed": 3}


def point(make: Callable[..., xr.Dataset], names: list[str], response: np.ndarray, **parameters: float) -> xr.Dataset:
    store = make(names, functional=response)
    stores.set_attributes(store, parameters={"connectome": "anatomy", **parameters})
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
        "same": point(make_connectome, names, 3.0 * weight, weight_mv=0.275, gap_junction=0.0),
        "truth": point(make_connectome, names, truth, weight_mv=1.1, gap_junction=0.0),
        "random": point(make_connectome, names, rng.normal(size=weight.shape), weight_mv=2.2, gap_junction=0.05),
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
    assert (gain.verdict, gain.baseline, gain.difference) == ("no better", "weight", 0)
    assert rows.loc[("influence_auc_gain", "same", "over_degree")].verdict == "better"


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
    assert gain.verdict == "worse"
    assert gain.p > 0.9
    assert (noise.weight_mv, noise.gap_junction, noise.connectome) == (2.2, 0.05, "anatomy")


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


def with_null(store: xr.Dataset, null: list[np.ndarray]) -> xr.Dataset:
    """Add responses [driven, responding] of rewired connectomes."""
    source, target = store["source"].values, store["target"].values
    values = np.stack([matrix[source, target] for matrix in null], axis=1).astype(np.float32)
    return store.assign(null=(("edge", "rewiring"), values, {"units": "mV"}))


@pytest.mark.parametrize("count", [2, 19])
def test_simulated_points_are_held_against_their_own_rewirings(inputs: dict[str, xr.Dataset], count: int) -> None:
    rng = np.random.default_rng(6)
    _, truth = stores.to_dense(inputs["truth"], "functional")
    noise = [rng.normal(size=truth.shape) for _ in range(count)]
    equal = [np.nan_to_num(truth)] * count
    chosen = {
        **{name: inputs[name] for name in ("atlas", "anatomy")},
        "truth": with_null(inputs["truth"], noise),
        "no_more_than_degrees": with_null(inputs["truth"], equal),
    }
    result = subject.propagation(chosen, **OPTIONS)
    rows = pd.DataFrame(result.rows)
    simulated = rows[(rows.measure == "influence_auc") & (rows.group == "simulated")].set_index("candidate")
    assert set(simulated["null"]) == {"simulated on degree-preserving rewirings"}
    assert simulated.loc["truth"].p == pytest.approx(1 / (count + 1))
    assert simulated.loc["no_more_than_degrees"].p == 1
    null = result.curves["influence_auc_null"]
    drawn = null["auc"].values[null["candidate"].values.tolist().index("no_more_than_degrees")]
    assert drawn[:count].tolist() == [simulated.loc["truth"].score] * count
    assert np.isnan(drawn[count:]).all()
    assert f"on {count} connectomes" in result.derived["null"]
    assert "exchanged" not in result.derived["null"]


def test_a_point_without_rewirings_says_that_neurons_were_exchanged(result: subject.Result, rows: pd.DataFrame) -> None:
    assert rows.loc[("influence_auc", "truth", "simulated"), "null"] == "neurons of similar degree exchanged"
    assert "39 relabellings" in result.derived["null"]
    assert "same simulation" not in result.derived["null"]


def test_wrong_stores_are_named(inputs: dict[str, xr.Dataset]) -> None:
    plain = {name: inputs[name] for name in ("atlas", "anatomy")}
    with pytest.raises(ComparisonError, match="no points"):
        subject.propagation(plain, **OPTIONS)
    with pytest.raises(ComparisonError, match="no store of simulated"):
        subject.propagation({**plain, "x": inputs["anatomy"]}, **OPTIONS)
    chosen = {"atlas": inputs["atlas"], "same": inputs["same"], "other": inputs["anatomy"]}
    with pytest.raises(ComparisonError, match="simulates anatomy, which is not among"):
        subject.propagation(chosen, **{**OPTIONS, "structure": ["other"]})


def test_pairs_of_one_class_have_no_area(
    inputs: dict[str, xr.Dataset], make_connectome: Callable[..., xr.Dataset]
) -> None:
    names = inputs["atlas"]["node"].values.tolist()
    _, value = stores.to_dense(inputs["atlas"], "functional")
    _, q = stores.to_dense(inputs["atlas"], "functional", "q")
    _, weight = stores.to_dense(inputs["anatomy"])
    # every measured pair without an edge is an influence, and only left neurons were stimulated: no mirrored pair
    q = np.where(weight > 0, q, np.where(np.isfinite(q), 0.01, np.nan)).astype(float)
    value = value.astype(float)
    q[1::2], value[1::2] = np.nan, np.nan
    atlas = make_connectome(names, functional=value, q=q)
    found = pd.DataFrame(subject.propagation({**inputs, "atlas": atlas}, **OPTIONS).rows)
    assert "influence_auc_indirect" not in set(found["measure"])
    areas = found[found["measure"] == "influence_auc"]
    assert areas["ceiling_low"].isna().all()
    assert areas["score"].notna().all()
