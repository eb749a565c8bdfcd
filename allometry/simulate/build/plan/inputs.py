"""Inputs in numbers: Poisson input as thresholds per piece of time, currents per piece, and the most that inputs add."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.network import (
    CorrelatedInput,
    DCInput,
    Network,
    Periodic,
    Piecewise,
    PoissonInput,
    Population,
    Sampled,
    SpikeListInput,
)
from allometry.simulate.build.fixedpoint import round_to
from allometry.simulate.build.timing import boundary_step, event_steps, profile_pieces
from allometry.simulate.kernels.inputs.drive import poisson_thresholds
from allometry.simulate.kernels.rng import Purpose, key


@dataclass(frozen=True, eq=False)
class Rates:
    """The rate of a Poisson input over time.

    steps : int64 [piece], first steps, the first 0; table : int64 [piece, 3], offset, begin and end of the thresholds
    in `rows`, uint32, as `kernels.inputs.drive.poisson_thresholds` gives them.
    """

    steps: np.ndarray
    table: np.ndarray
    rows: np.ndarray

    @property
    def most(self) -> int:
        """Largest number of events in one step."""
        return int((self.table[:, 0] + self.table[:, 2] - self.table[:, 1]).max())


@dataclass(frozen=True, eq=False)
class Poisson:
    """One Poisson input in numbers; `copied` is the probability of a copy of a common process, 0 for independent trains."""

    target: int
    key: np.uint64
    rates: Rates
    copied: float
    weight: int
    receptor: str | None
    neurons: np.ndarray | None
    start: int
    stop: int


def compile_rates(x: PoissonInput | CorrelatedInput, dt_ms: float) -> Rates:
    """Return the thresholds of every piece of a Poisson input, or of the common process of correlated ones.

    Pieces of one rate share them.
    """
    if isinstance(x.rate_hz, Piecewise | Sampled):
        steps, rates = profile_pieces(x.rate_hz, dt_ms)
    else:
        steps, rates = np.zeros(1, np.int64), np.array([float(x.rate_hz)])
    if isinstance(x, CorrelatedInput):
        rates = rates / x.correlation
    different, which = np.unique(rates, return_inverse=True)
    found = [poisson_thresholds(rate * dt_ms * 1e-3) for rate in different.tolist()]
    ends = np.cumsum([len(row) for _, row in found])
    lines = np.array(
        [(offset, end - len(row), end) for (offset, row), end in zip(found, ends.tolist())], np.int64
    ).reshape(-1, 3)
    return Rates(steps, lines[which.ravel()], np.concatenate([row for _, row in found]))


def compile_poisson(net: Network, number: int, unit: float, seed: int, rates: Rates) -> Poisson:
    """Turn Poisson input `number` into numbers; `unit` is the quantum of the weights into its population."""
    x = net.inputs[number]
    assert isinstance(x, PoissonInput | CorrelatedInput)
    return Poisson(
        target=[p.name for p in net.populations].index(x.population),
        key=key(seed, Purpose.POISSON, number),
        rates=rates,
        copied=x.correlation if isinstance(x, CorrelatedInput) else 0.0,
        weight=int(round_to(np.array([x.weight]), unit)[0]),
        receptor=x.receptor,
        neurons=x.neurons,
        start=boundary_step(x.start_ms, net.dt_ms),
        stop=boundary_step(x.stop_ms, net.dt_ms),
    )


def input_extent(net: Network, p: Population, unit: float, rates: Mapping[int, Rates]) -> int:
    """Return the most that Poisson and spike-list inputs add to a neuron in one step, in integer weights."""
    total = 0.0
    for number, x in enumerate(net.inputs):
        if getattr(x, "population", None) != p.name:
            continue
        if isinstance(x, PoissonInput) and x.sparse:
            mean = (
                float(np.max(np.asarray(x.rate_hz, np.float64)))
                * net.dt_ms
                * 1e-3
                * (1.0 + x.rhythm.depth if x.rhythm else 1.0)
            )
            total += (mean + 12.0 * math.sqrt(mean) + 24.0) * abs(x.weight) / unit
        elif isinstance(x, PoissonInput | CorrelatedInput):
            total += rates[number].most * abs(x.weight) / unit
        elif isinstance(x, SpikeListInput) and x.neurons.size:
            step = event_steps(x.times_ms, net.dt_ms)
            weight = np.abs(np.broadcast_to(x.weight, x.neurons.shape)) / unit
            _, place = np.unique(step * p.size + x.neurons, return_inverse=True)
            total += float(np.bincount(place.ravel(), weight).max())
    return math.ceil(total)


@dataclass(frozen=True, eq=False)
class Current:
    """One current in numbers: `values`, float64 [piece] or [piece, neuron], pA, hold from `steps`, int64, on.

    It is 0 before the first, and from the last on, which is its end.
    """

    population: str
    steps: np.ndarray
    values: np.ndarray

    def at(self, step: int) -> float | np.ndarray:
        """Return the current in a step: of all neurons, or float64 [neuron]."""
        piece = int(np.searchsorted(self.steps, step, side="right")) - 1
        if piece < 0 or piece == len(self.steps) - 1:
            return 0.0
        value: np.ndarray = self.values[piece]
        return value if value.ndim else float(value)


def compile_currents(net: Network) -> tuple[Current, ...]:
    """Turn the currents into pieces between their starts, changes and stops."""
    return tuple(
        Current(x.population, *pieces(x.amplitude, x.start_ms, x.stop_ms, net.dt_ms))
        for x in net.inputs
        if isinstance(x, DCInput) and not isinstance(x.amplitude, Periodic)
    )


def pieces(given: Any, start_ms: float, stop_ms: float, dt_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn a number, an array or a profile that holds in [start, stop) into pieces, as `Current` has them."""
    start, stop = boundary_step(start_ms, dt_ms), boundary_step(stop_ms, dt_ms)
    if isinstance(given, Piecewise | Sampled):
        steps, values = profile_pieces(given, dt_ms)
    else:
        steps, values = np.zeros(1, np.int64), np.asarray(given, np.float64)[None]
    first = int(np.searchsorted(steps, start, side="right")) - 1
    end = int(np.searchsorted(steps, stop))
    steps = np.append(np.maximum(steps[first:end], start), stop)
    values = np.concatenate([values[first:end], np.zeros_like(values[:1])])
    kept = np.append(steps[:-1] < steps[1:], True)
    return steps[kept], values[kept]
