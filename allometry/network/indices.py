"""Numbers of neurons as users write them: lists and arrays of whole numbers."""

from typing import Any

import numpy as np

from allometry.errors import SimulationError


def whole_numbers(values: Any, name: str) -> np.ndarray:
    """Return `values` as a flat int64 array.

    Raises
    ------
    SimulationError
        If one is not a whole number: rounding would silently name another neuron.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        try:
            numbers = array.astype(np.float64)
        except (TypeError, ValueError):
            numbers = np.array(np.nan)
        bad = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
        if array.dtype.kind == "b" or bad.any():
            first = array.ravel()[int(np.argmax(bad.ravel()))] if bad.shape == array.shape else array.ravel()[0]
            raise SimulationError(f"{name} holds {first!r}", where=name, expected="whole numbers, from 0 on")
    return array.astype(np.int64).ravel()
