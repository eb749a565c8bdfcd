"""External inputs of a network."""

from dataclasses import dataclass, field

import numpy as np

from allometry.errors import SimulationError
from allometry.network.indices import whole_numbers
from allometry.network.profiles import Periodic, Piecewise, Profile, Sampled
from allometry.network.scalars import as_written
from allometry.network.serialise import OPTIONAL, serialisable

# Times further apart than this cannot be told from their neighbours on the usual grid of 0.1 ms.
_COARSEST_MS = 0.05


def _neurons(value: np.ndarray | None) -> np.ndarray | None:
    return None if value is None else whole_numbers(value, "neurons")


@serialisable
@dataclass(frozen=True)
class Rhythm:
    """A common oscillation of the rates of all trains of an input: the factor max(0, 1 + depth cos(phase)).

    The phase begins anywhere, drawn once, advances by 2 pi frequency, and diffuses: its variance grows by `diffusion` per ms.

    Parameters
    ----------
    frequency_hz : float
        Mean frequency, Hz, 0 or above.
    depth : float
        Depth of the oscillation, 0 or above; above 1 it is cut at 0.
    diffusion : float
        Diffusion of the phase, rad^2/ms, 0 or above.
    """

    frequency_hz: float
    depth: float
    diffusion: float = 0.0


@serialisable
@dataclass(frozen=True, eq=False)
class PoissonInput:
    """Independent Poisson spike trains, one per neuron, each with the summed rate of all its external synapses.

    Parameters
    ----------
    population : str
        Target population.
    rate_hz : float, np.ndarray or Profile
        Summed rate per neuron, Hz: one number, float [neuron of the population], or a profile in time. Rates per neuron are
        drawn in another way, whose cost grows with the events rather than with the neurons: best for rare ones.
    weight : float
        Weight of each event (pA or mV; `ConnectomeLif`: a kick of V).
    neurons : np.ndarray of int [driven neurons], optional
        Indices within the population that are driven; default all.
    start_ms, stop_ms : float
        Events fall in [start, stop); both are rounded to whole steps.
    receptor : str, optional
        Receptor that all events go to; by default the sign of the weight decides, as the model says.
    rhythm : Rhythm, optional
        Common oscillation of all rates, which are then no profile.
    name : str, optional
        By which a `Condition` can replace the input.
    """

    population: str
    rate_hz: float | np.ndarray | Profile
    weight: float
    neurons: np.ndarray | None = None
    start_ms: float = 0.0
    stop_ms: float = float("inf")
    receptor: str | None = field(default=None, metadata=OPTIONAL)
    rhythm: Rhythm | None = field(default=None, metadata=OPTIONAL)
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", _neurons(self.neurons))
        if isinstance(self.rate_hz, list | tuple | np.ndarray):
            object.__setattr__(self, "rate_hz", np.asarray(self.rate_hz, dtype=np.float64))

    @property
    def sparse(self) -> bool:
        """Whether events are drawn neuron group by neuron group, at rates of their own or with a rhythm."""
        return self.rhythm is not None or isinstance(self.rate_hz, np.ndarray)


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
    weight, neurons, start_ms, stop_ms, receptor, name
        As in `PoissonInput`.
    """

    population: str
    rate_hz: float | Profile
    correlation: float
    weight: float
    neurons: np.ndarray | None = None
    start_ms: float = 0.0
    stop_ms: float = float("inf")
    receptor: str | None = field(default=None, metadata=OPTIONAL)
    name: str | None = field(default=None, metadata=OPTIONAL)

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
    amplitude : float, np.ndarray, Profile or Periodic
        Current, pA (into rate units in the unit of their state): one number, float [neuron], or a profile in time, for all neurons or for each; a `Periodic` one changes
        at every step.
    start_ms, stop_ms : float
        The current flows in [start, stop), ms; both are rounded to whole steps.
    name : str, optional
        By which a `Condition` can replace the input.
    """

    population: str
    amplitude: float | np.ndarray | Profile | Periodic
    start_ms: float = 0.0
    stop_ms: float = float("inf")
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        if not isinstance(self.amplitude, int | float | Piecewise | Sampled | Periodic):
            object.__setattr__(self, "amplitude", np.asarray(self.amplitude, dtype=np.float64))

    @property
    def differs(self) -> bool:
        """Whether neurons have currents of their own."""
        if isinstance(self.amplitude, Periodic):
            return True
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
    receptor, name
        As in `PoissonInput`.

    Raises
    ------
    SimulationError
        If an index is no whole number, or the type of the times cannot tell neighbouring steps apart.
    """

    population: str
    neurons: np.ndarray
    times_ms: np.ndarray
    weight: float | np.ndarray
    receptor: str | None = field(default=None, metadata=OPTIONAL)
    name: str | None = field(default=None, metadata=OPTIONAL)

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


@serialisable
@dataclass(frozen=True, eq=False)
class Gate:
    """How often a spike of each neuron of a population passes to its targets, drawn once per spike for all of them.

    With p = 1.3 every spike passes once, and three in ten a second time; with p = 0.4 four in ten pass at all. What passes
    more than once arrives together, as a multiple of the weight, or where the projection has a `repeat_delay`, each further
    time after a delay of its own. The neuron's own spikes, and their recording, are not touched.

    Parameters
    ----------
    population : str
        Whose spikes pass; it has one gate.
    p : float or np.ndarray
        Mean number of passes of a spike, 0 or above: one number, or float [neuron].
    name : str, optional
        By which a `Condition` can replace it; a condition can change gates, and neither add nor remove one.
    """

    population: str
    p: float | np.ndarray
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        if isinstance(self.p, list | tuple | np.ndarray):
            object.__setattr__(self, "p", np.asarray(self.p, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class PatternInput:
    """Input into rate units that is a sum of fixed patterns over the units, each with a time course of its own.

    Parameters
    ----------
    population : str
        Target population.
    pattern : np.ndarray
        float [unit, channel], or [unit] for one channel.
    signal : float, np.ndarray or Profile
        Factor of each pattern: one number, float [channel], or a profile in time with values [time] or [time, channel].
    start_ms, stop_ms : float
        The input is there in [start, stop), ms; both are rounded to whole steps.
    name : str, optional
        By which a `Condition` can replace the input.
    """

    population: str
    pattern: np.ndarray
    signal: float | np.ndarray | Profile = 1.0
    start_ms: float = 0.0
    stop_ms: float = float("inf")
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        pattern = np.asarray(self.pattern, dtype=np.float64)
        object.__setattr__(self, "pattern", pattern[:, None] if pattern.ndim == 1 else pattern)
        if not isinstance(self.signal, int | float | Piecewise | Sampled):
            object.__setattr__(self, "signal", np.asarray(self.signal, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class StateReset:
    """The states x of rate units are set to given values at given times.

    Parameters
    ----------
    population : str
        Target population.
    times_ms : np.ndarray
        float [event], rising, ms, rounded to whole steps; the step that begins then begins with the given state.
    values : np.ndarray
        float [unit] for all events, or [event, unit]; one number for all units.
    name : str, optional
        By which a `Condition` can replace the input.
    """

    population: str
    times_ms: np.ndarray
    values: np.ndarray
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_ms", as_written(self.times_ms).ravel())
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class ProjectionGain:
    """Factor on what passes over a projection between rate units, constant or in time: 0 closes it.

    Parameters
    ----------
    projection : str
        Name of the projection (`Projection.name`); it has one gain.
    gain : float, np.ndarray or Profile
        One number; of a `LowRank` projection also float [rank], a factor for each latent variable; or a profile in time with
        values [time] or [time, rank].
    name : str, optional
        By which a `Condition` can replace it.
    """

    projection: str
    gain: float | np.ndarray | Profile
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        if not isinstance(self.gain, int | float | Piecewise | Sampled):
            object.__setattr__(self, "gain", np.asarray(self.gain, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class TaskSignal:
    """A time course that acts on nothing and is recorded with rate units: what is asked of a network, or what it is shown.

    Parameters
    ----------
    signal : float, np.ndarray or Profile
        One number, float [channel], or a profile in time with values [time] or [time, channel].
    name : str
        What it is called in the store, and by which a `Condition` can replace it.
    """

    signal: float | np.ndarray | Profile
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.signal, int | float | Piecewise | Sampled):
            object.__setattr__(self, "signal", np.asarray(self.signal, dtype=np.float64))


Input = (
    PoissonInput
    | CorrelatedInput
    | DCInput
    | SpikeListInput
    | Gate
    | PatternInput
    | StateReset
    | ProjectionGain
    | TaskSignal
)


def acts_on(x: object) -> str:
    """Return what an input acts on: a population, or of a `ProjectionGain` a projection; `nothing` of what is no input."""
    return str(getattr(x, "projection" if isinstance(x, ProjectionGain) else "population", "nothing"))


def replaceable(old: Input, new: object) -> bool:
    """Whether a condition may put one input in the place of another: events, rates and currents of one population are alike.

    A gate, a gain, a reset and a signal are each replaced by another of their kind.
    """
    alone = Gate | ProjectionGain | StateReset | TaskSignal
    alike = isinstance(new, type(old)) or not (isinstance(old, alone) or isinstance(new, alone))
    return alike and acts_on(old) == acts_on(new)
