"""Figure of the spikes of several areas that have the same populations: rasters of some, rates and synchrony of all, correlations."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.style import COLOURS, DIVERGING, NEUTRAL, SEQUENTIAL, canvas, stacked
from allometry.report.kinds.spike_events import BIN_MS, Events, Floats, chosen, sampled, synchrony

FEWEST_POPULATIONS = 13
"""Populations from which areas are drawn as such."""
RASTERS, ROWS = 4, 200
"""Areas that have a raster, and neurons in each."""
CORRELATION_MS, WARM_UP_MS = 50.0, 500.0
LEAST_SHARE = 0.07


def areas_of(names: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Areas and the kinds of populations in them, of names as `V1-23E`; None where the names are others, or few."""
    parts = [name.rpartition("-") for name in names]
    areas, kinds = (list(dict.fromkeys(part[i] for part in parts)) for i in (0, 2))
    if len(names) < FEWEST_POPULATIONS or not all(dash and area for area, dash, _ in parts):
        return None
    several = len(areas) > 1 and len(kinds) > 1
    return (areas, kinds) if several and len(names) > len(areas) * len(kinds) / 2 else None


def rates_by_area(members: Sequence[Events], areas: Sequence[str], kinds: Sequence[str]) -> Floats:
    """Mean rates after the warm-up, float [area, kind], spikes/s, the mean over stores; NaN where there is no such population."""
    found = np.full((len(members), len(areas), len(kinds)), np.nan)
    for k, member in enumerate(members):
        start = _start(member)
        late = np.bincount(member.unit[member.time_ms > start], minlength=member.population.size)
        rate = late / (member.end_ms - start) * 1e3
        for i, area in enumerate(areas):
            for j, kind in enumerate(kinds):
                if (own := member.population == f"{area}-{kind}").any():
                    found[k, i, j] = rate[own].mean()
    return np.asarray(found.mean(axis=0), np.float64)


def correlation_of_areas(found: Events, areas: Sequence[str]) -> Floats:
    """Pearson correlation of the counts of all spikes of two areas in bins of 50 ms, float [area, area]; NaN of silent ones."""
    edges = np.arange(_start(found), found.end_ms + 1e-9, CORRELATION_MS)
    area = np.array([str(name).rpartition("-")[0] for name in found.population])[found.unit]
    counts = np.array([np.histogram(found.time_ms[area == name], edges)[0] for name in areas], float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.corrcoef(counts), np.float64)


def draw_areas(label: str, members: Sequence[Events], name: str, window_ms: float) -> Drawing:
    """Rasters of some areas, rates of all populations, synchrony and correlations of areas.

    Parameters
    ----------
    label : str
        Of the setting that is drawn.
    members : sequence of Events
        Stores that differ in nothing but their seed; the first has the rasters and the correlations.
    name : str
        Of the run.
    window_ms : float
        The rasters show the last `window_ms`.
    """
    first = members[0]
    grid = areas_of(first.names)
    assert grid is not None
    areas, kinds = grid
    below = max(3.2, 1.2 + 0.17 * len(areas))
    figure = canvas(3.4 + below)
    above, beneath = stacked(figure, (3.4, below))
    places = np.unique(np.linspace(0, len(areas) - 1, min(RASTERS, len(areas))).round().astype(int))
    window = min(window_ms, first.end_ms)
    rasters = above.subplots(1, len(places), squeeze=False)[0]
    for ax, place in zip(rasters, places):
        _raster(ax, first, areas[place], kinds, window)
    rate, index, matrix = beneath.subplots(1, 3, width_ratios=(1.1, 0.7, 1.3))
    rates = rates_by_area(members, areas, kinds)
    shown = rate.imshow(rates, aspect="auto", cmap=SEQUENTIAL, vmin=0)
    beneath.colorbar(shown, ax=rate, shrink=0.8, label="rate (spikes/s)")
    rate.set_xticks(range(len(kinds)), kinds, rotation=90)
    rate.set_yticks(range(len(areas)), areas)
    rate.set_title("Mean rates")
    synchronies = _synchronies(first, areas)
    index.plot(synchronies, range(len(areas)), "o", ms=4, mew=0, color=COLOURS[0])
    index.axvline(1, color=NEUTRAL, lw=0.8, ls=":")
    index.set_yticks(range(len(areas)), areas)
    index.set(ylim=(len(areas) - 0.5, -0.5), xlabel="variance over mean of counts", title="Synchrony")
    index.set_xlim(0, None)
    index.grid(axis="y", color="#eceff2")
    correlation = correlation_of_areas(first, areas)
    off = correlation[~np.eye(len(areas), dtype=bool)]
    top = float(np.nanmax(np.abs(off))) if np.isfinite(off).any() else 1.0
    seen = matrix.imshow(
        np.where(np.eye(len(areas), dtype=bool), np.nan, correlation),
        cmap=DIVERGING,
        vmin=-top,
        vmax=top,
        aspect="auto",
    )
    beneath.colorbar(seen, ax=matrix, shrink=0.8, label="correlation")
    matrix.set_xticks(range(len(areas)), areas, rotation=90, fontsize=7 if len(areas) > 20 else None)
    matrix.set_yticks(range(len(areas)), areas)
    matrix.set_title(f"Correlation of areas ({CORRELATION_MS:g} ms)")
    mean = f"{np.nanmean(off):.2f}" if np.isfinite(off).any() else "not known"
    seeds = f", the mean of {len(members)} seeds" if len(members) > 1 else ""
    caption = (
        f"Above: spikes of the last {window:g} ms in {len(places)} of {len(areas)} areas ({label}), excitatory populations (E) in one "
        f"colour, inhibitory ones in another; {ROWS} neurons of each, at random. Below: mean rate of every population{seeds}, blank where "
        f"an area lacks it; variance over mean of the count of all spikes of an area in {BIN_MS:g} ms (1 of independent Poisson neurons); "
        f"correlation of the counts of two areas in bins of {CORRELATION_MS:g} ms, on average {mean}. The first {_start(first):g} ms are "
        f"left out. {first.population.size:,} neurons, {first.unit.size:,} spikes."
    )
    highest = np.unravel_index(np.nanargmax(rates), rates.shape)
    said = (
        f"{len(places)} rasters of {ROWS} neurons; a map of the rates of {len(kinds)} populations in {len(areas)} areas, highest "
        f"{rates[highest]:.2g} spikes/s in {areas[highest[0]]} {kinds[highest[1]]}; points of the synchrony of each area, "
        f"{np.nanmin(synchronies):.2g} to {np.nanmax(synchronies):.2g}; a matrix of correlations between areas, on average {mean}."
    )
    return Drawing(figure, caption, f"Spikes: {readable(name)}", said, core=rate)


def _start(found: Events) -> float:
    return WARM_UP_MS if found.end_ms >= 2 * WARM_UP_MS else 0.0


def _synchronies(found: Events, areas: Sequence[str]) -> Floats:
    area = np.array([str(name).rpartition("-")[0] for name in found.population])[found.unit]
    return np.array([synchrony(found.time_ms[area == name], _start(found), found.end_ms) for name in areas])


def _raster(ax: Axes, found: Events, area: str, kinds: Sequence[str], window_ms: float) -> None:
    start = found.end_ms - window_ms
    own = [kind for kind in kinds if (found.population == f"{area}-{kind}").any()]
    sizes = [int((found.population == f"{area}-{kind}").sum()) for kind in own]
    rank = np.full(found.population.size, -1)
    top, places = 0, []
    for kind, rows in zip(own, sampled(sizes, ROWS, LEAST_SHARE)):
        sample = chosen(np.flatnonzero(found.population == f"{area}-{kind}"), rows)
        rank[sample] = top + np.arange(len(sample))
        mine = np.flatnonzero((found.time_ms > start) & np.isin(found.unit, sample))
        ax.plot(
            found.time_ms[mine], rank[found.unit[mine]], ".", ms=2.2, mew=0, color=COLOURS[1 if kind.endswith("I") else 0],
            rasterized=True,
        )  # fmt: skip
        places.append(top + rows / 2 - 0.5)
        top += rows
        ax.axhline(top - 0.5, color="#c9d0d8", lw=0.5)
    ax.set_yticks(places, own)
    ax.tick_params(axis="y", length=0)
    ax.set(title=area, xlabel="time (ms)", xlim=(start, found.end_ms), ylim=(top, -1))
