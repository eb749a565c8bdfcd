"""Runs of feature models in a configuration: their points, their fits, and what is refused."""

from typing import Any

import pytest

from allometry import config
from allometry.config import FeatureRun
from allometry.errors import ConfigError
from allometry.workflow import code, snakefile
from allometry.workflow.checks.names import check_names
from allometry.workflow.places import feature_runs, run_responses

RUN: dict[str, Any] = {"kind": "feature", "model": "sparse_rnn_classifier", "parameters": {"epochs": 2}}


def configured(run: dict[str, Any], **more: Any) -> config.Config:
    cfg = config.validate({"simulate": {"runs": {"mine": run}}, **more})
    check_names(cfg, {})
    return cfg


def test_points_are_the_product_of_parameters_and_seeds() -> None:
    run = FeatureRun(**{**RUN, "parameters": {"degree": [2.0, 4.0], "epochs": 2}, "seeds": [1, 2]})
    found = config.points(run)
    assert [point.name.rsplit("_", 1)[0] for point in found] == [
        f"degree{k}_epochs2_s{s}" for k in (2, 4) for s in (1, 2)
    ]
    assert len({point.name for point in found}) == 4
    assert found[0].parameters == {
        "kind": "feature", "model": "sparse_rnn_classifier", "connectome": None, "seed": 1,
        "parameters": {"degree": 2.0, "epochs": 2},
    }  # fmt: skip


def test_points_that_differ_in_what_a_fit_does_not_see_share_it() -> None:
    cfg = configured({**RUN, "parameters": {"record_tau": [0.5, 1.0], "degree": [2.0, 4.0]}})
    fits = feature_runs.fits(cfg, "mine")
    assert len(config.points(cfg.simulate.runs["mine"])) == 4
    assert len(fits) == 2
    read = {
        path
        for point in config.points(cfg.simulate.runs["mine"])
        for path in feature_runs.fit_files(cfg, "mine", point.name)
    }
    assert read == {f"results/simulated/mine/{name}.fit.json" for name in fits}
    assert {fit["parameters"]["degree"] for fit in fits.values()} == {2.0, 4.0}
    assert all("record_tau" not in fit["parameters"] for fit in fits.values())
    # a default that is written out is the same fit
    said = configured({**RUN, "parameters": {"degree": 2.0, "load": 0.5}})
    digests = [{name.rsplit("_", 1)[1] for name in found} for found in (feature_runs.fits(said, "mine"), fits)]
    assert digests[0] < digests[1]


def test_rules_of_runs_are_apart() -> None:
    network = {"kind": "network", "model": "brunel", "parameters": {"scale": 0.01}, "duration_ms": 10}
    cfg = config.validate({"simulate": {"runs": {"mine": RUN, "other": network}}})
    assert feature_runs.names(cfg) == "mine"
    assert snakefile.without_conditions(cfg) == "other"
    assert code.of_run(cfg, "mine") != code.of_run(cfg, "other")
    assert code.of_fit(cfg, "mine") != code.of_run(cfg, "mine")


def test_responses_of_a_run_and_comparisons_that_read_them() -> None:
    gathered = {**RUN, "responses": {"populations": ["network"], "max_units": 20}}
    compared = {"code": {"kind": "population_code", "simulated": ["mine"]}}
    cfg = configured(gathered, compare={"comparisons": compared})
    assert run_responses.with_responses(cfg) == ["mine"]
    (trial,) = run_responses.trials(cfg, "mine")
    assert trial["network"] == "epochs 2, seed 1"
    assert run_responses.responses_options(cfg, "mine") == {
        "model": "sparse_rnn_classifier", "populations": ["network"], "max_units": 20
    }  # fmt: skip
    assert snakefile.comparison_stores(cfg, "code") == {"mine": "results/simulated/mine.responses.zarr"}
    assert "results/simulated/mine.responses.zarr" in snakefile.targets(cfg, {})["simulate"]
    with pytest.raises(ConfigError, match="has no responses"):
        configured(RUN, compare={"comparisons": compared})
    spikes = {"code": {"kind": "spike_statistics", "simulated": ["mine"]}}
    with pytest.raises(ConfigError, match="is of kind feature, which this comparison cannot read"):
        configured(gathered, compare={"comparisons": spikes})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "sparse_rnn"}, "perhaps 'sparse_rnn_classifier' is meant"),
        ({"parameters": {"epoch": 1}}, "perhaps 'epochs' is meant"),
        ({"parameters": {"epochs": "many"}}, "a whole number"),
        ({"parameters": {"degree": "1e1"}}, "without quotes"),
        ({"parameters": {"readout_share": [0.1, 2.0]}}, "above 0 to 1"),
        ({"parameters": {"load": [0.1, 0.2]}, "responses": {}}, "load decides the stimuli"),
        ({"duration_ms": 10}, "duration_ms"),
        ({"seeds": []}, "seeds"),
    ],
)
def test_mistakes_are_explained(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        configured({**RUN, **change})
