"""Small stores for calibration, made without fixtures."""

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from tests.compare.conftest import ATTRS


def connectome(names: list[str], **kinds: np.ndarray) -> xr.Dataset:
    """Connectome store from one matrix [source, target] per kind of synapse; `q` is the q of functional pairs."""
    q = kinds.pop("q", None)
    tables = []
    for kind, matrix in kinds.items():
        source, target = np.nonzero(np.isfinite(matrix) if kind == "functional" else matrix > 0)
        table = pd.DataFrame({"source": np.array(names)[source], "target": np.array(names)[target]})
        table["weight"], table["synapse"] = matrix[source, target], kind
        if kind == "functional" and q is not None:
            table["q"] = q[source, target]
        tables.append(table)
    return stores.connectome(pd.DataFrame(index=names), pd.concat(tables, ignore_index=True), attrs=ATTRS)


def activity(traces: list[np.ndarray], names: list[str], rate_hz: float = 1.0, prefix: str = "w") -> xr.DataTree:
    """Activity store of traces [samples, neurons], one recording each."""
    recordings = [
        stores.Recording(
            name=f"{prefix}{k}",
            time=np.arange(len(trace)) / rate_hz,
            trace=trace.astype(np.float32),
            label=names,
            resampled=trace.astype(np.float32),
        )
        for k, trace in enumerate(traces)
    ]
    return stores.activity(recordings, names, rate_hz, attrs=ATTRS, units="1")


def names(count: int) -> list[str]:
    """Names of neurons without partners on the other side."""
    return [f"N{k:03d}" for k in range(count)]


def wiring(size: int, density: float, rng: np.random.Generator, hubs: float = 0.5) -> np.ndarray:
    """Synapse counts [source, target]: edges by propensities of their nodes, counts independent of them."""
    propensity = np.outer(rng.lognormal(sigma=hubs, size=size), rng.lognormal(sigma=hubs, size=size))
    np.fill_diagonal(propensity, 0)
    probability = np.minimum(propensity * density * size * (size - 1) / propensity.sum(), 0.95)
    return np.where(rng.random((size, size)) < probability, rng.geometric(0.25, (size, size)), 0).astype(float)


def slow(samples: int, neurons: int, tau: float, rng: np.random.Generator) -> np.ndarray:
    """Independent first-order autoregressive traces [samples, neurons] with a correlation time of `tau` samples."""
    keep = np.exp(-1 / tau)
    noise = rng.normal(size=(samples + int(5 * tau), neurons))
    out = np.empty_like(noise)
    out[0] = noise[0]
    for t in range(1, len(noise)):
        out[t] = keep * out[t - 1] + np.sqrt(1 - keep**2) * noise[t]
    return out[int(5 * tau) :]
