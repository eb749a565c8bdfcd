"""Figure of V2 as a sum of V1: the inputs of a cell, their preferences, and what the sum is tuned or sensitive to."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from allometry.report.drawing.areas import areas_of, parameter, response_of, resultant, tuning_of, within
from allometry.report.drawing.style import COLOURS, NEUTRAL, panels

COLUMNS = 4
LENGTH_DEG = 0.27


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a row per point; returns the panels and the caption."""
    notes = []
    axes = panels(COLUMNS * len(points), COLUMNS, 2.9)
    for row, (point, store) in enumerate(points.items()):
        a, b, c, d = axes[COLUMNS * row : COLUMNS * (row + 1)]
        _inputs(a, store, point)
        _preferences(b, store)
        if "family" in store:
            notes.append(f"{point}: {_textures(c, d, store)}")
        else:
            _tuning(c, store)
            notes.append(f"{point}: {_selectivity(d, store)}")
    return axes, (
        "A row per point. From the left: V1 inputs of one V2 cell at their places, as bars of their preferred orientation, which the "
        "colour gives too; preferences of the inputs of all cells relative to that of the site, 0 degrees; of gratings the mean tuning "
        "around the preference and the distribution of selectivity, of contours the index (contours - noise) / (contours + noise) of "
        f"units and its cumulative distribution. {'; '.join(notes)}."
    )


def _inputs(ax: Axes, store: xr.Dataset, point: str) -> None:
    mine = within(store, "V1") & (store["cell"].values == 0)
    x, y = store["x"].values[mine], store["y"].values[mine]
    preferred = store["preferred_orientation"].values[mine]
    angle = np.deg2rad(preferred)
    half = LENGTH_DEG / 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    place = np.stack([x, y], axis=1)
    bars = LineCollection(list(np.stack([place - half, place + half], axis=1)), cmap="hsv", linewidths=1.6)
    bars.set_array(preferred % 180.0)
    bars.set_clim(0, 180)
    ax.add_collection(bars)
    reach = float(np.abs(place).max()) + LENGTH_DEG
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x (degrees)", ylabel="y (degrees)")
    ax.set_title(f"{point}\nV1 inputs of a V2 cell", fontsize=8)
    ax.figure.colorbar(bars, ax=ax, shrink=0.7, ticks=[0, 90, 180])


def _preferences(ax: Axes, store: xr.Dataset) -> None:
    preferred = store["preferred_orientation"].values[within(store, "V1")]
    ax.hist(preferred, np.linspace(-90, 90, 37).tolist(), color=COLOURS[0], density=True)
    ax.axhline(1 / 180, color=NEUTRAL, ls=":")
    cells = store["preferred_orientation"].values[within(store, "V2")]
    ax.plot(cells, np.zeros(cells.size), "|", color=COLOURS[1], ms=9, label="V2 cells")
    ax.set(xlabel="preferred orientation (degrees)", ylabel="share per degree", xticks=(-90, 0, 90))
    ax.set_title("Preferences of V1 inputs", fontsize=8)
    ax.legend(fontsize=7)


def _tuning(ax: Axes, store: xr.Dataset) -> None:
    for k, area in enumerate(("V1", "V2")):
        tuned = tuning_of(store, area)
        assert tuned is not None
        shown, values = tuned
        angle = np.degrees(np.angle(resultant(shown, values))) / 2
        apart = np.abs((shown[None] - angle[:, None] + 90.0) % 180.0 - 90.0)
        relative = values / values.mean(axis=1, keepdims=True)
        edges = np.linspace(0, 90, 10)
        at = np.clip(np.digitize(apart, edges) - 1, 0, 8)
        mean = [relative[at == i].mean() if (at == i).any() else np.nan for i in range(9)]
        ax.plot((edges[1:] + edges[:-1]) / 2, mean, "os"[k] + "-", ms=4, color=COLOURS[k], label=area)
    ax.set(xlabel="from the preference (degrees)", ylabel="response over its mean", ylim=(0, None), xticks=(0, 45, 90))
    ax.set_title("Tuning", fontsize=8)
    ax.legend(fontsize=7)


def _selectivity(ax: Axes, store: xr.Dataset) -> str:
    said = []
    for k, area in enumerate(("V1", "V2")):
        tuned = tuning_of(store, area)
        assert tuned is not None
        value = np.abs(resultant(*tuned))
        ax.hist(value, np.linspace(0, 1, 41).tolist(), color=COLOURS[k], alpha=0.7, density=True, label=area)
        said.append(f"{area} {value.mean():.2f}")
    elongation = store["elongation"].values[within(store, "V2")]
    ax.set(xlabel="1 - circular variance", ylabel="density", xlim=(0, 1))
    ax.set_title("Selectivity", fontsize=8)
    ax.legend(fontsize=7)
    return f"mean selectivity {', '.join(said)}, elongation of V2 fields {np.nanmean(elongation):.2f}"


def _textures(points: Axes, share: Axes, store: xr.Dataset) -> str:
    family, said = store["family"].values, []
    names = areas_of(store)
    for k, area in enumerate(names):
        found = response_of(store, area)
        shown, noise = found[:, family == 1].mean(axis=1), found[:, family == 0].mean(axis=1)
        index = np.sort((shown - noise) / (shown + noise))
        spread = (np.arange(index.size) % 11 - 5) / 25
        points.plot(k + spread, index, ".", ms=4, color=COLOURS[k], alpha=0.6)
        points.plot([k - 0.3, k + 0.3], [index.mean()] * 2, color=COLOURS[6], lw=1.5)
        share.plot(index, (np.arange(index.size) + 1) / index.size, color=COLOURS[k], label=area)
        said.append(f"{area} {index.mean():.3f}")
    points.set_xticks(range(len(names)), names, fontsize=7)
    points.set_ylabel("index")
    points.set_title(f"Contours of {parameter(store, 'contour_length_deg'):g} degrees", fontsize=8)
    share.set(xlabel="index", ylabel="share of units")
    share.set_title("Contours against noise", fontsize=8)
    share.legend(fontsize=7)
    return f"mean index {', '.join(said)}"
