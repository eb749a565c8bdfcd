"""Connection rules: which neurons of a source population connect to which of a target population."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from allometry.network.indices import whole_numbers
from allometry.network.scalars import as_written
from allometry.network.serialise import OPTIONAL, serialisable
from allometry.network.space import Kernel


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
        float [edge] or one number, ms, taken to the nearest step; 0, the default, between rate units alone.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: Any = 0.0

    def __repr__(self) -> str:
        return f"ExplicitEdges({np.size(self.source)} edges)"

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
    """`n` synapses, source and target drawn uniformly with replacement: in-degrees are multinomial.

    Parameters
    ----------
    n : int
        Number of synapses of the projection.
    """

    n: int


@serialisable
@dataclass(frozen=True)
class OneToOne:
    """Neuron i of the source to neuron i of the target; both populations have the same size."""


@serialisable
@dataclass(frozen=True)
class FixedIndegree:
    """Every target gets `n` inputs from sources drawn at random.

    Parameters
    ----------
    n : int
        Inputs of every target.
    autapses : bool
        Whether a neuron may be its own source.
    multapses : bool
        Whether a pair may have several synapses: sources are drawn with replacement, else without.
    kernel : Kernel, optional
        Sources are drawn with probabilities proportional to it, by their distance; default uniformly.
    """

    n: int
    autapses: bool = True
    multapses: bool = True
    kernel: Kernel | None = None


@serialisable
@dataclass(frozen=True)
class FixedOutdegree:
    """Every source makes `n` outputs onto targets drawn at random.

    Every thread of a run draws the targets of all sources, and keeps its own: such a projection takes as long to build
    on many threads as on one.

    Parameters
    ----------
    n : int
        Outputs of every source.
    autapses : bool
        Whether a neuron may be its own target.
    multapses : bool
        Whether a pair may have several synapses: targets are drawn with replacement, else without.
    kernel : Kernel, optional
        Targets are drawn with probabilities proportional to it, by their distance; default uniformly. A `RoundedGaussian` draws
        the displacement instead.
    """

    n: int
    autapses: bool = True
    multapses: bool = True
    kernel: Kernel | None = None


@serialisable
@dataclass(frozen=True)
class PairwiseBernoulli:
    """Every ordered pair is connected once with probability `p`.

    Parameters
    ----------
    p : float
        Connection probability, 0 to 1.
    autapses : bool
        Whether a neuron may be its own source.
    """

    p: float
    autapses: bool = True


@serialisable
@dataclass(frozen=True, eq=False)
class DistanceDependent:
    """Every ordered pair is connected once with probability min(1, p k(d)), where k is the kernel and d the distance.

    The time to build is linear in the synapses, plus a little for every pair of a target and a patch of sources within the
    kernel's cutoff: give long-tailed kernels one.

    Parameters
    ----------
    kernel : Kernel
        k(d), 1 at distance 0 (`wrapped` Gaussians: a little above); no `RoundedGaussian`, which is not a function of distance.
    p : float or np.ndarray [target neurons], optional
        Peak probability: one number, or one per target neuron. Values above 1 saturate.
    indegree : float or np.ndarray [target neurons], optional
        In place of `p`: the expected in-degree. p is then found for each target, so that neurons near the edge of a
        plane have as many inputs as those in its middle.
    autapses : bool
        Whether a neuron may be its own source.
    clipped : bool
        Whether a target with fewer sources within the kernel's cutoff than `indegree` is connected to all of them; else that
        is an error.
    redrawn_tails : float
        Share of the targets, at either end of the distribution of in-degrees, whose sources are drawn once more: 0 (none) to
        0.5. The distribution becomes narrower.
    classes : np.ndarray, optional
        int [target neurons], from 0: the distributions of whose in-degrees `redrawn_tails` looks at, class by class.
    """

    kernel: Kernel
    p: float | np.ndarray | None = None
    indegree: float | np.ndarray | None = None
    autapses: bool = True
    clipped: bool = field(default=False, metadata=OPTIONAL)
    redrawn_tails: float = field(default=0.0, metadata=OPTIONAL)
    classes: np.ndarray | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        for name in ("p", "indegree"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, int | float):
                object.__setattr__(self, name, np.asarray(value, dtype=np.float64))
        if self.classes is not None:
            object.__setattr__(self, "classes", whole_numbers(self.classes, "classes"))


@serialisable
@dataclass(frozen=True, eq=False)
class Dense:
    """A weight for every pair of units, for rate units.

    Parameters
    ----------
    weight : np.ndarray
        float [target, source].
    """

    weight: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", np.atleast_2d(np.asarray(self.weight, dtype=np.float64)))

    def scaled(self, factor: float) -> "Dense":
        """Return the rule with all weights times a factor."""
        return Dense(self.weight * factor)


@serialisable
@dataclass(frozen=True, eq=False)
class LowRank:
    """Weights of low rank between rate units: weight[i, j] = sum over r of m[i, r] n[j, r]; the product is never formed.

    The latent variables are kappa[r] = sum over j of n[j, r] rate[j]: the 1 / N of mean-field theory is in `n`.

    Parameters
    ----------
    m : np.ndarray
        float [target, rank], or [target] for rank one: where each latent variable acts.
    n : np.ndarray
        float [source, rank], or [source]: what it is read from.
    """

    m: np.ndarray
    n: np.ndarray

    def __post_init__(self) -> None:
        for name in ("m", "n"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values[:, None] if values.ndim == 1 else values)

    def scaled(self, factor: float) -> "LowRank":
        """Return the rule with all weights times a factor."""
        return LowRank(self.m * factor, self.n)

    @property
    def rank(self) -> int:
        """Number of latent variables."""
        return int(self.m.shape[-1])


Rule = (
    ExplicitEdges
    | FixedTotalNumber
    | OneToOne
    | FixedIndegree
    | FixedOutdegree
    | PairwiseBernoulli
    | DistanceDependent
    | Dense
    | LowRank
)
