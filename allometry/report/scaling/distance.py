"""Figure of a study of a network in space: correlation against distance beside theory, and how it depends on size."""

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, SEQUENTIAL, drawn_on, panel_rows
from allometry.report.scaling.study import Study, interval_text, table_of

SIMULATED, THEORY = COLOURS[0], COLOURS[1]
MARKS = "os^"


def draw(path: str) -> Drawing:
    """Draw a study, a row of three panels per scheme.

    Parameters
    ----------
    path : str
        A Scaling store with the table `correlation_course`.
    """
    study = Study(path)
    root, course = study.root, _table(study, "correlation_course")
    theory = _table(study, "correlation_theory") if "correlation_theory" in study.tree["tables"].children else None
    population = str(theory.attrs["population"]) if theory is not None else study.populations[0]
    of = course.isel(condition=0).sel(population=population)
    schemes = root["scheme"].values.tolist()
    grid = panel_rows([3] * len(schemes), 3.6)
    for row, scheme in enumerate(schemes):
        here = None if theory is None else theory.sel(scheme=scheme)
        a, b, c = grid[3 * row : 3 * row + 3]
        _reference(a, of.sel(scheme=scheme), here, study)
        _sizes(b, of.sel(scheme=scheme), here, root, scheme)
        _against_size(c, study, scheme, population)
    return Drawing(
        drawn_on(grid),
        _caption(study, population, theory),
        f"{study.title}: correlation against distance",
        core=grid[0],
    )


def _table(study: Study, name: str) -> xr.Dataset:
    node = study.tree[f"tables/{name}"]
    assert isinstance(node, xr.DataTree)
    return node.to_dataset().load()


def _reference(ax: Axes, of: xr.Dataset, theory: xr.Dataset | None, study: Study) -> None:
    """Every seed of the reference with their mean and band, and theory over the same pairs."""
    at = of.sel(size=study.reference)
    distance, seeds = at["distance"].values, at["correlation"].transpose("seed", "bin").values
    seeds = seeds[np.isfinite(seeds).any(axis=1)]
    mean, known = seeds.mean(axis=0), np.isfinite(seeds).all(axis=0)
    ax.axhline(0, color=NEUTRAL, lw=0.8)
    if len(seeds) > 1:
        spread = seeds.std(axis=0, ddof=1)
        ax.fill_between(
            distance[known],
            (mean - spread)[known],
            (mean + spread)[known],
            color=BAND,
            lw=0,
            label="mean ± SD of seeds",
        )
    for k, values in enumerate(seeds):
        ax.plot(distance, values, color=SIMULATED, lw=0.7, alpha=0.7, label="one seed" if k == 0 else "_")
    ax.plot(distance, mean, "o", ms=3.5, color=SIMULATED, label="simulated, mean")
    if theory is not None:
        here = theory.sel(size=study.reference)
        ax.plot(distance, here["expected"].values, color=THEORY, lw=1.6, label="theory, finite gain")
        if np.isfinite(here["asymptotic"].values).any():
            ax.plot(
                here["displacement"].values, here["asymptotic"].values, "--", color=THEORY, lw=1, label="many neurons"
            )
    neurons = int(study.root["neurons"].sel(size=study.reference).values.ravel()[0])
    ax.set(title=f"{neurons:,} neurons", xlabel="distance (sides of the sheet)", ylabel="correlation")
    ax.legend(fontsize=7)


def _sizes(ax: Axes, of: xr.Dataset, theory: xr.Dataset | None, root: xr.Dataset, scheme: str) -> None:
    """Mean over seeds at every size, and theory as lines."""
    ax.axhline(0, color=NEUTRAL, lw=0.8)
    sizes = sorted(root["size"].values.tolist())
    for k, size in enumerate(sizes):
        colour = colormaps[SEQUENTIAL](0.9 * k / max(len(sizes) - 1, 1))
        at = of.sel(size=size)
        neurons = int(root["neurons"].sel(size=size, scheme=scheme))
        distance = at["distance"].values
        ax.plot(distance, at["correlation"].mean("seed").values, "o", ms=2.5, color=colour, label=f"N = {neurons:,}")
        if theory is not None:
            ax.plot(distance, theory["expected"].sel(size=size).values, color=colour, lw=0.9)
    ax.set(title="Every size; lines: theory", xlabel="distance (sides of the sheet)", ylabel="correlation")
    ax.legend(fontsize=6.5)


def _against_size(ax: Axes, study: Study, scheme: str, population: str) -> None:
    """Correlation at a distance against the number of neurons, every seed, with the power law and that of theory."""
    rows = table_of(study, "exponents")
    rows = rows[(rows["scheme_of"] == scheme) & (rows["population_of"] == population)]
    rows = rows[rows["condition_of"] == str(study.root["condition"].values[0])]
    part = study.root.sel(scheme=scheme, population=population).isel(condition=0)
    neurons = part["neurons"].values
    for k, row in enumerate(rows.to_dict("records")):
        name = str(row["statistic_of"])
        of = part.sel(statistic=name)
        colour = COLOURS[(0, 2, 3)[k % 3]]
        told = interval_text(row["exponent"], row["exponent_low"], row["exponent_high"])
        wanted = (
            f"; theory {row['theory_exponent']:.2f}".replace("-", "−") if np.isfinite(row["theory_exponent"]) else ""
        )
        label = f"{name.removeprefix('correlation_')}: {told}{wanted}"
        ax.plot(neurons, np.abs(of["mean"].values), MARKS[k % 3], ms=5, color=colour, label=label)
        for j in range(part.sizes["seed"]):
            ax.plot(neurons, np.abs(of["value"].values[:, j]), ".", ms=2.5, color=colour, alpha=0.7)
        ends = np.array([row["theory_smallest"], row["theory_reference"]])
        if np.isfinite(ends).all():
            at = [neurons.min(), float(part["neurons"].sel(size=study.reference))]
            ax.plot(at, np.abs(ends), color=colour, lw=1)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(neurons, [f"{n / 1000:.3g}k" for n in neurons], fontsize=7)
    ax.minorticks_off()
    ax.set(title=f"{readable(scheme)}: against size", xlabel="neurons", ylabel="|correlation|")
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0.0, -0.17), borderaxespad=0)


def _caption(study: Study, population: str, theory: xr.Dataset | None) -> str:
    bins = "near: up to 0.15 of the sheet apart, middle: 0.25 to 0.35, far: 0.45 to 0.5"
    text = (
        f"Correlation of the spike counts of all pairs of {population} of {study.root.attrs['model']} in windows of "
        f"{study.parameters['bin_ms']:g} ms against their distance. Left: the reference, every seed, their mean and standard deviation. Middle: "
        f"every size. Right: absolute values in wide bins of distance ({bins}) against the number of neurons, dots are seeds; in the "
        "legend the exponent of a power law with its 95 % interval."
    )
    if theory is None:
        return text
    return (
        f"{text} Theory: finite gains, long windows, averaged over the same pairs and divided by the measured rate (Rosenbaum et "
        "al. 2017); dashed its limit of many neurons, where it exists. Lines on the right join theory at the smallest size and at the reference."
    )
