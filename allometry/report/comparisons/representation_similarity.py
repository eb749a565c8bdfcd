"""Figure of representations of sensory populations beside those of models and of one another."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.parts import SHOWN_POPULATIONS, estimate, intervals, legend_below, styles
from allometry.report.drawing.style import (
    COLOURS,
    NEUTRAL,
    SEQUENTIAL,
    canvas,
    drawn_on,
    legend_columns,
    stacked,
)

MOST_ROWS = 24  # of a panel with one line per row
LONG_NAME = 40  # of a population, from which on two forests do not fit beside each other
MEASURES = {
    "ssm": "Similarity of similarity matrices",
    "cka": "Debiased CKA",
    "svcca": "SVCCA",
    "rsa": "Rank correlation of distances",
}
COLUMNS = 3


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Dissimilarities and their best model, scores of all layers, populations against one another."""
    matrices = curves["representational_dissimilarity"]
    names = matrices["population"].values.tolist()
    colours = dict(zip(names, (colour for colour, _ in styles(len(names)))))
    measures = [name for name in MEASURES if name in set(rows["measure"])]
    modelled = rows[rows["group"] == "model"]
    between = rows[rows["group"].str.startswith(("shared", "same stimuli", "leave one"))]
    controls = rows[(rows["role"] == "control") & rows["group"].str.startswith("halves")]
    # without models there is nothing to hold the measured distances against: two panels of a population, not three
    columns = COLUMNS if len(modelled) else COLUMNS - 1
    above = (
        columns * min(len(names), SHOWN_POPULATIONS)
        + len(measures) * bool(len(modelled))
        + ("score_by_units" in curves)
    )
    full, last = divmod(above, columns)
    # the names of rows make room for themselves in parts of their own
    beside = 1 + bool(len(between))
    forests = [beside] if max(map(len, names)) < LONG_NAME else [1] * beside
    counts = [*[columns] * full, *([last] if last else []), *forests]
    parts = stacked(canvas(3.7 * len(counts)), [3.7] * len(counts))
    axes = [ax for part, many in zip(parts, counts) for ax in part.subplots(1, many, squeeze=False)[0]]
    used = 0
    for name in names[:SHOWN_POPULATIONS]:
        shown_matrices = 2 if len(modelled) else 1
        _matrices(axes[used : used + shown_matrices], matrices.sel(population=name), name)
        used += shown_matrices
        _map(axes[used], curves["map"].sel(population=name), matrices.sel(population=name), name)
        used += 1
    for measure in measures if len(modelled) else ():
        _layers(axes[used], rows[rows["measure"] == measure], measure, names, colours)
        if measure == measures[-1]:
            handles, told = axes[used].get_legend_handles_labels()
            axes[used].figure.legend(handles, told, loc="outside lower center", ncols=legend_columns(told, 4))
        used += 1
    if "score_by_units" in curves:
        _by_units(axes[used], curves["score_by_units"], modelled, measures[0], names[0])
        used += 1
    if len(names) > SHOWN_POPULATIONS:  # more rows than a panel can name
        between, controls = (t[t["measure"] == measures[0]] for t in (between, controls))
    if len(between):
        number = between["measure"] + ", " + between["n"].astype(str) + " stimuli"
        joint = " " if len(names) > SHOWN_POPULATIONS else "\n"
        shown = between.assign(reference=between["reference"] + joint + number, group="").head(MOST_ROWS)
        if len(forests) > 1:
            shown = shown.assign(candidate=shown["candidate"] + "\n" + shown["reference"], reference="")
        intervals(axes[used], shown, "Between populations")
        used += 1
    shown = controls.assign(candidate=controls["measure"] + " " + controls["candidate"], reference="")
    intervals(axes[used], shown.head(MOST_ROWS), "Within populations")
    best = modelled[modelled["measure"] == measures[0]].sort_values("score").groupby("reference").tail(1)
    told = "; ".join(f"{row['reference']}: {row['candidate']} {estimate(row)}" for _, row in best.iterrows())
    caption = (
        f"Best layer by {measures[0]}: {told or 'no model'}. Bars: 95 % over stimuli; bands: noise ceiling from halves of the "
        "repeats; filled: false discovery rate below 0.05; crosses: best layer with all directions turned by the same step, "
        "which leaves smooth tuning as it is. Few stimuli make few pairs: small differences between layers mean nothing."
    )
    return Drawing(drawn_on(axes), caption)


def _matrices(axes: Sequence[Axes], matrices: xr.Dataset, name: str) -> None:
    labels = [label for label in matrices["label"].values.tolist() if label]
    best = str(matrices["best_layer"].values)
    for ax, key, title in zip(axes, ("measured", "modelled"), (readable(name), best or "no model")):
        values = matrices[key].values[: len(labels), : len(labels)].copy()
        np.fill_diagonal(values, np.nan)
        drawn = ax.imshow(values, cmap=SEQUENTIAL, aspect="auto")
        step = -(-len(labels) // 24)
        ticks = range(0, len(labels), step)
        ax.set_xticks(ticks, [labels[k] for k in ticks], rotation=90, fontsize=6)
        ax.set_yticks(ticks, [labels[k] for k in ticks], fontsize=6)
        ax.set_title(title, fontsize=9)
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="1 - r")


def _map(ax: Axes, plane: xr.Dataset, matrices: xr.Dataset, name: str) -> None:
    labels = [label for label in matrices["label"].values.tolist() if label]
    x, y = plane["position"].values[: len(labels)].T
    if not any("/" in label for label in labels):  # one parameter: neighbours on the ring are joined
        ax.plot(np.append(x, x[:1]), np.append(y, y[:1]), color="#dddddd", lw=0.8, zorder=0)
    ax.scatter(x, y, c=np.arange(len(labels)), cmap="twilight", s=28, edgecolor="black", lw=0.4)
    for position, label in zip(zip(x, y), labels):
        ax.annotate(label, position, fontsize=6, xytext=(3, 3), textcoords="offset points")
    ax.set_title(f"{readable(name)}, in the plane", fontsize=9)
    ax.set(xticks=[], yticks=[], aspect="equal")


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
    legend_below(ax, columns=1)
