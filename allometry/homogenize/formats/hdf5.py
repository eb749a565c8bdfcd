"""Reading HDF5 files with one clear error for each way they can be wrong."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.sizes import refuse_size


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; a file that is missing, truncated or of another format is a `ReaderError`."""
    if not path.is_file():
        raise ReaderError("HDF5 file is missing", where=str(path), do="run the retrieve stage")
    mistaken.refuse(path)
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise ReaderError(
            f"HDF5 file cannot be opened ({error})",
            where=str(path),
            expected="a complete HDF5 file",
            do="delete the file and retrieve it again",
        ) from error
    with file:
        try:
            yield file
        except (OSError, RuntimeError, KeyError) as error:
            # damage inside the file surfaces at any access to it
            if isinstance(error, KeyError) and "unable to" not in str(error).lower():
                raise
            raise ReaderError(
                f"HDF5 file cannot be read ({error})",
                where=str(path),
                expected="a complete HDF5 file",
                do="delete the file and retrieve it again",
            ) from error


def whole(item: h5py.Dataset) -> np.ndarray:
    """All values of a dataset, refused by its size where memory could not hold them."""
    refuse_size(item.shape or (), item.dtype.itemsize, f"{Path(item.file.filename).name}, {item.name}")
    return np.asarray(item[()])


_BROKEN = (KeyError, OSError, RuntimeError, ValueError)


def member_names(group: h5py.Group) -> str:
    """Names of the members of a group, for messages; a damaged index is no reason for another error."""
    try:
        return ", ".join(list(group)[:12]) or "nothing"
    except _BROKEN:
        return "an unreadable index"


def subgroup(group: h5py.Group, name: str) -> h5py.Group:
    """Return a group inside a group; missing or unreadable is a `ReaderError` that names it."""
    where = f"{Path(group.file.filename).name}, {group.name.rstrip('/')}/{name}"
    try:
        found = group.get(name)
    except _BROKEN as error:
        raise ReaderError(f"cannot be read ({error})", where=where, do="retrieve the file again") from error
    if not isinstance(found, h5py.Group):
        raise ReaderError(
            "group is missing", where=where, expected=f"a group {name!r} (there is: {member_names(group)})"
        )
    return found


def dataset(group: h5py.Group, name: str, ndim: int | None = None) -> np.ndarray:
    """Return the values of a dataset; missing, unreadable, or of another rank is a `ReaderError` that names it."""
    where = f"{Path(group.file.filename).name}, {group.name.rstrip('/')}/{name}"
    try:
        item = group.get(name)
    except _BROKEN as error:
        raise ReaderError(f"cannot be read ({error})", where=where, do="retrieve the file again") from error
    if not isinstance(item, h5py.Dataset):
        have = member_names(group)
        raise ReaderError("dataset is missing", where=where, expected=f"a dataset {name!r} (the group has: {have})")
    if ndim is not None and item.ndim != ndim:
        raise ReaderError(
            f"dataset has {item.ndim} dimensions {item.shape}", where=where, expected=f"{ndim} dimensions"
        )
    try:
        return whole(item)
    except ReaderError:
        raise
    except (*_BROKEN, TypeError) as error:
        raise ReaderError(f"cannot be read ({error})", where=where, do="retrieve the file again") from error


def numeric(group: h5py.Group, name: str, shape: tuple[int, ...] | None = None, ndim: int | None = None) -> np.ndarray:
    """Return a numeric dataset as float64, checked against `shape` or `ndim`."""
    values = dataset(group, name, len(shape) if shape is not None else ndim)
    where = f"{Path(group.file.filename).name}, {group.name.rstrip('/')}/{name}"
    if values.dtype.kind not in "iuf":
        raise ReaderError(f"dataset is of type {values.dtype}", where=where, expected="numbers")
    if shape is not None and values.shape != shape:
        raise ReaderError(f"dataset has shape {values.shape}", where=where, expected=f"shape {shape}")
    return values.astype(np.float64, copy=False)
