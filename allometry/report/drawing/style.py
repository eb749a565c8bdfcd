"""One look for all figures: fonts, colours, sizes, and how a figure is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from allometry.files import atomic

# Okabe & Ito's palette: distinguishable with any colour vision (jfly.uni-koeln.de/color)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
NEUTRAL = COLOURS[7]
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
# By the end of a file's name, the metadata that is left out: with a date or a version, the same data would not give the same bytes.
FORMATS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}

_SETTINGS: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "svg.hashsalt": "allometry",  # the same figure is the same file
}


@contextmanager
def figure(
    path: str | Path, columns: int = 1, rows: int = 1, size: tuple[float, float] = (4.2, 3.2)
) -> Iterator[list[Axes]]:
    """Axes of a new figure in reading order; the figure is written to `path` at the end.

    Parameters
    ----------
    path : path
        File to write, PNG, SVG or PDF as its name ends; it appears when it is complete.
    columns, rows : int
        Grid of axes.
    size : (float, float)
        Width and height of one panel, in inches.
    """
    path = Path(path)
    with plt.rc_context(_SETTINGS):
        made: Figure
        made, grid = plt.subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained"
        )
        try:
            yield list(grid.ravel())
            with atomic(path) as file:
                suffix = path.suffix.lower()
                made.savefig(file, format=suffix.removeprefix("."), metadata=FORMATS[suffix])
        finally:
            plt.close(made)


def hide_unused(axes: list[Axes], used: int) -> None:
    """Remove the axes of a grid that nothing was drawn in."""
    for ax in axes[used:]:
        ax.remove()
