"""Figures of comparisons in the worm: structure and function, annotations of one nervous system, simulated propagation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.parts import LINES, estimate, grouped, intervals, short_share, styles
from allometry.report.drawing.style import COLOURS, NEUTRAL, figure


def structure_function(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """ROC, shares of influences, AUC by predictor and against nulls; returns the caption."""
    shape, null, path = curves["influence_roc"], curves["influence_auc_null"], curves["influence_by_path_length"]
    candidates = shape["candidate"].values.tolist()
    references = shape["reference"].values.tolist()
    main = references[0]
    mine = [index for index, reference in enumerate(references) if reference == main]
    weight = rows[(rows["measure"] == "influence_auc") & (rows["group"] == "weight")]
    with figure(image, 2, 3, (5.2, 3.5)) as (ax_roc, ax_share, ax_auc, ax_path, ax_null, ax_predictor):
        for (colour, line), index in zip(styles(len(mine)), mine):
            style: dict[str, Any] = {"color": colour, "ls": line}
            ax_roc.plot(shape["false_positive"], shape["true_positive"][index], label=candidates[index], **style)
            ax_path.plot(path["path"].values.tolist(), path["influence"][index], marker="o", **style)
            ax_null.hist(null["auc"][index], bins=24, color=colour, alpha=0.45)
            found = weight[(weight["candidate"] == candidates[index]) & (weight["reference"] == main)]
            ax_null.axvline(float(found["score"].iloc[0]), **style)
        ax_roc.plot([0, 1], [0, 1], ":", color=NEUTRAL)
        ax_roc.set(
            title=f"Connection weight tells influence: {main}",
            xlabel="false positive rate",
            ylabel="true positive rate",
        )
        ax_roc.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        ax_path.set(
            title="Influence by path length", xlabel="steps in the connectome", ylabel="P(influence)", ylim=(0, None)
        )
        ax_null.set(title="Against rewired connectomes", xlabel="AUC (line: the connectome)", ylabel="rewirings")
        _shares(ax_share, rows, main)
        intervals(ax_auc, weight, "AUC of the connection weight", chance=0.5)
        groups = rows[(rows["measure"] == "influence_auc") & (rows["reference"] == main)]
        grouped(ax_predictor, groups, "AUC by predictor", chance=0.5)
    best = weight[weight["reference"] == main].sort_values("score").iloc[-1]
    return (
        "An influence is a measured pair with q below the threshold; pairs are (stimulated, responding). The connection weight "
        f"of {best['candidate']} tells influences of {main} with AUC {estimate(best)}. Bars: 95 % intervals over stimulated "
        "neurons; histograms: connectomes rewired with every degree kept."
    )


def _shares(ax: Axes, rows: pd.DataFrame, reference: str) -> None:
    mine = rows[rows["reference"] == reference]
    given = mine[mine["measure"] == "influence_given_edge"].reset_index(drop=True)
    without = mine[mine["measure"] == "influence_without_edge"].reset_index(drop=True)
    x = np.arange(len(given))
    for offset, table, colour, label in (
        (-0.18, given, COLOURS[0], "connected"),
        (0.18, without, NEUTRAL, "not connected"),
    ):
        error = np.abs(table[["ci_low", "ci_high"]].to_numpy().T - table["score"].to_numpy())
        ax.bar(x + offset, table["score"], 0.36, color=colour, yerr=error, error_kw={"lw": 1}, label=label)
    ax.set_xticks(x, given["candidate"], rotation=30, ha="right", fontsize=7)
    ax.set_ylabel(f"share of pairs in {reference}")
    ax.set_title("P(influence)", pad=18)  # above the legend
    ax.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)


def agreement(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Matrix of each measure and kind of synapse; returns the caption."""
    shown = curves["agreement"]
    measures = [name for name in ("edge_recall", "edge_jaccard", "weight_rank_correlation") if name in shown]
    kinds = shown["synapse"].values.tolist()
    labels = shown["candidate"].values.tolist()
    with figure(image, len(measures), len(kinds), (5.0, 4.6)) as axes:
        for ax, (kind, measure) in zip(axes, [(kind, measure) for kind in kinds for measure in measures]):
            matrix = shown[measure].values[kinds.index(kind)]
            drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap="viridis")
            ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=6.5)
            ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
            ax.set_title(f"{measure.replace('_', ' ')}, {kind}", fontsize=9)
            plt.colorbar(drawn, ax=ax, shrink=0.75)
            if len(labels) <= 16:
                for (row, column), value in np.ndenumerate(matrix):
                    if np.isfinite(value):
                        colour = "white" if value < 0.6 else "black"
                        ax.text(column, row, short_share(value), ha="center", va="center", fontsize=5, color=colour)
    return (
        "Row: candidate, column: reference, on the neurons that both hold. Recall: share of the reference's edges that the "
        "candidate has. The stages Witvliet 1 to 8 are ordered by age."
    )


def propagation(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """AUC by weight, gain over the direct weight, nulls; returns the caption."""
    shown, null = curves["influence_auc_by_weight"], curves["influence_auc_null"]
    groups = list(dict.fromkeys(zip(shown["connectome"].values.tolist(), shown["gap_junction"].values.tolist())))
    # room for a line per point in the last panel, and for the legend below the first one
    height = max(3.9, 2.4 + 0.16 * max(shown.sizes["point"], len(groups) + 3))
    with figure(image, 3, 1, (4.8, height)) as (ax_auc, ax_gain, ax_null):
        own_colour: dict[str, str] = {}
        for (colour, line), (connectome, gap) in zip(styles(len(groups)), groups):
            own_colour.setdefault(connectome, colour)
            mine = shown.isel(point=(shown["connectome"].values == connectome) & (shown["gap_junction"].values == gap))
            label = f"{connectome}, {f'gap junctions {gap:g}' if gap else 'no gap junctions'}"
            x = mine["weight_mv"].values
            error = np.abs(np.stack([mine["ci_low"].values, mine["ci_high"].values]) - mine["auc"].values)
            ax_auc.errorbar(x, mine["auc"], yerr=error, marker="o", ls=line, ms=4, lw=1.2, color=colour, label=label)
            spread = np.abs(np.stack([mine["gain_low"].values, mine["gain_high"].values]) - mine["gain"].values)
            ax_gain.errorbar(x, mine["gain"], yerr=spread, marker="o", ls=line, ms=4, lw=1.2, color=colour)
        connectomes = shown["connectome"].values.tolist()
        for connectome, colour in own_colour.items():
            first = shown.isel(point=connectomes.index(connectome))
            for style, predictor in zip(LINES[1:], ("weight", "path_length", "degree")):
                # the predictors are those of the connectome, whatever is simulated on it
                ax_auc.axhline(float(first[f"auc_{predictor}"]), ls=style, lw=1, color=colour, alpha=0.7)
        for style, predictor in zip(LINES[1:], ("weight", "path length", "degree")):
            ax_auc.plot([], [], ls=style, lw=1, color=NEUTRAL, label=f"{predictor} alone, in its connectome's colour")
        ax_gain.axhline(0, ls=":", color=NEUTRAL)
        for ax in (ax_auc, ax_gain):
            ax.set_xscale("log")
            ax.set_xticks(
                np.unique(shown["weight_mv"].values), [f"{x:g}" for x in np.unique(shown["weight_mv"].values)]
            )
            ax.minorticks_off()
            ax.set_xlabel("weight per synapse (mV)")
        ax_auc.set(title="Simulated propagation tells influence", ylabel="AUC")
        ax_auc.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.5 / height), ncols=2)
        ax_gain.set(title="Gain over the direct weight", ylabel="difference of AUC")
        _nulls(ax_null, null, shown)
    gains = rows[(rows["measure"] == "influence_auc_gain") & (rows["group"] == "over_weight")]
    verdicts = gains["verdict"].astype(str).value_counts().to_dict() if "verdict" in gains else {}
    said = ", ".join(f"{verdict} at {count}" for verdict, count in verdicts.items())
    return (
        "Each neuron is driven in turn; the score of a pair is the peak depolarisation of the responding neuron. Compared with the "
        f"direct connection weight, the simulation is {said} of {len(gains)} points. Bars: 95 % intervals over driven neurons."
    )


def _nulls(ax: Axes, null: xr.Dataset, shown: xr.Dataset) -> None:
    """Each simulated point beside the central 95 % of its null distribution."""
    names = null["candidate"].values.tolist()
    for y, (point, found) in enumerate(zip(shown["candidate"].values.tolist(), shown["auc"].values.tolist())):
        values = null["auc"].values[names.index(point)]
        low, high = np.nanpercentile(values, [2.5, 97.5])
        ax.barh(y, high - low, 0.7, left=low, color="#dddddd", edgecolor="#bbbbbb")
        ax.plot(found, y, "o", ms=5, color=COLOURS[0])
    labels = [
        f"{connectome}, {weight:g} mV{f', gap {gap:g}' if gap else ''}"
        for connectome, weight, gap in zip(
            shown["connectome"].values.tolist(),
            shown["weight_mv"].values.tolist(),
            shown["gap_junction"].values.tolist(),
        )
    ]
    ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
    ax.invert_yaxis()
    ax.set(title="Against its null (band: central 95 %)", xlabel="AUC")
