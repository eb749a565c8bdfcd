"""`eif`: exponential integrate-and-fire with exponential postsynaptic currents, in two integrations."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from allometry.network.integration import decayed, refractory_steps
from allometry.network.neuron_model import (
    NeuronModel,
    Parameter,
    Receptor,
    State,
    choice,
    neuron_model,
    not_ascending,
    parameter,
    refractory_time,
    time_constant,
)
from allometry.network.step_functions import exp, rested

SUBSTEPS = 2
_VOLTAGE = State("V_m", "mV", "E_L", "E_L")
_REFRACTORY = State("refractory", "step", width="count")


@neuron_model
class Eif(NeuronModel):
    """Exponential integrate-and-fire neuron (Fourcaud-Trocme et al. 2003).

    C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) + I_ex + I_in + I_e,  dI_x/dt = -I_x / tau_syn_x.
    Weights are in pA (of a model in mV / ms with C = 1: C_m = 1 pF, and the same numbers).

    `integration` is one of

    runge_kutta
        NEST's `aeif_psc_exp` with a = b = 0: V >= V_peak emits a spike stamped k + 1, and V is V_reset while refractory;
        the weights arriving in slot k are added at the end of step k. V moves by two steps of the classical Runge-Kutta
        method of order 4 in a time step, with the time of the upstroke to infinity in closed form, the currents exactly.
        What that changes against NEST's adaptive steps is measured in tests/simulate/test_nest_neurons.py.
    forward_euler
        As in Rosenbaum et al. (Nat Neurosci 20:107, 2017). Step k: the weights of slot k are added, the currents decay by
        1 - dt / tau_syn, V moves by dt times its derivative, with these currents, and not below V_min; V >= V_peak emits a
        spike stamped k + 1. While refractory V is V_peak, and V_reset in the last step. There is a third current, with
        `tau_syn_ff`, into which only projections with `receptor="ff"` go.

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
    V_min : float, array [neuron] or Distribution
        Lowest voltage, mV; forward_euler alone has it.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    tau_syn_ex, tau_syn_in : float, array [neuron] or Distribution
        Time constants of excitatory and inhibitory currents, ms.
    tau_syn_ff : float, array [neuron] or Distribution
        Time constant of the third current, ms; forward_euler alone has it.
    I_e : float, array [neuron] or Distribution
        Constant current, pA.
    integration : {"runge_kutta", "forward_euler"}
        One for all neurons of a population.
    """

    C_m: Parameter = parameter(default=281.0, unit="pF", above=0.0)
    g_L: Parameter = parameter(default=30.0, unit="nS", above=0.0)
    E_L: Parameter = parameter(default=-70.6, unit="mV")
    V_th: Parameter = parameter(default=-50.4, unit="mV")
    Delta_T: Parameter = parameter(default=2.0, unit="mV", above=0.0)
    V_peak: Parameter = parameter(default=0.0, unit="mV")
    V_reset: Parameter = parameter(default=-60.0, unit="mV")
    V_min: Parameter = parameter(default=-1000.0, unit="mV")
    t_ref: Parameter = refractory_time(default=0.0)
    tau_syn_ex: Parameter = time_constant(default=0.2)
    tau_syn_in: Parameter = time_constant(default=2.0)
    tau_syn_ff: Parameter = time_constant(default=0.2)
    I_e: Parameter = parameter(default=0.0, unit="pA")
    integration: str = choice(default="runge_kutta", options=("runge_kutta", "forward_euler"))

    states = (_VOLTAGE, State("I_syn_ex", "pA"), State("I_syn_in", "pA"), _REFRACTORY)
    receptors = (Receptor("ex", "pA", 1), Receptor("inh", "pA", -1))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return voltages relative to E_L, decays of the currents, and parts of the step."""
        h = dt_ms / SUBSTEPS
        return {
            "reset": self.V_reset - self.E_L,
            "peak": self.V_peak - self.E_L,
            "soft": self.V_th - self.E_L,
            "lowest": self.V_min - self.E_L,
            "leak": self.g_L,
            "rise": self.g_L * self.Delta_T,
            "per_delta": 1.0 / self.Delta_T,
            "P11_ex": decayed(dt_ms, self.tau_syn_ex),
            "P11_in": decayed(dt_ms, self.tau_syn_in),
            "half_ex": decayed(h / 2, self.tau_syn_ex),
            "half_in": decayed(h / 2, self.tau_syn_in),
            "left_ex": 1.0 - dt_ms / self.tau_syn_ex,
            "left_in": 1.0 - dt_ms / self.tau_syn_in,
            "left_ff": 1.0 - dt_ms / self.tau_syn_ff,
            "one": 1.0,
            "half": 0.5,
            "at_reset": self.g_L * self.Delta_T * decayed(self.V_th - self.V_reset, self.Delta_T),
            "per_peak": decayed(self.V_peak - self.V_th, self.Delta_T),
            "h_cd": h / (self.C_m * self.Delta_T),
            "h_c": h / self.C_m,
            "h_2c": h / (2 * self.C_m),
            "h_6c": h / (6 * self.C_m),
            "dt_c": dt_ms / self.C_m,
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    def check(self, dt_ms: float) -> str:
        """Return what is wrong with the order of voltages, and with a refractory time that forward Euler needs."""
        wrong = not_ascending(self, "V_reset", "V_peak") or not_ascending(self, "V_th", "V_peak")
        if self.integration == "forward_euler" and int(np.min(refractory_steps(self.t_ref, dt_ms))) < 1:
            return wrong or f"t_ref is below the time step of {dt_ms:g} ms, which integration forward_euler resets V in"
        return wrong

    def form(self, precision: str) -> Any:
        """Return what `integration` names."""
        return _ForwardEuler if self.integration == "forward_euler" else type(self)

    @staticmethod
    def step(
        V_m, I_syn_ex, I_syn_in, refractory, ex, inh, current, reset, peak, soft, leak, rise, per_delta, P11_ex, P11_in,
        half_ex, half_in, one, half, h_cd, h_c, h_2c, h_6c, at_reset, per_peak, ref_steps,
    ):  # fmt: skip
        """Advance one neuron by Runge-Kutta steps."""
        now = V_m, I_syn_ex, I_syn_in, refractory > 0, False
        membrane = current, reset, peak, soft, leak, rise, per_delta, half_ex, half_in, ref_steps > 0
        parts = one, half, h_cd, h_c, h_2c, h_6c, at_reset, per_peak
        now = _substep(now, membrane, parts)
        v, _, _, _, fired = _substep(now, membrane, parts)
        return v, I_syn_ex * P11_ex + ex, I_syn_in * P11_in + inh, rested(refractory, fired, ref_steps), fired


def _substep(now, membrane, parts):
    v, i_ex, i_in, held, fired = now
    current, reset, peak, soft, leak, rise, per_delta, half_ex, half_in, lasts = membrane
    one, half, h_cd, h_c, h_2c, h_6c, at_reset, per_peak = parts
    middle_ex, middle_in = i_ex * half_ex, i_in * half_in
    end_ex, end_in = middle_ex * half_ex, middle_in * half_in
    middle, end = current + middle_ex + middle_in, current + end_ex + end_in
    shape = peak, soft, leak, rise, per_delta
    k1, upstroke = _current(v, current + i_ex + i_in, shape)
    k2, _ = _current(v + h_2c * k1, middle, shape)
    k3, _ = _current(v + h_2c * k2, middle, shape)
    k4, _ = _current(v + h_c * k3, end, shape)
    moved = v + h_6c * (k1 + (k2 + k2) + (k3 + k3) + k4)
    # Once the exponential dominates, V is infinite in a time that is known: with the rest of the current constant,
    # exp((V_th - V) / Delta_T) obeys a linear equation. `fall` and `linear` are fractions of what it was at the start.
    fall, linear = h_cd * k1, h_cd * (k1 - rise * upstroke)
    spikes = ((moved >= peak) | (fall * (one - half * linear) >= one - upstroke * per_peak)) & (not held)
    early = one / (fall - half * linear)
    crossing = early if (early > 0) & (early < one) else one
    # What is left of the step begins at the reset.
    after = reset + (one - crossing) * h_c * (at_reset - leak * reset + end)
    v = (reset if lasts | held else after) if spikes | held else moved
    return v, end_ex, end_in, held | (spikes & lasts), fired | spikes


def _current(v, current, shape):
    """Return the current into a neuron, pA, and its exponential; its voltage counts up to the peak only."""
    peak, soft, leak, rise, per_delta = shape
    bounded = peak if v > peak else v
    upstroke = exp((bounded - soft) * per_delta)
    return rise * upstroke - leak * bounded + current, upstroke


class _ForwardEuler:
    """`Eif` by forward Euler steps, with a third current."""

    states: ClassVar[tuple[State, ...]] = (
        _VOLTAGE,
        State("I_syn_ex", "pA"),
        State("I_syn_in", "pA"),
        State("I_syn_ff", "pA"),
        _REFRACTORY,
    )
    receptors: ClassVar[tuple[Receptor, ...]] = (
        Receptor("ex", "pA", 1),
        Receptor("inh", "pA", -1),
        Receptor("ff", "pA", source="named"),
    )

    @staticmethod
    def step(
        V_m, I_syn_ex, I_syn_in, I_syn_ff, refractory, ex, inh, ff, current, reset, peak, soft, lowest, leak, rise,
        per_delta, left_ex, left_in, left_ff, dt_c, ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        i_ex, i_in, i_ff = (I_syn_ex + ex) * left_ex, (I_syn_in + inh) * left_in, (I_syn_ff + ff) * left_ff
        up = dt_c * (i_ff + i_ex + i_in + current - leak * V_m + rise * exp((V_m - soft) * per_delta))
        down = lowest - V_m
        moved = V_m + (up if up > down else down)
        held = refractory > 0
        last = refractory == 1
        resting = reset if last else peak
        new = resting if held else moved
        fired = (new >= peak) & (not held)
        return peak if fired else new, i_ex, i_in, i_ff, rested(refractory, fired, ref_steps), fired
