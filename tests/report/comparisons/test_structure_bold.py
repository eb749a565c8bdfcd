"""Figure of structure against BOLD: every subject beside its ceiling and the baselines, every pair of subjects."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.structure_bold import structure_bold
from allometry.report.drawing.names import readable
from tests.compare.conftest import make_connectome
from tests.compare.kinds.test_structure_bold import inputs
from tests.report.samples import draw_result, title

__all__ = ["inputs", "make_connectome"]  # the fixtures of the tests of the comparisons


def test_every_subject_has_its_scores_its_ceiling_and_its_row_of_the_matrix(
    inputs: dict[str, xr.Dataset | xr.DataTree], tmp_path: Path, panels: list[Axes]
) -> None:
    names = [name for name in inputs if name != "bold"]
    result = structure_bold(inputs, activity=["bold"], structure=names, nulls=19, bootstrap=50, seed=1)
    caption = draw_result("structure_bold", result, tmp_path)
    own, matrix, by_weight = panels
    rows = pd.DataFrame(result.rows)
    rows = rows[rows["measure"] == "structure_bold_correlation"].set_index("group")
    assert [label.get_text() for label in own.get_yticklabels()] == [readable(name) for name in names]
    np.testing.assert_allclose(own.containers[-1][0].get_xdata(orig=False), rows.loc["own", "score"])
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in own.patches]
    np.testing.assert_allclose(bands, rows.loc["own", ["ceiling_low", "ceiling_high"]].to_numpy(float))
    marks = {line.get_label(): line.get_xdata() for line in own.lines}
    for group in ("other_subjects", "fibre_length", "strength"):
        np.testing.assert_array_equal(marks[group.replace("_", " ")], rows.loc[group, "score"])
    assert title(matrix) == "Whose structure, whose function"
    np.testing.assert_allclose(np.diag(matrix.images[0].get_array()), rows.loc["own", "score"])
    curve = result.curves["bold_by_weight"]
    np.testing.assert_allclose(by_weight.containers[0][0].get_ydata(orig=False), curve["correlation"])
    mean = rows.loc["mean"]
    assert f"mean over subjects {mean['score']:.3f} [{mean['ci_low']:.3f}" in caption
