"""Figures of populations of sensory neurons: what they say about the stimulus, and what their representations are like."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from allometry.report.drawing.parts import estimate, intervals, styles
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, figure, hide_unused

# Populations that have panels of their own; the others are in the table.
SHOWN = 2
HALVES = (-1, -0.5, 0, 0.5, 1)  # ticks of a correlation
MOST_ROWS = 24  # of a panel with one line per row
MEASURES = {"ssm": "Similarity of similarity matrices", "cka": "Debiased CKA", "rsa": "Rank correlation of distances"}
SUBSAMPLED = {"decoding_within": ("-", "decoding"), "reliability": ("--", "unit"), "ssm_reliability": (":", "geometry")}


def population_code(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Decoding, tuning, correlations, dimension and their dependence on sample size; returns the caption."""
    names = curves["tuning_null"]["population"].values.tolist()
    colours = dict(zip(names, (colour for colour, _ in styles(len(names)))))
    units = curves["tuning"].to_dataframe()
    units["population"] = units["population"].astype(str)
    with figure(image, 4, 3, (3.9, 3.1)) as axes:
        _decoding(axes[0], rows, names, colours)
        _confusion(axes[1], curves["confusion"], names[0])
        null = curves["tuning_null"]
        for name in names:
            mine = units[units["population"] == name]
            for ax, column, edges in (
                (axes[2], "osi", np.linspace(0, 1, 21)),
                (axes[3], "dsi", np.linspace(0, 1, 21)),
                (axes[4], "direction", np.arange(0.0, 361.0, 30.0)),
                (axes[5], "split_half", np.linspace(-1, 1, 21)),
            ):
                values = mine[column].dropna()
                if len(values):
                    ax.hist(
                        values, edges.tolist(), density=True, histtype="step", lw=1.4, color=colours[name], label=name
                    )
            density = null["density"].sel(population=name).values
            if np.isfinite(density).any():
                axes[2].plot(null["bin"], density, ":", color=colours[name], label=f"{name}, shuffled")
        axes[2].set(title="Orientation selectivity", xlabel="OSI", ylabel="density of units")
        axes[3].set(title="Direction selectivity", xlabel="DSI", ylabel="density of units")
        axes[4].set(title="Preferred direction", xlabel="degree", ylabel="density of units", xticks=range(0, 361, 90))
        axes[5].set(title="Tuning that comes back", xlabel="r of halves of the repeats", ylabel="density of units")
        axes[5].set_xticks(HALVES)
        _below(axes[2])
        _correlations(axes[6], curves["response_correlations"], names, colours)
        _radius(axes[7], curves["spectral_radius_by_size"], names, colours)
        for ax, axis in zip(axes[8:11], ("units", "repeats", "stimuli")):
            _subsampling(ax, curves["subsampling"], axis, names, colours)
        dimension = rows[rows["measure"] == "participation_ratio"]
        if len(names) > SHOWN:
            dimension = dimension[dimension["role"] == "result"]
        joint = " " if len(names) > SHOWN else "\n"
        labels = dimension["candidate"] + joint + dimension["group"]
        intervals(axes[11], dimension.assign(candidate=labels, reference="", group=""), "Participation ratio")
    best = rows[(rows["measure"] == "decoding_within") & (rows["role"] == "result")]
    told = "; ".join(f"{row['candidate']} {row['group']} {estimate(row)}" for _, row in best.iterrows())
    return (
        f"Decoding leaves out one block of presentations at a time: {told}. Grey: 95 % of shuffled labels. Dotted densities: "
        f"shuffles. Subsampling: mean and 95 % of random subsets. Confusion of {names[0]}. The spectral radius is given for "
        "each size that the recurrent population may have."
    )


def _below(ax: Axes, y: float = -0.2, columns: int = 2) -> None:
    """Legend below the axes, where it covers no data."""
    ax.legend(fontsize=6.5, loc="upper left", bbox_to_anchor=(0.0, y), ncols=columns, borderaxespad=0)


def _decoding(ax: Axes, rows: pd.DataFrame, names: Sequence[str], colours: Mapping[str, str]) -> None:
    mine = rows[rows["measure"] == "decoding_within"]
    results = mine[mine["role"] == "result"].reset_index(drop=True)
    for x, (_, row) in enumerate(results.iterrows()):
        null = mine[(mine["candidate"] == row["candidate"]) & (mine["group"] == f"{row['group']}, shuffled labels")]
        low, high = null[["ci_low", "ci_high"]].to_numpy()[0]
        ax.bar(x, high - low, 0.8, bottom=low, color="#dddddd")
        error = np.nan_to_num(np.abs(row[["ci_low", "ci_high"]].to_numpy(float) - row["score"]))[:, None]
        ax.errorbar(x, row["score"], yerr=error, fmt="o", ms=5, lw=1.2, color=colours[row["candidate"]])
    labels = results["group"].str.replace("_", " ")
    ax.set_xticks(range(len(results)), labels, rotation=30, ha="right", fontsize=7)
    ax.set(title="Decoding of the stimulus", ylabel="share of trials", ylim=(0, 1.05), xlim=(-0.6, len(results) - 0.4))
    for name in names:
        ax.plot([], [], "o", color=colours[name], label=name)
    _below(ax, -0.38)


def _confusion(ax: Axes, confusion: xr.Dataset, name: str) -> None:
    mine = confusion.sel(population=name)
    labels = [label for label in mine["label"].values.tolist() if label]
    trials = mine["trials"].values[: len(labels), : len(labels)]
    drawn = ax.imshow(trials / trials.sum(axis=1, keepdims=True), vmin=0, vmax=1, cmap=SEQUENTIAL)
    ticks = range(0, len(labels), -(-len(labels) // 16))
    ax.set_xticks(ticks, [labels[k] for k in ticks], fontsize=6.5, rotation=90)
    ax.set_yticks(ticks, [labels[k] for k in ticks], fontsize=6.5)
    ax.set(title="Confusion", xlabel="decoded", ylabel="shown")
    plt.colorbar(drawn, ax=ax, shrink=0.8, label="share")


def _correlations(ax: Axes, densities: xr.Dataset, names: Sequence[str], colours: Mapping[str, str]) -> None:
    for name in names:
        mine = densities.sel(population=name)
        for kind, line in (("signal", "--"), ("noise", "-"), ("shuffled", ":")):
            ax.plot(mine["bin"], mine[kind], line, lw=1.1, color=colours[name])
    for kind, line in (("signal", "--"), ("noise", "-"), ("noise, shuffled trials", ":")):
        ax.plot([], [], line, color=NEUTRAL, label=kind)
    top = np.nanmax([densities["noise"].max(), densities["signal"].max()])
    # Shuffled trials leave a narrow peak, which would flatten the others.
    ax.set(
        title="Correlations of pairs of units", xlabel="correlation", ylabel="density of pairs", ylim=(0, 1.25 * top)
    )
    _below(ax)


def _radius(ax: Axes, radius: xr.Dataset, names: Sequence[str], colours: Mapping[str, str]) -> None:
    for name in names:
        mine = radius.isel(entry=np.flatnonzero(radius["population"].values.astype(object) == name))
        ax.plot(mine["size"], mine["radius"], color=colours[name])
        ax.fill_between(
            mine["size"].values, mine["low"].values, mine["high"].values, color=colours[name], alpha=0.2, lw=0
        )
    ax.axhline(1, ls=":", color=NEUTRAL)
    ax.set(
        title="Spectral radius", xlabel="neurons of the whole population", ylabel="R", xscale="log", ylim=(None, 1.02)
    )


def _subsampling(ax: Axes, entries: xr.Dataset, axis: str, names: Sequence[str], colours: Mapping[str, str]) -> None:
    table = entries.to_dataframe().astype({"population": str, "measure": str, "axis": str})
    table = table[table["axis"] == axis]
    for name in names:
        for measure, (line, _) in SUBSAMPLED.items():
            mine = table[(table["population"] == name) & (table["measure"] == measure)]
            ax.plot(mine["size"], mine["mean"], line, marker="o", ms=2.5, lw=1.2, color=colours[name])
            if measure == "decoding_within":
                ax.fill_between(mine["size"], mine["low"], mine["high"], color=colours[name], alpha=0.15, lw=0)
                ax.plot(mine["size"], mine["chance"], lw=0.7, color=NEUTRAL)
    for line, label in SUBSAMPLED.values():
        ax.plot([], [], line, color="black", label=label if label == "decoding" else f"reliability, {label}")
    ax.plot([], [], lw=0.7, color=NEUTRAL, label="chance of decoding")
    low = min(0.0, float(table["mean"].min()))
    ax.set(title=f"How many {axis}?", xlabel=axis, ylabel="score", ylim=(max(low - 0.05, -0.5), 1.05))
    if axis == "units":
        ax.set_xscale("log")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _below(ax)


def representation_similarity(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Dissimilarities and their best model, scores of all layers, populations against one another; returns the caption."""
    matrices = curves["representational_dissimilarity"]
    names = matrices["population"].values.tolist()
    colours = dict(zip(names, (colour for colour, _ in styles(len(names)))))
    measures = [name for name in MEASURES if name in set(rows["measure"])]
    modelled = rows[rows["group"] == "model"]
    with figure(image, 3, 4, (5.0, 3.7)) as axes:
        used = 0
        for name in names[:SHOWN]:
            _matrices(axes[used : used + 2], matrices.sel(population=name), name)
            _map(axes[used + 2], curves["map"].sel(population=name), matrices.sel(population=name), name)
            used += 3
        for measure in measures if len(modelled) else ():
            _layers(axes[used], rows[rows["measure"] == measure], measure, names, colours)
            if measure == measures[-1]:
                axes[used].legend(fontsize=6.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
            used += 1
        if "score_by_units" in curves:
            _by_units(axes[used], curves["score_by_units"], modelled, measures[0], names[0])
            used += 1
        between = rows[rows["group"].str.startswith(("shared", "same stimuli", "leave one"))]
        controls = rows[(rows["role"] == "control") & rows["group"].str.startswith("halves")]
        if len(names) > SHOWN:  # more rows than a panel can name
            between, controls = (t[t["measure"] == measures[0]] for t in (between, controls))
        if len(between):
            number = between["measure"] + ", " + between["n"].astype(str) + " stimuli"
            joint = " " if len(names) > SHOWN else "\n"
            shown = between.assign(reference=between["reference"] + joint + number, group="").head(MOST_ROWS)
            intervals(axes[used], shown, "Populations with one another")
            used += 1
        shown = controls.assign(candidate=controls["measure"] + " " + controls["candidate"], reference="")
        intervals(axes[used], shown.head(MOST_ROWS), "Populations with themselves")
        hide_unused(axes, used + 1)
    best = modelled[modelled["measure"] == measures[0]].sort_values("score").groupby("reference").tail(1)
    told = "; ".join(f"{row['reference']}: {row['candidate']} {estimate(row)}" for _, row in best.iterrows())
    return (
        f"Best layer by {measures[0]}: {told or 'no model'}. Bars: 95 % over stimuli; bands: noise ceiling from halves of the "
        "repeats; filled: false discovery rate below 0.05; crosses: best layer with all directions turned by the same step, "
        "which leaves smooth tuning as it is. Few stimuli make few pairs: small differences between layers mean nothing."
    )


def _matrices(axes: Sequence[Axes], matrices: xr.Dataset, name: str) -> None:
    labels = [label for label in matrices["label"].values.tolist() if label]
    best = str(matrices["best_layer"].values)
    for ax, key, title in ((axes[0], "measured", name), (axes[1], "modelled", best or "no model")):
        values = matrices[key].values[: len(labels), : len(labels)].copy()
        np.fill_diagonal(values, np.nan)
        drawn = ax.imshow(values, cmap=SEQUENTIAL, aspect="auto")
        step = -(-len(labels) // 24)
        ticks = range(0, len(labels), step)
        ax.set_xticks(ticks, [labels[k] for k in ticks], rotation=90, fontsize=6)
        ax.set_yticks(ticks, [labels[k] for k in ticks], fontsize=6)
        ax.set_title(title, fontsize=9)
        plt.colorbar(drawn, ax=ax, shrink=0.8, label="1 - r")


def _map(ax: Axes, plane: xr.Dataset, matrices: xr.Dataset, name: str) -> None:
    labels = [label for label in matrices["label"].values.tolist() if label]
    x, y = plane["position"].values[: len(labels)].T
    if not any("/" in label for label in labels):  # one parameter: neighbours on the ring are joined
        ax.plot(np.append(x, x[:1]), np.append(y, y[:1]), color="#dddddd", lw=0.8, zorder=0)
    ax.scatter(x, y, c=np.arange(len(labels)), cmap="twilight", s=28, edgecolor="black", lw=0.4)
    for position, label in zip(zip(x, y), labels):
        ax.annotate(label, position, fontsize=6, xytext=(3, 3), textcoords="offset points")
    ax.set(title=f"{name}, scaled to the plane", xticks=[], yticks=[], aspect="equal")


def _layers(ax: Axes, rows: pd.DataFrame, measure: str, names: Sequence[str], colours: Mapping[str, str]) -> None:
    scores = rows[rows["group"] == "model"]
    # Models in the order of the bank, each from its first layer to its last.
    first = {model: number for number, model in enumerate(dict.fromkeys(scores["model"]))}
    ordered = scores.assign(order=scores["model"].map(first)).sort_values(["order", "depth"], kind="stable")
    layers = list(dict.fromkeys(ordered["candidate"]))
    turned = rows[rows["group"] == "turned directions"]
    for shift, name in zip(np.linspace(-0.18, 0.18, len(names)) if len(names) > 1 else (0.0,), names):
        mine = scores[scores["reference"] == name].set_index("candidate").reindex(layers)
        x = np.arange(len(layers)) + shift
        error = np.nan_to_num(np.abs(mine[["ci_low", "ci_high"]].to_numpy().T - mine["score"].to_numpy()))
        ax.errorbar(x, mine["score"], yerr=error, fmt="none", lw=1, color=colours[name])
        told = (mine["p_fdr"] < 0.05).to_numpy()
        for chosen, face in ((told, colours[name]), (~told, "white")):
            ax.plot(x[chosen], mine["score"][chosen], "o", ms=4, color=colours[name], markerfacecolor=face)
        ax.plot([], [], "o", ms=4, color=colours[name], label=name)
        low, high = mine[["ceiling_low", "ceiling_high"]].iloc[0]
        if np.isfinite(low):
            ax.axhspan(low, high, color=colours[name], alpha=0.1, lw=0)
        part = turned[turned["reference"] == name]
        ax.plot([layers.index(c) + shift for c in part["candidate"]], part["score"], "x", ms=6, color=colours[name])
    short = [label.replace("cycles/degree", "c/deg").replace("random_convolution", "random conv.") for label in layers]
    ax.set_xticks(range(len(layers)), [s.replace("_", " ") for s in short], rotation=90, fontsize=6.5)
    ax.axhline(0, ls=":", color=NEUTRAL)
    ax.plot([], [], "x", ms=6, color=NEUTRAL, label="directions turned")
    ax.set_title(MEASURES[measure])


def _by_units(ax: Axes, entries: xr.Dataset, modelled: pd.DataFrame, measure: str, name: str) -> None:
    table = entries.to_dataframe().astype({"population": str, "layer": str})
    mine = modelled[(modelled["reference"] == name) & (modelled["measure"] == measure)]
    best = mine.sort_values("score").groupby("model").tail(1)["candidate"].tolist()
    for layer, colour in zip(best[::-1], COLOURS):
        part = table[(table["population"] == name) & (table["layer"] == layer)]
        ax.plot(part["units"], part["score"], marker="o", ms=3, color=colour, label=layer.replace("_", " "))
        ax.fill_between(part["units"], part["low"], part["high"], color=colour, alpha=0.12, lw=0)
    ax.set(title=f"How many units? {name}", xlabel="units", ylabel=MEASURES[measure].lower(), xscale="log")
    ax.axhline(0, ls=":", color=NEUTRAL)
    _below(ax, columns=1)
