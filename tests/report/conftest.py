"""Looking at figures while they are drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from matplotlib.axes import Axes

from allometry.report.comparisons import dynamics, mouse, reservoirs, worm
from allometry.report.drawing.style import figure


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """Axes of the figure that was drawn, whose legends lie on no data."""
    found: list[Axes] = []

    @contextmanager
    def kept(*args: Any) -> Iterator[list[Axes]]:
        with figure(*args) as axes:
            yield axes
            found.extend(ax for ax in axes if ax.figure is not None)
        for ax in found:  # laid out when the figure was written
            legend = ax.get_legend()
            if legend is not None:
                inside = ax.get_window_extent().padded(-2)
                assert not legend.get_window_extent().overlaps(inside), ax.get_title(loc="left")

    for module in (dynamics, mouse, reservoirs, worm):
        monkeypatch.setattr(module, "figure", kept)
    return found
