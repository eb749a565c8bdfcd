"""Figures of recordings: what is covered, how neurons or regions are correlated, how many dimensions the activity has."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from allometry import stores
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import COLOURS, DIVERGING, NEUTRAL, figure, hide_unused
from allometry.stores.summaries.activity import KATO_ORDER, KATO_WINDOW, derivative_pca, masked_correlation

NAMED = 20  # neurons up to which a matrix has their names beside it
MIN_SAMPLES = 50  # of a neuron, and of two neurons together, for a correlation
COMPONENTS = 10
MOST_VALUES = 2**26  # of a recording whose components are shown: a voltage of hours has more


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
        for index, (axis, group) in enumerate(groups.items()):
            said = _coverage(axes[2 * index], axes[2 * index + 1], group, axis, tuple(paths))
            captions.append(f"{', '.join(group)}: {said}" if len(groups) > 1 else said)
    if len(groups) > 1:
        captions.insert(0, f"The stores have {len(groups)} different axes, each in panels of its own.")
    species = next(iter(roots.values())).attrs["species"]
    Figure(f"Coverage: {species}", " ".join(captions), tuple(paths.values())).save(image)


def _coverage(
    coverage: Axes, counts: Axes, group: Mapping[str, np.ndarray], axis: Sequence[str], names: Sequence[str]
) -> str:
    """Draw stores on one axis, recorded [recording, neuron] by name; return what is shown, in words."""
    matrix = np.concatenate(list(group.values()))
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    palette = np.vstack([[1, 1, 1, 1], *([_rgba(colour[name])] for name in group)])
    sizes = [len(recorded) for recorded in group.values()]
    number = np.repeat(np.arange(len(group)) + 1, sizes)
    coverage.imshow(palette[number[:, None] * matrix], aspect="auto", interpolation="nearest")
    ends = np.cumsum(sizes)
    coverage.set_yticks(ends - 0.5 - np.array(sizes) / 2, [f"{name} ({size})" for name, size in zip(group, sizes)])
    coverage.tick_params(left=False)
    for end in ends[:-1]:
        coverage.axhline(end - 0.5, color="0.6", lw=0.6)
    coverage.set_xticks([])
    coverage.set_title("what was recorded, one row per recording")
    times = matrix.sum(axis=0)
    counts.bar(np.arange(times.size), times, width=1.0, color=NEUTRAL)
    counts.set_xlim(-0.5, times.size - 0.5)
    counts.yaxis.set_major_locator(MaxNLocator(integer=True))
    counts.set_ylabel("recordings")
    shown = np.unique(np.linspace(0, times.size - 1, min(times.size, 31)).round().astype(int))
    counts.set_xticks(
        shown, [axis[i] if len(axis[i]) < 13 else f"{axis[i][:12]}…" for i in shown], rotation=90, fontsize=7
    )
    counts.set_xlabel("neuron or region, in the order of the stores' axis")
    return (
        f"{matrix.shape[0]} recordings; {int((times > 0).sum())} of {times.size} neurons or regions were recorded at least once, "
        f"{int((times == matrix.shape[0]).sum())} in every recording."
    )


def draw_correlations(path: str, name: str, image: str | Path, largest: int = 8) -> None:
    """Correlation matrices of the first recordings of a store, and the principal components of all.

    Parameters
    ----------
    path, name : str
        Activity store and its name.
    image : path
        PNG file to write; its description is written beside it.
    largest : int
        Recordings shown at most as a matrix.
    """
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    parts = dict(list(stores.split(tree).items())[:largest])
    columns = math.ceil(math.sqrt(len(parts) + 1))
    rows = -(-(len(parts) + 1) // columns)
    with figure(image, columns, rows, (3.0, 2.9)) as axes:
        drawn = [_correlation(ax, part, recording) for ax, (recording, part) in zip(axes, parts.items())]
        said = _components(axes[len(parts)], tree)
        hide_unused(axes, len(parts) + 1)
        shown = next((matrix for matrix in drawn if matrix is not None), None)
        if shown is not None:
            axes[0].figure.colorbar(shown, ax=axes[: len(parts) + 1], shrink=0.6, label="correlation")
    count = tree.sizes["recording"]
    caption = (
        f"Pearson correlation of the traces of {name}, one matrix per recording ({len(parts)} of {count}), over "
        f"the neurons or regions that were recorded, on the store's axis; samples that both have, at least {MIN_SAMPLES} "
        f"(grey: fewer). {said}"
    )
    Figure(f"Correlations: {name}", caption, (path,)).save(image)


def _correlation(ax: Axes, part: xr.Dataset, title: str) -> AxesImage | None:
    """Draw one matrix over the neurons that have enough samples and vary; with fewer than two of them, say so."""
    trace = part["trace"].values.astype(np.float64)
    known = np.isfinite(trace)
    usable = np.flatnonzero(known.sum(axis=0) >= MIN_SAMPLES)
    usable = usable[
        np.nanmax(trace[:, usable], axis=0, initial=-np.inf) > np.nanmin(trace[:, usable], axis=0, initial=np.inf)
    ]
    ax.set_title(title, fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])
    if usable.size < 2:
        ax.text(0.5, 0.5, "fewer than two neurons", ha="center", va="center", fontsize=8, transform=ax.transAxes)
        return None
    matrix, samples = masked_correlation(trace[:, usable])
    if usable.size <= NAMED:
        names = part["neuron"].values[usable].tolist()
        ax.set_xticks(range(usable.size), names, rotation=90, fontsize=6)
        ax.set_yticks(range(usable.size), names, fontsize=6)
    ax.set_facecolor("0.75")
    return ax.imshow(
        np.where(samples >= MIN_SAMPLES, matrix, np.nan), cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest"
    )


def _components(ax: Axes, tree: xr.DataTree) -> str:
    """Draw the share of variance in the first components of the derivative; return what is shown, in words."""
    shares, left_out, large = {}, 0, 0
    for recording, native in tree.children["native"].children.items():
        stored = native.to_dataset(inherit=False)["trace"]
        if stored.size > MOST_VALUES:
            large += 1
            continue
        trace = stored.values
        complete = np.isfinite(trace).all(axis=0)
        left_out += int((~complete).sum())
        if len(trace) >= KATO_WINDOW and complete.sum() > 1:
            shares[recording] = np.cumsum(derivative_pca(trace[:, complete], COMPONENTS))
    ax.set_title("principal components of the derivative", fontsize=8)
    if not shares:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no complete trace", ha="center", va="center", fontsize=8, transform=ax.transAxes)
        return ""
    for share in shares.values():
        ax.plot(
            np.arange(share.size) + 1,
            share,
            "o-",
            ms=2.5,
            lw=0.8,
            color=COLOURS[0],
            alpha=max(0.15, len(shares) ** -0.5),
        )
    ax.set(xlabel="components", ylabel="share of variance", ylim=(0, 1), xlim=(0.5, COMPONENTS + 0.5))
    ax.set_xticks(range(1, COMPONENTS + 1, 3))
    third = [share[min(2, share.size - 1)] for share in shares.values()]
    listed = ", ".join(f"{value:.3f}" for value in third)
    if len(third) > 8:
        listed = f"median {np.median(third):.3f}, from {min(third):.3f} to {max(third):.3f}"
    without = f" ({left_out} with missing samples left out)" if left_out else ""
    without += f"; {large} recordings of more than {MOST_VALUES:,} values are left out" if large else ""
    return (
        f"Principal components of the derivative (Savitzky-Golay, {KATO_WINDOW} samples, order {KATO_ORDER}) of every region at "
        f"its native rate, unscaled, labelled or not{without}; share of the first three, by recording: {listed}."
    )


def _root(path: str) -> xr.Dataset:
    opened = stores.open(path)
    return opened.to_dataset() if isinstance(opened, xr.DataTree) else opened


def _rgba(colour: str) -> list[float]:
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)] + [1.0]
