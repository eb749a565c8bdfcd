"""Streaming of a connectome's edges into a store with bounded memory."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import zarr

from allometry import files
from allometry.errors import StoreError
from allometry.stores.kinds.connectome import connectome
from allometry.stores.storage import arrays, publication

_EDGE = ("edge",)
_INDEX = ("source", "target")


class EdgeWriter:
    """Write a Connectome of one kind of synapse, whose number of edges is known, in sorted blocks of any length.

    The store is what `write(connectome(...))` of the same edges gives. At most one shard and one block are held in memory.
    Used as a context manager, it closes at the end, and leaves nothing behind after an exception.

    Parameters
    ----------
    path : path
        Ends in `.zarr`; nothing stands there until `close`.
    edges : int
        Number of edges to come.
    columns : mapping of str to (dtype, units)
        Edge variables besides source and target; `weight` (float32, not negative) is one of them.
    synapse : str
        Kind of all edges.
    provenance : mapping, optional
    overwrite : bool
        As in `write`.
    """

    def __init__(
        self,
        path: str | Path,
        edges: int,
        columns: Mapping[str, tuple[type, str]],
        *,
        synapse: str = "chemical",
        provenance: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path, self._edges, self._synapse, self._provenance = Path(path), edges, synapse, provenance
        self._columns = dict(columns)
        self._reserved = publication.reserve(self.path, overwrite=overwrite)
        self._arrays: dict[str, zarr.Array] = {}
        with files.writing(self.path):
            self._group = zarr.create_group(self._reserved.partial, zarr_format=3)
            for name in _INDEX:
                self._create(name, np.dtype(np.int32), {})
            for name, (dtype, units) in self._columns.items():
                self._create(name, np.dtype(dtype), {"units": units})
            self._create("synapse", np.dtypes.StringDType(), {})
        self._pending: list[dict[str, np.ndarray]] = []
        self._held = self._written = 0
        self._last = (-1, -1)
        self._open = True

    def _create(self, name: str, dtype: np.dtype, attrs: Mapping[str, Any]) -> None:
        self._arrays[name] = arrays.create_array(self._group, name, _EDGE, (self._edges,), dtype, attrs)

    def append(self, source: np.ndarray, target: np.ndarray, **values: np.ndarray) -> None:
        """Add edges, sorted by (source, target) and all after those that came before; `values` are the other columns."""
        if not len(source):
            return
        later = np.diff(source)
        sorted_ = not ((later < 0) | ((later == 0) & (np.diff(target) <= 0))).any()
        if not sorted_ or (int(source[0]), int(target[0])) <= self._last or set(values) != set(self._columns):
            raise StoreError(
                what="the block of edges is not sorted, repeats an edge, or lacks a column",
                where=str(self.path),
                expected=f"edges after {self._last}, with {sorted(self._columns)}",
            )
        weight = values["weight"]
        if not (np.isfinite(weight) & (weight >= 0)).all() or self._written + self._held + len(source) > self._edges:
            raise StoreError(
                what="a weight is negative or not finite, or there are more edges than were announced",
                where=str(self.path),
                expected=f"{self._edges} edges of weight >= 0",
            )
        self._last = (int(source[-1]), int(target[-1]))
        self._pending.append({"source": source, "target": target, **values})
        self._held += len(source)
        array = self._arrays["source"]
        unit = (array.shards or array.chunks)[0]
        if self._held >= unit:
            with files.writing(self.path):
                self._flush(self._held - self._held % unit, unit)

    def _flush(self, count: int, unit: int) -> None:
        """Write the first `count` held edges, shard by shard: each file has one writer, once."""
        joined = {name: np.concatenate([block[name] for block in self._pending]) for name in self._pending[0]}
        for start in range(0, count, unit):
            region = slice(self._written + start, self._written + min(start + unit, count))
            for name, values in joined.items():
                array = self._arrays[name]
                array[region] = values[start : start + unit][: region.stop - region.start].astype(array.dtype)
            self._arrays["synapse"][region] = np.full(
                region.stop - region.start, self._synapse, np.dtypes.StringDType()
            )
        self._pending = [{name: values[count:] for name, values in joined.items()}] if self._held > count else []
        self._held -= count
        self._written += count

    def close(self, nodes: pd.DataFrame, attrs: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Path:
        """Write what is left and the node table, finalise, and return the path.

        Parameters
        ----------
        nodes : DataFrame, index = unique label
        attrs, units : mapping
            As in `connectome`.
        """
        try:
            array = self._arrays["source"]
            with files.writing(self.path):
                if self._held:
                    self._flush(self._held, (array.shards or array.chunks)[0])
            if self._written != self._edges or self._last[0] >= len(nodes):
                raise StoreError(
                    what=f"{self._written} edges were written between {len(nodes)} nodes",
                    where=str(self.path),
                    expected=f"{self._edges} edges between the nodes of the table",
                )
            empty = pd.DataFrame({"source": [], "target": [], "weight": [], "synapse": []})
            frame = connectome(nodes, empty, attrs=attrs, absent_means={self._synapse: "zero"}, units=units)
            with files.writing(self.path):
                arrays.write_group(self._group, frame.drop_dims("edge"))
                arrays.finalise(self._reserved.partial)
                publication.publish(self._reserved, self._provenance)
        except BaseException:
            self.abort()
            raise
        self._open = False
        return self.path

    def abort(self) -> None:
        """Delete what was written."""
        self._open = False
        self._reserved.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self.abort()
