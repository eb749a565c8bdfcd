"""`lgn_cell`: a leaky integrator with shot noise, the relay cell that drives models of primary visual cortex."""

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
class LgnCell(NeuronModel):
    """Leaky integrator of a drive and of shot noise whose sign is drawn once per step.

    dV/dt = -V / tau_m + I, with I = I_e and all direct currents (the stimulus, 1/ms; V has no unit). Step k: V decays, the
    drive of the step is added, then the shots that arrived in it, all with one sign: positive if nothing arrived at receptor
    `flip`, negative if something did. V > V_th emits a spike stamped k + 1 and sets V to 0. Shots come from a `PoissonInput`,
    their sign from one with `receptor="flip"`: ln 2 / dt events per ms make both signs equally likely.

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Time constant of the leak, ms.
    I_e : float, array [neuron] or Distribution
        Constant drive, 1/ms.
    V_th : float, array [neuron] or Distribution
        Threshold, above 0, without unit.
    t_ref : float, array [neuron] or Distribution
        Time after a spike for which V is held at 0, ms, taken up to whole steps.
    """

    tau_m: Parameter = time_constant(default=10.0)
    I_e: Parameter = parameter(default=0.1, unit="1/ms")
    V_th: Parameter = parameter(default=1.2, unit="1", above=0.0)
    t_ref: Parameter = refractory_time(default=0.0)

    states = (State("V_m", "1"), State("refractory", "step", width="count"))
    receptors = (Receptor("shot", "1"), Receptor("flip", "1", source="named"))

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the decay of a step, and its length."""
        return {
            "zero": 0.0,
            "leak": decayed(dt_ms, self.tau_m),
            "dt": dt_ms,
            "threshold": self.V_th,
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(V_m, refractory, shot, flip, current, zero, leak, dt, threshold, ref_steps):
        """Advance one neuron."""
        moved = V_m * leak + dt * current + (shot if flip == zero else -shot)
        new = zero if refractory > 0 else moved
        fired = new > threshold
        return zero if fired else new, rested(refractory, fired, ref_steps), fired
