"""Numbers of a recording that a virtual one takes over: how many neurons, how fast, how noisy, how much is missing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError

NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute value of a standard normal variable."""


def noise_of(trace: np.ndarray, axis: int = 0) -> np.ndarray:
    """Standard deviation of the noise of each trace, from the median step between neighbouring frames.

    Of independent normal noise of deviation s the median of |F(t + 1) - F(t)| is 0.954 s; the signal, which is slow, adds
    little to a median (Rupprecht et al. 2021, Nat Neurosci 24:1324, whose noise level is that median over the root of the
    frame rate). What the signal does add makes the estimate too large, more so at slow frame rates.

    Parameters
    ----------
    trace : (time, roi) array
        NaN where missing.
    axis : int
        That of time.

    Returns
    -------
    (roi,) float64
        NaN where no two neighbours were recorded.
    """
    steps = np.abs(np.diff(np.asarray(trace, np.float64), axis=axis))
    enough = np.isfinite(steps).any(axis=axis)
    out = np.full(enough.shape, np.nan)
    chosen = np.compress(enough, steps, axis=1 - axis)
    out[enough] = np.nanmedian(chosen, axis=axis) / (NORMAL_MEDIAN * np.sqrt(2.0))
    return out


def like_imaging(path: str | Path) -> dict[str, float]:
    """What an Activity store says of its experiment: medians over its recordings.

    Parameters
    ----------
    path : path
        An Activity store.

    Returns
    -------
    dict
        `neurons` (regions of interest), `frame_rate_hz`, `missing` (share of the native frames of a region of interest), and
        `noise` where the traces are relative (units of 1): that of raw fluorescence, or of BOLD, is none of dF/F.

    Raises
    ------
    SimulationError
        The store is of another kind.
    """
    tree = _opened(path, "activity")
    rois, noise, missing = [], [], []
    for name in tree["recording"].values:
        trace = tree[f"native/{name}"]["trace"].values
        rois.append(trace.shape[1])
        if tree[f"native/{name}"]["trace"].attrs.get("units") == "1":
            noise.append(float(np.nanmedian(noise_of(trace))))
        missing.append(float(np.isnan(trace[:, np.isfinite(trace).any(axis=0)]).mean()))
    found = {
        "neurons": int(np.median(rois)),
        "frame_rate_hz": float(np.median(tree["native_rate"].values)),
        "missing": float(np.median(missing)),
    }
    return found | ({"noise": float(np.median(noise))} if noise else {})


def like_sorting(path: str | Path) -> dict[str, float]:
    """What a Spikes store of a recording says of its experiment.

    Parameters
    ----------
    path : path
        A Spikes store.

    Returns
    -------
    dict
        `units`, `least_rate_hz` (of the unit that fires least: rarer ones are not found), `missing` (share of the time between
        the first and the last moment observed that was not observed).

    Raises
    ------
    SimulationError
        The store is of another kind.
    """
    store = _opened(path, "spikes")
    intervals = store["observed"].values
    seconds = float(np.diff(intervals, axis=1).sum())
    counts = np.array([train.size for train in stores.trains(store)])
    return {
        "units": int(store.sizes["unit"]),
        "least_rate_hz": float(counts.min() / seconds),
        "missing": 1 - seconds / float(intervals.max() - intervals.min()),
    }


def settled(given: Mapping[str, Any], found: Mapping[str, float], where: str) -> dict[str, Any]:
    """Settings with those of the reference in place of what is not given.

    Raises
    ------
    SimulationError
        A setting is neither given nor found.
    """
    chosen = {name: found.get(name) if value is None else value for name, value in given.items()}
    if lacking := sorted(name for name, value in chosen.items() if value is None):
        raise SimulationError(
            f"nothing says {', '.join(lacking)}",
            where=where,
            expected="a number",
            do=f"set {lacking[0]}, or name a store that has it under `like`"
            + (" (traces in arbitrary units have no noise in dF/F)" if "noise" in lacking else ""),
        )
    return chosen


def _opened(path: str | Path, kind: str) -> Any:
    store: xr.Dataset | xr.DataTree = stores.open(path)
    if (found := str(store.attrs.get("schema", "")).lower()) != kind:
        raise SimulationError(
            f"{Path(path).name} is a store of kind {found or 'unknown'}",
            where="like",
            expected=f"a store of kind {kind}",
            do="name another store, or set the numbers themselves",
        )
    return store
