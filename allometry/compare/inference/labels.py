"""Labelled arrays as arguments: what carries names of its items is compared by name, never by place.

An xarray DataArray, a pandas DataFrame or a Series knows the stimuli (nodes, units) of its rows. Two of them in another
order would be compared row by row without a word, and give a number.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from allometry.errors import ComparisonError

P = ParamSpec("P")
R = TypeVar("R")


def corresponding(*names: str, axes: int = 1) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark arguments whose items along the first `axes` axes correspond; labelled ones are put in the order of the first.

    Arguments without labels (plain arrays, default row numbers of pandas) are taken in the order given.

    Raises
    ------
    ComparisonError
        When called: labels that are not the same set, or occur twice in another order, or dimensions in another order.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if sum(map(is_labelled, (*args, *kwargs.values()))) < 2:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            given = {name: bound.arguments[name] for name in names if is_labelled(bound.arguments.get(name))}
            bound.arguments.update(in_one_order(given, axes))
            return function(*bound.args, **bound.kwargs)

        wrapper.__dict__["corresponding"] = names
        return wrapper

    return decorate


def is_labelled(x: Any) -> bool:
    """Whether an argument can name its items: an array of xarray, a table or column of pandas."""
    return isinstance(x, pd.DataFrame | pd.Series) or (
        hasattr(x, "dims") and hasattr(x, "indexes") and not hasattr(x, "data_vars")
    )


def in_one_order(given: dict[str, Any], axes: int = 1) -> dict[str, Any]:
    """Labelled arrays by name with the items of every axis in the order of the first that names them."""
    for axis in range(axes):
        along: tuple[str, str] | None = None
        first: tuple[str, pd.Index] | None = None
        for name, x in [(name, x) for name, x in given.items() if axis < x.ndim]:
            if hasattr(x, "dims"):
                along = along or (name, str(x.dims[axis]))
                if along[1] != str(x.dims[axis]) and along[1] in map(str, x.dims):
                    raise ComparisonError(
                        f"{name} has dimension {x.dims[axis]!r} where {along[0]} has {along[1]!r}",
                        where=name,
                        expected="the same order of dimensions in both",
                        do=f"{name}.transpose(...)",
                    )
            index = _labels(x, axis)
            if index is not None and first is None:
                first = (name, index)
            elif index is not None and first is not None and not index.equals(first[1]):
                given[name] = _reordered(x, axis, index, name, first[1], first[0])
    return given


def _labels(x: Any, axis: int) -> pd.Index | None:
    """Labels along an axis, None where there are none but row numbers."""
    if hasattr(x, "dims"):
        index = x.indexes.get(x.dims[axis])
        return None if index is None else pd.Index(index)
    index = x.axes[axis]
    return None if isinstance(index, pd.RangeIndex) else index


def _reordered(x: Any, axis: int, index: pd.Index, name: str, wanted: pd.Index, first: str) -> Any:
    if not (index.is_unique and wanted.is_unique) or len(index) != len(wanted) or not wanted.isin(index).all():
        only = [[str(label) for label in a[~a.isin(b)][:5]] for a, b in ((wanted, index), (index, wanted))]
        differ = "; ".join(f"only in {who}: {', '.join(some)}" for who, some in zip((first, name), only) if some)
        raise ComparisonError(
            f"{first} and {name} have {len(wanted)} and {len(index)} items along axis {axis}, with other labels",
            where=f"{first}, {name}",
            expected="the same labels, each once, in any order",
            do=(differ + "; " if differ else "") + "choose the common ones, or pass plain arrays to compare by place",
        )
    order = index.get_indexer(wanted)
    if hasattr(x, "dims"):
        return x.isel({x.dims[axis]: order})
    return x.take(order, axis=axis)


def columns_as_rows(x: Any, name: str, of: Any, of_name: str) -> Any:
    """A labelled matrix with its columns in the order of the rows of another; without labels as it is."""
    if not (is_labelled(x) and is_labelled(of)) or x.ndim != 2:
        return x
    wanted, columns = _labels(of, 0), _labels(x, 1)
    if wanted is None or columns is None or wanted.equals(columns):
        return x
    return _reordered(x, 1, columns, f"the columns of {name}", wanted, f"the rows of {of_name}")


def square(x: Any, name: str) -> Any:
    """A labelled square matrix with its columns in the order of its rows; anything else as it is."""
    if not is_labelled(x) or x.ndim != 2:
        return x
    rows, columns = _labels(x, 0), _labels(x, 1)
    if rows is None or columns is None or rows.equals(columns):
        return x
    return _reordered(x, 1, columns, f"the columns of {name}", rows, f"the rows of {name}")
