"""Figures of motifs, manifolds and reservoirs: drawn from results of the comparisons themselves, numbers in the captions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.compare.kinds.activity_manifolds.comparison import activity_manifolds
from allometry.compare.kinds.connectome_reservoir import connectome_reservoir
from allometry.compare.kinds.dynamic_connectome.comparison import dynamic_connectome
from allometry.compare.result import Result
from allometry.report.comparisons import draw
from tests.compare.conftest import ATTRS, make_connectome
from tests.compare.kinds.activity_manifolds.test_comparison import worms
from tests.compare.kinds.dynamic_connectome.test_comparison import recordings
from tests.compare.kinds.test_connectome_reservoir import clustered

__all__ = ["make_connectome"]  # the fixture of the tests of the comparisons


def drawn(result: Result, folder: Path) -> str:
    """Write the Scores store, draw it as the workflow does, and give the description."""
    tree = stores.scores(result.rows, result.curves, attrs={**ATTRS, "title": result.title, "derived": result.derived})
    path = stores.write(tree, folder / "x.zarr")
    draw({"x": str(path)}, folder / "x.png")
    assert (folder / "x.png").stat().st_size > 20_000
    return (folder / "x.json").read_text()


def test_motifs_of_every_store_are_drawn(tmp_path: Path, panels: list[Axes]) -> None:
    inputs: dict[str, xr.Dataset | xr.DataTree] = {"one": recordings(True, 1), "two": recordings(False, 2)}
    result = dynamic_connectome(
        inputs, activity=["one", "two"], ranks=[1, 2, 3], restarts=2, nulls=2, smooth_s=1.0, bin_s=5.0
    )
    text = drawn(result, tmp_path)
    titles = [ax.get_title(loc="left") for ax in panels]
    for name in ("one", "two"):
        assert f"{name}: number of motifs" in titles
        explained = next(
            row["score"] for row in result.rows if row["measure"] == "ntf_explained" and row["reference"] == name
        )
        assert f"{explained:.3f} of the affinities" in text
    shown = [title for title in titles if title.startswith("motif ")]
    count = [result.curves[f"motifs_{name}"].sizes["motif"] for name in ("one", "two")]
    assert len(shown) == sum(min(4, n) for n in count)


@pytest.mark.parametrize("with_states", [True, False])
def test_manifolds_are_drawn_with_and_without_states(tmp_path: Path, panels: list[Axes], with_states: bool) -> None:
    tree = worms(True, with_states=with_states)
    result = activity_manifolds(
        {"worms": tree}, activity=["worms"], components=2, nulls=5, bootstrap=10, folds=2, block_s=20.0
    )
    text = drawn(result, tmp_path)
    assert len(panels) == (8 if with_states else 4)
    assert ("balanced accuracy across animals" in text) == with_states
    bars = next(ax for ax in panels if ax.get_title(loc="left") == "Variance of the derivative")
    heights = [patch.get_height() for patch in bars.patches]
    np.testing.assert_allclose(np.sum(heights), result.curves["manifolds_worms"]["explained"].values.sum())


def test_every_reservoir_has_its_line_and_its_nulls(
    tmp_path: Path, panels: list[Axes], make_connectome: Callable[..., xr.Dataset]
) -> None:
    inputs = {"placed": clustered(make_connectome, True), "free": clustered(make_connectome, False)}
    result = connectome_reservoir(inputs, structure=["placed", "free"], synapses=["chemical"], nulls=5, bins=3, seed=1)
    text = drawn(result, tmp_path)
    memory = panels[0]
    assert sum(line.get_label() == "connectome" for line in memory.lines) == 2
    dots = [line for line in memory.lines if line.get_marker() == "o"]
    assert len(dots) == 5  # three sorts of null where positions are known, two where not
    assert all(len(line.get_xdata()) == 5 for line in dots)
    assert "no spatial null: free" in text
