"""Trees of NWB files that are Zarr stores, as hdmf-zarr writes them: a folder, or a ZIP archive of one.

hdmf-zarr itself needs zarr 2 (its version 0.13 demands `zarr<3.0`), which cannot be installed beside the zarr 3 of the stores, and
zarr 3 refuses its arrays of text (their fill value is a number). The layout is plain: links stand in the attribute `zarr_link` of a
group, references in an attribute as a path. What it keeps as a pickle (columns of references) is never decoded.
"""

import contextlib
import itertools
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import h5py
import numcodecs
import numpy as np
import numpy.typing as npt
import zarr
from zarr.storage import LocalStore, ZipStore

from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata.tree import Array, Node, Stored, plain
from allometry.homogenize.sizes import refuse_size

CODECS = frozenset(
    [
        "astype",
        "blosc",
        "bz2",
        "delta",
        "fixedscaleoffset",
        "gzip",
        "json2",
        "lz4",
        "lzma",
        "packbits",
        "shuffle",
        "vlen-bytes",
        "vlen-utf8",
        "zlib",
        "zstd",
    ]
)
"""Codecs that only decode; `pickle` runs what it holds."""
RESERVED = frozenset({"zarr_link", "zarr_dtype", "_ARRAY_DIMENSIONS"})
DEEPEST = 40  # links that lead in a circle
BROKEN = (ValueError, KeyError, TypeError, AttributeError, OSError, RuntimeError, zipfile.BadZipFile)


@contextlib.contextmanager
def open_tree(path: Path) -> Iterator["ZarrGroup"]:
    """Open a store; its tree can be read inside the context.

    Raises
    ------
    ReaderError
        There is no store, or its metadata are damaged.
    """
    with contextlib.ExitStack() as stack:
        try:
            files: _Files = _Folder(path) if path.is_dir() else stack.enter_context(contextlib.closing(_Archive(path)))
            top = ZarrGroup(files, path.name, "")
            if not top.is_group:
                raise ValueError("neither .zgroup nor zarr.json is there")
        except BROKEN as error:
            raise ReaderError(
                f"Zarr store cannot be opened ({type(error).__name__}: {' '.join(str(error).split())[:120]})",
                where=str(path),
                expected="a complete store in Zarr format 2 or 3, as a folder or a ZIP archive of it",
                do="retrieve it again",
            ) from error
        yield top


class _Folder:
    """Files of a store in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> bytes | None:
        path = self._path / key
        return path.read_bytes() if path.is_file() else None

    def names(self, key: str) -> list[str]:
        path = self._path / key if key else self._path
        return sorted(item.name for item in path.iterdir() if item.is_dir()) if path.is_dir() else []

    def library(self) -> Any:
        """As zarr knows it, and the path of the store in it."""
        return LocalStore(self._path, read_only=True), ""

    def close(self) -> None:
        """Nothing is open."""


class _Archive:
    """Files of a store in a ZIP archive, at its top or in a folder of it; nothing is extracted."""

    def __init__(self, path: Path) -> None:
        self._path, self._zip = path, zipfile.ZipFile(path)
        files = {name.strip("/") for name in self._zip.namelist() if not name.endswith("/")}
        marks = [name for name in files if name.rsplit("/", 1)[-1] in (".zgroup", "zarr.json")]
        shortest = min(marks, key=lambda name: name.count("/"), default="")
        self._top = shortest.rpartition("/")[0]
        cut = len(self._top) + 1 if self._top else 0
        self._files = {name[cut:] for name in files if name.startswith(self._top)}
        self._below: dict[str, set[str]] = {}
        for name in self._files:
            parts = name.split("/")[:-1]
            for depth, part in enumerate(parts):
                self._below.setdefault("/".join(parts[:depth]), set()).add(part)

    def get(self, key: str) -> bytes | None:
        return self._zip.read(f"{self._top}/{key}".lstrip("/")) if key in self._files else None

    def names(self, key: str) -> list[str]:
        return sorted(self._below.get(key, ()))

    def library(self) -> Any:
        """As zarr knows it, and the path of the store in it."""
        return ZipStore(self._path, mode="r", read_only=True), self._top

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()


_Files = _Folder | _Archive


class ZarrGroup:
    """A group of a Zarr store."""

    def __init__(self, files: _Files, file: str, path: str, root: "ZarrGroup | None" = None) -> None:
        self._files, self._file, self._path, self._root = files, file, path, root or self

    @property
    def path(self) -> str:
        """Path within the store."""
        return self._path

    @property
    def where(self) -> str:
        """Store and path."""
        return f"{self._file}, /{self.path}"

    def _json(self, name: str) -> dict[str, Any] | None:
        data = self._files.get(f"{self._path}/{name}".lstrip("/"))
        found = None if data is None else json.loads(data)
        if found is not None and not isinstance(found, dict):
            raise ValueError(f"{name} of /{self._path} is no JSON object")
        return found

    @property
    def is_group(self) -> bool:
        """Whether there is a group at the path."""
        return self._json(".zgroup") is not None or (self._json("zarr.json") or {}).get("node_type") == "group"

    @cached_property
    def _raw(self) -> dict[str, Any]:
        try:
            said = self._json(".zattrs")
            return said if said is not None else dict((self._json("zarr.json") or {}).get("attributes") or {})
        except BROKEN:
            return {}

    @cached_property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes."""
        return _attributes(self._raw)[0]

    @cached_property
    def _targets(self) -> dict[str, str]:
        """Paths of the links in this group that stay within the store."""
        found, links = {}, self._raw.get("zarr_link")
        for link in links if isinstance(links, list) else ():
            if isinstance(link, Mapping) and link.get("source", ".") in (".", "") and isinstance(link.get("path"), str):
                found[str(link.get("name"))] = link["path"].lstrip("/")
        return found

    def names(self) -> list[str]:
        """Names of the members, links among them."""
        try:
            return sorted({*self._files.names(self._path), *self._targets})
        except BROKEN:
            return sorted(self._targets)

    def get(self, path: str) -> Node | None:
        """Group or array below."""
        return self._get(path, 0)

    def _get(self, path: str, depth: int) -> Node | None:
        first, _, rest = path.strip("/").partition("/")
        if not first:
            return self
        if depth > DEEPEST or first in (".", ".."):
            return None
        if first in self._targets:
            target = self._targets[first]
            return self._root._get(f"{target}/{rest}" if rest else target, depth + 1)
        below = ZarrGroup(self._files, self._file, f"{self._path}/{first}".lstrip("/"), self._root)
        try:
            if below.is_group:
                return below._get(rest, depth + 1)
            return None if rest else below._array()
        except BROKEN:
            return None

    def _array(self) -> Array | None:
        said = self._json(".zarray")
        stored: Stored | None = None
        if said is not None:
            stored = _Format2(said, self._files, self._path)
        elif self._json("zarr.json"):
            stored = _Format3(self._files, self._path)
        if stored is None:
            return None
        attrs, links = _attributes(self._raw)
        return Array(self.where, self._path, stored, attrs, links)


def _texts(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(values.size, dtype=object)
    out[:] = [value if isinstance(value, str) else str(plain(value)) for value in values.ravel().tolist()]
    return out.reshape(values.shape)


class _Format3:
    """An array in Zarr format 3, read by zarr."""

    def __init__(self, files: _Files, path: str) -> None:
        store, top = files.library()
        self._item = zarr.open_array(store, path=f"{top}/{path}".lstrip("/"), mode="r")
        self.shape: tuple[int, ...] = tuple(self._item.shape)
        self._is_text = np.dtype(self._item.dtype).kind in "OTUS"
        self.dtype: np.dtype = h5py.string_dtype() if self._is_text else np.dtype(self._item.dtype)

    def read(self, part: Any) -> npt.NDArray[Any]:
        found = np.asarray(self._item[part])
        return _texts(found) if self._is_text else found


class _Format2:
    """An array in Zarr format 2, put together from its chunks."""

    def __init__(self, said: Mapping[str, Any], files: _Files, path: str) -> None:
        self._files, self._path = files, path
        self.shape: tuple[int, ...] = tuple(map(int, said["shape"]))
        self._chunks = tuple(map(int, said["chunks"]))
        if len(self._chunks) != len(self.shape) or min((*self._chunks, 1)) < 1 or min((*self.shape, 0)) < 0:
            raise ValueError(f"shape {self.shape} and chunks {self._chunks} do not fit")
        kind = said["dtype"]
        self._kind = np.dtype(
            [(str(name), str(what)) for name, what, *_ in kind] if isinstance(kind, list) else str(kind)
        )
        self._order: Literal["C", "F"] = "F" if said.get("order") == "F" else "C"
        self._separator = str(said.get("dimension_separator", "."))
        codecs = [*(said.get("filters") or ()), *([said["compressor"]] if said.get("compressor") else [])]
        self._unsafe = [str(codec.get("id")) for codec in codecs if codec.get("id") not in CODECS]
        self._codecs = [] if self._unsafe else [numcodecs.get_codec(dict(codec)) for codec in codecs]
        self._is_text = self._kind.kind in "OSU"
        self._fill = said.get("fill_value")
        self.dtype: np.dtype = h5py.string_dtype() if self._is_text and not self._unsafe else self._kind

    def read(self, part: Any) -> npt.NDArray[Any]:
        if self._unsafe:
            raise ValueError(f"stored with {', '.join(self._unsafe)}, which could run code: it is not decoded")
        given = part if isinstance(part, tuple) else (part,)
        if self.shape and len(given) <= len(self.shape) and all(isinstance(one, slice) for one in given):
            bounds = [one.indices(size) for one, size in zip(given, self.shape)]
            if all(step == 1 for _, _, step in bounds):
                # slices need only the chunks there; whatever else is asked for is cut out afterwards
                return self._region([(start, max(start, stop)) for start, stop, _ in bounds])
        found = self._region([])
        return found[part]

    def _region(self, bounds: list[tuple[int, int]]) -> npt.NDArray[Any]:
        """Values within bounds of the first dimensions, and everything along the others."""
        bounds = bounds + [(0, size) for size in self.shape[len(bounds) :]]
        shape = tuple(stop - start for start, stop in bounds)
        refuse_size(shape, self._kind.itemsize, f"/{self._path}")
        out = np.empty(shape, object if self._is_text else self._kind)
        grid = [range(start // chunk, -(-stop // chunk)) for (start, stop), chunk in zip(bounds, self._chunks)]
        for at in itertools.product(*grid):
            block = self._chunk(at)
            if not self.shape:
                out[()] = block.ravel()[0]
                continue
            inside, places = [], []
            for index, chunk, (start, stop) in zip(at, self._chunks, bounds):
                low, high = max(index * chunk, start), min((index + 1) * chunk, stop)
                inside.append(slice(low - index * chunk, high - index * chunk))
                places.append(slice(low - start, high - start))
            out[tuple(places)] = block[tuple(inside)]
        return _texts(out) if self._is_text else out

    def _chunk(self, at: tuple[int, ...]) -> npt.NDArray[Any]:
        key = self._separator.join(map(str, at)) or "0"
        data: Any = self._files.get(f"{self._path}/{key}")
        size = math.prod(self._chunks)
        refuse_size(self._chunks, self._kind.itemsize, f"/{self._path}")
        if data is None:
            empty = np.empty(self._chunks, object if self._is_text else self._kind)
            if self._is_text:
                empty[...] = self._fill if isinstance(self._fill, str) else ""
            elif self._kind.names:
                empty = np.zeros(self._chunks, self._kind)
            else:
                empty[...] = 0 if self._fill is None else float(self._fill) if self._kind.kind == "f" else self._fill
            return empty
        for codec in reversed(self._codecs):
            data = codec.decode(data)
        values = np.asarray(data) if self._kind.kind == "O" else np.frombuffer(data, self._kind)
        if values.size != size:
            raise ValueError(f"chunk {key} has {values.size} values, not {size}")
        return values.reshape(self._chunks, order=self._order)


def _attributes(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    attrs: dict[str, Any] = {}
    links: dict[str, str] = {}
    for name, value in raw.items():
        target = value.get("value") if isinstance(value, Mapping) else None
        if name in RESERVED:
            continue
        if isinstance(target, Mapping) and isinstance(target.get("path"), str):
            links[name] = target["path"].lstrip("/")
        elif isinstance(value, list):
            attrs[name] = np.array(value if all(isinstance(v, int | float) for v in value) else [str(v) for v in value])
        else:
            attrs[name] = plain(value)
    return attrs, links
