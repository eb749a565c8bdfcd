"""Connection rules: which neurons of a source population connect to which of a target population."""

from dataclasses import dataclass

import numpy as np

from allometry.network.indices import whole_numbers
from allometry.network.scalars import as_written
from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True, eq=False)
class ExplicitEdges:
    """A given list of edges, by index within the source and target population.

    Parameters
    ----------
    source, target : np.ndarray
        int [edge]. Repeated pairs are separate synapses.
    weight : np.ndarray
        float [edge] or one number, in the unit of the target's neuron model.
    delay : np.ndarray
        float [edge] or one number, ms, taken to the nearest step.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray

    def __post_init__(self) -> None:
        source = whole_numbers(self.source, "source")
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "target", whole_numbers(self.target, "target"))
        for name in ("weight", "delay"):
            given = getattr(self, name)
            value = as_written(given) if name == "delay" else np.asarray(given, dtype=np.float64)
            object.__setattr__(self, name, np.full(source.size, float(value)) if value.ndim == 0 else value.ravel())


@serialisable
@dataclass(frozen=True)
class FixedTotalNumber:
    """`n` synapses, source and target drawn uniformly with replacement: in-degrees are multinomial."""

    n: int


@serialisable
@dataclass(frozen=True)
class FixedIndegree:
    """Every target gets `n` inputs, sources drawn uniformly with replacement; `autapses` allows self connections."""

    n: int
    autapses: bool = True


@serialisable
@dataclass(frozen=True)
class PairwiseBernoulli:
    """Every ordered pair is connected once with probability `p`; `autapses` allows self connections."""

    p: float
    autapses: bool = True


Rule = ExplicitEdges | FixedTotalNumber | FixedIndegree | PairwiseBernoulli
