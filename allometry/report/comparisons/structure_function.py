"""Figure of structure against function: what connections tell of measured influences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.parts import estimate, legend_below, styles
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, legend_columns, panels
from allometry.report.drawing.verdicts import sentence


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """ROC, shares of influences, AUC by predictor and against nulls."""
    shape, null, path = curves["influence_roc"], curves["influence_auc_null"], curves["influence_by_path_length"]
    candidates = shape["candidate"].values.tolist()
    references = shape["reference"].values.tolist()
    main = references[0]
    mine = [index for index, reference in enumerate(references) if reference == main]
    weight = rows[(rows["measure"] == "influence_auc") & (rows["group"] == "weight")]
    axes = panels(6, 3, 3.7)
    ax_roc, ax_share, ax_auc, ax_path, ax_null, ax_predictor = axes
    for (colour, line), index in zip(styles(len(mine)), mine):
        style: dict[str, Any] = {"color": colour, "ls": line}
        name = readable(candidates[index])
        ax_roc.plot(shape["false_positive"], shape["true_positive"][index], label=name, **style)
        style["label"] = unlisted(name)
        ax_path.plot(path["path"].values.tolist(), path["influence"][index], marker="o", **style)
        ax_null.hist(null["auc"][index], bins=24, color=colour, alpha=0.45, label=unlisted(name))
        found = weight[(weight["candidate"] == candidates[index]) & (weight["reference"] == main)]
        ax_null.axvline(float(found["score"].iloc[0]), **style)
    ax_roc.plot([0, 1], [0, 1], ":", color=NEUTRAL)
    ax_roc.set(
        title=f"Weight tells influence: {readable(main)}",
        xlabel="false positive rate",
        ylabel="true positive rate",
    )
    handles, legend = ax_roc.get_legend_handles_labels()
    drawn_on(axes).legend(handles, legend, loc="outside upper center", ncols=legend_columns(legend, 4))
    ax_path.set(
        title="Influence by path length", xlabel="steps in the connectome", ylabel="P(influence)", ylim=(0, None)
    )
    ax_null.set(title="Against rewired connectomes", xlabel="AUC (line: the connectome)", ylabel="rewirings")
    _shares(ax_share, rows, main)
    _by(ax_auc, weight, "reference", "AUC of the weight", chance=0.5)
    groups = rows[(rows["measure"] == "influence_auc") & (rows["reference"] == main)]
    _by(ax_predictor, groups, "group", f"AUC by predictor: {readable(main)}", chance=0.5)
    best = weight[weight["reference"] == main].sort_values("score").iloc[-1]
    told = f": {worth}" if (worth := sentence(best)) else ""
    caption = (
        "An influence is a measured pair with q below the threshold; pairs are (stimulated, responding). The connection weight "
        f"of {best['candidate']} tells influences of {main} with AUC {estimate(best)}{told}. Bars: 95 % intervals over stimulated "
        "neurons; histograms: connectomes rewired with every degree kept."
    )
    return Drawing(drawn_on(axes), caption)


def _shares(ax: Axes, rows: pd.DataFrame, reference: str) -> None:
    mine = rows[(rows["reference"] == reference) & (rows["role"] == "result")]
    given = mine[mine["measure"] == "influence_given_edge"].reset_index(drop=True)
    without = mine[mine["measure"] == "influence_without_edge"].reset_index(drop=True)
    x = np.arange(len(given))
    for offset, table, colour, label in (
        (-0.18, given, COLOURS[0], "connected"),
        (0.18, without, NEUTRAL, "not connected"),
    ):
        error = np.abs(table[["ci_low", "ci_high"]].to_numpy().T - table["score"].to_numpy())
        ax.bar(x + offset, table["score"], 0.36, color=colour, yerr=error, error_kw={"lw": 1}, label=label)
    ax.set_xticks(x, [readable(name) for name in given["candidate"]], rotation=30, ha="right", fontsize=7.5)
    ax.set_ylabel(f"share of pairs in {readable(reference)}")
    ax.set_title("P(influence)", pad=20)  # above the legend
    ax.legend(fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 1.01), ncols=2, borderaxespad=0.0)


def _by(ax: Axes, table: pd.DataFrame, column: str, title: str, chance: float) -> None:
    """Points with intervals before their ceilings, one line per candidate, one colour per value of a column."""
    candidates = list(dict.fromkeys(table["candidate"]))
    values = list(dict.fromkeys(table[column]))
    for shift, value, (colour, _) in zip(np.linspace(-0.25, 0.25, len(values)), values, styles(len(values))):
        part = table[table[column] == value]
        y = np.array([candidates.index(name) for name in part["candidate"]]) + shift
        score = part["score"].to_numpy()
        error = np.nan_to_num(np.abs(part[["ci_low", "ci_high"]].to_numpy().T - score))
        label = readable(str(value)) or "score"
        ax.errorbar(score, y, xerr=error, fmt="o", ms=4, lw=1, color=colour, label=label)
        if column == "reference":
            for at, (low, high) in zip(y, part[["ceiling_low", "ceiling_high"]].to_numpy()):
                ceiling: dict[str, Any] = {"color": colour, "alpha": 0.5, "label": unlisted(f"{label}, ceiling")}
                if np.isfinite(high) and high > low:
                    ax.barh(at, high - low, 0.3, left=low, **ceiling)
                elif np.isfinite(low):
                    ax.plot([low], [at], "|", ms=10, mew=2, **ceiling)
    ax.axvline(chance, ls=":", color=NEUTRAL, label=unlisted("chance"))
    ax.set_yticks(range(len(candidates)), [readable(name) for name in candidates], fontsize=7.5)
    ax.invert_yaxis()
    ax.set(title=title, xlabel="AUC (pale: ceiling)" if column == "reference" else "AUC")
    legend_below(ax, -0.22)
