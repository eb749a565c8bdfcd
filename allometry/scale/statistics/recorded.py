"""What a study reads of one simulation: trains of sampled units, and counts of all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores
from allometry.compare.inputs import spike_trains
from allometry.compare.inputs.spike_trains import EVERYONE, Trains
from allometry.errors import SimulationError
from allometry.models.catalogue.records import Columns

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

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
    counts : mapping of str to ndarray [unit]
        Spikes of every unit.
    windows : callable
        `windows(population, width_s)`: spikes of every unit in whole windows of this width, uint16 [window, unit].
    states : mapping of str to mapping of str to ndarray [sample, neuron]
        By state variable (`V_m`, conductances, currents) and population: what was recorded, in its unit.
    stimulus : mapping of str to float
        Parameters of the stimulus that was shown; empty of models that have none.
    columns : mapping of str to mapping of str to ndarray [unit]
        What the model says of its units (`models.records.Columns`).
    harmonic : mapping of str to complex ndarray [unit]
        Sum over the spikes of a unit of exp(2 pi i f t), with the frequency f of the stimulus; empty where it has none.
    duration_s, bin_s : float
        Length of what is used, and bin of pairwise correlations, s.
    """

    units: Mapping[str, int]
    spikes: Mapping[str, int]
    trains: Mapping[str, Trains]
    pooled: Mapping[str, IntArray]
    single_variance: Mapping[str, float]
    counts: Mapping[str, IntArray]
    windows: Callable[[str, float], NDArray[np.uint16]]
    states: Mapping[str, Mapping[str, FloatArray]]
    stimulus: Mapping[str, float]
    columns: Mapping[str, Mapping[str, NDArray[Any]]]
    harmonic: Mapping[str, ComplexArray]
    duration_s: float
    bin_s: float


def read(
    store: xr.Dataset,
    *,
    skip_ms: float,
    bin_ms: float,
    max_units: int,
    seed: int = 0,
    populations: Sequence[str] = (),
    stimulus: Mapping[str, float] | None = None,
    columns: Columns | None = None,
) -> Recorded:
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
    populations : sequence of str
        Those that are read, of which `all` is the whole; none: all of them.
    stimulus : mapping, optional
        What was shown.
    columns : callable, optional
        What the model says of its units.

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
    members = _members(store, populations)
    chosen = {name: spike_trains.choose(units, max_units, seed, name) for name, units in members.items()}
    counted = _Counts(store, start, stop)
    return Recorded(
        units={name: units.size for name, units in members.items()},
        spikes={name: int(counted.of_unit[units].sum()) for name, units in members.items()},
        trains=spike_trains.read(store, chosen, start, stop),
        pooled={name: counted.pooled(units) for name, units in members.items()},
        single_variance={name: counted.single_variance(units) for name, units in members.items()},
        counts={name: counted.of_unit[units] for name, units in members.items()},
        windows=lambda name, width_s: counted.windows(members[name], width_s),
        states=_states(store, members, start),
        stimulus=dict(stimulus or {}),
        columns=_columns(members, columns),
        harmonic=counted.harmonic(members, float((stimulus or {}).get("frequency_hz", 0.0))),
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


def _members(store: xr.Dataset, populations: Sequence[str]) -> dict[str, IntArray]:
    """Indices of the units of each population and of all together; one population is everyone."""
    found = spike_trains.members(store)
    if populations:
        found = {name: found[name] for name in populations}
        found[EVERYONE] = np.concatenate(list(found.values()))
    if len(found) == 2:
        del found[EVERYONE]
    return found


def _columns(members: Mapping[str, IntArray], columns: Columns | None) -> dict[str, dict[str, NDArray[Any]]]:
    if columns is None:
        return {}
    found = {name: dict(columns(name, units.size)) for name, units in members.items() if name != EVERYONE}
    if EVERYONE in members:
        shared = set.intersection(*map(set, found.values()))
        found[EVERYONE] = {key: np.concatenate([of[key] for of in found.values()]) for key in sorted(shared)}
    return found


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
        self.step = step[first:last]
        self.dt_s = dt_s
        length_ms = (stop - start) * 1000
        self.time_ms, self.length_ms = time_ms, length_ms
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

    def windows(self, units: IntArray, width_s: float) -> NDArray[np.uint16]:
        """Spikes of some units in whole windows, [window, unit]."""
        width_ms, n = width_s * 1000, units.size
        whole = int(self.length_ms / width_ms + 1e-9)
        place = np.full(self.size, -1)
        place[units] = np.arange(n)
        window, mine = (self.time_ms / width_ms + 1e-9).astype(np.int64), place[self.unit]
        kept = (mine >= 0) & (window < whole)
        found = np.bincount(window[kept] * n + mine[kept], minlength=whole * n)
        return found.astype(np.uint16).reshape(whole, n)

    def harmonic(self, members: Mapping[str, IntArray], frequency_hz: float) -> dict[str, ComplexArray]:
        """Sum of exp(2 pi i f t) over the spikes of every unit."""
        if not frequency_hz > 0:
            return {}
        phase = 2 * np.pi * ((self.step * (self.dt_s * frequency_hz)) % 1.0)
        real, imaginary = (np.bincount(self.unit, part, self.size) for part in (np.cos(phase), np.sin(phase)))
        return {name: real[units] + 1j * imaginary[units] for name, units in members.items()}

    def single_variance(self, units: IntArray) -> float:
        """Sum over some units of the variance of their counts in bins of 3 ms."""
        if not self.wide:
            return float("nan")
        return float((self._squares[units] / self.wide - (self._inside[units] / self.wide) ** 2).sum())


def _states(store: xr.Dataset, members: Mapping[str, IntArray], start: float) -> dict[str, dict[str, FloatArray]]:
    """What was recorded of state variables after the warm-up, by variable and population."""
    names = {"V_m": ("voltage", "step", "probe")} if "voltage" in store else {}
    names |= {
        str(name).removeprefix("probe_"): (str(name).removeprefix("probe_"), f"step_{str(name)[6:]}", str(name))
        for name in store.dims
        if str(name).startswith("probe_")
    }
    found: dict[str, dict[str, FloatArray]] = {}
    for state, (variable, step, probe) in names.items():
        late = store[step].values * (float(store.attrs["dt_ms"]) / 1000) > start
        values, recorded = store[variable].values[late].astype(np.float64), store[probe].values
        found[state] = {
            name: values[:, mine] for name, units in members.items() if (mine := np.isin(recorded, units)).any()
        }
    return found
