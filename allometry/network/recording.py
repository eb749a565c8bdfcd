"""What a run records of a network: spikes, counts, state variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from allometry.network.indices import whole_numbers
from allometry.network.network import Network
from allometry.network.scalars import plain
from allometry.network.serialise import OPTIONAL, serialisable


@serialisable
@dataclass(frozen=True, eq=False)
class Probe:
    """Record a state variable of some neurons at regular times.

    Parameters
    ----------
    population : str
        Their population.
    neurons : np.ndarray
        int [neuron], indices within the population.
    interval_ms : float
        Time between samples, ms: whole steps.
    variable : str
        A state variable that the neuron model declares, in its unit: `V_m` (mV), a synaptic current, a conductance; `x` or
        `rate` of a rate unit.

    Raises
    ------
    SimulationError
        If an index is no whole number.
    """

    population: str
    neurons: np.ndarray
    interval_ms: float = 1.0
    variable: str = "V_m"

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", whole_numbers(self.neurons, "neurons"))


@serialisable
@dataclass(frozen=True)
class WeightProbe:
    """Record all weights of a projection with `STDP` at regular times.

    A weight is what the spikes of both sides up to this time have made of it, as the synapse sees them by then.

    Parameters
    ----------
    projection : int
        Number of the projection in the network, from 0.
    interval_ms : float
        Time between samples, ms: whole steps.
    """

    projection: int
    interval_ms: float = 1000.0


@serialisable
@dataclass(frozen=True, eq=False)
class Record:
    """What a run writes into its store.

    Parameters
    ----------
    spikes : bool
        Every spike.
    counts_ms : float, optional
        Width of the bins of `count(bin, unit)`, ms; of all neurons.
    probes : tuple of Probe
        State variables. Those of V_m with one interval become `voltage(step, probe)`; every other variable, and every other
        interval, a variable of its own (see docs/simulator.md).
    spikes_of : mapping of str to float or int array [neurons]
        By population: the neurons whose spikes are recorded, by index, or as a fraction of all (evenly spaced ones).
        Populations that are not named are recorded whole. The unit table says who is (`recorded`).
    weights : tuple of WeightProbe
        Weights of plastic projections: `weight_{projection}(step, synapse)` with the source and target of each synapse.
    sample_ms : float, optional
        Of rate units: time between samples of all units, latent variables and readouts where there are no probes, ms: whole
        steps, default one. Probes have an interval of their own.
    """

    spikes: bool = True
    counts_ms: float | None = None
    probes: tuple[Probe, ...] = field(default_factory=tuple)
    spikes_of: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[WeightProbe, ...] = field(default_factory=tuple)
    sample_ms: float | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        object.__setattr__(self, "probes", tuple(self.probes))
        object.__setattr__(self, "weights", tuple(self.weights))
        chosen = {str(name): _chosen(value, f"spikes_of[{name!r}]") for name, value in self.spikes_of.items()}
        object.__setattr__(self, "spikes_of", chosen)

    def recorded(self, net: Network) -> np.ndarray:
        """Return whose spikes are recorded, bool [neuron of the network]."""
        out = np.full(net.size, self.spikes)
        for name, value in self.spikes_of.items():
            size, first = net.population(name).size, net.offsets[name]
            out[first : first + size] = False
            if isinstance(value, float):
                count = max(1, round(value * size)) if value else 0
                value = ((np.arange(count) + 0.5) * size / max(1, count)).astype(np.int64)
            out[first + value] = self.spikes
        return out


def _chosen(value: Any, name: str) -> float | np.ndarray:
    value = plain(value)
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else whole_numbers(value, name)
    )


def grouped(probes: Sequence[Probe], dt_ms: float) -> dict[tuple[str, int], list[Probe]]:
    """Return probes by variable and interval in steps, in order of appearance: what one variable of the store holds."""
    out: dict[tuple[str, int], list[Probe]] = {}
    for probe in probes:
        out.setdefault((probe.variable, round(probe.interval_ms / dt_ms)), []).append(probe)
    return out


def stored_names(groups: Sequence[tuple[str, int]], dt_ms: float) -> list[str]:
    """Return what each group of `grouped` is called in the store: the first of V_m `voltage`, others by their variable.

    A variable that is recorded at several intervals has them in its names, `I_syn_ex_0.5ms`.
    """
    out: list[str] = []
    for variable, every in groups:
        several = [other for name, other in groups if name == variable]
        if variable == "V_m" and every == several[0]:
            out.append("voltage")
        else:
            out.append(variable if len(several) == 1 else f"{variable}_{every * dt_ms:.6g}ms")
    return out
