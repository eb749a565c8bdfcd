"""Figure of spikes: rasters of several points on common axes, rates, their distribution, and spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import COLOURS, NEUTRAL, canvas, legend_columns, stacked
from allometry.report.kinds.areas import areas_of, draw_areas
from allometry.report.kinds.points import point_labels
from allometry.report.kinds.spike_events import Events, Floats, chosen, events, sampled, spectrum, synchrony

WINDOW_MS, UNITS = 1000.0, 800
"""Time and neurons of a raster, where nobody says otherwise."""
MOST_RASTERS = 6
MOST_GROUPS = 12
"""Settings up to which the panels below the rasters have all of them; of more, those that have a raster."""
MOST_DOTS = 40_000
"""Dots of a population above which a raster is only grey."""
LEAST_SHARE = 0.05
"""Of the rows of a raster that a population has at least, so that its name has room."""
HIGHEST_HZ = 200.0


@dataclass(frozen=True)
class Group:
    """Stores that differ in nothing but their seed: a label, the spikes of each, and what is the same under all conditions."""

    label: str
    members: tuple[Events, ...]
    colour: str
    network: str = ""

    @property
    def first(self) -> Events:
        """The one whose spikes are drawn."""
        return self.members[0]


def draw(opened: Mapping[str, xr.Dataset], name: str, window_ms: float = WINDOW_MS, units: int = UNITS) -> Drawing:
    """Rasters, rates, distributions of rates and spectra of several points of a run.

    Parameters
    ----------
    opened : mapping of str to Dataset
        Spikes stores by name.
    name : str
        Of the run.
    window_ms : float
        The rasters show the last `window_ms` of each store.
    units : int
        Neurons in a raster.
    """
    groups = _groups(opened, name)
    several = len(groups)
    last = groups[-1]
    if last.first.listed and last.first.unit.size and areas_of(last.first.names) is not None:
        return draw_areas(last.label, last.members, name, window_ms)
    shown = _spread(groups)
    if several > MOST_GROUPS:
        groups = shown = [replace(group, colour=COLOURS[k % 7]) for k, group in enumerate(shown)]
    columns = min(len(shown), 2 if len(shown) in (1, 2, 4) else 3)
    rows = -(-len(shown) // columns)
    most = max(len(group.first.names) for group in groups)
    below = max(2.9, 0.9 + 0.21 * most)
    figure = canvas(3.5 * rows + below)
    above, beneath = stacked(figure, (3.5 * rows, below))
    window = min(window_ms, *(group.first.end_ms for group in shown))
    allotted = _allotted(shown, units)
    rasters = above.subplots(rows, columns, squeeze=False).ravel()
    notes = [_raster(ax, group, window, allotted) for ax, group in zip(rasters, shown)]
    for ax in rasters[len(shown) :]:
        ax.remove()
    for ax in rasters[: len(shown) - columns]:
        ax.set_xlabel("")
    mean, distribution, power = beneath.subplots(1, 3)
    _rates(mean, groups)
    silent = _distribution(distribution, groups)
    _spectra(power, groups)
    if len(groups) > 1:
        handles, labels = mean.get_legend_handles_labels()
        beneath.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, 6))
    caption = _caption(groups, several, window, allotted, [*filter(None, notes), silent], len(shown))
    return Drawing(figure, caption, f"Spikes: {readable(name)}", _seen(shown, window, allotted), core=rasters[0])


def _groups(opened: Mapping[str, xr.Dataset], name: str) -> list[Group]:
    labels = point_labels(opened, ignore=("seed",))
    networks = dict(zip(labels, point_labels(opened, ignore=("seed", "condition"))))
    members: dict[str, list[Events]] = {}
    for label, ds in zip(labels, opened.values()):
        members.setdefault(label, []).append(events(ds))
    colours = [COLOURS[k % 7] for k in range(len(members))]
    return [
        Group(label or readable(name), tuple(found), colour, networks[label])
        for (label, found), colour in zip(members.items(), colours)
    ]


def _spread(groups: Sequence[Group]) -> list[Group]:
    """Those that have rasters: of every network one condition, the last one; then the next ones, as far as there is room."""
    ranks: dict[str, int] = {}
    keyed = []
    for place in reversed(range(len(groups))):
        network = groups[place].network
        ranks[network] = ranks.get(network, -1) + 1
        keyed.append((ranks[network], -place))
    first = sorted(keyed, key=lambda key: (key[0], -key[1]))[:MOST_RASTERS]
    return [groups[place] for place in sorted(-place for _, place in first)]


def _allotted(shown: Sequence[Group], units: int) -> dict[str, int]:
    """Rows of every population in every raster, so that the rasters can be compared: as many as the smallest network has."""
    sizes: dict[str, int] = {}
    for group in shown:
        for name in group.first.names:
            # populations that are only a source of input have no spikes of their own in any store
            if not any(_spiking(other.first, name) for other in shown) and any(
                other.first.unit.size for other in shown
            ):
                continue
            size = int((group.first.population == name).sum())
            sizes[name] = min(size, sizes.get(name, size))
    return dict(zip(sizes, sampled(list(sizes.values()), units, LEAST_SHARE)))


def _spiking(found: Events, name: str) -> bool:
    return bool((found.population[found.unit] == name).any())


def _raster(ax: Axes, group: Group, window_ms: float, allotted: Mapping[str, int]) -> str:
    """Draw the end of a store; return what of it is not shown."""
    found = group.first
    start = found.end_ms - window_ms
    late = found.time_ms > start
    top, places, note = 0, [], ""
    for index, (name, rows) in enumerate(allotted.items()):
        members = np.flatnonzero(found.population == name)
        sample = chosen(members, rows)
        rank = np.full(found.population.size, -1)
        rank[sample] = top + np.arange(len(sample))
        mine = np.flatnonzero(late & (rank[found.unit] >= 0))
        if mine.size > MOST_DOTS:
            note = f"{group.label}: {MOST_DOTS:,} of {mine.size:,} spikes of {name} are drawn, thinned evenly."
            mine = mine[np.linspace(0, mine.size - 1, MOST_DOTS).round().astype(np.int64)]
        size = 2.6 if mine.size < 4000 else 1.6
        ax.plot(
            found.time_ms[mine], rank[found.unit[mine]], ".", ms=size, mew=0, color=COLOURS[index % 7], label=unlisted(name),
            rasterized=True,
        )  # fmt: skip
        places.append(top + rows / 2 - 0.5)
        top += rows
        if top < sum(allotted.values()):
            ax.axhline(top - 0.5, color="#c9d0d8", lw=0.5)
    if not found.listed:
        ax.text(0.5, 0.5, "spikes were not recorded", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        note = (
            f"{group.label}: spikes were not recorded one by one, the rates are those of the recorded counts."
            if found.counts is not None
            else f"{group.label}: neither spikes nor counts were recorded."
        )
    ax.set_yticks(places, list(allotted))
    ax.tick_params(axis="y", length=0)
    ax.set(
        title=group.label[:1].upper() + group.label[1:], xlabel="time (ms)", xlim=(start, found.end_ms), ylim=(top, -1)
    )
    return note


def _rates(ax: Axes, groups: Sequence[Group]) -> None:
    """Mean rate of every population, a point for each seed."""
    names = list(dict.fromkeys(name for group in groups for name in group.first.names))
    for k, group in enumerate(groups):
        shift = 0.5 * ((k + 0.5) / len(groups) - 0.5)
        x, y = [], []
        for member in group.members:
            rates = member.rates
            if rates is None:
                continue
            for name in member.names:
                x.append(float(rates[member.population == name].mean()))
                y.append(names.index(name) + shift)
        ax.plot(x, y, "o", ms=4.5, alpha=0.8, mew=0, color=group.colour, label=group.label)
    if not any(len(line.get_xdata()) for line in ax.lines):  # type: ignore[arg-type]
        ax.text(0.5, 0.5, "rates are not known", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(0, None)
    ax.grid(axis="y", color="#eceff2")
    ax.set_axisbelow(True)
    ax.set(title="Mean rate", xlabel="rate (spikes/s)")


def _distribution(ax: Axes, groups: Sequence[Group]) -> str:
    """Share of neurons that have at least a rate; return how many do not spike."""
    pooled = [(group, _pooled(group)) for group in groups]
    active = np.concatenate([rates[rates > 0] for _, rates in pooled])
    ax.set(title="Rates of neurons", xlabel="rate (spikes/s)", ylabel="share of neurons with it or more")
    if not active.size:
        ax.text(0.5, 0.5, "no neuron has spiked", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return ""
    said = []
    for group, rates in pooled:
        if rates.size:
            different, counts = np.unique(rates, return_counts=True)
            share = counts[::-1].cumsum()[::-1] / rates.size
            shown = different > 0
            ax.step(different[shown], share[shown], where="pre", color=group.colour, lw=1.3, label=group.label)
            said.append(f"{100 * (rates == 0).mean():.0f} % {f'({group.label})' if len(groups) > 1 else ''}".strip())
    ax.set(xscale="log", yscale="log")
    return f"Neurons without a spike: {', '.join(said)}."


def _pooled(group: Group) -> Floats:
    found = [rates for member in group.members if (rates := member.rates) is not None]
    return np.concatenate(found) if found else np.zeros(0)


def _spectra(ax: Axes, groups: Sequence[Group]) -> None:
    """Spectrum of the count of all spikes, the mean over seeds."""
    ax.axhline(1, color=NEUTRAL, lw=0.8, ls=":", label=unlisted("Poisson"))
    drawn = False
    for group in groups:
        parts = [spectrum(member.time_ms, member.end_ms) for member in group.members if member.listed]
        parts = [
            (frequency, power) for frequency, power in parts if frequency.size == parts[0][0].size and frequency.size
        ]
        if parts:
            frequency, power = parts[0][0], np.mean([power for _, power in parts], axis=0)
            kept = (frequency > 0) & (frequency <= HIGHEST_HZ)
            ax.plot(frequency[kept], power[kept], lw=1.2, color=group.colour, label=group.label)
            drawn = True
    ax.set(title="Spectrum of all spikes", xlabel="frequency (Hz)", ylabel="power (Poisson: 1)")
    if drawn:
        ax.set_yscale("log")
    else:
        ax.text(0.5, 0.5, "too few spikes", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _caption(
    groups: Sequence[Group],
    several: int,
    window_ms: float,
    allotted: Mapping[str, int],
    notes: Sequence[str],
    rasters: int,
) -> str:
    said = []
    for group in groups:
        found = group.first
        spikes = "an unknown number of spikes" if found.counts is None else f"{int(found.counts.sum()):,} spikes"
        seeds = f", {len(group.members)} seeds" if len(group.members) > 1 else ""
        said.append(
            f"{group.label}: {found.population.size:,} neurons in {len(found.names)} populations, {spikes}{seeds}"
        )
    more = f", of {rasters} of {several} settings" if several > rasters else ""
    seed = ", of the first seed" if any(len(group.members) > 1 for group in groups) else ""
    return " ".join(
        [
            f"Above: spikes of the last {window_ms:g} ms{seed}{more}; {sum(allotted.values())} neurons, drawn at random from every "
            "population, on the same axes for all. Below: mean rate of every population (a point for each seed), the "
            f"distribution over neurons, and the spectrum of the summed spikes relative to independent Poisson trains. "
            f"{'; '.join(said)}.",
            *filter(None, notes),
        ]
    )


def _seen(shown: Sequence[Group], window_ms: float, allotted: Mapping[str, int]) -> str:
    said = []
    for group in shown:
        found = group.first
        if not found.listed:
            continue
        index = synchrony(found.time_ms, found.end_ms - window_ms, found.end_ms)
        word = (
            "is empty"
            if not np.isfinite(index)
            else f"shows {'no vertical bands: spikes are asynchronous' if index < 3 else 'faint vertical bands' if index < 15 else 'clear vertical bands: neurons spike together'}"
        )
        said.append(f"that of {group.label} {word}")
    rates = [(group.label, _pooled(group)) for group in shown]
    means = ", ".join(f"{rate.mean():.2g} spikes/s ({label})" for label, rate in rates if rate.size)
    return (
        f"{len(shown)} raster{'s' if len(shown) > 1 else ''} of {sum(allotted.values())} neurons in {len(allotted)} populations over "
        f"{window_ms:g} ms; {'; '.join(said) or 'spikes were not recorded'}. Below, points of mean rates by population, on average "
        f"{means or 'not known'}, falling curves of the share of neurons with a rate or more, and spectra."
    )
