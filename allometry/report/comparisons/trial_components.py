"""Figure of trial components: how well they predict, and the factors of the first source."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, drawn_on, legend_columns, panels

STYLES = ("-", "--", ":", "-.")
"""Of sources: colours are of components."""

LOWEST = -0.25
"""Of the axis of what is predicted."""


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Prediction against number of components beside shuffled trials; time, trial and unit factors of one source."""
    axes = panels(4, 2, 3.2)
    _prediction(axes[0], curves["held_out"])
    result = rows[(rows["measure"] == "held_out_components") & (rows["role"] == "result")]
    factors = curves["factors_0"]
    source = readable(str(factors.attrs["source"]))
    _factor(axes[1], factors["time"].values, factors["time_factor"].values, "time (s)", "Time courses")
    _factor(axes[2], np.arange(1, factors.sizes["trial"] + 1), factors["trial_factor"].values, "trial", "Trials", "o-")
    order = np.lexsort((-factors["unit_factor"].values.max(axis=1), factors["unit_factor"].values.argmax(axis=1)))
    unit = factors["unit_factor"].values[order]
    _factor(axes[3], np.arange(1, len(unit) + 1), unit, "unit, by its largest component", "Units")
    listed = [*axes[0].get_legend_handles_labels(), *axes[1].get_legend_handles_labels()]
    handles, labels = [*listed[0], *listed[2]], [*listed[1], *listed[3]]
    drawn_on(axes).legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, 6))
    first = result.iloc[0]
    caption = (
        f"Share of the variance of held-out trials that non-negative components predict, of {len(result)} networks or "
        f"recordings (grey: trials of every unit shuffled, mean, up to 97.5 %), and the {int(first['components'])} components of "
        f"{source}: {int(first['units'])} units, {int(first['n'])} trials. Predicted: {first['score']:.3f}, p = {first['p']:.3g}."
    )
    return Drawing(drawn_on(axes), caption, "Components of trials", core=axes[0])


def _prediction(ax: Axes, held: xr.Dataset) -> None:
    x = held["components"].values
    for k, source in enumerate(held["source"].values.tolist()):
        label = readable(str(source))
        low, high = held["shuffled"].values[k], held["shuffled_high"].values[k]
        ax.fill_between(x, low, high, color=BAND, lw=0, label=unlisted(f"{label}, shuffled"))
        ax.plot(x, low, color=NEUTRAL, lw=0.8, label=unlisted(f"{label}, shuffled mean"))
        ax.plot(x, held["share"].values[k], "o" + STYLES[k % len(STYLES)], ms=4, color="black", label=label)
    ax.set(xlabel="components", ylabel="share predicted", title="Held-out trials", xticks=x)
    # too many components predict shuffled trials far worse than their mean does
    ax.set_ylim(bottom=max(ax.get_ylim()[0], LOWEST))


def _factor(ax: Axes, x: np.ndarray, factor: np.ndarray, name: str, title: str, style: str = "-") -> None:
    for k in range(factor.shape[1]):
        ax.plot(x, factor[:, k], style, ms=3, lw=1.1, color=COLOURS[k % len(COLOURS)], label=f"component {k + 1}")
    ax.set(xlabel=name, ylabel="loading", title=title)
