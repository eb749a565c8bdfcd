"""`iaf_psc_alpha`: leaky integrate-and-fire with alpha-shaped postsynaptic currents."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

import math
from collections.abc import Mapping
from typing import Any

from allometry.network.integration import alpha_propagators, decayed, lost, refractory_steps
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
class IafPscAlpha(NeuronModel):
    """Leaky integrate-and-fire neuron with alpha-shaped postsynaptic currents, integrated exactly.

    C_m dV/dt = -(C_m / tau_m)(V - E_L) + I_ex + I_in + I_e. A weight J that arrives at time 0 adds the current
    J e (t / tau_syn) exp(-t / tau_syn): its peak, at tau_syn, is J. Step k (Rotter & Diesmann 1999; NEST
    `iaf_psc_alpha`, without its lower bound of V): V moves with the old currents unless refractory; the currents move;
    the weights arriving in slot k are added to their slopes (of I_ex if positive, of I_in if negative); V >= V_th emits
    a spike stamped k + 1. Weights are in pA.

    Parameters
    ----------
    C_m : float, array [neuron] or Distribution
        Membrane capacitance, pF, above 0.
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Times to the peak of excitatory and inhibitory currents, ms.
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

    C_m: Parameter = parameter(default=250.0, unit="pF", above=0.0)
    tau_m: Parameter = time_constant(default=10.0)
    tau_syn_ex: Parameter = time_constant(default=2.0)
    tau_syn_in: Parameter = time_constant(default=2.0)
    E_L: Parameter = parameter(default=-70.0, unit="mV")
    V_reset: Parameter = parameter(default=-70.0, unit="mV")
    V_th: Parameter = parameter(default=-55.0, unit="mV")
    t_ref: Parameter = refractory_time(default=2.0)
    I_e: Parameter = parameter(default=0.0, unit="pA")

    states = (
        State("V_m", "mV", "E_L", "E_L"),
        State("dI_syn_ex", "pA/ms"),
        State("I_syn_ex", "pA"),
        State("dI_syn_in", "pA/ms"),
        State("I_syn_in", "pA"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("ex", "pA", 1), Receptor("inh", "pA", -1))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the propagators of a step, and the slopes that a weight of 1 starts with."""
        h = dt_ms
        p31_ex, p32_ex = alpha_propagators(h, self.tau_syn_ex, self.tau_m, self.C_m)
        p31_in, p32_in = alpha_propagators(h, self.tau_syn_in, self.tau_m, self.C_m)
        p11_ex, p11_in = decayed(h, self.tau_syn_ex), decayed(h, self.tau_syn_in)
        return {
            "reset": self.V_reset - self.E_L,
            "threshold": self.V_th - self.E_L,
            "P11_ex": p11_ex,
            "P11_in": p11_in,
            "P21_ex": h * p11_ex,
            "P21_in": h * p11_in,
            "P30": self.tau_m / self.C_m * lost(h, self.tau_m),
            "P31_ex": p31_ex,
            "P31_in": p31_in,
            "P32_ex": p32_ex,
            "P32_in": p32_in,
            "lost": -lost(h, self.tau_m),
            "start_ex": math.e / self.tau_syn_ex,
            "start_in": math.e / self.tau_syn_in,
            "ref_steps": refractory_steps(self.t_ref, h),
        }

    @staticmethod
    def step(
        V_m, dI_syn_ex, I_syn_ex, dI_syn_in, I_syn_in, refractory, ex, inh, current, reset, threshold, P11_ex, P11_in,
        P21_ex, P21_in, P30, P31_ex, P31_in, P32_ex, P32_in, lost, start_ex, start_in, ref_steps,
    ):  # fmt: skip
        """Advance one neuron, in the order of operations of NEST 3."""
        moved = (
            P30 * current
            + P31_ex * dI_syn_ex
            + P32_ex * I_syn_ex
            + P31_in * dI_syn_in
            + P32_in * I_syn_in
            + lost * V_m
            + V_m
        )
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return (
            reset if fired else new,
            dI_syn_ex * P11_ex + start_ex * ex,
            P21_ex * dI_syn_ex + P11_ex * I_syn_ex,
            dI_syn_in * P11_in + start_in * inh,
            P21_in * dI_syn_in + P11_in * I_syn_in,
            rested(refractory, fired, ref_steps),
            fired,
        )
