"""The exponential function in kernels: one polynomial per width, without branches, so that loops over it vectorise.

exp(x) = 2^n exp(r) with n = round(x / ln 2), so that |r| <= ln(2) / 2, and exp(r) a Taylor polynomial whose remainder is
far below the last place. Only + - x and the bits of numbers are used: every CPU gives the same. The error is below 1
unit of the last place in float64 and 1.5 in float32 (tests/simulate/kernels/neurons/test_exponential.py); results below twice the
smallest normal number are 0.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type,union-attr"

import numpy as np
from numba import njit, types
from numba.extending import overload

from allometry.simulate.kernels.compiled import INLINED

# Added to a number below 2^51 (2^22), 1.5 * 2^52 (1.5 * 2^23) leaves its nearest whole number in the lowest bits.
_SHIFT, _SHIFT_SINGLE = 6755399441055744.0, np.float32(12582912.0)
_PER_LN2, _PER_LN2_SINGLE = 1.4426950408889634, np.float32(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LN2_HIGH_SINGLE, _LN2_LOW_SINGLE = np.float32(0.693359375), np.float32(-2.12194440e-4)
_LARGEST, _SMALLEST = 710.0, -708.0
_LARGEST_SINGLE, _SMALLEST_SINGLE = np.float32(89.0), np.float32(-86.9)
_C2, _C3, _C4, _C5, _C6, _C7 = 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040
_C8, _C9, _C10, _C11, _C12, _C13 = 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800
_S2, _S3, _S4, _S5, _S6, _S7 = (np.float32(c) for c in (_C2, _C3, _C4, _C5, _C6, _C7))
_ONE, _TWO, _NOTHING = np.float32(1.0), np.float32(2.0), np.float32(0.0)


def _double(x):
    bounded = _LARGEST if x > _LARGEST else x
    shifted = bounded * _PER_LN2 + _SHIFT
    n = shifted - _SHIFT
    r = (bounded - n * _LN2_HIGH) - n * _LN2_LOW
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
    p = 1.0 + (r + r * r * q)
    # 2^(n - 1), and the last factor of 2 apart: 2^1024 is no number, its product with p < 1 may be one.
    bits = np.float64(shifted).view(np.int64) + np.int64(1022)
    half = np.int64(bits << np.int64(52)).view(np.float64)
    return 0.0 if x < _SMALLEST else p * half * 2.0


def _single(x):
    bounded = _LARGEST_SINGLE if x > _LARGEST_SINGLE else x
    shifted = bounded * _PER_LN2_SINGLE + _SHIFT_SINGLE
    n = shifted - _SHIFT_SINGLE
    r = (bounded - n * _LN2_HIGH_SINGLE) - n * _LN2_LOW_SINGLE
    q = _S7
    q = q * r + _S6
    q = q * r + _S5
    q = q * r + _S4
    q = q * r + _S3
    q = q * r + _S2
    p = _ONE + (r + r * r * q)
    bits = np.float32(shifted).view(np.int32) + np.int32(126)
    half = np.int32(bits << np.int32(23)).view(np.float32)
    return _NOTHING if x < _SMALLEST_SINGLE else p * half * _TWO


def _of_width(x):
    raise NotImplementedError


@overload(_of_width, inline="always")
def _compiled_of_width(x):
    return _single if x == types.float32 else _double


@njit(**INLINED)
def exp(x):
    """Return the exponential of a float32 or float64 number, in its width."""
    return _of_width(x)
