"""What a run records of a network: spikes, counts, voltages."""

from dataclasses import dataclass, field

import numpy as np

from allometry.network.indices import whole_numbers
from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True, eq=False)
class VoltageProbe:
    """Record V of `neurons` (indices within `population`) every `interval_ms`."""

    population: str
    neurons: np.ndarray
    interval_ms: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", whole_numbers(self.neurons, "neurons"))


@serialisable
@dataclass(frozen=True)
class Record:
    """What a run writes into its store.

    Parameters
    ----------
    spikes : bool
        Every spike.
    counts_ms : float, optional
        Width of the bins of `count(bin, unit)`, ms.
    voltage : tuple of VoltageProbe
        `voltage(step, probe)`; all probes of one run share one interval.
    """

    spikes: bool = True
    counts_ms: float | None = None
    voltage: tuple[VoltageProbe, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        object.__setattr__(self, "voltage", tuple(self.voltage))
