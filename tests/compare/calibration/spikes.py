"""Spiking activity: ensembles that differ in nothing but seeds, differences of known size, the branching ratio."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from allometry.compare.kinds.spike_statistics.comparison import spike_statistics
from allometry.compare.measures.spikes.branching import branching_ratio
from allometry.errors import ComparisonError
from tests.compare.calibration.connectomes import table
from tests.compare.calibration.harness import COVERAGE, FALSE_BETTER, LEVEL, Study, better, conservative, covers
from tests.compare.measures.spikes.test_branching import process
from tests.compare.spike_trains import gamma_trains, simulated

UNITS, SECONDS = 16, 4.0
SLOW, FASTER = 8.0, 4.0  # mean rate, and by how much the other network's units fire faster, Hz
MEASURES = {
    "rate": ("rate_ks", "rate_wasserstein"),
    "cv": ("cv_ks", "cv_wasserstein"),
    "lv": ("lv_wasserstein",),
    "correlation": ("correlation_wasserstein",),
    "spectrum": ("spectrum_distance",),
    "synchrony": ("synchrony_difference",),
}


# Both networks are Poisson, as the units that a candidate must resemble the reference more than.
AS_POISSON = [measure for name, measures in MEASURES.items() if name != "rate" for measure in measures]


def network(seeds: int, rng: np.random.Generator, *, name: str, faster: float = 0.0) -> dict[str, xr.Dataset]:
    """Simulations of one network with several seeds: Poisson units, each with a rate of its own."""
    found = {}
    for seed in range(seeds):
        rates = SLOW + faster + rng.normal(size=UNITS)
        trains = gamma_trains(rates, SECONDS, int(rng.integers(2**31)))
        found[f"{name}_s{seed}_{rng.integers(2**32):08x}"] = simulated(trains, SECONDS, ["E"] * UNITS, network=name)
    return found


def _spike_statistics(seed: int) -> Mapping[str, float]:
    """Three and six seeds of the same network under two names, and three of one whose units fire faster."""
    rng = np.random.default_rng(seed)
    inputs = network(3, rng, name="first") | network(6, rng, name="same")
    inputs |= network(3, rng, name="faster", faster=FASTER)
    result = spike_statistics(
        inputs, reference="first", statistics=list(MEASURES), bin_ms=20.0, skip_ms=0.0, bootstrap=99, seed=seed
    )
    rows = table(result, "candidate", "measure")
    found: dict[str, float] = {}
    for measures in MEASURES.values():
        for measure in measures:
            found[f"p of {measure}"] = rows.loc[("same", measure)].p
    for measure in AS_POISSON:
        found[f"{measure} better"] = better(rows.loc[("same", measure)])
    same, faster = rows.loc["same"], rows.loc[("faster", "rate_wasserstein")]
    found["p of beyond, rate_ks"] = 0.0 if same.loc["rate_ks"].beside_seeds.startswith("beyond") else 1.0
    found["p of beyond, cv_ks"] = 0.0 if same.loc["cv_ks"].beside_seeds.startswith("beyond") else 1.0
    return found | {"covers rate_wasserstein 4": covers(faster, FASTER)}


def _branching(seed: int) -> Mapping[str, float]:
    """Branching processes that are recorded for long, for as short as allowed, and in trials."""
    found = {}
    for name, (m, drive, bins, lags) in RECORDINGS.items():
        found[f"covers m of {name}"] = _holds(process(m, drive, bins, seed), lags, m, seed)
    trials = np.stack([process(0.9, 5, 1000, 100 * seed + k) for k in range(10)])
    return found | {"covers m of 10 trials": _holds(trials, 30, 0.9, seed)}


RECORDINGS = {
    "100 k_max": (0.9, 5.0, 3000, 30),
    "40 k_max": (0.9, 5.0, 1200, 30),
    "125 k_max": (0.8, 5.0, 2500, 20),
}


def _holds(activity: np.ndarray, lags: int, m: float, seed: int) -> float:
    try:
        found = branching_ratio(activity, lags, bootstrap=99, seed=seed).interval
    except ComparisonError:
        return float("nan")
    return float(found.low <= m <= found.high) if np.isfinite(found.low) else float("nan")


STUDIES = [
    Study(
        "spike_statistics",
        _spike_statistics,
        {f"p of {measure}": LEVEL for measures in MEASURES.values() for measure in measures}
        | {f"p of beyond, {name}": conservative("two things must hold of it") for name in ("rate_ks", "cv_ks")}
        | {"covers rate_wasserstein 4": COVERAGE}
        | {f"{measure} better": FALSE_BETTER for measure in AS_POISSON},
        few=3,
    ),
    Study(
        "branching_ratio",
        _branching,
        {f"covers m of {name}": COVERAGE for name in (*RECORDINGS, "10 trials")},
        few=8,
    ),
]
