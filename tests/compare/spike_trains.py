"""Synthetic spike trains of known statistics, as stores of both orders."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from tests.compare.conftest import ATTRS

DT_MS = 0.1


def gamma_trains(rates: Sequence[float] | np.ndarray, duration_s: float, seed: int, order: int = 1) -> list[np.ndarray]:
    """Trains of gamma renewal processes (order 1: Poisson) that began long before the start."""
    rng = np.random.default_rng(seed)
    trains = []
    for rate in rates:
        number = int(rate * (duration_s + 2) + 8 * np.sqrt(rate * (duration_s + 2)) + 20)
        times = np.cumsum(rng.gamma(order, 1 / (order * rate), number)) - 2.0 * rng.random() - 1.0
        trains.append(times[(times >= 0) & (times < duration_s)])
    return trains


def simulated(
    trains: Sequence[np.ndarray], duration_s: float, populations: Sequence[str], **parameters: Any
) -> xr.Dataset:
    """Spikes store of a simulation, on steps of 0.1 ms."""
    steps = [np.unique(np.ceil(train * 1000 / DT_MS - 1e-6).astype(np.int64)) for train in trains]
    unit = np.repeat(np.arange(len(steps)), [step.size for step in steps])
    return stores.spikes_simulated(
        np.concatenate(steps),
        unit,
        dt_ms=DT_MS,
        units=pd.DataFrame({"population": list(populations)}),
        duration_ms=duration_s * 1000,
        attrs={**ATTRS, "parameters": {"model": "renewal", **parameters}, "seed": 1},
    )


def recorded(
    trains: Sequence[np.ndarray], observed: Sequence[tuple[float, float]], populations: Sequence[str]
) -> xr.Dataset:
    """Spikes store of a recording."""
    return stores.spikes_recorded(
        np.concatenate(list(trains)),
        np.array([train.size for train in trains]),
        units=pd.DataFrame({"population": list(populations)}),
        observed=list(observed),
        attrs=ATTRS,
    )


def responses(response: np.ndarray, directions: Sequence[float], duration_s: float) -> xr.Dataset:
    """Responses store [unit, presentation] with the direction of motion of every presentation, degrees."""
    table = pd.DataFrame(
        {
            "stimulus": "gratings",
            "condition": [f"direction={value:g}" for value in directions],
            "direction": np.asarray(directions, float),
            "onset": np.arange(len(directions)) * 2 * duration_s,
            "duration": duration_s,
        }
    )
    return stores.responses(response, table, pd.DataFrame(index=range(len(response))), attrs=ATTRS)
