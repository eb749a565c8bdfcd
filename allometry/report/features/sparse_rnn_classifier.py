"""Figure of the sparse recurrent classifier: its readout over time, how well it tells the classes, and its neurons."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.drawing.areas import response_of
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, panels

COLUMNS = 3
INPUT_S, TRAINED_S = 0.01, 0.02


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a row per point; returns the panels and the caption."""
    notes = []
    axes = panels(COLUMNS * len(points), COLUMNS, 2.8)
    for row, (point, store) in enumerate(points.items()):
        a, b, c = axes[COLUMNS * row : COLUMNS * (row + 1)]
        said, label = response_of(store, "readout")[0], store["category"].values
        time = store["lag"].values / INPUT_S
        _readout(a, time, said, label, point)
        right = _accuracy(b, time, said, label)
        _rates(c, time, response_of(store, "network"), label)
        fit = stores.attribute(store, "fit")
        notes.append(f"{point}: accuracy {1 - fit['residual']:.3f} when trained, {right:.3f} at the last time")
    return axes, (
        "A row per point; time in time constants, the pattern being shown to 1 and the network trained to 2 (dotted). Left: readout of "
        "both classes, mean and standard deviation over patterns. Middle: share of patterns on their side of one half, and of a "
        "boundary that leaves as many above it as there are. Right: mean rate of every neuron for one class less that for the other. "
        f"{'; '.join(notes)}."
    )


def _marks(ax: Axes) -> None:
    for at in (1.0, TRAINED_S / INPUT_S):
        ax.axvline(at, color=NEUTRAL, ls=":", lw=0.8)
    ax.set_xlabel("time (time constants)")


def _readout(ax: Axes, time: np.ndarray, said: np.ndarray, label: np.ndarray, point: str) -> None:
    for k, value in enumerate((1.0, -1.0)):
        mean, spread = said[label == value].mean(axis=0), said[label == value].std(axis=0)
        ax.fill_between(time, mean - spread, mean + spread, color=COLOURS[k], alpha=0.2, lw=0)
        ax.plot(time, mean, color=COLOURS[k], label=f"class {value:+g}")
    _marks(ax)
    ax.set_ylabel("readout")
    ax.set_title(point, fontsize=8)
    ax.legend(fontsize=7)


def _accuracy(ax: Axes, time: np.ndarray, said: np.ndarray, label: np.ndarray) -> float:
    half = ((said > 0.5) == (label > 0)[:, None]).mean(axis=0)
    boundary = np.quantile(said, (label < 0).mean(), axis=0)
    matched = ((said > boundary) == (label > 0)[:, None]).mean(axis=0)
    ax.plot(time, half, color=COLOURS[0], label="boundary one half")
    ax.plot(time, matched, color=COLOURS[1], label="boundary at the quantile")
    ax.axhline(0.5, color=NEUTRAL, lw=0.8)
    _marks(ax)
    ax.set(ylabel="accuracy", ylim=(0.3, 1.02))
    ax.set_title("Categories", fontsize=8)
    ax.legend(fontsize=7)
    return float(matched[-1])


def _rates(ax: Axes, time: np.ndarray, rates: np.ndarray, label: np.ndarray) -> None:
    difference = rates[:, label > 0].mean(axis=1) - rates[:, label < 0].mean(axis=1)
    order = np.argsort(difference[:, np.abs(time - 2.0).argmin()], kind="stable")
    extent = (float(time[0]), float(time[-1]), 0.0, float(len(rates)))
    shown = ax.imshow(difference[order], aspect="auto", cmap=SEQUENTIAL, origin="lower", extent=extent)
    ax.figure.colorbar(shown, ax=ax, shrink=0.8)
    ax.set(xlabel="time (time constants)", ylabel="neuron, sorted")
    ax.set_title("Rate for class +1 less that for -1", fontsize=8)
