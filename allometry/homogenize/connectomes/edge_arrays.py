"""Edges in arrays: lists of ends in an .npz, and adjacency matrices, dense or sparse, in any container; in blocks."""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import lines as first_lines
from allometry.homogenize import mat5, mistaken
from allometry.homogenize.connectomes import edge_arrow
from allometry.homogenize.connectomes.edge_columns import Columns, check_columns

SPARSE = ("indptr", "indices", "data", "shape")
_COORDINATES = ("row", "col", "data", "shape")
_CELLS = 2**22
_MOST_NODES = 2**28
MATRIX_COLUMNS = Columns("source", "target", "weight")
Block = tuple[int, pd.DataFrame]


def npz_chunks(path: Path, columns: Columns, chunk_rows: int, *, more: Sequence[str] = ()) -> Iterator[Block]:
    """Rows of equally long arrays of an .npz, as many at a time as asked for: none is unpacked whole."""
    with _archive(path) as archive:
        have = [name.removesuffix(".npy") for name in archive.namelist()]
        check_columns(have, columns, path, more)
        wanted = list(dict.fromkeys([*columns.names(), *more]))
        streams = {name: _Member(archive, name, path) for name in wanted}
        lengths = {name: stream.length for name, stream in streams.items()}
        if len(set(lengths.values())) > 1:
            raise ReaderError(
                f"arrays are of different lengths: {lengths}", where=path.name, expected="one value per edge"
            )
        first, total = 1, next(iter(lengths.values()))
        while first <= total:
            count = min(chunk_rows, total - first + 1)
            block = {name: _ids(stream.read(count), name, columns, path) for name, stream in streams.items()}
            yield first, pd.DataFrame(block)
            first += count


def _ids(values: np.ndarray, name: str, columns: Columns, path: Path) -> Any:
    if name in columns.texts():
        if values.dtype.kind in "US":
            return values.astype(str)
        if values.dtype.kind not in "iu":
            raise ReaderError(f"array {name!r} holds {values.dtype}", where=path.name, expected="whole numbers or text")
        return values if name in (columns.source, columns.target) else values.astype(str)
    return values


class _Member:
    """One array of an .npz, read from front to back."""

    def __init__(self, archive: zipfile.ZipFile, name: str, path: Path) -> None:
        self._file: IO[bytes] = archive.open(f"{name}.npy")
        self.where = f"{path.name}, {name}"
        version = np.lib.format.read_magic(self._file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, self.dtype = read(self._file)
        if len(shape) != 1 or self.dtype.hasobject:
            raise ReaderError(
                f"array of shape {shape} and type {self.dtype}",
                where=self.where,
                expected="one dimension, numbers or text; objects are never loaded",
            )
        self.length = int(shape[0])

    def read(self, count: int) -> np.ndarray:
        data = self._file.read(count * self.dtype.itemsize)
        if len(data) != count * self.dtype.itemsize:
            raise ReaderError(
                "array is cut short", where=self.where, expected="a complete file", do="retrieve it again"
            )
        return np.frombuffer(data, self.dtype)


def _archive(path: Path) -> zipfile.ZipFile:
    mistaken.refuse(path)
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ReaderError(f"not a readable .npz ({error})", where=str(path), expected="a complete file") from error


def matrix_chunks(
    path: Path,
    *,
    matrix: str | None = None,
    labels: str | None = None,
    delimiter: str = ",",
    header: bool = True,
    by_target: bool = False,
    missing: bool = False,
    encoding: str | None = None,
) -> Iterator[Block]:
    """Cells of an adjacency matrix that are not zero, as edge rows; a block of rows at a time.

    Parameters
    ----------
    path : Path
        Text, Parquet or Feather (names in the first row and column), .npz (dense, or sparse as scipy saves it), MATLAB or
        HDF5.
    matrix : str, optional
        Name of the array; the only matrix by default.
    labels : str, optional
        Name of an array with the names of the nodes; without, they are numbers from 0.
    delimiter, header : str, bool
        Of a text: without a header neither rows nor columns have names.
    by_target : bool
        Whether rows are targets and columns sources.
    missing : bool
        Whether NaN stands for a pair that was not measured; an error otherwise.
    encoding : str, optional
        Of a text; by its byte order mark, else UTF-8, where none is given.

    Yields
    ------
    int, DataFrame
        Row of the matrix from 1, and edges with the columns of `MATRIX_COLUMNS`.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        rows, columns, blocks = _npz_matrix(path, matrix, labels)
    elif suffix in (".h5", ".hdf5", ".mat"):
        rows, columns, blocks = _named_matrix(path, matrix, labels)
    elif suffix in edge_arrow.SUFFIXES:
        rows, columns, blocks = _frame_matrix(path)
    else:
        rows, columns, blocks = _text_matrix(path, delimiter, header, encoding or first_lines.encoding(path))
    first = 1
    for block in blocks:
        if np.asarray(block).dtype.kind == "c":
            raise ReaderError("the matrix holds complex numbers", where=path.name, expected="real numbers")
        values = np.asarray(block, np.float64)
        bad = ~np.isfinite(values)
        if bad.any() and not (missing and not np.isinf(values).any()):
            i, j = np.argwhere(bad)[0]
            raise ReaderError(
                f"a cell holds no finite number: {rows[first - 1 + i]} -> {columns[j]}",
                where=f"{path.name}, row {first + i}, column {j + 1} of the matrix",
                expected="a number in every cell (of a functional matrix NaN where a pair was not measured)",
            )
        i, j = np.nonzero(~bad & ((values != 0) | missing))
        ends = (rows[first - 1 + i], columns[j])
        source, target = ends[::-1] if by_target else ends
        yield first, pd.DataFrame({"source": source, "target": target, "weight": values[i, j]})
        first += len(values)
    if first - 1 != len(rows):
        raise ReaderError(
            f"matrix has {first - 1} rows and {len(rows)} names", where=path.name, expected="one name per row"
        )


Parts = tuple[np.ndarray, np.ndarray, Iterator[np.ndarray]]


def _npz_matrix(path: Path, matrix: str | None, labels: str | None) -> Parts:
    with _archive(path) as archive:
        have = {name.removesuffix(".npy") for name in archive.namelist()}
    try:
        with np.load(path, allow_pickle=False) as content:
            names = np.asarray(content[labels]).ravel() if labels else None
            if set(SPARSE) <= have or set(_COORDINATES) <= have:
                whole = _sparse(content, path)
            else:
                # decoded only where its header says that it is a matrix
                key = _only_matrix(
                    {name: content[name].shape for name in content.files if content[name].ndim == 2}, matrix, path
                )
                whole = content[key]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, zlib.error, zipfile.BadZipFile) as error:
        raise ReaderError(
            f"not a readable .npz ({type(error).__name__}: {str(error)[:100]})",
            where=str(path),
            expected="arrays of numbers and text; objects are never loaded",
        ) from error
    rows, columns = _names(names, whole.shape, path)
    step = max(1, _CELLS // max(1, whole.shape[1]))
    dense = (whole[start : start + step] for start in range(0, whole.shape[0], step))
    return rows, columns, (part.toarray() if hasattr(part, "toarray") else part for part in dense)


def _sparse(content: Any, path: Path) -> Any:
    import scipy.sparse

    shape = tuple(int(n) for n in content["shape"])
    form = content["format"].item() if "format" in content.files else b"csr"
    form = form.decode() if isinstance(form, bytes) else str(form)
    for name in ("row", "col") if "row" in content.files else ("indices", "indptr"):
        if content[name].dtype.kind not in "iu":
            raise ValueError(f"the array {name} is of type {content[name].dtype}, not of whole numbers")
    if "row" in content.files:
        made = scipy.sparse.coo_array((content["data"], (content["row"], content["col"])), shape=shape)
        return _sound(made).tocsr()
    if form not in ("csr", "csc"):
        raise ReaderError(
            f"sparse matrix in the form {form}", where=path.name, expected="csr, csc or coo", do="convert it"
        )
    kind = scipy.sparse.csr_array if form == "csr" else scipy.sparse.csc_array
    return _sound(kind((content["data"], content["indices"], content["indptr"]), shape=shape)).tocsr()


def _sound(matrix: Any) -> Any:
    """A sparse matrix whose indices lie within it: scipy's conversions trust them, and write outside of memory if they do not.

    Raises
    ------
    ValueError
        They do not.
    """
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)
    if max(matrix.shape) > _MOST_NODES:
        raise ValueError(f"shape {matrix.shape}")
    return matrix


def _named_matrix(path: Path, matrix: str | None, labels: str | None) -> Parts:
    mistaken.refuse(path)
    if not h5py.is_hdf5(path):
        return _mat_matrix(path, matrix, labels)
    with h5py.File(path, "r") as file:
        shapes: dict[str, tuple[int, ...]] = {}
        file.visititems(
            lambda name, item: (
                shapes.update({name: item.shape})
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf" and len(item.shape or ()) == 2
                else None
            )
        )
        key = _only_matrix(shapes, matrix, path)
        if labels and not isinstance(file.get(labels), h5py.Dataset):
            raise ReaderError(
                f"there is no array {labels!r}", where=path.name, expected="what the option `labels` names"
            )
        given = file[labels][()] if labels else None
        names = (
            None if given is None else np.array([n.decode() if isinstance(n, bytes) else str(n) for n in given.ravel()])
        )
        shape = shapes[key]
    transposed = path.suffix.lower() == ".mat"  # MATLAB stores columns first
    rows, columns = _names(names, shape[::-1] if transposed else shape, path)
    step = max(1, _CELLS // max(1, shape[0] if transposed else shape[1]))

    def blocks() -> Iterator[np.ndarray]:
        with h5py.File(path, "r") as opened:
            item = opened[key]
            for start in range(0, len(rows), step):
                yield item[:, start : start + step].T if transposed else item[start : start + step]

    return rows, columns, blocks()


def _mat_matrix(path: Path, matrix: str | None, labels: str | None) -> Parts:
    import scipy.io
    import scipy.sparse

    try:
        mat5.check(path.read_bytes())
        content = scipy.io.loadmat(path, chars_as_strings=True)
        content = {name: _sound(value) if scipy.sparse.issparse(value) else value for name, value in content.items()}
    except Exception as error:  # a damaged file surfaces as almost any exception of scipy, zlib or struct
        raise ReaderError(
            f"not a readable MATLAB file ({type(error).__name__}: {str(error)[:100]})",
            where=str(path),
            expected="a .mat file",
        ) from error
    matrices = {
        k: v
        for k, v in content.items()
        if scipy.sparse.issparse(v) or (getattr(v, "ndim", 0) == 2 and v.dtype.kind in "biuf")
    }
    key = _only_matrix({name: value.shape for name, value in matrices.items() if min(value.shape) > 1}, matrix, path)
    whole = matrices[key]
    if labels and labels not in content:
        raise ReaderError(f"there is no array {labels!r}", where=path.name, expected="what the option `labels` names")
    given = [np.asarray(cell).ravel() for cell in np.asarray(content[labels]).ravel()] if labels else None
    names = None if given is None else np.array([str(cell[0]).strip() if cell.size else "" for cell in given])
    rows, columns = _names(names, whole.shape, path)
    dense = scipy.sparse.csr_array(whole) if scipy.sparse.issparse(whole) else whole
    step = max(1, _CELLS // max(1, whole.shape[1]))
    parts = (dense[start : start + step] for start in range(0, whole.shape[0], step))
    return rows, columns, (part.toarray() if hasattr(part, "toarray") else part for part in parts)


def _frame_matrix(path: Path) -> Parts:
    table = edge_arrow.frame(path)
    rows = table.iloc[:, 0].to_numpy(str)
    try:
        values = table.iloc[:, 1:].to_numpy(np.float64)
    except (TypeError, ValueError) as error:
        raise ReaderError(
            "a cell is no number", where=path.name, expected="names in the first column, numbers in all others"
        ) from error
    return _unique(rows, path), _unique(np.array(table.columns[1:], str), path), iter([values])


def _text_matrix(path: Path, delimiter: str, header: bool, encoding: str) -> Parts:
    mistaken.refuse(path)
    fields: Any = str.split if delimiter == " " else lambda line: next(csv.reader([line], delimiter=delimiter))
    rows: list[str] = []
    with path.open(encoding=encoding) as file:
        columns = [cell.strip() for cell in fields(next(file, "\n"))]
        if header:
            rows = [fields(line)[0].strip() for line in file if line.strip()]
            columns = columns[1:] if len(columns) > 1 and columns[0] not in columns[1:] else columns
        else:
            rows = [str(number) for number in range(1 + sum(1 for line in file if line.strip()))]
            columns = [str(number) for number in range(len(columns))]

    def blocks() -> Iterator[np.ndarray]:
        step = max(1, _CELLS // max(1, len(columns)))
        held: list[list[float]] = []
        with path.open(encoding=encoding) as file:
            if header:
                next(file, "")
            for number, line in enumerate((line for line in file if line.strip()), start=1):
                cells = fields(line)[1 if header else 0 :]
                if len(cells) != len(columns):
                    raise ReaderError(
                        f"the row has {len(cells)} cells and {len(columns)} columns",
                        where=f"{path.name}, row {number} of the matrix",
                        expected="a cell for every column",
                    )
                held.append([_number(cell, path, number, j) for j, cell in enumerate(cells)])
                if len(held) == step:
                    yield np.array(held)
                    held = []
        if held:
            yield np.array(held)

    return _unique(np.array(rows), path), _unique(np.array(columns), path), blocks()


def _number(cell: str, path: Path, row: int, column: int) -> float:
    try:
        return float(cell) if cell.strip() else 0.0
    except ValueError:
        raise ReaderError(
            f"{cell[:40]!r} is no number",
            where=f"{path.name}, row {row}, column {column + 1} of the matrix",
            expected="numbers; an empty cell is no edge",
        ) from None


def _only_matrix(shapes: dict[str, tuple[int, ...]], wanted: str | None, path: Path) -> str:
    square = [name for name, shape in shapes.items() if shape[0] == shape[1]] or list(shapes)
    found = [wanted] if wanted is not None else square
    if len(found) != 1 or found[0] not in shapes:
        raise ReaderError(
            f"there is no matrix {wanted!r}" if wanted is not None else f"the file has {len(square)} matrices",
            where=path.name,
            expected="the name of one: "
            + ", ".join(f"{n} {' x '.join(map(str, s))}" for n, s in list(shapes.items())[:12]),
            do="name it with the option `matrix`",
        )
    return str(found[0])


def _names(labels: np.ndarray | None, shape: tuple[int, ...], path: Path) -> tuple[np.ndarray, np.ndarray]:
    if labels is None:
        return tuple(np.array([str(number) for number in range(size)]) for size in shape)  # type: ignore[return-value]
    names = _unique(np.array([str(name).strip() for name in labels.tolist()]), path)
    if shape != (len(names), len(names)):
        raise ReaderError(
            f"matrix of shape {shape} and {len(names)} names", where=path.name, expected="one name per row"
        )
    return names, names


def _unique(names: np.ndarray, path: Path) -> np.ndarray:
    values, counts = np.unique(names, return_counts=True)
    if (counts > 1).any() or (values == "").any():
        bad = "" if (values == "").any() else values[counts > 1][0]
        raise ReaderError(
            f"the name {bad!r} is on an axis of the matrix {'twice' if bad else 'empty'}",
            where=path.name,
            expected="names, each once",
        )
    return names
