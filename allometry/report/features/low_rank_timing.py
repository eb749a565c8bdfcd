"""Figure of the timing network: latent trajectories beside the mean field, the readout, and intervals against the cue."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes

from allometry.report.drawing.areas import response_of
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, panels

COLUMNS = 3


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a row per point; returns the panels and the caption."""
    notes = []
    axes = panels(COLUMNS * len(points), COLUMNS, 2.8)
    for row, (point, store) in enumerate(points.items()):
        a, b, c = axes[COLUMNS * row : COLUMNS * (row + 1)]
        cue = store["cue"].values
        shades = colormaps[SEQUENTIAL](0.9 * (cue - cue.min()) / max(float(np.ptp(cue)), 1e-9))
        _trajectories(a, store, shades, point)
        _readouts(b, store, shades)
        notes.append(f"{point}: {_intervals(c, store)}")
    return axes, (
        "A row per point; the lighter, the larger the cue. Left: latent variables from the set pulse (dot) to the end of the "
        "interval, in grey those of the mean field. Middle: readout, with the threshold. Right: produced intervals against the cue, "
        f"beside those of the mean field and the linear target; trained are cues up to 0.25. {'; '.join(notes)}."
    )


def _until(store: xr.Dataset, trial: int) -> int:
    end, lag = float(store["interval"].values[trial]), store["lag"].values
    return int((lag <= end).sum()) if np.isfinite(end) else lag.size


def _trajectories(ax: Axes, store: xr.Dataset, shades: np.ndarray, point: str) -> None:
    network, theory = response_of(store, "latent"), response_of(store, "mean field")
    for trial in range(network.shape[1]):
        end = _until(store, trial)
        ax.plot(theory[0, trial, :end], theory[1, trial, :end], color=NEUTRAL, lw=2.5, alpha=0.35)
        ax.plot(network[0, trial, :end], network[1, trial, :end], color=shades[trial], lw=1)
    ax.plot(network[0, :, 0], network[1, :, 0], "o", ms=3, color=COLOURS[6])
    ax.set(xlabel="kappa 1", ylabel="kappa 2")
    ax.set_title(point, fontsize=8)


def _readouts(ax: Axes, store: xr.Dataset, shades: np.ndarray) -> None:
    said = response_of(store, "output")[0]
    for trial, row in enumerate(said):
        ax.plot(store["lag"].values, row, color=shades[trial], lw=1)
    ax.axhline(0.35, color=NEUTRAL, ls=":")
    ax.set(xlabel="time from set (s)", ylabel="readout")
    ax.set_title("Readout", fontsize=8)


def _intervals(ax: Axes, store: xr.Dataset) -> str:
    cue, produced = store["cue"].values, store["interval"].values
    theory, target = store["mean_field_interval"].values, store["target_interval"].values
    order = np.argsort(cue, kind="stable")
    ax.plot(cue[order], target[order], ":", color=NEUTRAL, label="target")
    ax.plot(cue[order], theory[order], "-", color=COLOURS[1], label="mean field")
    ax.plot(cue, produced, "o", ms=3.5, color=COLOURS[0], label="network")
    ax.axvline(0.25, color=NEUTRAL, lw=0.8)
    ax.set(xlabel="cue", ylabel="interval (s)")
    ax.set_title("Speed is set by the cue", fontsize=8)
    ax.legend(fontsize=7)
    known = np.isfinite(produced)
    if not known.any():
        return "no interval is produced"
    error = float(np.abs(produced / theory - 1.0)[known].mean())
    return f"{int(known.sum())} of {cue.size} intervals produced, {100 * error:.2g} % from the mean field on average"
