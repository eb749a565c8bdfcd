"""Figure of one study: every statistic against size, with the value of the reference and its spread between seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, legend_columns, panels
from allometry.report.scaling.study import MARKS, Study, populations_of

COLUMNS = 4
WIDE = 30.0
"""Ratio of values that a linear axis can still tell from one another."""
FEW_POPULATIONS = 3
RATES = 5
"""Conditions whose rates are drawn: the first ones."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes: a statistic under a condition, with lines of one kind for a fixed value of the other."""

    statistic: str
    condition: str
    along: str
    lines: list[str]
    fixed: str
    value: str

    def of(self, root: xr.Dataset, line: str) -> xr.Dataset:
        """What one line shows, along size."""
        return root.sel(
            {"statistic": self.statistic, "condition": self.condition, self.along: line, self.fixed: self.value}
        )


def draw(path: str, chosen: Sequence[str] = (), theme: str = "") -> Drawing:
    """Draw statistics of a study against size.

    Parameters
    ----------
    path : str
        A Scaling store.
    chosen : sequence of str
        Statistics that are drawn; none: all of them.
    theme : str
        What they have in common, for the title.
    """
    study = Study(path)
    root = study.root.sel(statistic=list(chosen)) if chosen else study.root
    shown = list(_panels(root))
    grid = panels(len(shown), COLUMNS, 2.7)
    entries: dict[str, Any] = {}
    for ax, panel in zip(grid, shown):
        _panel(ax, root, panel)
        handles, labels = ax.get_legend_handles_labels()
        entries = dict(zip(labels, handles)) | entries
    drawn_on(grid).legend(
        entries.values(), entries.keys(), loc="outside lower center", ncols=legend_columns(entries, 8)
    )
    return Drawing(
        drawn_on(grid),
        _caption(root, theme.capitalize() or "Every statistic"),
        f"{study.title}: {f'{theme} against size' if theme else 'every statistic against size'}",
    )


def _panels(root: xr.Dataset) -> Iterator[Panel]:
    """Few populations have panels of their own, with a line per scheme; many are lines of a panel per scheme."""
    populations, schemes = populations_of(root), root["scheme"].values.tolist()
    few = len(populations) <= FEW_POPULATIONS
    conditions = root["condition"].values.tolist()
    for statistic in root["statistic"].values.tolist():
        known = [name for name in conditions if _known(root, statistic, name)]
        for condition in known[: RATES if statistic == "rate" else 1]:
            if few:
                having = [of for of in populations if _known(root.sel(population=of), statistic, condition)]
                yield from (Panel(statistic, condition, "scheme", schemes, "population", of) for of in having)
            else:
                yield from (Panel(statistic, condition, "population", populations, "scheme", of) for of in schemes)


def _known(root: xr.Dataset, statistic: str, condition: str) -> bool:
    return bool(np.isfinite(root["mean"].sel(statistic=statistic, condition=condition)).any())


def _panel(ax: Axes, root: xr.Dataset, panel: Panel) -> None:
    reference = float(root.attrs["reference"])
    neurons = root["neurons"]
    full = float(neurons.sel(size=reference).values[0])
    low, high, scale = _limits(root, panel)
    ax.set_yscale(scale)
    for k, line in enumerate(panel.lines):
        part = panel.of(root, line)
        scheme = line if panel.along == "scheme" else panel.value
        fewer = full / neurons.sel(scheme=scheme).values
        fewer = fewer * 1.04 ** (k - (len(panel.lines) - 1) / 2)
        mean = part["mean"].values
        colour = COLOURS[k % len(COLOURS)]
        at = part.sel(size=reference)
        if k == 0 or panel.along != "scheme":
            spread = float(np.nanstd(at["value"].values, ddof=1)) if np.isfinite(at["value"].values).sum() > 1 else 0.0
            middle = float(at["mean"])
            shade = NEUTRAL if panel.along == "scheme" else colour
            ax.axhspan(middle - spread, middle + spread, color=shade, alpha=0.25, lw=0, zorder=0)
            ax.axhline(middle, color=shade, lw=0.8, ls=":", zorder=1)
        known = np.isfinite(mean)
        bounds = np.clip([part["ci_low"].values, part["ci_high"].values], low, high)
        error = np.abs(np.nan_to_num(bounds - mean))[:, known]
        ax.plot(fewer[known], mean[known], color=colour, lw=0.9, alpha=0.7)
        ax.errorbar(fewer[known], mean[known], yerr=error, fmt="none", ecolor=colour, lw=0.9)
        ax.plot(fewer[known], mean[known], MARKS[k % len(MARKS)], ms=4, color=colour, label=line)
    _size_axis(ax, full / neurons.values)
    ax.set_ylim(low, high)
    unit = str(root["unit"].sel(statistic=panel.statistic).values)
    title = f"{panel.statistic.replace('_', ' ')}, {panel.value}"
    ax.set_title(title if panel.condition in ("all", "unchanged") else f"{title}\n{panel.condition}", fontsize=8)
    ax.set_ylabel(unit if unit != "1" else "", fontsize=7)


def _size_axis(ax: Axes, fewer: np.ndarray) -> None:
    ax.set_xscale("log")
    ticks = np.unique(np.round(fewer, 6))
    ax.set_xticks(ticks, [f"{value:.3g}" for value in ticks], fontsize=7)
    ax.minorticks_off()
    ax.set_xlim(ticks.min() / 1.3, ticks.max() * 1.3)
    ax.set_xlabel("times fewer neurons", fontsize=7)
    ax.tick_params(axis="y", labelsize=7)


def _limits(root: xr.Dataset, panel: Panel) -> tuple[float, float, str]:
    """Range of all seeds of all lines, with room, and the scale: logarithmic where values differ by more than `WIDE`.

    Intervals may be wider (of two seeds they are), and end at the edge.
    """
    values = np.concatenate([np.ravel(panel.of(root, line)["value"].values) for line in panel.lines])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0, "linear"
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > WIDE:
        return low / 2, high * 2, "log"
    margin = max(0.15 * (high - low), 0.1 * abs(high), 1e-9)
    # far from zero, an axis that begins there would be half empty
    lowest = low - margin if low < 0 or low > 0.4 * high else min(0.0, low - 0.05 * (high - low))
    return lowest, high + margin, "linear"


def _caption(root: xr.Dataset, what: str) -> str:
    derived = stores.attribute(root, "derived")
    described = " ".join(
        f"{name.replace('_', ' ')}: {derived[f'statistic {name}']}." for name in root["statistic"].values.tolist()
    )
    return (
        f"{what} of {root.attrs['model']} against how many times fewer neurons there are, mean and 95 % interval over "
        f"seeds. Shaded: the reference ({derived['reference']}), plus and minus the standard deviation between its own seeds. "
        "Axes hold every seed of every line; intervals that are wider end at the edge. Statistics of single conditions are drawn for the first one, rates for the first "
        f"{RATES}; the others are in the store. {described}"
    )
