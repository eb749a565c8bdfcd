"""The kind of comparison that a store names decides how it is drawn."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.compare import kinds, runner
from allometry.compare.result import row
from allometry.report import comparisons, figures
from tests.compare.conftest import make_connectome, worm
from tests.report.samples import ATTRS, title

__all__ = ["make_connectome", "worm"]  # the fixtures of the tests of the comparisons


def test_every_kind_has_its_drawing() -> None:
    assert comparisons.KINDS == kinds.KINDS
    for kind in comparisons.KINDS:
        drawing = importlib.import_module(f"allometry.report.comparisons.{kind}").draw
        assert list(inspect.signature(drawing).parameters) == ["rows", "curves"], kind


def test_a_comparison_that_was_run_is_drawn_as_its_kind(
    worm: dict[str, xr.Dataset], tmp_path: Path, panels: list[Axes]
) -> None:
    paths = {name: str(stores.write(store, tmp_path / f"{name}.zarr")) for name, store in worm.items()}
    options = {"function": ["atlas"], "structure": ["anatomy"], "nulls": 20, "bootstrap": 100, "seed": 5}
    out = str(tmp_path / "out.zarr")
    runner.run({"kind": "structure_function", **options}, paths, out)
    drawing = figures.comparison(out)
    drawing.save(tmp_path / "x.png")
    assert "Against rewired connectomes" in [title(ax) for ax in panels]
    assert drawing.title == f"{stores.open(out).attrs['title']} (out)"
    assert drawing.stores == (out,)


@pytest.mark.parametrize("parameters", [{}, {"kind": "of_a_plugin"}], ids=["no kind", "a kind without drawing"])
def test_a_store_of_no_drawn_kind_is_a_forest(tmp_path: Path, panels: list[Axes], parameters: dict[str, Any]) -> None:
    rows = [
        {**row("edge_recall", "a", "b", 0.4, group="x"), "ci_low": 0.3, "ci_high": 0.6},
        row("edge_recall", "c", "", 0.5),
        row("influence_auc", "a", "b", 0.7),
    ]
    # the name of a curve, which some kind's drawing reads, says nothing
    curves = {"agreement": xr.Dataset({"edge_recall": ("candidate", np.zeros(2))})}
    tree = stores.scores(rows, curves, attrs={**ATTRS, "parameters": parameters, "seed": 1})
    drawing = figures.comparison(stores.write(tree, tmp_path / "x.zarr"))
    drawing.save(tmp_path / "x.png")
    assert [title(ax) for ax in panels] == ["edge recall", "influence auc"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["a b x", "c"]
    bars = panels[0].containers[0][2][0].get_segments()
    np.testing.assert_allclose(bars[0], [[0.3, 0], [0.6, 0]])
    assert drawing.caption.startswith("Scores with their 95 % intervals")
