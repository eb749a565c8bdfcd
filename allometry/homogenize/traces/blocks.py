"""Recordings that are too large for memory: read a run of samples at a time, as often as they are needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from allometry.homogenize.sizes import refuse_size

Floats = npt.NDArray[np.floating[Any]]
RUN = 2**20
"""Values that are looked at together."""


def runs(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Bounds of runs of samples, of about `RUN` values each, of traces (samples, roi)."""
    step = max(1, RUN // max(1, shape[1]))
    for start in range(0, shape[0], step):
        yield start, min(start + step, shape[0])


@dataclass(frozen=True)
class Blocks:
    """Traces on disk.

    Parameters
    ----------
    shape : (int, int)
        Samples and ROIs.
    read : callable
        `read(start, stop)`: samples start to stop - 1 in the unit of the traces, (stop - start, roi). It opens what it
        reads, since it is called again when the file that the traces were found in is closed.
    where : str
        File and place, for messages.
    """

    shape: tuple[int, int]
    read: Callable[[int, int], Floats]
    where: str

    @property
    def size(self) -> int:
        """Number of values."""
        return self.shape[0] * self.shape[1]

    def rows(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Samples start to stop - 1, (stop - start, roi); what float32 cannot hold is missing."""
        found = self.read(start, stop)
        return np.where(beyond_float32(found), np.nan, found).astype(np.float32)

    def columns(self, kept: Sequence[int] | npt.NDArray[Any]) -> "Blocks":
        """Some of the ROIs, by number, or by a mask."""
        at = np.arange(self.shape[1])[np.asarray(kept)]
        return Blocks((self.shape[0], len(at)), lambda start, stop: self.read(start, stop)[:, at], self.where)

    def means(self, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Mean of each ROI over windows of samples, half-open.

        Returns
        -------
        (roi, window) float64; NaN where the window is empty, leaves the recording, or holds a missing sample.
        """
        out = np.full((self.shape[1], len(first)), np.nan)
        for number in np.flatnonzero((first >= 0) & (last > first) & (last <= self.shape[0])):
            begin, end = int(first[number]), int(last[number])
            bounds = runs((end - begin, self.shape[1]))
            parts = [self.rows(begin + start, begin + stop).sum(0, np.float64) for start, stop in bounds]
            out[:, number] = np.sum(parts, axis=0) / (end - begin)
        return out

    def whole(self) -> npt.NDArray[np.float32]:
        """All samples, for what needs them at once.

        Raises
        ------
        ReaderError
            Memory could not hold them.
        """
        refuse_size(self.shape, np.dtype(np.float32).itemsize, self.where)
        out = np.empty(self.shape, np.float32)
        for start, stop in runs(self.shape):
            out[start:stop] = self.rows(start, stop)
        return out

    def variable(self) -> xr.Variable:
        """The traces as a store takes them, (time, roi) float32: read when they are written."""
        return xr.Variable(("time", "roi"), indexing.LazilyIndexedArray(_Lazy(self)))


class _Lazy(BackendArray):
    """What xarray indexes."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks, self.shape, self.dtype = blocks, blocks.shape, np.dtype(np.float32)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._part)

    def _part(self, key: tuple[Any, ...]) -> Any:
        first, *rest = key
        if not isinstance(first, slice):
            return self.blocks.rows(first, first + 1)[(0, *rest)]
        start, stop, step = first.indices(self.shape[0])
        if step != 1:
            at = np.arange(start, stop, step)
            low = int(at.min(initial=self.shape[0]))
            return self.blocks.rows(low, int(at.max(initial=low - 1)) + 1)[(at - low, *rest)]
        return self.blocks.rows(start, max(start, stop))[(slice(None), *rest)]


def beyond_float32(values: Floats) -> npt.NDArray[np.bool_]:
    """Which values are infinite, or larger than float32 can hold."""
    size = np.abs(values)
    return np.asarray((size > np.finfo(np.float32).max) | np.isinf(size))
