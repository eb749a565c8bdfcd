"""Figures of simulations: rasters with rates per population, and matrices of signal propagation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.card import Figure
from allometry.report.connectomes import draw as draw_connectomes
from allometry.report.style import COLOURS, figure

# Dots in a raster above which it is only grey
MOST_DOTS = 60_000


def draw(
    paths: Mapping[str, str],
    image: str | Path,
    run: str,
    *,
    window_ms: float,
    units: int,
    axes: Mapping[str, Sequence[str]],
) -> None:
    """Figure of a run: a raster and rates for spikes, matrices for propagation.

    Parameters
    ----------
    paths : mapping of str to str
        Stores of the run by point.
    image : path
        PNG file to write; its description is written beside it.
    run : str
        Name of the run.
    window_ms : float
        Length of the raster: the last `window_ms` of the simulation, in ms.
    units : int
        Neurons in the raster, in proportion to the size of their population.
    axes : mapping of str to sequence of str
        Canonical axis by species, for propagation.
    """
    first = stores.open(next(iter(paths.values())))
    if first.attrs["schema"] == "Connectome":
        draw_connectomes(
            {_readable(name): path for name, path in paths.items()}, image, axes, f"Simulated propagation: {run}"
        )
        return
    with figure(image, 2, len(paths), (4.6, 3.1)) as grid:
        totals = []
        for row, (point, path) in enumerate(paths.items()):
            ds = stores.open(path)
            assert isinstance(ds, xr.Dataset)
            totals.append(_row(grid[2 * row], grid[2 * row + 1], ds, point, window_ms, units))
    caption = (
        f"Left: spikes of the last {window_ms:g} ms of neurons sampled evenly from each population. "
        "Right: mean rate of each population over the whole simulation. " + "; ".join(totals) + "."
    )
    Figure(f"Simulation: {run}", caption, tuple(paths.values())).save(image)


def _readable(point: str) -> str:
    """Name of a point without the digits that only make it unique."""
    return point.rsplit("_", 1)[0]


def _row(raster: Axes, bars: Axes, ds: xr.Dataset, point: str, window_ms: float, units: int) -> str:
    population = ds["population"].values.astype(object)
    names = list(dict.fromkeys(population))
    duration_ms = float(ds.attrs["duration_ms"])
    step, unit = ds["spike_step"].values, ds["spike_unit"].values
    dt_ms = float(ds.attrs["dt_ms"])
    sizes = np.array([(population == name).sum() for name in names])
    counts = np.bincount(unit, minlength=population.size)
    rates = np.array([counts[population == name].mean() for name in names]) / duration_ms * 1e3
    chosen = np.flatnonzero(np.diff(np.floor(np.arange(population.size + 1) * min(1.0, units / population.size))) > 0)
    rank = np.full(population.size, -1)
    rank[chosen] = np.arange(chosen.size)
    late = (step * dt_ms > duration_ms - window_ms) & (rank[unit] >= 0)
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    for name in names:
        mine = late & (population[unit] == name)
        raster.plot(
            step[mine][:MOST_DOTS] * dt_ms, rank[unit[mine]][:MOST_DOTS], ".", ms=3.5, mew=0, color=colour[name]
        )
    raster.set(title=point, xlabel="time (ms)", ylabel="neuron (sampled)", xlim=(duration_ms - window_ms, duration_ms))
    raster.invert_yaxis()
    bars.barh(np.arange(len(names)), rates, color=[colour[name] for name in names])
    bars.set_yticks(np.arange(len(names)), names)
    bars.invert_yaxis()
    bars.set_xlabel("rate (spikes/s)")
    for index, rate in enumerate(rates):
        bars.text(rate, index, f" {rate:.2f}", va="center", fontsize=8)
    return f"{point}: {population.size:,} neurons in {len(names)} populations, {step.size:,} spikes, {sizes.max():,} in the largest"
