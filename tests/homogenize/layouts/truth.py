"""What a synthetic recording holds, and what a store must say of it."""

from dataclasses import dataclass, field

import numpy as np

#: As written in files, and what the strict policy makes of it: zeros are dropped from VB02 but not from VB10, what is
#: ambiguous or no neuron stays unlabelled.
NAMES = ("AVAL", "AVAR", "VB02", "VB10", "RID", "AWC?", "RMED/V", "", "SMDVL", "AVEL")
LABELS = ("AVAL", "AVAR", "VB2", "VB10", "RID", "", "", "", "SMDVL", "AVEL")


@dataclass
class Worm:
    """One recording as it was before it was written: time, s, trace (time, roi), names as written."""

    time: np.ndarray
    trace: np.ndarray
    names: list[str] = field(default_factory=lambda: list(NAMES))
    labels: list[str] = field(default_factory=lambda: list(LABELS))


def worm(
    seed: int, samples: int, dt: float, *, jitter: float = 0.02, start: float = 0.0, missing: bool = False
) -> Worm:
    """A worm of ten regions; time is slightly irregular, and some samples of one region may be missing."""
    rng = np.random.default_rng(seed)
    time = start + dt * (np.arange(samples) + jitter * rng.uniform(-0.5, 0.5, samples))
    time[0] = start
    trace = np.cumsum(rng.normal(size=(samples, len(NAMES))), axis=0) / 20
    if missing:
        trace[samples // 2 : samples // 2 + 9, 2] = np.nan
    return Worm(time, trace)
