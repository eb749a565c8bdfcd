"""Figure of motor motifs: the output of single motifs beside their targets, and errors of those that follow another."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.areas import response_of
from allometry.report.drawing.style import COLOURS, NEUTRAL, panels

COLUMNS = 3


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a row per point; returns the panels and the caption."""
    notes = []
    axes = panels(COLUMNS * len(points), COLUMNS, 2.8)
    for row, (point, store) in enumerate(points.items()):
        a, b, c = axes[COLUMNS * row : COLUMNS * (row + 1)]
        first = store["stimulus"].values.astype(object) == "first"
        _outputs(a, store, _different(store, first), f"{point}\nbegun in the right state")
        _outputs(b, store, _different(store, ~first), "after another motif")
        notes.append(f"{point}: {_errors(c, store, first)}")
    return axes, (
        "A row per point. Left and middle: output during three motifs (lines) and their targets (grey), begun in the right state and "
        "after another motif. Right: root mean square errors of all motifs, of targets whose root mean square is 1. "
        f"{'; '.join(notes)}."
    )


def _different(store: xr.Dataset, of: np.ndarray) -> np.ndarray:
    """The first trials of three motifs."""
    trials = np.flatnonzero(of)
    _, at = np.unique(store["motif"].values[trials], return_index=True)
    return trials[np.sort(at)[:3]]


def _outputs(ax: Axes, store: xr.Dataset, trials: np.ndarray, title: str) -> None:
    said, target = response_of(store, "output")[0], response_of(store, "target")[0]
    lag = 1000 * store["lag"].values
    for k, trial in enumerate(trials):
        ax.plot(lag, target[trial], color=NEUTRAL, lw=2.5, alpha=0.4)
        ax.plot(lag, said[trial], color=COLOURS[k], lw=1, label=f"motif {int(store['motif'].values[trial])}")
    if len(trials):
        reach = 1.3 * float(np.abs(target[trials]).max())
        ax.set_ylim(-reach, reach)
        ax.legend(fontsize=7)
    ax.set(xlabel="time (ms)", ylabel="output")
    ax.set_title(title, fontsize=8)


def _errors(ax: Axes, store: xr.Dataset, first: np.ndarray) -> str:
    error = store["error"].values
    bins = np.geomspace(max(float(error.min()), 1e-4), float(error.max()) * 1.01, 25).tolist()
    parts = []
    for k, (label, of) in enumerate((("right state", first), ("after another", ~first))):
        if of.any():
            ax.hist(error[of], bins, color=COLOURS[k], alpha=0.6, label=label)
            parts.append(f"{label} {float(np.median(error[of])):.3g}")
    ax.set_xscale("log")
    ax.set(xlabel="error", ylabel="motifs")
    ax.set_title("Errors", fontsize=8)
    ax.legend(fontsize=7)
    return f"median error {', '.join(parts)}"
