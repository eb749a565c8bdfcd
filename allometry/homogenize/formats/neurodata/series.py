"""Time series of an NWB file: their values in their unit, and their time.

Stored numbers become values by `conversion`, `channel_conversion` and `offset`. Time is `timestamps`, or `starting_time` with its
`rate`; where neither is there, it is for the options to say.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata.session import Session, tree_of
from allometry.homogenize.formats.neurodata.tree import Array, Group, array
from allometry.homogenize.traces import recordings
from allometry.homogenize.traces.blocks import Blocks

NO_UNIT = frozenset({"", "n/a", "n.a.", "na", "none", "unknown", "1", "see 'comments'", "see `comments`", "a.u.", "au"})
SI = {"volts": "V", "volt": "V", "meters": "m", "seconds": "s", "amperes": "A", "degrees": "degree"}


def data_of(series: Group) -> Array:
    """The array `data` of a series.

    Raises
    ------
    ReaderError
        There is none.
    """
    found = array(series, "data")
    if found is None:
        raise ReaderError(
            "the series has no data",
            where=series.where,
            expected="an array `data`",
            do="check that the file is complete; data that are kept in another file are not read",
        )
    return found


def unit_of(series: Group) -> str:
    """Unit of the values; empty where the file says none."""
    found = array(series, "data")
    said = str(found.attrs.get("unit", "")).strip() if found is not None else ""
    return "" if said.lower() in NO_UNIT else SI.get(said.lower(), said)


def _factor(data: Array, name: str, default: float) -> float:
    value = data.attrs.get(name, default)
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    if not np.isfinite(number) or (name == "conversion" and number == 0):
        raise ReaderError(
            f"the {name} of the series is {value}",
            where=data.where,
            expected="a finite number" + (" other than 0" if name == "conversion" else ""),
            do="correct the attribute of `data` in the file",
        )
    return number


@dataclass(frozen=True)
class _Scale:
    """How stored numbers become values: `value = stored * each * conversion + offset`."""

    each: npt.NDArray[np.float64] | float
    conversion: float
    offset: float

    def __call__(self, stored: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):  # what float32 cannot hold is set to NaN, and counted, later
            return np.asarray(stored.astype(np.float64) * self.each * self.conversion + self.offset)


def _scale(series: Group, data: Array, channel_axis: int) -> tuple[_Scale, dict[str, Any]]:
    """Scale of a series, and the note of what is not trivial in it."""
    if data.ndim not in (1, 2) or not data.is_number:
        raise ReaderError(
            f"the data of the series have shape {data.shape} and type {data.dtype}",
            where=series.where,
            expected="numbers, (time, channel) or (time)",
            do="name another series with the option `series`",
        )
    conversion, offset = _factor(data, "conversion", 1.0), _factor(data, "offset", 0.0)
    notes: dict[str, Any] = {}
    channels = array(series, "channel_conversion")
    each: npt.NDArray[np.float64] | float = 1.0
    if channels is not None and data.ndim == 2:
        each = channels.numbers(ndim=1)
        axis = channels.attrs.get("axis", 1)
        if each.size != data.shape[channel_axis] or axis != 1 or not np.isfinite(each).all():
            raise ReaderError(
                f"the {each.size} channel conversions do not fit data of shape {data.shape}",
                where=channels.where,
                expected="one finite number per channel",
                do="correct it in the file",
            )
        notes["channel_conversion"] = "applied"
    if (conversion, offset) != (1.0, 0.0):
        notes["conversion"] = f"values = stored * {conversion:g} + {offset:g}"
    return _Scale(each, conversion, offset), notes


def values(series: Group) -> npt.NDArray[np.float64]:
    """Values in the unit of the series, (time) or (time, channel).

    Raises
    ------
    ReaderError
        No numbers, more than two dimensions, or a conversion that is none.
    """
    data = data_of(series)
    scale, _ = _scale(series, data, 1)
    return scale(data.values())


def traces(
    session: Session, series: Group, turned: bool = False
) -> tuple[npt.NDArray[np.float64] | Blocks, dict[str, Any]]:
    """Values in the unit of the series, and what was done to them.

    Parameters
    ----------
    session : Session
        Open file.
    series : Group
        The series.
    turned : bool
        Whether they are stored as (channel, time).

    Returns
    -------
    values : (time, channel) float64, or Blocks
        Of more than `recordings.WHOLE` samples (LFP), `Blocks`: they are never in memory as a whole.
    notes : dict

    Raises
    ------
    ReaderError
        As of `values`.
    """
    data = data_of(series)
    turned = turned and data.ndim == 2
    scale, notes = _scale(series, data, 0 if turned else 1)
    samples = data.shape[1] if turned else len(data)
    shape = (samples, math.prod(data.shape) // max(1, samples))

    def part(stored: Array, start: int, stop: int) -> npt.NDArray[np.float64]:
        raw = stored[:, start:stop].T if turned else stored[start:stop]
        return scale(raw.reshape(len(raw), shape[1]))

    if math.prod(shape) <= recordings.WHOLE:
        return part(data, 0, samples), notes

    def read(start: int, stop: int) -> npt.NDArray[np.float64]:
        with tree_of(session.path) as root:
            again = array(root, data.path)
            if again is None or again.shape != data.shape:
                raise ReaderError("the file was changed while it was read", where=data.where, do="run again")
            return part(again, start, stop)

    return Blocks(shape, read, data.where), notes


def time(series: Group, samples: int) -> tuple[npt.NDArray[np.float64] | None, dict[str, Any]]:
    """Time of the samples, s; None where the file has none.

    Raises
    ------
    ReaderError
        It cannot be read, or the rate is no rate.
    """
    stamps = array(series, "timestamps")
    if stamps is not None:
        return stamps.numbers(ndim=1), {}
    start = array(series, "starting_time")
    if start is None or "rate" not in start.attrs:
        return None, {}
    rate = start.attrs["rate"]
    first = start.numbers().ravel()
    number = float(rate) if isinstance(rate, int | float) else np.nan
    if not (np.isfinite(number) and number > 0) or first.size != 1 or not np.isfinite(first[0]):
        raise ReaderError(
            f"the series starts at {first[:3].tolist()} with a rate of {rate}",
            where=series.where,
            expected="a start in s and a positive rate in Hz",
            do="correct `starting_time` in the file",
        )
    note = {"time_from": f"starting_time and rate of the file ({number:g} Hz)"}
    return float(first[0]) + np.arange(samples) / number, note
