"""Figures of connectomes: the matrix of one with its degrees and weights, several side by side, simulated propagation."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import name_entries, unlisted
from allometry.report.drawing.style import COLOURS, DIVERGING, SEQUENTIAL, WIDTH, drawn_on, panels
from allometry.report.drawing.ticks import plain_number
from allometry.report.kinds.node_order import Order, grouping, node_order
from allometry.report.kinds.points import point_labels

Floats = npt.NDArray[np.float64]

NAMED = 60  # nodes up to which a matrix has their names beside it
MOST_NODES = 1200  # beyond, an entry of the matrix is the sum over a block of nodes
LEAST_SHARE = 0.04  # of the axis, from which a group of nodes has its name beside it
HUBS = 8
SIGNIFICANT = 0.05
KIND_COLOURS = {"chemical": COLOURS[0], "electrical": COLOURS[1], "functional": COLOURS[2]}


def draw_one(ds: xr.Dataset, name: str) -> Drawing:
    """The matrix of a connectome, its degrees, its weights and its strongest nodes."""
    order = node_order(ds)
    kinds = list(dict.fromkeys(ds["synapse"].values.astype(object)))
    # places are fixed: to find them takes longer than to draw all, and a run has dozens of connectomes
    figure = Figure(figsize=(WIDTH, 7.0))
    matrix = _axes(figure, 1.45, 1.45, 5.1, 5.1)
    degrees, weights, hubs = (_axes(figure, 8.55, bottom, 2.9, 1.45) for bottom in (5.2, 2.95, 0.65))
    images = _matrix(matrix, ds, order, kinds)
    for place, (kind, image) in enumerate(images.items()):
        bar = _axes(figure, 6.7, 1.45 + 2.7 * place, 0.13, 2.4)
        bar.set_label("<colorbar>")
        figure.colorbar(image, cax=bar, label=f"{kind} weight{_unit(ds)}")
    matrix.set_title(readable(name))
    _degrees(degrees, ds, kinds)
    _weights(weights, ds, kinds)
    strongest = _hubs(hubs, ds, kinds)
    counts = {kind: int(_listed(ds, kind).sum()) for kind in kinds}
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    block = -(-len(order.index) // MOST_NODES)
    parts = [
        f"{ds.sizes['node']:,} nodes; connections: {said}. Row: source, column: target"
        f"{grouping(order)}; colour: weight, logarithmic."
        if "functional" not in kinds
        else f"{ds.sizes['node']:,} neurons, {said} pairs measured. Row: driven neuron, column: responding neuron"
        f"{grouping(order)}; red: excited, blue: inhibited, up to the 98th percentile; white: not measured.",
        f"An entry is the sum over {block} by {block} nodes." if block > 1 else "",
        f"Right: share of nodes with {'so many connections' if _counts(ds, kinds) else 'such a sum of weights'} or more, share of "
        f"connections of such a weight or more, and the nodes with the most ({', '.join(strongest[:3])} first).",
    ]
    seen = (
        f"Adjacency matrix of {readable(name)}, {ds.sizes['node']:,} by {ds.sizes['node']:,}, {_density(ds, kinds)} filled"
        f"{_blocks(ds, order, kinds)}. Beside it, falling curves of degree and weight, and bars of the {len(strongest)} strongest "
        f"nodes, {strongest[0] if strongest else 'none'} on top."
    )
    return Drawing(figure, " ".join(filter(None, parts)), f"Connectome: {readable(name)}", seen, core=matrix)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def draw_many(opened: Mapping[str, xr.Dataset]) -> Drawing:
    """Connections, degrees and weights of several connectomes, a row for each."""
    names = [readable(name) for name in opened]
    height = 1.5 + 0.24 * len(names)
    axes = panels(3, 3, height)
    for y, ds in enumerate(opened.values()):
        kinds = list(dict.fromkeys(ds["synapse"].values.astype(object)))
        for place, kind in enumerate(kinds):
            shift = 0.26 * (place - (len(kinds) - 1) / 2)
            colour, label = _colour(kind), kind
            axes[0].plot(int(_listed(ds, kind).sum()), y + shift, "o", ms=5, color=colour, label=unlisted(label))
            _quantiles(axes[1], _outgoing(ds, kind) + _incoming(ds, kind), y + shift, kind)
            _quantiles(axes[2], np.abs(ds["weight"].values[_listed(ds, kind)]), y + shift, kind)
    shown = list(dict.fromkeys(kind for ds in opened.values() for kind in ds["synapse"].values.astype(object)))
    for kind in shown:
        axes[0].plot([], [], "o", ms=5, color=_colour(kind), label=kind)
    for ax, title, label in zip(
        axes,
        ("Connections", "Degree of the nodes", "Weight of the connections"),
        ("number", "connections of a node, in and out", "weight, of functional ones without its sign"),
    ):
        ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names))
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.set(title=title, xlabel=label, xscale="log")
        ax.grid(axis="x", color="#eceff2")
        ax.set_axisbelow(True)
    drawn_on(axes).legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=max(1, len(shown)))
    species = str(next(iter(opened.values())).attrs["species"])
    nodes = [ds.sizes["node"] for ds in opened.values()]
    caption = (
        f"{len(opened)} connectomes of {min(nodes):,} to {max(nodes):,} nodes, a row for each and a colour for each kind of "
        "connection. Degree and weight: the median, half of all (thick line) and nine of ten (thin line). Weights of different "
        "kinds and sources have different units."
    )
    return Drawing(drawn_on(axes), caption, f"Connectomes beside one another: {species}")


def draw_propagation(opened: Mapping[str, xr.Dataset], run: str) -> Drawing:
    """Simulated propagation at several settings: matrices on one axis and one scale of colours."""
    labels = point_labels(opened)
    shown = list(opened.items())[:6]
    values = np.concatenate([np.abs(ds["weight"].values[np.isfinite(ds["weight"].values)]) for _, ds in shown])
    limit = float(np.percentile(values, 99)) or 1.0
    columns = min(3 if len(shown) > 4 else 2, len(shown))
    # one alone is no wider than it needs
    axes = panels(len(shown), columns, 10.6 / max(columns, 2) - 0.4, WIDTH if len(shown) > 1 else 6.6)
    for ax, (_, ds), label in zip(axes, shown, labels):
        order = node_order(ds)
        image = _signed(ax, ds, order, Normalize(0, limit), SEQUENTIAL)
        ax.set(
            title=label[:1].upper() + label[1:] or "Peak response", xlabel="responding neuron", ylabel="driven neuron"
        )
        _ticks(ax, order)
    unit = str(next(iter(opened.values()))["weight"].attrs.get("units", "mV"))
    drawn_on(axes).colorbar(image, ax=axes, shrink=0.5, aspect=30, label=f"peak depolarisation ({unit})", extend="max")
    nodes = next(iter(opened.values())).sizes["node"]
    more = f" {len(shown)} of {len(opened)} settings are drawn." if len(opened) > len(shown) else ""
    caption = (
        f"Each of {nodes} neurons was driven in turn (row); the colour is the largest depolarisation of every other one "
        f"(column), on one scale for all matrices, up to the 99th percentile.{more}"
    )
    shares = [float((np.abs(ds["weight"].values) > limit / 10).mean()) for _, ds in shown]
    said = "; ".join(f"{100 * share:.0f} %{f' ({label})' if label else ''}" for share, label in zip(shares, labels))
    seen = (
        f"{len(shown)} matri{'ces' if len(shown) > 1 else 'x'} of {nodes} by {nodes} neurons; bright rows are neurons that drive many "
        f"others, bright columns those that many drive. Above a tenth of the scale are, of all pairs, {said}."
    )
    return Drawing(drawn_on(axes), caption, f"Simulated propagation: {readable(run)}", seen, core=axes[0])


def _listed(ds: xr.Dataset, kind: str) -> npt.NDArray[np.bool_]:
    """Connections of a kind that there are: of functional ones all that were measured."""
    weight = ds["weight"].values
    chosen = (ds["synapse"].values.astype(object) == kind) & np.isfinite(weight)
    return np.asarray(chosen if kind == "functional" else chosen & (weight > 0))


def _counted(ds: xr.Dataset, kind: str) -> npt.NDArray[np.bool_]:
    """Connections that count for the degree: of functional ones those that are significant."""
    listed = _listed(ds, kind)
    return np.asarray(listed & (ds["q"].values < SIGNIFICANT) if kind == "functional" and "q" in ds else listed)


def _outgoing(ds: xr.Dataset, kind: str) -> Floats:
    return np.bincount(ds["source"].values[_counted(ds, kind)], minlength=ds.sizes["node"]).astype(np.float64)


def _incoming(ds: xr.Dataset, kind: str) -> Floats:
    return np.bincount(ds["target"].values[_counted(ds, kind)], minlength=ds.sizes["node"]).astype(np.float64)


def _dense(ds: xr.Dataset, chosen: npt.NDArray[np.bool_], order: Order) -> tuple[Floats, list[str]]:
    """Weights [source, target] in the order of the matrix, summed over blocks of nodes where there are many; labels."""
    size = len(order.index)
    place = np.empty(size, np.int64)
    place[order.index] = np.arange(size)
    block = -(-size // MOST_NODES)
    side = -(-size // block)
    source, target = place[ds["source"].values[chosen]] // block, place[ds["target"].values[chosen]] // block
    weight = ds["weight"].values[chosen].astype(np.float64)
    total = np.bincount(source * side + target, weight, side * side)
    known = np.bincount(source * side + target, minlength=side * side) > 0
    return np.where(known, total, np.nan).reshape(side, side), order.labels[::block]


def _matrix(ax: Axes, ds: xr.Dataset, order: Order, kinds: Sequence[str]) -> dict[str, AxesImage]:
    drawn = {}
    for kind in kinds:
        chosen = _listed(ds, kind)
        if not chosen.any():
            continue
        matrix, labels = _dense(ds, chosen, order)
        if kind == "functional":
            limit = float(np.nanpercentile(np.abs(matrix), 98)) or 1.0
            norm: Normalize = TwoSlopeNorm(0.0, -limit, limit)
        else:
            low, high = float(np.nanmin(matrix)), float(np.nanmax(matrix))
            norm = LogNorm(low, high if high > low else low * 10)
        drawn[kind] = ax.imshow(
            matrix, cmap=_map(kind, len(kinds)), norm=norm, interpolation="nearest", label=unlisted(kind)
        )
        name_entries(drawn[kind], labels, labels)
    ax.set(xlabel="target" if "functional" not in kinds else "responding neuron")
    ax.set_ylabel("source" if "functional" not in kinds else "driven neuron")
    _ticks(ax, order)
    return drawn


def _signed(ax: Axes, ds: xr.Dataset, order: Order, norm: Normalize, colours: str) -> AxesImage:
    matrix, labels = _dense(ds, np.isfinite(ds["weight"].values), order)
    image = ax.imshow(matrix, cmap=colours, norm=norm, interpolation="nearest")
    name_entries(image, labels, labels)
    return image


def _map(kind: str, kinds: int) -> str | Colormap:
    """Colours of a kind; no entry is white, which means that there is none."""
    if kind == "functional":
        return DIVERGING
    if kinds == 1 and kind not in KIND_COLOURS:
        return SEQUENTIAL
    shades = {"chemical": ("#9ecae1", "#08306b"), "electrical": ("#fdbe85", "#7f2704")}.get(
        kind, ("#a8ddb5", "#084081")
    )
    return LinearSegmentedColormap.from_list(kind, shades)


def _ticks(ax: Axes, order: Order) -> None:
    """Names of few nodes, or of the groups of many; thin lines between groups."""
    size = len(order.labels)
    block = -(-size // MOST_NODES)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#9aa3ad")
    if size <= NAMED:
        for set_ticks, turn in ((ax.set_xticks, 90), (ax.set_yticks, 0)):
            set_ticks(range(size), order.labels, rotation=turn, fontsize=min(7.0, 300 / size))
        return
    ends = np.cumsum([count for _, count in order.groups]) / block if order.groups else np.array([size / block])
    starts = np.append(0, ends[:-1])
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color="#9aa3ad", lw=0.5)
        ax.axvline(end - 0.5, color="#9aa3ad", lw=0.5)
    wide = [k for k in range(len(order.groups)) if ends[k] - starts[k] >= LEAST_SHARE * size / block]
    places = [(starts[k] + ends[k]) / 2 - 0.5 for k in wide]
    names = [order.groups[k][0] for k in wide]
    ax.set_xticks(places, names, rotation=90)
    ax.set_yticks(places, names)
    ax.tick_params(length=0)


def _survival(values: Floats) -> tuple[Floats, Floats]:
    """Share of values that are at least as large, at every value."""
    different, counts = np.unique(values, return_counts=True)
    return different.astype(np.float64), counts[::-1].cumsum()[::-1] / counts.sum()


def _counts(ds: xr.Dataset, kinds: Sequence[str]) -> bool:
    """Whether nodes differ in the number of their connections: where all are connected to all, only weights say more."""
    return any(len(set(_incoming(ds, kind).tolist())) > 1 for kind in kinds)


def _of_nodes(ds: xr.Dataset, kind: str, end: str, counted: bool) -> Floats:
    """Connections of every node at one end, `source` or `target`; or the sum of their weights."""
    chosen = _counted(ds, kind)
    weight = None if counted else np.abs(ds["weight"].values[chosen].astype(np.float64))
    return np.bincount(ds[end].values[chosen], weight, minlength=ds.sizes["node"]).astype(np.float64)


def _degrees(ax: Axes, ds: xr.Dataset, kinds: Sequence[str]) -> None:
    counted = _counts(ds, kinds)
    for kind in kinds:
        undirected = kind in ("electrical", "structural")
        for name, end, line in (("in", "target", "-"), ("out", "source", "--")):
            if undirected and name == "out":
                continue
            degree = _of_nodes(ds, kind, end, counted)
            x, y = _survival(degree[degree > 0])
            ax.plot(x, y, line, lw=1.3, color=_colour(kind), label=kind if undirected else f"{kind}, {name}")
    significant = "significant " if kinds == ["functional"] and "q" in ds else ""
    label = f"{significant}connections of a node" if counted else "sum of the weights of a node"
    ax.set(xscale="log", yscale="log", title="Degree" if counted else "Strength", xlabel=label, ylabel="share of nodes")
    ax.legend(loc="lower left", fontsize=7)


def _weights(ax: Axes, ds: xr.Dataset, kinds: Sequence[str]) -> None:
    for kind in kinds:
        weight = ds["weight"].values[_listed(ds, kind)].astype(np.float64)
        for name, part, line in _signs(weight):
            x, y = _survival(part)
            step = max(1, len(x) // 400)  # of many different weights every so many
            ax.plot(x[::step], y[::step], line, lw=1.3, color=_colour(kind), label=f"{kind}{name}")
    ax.set(xscale="log", yscale="log", title="Weight", xlabel=f"weight{_unit(ds)}", ylabel="share of connections")
    ax.legend(loc="lower left", fontsize=7)


def _signs(weight: Floats) -> Iterator[tuple[str, Floats, str]]:
    if (weight < 0).any():
        yield ", positive", weight[weight > 0], "-"
        yield ", negative", -weight[weight < 0], "--"
    else:
        yield "", weight, "-"


def _hubs(ax: Axes, ds: xr.Dataset, kinds: Sequence[str]) -> list[str]:
    """Bars of the nodes with most connections, stacked by kind and direction; their names."""
    counted = _counts(ds, kinds)
    parts = []
    for kind in kinds:
        undirected = kind in ("electrical", "structural")
        for name, end, alpha in (("in", "target", 1.0), ("out", "source", 0.5)):
            if not (undirected and name == "out"):
                label = kind if undirected else f"{kind}, {name}"
                parts.append((label, _of_nodes(ds, kind, end, counted), _colour(kind), alpha))
    total = np.sum([degree for _, degree, _, _ in parts], axis=0)
    best = np.argsort(-total, kind="stable")[: min(HUBS, len(total))]
    left = np.zeros(len(best))
    for label, degree, colour, alpha in parts:
        ax.barh(range(len(best)), degree[best], 0.75, left=left, color=colour, alpha=alpha, label=unlisted(label))
        left += degree[best]
    names = [str(ds["node"].values[node]) for node in best]
    ax.set_yticks(range(len(best)), names, fontsize=7)
    ax.invert_yaxis()
    directed = any(kind not in ("electrical", "structural") for kind in kinds)
    title = "Most connected" if counted else "Strongest"
    ax.set(title=f"{title} (light: out)" if directed else title, xlabel="connections" if counted else "sum of weights")
    ax.set_xlim(0, 1.03 * float(left.max(initial=1.0)))
    ax.locator_params(axis="x", nbins=5)
    if not counted:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    return names


def _quantiles(ax: Axes, values: Floats, y: float, kind: str) -> None:
    values = values[values > 0]
    if not values.size:
        return
    low, quarter, middle, three, high = np.percentile(values, (5, 25, 50, 75, 95))
    label, colour = unlisted(kind), _colour(kind)
    ax.plot([low, high], [y, y], "-", lw=0.9, color=colour, label=label)
    ax.plot([quarter, three], [y, y], "-", lw=3.2, color=colour, solid_capstyle="butt", label=label)
    ax.plot([middle], [y], "o", ms=4, color=colour, mec="white", mew=0.6, label=label)


def _colour(kind: str) -> str:
    return KIND_COLOURS.get(
        kind,
        COLOURS[3] if kind in ("peptidergic", "monoaminergic") else COLOURS[5] if kind == "mesoscale" else COLOURS[2],
    )


def _unit(ds: xr.Dataset) -> str:
    unit = str(ds["weight"].attrs.get("units", "1"))
    return "" if unit == "1" else f" ({unit})"


def _density(ds: xr.Dataset, kinds: Sequence[str]) -> str:
    pairs = ds.sizes["node"] * max(1, ds.sizes["node"] - 1)
    any_kind = np.any([_listed(ds, kind) for kind in kinds], axis=0)
    different = np.unique(
        ds["source"].values[any_kind].astype(np.int64) * ds.sizes["node"] + ds["target"].values[any_kind]
    )
    return f"{100 * len(different) / pairs:.2g} %"


def _blocks(ds: xr.Dataset, order: Order, kinds: Sequence[str]) -> str:
    """Which pair of large groups is connected most densely, in words."""
    large = [(name, count) for name, count in order.groups if count >= LEAST_SHARE * len(order.index)]
    if len(large) < 2:
        return ""
    group = np.empty(len(order.index), np.int64)
    group[order.index] = np.repeat(np.arange(len(order.groups)), [count for _, count in order.groups])
    names = [name for name, _ in order.groups]
    counts = np.array([count for _, count in order.groups], float)
    any_kind = np.any([_listed(ds, kind) for kind in kinds], axis=0)
    pairs = np.bincount(
        group[ds["source"].values[any_kind]] * len(names) + group[ds["target"].values[any_kind]],
        minlength=len(names) ** 2,
    ).reshape(len(names), -1) / (counts[:, None] * counts[None])
    kept = [names.index(name) for name, _ in large]
    row, column = np.unravel_index(int(pairs[np.ix_(kept, kept)].argmax()), (len(kept), len(kept)))
    return f", most densely from {names[kept[row]]} to {names[kept[column]]}"
