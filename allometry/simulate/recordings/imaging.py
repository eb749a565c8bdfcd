"""Imaging: an indicator that rises, decays and saturates, frames, noise, and frames that are missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allometry.simulate.kernels.recording import Effect, gaps, normals, stream, summed


@dataclass(frozen=True)
class Indicator:
    """A fluorescent indicator: dF/F = amplitude c / (1 + c / saturation), c the sum of a kernel over all spikes.

    The kernel is exp(-t / decay) - exp(-t / rise), scaled to a peak of 1: `amplitude` is what one spike of a resting neuron
    gives if nothing saturates.

    Parameters
    ----------
    amplitude : float
        dF/F of one spike; of membrane potential: dF/F per mV above the threshold.
    rise_s, decay_s : float
        Time constants, s, 0 <= rise < decay.
    saturation : float
        c of half the largest dF/F, in spikes (or mV); infinity does not saturate.
    """

    amplitude: float
    rise_s: float
    decay_s: float
    saturation: float = math.inf

    @property
    def peak(self) -> float:
        """Largest value of the kernel before it is scaled."""
        a, b = self.decay_s, self.rise_s
        if b == 0:
            return 1.0
        at = a * b / (a - b) * math.log(a / b)
        return math.exp(-at / a) - math.exp(-at / b)

    @property
    def area_s(self) -> float:
        """Integral of the scaled kernel, s: the mean of c per spike and second."""
        return (self.decay_s - self.rise_s) / self.peak

    @property
    def energy_s(self) -> float:
        """Integral of its square, s: the variance of c per spike and second, of Poisson spikes (Campbell's theorem)."""
        a, b = self.decay_s, self.rise_s
        return (a / 2 + b / 2 - 2 * a * b / (a + b)) / self.peak**2


_LN2 = math.log(2)

# Half-rise and half-decay after one spike in cultured neurons, as time constants t / ln 2, and the largest dF/F.
INDICATORS: dict[str, Indicator] = {
    "jgcamp7f": Indicator(0.21, 0.0248 / _LN2, 0.1819 / _LN2),
    "jgcamp8f": Indicator(0.41, 0.0071 / _LN2, 0.0674 / _LN2),
    "jgcamp8m": Indicator(0.76, 0.0071 / _LN2, 0.1183 / _LN2),
}
"""Indicators by name (janelia.org/jgcamp8-calcium-indicators); the table gives no saturation, so they have none."""


def fluorescence(
    time: Sequence[np.ndarray],
    weight: Sequence[np.ndarray] | None,
    indicator: Indicator,
    frames: int,
    rate_hz: float,
) -> np.ndarray:
    """dF/F of neurons at the end of every frame, before noise.

    Parameters
    ----------
    time : sequence of (event,) float64
        By neuron: times of its spikes, or of samples of its membrane potential, s, sorted.
    weight : sequence of (event,) float64, optional
        What each counts; by default 1.
    indicator : Indicator
    frames : int
    rate_hz : float
        Frame rate, Hz; frame k ends at (k + 1) / rate.

    Returns
    -------
    (frame, neuron) float64
    """
    out = np.empty((frames, len(time)))
    for i, events in enumerate(time):
        given = np.ones(events.size) if weight is None else np.asarray(weight[i], np.float64)
        c = summed(events, given, frames, 1.0 / rate_hz, indicator.rise_s, indicator.decay_s) / indicator.peak
        out[:, i] = indicator.amplitude * c / (1.0 + c / indicator.saturation)
    return out


def observe(
    clean: np.ndarray,
    neurons: np.ndarray,
    *,
    noise: float,
    missing: float,
    gap_frames: float,
    seed: int,
    recording: int,
) -> np.ndarray:
    """Add the noise of the detector, and take away what is missing.

    Parameters
    ----------
    clean : (frame, neuron) float64
        dF/F.
    neurons : (neuron,) int
        Index of each in the network, by which its noise is drawn: a neuron's noise does not depend on what else is recorded.
    noise : float
        Standard deviation of a frame, dF/F, independent over frames and neurons.
    missing : float
        Share of the frames of each neuron that are missing, below 1.
    gap_frames : float
        Mean length of a gap, frames, at least 1.
    seed, recording : int

    Returns
    -------
    (frame, neuron) float32
        Missing is NaN.
    """
    seen = clean.copy()
    for i, neuron in enumerate(neurons):
        if noise:
            seen[:, i] += noise * normals(stream(seed, Effect.NOISE, recording, int(neuron)), len(clean))
        seen[gaps(stream(seed, Effect.GAP, recording, int(neuron)), len(clean), missing, gap_frames), i] = np.nan
    return seen.astype(np.float32)
