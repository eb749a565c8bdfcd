"""Description of a network: plain frozen dataclasses that serialise to YAML; nothing here runs anything."""

from allometry.network import neurons
from allometry.network.conditions import Condition
from allometry.network.distributions import Constant, Distribution, Lognormal, Normal, Uniform, Values
from allometry.network.inputs import CorrelatedInput, DCInput, Gate, Input, PoissonInput, Rhythm, SpikeListInput
from allometry.network.network import GapJunctions, Network, Population, Projection
from allometry.network.neuron_model import (
    NeuronModel,
    Receptor,
    State,
    choice,
    neuron_model,
    parameter,
    refractory_time,
    time_constant,
)
from allometry.network.neurons import *  # noqa: F403 - one file per model; their list is in that room
from allometry.network.plasticity import STDP, Plasticity, ShortTermPlasticity
from allometry.network.profiles import Periodic, Piecewise, Profile, Sampled
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
    "STDP",
    "BoxKernel",
    "Condition",
    "Constant",
    "CorrelatedInput",
    "DCInput",
    "DistanceDependent",
    "Distribution",
    "ExplicitEdges",
    "ExponentialKernel",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "GapJunctions",
    "Gate",
    "GaussianKernel",
    "Grid",
    "Input",
    "Kernel",
    "Lognormal",
    "Network",
    "NeuronModel",
    "Normal",
    "OneToOne",
    "PairwiseBernoulli",
    "Periodic",
    "Piecewise",
    "Plasticity",
    "PoissonInput",
    "Population",
    "Positions",
    "Profile",
    "Projection",
    "Receptor",
    "Rhythm",
    "Rule",
    "Sampled",
    "ShortTermPlasticity",
    "Space",
    "SpikeListInput",
    "State",
    "Uniform",
    "UniformPositions",
    "Values",
    "choice",
    "neuron_model",
    "parameter",
    "refractory_time",
    "time_constant",
]
__all__ += neurons.__all__
