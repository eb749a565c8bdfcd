"""Pieces of NWB 2 files that several readers need, read with h5py: independent of extensions and of pynwb's version."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import whole


def text(value: Any) -> str:
    """A string dataset's element as str."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def time_of(series: h5py.Group, n_samples: int, path: Path) -> tuple[npt.NDArray[np.float64] | None, dict[str, Any]]:
    """Time axis of a TimeSeries: its `timestamps`, or `starting_time` with its `rate`; None if it has neither.

    Returns
    -------
    time : numpy.ndarray or None
        Seconds.
    notes : dict
        Where it comes from.
    """
    where = f"{path.name}, {series.name}"
    try:
        if isinstance(series.get("timestamps"), h5py.Dataset):
            return whole(series["timestamps"]).astype(np.float64), {}
        start = series.get("starting_time")
        if not isinstance(start, h5py.Dataset) or "rate" not in start.attrs:
            return None, {}
        rate, first = float(start.attrs["rate"]), float(start[()])
    except (OSError, TypeError, ValueError, KeyError, RuntimeError) as error:
        raise ReaderError(
            what=f"The time of the series cannot be read ({error}).",
            where=where,
            expected="timestamps, or starting_time with the attribute rate",
            do="retrieve the file again",
        ) from error
    if not (np.isfinite(rate) and rate > 0 and np.isfinite(first)):
        raise ReaderError(
            what=f"The rate of the series is {rate}.",
            where=where,
            expected="a positive rate",
            do="retrieve the file again",
        )
    return first + np.arange(n_samples) / rate, {"time_from": f"starting_time and rate of the file ({rate:g} Hz)"}
