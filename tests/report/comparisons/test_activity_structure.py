"""Figure of activity against structure: every kind of synapse and every baseline has its line."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.activity_structure import activity_structure
from allometry.report.drawing.names import readable
from tests.compare.conftest import make_connectome
from tests.compare.kinds.test_activity_structure import inputs
from tests.report.samples import draw_result, title

__all__ = ["inputs", "make_connectome"]  # the fixtures of the tests of the comparisons


def test_every_row_has_its_point_and_its_ceiling(
    inputs: dict[str, xr.Dataset | xr.DataTree], tmp_path: Path, panels: list[Axes]
) -> None:
    result = activity_structure(inputs, activity=["activity"], structure=["anatomy"], nulls=19, bootstrap=100, seed=1)
    caption = draw_result("activity_structure", result, tmp_path)
    assert "noise ceiling" in caption
    (panel,) = panels
    assert title(panel) == "activity structure correlation"
    rows = pd.DataFrame(result.rows)
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert labels == (rows["candidate"] + " activity " + rows["group"]).map(readable).tolist()
    points = panel.containers[-1][0].get_xdata(orig=False)
    np.testing.assert_allclose(points, rows["score"])
    bands = sorted(patch.get_width() for patch in panel.patches)
    np.testing.assert_allclose(bands, np.sort(rows["ceiling_high"] - rows["ceiling_low"]))
