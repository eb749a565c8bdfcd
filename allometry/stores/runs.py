"""Long arrays in runs, of which one is in memory at a time."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

AT_ONCE = 32 * 2**20  # bytes that are looked at together


def rows_at_once(array: xr.DataArray) -> int:
    """Rows of a two-dimensional array that are looked at together, at least one."""
    return max(1, AT_ONCE // max(1, array.dtype.itemsize * array.shape[1]))


def runs(array: xr.DataArray) -> Iterator[np.ndarray]:
    """The rows of a two-dimensional array, some at a time."""
    step = rows_at_once(array)
    for start in range(0, array.shape[0], step):
        yield array[start : start + step].values


def not_finite(array: xr.DataArray) -> int:
    """Number of values of a two-dimensional array that are missing or infinite."""
    return sum(int(np.count_nonzero(~np.isfinite(part))) for part in runs(array))
