"""Behaviour, running, pupil and other side channels of an NWB file: every series that is neither trace, image nor voltage."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata import series as of_series
from allometry.homogenize.formats.neurodata.session import Session
from allometry.homogenize.formats.neurodata.tree import Group, array, last

OTHER = (
    "RoiResponseSeries",
    "ElectricalSeries",
    "ImageSeries",
    "IndexSeries",
    "AnnotationSeries",
    "OptogeneticSeries",
    "PatchClampSeries",
    "DecompositionSeries",
)
MOST_CHANNELS = 64
MOST_BYTES = 2**28
INTERFACES = frozenset(
    [
        "Position",
        "BehavioralTimeSeries",
        "BehavioralEvents",
        "BehavioralEpochs",
        "CompassDirection",
        "EyeTracking",
        "PupilTracking",
    ]
)


@dataclass
class Channel:
    """One series.

    Parameters
    ----------
    name : str
        Name for a variable, unique in the file.
    path : str
        Where it is in the file.
    time : (sample,) float64
        s, increasing.
    values : (sample,) or (sample, channel) float64
        In `unit`.
    unit : str
        Unit; `1` where the file says none.
    """

    name: str
    path: str
    time: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    unit: str


def read(session: Session, besides: set[str]) -> tuple[list[Channel], dict[str, str]]:
    """All side channels of a file but the series in `besides`, and why others could not be read."""
    channels: list[Channel] = []
    refused: dict[str, str] = {}
    for item in session.all_of("TimeSeries"):
        if item.path in besides or any(session.is_a(item, kind) for kind in OTHER):
            continue
        try:
            channels.append(_channel(item, {channel.name for channel in channels}))
            session.mark(item)
        except ReaderError as error:
            refused[item.path] = error.what
    return channels, refused


def _channel(item: Group, taken: set[str]) -> Channel:
    data = of_series.data_of(item)
    if data.ndim not in (1, 2) or (data.ndim == 2 and data.shape[1] > MOST_CHANNELS):
        raise ReaderError(f"shape {data.shape} is no side channel", where=item.where)
    if int(np.prod(data.shape)) * 8 > MOST_BYTES:
        raise ReaderError(f"shape {data.shape} is too large for a side channel", where=item.where)
    values = of_series.values(item)
    time, _ = of_series.time(item, len(values))
    if time is None or len(time) != len(values) or len(time) == 0:
        raise ReaderError(f"{len(values)} values have {0 if time is None else len(time)} time stamps", where=item.where)
    good = np.isfinite(time)
    if not good.all() or (np.diff(time) <= 0).any():
        time, first = np.unique(time[good], return_index=True)
        values = values[good][first]
        if not len(time):
            raise ReaderError("no time stamp is finite", where=item.where)
    with np.errstate(over="ignore"):
        values[~np.isfinite(values)] = np.nan
    return Channel(_name(item.path, taken), item.path, time, values, of_series.unit_of(item) or "1")


def _name(path: str, taken: set[str]) -> str:
    """Name of the series, with as many of the names above it as make it unique."""
    parts = [part for part in path.split("/") if part not in ("processing", "acquisition", *INTERFACES)] or [last(path)]
    for count in range(1, len(parts) + 1):
        name = "_".join(parts[-count:])
        name = "".join(sign if sign.isalnum() or sign == "_" else "_" for sign in name).strip("_") or "series"
        name = f"behaviour_{name}" if name[0].isdigit() or name in ("x", "y", "z") else name
        if name not in taken:
            return name
    return f"{name}_{sum(one.startswith(name) for one in taken)}"


def extras(channels: list[Channel], start: float) -> dict[str, tuple[Any, ...]]:
    """Native arrays of a recording: each channel over its own time, s from the first sample of the recording."""
    out: dict[str, tuple[Any, ...]] = {}
    for channel in channels:
        axis = f"time_{channel.name}"
        dims = (axis,) if channel.values.ndim == 1 else (axis, f"{channel.name}_channel")
        out[axis] = (axis, channel.time - start, {"units": "s"})
        out[channel.name] = (dims, channel.values, {"units": channel.unit, "source": channel.path})
    return out


def means(channel: Channel, onset: npt.NDArray[np.float64], stop: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean in each interval [onset, stop); between samples where none falls into it, NaN where it was not measured."""
    out = np.full(len(onset), np.nan)
    time, values = channel.time, channel.values
    with np.errstate(invalid="ignore"):
        inside = (onset >= time[0]) & (stop <= time[-1] + (time[-1] - time[0]) / max(1, len(time) - 1))
    first, last_ = np.searchsorted(time, np.nan_to_num(onset)), np.searchsorted(time, np.nan_to_num(stop))
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    missing = np.concatenate([[0], np.cumsum(np.isnan(values))])
    several = inside & (last_ > first)
    with np.errstate(over="ignore", invalid="ignore"):
        out[several] = (total[last_[several]] - total[first[several]]) / (last_[several] - first[several])
    out[several & (missing[last_] > missing[first])] = np.nan
    between = inside & (last_ == first)
    out[between] = np.interp((onset[between] + stop[between]) / 2, time, values)
    return out


def of_interest(session: Session, series: Group) -> bool:
    """Whether a series has numbers over time that could be a recording of its own."""
    data = array(series, "data")
    return data is not None and data.is_number and data.ndim in (1, 2) and not session.is_a(series, "ImageSeries")
