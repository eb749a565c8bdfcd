"""Figures of the dynamics of recorded animals: motifs of coupling, manifolds of activity and decoding of states."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.parts import estimate, short_share
from allometry.report.drawing.style import COLOURS, NEUTRAL, figure, hide_unused

MOST_MOTIFS = 6


def dynamic_connectome(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Choice of rank, and per store the motifs over time, animals and pairs, one line of panels; returns the caption."""
    rank = curves["motif_rank"]
    names = rank["activity"].values.astype(object).tolist()
    with figure(image, 4, 2 * len(names), (4.2, 2.9)) as axes:
        for k, name in enumerate(names):
            motifs, first = curves[f"motifs_{name}"], axes[8 * k : 8 * k + 8]
            _rank(first[0], rank.isel(activity=k), name)
            _courses(first[1], motifs)
            _animals(first[2], motifs)
            _baselines(first[3], rows[rows["reference"] == name])
            shown = min(4, motifs.sizes["motif"])
            for motif, ax in enumerate(first[4 : 4 + shown]):
                _affinity(ax, motifs.isel(motif=motif), motif)
            hide_unused(list(first), 4 + shown)
    said = []
    for name in names:
        found, neurons, animals = (
            _only(rows, name, measure="ntf_explained", group=group)
            for group in ("motifs", "shifted_neurons", "shifted_animals")
        )
        halves = _only(rows, name, measure="community_nmi", group="halves")
        loading = curves[f"motifs_{name}"]["animal"].values
        alone = int((loading.max(axis=1) > 2 / 3 * loading.sum(axis=1)).sum())
        said.append(
            f"{name}: {found['candidate']} explain {found['score']:.3f} of the affinities (neurons shifted in time "
            f"{neurons['score']:.3f}, animals shifted {animals['score']:.3f}, p {animals['p']:.2g} for common timing), {alone} of them are of "
            "one animal (two thirds of the loading); "
            f"communities of two halves of the animals agree with NMI {estimate(halves)}"
        )
    return (
        "Non-negative factors of affinities over time, animals and pairs of neurons. "
        f"{'; '.join(said)}. Matrices: the strongest motifs, neurons ordered by community (lines). No event marks the same "
        "time in two animals."
    )


def _only(rows: pd.DataFrame, reference: str, **values: str) -> pd.Series:
    """The one row of a store with these values."""
    mine = rows[rows["reference"] == reference]
    for column, value in values.items():
        mine = mine[mine[column] == value]
    return mine.iloc[0]


def _rank(ax: Axes, rank: xr.Dataset, name: str) -> None:
    x = rank["rank"].values
    ax.plot(x, rank["error"].min("restart"), "o-", ms=4, color=COLOURS[0], label="error")
    ax.plot(x, rank["null_error"], "o--", ms=3, lw=1, color=NEUTRAL, label="error, neurons shifted")
    ax.set(title=f"{name}: number of motifs", xlabel="motifs", ylabel="relative error")
    chosen = float(rank["chosen"])
    ax.axvline(chosen, color=COLOURS[2], lw=6, alpha=0.25, label="chosen")
    twin = ax.twinx()
    twin.plot(x, rank["similarity"].median("other"), "s-", ms=3, lw=1, color=COLOURS[1], label="similarity of restarts")
    twin.set(ylim=(0, 1.05), ylabel="similarity")
    twin.spines["right"].set_visible(True)
    handles = [*ax.get_legend_handles_labels()[0], *twin.get_legend_handles_labels()[0]]
    ax.legend(handles=handles, fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2)


def _courses(ax: Axes, motifs: xr.Dataset) -> None:
    time, course = motifs["time"].values, motifs["time_course"].values
    top = np.max(course)
    for motif, line in enumerate(course[:MOST_MOTIFS]):
        colour = COLOURS[motif % len(COLOURS)]
        ax.fill_between(time, motif, motif + 0.9 * line / top, color=colour, alpha=0.7, lw=0)
    count = min(MOST_MOTIFS, len(course))
    ax.set_yticks(np.arange(count) + 0.3, [f"motif {m + 1}" for m in range(count)], fontsize=7)
    ax.set(title="When", xlabel="time of the recording (s)", xlim=(0, time[-1]))


def _animals(ax: Axes, motifs: xr.Dataset) -> None:
    share = motifs["animal"].values / np.maximum(motifs["animal"].values.sum(axis=1, keepdims=True), 1e-300)
    drawn = ax.imshow(share, aspect="auto", cmap="viridis", vmin=0)
    ax.set_yticks(range(len(share)), [f"motif {m + 1}" for m in range(len(share))], fontsize=7)
    names = motifs["recording"].values.astype(object).tolist()
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=6.5)
    ax.set_title("In which animals (share)")
    plt.colorbar(drawn, ax=ax, shrink=0.8)


def _baselines(ax: Axes, rows: pd.DataFrame) -> None:
    """Score of each measure with its interval, and the central 95 % of its null."""
    lines = []
    for measure, group, null in (
        ("ntf_explained", "motifs", "shifted_neurons"),
        ("ntf_similarity", "motifs", "shifted_neurons"),
        ("motif_modularity", "motifs", "shifted_neurons"),
        ("motif_match", "halves", "permuted_neurons"),
        ("community_nmi", "halves", "permuted_neurons"),
    ):
        mine = rows[(rows["measure"] == measure)]
        lines.append((f"{measure.replace('_', ' ')}", mine[mine["group"] == group], mine[mine["group"] == null]))
    modules = rows[(rows["measure"] == "community_nmi") & (rows["group"] == "modules")]
    for candidate in modules["candidate"]:
        mine = rows[(rows["measure"] == "community_nmi") & (rows["candidate"] == candidate)]
        lines.append(
            (f"modules of {candidate}", mine[mine["group"] == "modules"], mine[mine["group"] == "permuted_neurons"])
        )
    for y, (_, own, chance) in enumerate(lines):
        low, high = chance.iloc[0][["ci_low", "ci_high"]]
        ax.barh(y, max(high - low, 0.004), 0.7, left=low, color="#cccccc", edgecolor="#aaaaaa")
        score = own.iloc[0]
        bounds = np.nan_to_num(np.abs(np.array([[score["ci_low"]], [score["ci_high"]]]) - score["score"]))
        ax.errorbar([score["score"]], [y], xerr=bounds, fmt="o", ms=4, color=COLOURS[0])
    ax.set_yticks(range(len(lines)), [label for label, _, _ in lines], fontsize=7)
    ax.invert_yaxis()
    ax.set(title="Against chance (band: null)", xlim=(0, 1.02))


def _affinity(ax: Axes, motif: xr.Dataset, number: int) -> None:
    community = motif["community"].values
    order = np.lexsort((-motif["affinity"].values.sum(axis=1), np.where(community < 0, community.max() + 1, community)))
    matrix = motif["affinity"].values[np.ix_(order, order)]
    ax.imshow(matrix, cmap="viridis", vmin=0, vmax=np.quantile(matrix, 0.995))
    for border in np.flatnonzero(np.diff(community[order])) + 0.5:
        ax.axhline(border, color="white", lw=0.8)
        ax.axvline(border, color="white", lw=0.8)
    labels = motif["neuron"].values.astype(object)[order]
    # names that can be read: every other one, every third ... of many neurons
    step = -(-len(labels) // 40)
    size = max(3.5, min(6.5, 170 * step / len(labels)))
    ax.set_yticks(range(0, len(labels), step), labels[::step], fontsize=size)
    ax.set_xticks([])
    ax.set_title(f"motif {number + 1}: pairs (Q {float(motif['modularity']):.2f})", fontsize=9)


def activity_manifolds(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Trajectories in a common space, similarity, decoding across animals, confusion; returns the caption."""
    stores = [key.removeprefix("manifolds_") for key in curves if key.startswith("manifolds_")]
    stores.sort(key=lambda name: f"states_{name}" not in curves)
    with figure(image, 4, sum(1 + (f"states_{name}" in curves) for name in stores), (4.2, 3.4)) as axes:
        used = 0
        for name in stores:
            manifold, states = curves[f"manifolds_{name}"], curves.get(f"states_{name}")
            mine = rows[rows["reference"] == name]
            line = axes[used : used + 4]
            _matrix(line[0], manifold["procrustes"].values, manifold["animal"], f"{name}: Procrustes similarity")
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
        similar = _only(rows, name, measure="manifold_procrustes", group="mean")
        text = f"{name}: Procrustes similarity of pairs of animals {estimate(similar)}"
        if f"states_{name}" in curves:
            across, inside = (
                _only(rows, name, measure="state_decoding", candidate="all pairs", group=group)
                for group in ("neurons", "within neurons")
            )
            text += f"; balanced accuracy across animals {estimate(across)}, within an animal {inside['score']:.3f}"
        said.append(text)
    return (
        f"Manifolds of the smoothed derivative on shared labelled neurons. {'. '.join(said)}. Diagonals: halves of one "
        "recording (similarities), decoding within an animal (decoding). States of immobilised animals (kato2015) are motor "
        "commands that were read from neurons."
    )


def _matrix(ax: Axes, matrix: np.ndarray, names: xr.DataArray, title: str, x: str = "", y: str = "") -> None:
    drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap="viridis")
    labels = names.values.astype(object).tolist()
    ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=6.5)
    ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            ax.text(
                column,
                row,
                short_share(value),
                ha="center",
                va="center",
                fontsize=7,
                color="white" if value < 0.6 else "black",
            )
    ax.set(title=title, xlabel=x, ylabel=y)
    plt.colorbar(drawn, ax=ax, shrink=0.75)


def _similarity(ax: Axes, rows: pd.DataFrame) -> None:
    measures = ("manifold_procrustes", "manifold_cca")
    for k, measure in enumerate(measures):
        mine = rows[rows["measure"] == measure]
        pairs = mine[~mine["candidate"].isin(["all pairs", "all animals"])]
        null = mine[mine["group"] == "permuted_neurons"].iloc[0]
        halves = mine[mine["group"] == "halves"].iloc[0]
        for low, high, colour in (
            (null["ci_low"], null["ci_high"], "#cccccc"),
            (halves["ci_low"], halves["ci_high"], "#cfe8dd"),
        ):
            ax.bar(k, max(high - low, 0.004), 0.8, bottom=low, color=colour)
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
    drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap="viridis")
    for (row, column), value in np.ndenumerate(matrix):
        ax.text(
            column,
            row,
            short_share(value),
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if value < 0.6 else "black",
        )
    ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=7)
    ax.set_yticks(range(len(labels)), labels, fontsize=7)
    ax.set(title="Across animals, neurons", xlabel="decoded", ylabel="state")
    plt.colorbar(drawn, ax=ax, shrink=0.75)
