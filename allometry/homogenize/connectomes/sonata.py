"""Networks in SONATA: edges and nodes in HDF5, with their types in tables of text."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from allometry.errors import AllometryError, ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.connectomes.edge_columns import Columns

ENDS = ("source", "target")


def holds(path: Path, part: str) -> bool:
    """Whether an HDF5 file has a group of this name (`edges`, `nodes`) with populations in it."""
    if path.suffix.lower() not in (".h5", ".hdf5") or not h5py.is_hdf5(path):
        return False
    with _opened(path) as file:
        wanted = "source_node_id" if part == "edges" else "node_type_id"
        try:
            found = file.get(part)
            return isinstance(found, h5py.Group) and any(
                isinstance(item, h5py.Group) and wanted in item for item in found.values()
            )
        except (KeyError, OSError, RuntimeError):  # a damaged link, or a damaged list of them
            return False


def chunks(
    path: Path, columns: Columns, chunk_rows: int, *, types: pd.DataFrame | None = None, named: bool = True
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Edges of all populations, with their weight, in blocks.

    Parameters
    ----------
    path : Path
        File with `/edges/{population}`.
    columns : Columns
        `source` and `target` are those of SONATA whatever they say; `weight` and `kind` name attributes of the edges, in their
        group or in the table of types.
    chunk_rows : int
        Edges held at a time.
    types : DataFrame, optional
        Table of edge types by `edge_type_id`.
    named : bool
        Whether a node is called `population:id`; else by its id alone.

    Yields
    ------
    int, DataFrame
        Number of the first edge of the file, and the block.
    """
    first = 1
    with _opened(path) as file:
        for name in file["edges"]:
            group = file["edges"][name]
            ends = {end: _array(group, f"{end}_node_id", path) for end in ENDS}
            populations = {end: _population(array, path) for end, array in ends.items()}
            count = len(ends["source"])
            for start in range(0, count, chunk_rows):
                part = slice(start, min(start + chunk_rows, count))
                block: dict[str, Any] = {
                    getattr(columns, end): _labels(array[part], populations[end] if named else "")
                    for end, array in ends.items()
                }
                for attribute in (columns.weight, columns.kind):
                    if attribute is not None:
                        block[attribute] = _attribute(group, attribute, part, types, path)
                yield first + start, pd.DataFrame(block)
            first += count


def nodes(path: Path, types: pd.DataFrame | None = None, *, named: bool = True) -> pd.DataFrame:
    """Nodes of all populations: `id` (as in `chunks`), `population`, `node_type_id`, attributes and columns of their types."""
    tables = []
    with _opened(path) as file:
        for name in file["nodes"]:
            group = file["nodes"][name]
            type_id = _array(group, "node_type_id", path)[()]
            ids = _array(group, "node_id", path)[()] if "node_id" in group else np.arange(len(type_id))
            table = pd.DataFrame(
                {"id": _labels(ids, name if named else ""), "population": name, "node_type_id": type_id.astype(str)},
                dtype=object,
            )
            for part, inside in group.items():
                if not isinstance(inside, h5py.Group) or not part.isdigit():
                    continue
                of_group = _member_rows(group, int(part), len(table))
                for key, item in inside.items():
                    if isinstance(item, h5py.Dataset) and item.ndim == 1:
                        values = [cell.decode() if isinstance(cell, bytes) else cell for cell in item[()].tolist()]
                        column = (
                            table[key].to_numpy(object).copy() if key in table else np.full(len(table), None, object)
                        )
                        column[of_group] = np.asarray(values, object)[: len(of_group)]
                        table[key] = column
            tables.append(table)
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["id"])
    if types is not None and "node_type_id" in types:
        by_type = types.set_index("node_type_id")
        for key in by_type.columns.difference(whole.columns):
            whole[key] = whole["node_type_id"].map(by_type[key])
    return whole


def read_types(path: Path) -> pd.DataFrame:
    """Table of edge or node types: text separated by blanks; NULL stands for nothing."""
    try:
        table = pd.read_csv(path, sep=r"\s+", dtype=str, keep_default_na=False, na_values=["NULL", "NONE"])
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ReaderError(
            f"table of types cannot be read ({str(error)[:100]})",
            where=str(path),
            expected="columns separated by blanks",
        ) from error
    return table.astype(object).where(table.notna(), None)


def populations(path: Path) -> set[str]:
    """Populations of nodes that the edges of a file are between."""
    with _opened(path) as file:
        return {
            _population(_array(group, f"{end}_node_id", path), path) for group in file["edges"].values() for end in ENDS
        }


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The open file; what h5py raises at damaged places of it is one error that names it."""
    mistaken.refuse(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except AllometryError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ReaderError(
            f"not a readable HDF5 file ({type(error).__name__}: {' '.join(str(error).split())[:100]})",
            where=str(path),
            expected="a complete file",
            do="retrieve it again",
        ) from error


def _array(group: h5py.Group, name: str, path: Path) -> h5py.Dataset:
    found = group.get(name)
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.dtype.kind not in "iu":
        raise ReaderError(f"there is no list {name!r}", where=f"{path.name}, {group.name}", expected="whole numbers")
    return found


def _population(array: h5py.Dataset, path: Path) -> str:
    name = array.attrs.get("node_population", "")
    name = name.decode() if isinstance(name, bytes) else str(name)
    if not name:
        raise ReaderError(
            "the attribute node_population is missing",
            where=f"{path.name}, {array.name}",
            expected="name of the population",
        )
    return name


def _labels(ids: np.ndarray, population: str) -> Any:
    return pd.Series(ids.astype(str), dtype="str").radd(f"{population}:") if population else ids.astype(np.int64)


def _member_rows(group: h5py.Group, number: int, count: int) -> np.ndarray:
    """Rows of the population that are of an attribute group, in the order of the group."""
    if "node_group_id" not in group or "node_group_index" not in group:
        return np.arange(count)
    rows = np.flatnonzero(group["node_group_id"][()] == number)
    return rows[np.argsort(group["node_group_index"][()][rows], kind="stable")]


def _attribute(group: h5py.Group, name: str, part: slice, types: pd.DataFrame | None, path: Path) -> np.ndarray:
    """Values of an attribute for some edges: of their groups, else of their types."""
    numbers, index = np.zeros(part.stop - part.start, int), np.arange(part.start, part.stop)
    if "edge_group_id" in group:
        numbers = _array(group, "edge_group_id", path)[part]
    if "edge_group_index" in group:
        index = _array(group, "edge_group_index", path)[part]
    out = np.full(len(numbers), None, object)
    for number in np.unique(numbers).tolist():
        inside = group.get(f"{number}/{name}")
        if isinstance(inside, h5py.Dataset):
            rows = np.flatnonzero(numbers == number)
            low, high = int(index[rows].min()), int(index[rows].max()) + 1
            of_edges = inside.asstr() if h5py.check_string_dtype(inside.dtype) else inside
            out[rows] = of_edges[low:high][index[rows] - low]
    if types is not None and name in types and "edge_type_id" in group:
        by_type = types.set_index("edge_type_id")[name]
        missing = np.array([value is None for value in out])
        out[missing] = pd.Series(group["edge_type_id"][part].astype(str)).map(by_type).to_numpy(object)[missing]
    if any(value is None for value in out):
        raise ReaderError(
            f"an edge has no {name!r}",
            where=f"{path.name}, {group.name}",
            expected="an attribute of every edge, in its group or in the table of edge types",
            do="name another one with the option `weight`, or set `weight: null` to count edges",
        )
    return out if isinstance(out[0], str) else out.astype(float)
