"""Declarative description of a network: plain frozen dataclasses that serialise to YAML and run on `simulate.run`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from allometry import files
from allometry.errors import SimulationError
from allometry.network import serialise
from allometry.network.distributions import as_distribution
from allometry.network.indices import whole_numbers
from allometry.network.inputs import Input
from allometry.network.neuron_model import NeuronModel
from allometry.network.plasticity import Plasticity
from allometry.network.rules import Rule
from allometry.network.serialise import OPTIONAL, serialisable
from allometry.network.space import Grid, Positions, Space, UniformPositions


@serialisable
@dataclass(frozen=True, eq=False)
class Population:
    """`size` neurons of one model.

    Parameters
    ----------
    name : str
        Unique name.
    size : int
        Number of neurons.
    neuron : NeuronModel
        Model with its parameters.
    initial_v : float, array [neurons] or Distribution, optional
        Voltage at time 0, mV; default the resting potential E_L. Of rate units their state x at time 0, default 0.
    labels : tuple of str, optional
        Unit names written to the store; default `{name}_{index}`.
    positions : Grid, UniformPositions or np.ndarray, optional
        Where the neurons are in the network's space: a rule, or coordinates, float [neuron, 2].
    """

    name: str
    size: int
    neuron: NeuronModel
    initial_v: Any = None
    labels: tuple[str, ...] | None = None
    positions: Positions | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_v", as_distribution(self.initial_v))
        if self.positions is not None and not isinstance(self.positions, Grid | UniformPositions):
            object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.float64))
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(str(x) for x in self.labels))


@serialisable
@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from population `source` to population `target`; static, unless `plasticity` is given.

    Parameters
    ----------
    source, target : str
        Names of the populations.
    rule : Rule
        Which neurons connect to which.
    weight : float, Constant, Normal, Lognormal or Uniform, optional
        Weight, in the unit of the target's neuron model (pA, mV or nS); None with `ExplicitEdges`, which has its own.
    delay : float, Constant, Normal, Lognormal or Uniform, optional
        Delay, ms, rounded to whole steps if drawn, at least one; None with `ExplicitEdges`.
    receptor : str, optional
        Receptor of the target that all weights go to; by default a weight's sign decides, as the model says.
    plasticity : ShortTermPlasticity or STDP, optional
        How weights change with the spikes.
    redrawn : tuple of str, optional
        What of "weight" and "delay" is drawn anew for every spike and synapse, rather than once for every synapse.
    repeat_delay : float or distribution, optional
        Of a source with a `Gate`: delay of what passes a second time, ms, drawn anew for every spike and synapse; default
        the same as the first time.
    indegree_norm : np.ndarray, optional
        float [target]; the weights onto each target are multiplied by this over its drawn in-degree, so that their sum
        does not depend on the draw. With `DistanceDependent` only.
    name : str, optional
        By which a `ProjectionGain` finds it, and recordings call its latent variables.
    """

    source: str
    target: str
    rule: Rule
    weight: Any = None
    delay: Any = None
    receptor: str | None = None
    plasticity: Plasticity | None = None
    redrawn: tuple[str, ...] = field(default=(), metadata=OPTIONAL)
    repeat_delay: Any = field(default=None, metadata=OPTIONAL)
    indegree_norm: np.ndarray | None = field(default=None, metadata=OPTIONAL)
    name: str | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", as_distribution(self.weight))
        object.__setattr__(self, "delay", as_distribution(self.delay))
        object.__setattr__(self, "repeat_delay", as_distribution(self.repeat_delay))
        object.__setattr__(self, "redrawn", (self.redrawn,) if isinstance(self.redrawn, str) else tuple(self.redrawn))
        if self.indegree_norm is not None:
            object.__setattr__(self, "indegree_norm", np.asarray(self.indegree_norm, dtype=np.float64))


@serialisable
@dataclass(frozen=True, eq=False)
class GapJunctions:
    """Electrical synapses among the neurons of a `ConnectomeLif` population.

    Each directed edge adds weight (V_source - V_target) / tau_m to dV_target/dt, with V_source as it was before a reset
    (a spike is one step wide for its neighbours). Edges are listed as a Connectome store lists them: in both directions.

    Parameters
    ----------
    population : str
        Name of the population.
    source, target : np.ndarray
        int [edge], indices within the population.
    weight : float or np.ndarray
        One number or float [edge], without unit: conductance of the gap junction over leak conductance.

    Raises
    ------
    SimulationError
        If an index is no whole number.
    """

    population: str
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        source = whole_numbers(self.source, "source")
        weight = np.asarray(self.weight, dtype=np.float64)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "target", whole_numbers(self.target, "target"))
        object.__setattr__(self, "weight", np.full(source.size, float(weight)) if weight.ndim == 0 else weight.ravel())


@serialisable
@dataclass(frozen=True, eq=False)
class Readout:
    """Linear sums of the rates of a population, or of its states, which every run of the network records.

    Parameters
    ----------
    name : str
        Unique name.
    population : str
        Population that is read.
    weight : np.ndarray
        float [unit, output], or [unit] for one output.
    variable : {"rate", "x"}
        What is summed.
    """

    name: str
    population: str
    weight: np.ndarray
    variable: str = "rate"

    def __post_init__(self) -> None:
        weight = np.asarray(self.weight, dtype=np.float64)
        object.__setattr__(self, "weight", weight[:, None] if weight.ndim == 1 else weight)


@serialisable
@dataclass(frozen=True, eq=False)
class Network:
    """Populations, projections and inputs: everything that determines the dynamics except the seed.

    Parameters
    ----------
    populations : tuple of Population
        Neurons are numbered in this order.
    projections : tuple of Projection
        Order matters: connections are drawn from (seed, position in this tuple, target, index).
    inputs : tuple of Input
        Order matters likewise.
    gap_junctions : tuple of GapJunctions
        Electrical synapses.
    dt_ms : float
        Time step, ms.
    title : str
        One line for the store.
    parameters : dict
        What the model builder was called with, for the store (plain scalars).
    space : Space, optional
        What holds the positions of the populations; needed by rules that depend on distance.
    readouts : tuple of Readout
        Of rate units: sums that a run records.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...] = ()
    inputs: tuple[Input, ...] = ()
    gap_junctions: tuple[GapJunctions, ...] = ()
    dt_ms: float = 0.1
    title: str = "network"
    parameters: dict[str, Any] = field(default_factory=dict)
    space: Space | None = None
    readouts: tuple[Readout, ...] = field(default=(), metadata=OPTIONAL)

    def __post_init__(self) -> None:
        for name in ("populations", "projections", "inputs", "gap_junctions", "readouts"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def __repr__(self) -> str:
        parts = [f"{self.size} neurons in {len(self.populations)} populations"]
        counts = {"projections": self.projections, "inputs": self.inputs, "gap junctions": self.gap_junctions}
        parts += [f"{len(found)} {name}" for name, found in counts.items() if found]
        return f"Network({self.title!r}: {', '.join(parts)})"

    @property
    def size(self) -> int:
        """Number of neurons."""
        return sum(p.size for p in self.populations)

    @property
    def offsets(self) -> dict[str, int]:
        """Number of the first neuron of each population."""
        starts = np.concatenate([[0], np.cumsum([p.size for p in self.populations])])
        return {p.name: int(start) for p, start in zip(self.populations, starts, strict=False)}

    def population(self, name: str) -> Population:
        """Return the population called `name`."""
        for p in self.populations:
            if p.name == name:
                return p
        raise SimulationError(f"unknown population {name!r}", expected=", ".join(p.name for p in self.populations))

    def to_dict(self, digest: bool = False) -> dict[str, Any]:
        """Return the network as plain dicts and lists; `digest` replaces arrays by length and sha256."""
        return serialise.to_dict(self, digest)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Network":
        """Rebuild a network from `to_dict`."""
        net = serialise.from_dict({"kind": "Network", **data})
        if not isinstance(net, cls):
            raise SimulationError("not a network description", expected="a mapping of kind Network")
        return net

    def to_yaml(self, path: str | Path) -> None:
        """Write the network as YAML."""
        path = Path(path)
        with files.writing(path, SimulationError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(self.to_dict(), sort_keys=False))

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Network":
        """Read a network written by `to_yaml`, or by hand."""
        try:
            data = yaml.safe_load(Path(path).read_text())
        except (OSError, yaml.YAMLError) as error:
            raise SimulationError(f"cannot read the network: {error}", where=str(path)) from error
        if not isinstance(data, dict):
            raise SimulationError("not a network description", where=str(path), expected="a mapping of kind Network")
        return cls.from_dict(data)
