"""Figure of motifs of coupling between recorded neurons."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.numbers import name_entries, unlisted
from allometry.report.drawing.parts import estimate, one_row
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, SEQUENTIAL, drawn_on, panel_rows

MOST_MOTIFS = 6


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Choice of rank, and per store the motifs over time, animals and pairs, one line of panels."""
    rank = curves["motif_rank"]
    names = rank["activity"].values.astype(object).tolist()
    shown = {name: min(4, curves[f"motifs_{name}"].sizes["motif"]) for name in names}
    axes = panel_rows([count for name in names for count in (4, shown[name])], 3.0)
    used = 0
    for k, name in enumerate(names):
        motifs, first = curves[f"motifs_{name}"], axes[used : used + 4 + shown[name]]
        _rank(first[0], rank.isel(activity=k), name)
        _courses(first[1], motifs)
        _animals(first[2], motifs)
        _baselines(first[3], rows[rows["reference"] == name])
        for motif, ax in enumerate(first[4:]):
            _affinity(ax, motifs.isel(motif=motif), motif)
        used += 4 + shown[name]
    said = []
    for name in names:
        found, neurons, animals = (
            one_row(rows, reference=name, measure="ntf_explained", group=group)
            for group in ("motifs", "shifted_neurons", "shifted_animals")
        )
        halves = one_row(rows, reference=name, measure="community_nmi", group="halves")
        loading = curves[f"motifs_{name}"]["animal"].values
        alone = int((loading.max(axis=1) > 2 / 3 * loading.sum(axis=1)).sum())
        said.append(
            f"{name}: {found['candidate']} explain {found['score']:.3f} of the affinities (neurons shifted in time "
            f"{neurons['score']:.3f}, animals shifted {animals['score']:.3f}, p {animals['p']:.2g} for common timing), {alone} of them are of "
            "one animal (two thirds of the loading); "
            f"communities of two halves of the animals agree with NMI {estimate(halves)}"
        )
    caption = (
        "Non-negative factors of affinities over time, animals and pairs of neurons. "
        f"{'; '.join(said)}. Matrices: the strongest motifs, neurons ordered by community (lines). No event marks the same "
        "time in two animals."
    )
    return Drawing(drawn_on(axes), caption)


def _rank(ax: Axes, rank: xr.Dataset, name: str) -> None:
    x = rank["rank"].values
    ax.plot(x, rank["error"].min("restart"), "o-", ms=4, color=COLOURS[0], label="error")
    ax.plot(x, rank["null_error"], "o--", ms=3, lw=1, color=NEUTRAL, label="error, neurons shifted")
    ax.set(title=f"{name}\nNumber of motifs", xlabel="motifs", ylabel="relative error")
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
        ax.fill_between(
            time, motif, motif + 0.9 * line / top, color=colour, alpha=0.7, lw=0, label=unlisted(f"motif {motif + 1}")
        )
    count = min(MOST_MOTIFS, len(course))
    ax.set_yticks(np.arange(count) + 0.3, [f"motif {m + 1}" for m in range(count)], fontsize=7)
    ax.set(title="When", xlabel="time of the recording (s)", xlim=(0, time[-1]))


def _animals(ax: Axes, motifs: xr.Dataset) -> None:
    share = motifs["animal"].values / np.maximum(motifs["animal"].values.sum(axis=1, keepdims=True), 1e-300)
    drawn = ax.imshow(share, aspect="auto", cmap=SEQUENTIAL, vmin=0)
    ax.set_yticks(range(len(share)), [f"motif {m + 1}" for m in range(len(share))], fontsize=7)
    names = motifs["recording"].values.astype(object).tolist()
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=6.5)
    ax.set_title("In which animals (share)")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8)


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
        ax.barh(y, max(high - low, 0.004), 0.7, left=low, color=BAND, edgecolor="#aaaaaa", label=unlisted("null"))
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
    image = ax.imshow(matrix, cmap=SEQUENTIAL, vmin=0, vmax=np.quantile(matrix, 0.995))
    for border in np.flatnonzero(np.diff(community[order])) + 0.5:
        ax.axhline(border, color="white", lw=0.8)
        ax.axvline(border, color="white", lw=0.8)
    labels = motif["neuron"].values.astype(object)[order]
    name_entries(image, labels.tolist(), labels.tolist())
    # names that can be read: every other one, every third ... of many neurons
    step = -(-len(labels) // 40)
    size = max(3.5, min(6.5, 170 * step / len(labels)))
    ax.set_yticks(range(0, len(labels), step), labels[::step], fontsize=size)
    ax.set_xticks([])
    ax.set_title(f"motif {number + 1}: pairs (Q {float(motif['modularity']):.2f})", fontsize=9)
