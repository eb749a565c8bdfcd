"""Figures of simulations: rasters with rates per population, and matrices of signal propagation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.connectomes import draw as draw_connectomes
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import COLOURS, figure

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
    notes = [note for _, note in totals if note]
    caption = (
        f"Left: spikes of the last {window_ms:g} ms of neurons sampled evenly from each population. "
        "Right: mean rate of each population over the whole simulation. "
        f"{'; '.join(total for total, _ in totals)}."
    )
    caption = " ".join([caption, *notes])
    Figure(f"Simulation: {run}", caption, tuple(paths.values())).save(image)


def _readable(point: str) -> str:
    """Name of a point without the digits that only make it unique."""
    return point.rsplit("_", 1)[0]


def _events(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray, float]:
    """Times of the spikes (ms), the index of the unit of each, and the end (ms), of stores of either order."""
    if ds.attrs["order"] == "unit":
        unit = np.repeat(np.arange(ds.sizes["unit"]), ds["row_size"].values)
        return ds["spike_time"].values * 1e3, unit, float(ds["observed"].values.max()) * 1e3
    time_ms = ds["spike_step"].values * float(ds.attrs["dt_ms"])
    return time_ms, ds["spike_unit"].values, float(ds.attrs["duration_ms"])


def _row(raster: Axes, bars: Axes, ds: xr.Dataset, point: str, window_ms: float, units: int) -> tuple[str, str]:
    """Draw one point; return its size in words, and what of it is not shown."""
    population = ds["population"].values.astype(object)
    names = list(dict.fromkeys(population))
    duration_ms = float(ds.attrs["duration_ms"])
    if ds.attrs["order"] == "unit":
        duration_ms = float(np.diff(ds["observed"].values, axis=1).sum()) * 1e3
    time_ms, unit, end_ms = _events(ds)
    sizes = np.array([(population == name).sum() for name in names])
    # Counts in bins hold every spike, listed or not.
    counts = ds["count"].sum("bin").values if "count" in ds else np.bincount(unit, minlength=population.size)
    listed = stores.attribute(ds, "parameters").get("record", {}).get("spikes", True) and (
        unit.size > 0 or counts.sum() == 0
    )
    known = listed or "count" in ds
    rates = np.array([counts[population == name].mean() for name in names]) / duration_ms * 1e3
    chosen = np.flatnonzero(np.diff(np.floor(np.arange(population.size + 1) * min(1.0, units / population.size))) > 0)
    rank = np.full(population.size, -1)
    rank[chosen] = np.arange(chosen.size)
    late = (time_ms > end_ms - window_ms) & (rank[unit] >= 0)
    colour = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    thinned = []
    for name in names:
        mine = np.flatnonzero(late & (population[unit] == name))
        if mine.size > MOST_DOTS:
            thinned.append(f"{MOST_DOTS:,} of {mine.size:,} of {name}")
            mine = mine[np.linspace(0, mine.size - 1, MOST_DOTS).round().astype(np.int64)]
        raster.plot(time_ms[mine], rank[unit[mine]], ".", ms=3.5, mew=0, color=colour[name])
    if not listed:
        raster.text(0.5, 0.5, "spikes were not recorded", ha="center", va="center", transform=raster.transAxes)
    raster.set(title=point, xlabel="time (ms)", ylabel="neuron (sampled)", xlim=(end_ms - window_ms, end_ms))
    raster.set_ylim(chosen.size, 0)
    if known:
        bars.barh(np.arange(len(names)), rates, color=[colour[name] for name in names])
        for index, rate in enumerate(rates):
            bars.text(rate, index, f" {rate:.2f}", va="center", fontsize=8)
    else:
        bars.text(0.5, 0.5, "rates are not known", ha="center", va="center", transform=bars.transAxes)
    bars.set_yticks(np.arange(len(names)), names)
    bars.set_ylim(len(names) - 0.5, -0.5)
    bars.set_xlabel("rate (spikes/s)")
    spikes = f"{counts.sum():,} spikes" if known else "an unknown number of spikes"
    total = (
        f"{point}: {population.size:,} neurons in {len(names)} populations, {spikes}, {sizes.max():,} in the largest"
    )
    notes = []
    if not listed:
        notes.append(
            f"{point}: spikes were not recorded one by one, the rates are those of the recorded counts."
            if known
            else f"{point}: neither spikes nor counts were recorded."
        )
    if thinned:
        notes.append(f"{point}: the raster shows {', '.join(thinned)} dots, thinned evenly.")
    return total, " ".join(notes)
