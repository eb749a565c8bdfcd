"""What a function does: a digest of its code and of everything outside that it names."""

import hashlib
import types
from collections.abc import Callable, Iterator
from typing import Any


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def named(function: Any) -> list[tuple[str, Any]]:
    """Return the globals that a function names, and their values, sorted."""
    names = sorted({name for code in _codes(function.__code__) for name in code.co_names})
    return [(name, function.__globals__[name]) for name in names if name in function.__globals__]


def digest(function: Callable[..., Any]) -> str:
    """Return the sha256 of a function's code and of everything outside that it names: what a cache has to notice."""
    found = hashlib.sha256()
    _feed(found, function, set())
    return found.hexdigest()


def _feed(found: Any, function: Any, seen: set[Any]) -> None:
    function = getattr(function, "py_func", function)
    if function in seen:
        return
    seen.add(function)
    for code in _codes(function.__code__):
        constants = [c for c in code.co_consts if not isinstance(c, types.CodeType)]
        found.update(repr((code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars)).encode())
    cells = [
        (name, cell.cell_contents) for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ())
    ]
    for name, value in [*named(function), *cells]:
        found.update(name.encode())
        if isinstance(value, types.FunctionType) or hasattr(value, "py_func"):
            _feed(found, value, seen)
        elif isinstance(value, types.ModuleType):
            found.update(value.__name__.encode())
        else:
            found.update(repr(value).encode())
