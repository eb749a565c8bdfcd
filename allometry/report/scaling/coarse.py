"""Figure of a coarse-grained model: maps beside those of the network, pixel against pixel, and the errors of every scheme."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.errors import ReportError
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.parts import rows_of
from allometry.report.drawing.style import COLOURS, DIVERGING, NEUTRAL, SEQUENTIAL, drawn_on, panel_rows

NETWORK, COARSE = "network", "coarse"
SHOWN = {"coarse": "coarse-grained", "open_loop": "open loop", "expected": "average wiring", "own": "LGN and class"}
BACKGROUND = "background"


def draw(tree: xr.DataTree) -> Drawing:
    """Draw the errors of a coarse-grained model.

    Parameters
    ----------
    tree : DataTree
        A Scores store of `scale.coarse`, with the curves `maps`, `errors` and `domains`.

    Raises
    ------
    ReportError
        It is another one.
    """
    if "curves" not in tree.children or "maps" not in tree["curves"].children:
        raise ReportError("this store has no maps of pixels", expected="the Scores of a coarse-grained model")
    maps, errors, domains = (tree[f"curves/{name}"].to_dataset() for name in ("maps", "errors", "domains"))
    rows = rows_of(tree)
    names = [str(name) for name in maps["condition"].values]
    condition = next((name for name in names if name != BACKGROUND), names[0])
    grid = iter(axes := panel_rows([4, 4, 3], 2.9))
    for population in map(str, maps["population"].values):
        of = maps["rate"].sel(condition=condition, population=population)
        _maps([next(grid) for _ in range(3)], of, maps, population)
        _scatter(next(grid), maps, names, population)
    _bars(next(grid), rows, "pixel_correlation", "correlation per pixel")
    _bars(next(grid), rows, "rate_deviation", "mean rate, deviation (%)", 100.0)
    _domains(next(grid), domains)
    return Drawing(drawn_on(axes), _caption(tree, errors, maps, condition), str(tree.attrs["title"]), core=axes[1])


def _maps(axes: list[Axes], of: xr.DataArray, maps: xr.Dataset, population: str) -> None:
    network, coarse = (of.sel(scheme=scheme).values for scheme in (NETWORK, COARSE))
    side = float(maps["x_um"].values[-1] + maps["x_um"].values[0]) / 1e3
    largest = float(np.percentile(network, 99.5))
    off = float(np.percentile(np.abs(coarse - network), 99.5))
    for ax, values, title in zip(axes[:2], (network, coarse), ("network", "coarse-grained"), strict=True):
        image = ax.imshow(
            values,
            origin="lower",
            cmap=SEQUENTIAL,
            vmin=0,
            vmax=largest,
            extent=(0, side, 0, side),
            interpolation="nearest",
        )
        ax.set_title(f"{population} cells: {title}")
    axes[0].figure.colorbar(image, ax=axes[1], label="spikes/s", shrink=0.8)
    shown = axes[2].imshow(
        coarse - network, origin="lower", cmap=DIVERGING, vmin=-off, vmax=off, extent=(0, side, 0, side),
        interpolation="nearest",
    )  # fmt: skip
    axes[2].set_title("difference")
    axes[2].figure.colorbar(shown, ax=axes[2], label="spikes/s", shrink=0.8)
    for ax in axes:
        ax.set_xlabel("mm")


def _scatter(ax: Axes, maps: xr.Dataset, names: list[str], population: str) -> None:
    inside = maps["central"].values.astype(bool)
    gratings = [name for name in names if name != BACKGROUND]
    groups = {"gratings": gratings, BACKGROUND: [name for name in names if name == BACKGROUND]}
    most = 0.0
    for (label, chosen), colour in zip(groups.items(), COLOURS, strict=False):
        if chosen:
            of = maps["rate"].sel(condition=chosen, population=population)
            x, y = (of.sel(scheme=scheme).values[:, inside].ravel() for scheme in (NETWORK, COARSE))
            ax.plot(x, y, ".", ms=2.5, color=colour, alpha=0.6, label=label, rasterized=True)
            most = max(most, float(x.max()), float(y.max()))
    ax.plot([0, most], [0, most], "-", color=NEUTRAL, lw=0.8)
    ax.set_title("central pixels")
    ax.set_xlabel("network (spikes/s)")
    ax.set_ylabel("coarse-grained")
    ax.legend(markerscale=4, loc="upper left")


def _bars(ax: Axes, rows: pd.DataFrame, measure: str, label: str, scale: float = 1.0) -> None:
    of = rows[rows["measure"] == measure]
    groups = list(dict.fromkeys(of["group"]))
    width = 0.8 / len(SHOWN)
    for k, (scheme, colour) in enumerate(zip(SHOWN, COLOURS, strict=False)):
        chosen = of[of["candidate"] == scheme].set_index("group").reindex(groups)
        ax.bar(
            np.arange(len(groups)) + (k - 1.5) * width, scale * chosen["score"].to_numpy(float), width,
            color=colour, label=SHOWN[scheme],
        )  # fmt: skip
    ax.axhline(0, color=NEUTRAL, lw=0.8)
    ax.set_xticks(range(len(groups)), [group.replace(" cells", "").replace(", ", "\n") for group in groups])
    ax.set_ylabel(label)
    if measure == "pixel_correlation":
        ax.set_ylim(0, 1.45)
        ax.set_yticks(np.arange(0, 1.01, 0.2))
        ax.legend(ncols=2, loc="upper center")


def _domains(ax: Axes, domains: xr.Dataset) -> None:
    shown = [NETWORK, *SHOWN]
    populations = [str(name) for name in domains["population"].values]
    width = 0.8 / len(shown)
    ratio = domains["rate"].sel(domain="preferred") / domains["rate"].sel(domain="orthogonal")
    for k, scheme in enumerate(shown):
        ax.bar(
            np.arange(len(populations)) + (k - 2) * width, ratio.sel(scheme=scheme).values, width,
            color=COLOURS[7] if scheme == NETWORK else COLOURS[k - 1], label="network" if scheme == NETWORK else None,
        )  # fmt: skip
    ax.set_xticks(range(len(populations)), [f"{name} cells" for name in populations])
    ax.set_ylabel("preferred / orthogonal rate")
    ax.legend(loc="upper right")


def _caption(tree: xr.DataTree, errors: xr.Dataset, maps: xr.Dataset, condition: str) -> str:
    coarse = errors.sel(scheme=COARSE)
    seeds = [int(seed) for seed in errors["seed"].values]
    worst = float(coarse["pixel_correlation"].min())
    off = float(np.abs(coarse["rate_deviation"]).max())
    return (
        f"Mean rates of pixels in the network and at the fixed point of the coarse-grained model under {condition.replace('_', ' ')} "
        f"(network {int(maps.attrs['seed'])}, the whole sheet), and errors over the central hypercolumn: {len(seeds)} "
        f"network{'s' * (len(seeds) > 1)} the tables have not seen, {errors.sizes['condition']} conditions. The smallest correlation per "
        f"pixel of one condition is {worst:.3f}, the largest deviation of a mean rate {100 * off:.1f} %; the residual is at most "
        f"{float(errors['residual'].max()):.1g} after at most {int(errors['updates'].max())} updates. Open loop: the same tables at the "
        "network's own rates. Average wiring: each cell is given what its class is on average. LGN and class: the baseline, which "
        "knows nothing of the network."
    )
