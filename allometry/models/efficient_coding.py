"""Neurons that code a signal together, each spike correcting the error that all see, after a delay and with noise.

Source: after Chalk, Gutkin & Denève 2016, eLife 5:e13824 (abstract); the equations are the standard ones of predictive spiking
codes, and all numbers are this project's.
"""

import math

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.network import (
    DCInput,
    Network,
    PairwiseBernoulli,
    Periodic,
    PoissonInput,
    Population,
    PredictiveCell,
    Projection,
    Uniform,
)
from allometry.network.scalars import plain_arguments

TAU_MS = 20.0
MEAN, AMPLITUDE, FREQUENCY_HZ = 30.0, 10.0, 2.0
#: Events per second of either sign that the noise of a neuron is made of: five in a step of 0.05 ms.
EVENTS_HZ = 100_000.0
FEWEST_STEPS = 10
"""A delay has at least so many steps, or none: the dynamics depend on the step below that."""
_WAVE = 500
_UNREACHED = 1e9


@plain_arguments
@model(
    description="Predictive spiking code with delays and noise: some noise codes best.",
    source="after Chalk et al. 2016, eLife 5:e13824 (abstract); all numbers are this project's",
)
def efficient_coding(
    noise: float = 2.0,
    delay_ms: float = 1.0,
    neurons: int = 100,
    weight: float = 1.0,
    cost: float = 0.0,
    dt_ms: float = 0.05,
) -> Network:
    """Build the code of a signal x with tau dx/dt = -x + u, tau = 20 ms, u = 30 + 10 sin at 2 Hz.

    The read-out x^ decays with tau and jumps by `weight` w at every spike. V_i is w (x - x^), less the cost: it takes w u / tau,
    loses w² at every spike of another neuron, one delay later, and w² + cost at once at its own; the threshold is half of that.
    White noise is made of many small events of both signs.

    Parameters
    ----------
    noise : float
        Standard deviation of V under its noise alone, in the unit of V.
    delay_ms : float
        Delay of the inhibition between neurons, ms: 0 (then it acts in the next step), or at least ten steps.
    neurons : int
        Number of neurons, 2 or more.
    weight : float
        What a spike adds to the read-out, above 0.
    cost : float
        Weight of the cost of spikes, 0 or above.
    dt_ms : float
        Step of Euler's method, ms, up to 1.

    Returns
    -------
    Network
        Populations `cells` and `error`: the voltage of the only neuron of `error`, which never spikes, is x^ - x.

    Raises
    ------
    SimulationError
        For a value out of range.
    """
    for name, value, low in (("noise", noise, 0.0), ("delay_ms", delay_ms, 0.0), ("cost", cost, 0.0)):
        if not low <= value < math.inf:
            raise SimulationError(f"{name} is {value:g}", where="efficient_coding", expected="a number, 0 or above")
    if not 0 < weight < math.inf:
        raise SimulationError(f"weight is {weight:g}", where="efficient_coding", expected="a number above 0")
    if neurons < 2:
        raise SimulationError(f"neurons is {neurons}", where="efficient_coding", expected="2 or more")
    if not 0 < dt_ms <= 1:
        raise SimulationError(f"dt_ms is {dt_ms:g}", where="efficient_coding", expected="above 0, up to 1 ms")
    if 0 < delay_ms < FEWEST_STEPS * dt_ms * (1 - 1e-9):
        raise SimulationError(
            f"delay_ms is {delay_ms:g}",
            where="efficient_coding",
            expected=f"0, or at least {FEWEST_STEPS} steps of {dt_ms:g} ms",
            do="take a shorter step, with dt_ms",
        )
    threshold = (weight**2 + cost) / 2
    cells = PredictiveCell(tau_m=TAU_MS, V_th=threshold, drop=2 * threshold)
    turns = 2 * np.pi * np.arange(_WAVE) / _WAVE
    # libm differs between machines in the last bits
    signal = Periodic(np.round((MEAN + AMPLITUDE * np.sin(turns)) / TAU_MS, 12), FREQUENCY_HZ)
    inputs: list[DCInput | PoissonInput] = [DCInput("cells", signal * weight), DCInput("error", signal * -1.0)]
    if noise > 0:
        # events of both signs, 2 rate dt in a step, with the variance 2 noise² dt / tau
        size = noise / math.sqrt(EVENTS_HZ * TAU_MS / 1000.0)
        inputs += [PoissonInput("cells", EVENTS_HZ, sign * size) for sign in (1, -1)]
    inhibition = PairwiseBernoulli(1.0, autapses=False)
    return Network(
        populations=(
            Population("cells", neurons, cells, Uniform(-threshold, threshold)),
            Population("error", 1, PredictiveCell(tau_m=TAU_MS, V_th=_UNREACHED), 0.0),
        ),
        projections=(
            Projection("cells", "cells", inhibition, -(weight**2), max(delay_ms, dt_ms)),
            Projection("cells", "error", PairwiseBernoulli(1.0), weight, dt_ms),
        ),
        inputs=tuple(inputs),
        dt_ms=dt_ms,
        title=f"Predictive spiking code, noise {noise:g}, delay {delay_ms:g} ms",
        parameters={
            "model": "efficient_coding", "noise": noise, "delay_ms": delay_ms, "neurons": neurons, "weight": weight,
            "cost": cost, "dt_ms": dt_ms,
        },
    )  # fmt: skip
