"""Nonlinearities of rate units, without branches, so that loops over them vectorise.

tanh(x) = -e / (2 + e) with e = expm1(-2 |x|), and expm1(y) = (2^n - 1) + 2^n (exp(r) - 1), where n = round(y / ln 2) and
exp(r) - 1 is a Taylor polynomial: small arguments keep all their digits. Only + - x / and the bits of numbers are used:
every CPU gives the same. The error of tanh is below 4 units of the last place
(tests/simulate/kernels/rates/test_nonlinearities.py).
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type,union-attr"

import numpy as np
from numba import njit

from allometry.network.rate_unit import NONLINEARITIES
from allometry.simulate.kernels.compiled import INLINED
from allometry.simulate.kernels.neurons.exponential import exp

LINEAR, TANH, RELU, SIGMOID, RECTIFIED_TANH = range(5)
NUMBERS = {"linear": LINEAR, "tanh": TANH, "relu": RELU, "sigmoid": SIGMOID, "rectified_tanh": RECTIFIED_TANH}
"""Number of each nonlinearity in the kernels."""
assert NUMBERS.keys() == NONLINEARITIES.keys()

_SHIFT = 6755399441055744.0
_PER_LN2, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Beyond, tanh is 1 to the last place.
_SATURATED = 22.0
_C2, _C3, _C4, _C5, _C6, _C7 = 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040
_C8, _C9, _C10, _C11, _C12, _C13 = 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800
_TANH_HALF = 0.46211715726000975850


@njit(**INLINED)
def tanh(x):
    """Return the hyperbolic tangent of a float64 number."""
    size = abs(x)
    y = -2.0 * (_SATURATED if size > _SATURATED else size)
    shifted = y * _PER_LN2 + _SHIFT
    n = shifted - _SHIFT
    r = (y - n * _LN2_HIGH) - n * _LN2_LOW
    q = _C13
    q = q * r + _C12
    q = q * r + _C11
    q = q * r + _C10
    q = q * r + _C9
    q = q * r + _C8
    q = q * r + _C7
    q = q * r + _C6
    q = q * r + _C5
    q = q * r + _C4
    q = q * r + _C3
    q = q * r + _C2
    p = r + r * r * q
    scale = np.int64((np.float64(shifted).view(np.int64) + np.int64(1023)) << np.int64(52)).view(np.float64)
    e = (scale - 1.0) + scale * p
    t = -e / (2.0 + e)
    return -t if x < 0.0 else t


@njit(nogil=True, error_model="numpy")
def rates(kind, x, out):
    """Write the rates of states, both float64 [unit]."""
    n = x.shape[0]
    if kind == TANH:
        for i in range(n):
            out[i] = tanh(x[i])
    elif kind == RELU:
        for i in range(n):
            out[i] = x[i] if x[i] > 0.0 else 0.0
    elif kind == SIGMOID:
        for i in range(n):
            out[i] = 1.0 / (1.0 + exp(-x[i]))
    elif kind == RECTIFIED_TANH:
        for i in range(n):
            t = (tanh(x[i] - 0.5) + _TANH_HALF) / (1.0 + _TANH_HALF)
            out[i] = t if x[i] > 0.0 else 0.0
    else:
        for i in range(n):
            out[i] = x[i]
