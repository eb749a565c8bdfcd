"""Figure of trial components: the curve of predictions, and the factors of the first source."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from allometry.compare.kinds.trial_components import trial_components
from tests.compare.kinds.test_trial_components import planted, store
from tests.report.samples import draw_result, title


def test_predictions_and_factors_are_drawn(tmp_path: Path, panels: list[Axes]) -> None:
    result = trial_components(
        {"a": store(planted(1)[0])}, responses=["a"], components=[1, 2], nulls=19, restarts=2, seed=2
    )
    caption = draw_result("trial_components", result, tmp_path)
    assert "the 2 components of a: 24 units, 16 trials" in caption
    assert [title(panel) for panel in panels] == ["Held-out trials", "Time courses", "Trials", "Units"]
    (line,) = [one for one in panels[0].lines if one.get_label() == "a"]
    np.testing.assert_allclose(line.get_ydata(orig=False), result.curves["held_out"]["share"].values[0])
    np.testing.assert_allclose(
        panels[1].lines[0].get_ydata(orig=False), result.curves["factors_0"]["time_factor"].values[:, 0]
    )
