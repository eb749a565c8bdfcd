"""`culture_cell`: leaky integrate-and-fire neuron with exponential synapses and spike-frequency adaptation, forward Euler."""

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
    not_ascending,
    parameter,
    refractory_time,
    time_constant,
)
from allometry.network.step_functions import rested


@neuron_model
class CultureCell(NeuronModel):
    """Leaky integrate-and-fire neuron of cultures, in units of its threshold over rest.

    tau_m dV/dt = -V + mu + g_ex + g_in - a, dg_x/dt = -g_x / tau_syn_x, da/dt = -a / tau_a; a spike adds b to a. Receptor `ex`
    takes weights of both signs, and so does `inh` from projections that name it: negative ones inhibit, and positive ones
    are those of immature GABA synapses.

    Step k: g and a decay exactly and the weights of slot k are added to g; V moves by forward Euler, unless refractory;
    V >= V_th emits a spike stamped k + 1 and sets V to V_reset, where it is held.

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    mu : float, array [neuron] or Distribution
        Voltage at rest, in thresholds.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, below V_th.
    V_th : float, array [neuron] or Distribution
        Threshold.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Time constants of the synapses, ms.
    tau_a : float, array [neuron] or Distribution
        Time constant of adaptation, ms.
    b : float, array [neuron] or Distribution
        What a spike adds to adaptation, 0 or above, in thresholds.
    """

    tau_m: Parameter = time_constant(default=20.0)
    mu: Parameter = parameter(default=0.75, unit="1")
    V_reset: Parameter = parameter(default=0.0, unit="1")
    V_th: Parameter = parameter(default=1.0, unit="1")
    t_ref: Parameter = refractory_time(default=2.0)
    tau_syn_ex: Parameter = time_constant(default=5.0)
    tau_syn_in: Parameter = time_constant(default=10.0)
    tau_a: Parameter = time_constant(default=5000.0)
    b: Parameter = parameter(default=0.05, unit="1", at_least=0.0)

    states = (
        State("V_m", "1"),
        State("g_ex", "1"),
        State("g_in", "1"),
        State("adaptation", "1"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("ex", "1"), Receptor("inh", "1", 0, "named"))

    def check(self, dt_ms: float) -> str:
        """Return what is wrong with the order of voltages."""
        return not_ascending(self, "V_reset", "V_th")

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return decays of a step, and its part of the membrane time constant."""
        return {
            "mu": self.mu,
            "reset": self.V_reset,
            "threshold": self.V_th,
            "dt_m": dt_ms / self.tau_m,
            "P11_ex": decayed(dt_ms, self.tau_syn_ex),
            "P11_in": decayed(dt_ms, self.tau_syn_in),
            "lost_a": lost(dt_ms, self.tau_a),
            "zero": 0.0,
            "b": self.b,
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(
        V_m, g_ex, g_in, adaptation, refractory, ex, inh, mu, reset, threshold, dt_m, P11_ex, P11_in, lost_a, zero, b,
        ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        excited, inhibited = g_ex * P11_ex + ex, g_in * P11_in + inh
        adapted = adaptation - lost_a * adaptation
        moved = V_m + dt_m * (mu + excited + inhibited - adapted - V_m)
        new = reset if refractory > 0 else moved
        fired = new >= threshold
        return (
            reset if fired else new, excited, inhibited, adapted + (b if fired else zero),
            rested(refractory, fired, ref_steps), fired,
        )  # fmt: skip
