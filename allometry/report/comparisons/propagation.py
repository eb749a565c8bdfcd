"""Figure of simulated propagation: whether it tells measured influences better than the connections do."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.parts import LINES, styles
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, drawn_on, panels
from allometry.report.drawing.verdicts import sentence


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """AUC by weight, gain over the direct weight, nulls; without an atlas how well the wiring tells the influence."""
    if "activation_by_weight" in curves:
        return _activation(rows, curves["activation_by_weight"])
    shown, null = curves["influence_auc_by_weight"], curves["influence_auc_null"]
    groups = list(dict.fromkeys(zip(shown["connectome"].values.tolist(), shown["gap_junction"].values.tolist())))
    # room for a line per point in the last panel
    axes = panels(3, 3, max(4.2, 2.4 + 0.16 * shown.sizes["point"]))
    ax_auc, ax_gain, ax_null = axes
    own_colour: dict[str, str] = {}
    for (colour, line), (connectome, gap) in zip(styles(len(groups)), groups):
        own_colour.setdefault(connectome, colour)
        mine = shown.isel(point=(shown["connectome"].values == connectome) & (shown["gap_junction"].values == gap))
        label = f"{readable(connectome)}, {f'gap junctions {gap:g}' if gap else 'no gap junctions'}"
        x = mine["weight_mv"].values
        error = np.abs(np.stack([mine["ci_low"].values, mine["ci_high"].values]) - mine["auc"].values)
        ax_auc.errorbar(x, mine["auc"], yerr=error, marker="o", ls=line, ms=4, lw=1.2, color=colour, label=label)
        spread = np.abs(np.stack([mine["gain_low"].values, mine["gain_high"].values]) - mine["gain"].values)
        ax_gain.errorbar(x, mine["gain"], yerr=spread, marker="o", ls=line, ms=4, lw=1.2, color=colour, label=label)
    connectomes = shown["connectome"].values.tolist()
    for connectome, colour in own_colour.items():
        first = shown.isel(point=connectomes.index(connectome))
        for style, predictor in zip(LINES[1:], ("weight", "path_length", "degree")):
            # the predictors are those of the connectome, whatever is simulated on it
            label = unlisted(f"{predictor} alone, {connectome}")
            ax_auc.axhline(float(first[f"auc_{predictor}"]), ls=style, lw=1, color=colour, alpha=0.7, label=label)
    for style, predictor in zip(LINES[1:], ("weight", "path length", "degree")):
        ax_auc.plot([], [], ls=style, lw=1, color=NEUTRAL, label=f"{predictor} alone, in its connectome's colour")
    ax_gain.axhline(0, ls=":", color=NEUTRAL)
    for ax in (ax_auc, ax_gain):
        ax.set_xscale("log")
        ax.set_xticks(np.unique(shown["weight_mv"].values), [f"{x:g}" for x in np.unique(shown["weight_mv"].values)])
        ax.minorticks_off()
        ax.set_xlabel("weight per synapse (mV)")
    ax_auc.set(title="Tells influences from none", ylabel="AUC")
    drawn_on(axes).legend(*ax_auc.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    ax_gain.set(title="Gain over the direct weight", ylabel="difference of AUC")
    _nulls(ax_null, null, shown)
    own = rows[(rows["measure"] == "influence_auc") & (rows["group"] == "simulated")]
    best = own.sort_values("score").iloc[-1] if len(own) else None
    worth = sentence(best) if best is not None else ""
    told = f" The best of {len(own)} simulations is {worth}." if worth else ""
    caption = (
        "Each neuron is driven in turn; the score of a pair is the peak depolarisation of the responding neuron."
        f"{told} Bars: 95 % intervals over driven neurons."
    )
    return Drawing(drawn_on(axes), caption)


def _activation(rows: pd.DataFrame, shown: xr.Dataset) -> Drawing:
    """A panel for each connectome: how well its connections tell the simulated influence, by synaptic weight."""
    connectomes = list(dict.fromkeys(shown["connectome"].values.tolist()))
    groups = list(dict.fromkeys(shown["group"].values.tolist()))
    axes = panels(len(connectomes), min(3, len(connectomes)), 3.6)
    for ax, connectome in zip(axes, connectomes):
        for colour, line, group in ((*style, group) for style, group in zip(styles(len(groups)), groups)):
            chosen = (shown["connectome"].values == connectome) & (shown["group"].values == group)
            mine = shown.isel(row=chosen).sortby("weight_mv")
            score = mine["score"].values
            error = np.abs(np.stack([mine["low"].values, mine["high"].values]) - score)
            label = unlisted(readable(group)) if ax is not axes[0] else readable(group)
            ax.errorbar(
                mine["weight_mv"],
                score,
                yerr=np.nan_to_num(error),
                marker="o",
                ls=line,
                ms=4,
                lw=1.2,
                color=colour,
                label=label,
            )
        weights = np.unique(shown["weight_mv"].values)
        ax.set_xscale("log")
        ax.set_xticks(weights, [f"{x:g}" for x in weights])
        ax.minorticks_off()
        ax.set(title=readable(connectome), xlabel="weight per synapse (mV)", ylabel="rank correlation with influence")
    drawn_on(axes).legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
    told = ""
    for group, words in (("direct", "Direct connections"), ("multi_step", "Paths of several synapses")):
        own = rows[(rows["measure"] == "activation_correlation") & (rows["group"] == group)]
        if len(own) and (worth := sentence(own.sort_values("score").iloc[-1])):
            told += f" {words} are, where they tell most, {worth}."
    caption = (
        "Single neurons are driven; what they do to each other neuron is ranked against what the wiring says."
        f"{told} Bars: 95 % intervals over driven neurons; of rewired connectomes the central 95 % of their scores."
    )
    return Drawing(drawn_on(axes), caption)


def _nulls(ax: Axes, null: xr.Dataset, shown: xr.Dataset) -> None:
    """Each simulated point beside the central 95 % of its null distribution."""
    names = null["candidate"].values.tolist()
    for y, (point, found) in enumerate(zip(shown["candidate"].values.tolist(), shown["auc"].values.tolist())):
        values = null["auc"].values[names.index(point)]
        low, high = np.nanpercentile(values, [2.5, 97.5])
        ax.barh(y, high - low, 0.7, left=low, color=BAND, edgecolor="#bbbbbb", label=unlisted("null"))
        ax.plot(found, y, "o", ms=5, color=COLOURS[0], label=unlisted("simulated"))
    several = len(set(shown["connectome"].values.tolist())) > 1
    labels = [
        f"{f'{readable(connectome)}, ' if several else ''}{weight:g} mV{f', gap {gap:g}' if gap else ''}"
        for connectome, weight, gap in zip(
            shown["connectome"].values.tolist(),
            shown["weight_mv"].values.tolist(),
            shown["gap_junction"].values.tolist(),
        )
    ]
    ax.use_sticky_edges = False
    ax.set_yticks(range(len(labels)), labels, fontsize=7.5)
    ax.invert_yaxis()
    ax.set(title="Against rewired connectomes", xlabel="AUC (band: central 95 % of the null)")
