"""`connectome_lif`: the neuron of the fly connectome model, with kicks and gap junctions."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Mapping
from typing import Any

from allometry.network.integration import decayed, psp_propagator, refractory_steps
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
class ConnectomeLif(NeuronModel):
    """The neuron of the fly connectome model (Shiu et al., Nature 634:210, 2024).

    dV/dt = (E_L - V + g) / tau_m, dg/dt = -g / tau_syn, both frozen while refractory. Step k: exact step unless
    refractory; the weights of slot k are added to g (also while refractory); kicks (Poisson and spike-list inputs)
    are added to V; unless refractory, V > V_th (strictly) emits a spike stamped k + 1 and sets V = V_reset, g = 0.
    Weights and kicks are in mV. Gap junctions see V before a reset, so that a spike is one step wide for them.

    Parameters
    ----------
    tau_m : float, array [neuron] or Distribution
        Membrane time constant, ms.
    tau_syn : float, array [neuron] or Distribution
        Time constant of the synaptic input g, ms.
    E_L : float, array [neuron] or Distribution
        Resting potential, mV.
    V_reset : float, array [neuron] or Distribution
        Voltage after a spike, mV, below V_th.
    V_th : float, array [neuron] or Distribution
        Threshold, mV.
    t_ref : float, array [neuron] or Distribution
        Refractory time, ms, taken up to whole steps.
    """

    tau_m: Parameter = time_constant(default=20.0)
    tau_syn: Parameter = time_constant(default=5.0)
    E_L: Parameter = parameter(default=-52.0, unit="mV")
    V_reset: Parameter = parameter(default=-52.0, unit="mV")
    V_th: Parameter = parameter(default=-45.0, unit="mV")
    t_ref: Parameter = refractory_time(default=2.2)

    states = (
        State("V_m", "mV", "E_L", "E_L"),
        State("g"),
        State("V_seen", "mV", "V_m", "E_L"),
        State("refractory", "step", width="count"),
    )
    receptors = (Receptor("psp", "mV", source="synapses"), Receptor("kick", "mV", source="inputs"))
    gap_voltage = "V_seen"

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return the propagators of a step, and what a gap junction's mV adds to V in it."""
        return {
            "reset": self.V_reset - self.E_L,
            "threshold": self.V_th - self.E_L,
            "decay_v": decayed(dt_ms, self.tau_m),
            "decay_g": decayed(dt_ms, self.tau_syn),
            "from_g": psp_propagator(dt_ms, self.tau_syn, self.tau_m),
            "gap_rate": dt_ms / self.tau_m,
            "ref_steps": refractory_steps(self.t_ref, dt_ms),
        }

    @staticmethod
    def step(
        V_m, g, V_seen, refractory, psp, kick, gap, reset, threshold, decay_v, decay_g, from_g, gap_rate, ref_steps
    ):  # fmt: skip
        """Advance one neuron."""
        free = refractory == 0
        moved = (V_m * decay_v + g * from_g + gap * gap_rate) if free else V_m
        held = g * decay_g if free else g
        held += psp
        moved += kick
        fired = free and moved > threshold
        return reset if fired else moved, 0.0 if fired else held, moved, rested(refractory, fired, ref_steps), fired
