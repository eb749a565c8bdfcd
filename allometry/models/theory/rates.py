"""Theory of networks: stationary rates of leaky integrate-and-fire neurons by the Siegert formula, and correlations in space.

Sources of the rates: Siegert 1951, Phys Rev 81:617; Brunel 2000, J Comput Neurosci 8:183, eq. 21; correction for exponential
synaptic currents to first order in √(τ_s/τ_m): Fourcaud & Brunel 2002, Neural Comput 14:2057.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.numerics.fixed_order import product


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


@dataclass(frozen=True)
class SpatialBalance:
    """Correlations of a balanced network in space, on the unit torus (Rosenbaum et al. 2017, Nat Neurosci 20:107).

    Spike counts in long windows. In the Fourier mode n, k = |n|², the widths weigh W(n) = W exp(-2π² k σ²) and
    F(n) = q_F r_F w_F w_Fᵀ exp(-4π² k σ_F²), and with finite gains G = diag(`gain`) the power is
    S(n) = (G⁻¹ - √N W(n))⁻¹ F(n) (G⁻¹ - √N W(n))⁻ᵀ; the covariance at a displacement u is the sum over n of S(n) cos(2π n·u).

    Parameters
    ----------
    recurrent : tuple of tuple of float
        W [target, source] of E and I, mV: share of the neurons times connection probability times j.
    feedforward : tuple of float
        w_F of E and I, mV: connection probability times j.
    share : float
        q_F, feedforward neurons over N.
    rate_hz : float
        Rate of the feedforward neurons, Hz.
    neurons : int
        N, of E and I together.
    sigma_recurrent, sigma_feedforward : float
        Widths of the projections, in shares of the sheet.
    gain : tuple of float
        Of E and I; those of the source are fitted to simulations.
    """

    recurrent: tuple[tuple[float, float], tuple[float, float]]
    feedforward: tuple[float, float]
    share: float
    rate_hz: float
    neurons: int
    sigma_recurrent: float
    sigma_feedforward: float
    gain: tuple[float, float] = (0.0122, 0.0174)

    @property
    def balanced_rates_hz(self) -> tuple[float, float]:
        """Rates of E and I in the limit of many neurons, Hz: -W⁻¹ w_F q_F r_F."""
        e, i = self._solved(0.0, 0.0, 1.0)
        drive = self.share * self.rate_hz
        return float(e) * drive, float(i) * drive

    def asymptotic(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Correlation of E pairs in the limit of many neurons to the order 1/N, [distance], over the balanced rate.

        Raises
        ------
        SimulationError
            Where the recurrent projections are not the narrower ones: there is no such limit.
        """
        squared = 2 * (self.sigma_feedforward**2 - self.sigma_recurrent**2)
        if squared <= 0:
            raise SimulationError(
                f"the recurrent width {self.sigma_recurrent:g} is not below the feedforward one, {self.sigma_feedforward:g}",
                where="SpatialBalance.asymptotic",
                expected="narrower recurrent projections; the others have the theory of finite gains",
                do="use SpatialBalance.correlation",
            )
        e, _ = self._solved(0.0, 0.0, 1.0)
        # rates over rates: their unit drops out
        power = float(e) ** 2 * self.share * self.rate_hz
        peak = power / (self.neurons * self.balanced_rates_hz[0] * 2 * math.pi * squared)
        return peak * np.exp(-np.square(distance) / (2 * squared))

    def correlation(
        self, x: NDArray[np.float64], y: NDArray[np.float64], rate_hz: float | None = None, modes: int = 20
    ) -> NDArray[np.float64]:
        """Correlation of E pairs with finite gains.

        Parameters
        ----------
        x, y : array [pair]
            Displacements, in shares of the sheet.
        rate_hz : float, optional
            Rate of E that the covariance is divided by, as the variance of a count is about its mean; None: the balanced one.
        modes : int
            Largest |n| along each axis.

        Returns
        -------
        ndarray [pair]
        """
        n = np.arange(-modes, modes + 1)
        k = (n[:, None] ** 2 + n**2).astype(float)
        width = np.exp(-2 * math.pi**2 * k * self.sigma_recurrent**2)
        e, _ = self._solved(1 / self.gain[0], 1 / self.gain[1], math.sqrt(self.neurons) * width)
        power = e**2 * self.share * self.rate_hz * np.exp(-4 * math.pi**2 * k * self.sigma_feedforward**2)
        across, along = (np.exp(2j * math.pi * np.multiply.outer(np.asarray(u, float), n)) for u in (x, y))
        found = np.einsum("pa,ab,pb->p", across, power, along).real
        return np.asarray(found / (self.balanced_rates_hz[0] if rate_hz is None else rate_hz))

    def _solved(
        self, leak_e: float, leak_i: float, factor: float | NDArray[np.float64]
    ) -> tuple[float | NDArray[np.float64], float | NDArray[np.float64]]:
        """(diag(leaks) - factor W)⁻¹ w_F of E and I; no leaks are infinite gains."""
        (ee, ei), (ie, ii) = self.recurrent
        a, b, c, d = leak_e - factor * ee, -factor * ei, -factor * ie, leak_i - factor * ii
        determinant = a * d - b * c
        u, v = self.feedforward
        return (d * u - b * v) / determinant, (a * v - c * u) / determinant
