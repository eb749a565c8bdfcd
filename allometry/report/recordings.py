"""Figures of recordings: what is covered, and how neurons or regions are correlated."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from allometry import stores
from allometry.report.card import Figure
from allometry.report.style import COLOURS, DIVERGING, figure, hide_unused


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
        Activity stores by name; those on the same axis share a row of panels.
    image : path
        PNG file to write; its description is written beside it.
    """
    roots = {name: _root(path) for name, path in paths.items()}
    # Neurons of different axes cannot be stacked: one group of stores per axis.
    groups: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for name, root in roots.items():
        axis = tuple(root["neuron"].values.tolist())
        groups.setdefault(axis, {})[name] = root["recorded"].values.astype(bool)
    captions = []
    with figure(image, 1, 2 * len(groups), (8.6, 2.6)) as axes:
        for index, group in enumerate(groups.values()):
            said = _coverage(axes[2 * index], axes[2 * index + 1], group, tuple(paths))
            captions.append(f"{', '.join(group)}: {said}" if len(groups) > 1 else said)
    if len(groups) > 1:
        captions.insert(0, f"The stores have {len(groups)} different axes, each in panels of its own.")
    species = next(iter(roots.values())).attrs["species"]
    Figure(f"Coverage: {species}", " ".join(captions), tuple(paths.values())).save(image)


def _coverage(coverage: Axes, counts: Axes, group: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    """Draw stores on one axis, recorded [recording, neuron] by name; return what is shown, in words."""
    matrix = np.concatenate(list(group.values()))
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    palette = np.vstack([[1, 1, 1, 1], *([_rgba(colour[name])] for name in group)])
    number = np.repeat(np.arange(len(group)) + 1, [len(recorded) for recorded in group.values()])
    coverage.imshow(palette[number[:, None] * matrix], aspect="auto", interpolation="nearest")
    coverage.set_ylabel("recording")
    coverage.set_xticks([])
    for name in group:
        coverage.plot([], [], "s", color=colour[name], label=name)
    coverage.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    times = matrix.sum(axis=0)
    counts.bar(np.arange(times.size), times, width=1.0, color=COLOURS[7])
    counts.set_xlim(-0.5, times.size - 0.5)
    counts.set_ylabel("recordings")
    counts.set_xlabel("neuron or region, in the order of the stores' axis")
    return (
        f"{matrix.shape[0]} recordings; {int((times > 0).sum())} of {times.size} neurons or regions were recorded at least once, "
        f"{int((times == matrix.shape[0]).sum())} in every recording."
    )


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
        drawn = [_correlation(ax, part, recording) for ax, (recording, part) in zip(axes, parts.items())]
        hide_unused(axes, len(parts))
        shown = next((matrix for matrix in drawn if matrix is not None), None)
        if shown is not None:
            axes[0].figure.colorbar(shown, ax=axes[: len(parts)], shrink=0.7, label="correlation")
    root = _root(path)
    caption = (
        f"Pearson correlation of the traces of {name}, one matrix per recording ({len(parts)} of {root.sizes['recording']}), over "
        "the neurons or regions that were recorded, on the store's axis."
    )
    Figure(f"Correlations: {name}", caption, (path,)).save(image)


def _correlation(ax: Axes, part: xr.Dataset, title: str) -> AxesImage | None:
    """Draw one matrix over the neurons that are complete and vary; with fewer than two of them, say so."""
    trace = part["trace"].values
    trace = trace[:, np.isfinite(trace).all(axis=0)]
    trace = trace[:, np.ptp(trace, axis=0) > 0]
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
    if trace.shape[1] < 2:
        ax.text(0.5, 0.5, "fewer than two neurons", ha="center", va="center", fontsize=8, transform=ax.transAxes)
        return None
    matrix = np.corrcoef(trace, rowvar=False)
    return ax.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")


def _root(path: str) -> xr.Dataset:
    opened = stores.open(path)
    return opened.to_dataset() if isinstance(opened, xr.DataTree) else opened


def _rgba(colour: str) -> list[float]:
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)] + [1.0]
