"""What a study reads of one simulation: trains of sampled units, and counts of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores
from allometry.compare.inputs import spike_trains
from allometry.compare.inputs.spike_trains import EVERYONE, Trains
from allometry.errors import SimulationError

IntArray = NDArray[np.int64]

POOLED_MS, SYNCHRONY_MS = 1.0, 3.0
"""Bins of the counts of whole populations; the second is that of Potjans & Diesmann 2014."""


@dataclass(frozen=True)
class Recorded:
    """Spikes of one simulation after its warm-up, by population; `all` is every unit, where there are several populations.

    Parameters
    ----------
    units : mapping of str to int
        Number of units.
    spikes : mapping of str to int
        Spikes of all units.
    trains : mapping of str to Trains
        Spike times of the sampled units, s.
    pooled : mapping of str to ndarray [bin]
        Spikes of all units in bins of 1 ms.
    single_variance : mapping of str to float
        Sum over all units of the variance of their counts in bins of 3 ms.
    voltage_sd_mv : mapping of str to float
        Standard deviation in time of the membrane potential, mean over the recorded units, mV; NaN where none is recorded.
    duration_s, bin_s : float
        Length of what is used, and bin of pairwise correlations, s.
    """

    units: Mapping[str, int]
    spikes: Mapping[str, int]
    trains: Mapping[str, Trains]
    pooled: Mapping[str, IntArray]
    single_variance: Mapping[str, float]
    voltage_sd_mv: Mapping[str, float]
    duration_s: float
    bin_s: float


def read(store: xr.Dataset, *, skip_ms: float, bin_ms: float, max_units: int, seed: int = 0) -> Recorded:
    """Read a simulation.

    Parameters
    ----------
    store : Dataset
        A Spikes store of a simulation that recorded every spike.
    skip_ms : float
        Warm-up that is left out, ms.
    bin_ms : float
        Bin of pairwise correlations, ms.
    max_units : int
        Units sampled from each population for statistics of single units and pairs.
    seed : int
        Of the sampling.

    Raises
    ------
    SimulationError
        The store lists no spikes.
    """
    stores.require_kind(store, "Spikes")
    if not spike_trains.has_spikes(store):
        raise SimulationError(
            "spikes were not recorded one by one",
            where=str(store.attrs.get("title", "")),
            expected="a simulation with record.spikes",
            do="record spikes in the run that the study reads",
        )
    start, stop = spike_trains.window(store, skip_ms)
    members = spike_trains.members(store)
    if len(members) == 2:
        # one population is everyone
        del members[EVERYONE]
    chosen = {name: spike_trains.choose(units, max_units, seed, name) for name, units in members.items()}
    counted = _Counts(store, start, stop)
    return Recorded(
        units={name: units.size for name, units in members.items()},
        spikes={name: int(counted.of_unit[units].sum()) for name, units in members.items()},
        trains=spike_trains.read(store, chosen, start, stop),
        pooled={name: counted.pooled(units) for name, units in members.items()},
        single_variance={name: counted.single_variance(units) for name, units in members.items()},
        voltage_sd_mv=_voltage(store, members, start),
        duration_s=stop - start,
        bin_s=bin_ms / 1000,
    )


def rates(store: xr.Dataset, skip_ms: float) -> dict[str, float]:
    """Mean rate of each population after the warm-up, spikes/s."""
    start, stop = spike_trains.window(store, skip_ms)
    step = store["spike_step"].values
    unit = store["spike_unit"].values[step * (float(store.attrs["dt_ms"]) / 1000) >= start - 1e-9]
    of_unit = np.bincount(unit, minlength=store.sizes["unit"])
    return {
        name: float(of_unit[units].mean() / (stop - start))
        for name, units in spike_trains.members(store).items()
        if name != EVERYONE
    }


class _Counts:
    """Counts of all units of a simulation, from its list of spikes."""

    def __init__(self, store: xr.Dataset, start: float, stop: float) -> None:
        self.size = store.sizes["unit"]
        dt_s = float(store.attrs["dt_ms"]) / 1000
        step, unit = store["spike_step"].values, store["spike_unit"].values
        first, last = np.searchsorted(step, np.ceil(np.array([start, stop]) / dt_s - 1e-6))
        time_ms = step[first:last] * (dt_s * 1000) - start * 1000
        self.unit = unit[first:last].astype(np.int64)
        self.of_unit = np.bincount(self.unit, minlength=self.size)
        length_ms = (stop - start) * 1000
        self.bins = int(length_ms / POOLED_MS + 1e-9)
        self.bin = (time_ms / POOLED_MS + 1e-9).astype(np.int64)
        self.wide = int(length_ms / SYNCHRONY_MS + 1e-9)
        # spikes of one unit in one bin of 3 ms
        at = (time_ms / SYNCHRONY_MS + 1e-9).astype(np.int64)
        inside = at < self.wide
        cell, count = np.unique(at[inside] * self.size + self.unit[inside], return_counts=True)
        self._squares = np.bincount(cell % self.size, (count**2).astype(float), self.size)
        self._inside = np.bincount(self.unit[inside], minlength=self.size)

    def pooled(self, units: IntArray) -> IntArray:
        """Spikes of some units together in bins of 1 ms."""
        mine = np.zeros(self.size, bool)
        mine[units] = True
        kept = self.bin[mine[self.unit] & (self.bin < self.bins)]
        return np.bincount(kept, minlength=self.bins).astype(np.int64)

    def single_variance(self, units: IntArray) -> float:
        """Sum over some units of the variance of their counts in bins of 3 ms."""
        if not self.wide:
            return float("nan")
        return float((self._squares[units] / self.wide - (self._inside[units] / self.wide) ** 2).sum())


def _voltage(store: xr.Dataset, members: Mapping[str, IntArray], start: float) -> dict[str, float]:
    if "voltage" not in store:
        return dict.fromkeys(members, float("nan"))
    late = store["step"].values * (float(store.attrs["dt_ms"]) / 1000) > start
    spread = store["voltage"].values[late].std(axis=0)
    probe = store["probe"].values
    found = {}
    for name, units in members.items():
        mine = np.isin(probe, units)
        found[name] = float(spread[mine].mean()) if mine.any() else float("nan")
    return found
