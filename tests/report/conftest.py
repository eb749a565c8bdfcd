"""Looking at figures while they are drawn."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotSpec

from allometry.report.drawing.drawing import Drawing


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """Panels of every figure that is written, in reading order; no legend may lie on a panel."""
    found: list[Axes] = []
    save = Drawing.save

    def kept(drawing: Drawing, *args: Any, **kwargs: Any) -> list[Path]:
        written = save(drawing, *args, **kwargs)
        figure = drawing.figure
        # a second scale shares the cell of its panel, and a colour bar has none
        cells: dict[SubplotSpec, Axes] = {}
        for ax in figure.axes:
            if (cell := ax.get_subplotspec()) is not None:
                cells.setdefault(cell, ax)
        legends = [*figure.legends, *filter(None, (ax.get_legend() for ax in figure.axes))]
        for legend in legends:  # laid out when the figure was written
            for ax in cells.values():
                inside = ax.get_window_extent().padded(-2)
                assert not legend.get_window_extent().overlaps(inside), ax.get_title(loc="left")
        found.extend(cells.values())
        return written

    monkeypatch.setattr(Drawing, "save", kept)
    return found
