"""Figures of comparisons: every connectome is drawn, however many there are, and legends cover nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.comparisons import worm

NAMES = [f"c{i:02d}" for i in range(11)]
ROW = {"reference": "atlas", "group": "", "ci_low": 0.4, "ci_high": 0.6, "ceiling_low": np.nan, "ceiling_high": np.nan}


def _styles(ax: Axes, points: int) -> list[tuple[Any, Any]]:
    return [(line.get_color(), line.get_linestyle()) for line in ax.lines if len(line.get_xdata()) == points]


def test_eleven_connectomes_have_eleven_curves(tmp_path: Path, panels: list[Axes]) -> None:
    grid = np.linspace(0, 1, 21)
    names = {"candidate": ("combination", NAMES), "reference": ("combination", ["atlas"] * 11)}
    curves = {
        "influence_roc": xr.Dataset(
            {"true_positive": (("combination", "false_positive"), np.tile(grid, (11, 1)))},
            coords=names | {"false_positive": grid},
        ),
        "influence_auc_null": xr.Dataset({"auc": (("combination", "rewiring"), np.full((11, 9), 0.5))}, coords=names),
        "influence_by_path_length": xr.Dataset(
            {"influence": (("combination", "path"), np.full((11, 3), 0.1))}, coords=names | {"path": ["1", "2", "none"]}
        ),
    }
    rows = [
        {**ROW, "measure": measure, "candidate": name, "group": group, "score": 0.5}
        for name in NAMES
        for measure, group in (
            *(("influence_auc", f"group{i}") for i in range(9)),
            ("influence_auc", "weight"),
            ("influence_given_edge", ""),
            ("influence_without_edge", ""),
        )
    ]
    worm.structure_function(pd.DataFrame(rows), curves, tmp_path / "x.png")
    roc, _, _, path, null, predictor = panels
    assert len(set(_styles(roc, 21))) == 11
    assert len(set(_styles(path, 3))) == 11
    assert len(set(_styles(null, 2))) == 11
    assert [text.get_text() for text in roc.get_legend().get_texts()] == NAMES
    assert len(predictor.containers) == 10


def test_every_simulated_connectome_has_its_curve_and_its_own_baselines(tmp_path: Path, panels: list[Axes]) -> None:
    weight = [0.1, 0.2]
    connectome = np.repeat(NAMES, 2)
    value = np.repeat(np.linspace(0.5, 0.6, 11), 2)
    names = [f"{name}_{w}" for name, w in zip(connectome, weight * 11)]
    fields = (
        "auc",
        "ci_low",
        "ci_high",
        "gain",
        "gain_low",
        "gain_high",
        "auc_weight",
        "auc_path_length",
        "auc_degree",
    )
    shown = xr.Dataset(
        dict.fromkeys(fields, ("point", value)),
        coords={
            "candidate": ("point", names),
            "connectome": ("point", connectome),
            "weight_mv": ("point", weight * 11),
            "gap_junction": ("point", np.zeros(22)),
        },
    )
    null = xr.Dataset({"auc": (("candidate", "draw"), np.full((22, 5), 0.5))}, coords={"candidate": names})
    rows = pd.DataFrame(
        [{**ROW, "measure": "influence_auc_gain", "group": "over_weight", "score": 0.0, "verdict": "no better"}]
    )
    worm.propagation(rows, {"influence_auc_by_weight": shown, "influence_auc_null": null}, tmp_path / "x.png")
    auc, gain, _ = panels
    labels = [text.get_text() for text in auc.get_legend().get_texts()]
    for i, name in enumerate(NAMES):
        assert sum(label.startswith(f"{name},") for label in labels) == 1
        (box,) = [box for box in auc.containers if str(box.get_label()).startswith(f"{name},")]
        own = [
            (line.get_ydata()[0], line.get_linestyle())
            for line in auc.lines
            if line.get_color() == box[0].get_color() and list(line.get_xdata()) == [0, 1]
        ]
        for style in ("--", "-.", ":"):  # weight, path length, degree
            assert (pytest.approx(0.5 + 0.01 * i), style) in own
    assert sum("alone" in label for label in labels) == 3
    assert auc.get_window_extent().height > 150  # the legend leaves the panel its room
    assert len(gain.containers) == 11
    assert len({(box[0].get_color(), box[0].get_linestyle()) for box in gain.containers}) == 11
