"""Mean-field theory of leaky integrate-and-fire neurons: stationary rates by the Siegert formula.

Sources: Siegert 1951, Phys Rev 81:617; Brunel 2000, J Comput Neurosci 8:183, eq. 21; correction for exponential
synaptic currents to first order in √(τ_s/τ_m): Fourcaud & Brunel 2002, Neural Comput 14:2057.
"""

import math
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.fixed_order import product


class LifNeuron(Protocol):
    """What the theory needs of a neuron: time constant and refractory time (ms), potentials (mV)."""

    @property
    def tau_m(self) -> float:
        """Membrane time constant, ms."""

    @property
    def E_L(self) -> float:
        """Resting potential, mV."""

    @property
    def V_reset(self) -> float:
        """Reset potential, mV."""

    @property
    def V_th(self) -> float:
        """Threshold, mV."""

    @property
    def t_ref(self) -> float:
        """Refractory time, ms."""


def siegert_rate(mu_mv: float, sigma_mv: float, neuron: LifNeuron, tau_syn_ms: float = 0.0) -> float:
    """Stationary rate (Hz) of a leaky integrate-and-fire neuron with white or exponentially filtered noise.

    1/ν = t_ref + τ_m √π ∫ exp(u²)(1 + erf u) du from (V_reset − μ)/σ to (V_th − μ)/σ, for τ_m dV/dt = −V + μ + σ√τ_m ξ;
    with synaptic time constant τ_s both limits move by α/2 √(τ_s/τ_m), α = √2 |ζ(1/2)|.

    Parameters
    ----------
    mu_mv, sigma_mv : float
        Mean and standard deviation of the input in the units of the equation above, mV, relative to E_L.
    neuron : LifNeuron
        Time constant, refractory time, reset and threshold.
    tau_syn_ms : float
        Synaptic time constant; 0 for delta synapses.
    """
    if not sigma_mv > 0:
        raise SimulationError(f"sigma is {sigma_mv}", where="siegert_rate", expected="a positive number of mV")
    shift = math.sqrt(2) * abs(scipy.special.zeta(0.5)) / 2 * math.sqrt(tau_syn_ms / neuron.tau_m)
    low = (neuron.V_reset - neuron.E_L - mu_mv) / sigma_mv + shift
    high = (neuron.V_th - neuron.E_L - mu_mv) / sigma_mv + shift
    # exp(u²)(1 + erf u) = erfcx(−u) stays finite for strongly driven neurons; beyond u = 26 the rate is 0 in float64.
    if high > 26:
        return 0.0
    integral = scipy.integrate.quad(lambda u: scipy.special.erfcx(-u), low, high, limit=200)[0]
    return 1000 / (neuron.t_ref + neuron.tau_m * math.sqrt(math.pi) * integral)


def brunel_rate(
    j_mv: float, g: float, external_hz: float, n_excitatory: float, n_inhibitory: float, neuron: LifNeuron
) -> float:
    """Self-consistent rate (Hz) of a random network whose neurons all receive the same input (Brunel 2000).

    Parameters
    ----------
    j_mv, g : float
        Excitatory weight (mV); inhibitory weight relative to it.
    external_hz : float
        Summed external rate per neuron, weight `j_mv`.
    n_excitatory, n_inhibitory : float
        In-degrees.
    neuron : LifNeuron
        Common parameters.
    """
    tau_s = neuron.tau_m / 1000

    def excess(rate: float) -> float:
        mu = tau_s * j_mv * (rate * (n_excitatory - g * n_inhibitory) + external_hz)
        variance = tau_s * j_mv**2 * (rate * (n_excitatory + g**2 * n_inhibitory) + external_hz)
        return siegert_rate(mu, math.sqrt(variance), neuron) - rate

    if excess(0.0) <= 0:
        return 0.0
    return float(scipy.optimize.brentq(excess, 0.0, 1000 / max(neuron.t_ref, 0.1)))


def population_rates(
    indegree: NDArray[np.float64],
    weight: NDArray[np.float64],
    external_mean: NDArray[np.float64],
    external_square: NDArray[np.float64],
    neuron: LifNeuron,
    *,
    current_to_mv: float = 1.0,
    tau_syn_ms: float = 0.0,
    square_weight: NDArray[np.float64] | None = None,
    tolerance_hz: float = 1e-6,
) -> NDArray[np.float64]:
    """Self-consistent stationary rates (Hz) of coupled populations.

    The fixed point of ν = Φ(μ(ν), σ(ν)) with μ = τ_m (K∘J ν + external_mean), σ² = τ_m (K∘J² ν + external_square) is
    approached by relaxation dν/ds = Φ(ν) − ν from zero rates (Wong & Wang 2006; Schuecker et al. 2017).

    Parameters
    ----------
    indegree, weight : arrays [target, source]
        Synapses per target neuron; voltage jump of one spike (mV) or the weight that `current_to_mv` turns into it.
    external_mean, external_square : arrays [target]
        Rate times weight and rate times squared weight of the external input, per second.
    neuron : LifNeuron
        Common parameters.
    current_to_mv : float
        Voltage jump per unit of weight: τ_s/C_m for exponential currents in pA.
    tau_syn_ms : float
        Synaptic time constant; 0 for delta synapses.
    square_weight : array [target, source], optional
        Mean squared weight where weights are distributed; default the square of `weight`.
    tolerance_hz : float
        Largest accepted |Φ(ν) − ν|.

    Raises
    ------
    SimulationError
        If the relaxation does not converge.
    """
    tau_s = neuron.tau_m / 1000
    jump = weight * current_to_mv
    square = jump**2 if square_weight is None else square_weight * current_to_mv**2
    mean0, square0 = external_mean * current_to_mv, external_square * current_to_mv**2
    rates = np.zeros(len(indegree))
    step = 0.2
    for _ in range(5000):
        mu = tau_s * (product(indegree * jump, rates) + mean0)
        sigma = np.sqrt(tau_s * (product(indegree * square, rates) + square0))
        change = np.array([siegert_rate(m, s, neuron, tau_syn_ms) for m, s in zip(mu, sigma)]) - rates
        if np.abs(change).max() < tolerance_hz:
            return rates
        rates = rates + step * change
    raise SimulationError(
        "the mean-field rates do not converge",
        where="population_rates",
        expected=f"a stable fixed point; the last change is {np.abs(change).max():.3g} Hz",
    )
