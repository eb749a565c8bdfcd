"""Clamps in a configuration: what they name is checked when it is parsed, and each is made by a job of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from allometry import config, stores
from allometry.errors import ConfigError
from allometry.workflow.places import clamps
from allometry.workflow.snakefile import figures, targets
from tests.workflow.conftest import Run

STEPS = {"cells": ["AVAL"], "protocol": "current", "amplitudes": [-10, 10]}


def configured(**changed: Any) -> config.Config:
    return config.validate({"simulate": {"clamps": {"steps": {**STEPS, **changed}}}})


def test_a_clamp_is_a_target_and_a_figure() -> None:
    cfg = configured()
    clamps.check_clamps(cfg)
    registry = config.load_registry(cfg, Path(__file__).parents[3])
    assert set(clamps.clamped("steps")) <= set(targets(cfg, registry)["simulate"])
    drawn = figures(cfg, registry)["simulations"].drawn["simulated_clamp_steps"]
    assert (drawn.plot, drawn.stores) == ("clamp", ("results/simulated/steps.clamp.zarr",))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cells": ["AVA"]}, "has no cell 'AVA'"),
        ({"model": "worm_cell"}, "unknown model of cells"),
        ({"knockouts": {"shk1": ["SHK1"]}}, "AVAL has no channel 'SHK1'"),
        ({"knockouts": {"Not a name": ["EGL19"]}}, "is no valid name"),
        ({"knockouts": {"wild_type": ["EGL19"]}}, "give the knock-out another name"),
        ({"parameters": {"g_EGL19": -1}}, "g_EGL19 is -1"),
        ({"onset_ms": 10.05}, "no whole number of time steps"),
        ({"amplitudes": [1, 1]}, "more than once"),
        ({"amplitudes": []}, "amplitudes"),
        ({"protocol": "dynamic"}, "protocol"),
    ],
)
def test_what_it_names_is_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        clamps.check_clamps(configured(**changed))


@pytest.mark.slow
def test_clamps_are_made(snakemake: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(json.dumps({"simulate": {"clamps": {"steps": STEPS}}}))
    done = snakemake("all", "--cores", "1", "--configfile", str(tmp_path / "c.yaml"), directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stores.open(tmp_path / "results/simulated/steps.clamp.zarr").sizes["step"] == 2
    assert (tmp_path / "results/report/figures/simulated_clamp_steps.png").stat().st_size > 3000
