"""Figure of the spine model: selectivity against clusters, preferences of sum and soma, and tuning."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.areas import resultant, tuning_of, within
from allometry.report.drawing.style import COLOURS, NEUTRAL, panels

PARTS = {"sum": (COLOURS[7], "sum of the spines"), "soma": (COLOURS[0], "soma")}


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw all points of a run together; returns the panels and the caption."""
    found = {name: _cells(points, name) for name in PARTS}
    axes = panels(3, 3, 3.5)
    _selectivity(axes[0], found)
    _preferences(axes[1], found)
    _tuning(axes[2], found)
    clusters, mean = found["soma"]["clusters"], np.abs(found["soma"]["resultant"])
    slope = np.polyfit(clusters, mean, 1)[0] if np.unique(clusters).size > 1 else np.nan
    apart = _apart(found["soma"]["resultant"], found["sum"]["resultant"])
    return axes, (
        f"{clusters.size:,} cells. Left: selectivity (1 - circular variance) of the summed spines and of the soma against the number "
        f"of clusters, mean, its standard error and the standard deviation over cells; the soma gains {slope:.4f} per cluster. "
        f"Middle: distance between the preferences of sum and soma, median {np.median(apart):.1f} degrees. Right: mean tuning of the "
        "soma around its preference, over its mean, for the fewest and the most clusters, and of the sum."
    )


def _cells(points: Mapping[str, xr.Dataset], area: str) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {"clusters": [], "resultant": [], "aligned": []}
    for store in points.values():
        tuned = tuning_of(store, area)
        assert tuned is not None
        shown, values = tuned
        found = resultant(shown, values)
        step = 180.0 / shown.size
        turns = np.rint(np.degrees(np.angle(found)) / 2 / step).astype(int)
        order = (np.arange(shown.size)[None] + turns[:, None] - shown.size // 2) % shown.size
        parts["clusters"].append(store["clusters"].values[within(store, area)])
        parts["resultant"].append(found)
        parts["aligned"].append(np.take_along_axis(values / values.mean(axis=1, keepdims=True), order, axis=1))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    difference = np.degrees(np.angle(a) - np.angle(b)) / 2
    return np.asarray(np.abs((difference + 90.0) % 180.0 - 90.0))


def _selectivity(ax: Axes, found: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    for name, (colour, label) in PARTS.items():
        clusters, value = found[name]["clusters"], np.abs(found[name]["resultant"])
        at = np.unique(clusters)
        mean = np.array([value[clusters == n].mean() for n in at])
        spread = np.array([value[clusters == n].std(ddof=1) for n in at])
        error = spread / np.sqrt([(clusters == n).sum() for n in at])
        ax.fill_between(at, mean - spread, mean + spread, color=colour, alpha=0.15, lw=0)
        ax.errorbar(at, mean, yerr=error, fmt="o-", ms=4, color=colour, label=label)
    ax.set(title="Selectivity", xlabel="clusters of co-tuned spines", ylabel="1 - circular variance", ylim=(0, None))
    ax.legend()


def _preferences(ax: Axes, found: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    apart = _apart(found["soma"]["resultant"], found["sum"]["resultant"])
    ax.hist(apart, bins=np.linspace(0, max(10.0, float(apart.max())), 31).tolist(), color=COLOURS[0])
    ax.axvline(float(np.median(apart)), color=COLOURS[1])
    ax.set(title="Preference", xlabel="soma from sum (degrees)", ylabel="cells")


def _tuning(ax: Axes, found: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    aligned, clusters = found["soma"]["aligned"], found["soma"]["clusters"]
    step = 180.0 / aligned.shape[1]
    at = (np.arange(aligned.shape[1]) - aligned.shape[1] // 2) * step
    for k, n in enumerate(dict.fromkeys((clusters.max(), clusters.min()))):
        ax.plot(at, aligned[clusters == n].mean(axis=0), color=COLOURS[k], label=f"soma, {n} clusters")
    ax.plot(at, found["sum"]["aligned"].mean(axis=0), color=NEUTRAL, label="sum of the spines")
    ax.set(title="Tuning", xlabel="from the preference (degrees)", ylabel="response over its mean", xticks=(-90, 0, 90))
    ax.legend()
