"""Figure of the responses of simulated cortex to gratings: maps of preferences, activity, tuning, distributions, spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from numpy.typing import NDArray

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import COLOURS, NEUTRAL, WIDTH, canvas, legend_columns, stacked
from allometry.report.kinds.spike_events import chosen, events, spectrum

Floats = NDArray[np.float64]

MOST_NETWORKS = 5
"""Networks that have a map and a raster; the distributions show all."""
LEAST_HZ = 1.0
"""Mean rate above which tuning is drawn."""
SHOWN_MS = 400.0
DOTS = 300
HIGHEST_HZ = 150.0
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


def draw(store: xr.Dataset, spikes: Mapping[str, xr.Dataset], name: str) -> Drawing:
    """A map and a raster of each network, and their tuning, selectivity, rates and spectra on common axes.

    Parameters
    ----------
    store : Dataset
        Responses of one or several networks (`area`) to gratings.
    spikes : mapping of str to Dataset
        By network a Spikes store of one of its conditions; may be empty.
    name : str
        Of the run.
    """
    area = store["area"].values.astype(object) if "area" in store else np.full(store.sizes["unit"], UNTOLD, object)
    names = areas(store)
    of = {network: np.flatnonzero(area == network) for network in names}
    found = {network: tuned(store, units) for network, units in of.items()}
    recorded = {network: ds for network in names if (ds := _spikes_of(network, spikes)) is not None}
    shown = names[:MOST_NETWORKS]
    colours = {network: COLOURS[k % 7] for k, network in enumerate(names)}
    side = WIDTH / max(len(shown), 3)
    heights = (side + 0.5, 2.6, 3.3)
    figure = canvas(sum(heights))
    above, middle, below = stacked(figure, heights)
    maps = above.subplots(1, len(shown), squeeze=False)[0]
    for ax, network in zip(maps, shown):
        image = _map(ax, store, of[network], found[network], network)
    if image is not None:
        above.colorbar(
            image, ax=maps, shrink=0.7, aspect=24, ticks=[0, 45, 90, 135, 180], label="preferred orientation (degree)"
        )
    rasters = middle.subplots(1, len(shown), squeeze=False)[0]
    for ax, network in zip(rasters, shown):
        _raster(ax, recorded.get(network), network)
    rasters[0].set_ylabel("neuron (sampled)")
    curves, selectivity, rates, power = below.subplots(1, 4)
    _curves(curves, store, of, found, colours)
    _selectivity(selectivity, found, colours)
    _rates(rates, found, colours)
    _spectra(power, recorded, colours)
    if len(names) > 1:
        handles, told = rates.get_legend_handles_labels()
        below.legend(handles, told, loc="outside lower center", ncols=legend_columns(told, 5))
    return Drawing(
        figure, _caption(store, found), f"Responses to gratings: {readable(name)}", _seen(found, shown), core=maps[0]
    )


def areas(store: xr.Dataset) -> list[str]:
    """Areas of a Responses store, in their order; one without a name where it has none."""
    return [str(one) for one in dict.fromkeys(store["area"].values.tolist())] if "area" in store else [UNTOLD]


def _spikes_of(network: str, spikes: Mapping[str, xr.Dataset]) -> xr.Dataset | None:
    return next((ds for key, ds in spikes.items() if f"{network} ".startswith(f"{key} ") or network == UNTOLD), None)


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


def _map(ax: Axes, store: xr.Dataset, units: NDArray[np.int64], found: Tuned, name: str) -> PathCollection | None:
    ax.set_title(readable(name))
    if "x" not in store:
        ax.text(0.5, 0.5, "places are not known", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        ax.set_xticks([])
        ax.set_yticks([])
        return None
    x, y = store["x"].values[units], store["y"].values[units]
    kept = found.active & np.isfinite(found.preferred_deg)
    ax.set(xlabel="x (µm)", ylabel="y (µm)" if ax.get_subplotspec().colspan.start == 0 else "", aspect="equal")  # type: ignore[union-attr]
    return ax.scatter(x[kept], y[kept], c=found.preferred_deg[kept], s=9, cmap="hsv", vmin=0, vmax=180, lw=0)


def _raster(ax: Axes, ds: xr.Dataset | None, name: str) -> None:
    """Spikes of units drawn at random, a colour for each population."""
    ax.set_title(readable(name) if ds is not None else "")
    ax.set_yticks([])
    if ds is None:
        ax.text(0.5, 0.5, "no spikes were given", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        ax.set_xticks([])
        return
    found = events(ds)
    names = [name for name in found.names if (found.population[found.unit] == name).any()]
    drawn = np.full(found.population.size, -1)
    listed = np.flatnonzero(np.isin(found.population, names))
    sample = chosen(listed, DOTS)
    drawn[sample] = np.arange(sample.size)
    start = max(0.0, found.end_ms - SHOWN_MS)
    late = (found.time_ms > start) & (drawn[found.unit] >= 0)
    places = []
    for k, population in enumerate(names):
        mine = late & (found.population[found.unit] == population)
        ax.plot(
            found.time_ms[mine], drawn[found.unit[mine]], ".", ms=2.2, mew=0, color=COLOURS[k % 7], label=unlisted(population),
            rasterized=True,
        )  # fmt: skip
        places.append(float(drawn[sample][found.population[sample] == population].mean()))
    ax.set_yticks(places, names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="time (ms)", xlim=(start, found.end_ms), ylim=(sample.size, -1))
    ax.locator_params(axis="x", nbins=4)


def _curves(
    ax: Axes,
    store: xr.Dataset,
    of: Mapping[str, NDArray[np.int64]],
    found: Mapping[str, Tuned],
    colours: Mapping[str, str],
) -> None:
    """Mean response against the distance of the stimulus from the unit's own preference, and from that of its place."""
    edges = np.linspace(0, 90, 7)
    for name, one in found.items():
        centres = {"unit": one.preferred_deg}
        if "map_orientation" in store:
            centres["place"] = store["map_orientation"].values[of[name]] % 180.0
        for (label, centre), line in zip(centres.items(), ("o-", "s--")):
            apart = np.abs((one.directions[None] - centre[:, None] + 90.0) % 180.0 - 90.0)[one.active]
            at = np.clip(np.digitize(apart, edges) - 1, 0, 5)
            rates = one.rates[one.active]
            mean = [rates[at == i].mean() if (at == i).any() else np.nan for i in range(6)]
            ax.plot(
                (edges[1:] + edges[:-1]) / 2,
                mean,
                line,
                ms=3.5,
                lw=1.1,
                color=colours[name],
                label=unlisted(f"{name}, from {label}"),
            )
    for label, line in (("from own preference", "o-"), ("from that of the map", "s--")):
        if label.endswith("preference") or "map_orientation" in store:
            ax.plot([], [], line, ms=3.5, lw=1.1, color=NEUTRAL, label=label)
    ax.set(
        title="Tuning",
        xlabel="stimulus, degrees away",
        ylabel="response (spikes/s)",
        ylim=(0, None),
        xticks=(0, 45, 90),
    )
    ax.legend(fontsize=7, loc="upper right")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * 1.25)


def _selectivity(ax: Axes, found: Mapping[str, Tuned], colours: Mapping[str, str]) -> None:
    for name, one in found.items():
        values = np.abs(one.resultant)[one.active]
        if values.size:
            counts, edges = np.histogram(values, np.linspace(0, 1, 21))
            ax.stairs(counts / values.size, edges, color=colours[name], lw=1.3, label=name)
            ax.axvline(float(np.median(values)), color=colours[name], lw=0.9, ls=":", label=unlisted(f"{name}, median"))
    ax.set(title="Selectivity", xlabel="OSI (dotted: median)", ylabel="share of units", xlim=(0, 1))


def _rates(ax: Axes, found: Mapping[str, Tuned], colours: Mapping[str, str]) -> None:
    means = {name: one.rates.mean(axis=1) for name, one in found.items()}
    largest = max(float(mean.max(initial=0.0)) for mean in means.values())
    edges = np.geomspace(0.1, max(100.0, largest * 1.01), 25)
    for name, mean in means.items():
        counts = np.histogram(np.maximum(mean, 0.1), edges)[0]
        ax.stairs(counts / max(mean.size, 1), edges, color=colours[name], lw=1.3, label=readable(name))
    ax.set(xscale="log", title="Rates", xlabel="mean rate (spikes/s)", ylabel="share of units")


def _spectra(ax: Axes, recorded: Mapping[str, xr.Dataset], colours: Mapping[str, str]) -> None:
    """Spectrum of the summed spikes of each network over that of Poisson trains."""
    ax.set(title="Spectrum", xlabel="frequency (Hz)", ylabel="power (Poisson: 1)")
    for name, ds in recorded.items():
        one = events(ds)
        frequency, power = spectrum(one.time_ms, one.end_ms)
        kept = (frequency > 0) & (frequency <= HIGHEST_HZ)
        if kept.any():
            ax.plot(frequency[kept], power[kept], lw=1.1, color=colours[name], label=name)
    if not ax.lines:
        ax.text(0.5, 0.5, "no spikes were given", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return
    ax.axhline(1, color=NEUTRAL, lw=0.8, ls=":", label=unlisted("Poisson"))
    ax.set_yscale("log")


def _medians(found: Mapping[str, Tuned]) -> dict[str, float]:
    values = {name: np.abs(one.resultant)[one.active] for name, one in found.items()}
    return {name: float(np.median(osi)) for name, osi in values.items() if osi.size}


def _caption(store: xr.Dataset, found: Mapping[str, Tuned]) -> str:
    derived = stores.attribute(store, "derived")
    said = "; ".join(
        f"{readable(name)}: mean rate {one.rates.mean():.2f} spikes/s, {int(one.active.sum()):,} of {len(one.rates):,} units above "
        f"{LEAST_HZ:g} spike/s"
        for name, one in found.items()
    )
    return (
        f"{derived.get('model', '')} Preferred orientation of the units above {LEAST_HZ:g} spike/s at their places; spikes of the last "
        f"{SHOWN_MS:g} ms under the first condition; mean response against the distance of the stimulus from the preference of the "
        "unit itself and of its place on the map; distributions of selectivity (few spikes are selective by chance: the comparison "
        f"has the null) and of rates; spectrum of the summed spikes. {said}. Response: {derived.get('response', '')}."
    ).strip()


def _seen(found: Mapping[str, Tuned], shown: Sequence[str]) -> str:
    medians = ", ".join(f"{value:.2f} ({readable(name)})" for name, value in _medians(found).items())
    return (
        f"Maps of {len(shown)} networks, units coloured by the orientation they prefer, above rasters of their spikes. Below, curves "
        "of the response against the distance from the preferred orientation, histograms of selectivity with medians "
        f"{medians or 'not defined'}, histograms of rates, and spectra."
    )


def network_of(ds: xr.Dataset, areas: Sequence[str]) -> str:
    """Name that the areas of a Responses store give to the network of a Spikes store, from its parameters and seed.

    Parameters
    ----------
    ds : Dataset
        A Spikes store of a simulation.
    areas : sequence of str
        Such as `reduction 10, seed 1 E`: parameters, the seed, and a population.

    Returns
    -------
    str
        The part before the population; empty where none of the areas is of this network.
    """
    told = stores.attribute(ds, "parameters", {})
    given = {**told, **(told.get("parameters") or {})}
    for area in areas:
        *parameters, rest = area.split(", ")
        seed = " ".join(rest.split()[:2])
        if seed == f"seed {ds.attrs.get('seed', '')}" and all(_holds(part, given) for part in parameters):
            return ", ".join([*parameters, seed])
    return ""


def _holds(said: str, given: Mapping[str, Any]) -> bool:
    """Whether a parameter has the value that is said, as `reduction 10`."""
    key, _, value = said.partition(" ")
    found = given.get(key)
    return key in given and value == (f"{found:g}" if isinstance(found, float | int) else str(found))
