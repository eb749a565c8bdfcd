"""Figure of scaling studies: what is lost, what is gained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, panel_rows
from allometry.report.scaling.study import MARKS, Study, law_text, populations_of

VERDICTS = {"preserved": COLOURS[2], "undetermined": "#cccccc", "changed": COLOURS[1]}
# Largest deviation that is drawn, in percent: what lies beyond is at the edge
FARTHEST = 150.0
CELL = 0.94  # width of a cell of the verdicts


def draw(path: str) -> Drawing:
    """Figure of one study: deviations of rates, correlations and verdicts per scheme, and what the simulations cost.

    Parameters
    ----------
    path : str
        A Scaling store.
    """
    study = Study(path)
    root, costs, tables = study.root, study.costs, study.tree["tables"]
    schemes = root["scheme"].values.tolist()
    second = _second(root)
    theory = "mean_field" in tables.children and "rate" in root["statistic"].values
    priced = any(numbers for of in costs["values"].values() for found in of.values() for numbers in found.values())
    below = 2 * priced + theory
    grid = panel_rows([*[3] * len(schemes), *([below] if below else [])], 3.5)
    axes = iter(grid)
    for scheme in schemes:
        _deviations(next(axes), root, scheme)
        _values(next(axes), root, scheme, second)
        _verdicts(next(axes), root, scheme)
    if priced:
        _cost(next(axes), root, costs, "simulation_s", "wall s per biological s")
        _cost(next(axes), root, costs, "memory_gib", "peak memory (GiB)")
    if theory:
        _theory(next(axes), root, tables["mean_field"].to_dataset())
    return Drawing(drawn_on(grid), _caption(root, costs, second, theory, priced), study.title)


def _second(root: xr.Dataset) -> str:
    """Statistic that is drawn beside the rates: a correlation where there is one."""
    # those of all conditions together have no value of one
    mean = _condition(root)["mean"].transpose("statistic", ...).values
    known = np.isfinite(mean).reshape(len(mean), -1).any(axis=1)
    names = root["statistic"].values[known].tolist() or root["statistic"].values.tolist()
    wanted = ("synchrony_correlation", "correlation", "gamma_correlation", "cv")
    return next((name for name in wanted if name in names), names[-1])


def _condition(root: xr.Dataset) -> xr.Dataset:
    """The first condition alone: the others are in the store."""
    return root.isel(condition=0)


def _size_axis(ax: Axes, neurons: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.set_xticks(neurons, [_count(n) for n in neurons])
    ax.minorticks_off()
    ax.set_xlim(neurons.min() / 1.4, neurons.max() * 1.4)
    ax.set_xlabel("neurons")


def _count(n: float) -> str:
    return f"{n / 1000:.3g}k" if n >= 1000 else f"{n:g}"


def _deviations(ax: Axes, root: xr.Dataset, scheme: str) -> None:
    """Relative deviation of the rate of every population from the reference, with intervals and the tolerance."""
    statistic = "rate" if "rate" in root["statistic"].values else str(root["statistic"].values[0])
    part = _condition(root).sel(scheme=scheme, statistic=statistic)
    neurons = part["neurons"].values
    tolerance = 100 * float(root.attrs["tolerance"])
    ax.axhspan(-tolerance, tolerance, color="#e6e6e6", lw=0, zorder=0)
    ax.axhline(0, color=NEUTRAL, lw=0.8, zorder=1)
    names = populations_of(root)
    for k, name in enumerate(names):
        of = part.sel(population=name)
        value, low, high = (100 * of[field].values for field in ("deviation", "deviation_low", "deviation_high"))
        away = np.isfinite(value) & (of["verdict"].values != "reference")
        x = neurons * (1 + 0.03 * (k - (len(names) - 1) / 2))
        shown = np.clip(value, -FARTHEST, FARTHEST)
        error = np.nan_to_num(np.abs(np.clip(np.array([low, high]), -FARTHEST, FARTHEST) - shown))
        colour = COLOURS[k % len(COLOURS)]
        ax.errorbar(
            x[away], shown[away], yerr=error[:, away], fmt=MARKS[k % len(MARKS)], ms=4, lw=1, color=colour, label=name
        )
        ax.plot(x[away], shown[away], color=colour, lw=0.7, alpha=0.6)
    _size_axis(ax, neurons)
    ax.set(title=f"{readable(scheme)}: {statistic.replace('_', ' ')}", ylabel="deviation from the reference (%)")
    if len(names) <= 10:
        ax.legend(fontsize=6.5, ncols=2, loc="best")


def _values(ax: Axes, root: xr.Dataset, scheme: str, statistic: str) -> None:
    """A statistic itself against size, with its interval over seeds; a band: the reference between seeds."""
    part = _condition(root).sel(scheme=scheme, statistic=statistic)
    neurons = part["neurons"].values
    for k, name in enumerate(populations_of(root)):
        of = part.sel(population=name)
        mean, low, high = (of[field].values for field in ("mean", "ci_low", "ci_high"))
        known = np.isfinite(mean)
        colour = COLOURS[k % len(COLOURS)]
        error = np.nan_to_num(np.array([mean - low, high - mean]))[:, known]
        ax.errorbar(
            neurons[known], mean[known], yerr=error, fmt=f"{MARKS[k % len(MARKS)]}-", ms=4, lw=0.9, color=colour
        )
    ax.axhline(0, color=NEUTRAL, lw=0.8)
    spread = part["mean"].sel(population=populations_of(root)).values
    spread = spread[np.isfinite(spread)]
    if spread.size:
        # wide intervals of few seeds would hide the means
        margin = max(0.25 * np.ptp(spread), 1e-6)
        ax.set_ylim(min(spread.min(), 0) - margin, max(spread.max(), 0) + margin)
    _size_axis(ax, neurons)
    ax.set(title=f"{readable(scheme)}: {statistic.replace('_', ' ')}", ylabel=_labelled(root, statistic))


def _labelled(root: xr.Dataset, statistic: str) -> str:
    unit = str(root["unit"].sel(statistic=statistic).values)
    return statistic.replace("_", " ") + (f" ({unit})" if unit != "1" else "")


def _verdicts(ax: Axes, root: xr.Dataset, scheme: str) -> None:
    """Share of populations in which each statistic is kept: a row per statistic, a cell per size, filled in these shares."""
    part = _condition(root).sel(scheme=scheme, population=populations_of(root))
    reference = float(root.attrs["reference"])
    sizes = sorted(size for size in root["size"].values.tolist() if size != reference)
    names = [name for name in root["statistic"].values.tolist() if (part["verdict"].sel(statistic=name) != "").any()]
    for y, name in enumerate(names):
        for x, size in enumerate(sizes):
            found = part["verdict"].sel(statistic=name, size=size).values.tolist()
            judged = [word for word in found if word in VERDICTS]
            start = x - CELL / 2
            for word, colour in VERDICTS.items():
                width = CELL * judged.count(word) / len(judged) if judged else 0.0
                if width:
                    ax.barh(y, width, 0.84, left=start, color=colour, lw=0, label=unlisted(word))
                start += width
            if not judged:
                ax.text(x, y, "undefined", ha="center", va="center", fontsize=6, color=NEUTRAL)
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_xticks(range(len(sizes)), [_count(float(root["neurons"].sel(size=size, scheme=scheme))) for size in sizes])
    ax.tick_params(length=0)
    ax.set(
        xlim=(-0.5, len(sizes) - 0.5),
        ylim=(len(names) - 0.5, -0.5),
        xlabel="neurons",
        title=f"{readable(scheme)}: verdicts",
    )
    for word, colour in VERDICTS.items():
        ax.plot([], [], "s", color=colour, label=word)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=3, fontsize=7)


def _cost(ax: Axes, root: xr.Dataset, costs: Mapping[str, Any], cost: str, label: str) -> None:
    """A cost against size, one point per seed, with the law where one is named."""
    sizes = root["size"].values.tolist()
    positive = []
    for k, scheme in enumerate(root["scheme"].values.tolist()):
        values = costs["values"].get(scheme, {}).get(cost, {})
        neurons = dict(zip((f"{size:g}" for size in sizes), root["neurons"].sel(scheme=scheme).values.tolist()))
        x = [neurons[size] for size, found in values.items() for _ in found]
        y = [number for found in values.values() for number in found]
        positive += y
        colour = COLOURS[k % len(COLOURS)]
        law = costs["laws"].get(scheme, {}).get(cost, {})
        ax.plot(
            x, y, MARKS[k % len(MARKS)], ms=4, color=colour, alpha=0.8, label=f"{readable(scheme)}: {law_text(law)}"
        )
        if law.get("name") in ("power law", "power law with a floor", "constant"):
            unit = neurons[f"{root.attrs['reference']:g}"]
            grid = np.geomspace(min(x), max(x), 80)
            ax.plot(grid, _curve(law, grid / unit), color=colour, lw=1)
    if not positive:
        ax.text(0.5, 0.5, "costs are not known", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return
    _size_axis(ax, root["neurons"].values[:, 0])
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(positive) < 30 * min(positive) else (1,), numticks=12))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(min(positive) / 1.4, max(positive) * 1.4)
    ax.set(title=label.split(" (")[0].capitalize(), ylabel=label)
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0.0, -0.16), borderaxespad=0)


def _curve(law: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
    floor = law["floor"] or 0.0
    if law["name"] == "constant":
        return np.full_like(x, floor)
    return np.asarray(floor + law["amplitude"] * x ** law["exponent"])


def _theory(ax: Axes, root: xr.Dataset, theory: xr.Dataset) -> None:
    """Simulated against mean-field rates: a colour per scheme, smaller marks for smaller sizes."""
    measured = _condition(root).sel(statistic="rate")["mean"]
    sizes = root["size"].values.tolist()
    largest = 0.0
    for k, scheme in enumerate(root["scheme"].values.tolist()):
        for i, size in enumerate(sizes):
            x = theory["rate_hz"].sel(size=size, scheme=scheme).values
            y = measured.sel(size=size, scheme=scheme, population=theory["modelled"].values.tolist()).values
            filled = size == float(root.attrs["reference"])
            colour = NEUTRAL if filled else COLOURS[k % len(COLOURS)]
            ax.plot(x, y, MARKS[k % len(MARKS)], ms=3 + 4 * i / max(len(sizes) - 1, 1), color=colour, alpha=0.8)
            largest = max(largest, float(np.nanmax([*x, *y])))
        ax.plot([], [], MARKS[k % len(MARKS)], color=COLOURS[k % len(COLOURS)], label=scheme)
    ax.plot([], [], "o", color=NEUTRAL, label="reference")
    ax.plot([0, largest], [0, largest], color=NEUTRAL, lw=0.8, ls=":")
    ax.set(title="Rates: simulated and mean-field", xlabel="theory (spikes/s)", ylabel="simulated (spikes/s)")
    ax.legend(fontsize=7, loc="best")


def _caption(root: xr.Dataset, costs: Mapping[str, Any], second: str, theory: bool, priced: bool) -> str:
    reference = float(root.attrs["reference"])
    seeds = root.sizes["seed"]
    conditions = root["condition"].values.tolist()
    derived = stores.attribute(root, "derived")
    parts = [
        f"{root.attrs['model']} at {root.sizes['size']} sizes, {seeds} seeds each; reference: {derived['reference']} "
        f"({int(root['neurons'].sel(size=reference).values[0]):,} neurons).",
        f"A row per scheme ({derived['scheme']}). Left: deviation of the rate of every population with its 95 % interval over "
        f"seeds (Welch), in grey the tolerance of {100 * float(root.attrs['tolerance']):g} %"
        f"{_beyond(root)}. Middle: {second.replace('_', ' ')} itself. Right: for each statistic and size the share "
        "of populations in which it is kept, changed, or neither can be said.",
    ]
    if priced:
        machines = "; ".join(f"{one['threads']} threads on {one['host']}" for one in costs["machines"])
        parts.append(f"Below: what a simulation costs, one point per seed; N is the number of neurons. {machines}.")
    if len(conditions) > 1:
        parts.append(f"Condition {conditions[0]}; {', '.join(conditions[1:])} are in the store.")
    if theory:
        parts.append(
            "Mean-field rates know mean and variance of the input, and no correlations; small marks are small sizes."
        )
    if (root["calibration"].values == "not converged").any():
        parts.append("CALIBRATIONS DID NOT CONVERGE: " + _unsettled(root) + ".")
    return " ".join(parts)


def _beyond(root: xr.Dataset) -> str:
    found = np.abs(100 * _condition(root)["deviation"].values)
    return f"; beyond {FARTHEST:g} % at the edge" if np.nanmax(found, initial=0.0) > FARTHEST else ""


def _unsettled(root: xr.Dataset) -> str:
    return ", ".join(
        f"{scheme} at {size:g} (residual {float(root['residual'].values[i, j]):.2f})"
        for i, size in enumerate(root["size"].values.tolist())
        for j, scheme in enumerate(root["scheme"].values.tolist())
        if root["calibration"].values[i, j] == "not converged"
    )
