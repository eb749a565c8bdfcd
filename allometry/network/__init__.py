"""Description of a network: plain frozen dataclasses that serialise to YAML; nothing here runs anything."""

from allometry.network.conditions import Condition
from allometry.network.distributions import Constant, Distribution, Lognormal, Normal, Uniform, Values
from allometry.network.inputs import DCInput, Input, PoissonInput, SpikeListInput
from allometry.network.network import GapJunctions, Network, Population, Projection
from allometry.network.neurons import ConnectomeLif, IafPscDelta, IafPscExp, NeuronModel
from allometry.network.rules import ExplicitEdges, FixedIndegree, FixedTotalNumber, PairwiseBernoulli, Rule

__all__ = [
    "Condition",
    "ConnectomeLif",
    "Constant",
    "DCInput",
    "Distribution",
    "ExplicitEdges",
    "FixedIndegree",
    "FixedTotalNumber",
    "GapJunctions",
    "IafPscDelta",
    "IafPscExp",
    "Input",
    "Lognormal",
    "Network",
    "NeuronModel",
    "Normal",
    "PairwiseBernoulli",
    "PoissonInput",
    "Population",
    "Projection",
    "Rule",
    "SpikeListInput",
    "Uniform",
    "Values",
]
