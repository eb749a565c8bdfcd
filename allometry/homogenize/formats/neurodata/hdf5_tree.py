"""Trees of HDF5 files."""

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from allometry.homogenize.formats.hdf5 import open_hdf5
from allometry.homogenize.formats.neurodata.tree import Array, Node, plain

DEEPEST = 40  # links that lead in a circle
# A damaged index, filter or heap gives any of these.
BROKEN = (KeyError, OSError, RuntimeError, ValueError, TypeError, AttributeError)


@contextlib.contextmanager
def open_tree(path: Path) -> Iterator["Hdf5Group"]:
    """Open a file; its tree can be read inside the context.

    Raises
    ------
    ReaderError
        The file is missing, no HDF5, or damaged.
    """
    with open_hdf5(path) as file:
        yield Hdf5Group(file, path.name)


class Hdf5Group:
    """A group of an HDF5 file."""

    def __init__(self, item: h5py.Group, file: str) -> None:
        self._item, self._file = item, file

    @property
    def path(self) -> str:
        """Path within the file."""
        return str(self._item.name or "").lstrip("/")

    @property
    def where(self) -> str:
        """File and path."""
        return f"{self._file}, /{self.path}"

    @cached_property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes."""
        return _attributes(self._item)[0]

    def names(self) -> list[str]:
        """Names of the members."""
        try:
            return sorted(self._item)
        except BROKEN:
            return []

    def get(self, path: str) -> Node | None:
        """Group or array below; soft links are followed within the file, so that an object has one path."""
        return self._get(path, 0)

    def _get(self, path: str, depth: int) -> Node | None:
        first, _, rest = path.strip("/").partition("/")
        if not first:
            return self
        try:
            link = self._item.get(first, getlink=True)
            if isinstance(link, h5py.SoftLink):
                target = str(link.path)
                top = Hdf5Group(self._item.file["/"], self._file) if target.startswith("/") else self
                return top._get(f"{target}/{rest}", depth + 1) if depth < DEEPEST else None
            found = self._item.get(first) if isinstance(link, h5py.HardLink) else None
            if isinstance(found, h5py.Group):
                return Hdf5Group(found, self._file)._get(rest, depth)
            if isinstance(found, h5py.Dataset) and not rest:
                attrs, links = _attributes(found)
                name = f"{self.path}/{first}".lstrip("/")
                return Array(f"{self._file}, /{name}", name, _Stored(found), attrs, links)
        except BROKEN:
            return None
        return None


class _Stored:
    def __init__(self, item: h5py.Dataset) -> None:
        self._item = item
        self.shape: tuple[int, ...] = tuple(item.shape or ())
        self.dtype: np.dtype = item.dtype

    def read(self, part: Any) -> npt.NDArray[Any]:
        if h5py.check_string_dtype(self.dtype) is not None:
            found = self._item.asstr(errors="replace")[part]
            return np.array(found, dtype=object)
        return np.asarray(self._item[part])


def _attributes(item: h5py.HLObject) -> tuple[dict[str, Any], dict[str, str]]:
    attrs: dict[str, Any] = {}
    links: dict[str, str] = {}
    try:
        names = list(item.attrs)
    except BROKEN:
        return attrs, links
    for name in names:
        try:
            value = item.attrs[name]
            if isinstance(value, h5py.Reference):
                links[name] = str(item.file[value].name).lstrip("/")
            elif not isinstance(value, h5py.Empty):
                attrs[name] = plain(value)
        except BROKEN:
            continue
    return attrs, links
