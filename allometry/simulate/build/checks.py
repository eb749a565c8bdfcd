"""What a network description is checked with: each refusal says what is wrong, where, and what was expected."""

from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Network, Population


def require(ok: bool, what: str, where: str, expected: str = "", do: str = "") -> None:
    """Raise a SimulationError where a condition does not hold."""
    if not ok:
        raise SimulationError(what, where=where, expected=expected, do=do)


def real(value: Any, name: str, where: str) -> float:
    """Return a number as float; refuse anything else."""
    ok = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    require(ok, f"{name} is {value!r}", where, "a number")
    return float(value)


def whole(value: Any, name: str, where: str) -> int:
    """Return a whole number as int; refuse anything else."""
    ok = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(ok, f"{name} is {value!r}", where, "a whole number")
    return int(value)


def finite(value: Any, name: str, where: str) -> None:
    """Refuse values that are not finite."""
    require(bool(np.isfinite(np.asarray(value, np.float64)).all()), f"{name} is not finite", where)


def known(net: Network, name: str, where: str) -> Population:
    """Return the population called `name`; refuse unknown names."""
    names = [p.name for p in net.populations]
    require(name in names, f"unknown population {name!r}", where, f"one of {', '.join(names)}")
    return net.population(name)


def indices(values: np.ndarray, size: int, name: str, where: str) -> None:
    """Refuse numbers of neurons outside a population of `size`."""
    if values.size:
        low, high = int(values.min()), int(values.max())
        bad = low if low < 0 else high
        require(low >= 0 and high < size, f"{name} index {bad} is outside the population", where, f"0 to {size - 1}")
