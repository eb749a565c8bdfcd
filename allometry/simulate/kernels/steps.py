"""A neuron's step, a plain Python function, as a compiled one; and the digest of what it does.

The functions of its module that it calls are compiled with it; those of `allometry.network.step_functions` that libm would
compute are replaced by our own.
"""

import hashlib
import types
from collections.abc import Callable, Iterator
from typing import Any

from numba import njit
from numba.core.dispatcher import Dispatcher

from allometry.network import step_functions
from allometry.simulate.kernels.compiled import INLINED
from allometry.simulate.kernels.exponential import exp

OWN: dict[Any, Any] = {step_functions.exp: exp}


def compiled_step(function: Callable[..., Any]) -> Any:
    """Return a step as a function that kernels can call; divisions by zero give infinities, as numpy's do."""
    return _compiled(function, {})


def _compiled(function: Any, done: dict[Any, Any]) -> Any:
    if function in OWN:
        return OWN[function]
    if function not in done:
        found = {name: _converted(value, done) for name, value in _globals(function)}
        cells = tuple(types.CellType(_converted(cell.cell_contents, done)) for cell in function.__closure__ or ())
        twin = types.FunctionType(function.__code__, found, function.__name__, function.__defaults__, cells)
        twin.__module__ = function.__module__
        done[function] = njit(**INLINED)(twin)
    return done[function]


def _converted(value: Any, done: dict[Any, Any]) -> Any:
    return _compiled(value, done) if isinstance(value, types.FunctionType) else value


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _globals(function: Any) -> list[tuple[str, Any]]:
    """Return the globals that a function names, sorted."""
    names = sorted({name for code in _codes(function.__code__) for name in code.co_names})
    return [(name, function.__globals__[name]) for name in names if name in function.__globals__]


def digest(function: Callable[..., Any]) -> str:
    """Return the sha256 of a function's code and of everything outside that it names: what a cache has to notice."""
    found = hashlib.sha256()
    _feed(found, function, set())
    return found.hexdigest()


def _feed(found: Any, function: Any, seen: set[Any]) -> None:
    if isinstance(function, Dispatcher):
        function = function.py_func
    if function in seen:
        return
    seen.add(function)
    for code in _codes(function.__code__):
        constants = [c for c in code.co_consts if not isinstance(c, types.CodeType)]
        found.update(repr((code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars)).encode())
    cells = [
        (name, cell.cell_contents) for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ())
    ]
    for name, value in [*_globals(function), *cells]:
        found.update(name.encode())
        if isinstance(value, types.FunctionType | Dispatcher):
            _feed(found, value, seen)
        elif isinstance(value, types.ModuleType):
            found.update(value.__name__.encode())
        else:
            found.update(repr(value).encode())
