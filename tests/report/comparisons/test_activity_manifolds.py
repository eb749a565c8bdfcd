"""Figure of manifolds: with states and without, and bars as high as the explained variance."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from allometry.compare.kinds.activity_manifolds.comparison import activity_manifolds
from tests.compare.kinds.activity_manifolds.test_comparison import worms
from tests.report.samples import draw_result, title


@pytest.mark.parametrize("with_states", [True, False])
def test_manifolds_are_drawn_with_and_without_states(tmp_path: Path, panels: list[Axes], with_states: bool) -> None:
    tree = worms(True, with_states=with_states)
    result = activity_manifolds(
        {"worms": tree}, activity=["worms"], components=2, nulls=5, bootstrap=10, folds=2, block_s=20.0
    )
    text = draw_result("activity_manifolds", result, tmp_path)
    assert len(panels) == (8 if with_states else 4)
    assert ("balanced accuracy across animals" in text) == with_states
    bars = next(ax for ax in panels if title(ax) == "Variance of the derivative")
    heights = [patch.get_height() for patch in bars.patches]
    np.testing.assert_allclose(np.sum(heights), result.curves["manifolds_worms"]["explained"].values.sum())
