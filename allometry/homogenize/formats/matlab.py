"""MATLAB files of both kinds (v5 by scipy, v7.3 by h5py) as plain Python.

A struct becomes a dict, a cell array a list (column-major order), a struct array a list of dicts, a char array a str, a
numeric array a numpy array in MATLAB's own orientation. Opaque objects (classes, function handles) become None.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy

from allometry.errors import ReaderError
from allometry.homogenize import mat5, mistaken
from allometry.homogenize.formats.hdf5 import whole

MAX_DEPTH = 12  # references in a damaged file can form a ring
MAGIC_73 = b"MATLAB 7.3"


def load(path: Path) -> dict[str, Any]:
    """Read all variables of a MATLAB file.

    Parameters
    ----------
    path : Path
        A .mat file, v5 to v7.3.

    Returns
    -------
    dict
        Variables by name.

    Raises
    ------
    ReaderError
        If the file is no complete MATLAB file.
    """
    try:
        mistaken.refuse(path)
        with path.open("rb") as raw:
            head = raw.read(16)
        if head.startswith(MAGIC_73) or h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                return {name: _hdf5(file, file[name], 0) for name in file if not name.startswith("#")}
        mat5.check(path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = scipy.io.loadmat(path, chars_as_strings=True, struct_as_record=True)
        return {name: _v5(value, 0) for name, value in content.items() if not name.startswith("__")}
    except ReaderError:
        raise
    except Exception as error:  # a damaged file surfaces as almost any exception of scipy, zlib, struct or h5py
        raise ReaderError(
            what=f"Not a readable MATLAB file ({type(error).__name__}: {str(error)[:120]}).",
            where=str(path),
            expected="a complete .mat file (v5 or v7.3)",
            do="retrieve the file again; if it is complete, save it from MATLAB with -v7.3",
        ) from error


def _hdf5(file: h5py.File, item: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ReaderError(
            what="The variables are nested too deeply.",
            where=str(file.filename),
            expected=f"at most {MAX_DEPTH} levels",
            do="retrieve the file again",
        )
    if isinstance(item, h5py.Group):
        return {name: _hdf5(file, item[name], depth + 1) for name in item}
    kind = item.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if item.attrs.get("MATLAB_empty", 0):
        return "" if kind == "char" else [] if kind == "cell" else np.zeros((0, 0))
    if h5py.check_ref_dtype(item.dtype) is not None:
        return [_hdf5(file, file[ref], depth + 1) if ref else None for ref in np.atleast_1d(whole(item)).ravel()]
    if kind == "char" and item.dtype.kind in "ui":
        rows = np.atleast_2d(whole(item).T)
        return "".join(chr(code) for code in rows.ravel(order="C" if rows.shape[0] == 1 else "F"))
    value = whole(item)
    if value.dtype.kind == "S":
        return value.item().decode("utf-8", errors="replace") if value.ndim == 0 else value.astype(str).ravel().tolist()
    if value.dtype.kind == "O":
        return [v.decode("utf-8", errors="replace") if isinstance(v, bytes) else v for v in value.ravel()]
    return value.T


def _v5(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, np.void) and value.dtype.names:
        return {name: _v5(value[name], depth + 1) for name in value.dtype.names}
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names:
        items = [{name: _v5(item[name], depth + 1) for name in value.dtype.names} for item in value.ravel(order="F")]
        return items[0] if len(items) == 1 else items
    if value.dtype.kind == "O":
        return [_v5(item, depth + 1) for item in value.ravel(order="F")]
    if value.dtype.kind == "U":
        rows = [str(row) for row in value.ravel()]
        return rows[0] if len(rows) == 1 else (rows or "")
    return value


def walk(tree: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every struct of a loaded file with its path, outer ones first."""
    if depth > 3 or not isinstance(tree, dict):
        return
    yield path, tree
    for name, value in tree.items():
        yield from walk(value, f"{path}/{name}", depth + 1)


def find_struct(
    tree: dict[str, Any], alternatives: list[tuple[str, ...]], where: str
) -> tuple[str, dict[str, Any], list[str]]:
    """Find the struct that has one field of each tuple of alternative names.

    Returns
    -------
    path, struct, names
        Where it is, the struct, and the names found in the order of `alternatives`.

    Raises
    ------
    ReaderError
        If there is none; the message lists what the file has.
    """
    seen: list[str] = []
    for path, struct in walk(tree):
        names = [next((name for name in choice if name in struct), None) for choice in alternatives]
        if all(name is not None for name in names):
            return path, struct, [name for name in names if name is not None]
        seen += [f"{path}/{name}" for name in struct]
    wanted = "; ".join(" or ".join(choice) for choice in alternatives)
    raise ReaderError(
        what="The fields of this layout are not in the file.",
        where=where,
        expected=f"a struct with {wanted}",
        do=f"check that this is the right file; it has: {', '.join(seen[:20]) or 'nothing'}",
    )
