"""Propagators of a linear network over one step, the same bits on every CPU.

dx/dt = A x + c gives x(t + h) = exp(A h) x(t) + P(h) c, with P(h) the integral of exp(A s) over [0, h]. Both are Taylor series
at h / 2^s, where the norm of A h / 2^s is below 1/2, doubled s times: exp(2 a) = exp(a)^2, P(2 h) = P(h) + exp(A h) P(h).
"""

import math

import numpy as np

from allometry.numerics.fixed_order import product

_TERMS = 16
"""Terms of the series: at norm 1/2 the rest is below 2^-60."""


def propagators(generator: np.ndarray, dt_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Return exp(A h) and its integral over a step.

    Parameters
    ----------
    generator : np.ndarray
        A, float64 [unit, unit], 1/ms.
    dt_ms : float
        h, ms.

    Returns
    -------
    tuple of np.ndarray
        float64 [unit, unit]; the second in ms.
    """
    size = float(np.abs(generator).sum(axis=0).max()) * dt_ms
    doublings = max(0, math.ceil(math.log2(2.0 * size))) if size > 0 else 0
    h = dt_ms / 2.0**doublings
    unity = np.eye(len(generator))
    step = generator * h
    # Horner's scheme: sum of step^k / (k + 1)!
    integral = unity
    for k in range(_TERMS, 1, -1):
        integral = unity + product(step, integral) / k
    exponential = unity + product(step, integral)
    integral = integral * h
    for _ in range(doublings):
        integral = integral + product(exponential, integral)
        exponential = product(exponential, exponential)
    return exponential, integral
