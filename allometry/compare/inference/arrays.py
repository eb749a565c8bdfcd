"""Input checks and small array helpers that every family of measures shares.

Conventions of the whole package: stimuli or observations are rows, units are columns, repeats are in the middle; an RDM
is the condensed upper triangle in the order of `scipy.spatial.distance.squareform`.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.errors import ComparisonError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LARGEST = 1e140  # squares, and sums of many squares, of what is larger would be infinite
ROUNDING = 1e-12  # spread, relative to the values, below which only rounding tells values apart


def numbers(x: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return `x` as an array of real numbers, of any type and shape; refuse text, ragged lists and complex values.

    Masked values and missing ones of pandas are NaN: what is under a mask is no value. Labels are for `labels.corresponding`.
    """
    if hasattr(x, "data_vars"):
        raise ComparisonError(
            f"{name} is a Dataset", where=name, expected="an array", do="choose one variable, as in dataset['response']"
        )
    try:
        out = plain(x)
        if out.dtype.kind not in "biuf":
            # A complex value has no order, and dropping its imaginary part is for the caller to decide.
            out = np.asarray(out, dtype=np.float64) if out.dtype.kind == "O" else np.empty(0, out.dtype)
    except (TypeError, ValueError) as error:
        raise ComparisonError(
            f"{name} is not numeric", where=name, expected="an array of real numbers", do=str(error)
        ) from None
    if out.dtype.kind not in "biuf":
        raise ComparisonError(f"{name} is of type {out.dtype}", where=name, expected="an array of real numbers")
    return out


def plain(x: Any) -> npt.NDArray[Any]:
    """Return `x` as an array of any type; NaN for what is masked or missing, which `np.asarray` would take for a number."""
    if isinstance(x, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(x.astype(np.float64), np.nan) if np.ma.is_masked(x) else x.data)
    if hasattr(x, "iloc") and bool(x.isna().to_numpy().any()):
        return np.asarray(x.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(x)


def lazy_or_numbers(x: Any, name: str) -> Any:
    """A dask or Zarr array as it is (the dask array of an xarray one), anything else as an array of real numbers."""
    if hasattr(x, "data_vars") or isinstance(x, np.ma.MaskedArray):
        return numbers(x, name)
    if hasattr(x, "dims") and hasattr(getattr(x, "data", None), "dask"):
        return x.data
    if hasattr(x, "dask") or (hasattr(x, "store") and hasattr(x, "shape")):
        return x
    return numbers(x, name)


def array(x: npt.ArrayLike, name: str, ndim: int, finite: bool = True) -> FloatArray:
    """Return `x` as a float64 array of `ndim` dimensions; refuse other shapes, and NaN or infinity where `finite`."""
    out = numbers(x, name).astype(np.float64, copy=False)
    if out.ndim != ndim:
        raise ComparisonError(f"{name} has {out.ndim} dimensions", where=name, expected=f"{ndim} dimensions")
    if finite and not np.isfinite(out).all():
        bad = int(out.size - np.isfinite(out).sum())
        raise ComparisonError(
            f"{name} holds {bad} values that are NaN or infinite",
            where=name,
            expected="finite values",
            do="drop the rows or units concerned before the comparison",
        )
    known = True if finite else np.isfinite(out)
    if max(out.max(initial=0.0, where=known), -out.min(initial=0.0, where=known)) > LARGEST:
        raise ComparisonError(
            f"{name} holds values above {LARGEST:g}",
            where=name,
            expected="values whose squares can be added",
            do="rescale",
        )
    return out


def matrix(x: npt.ArrayLike, name: str, rows: int = 1, columns: int = 1, finite: bool = True) -> FloatArray:
    """Return `x` as a float64 matrix with at least `rows` rows and `columns` columns."""
    out = array(x, name, 2, finite)
    if out.shape[0] < rows or out.shape[1] < columns:
        raise ComparisonError(
            f"{name} is too small: shape {out.shape}",
            where=name,
            expected=f"at least {rows} rows and {columns} columns",
        )
    return out


def vector(x: npt.ArrayLike, name: str, size: int = 1, finite: bool = True) -> FloatArray:
    """Return `x` as a float64 vector with at least `size` entries."""
    out = array(x, name, 1, finite)
    if out.size < size:
        raise ComparisonError(f"{name} has {out.size} values", where=name, expected=f"at least {size}")
    return out


def same_rows(x: FloatArray, y: FloatArray, names: str = "x and y") -> None:
    """Refuse two matrices whose rows (stimuli) cannot correspond."""
    if x.shape[0] != y.shape[0]:
        raise ComparisonError(
            f"{names} have {x.shape[0]} and {y.shape[0]} rows",
            where=names,
            expected="the same stimuli, in the same order, as rows of both",
        )


def same_length(a: FloatArray, b: FloatArray, names: str) -> None:
    """Refuse two vectors of different length."""
    if a.shape != b.shape:
        raise ComparisonError(f"{names} have shapes {a.shape} and {b.shape}", where=names, expected="equal shapes")


def resolved(spread: npt.ArrayLike, scale: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether a spread (range, sd) is more than what rounding leaves of values as large as `scale`.

    A constant whose value is no binary fraction has a mean that differs from it in the last bit, hence a variance above 0.
    """
    return np.asarray(spread, float) > ROUNDING * np.maximum(np.abs(scale), np.finfo(float).tiny)


def varies(x: npt.ArrayLike, axis: int = 0) -> npt.NDArray[np.bool_]:
    """Whether values differ along `axis`, by more than rounding leaves; NaN are left out, nothing at all does not vary."""
    values = np.asarray(x, dtype=float)
    known = np.isfinite(values)
    high = values.max(axis=axis, initial=-np.inf, where=known)
    low = values.min(axis=axis, initial=np.inf, where=known)
    return resolved(high - low, np.maximum(np.abs(high), np.abs(low)))


def varying_columns(x: FloatArray, name: str) -> npt.NDArray[np.bool_]:
    """Mask of the columns (units) that are not constant; an error where all are."""
    keep = varies(x)
    if not keep.any():
        raise ComparisonError(f"every unit of {name} is constant", where=name, expected="at least one unit that varies")
    return keep


def integer_counts(x: npt.ArrayLike, name: str, ndim: int = 2) -> npt.NDArray[Any]:
    """Return spike counts; refuse negative or non-integer values, which no count can have."""
    out = numbers(x, name)
    if out.ndim != ndim:
        raise ComparisonError(f"{name} has {out.ndim} dimensions", where=name, expected=f"{ndim} dimensions")
    if out.size == 0:
        raise ComparisonError(f"{name} is empty", where=name, expected="spike counts")
    if out.dtype.kind == "f" and not (np.isfinite(out).all() and np.array_equal(out, np.floor(out))):
        raise ComparisonError(
            f"{name} holds values that are not whole numbers",
            where=name,
            expected="spike counts, that is integers >= 0",
            do="bin spike times; rates, z-scores and calcium traces are not counts",
        )
    if out.min() < 0:
        raise ComparisonError(
            f"{name} holds negative values", where=name, expected="spike counts, that is integers >= 0"
        )
    return out


def spike_times(x: npt.ArrayLike, name: str = "spike times") -> FloatArray:
    """Return spike times of one unit, sorted."""
    return np.sort(vector(x, name, size=0))


def n_from_pairs(n_pairs: int, name: str = "rdm") -> int:
    """Return the number of stimuli of a condensed RDM with `n_pairs` entries."""
    n = round((1 + np.sqrt(1 + 8 * n_pairs)) / 2)
    if n < 2 or n * (n - 1) // 2 != n_pairs:
        raise ComparisonError(
            f"{name} has {n_pairs} entries, which is no number of pairs",
            where=name,
            expected="a condensed upper triangle with n(n-1)/2 entries",
            do="scipy.spatial.distance.squareform turns a square matrix into one",
        )
    return int(n)


def condensed(x: npt.ArrayLike, name: str = "rdm", finite: bool = True) -> FloatArray:
    """Return `x` as a condensed RDM; refuse anything whose length is not n(n-1)/2."""
    out = vector(x, name, finite=finite)
    n_from_pairs(out.size, name)
    return out


def codes(*labellings: npt.ArrayLike, names: Sequence[str]) -> list[IntArray]:
    """Return labellings of the same items as codes 0, 1, ..., alike in all of them; -1 where there is no label.

    Labels are text or numbers; a number below 0 or NaN, and what is masked or missing, is no label.
    """
    given = [labelling(x, name) for x, name in zip(labellings, names)]
    where, shapes = ", ".join(names), ", ".join(str(x.shape) for x in given)
    if given[0].ndim != 1 or any(x.shape != given[0].shape for x in given):
        raise ComparisonError(f"labels of shapes {shapes}", where=where, expected="one label per item in all")
    if len({x.dtype.kind in "biuf" for x in given}) > 1:
        raise ComparisonError("some labels are text and some numbers", where=where, expected="labels of one type")
    joint = np.concatenate(given)
    known = joint >= 0 if joint.dtype.kind in "biuf" else np.ones(joint.size, dtype=bool)
    result = np.full(joint.size, -1, dtype=np.int64)
    result[known] = np.unique(joint[known], return_inverse=True)[1]
    return np.split(result, len(given))


def labelling(x: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return labels of items: text as it is, everything else as numbers."""
    if not hasattr(x, "data_vars"):
        try:
            values = np.asarray(x)
        except ValueError:  # a ragged list, which `numbers` refuses
            values = np.empty(0)
        if values.size and (values.dtype.kind in "UT" or all(isinstance(item, str) for item in values.ravel())):
            # by way of Python's: text of stores has no length, and numpy refuses to give it one
            return values.astype(object).astype(str)
    return numbers(x, name)


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """Return `value` as a Python integer of at least `least`; refuse what is no whole number."""
    try:
        number = operator.index(value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ComparisonError(f"{name}={value}", where=name, expected=f"a whole number, at least {least}")
    return number


def choice(value: str, options: Sequence[str], name: str) -> str:
    """Return `value` if it is one of `options`, else raise with the valid names."""
    if value not in options:
        raise ComparisonError(f"{name}={value!r} is not known", where=name, expected="one of " + ", ".join(options))
    return value


def off_diagonal(square: FloatArray) -> FloatArray:
    """Return the condensed upper triangle of a square matrix, whatever its diagonal holds."""
    i, j = np.triu_indices(square.shape[0], 1)
    return np.asarray(square[i, j])


def blocks(n: int, size: int) -> list[slice]:
    """Cut `range(n)` into slices of at most `size`."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def self_product(x: FloatArray) -> FloatArray:
    """Return x x^T of a matrix [rows, columns].

    BLAS syrk, called directly: numpy's ``x @ x.T`` is several times slower for few rows and many columns.
    """
    x = np.ascontiguousarray(x)
    upper = scipy.linalg.blas.dsyrk(1.0, x.T, trans=1)
    return np.asarray(upper + np.triu(upper, 1).T)
