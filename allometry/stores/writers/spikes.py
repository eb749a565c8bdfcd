"""Streaming of simulated spikes into a store with bounded memory."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from allometry import files
from allometry.errors import StoreError
from allometry.stores.kinds.spikes import SCHEMA, Recorded, simulated_frame, with_state
from allometry.stores.schema import ROOT_ATTRS, require
from allometry.stores.storage import arrays, layout, publication

_COLUMNS: dict[str, tuple[type, dict[str, str]]] = {
    "spike_step": (np.int64, {"units": "1"}),
    "spike_unit": (np.int32, {}),
}


class SpikeWriter:
    """Write a simulation's spikes as they come, in blocks of any length.

    The store is byte for byte what `write(spikes_simulated(...))` of the same spikes gives: the chunk length does not
    depend on the blocks. At most one chunk and one block are held in memory. Used as a context manager, it closes at
    the end, and leaves nothing behind after an exception.

    Parameters
    ----------
    path : path
        Ends in `.zarr`; nothing stands there until `close`.
    units : DataFrame, index = label of each unit
        `population` and further columns.
    dt_ms, duration_ms : float
        Step and simulated time, ms.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, seed).
    chunk : int
        Spikes per chunk.
    compression : {"final", "hot"}
    provenance : mapping, optional
    overwrite : bool
        As in `write`.
    """

    def __init__(
        self,
        path: str | Path,
        units: pd.DataFrame,
        dt_ms: float,
        duration_ms: float,
        attrs: Mapping[str, Any],
        *,
        chunk: int = layout.STREAM_CHUNK,
        compression: layout.Compression = "final",
        provenance: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        missing = [key for key in ROOT_ATTRS if key not in attrs]
        if missing:
            # said now, not after hours of simulation
            raise StoreError(
                what=f"attributes {missing} are missing", where=str(path), expected=f"{list(ROOT_ATTRS)}", do="add them"
            )
        self.path, self._chunk, self._compression, self._provenance = Path(path), chunk, compression, provenance
        self._arguments = (units, dt_ms, duration_ms, attrs)
        simulated_frame(*self._arguments)
        self._units, self._last_step = len(units), round(duration_ms / dt_ms)
        self._reserved = publication.reserve(self.path, overwrite=overwrite)
        try:
            with files.writing(self.path):
                self._group = zarr.create_group(self._reserved.partial, zarr_format=3)
        except BaseException:
            self._reserved.discard()
            raise
        self._arrays: dict[str, zarr.Array] = {}
        self._pending: list[tuple[np.ndarray, np.ndarray]] = []
        self._held = self._written = 0
        self._last = (-1, -1)
        self._open = True

    def append(self, step: np.ndarray, unit: np.ndarray) -> None:
        """Add a block of spikes, sorted by (step, unit), all after those that came before.

        Parameters
        ----------
        step : (spike,) int
        unit : (spike,) int
            Index into the unit table.
        """
        step, unit = np.array(step, np.int64, ndmin=1), np.array(unit, np.int32, ndmin=1)
        if not len(step) and not len(unit):
            return
        later = np.diff(step)
        first = (int(step[0]), int(unit[0])) if step.shape == unit.shape else self._last
        if first <= self._last or (later < 0).any() or ((later == 0) & (np.diff(unit) <= 0)).any():
            raise StoreError(
                what="the block is not sorted by (step, unit), repeats a spike, or starts before the last one ended",
                where=str(self.path),
                expected=f"spikes after step {self._last[0]}, unit {self._last[1]}, one unit index per step",
                do="sort and merge the blocks before appending",
            )
        if unit.min() < 0 or unit.max() >= self._units or step[0] < 0 or step[-1] > self._last_step:
            raise StoreError(
                what=f"steps {step[0]}..{step[-1]} or units {unit.min()}..{unit.max()} are out of range",
                where=str(self.path),
                expected=f"steps 0..{self._last_step}, units 0..{self._units - 1}",
            )
        self._last = (int(step[-1]), int(unit[-1]))
        self._pending.append((step, unit))
        self._held += len(step)
        if self._held >= self._chunk:
            with files.writing(self.path):
                self._flush(self._held - self._held % self._chunk)

    def _flush(self, count: int) -> None:
        """Write the first `count` held spikes: whole chunks, or at the end whatever is left."""
        columns = [np.concatenate(column) for column in zip(*self._pending)] if self._pending else []
        blocks = columns or [np.zeros(0, dtype) for dtype, _ in _COLUMNS.values()]
        for (name, (dtype, attrs)), values in zip(_COLUMNS.items(), blocks):
            end = self._written + count
            if name not in self._arrays:
                self._arrays[name] = arrays.create_array(
                    self._group,
                    name,
                    ("spike",),
                    (end,),
                    np.dtype(dtype),
                    attrs,
                    compression=self._compression,
                    chunks={"spike": self._chunk},
                )
            else:
                self._arrays[name].resize((end,))
            for start in range(0, count, self._chunk):
                stop = min(start + self._chunk, count)
                self._arrays[name][self._written + start : self._written + stop] = values[start:stop]
        self._pending = [(blocks[0][count:], blocks[1][count:])] if self._held > count else []
        self._held -= count
        self._written += count

    def close(
        self,
        *,
        count: np.ndarray | None = None,
        bin_ms: float | None = None,
        voltage: np.ndarray | None = None,
        voltage_step: np.ndarray | None = None,
        probe: np.ndarray | None = None,
        recorded: Mapping[str, Recorded] | None = None,
        state: Mapping[str, np.ndarray] | None = None,
        attrs: Mapping[str, Any] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write what is left, the unit table, and `count`, `voltage`, `recorded` and `state` if given; finalise.

        Returns the path.

        `state` is the state of the units at the end, by name, and the spikes under way; see `with_state`. `attrs` and
        `provenance` add to what the constructor was given (what is known only at the end).
        """
        if not self._open:
            return self.path
        try:
            units, dt_ms, duration_ms, given = self._arguments
            frame = simulated_frame(
                units,
                dt_ms,
                duration_ms,
                {**given, **(attrs or {})},
                count=count,
                bin_ms=bin_ms,
                voltage=voltage,
                voltage_step=voltage_step,
                probe=probe,
                recorded=recorded,
            )
            frame = with_state(frame, state or {})
            self._check(frame)
            merged = {**(self._provenance or {}), **(provenance or {})}
            with files.writing(self.path):
                if self._held or not self._arrays:
                    self._flush(self._held)
                arrays.write_group(self._group, frame, compression=self._compression)
                arrays.finalise(self._reserved.partial)
                publication.publish(self._reserved, merged)
        except BaseException:
            self.abort()
            raise
        self._open = False
        return self.path

    @staticmethod
    def _check(frame: xr.Dataset) -> None:
        """Validate everything but the spikes, which `append` has checked as they came."""
        for name, (dtype, attrs) in _COLUMNS.items():
            frame = frame.assign({name: ("spike", np.zeros(0, dtype), attrs)})
        require(frame, SCHEMA)

    def abort(self) -> None:
        """Delete what was written."""
        self._open = False
        self._reserved.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
