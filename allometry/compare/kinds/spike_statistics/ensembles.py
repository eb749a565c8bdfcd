"""Ensembles of stores that differ only in their seed, and the profiles of their populations."""

import itertools
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.inputs import spike_trains
from allometry.compare.kinds.spike_statistics import catalogue
from allometry.compare.kinds.spike_statistics import profile as spike_profile
from allometry.compare.kinds.spike_statistics.profile import Profile
from allometry.errors import ComparisonError

Data = xr.Dataset | xr.DataTree


@dataclass(frozen=True)
class Ensemble:
    """Stores that differ only in their seed (or one store alone), and the populations of their units."""

    name: str
    members: tuple[str, ...]
    populations: tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """How profiles are made: see `spike_statistics`."""

    statistics: Sequence[str]
    bin_ms: float
    skip_ms: float
    max_units: int
    bootstrap: int
    seed: int
    areas: Sequence[str] = ()


def ensembles_of(inputs: Mapping[str, Data]) -> dict[str, Ensemble]:
    """Ensembles by name, in order of their first member.

    Simulations belong together where all their parameters and their duration are equal, seeds of conditions aside, and what a
    builder has drawn with the seed (`_alike`); the name is that of the point without its seed and digits, or that of the
    model. Recordings stand alone.

    Raises
    ------
    ComparisonError
        Fewer than two stores, or a store that holds no activity.
    """
    found: dict[str, list[str]] = {}
    for name, store in inputs.items():
        schema = store.attrs["schema"]
        if schema not in ("Spikes", "Responses", "Activity"):
            raise ComparisonError(
                f"{name} is a {schema} store", where=name, expected="Spikes, Responses or Activity stores"
            )
        simulated = schema == "Spikes" and store.attrs["order"] == "time"
        same = [_alike(stores.attribute(store, "parameters")), store.attrs["duration_ms"]] if simulated else name
        found.setdefault(json.dumps(same, sort_keys=True), []).append(name)
    if len(inputs) < 2:
        raise ComparisonError("there are fewer than two stores", where="inputs", expected="at least two stores")
    result: dict[str, Ensemble] = {}
    for names in found.values():
        store = inputs[names[0]]
        readable = without_seed(names[0], str(stores.attribute(store, "parameters").get("model", names[0])))
        label = readable if readable not in result else names[0]
        result[label] = Ensemble(label, tuple(names), _populations(store))
    return result


def _alike(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a simulation that another seed does not change.

    A model whose builder draws says so under `drawn_with_seed`: its network then differs, and its other parameters tell.
    """
    out = dict(parameters)
    if condition := out.get("condition"):
        out["condition"] = {key: value for key, value in condition.items() if key != "seed"}
    if "drawn_with_seed" in out:
        out.pop("network", None)
    return out


def without_seed(point: str, model: str) -> str:
    """Name of all points that differ only in the seed: a point's without its seed and digits, or that of the model."""
    return re.sub(r"_?s\d+_[0-9a-f]{8}$", "", point) or model


def _populations(store: Data) -> tuple[str, ...]:
    if not isinstance(store, xr.Dataset) or store.attrs["schema"] != "Spikes":
        return ()
    return tuple(name for name in spike_trains.members(store) if name != spike_trains.EVERYONE)


def pairs_of(ensembles: Mapping[str, Ensemble], reference: str | None) -> list[tuple[Ensemble, Ensemble]]:
    """(candidate, reference) pairs; an ensemble that is alone is paired with itself, for its baseline.

    Raises
    ------
    ComparisonError
        `reference` is no ensemble and no member of one.
    """
    known = list(ensembles.values())
    if reference is None:
        return [(b, a) for a, b in itertools.combinations(known, 2)] or [(known[0], known[0])]
    chosen = next((e for e in known if reference == e.name or reference in e.members), None)
    if chosen is None:
        raise ComparisonError(
            f"there is no ensemble or store {reference!r}",
            where="reference",
            expected="one of " + ", ".join(ensembles),
            do="name a store, or a point of a run without its seed and digits",
        )
    return [(e, chosen) for e in known if e is not chosen] or [(chosen, chosen)]


def shared(a: Ensemble, b: Ensemble) -> list[str]:
    """Populations of both, by name; all units where they share none."""
    return [name for name in a.populations if name in b.populations] or [spike_trains.EVERYONE]


class Profiles:
    """Profiles of all stores that some pair needs.

    Attributes
    ----------
    by_store : dict
        Store -> population -> Profile.
    common : dict
        Units of the population count, the same in every store, by population.
    seconds : float
        Length of the window, the same in every Spikes store.
    poisson : dict
        The same of Poisson units at the rates of each store that is a reference, but for the rates themselves.
    notes : dict
        How statistics of responses and traces were made.
    """

    def __init__(
        self, inputs: Mapping[str, Data], pairs: Sequence[tuple[Ensemble, Ensemble]], options: Options
    ) -> None:
        self.options = options
        self.notes: dict[str, str] = {}
        wanted: dict[str, dict[str, None]] = {}
        for pair in pairs:
            for ensemble, population in itertools.product(pair, shared(*pair)):
                for member in ensemble.members:
                    wanted.setdefault(member, {})[population] = None
        trains = {
            name: store
            for name, store in inputs.items()
            if name in wanted and isinstance(store, xr.Dataset) and store.attrs["schema"] == "Spikes"
        }
        chosen = {
            name: {
                population: spike_trains.choose(units, options.max_units, options.seed, population)
                for population, units in spike_trains.members(store).items()
                if population in wanted[name]
            }
            for name, store in trains.items()
        }
        windows = {name: spike_trains.window(store, options.skip_ms) for name, store in trains.items()}
        # Irregularity is biased in short windows, so that all are as long as the shortest.
        self.seconds = min((stop - start for start, stop in windows.values()), default=np.nan)
        self.bins = int(self.seconds * 1000 / options.bin_ms + 1e-9) if trains else 0
        self.common: dict[str, int] = {}
        for by_population in chosen.values():
            for population, units in by_population.items():
                self.common[population] = min(self.common.get(population, units.size), units.size)
        self.by_store: dict[str, dict[str, Profile]] = {}
        self.poisson: dict[str, dict[str, Profile]] = {}
        references = {name for candidate, other in pairs if candidate is not other for name in other.members}
        for name, populations in wanted.items():
            if name in trains:
                self.by_store[name] = self._spikes(
                    name, trains[name], chosen[name], windows[name][0], name in references
                )
            else:
                self.by_store[name] = dict.fromkeys(populations, self._continuous(name, inputs[name]))

    def _spikes(
        self, name: str, store: xr.Dataset, chosen: Mapping[str, np.ndarray], start: float, is_reference: bool
    ) -> dict[str, Profile]:
        if not spike_trains.has_spikes(store):
            missing = Profile()
            missing.undefined(spike_profile.parts_of(self.options.statistics), "spikes were not recorded one by one")
            return dict.fromkeys(chosen, missing)
        read = spike_trains.read(store, chosen, start, start + self.seconds)
        asked = self._together(store)
        if is_reference:
            # Rates are given to the Poisson units: that they have them is no merit.
            told = [statistic for statistic in asked if statistic != "rate"]
            self.poisson[name] = {
                population: self._profile(
                    trains.poisson(self._rng("Poisson", name, population)), told, name, population
                )
                for population, trains in read.items()
            }
        profiles = {population: self._profile(trains, asked, name, population) for population, trains in read.items()}
        if apart := [statistic for statistic in self.options.statistics if statistic not in asked]:
            for profile in profiles.values():
                profile.undefined(
                    spike_profile.parts_of(apart), "the units are of several recordings, not of one moment"
                )
        if "timescale" in asked and catalogue.has_timescales(store):
            note: dict[str, str] = {}
            everyone = profiles.setdefault(spike_trains.EVERYONE, Profile())
            catalogue.keep_timescales(everyone, store, self.options.areas, note)
            self.notes.update({f"{statistic} of {name}": text for statistic, text in note.items()})
        return profiles

    def _together(self, store: xr.Dataset) -> list[str]:
        """What can be asked of a store: of units of several recordings (a virtual one of several seeds) nothing but each alone."""
        several = "recording" in store and len(set(store["recording"].values.tolist())) > 1
        return [name for name in self.options.statistics if not several or name in spike_profile.ALONE]

    def _profile(self, trains: spike_trains.Trains, statistics: Sequence[str], name: str, population: str) -> Profile:
        return spike_profile.of_spikes(
            trains,
            statistics,
            common=self.common[population],
            bin_s=self.options.bin_ms / 1000,
            bootstrap=self.options.bootstrap,
            rng=self._rng(name, population),
        )

    def _rng(self, *names: str) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, *(zlib.crc32(text.encode()) for text in names)])

    def _continuous(self, name: str, store: Data) -> Profile:
        """Profile of a store without spikes; it has no populations."""
        note: dict[str, str] = {}
        options = self.options
        if isinstance(store, xr.DataTree):
            traces, left = _recordings(store, options.max_units, options.seed)
            profile = spike_profile.of_activity(traces, options.statistics, note, float(store.attrs["rate_hz"]))
            if left and "correlation" in note:
                note["correlation"] += f"; {left} further recordings are not used"
        else:
            everyone = np.arange(store.sizes["unit"])
            units = np.sort(spike_trains.choose(everyone, options.max_units, options.seed, spike_trains.EVERYONE))
            profile = spike_profile.of_responses(store, units, options.statistics, note)
        self.notes.update({f"{statistic} of {name}": text for statistic, text in note.items()})
        return profile


def _recordings(store: xr.DataTree, most: int, seed: int) -> tuple[list[np.ndarray], int]:
    """Traces of recordings in random order, until they have `most` units together; and how many are left."""
    parts = list(stores.split(store).values())
    order = np.random.default_rng(seed).permutation(len(parts))
    sizes = np.array([int(parts[i]["recorded"].values.sum()) for i in order])
    # the recording that reaches the number is the last one
    used = int(np.searchsorted(np.cumsum(sizes), most)) + 1
    return [parts[i]["trace"].values for i in order[:used]], max(len(parts) - used, 0)
