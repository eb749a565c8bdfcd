"""What an incomplete docstring lacks is found; a complete one passes."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

from allometry.errors import AllometryError
from allometry.generate.docstrings import check, exported, problems


def complete(a: np.ndarray, b: float, *rest: int, **more: int) -> np.ndarray:
    """Sum.

    Parameters
    ----------
    a : ndarray [units]
        Currents, pA.
    b : float
        Current, pA.
    *rest, **more
        Further ones.

    Returns
    -------
    ndarray [units]
        pA.
    """


def gives_nothing() -> None:
    """Do it."""


def yields() -> Iterator[int]:
    """Count.

    Yields
    ------
    int
        From 0.
    """


def refers(a: int) -> None:
    """Do it.

    Parameters
    ----------
    a
        As in `complete`.
    """


@dataclass
class Base:
    """A base.

    Parameters
    ----------
    x : float
        mV.
    """

    x: float


@dataclass
class Sub(Base):
    """More.

    Attributes
    ----------
    y : float
        ms.
    """

    y: float


@dataclass
class Bare(Base):
    y: float


def silent(a):
    return a


def no_entry(a: int) -> None:
    """Do it."""


def no_type(a: int) -> None:
    """Do it.

    Parameters
    ----------
    a
        A number.
    """


def no_shape(a: np.ndarray) -> np.ndarray:
    """Do it.

    Parameters
    ----------
    a : ndarray
        Currents, pA.

    Returns
    -------
    ndarray
        pA.
    """


def no_result() -> int:
    """Give."""


@pytest.mark.parametrize("thing", [complete, gives_nothing, yields, refers, Base, Sub])
def test_complete_docstring_passes(thing: object) -> None:
    assert check(thing, "name") == []


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (silent, ["no docstring"]),
        (Bare, ["no docstring"]),
        (no_entry, ["argument a has no entry"]),
        (no_type, ["argument a has no type"]),
        (no_shape, ["array a has no shape", "array in the result has no shape (ndarray)"]),
        (no_result, ["the result has no entry"]),
    ],
)
def test_what_is_missing_is_said(thing: object, said: list[str]) -> None:
    found = check(thing, "name")
    assert [problem.what for problem in found] == said
    for problem in found:
        assert "tests/generate/test_docstrings.py:" in str(problem)
        assert problem.do


def test_own_functions_and_classes_are_exported_and_empty_errors_are_not() -> None:
    module = ModuleType(__name__)
    vars(module).update(
        check=check, no_result=no_result, Sub=Sub, _hidden=no_entry, Plain=type("Plain", (AllometryError,), {})
    )
    assert list(exported(module)) == ["Sub", "no_result"]


def test_everything_exported_has_a_complete_docstring() -> None:
    assert [str(problem) for problem in problems()] == []
