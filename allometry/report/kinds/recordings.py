"""Figures of recordings: traces beside correlations, spectra and dimensions of one store; what several stores cover."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import name_entries, unlisted
from allometry.report.drawing.style import COLOURS, DIVERGING, NEUTRAL, canvas, stacked
from allometry.stores.summaries.activity import KATO_ORDER, KATO_WINDOW, derivative_pca, masked_correlation

Floats = npt.NDArray[np.float64]

SHOWN = 3
"""Recordings whose traces and correlations are drawn; the panels below have all."""
TRACES = 14
NAMED = 20
"""Neurons up to which a matrix has their names beside it."""
MIN_SAMPLES = 50
"""Of a neuron, and of two neurons together, for a correlation."""
COMPONENTS = 10
MOST_VALUES = 2**26
"""Of a recording whose spectrum and components are shown: a voltage of hours has more."""
LEAST_TRACES = 3
"""Complete ones, for their components to say something."""
SEGMENT = 256
"""Samples of a segment of a spectrum."""
MOST_SAMPLES = 1500
"""Of a trace that is drawn; of longer ones every so many."""


def draw_one(tree: xr.DataTree, name: str) -> Drawing:
    """Traces beside correlations of the first recordings of a store; spectra, correlations and dimensions of all.

    Parameters
    ----------
    tree : DataTree
        Activity store.
    name : str
        Its name.
    """
    parts = stores.split(tree)
    shown = dict(list(parts.items())[:SHOWN])
    figure = canvas(2.9 * len(shown) + 3.1)
    above, below = stacked(figure, (2.9 * len(shown), 3.1))
    rows = above.subplots(len(shown), 2, width_ratios=(2.3, 1), squeeze=False)
    longest = max(float(part["time"].values[-1] - part["time"].values[0]) for part in shown.values())
    drawn = []
    for (trace, matrix), (recording, part) in zip(rows, shown.items()):
        usable = _usable(part)
        _traces(trace, part, usable, recording, longest)
        drawn.append(_correlation(matrix, part, usable))
    rows[-1][0].set_xlabel("time (s)")
    image = next((matrix for matrix in drawn if matrix is not None), None)
    if image is not None:
        above.colorbar(image, ax=rows[:, 1], shrink=min(1.0, 1.6 / len(shown)), aspect=20, label="correlation")
    spectra, spread, components = below.subplots(1, 3)
    _spectra(spectra, tree)
    middle = _spread(spread, parts)
    said = _components(components, tree)
    said += _left_out(tree)
    unit = str(next(iter(parts.values()))["trace"].attrs.get("units", "1"))
    caption = (
        f"Traces of {readable(name)} over its neurons or regions in the order of the store, {TRACES} of them evenly, each "
        f"relative to its own mean and spread{'' if unit == '1' else f' (stored in {unit})'}; beside them the Pearson correlations "
        f"of all, over samples that both have, at least {MIN_SAMPLES} (grey: fewer). {len(shown)} of {len(parts)} recordings. Below, a "
        f"curve for each recording: spectrum of the mean neuron at the native rate, distribution of correlations. {said}"
    )
    seen = (
        f"{len(shown)} rows of {TRACES if unit else ''} traces, each beside its correlation matrix. {middle} Below, spectra of "
        f"{len(parts)} recordings, histograms of their correlations, and rising curves of the variance that components hold."
    )
    return Drawing(figure, caption, f"Recordings: {readable(name)}", seen, core=rows[0][1])


def _usable(part: xr.Dataset) -> npt.NDArray[np.int64]:
    """Neurons that have enough samples and vary."""
    trace = part["trace"].values.astype(np.float64)
    usable = np.flatnonzero(np.isfinite(trace).sum(axis=0) >= MIN_SAMPLES)
    high = np.nanmax(trace[:, usable], axis=0, initial=-np.inf)
    return np.asarray(usable[high > np.nanmin(trace[:, usable], axis=0, initial=np.inf)])


def _traces(ax: Axes, part: xr.Dataset, usable: npt.NDArray[np.int64], recording: str, longest: float) -> None:
    ax.set_title(readable(recording))
    if not usable.size:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no trace is long enough", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return
    chosen = usable[np.unique(np.linspace(0, usable.size - 1, min(TRACES, usable.size)).round().astype(int))]
    time = part["time"].values - part["time"].values[0]
    step = -(-len(time) // MOST_SAMPLES)
    names = part["neuron"].values.astype(object)[chosen].tolist()
    for row, neuron in enumerate(chosen):
        values = part["trace"].values[:, neuron].astype(np.float64)
        values = (values - np.nanmean(values)) / np.nanstd(values)
        # beyond three deviations a trace would run into those above it
        shown = row - np.clip(values[::step], -3, 3) / 4.5
        ax.plot(
            time[::step],
            shown,
            lw=0.6,
            color=COLOURS[row % 2],
            label=unlisted(str(names[row])),
            rasterized=len(time) > 4000,
        )
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.set(xlim=(0, longest), ylim=(len(names) - 0.3, -0.7))
    ax.tick_params(axis="y", length=0)


def _correlation(ax: Axes, part: xr.Dataset, usable: npt.NDArray[np.int64]) -> AxesImage | None:
    """Draw the correlations of neurons; with fewer than two of them, say so."""
    ax.set_xticks([])
    ax.set_yticks([])
    if usable.size < 2:
        ax.text(0.5, 0.5, "fewer than two neurons", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return None
    matrix = _matrix(part, usable)
    names = part["neuron"].values.astype(object)[usable].tolist()
    if usable.size <= NAMED:
        ax.set_xticks(range(usable.size), names, rotation=90, fontsize=6.5)
        ax.set_yticks(range(usable.size), names, fontsize=6.5)
    ax.set_title(f"{usable.size} neurons or regions", fontsize=9, fontweight="normal")
    ax.set_facecolor("0.75")
    image = ax.imshow(matrix, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
    name_entries(image, names, names)
    return image


def _matrix(part: xr.Dataset, usable: npt.NDArray[np.int64]) -> Floats:
    matrix, samples = masked_correlation(part["trace"].values[:, usable].astype(np.float64))
    return np.where(samples >= MIN_SAMPLES, matrix, np.nan)


def _natives(tree: xr.DataTree) -> dict[str, tuple[Floats, Floats]]:
    """Time and traces without missing samples of every recording at its native rate."""
    found = {}
    for recording, native in tree.children["native"].children.items():
        ds = native.to_dataset(inherit=False)
        if ds["trace"].size > MOST_VALUES:
            continue
        trace = ds["trace"].values.astype(np.float64)
        found[str(recording)] = (ds["time"].values.astype(np.float64), trace[:, np.isfinite(trace).all(axis=0)])
    return found


def _left_out(tree: xr.DataTree) -> str:
    """How many recordings are too long for spectrum and components, in words."""
    sizes = [native.to_dataset(inherit=False)["trace"].size for native in tree.children["native"].children.values()]
    count = sum(size > MOST_VALUES for size in sizes)
    words = "recordings of more than {} values are" if count > 1 else "recording of more than {} values is"
    return f" {count} {words.format(f'{MOST_VALUES:,}')} left out below." if count else ""


def _style(count: int) -> dict[str, Any]:
    return {"color": COLOURS[0], "alpha": max(0.2, min(0.9, count**-0.5))}


def _spectra(ax: Axes, tree: xr.DataTree) -> None:
    """Power over frequency of each recording: the mean over neurons of unit variance."""
    natives = _natives(tree)
    drawn = 0
    for recording, (time, trace) in natives.items():
        varying = trace[:, trace.std(axis=0) > 0] if trace.size else trace
        segment = min(SEGMENT, len(time) // 2)
        if segment < 16 or not varying.shape[1]:
            continue
        rate = 1 / float(np.median(np.diff(time)))
        scaled = (varying - varying.mean(axis=0)) / varying.std(axis=0)
        pieces = scaled[: len(scaled) // segment * segment].reshape(-1, segment, scaled.shape[1])
        window = np.hanning(segment)[None, :, None]
        centred = (pieces - pieces.mean(axis=1, keepdims=True)) * window
        power = 2 * (np.abs(np.fft.rfft(centred, axis=1)) ** 2).mean(axis=(0, 2)) / (rate * (window**2).sum())
        frequency = np.fft.rfftfreq(segment, 1 / rate)
        ax.loglog(frequency[1:], power[1:], lw=1.0, label=unlisted(recording), **_style(len(natives)))
        drawn += 1
    ax.set(title="Spectrum", xlabel="frequency (Hz)", ylabel="power per Hz (variance 1)")
    if not drawn:
        ax.text(0.5, 0.5, "recordings are too short", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)


def _spread(ax: Axes, parts: Mapping[str, xr.Dataset]) -> str:
    """Distribution of correlations of each recording; return their medians in words."""
    medians = []
    for recording, part in parts.items():
        usable = _usable(part)
        values = _matrix(part, usable)[np.triu_indices(usable.size, 1)] if usable.size > 1 else np.zeros(0)
        values = values[np.isfinite(values)]
        if values.size:
            counts, edges = np.histogram(np.clip(values, -1, 1), np.linspace(-1, 1, 41))
            ax.stairs(counts / values.size, edges, lw=1.1, label=unlisted(recording), **_style(len(parts)))
            medians.append(float(np.median(values)))
    ax.set(title="Correlations of all pairs", xlabel="correlation", ylabel="share of pairs", xlim=(-1, 1))
    if not medians:
        ax.text(0.5, 0.5, "no pair has enough samples", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return ""
    low, high = min(medians), max(medians)
    word = (
        "mostly red: neurons rise and fall together"
        if np.median(medians) > 0.15
        else "red and blue in balance"
        if np.median(medians) > -0.15
        else "mostly blue"
    )
    return f"The matrices are {word}; medians from {low:.2f} to {high:.2f}.".replace("-", "−")


def _components(ax: Axes, tree: xr.DataTree) -> str:
    """Draw the share of variance in the first components of the derivative; return what is shown, in words."""
    shares, left_out = {}, 0
    natives = _natives(tree)
    for recording, (_, trace) in natives.items():
        left_out += tree.children["native"].children[recording].to_dataset(inherit=False).sizes["roi"] - trace.shape[1]
        if len(trace) >= KATO_WINDOW and trace.shape[1] >= LEAST_TRACES:
            shares[recording] = np.cumsum(derivative_pca(trace, COMPONENTS))
    ax.set_title("Dimensions of the change")
    if not shares:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.text(
            0.5,
            0.5,
            f"fewer than {LEAST_TRACES} complete traces",
            ha="center",
            va="center",
            transform=ax.transAxes,
            color=NEUTRAL,
        )
        return ""
    for recording, share in shares.items():
        ax.plot(
            np.arange(share.size) + 1, share, "o-", ms=2.5, lw=1.0, label=unlisted(recording), **_style(len(shares))
        )
    ax.set(xlabel="principal components", ylabel="share of variance", ylim=(0, 1.03), xlim=(0.5, COMPONENTS + 0.5))
    ax.set_xticks(range(1, COMPONENTS + 1, 3))
    third = [share[min(2, share.size - 1)] for share in shares.values()]
    listed = ", ".join(f"{value:.3f}" for value in third)
    if len(third) > 8:
        listed = f"median {np.median(third):.3f}, from {min(third):.3f} to {max(third):.3f}"
    without = f" ({left_out} with missing samples left out)" if left_out else ""
    return (
        f"Principal components of the derivative (Savitzky-Golay, {KATO_WINDOW} samples, order {KATO_ORDER}) of every region at "
        f"its native rate, unscaled, labelled or not{without}; share of the first three, by recording: {listed}."
    )


def draw_coverage(trees: Mapping[str, xr.DataTree]) -> Drawing:
    """Which neuron or region was recorded in which recording, and how many times each.

    Parameters
    ----------
    trees : mapping of str to DataTree
        Activity stores by name; those on the same axis share panels.
    """
    roots = {name: tree.to_dataset(inherit=False) for name, tree in trees.items()}
    # neurons of different axes cannot be stacked: one group of stores per axis
    groups: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for name, root in roots.items():
        axis = tuple(root["neuron"].values.tolist())
        groups.setdefault(axis, {})[name] = root["recorded"].values.astype(bool)
    heights = [1.2 + min(4.0, 0.04 * sum(map(len, group.values())) + 0.25 * len(group)) for group in groups.values()]
    figure = canvas(sum(height + 2.3 for height in heights))
    parts = stacked(figure, [height + 2.3 for height in heights])
    captions = []
    for part, height, (axis, group) in zip(parts, heights, groups.items()):
        coverage, counts = part.subplots(2, 1, height_ratios=(height, 2.3), sharex=True)
        said = _coverage(coverage, counts, group, axis, tuple(roots))
        captions.append(f"{', '.join(map(readable, group))}: {said}" if len(groups) > 1 else said)
    if len(groups) > 1:
        captions.insert(0, f"The stores have {len(groups)} different axes, each in panels of its own.")
    species = next(iter(roots.values())).attrs["species"]
    return Drawing(figure, " ".join(captions), f"Coverage: {species}")


def _coverage(
    coverage: Axes, counts: Axes, group: Mapping[str, np.ndarray], axis: Sequence[str], names: Sequence[str]
) -> str:
    """Draw stores on one axis, recorded [recording, neuron] by name; return what is shown, in words."""
    matrix = np.concatenate(list(group.values()))
    sizes = [len(recorded) for recorded in group.values()]
    number = np.repeat([names.index(name) + 1 for name in group], sizes)
    palette = ListedColormap([COLOURS[k % 7] for k in range(len(names))])
    image = coverage.imshow(
        np.where(matrix, number[:, None], np.nan), cmap=palette, vmin=0.5, vmax=len(names) + 0.5, aspect="auto", interpolation="nearest"
    )  # fmt: skip
    name_entries(image, [name for name, size in zip(group, sizes) for _ in range(size)], list(axis))
    ends = np.cumsum(sizes)
    coverage.set_yticks(
        ends - 0.5 - np.array(sizes) / 2, [f"{readable(name)} ({size})" for name, size in zip(group, sizes)]
    )
    coverage.tick_params(left=False, bottom=False, labelbottom=False)
    for end in ends[:-1]:
        coverage.axhline(end - 0.5, color="0.6", lw=0.6)
    coverage.set_title("What was recorded, a row for each recording")
    times = matrix.sum(axis=0)
    counts.bar(np.arange(times.size), times, width=1.0, color=NEUTRAL)
    counts.set_xlim(-0.5, times.size - 0.5)
    counts.yaxis.set_major_locator(MaxNLocator(integer=True))
    counts.set_ylabel("recordings")
    shown = np.unique(np.linspace(0, times.size - 1, min(times.size, 45)).round().astype(int))
    counts.set_xticks(shown, [axis[i] for i in shown], rotation=90, fontsize=7)
    counts.set_xlabel("neuron or region, in the order of the stores' axis")
    counts.set_title("How often")
    return (
        f"{matrix.shape[0]} recordings; {int((times > 0).sum())} of {times.size} neurons or regions were recorded at least once, "
        f"{int((times == matrix.shape[0]).sum())} in every recording."
    )
