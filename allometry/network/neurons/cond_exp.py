"""`cond_exp`: leaky integrate-and-fire with exponential synaptic conductances."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any

from allometry.network.integration import decayed, refractory_steps
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
class CondExp(NeuronModel):
    """Leaky integrate-and-fire neuron with exponential postsynaptic conductances (NEST `iaf_cond_exp`).

    C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e,  dg_x/dt = -g_x / tau_syn_x.
    Step k: V moves by one step of the classical Runge-Kutta method of order 4, the conductances decay exactly; the
    weights arriving in slot k are added (to g_ex if positive, |weight| to g_in if negative); a refractory neuron holds
    V_reset; V >= V_th emits a spike stamped k + 1. NEST integrates with adaptive steps: spikes are within one step of
    its own (tests/simulate/test_nest_neurons.py). The total conductance has to stay below 2.7 C_m / dt
    (6.75 uS for 250 pF and 0.1 ms). Weights are in nS.

    Parameters
    ----------
    C_m : float, array [neuron] or Distribution
        Membrane capacitance, pF, above 0.
    g_L : float, array [neuron] or Distribution
        Leak conductance, nS, above 0.
    E_L : float, array [neuron] or Distribution
        Resting potential, mV.
    E_ex, E_in : float, array [neuron] or Distribution
        Reversal potentials of excitatory and inhibitory synapses, mV.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Time constants of excitatory and inhibitory conductances, ms.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, mV, below V_th.
    V_th : float, array [neuron] or Distribution
        Threshold, mV.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    I_e : float, array [neuron] or Distribution
        Constant current, pA.
    """

    C_m: Parameter = parameter(default=250.0, unit="pF", above=0.0)
    g_L: Parameter = parameter(default=16.6667, unit="nS", above=0.0)
    E_L: Parameter = parameter(default=-70.0, unit="mV")
    E_ex: Parameter = parameter(default=0.0, unit="mV")
    E_in: Parameter = parameter(default=-85.0, unit="mV")
    tau_syn_ex: Parameter = time_constant(default=0.2)
    tau_syn_in: Parameter = time_constant(default=2.0)
    V_reset: Parameter = parameter(default=-60.0, unit="mV")
    V_th: Parameter = parameter(default=-55.0, unit="mV")
    t_ref: Parameter = refractory_time(default=2.0)
    I_e: Parameter = parameter(default=0.0, unit="pA")

    states = (
        State("V_m", "mV", "E_L", "E_L"),
        State("g_ex", "nS"),
        State("g_in", "nS"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("ex", "nS", 1), Receptor("inh", "nS", -1))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return reversal potentials relative to E_L, decays over half a step, and fractions of the step over C_m."""
        half_ex, half_in = decayed(dt_ms / 2, self.tau_syn_ex), decayed(dt_ms / 2, self.tau_syn_in)
        return {
            "reset": self.V_reset - self.E_L,
            "threshold": self.V_th - self.E_L,
            "to_ex": self.E_ex - self.E_L,
            "to_in": self.E_in - self.E_L,
            "leak": self.g_L,
            "half_ex": half_ex,
            "half_in": half_in,
            "whole_ex": decayed(dt_ms, self.tau_syn_ex),
            "whole_in": decayed(dt_ms, self.tau_syn_in),
            "h_c": dt_ms / self.C_m,
            "h_2c": dt_ms / (2 * self.C_m),
            "h_6c": dt_ms / (6 * self.C_m),
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(
        V_m, g_ex, g_in, refractory, ex, inh, current, reset, threshold, to_ex, to_in, leak, half_ex, half_in, whole_ex,
        whole_in, h_c, h_2c, h_6c, ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        ex_middle, in_middle = g_ex * half_ex, g_in * half_in
        ex_end, in_end = g_ex * whole_ex, g_in * whole_in
        k1 = _current(V_m, g_ex, g_in, current, threshold, to_ex, to_in, leak)
        k2 = _current(V_m + h_2c * k1, ex_middle, in_middle, current, threshold, to_ex, to_in, leak)
        k3 = _current(V_m + h_2c * k2, ex_middle, in_middle, current, threshold, to_ex, to_in, leak)
        k4 = _current(V_m + h_c * k3, ex_end, in_end, current, threshold, to_ex, to_in, leak)
        moved = V_m + h_6c * (k1 + (k2 + k2) + (k3 + k3) + k4)
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return reset if fired else new, ex_end + ex, in_end - inh, rested(refractory, fired, ref_steps), fired


def _current(v, g_ex, g_in, current, threshold, to_ex, to_in, leak):
    """Return the current into a neuron, pA; its voltage counts up to the threshold only."""
    bounded = threshold if v > threshold else v
    return current - leak * bounded - g_ex * (bounded - to_ex) - g_in * (bounded - to_in)
