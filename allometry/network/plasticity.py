"""Plasticity of a projection: short-term (per presynaptic neuron) and spike-timing dependent (per synapse)."""

from dataclasses import dataclass

from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True)
class ShortTermPlasticity:
    """Depression and facilitation of Tsodyks & Markram, as NEST's `tsodyks2_synapse` has them.

    A presynaptic spike releases u x of the weight. Between spikes h apart, in this order: x <- 1 + (x - x u - 1)
    exp(-h / tau_rec), u <- U + u (1 - U) exp(-h / tau_fac) (Maass & Markram 2002, eq. 2). At the first spike x = 1 and
    u = U (NEST has these where u is set to U). With tau_fac = 0, u stays U: one resource per neuron, R = x.

    Parameters
    ----------
    U : float
        Share of the resources that a spike uses, 0 to 1.
    tau_rec : float
        Time constant of recovery, ms.
    tau_fac : float
        Time constant of facilitation, ms; 0: none.
    """

    U: float = 0.5
    tau_rec: float = 800.0
    tau_fac: float = 0.0


@serialisable
@dataclass(frozen=True)
class STDP:
    """Pair-based spike-timing dependent plasticity, all to all, as NEST's `stdp_synapse` has it (delays are dendritic).

    With w = weight / Wmax: a postsynaptic spike adds learning_rate (1 - w)^mu_plus K_plus, a presynaptic one takes
    alpha learning_rate w^mu_minus K_minus; K_plus and K_minus are sums of exp(-dt / tau) over earlier spikes of the other
    side, as they are at the synapse. mu = 0 is additive, mu = 1 multiplicative. Weights stay in [0, Wmax].

    Parameters
    ----------
    Wmax : float
        Largest weight, in the unit of the target's weights; weights are not negative.
    tau_plus, tau_minus : float
        Time constants, ms (NEST has tau_minus in the postsynaptic neuron).
    learning_rate, alpha : float
        lambda of NEST, and the ratio of depression to potentiation.
    mu_plus, mu_minus : float
        Dependence on the weight.
    """

    Wmax: float
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    learning_rate: float = 0.01
    alpha: float = 1.0
    mu_plus: float = 1.0
    mu_minus: float = 1.0


Plasticity = ShortTermPlasticity | STDP
