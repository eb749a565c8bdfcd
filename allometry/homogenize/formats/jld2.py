"""Dictionaries in JLD2 files (Julia's HDF5 dialect) as plain Python.

A Julia `Dict` is written as an array of references to `Pair(first, second)`; a tuple as a compound with fields `1`, `2`, ...
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import open_hdf5
from allometry.homogenize.sizes import refuse_size

MAX_DEPTH = 30


def load(path: Path, name: str, select: tuple[Any, ...] = ()) -> Any:
    """Read one variable, or a part of it.

    Parameters
    ----------
    path : Path
        A .jld2 file.
    name : str
        Variable.
    select : tuple
        Path into it: a key of a dictionary, a set of keys (those that are there), `...` for every key, a position of a
        tuple. What is not selected is not read (a label table of this kind has 100,000 references; reading all of them
        takes half a minute).

    Returns
    -------
    object
        Dictionaries, lists, tuples, strings and numbers.

    Raises
    ------
    ReaderError
        If the file or the variable cannot be read.
    """
    with open_hdf5(path) as file:
        if name not in file:
            raise ReaderError(
                what=f"No variable {name!r}.",
                where=str(path),
                expected=f"a JLD2 file with {name}",
                do=f"check that this is the right file; it has: {', '.join(list(file)[:10])}",
            )
        try:
            item = file[name]
            refuse_size(item.shape or (), item.dtype.itemsize, f"{path.name}, {name}")
            return _select(file, item[()], select)
        except (
            KeyError,
            IndexError,
            ValueError,
            TypeError,
            RuntimeError,
            OSError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ReaderError(
                what=f"The variable {name!r} cannot be decoded ({error}).",
                where=str(path),
                expected="Julia dictionaries, arrays, strings and numbers",
                do="retrieve the file again",
            ) from error


def _select(file: h5py.File, value: Any, select: tuple[Any, ...]) -> Any:
    if not select:
        return _python(file, value, 0)
    for _ in range(MAX_DEPTH):
        if not isinstance(value, h5py.Reference):
            break
        value = _target(file, value)
    key, rest = select[0], select[1:]
    if isinstance(key, int):
        return _select(file, value[value.dtype.names[key]], rest)
    found = {}
    for pair in value.ravel():
        fields = _target(file, pair)
        label = _python(file, fields["first"], 0)
        if key is ... or label == key or (isinstance(key, frozenset) and label in key):
            found[label] = _select(file, fields["second"], rest)
    return found[key] if isinstance(key, str) else found


def _target(file: h5py.File, reference: h5py.Reference) -> Any:
    # Half the time of `file[reference][()]`, which looks up name and type of the object first.
    return h5py.Dataset(h5py.h5r.dereference(reference, file.id))[()]


def _python(file: h5py.File, value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, h5py.Reference):
        return _python(file, _target(file, value), depth + 1) if value else None
    if isinstance(value, h5py.Empty):
        return ""  # Julia's nothing, and empty strings
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = [_python(file, item, depth + 1) for item in value.ravel()]
        if items and all(isinstance(item, _Pair) for item in items):
            return {item.first: item.second for item in items}
        return items
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.void):
        names = value.dtype.names or ()
        parts = [_python(file, value[part], depth + 1) for part in names]
        return _Pair(*parts) if names == ("first", "second") else tuple(parts)
    return value.item() if isinstance(value, np.generic) else value


class _Pair:
    """A Julia `Pair`; the key is made hashable."""

    def __init__(self, first: Any, second: Any) -> None:
        self.first = tuple(first) if isinstance(first, list) else first
        self.second = second
