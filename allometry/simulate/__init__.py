"""Simulation of any `Network` of point neurons: the same spikes for any number of partitions, workers and threads."""

import importlib
from typing import TYPE_CHECKING, Any

from allometry.simulate.network import (
    ConnectomeLif,
    Constant,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    GapJunctions,
    IafPscDelta,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
    Record,
    SpikeListInput,
    Uniform,
    Values,
    VoltageProbe,
)

if TYPE_CHECKING:
    from allometry.simulate.runner import run
    from allometry.simulate.signal_propagation import propagation

__all__ = [
    "ConnectomeLif",
    "Constant",
    "DCInput",
    "ExplicitEdges",
    "FixedIndegree",
    "FixedTotalNumber",
    "GapJunctions",
    "IafPscDelta",
    "IafPscExp",
    "Lognormal",
    "Network",
    "Normal",
    "PairwiseBernoulli",
    "PoissonInput",
    "Population",
    "Projection",
    "Record",
    "SpikeListInput",
    "Uniform",
    "Values",
    "VoltageProbe",
    "propagation",
    "run",
]

# What needs numba and Dask is imported when it is first used: models and the command line only describe networks.
_LATE = {"propagation": "allometry.simulate.signal_propagation", "run": "allometry.simulate.runner"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
