"""Weights and delays as integers: the quantum of each population's input, and tables of drawn values.

Integer weights make every sum of synaptic input exact in any order, hence equal for any partition of the network.
"""

import math
from dataclasses import dataclass

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Constant, Distribution, Lognormal, Normal
from allometry.simulate.kernels.rng import exp, ln, normal_table

TABLE = 65536
"""Number of equiprobable values that a drawn weight or delay takes; 16 bits of a synapse's hash select one."""

EXACT_QUANTUM = {"pA": 2.0**-10, "mV": 2.0**-20}
_FAST_RANGE = 2**15 - 1
_WIDE_RANGE = 2**26
_RESOLUTION = 512


def weight_table(weight: Distribution, where: str) -> np.ndarray:
    """Return the values that a weight takes, float64 [1] or [TABLE], before rounding."""
    if isinstance(weight, Constant):
        return np.array([weight.value])
    if isinstance(weight, Normal):
        if weight.sd == 0.0:
            return np.array([weight.mean])
        sign = -1.0 if weight.mean < 0 else 1.0
        mean = abs(weight.mean)
        return sign * (mean + weight.sd * normal_table(TABLE, -mean / weight.sd))
    if isinstance(weight, Lognormal):
        if weight.sd == 0.0:
            return np.array([weight.mean])
        variance = float(ln(1.0 + (weight.sd / weight.mean) ** 2))
        mu = float(ln(abs(weight.mean))) - variance / 2.0
        z = normal_table(TABLE, -math.inf)
        out = np.array([exp(mu + math.sqrt(variance) * float(value)) for value in z])
        return -out if weight.mean < 0 else out
    raise SimulationError(
        f"a weight cannot be {type(weight).__name__}", where=where, expected="a number, Normal, Lognormal or per edge"
    )


def delay_table(delay: Distribution, dt_ms: float, where: str) -> np.ndarray:
    """Return the delays that a synapse takes, uint16 steps [1] or [TABLE]."""
    if isinstance(delay, Constant):
        return delay_steps(np.array([delay.value]), dt_ms, where)
    if isinstance(delay, Normal):
        if delay.sd == 0.0:
            return delay_steps(np.array([delay.mean]), dt_ms, where)
        z = normal_table(TABLE, (dt_ms / 2.0 - delay.mean) / delay.sd)
        return delay_steps(np.maximum(delay.mean + delay.sd * z, dt_ms), dt_ms, where)
    raise SimulationError(
        f"a delay cannot be {type(delay).__name__}", where=where, expected="a number, Normal or per edge"
    )


def delay_steps(delay_ms: np.ndarray, dt_ms: float, where: str) -> np.ndarray:
    """Round delays to whole steps, uint16.

    Raises
    ------
    SimulationError
        If a delay is not finite, below one step, or above 65535 steps.
    """
    steps = np.floor(np.asarray(delay_ms, np.float64) / dt_ms + 0.5)
    bad = ~np.isfinite(delay_ms) | (np.asarray(delay_ms) < dt_ms * (1 - 1e-9)) | (steps < 1)
    if bad.any():
        worst = np.asarray(delay_ms)[bad].ravel()[0]
        raise SimulationError(
            f"{int(bad.sum())} delays are below the time step (first: {worst:g} ms)",
            where=where,
            expected=f"delays of at least dt = {dt_ms:g} ms",
            do="lengthen the delays or shorten dt_ms",
        )
    if (steps > 65535).any():
        raise SimulationError(f"a delay exceeds 65535 steps ({float(np.max(delay_ms)):g} ms)", where=where)
    return steps.astype(np.uint16)


@dataclass(frozen=True)
class Quantum:
    """The unit of the integer weights into one population, and the largest rounding error it caused."""

    value: float
    error: float


def _power_of_two(x: float, up: bool) -> float:
    mantissa, exponent = math.frexp(x)
    if up:
        return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)
    return math.ldexp(1.0, exponent - 1)


def quantum(weights: list[np.ndarray], unit: str, precision: str, where: str) -> Quantum:
    """Choose the quantum of the weights into one population.

    `exact` uses a fixed one (2^-10 pA, 2^-20 mV). `fast` uses the power of two that lets the largest weight fit 16 bits,
    or a finer one where that would resolve the smallest group of weights to less than 1/512, or round weights to 0;
    either depends on the network only, never on its partition.

    Raises
    ------
    SimulationError
        If weights are not finite or overflow the fixed-point range.
    """
    sets = [np.abs(w[w != 0.0]) for w in weights]
    sets = [w for w in sets if w.size]
    if not all(np.isfinite(w).all() for w in sets):
        raise SimulationError("a weight is not finite", where=where, expected="finite weights")
    largest = max((float(w.max()) for w in sets), default=0.0)
    if largest == 0.0:
        return Quantum(EXACT_QUANTUM[unit], 0.0)
    if precision == "exact":
        value, limit = EXACT_QUANTUM[unit], 2.0**31
    else:
        typical = min(float(np.median(w)) for w in sets)
        value = _power_of_two(largest / _FAST_RANGE, up=True)
        if value > typical / _RESOLUTION:
            value = _power_of_two(typical / _RESOLUTION, up=False)
        smallest = min(float(np.quantile(w, 0.001, method="lower")) for w in sets)
        if value > smallest:
            value = _power_of_two(smallest, up=False)
        limit = float(_WIDE_RANGE)
    if np.rint(largest / value) >= limit:
        raise SimulationError(
            f"the weights overflow the fixed-point range: {largest:g} {unit} in units of {value:g} {unit}",
            where=where,
            expected=f"weights up to {limit * value:g} {unit}",
            do="use weights within a factor of 10^5 of each other" if precision == "fast" else "use smaller weights",
        )
    error = max(float(np.max(np.abs(round_to(w, value) * value - w))) for w in sets)
    return Quantum(value, error)


def round_to(weights: np.ndarray, value: float) -> np.ndarray:
    """Round weights to integer multiples of `value`, int32 (half to even)."""
    return np.rint(np.asarray(weights, np.float64) / value).astype(np.int32)
