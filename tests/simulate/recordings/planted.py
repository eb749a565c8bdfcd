"""Planted spikes with a known rate and correlation, and the exact theory of what an indicator makes of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allometry import stores
from allometry.simulate.recordings.imaging import Indicator
from tests.stores.samples import ATTRS


def spikes(path: Path, neurons: int, rate: float, shared: float, seconds: float, seed: int = 1) -> Path:
    """Children of one Poisson process, each of which keeps a spike with probability `shared`: their counts correlate by it."""
    rng = np.random.default_rng(seed)
    steps = round(seconds * 10_000)
    mother = np.unique(rng.integers(1, steps, rng.poisson(rate / shared * seconds)))
    kept = rng.random((mother.size, neurons)) < shared
    row, unit = np.nonzero(kept)
    units = pd.DataFrame({"population": ["E"] * (neurons - neurons // 4) + ["I"] * (neurons // 4)})
    attrs = {**ATTRS, "seed": seed}
    store = stores.spikes_simulated(mother[row], unit, dt_ms=0.1, units=units, duration_ms=seconds * 1000, attrs=attrs)
    stores.write(store, path)
    return path


def voltages(path: Path, voltage: np.ndarray, step_ms: float) -> Path:
    """A silent run of which every other neuron's membrane potential [sample, probe], mV, was recorded, from 0 on."""
    probes = voltage.shape[1]
    store = stores.spikes_simulated(
        np.zeros(0, np.int64), np.zeros(0, np.int64), dt_ms=0.1, units=pd.DataFrame({"population": ["E"] * 2 * probes}),
        duration_ms=len(voltage) * step_ms, attrs={**ATTRS, "seed": 1}, voltage=voltage.astype(np.float32),
        voltage_step=np.arange(len(voltage)) * round(step_ms / 0.1), probe=np.arange(0, 2 * probes, 2),
    )  # fmt: skip
    stores.write(store, path)
    return path


def trial(path: Path, **given: Any) -> dict[str, Any]:
    return {"network": "seed 1", "condition": "", "stimulus": {}, "path": str(path), **given}


def shot_noise(
    indicator: Indicator, rate: float, top: float = 40.0, cells: int = 8192
) -> tuple[np.ndarray, np.ndarray]:
    """Distribution of the calcium of Poisson spikes: exp of the transform of the kernel's values, on a grid."""
    dt = indicator.decay_s / 2000
    t = (np.arange(60_000) + 0.5) * dt
    rise = np.exp(-t / indicator.rise_s) if indicator.rise_s else 0.0
    at = (np.exp(-t / indicator.decay_s) - rise) / indicator.peak / (top / cells)
    low = np.floor(at).astype(int)
    # between two cells in proportion, so that the mean is exact
    measure = np.bincount(low, 1 - (at - low), cells) + np.bincount(low + 1, at - low, cells)
    measure *= rate * dt
    mass = np.fft.ifft(np.exp(np.fft.fft(measure) - measure.sum())).real
    return np.arange(cells) * (top / cells), mass


def moments(indicator: Indicator, rate: float, shared: float) -> tuple[float, float, float]:
    """Mean and variance of dF/F without noise, and the covariance of two neurons: calcium is a shared and an own part."""
    grid, mass = shot_noise(indicator, rate)
    response = indicator.amplitude * grid / (1 + grid / indicator.saturation)
    mean = float(response @ mass)
    variance = float(response**2 @ mass) - mean**2
    _, own = shot_noise(indicator, rate * (1 - shared))
    _, common = shot_noise(indicator, rate * shared)
    # mean response given the shared part
    given = np.fft.ifft(np.fft.fft(response, 16384) * np.conj(np.fft.fft(own, 16384))).real[: grid.size]
    covariance = float(given**2 @ common) - float(given @ common) ** 2
    return mean, variance, covariance
