"""`adex`: adaptive exponential integrate-and-fire with exponential postsynaptic currents."""

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
    not_ascending,
    parameter,
    refractory_time,
    time_constant,
)
from allometry.network.step_functions import exp, rested

SUBSTEPS = 2


@neuron_model
class AdEx(NeuronModel):
    """Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005; NEST `aeif_psc_exp`).

    C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) - w + I_ex + I_in + I_e,
    tau_w dw/dt = a (V - E_L) - w,  dI_x/dt = -I_x / tau_syn_x.
    V >= V_peak emits a spike stamped k + 1, sets V = V_reset and adds b to w; while refractory V is V_reset and w moves on.
    The weights arriving in slot k are added at the end of step k (to I_ex if positive, to I_in if negative). V and w move
    by two steps of the classical Runge-Kutta method of order 4 in a time step, with the time of the upstroke to infinity
    in closed form, the currents exactly; a spike is counted once in a time step. NEST integrates with adaptive steps; what
    that changes is measured in tests/simulate/test_nest_neurons.py. Weights are in pA.

    Parameters
    ----------
    C_m : float, array [neuron] or Distribution
        Membrane capacitance, pF, above 0.
    g_L : float, array [neuron] or Distribution
        Leak conductance, nS, above 0.
    E_L : float, array [neuron] or Distribution
        Resting potential, mV.
    V_th : float, array [neuron] or Distribution
        Voltage at which the exponential term is g_L Delta_T, mV, below V_peak.
    Delta_T : float, array [neuron] or Distribution
        Sharpness of the upstroke, mV, above 0.
    V_peak : float, array [neuron] or Distribution
        Voltage that counts as a spike, mV.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, mV, below V_peak.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    a : float, array [neuron] or Distribution
        Adaptation by the voltage, nS.
    b : float, array [neuron] or Distribution
        Adaptation by a spike, pA.
    tau_w : float, array [neuron] or Distribution
        Time constant of adaptation, ms.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Time constants of excitatory and inhibitory currents, ms.
    I_e : float, array [neuron] or Distribution
        Constant current, pA.
    """

    C_m: Parameter = parameter(default=281.0, unit="pF", above=0.0)
    g_L: Parameter = parameter(default=30.0, unit="nS", above=0.0)
    E_L: Parameter = parameter(default=-70.6, unit="mV")
    V_th: Parameter = parameter(default=-50.4, unit="mV")
    Delta_T: Parameter = parameter(default=2.0, unit="mV", above=0.0)
    V_peak: Parameter = parameter(default=0.0, unit="mV")
    V_reset: Parameter = parameter(default=-60.0, unit="mV")
    t_ref: Parameter = refractory_time(default=0.0)
    a: Parameter = parameter(default=4.0, unit="nS")
    b: Parameter = parameter(default=80.5, unit="pA")
    tau_w: Parameter = time_constant(default=144.0)
    tau_syn_ex: Parameter = time_constant(default=0.2)
    tau_syn_in: Parameter = time_constant(default=2.0)
    I_e: Parameter = parameter(default=0.0, unit="pA")

    states = (
        State("V_m", "mV", "E_L", "E_L"),
        State("w", "pA"),
        State("I_syn_ex", "pA"),
        State("I_syn_in", "pA"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("ex", "pA", 1), Receptor("inh", "pA", -1))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return voltages relative to E_L, decays of the currents, and parts of the Runge-Kutta step."""
        h = dt_ms / SUBSTEPS
        return {
            "reset": self.V_reset - self.E_L,
            "peak": self.V_peak - self.E_L,
            "soft": self.V_th - self.E_L,
            "leak": self.g_L,
            "rise": self.g_L * self.Delta_T,
            "per_delta": 1.0 / self.Delta_T,
            "a": self.a,
            "b": self.b,
            "P11_ex": decayed(dt_ms, self.tau_syn_ex),
            "P11_in": decayed(dt_ms, self.tau_syn_in),
            "half_ex": decayed(h / 2, self.tau_syn_ex),
            "half_in": decayed(h / 2, self.tau_syn_in),
            "one": 1.0,
            "half": 0.5,
            "delta": self.Delta_T,
            "at_reset": self.g_L * self.Delta_T * decayed(self.V_th - self.V_reset, self.Delta_T),
            "per_peak": decayed(self.V_peak - self.V_th, self.Delta_T),
            "h_cd": h / (self.C_m * self.Delta_T),
            "h_c": h / self.C_m,
            "h_2c": h / (2 * self.C_m),
            "h_6c": h / (6 * self.C_m),
            "h_w": h / self.tau_w,
            "h_2w": h / (2 * self.tau_w),
            "h_6w": h / (6 * self.tau_w),
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    def check(self, dt_ms: float) -> str:
        """Return what is wrong with reset, threshold and peak."""
        return not_ascending(self, "V_reset", "V_peak") or not_ascending(self, "V_th", "V_peak")

    @staticmethod
    def step(
        V_m, w, I_syn_ex, I_syn_in, refractory, ex, inh, current, reset, peak, soft, leak, rise, per_delta, a, b, P11_ex,
        P11_in, half_ex, half_in, one, half, delta, h_cd, h_c, h_2c, h_6c, h_w, h_2w, h_6w, at_reset, per_peak, ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        now = V_m, w, I_syn_ex, I_syn_in, refractory > 0, False
        membrane = current, reset, peak, soft, leak, rise, per_delta, a, b, half_ex, half_in, ref_steps > 0
        parts = one, half, delta, h_cd, h_c, h_2c, h_6c, h_w, h_2w, h_6w, at_reset, per_peak
        now = _substep(now, membrane, parts)
        v, adapted, _, _, _, fired = _substep(now, membrane, parts)
        return v, adapted, I_syn_ex * P11_ex + ex, I_syn_in * P11_in + inh, rested(refractory, fired, ref_steps), fired


def _substep(now, membrane, parts):
    v, w, i_ex, i_in, held, fired = now
    current, reset, peak, soft, leak, rise, per_delta, a, b, half_ex, half_in, lasts = membrane
    one, half, delta, h_cd, h_c, h_2c, h_6c, h_w, h_2w, h_6w, at_reset, per_peak = parts
    middle_ex, middle_in = i_ex * half_ex, i_in * half_in
    end_ex, end_in = middle_ex * half_ex, middle_in * half_in
    middle, end = current + middle_ex + middle_in, current + end_ex + end_in
    shape = held, reset, peak, soft, leak, rise, per_delta, a
    v1, w1, upstroke = _slopes(v, w, current + i_ex + i_in, shape)
    v2, w2, _ = _slopes(v + h_2c * v1, w + h_2w * w1, middle, shape)
    v3, w3, _ = _slopes(v + h_2c * v2, w + h_2w * w2, middle, shape)
    v4, w4, _ = _slopes(v + h_c * v3, w + h_w * w3, end, shape)
    moved = v + h_6c * (v1 + (v2 + v2) + (v3 + v3) + v4)
    adapted = w + h_6w * (w1 + (w2 + w2) + (w3 + w3) + w4)
    # Once the exponential dominates, V is infinite in a time that is known: with the rest of the current constant,
    # exp((V_th - V) / Delta_T) obeys a linear equation. `fall` and `linear` are fractions of what it was at the start.
    fall, linear = h_cd * v1, h_cd * (v1 - rise * upstroke)
    spikes = ((moved >= peak) | (fall * (one - half * linear) >= one - upstroke * per_peak)) & (not held)
    early = one / (fall - half * linear)
    crossing = early if (early > 0) & (early < one) else one
    # Up to the crossing V is Delta_T above its start on average; what is left of the step begins at the reset.
    jumped = w + crossing * h_w * (a * (v + delta) - w) + b
    left = one - crossing
    after = reset + left * h_c * (at_reset - leak * reset - jumped + end)
    v = (reset if lasts | held else after) if spikes | held else moved
    w = jumped + left * h_w * (a * reset - jumped) if spikes else adapted
    return v, w, end_ex, end_in, held | (spikes & lasts), fired | spikes


def _slopes(v, w, current, shape):
    """Return C_m dV/dt (pA), tau_w dw/dt (pA) and the exponential; V is at most the peak, and the reset while it is held."""
    held, reset, peak, soft, leak, rise, per_delta, a = shape
    bounded = peak if v > peak else v
    bounded = reset if held else bounded
    upstroke = exp((bounded - soft) * per_delta)
    return rise * upstroke - leak * bounded - w + current, a * bounded - w, upstroke
