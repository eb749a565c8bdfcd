"""Neuron models, one file each: parameters with units, equations, propagators, and the step of one neuron."""

from allometry.network.neurons.adex import AdEx
from allometry.network.neurons.cond_exp import CondExp
from allometry.network.neurons.connectome_lif import ConnectomeLif
from allometry.network.neurons.eif import Eif
from allometry.network.neurons.iaf_psc_alpha import IafPscAlpha
from allometry.network.neurons.iaf_psc_delta import IafPscDelta
from allometry.network.neurons.iaf_psc_exp import IafPscExp
from allometry.network.neurons.parrot import Parrot

__all__ = ["AdEx", "CondExp", "ConnectomeLif", "Eif", "IafPscAlpha", "IafPscDelta", "IafPscExp", "Parrot"]
