"""One look for all figures: fonts, colours, sizes, and how panels are laid out."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

# Okabe & Ito's palette: distinguishable with any colour vision (jfly.uni-koeln.de/color)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
NEUTRAL = "#707070"
BAND = "#dddddd"
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
WIDTH = 11.6
"""Inches: the width of the page's column, so that all text in figures has one size there."""

_SETTINGS: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # to look for the lowest free place above a panel takes a quarter of the time of a drawing
    "axes.labelsize": 9,
    "axes.edgecolor": "#4a5563",
    "font.family": "sans-serif",
    # the first one comes with matplotlib; the others stand in an SVG for machines without it
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 110,
    "savefig.dpi": 140,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "allometry",  # the same figure is the same file
}


def context() -> AbstractContextManager[None]:
    """The look, for the time in which a figure is drawn or written."""
    return matplotlib.rc_context(_SETTINGS)


def canvas(height: float, width: float = WIDTH) -> Figure:
    """An empty figure of a height and a width in inches, whose parts make room for one another."""
    return Figure(figsize=(width, height), layout="constrained")


def stacked(figure: Figure, heights: Sequence[float]) -> list[SubFigure]:
    """Parts of a figure above one another, each of which lays out its own panels."""
    found: Any = figure.subfigures(len(heights), 1, height_ratios=list(heights), squeeze=False)
    return list(found.ravel())


def panels(count: int, columns: int, height: float, width: float = WIDTH) -> list[Axes]:
    """Panels of a new figure in reading order; the last row is as wide as the others, however few they are.

    Parameters
    ----------
    count, columns : int
        How many, and how many side by side.
    height : float
        Of a row, in inches.
    width : float
        Of the figure, in inches.

    Returns
    -------
    list of Axes
        Each has the figure as `.figure`.
    """
    columns = min(columns, count)
    full, last = divmod(count, columns)
    return panel_rows([*[columns] * full, *([last] if last else [])], height, width)


def panel_rows(counts: Sequence[int], height: float, width: float = WIDTH) -> list[Axes]:
    """Panels of a new figure in reading order, a number of them in each row; every row has the whole width.

    Parameters
    ----------
    counts : sequence of int
        Panels of each row.
    height, width : float
        Of a row, and of the figure, in inches.
    """
    made = canvas(len(counts) * height, width)
    if len(set(counts)) == 1:
        return list(made.subplots(len(counts), counts[0], squeeze=False).ravel())
    # on one grid, room that one row needs for its labels would be taken from all
    rows = stacked(made, [height] * len(counts))
    return [ax for row, count in zip(rows, counts) for ax in row.subplots(1, count, squeeze=False)[0]]


_LETTER_IN, _HANDLE_IN = 0.062, 0.5  # width of a letter and of what stands before it in a legend of 8 points


def legend_columns(labels: Iterable[str], most: int, width: float = WIDTH) -> int:
    """Columns of a legend below or above a figure that the figure is wide enough for.

    Parameters
    ----------
    labels : iterable of str
        What it says.
    most : int
        Columns where all labels are short.
    width : float
        Of the figure, in inches.
    """
    lengths = [len(label) for label in labels]
    if not lengths:
        return 1
    fit = int(width / (_LETTER_IN * max(lengths) + _HANDLE_IN))
    return max(1, min(most, fit, len(lengths)))


def drawn_on(axes: Sequence[Axes]) -> Figure:
    """The figure that panels are part of."""
    found = axes[0].get_figure(root=True)
    assert found is not None
    return found
