"""The pipeline of the worm collection of Simeon et al. 2024 (arXiv 2411.12091), as a preset.

Step by step: a worm with under 600 samples or no label is skipped; ambiguous names take the nearest unused name;
missing samples are imputed; residual = gradient(trace, t); smoothing; linear interpolation onto arange(t0, t1, 0.333 s)
(a source that is faster is interpolated to a sixth of that and averaged); standardised per neuron at the end.

It is here to be compared with. The default path of this project keeps ambiguous names ambiguous, imputes and smooths
nothing, and does not alias.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy

from allometry.homogenize.traces.elementary import gaussian

Array = npt.NDArray[np.float64]
Smoothing = Literal["moving", "gaussian", "exponential", "none"]

MIN_SAMPLES = 600
DT_S = 0.333
RATE_HZ = 1 / DT_S
FINEST_HZ = 6 / DT_S
"""Rate of the grid that a faster source is interpolated to before averaging, Hz."""
WINDOW = 15
SIGMA = 5.0
ALPHA = 0.5
METHOD = "simeon2024: linear interpolation to 0.333 s (averaged over 6 where the source is faster), then standardised"


def reason_to_skip(n_samples: int, label: Sequence[str]) -> str:
    """Why the collection would skip this worm; "" if it would not."""
    if n_samples < MIN_SAMPLES:
        return f"{n_samples} samples, fewer than {MIN_SAMPLES} (preset simeon2024)"
    return "" if any(label) else "no labelled neuron (preset simeon2024)"


def smooth(trace: Array, method: Smoothing = "moving") -> Array:
    """Smooth traces (time, roi) causally, as the collection does.

    `moving` averages the samples from `WINDOW // 2` back to the present one (the causal half of a window of 15),
    `gaussian` weighs all past samples by exp(-lag^2 / (2 sigma^2)) with sigma of 5 samples, `exponential` is
    y = 0.5 x + 0.5 y_before.
    """
    n = trace.shape[0]
    if method == "none":
        return trace
    if method == "exponential":
        start = (1 - ALPHA) * trace[:1]
        return np.asarray(scipy.signal.lfilter([ALPHA], [1, ALPHA - 1], trace, axis=0, zi=start)[0])
    reach = WINDOW // 2 + 1 if method == "moving" else min(n, int(8 * SIGMA) + 1)
    weight = np.ones(reach) if method == "moving" else gaussian(reach, SIGMA)
    share = scipy.signal.lfilter(weight, [1.0], np.ones(n))
    return np.asarray(scipy.signal.lfilter(weight, [1.0], trace, axis=0)) / share[:, None]


def interpolate(trace: Array, time: Array, dt: float = DT_S) -> tuple[Array, Array]:
    """Linear interpolation onto arange(t0, t1, dt); a faster source is interpolated to dt / 6 and averaged over six."""
    if dt < np.median(np.diff(time)):
        grid: Array = np.arange(time.min(), time.max(), dt, dtype=np.float64)
        return grid, _interp(trace, time, grid)
    fine: Array = np.arange(time.min(), time.max(), dt / 6)
    values = _interp(trace, time, fine)
    count = fine.size // 6
    averaged = values[: 6 * count].reshape(count, 6, trace.shape[1]).mean(axis=1)
    return dt * np.arange(count, dtype=np.float64), np.asarray(averaged)


def _interp(trace: Array, time: Array, at: Array) -> Array:
    left = np.clip(np.searchsorted(time, at, side="right") - 1, 0, time.size - 2)
    share = ((at - time[left]) / (time[left + 1] - time[left]))[:, None]
    return np.asarray((1 - share) * trace[left] + share * trace[left + 1])


def standardise(trace: Array, *, causal: bool = False) -> Array:
    """Zero mean and unit variance per neuron, over the whole recording or over the past at each sample."""
    if not causal:
        spread = trace.std(axis=0)
        return (trace - trace.mean(axis=0)) / np.where(spread == 0, 1.0, spread)
    count = np.arange(1, trace.shape[0] + 1)[:, None]
    mean = np.cumsum(trace, axis=0) / count
    variance = np.cumsum(trace**2, axis=0) / count - mean**2
    return (trace - mean) / np.sqrt(np.maximum(variance, 1e-8))


def process(
    trace: Array, time: Array, *, smoothing: Smoothing = "moving", causal: bool = False
) -> tuple[Array, dict[str, npt.NDArray[np.float32]]]:
    """Run the numeric steps of the preset on one worm.

    Parameters
    ----------
    trace : numpy.ndarray, shape (n_samples, n_neurons)
        Labelled neurons without NaN.
    time : numpy.ndarray, shape (n_samples,)
        Seconds from the first sample.
    smoothing : {"moving", "gaussian", "exponential", "none"}
        Smoothing of the smoothed views.
    causal : bool
        Standardise causally.

    Returns
    -------
    time : numpy.ndarray, shape (m,)
        Seconds, steps of 0.333 s.
    views : dict of numpy.ndarray, shape (m, n_neurons), float32
        `trace`, `residual`, `smooth_trace`, `smooth_residual`; standardised.
    """
    residual = np.gradient(trace, time, axis=0)
    views = {
        "trace": trace,
        "residual": residual,
        "smooth_trace": smooth(trace, smoothing),
        "smooth_residual": smooth(residual, smoothing),
    }
    out: dict[str, npt.NDArray[np.float32]] = {}
    grid = np.zeros(0)
    for name, values in views.items():
        grid, resampled = interpolate(values, time)
        out[name] = standardise(resampled, causal=causal).astype(np.float32)
    return grid - grid[0], out
