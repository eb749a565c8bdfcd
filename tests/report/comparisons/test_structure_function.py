"""Figure of structure against function: every connectome is drawn, however many there are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.comparisons.structure_function import draw

NAMES = [f"c{i:02d}" for i in range(11)]
ROW: dict[str, Any] = {
    "reference": "atlas",
    "group": "",
    "role": "result",
    "ci_low": 0.4,
    "ci_high": 0.6,
    "ceiling_low": np.nan,
    "ceiling_high": np.nan,
}


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
    baseline = {**ROW, "measure": "influence_given_edge", "role": "baseline", "score": 0.2}
    rows += [{**baseline, "candidate": name, "group": group} for name in NAMES for group in ("rewired", "without_edge")]
    draw(pd.DataFrame(rows), curves).save(tmp_path / "x.png")
    roc, _, _, path, null, predictor = panels
    assert len(set(_styles(roc, 21))) == 11
    assert len(set(_styles(path, 3))) == 11
    assert len(set(_styles(null, 2))) == 11
    figure = roc.get_figure(root=True)
    assert figure is not None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == NAMES
    assert len(predictor.containers) == 10
