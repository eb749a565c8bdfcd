"""`clustered_cell`: leaky integrate-and-fire neuron of balanced networks with currents that rise and fall, forward Euler."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any

import numpy as np

from allometry.network.integration import refractory_steps
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
class ClusteredCell(NeuronModel):
    """Leaky integrate-and-fire neuron of balanced networks (Litwin-Kumar & Doiron 2012, Nat Neurosci 15:1498).

    dV/dt = (mu - V) / tau_m + I_ex + I_in + gain slow + I, with V without unit and currents in 1/ms. A weight is the time
    integral of its current, which is a difference of exponentials: I_x = (decay_x - rise_x) / (tau_decay_x - tau_rise_x),
    and an event adds its weight to both. Receptor `slow` (for projections and inputs that name it) takes weights of both
    signs, in 1/ms, and decays with `tau_slow`.

    Step k, forward Euler: every current x becomes x (1 - dt / tau), the weights of slot k are added, and V moves, unless
    refractory; V > V_th emits a spike stamped k + 1 and sets V to V_reset, where it is held. The authors add the weights of
    the step before: here that is a delay of one step.

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    mu : float, array [neuron] or Distribution
        Voltage that the neuron settles at without input and threshold, without unit.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, below V_th, without unit.
    V_th : float, array [neuron] or Distribution
        Threshold, without unit.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    tau_rise_ex, tau_decay_ex, tau_rise_in, tau_decay_in : float, array [neuron] or Distribution
        Time constants of excitatory and inhibitory currents, ms.
    tau_slow : float, array [neuron] or Distribution
        Time constant of the current of receptor `slow`, ms.
    gain : float, array [neuron] or Distribution
        Factor on that current, without unit.
    """

    tau_m: Parameter = time_constant(default=15.0)
    mu: Parameter = parameter(default=1.1, unit="1")
    V_reset: Parameter = parameter(default=0.0, unit="1")
    V_th: Parameter = parameter(default=1.0, unit="1")
    t_ref: Parameter = refractory_time(default=5.0)
    tau_rise_ex: Parameter = time_constant(default=1.0)
    tau_decay_ex: Parameter = time_constant(default=3.0)
    tau_rise_in: Parameter = time_constant(default=1.0)
    tau_decay_in: Parameter = time_constant(default=2.0)
    tau_slow: Parameter = time_constant(default=100.0)
    gain: Parameter = parameter(default=1.0, unit="1")

    states = (
        State("V_m", "1"),
        State("rise_ex", "1"),
        State("decay_ex", "1"),
        State("rise_in", "1"),
        State("decay_in", "1"),
        State("slow_current", "1/ms"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("ex", "1", 1), Receptor("inh", "1", -1), Receptor("slow", "1", 0, "named"))

    def check(self, dt_ms: float) -> str:
        """Return what is wrong with voltages, and with time constants of rise, of decay and of the step."""
        for kind in ("ex", "in"):
            rise, decay = np.broadcast_arrays(getattr(self, f"tau_rise_{kind}"), getattr(self, f"tau_decay_{kind}"))
            if (rise >= decay).any():
                return f"tau_rise_{kind} is not below tau_decay_{kind}"
            if (rise <= dt_ms).any():
                return f"tau_rise_{kind} is not above the time step of {dt_ms:g} ms"
        return not_ascending(self, "V_reset", "V_th")

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return what is left of the currents after a step, and parts of the step."""
        return {
            "mu": self.mu,
            "reset": self.V_reset,
            "threshold": self.V_th,
            "dt": dt_ms,
            "dt_m": dt_ms / self.tau_m,
            "left_re": 1.0 - dt_ms / self.tau_rise_ex,
            "left_de": 1.0 - dt_ms / self.tau_decay_ex,
            "left_ri": 1.0 - dt_ms / self.tau_rise_in,
            "left_di": 1.0 - dt_ms / self.tau_decay_in,
            "left_s": 1.0 - dt_ms / self.tau_slow,
            "dt_ex": dt_ms / (self.tau_decay_ex - self.tau_rise_ex),
            "dt_in": dt_ms / (self.tau_decay_in - self.tau_rise_in),
            "dt_gain": dt_ms * self.gain,
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(
        V_m, rise_ex, decay_ex, rise_in, decay_in, slow_current, refractory, ex, inh, slow, current, mu, reset, threshold,
        dt, dt_m, left_re, left_de, left_ri, left_di, left_s, dt_ex, dt_in, dt_gain, ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        re, de = rise_ex * left_re + ex, decay_ex * left_de + ex
        ri, di = rise_in * left_ri + inh, decay_in * left_di + inh
        s = slow_current * left_s + slow
        moved = V_m + (dt_m * (mu - V_m) + dt_ex * (de - re) + dt_in * (di - ri) + dt_gain * s + dt * current)
        new = reset if refractory > 0 else moved
        fired = new > threshold
        return reset if fired else new, re, de, ri, di, s, rested(refractory, fired, ref_steps), fired
