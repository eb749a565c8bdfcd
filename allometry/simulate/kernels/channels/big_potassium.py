"""Calcium-activated potassium channels SLO-1 and SLO-2: alone in the calcium of the cell, and coupled to one calcium channel.

The model of a channel in a nanodomain is that of Montefusco, Tagliavini, Ferrante & Pedersen (Biophys J 112:2387, 2017),
the constants those of Nicoletti et al. (PLoS ONE 14 e0218738, 2019). Concentrations are in uM, rates in 1/ms.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

import math

import numpy as np
from numba import njit

from allometry.simulate.kernels.neurons.exponential import exp
from allometry.simulate.kernels.rng import ln

SLO = np.array(
    [
        [3.152961, 0.012643, 34.338784, 1e-4, 0.156217, -0.027527, 55.726186, 1.299198],
        [0.896395, 0.019405, 3294.553404, 1e-5, 0.026719, -0.024123, 93.449423, 1.835067],
    ]
)
"""w-, w_yx, K_yx, n_yx, w+, w_xy, K_xy, n_xy of SLO-1 and SLO-2."""
CLOSED_UM = 0.05
"""Calcium beside a closed calcium channel."""
_FARADAY = 96485.33
# Of a channel of 40 pS, 13 nm away, diffusion 250 um2/s, buffer 30 uM with 5e8 /M/s: uM per mV of driving force.
NANODOMAIN_UM_PER_MV = (
    1e3 * 40e-12 * 1e-3 / (8 * 3.14 * 13e-9 * 250e-12 * _FARADAY) * math.exp(-13e-9 / math.sqrt(250e-12 / (5e8 * 3e-5)))
)


@njit(nogil=True, error_model="numpy")
def _bound(calcium, half, hill):
    """(calcium / half)^hill."""
    return exp(hill * ln(calcium / half))


@njit(nogil=True, error_model="numpy")
def alone(v, calcium, k):
    """Open fraction at rest and time constant, ms, of SLO-1 (k = 0) or SLO-2 (k = 1) in the calcium of the cell, uM."""
    w_close, w_yx, k_yx, n_yx, w_open, w_xy, k_xy, n_xy = SLO[k]
    slope = 1.0 / (w_yx - w_xy)
    opening = 1.0 + 1.0 / _bound(calcium, k_xy, n_xy)
    closing = 1.0 + _bound(calcium, k_yx, n_yx)
    middle = slope * (ln(w_close / w_open) + ln(opening) - ln(closing))
    rest = 1.0 / (1.0 + exp(-(v - middle) / slope))
    return rest, exp(w_xy * v) / w_open * opening * rest


@njit(nogil=True, error_model="numpy")
def coupled(v, e_ca, m, m_rest, m_tau, k):
    """Open fraction at rest and time constant, ms, of SLO-1 (k = 0) or SLO-2 (k = 1) beside a calcium channel.

    `m` is the state of activation of the calcium channel, `m_rest` and `m_tau` (ms) its rest and time constant at `v`.
    """
    w_close, w_yx, k_yx, n_yx, w_open, w_xy, k_xy, n_xy = SLO[k]
    calcium = CLOSED_UM + NANODOMAIN_UM_PER_MV * abs(v - e_ca)
    alpha = m_rest / m_tau
    beta = 1.0 / m_tau - alpha
    closing = w_close * exp(-w_yx * v)
    back_closed = closing / (1.0 + _bound(CLOSED_UM, k_yx, n_yx))
    back_open = closing / (1.0 + _bound(calcium, k_yx, n_yx))
    forth = w_open * exp(-w_xy * v) / (1.0 + 1.0 / _bound(calcium, k_xy, n_xy))
    whole = (forth + back_open) * (back_closed + alpha) + beta * back_closed
    leaving = alpha + beta + back_closed
    return m * forth * leaving / whole, leaving / whole
