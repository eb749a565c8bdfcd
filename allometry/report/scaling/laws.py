"""All studies of the stage together: what a smaller model gains, what it loses, and with which exponents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.style import COLOURS, NEUTRAL, drawn_on, panel_rows
from allometry.report.excerpt import Excerpt
from allometry.report.scaling.study import MARKS, Study, interval_text, law_text, table_of

LINES = ("-", "--", ":", "-.")
VERDICTS = {"preserved": "kept", "changed": "changed", "undetermined": "open"}
FEW_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


TITLE = "What is lost at which size, and by which law"


def tables(paths: Sequence[str]) -> dict[str, pd.DataFrame | Excerpt]:
    """The table of all studies by its title; none where there are none.

    Parameters
    ----------
    paths : sequence of path
        Scaling stores.
    """
    return {TITLE: table([Study(path) for path in paths])} if paths else {}


def table(studies: Sequence[Study]) -> pd.DataFrame:
    """A row per study, scheme and statistic: its verdicts by size, its law, and the exponent beside that of theory.

    The population and condition of the law is that where its exponent is known best, of those in which a law is named; where
    none is, the first. Verdicts are of all populations and conditions.

    Parameters
    ----------
    studies : sequence of Study
        Scaling studies.
    """
    return pd.DataFrame([row for study in studies for row in _rows(study)])


def _rows(study: Study) -> list[dict[str, Any]]:
    root, found = study.root, []
    laws, exponents = table_of(study, "laws"), table_of(study, "exponents")
    for scheme in root["scheme"].values.tolist():
        for statistic in root["statistic"].values.tolist():
            part = root.sel(scheme=scheme, statistic=statistic, population=study.populations)
            words = {size: _count(part["verdict"].sel(size=size)) for size in root["size"].values.tolist()}
            if not any(words.values()):
                continue
            law = _clearest(laws, scheme, statistic, study.populations)
            beside = _clearest(exponents, scheme, statistic, [law["population_of"]] if law else study.populations)
            of = beside if beside is not None and np.isfinite(beside["exponent"]) else law
            found.append(
                {
                    "study": study.name,
                    "statistic": statistic.replace("_", " "),
                    "scheme": scheme,
                    "verdict by number of neurons": "; ".join(
                        f"{int(root['neurons'].sel(size=size, scheme=scheme)):,}: {said}"
                        for size, said in words.items()
                        if said
                    ),
                    "law": "" if law is None else law["law"],
                    "of": "" if law is None else ", ".join(filter(None, (law["population_of"], law["condition_of"]))),
                    "dependence on N": "" if law is None else law_text({**law, "name": law["law"]}),
                    "exponent (95 % interval)": ""
                    if of is None
                    else interval_text(of["exponent"], of["exponent_low"], of["exponent_high"]),
                    "exponent of theory": beside["theory_exponent"] if beside is not None else None,
                    "theory": "" if beside is None or not np.isfinite(beside["theory_exponent"]) else beside["verdict"],
                }
            )
    return found


def _count(verdict: xr.DataArray) -> str:
    words = verdict.values.ravel().tolist()
    said = {short: words.count(word) for word, short in VERDICTS.items() if word in words}
    if len(said) == 1:
        return next(iter(said))
    return ", ".join(f"{number} {short}" for short, number in said.items())


def _clearest(rows: pd.DataFrame, scheme: str, statistic: str, populations: Sequence[str]) -> dict[str, Any] | None:
    """The row of a statistic whose exponent is known best, of the named laws first."""
    if rows.empty:
        return None
    mine = rows[
        (rows["scheme_of"] == scheme)
        & (rows["statistic_of"] == statistic)
        & rows["population_of"].isin(list(populations))
    ]
    if mine.empty:
        return None
    width = (mine["exponent_high"] - mine["exponent_low"]).fillna(np.inf)
    named = (mine["law"] != "undetermined") if "law" in mine else pd.Series(True, index=mine.index)
    theory = mine["theory_exponent"].notna() if "theory_exponent" in mine else pd.Series(False, index=mine.index)
    order = pd.DataFrame({"theory": ~theory, "named": ~named, "width": width}).sort_values(
        ["theory", "named", "width"], kind="stable"
    )
    return {str(key): value for key, value in mine.loc[order.index[0]].items()}


def draw(paths: Sequence[str]) -> Drawing:
    """Draw all studies.

    Parameters
    ----------
    paths : sequence of path
        Scaling stores with their costs beside them.
    """
    studies = [Study(path) for path in paths]
    exponents = _exponents(studies)
    grid = panel_rows([3 if exponents else 2], max(4.2, 1.2 + 0.17 * len(exponents)))
    _share(grid[1], studies)
    _gain(grid[0], studies)
    if exponents:
        _forest(grid[2], exponents)
    handles, labels = grid[1].get_legend_handles_labels()
    drawn_on(grid).legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    return Drawing(
        drawn_on(grid), _caption(studies, exponents), "What do I lose, what do I gain: all studies of scaling"
    )


def _lines(studies: Sequence[Study]) -> list[tuple[Study, str, str, str, str]]:
    """Study, scheme, colour, line and mark of every line."""
    return [
        (study, scheme, COLOURS[k % len(COLOURS)], LINES[j % len(LINES)], MARKS[k % len(MARKS)])
        for k, study in enumerate(studies)
        for j, scheme in enumerate(study.root["scheme"].values.tolist())
    ]


def _shares(study: Study, scheme: str) -> np.ndarray:
    """Neurons of every size over those of the reference."""
    neurons = study.root["neurons"].sel(scheme=scheme)
    return np.asarray(neurons.values / float(neurons.sel(size=study.reference)))


def _widest(studies: Sequence[Study]) -> tuple[float, float]:
    """Smallest and largest share of neurons, with a margin."""
    shares = np.concatenate(
        [_shares(study, str(scheme)) for study in studies for scheme in study.root["scheme"].values]
    )
    return 0.85 * float(shares.min()), 1.18 * float(shares.max())


def _size_axis(ax: Axes, studies: Sequence[Study]) -> None:
    low, high = _widest(studies)
    ticks = [tick for tick in FEW_TICKS if low <= tick <= high]
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("neurons, of those of the reference")


def _gain(ax: Axes, studies: Sequence[Study]) -> None:
    """How many times as fast a second is simulated."""
    largest = 1.0
    for study, scheme, colour, line, mark in _lines(studies):
        of = study.costs["values"].get(scheme, {}).get("simulation_s", {})
        mean = {size: float(np.mean(values)) for size, values in of.items() if values}
        reference = mean.get(f"{study.reference:g}")
        sizes = study.root["size"].values.tolist()
        if reference is None:
            continue
        known = [
            (x, reference / mean[f"{size:g}"]) for x, size in zip(_shares(study, scheme), sizes) if f"{size:g}" in mean
        ]
        x, times = np.array(sorted(known)).T
        largest = max(largest, float(times.max()))
        ax.plot(x, times, mark, ls=line, ms=4, lw=1, color=colour, label=f"{study.name}, {scheme}")
    _size_axis(ax, studies)
    ax.set_yscale("log")
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500) if tick <= 1.3 * largest]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.axhline(1, color=NEUTRAL, lw=0.8)
    ax.set_xlim(_widest(studies))
    ax.set(title="Gained: speed", ylabel="times as fast as the reference")


def _share(ax: Axes, studies: Sequence[Study]) -> None:
    """Share of the statistics of all populations and conditions that are known to be changed."""
    for study, scheme, colour, line, mark in _lines(studies):
        part = study.root["verdict"].sel(scheme=scheme, population=study.populations)
        x, y = [], []
        for share, size in zip(_shares(study, scheme), study.root["size"].values.tolist()):
            words = [word for word in part.sel(size=size).values.ravel().tolist() if word in VERDICTS]
            if words:
                x.append(float(share))
                y.append(100 * words.count("changed") / len(words))
        order = np.argsort(x)
        ax.plot(
            np.array(x)[order],
            np.array(y)[order],
            mark,
            ls=line,
            ms=4,
            lw=1,
            color=colour,
            label=f"{study.name}, {scheme}",
        )
    _size_axis(ax, studies)
    ax.set(title="Lost: statistics changed", ylabel="share that is changed (%)", ylim=(-2, 102), xlim=_widest(studies))


def _exponents(studies: Sequence[Study]) -> list[tuple[str, str, float, float, float, float]]:
    """Study, label, exponent, its interval and that of theory, of every statistic with a bounded exponent in the table."""
    found = []
    for study in studies:
        laws, beside = table_of(study, "laws"), table_of(study, "exponents")
        for scheme in study.root["scheme"].values.tolist():
            for statistic in study.root["statistic"].values.tolist():
                row = _clearest(beside, scheme, statistic, study.populations)
                if row is None:
                    row = _clearest(laws, scheme, statistic, study.populations)
                    if row is None or "power" not in row["law"]:
                        continue
                low, high = row["exponent_low"], row["exponent_high"]
                if np.isfinite([row["exponent"], low, high]).all() and high - low <= 2:
                    label = f"{statistic.replace('_', ' ')}, {row['population_of']}"
                    label += f" ({scheme})" if study.root.sizes["scheme"] > 1 else ""
                    found.append((study.name, label, row["exponent"], low, high, row.get("theory_exponent", np.nan)))
    return found


def _forest(ax: Axes, rows: Sequence[tuple[str, str, float, float, float, float]]) -> None:
    names = list(dict.fromkeys(row[0] for row in rows))
    for y, (study, _, value, low, high, theory) in enumerate(rows):
        colour = COLOURS[names.index(study) % len(COLOURS)]
        ax.errorbar(value, y, xerr=[[value - low], [high - value]], fmt="o", ms=4, lw=1.2, color=colour)
        if np.isfinite(theory):
            ax.plot(theory, y, "D", ms=5, mfc="none", color=COLOURS[6])
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    ax.axvline(-1, color=NEUTRAL, lw=0.8, ls=":")
    ax.set_yticks(range(len(rows)), [f"{study}: {label}" for study, label, *_ in rows], fontsize=6.5)
    ax.set(title="Exponents against N", xlabel="exponent; diamonds: theory", ylim=(len(rows) - 0.5, -0.5))


def _caption(studies: Sequence[Study], exponents: Sequence[Any]) -> str:
    tolerances = ", ".join(f"{study.name} {100 * float(study.root.attrs['tolerance']):g} %" for study in studies)
    text = (
        f"{len(studies)} studies of scaling, a colour for each and a line for each scheme. Left: wall time per simulated second of the "
        "reference over that of a size, as measured in the run. "
        "Middle: of the statistics of all populations and conditions that have a verdict, those whose deviation from the reference is outside "
        f"the tolerance ({tolerances})."
    )
    if exponents:
        text += (
            " Right: exponents of power laws against the number of neurons with 95 % intervals, of the deviation from the reference, of "
            "correlations at a distance of the value itself; diamonds what theory expects there; dotted −1, that of fluctuations of finite "
            "populations."
        )
    return text
