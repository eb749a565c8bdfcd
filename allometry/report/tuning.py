"""Figure of the responses of a simulated cortex to gratings: map of preferences, tuning, distributions, raster, spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from allometry import stores
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import COLOURS, NEUTRAL, figure

Floats = NDArray[np.float64]

PANELS = 6
LEAST_HZ = 1.0
"""Mean rate above which tuning is drawn."""
SHOWN_MS = 400.0
DOTS = 300
SEGMENT_MS, HIGHEST_HZ = 256, 150.0
UNTOLD = "the network of this run"


@dataclass(frozen=True)
class Tuned:
    """Units of one network: tuning [unit, direction] (spikes/s), directions (degrees), and repeats of each."""

    rates: Floats
    directions: Floats
    repeats: int

    @property
    def resultant(self) -> NDArray[np.complex128]:
        """Resultant of orientations over the sum of responses; its length is the selectivity."""
        wave = np.exp(2j * np.deg2rad(self.directions))
        total = self.rates.sum(axis=1)
        return np.divide(self.rates @ wave, total, out=np.full(total.shape, np.nan + 0j), where=total > 0)

    @property
    def preferred_deg(self) -> Floats:
        """Preferred orientation of the motion, degrees in [0, 180)."""
        return np.asarray(np.degrees(np.angle(self.resultant)) / 2 % 180.0)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Units whose mean rate is above `LEAST_HZ`."""
        return np.asarray(self.rates.mean(axis=1) > LEAST_HZ)


def draw(paths: Mapping[str, str], image: str | Path) -> None:
    """Draw a row per network.

    Parameters
    ----------
    paths : mapping of str to str
        The Responses store by the name of its run; then by network a Spikes store of one of its conditions.
    image : path
        PNG file to write; its description is written beside it.
    """
    (run, path), *spikes = paths.items()
    store = stores.open(path)
    assert isinstance(store, xr.Dataset)
    area = store["area"].values.astype(object) if "area" in store else np.full(store.sizes["unit"], UNTOLD, object)
    names = list(dict.fromkeys(area.tolist()))
    with figure(image, PANELS, len(names), (3.0, 2.7)) as grid:
        for row, name in enumerate(names):
            axes = grid[PANELS * row : PANELS * (row + 1)]
            units = np.flatnonzero(area == name)
            found = tuned(store, units)
            _map(axes[0], store, units, found, name)
            _curves(axes[1], store, units, found)
            _selectivity(axes[2], found)
            _rates(axes[3], found)
            _activity(
                axes[4], axes[5], next((at for key, at in spikes if name.startswith(key) or name == UNTOLD), None)
            )
    Figure(f"Responses to gratings: {run}", _caption(store), tuple(paths.values())).save(image)


def tuned(store: xr.Dataset, units: NDArray[np.int64]) -> Tuned:
    """Tuning of some units of a Responses store, its blanks left out.

    Parameters
    ----------
    store : Dataset
        Responses, with the direction of every presentation.
    units : int array
        Their indices.
    """
    direction = store["direction"].values
    shown = np.unique(direction[np.isfinite(direction)])
    response = store["response"].values[units]
    rates = np.stack([response[:, direction == angle].mean(axis=1) for angle in shown], axis=1)
    return Tuned(rates.astype(np.float64), shown, int((direction == shown[0]).sum()))


def _map(ax: Axes, store: xr.Dataset, units: NDArray[np.int64], found: Tuned, name: str) -> None:
    ax.set_title(f"{name}\npreferred orientation", fontsize=8)
    if "x" not in store:
        ax.text(0.5, 0.5, "places are not known", ha="center", transform=ax.transAxes, color=NEUTRAL)
        return
    x, y = store["x"].values[units], store["y"].values[units]
    kept = found.active & np.isfinite(found.preferred_deg)
    drawn = ax.scatter(x[kept], y[kept], c=found.preferred_deg[kept], s=9, cmap="hsv", vmin=0, vmax=180, lw=0)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, ticks=[0, 90, 180], label="degree")
    ax.set(xlabel="x (um)", ylabel="y (um)", aspect="equal")


def _curves(ax: Axes, store: xr.Dataset, units: NDArray[np.int64], found: Tuned) -> None:
    """Mean response against the distance of the stimulus from the unit's own preference, and from that of its place."""
    centres = {"own preference": found.preferred_deg}
    if "map_orientation" in store:
        centres["the map"] = store["map_orientation"].values[units] % 180.0
    for k, (label, centre) in enumerate(centres.items()):
        apart = np.abs((found.directions[None] - centre[:, None] + 90.0) % 180.0 - 90.0)[found.active]
        rates = found.rates[found.active]
        edges = np.linspace(0, 90, 7)
        at = np.clip(np.digitize(apart, edges) - 1, 0, 5)
        mean = [rates[at == i].mean() if (at == i).any() else np.nan for i in range(6)]
        ax.plot((edges[1:] + edges[:-1]) / 2, mean, "os"[k] + "-", ms=4, color=COLOURS[k], label=f"from {label}")
    ax.set(xlabel="stimulus, degrees away", ylabel="response (spikes/s)", ylim=(0, None), xticks=(0, 45, 90))
    ax.set_title("Tuning", fontsize=8)
    ax.legend(fontsize=6)


def _selectivity(ax: Axes, found: Tuned) -> None:
    values = np.abs(found.resultant)[found.active]
    ax.set_title("Selectivity", fontsize=8)
    ax.set(xlabel="OSI = 1 - circular variance", ylabel="units", xlim=(0, 1))
    if values.size:
        ax.hist(values, np.linspace(0, 1, 21).tolist(), color=COLOURS[0])
        ax.axvline(float(np.median(values)), color=COLOURS[1], lw=1, label=f"median {np.median(values):.2f}")
        ax.legend(fontsize=6)


def _rates(ax: Axes, found: Tuned) -> None:
    mean = found.rates.mean(axis=1)
    ax.hist(
        np.maximum(mean, 0.1), np.geomspace(0.1, max(100.0, float(mean.max()) * 1.01), 22).tolist(), color=COLOURS[0]
    )
    ax.set(xscale="log", xlabel="mean rate (spikes/s)", ylabel="units")
    ax.set_title(f"Rates, mean {mean.mean():.2f}", fontsize=8)


def _activity(raster: Axes, spectrum: Axes, path: str | None) -> None:
    """Spikes of units sampled evenly, and the spectrum of each population's count over that of Poisson units."""
    raster.set_title("Spikes", fontsize=8)
    spectrum.set_title("Spectrum", fontsize=8)
    if path is None:
        for ax in (raster, spectrum):
            ax.text(0.5, 0.5, "not drawn", ha="center", transform=ax.transAxes, color=NEUTRAL)
        return
    store = stores.open(path)
    assert isinstance(store, xr.Dataset)
    population = store["population"].values.astype(object)
    dt_ms, end_ms = float(store.attrs["dt_ms"]), float(store.attrs["duration_ms"])
    time, unit = store["spike_step"].values * dt_ms, store["spike_unit"].values
    names = [name for name in dict.fromkeys(population.tolist()) if (population[unit] == name).any()]
    drawn = np.full(population.size, -1)
    listed = np.flatnonzero(np.isin(population, names))
    chosen = listed[np.unique(np.linspace(0, listed.size - 1, min(DOTS, listed.size)).astype(int))]
    drawn[chosen] = np.arange(chosen.size)
    for k, name in enumerate(names):
        mine = population[unit] == name
        late = mine & (time > end_ms - SHOWN_MS) & (drawn[unit] >= 0)
        raster.plot(time[late], drawn[unit[late]], ".", ms=2.5, mew=0, color=COLOURS[k], label=name)
        frequency, power = _power(time[mine], end_ms)
        kept = (frequency > 0) & (frequency <= HIGHEST_HZ)
        spectrum.plot(frequency[kept], power[kept], lw=1.1, color=COLOURS[k], label=name)
    raster.set(xlabel="time (ms)", ylabel="neuron (sampled)", xlim=(end_ms - SHOWN_MS, end_ms))
    spectrum.axhline(1, color=NEUTRAL, lw=0.8, ls=":")
    spectrum.set(xlabel="frequency (Hz)", ylabel="power, Poisson = 1", yscale="log")
    spectrum.legend(fontsize=6)


def _power(times_ms: Floats, end_ms: float) -> tuple[Floats, Floats]:
    """Mean periodogram of the count per ms in segments, over that of a Poisson process of this rate; the first is left out."""
    counts = np.bincount(times_ms.astype(np.int64), minlength=int(end_ms) + 1)[: int(end_ms)].astype(float)
    segments = counts[: counts.size // SEGMENT_MS * SEGMENT_MS].reshape(-1, SEGMENT_MS)[1:]
    if not segments.size or not segments.sum():
        return np.zeros(0), np.zeros(0)
    window = np.hanning(SEGMENT_MS)
    centred = (segments - segments.mean(axis=1, keepdims=True)) * window
    power = (np.abs(np.fft.rfft(centred, axis=1)) ** 2).mean(axis=0) / (segments.mean() * (window**2).sum())
    return np.fft.rfftfreq(SEGMENT_MS, 1e-3).astype(np.float64), np.asarray(power, np.float64)


def _caption(store: xr.Dataset) -> str:
    derived = stores.attribute(store, "derived")
    return (
        f"{derived.get('model', '')} A row per network. Preferred orientation of the units above {LEAST_HZ:g} spike/s at their "
        "places; mean response against the distance of the stimulus from the preference of the unit itself and of its place on "
        "the map; distributions of selectivity (few spikes are selective by chance: the comparison has the null) and of rates; "
        f"spikes of the last {SHOWN_MS:g} ms and the spectrum of the count of each population, 3.9 Hz resolution, under the "
        f"first condition. Response: {derived.get('response', '')}."
    )
