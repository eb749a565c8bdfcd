"""Figures of stacks: the matrices of several connectomes of a species on one axis."""

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm

from allometry import stores
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import DIVERGING, SEQUENTIAL, figure, hide_unused

COLUMNS = 4
MATRICES = ("chemical", "electrical", "functional")


def draw(path: str | Path, name: str, image: str | Path) -> None:
    """One matrix for each connectome of a stack, of the first kind of synapse that it has.

    Parameters
    ----------
    path : path
        Stack store.
    name : str
        Of the store.
    image : path
        File to write; its description is written beside it.
    """
    ds = stores.open(path)
    assert isinstance(ds, xr.Dataset)
    annotations = ds["annotation"].values.tolist()
    columns = min(COLUMNS, len(annotations))
    rows = -(-len(annotations) // columns)
    with figure(image, columns, rows, (2.7, 2.9)) as axes:
        for index, (ax, annotation) in enumerate(zip(axes, annotations)):
            kind, matrix = _matrix(ds, index)
            ax.set_title(str(annotation), fontsize=8)
            if kind:
                cmap = DIVERGING if kind == "functional" else SEQUENTIAL
                ax.imshow(matrix, cmap=cmap, norm=_norm(kind, matrix), interpolation="nearest")
            ax.set_xlabel(kind or "nothing listed", fontsize=7)
            ax.set_xticks([])
            ax.set_yticks([])
        hide_unused(axes, len(annotations))
    caption = (
        f"{len(annotations)} connectomes on one axis of {ds.sizes['source']} neurons; row: source, column: target. Weights are on a "
        "logarithmic scale, functional ones on a linear scale up to the 98th percentile; white: none, or not measured."
    )
    Figure(f"Stack: {name}", caption, (str(path),)).save(image)


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
