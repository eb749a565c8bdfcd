"""External inputs of a network."""

from dataclasses import dataclass

import numpy as np

from allometry.network.indices import whole_numbers
from allometry.network.serialise import serialisable


def _neurons(value: np.ndarray | None) -> np.ndarray | None:
    return None if value is None else whole_numbers(value, "neurons")


@serialisable
@dataclass(frozen=True, eq=False)
class PoissonInput:
    """Independent Poisson spike trains, one per neuron, each with the summed rate of all its external synapses.

    Parameters
    ----------
    population : str
        Target population.
    rate_hz : float
        Summed rate per neuron, Hz.
    weight : float
        Weight of each event (pA or mV; `ConnectomeLif`: a kick of V).
    neurons : np.ndarray, optional
        Indices within the population that are driven; default all.
    start_ms, stop_ms : float
        Events fall in [start, stop); both are rounded to whole steps.
    """

    population: str
    rate_hz: float
    weight: float
    neurons: np.ndarray | None = None
    start_ms: float = 0.0
    stop_ms: float = float("inf")

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))


@serialisable
@dataclass(frozen=True, eq=False)
class DCInput:
    """Constant current into every neuron of a population, in [start, stop), both rounded to whole steps.

    `amplitude` is in pA, one or per neuron.
    """

    population: str
    amplitude: float | np.ndarray
    start_ms: float = 0.0
    stop_ms: float = float("inf")

    def __post_init__(self) -> None:
        if not isinstance(self.amplitude, int | float):
            object.__setattr__(self, "amplitude", np.asarray(self.amplitude, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class SpikeListInput:
    """Given events: `neurons[i]` of `population` receives `weight` in the step [t, t + dt) of `times_ms[i]`.

    The time is that of arrival; no delay is added. `weight` is one number or one per event.
    """

    population: str
    neurons: np.ndarray
    times_ms: np.ndarray
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))
        object.__setattr__(self, "times_ms", np.asarray(self.times_ms, dtype=np.float64).ravel())
        if not isinstance(self.weight, int | float):
            object.__setattr__(self, "weight", np.asarray(self.weight, dtype=np.float64).ravel())


Input = PoissonInput | DCInput | SpikeListInput
