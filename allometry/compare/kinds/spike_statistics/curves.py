"""Curves of spike statistics: quantiles of every distribution, spectra, and tails of avalanche sizes."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from allometry.compare.kinds.spike_statistics.profile import DISTRIBUTIONS, Profile
from allometry.compare.result import curve

LEVELS = np.linspace(0, 1, 101)


def curves(profiles: Mapping[str, Mapping[str, Profile]], ensemble: Mapping[str, str]) -> dict[str, xr.Dataset]:
    """Curves of all stores and populations, by name.

    Parameters
    ----------
    profiles : mapping
        Store -> population -> Profile.
    ensemble : mapping
        Ensemble of each store.

    Returns
    -------
    dict of Dataset
        `spike_distributions`: `value(entry, quantile)` with coordinates store, ensemble, population, statistic of each
        entry; `spike_spectra`: `power(entry, frequency)`; `spike_avalanches`: `share(entry, size)`, P(size >= s). A
        curve without entries is left out.
    """
    found = [(store, population, p) for store, by in profiles.items() for population, p in by.items()]
    result: dict[str, xr.Dataset] = {}
    values = [
        (store, population, name, np.quantile(p.samples[name].values, LEVELS))
        for store, population, p in found
        for name in DISTRIBUTIONS
        if name in p.samples
    ]
    if values:
        result["spike_distributions"] = curve(
            ("entry", "quantile"),
            {**_names([v[:2] for v in values], ensemble), "statistic": ("entry", [v[2] for v in values])}
            | {"quantile": ("quantile", LEVELS)},
            value=np.array([v[3] for v in values]),
        )
    spectra = [(store, population, p.spectrum) for store, population, p in found if p.spectrum is not None]
    if spectra:
        result["spike_spectra"] = curve(
            ("entry", "frequency"),
            _names([s[:2] for s in spectra], ensemble) | {"frequency": ("frequency", spectra[0][2].frequency)},
            power=np.array([s[2].power for s in spectra]),
        )
    sizes = [
        (s, population, p.samples["avalanche_size"]) for s, population, p in found if "avalanche_size" in p.samples
    ]
    if sizes:
        largest = max(sample.values.max() for _, _, sample in sizes)
        grid = np.unique(np.rint(np.geomspace(1, max(largest, 2), 60)))
        tails = [
            1 - np.searchsorted(np.sort(sample.values), grid, side="left") / sample.values.size
            for _, _, sample in sizes
        ]
        result["spike_avalanches"] = curve(
            ("entry", "size"),
            _names([s[:2] for s in sizes], ensemble) | {"size": ("size", grid)},
            share=np.array(tails),
        )
    return result


def _names(entries: list[tuple[str, str]], ensemble: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    return {
        "store": ("entry", [store for store, _ in entries]),
        "ensemble": ("entry", [ensemble[store] for store, _ in entries]),
        "population": ("entry", [population for _, population in entries]),
    }
