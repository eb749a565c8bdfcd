"""Figure of the code of sensory populations: every population in every panel."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.population_code.comparison import population_code
from tests.report.samples import draw_result, title


def test_every_population_is_in_the_figure_of_the_code(
    two_areas: xr.Dataset, tmp_path: Path, panels: list[Axes]
) -> None:
    result = population_code({"s": two_areas}, responses=["s"], nulls=20, subsets=2, splits=5)
    text = draw_result("population_code", result, tmp_path)
    assert "s V1 nearest_centroid" in text
    titles = [title(ax) for ax in panels]
    assert len(titles) == 13
    decoding = panels[titles.index("Decoding of the stimulus")]
    assert len(decoding.get_xticklabels()) == 4  # two areas, two decoders
    radius = panels[titles.index("Spectral radius")]
    assert len([line for line in radius.lines if len(line.get_xdata()) > 10]) == 2
    mean = panels[titles.index("Mean response")]
    for patch in mean.patches:  # relative to the population's own mean, as a share of its units
        values, edges, _ = patch.get_data()
        assert values.sum() == pytest.approx(1)
        assert edges[np.flatnonzero(values)[0]] < 1 < edges[np.flatnonzero(values)[-1] + 1]
