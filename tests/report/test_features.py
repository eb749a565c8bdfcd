"""Figures of feature models: every model is drawn from small stores of its own, and the caption has its numbers."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from allometry import simulate
from allometry.report import figures
from allometry.simulate.features import run_feature

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("dendritic_sum", {"cells": 20, "clusters": 2}, "40 cells"),
    ("cerebellum_like", {"inputs": 20, "patterns": 30}, "granule cells"),
    ("v2_feedforward", {"cells": 5, "inputs": 8}, "V1 inputs of one V2 cell"),
    ("sparse_rnn_classifier", {"neurons": 30, "epochs": 2}, "FITS DID NOT CONVERGE"),
    (
        "thalamocortical_motifs",
        {"n": 40, "motifs": 2, "preparation_rank": 4, "count": 2, "recorded": 5},
        "median error right state",
    ),
    (
        "low_rank_timing",
        {"construction": "matched", "n": 300, "cues": 2, "longest_cue": 0.1, "recorded": 5, "duration_ms": 2000.0},
        "from the mean field on average",
    ),
]


@pytest.mark.parametrize(("model", "parameters", "said"), CASES, ids=[case[0] for case in CASES])
def test_every_model_is_drawn(client: Any, tmp_path: Path, model: str, parameters: dict[str, Any], said: str) -> None:
    execution = simulate.Execution(threads=1, cluster=client, checkpoint="off", progress=False)
    for seed in (1, 2):
        run_feature(
            {"model": model, "parameters": parameters, "seed": seed}, tmp_path / f"s{seed}.zarr", execution=execution
        )
    drawing = figures.features([tmp_path / "s1.zarr", tmp_path / "s2.zarr"])
    assert said in drawing.caption
    assert drawing.plot == "features"
    assert len(drawing.figure.axes) >= 3
    drawing.save(tmp_path / "drawn.png")
    plt.close("all")
