"""What figures of responses need of a store: values of an area, parameters of its model, and tuning."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores


def areas_of(store: xr.Dataset) -> list[str]:
    """Areas of the units of a Responses store, in their order."""
    return list(dict.fromkeys(store["area"].values.tolist()))


def within(store: xr.Dataset, area: str) -> NDArray[np.bool_]:
    """Which units are of an area."""
    return np.asarray(store["area"].values.astype(object) == area)


def response_of(store: xr.Dataset, area: str) -> NDArray[np.float64]:
    """Responses of an area, [unit, presentation] or [unit, presentation, lag]."""
    return store["response"].values[within(store, area)].astype(np.float64)


def parameter(store: xr.Dataset, name: str, default: Any = None) -> Any:
    """A parameter of the model that a store is of."""
    return stores.attribute(store, "parameters")["parameters"].get(name, default)


def tuning_of(store: xr.Dataset, area: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Orientations of bars (degrees, in [0, 180)) and mean responses to them, [unit, orientation]; None without gratings."""
    if "orientation" in store:
        bars = store["orientation"].values % 180.0
    elif "direction" in store:
        bars = (store["direction"].values - 90.0) % 180.0
    else:
        return None
    found = response_of(store, area)
    shown = np.unique(bars)
    return shown, np.stack([found[:, bars == angle].mean(axis=1) for angle in shown], axis=1)


def resultant(shown_deg: NDArray[np.float64], tuned: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Mean over doubled angles of responses, by unit: its length is 1 - circular variance, half its angle the preference."""
    total = tuned.sum(axis=1)
    wave = np.exp(2j * np.deg2rad(shown_deg))
    return np.divide(tuned @ wave, total, out=np.full(total.shape, np.nan + 0j), where=total > 0)
