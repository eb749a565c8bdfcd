"""External inputs of a network."""

from dataclasses import dataclass

import numpy as np

from allometry.errors import SimulationError
from allometry.network.indices import whole_numbers
from allometry.network.profiles import Piecewise, Profile, Sampled
from allometry.network.scalars import as_written
from allometry.network.serialise import serialisable

# Times further apart than this cannot be told from their neighbours on the usual grid of 0.1 ms.
_COARSEST_MS = 0.05


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
    rate_hz : float or Profile
        Summed rate per neuron, Hz: one number, or a profile in time.
    weight : float
        Weight of each event (pA or mV; `ConnectomeLif`: a kick of V).
    neurons : np.ndarray of int [driven neurons], optional
        Indices within the population that are driven; default all.
    start_ms, stop_ms : float
        Events fall in [start, stop); both are rounded to whole steps.
    """

    population: str
    rate_hz: float | Profile
    weight: float
    neurons: np.ndarray | None = None
    start_ms: float = 0.0
    stop_ms: float = float("inf")

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))


@serialisable
@dataclass(frozen=True, eq=False)
class CorrelatedInput:
    """Poisson spike trains with a pairwise correlation: the multiple interaction process (Kuhn, Aertsen & Rotter 2003).

    A common Poisson process has the rate `rate_hz / correlation`; every neuron receives each of its events independently
    with probability `correlation`. Trains are Poisson of rate `rate_hz`, and the spike counts of any two neurons in any
    bin have this correlation; events of one step coincide.

    Parameters
    ----------
    population : str
        Target population; all of its inputs of this kind have a common process of their own.
    rate_hz : float or Profile
        Rate per neuron, Hz: one number, or a profile in time.
    correlation : float
        Pairwise correlation of spike counts, above 0 and up to 1 (the same train for all).
    weight, neurons, start_ms, stop_ms
        As in `PoissonInput`.
    """

    population: str
    rate_hz: float | Profile
    correlation: float
    weight: float
    neurons: np.ndarray | None = None
    start_ms: float = 0.0
    stop_ms: float = float("inf")

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))


@serialisable
@dataclass(frozen=True, eq=False)
class DCInput:
    """Direct current into every neuron of a population.

    Parameters
    ----------
    population : str
        Target population.
    amplitude : float, np.ndarray or Profile
        Current, pA: one number, float [neuron], or a profile in time, for all neurons or for each.
    start_ms, stop_ms : float
        The current flows in [start, stop), ms; both are rounded to whole steps.
    """

    population: str
    amplitude: float | np.ndarray | Profile
    start_ms: float = 0.0
    stop_ms: float = float("inf")

    def __post_init__(self) -> None:
        if not isinstance(self.amplitude, int | float | Piecewise | Sampled):
            object.__setattr__(self, "amplitude", np.asarray(self.amplitude, dtype=np.float64))

    @property
    def differs(self) -> bool:
        """Whether neurons have currents of their own."""
        if isinstance(self.amplitude, Piecewise | Sampled):
            return self.amplitude.values.ndim == 2
        return np.ndim(self.amplitude) > 0


@serialisable
@dataclass(frozen=True, eq=False)
class SpikeListInput:
    """Given events: `neurons[i]` of `population` receives `weight` in the step [t, t + dt) of `times_ms[i]`.

    The time is that of arrival; no delay is added. It is taken to the nearest microsecond first; a float32 time counts as
    the shortest decimal number that gives it.

    Parameters
    ----------
    population : str
        Target population.
    neurons : np.ndarray
        int [event], indices within the population.
    times_ms : np.ndarray
        float [event], times of arrival, ms.
    weight : float or np.ndarray
        One number or float [event], in the unit of the target's neuron model (`ConnectomeLif`: a kick of V).

    Raises
    ------
    SimulationError
        If an index is no whole number, or the type of the times cannot tell neighbouring steps apart.
    """

    population: str
    neurons: np.ndarray
    times_ms: np.ndarray
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))
        given = np.asarray(self.times_ms)
        if given.dtype.kind == "f" and given.dtype.itemsize < 8 and given.size:
            spacing = float(np.spacing(np.abs(given).max()))
            if spacing > _COARSEST_MS:
                raise SimulationError(
                    f"times_ms in {given.dtype} are {spacing:g} ms apart at {float(np.abs(given).max()):g} ms",
                    where=f"SpikeListInput of {self.population}",
                    expected=f"times that are known to {_COARSEST_MS:g} ms",
                    do="give them as float64",
                )
        object.__setattr__(self, "times_ms", as_written(given).ravel())
        if not isinstance(self.weight, int | float):
            object.__setattr__(self, "weight", np.asarray(self.weight, dtype=np.float64).ravel())


Input = PoissonInput | CorrelatedInput | DCInput | SpikeListInput
