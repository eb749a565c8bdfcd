"""Time series of an NWB file: their values in their unit, and their time.

Stored numbers become values by `conversion`, `channel_conversion` and `offset`. Time is `timestamps`, or `starting_time` with its
`rate`; where neither is there, it is for the options to say.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import refuse_size
from allometry.homogenize.formats.neurodata.tree import Array, Group, array
from allometry.homogenize.traces import recordings

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


def values(series: Group) -> tuple[npt.NDArray[np.floating[Any]], dict[str, Any]]:
    """Values in the unit of the series, as stored but for the unit; and what was done to them.

    They are float64, of more than `recordings.WHOLE` samples float32.

    Raises
    ------
    ReaderError
        No numbers, more than two dimensions, or a conversion that is none.
    """
    data = data_of(series)
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
        if each.size != data.shape[1] or axis != 1 or not np.isfinite(each).all():
            raise ReaderError(
                f"the {each.size} channel conversions do not fit data of shape {data.shape}",
                where=channels.where,
                expected="one finite number per channel",
                do="correct it in the file",
            )
        notes["channel_conversion"] = "applied"
    if (conversion, offset) != (1.0, 0.0):
        notes["conversion"] = f"values = stored * {conversion:g} + {offset:g}"
    return _converted(data, each, conversion, offset), notes


_BLOCK = 2**20  # samples that are converted at a time


def _converted(
    data: Array, each: npt.NDArray[np.float64] | float, conversion: float, offset: float
) -> npt.NDArray[np.floating[Any]]:
    """Values, a block of samples at a time: a long LFP is never held as float64."""
    count = int(np.prod(data.shape))
    kind = np.float64 if count <= recordings.WHOLE else np.float32
    refuse_size(data.shape, np.dtype(kind).itemsize, data.where)
    out = np.empty(data.shape, kind)
    rows = max(1, _BLOCK // max(1, count // max(1, len(data))))
    for start in range(0, len(data), rows):
        part = data[start : start + rows].astype(np.float64) * each
        with np.errstate(over="ignore"):  # what float32 cannot hold is set to NaN, and counted, later
            out[start : start + rows] = part * conversion + offset
    return out


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
