"""`iaf_psc_exp`: leaky integrate-and-fire with exponential postsynaptic currents."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from allometry.network.integration import decayed, lost, psc_propagator, refractory_steps
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

_VOLTAGE = State("V_m", "mV", "E_L", "E_L")
_REFRACTORY = State("refractory", "step", width="count")


@neuron_model
class IafPscExp(NeuronModel):
    """Leaky integrate-and-fire neuron with exponential postsynaptic currents, integrated exactly.

    C_m dV/dt = -(C_m / tau_m)(V - E_L) + I_ex + I_in + I_e,  dI_x/dt = -I_x / tau_syn_x.
    Step k (Rotter & Diesmann 1999; NEST `iaf_psc_exp`): V moves with the old currents unless refractory; the currents
    decay; the weights arriving in slot k are added (to I_ex if positive, to I_in if negative); V >= V_th emits a
    spike stamped k + 1. Weights are in pA.

    Parameters
    ----------
    C_m : float, array [neuron] or Distribution
        Membrane capacitance, pF, above 0.
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Time constants of excitatory and inhibitory currents, ms.
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
    tau_syn_ex: Parameter = time_constant(default=0.5)
    tau_syn_in: Parameter = time_constant(default=0.5)
    E_L: Parameter = parameter(default=-65.0, unit="mV")
    V_reset: Parameter = parameter(default=-65.0, unit="mV")
    V_th: Parameter = parameter(default=-50.0, unit="mV")
    t_ref: Parameter = refractory_time(default=2.0)
    I_e: Parameter = parameter(default=0.0, unit="pA")

    states = (_VOLTAGE, State("I_syn_ex", "pA"), State("I_syn_in", "pA"), _REFRACTORY)
    receptors = (Receptor("ex", "pA", 1), Receptor("inh", "pA", -1))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the propagators of a step (Rotter & Diesmann 1999)."""
        h = dt_ms
        return {
            "reset": self.V_reset - self.E_L,
            "threshold": self.V_th - self.E_L,
            "P11_ex": decayed(h, self.tau_syn_ex),
            "P11_in": decayed(h, self.tau_syn_in),
            "P21_ex": psc_propagator(h, self.tau_syn_ex, self.tau_m, self.C_m),
            "P21_in": psc_propagator(h, self.tau_syn_in, self.tau_m, self.C_m),
            "P20": self.tau_m / self.C_m * lost(h, self.tau_m),
            "P22": decayed(h, self.tau_m),
            "ref_steps": refractory_steps(self.t_ref, h),
        }

    def form(self, precision: str) -> Any:
        """Return one current for both signs where their time constants are equal, in `fast`; NEST's two else."""
        one = precision != "exact" and np.array_equal(self.tau_syn_ex, self.tau_syn_in)
        return _OneCurrent if one else type(self)

    @staticmethod
    def step(
        V_m, I_syn_ex, I_syn_in, refractory, ex, inh, current, reset, threshold, P11_ex, P11_in, P21_ex, P21_in, P20, P22,
        ref_steps,
    ):  # fmt: skip
        """Advance one neuron, in the order of operations of NEST 3."""
        moved = V_m * P22 + I_syn_ex * P21_ex + I_syn_in * P21_in + current * P20
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return (
            reset if fired else new,
            I_syn_ex * P11_ex + ex,
            I_syn_in * P11_in + inh,
            rested(refractory, fired, ref_steps),
            fired,
        )


class _OneCurrent:
    """`IafPscExp` with one synaptic time constant: both signs are one current."""

    states: ClassVar[tuple[State, ...]] = (_VOLTAGE, State("I_syn", "pA"), _REFRACTORY)
    receptors: ClassVar[tuple[Receptor, ...]] = (Receptor("psc", "pA"),)

    @staticmethod
    def step(V_m, I_syn, refractory, psc, current, reset, threshold, P11_ex, P21_ex, P20, P22, ref_steps):
        """Advance one neuron."""
        moved = V_m * P22 + I_syn * P21_ex + current * P20
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return reset if fired else new, I_syn * P11_ex + psc, rested(refractory, fired, ref_steps), fired
