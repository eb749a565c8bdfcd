"""Spike trains with a table of their units: which units are kept, and the store that they make.

A reader hands over a table of units and a way to read each train; filter, order, times that are no times, the observed intervals
and the names of columns are dealt with here, the same way for every source.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.options import Option, Options, text
from allometry.homogenize.reader import Source
from allometry.homogenize.spikes import unit_table

Floats = npt.NDArray[np.float64]


OPTIONS: Options = {
    **unit_table.FILTER,
    "population": text(None, "Column that names the population of a unit; null: its area, else one for all units."),
}
"""Options that every reader of spike trains has."""

SEGMENT = Option(
    None,
    "a whole number from 0, or null",
    lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0),
    "Number of the segment that is read; null: the only one.",
)
"""Option of readers of what has several segments, see `segment`."""

SILENT: Floats = np.zeros(0)
SPIKES_AT_ONCE = 2**22


@dataclass
class Found:
    """What a reader found.

    Parameters
    ----------
    units : DataFrame, index = label of each unit
        Columns as they are in the source; `area` and `population` have a meaning.
    load : callable
        `load(row)`: times of the spikes of the unit in that row of `units`, s, in any order.
    sizes : (unit,) int
        Number of spikes of each.
    where : str
        File, for messages.
    observed : (interval, 2), optional
        When the units were observed, s; None: from zero or the first spike to `end` or the last one.
    end : float, optional
        End of the recording, s.
    units_of : dict
        Units of columns.
    notes : dict
        What was inferred or left out.
    """

    units: pd.DataFrame
    load: Callable[[int], npt.NDArray[Any]]
    sizes: npt.NDArray[np.int64]
    where: str
    observed: Floats | None = None
    end: float | None = None
    units_of: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class Trains:
    """Trains of the units kept, in order, with the record of what had to be repaired."""

    def __init__(self, found: Found, rows: npt.NDArray[np.int64]) -> None:
        self._found, self._rows = found, rows
        self.total, self.units = int(found.sizes[rows].sum()), len(rows)
        self.where = found.where
        self._counts = {"units_with_unsorted_spikes": 0, "spikes_without_time": 0, "units_without_a_spike": 0}

    def __iter__(self) -> Any:
        for row in self._rows.tolist():
            train = np.asarray(self._found.load(row))
            if train.ndim != 1 or train.dtype.kind not in "iuf":
                raise ReaderError(
                    f"the spike times of unit {self._found.units.index[row]} are of type {train.dtype} and shape {train.shape}",
                    where=self._found.where,
                    expected="a list of times",
                )
            train = train.astype(np.float64, copy=False)
            lost = int(np.count_nonzero(~np.isfinite(train)))
            if lost:
                train = train[np.isfinite(train)]
                self._counts["spikes_without_time"] += lost
            if (np.diff(train) < 0).any():
                train = np.sort(train)
                self._counts["units_with_unsorted_spikes"] += 1
            self._counts["units_without_a_spike"] += not len(train)
            yield train

    def notes(self) -> dict[str, int]:
        """What was repaired."""
        return {name: count for name, count in self._counts.items() if count}


def together(trains: Trains) -> tuple[Floats, npt.NDArray[np.int64]]:
    """All spike times, one unit after the other, and the number of each; filled in place, so that they are in memory once.

    Raises
    ------
    ReaderError
        A unit has more spikes than was said.
    """
    times, sizes, filled = np.empty(trains.total), np.zeros(trains.units, np.int64), 0
    for number, train in enumerate(trains):
        if filled + len(train) > len(times):
            raise ReaderError("a unit has more spikes than the file says", where=trains.where, do="retrieve it again")
        times[filled : filled + len(train)] = train
        sizes[number] = len(train)
        filled += len(train)
    return times[:filled], sizes


def segment(wanted: int | None, count: int, what: str, where: str) -> int:
    """Number of the segment that is read.

    Parameters
    ----------
    wanted : int or None
        The option `SEGMENT`.
    count : int
        Segments there are.
    what, where : str
        What has them, and its file, for messages.

    Raises
    ------
    ReaderError
        There is no such segment, or there are several to choose from.
    """
    if wanted is None and count != 1:
        raise ReaderError(
            f"the {what} has {count} segments",
            where=where,
            expected="one, or the option `segment`",
            do="make one store of each, with `segment: 0`, `segment: 1`, ...",
        )
    if wanted is not None and not 0 <= wanted < count:
        raise ReaderError(
            f"there is no segment {wanted}", where=where, expected=f"0 to {count - 1}", do="correct `segment`"
        )
    return wanted or 0


def build(
    found: Found,
    source: Source,
    options: Mapping[str, Any],
    *,
    files: Mapping[str, Path],
    title: str,
    parameters: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Make a Spikes store of what a reader found.

    Parameters
    ----------
    found : Found
        Units and trains.
    source : Source
        Registry entry.
    options : mapping
        Options as a reader gets them; those of `OPTIONS` are used here.
    files : mapping
        Files that were used.
    title : str
        Title of the store.
    parameters : mapping, optional
        Options of the reader itself, to be stored.

    Returns
    -------
    xarray.Dataset
        Spikes, recorded.

    Raises
    ------
    ReaderError
        No unit is left, or spikes lie outside of the observed time.
    """
    rows, steps = unit_table.select(found.units, options, found.where)
    units = unit_table.table(found.units, rows, options["population"], found.where)
    trains = Trains(found, rows)
    times, sizes = together(trains)
    intervals, said = observed(found, times)
    notes = {**found.notes, **trains.notes(), **said}
    if len(steps) > 1:
        notes["unit_filter"] = steps
    store = stores.spikes_recorded(
        times,
        sizes,
        units=units,
        observed=intervals,
        attrs=source.attrs(
            title,
            {"kind": "spikes", **{key: options[key] for key in OPTIONS if options[key]}, **(parameters or {})},
            notes,
            files,
        ),
    )
    for name, unit in found.units_of.items():
        if name in store:
            store[name].attrs["units"] = unit
    return store


def observed(found: Found, times: Floats) -> tuple[Floats, dict[str, Any]]:
    """Observed intervals, (interval, 2) in s, and how they were found; spikes outside of them are counted."""
    if found.observed is not None and len(found.observed):
        intervals = merged(found.observed)
        if len(intervals):
            at = np.searchsorted(intervals[:, 0], times, side="right") - 1
            outside = int(((at < 0) | (times > intervals[np.maximum(at, 0), 1])).sum())
            return intervals, {"spikes_outside_observed": outside} if outside else {}
    low = min(0.0, float(times.min())) if len(times) else 0.0
    high = float(times.max()) if len(times) else 0.0
    said = "from zero, or the first spike, to the last one: the source does not say how long was recorded"
    if found.end is not None and np.isfinite(found.end) and found.end >= high:
        high, said = float(found.end), "from zero, or the first spike, to the end that the source gives"
    if high <= low:
        raise ReaderError(
            "the recording has no extent in time", where=found.where, expected="spikes, or a duration", do="check it"
        )
    # the last spike is inside: intervals are half-open
    return np.array([[low, np.nextafter(high, np.inf)]]), {"observed": said}


def merged(intervals: npt.NDArray[Any]) -> Floats:
    """Union of intervals, (interval, 2): sorted, without overlap, empty ones and ones without bounds left out."""
    given = np.asarray(intervals, np.float64).reshape(-1, 2)
    given = given[np.isfinite(given).all(axis=1) & (given[:, 1] > given[:, 0])]
    out: list[list[float]] = []
    for start, stop in given[np.argsort(given[:, 0], kind="stable")].tolist():
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], stop)
        else:
            out.append([start, stop])
    return np.array(out, np.float64).reshape(-1, 2)


def by_unit(time: npt.NDArray[Any], unit: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Callable[[int], Any], Any]:
    """Trains out of one list of spikes.

    Parameters
    ----------
    time : (spike,)
        Times, in any unit and order.
    unit : (spike,)
        Label of the unit of each.

    Returns
    -------
    labels : (unit,)
        Labels that occur, sorted.
    load : callable
        `load(row)`: times of one unit.
    sizes : (unit,) int64
        Number of spikes of each.
    """
    # of 130 million spikes each array is as large as the recording: there are few, as narrow as they can be
    labels, place = _coded(unit)
    sizes = np.bincount(place, minlength=len(labels)).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    order = _grouped(place, starts[:-1])

    def load(row: int) -> npt.NDArray[Any]:
        return np.sort(time[order[starts[row] : starts[row + 1]]])

    return labels, load, sizes


def joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """One array of the parts; a single one is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _coded(unit: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Labels that occur, sorted, and which of them each spike has."""
    if unit.dtype.kind not in "iu":
        codes, names = pd.factorize(unit, sort=True)
        return names, codes.astype(np.min_scalar_type(max(0, len(names) - 1)))
    blocks = [slice(first, first + SPIKES_AT_ONCE) for first in range(0, len(unit), SPIKES_AT_ONCE)]
    labels = np.unique(np.concatenate([unit[:0], *(pd.unique(unit[block]) for block in blocks)]))
    place = np.empty(len(unit), np.min_scalar_type(max(0, len(labels) - 1)))
    for block in blocks:
        codes, some = pd.factorize(unit[block])
        place[block] = np.searchsorted(labels, some)[codes]
    return labels, place


def _grouped(place: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Spikes of one unit after the other, each in their order: a stable argsort that needs no array of 8 bytes a spike."""
    order = np.empty(len(place), np.min_scalar_type(max(0, len(place) - 1)))
    free = starts.copy()
    for first in range(0, len(place), SPIKES_AT_ONCE):
        part = place[first : first + SPIKES_AT_ONCE]
        inside = np.argsort(part, kind="stable")
        counts = np.bincount(part, minlength=len(starts))
        number = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts)
        order[np.repeat(free, counts) + number] = first + inside
        free += counts
    return order
