"""Exponential, sine, hyperbolic tangent, normal tail and integrals of feature models, the same bits on every CPU.

They use + - x / in a fixed order; numpy takes such functions from the vector units of a CPU or from libm, whose last bits
differ between machines.
"""

# Compiled with the first call, for its types: with a signature they would be at every import, for a second.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import vectorize
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PER_LN2, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # added to a number below 2^51, leaves its nearest whole number in the lowest bits
_LARGEST, _SMALLEST = 709.0, -708.0
_TERMS, _SINE_TERMS = 13, 13

# The positive nodes of Gauss and Legendre's rule with 8 points, and their weights; so many pieces of an interval have them.
_HALF = np.array([0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363])
_HALF_WEIGHTS = np.array([0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763])
_PIECES = 12
_POINTS = np.concatenate([-_HALF[::-1], _HALF])
_FRACTION = ((np.arange(_PIECES)[:, None] + (1.0 + _POINTS) / 2) / _PIECES).ravel()
_SHARE = np.tile(np.concatenate([_HALF_WEIGHTS[::-1], _HALF_WEIGHTS]) / (2 * _PIECES), _PIECES)
_FARTHEST = 9.0
_PER_ROOT_TWO_PI = 0.3989422804014327


@vectorize(nopython=True, cache=True)
def exp(x):
    """Exponential, to 1e-15 of itself; 0 below -708, and never infinite."""
    bounded = min(x, _LARGEST)
    n = (bounded * _PER_LN2 + _SHIFT) - _SHIFT
    r = (bounded - n * _LN2_HIGH) - n * _LN2_LOW
    series = 1.0
    for k in range(_TERMS, 0, -1):
        series = series * r / k + 1.0
    # 2^(n - 1) by its bits, and the last factor of 2 apart
    half = np.int64((np.int64(n) + 1022) << 52).view(np.float64)
    return 0.0 if x < _SMALLEST else series * half * 2.0


@vectorize(nopython=True, cache=True)
def sine(x):
    """Sine of an angle from -pi / 2 to pi / 2, to 3e-16."""
    square = x * x
    series = 1.0
    for k in range(_SINE_TERMS, 0, -1):
        series = 1.0 - series * square / ((2 * k) * (2 * k + 1))
    return x * series


@vectorize(nopython=True, cache=True)
def tanh(x):
    """Hyperbolic tangent, to 3e-16 absolute."""
    return 1.0 - 2.0 / (exp(2.0 * x) + 1.0)


def integral(function: Callable[[Floats], Floats], upper: Floats) -> Floats:
    """Integral of a smooth function from 0 to each upper bound: 96 points of Gauss and Legendre in 12 pieces.

    Parameters
    ----------
    function : callable
        Of arrays [bound, point].
    upper : ndarray [bound]
        Upper bounds; negative ones give the negative integral.
    """
    bounds = np.asarray(upper, np.float64)
    values: Any = function(bounds[..., None] * _FRACTION)
    return np.asarray((values * _SHARE).sum(axis=-1) * bounds)


def normal_tail(x: Floats) -> Floats:
    """Probability that a standard normal number exceeds x.

    Parameters
    ----------
    x : ndarray
        Any values.
    """
    within = np.clip(np.asarray(x, np.float64), -_FARTHEST, _FARTHEST)
    return 0.5 - _PER_ROOT_TWO_PI * integral(lambda u: exp(-(u * u) / 2), within)
