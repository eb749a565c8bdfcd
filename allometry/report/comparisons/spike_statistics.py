"""Figure of spike statistics: distances beside what another seed changes, and the distributions behind them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.parts import LINES
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, legend_columns, panels

AXES = {
    "rate": "rate (spikes/s)",
    "cv": "CV of intervals",
    "lv": "LV of intervals",
    "correlation": "pairwise correlation",
    "osi": "orientation selectivity",
    "timescale": "timescale (ms)",
}
SCALARS = {
    "synchrony": "synchrony",
    "branching_ratio": "branching ratio",
    "peak_frequency": "peak frequency (Hz)",
    "burst_rate": "bursts (per minute)",
    "burst_duration": "burst duration (ms)",
    "burst_participation": "share of units in a burst",
}
COLUMNS = 3


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Distances by population, distributions, spectra and avalanches of one population."""
    distributions = curves["spike_distributions"]
    ensembles = list(dict.fromkeys(distributions["ensemble"].values.tolist()))
    # baselines drawn are those within an ensemble; Poisson units have their verdict in the table
    rows = rows[(rows["role"] == "result") | (rows["candidate"] == rows["reference"])]
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(ensembles)}
    shown = _shown(distributions)
    present = [name for name in AXES if name in set(distributions["statistic"].values.tolist())]
    distances = [f"{name}_ks" for name in present if f"{name}_ks" in set(rows["measure"])]
    distances += [name for name in ("spectrum_distance", "avalanche_size_ks") if name in set(rows["measure"])]
    scalars = [name for name in SCALARS if f"{name}_difference" in set(rows["measure"])]
    further = [name for name in ("spike_spectra", "spike_avalanches") if name in curves]
    grid = panels(len(distances) + len(present) + len(further) + len(scalars), COLUMNS, 3.1)
    axes = iter(grid)
    for measure in distances:
        _distance(next(axes), rows[rows["measure"] == measure], measure, colours)
    for name in scalars:
        _values(next(axes), rows[rows["measure"] == f"{name}_difference"], SCALARS[name], colours)
    for name in present:
        _distribution(next(axes), distributions, name, shown, colours)
    if "spike_spectra" in curves:
        _spectrum(next(axes), curves["spike_spectra"], shown, colours)
    if "spike_avalanches" in curves:
        _tail(next(axes), curves["spike_avalanches"], shown, colours)
    handles = [Line2D([], [], color=colour, label=readable(name)) for name, colour in colours.items()]
    drawn_on(grid).legend(
        handles=handles, loc="outside upper center", ncols=legend_columns([str(one.get_label()) for one in handles], 5)
    )
    return Drawing(drawn_on(grid), _caption(rows, shown))


def _shown(distributions: xr.Dataset) -> str:
    """Population whose distributions are drawn: where most statistics are defined, of those the most active."""
    table = pd.DataFrame(
        {
            "population": distributions["population"].values.tolist(),
            "statistic": distributions["statistic"].values.tolist(),
            "mean": distributions["value"].values.mean(axis=1),
        }
    )
    found = pd.DataFrame(
        {
            "count": table.groupby("population", sort=False).size(),
            "rate": table[table["statistic"] == "rate"].groupby("population")["mean"].mean(),
        }
    ).fillna(0)
    return str(found.sort_values(["count", "rate"], kind="stable").index[-1])


def _named(population: str) -> str:
    return "all units" if population == "all" else population


def _distance(ax: Axes, table: pd.DataFrame, measure: str, colours: Mapping[str, str]) -> None:
    """Score of each candidate with its interval; bars: distances between seeds, smallest to largest."""
    populations = list(dict.fromkeys(table["group"]))
    results, baselines = (table[table["role"] == role] for role in ("result", "baseline"))
    lanes = list(dict.fromkeys([*results["candidate"], *baselines["candidate"]]))
    shift = dict(zip(lanes, np.linspace(-0.28, 0.28, len(lanes)) if len(lanes) > 1 else [0.0]))
    for entry in baselines.to_dict("records"):
        y = populations.index(entry["group"]) + shift[entry["candidate"]]
        width = max(entry["ci_high"] - entry["ci_low"], 0.0)
        label = unlisted(f"{entry['candidate']}, between seeds")
        ax.barh(y, width, 0.5 / len(lanes), left=entry["ci_low"], color="#c8c8c8", zorder=1, label=label)
        colour, half = colours[entry["candidate"]], 0.25 / len(lanes)
        ax.plot([entry["score"]] * 2, [y - half, y + half], color=colour, lw=1.8, alpha=0.7, zorder=2, label=label)
    several = results["reference"].nunique() > 1
    for entry in results.to_dict("records"):
        if not np.isfinite(entry["score"]):
            continue
        y = populations.index(entry["group"]) + shift[entry["candidate"]]
        filled = str(entry["beside_seeds"]).startswith("beyond")
        colour = colours[entry["candidate"]]
        error = np.array([[entry["score"] - entry["ci_low"]], [entry["ci_high"] - entry["score"]]])
        ax.errorbar(
            entry["score"],
            y,
            xerr=np.nan_to_num(error),
            fmt="o",
            ms=4,
            lw=1,
            color=colour,
            mfc=colour if filled else "white",
            mec=colours[entry["reference"]] if several else colour,
            zorder=3,
            label=unlisted(f"{entry['candidate']} against {entry['reference']}"),
        )
    ax.set_yticks(range(len(populations)), [_named(name) for name in populations])
    ax.set_ylim(len(populations) - 0.5, -0.5)
    ax.set_xlim(0, 1.05 * max(np.nanmax(table[["score", "ci_high"]].to_numpy(), initial=0.0), 1e-9))
    unit = str(table["unit"].iloc[0])
    name = measure.removesuffix("_ks").removesuffix("_distance").replace("_", " ")
    title = "CV" if name == "cv" else "LV" if name == "lv" else "OSI" if name == "osi" else name.capitalize()
    ax.set(title=f"{title}: distance", xlabel="Kolmogorov-Smirnov" if measure.endswith("_ks") else f"spectra, {unit}")


def _values(ax: Axes, table: pd.DataFrame, label: str, colours: Mapping[str, str]) -> None:
    """Value of each ensemble by population."""
    populations = list(dict.fromkeys(table["group"]))
    values: dict[tuple[str, str], float] = {}
    for entry in table.to_dict("records"):
        values[entry["candidate"], entry["group"]] = entry["candidate_value"]
        values[entry["reference"], entry["group"]] = entry["reference_value"]
    for (name, population), value in values.items():
        ax.plot(value, populations.index(population), "o", ms=5, alpha=0.8, color=colours[name], label=unlisted(name))
    ax.set_yticks(range(len(populations)), [_named(name) for name in populations])
    ax.set_ylim(len(populations) - 0.5, -0.5)
    ax.set(title=label.split(" (")[0].capitalize(), xlabel=label)


def _entries(curve: xr.Dataset, population: str, statistic: str | None = None) -> np.ndarray:
    # Stores without populations of their own have each of the others' that they are compared in.
    chosen = curve["population"].values == population
    if statistic is not None:
        chosen &= curve["statistic"].values == statistic
    return np.flatnonzero(chosen)


def _styles(curve: xr.Dataset, entries: np.ndarray) -> list[str]:
    """Line of each entry: stores of one ensemble share the colour, so they differ in their line."""
    seen: dict[str, int] = {}
    lines = []
    for name in curve["ensemble"].values[entries].tolist():
        lines.append(LINES[seen.get(name, 0) % len(LINES)])
        seen[name] = seen.get(name, 0) + 1
    return lines


def _distribution(ax: Axes, curve: xr.Dataset, name: str, population: str, colours: Mapping[str, str]) -> None:
    entries = _entries(curve, population, name)
    level = curve["quantile"].values
    values = curve["value"].values
    for index, line in zip(entries, _styles(curve, entries)):
        name_of = str(curve["ensemble"].values[index])
        ax.plot(values[index], level, line, lw=1.3, color=colours[name_of], label=unlisted(name_of))
    if entries.size:
        # Few pairs of units reach far beyond the others.
        low, high = np.min(values[entries][:, 1]), np.max(values[entries][:, -2])
        if high > low:
            ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    else:
        ax.text(0.5, 0.5, "not defined here", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
    ax.set(
        title=f"{_named(population)}: {AXES[name].split(' (')[0]}", xlabel=AXES[name], ylabel="share of units or pairs"
    )


def _spectrum(ax: Axes, curve: xr.Dataset, population: str, colours: Mapping[str, str]) -> None:
    entries = _entries(curve, population)
    names = curve["ensemble"].values[entries]
    for name in dict.fromkeys(names.tolist()):
        # Spectra of single seeds are too noisy to be told apart by eye.
        power = curve["power"].values[entries[names == name]].mean(axis=0)
        ax.loglog(curve["frequency"], power, lw=1.1, color=colours[str(name)], label=unlisted(str(name)))
    ax.axhline(1, color=NEUTRAL, ls=":")
    ax.set(title=f"{_named(population)}: spectrum", xlabel="frequency (Hz)", ylabel="power / Poisson units")


def _tail(ax: Axes, curve: xr.Dataset, population: str, colours: Mapping[str, str]) -> None:
    entries = _entries(curve, population)
    for index, line in zip(entries, _styles(curve, entries)):
        share = curve["share"].values[index]
        positive = share > 0
        name = str(curve["ensemble"].values[index])
        ax.loglog(
            curve["size"].values[positive], share[positive], line, lw=1.3, color=colours[name], label=unlisted(name)
        )
    if not entries.size:
        ax.text(0.5, 0.5, "not defined here", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
    ax.set(title=f"{_named(population)}: avalanches", xlabel="size (spikes)", ylabel="share as large or larger")


def _caption(rows: pd.DataFrame, shown: str) -> str:
    results = rows[rows["role"] == "result"]
    verdicts = results["beside_seeds"].value_counts()
    counted = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    beyond = results[results["beside_seeds"].str.startswith("beyond")].sort_values("relative", ascending=False)
    parts = [
        "Distances of each ensemble (simulations that differ only in their seed) or recording from the reference, by "
        "population, with 95 % intervals over units or time; filled: beyond the baseline. Ticks: mean distance between the "
        "seeds of each ensemble, or halves of the units where there is one store (grey: smallest to largest).",
        f"Then statistics of the population count, and distributions in {_named(shown)}: one line per store, spectra one per ensemble.",
    ]
    if counted:
        parts.append(f"Of {len(results)} comparisons: {counted}.")
    if len(beyond):
        top = beyond.iloc[0]
        parts.append(
            f"Farthest beyond: {top['measure'].replace('_', ' ')} of {top['candidate']} against {top['reference']} in "
            f"{top['group']}, {top['relative']:.1f} times the baseline."
        )
    return " ".join(parts)
