"""A neuron's step, a plain Python function, as a compiled one.

The functions of its module that it calls are compiled with it; those of `allometry.network.step_functions` that libm would
compute are replaced by our own.
"""

import types
from collections.abc import Callable
from typing import Any

from numba import njit

from allometry.network import step_functions
from allometry.network.code import named
from allometry.simulate.kernels.compiled import INLINED
from allometry.simulate.kernels.neurons.exponential import exp

OWN: dict[Any, Any] = {step_functions.exp: exp}


def compiled_step(function: Callable[..., Any]) -> Any:
    """Return a step as a function that kernels can call; divisions by zero give infinities, as numpy's do."""
    return _compiled(function, {})


def _compiled(function: Any, done: dict[Any, Any]) -> Any:
    if function in OWN:
        return OWN[function]
    if function not in done:
        found = {name: _converted(value, done) for name, value in named(function)}
        cells = tuple(types.CellType(_converted(cell.cell_contents, done)) for cell in function.__closure__ or ())
        twin = types.FunctionType(function.__code__, found, function.__name__, function.__defaults__, cells)
        twin.__module__ = function.__module__
        done[function] = njit(**INLINED)(twin)
    return done[function]


def _converted(value: Any, done: dict[Any, Any]) -> Any:
    return _compiled(value, done) if isinstance(value, types.FunctionType) else value
