"""Figures of stacks: the matrices of several connectomes of a species on one axis."""

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import name_entries
from allometry.report.drawing.style import DIVERGING, SEQUENTIAL, drawn_on, panels

COLUMNS = 4
MATRICES = ("chemical", "electrical", "functional")


def draw(ds: xr.Dataset, name: str) -> Drawing:
    """One matrix for each connectome of a stack, of the first kind of synapse that it has.

    Parameters
    ----------
    ds : Dataset
        Stack store.
    name : str
        Its name.
    """
    annotations = ds["annotation"].values.tolist()
    labels = [str(label) for label in ds["source"].values.tolist()]
    axes = panels(len(annotations), COLUMNS, 3.1)
    for index, (ax, annotation) in enumerate(zip(axes, annotations)):
        kind, matrix = _matrix(ds, index)
        ax.set_title(readable(str(annotation)), fontsize=8.5)
        if kind:
            cmap = DIVERGING if kind == "functional" else SEQUENTIAL
            image = ax.imshow(matrix, cmap=cmap, norm=_norm(kind, matrix), interpolation="nearest")
            name_entries(image, labels, labels)
        ax.set_xlabel(kind or "nothing listed", fontsize=8)
        ax.set_xticks([])
        ax.set_yticks([])
    caption = (
        f"{len(annotations)} connectomes on one axis of {ds.sizes['source']} neurons; row: source, column: target. Weights are on a "
        "logarithmic scale, functional ones on a linear scale up to the 98th percentile; white: none, or not measured."
    )
    return Drawing(drawn_on(axes), caption, f"Stack: {readable(name)}", core=axes[0])


def _matrix(ds: xr.Dataset, index: int) -> tuple[str, np.ndarray]:
    for kind in MATRICES:
        if kind in ds:
            matrix = ds[kind].values[index].astype(np.float64)
            shown = matrix if kind == "functional" else np.where(matrix > 0, matrix, np.nan)
            if np.isfinite(shown).any():
                return kind, shown
    return "", np.zeros((0, 0))


def _norm(kind: str, matrix: np.ndarray) -> Normalize:
    values = matrix[np.isfinite(matrix)]
    if kind == "functional":
        limit = float(np.percentile(np.abs(values), 98)) or 1.0
        return TwoSlopeNorm(0.0, -limit, limit)
    low, high = float(values.min()), float(values.max())
    return LogNorm(low / 10, high if high > low else low * 10)
