"""Groups and arrays of a file, the same for HDF5 and Zarr: whatever cannot be read is one `ReaderError` that names it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.sizes import refuse_size


def plain(value: Any) -> Any:
    """An attribute as text, number or array; bytes become text, and one element stands for itself."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "OS":
        value = np.array([plain(item) for item in value.ravel().tolist()], dtype=object)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value.item() if isinstance(value, np.generic) else value


class Stored(Protocol):
    """Values on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, empty for a scalar."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Type; of text an object type that `h5py.check_string_dtype` knows."""
        ...

    def read(self, part: Any) -> npt.NDArray[Any]:
        """Values of a part; text as `str`. Raises whatever the library raises."""
        ...


@dataclass(frozen=True)
class Array:
    """An array of a file, read in parts.

    Attributes
    ----------
    where : str
        File and path, for messages.
    path : str
        Path within the file, without a leading slash.
    stored : Stored
        Its values.
    attrs : mapping
        Its attributes, in plain types.
    links : mapping
        Attributes that refer to other objects: name to path.
    """

    where: str
    path: str
    stored: Stored
    attrs: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, empty for a scalar."""
        return tuple(self.stored.shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.stored.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers or booleans."""
        return self.dtype.kind in "biuf"

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def __getitem__(self, part: Any) -> npt.NDArray[Any]:
        """Values of a part, refused by their size before memory is asked for.

        Raises
        ------
        ReaderError
            They cannot be read.
        """
        if isinstance(part, slice) and part == slice(None):
            refuse_size(self.shape, self.dtype.itemsize, self.where)
        try:
            return np.asarray(self.stored.read(part))
        except ReaderError:
            raise
        except Exception as error:  # what HDF5, Zarr and their codecs raise depends on the damage
            raise ReaderError(
                f"cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:120]})",
                where=self.where,
                do="retrieve the file again",
            ) from error

    def values(self) -> npt.NDArray[Any]:
        """All values."""
        return self[slice(None)] if self.shape else self[()]

    def numbers(self, ndim: int | None = None) -> npt.NDArray[np.float64]:
        """All values as float64.

        Raises
        ------
        ReaderError
            They are no numbers, or have another number of dimensions.
        """
        if not self.is_number or (ndim is not None and self.ndim != ndim):
            raise ReaderError(
                f"values are of type {self.dtype} and shape {self.shape}",
                where=self.where,
                expected="numbers" + (f" in {ndim} dimensions" if ndim is not None else ""),
                do="check that the file is complete",
            )
        return self.values().astype(np.float64)


class Group(Protocol):
    """A group of a file."""

    @property
    def where(self) -> str:
        """File and path, for messages."""
        ...

    @property
    def path(self) -> str:
        """Path within the file, without a leading slash."""
        ...

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes, in plain types."""
        ...

    def names(self) -> list[str]:
        """Names of what is in it, sorted."""
        ...

    def get(self, path: str) -> "Node | None":
        """What lies at a path below it; None where nothing does, or nothing that can be opened."""
        ...


Node = Group | Array


def group(parent: Group, path: str) -> Group | None:
    """The group at a path below, or None."""
    found = parent.get(path)
    return None if isinstance(found, Array) else found


def array(parent: Group, path: str) -> Array | None:
    """The array at a path below, or None."""
    found = parent.get(path)
    return found if isinstance(found, Array) else None


def text(parent: Group, path: str) -> str:
    """A text or number that stands alone in an array below, as text; empty where there is none."""
    found = array(parent, path)
    if found is None or found.shape not in ((), (1,)):
        return ""
    try:
        value = plain(found.values())
    except ReaderError:
        return ""
    return "" if isinstance(value, np.ndarray) else str(value).strip()


def last(path: str) -> str:
    """Last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def walk(top: Group, skip: frozenset[str] = frozenset({"specifications"})) -> Iterator[Node]:
    """Everything below a group, in the order of the paths, each object once though links may lead to it again.

    Parameters
    ----------
    top : Group
        Where to begin; it is not given itself.
    skip : frozenset of str
        Paths that are left out with all below them.
    """
    seen: set[str] = set()
    todo = [f"{top.path}/{name}".lstrip("/") for name in reversed(top.names())]
    while todo:
        path = todo.pop()
        if path in skip or path.count("/") > 30:
            continue
        found = top.get(path[len(top.path) :].lstrip("/"))
        if found is None or found.path in seen:
            continue
        seen.add(found.path)
        yield found
        if not isinstance(found, Array) and found.path == path:
            todo += [f"{path}/{name}" for name in reversed(found.names())]
