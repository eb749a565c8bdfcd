"""numpy scalars and single-precision numbers, as what the user wrote."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from allometry.errors import SimulationError

P = ParamSpec("P")
R = TypeVar("R")

_DIGITS = 12


def plain(value: Any) -> Any:
    """Return a numpy scalar, or an array without dimensions, as the Python number; anything else as it is.

    An array with a mask that hides nothing is the array; one that hides values has none for what they stand for.

    float32(0.1) becomes 0.1, not 0.10000000149: the shortest number that single precision cannot tell from it.

    Raises
    ------
    SimulationError
        An array with masked values.
    """
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            raise SimulationError(
                f"{np.ma.count_masked(value)} of {value.size} values are masked",
                where="an array of a network",
                expected="a value for every neuron, event or edge",
                do="fill them in, or leave their items out of all arrays that belong together",
            )
        value = np.asarray(value.data)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biufSU":
        value = value[()]
    if isinstance(value, np.floating) and value.dtype.itemsize < 8:
        return float(str(value))
    if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
        return value.item()
    return value


def plain_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: the function sees Python numbers where numpy scalars are given, so that nothing behind it meets others."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*map(plain, args), **{name: plain(value) for name, value in kwargs.items()})

    return called


def as_written(values: Any) -> np.ndarray:
    """Return numbers as float64; those of half or single precision as the shortest decimal that gives them.

    A time of 12345.7 ms in float32 is 12345.7002; a step of it would be missed or gained by the difference.
    """
    given = np.asarray(values)
    out = given.astype(np.float64)
    if given.dtype.kind != "f" or given.dtype.itemsize >= 8:
        return out
    open_ = np.isfinite(out)
    for digits in range(_DIGITS):
        rounded = np.round(out, digits)
        found = open_ & (rounded.astype(given.dtype) == given)
        out[found] = rounded[found]
        open_ &= ~found
        if not open_.any():
            break
    return out
