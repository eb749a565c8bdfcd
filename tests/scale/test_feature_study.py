"""Studies of feature models: statistics of stores with known answers, and a small study from jobs to its store."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import config, stores
from allometry.errors import ConfigError
from allometry.models.features.cerebellum_theory import dimension
from allometry.scale import simulations
from allometry.scale.features import responded
from allometry.scale.features import statistics as feature_statistics
from allometry.scale.jobs import jobs, same_point, under
from allometry.scale.statistics.records import STATISTICS
from allometry.scale.study import write_study
from allometry.simulate import Execution
from allometry.simulate.features import fit_feature, run_feature
from allometry.workflow.checks.names import check_names
from allometry.workflow.places import studies

STUDY: dict[str, Any] = {
    "model": "cerebellum_like",
    "parameters": {"patterns": 400},
    "sizes": [10, 20],
    "schemes": ["cells"],
    "seeds": [1, 2],
    "populations": ["granule"],
    "conditions": {"one": {"parameters": {"degree": 1}}, "four": {"parameters": {"degree": 4}}},
    "statistics": ["dimension", "dimension_theory", "best_degree", "dimension_at_four"],
}
CLASSIFIER: dict[str, Any] = {
    "model": "sparse_rnn_classifier",
    "parameters": {"epochs": 2, "duration_tau": 2.0, "load": 0.4},
    "sizes": [20, 30],
    "schemes": ["load"],
    "seeds": [1, 2],
    "conditions": {"two": {"parameters": {"degree": 2.0}}, "four": {"parameters": {"degree": 4.0}}},
    "statistics": ["accuracy", "strongly_connected", "category_decoding", "smallest_degree"],
}


def configured(study: dict[str, Any]) -> config.Config:
    return config.validate({"scale": {"studies": {"mine": study}}})


def made(study: dict[str, Any], folder: Path) -> xr.DataTree:
    """All jobs of a study and its store, as the rules make them."""
    cfg = configured(study)
    check_names(cfg, {})
    found = studies.study(cfg, "mine")
    measured = studies.measured(cfg, "mine")
    (folder / "jobs").mkdir()
    for name, determined in studies.fits(cfg, "mine").items():
        fit_feature(determined, folder / "jobs" / f"{name}.fit.json")
    spikes = {}
    for name, job in found.jobs.items():
        places = {
            condition: str(folder / "jobs" / name / f"{condition}.zarr") for condition in studies.conditions(found)
        }
        fits = [folder / "jobs" / Path(path).name for path in studies.fits_of(cfg, "mine", name)]
        simulations.simulate_job(job.parameters, list(places.values()), Execution(), fits=fits)
        simulations.measure_job(places, folder / "jobs" / f"{name}.statistics.json", **measured)
        spikes[name] = places
    write_study(
        found.values,
        "mine",
        folder / "mine.zarr",
        statistics=[folder / "jobs" / f"{name}.statistics.json" for name in found.jobs],
        spikes=spikes,
    )
    tree = stores.open(folder / "mine.zarr")
    assert isinstance(tree, xr.DataTree)
    return tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> xr.DataTree:
    return made(STUDY, tmp_path_factory.mktemp("study"))


def test_a_study_of_dimensions(tree: xr.DataTree) -> None:
    root = tree.to_dataset()
    assert root["neurons"].values.tolist() == [[410], [820]]
    assert root["synapses"].values.tolist() == [[1600], [3200]]
    value = root["mean"].sel(population="granule", scheme="cells")
    for size, cells in ((10.0, 400), (20.0, 800)):
        of = value.sel(size=size)
        expected = dimension(int(size), cells, 4, 0.1)
        assert float(of.sel(condition="four", statistic="dimension_theory")) == pytest.approx(expected)
        assert float(of.sel(condition="four", statistic="dimension")) == pytest.approx(expected, rel=0.1)
        assert float(of.sel(condition="all", statistic="best_degree")) == 4
        assert float(of.sel(condition="all", statistic="dimension_at_four")) == 1
        # each input is read by many cells, and no cell adds a dimension
        assert float(of.sel(condition="one", statistic="dimension")) == pytest.approx(size, rel=0.1)
    assert (root["calibration"].values == "").all()
    assert "no mean-field theory" in stores.attribute(tree, "derived")["mean_field"]
    assert stores.attribute(tree, "parameters")["conditions"]["four"]["parameters"] == {"degree": 4}


def test_fits_are_jobs_and_what_they_leave_is_in_the_store(tmp_path: Path) -> None:
    cfg = configured(CLASSIFIER)
    assert len(studies.fits(cfg, "mine")) == 8
    root = made(CLASSIFIER, tmp_path).to_dataset()
    assert (root["calibration"].values == "not converged").all()
    right = root["value"].sel(statistic="accuracy", population="readout")
    worst = 1 - right.sel(condition=["two", "four"]).min(("seed", "condition"))
    np.testing.assert_allclose(root["residual"].values, worst.values)
    assert np.isnan(root["mean"].sel(statistic="smallest_degree", condition="all")).all()
    decoded = root["value"].sel(statistic="category_decoding", population="network", condition=["two", "four"])
    assert ((decoded > 0.2) & (decoded <= 1)).all()
    assert set(np.unique(root["value"].sel(statistic="strongly_connected", population="network", condition="two"))) <= {
        0,
        1,
    }


def read(model: str, parameters: dict[str, Any], folder: Path) -> responded.Responded:
    run_feature({"model": model, "parameters": parameters, "seed": 1}, folder / "x.zarr")
    store = stores.open(folder / "x.zarr")
    assert isinstance(store, xr.Dataset)
    return responded.read(store)


def test_dimension_of_graded_responses_is_that_of_their_covariance(tmp_path: Path) -> None:
    found = read("cerebellum_like", {"cells": 30, "patterns": 4000}, tmp_path)
    # independent inputs of one variance
    assert feature_statistics.dimension(found, "mossy") == pytest.approx(50, rel=0.03)
    assert np.isnan(feature_statistics.dimension_theory(found, "mossy"))
    assert np.isnan(feature_statistics.relative_error(found, "granule"))


def test_statistics_of_v2(tmp_path: Path) -> None:
    found = read("v2_feedforward", {"cells": 4, "inputs": 10}, tmp_path)
    assert feature_statistics.selectivity(found, "V1") == pytest.approx(0.82, abs=0.01)
    assert feature_statistics.selectivity(found, "V2") < 0.82
    assert np.isnan(feature_statistics.elongation(found, "V1"))
    assert 0.5 < feature_statistics.elongation(found, "V2") < 3
    assert feature_statistics.preference_error(found, "V2") < feature_statistics.preference_error(found, "V1")
    assert np.isnan(feature_statistics.texture_index(found, "V2"))


def test_errors_of_readouts(tmp_path: Path) -> None:
    asked = {
        "task": "regression",
        "inputs": 3,
        "cells": 400,
        "degree": None,
        "activation": "rectified",
        "readout": "ridge",
        "patterns": 30,
    }
    found = read("cerebellum_like", asked, tmp_path)
    network, limit = (feature_statistics.relative_error(found, area) for area in ("purkinje", "purkinje, infinite"))
    assert 0 < limit < 0.2
    assert 0 < network < 1
    one = {"a": found}
    assert np.isnan(feature_statistics.best_coding_level(one, "purkinje"))


def test_points_of_runs_are_reused() -> None:
    cfg = configured({**STUDY, "runs": []})
    values = cfg.scale.studies["mine"].model_dump(mode="json")
    job = jobs(values)[0]
    point = under(job.parameters)[1]
    other = {**point, "parameters": {**point["parameters"], "coding_level": 0.2}}
    assert same_point(job, values["conditions"]["four"], [other, {**point, "kind": "feature"}]) == 1
    assert same_point(job, values["conditions"]["one"], [other, point]) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"statistics": ["rate"]}, "unknown statistic of responses 'rate'"),
        ({"duration_ms": 1000}, "cerebellum_like is a feature model"),
        ({"conditions": {"a": {"seed": 1}}}, "seed is of networks"),
        ({"conditions": {"a": {"parameters": {"degre": 1}}}}, "perhaps 'degree' is meant"),
        ({"conditions": {"a": {"parameters": {"degree": 11}}}}, "11 of 10 inputs"),
        ({"conditions": {"a": {"parameters": {"cells": 11}}}}, "what the size decides"),
        ({"sizes": [2, 20]}, "a size of 10 or more"),
        ({"schemes": ["cell"]}, "perhaps 'cells' is meant"),
        ({"model": "dendritic_sum"}, "no other size"),
    ],
)
def test_mistakes_are_explained(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_names(configured({**STUDY, **change}), {})


def test_a_network_has_a_duration_and_no_parameters_by_condition() -> None:
    network = {"model": "brunel", "sizes": [0.1, 0.2], "schemes": ["indegree"], "seeds": [1], "statistics": ["rate"]}
    with pytest.raises(ConfigError, match="no simulated time"):
        check_names(configured(network), {})
    changed = {**network, "duration_ms": 600, "conditions": {"a": {"parameters": {"g": 4.0}}}}
    with pytest.raises(ConfigError, match="changes parameters of the network"):
        check_names(configured(changed), {})


def test_every_statistic_says_what_it_is_of() -> None:
    assert {entry.of for entry in STATISTICS.values()} == {"spikes", "responses"}
    assert all(entry.of == "responses" for name, entry in STATISTICS.items() if "texture" in name or "degree" in name)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("units", [30, 400])
def test_dimension_is_that_of_two_covariances_whichever_way_it_is_found(binary: bool, units: int) -> None:
    rng = np.random.default_rng(units)
    shared = rng.normal(size=(units, 5)) @ rng.normal(size=(5, 101)) + rng.normal(size=(units, 101))
    found = (shared > 1).astype(float) if binary else shared.astype(np.float32).astype(float)
    halves = np.array_split(found, 2, axis=1)
    first, second = (np.cov(half) for half in halves)
    expected = ((np.trace(first) + np.trace(second)) / 2) ** 2 / np.trace(first @ second)
    assert feature_statistics.dimension(_of(found), "a") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("binary", [True, False])
def test_dimension_of_many_cells_needs_no_matrix_of_their_pairs(binary: bool) -> None:
    """28,000 granule cells took 21 GB."""
    rng = np.random.default_rng(1)
    found = rng.normal(size=(20_000, 60))
    one = _of((found > 1).astype(float) if binary else found)
    tracemalloc.start()
    assert feature_statistics.dimension(one, "a") > 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def _of(found: np.ndarray) -> responded.Responded:
    units, presentations = pd.DataFrame({"area": ["a"] * len(found)}), pd.DataFrame(index=range(found.shape[1]))
    return responded.Responded(found, units, presentations, "cerebellum_like", {}, 1, {})
