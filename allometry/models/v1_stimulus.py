"""What cells of macaque V1 see: a drifting grating through the LGN, and the spikes of layer 6, which follow it too."""

import functools
import math

import numpy as np

from allometry.models.v1_wiring import N_LGN, UM_PER_DEGREE, Wiring, map_angle
from allometry.network import DCInput, Gate, Periodic, PoissonInput, Rhythm

STIMULUS = ("orientation_deg", "contrast", "cycles_per_degree", "frequency_hz", "layer6_depth")
"""Parameters of the model that decide the inputs of this module, and nothing else."""
#: How often a spike of layer 6 passes, by twelfths of the angle between the map and the grating.
LAYER6_GATE = np.array([1.3, 1.0, 1.0, 0.7, 0.7, 0.4, 0.4, 0.7, 0.7, 1.0, 1.0, 1.3])
LAYER6_HZ = 10.66
LAYER6_DISC_UM = 75.0
#: The grating is on where its contrast is above this: layer 6 is silent below.
LEAST_CONTRAST = 0.5

_SAMPLES = 4096
_DIGITS = 9
"""Libm differs between machines in the last bits; what it gives is rounded to so many decimals."""


def modulation(cycles_per_degree: float) -> float:
    """Return how strongly a grating of full contrast modulates LGN cells: a difference of Gaussians."""
    narrow, wide = (math.exp(-math.pi * (width * cycles_per_degree) ** 2) for width in (0.1584, 0.2232))
    return max(0.0, 0.95 / 0.3359 * (narrow - 0.74 * wide))


def grating(
    wiring: Wiring, orientation_deg: float, contrast: float, cycles_per_degree: float, frequency_hz: float
) -> DCInput:
    """Return the drive of LGN cells by a drifting grating, an input named `grating`.

    The drive is 0.1 (1 + contrast m h(sin r)) per ms, with the phase r of the grating at the cell, h(q) = q while the sine
    falls, and sign(q) sqrt(|q|) while it rises.

    Parameters
    ----------
    wiring : Wiring
        Has the positions of the LGN cells.
    orientation_deg : float
        Direction of the wave vector, degrees.
    contrast : float
        0 is none; 1 is full contrast.
    cycles_per_degree, frequency_hz : float
        Spatial and temporal frequency.
    """
    angle = math.radians(orientation_deg)
    turns = wiring.lgn @ np.array([math.cos(angle), math.sin(angle)]) * (cycles_per_degree / UM_PER_DEGREE)
    turns[N_LGN // 2 :] += 0.5
    u = np.arange(_SAMPLES) / _SAMPLES
    sine = np.sin(2 * np.pi * u)
    falling = (u > 0.25) & (u < 0.75)
    wave = np.where(falling, sine, np.sign(sine) * np.sqrt(np.abs(sine)))
    amplitude = round(0.1 * contrast * modulation(cycles_per_degree), _DIGITS)
    return DCInput(
        "LGN",
        Periodic(np.round(wave, _DIGITS), frequency_hz, amplitude, np.round(turns % 1.0, _DIGITS)),
        name="grating",
    )


def layer6_gate(wiring: Wiring, orientation_deg: float, cycles_per_degree: float) -> Gate:
    """Return how often spikes of layer 6 cells pass under a grating, an input named `layer 6 gate`."""
    s = math.exp(-(((cycles_per_degree - 2.5) / 1.5) ** 2) / 2)
    tuned = 0.1 if s < 0.01 else 0.3 if s < 0.26 else s
    return Gate("L6", np.round(tuned * _mean_gate(wiring, orientation_deg), _DIGITS), name="layer 6 gate")


@functools.lru_cache(maxsize=64)
def _mean_gate(wiring: Wiring, orientation_deg: float) -> np.ndarray:
    """Return the value of the sectors averaged over a disc around each layer 6 cell, float [cell]."""
    steps = np.arange(-6, 7) * (LAYER6_DISC_UM / 6)
    around = np.stack([x.ravel() for x in np.meshgrid(steps, steps)], axis=1)
    radius = np.sqrt((around**2).sum(axis=1))
    around, radius = around[radius <= LAYER6_DISC_UM], radius[radius <= LAYER6_DISC_UM]
    weight = np.exp(-(radius**2) / (2 * LAYER6_DISC_UM**2))
    total = np.zeros(len(wiring.layer6))
    for shift, w in zip(around, weight):
        angle = map_angle(wiring.layer6 + shift) + 2 * math.radians(orientation_deg)
        total += w * LAYER6_GATE[np.floor(np.round(angle / (np.pi / 6), _DIGITS)).astype(np.int64) % 12]
    mean: np.ndarray = total / weight.sum()
    mean.flags.writeable = False
    return mean


def layer6_drive(wiring: Wiring, contrast: float, depth: float) -> PoissonInput:
    """Return the spikes of layer 6, an input named `layer 6`: none below a contrast of 0.5."""
    on = 1.0 if contrast > LEAST_CONTRAST else 0.0
    rates = on * LAYER6_HZ * wiring.layer6_rate
    rhythm = Rhythm(64.0, depth, 0.02) if depth > 0 else None
    return PoissonInput("L6", np.round(rates, _DIGITS), 1.0, rhythm=rhythm, name="layer 6")
