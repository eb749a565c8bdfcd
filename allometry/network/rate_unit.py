"""Units with a rate in place of spikes: a state that follows its input, and a nonlinearity that makes a rate of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.network.neuron_model import NeuronModel, Parameter, State, choice, parameter, time_constant
from allometry.network.serialise import serialisable

NONLINEARITIES = {
    "linear": "x",
    "tanh": "tanh(x)",
    "relu": "max(x, 0)",
    "sigmoid": "1 / (1 + exp(-x))",
    "rectified_tanh": "0 for x <= 0, else (tanh(x - 1/2) + tanh(1/2)) / (1 + tanh(1/2))",
}
"""Rates by the name of the nonlinearity, as functions of the state x."""

INTEGRATIONS = {
    "euler": "x moves by dt / tau times its slope at the beginning of the step",
    "exponential": "exact for an input that is constant within the step",
    "exact": "the whole linear network is propagated exactly, for inputs that are constant within the step",
}
"""How a step is taken."""


@serialisable
@dataclass(frozen=True, eq=False)
class RateUnit(NeuronModel):
    """Unit whose state x follows tau dx/dt = -x + input, and whose rate is a function of x.

    The input is the sum over projections of weight times rate of the source, and of the inputs of the network; everything
    acts without delay. With `noise`, independent white noise is added that alone would give x this standard deviation.
    States are float64 in both precisions of a run.

    Parameters
    ----------
    tau_ms : float or np.ndarray [unit]
        Time constant, ms: one, or one per unit.
    nonlinearity : str
        A key of `NONLINEARITIES`.
    noise : float or np.ndarray [unit]
        Standard deviation of x under the noise alone, in the unit of x: one, or one per unit.
    integration : str
        A key of `INTEGRATIONS`; "exact" for all populations of a network or for none, and for linear units without noise.
    """

    tau_ms: Parameter = time_constant(default=10.0)  # noqa: RUF009 - a field, as in all neuron models
    nonlinearity: str = choice(default="tanh", options=tuple(NONLINEARITIES))
    noise: Parameter = parameter(default=0.0, unit="1", at_least=0.0)  # noqa: RUF009
    integration: str = choice(default="euler", options=tuple(INTEGRATIONS))

    states = (State("x", unit="1"), State("rate", unit="1"))

    def check(self, dt_ms: float) -> str:
        """Return what is impossible in values that are each within their bounds; empty where nothing is."""
        shortest = float(np.min(self.tau_ms))
        if self.integration == "euler" and dt_ms > shortest:
            return f"steps of {dt_ms:g} ms overshoot with tau_ms {shortest:g}"
        if self.integration == "exact" and self.nonlinearity != "linear":
            return f"units with the nonlinearity {self.nonlinearity} have no exact propagation"
        if self.integration == "exact" and np.max(self.noise) > 0:
            return "exact propagation has no noise"
        return ""


def is_rate(net: Any) -> bool:
    """Whether a network has rate units: then it has nothing else."""
    return any(isinstance(p.neuron, RateUnit) for p in net.populations)
