"""`predictive_cell`: leaky integrator that a spike takes a fixed amount off, as in predictive spiking codes; forward Euler."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any

from allometry.network.neuron_model import (
    NeuronModel,
    Parameter,
    Receptor,
    State,
    neuron_model,
    parameter,
    time_constant,
)


@neuron_model
class PredictiveCell(NeuronModel):
    """Leaky integrator that a spike takes a fixed amount off: a neuron of predictive spiking codes.

    dV/dt = -V / tau_m + I, with V without unit and I in 1/ms; V jumps by the arriving weights. There is no refractory time.
    Step k, forward Euler: V moves, the weights of slot k are added; V > V_th emits a spike stamped k + 1 and lowers V by
    `drop` (Boerlin, Machens & Denève 2013, PLoS Comput Biol 9:e1003258: V is the error that a spike corrects).

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    V_th : float, array [neuron] or Distribution
        Threshold, without unit.
    drop : float, array [neuron] or Distribution
        What a spike takes off V, above 0, without unit.
    """

    tau_m: Parameter = time_constant(default=20.0)
    V_th: Parameter = parameter(default=0.5, unit="1")
    drop: Parameter = parameter(default=1.0, unit="1", above=0.0)

    states = (State("V_m", "1"),)
    receptors = (Receptor("jump", "1"),)

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return parts of the step."""
        return {"zero": 0.0, "threshold": self.V_th, "drop": self.drop, "dt": dt_ms, "dt_m": dt_ms / self.tau_m}

    @staticmethod
    def step(V_m, jump, current, zero, threshold, drop, dt, dt_m):
        """Advance one neuron."""
        moved = V_m + (dt * current - dt_m * V_m + jump)
        fired = moved > threshold
        return moved - (drop if fired else zero), fired
