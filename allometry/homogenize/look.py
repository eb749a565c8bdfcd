"""What a file looks like from outside, and what a reader says that it is: the language of `allometry inspect`.

A reader that knows its files by their looks says so with `recognise(files)`: it gets the files of one folder, looks at the
names, shapes and first lines in them, and gives a `Finding` for what it would read. Nothing large is read for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

SURE, LIKELY, GUESS = 3, 2, 1
"""How certain a finding is: a layout of this reader alone; a general layout with all that it needs; a guess."""


@dataclass(frozen=True)
class Array:
    """An array inside a file, as its header describes it.

    Parameters
    ----------
    shape : tuple of int
    kind : str
        `number`, `text`, `bool`, or `other` (cells, structs, references, compounds).
    """

    shape: tuple[int, ...]
    kind: str = "number"


@dataclass(frozen=True)
class Peek:
    """What can be seen of a file without reading it.

    Parameters
    ----------
    path : Path
        The file, or the folder that is one data set (`.zarr`).
    form : str
        Container: `text`, `json`, `xml`, `hdf5`, `mat`, `npz`, `npy`, `xlsx`, `xls`, `zip`, `tar`, `parquet`, `feather`,
        `folder`, `unknown`.
    size : int
        Bytes.
    arrays : mapping of str to Array
        Arrays by their path in the container (`gcamp/traces`); of tables in Parquet and Feather the columns.
    rows : tuple of tuple of str
        First lines of a text table, split into fields; of a packed one too.
    delimiter : str
        What separates them; a blank stands for any white space.
    sheets : mapping of str to rows
        First lines of each sheet of a workbook.
    members : tuple of str
        Files in an archive.
    head : str
        First characters of a text.
    attrs : mapping
        Attributes of the root of an HDF5 file.
    packed : bool
        Whether the file is compressed as a whole (`.gz`, `.bz2`).
    """

    path: Path
    form: str
    size: int = 0
    arrays: Mapping[str, Array] = field(default_factory=dict)
    rows: tuple[tuple[str, ...], ...] = ()
    delimiter: str = ""
    sheets: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    head: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    packed: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """First line of a text table, or the columns of a Parquet or Feather file."""
        if self.form in ("parquet", "feather"):
            return tuple(self.arrays)
        return self.rows[0] if self.rows else ()

    def has(self, *names: str | tuple[str, ...]) -> bool:
        """Whether there is an array, group or field of each name; a tuple stands for alternatives.

        A name is the end of a path: `traces` is found in `Kato/traces`.
        """
        ends = self._ends
        return all(any(name in ends for name in ([one] if isinstance(one, str) else one)) for one in names)

    def find(self, name: str) -> str:
        """Path of the first array that ends with a name; empty if there is none."""
        return next((path for path in self.arrays if path == name or path.endswith(f"/{name}")), "")

    @cached_property
    def _ends(self) -> frozenset[str]:
        found: set[str] = set()
        for path in self.arrays:
            parts = path.split("/")
            found.update("/".join(parts[start:stop]) for stop in range(1, len(parts) + 1) for start in range(stop))
        return frozenset(found)


@dataclass(frozen=True)
class Files:
    """Files that lie together, to be looked at.

    Parameters
    ----------
    paths : tuple of Path
        Files of one folder, sorted; or a single one.
    peek : callable
        `peek(path)`: what can be seen of one.
    folder : Path or None
        The folder, where a whole one is looked at.
    """

    paths: tuple[Path, ...]
    peek: Callable[[Path], Peek]
    folder: Path | None = None

    def named(self, *patterns: str) -> list[Path]:
        """Those whose name fits one of the patterns (`*_labels.txt`), capitals and all."""
        return [path for path in self.paths if any(fnmatchcase(path.name, pattern) for pattern in patterns)]

    def holding(self, *names: str | tuple[str, ...], form: str = "") -> list[Path]:
        """Those that have an array, group or field of each name (see `Peek.has`)."""
        seen = ((path, self.peek(path)) for path in self.paths)
        return [path for path, peek in seen if peek.form.startswith(form) and peek.has(*names)]

    def tables(self, *columns: str) -> list[Path]:
        """Text tables whose first line has all of these columns."""
        seen = ((path, self.peek(path)) for path in self.paths)
        return [path for path, peek in seen if peek.form == "text" and set(columns) <= set(peek.header)]


def by_name(paths: Iterable[Path]) -> dict[str, Path]:
    """Files under their own names."""
    return {path.name: path for path in paths}


@dataclass(frozen=True)
class Finding:
    """What files are, and how they are read.

    Parameters
    ----------
    what : str
        What they are, in one sentence without its point.
    files : mapping of str to Path
        What is read: by the name that the reader wants, which is mostly the file's own.
    stores : mapping of str to (str, mapping)
        Kind and options of each store; the key is put behind the name of the data set (empty for the only one).
    certainty : int
        `SURE`, `LIKELY` or `GUESS`.
    facts : tuple of str
        Shapes, units, rates, labels: what is seen.
    doubts : tuple of str
        What has to be checked, or is not in the files.
    options : mapping
        Options of the reader for all stores.
    species : str
        Where the files or their layout say it.
    reader : str
        Filled in by the inspection: the reader that says it.
    named : str
        Filled in by the inspection, where the files were read: the species that they name, which needs no option.
    """

    what: str
    files: Mapping[str, Path]
    stores: Mapping[str, tuple[str, Mapping[str, Any]]]
    certainty: int = SURE
    facts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    species: str = ""
    reader: str = ""
    named: str = ""


def one_store(
    what: str,
    files: Iterable[Path] | Mapping[str, Path],
    kind: str,
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[Finding]:
    """The list of one finding with one store; empty where there are no files."""
    named = dict(files) if isinstance(files, Mapping) else by_name(files)
    return [Finding(what, named, {"": (kind, options or {})}, **more)] if named else []


def store_per_file(
    what: str, files: Iterable[Path], kind: str, options: Mapping[str, Any] | None = None, **more: Any
) -> list[Finding]:
    """The list of one finding whose stores are of one file each, which the option `file` names."""
    named = by_name(files)
    if len(named) < 2:
        return one_store(what, named, kind, options, **more)
    stores = {plain(name.split(".")[0]): (kind, {"file": name, **(options or {})}) for name in named}
    if len(stores) < len(named):
        stores = {plain(name): (kind, {"file": name, **(options or {})}) for name in named}
    return [Finding(what, named, stores, **more)]


def plain(text: str) -> str:
    """A text as part of a name: lower case, digits and underscores."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in text.lower())
    return "_".join(part for part in kept.split("_") if part) or "data"
