"""Spike sorting: spikes that are missed, false ones, those of another unit, and intervals without a recording."""

from collections.abc import Sequence

import numpy as np

from allometry.simulate.kernels.recording import Effect, gaps, poisson_times, stream, uniforms

STEPS_PER_GAP = 10
"""Intervals are drawn in steps of a tenth of the mean length of a gap."""


def sort(
    trains: Sequence[np.ndarray],
    neurons: np.ndarray,
    *,
    missed: float,
    false_hz: float,
    contamination: float,
    start_s: float,
    stop_s: float,
    seed: int,
    recording: int,
) -> list[np.ndarray]:
    """Trains of sorted units.

    Unit i has each spike of neuron i with probability 1 - missed, each spike of neuron i + 1 (the last one: of the first)
    with probability `contamination`, and Poisson spikes of noise. A unit's rate is (1 - missed) r_i + contamination r_{i+1}
    + false_hz.

    Parameters
    ----------
    trains : sequence of (spike,) float64
        True spikes of the neurons, s, sorted.
    neurons : (neuron,) int
        Index of each in the network.
    missed, contamination : float
        Probabilities.
    false_hz : float
        Rate of the noise, Hz.
    start_s, stop_s : float
        What of the time is recorded, s; the end is not part of it.
    seed, recording : int

    Returns
    -------
    list of (spike,) float64
        Times, s, sorted.
    """
    own = [train[(train >= start_s) & (train < stop_s)] for train in trains]
    found = []
    for i, neuron in enumerate(neurons):
        kept = own[i][uniforms(stream(seed, Effect.MISSED, recording, int(neuron)), own[i].size) >= missed]
        false = poisson_times(stream(seed, Effect.FALSE, recording, int(neuron)), float(false_hz), start_s, stop_s)
        parts = [kept, false]
        if contamination and len(own) > 1:
            other = own[(i + 1) % len(own)]
            drawn = uniforms(stream(seed, Effect.CONFUSED, recording, int(neuron)), other.size)
            parts.append(other[drawn < contamination])
        found.append(np.sort(np.concatenate(parts)))
    return found


def observed(start_s: float, stop_s: float, *, missing: float, gap_s: float, seed: int, recording: int) -> np.ndarray:
    """Intervals that are recorded.

    Parameters
    ----------
    start_s, stop_s : float
        From when to when there could be a recording, s.
    missing : float
        Share of the time that is lost, below 1.
    gap_s : float
        Mean length of a gap, s.
    seed, recording : int

    Returns
    -------
    (interval, 2) float64
        Start and end, s.
    """
    if missing <= 0:
        return np.array([[start_s, stop_s]])
    step = gap_s / STEPS_PER_GAP
    size = int(np.ceil((stop_s - start_s) / step - 1e-9))
    seen = ~gaps(stream(seed, Effect.GAP, recording), size, missing, float(STEPS_PER_GAP))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8))).reshape(-1, 2)
    return np.minimum(start_s + edges * step, stop_s)


def inside(train: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Spikes of a train within intervals, [spike] in s."""
    place = np.searchsorted(intervals[:, 0], train, side="right") - 1
    ends = np.append(intervals[:, 1], -np.inf)
    return train[(place >= 0) & (train < ends[place])]
