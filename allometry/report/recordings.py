"""Figures of recordings: what is covered, and how neurons or regions are correlated."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from allometry import stores
from allometry.report.card import Figure
from allometry.report.style import COLOURS, DIVERGING, figure


def draw(paths: Mapping[str, str], image: str | Path) -> None:
    """Figure of recordings: the coverage of several stores on one axis, or the correlations of one.

    Parameters
    ----------
    paths : mapping of str to str
        Activity stores by name.
    image : path
        PNG file to write, called `coverage_...` or `recordings_...`; its description is written beside it.
    """
    if Path(image).name.startswith("coverage"):
        draw_coverage(paths, image)
    else:
        for name, path in paths.items():
            draw_correlations(path, name, image)


def draw_coverage(paths: Mapping[str, str], image: str | Path) -> None:
    """Which neuron or region was recorded in which recording, and how many times each.

    Parameters
    ----------
    paths : mapping of str to str
        Activity stores by name, all on the same axis.
    image : path
        PNG file to write; its description is written beside it.
    """
    recorded, owner = [], []
    for name, path in paths.items():
        root = _root(path)
        species = root.attrs["species"]
        recorded.append(root["recorded"].values.astype(bool))
        owner += [name] * recorded[-1].shape[0]
    matrix = np.concatenate(recorded)
    with figure(image, 1, 2, (8.6, 2.6)) as (coverage, counts):
        order = {name: index for index, name in enumerate(paths)}
        shade = np.array([order[name] + 1 for name in owner])[:, None] * matrix
        palette = np.vstack([[1, 1, 1, 1], [_rgba(COLOURS[index % len(COLOURS)]) for index in range(len(paths))]])
        coverage.imshow(palette[shade], aspect="auto", interpolation="nearest")
        coverage.set_ylabel("recording")
        coverage.set_xticks([])
        for index, name in enumerate(paths):
            coverage.plot([], [], "s", color=COLOURS[index % len(COLOURS)], label=name)
        coverage.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        times = matrix.sum(axis=0)
        counts.bar(np.arange(times.size), times, width=1.0, color=COLOURS[7])
        counts.set_xlim(-0.5, times.size - 0.5)
        counts.set_ylabel("recordings")
        counts.set_xlabel("neuron or region, in the order of the stores' axis")
    caption = (
        f"{matrix.shape[0]} recordings; {int((times > 0).sum())} of {times.size} neurons or regions were recorded at least once, "
        f"{int((times == matrix.shape[0]).sum())} in every recording."
    )
    Figure(f"Coverage: {species}", caption, tuple(paths.values())).save(image)


def draw_correlations(path: str, name: str, image: str | Path, largest: int = 8) -> None:
    """Correlation matrices of the first recordings of a store, over what each of them recorded.

    Parameters
    ----------
    path, name : str
        Activity store and its name.
    image : path
        PNG file to write; its description is written beside it.
    largest : int
        Recordings shown at most.
    """
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    parts = dict(list(stores.split(tree).items())[:largest])
    columns = min(4, len(parts))
    rows = -(-len(parts) // columns)
    with figure(image, columns, rows, (2.6, 2.6)) as axes:
        for ax, (recording, part) in zip(axes, parts.items()):
            drawn = _correlation(ax, part, recording)
        for ax in axes[len(parts) :]:
            ax.remove()
        ax_with = axes[: len(parts)]
        ax_with[0].figure.colorbar(drawn, ax=ax_with, shrink=0.7, label="correlation")
    root = _root(path)
    caption = (
        f"Pearson correlation of the traces of {name}, one matrix per recording ({len(parts)} of {root.sizes['recording']}), over "
        "the neurons or regions that were recorded, on the store's axis."
    )
    Figure(f"Correlations: {name}", caption, (path,)).save(image)


def _correlation(ax: Axes, part: xr.Dataset, title: str) -> AxesImage:
    trace = part["trace"].values
    usable = np.isfinite(trace).all(axis=0) & (np.nanstd(trace, axis=0) > 0)
    matrix = np.corrcoef(trace[:, usable], rowvar=False)
    image = ax.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
    return image


def _root(path: str) -> xr.Dataset:
    opened = stores.open(path)
    return opened.to_dataset() if isinstance(opened, xr.DataTree) else opened


def _rgba(colour: str) -> list[float]:
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)] + [1.0]
