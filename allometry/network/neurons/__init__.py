"""Neuron models, one file each: parameters with units, equations, propagators, and the step of one neuron.

A file in this folder is a model of the package; the imports below are what type checkers see of them.
"""

import importlib
import pkgutil

from allometry.network.neuron_model import MODELS
from allometry.network.neurons.adex import AdEx
from allometry.network.neurons.clustered_cell import ClusteredCell
from allometry.network.neurons.cond_exp import CondExp
from allometry.network.neurons.connectome_lif import ConnectomeLif
from allometry.network.neurons.culture_cell import CultureCell
from allometry.network.neurons.eif import Eif
from allometry.network.neurons.iaf_psc_alpha import IafPscAlpha
from allometry.network.neurons.iaf_psc_delta import IafPscDelta
from allometry.network.neurons.iaf_psc_exp import IafPscExp
from allometry.network.neurons.lgn_cell import LgnCell
from allometry.network.neurons.parrot import Parrot
from allometry.network.neurons.predictive_cell import PredictiveCell
from allometry.network.neurons.v1_cell import V1Cell

__all__ = [
    "AdEx",
    "ClusteredCell",
    "CondExp",
    "ConnectomeLif",
    "CultureCell",
    "Eif",
    "IafPscAlpha",
    "IafPscDelta",
    "IafPscExp",
    "LgnCell",
    "Parrot",
    "PredictiveCell",
    "V1Cell",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
for _name, _model in MODELS.items():
    if _model.__module__.startswith(f"{__name__}.") and _name not in __all__:
        globals()[_name] = _model
        __all__ += [_name]
