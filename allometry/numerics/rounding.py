"""Ten significant digits of what was computed: what a BLAS, LAPACK or libm leaves beyond depends on the CPU."""

import numpy as np
import xarray as xr

#: Significant digits of what is stored of comparisons and studies.
DIGITS = 10


def significant(value: float, digits: int = DIGITS) -> float:
    """Return a number with so many significant digits.

    Parameters
    ----------
    value : float
        NaN and infinity stay; a zero loses its sign.
    digits : int
        Significant digits.
    """
    # by way of text, which is correctly rounded in both directions on any CPU
    return float(f"{value:.{digits - 1}e}") + 0.0


def rounded(data: xr.Dataset, digits: int = DIGITS) -> xr.Dataset:
    """Return a Dataset with every float64 of it, coordinates included, to so many significant digits.

    Parameters
    ----------
    data : Dataset
        Not changed.
    digits : int
        Significant digits.
    """
    for name, variable in data.variables.items():
        if variable.dtype == np.float64:
            values = [significant(value, digits) for value in variable.values.ravel().tolist()]
            stored = {name: variable.copy(data=np.reshape(values, variable.shape))}
            data = data.assign_coords(stored) if name in data.coords else data.assign(stored)
    return data
