"""Spikes of a store as figures show them: times and units of either order, rates, samples of units, spectra."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry import stores

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SEGMENT_MS = 256
"""Length of the segments of a spectrum; a quarter of the recording where that is shorter."""
BIN_MS = 5.0
"""Bins of the count that synchrony is seen in."""


@dataclass(frozen=True)
class Events:
    """Spikes and units of a store.

    Attributes
    ----------
    time_ms : array (spike,)
        Times in ms.
    unit : int array (spike,)
        Index of the unit of each.
    population : object array (unit,)
        Population of every unit.
    counts : array (unit,) or None
        Spikes of every unit, listed or only counted; None where nobody knows.
    listed : bool
        Whether spikes were recorded one by one.
    end_ms, duration_ms : float
        End of the recording, and how long units were observed, in ms.
    """

    time_ms: Floats
    unit: Integers
    population: npt.NDArray[np.object_]
    counts: Integers | None
    listed: bool
    end_ms: float
    duration_ms: float

    @property
    def names(self) -> list[str]:
        """Populations in the order of the store."""
        return [str(name) for name in dict.fromkeys(self.population.tolist())]

    @property
    def rates(self) -> Floats | None:
        """Mean rate of every unit in spikes/s, shape (unit,)."""
        return None if self.counts is None else np.asarray(self.counts / self.duration_ms * 1e3, np.float64)


def events(ds: xr.Dataset) -> Events:
    """Spikes of a simulated or a recorded store."""
    population = ds["population"].values.astype(object)
    if ds.attrs["order"] == "unit":
        unit = np.repeat(np.arange(ds.sizes["unit"]), ds["row_size"].values)
        time_ms = ds["spike_time"].values * 1e3
        end_ms = float(ds["observed"].values.max()) * 1e3
        duration_ms = float(np.diff(ds["observed"].values, axis=1).sum()) * 1e3
    else:
        unit, time_ms = ds["spike_unit"].values, ds["spike_step"].values * float(ds.attrs["dt_ms"])
        end_ms = duration_ms = float(ds.attrs["duration_ms"])
    # counts in bins hold every spike, listed or not
    counted = "count" in ds
    counts = ds["count"].sum("bin").values if counted else np.bincount(unit, minlength=population.size)
    said = stores.attribute(ds, "parameters").get("record", {}).get("spikes", True)
    listed = bool(said and (unit.size > 0 or counts.sum() == 0))
    known = counts.astype(np.int64) if listed or counted else None
    return Events(
        time_ms.astype(np.float64), np.asarray(unit, np.int64), population, known, listed, end_ms, duration_ms
    )


def sampled(sizes: list[int], units: int, least_share: float) -> list[int]:
    """How many units of each population a raster shows: in proportion, and at least a share of all where there are as many."""
    total = sum(sizes)
    wanted = min(units, total)
    least = round(least_share * wanted)
    return [min(size, max(1, least, round(wanted * size / total))) for size in sizes]


def chosen(members: Integers, count: int) -> Integers:
    """A random sample of units in their order, the same every time: at a regular stride it would follow their places.

    Parameters
    ----------
    members : int array
        Indices of units.
    count : int
        How many at most.
    """
    if len(members) <= count:
        return members
    return np.sort(np.random.default_rng(0).choice(members, count, replace=False))


def spectrum(times_ms: Floats, end_ms: float) -> tuple[Floats, Floats]:
    """Mean periodogram of the count per ms in segments, over that of a Poisson process of this rate.

    Parameters
    ----------
    times_ms : array (spike,)
        Times of the spikes of a population.
    end_ms : float
        End of the recording.

    Returns
    -------
    frequency : array (frequency,)
        In Hz.
    power : array (frequency,)
        1 for a Poisson process; both empty where there are no spikes. The first segment is left out.
    """
    segment = int(min(SEGMENT_MS, end_ms // 4))
    counts = np.bincount(times_ms.astype(np.int64), minlength=int(end_ms) + 1)[: int(end_ms)].astype(float)
    segments = counts[: counts.size // max(segment, 1) * max(segment, 1)].reshape(-1, max(segment, 1))[1:]
    if segment < 8 or not segments.size or not segments.sum():
        return np.zeros(0), np.zeros(0)
    window = np.hanning(segment)
    centred = (segments - segments.mean(axis=1, keepdims=True)) * window
    power = (np.abs(np.fft.rfft(centred, axis=1)) ** 2).mean(axis=0) / (segments.mean() * (window**2).sum())
    return np.fft.rfftfreq(segment, 1e-3).astype(np.float64), np.asarray(power, np.float64)


def synchrony(times_ms: Floats, start_ms: float, end_ms: float) -> float:
    """Variance over mean of the count of all spikes in bins of `BIN_MS`: 1 of independent Poisson units."""
    edges = np.arange(start_ms, end_ms + 1e-9, BIN_MS)
    counts = np.histogram(times_ms, edges)[0] if len(edges) > 2 else np.zeros(0)
    return float(counts.var() / counts.mean()) if counts.size and counts.mean() > 0 else float("nan")
