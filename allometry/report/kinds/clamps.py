"""Figure of cells under clamp: traces of each genotype, what the steps lead to, and which channels carry it."""

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, drawn_on, panels

MOST_GENOTYPES = 2
"""Genotypes whose traces are drawn; the curves have all of them."""
LEAST_SHARE = 0.02
"""Of the largest current that a channel has at some step, where its curve is drawn."""
_STYLES = ("-", "--", ":")


def draw(ds: xr.Dataset, name: str) -> Drawing:
    """Traces of every cell and genotype, steady states against steps, and currents of the wild type by channel.

    Parameters
    ----------
    ds : Dataset
        Clamp store.
    name : str
        Its name.
    """
    cells, genotypes = ds["cell"].values.tolist(), ds["genotype"].values.tolist()
    shown = genotypes[:MOST_GENOTYPES]
    columns = len(shown) + 2
    axes = panels(columns * len(cells), columns, 2.9)
    held = ds.attrs["protocol"] == "voltage"
    for i, cell in enumerate(cells):
        row = axes[columns * i : columns * (i + 1)]
        one = ds.isel(cell=i)
        for j, genotype in enumerate(shown):
            _traces(row[j], one.isel(genotype=j), f"{cell}, {genotype.replace('_', ' ')}", held, listed=j == 0)
        limits = np.array([ax.get_ylim() for ax in row[: len(shown)]])
        for ax in row[: len(shown)]:
            ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        _curves(row[-2], one, cell, genotypes, held)
        _channels(row[-1], one.isel(genotype=0), cell, held)
    steps = ds["amplitude"].values
    unit = ds["amplitude"].attrs["units"]
    traces = "current through the membrane" if held else "voltage"
    caption = (
        f"{ds.attrs['protocol'].capitalize()} clamp of {len(cells)} {'cells' if len(cells) > 1 else 'cell'} with steps of "
        f"{steps.min():g} to {steps.max():g} {unit} for {ds.attrs['duration_ms']:g} ms (grey). Left: {traces} of "
        f"{'each genotype' if len(shown) > 1 else 'the wild type'}, the larger the step the brighter. Then: mean of the last 10 ms "
        f"of each step{', and the farthest from 0 (dotted)' if held else ''}, of the wild type and of each knock-out; last: currents "
        "of the wild type by channel there, positive outwards. Models of cells, no recordings."
    )
    return Drawing(drawn_on(axes), caption, f"Cells under clamp: {readable(name)}", core=axes[0])


def _traces(ax: Axes, one: xr.Dataset, title: str, held: bool, listed: bool) -> None:
    values = one["current"].sum("channel", skipna=True).values if held else one["voltage"].values
    time, steps = one["time"].values, one["amplitude"].values
    onset, duration = float(one.attrs["onset_ms"]), float(one.attrs["duration_ms"])
    drawn = time >= onset - 0.1 * duration
    colours = matplotlib.colormaps[SEQUENTIAL](np.linspace(0.0, 0.92, len(steps)))
    unit = one["amplitude"].attrs["units"]
    named = {int(steps.argmin()), int(steps.argmax())} if listed else set()
    for k in np.argsort(steps).tolist():
        label = f"{steps[k]:g} {unit}"
        ax.plot(time[drawn], values[k][drawn], color=colours[k], lw=1.0, label=label if k in named else unlisted(label))
    ax.axvspan(onset, onset + duration, color="#ebebeb", zorder=0, label=unlisted("step"))
    if held:
        # what flows in the first ms before any gate has moved would press all else together
        later = values[:, time >= onset + 2.0]
        low, high = float(later.min()), float(later.max())
        ax.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    ax.set(xlabel="time (ms)", ylabel="current (pA)" if held else "voltage (mV)", title=title)
    if listed:
        ax.legend(loc="best", handlelength=1.0)


def _curves(ax: Axes, one: xr.Dataset, cell: str, genotypes: list[str], held: bool) -> None:
    order = np.argsort(one["amplitude"].values)
    x = one["amplitude"].values[order]
    for j, genotype in enumerate(genotypes):
        label, colour = genotype.replace("_", " "), COLOURS[j % len(COLOURS)]
        values = one["i_steady" if held else "v_steady"].values[j][order]
        ax.plot(x, values, "o-", ms=3, lw=1.2, color=colour, label=label)
        if held:
            peak = one["i_peak"].values[j][order]
            ax.plot(x, peak, ":", lw=1.0, color=colour, label=unlisted(f"{label}, farthest from 0"))
    if held:
        ax.axhline(0.0, color=NEUTRAL, lw=0.7, label=unlisted("no current"))
    ax.set(
        xlabel="voltage (mV)" if held else "injected current (pA)",
        ylabel="steady current (pA)" if held else "steady voltage (mV)",
        title=f"{cell}: current against voltage" if held else f"{cell}: steady state",
    )
    ax.legend(loc="best", handlelength=1.2)


def _channels(ax: Axes, one: xr.Dataset, cell: str, held: bool) -> None:
    end = float(one.attrs["onset_ms"]) + float(one.attrs["duration_ms"])
    time = one["time"].values
    last = int(np.flatnonzero(time < end)[-1])
    order = np.argsort(one["amplitude"].values)
    x, values = one["amplitude"].values[order], one["current"].isel(time=last).values[:, order]
    size = np.nan_to_num(np.abs(values)).max(axis=1)
    drawn = [k for k in np.argsort(-size).tolist() if size[k] > LEAST_SHARE * size.max()]
    names = one["channel"].values.tolist()
    for k in sorted(drawn):
        style = _STYLES[(k // len(COLOURS)) % len(_STYLES)]
        label = names[k].replace("_", "-")
        ax.plot(x, values[k], style, lw=1.2, color=COLOURS[k % len(COLOURS)], label=label)
    ax.axhline(0.0, color=NEUTRAL, lw=0.7, label=unlisted("no current"))
    ax.set(
        xlabel="voltage (mV)" if held else "injected current (pA)",
        ylabel="current (pA)",
        title=f"{cell}: by channel",
    )
    low, high = ax.get_ylim()
    # the legend stands above the curves
    ax.set_ylim(low, high + 0.09 * (high - low) * -(-len(drawn) // 2))
    ax.legend(loc="upper left", fontsize=7, handlelength=1.2, ncols=2)
