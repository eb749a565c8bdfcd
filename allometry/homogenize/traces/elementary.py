"""Sinc, Bessel function, Gaussian and cubic spline that have the same bits on every CPU.

They use + - x / in a fixed order. numpy takes sines and exponentials from the vector units of a CPU or from libm, and
SciPy's `make_interp_spline` adds up with a BLAS: their last bits differ between machines, and with them, now and then,
those of a stored trace.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt
import scipy

Array = npt.NDArray[np.float64]

_TRACES = 64  # of a spline at a time, each with three further coefficients per sample


def sinc(x: Array) -> Array:
    """sin(pi x) / (pi x), 1 at 0, to 3e-16."""
    whole = np.rint(x)
    square = (np.pi * (x - whole)) ** 2
    series = np.ones_like(square)
    for k in range(11, 0, -1):
        series *= square / -(2 * k * (2 * k + 1))
        series += 1
    sign = 1 - 2 * np.mod(whole, 2)
    return np.asarray(sign * series * np.divide(x - whole, x, out=np.ones_like(square), where=x != 0))


def i0(x: Array) -> Array:
    """Modified Bessel function of the first kind and order 0, to some 1e-15 for |x| up to 6."""
    quarter = np.square(x) / 4
    series = np.ones_like(quarter)
    for k in range(25, 0, -1):
        series *= quarter / (k * k)
        series += 1
    return np.asarray(series)


def gaussian(lags: int, sigma: float) -> Array:
    """exp(-k^2 / (2 sigma^2)) for k = 0 to lags - 1, correctly rounded."""
    with localcontext() as context:
        context.prec = 40
        return np.array([float((-k * k / (2 * Decimal(sigma) ** 2)).exp()) for k in range(lags)])


def cubic_spline(axis: Array, values: Array) -> Callable[[Array], Array]:
    """Cubic spline with not-a-knot ends.

    Parameters
    ----------
    axis : numpy.ndarray, shape (n,)
        Increasing times, at least 4.
    values : numpy.ndarray, shape (n, traces)
        No NaN.

    Returns
    -------
    callable
        Increasing times (m,) to values (m, traces); outside of the axis the polynomials of its ends.
    """
    slopes = np.empty_like(values)
    for first in range(0, values.shape[1], _TRACES):
        some = slice(first, first + _TRACES)
        slopes[:, some] = scipy.interpolate.CubicSpline(axis, values[:, some])(axis, 1)

    def evaluate(at: Array) -> Array:
        low = np.clip(np.searchsorted(axis, at[0], side="right") - 1, 0, axis.size - 2)
        high = np.clip(np.searchsorted(axis, at[-1], side="right"), low + 1, axis.size - 1)
        part = slice(low, high + 1)
        return np.asarray(scipy.interpolate.CubicHermiteSpline(axis[part], values[part], slopes[part])(at))

    return evaluate
