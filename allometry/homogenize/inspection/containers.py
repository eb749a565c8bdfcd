"""A look at a file: its container, the names and shapes in it, its first lines; never its bulk.

A file of a terabyte is looked at in the time of one of a kilobyte: headers, directories and the first lines are read. Nothing
is unpickled, nothing extracted, and nothing larger than `SMALL` is unpacked.
"""

import bz2
import gzip
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from allometry.errors import AllometryError, ReaderError
from allometry.homogenize import lines, mistaken
from allometry.homogenize.formats import matlab
from allometry.homogenize.look import Array, Peek

SMALL = 64 * 2**20
"""Bytes of a file that may be read whole for a look."""
_MOST_ITEMS = 20_000
_HEAD = 2**18
_ARCHIVE_ROWS = 3


def peek(path: Path) -> Peek:
    """Look at a file, or at a folder that is one data set.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Peek
        Of form `unknown` where nothing is known about the container.

    Raises
    ------
    ReaderError
        The file is empty, cannot be read, is broken, or is a pointer or page in place of data.
    """
    try:
        stat = path.stat()
        return _peek(path, stat.st_mtime_ns, stat.st_size)
    except AllometryError:
        raise
    except PermissionError as error:
        raise ReaderError(
            "it may not be read",
            where=str(path),
            expected="the right to read it",
            do=f"ask for it, or `chmod u+r {path}`",
        ) from error
    except OSError as error:
        raise ReaderError(f"it cannot be read: {error.strerror or error}", where=str(path)) from error


@lru_cache(maxsize=4096)
def _peek(path: Path, _: int, size: int) -> Peek:
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise ReaderError("it is no file", where=str(path), expected="a file, or a folder of files")
    if not size:
        raise ReaderError("the file is empty", where=str(path), expected="data", do="retrieve it again")
    mistaken.refuse(path)
    with path.open("rb") as file:
        magic = file.read(_HEAD if size > _HEAD else size)
    look = next((look for mark, look in _MAGIC if magic.startswith(mark)), None)
    if look is None and (path.name.lower().endswith(".tar") or magic[257:262] == b"ustar"):
        look = _tar
    try:
        return (look or _other)(path, magic)
    except AllometryError:
        raise
    except PermissionError:
        raise
    except Exception as error:  # damage surfaces as whatever zlib, struct, h5py or an archive makes of it
        raise ReaderError(
            f"the file is broken ({type(error).__name__}: {str(error)[:100]})",
            where=str(path),
            expected="a complete file",
            do="retrieve it again",
        ) from error


def _folder(path: Path) -> Peek:
    """A Zarr store: its arrays by their metadata."""
    arrays = {}
    for meta in sorted([*path.rglob("zarr.json"), *path.rglob(".zarray")])[:_MOST_ITEMS]:
        described = json.loads(meta.read_bytes())
        if "shape" in described:
            name = meta.parent.relative_to(path).as_posix()
            kind = described.get("data_type", described.get("dtype", ""))
            arrays[name] = Array(
                tuple(described["shape"]), "number" if "f" in str(kind) or "int" in str(kind) else "other"
            )
    return Peek(path, "folder", arrays=arrays)


def _hdf5(path: Path, _: bytes) -> Peek:
    arrays: dict[str, Array] = {}
    with h5py.File(path, "r") as file:
        attrs = {name: _plain(file.attrs[name]) for name in list(file.attrs)[:50]}

        def note(name: str, item: Any) -> bool | None:
            if isinstance(item, h5py.Dataset):
                arrays[name] = Array(item.shape or (), _kind_of(item.dtype))
            else:
                arrays[name] = Array((), "group")
            return True if len(arrays) >= _MOST_ITEMS else None

        file.visititems(note)
    return Peek(path, "hdf5", path.stat().st_size, arrays=arrays, attrs=attrs)


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _kind_of(dtype: np.dtype) -> str:
    if h5py.check_string_dtype(dtype) is not None or dtype.kind in "SUT":
        return "text"
    return {"b": "bool"}.get(dtype.kind, "number" if dtype.kind in "iufc" else "other")


def _mat(path: Path, _: bytes) -> Peek:
    """A MATLAB file up to version 7: fields of structs too, where the file is small enough to be read for it."""
    size = path.stat().st_size
    arrays: dict[str, Array] = {}
    if size <= SMALL:
        _note_tree(matlab.load(path), "", arrays)
        return Peek(path, "mat", size, arrays=arrays)
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, shape, kind in scipy.io.whosmat(path):
            number = kind in ("double", "single") or "int" in kind
            arrays[name] = Array(tuple(shape), "number" if number else "text" if kind == "char" else "other")
    return Peek(path, "mat", size, arrays=arrays)


def _note_tree(value: Any, name: str, arrays: dict[str, Array], depth: int = 0) -> None:
    if isinstance(value, dict) and depth < 4:
        if name:
            arrays[name] = Array((), "group")
        for key, part in value.items():
            _note_tree(part, f"{name}/{key}" if name else key, arrays, depth + 1)
    elif hasattr(value, "tocsr"):  # a sparse matrix
        arrays[name] = Array(tuple(value.shape))
    elif isinstance(value, np.ndarray):
        arrays[name] = Array(value.shape, _kind_of(value.dtype))
    elif isinstance(value, list):
        texts = bool(value) and all(isinstance(part, str) for part in value)
        arrays[name] = Array((len(value),), "text" if texts else "other")
    else:
        arrays[name] = Array((), "text" if isinstance(value, str) else "other")


def _npy_header(file: IO[bytes]) -> Array:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return Array(shape, _kind_of(dtype))


def _npy(path: Path, magic: bytes) -> Peek:
    return Peek(path, "npy", path.stat().st_size, arrays={path.stem: _npy_header(io.BytesIO(magic))})


def _zip(path: Path, _: bytes) -> Peek:
    """A .zip, or what is one inside: .npz and .xlsx."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = tuple(name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name)
        if any(name.startswith("xl/") for name in members):
            return _workbook(path)
        if members and all(name.endswith(".npy") for name in members):
            arrays = {}
            for name in members[:_MOST_ITEMS]:
                with archive.open(name) as file:
                    arrays[name.removesuffix(".npy")] = _npy_header(file)
            return Peek(path, "npz", size, arrays=arrays)
        tables = [name for name in members if name.lower().endswith((".csv", ".tsv", ".txt", ".edgelist"))]
        sheets: dict[str, tuple[tuple[str, ...], ...]] = {}
        for name in tables[:20]:
            with archive.open(name) as file:
                sheets[name] = _rows(file.read(_HEAD))[0][:_ARCHIVE_ROWS]
    return Peek(path, "zip", size, members=members, sheets=sheets)


def _tar(path: Path, _: bytes) -> Peek:
    names: list[str] = []
    sheets: dict[str, tuple[tuple[str, ...], ...]] = {}
    with tarfile.open(path) as archive:
        for item in archive:
            if item.isfile():
                names.append(item.name)
            if item.isfile() and item.name.lower().endswith((".csv", ".tsv", ".txt")) and len(sheets) < 20:
                file = archive.extractfile(item)
                sheets[item.name] = _rows(file.read(_HEAD))[0][:_ARCHIVE_ROWS] if file else ()
            if len(names) >= 1000 or archive.offset > SMALL:
                break
    return Peek(path, "tar", path.stat().st_size, members=tuple(names), sheets=sheets)


def _workbook(path: Path, _: bytes = b"") -> Peek:
    """Sheets of a workbook, with their first lines."""
    size = path.stat().st_size
    if size > SMALL:
        return Peek(path, path.suffix.lower().lstrip(".") or "xlsx", size)
    sheets: dict[str, tuple[tuple[str, ...], ...]] = {}
    if zipfile.is_zipfile(path):
        import openpyxl

        # by its content: some files of this format end in .xls
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(file, read_only=True)
            for sheet in book.worksheets:
                sheets[sheet.title] = tuple(_cells(row) for row in sheet.iter_rows(max_row=20, values_only=True))
            book.close()
        return Peek(path, "xlsx", size, sheets=sheets)
    import xlrd

    book = xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO())
    for sheet in book.sheets():
        sheets[sheet.name] = tuple(_cells(sheet.row_values(i)) for i in range(min(20, sheet.nrows)))
    return Peek(path, "xls", size, sheets=sheets)


def _cells(row: Any) -> tuple[str, ...]:
    return tuple("" if cell is None else str(cell).strip() for cell in row)


def _gzip(path: Path, magic: bytes) -> Peek:
    if path.name.lower().endswith((".tar.gz", ".tgz")):
        return _tar(path, magic)
    with gzip.open(path) as file:
        return _text(path, file.read(_HEAD), packed=True)


def _bzip2(path: Path, _: bytes) -> Peek:
    with bz2.open(path) as file:
        return _text(path, file.read(_HEAD), packed=True)


def _parquet(path: Path, _: bytes) -> Peek:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path)
    return Peek(path, "parquet", path.stat().st_size, arrays=_columns(file.schema_arrow, file.metadata.num_rows))


def _feather(path: Path, magic: bytes) -> Peek:
    import pyarrow
    import pyarrow.feather

    if magic.startswith(b"FEA1"):
        raise ReaderError(
            "this is a Feather file of version 1",
            where=str(path),
            expected="version 2",
            do="write it again with pyarrow",
        )
    with pyarrow.memory_map(str(path)) as source:
        reader = pyarrow.ipc.open_file(source)
        # batches are counted from their headers, which are small beside their columns
        rows = reader.get_batch(0).num_rows if reader.num_record_batches else 0
        many = reader.num_record_batches
        total = rows if many <= 1 else rows * (many - 1) + reader.get_batch(many - 1).num_rows
        return Peek(path, "feather", path.stat().st_size, arrays=_columns(reader.schema, total))


def _columns(schema: Any, rows: int) -> dict[str, Array]:
    import pyarrow.types as types

    found = {}
    for name, kind in zip(schema.names, schema.types):
        of = kind.value_type if types.is_dictionary(kind) else kind
        text = types.is_string(of) or types.is_large_string(of)
        number = types.is_integer(of) or types.is_floating(of)
        found[name] = Array((rows,), "text" if text else "number" if number else "other")
    return found


def _other(path: Path, magic: bytes) -> Peek:
    return _text(path, magic)


def _text(path: Path, head: bytes, packed: bool = False) -> Peek:
    """Text, JSON and XML; anything else is unknown."""
    size = path.stat().st_size
    text = lines.decoded(head)
    if text is None:
        pickled = head[:1] == b"\x80" and 2 <= head[1] <= 5  # protocol of the pickle
        return Peek(path, "pickle" if pickled else "unknown", size, packed=packed)
    start = text.lstrip()[:1]
    if start == "<":
        return Peek(path, "xml", size, head=text[:20_000], packed=packed)
    if start in "{[" and start and path.name.lower().split(".")[-1] not in ("csv", "tsv"):
        return Peek(path, "json", size, arrays=_json(path, size, packed), head=text[:2000], packed=packed)
    rows, delimiter = _rows(head)
    attrs = {} if lines.is_utf(head) else {"encoding": "latin-1"}
    return Peek(path, "text", size, rows=rows, delimiter=delimiter, head=text[:2000], packed=packed, attrs=attrs)


def _rows(head: bytes) -> tuple[tuple[tuple[str, ...], ...], str]:
    text = lines.decoded(head)
    return lines.split(text) if text is not None else ((), "")


def _json(path: Path, size: int, packed: bool) -> dict[str, Array]:
    """Names and lengths of the first level, and of the first object of a list."""
    if size > SMALL:
        return {}
    data = path.read_bytes()
    if packed:
        data = bz2.decompress(data) if data.startswith(b"BZh") else gzip.decompress(data)
    content = json.loads(data)
    if isinstance(content, list):
        first = content[0] if content and isinstance(content[0], dict) else {}
        return {"": Array((len(content),), "other"), **{str(key): Array((), "other") for key in first}}
    if not isinstance(content, dict):
        return {}
    return {str(key): Array(_shape(value), _json_kind(value)) for key, value in list(content.items())[:_MOST_ITEMS]}


def _shape(value: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(value, list) and len(shape) < 3:
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _json_kind(value: Any) -> str:
    while isinstance(value, list):
        value = value[0] if value else None
    return "group" if isinstance(value, dict) else "text" if isinstance(value, str) else "number"


_MAGIC: tuple[tuple[bytes, Callable[[Path, bytes], Peek]], ...] = (
    (b"\x89HDF\r\n\x1a\n", _hdf5),
    (b"MATLAB 7.3", _hdf5),
    (b"MATLAB 5.0", _mat),
    (b"\x93NUMPY", _npy),
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
    (b"\xd0\xcf\x11\xe0", _workbook),
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
    (b"PAR1", _parquet),
    (b"ARROW1", _feather),
    (b"FEA1", _feather),
    # a Julia file is HDF5 behind a header of its own
    (b"HDF5-based Julia Data Format", _hdf5),
)
