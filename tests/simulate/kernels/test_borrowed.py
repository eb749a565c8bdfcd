"""Arrays that are passed on without an owner: the same elements, and nobody counts references to them."""

import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import njit

from allometry.simulate.kernels.intrinsics import borrowed


class Inner(NamedTuple):
    """What lies within."""

    counts: np.ndarray


class Outer(NamedTuple):
    """What is passed."""

    values: np.ndarray
    inner: Inner
    step: int
    nothing: None


@njit
def _through(given: Any) -> Any:
    lent = borrowed(given)
    lent.inner.counts[1] += lent.step
    return lent.values.sum(), lent.inner.counts[0]


@njit
def _taken(given: Any, times: int) -> int:
    total = 0
    for k in range(times):
        row = given.values[k % 2 :]
        total += int(row[0])
    return total


@njit
def _lent(given: Any, times: int) -> int:
    return _taken(borrowed(given), times)


@njit
def _nothing(given: Any) -> Any:
    return borrowed(given)


def outer() -> Outer:
    return Outer(np.arange(4.0), Inner(np.array([5, 7])), 3, None)


def test_elements_are_the_same_and_can_be_written() -> None:
    given = outer()
    assert _through(given) == (6.0, 5)
    assert given.inner.counts.tolist() == [5, 10]


def test_what_is_no_array_stays() -> None:
    assert _nothing(None) is None
    assert _nothing(3) == 3


@pytest.mark.parametrize("function", [_lent, _through])
def test_owners_are_neither_kept_nor_let_go(function: Any) -> None:
    given = outer()
    arguments = (given, 1000) if function is _lent else (given,)
    function(*arguments)
    counts = [sys.getrefcount(given.values), sys.getrefcount(given.inner.counts)]
    for _ in range(100):
        function(*arguments)
    assert [sys.getrefcount(given.values), sys.getrefcount(given.inner.counts)] == counts
