"""Mean-field theory of tanh networks of low rank with zero-mean Gaussian loadings, under a tonic input.

With x = sum over r of kappa_r m^r + u I and loadings m, I of unit variance that do not overlap,
tau dkappa_r/dt = -kappa_r + g(Delta) [sum over s of sigma_rs kappa_s + sigma_rI u], Delta = sum of kappa_s^2 + u^2,
g(Delta) = E[1 - tanh^2(sqrt(Delta) z)], z standard normal (Mastrogiuseppe & Ostojic 2018, Neuron 99:609; Beiran et al. 2023,
Neuron 111:739). It is the limit of many units; the slope is that of every network whose second moments are these.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allometry.models.features.elementary import tanh

Floats = NDArray[np.float64]

_NODES = 60
"""Nodes of Gauss and Hermite's rule: exact to 1e-6 for Delta up to 10."""


@functools.cache
def _half_rule() -> tuple[Floats, Floats]:
    """Positive nodes and their weights, of an even function under a standard normal density."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    positive = nodes > 0
    return nodes[positive], 2.0 * weights[positive] / weights.sum()


def gain(delta: ArrayLike) -> Floats:
    """Mean slope of tanh under a Gaussian input: E[1 - tanh^2(sqrt(Delta) z)].

    Parameters
    ----------
    delta : array_like
        Variance of the input, 0 or above, any shape.
    """
    nodes, weights = _half_rule()
    rate = tanh(np.sqrt(np.asarray(delta, np.float64))[..., None] * nodes)
    return np.asarray(((1.0 - rate * rate) * weights).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class LowRankField:
    """Mean field of a network of rank R.

    Parameters
    ----------
    overlap : ndarray [..., R, R]
        sigma of n_r and m_s.
    input_overlap : ndarray [..., R]
        sigma of n_r and I.
    tau_ms : float
        Time constant, ms.
    """

    overlap: Floats
    input_overlap: Floats
    tau_ms: float = 100.0

    def slope(self, kappa: Floats, u: Floats) -> Floats:
        """Slope of the latent variables, 1/ms.

        Parameters
        ----------
        kappa : ndarray [..., R]
            Latent variables.
        u : ndarray [...]
            Tonic input.
        """
        variance = (kappa * kappa).sum(axis=-1) + u * u
        return (gain(variance)[..., None] * self.recurrent(kappa, u) - kappa) / self.tau_ms

    def recurrent(self, kappa: Floats, u: Floats) -> Floats:
        """What the loops would feed back at unit gain, [..., R]."""
        looped = (self.overlap * kappa[..., None, :]).sum(axis=-1)
        return np.asarray(looped + self.input_overlap * u[..., None])

    def trajectory(self, start: Floats, u: Floats, dt_ms: float, steps: int) -> Floats:
        """Latent variables from a start on, by Euler's method, [step, ..., R].

        Parameters
        ----------
        start : ndarray [..., R]
            At time 0.
        u : ndarray [...]
            Tonic input.
        dt_ms : float
            Step, ms.
        steps : int
            Number of samples, the first the start.
        """
        kappa = np.array(start, np.float64)
        found = np.empty((steps, *kappa.shape))
        for step in range(steps):
            found[step] = kappa
            kappa = kappa + dt_ms * self.slope(kappa, u)
        return found


def crossing(y: ArrayLike, level: float, dt_ms: float) -> Floats:
    """Time of the first upward crossing of a level, linear between samples; NaN where there is none.

    Parameters
    ----------
    y : array_like [time, ...]
        Samples.
    level : float
        Level.
    dt_ms : float
        Time between samples, ms.

    Returns
    -------
    ndarray [...]
        ms.
    """
    values = np.asarray(y, np.float64)
    up = (values[:-1] < level) & (values[1:] >= level)
    first = up.argmax(axis=0)
    below, above = (np.take_along_axis(values, (first + k)[None], axis=0)[0] for k in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        time = (first + (level - below) / (above - below)) * dt_ms
    return np.where(up.any(axis=0), time, np.nan)


GHOST = LowRankField(np.array([[2.0]]), np.array([1.0]))
"""Rank one, n = 2 m + I: a saddle-node bifurcation at u = .380354, above whose ghost the state passes slowly."""
