"""Neuron models: their parameters and equations. The kernels that integrate them are in `update`."""

from dataclasses import dataclass

import numpy as np

from allometry.network.scalars import as_written
from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True)
class IafPscExp:
    """Leaky integrate-and-fire neuron with exponential postsynaptic currents, integrated exactly.

    C_m dV/dt = -(C_m / tau_m)(V - E_L) + I_ex + I_in + I_e,  dI_x/dt = -I_x / tau_syn_x.
    Step k (Rotter & Diesmann 1999; NEST `iaf_psc_exp`): V moves with the old currents unless refractory; the currents
    decay; the weights arriving in slot k are added (to I_ex if positive, to I_in if negative); V >= V_th emits a
    spike stamped k + 1. Units: pF, ms, mV, pA; weights are in pA.
    """

    C_m: float = 250.0
    tau_m: float = 10.0
    tau_syn_ex: float = 0.5
    tau_syn_in: float = 0.5
    E_L: float = -65.0
    V_reset: float = -65.0
    V_th: float = -50.0
    t_ref: float = 2.0
    I_e: float = 0.0


@serialisable
@dataclass(frozen=True)
class IafPscDelta:
    """Leaky integrate-and-fire neuron whose voltage jumps by the arriving weights.

    Step k (Brunel 2000; NEST `iaf_psc_delta`): V decays to E_L + tau_m I_e / C_m and the weights of slot k are added;
    a refractory neuron holds V_reset and discards them; V >= V_th emits a spike stamped k + 1. Weights are in mV.
    """

    C_m: float = 1.0
    tau_m: float = 20.0
    E_L: float = 0.0
    V_reset: float = 10.0
    V_th: float = 20.0
    t_ref: float = 2.0
    I_e: float = 0.0


@serialisable
@dataclass(frozen=True, eq=False)
class ConnectomeLif:
    """The neuron of the fly connectome model (Shiu et al., Nature 634:210, 2024).

    dV/dt = (E_L - V + g) / tau_m, dg/dt = -g / tau_syn, both frozen while refractory. Step k: exact step unless
    refractory; the weights of slot k are added to g (also while refractory); kicks (Poisson and spike-list inputs)
    are added to V; unless refractory, V > V_th (strictly) emits a spike stamped k + 1 and sets V = V_reset, g = 0.
    Weights and kicks are in mV. `t_ref` is a number or one value per neuron (the driven neurons have 0).
    """

    tau_m: float = 20.0
    tau_syn: float = 5.0
    E_L: float = -52.0
    V_reset: float = -52.0
    V_th: float = -45.0
    t_ref: float | np.ndarray = 2.2

    def __post_init__(self) -> None:
        if not isinstance(self.t_ref, int | float):
            object.__setattr__(self, "t_ref", as_written(self.t_ref))


NeuronModel = IafPscExp | IafPscDelta | ConnectomeLif
