"""The tables of an NWB 2 file: units, electrodes, intervals. pynwb reads them where it can, h5py where it cannot.

pynwb refuses a whole file if one object in it is of an extension that is neither installed nor described in the file
(ndx-aibs-ecephys in some Allen files). The tables themselves are plain HDF5, so that h5py reads them all the same; which
of the two did is recorded. Columns stay on disk until they are asked for.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import open_hdf5, whole

log = logging.getLogger("allometry")


@dataclass
class Table:
    """A DynamicTable whose columns are read when they are asked for.

    Attributes
    ----------
    where : str
        File and table, for messages.
    data : dict
        Column name to something array-like on disk.
    """

    where: str
    data: dict[str, Any]

    def __len__(self) -> int:
        return len(self.data["id"]) if "id" in self.data else max((len(d) for d in self.data.values()), default=0)

    def ragged(self) -> list[str]:
        """Names of the columns with a list per row. `local_index` is none of them: there is no column `local`."""
        return [name for name in self.data if f"{name}_index" in self.data]

    def plain(self) -> list[str]:
        """Names of the columns with one plain value per row."""
        skipped = {"id", *self.ragged(), *(f"{name}_index" for name in self.ragged())}
        return [name for name, data in self.data.items() if name not in skipped and _is_plain(data)]

    def values(self, name: str) -> npt.NDArray[Any]:
        """Read a column with one value per row; missing, unreadable or of another length is a `ReaderError`."""
        if name not in self.data:
            raise ReaderError(
                f"column {name!r} is missing",
                where=self.where,
                expected=f"a column {name!r} (the table has: {', '.join(sorted(self.data)) or 'none'})",
                do="retrieve the file again",
            )
        values = _read(self.data[name], slice(None), f"{self.where}/{name}")
        if values.shape != (len(self),):
            raise ReaderError(
                f"column {name!r} has shape {values.shape}",
                where=self.where,
                expected=f"one value for each of {len(self)} rows",
                do="retrieve the file again",
            )
        return values

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Read a column of numbers as float64."""
        values = self.values(name)
        if values.dtype.kind not in "biuf":
            raise ReaderError(f"column {name!r} is of type {values.dtype}", where=self.where, expected="numbers")
        return values.astype(np.float64)

    def spans(self, name: str) -> npt.NDArray[np.int64]:
        """First and last element (half-open) of each row of a ragged column, (row, 2)."""
        ends = self.numbers(f"{name}_index")
        size = len(self.data[name]) if name in self.data else 0
        bounds = np.concatenate([[0], ends])
        if name not in self.data or not (np.diff(bounds) >= 0).all() or bounds[-1] > size or (bounds % 1 != 0).any():
            raise ReaderError(
                f"the index of column {name!r} does not fit its {size} elements",
                where=self.where,
                expected="ends of the rows that never decrease, at most the number of elements",
                do="retrieve the file again: it may be truncated",
            )
        return np.stack([bounds[:-1], bounds[1:]], axis=1).astype(np.int64)

    def piece(self, name: str, start: int, stop: int) -> npt.NDArray[np.float64]:
        """Elements of a ragged column of numbers."""
        values = _read(self.data[name], slice(start, stop), f"{self.where}/{name}")
        if values.dtype.kind not in "iuf" or values.ndim != 1:
            raise ReaderError(
                f"{name} is of type {values.dtype}, rank {values.ndim}", where=self.where, expected="a list of numbers"
            )
        return values.astype(np.float64, copy=False)


@dataclass
class Nwb:
    """What was found in a file: its tables, and how they were read."""

    file: h5py.File
    intervals: dict[str, Table] = field(default_factory=dict)
    units: Table | None = None
    electrodes: Table | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def open_nwb(path: Path) -> Iterator[Nwb]:
    """Open an NWB 2 file; its tables can be read inside the context.

    Raises
    ------
    ReaderError
        Not HDF5, or damaged.
    """
    with open_hdf5(path) as file:
        version = file.attrs.get("nwb_version", b"")
        if PIPELINE_1 in file and "units" not in file:
            raise ReaderError(
                "this is an NWB 1 file",
                where=path.name,
                expected="NWB 2",
                do="two-photon sessions of the Brain Observatory are read by allen_two_photon",
            )
        with contextlib.ExitStack() as stack:
            found = _with_pynwb(file, path, stack)
            if isinstance(found, str):
                log.warning("%s: pynwb cannot read it (%s); read with h5py", path.name, found)
                nwb = _with_h5py(file, path)
                nwb.notes["read_with"] = f"h5py; pynwb cannot: {found}"
            else:
                nwb = found
                nwb.notes["read_with"] = "pynwb"
            said = version.decode(errors="replace") if isinstance(version, bytes) else str(version)
            nwb.notes["nwb_version"] = said or "not in the file"
            yield nwb


PIPELINE_1 = "processing/brain_observatory_pipeline"


def _with_pynwb(file: h5py.File, path: Path, stack: contextlib.ExitStack) -> Nwb | str:
    """Tables by pynwb, or why it cannot. The import takes a second, which most other readers can do without."""
    import pynwb

    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    try:
        content = stack.enter_context(pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True)).read()
        found = {**(content.intervals or {}), "invalid_times": content.invalid_times, "trials": content.trials}
        nwb = Nwb(file, {str(name): _of(table, path) for name, table in found.items() if table is not None})
        nwb.units = _of(content.units, path) if content.units is not None else None
        nwb.electrodes = _of(content.electrodes, path) if content.electrodes is not None else None
    except Exception as error:  # what pynwb raises depends on what is unknown or damaged, and h5py may still read it
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return nwb


def _of(table: Any, path: Path) -> Table:
    data = {str(column.name): column.data for column in table.columns}
    data = {
        name: getattr(values, "data", values) if hasattr(values, "target") else values for name, values in data.items()
    }
    return Table(f"{path.name}, {table.name}", {"id": table.id.data, **data})


def _with_h5py(file: h5py.File, path: Path) -> Nwb:
    nwb = Nwb(file)
    group = file.get("intervals")
    for name in group if isinstance(group, h5py.Group) else ():
        if isinstance(group.get(name), h5py.Group):
            nwb.intervals[name] = _columns(group[name], path)
    for attribute, where in (("units", "units"), ("electrodes", "general/extracellular_ephys/electrodes")):
        item = file.get(where)
        if isinstance(item, h5py.Group):
            setattr(nwb, attribute, _columns(item, path))
    return nwb


def _columns(group: h5py.Group, path: Path) -> Table:
    data: dict[str, Any] = {}
    for name in group:
        try:
            item = group.get(name)
        except (KeyError, OSError, RuntimeError, ValueError):
            continue
        if isinstance(item, h5py.Dataset) and item.ndim:
            data[name] = item
    return Table(f"{path.name}, {group.name.rpartition('/')[2]}", data)


def _is_plain(data: Any) -> bool:
    """Whether a column holds numbers or text, not references or structures, one per row."""
    dtype = getattr(data, "dtype", None)
    if dtype is None or len(getattr(data, "shape", (0,))) != 1:
        return False
    if not isinstance(dtype, np.dtype):
        return dtype is str
    if h5py.check_ref_dtype(dtype) is not None or dtype.names:
        return False
    return dtype.kind in "biufSUT" or h5py.check_string_dtype(dtype) is not None


def _read(data: Any, part: slice, where: str) -> npt.NDArray[Any]:
    try:
        if isinstance(data, h5py.Dataset) and part == slice(None):
            return whole(data)
        return np.asarray(data[part])
    except (KeyError, OSError, RuntimeError, ValueError, TypeError, IndexError, MemoryError) as error:
        raise ReaderError(f"cannot be read ({error})", where=where, do="retrieve the file again") from error
