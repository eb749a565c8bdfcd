"""Figure of reservoirs: every connectome has its line, and a dot for each of its null networks."""

from collections.abc import Callable
from pathlib import Path

import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.connectome_reservoir import connectome_reservoir
from tests.compare.conftest import make_connectome
from tests.compare.kinds.test_connectome_reservoir import clustered
from tests.report.samples import draw_result

__all__ = ["make_connectome"]  # the fixture of the tests of the comparisons


def test_every_reservoir_has_its_line_and_its_nulls(
    tmp_path: Path, panels: list[Axes], make_connectome: Callable[..., xr.Dataset]
) -> None:
    inputs = {"placed": clustered(make_connectome, True), "free": clustered(make_connectome, False)}
    result = connectome_reservoir(inputs, structure=["placed", "free"], synapses=["chemical"], nulls=5, bins=3, seed=1)
    text = draw_result("connectome_reservoir", result, tmp_path)
    memory = panels[0]
    assert sum(line.get_label() == "connectome" for line in memory.lines) == 2
    dots = [line for line in memory.lines if line.get_marker() == "o"]
    assert len(dots) == 5  # three sorts of null where positions are known, two where not
    assert all(len(line.get_xdata()) == 5 for line in dots)
    assert "no spatial null: free" in text
