"""Figure of a study whose conditions are values of one parameter: every statistic against that parameter, a line per size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, panels

COLUMNS = 4
MARKS = "osD^vPX*"
LINES = ("-", "--", ":", "-.")
ALL = "all"
WIDE = 8.0  # largest over smallest value of a parameter that is drawn on a straight axis


def draw(path: str) -> Drawing:
    """Draw a study.

    Parameters
    ----------
    path : str
        A Scaling store.
    """
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    root = tree.to_dataset()
    parameter, at = swept(stores.attribute(tree, "parameters")["conditions"])
    over = _known(root, list(at))
    together = _known(root, [ALL] if ALL in root["condition"].values else [])
    grid = panels(len(over) + len(together), COLUMNS, 2.9)
    for ax, (statistic, area) in zip(grid, over):
        _against_conditions(ax, root, statistic, area, parameter, at)
    for ax, (statistic, area) in zip(grid[len(over) :], together):
        _against_size(ax, root, statistic, area)
    title = f"{tree.attrs['title']}: against {_words(parameter)}"
    return Drawing(drawn_on(grid), _caption(tree, root, parameter), title, core=grid[0])


def _known(root: xr.Dataset, conditions: Sequence[str]) -> list[tuple[str, str]]:
    """Statistics and areas that have a value under some of the conditions."""
    return [
        (str(statistic), str(area))
        for statistic in root["statistic"].values
        for area in root["population"].values
        if np.isfinite(root["mean"].sel(statistic=statistic, population=area, condition=list(conditions)).values).any()
    ]


def swept(settings: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, float]]:
    """The parameter that the conditions of a study are values of, and its value by condition, in order; empty where there is none.

    Parameters
    ----------
    settings : mapping of str to mapping
        Conditions of a configured study.
    """
    numbers = {
        name: {key: value for key, value in entry.get("parameters", {}).items() if isinstance(value, int | float)}
        for name, entry in settings.items()
    }
    shared = set.intersection(*(set(values) for values in numbers.values())) if numbers else set()
    names = sorted(key for key in shared if len({values[key] for values in numbers.values()}) > 1)
    if len(names) != 1:
        return "", {}
    at = {name: float(values[names[0]]) for name, values in numbers.items()}
    return names[0], dict(sorted(at.items(), key=lambda item: item[1]))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _lines(root: xr.Dataset) -> list[tuple[float, str, str, str]]:
    """Size, scheme, colour and line of every line."""
    return [
        (size, scheme, COLOURS[i % len(COLOURS)], LINES[j % len(LINES)])
        for j, scheme in enumerate(root["scheme"].values.tolist())
        for i, size in enumerate(root["size"].values.tolist())
    ]


def _against_conditions(
    ax: Axes, root: xr.Dataset, statistic: str, area: str, parameter: str, at: Mapping[str, float]
) -> None:
    x = np.array(list(at.values()))
    part = root.sel(statistic=statistic, population=area, condition=list(at))
    several = root.sizes["scheme"] > 1
    positive = []
    for size, scheme, colour, line in _lines(root):
        of = part.sel(size=size, scheme=scheme)
        mean, low, high = (of[name].values for name in ("mean", "ci_low", "ci_high"))
        known = np.isfinite(mean)
        if not known.any():
            continue
        error = np.abs(np.nan_to_num(np.array([mean - low, high - mean]))[:, known])
        label = f"{size:g}" + (f", {scheme}" if several else "")
        ax.errorbar(x[known], mean[known], yerr=error, fmt=f"o{line}", ms=3.5, lw=1, color=colour, label=label)
        positive += mean[known].tolist()
    if x.min() > 0 and x.max() / x.min() > WIDE:
        ax.set_xscale("log")
        ax.set_xticks(x, [f"{value:g}" for value in x], fontsize=7)
        ax.minorticks_off()
    if statistic.endswith("error") and positive and min(positive) > 0 and max(positive) / min(positive) > WIDE:
        ax.set_yscale("log")
    ax.set(xlabel=_words(parameter), ylabel=_unit(root, statistic))
    ax.set_title(f"{_words(statistic)}, {area}", fontsize=8)
    bottom, top = ax.get_ylim()
    middle, room = (bottom + top) / 2, 0.1 * abs(bottom + top) / 2
    if ax.get_yscale() == "linear" and top - bottom < 0.2 * room:
        # what does not change is drawn as a line, not as the last digits of its numbers
        ax.set_ylim(middle - room, middle + room)
    ax.legend(fontsize=6, title="size", title_fontsize=6)


def _against_size(ax: Axes, root: xr.Dataset, statistic: str, area: str) -> None:
    """What all conditions together give, against size, one mark per seed."""
    part = root.sel(statistic=statistic, population=area, condition=ALL)
    for j, scheme in enumerate(root["scheme"].values.tolist()):
        of = part.sel(scheme=scheme)
        sizes = root["size"].values
        ax.plot(sizes, of["mean"].values, LINES[j % len(LINES)], color=COLOURS[j], marker=MARKS[j], label=scheme)
        for k in range(root.sizes["seed"]):
            ax.plot(sizes, of["value"].values[:, k], ".", ms=3, color=NEUTRAL)
    ax.set_xscale("log")
    ax.set_xticks(root["size"].values, [f"{value:g}" for value in root["size"].values], fontsize=7)
    ax.minorticks_off()
    ax.set(xlabel="size", ylabel=_unit(root, statistic))
    ax.set_title(f"{_words(statistic)}, {area}", fontsize=8)
    ax.legend(fontsize=6)


def _unit(root: xr.Dataset, statistic: str) -> str:
    unit = str(root["unit"].sel(statistic=statistic).values)
    return _words(statistic) + (f" ({unit})" if unit != "1" else "")


def _caption(tree: xr.DataTree, root: xr.Dataset, parameter: str) -> str:
    derived = stores.attribute(tree, "derived")
    described = " ".join(
        f"{_words(name)}: {derived[f'statistic {name}']}." for name in root["statistic"].values.tolist()
    )
    unsettled = [
        f"{scheme} at {size:g} (largest residual {float(root['residual'].sel(size=size, scheme=scheme)):.3g})"
        for scheme in root["scheme"].values.tolist()
        for size in root["size"].values.tolist()
        if str(root["calibration"].sel(size=size, scheme=scheme).values) == "not converged"
    ]
    failed = f" NOT ALL FITS CONVERGED: {', '.join(unsettled)}." if unsettled else ""
    return (
        f"Statistics of {root.attrs['model']} against {_words(parameter)}, mean and 95 % interval over {root.sizes['seed']} seeds; a "
        f"line per size and scheme ({derived['scheme']}). What all conditions give together is drawn against size, in grey the "
        f"seeds.{failed} {described}"
    )
