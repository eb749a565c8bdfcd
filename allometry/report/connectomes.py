"""Figures of connectomes: adjacency matrices, worms on the canonical axis of their species."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, TwoSlopeNorm

from allometry import stores
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import DIVERGING, figure, hide_unused
from allometry.stores.schema import Data

COLUMNS = 4
# Marked colours per kind of synapse; several kinds are drawn on top of each other.
MAPS = {"chemical": "Blues", "electrical": "Oranges", "structural": "viridis", "mesoscale": "viridis"}


def draw(
    paths: Mapping[str, str], image: str | Path, axes: Mapping[str, Sequence[str]], title: str | None = None
) -> None:
    """Adjacency matrices of several connectomes side by side.

    Parameters
    ----------
    paths : mapping of str to str
        Connectome stores of one species by name.
    image : path
        PNG file to write; its description is written beside it.
    axes : mapping of str to sequence of str
        Canonical axis by species; a species without one is drawn in each store's own order of nodes.
    title : str, optional
        Title of the figure; by default the species.
    """
    columns = min(COLUMNS, len(paths))
    rows = -(-len(paths) // columns)
    opened = {name: stores.open(path) for name, path in paths.items()}
    species = str(next(iter(opened.values())).attrs["species"])
    axis = axes.get(species)
    notes = []
    with figure(image, columns, rows, (2.9, 3.0)) as grid:
        for ax, (name, ds) in zip(grid, opened.items()):
            assert isinstance(ds, xr.Dataset)
            outside = _panel(ax, ds, name, axis)
            if outside:
                notes.append(f"{name} {outside}")
        hide_unused(grid, len(paths))
    Figure(title or f"Connectomes: {species}", _caption(opened.values(), axis, notes), tuple(paths.values())).save(
        image
    )


def _caption(opened: Iterable[Data], axis: Sequence[str] | None, notes: Sequence[str]) -> str:
    kinds = {str(kind) for ds in opened for kind in set(np.asarray(ds["synapse"]).tolist())}
    if kinds == {"functional"}:
        parts = ["Row: driven neuron, column: responding neuron; below each matrix the range of its values."]
    else:
        parts = ["Row: source, column: target; colour: weight, logarithmic, within the range below each matrix."]
    if {"chemical", "electrical"} <= kinds:
        parts.append("Chemical synapses are blue, gap junctions orange.")
    if "functional" in kinds:
        parts.append(
            "Functional connections (red positive, blue negative) are on a linear scale up to the 98th percentile; pairs that were "
            "not measured are white."
        )
    if axis is not None:
        parts.append(f"All matrices share one axis of {len(axis)} neurons.")
    if notes:
        parts.append("Nodes that are no neuron of that axis, in the stores but not drawn: " + ", ".join(notes) + ".")
    return " ".join(parts)


def _panel(ax: Axes, ds: xr.Dataset, name: str, axis: Sequence[str] | None) -> int:
    """Draw one matrix; return how many nodes are not on the axis."""
    kinds = list(dict.fromkeys(ds["synapse"].values.astype(object)))
    labels = ds["node"].values.astype(object)
    position = {label: index for index, label in enumerate(labels if axis is None else axis)}
    place = np.array([position.get(label, -1) for label in labels])
    source, target = place[ds["source"].values], place[ds["target"].values]
    inside = (source >= 0) & (target >= 0)
    weight = ds["weight"].values
    synapse = ds["synapse"].values.astype(object)
    size = len(position)
    shown = 0
    ranges = []
    unit = str(ds["weight"].attrs.get("units", "1"))
    for kind in kinds:
        chosen = inside & (synapse == kind) & np.isfinite(weight)
        if kind != "functional":
            chosen &= weight > 0
        matrix = np.full((size, size), np.nan, dtype=np.float32)
        matrix[source[chosen], target[chosen]] = weight[chosen]
        shown += int(chosen.sum())
        if not chosen.any():
            continue
        ranges.append(f"{kind} {weight[chosen].min():.3g} to {weight[chosen].max():.3g}")
        if kind == "functional":
            limit = float(np.nanpercentile(np.abs(matrix), 98)) or 1.0
            ax.imshow(matrix, cmap=DIVERGING, norm=TwoSlopeNorm(0.0, -limit, limit), interpolation="nearest")
        else:
            values = weight[chosen]
            low, high = float(values.min()), float(values.max())
            # starting a decade below keeps the weakest connections visible on white
            norm = LogNorm(low / 10, high if high > low else low * 10)
            ax.imshow(matrix, cmap=MAPS.get(kind, "viridis"), norm=norm, interpolation="nearest")
    # long names of points must not run into their neighbours
    ax.set_title(name, fontsize=min(8.5, 8.5 * 32 / len(name)))
    counts = f"{len(labels):,} nodes; {shown:,} of {weight.size:,} connections"
    ax.set_xlabel(f"{counts}\n{', '.join(ranges)}{'' if unit == '1' else f' {unit}'}", fontsize=6.5)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#bbbbbb")
    return int((place < 0).sum())
