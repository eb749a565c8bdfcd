"""`iaf_psc_delta`: leaky integrate-and-fire whose voltage jumps."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any

from allometry.network.integration import decayed, lost, refractory_steps
from allometry.network.neuron_model import (
    NeuronModel,
    Parameter,
    Receptor,
    State,
    neuron_model,
    parameter,
    refractory_time,
    time_constant,
)
from allometry.network.step_functions import rested


@neuron_model
class IafPscDelta(NeuronModel):
    """Leaky integrate-and-fire neuron whose voltage jumps by the arriving weights.

    Step k (Brunel 2000; NEST `iaf_psc_delta`): V decays to E_L + tau_m I_e / C_m and the weights of slot k are added;
    a refractory neuron holds V_reset and discards them; V >= V_th emits a spike stamped k + 1. Weights are in mV.

    Parameters
    ----------
    C_m : float, array [neuron] or Distribution
        Membrane capacitance, pF, above 0; it counts with a current only.
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    E_L : float, array [neuron] or Distribution
        Resting potential, mV.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, mV, below V_th.
    V_th : float, array [neuron] or Distribution
        Threshold, mV.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    I_e : float, array [neuron] or Distribution
        Constant current, pA.
    """

    C_m: Parameter = parameter(default=1.0, unit="pF", above=0.0)
    tau_m: Parameter = time_constant(default=20.0)
    E_L: Parameter = parameter(default=0.0, unit="mV")
    V_reset: Parameter = parameter(default=10.0, unit="mV")
    V_th: Parameter = parameter(default=20.0, unit="mV")
    t_ref: Parameter = refractory_time(default=2.0)
    I_e: Parameter = parameter(default=0.0, unit="pA")

    states = (State("V_m", "mV", "E_L", "E_L"), State("refractory", "step", width="count"))
    receptors = (Receptor("jump", "mV"),)

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the propagators of a step."""
        return {
            "reset": self.V_reset - self.E_L,
            "threshold": self.V_th - self.E_L,
            "P20": self.tau_m / self.C_m * lost(dt_ms, self.tau_m),
            "P22": decayed(dt_ms, self.tau_m),
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(V_m, refractory, jump, current, reset, threshold, P20, P22, ref_steps):
        """Advance one neuron: a refractory one discards what arrives."""
        moved = current * P20 + V_m * P22 + jump
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return reset if fired else new, rested(refractory, fired, ref_steps), fired
