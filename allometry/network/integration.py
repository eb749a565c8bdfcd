"""Propagators of exact integration, correctly rounded, and refractory times in steps.

Every function takes numbers, or arrays with one value per neuron, and returns what it was given: libm differs between
machines in the last bit, so that decimal arithmetic with digits to spare is used.
"""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

TICS_PER_MS = 1000
# Where dt is no whole number of microseconds, the clock ticks a thousand times in a step.
_TICS_PER_ODD_STEP = 1000


def _each(function: Callable[..., float], *values: Any) -> Any:
    """Call a function of numbers, once for every different set of them."""
    if all(np.ndim(value) == 0 for value in values):
        return function(*(float(value) for value in values))
    table = np.stack(np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values)))
    different, place = np.unique(table, axis=1, return_inverse=True)
    return np.array([function(*column) for column in different.T.tolist()])[place.ravel()]


def decayed(t: Any, tau: Any) -> Any:
    """Return exp(-t / tau)."""
    return _each(lambda t, tau: _exact(lambda: (Decimal(-t) / Decimal(tau)).exp()), t, tau)


def lost(t: Any, tau: Any) -> Any:
    """Return 1 - exp(-t / tau)."""
    return _each(lambda t, tau: _exact(lambda: 1 - (Decimal(-t) / Decimal(tau)).exp()), t, tau)


def psc_propagator(h: Any, tau_syn: Any, tau_m: Any, c_m: Any) -> Any:
    """Return the voltage per unit of an exponential current after one step (Rotter & Diesmann 1999), mV / pA."""
    return _each(_psc_propagator, h, tau_syn, tau_m, c_m)


def _psc_propagator(h: float, tau_syn: float, tau_m: float, c_m: float) -> float:
    if tau_syn == tau_m:
        return float(h / c_m * decayed(h, tau_m))
    beta = tau_syn * tau_m / (tau_m - tau_syn)
    growth = _exact(lambda: (Decimal(h) / Decimal(beta)).exp() - 1)
    return float(beta / c_m * decayed(h, tau_syn) * growth)


def alpha_propagators(h: Any, tau_syn: Any, tau_m: Any, c_m: Any) -> tuple[Any, Any]:
    """Return the voltage after one step per unit of dI and of I, with d(dI)/dt = -dI / tau_syn, dI/dt = dI - I / tau_syn."""
    return _each(_alpha_from_slope, h, tau_syn, tau_m, c_m), _each(_alpha_from_current, h, tau_syn, tau_m, c_m)


def _alpha_from_slope(h: float, tau_syn: float, tau_m: float, c_m: float) -> float:
    h_, s, m, c = Decimal(h), Decimal(tau_syn), Decimal(tau_m), Decimal(c_m)
    if tau_syn == tau_m:
        return _exact(lambda: h_ * h_ / (2 * c) * (-h_ / m).exp())

    def value() -> Decimal:
        beta = s * m / (m - s)
        return beta / c * (beta * ((-h_ / m).exp() - (-h_ / s).exp()) - h_ * (-h_ / s).exp())

    return _exact(value)


def _alpha_from_current(h: float, tau_syn: float, tau_m: float, c_m: float) -> float:
    h_, s, m, c = Decimal(h), Decimal(tau_syn), Decimal(tau_m), Decimal(c_m)
    if tau_syn == tau_m:
        return _exact(lambda: h_ / c * (-h_ / m).exp())
    return _exact(lambda: s * m / (m - s) / c * ((-h_ / m).exp() - (-h_ / s).exp()))


def psp_propagator(h: Any, tau_syn: Any, tau_m: Any) -> Any:
    """Return what a unit of g with dV/dt = (g - V) / tau_m, dg/dt = -g / tau_syn adds to V in one step."""
    return _each(_psp_propagator, h, tau_syn, tau_m)


def _psp_propagator(h: float, tau_syn: float, tau_m: float) -> float:
    if tau_syn == tau_m:
        return float(h / tau_m * decayed(h, tau_m))
    if abs(tau_syn - tau_m) > 1e-3 * tau_m:
        return float(tau_syn / (tau_syn - tau_m) * (decayed(h, tau_syn) - decayed(h, tau_m)))
    # The difference of nearly equal numbers, with digits enough to be left some.
    s, m = Decimal(tau_syn), Decimal(tau_m)
    return _exact(lambda: s / (s - m) * ((Decimal(-h) / s).exp() - (Decimal(-h) / m).exp()))


def _exact(function: Callable[[], Decimal]) -> float:
    with localcontext() as context:
        context.prec = 60
        return float(function())


def tics(t_ms: np.ndarray, dt_ms: float) -> tuple[np.ndarray, int]:
    """Return times in tics, int64, and the tics of a step."""
    per_step = dt_ms * TICS_PER_MS
    whole = math.floor(per_step + 0.5)
    if whole >= 1 and abs(per_step - whole) <= 1e-9 * per_step:
        return np.floor(t_ms * TICS_PER_MS + 0.5).astype(np.int64), whole
    return np.floor(t_ms / dt_ms * _TICS_PER_ODD_STEP + 0.5).astype(np.int64), _TICS_PER_ODD_STEP


def refractory_steps(t_ref_ms: Any, dt_ms: float) -> np.ndarray:
    """Return refractory times in steps, int64: to the nearest tic, then up to a whole step."""
    ticks, per_step = tics(np.asarray(t_ref_ms, np.float64), dt_ms)
    return -(-ticks // per_step)
