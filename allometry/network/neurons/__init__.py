"""Neuron models, one file each: parameters with units, equations, propagators, and the step of one neuron."""

from allometry.network.neurons.connectome_lif import ConnectomeLif
from allometry.network.neurons.iaf_psc_delta import IafPscDelta
from allometry.network.neurons.iaf_psc_exp import IafPscExp
from allometry.network.neurons.parrot import Parrot

__all__ = ["ConnectomeLif", "IafPscDelta", "IafPscExp", "Parrot"]
