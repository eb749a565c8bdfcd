"""Times onto the grid of steps, by the rules of NEST, and what the store says of the times that were not on it.

A refractory time is taken to the nearest tic (1 us, halves up) and then up to a whole step; a delay to the nearest step,
halves up, by multiplication with the steps per millisecond: 0.35 ms are 4 steps of 0.1 ms, where a division gives 3.4999.
Starts and stops of inputs, which NEST refuses off the grid, go to the nearest step likewise. The events of a spike list
are taken to the nearest tic, and belong to the step that holds it.
"""

import math
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import (
    Constant,
    CorrelatedInput,
    DCInput,
    ExplicitEdges,
    Network,
    Piecewise,
    PoissonInput,
    Profile,
    Sampled,
    SpikeListInput,
)
from allometry.network.integration import refractory_steps, tics
from allometry.network.neuron_model import REFRACTORY_TIME, is_distribution, kinds

NEVER = 2**62


def event_steps(times_ms: np.ndarray, dt_ms: float) -> np.ndarray:
    """Return the step that each given event belongs to, int64: step k holds the tics of [k dt, (k + 1) dt)."""
    ticks, per_step = tics(np.asarray(times_ms, np.float64), dt_ms)
    return ticks // per_step


def nearest_steps(t_ms: Any, dt_ms: float) -> np.ndarray:
    """Return times in steps, float64: the nearest, halves up, by multiplication."""
    return np.floor(np.asarray(t_ms, np.float64) * (1.0 / dt_ms) + 0.5)


def boundary_step(t_ms: float, dt_ms: float) -> int:
    """Return the step at which an input starts or stops."""
    return NEVER if math.isinf(t_ms) else int(nearest_steps(t_ms, dt_ms))


def profile_pieces(profile: Profile, dt_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps at which the pieces of a profile begin, int64 rising from 0 on, and their values, float64 [piece, ...].

    Of pieces that round to one step the last holds.
    """
    steps = nearest_steps(profile.times_ms, dt_ms).astype(np.int64)
    values = profile.values
    zero = np.zeros_like(values[:1])
    if isinstance(profile, Sampled):
        values = np.concatenate([values, zero])
    if steps[0] > 0:
        steps, values = np.append(0, steps), np.concatenate([zero, values])
    last = np.append(steps[1:] > steps[:-1], True)
    return steps[last], values[last]


def delay_steps(delay_ms: np.ndarray, dt_ms: float, where: str) -> np.ndarray:
    """Return delays in steps, uint16.

    Raises
    ------
    SimulationError
        If a delay is not finite, below one step, or above 65535 steps.
    """
    given = np.asarray(delay_ms, np.float64)
    steps = nearest_steps(given, dt_ms)
    bad = ~np.isfinite(given) | (given < dt_ms * (1 - 1e-9)) | (steps < 1)
    if bad.any():
        worst = given[bad].ravel()[0]
        raise SimulationError(
            f"{int(bad.sum())} delays are below the time step (first: {worst:g} ms)",
            where=where,
            expected=f"delays of at least dt = {dt_ms:g} ms",
            do="lengthen the delays or shorten dt_ms",
        )
    if (steps > 65535).any():
        raise SimulationError(f"a delay exceeds 65535 steps ({float(np.max(given)):g} ms)", where=where)
    return steps.astype(np.uint16)


def _moved(t_ms: Any, steps: Any, dt_ms: float) -> np.ndarray:
    """Return which times are not those of their steps, beyond rounding of the numbers themselves."""
    exact = np.atleast_1d(np.asarray(t_ms, np.float64)) / dt_ms
    return np.abs(exact - np.atleast_1d(steps)) > 1e-6 + 1e-12 * np.abs(exact)


def rounded_times(net: Network) -> dict[str, str]:
    """Return what in a network is not on its grid of steps, and what it was taken to; empty for most networks.

    Delays drawn from a distribution are not listed: they are rounded by definition.
    """
    out: dict[str, str] = {}

    def note(name: str, t_ms: Any, steps: Any) -> None:
        times, taken = np.atleast_1d(np.asarray(t_ms, np.float64)), np.atleast_1d(steps)
        moved = _moved(times, taken, net.dt_ms)
        if moved.any():
            first = int(np.argmax(moved))
            many = f"{int(moved.sum())} of {times.size}, the first: " if times.size > 1 else ""
            out[name] = f"{many}{float(times[first]):.12g} ms taken to step {int(taken[first])} of {net.dt_ms:g} ms"

    for p in net.populations:
        for name, kind in kinds(type(p.neuron)).items():
            value = getattr(p.neuron, name)
            if kind == REFRACTORY_TIME and not is_distribution(value):
                note(f"{name} of population {p.name}", value, refractory_steps(value, net.dt_ms))
    for number, projection in enumerate(net.projections):
        name = f"delay of projection {number} ({projection.source} -> {projection.target})"
        if isinstance(projection.rule, ExplicitEdges):
            note(name, projection.rule.delay, nearest_steps(projection.rule.delay, net.dt_ms))
        elif isinstance(projection.delay, Constant):
            note(name, projection.delay.value, nearest_steps(projection.delay.value, net.dt_ms))
    for number, x in enumerate(net.inputs):
        if isinstance(x, SpikeListInput):
            note(f"times of input {number} ({x.population})", x.times_ms, event_steps(x.times_ms, net.dt_ms))
        elif isinstance(x, DCInput | PoissonInput | CorrelatedInput):
            profile = x.amplitude if isinstance(x, DCInput) else x.rate_hz
            if isinstance(profile, Piecewise | Sampled):
                edges = profile.times_ms
                note(f"times of the profile of input {number} ({x.population})", edges, nearest_steps(edges, net.dt_ms))
            for name in ("start_ms", "stop_ms"):
                t = getattr(x, name)
                if math.isfinite(t):
                    note(f"{name} of input {number} ({x.population})", t, boundary_step(t, net.dt_ms))
    return out
