"""Figure of manifolds of activity and of states that are decoded across animals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.parts import estimate, one_row, write_shares
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, SEQUENTIAL, drawn_on, panel_rows


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Trajectories in a common space, similarity, decoding across animals, confusion."""
    stores = [key.removeprefix("manifolds_") for key in curves if key.startswith("manifolds_")]
    stores.sort(key=lambda name: f"states_{name}" not in curves)
    axes = panel_rows([4] * sum(1 + (f"states_{name}" in curves) for name in stores), 3.4)
    used = 0
    for name in stores:
        manifold, states = curves[f"manifolds_{name}"], curves.get(f"states_{name}")
        mine = rows[rows["reference"] == name]
        line = axes[used : used + 4]
        _matrix(line[0], manifold["procrustes"].values, manifold["animal"], f"{name}\nProcrustes similarity")
        _matrix(line[1], manifold["cca"].values, manifold["animal"], "Mean canonical correlation")
        _similarity(line[2], mine)
        _explained(line[3], manifold)
        used += 4
        if states is not None:
            line = axes[used : used + 4]
            _trajectories(line[0], states)
            _decoding(line[1], mine, states)
            matrix = states["decoding_neurons"].values
            _matrix(line[2], matrix, states["trained_in"], "Decoded across animals", "tested in", "trained in")
            _confusion(line[3], states)
            used += 4
    said = []
    for name in stores:
        similar = one_row(rows, reference=name, measure="manifold_procrustes", group="mean")
        text = f"{name}: Procrustes similarity of pairs of animals {estimate(similar)}"
        if f"states_{name}" in curves:
            across, inside = (
                one_row(rows, reference=name, measure="state_decoding", candidate="all pairs", group=group)
                for group in ("neurons", "within neurons")
            )
            text += f"; balanced accuracy across animals {estimate(across)}, within an animal {inside['score']:.3f}"
        said.append(text)
    caption = (
        f"Manifolds of the smoothed derivative on shared labelled neurons. {'. '.join(said)}. Diagonals: halves of one "
        "recording (similarities), decoding within an animal (decoding). States of immobilised animals (kato2015) are motor "
        "commands that were read from neurons."
    )
    return Drawing(drawn_on(axes), caption)


def _matrix(ax: Axes, matrix: np.ndarray, names: xr.DataArray, title: str, x: str = "", y: str = "") -> None:
    drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap=SEQUENTIAL)
    labels = names.values.astype(object).tolist()
    ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=6.5)
    ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
    write_shares(ax, matrix, 7)
    ax.set(title=title, xlabel=x, ylabel=y)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.75)


def _similarity(ax: Axes, rows: pd.DataFrame) -> None:
    measures = ("manifold_procrustes", "manifold_cca")
    for k, measure in enumerate(measures):
        mine = rows[rows["measure"] == measure]
        pairs = mine[~mine["candidate"].isin(["all pairs", "all animals"])]
        null = mine[mine["group"] == "permuted_neurons"].iloc[0]
        halves = mine[mine["group"] == "halves"].iloc[0]
        for low, high, colour, label in (
            (null["ci_low"], null["ci_high"], BAND, "permuted neurons"),
            (halves["ci_low"], halves["ci_high"], "#cfe8dd", "halves of one recording"),
        ):
            ax.bar(k, max(high - low, 0.004), 0.8, bottom=low, color=colour, label=unlisted(label))
        x = k + np.linspace(-0.3, 0.3, len(pairs))
        error = np.abs(pairs[["ci_low", "ci_high"]].to_numpy().T - pairs["score"].to_numpy())
        ax.errorbar(x, pairs["score"], yerr=error, fmt="o", ms=4, lw=1, color=COLOURS[0])
    ax.set_xticks(range(2), ["Procrustes", "CCA"])
    ax.set(title="Pairs of animals", ylim=(0, 1.02), ylabel="similarity")
    ax.text(
        0.5,
        -0.16,
        "grey: permuted neurons; green: halves of one recording",
        transform=ax.transAxes,
        ha="center",
        fontsize=7,
    )


def _explained(ax: Axes, manifold: xr.Dataset) -> None:
    share = manifold["explained"].values
    names = manifold["animal"].values.astype(object).tolist()
    bottom = np.zeros(len(names))
    for component in range(share.shape[1]):
        ax.bar(
            range(len(names)), share[:, component], bottom=bottom, color=COLOURS[component], label=f"PC {component + 1}"
        )
        bottom += share[:, component]
    for x, total in enumerate(bottom):
        ax.text(x, total + 0.01, f"{total:.3f}", ha="center", fontsize=7)
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=6.5)
    ax.set(title="Variance of the derivative", ylabel="share", ylim=(0, 1))
    ax.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.3), ncols=3)


def _trajectories(ax: Axes, states: xr.Dataset) -> None:
    """All animals along the first two common components, one colour per state; means of each animal and state on top."""
    path, code = states["trajectory"].values, states["code"].values
    labels = states["true"].values.astype(object).tolist()
    for k, label in enumerate(labels):
        colour = COLOURS[k % len(COLOURS)]
        points = path[code == k]
        ax.plot(points[:, 0], points[:, 1], ".", ms=1.5, alpha=0.25, color=colour, rasterized=True)
        centres = np.array([path[a][code[a] == k].mean(axis=0) for a in range(len(path)) if (code[a] == k).any()])
        ax.plot(centres[:, 0], centres[:, 1], "o", ms=5, mec="white", mew=0.6, color=colour, label=label)
    ax.set(title="Common space (dots: animals' means)", xlabel="component 1", ylabel="component 2")
    ax.legend(
        fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, handletextpad=0.2, columnspacing=0.8
    )


def _decoding(ax: Axes, rows: pd.DataFrame, states: xr.Dataset) -> None:
    mine = rows[(rows["measure"] == "state_decoding") & (rows["candidate"] == "all pairs")].set_index("group")
    order = ["within neurons", "neurons", "within manifold", "manifold", "unaligned", "shuffled neurons"]
    table = mine.loc[[group for group in order if group in mine.index]]
    y = np.arange(len(table))
    error = np.nan_to_num(np.abs(table[["ci_low", "ci_high"]].to_numpy().T - table["score"].to_numpy()))
    colours = {"result": COLOURS[0], "control": COLOURS[2], "baseline": NEUTRAL}
    for k, role in enumerate(table["role"].astype(str)):
        ax.errorbar(table["score"].iloc[k], y[k], xerr=error[:, [k]], fmt="o", ms=5, lw=1.2, color=colours[role])
    ax.axvline(1 / states.sizes["true"], ls=":", color=NEUTRAL)
    ax.set_yticks(y, [_words(group) for group in table.index], fontsize=7.5)
    ax.invert_yaxis()
    ax.set(title="Decoding of states", xlabel="balanced accuracy (dotted: chance)", xlim=(0, 1))


def _words(group: str) -> str:
    return {
        "neurons": "across, neurons",
        "manifold": "across, components",
        "unaligned": "across, not aligned",
        "within neurons": "within, neurons",
        "within manifold": "within, components",
        "shuffled neurons": "labels in other order",
    }[group]


def _confusion(ax: Axes, states: xr.Dataset) -> None:
    matrix = states["confusion"].values
    labels = states["true"].values.astype(object).tolist()
    drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap=SEQUENTIAL)
    write_shares(ax, matrix, 6.5)
    ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=7)
    ax.set_yticks(range(len(labels)), labels, fontsize=7)
    ax.set(title="Across animals, neurons", xlabel="decoded", ylabel="state")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.75)
