"""Description of a network: plain frozen dataclasses that serialise to YAML; nothing here runs anything."""

from allometry.network.conditions import Condition
from allometry.network.distributions import Constant, Distribution, Lognormal, Normal, Uniform, Values
from allometry.network.inputs import DCInput, Input, PoissonInput, SpikeListInput
from allometry.network.network import GapJunctions, Network, Population, Projection
from allometry.network.neurons import ConnectomeLif, IafPscDelta, IafPscExp, NeuronModel
from allometry.network.rules import (
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    OneToOne,
    PairwiseBernoulli,
    Rule,
)
from allometry.network.space import (
    BoxKernel,
    ExponentialKernel,
    GaussianKernel,
    Grid,
    Kernel,
    Positions,
    Space,
    UniformPositions,
)

__all__ = [
    "BoxKernel",
    "Condition",
    "ConnectomeLif",
    "Constant",
    "DCInput",
    "DistanceDependent",
    "Distribution",
    "ExplicitEdges",
    "ExponentialKernel",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "GapJunctions",
    "GaussianKernel",
    "Grid",
    "IafPscDelta",
    "IafPscExp",
    "Input",
    "Kernel",
    "Lognormal",
    "Network",
    "NeuronModel",
    "Normal",
    "OneToOne",
    "PairwiseBernoulli",
    "PoissonInput",
    "Population",
    "Positions",
    "Projection",
    "Rule",
    "Space",
    "SpikeListInput",
    "Uniform",
    "UniformPositions",
    "Values",
]
