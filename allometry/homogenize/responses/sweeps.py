"""What sampled traces and spike trains did in each sweep: means, values at lags, counts.

Windows are half-open, [start, stop). Where a window is not fully recorded, the response is missing (NaN), not zero; a unit
without a spike in a recorded window has the response 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError

Floats = npt.NDArray[np.float64]
MAX_RESPONSE_BYTES = 2 * 2**30


def window_means(trace: npt.NDArray[Any], start: npt.ArrayLike, stop: npt.ArrayLike) -> Floats:
    """Mean of each unit over each window of samples.

    Parameters
    ----------
    trace : (unit, time)
    start, stop : (presentation,) int
        Samples, half-open.

    Returns
    -------
    (unit, presentation) float64; NaN where the window is empty, leaves the recording, or holds a missing sample.
    """
    begin, end = np.asarray(start, np.int64), np.asarray(stop, np.int64)
    out = np.full((trace.shape[0], len(begin)), np.nan)
    for number in np.flatnonzero((begin >= 0) & (end > begin) & (end <= trace.shape[1])):
        out[:, number] = trace[:, begin[number] : end[number]].mean(axis=1, dtype=np.float64)
    return out


def window_sums(trace: npt.NDArray[Any], start: npt.ArrayLike, stop: npt.ArrayLike) -> Floats:
    """Sum (of events, say) of each unit over each window; as `window_means`."""
    begin, end = np.asarray(start, np.int64), np.asarray(stop, np.int64)
    out = np.full((trace.shape[0], len(begin)), np.nan)
    for number in np.flatnonzero((begin >= 0) & (end > begin) & (end <= trace.shape[1])):
        out[:, number] = trace[:, begin[number] : end[number]].sum(axis=1, dtype=np.float64)
    return out


def at_lags(trace: npt.NDArray[Any], onset: npt.ArrayLike, lags: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Samples of each unit at `lags` (samples) from each onset.

    Returns
    -------
    (unit, presentation, lag) float32; NaN outside the recording.
    """
    first, offsets = np.asarray(onset, np.int64), np.asarray(lags, np.int64)
    check_size(trace.shape[0] * len(first) * len(offsets))
    out = np.full((trace.shape[0], len(first), len(offsets)), np.nan, dtype=np.float32)
    for number, sample in enumerate(first.tolist()):
        at = sample + offsets
        inside = (at >= 0) & (at < trace.shape[1])
        out[:, number, inside] = trace[:, at[inside]]
    return out


def counts(times: Floats, start: Floats, stop: Floats) -> npt.NDArray[np.int64]:
    """Number of spikes with start <= t < stop in each window; `times` sorted, in any unit that the windows share."""
    return np.searchsorted(times, stop) - np.searchsorted(times, start)


def lag_axis(lags: Any, where: str) -> Floats | None:
    """Edges of the bins (s from onset) that the option `lags` asks for: None, or [start, stop, step] in s."""
    if lags is None or lags is False:
        return None
    numbers = list(lags) if isinstance(lags, list | tuple) else []
    valid = len(numbers) == 3 and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if not valid or not np.isfinite(numbers).all() or numbers[2] <= 0 or numbers[1] <= numbers[0]:
        raise ReaderError(
            f"option lags is {lags!r}",
            where=where,
            expected="[start, stop, step], in s from onset, stop after start, step positive",
            do="correct `lags` in the options of this store, or leave it out for one value per sweep",
        )
    count = max(1, round((numbers[1] - numbers[0]) / numbers[2]))
    return np.asarray(numbers[0] + numbers[2] * np.arange(count + 1), dtype=np.float64)


def check_size(values: int) -> None:
    """Refuse responses that would not fit into bounded memory, with what to do about it."""
    if values * 4 > MAX_RESPONSE_BYTES:
        raise ReaderError(
            f"the responses would take {values * 4 / 2**30:.1f} GiB",
            where="options `stimuli` and `lags`",
            expected=f"at most {MAX_RESPONSE_BYTES / 2**30:g} GiB",
            do="choose fewer stimuli, a shorter range of lags, or longer bins",
        )


def as_response(values: npt.NDArray[Any], where: str) -> npt.NDArray[np.float32]:
    """Responses as float32; numbers that float32 cannot hold are an error, not infinities."""
    with np.errstate(over="ignore"):
        small = values.astype(np.float32)
    if np.isinf(small).any():
        raise ReaderError(
            "responses hold infinite values or values beyond 3.4e38",
            where=where,
            expected="ordinary numbers, NaN where missing",
            do="retrieve the file again",
        )
    return small


def missing_note(response: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Record of presentations and units without a finite response."""
    missing = np.isnan(response)
    absent = np.asarray(missing.all(axis=2) if missing.ndim == 3 else missing)
    notes: dict[str, Any] = {}
    for axis, what in ((0, "presentations_without_data"), (1, "units_without_data")):
        empty = np.flatnonzero(absent.all(axis=axis)) if absent.size else np.zeros(0, int)
        if empty.size:
            notes[what] = {"count": int(empty.size), "first": empty[:20].tolist()}
    return notes


def deduplicated(labels: Sequence[Any], where: str) -> None:
    """Raise if two units have the same label."""
    seen: set[Any] = set()
    for label in labels:
        if label in seen:
            raise ReaderError(
                f"two units have the label {label!r}",
                where=where,
                expected="unique ids",
                do="check that the file is complete",
            )
        seen.add(label)
