"""Spikes of sampled units, read from a Spikes store in chunks.

Simulated stores are ordered in time and recorded ones by unit; both give the same thing: spike times of some units of each
population inside one window. Only these are held in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
import xarray as xr

from allometry import stores
from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.errors import ComparisonError

CHUNK = 2**21  # spikes read at once: 25 MB
EVERYONE = "all"


@dataclass(frozen=True)
class Trains:
    """Times in s from the start of the window, unit after unit; `row_size[unit]`; length of the window in s."""

    times: FloatArray
    row_size: IntArray
    duration_s: float

    @property
    def unit(self) -> IntArray:
        """Unit of each spike."""
        return np.repeat(np.arange(self.row_size.size), self.row_size)

    def first(self, units: int) -> Trains:
        """Trains of the first `units` units."""
        size = self.row_size[:units]
        return Trains(self.times[: size.sum()], size, self.duration_s)

    def poisson(self, rng: np.random.Generator) -> Trains:
        """Independent Poisson units with the same rates on average."""
        size = rng.poisson(self.row_size)
        owner = np.repeat(np.arange(size.size), size)
        times = rng.random(owner.size) * self.duration_s
        return Trains(times[np.lexsort((times, owner))], size.astype(np.int64), self.duration_s)

    def counts(self, bin_s: float) -> scipy.sparse.csc_array:
        """Spike counts [bins, units] in whole bins."""
        bins = int(self.duration_s / bin_s + 1e-9)
        at = (self.times / bin_s + 1e-9).astype(np.int64)
        inside = at < bins
        ones = np.ones(int(inside.sum()), dtype=np.int32)
        return scipy.sparse.csc_array((ones, (at[inside], self.unit[inside])), shape=(bins, self.row_size.size))

    def pooled(self, bin_s: float) -> IntArray:
        """Spike counts [bins] of all units together, in whole bins."""
        bins = int(self.duration_s / bin_s + 1e-9)
        at = (self.times / bin_s + 1e-9).astype(np.int64)
        return np.bincount(at[at < bins], minlength=bins).astype(np.int64)


def window(store: xr.Dataset, skip_ms: float) -> tuple[float, float]:
    """Start and end, in s, of what is used: a simulation after its warm-up, the longest observed interval of a recording.

    Raises
    ------
    ComparisonError
        Nothing is left after the warm-up.
    """
    if store.attrs["order"] == "unit":
        observed = store["observed"].values
        start, stop = observed[np.argmax(observed[:, 1] - observed[:, 0])]
        return float(start), float(stop)
    stop = float(store.attrs["duration_ms"]) / 1000
    if skip_ms / 1000 >= stop:
        raise ComparisonError(
            f"the simulation lasts {stop * 1000:g} ms, all of which is warm-up",
            where=str(store.attrs.get("title", "")),
            expected=f"a simulation longer than skip_ms = {skip_ms:g}",
            do="simulate for longer, or lower skip_ms",
        )
    return skip_ms / 1000, stop


def has_spikes(store: xr.Dataset) -> bool:
    """Whether spikes were recorded one by one (a simulation can record counts in bins alone)."""
    return bool(store.sizes.get("spike", 0)) or stores.attribute(store, "parameters").get("record", {}).get(
        "spikes", True
    )


def members(store: xr.Dataset) -> dict[str, IntArray]:
    """Indices of the units of each population, in order of appearance, and of all units together."""
    population = store["population"].values.astype(object)
    names = dict.fromkeys(population.tolist())
    found = {str(name): np.flatnonzero(population == name) for name in names if name}
    return {**found, EVERYONE: np.arange(population.size)}


def choose(indices: IntArray, most: int, seed: int, population: str) -> IntArray:
    """At most `most` of the units, in random order: any first n of them are a random sample too."""
    rng = np.random.default_rng([seed, zlib.crc32(population.encode())])
    return np.asarray(rng.permutation(indices)[:most])


def read(store: xr.Dataset, wanted: Mapping[str, IntArray], start: float, stop: float) -> dict[str, Trains]:
    """Trains of the wanted units of each population with start <= t < stop.

    Parameters
    ----------
    store : Dataset
        A Spikes store, of either order; read in chunks.
    wanted : mapping
        Indices of units by population; populations may share units.
    start, stop : float
        Seconds.
    """
    # A unit can be in its population and in "all": it is read once.
    union = np.unique(np.concatenate([np.zeros(0, np.int64), *wanted.values()]))
    times, size = (
        _by_unit(store, union, start, stop) if store.attrs["order"] == "unit" else _by_time(store, union, start, stop)
    )
    ends = np.cumsum(size)
    result = {}
    for name, units in wanted.items():
        rows = np.searchsorted(union, units)
        parts = [times[ends[i] - size[i] : ends[i]] for i in rows]
        result[name] = Trains(np.concatenate(parts) if parts else np.zeros(0), size[rows], stop - start)
    return result


def _by_time(store: xr.Dataset, units: IntArray, start: float, stop: float) -> tuple[FloatArray, IntArray]:
    dt = float(store.attrs["dt_ms"]) / 1000
    slot = np.full(store.sizes["unit"], -1, np.int32)
    slot[units] = np.arange(units.size, dtype=np.int32)
    # in steps, so that rounding of seconds moves no spike over an edge
    first, last = np.ceil(np.array([start, stop]) / dt - 1e-6)
    owners: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for at in range(0, store.sizes["spike"], CHUNK):
        step = store["spike_step"][at : at + CHUNK].values
        if step[-1] < first:
            continue
        if step[0] >= last:
            break
        owner = slot[store["spike_unit"][at : at + CHUNK].values]
        keep = (owner >= 0) & (step >= first) & (step < last)
        owners.append(owner[keep])
        times.append(step[keep] * dt - start)
    owner = np.concatenate([np.zeros(0, np.int32), *owners])
    order = np.argsort(owner, kind="stable")
    return np.concatenate([np.zeros(0), *times])[order], np.bincount(owner, minlength=units.size).astype(np.int64)


def _by_unit(store: xr.Dataset, units: IntArray, start: float, stop: float) -> tuple[FloatArray, IntArray]:
    ends = np.cumsum(store["row_size"].values)
    begins = ends - store["row_size"].values
    parts = []
    for i in units:
        train = store["spike_time"][int(begins[i]) : int(ends[i])].values
        parts.append(train[(train >= start) & (train < stop)] - start)
    return np.concatenate([np.zeros(0), *parts]), np.array([part.size for part in parts], dtype=np.int64)
