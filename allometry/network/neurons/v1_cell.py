"""`v1_cell`: the cell of macaque V1 layer 4C-alpha, with AMPA, NMDA and GABA conductances that rise and fall."""

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
class V1Cell(NeuronModel):
    """Leaky integrate-and-fire neuron of macaque V1 (Chariker, Shapley & Young 2016, J Neurosci 36:12368).

    dV/dt = -V / tau_m + (g_AMPA + g_NMDA)(E_ex - V) + g_GABA (E_in - V), with V relative to rest and in units of the
    threshold, conductances in 1/ms. A weight S is the time integral of the conductance, without unit:

    - AMPA: S (t / tau)^3 exp(-t / tau) / (6 tau).
    - NMDA: S (exp(-t / tau_nmda) - exp(-t / tau_nmda_rise)) / (tau_nmda - tau_nmda_rise).
    - GABA: the shape of AMPA with `tau_gaba`; an event enters it as far along as the same shape with `gaba_advanced_tau` is
      `gaba_advance` after its beginning, divided by `gaba_area` (as published; its integral is 1.154 S).

    Receptor `ex` (weights >= 0) gives a share `nmda` of each event to NMDA and the rest to AMPA; `ampa` (for projections and
    inputs that name it) is AMPA alone; `gaba` takes negative weights. Step k: what arrives in slot k enters the conductances,
    which have moved on by a step; then V <- V exp(-dt / tau_m) + dt (g_ex (E_ex - V) + g_in (E_in - V)), unless refractory;
    V >= V_th emits a spike stamped k + 1 and sets V to 0. A delay of one step is then the shortest there is: a spike of
    step k acts on V in step k + 1.

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    V_th : float, array [neuron] or Distribution
        Threshold, above 0, without unit.
    t_ref : float, array [neuron] or Distribution
        Time after a spike for which V is held at 0, ms, taken up to whole steps.
    E_ex, E_in : float, array [neuron] or Distribution
        Reversal potentials, without unit.
    nmda : float, array [neuron] or Distribution
        Share of an event of `ex` that goes to NMDA, 0 to 1.
    tau_ampa, tau_gaba, tau_nmda, tau_nmda_rise : float, array [neuron] or Distribution
        Time constants of the conductances, ms.
    gaba_advanced_tau, gaba_advance : float, array [neuron] or Distribution
        How far along its course a GABA event begins, ms.
    gaba_area : float, array [neuron] or Distribution
        Divisor of a GABA event, without unit.
    """

    tau_m: Parameter = time_constant(default=20.0)
    V_th: Parameter = parameter(default=1.0, unit="1", above=0.0)
    t_ref: Parameter = refractory_time(default=2.0)
    E_ex: Parameter = parameter(default=4.67, unit="1")
    E_in: Parameter = parameter(default=-0.67, unit="1")
    nmda: Parameter = parameter(default=0.2, unit="1", at_least=0.0)
    tau_ampa: Parameter = time_constant(default=1.1667)
    tau_gaba: Parameter = time_constant(default=1.87875)
    tau_nmda: Parameter = time_constant(default=80.0)
    tau_nmda_rise: Parameter = time_constant(default=2.0)
    gaba_advanced_tau: Parameter = time_constant(default=1.67)
    gaba_advance: Parameter = parameter(default=1.3333, unit="ms", at_least=0.0)
    gaba_area: Parameter = parameter(default=0.9664384, unit="1", above=0.0)

    states = (
        State("V_m", "1"),
        State("g_ampa", "1/ms"),
        State("ampa_1", "1/ms"),
        State("ampa_2", "1/ms"),
        State("ampa_3", "1/ms"),
        State("nmda_slow", "1/ms"),
        State("nmda_rise", "1/ms"),
        State("g_gaba", "1/ms"),
        State("gaba_1", "1/ms"),
        State("gaba_2", "1/ms"),
        State("gaba_3", "1/ms"),
        State("refractory", "step", width="count"),
    )
    receptors = (
        Receptor("ex", "1", 1),
        Receptor("ampa", "1", 1, source="named"),
        Receptor("gaba", "1", -1),
    )

    def check(self, dt_ms: float) -> str:
        """Return what is wrong with the shares and the two time constants of NMDA."""
        share, rise, fall = (self.nmda, self.tau_nmda_rise, self.tau_nmda)
        if (share > 1) if isinstance(share, float | int) else (share > 1).any():
            return "nmda is above 1"
        slower = rise >= fall
        return "tau_nmda_rise is not below tau_nmda" if (slower if isinstance(slower, bool) else slower.any()) else ""

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the propagators of a step, and what a weight of 1 adds to the states."""
        h = dt_ms
        ampa, gaba = h / self.tau_ampa, h / self.tau_gaba
        along = self.gaba_advance / self.gaba_advanced_tau
        gaba_3 = decayed(self.gaba_advance, self.gaba_advanced_tau) / (6 * self.gaba_advanced_tau) / self.gaba_area
        to_nmda = self.nmda / (self.tau_nmda - self.tau_nmda_rise)
        return {
            "zero": 0.0,
            "leak": decayed(h, self.tau_m),
            "threshold": self.V_th,
            "dt": h,
            "dt_ex": h * self.E_ex,
            "dt_in": h * self.E_in,
            "decay_a": decayed(h, self.tau_ampa),
            "a1": ampa,
            "a2": 2 * ampa,
            "a3": 3 * ampa,
            "aa": ampa * ampa,
            "aa3": 3 * ampa * ampa,
            "aaa": ampa * ampa * ampa,
            "decay_g": decayed(h, self.tau_gaba),
            "b1": gaba,
            "b2": 2 * gaba,
            "b3": 3 * gaba,
            "bb": gaba * gaba,
            "bb3": 3 * gaba * gaba,
            "bbb": gaba * gaba * gaba,
            "decay_s": decayed(h, self.tau_nmda),
            "decay_r": decayed(h, self.tau_nmda_rise),
            "ex_to_ampa": (1.0 - self.nmda) / (6 * self.tau_ampa),
            "to_ampa": 1.0 / (6 * self.tau_ampa),
            "to_nmda": to_nmda,
            "start_0": -gaba_3 * along * along * along,
            "start_1": -gaba_3 * along * along,
            "start_2": -gaba_3 * along,
            "start_3": -gaba_3,
            "ref_steps": refractory_steps(self.t_ref, h),
        }

    @staticmethod
    def step(
        V_m, g_ampa, ampa_1, ampa_2, ampa_3, nmda_slow, nmda_rise, g_gaba, gaba_1, gaba_2, gaba_3, refractory, ex, ampa,
        gaba, zero, leak, threshold, dt, dt_ex, dt_in, decay_a, a1, a2, a3, aa, aa3, aaa, decay_g, b1, b2, b3, bb, bb3,
        bbb, decay_s, decay_r, ex_to_ampa, to_ampa, to_nmda, start_0, start_1, start_2, start_3, ref_steps,
    ):  # fmt: skip
        """Advance one neuron."""
        top = ampa_3 + (ex * ex_to_ampa + ampa * to_ampa)
        x0 = decay_a * (g_ampa + a3 * ampa_1 + aa3 * ampa_2 + aaa * top)
        x1 = decay_a * (ampa_1 + a2 * ampa_2 + aa * top)
        x2 = decay_a * (ampa_2 + a1 * top)
        x3 = decay_a * top
        arrived = ex * to_nmda
        slow = nmda_slow * decay_s + arrived
        rise = nmda_rise * decay_r + arrived
        y0 = decay_g * (g_gaba + b3 * gaba_1 + bb3 * gaba_2 + bbb * gaba_3) + gaba * start_0
        y1 = decay_g * (gaba_1 + b2 * gaba_2 + bb * gaba_3) + gaba * start_1
        y2 = decay_g * (gaba_2 + b1 * gaba_3) + gaba * start_2
        y3 = decay_g * gaba_3 + gaba * start_3
        excited = x0 + (slow - rise)
        moved = V_m * leak + (excited * (dt_ex - dt * V_m) + y0 * (dt_in - dt * V_m))
        new = zero if refractory > 0 else moved
        fired = new >= threshold
        return (
            zero if fired else new, x0, x1, x2, x3, slow, rise, y0, y1, y2, y3, rested(refractory, fired, ref_steps), fired,
        )  # fmt: skip
