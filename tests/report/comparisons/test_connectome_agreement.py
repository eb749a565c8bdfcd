"""Figure of agreement: one matrix per measure and kind of synapse, its numbers in its pixels while there is room."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.connectome_agreement import connectome_agreement
from allometry.report.comparisons.connectome_agreement import draw
from tests.compare.conftest import make_connectome
from tests.report.samples import draw_result, title

__all__ = ["make_connectome"]  # the fixture of the tests of the comparisons


def test_every_measure_of_every_kind_of_synapse_has_its_matrix(
    tmp_path: Path, panels: list[Axes], make_connectome: Callable[..., xr.Dataset]
) -> None:
    rng = np.random.default_rng(4)
    names = [f"n{i:02d}" for i in range(30)]
    weights = [(rng.random((30, 30)) < 0.3) * rng.integers(1, 9, (30, 30)).astype(float) for _ in range(3)]
    for weight in weights:
        np.fill_diagonal(weight, 0)
    inputs = {name: make_connectome(names, chemical=weight) for name, weight in zip("abc", weights)}
    result = connectome_agreement(inputs, structure=["a", "b", "c"], synapses=["chemical"], nulls=9, bootstrap=20)
    caption = draw_result("connectome_agreement", result, tmp_path)
    assert caption.startswith("Row: candidate, column: reference")
    measures = ["edge_recall", "edge_jaccard", "weight_rank_correlation"]
    assert [title(ax) for ax in panels] == [f"{name.replace('_', ' ')}, chemical" for name in measures]
    rows = pd.DataFrame(result.rows).query("role == 'result'").set_index(["measure", "candidate", "reference"])
    # all have the same rows: their names stand at the left once
    assert [[label.get_text() for label in ax.get_yticklabels()] for ax in panels] == [["a", "b", "c"], [], []]
    for ax, measure in zip(panels, measures):
        (drawn,) = ax.images
        assert drawn.get_array()[1, 2] == pytest.approx(rows.loc[(measure, "b", "c"), "score"])
    numbers = {text.get_position(): text.get_text() for text in panels[0].texts}
    assert numbers[2, 1] == f"{rows.loc[('edge_recall', 'b', 'c'), 'score']:.2f}".removeprefix("0")


@pytest.mark.parametrize(("count", "numbered"), [(16, True), (17, False)])
def test_numbers_are_written_up_to_sixteen_connectomes(
    tmp_path: Path, panels: list[Axes], count: int, numbered: bool
) -> None:
    names = [f"c{i:02d}" for i in range(count)]
    matrix = np.full((1, count, count), 0.25)
    matrix[0, 0, 1] = np.nan
    curve = xr.Dataset(
        {"edge_recall": (("synapse", "candidate", "reference"), matrix)},
        coords={"synapse": ["all"], "candidate": names, "reference": names},
    )
    draw(pd.DataFrame(), {"agreement": curve}).save(tmp_path / "x.png")
    texts = [text.get_text() for text in panels[0].texts]
    assert texts == ([".25"] * (count**2 - 1) if numbered else [])
