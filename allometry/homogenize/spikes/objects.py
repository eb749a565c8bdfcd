"""Sortings of SpikeInterface and blocks of Neo that are in memory: what a script has becomes a store without a file.

Neither package is imported: the objects are asked for what they have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.spikes.trains import SILENT, Found
from allometry.homogenize.spikes.trains import segment as segment_of


def of_sorting(sorting: Any, segment: int = 0) -> Found:
    """Units, trains and properties of a sorting of SpikeInterface.

    Parameters
    ----------
    sorting : spikeinterface.BaseSorting
        In memory or on disk.
    segment : int
        Segment that is read.

    Raises
    ------
    ReaderError
        There is no such segment.
    """
    segment = segment_of(segment, int(sorting.get_num_segments()), "sorting", "sorting")
    ids = np.asarray(sorting.get_unit_ids())
    rate = float(sorting.get_sampling_frequency())
    trains = [np.asarray(sorting.get_unit_spike_train(one, segment_index=segment)) / rate for one in ids.tolist()]
    units = pd.DataFrame(index=pd.Index(ids.astype(np.int64) if ids.dtype.kind in "iu" else [str(one) for one in ids]))
    refused = []
    for name in sorting.get_property_keys():
        values = np.asarray(sorting.get_property(name))
        if values.ndim == 1 and values.dtype.kind in "biufUS" and len(values) == len(units):
            units[name] = values
        else:
            refused.append(str(name))
    notes: dict[str, Any] = {"sampling_rate": f"{rate:g} Hz"}
    if refused:
        notes["properties_not_read"] = refused
    return _found(units, trains, "sorting", notes)


def of_neo(block: Any, segment: int | None = None, where: str = "block") -> Found:
    """Spike trains of a block of Neo, with their annotations.

    Parameters
    ----------
    block : neo.Block or neo.Segment
        With its data loaded.
    segment : int, optional
        Segment that is read; None: the only one.
    where : str
        For messages.

    Raises
    ------
    ReaderError
        No spike trains, or several segments to choose from.
    """
    segments = list(getattr(block, "segments", None) or [block])
    chosen = segments[segment_of(segment, len(segments), "block", where)]
    found = list(chosen.spiketrains)
    if not found:
        raise ReaderError(
            "there are no spike trains",
            where=where,
            expected="sorted units",
            do="sort the recording first; continuous signals are not made into spikes",
        )
    trains = [np.asarray(train.rescale("s").magnitude, np.float64) for train in found]
    names = [str(train.annotations.get("id") or train.name or "") for train in found]
    labels = names if all(names) and len(set(names)) == len(names) else list(range(len(found)))
    units = pd.DataFrame(index=pd.Index(labels))
    notes: dict[str, Any] = {}
    keys = sorted({str(key) for train in found for key in train.annotations})
    for key in keys:
        values = [train.annotations.get(key) for train in found]
        if all(isinstance(value, bool | int | float | np.integer | np.floating) for value in values):
            units[key] = np.array(values)
        elif all(value is None or isinstance(value, str | int | float) for value in values):
            units[key] = np.array(["" if value is None else str(value) for value in values], object)
        else:
            notes.setdefault("annotations_not_read", []).append(key)
    spans = np.array([[_s(train.t_start), _s(train.t_stop)] for train in found])
    left = [
        name
        for name in ("analogsignals", "epochs", "events", "irregularlysampledsignals")
        if len(getattr(chosen, name, ()))
    ]
    if left:
        notes["not_read"] = [f"{len(getattr(chosen, name))} {name}" for name in left]
    out = _found(units, trains, where, notes)
    out.observed = spans[np.isfinite(spans).all(axis=1) & (spans[:, 1] > spans[:, 0])]
    return out


def _s(time: Any) -> float:
    return float(time.rescale("s").magnitude)


def _found(units: pd.DataFrame, trains: list[npt.NDArray[Any]], where: str, notes: dict[str, Any]) -> Found:
    sizes = np.array([len(train) for train in trains], np.int64)
    return Found(units, lambda row: trains[row] if len(trains[row]) else SILENT, sizes, where, notes=notes)
