"""Points of feature models: fits, stores, and one store of all of them that comparisons of recordings read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds import find
from allometry.errors import SimulationError
from allometry.simulate.features import fit_feature, gather, read_fit, run_feature

SUM: dict[str, Any] = {"cells": 30, "angles": 8, "repeats": 4, "noise": 0.2}
CLASSIFIER: dict[str, Any] = {"neurons": 30, "degree": 3.0, "load": 0.3, "epochs": 2, "readout_share": 0.2}


def point(model: str, parameters: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    return {"kind": "feature", "model": model, "parameters": parameters, "seed": seed}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder, found = tmp_path_factory.mktemp("points"), []
    for clusters in (0, 12):
        path = folder / f"c{clusters}.zarr"
        run_feature(point("dendritic_sum", {**SUM, "clusters": clusters}), path)
        found.append({"network": f"clusters {clusters}, seed 1", "path": str(path)})
    return found


def test_a_point_is_a_store_of_responses(networks: list[dict[str, str]]) -> None:
    store = stores.open(networks[0]["path"])
    assert isinstance(store, xr.Dataset)
    assert store.sizes == {"unit": 60, "presentation": 32}
    assert stores.attribute(store, "parameters")["parameters"]["event"] == 25.0
    assert store.attrs["seed"] == 1
    assert store["map_orientation"].attrs["units"] == "degree"
    assert "fit" not in store.attrs


def test_the_same_point_has_the_same_content(networks: list[dict[str, str]], tmp_path: Path) -> None:
    run_feature(point("dendritic_sum", {**SUM, "clusters": 0}), tmp_path / "again.zarr")
    contents = [stores.read_manifest(path)["content"] for path in (networks[0]["path"], tmp_path / "again.zarr")]
    assert contents[0] == contents[1]
    with pytest.raises(Exception, match="exists"):
        run_feature(point("dendritic_sum", SUM), tmp_path / "again.zarr")


def test_comparisons_of_recordings_read_a_run(networks: list[dict[str, str]], tmp_path: Path) -> None:
    out = tmp_path / "run.responses.zarr"
    gather(networks, out, model="dendritic_sum", populations=["soma"], max_units=20)
    store = stores.open(out)
    assert store.sizes["unit"] == 40
    assert set(store["area"].values.tolist()) == {"clusters 0, seed 1 soma", "clusters 12, seed 1 soma"}
    result = find("population_code")({"run": store}, simulated=["run"], nulls=20, subsets=2, splits=5)
    osi = {
        row["candidate"]: row["score"] for row in result.rows if row["measure"] == "osi" and row["role"] != "baseline"
    }
    assert osi["run clusters 12, seed 1 soma"] > osi["run clusters 0, seed 1 soma"] + 0.02


def test_a_run_that_showed_other_stimuli_is_refused(networks: list[dict[str, str]], tmp_path: Path) -> None:
    other = tmp_path / "other.zarr"
    run_feature(point("dendritic_sum", {**SUM, "angles": 9}), other)
    with pytest.raises(SimulationError, match="was shown other stimuli"):
        gather([*networks, {"network": "other", "path": str(other)}], tmp_path / "x.zarr", model="dendritic_sum")
    with pytest.raises(SimulationError, match="no area is called 'some'"):
        gather(networks, tmp_path / "x.zarr", model="dendritic_sum", populations=["some"])


def test_a_fit_that_does_not_converge_marks_its_store(tmp_path: Path) -> None:
    fit = tmp_path / "one.fit.json"
    fit_feature(point("sparse_rnn_classifier", CLASSIFIER), fit)
    assert json.loads(fit.read_text())["converged"] is False
    run_feature(point("sparse_rnn_classifier", CLASSIFIER), tmp_path / "a.zarr", fit)
    run_feature(point("sparse_rnn_classifier", CLASSIFIER), tmp_path / "b.zarr")
    one, other = (stores.open(tmp_path / name) for name in ("a.zarr", "b.zarr"))
    np.testing.assert_array_equal(one["response"].values, other["response"].values)
    said = stores.attribute(one, "fit")
    assert said["converged"] is False
    assert said["residual"] == read_fit(fit).residual
    assert "did NOT converge" in stores.attribute(one, "derived")["fit"]
    gather(
        [{"network": "seed 1", "path": str(tmp_path / "a.zarr")}],
        tmp_path / "r.zarr",
        model="sparse_rnn_classifier",
        populations=["network"],
    )
    gathered = stores.open(tmp_path / "r.zarr")
    assert gathered["response"].dims == ("unit", "presentation", "lag")
    assert stores.attribute(gathered, "derived")["fit"] == "did NOT converge in 1 of 1 networks: seed 1"


def test_a_file_that_is_no_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.fit.json"
    path.write_text("{}")
    with pytest.raises(SimulationError, match="no fit can be read"):
        read_fit(path)
