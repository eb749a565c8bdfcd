"""Figure of a feature model that has none of its own: responses of its units to the presentations."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.style import SEQUENTIAL, panels

MOST = 200


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a panel per point, units sampled evenly; returns the panels and the caption."""
    axes = panels(len(points), 3, 3.2)
    for ax, (point, store) in zip(axes, points.items(), strict=True):
        response = store["response"].values
        if response.ndim == 3:
            response = response.mean(axis=2)
        chosen = np.unique(np.linspace(0, len(response) - 1, min(MOST, len(response))).astype(int))
        shown = ax.imshow(response[chosen], aspect="auto", cmap=SEQUENTIAL, interpolation="nearest")
        ax.set(title=point, xlabel="presentation", ylabel="unit (sampled)")
        ax.figure.colorbar(shown, ax=ax, shrink=0.8)
    return (
        axes,
        f"Responses of up to {MOST} units, sampled evenly, to every presentation; of responses over time their mean.",
    )
