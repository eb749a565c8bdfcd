"""Figure of what populations of sensory neurons say about the stimulus."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.parts import SHOWN_POPULATIONS, estimate, intervals, legend_below, styles
from allometry.report.drawing.style import BAND, NEUTRAL, SEQUENTIAL, drawn_on, legend_columns, panel_rows

HALVES = (-1, -0.5, 0, 0.5, 1)  # ticks of a correlation
SUBSAMPLED = {"decoding_within": ("-", "decoding"), "reliability": ("--", "unit"), "ssm_reliability": (":", "geometry")}


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Decoding, tuning, correlations, dimension and their dependence on sample size."""
    names = curves["tuning_null"]["population"].values.tolist()
    colours = dict(zip(names, (colour for colour, _ in styles(len(names)))))
    units = curves["tuning"].to_dataframe()
    units["population"] = units["population"].astype(str)
    # stimuli without a direction, as intervals or patterns, have no tuning to it
    tuned = bool(units[["osi", "dsi", "direction"]].notna().to_numpy().any())
    axes = panel_rows([3, 4, 3, 3] if tuned else [3, 2, 2, 3], 3.1)
    _decoding(axes[0], rows, names, colours)
    _confusion(axes[1], curves["confusion"], names[0])
    _correlations(axes[2], curves["response_correlations"], names, colours)
    null = curves["tuning_null"]
    selective = axes[3:6] if tuned else []
    mean, back, radius, dimensions, *subsampled = axes[6 if tuned else 3 :]
    columns = (
        ("osi", np.linspace(0, 1, 21)),
        ("dsi", np.linspace(0, 1, 21)),
        ("direction", np.arange(0.0, 361.0, 30.0)),
    )
    for name in names:
        mine = units[units["population"] == name]
        shown = [(ax, *column) for ax, column in zip(selective, columns)]
        for ax, column, edges in (*shown, (back, "split_half", np.linspace(-1, 1, 21))):
            values = mine[column].dropna()
            if len(values):
                density, ends = np.histogram(values, edges, density=True)
                ax.stairs(density, ends, lw=1.4, color=colours[name], label=readable(name))
        _mean_responses(mean, mine["mean_response"].to_numpy(), readable(name), colours[name])
        shuffled = null["density"].sel(population=name).values
        if tuned and np.isfinite(shuffled).any():
            axes[3].plot(null["bin"], shuffled, ":", color=colours[name], label=unlisted(f"{readable(name)}, shuffled"))
    if tuned:
        axes[3].set(title="Orientation selectivity", xlabel="OSI (dotted: shuffled)", ylabel="density of units")
        axes[4].set(title="Direction selectivity", xlabel="DSI", ylabel="density of units")
        axes[5].set(title="Preferred direction", xlabel="degree", ylabel="density of units", xticks=range(0, 361, 90))
    mean.set(title="Mean response", xlabel="times the mean of all units", ylabel="share of units", xscale="log")
    back.set(title="Tuning that comes back", xlabel="r of halves of the repeats", ylabel="density of units")
    back.set_xticks(HALVES)
    _radius(radius, curves["spectral_radius_by_size"], names, colours)
    dimension = rows[rows["measure"] == "participation_ratio"]
    if len(names) > SHOWN_POPULATIONS:
        dimension = dimension[dimension["role"] == "result"]
    joint = " " if len(names) > SHOWN_POPULATIONS else "\n"
    labels = dimension["candidate"] + joint + dimension["group"]
    intervals(dimensions, dimension.assign(candidate=labels, reference="", group=""), "Participation ratio")
    for ax, axis in zip(subsampled, ("units", "repeats", "stimuli")):
        _subsampling(ax, curves["subsampling"], axis, names, colours)
    handles, said = mean.get_legend_handles_labels()
    drawn_on(axes).legend(handles, said, loc="outside upper center", ncols=legend_columns(said, 4))
    best = rows[(rows["measure"] == "decoding_within") & (rows["role"] == "result")]
    told = "; ".join(f"{row['candidate']} {row['group']} {estimate(row)}" for _, row in best.iterrows())
    caption = (
        f"Decoding leaves out one block of presentations at a time: {told}. Grey: 95 % of shuffled labels. Dotted densities: "
        "shuffles. Mean response of each unit, in units of the mean over its population, since spikes and fluorescence have "
        "different ones; what is less than a hundredth, or negative, is at the left end, and a population whose mean is not "
        f"positive is left out. Subsampling: mean and 95 % of random subsets. Confusion of {names[0]}. The spectral radius is given for "
        "each size that the recurrent population may have."
    )
    return Drawing(drawn_on(axes), caption)


def _mean_responses(ax: Axes, values: np.ndarray, name: str, colour: str) -> None:
    """Distribution of the mean responses of units, which are rates of spikes in simulations."""
    values = values[np.isfinite(values)]
    if not values.size or values.mean() <= 0:
        return
    edges = np.geomspace(0.01, 30, 24)
    counts = np.histogram(np.clip(values / values.mean(), 0.0101, 29.9), edges)[0]
    ax.stairs(counts / values.size, edges, lw=1.4, color=colour, label=name)


def _decoding(ax: Axes, rows: pd.DataFrame, names: Sequence[str], colours: Mapping[str, str]) -> None:
    mine = rows[rows["measure"] == "decoding_within"]
    results = mine[mine["role"] == "result"].reset_index(drop=True)
    for x, (_, row) in enumerate(results.iterrows()):
        null = mine[(mine["candidate"] == row["candidate"]) & (mine["group"] == f"{row['group']}, shuffled labels")]
        low, high = null[["ci_low", "ci_high"]].to_numpy()[0]
        ax.bar(x, high - low, 0.8, bottom=low, color=BAND, label=unlisted("shuffled labels"))
        error = np.nan_to_num(np.abs(row[["ci_low", "ci_high"]].to_numpy(float) - row["score"]))[:, None]
        ax.errorbar(
            x,
            row["score"],
            yerr=error,
            fmt="o",
            ms=5,
            lw=1.2,
            color=colours[row["candidate"]],
            label=unlisted(row["candidate"]),
        )
    labels = results["group"].str.replace("_", " ")
    ax.set_xticks(range(len(results)), labels, rotation=30, ha="right", fontsize=7)
    ax.set(title="Decoding of the stimulus", ylabel="share of trials", ylim=(0, 1.05), xlim=(-0.6, len(results) - 0.4))


def _confusion(ax: Axes, confusion: xr.Dataset, name: str) -> None:
    mine = confusion.sel(population=name)
    labels = [label for label in mine["label"].values.tolist() if label]
    trials = mine["trials"].values[: len(labels), : len(labels)]
    drawn = ax.imshow(trials / trials.sum(axis=1, keepdims=True), vmin=0, vmax=1, cmap=SEQUENTIAL)
    ticks = range(0, len(labels), -(-len(labels) // 16))
    ax.set_xticks(ticks, [labels[k] for k in ticks], fontsize=6.5, rotation=90)
    ax.set_yticks(ticks, [labels[k] for k in ticks], fontsize=6.5)
    ax.set(title="Confusion", xlabel="decoded", ylabel="shown")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="share")


def _correlations(ax: Axes, densities: xr.Dataset, names: Sequence[str], colours: Mapping[str, str]) -> None:
    for name in names:
        mine = densities.sel(population=name)
        for kind, line in (("signal", "--"), ("noise", "-"), ("shuffled", ":")):
            ax.plot(mine["bin"], mine[kind], line, lw=1.1, color=colours[name], label=unlisted(f"{name}, {kind}"))
    for kind, line in (("signal", "--"), ("noise", "-"), ("noise, shuffled trials", ":")):
        ax.plot([], [], line, color=NEUTRAL, label=kind)
    top = np.nanmax([densities["noise"].max(), densities["signal"].max()])
    # Shuffled trials leave a narrow peak, which would flatten the others.
    ax.set(
        title="Correlations of pairs of units", xlabel="correlation", ylabel="density of pairs", ylim=(0, 1.25 * top)
    )
    legend_below(ax)


def _radius(ax: Axes, radius: xr.Dataset, names: Sequence[str], colours: Mapping[str, str]) -> None:
    for name in names:
        mine = radius.isel(entry=np.flatnonzero(radius["population"].values.astype(object) == name))
        ax.plot(mine["size"], mine["radius"], color=colours[name], label=unlisted(name))
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
            ax.plot(
                mine["size"],
                mine["mean"],
                line,
                marker="o",
                ms=2.5,
                lw=1.2,
                color=colours[name],
                label=unlisted(f"{name}, {measure}"),
            )
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
    legend_below(ax)
