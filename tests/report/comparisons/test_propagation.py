"""Figure of simulated propagation: every simulated connectome has its curve and its own baselines."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.comparisons.propagation import draw

NAMES = [f"c{i:02d}" for i in range(11)]


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
        [{"measure": "influence_auc_gain", "group": "over_weight", "score": 0.0, "verdict": "no better"}]
    )
    draw(rows, {"influence_auc_by_weight": shown, "influence_auc_null": null}).save(tmp_path / "x.png")
    auc, gain, _ = panels
    figure = auc.get_figure(root=True)
    assert figure is not None
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
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


def test_influence_against_the_wiring_has_a_line_for_each_predictor(tmp_path: Path, panels: list[Axes]) -> None:
    groups = ["multi_step", "direct", "path_length"]
    score = np.linspace(0.1, 0.6, 12)
    shown = xr.Dataset(
        {
            "weight_mv": ("row", np.tile([0.3, 1.1], 6)),
            "score": ("row", score),
            "low": ("row", score - 0.05),
            "high": ("row", score + 0.05),
        },
        coords={
            "connectome": ("row", np.repeat(["larva", "fly"], 6)),
            "group": ("row", np.tile(np.repeat(groups, 2), 2)),
        },
    )
    rows = pd.DataFrame(
        {
            "measure": "activation_correlation",
            "group": "multi_step",
            "score": [0.1, 0.2],
            "verdict": ["worse", "better"],
            "baseline": "direct",
            "difference": [-0.1, 0.1],
        }
    )
    drawing = draw(rows, {"activation_by_weight": shown})
    assert "Paths of several synapses are, where they tell most, better than direct" in drawing.caption
    drawing.save(tmp_path / "x.png")
    larva, fly = panels
    for ax, first in ((larva, 0), (fly, 6)):
        drawn = [box[0].get_ydata().tolist() for box in ax.containers]
        assert drawn == [score[first + k : first + k + 2].tolist() for k in (0, 2, 4)]
    figure = larva.get_figure(root=True)
    assert figure is not None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["multi step", "direct", "path length"]
