"""Simulation of any `allometry.network.Network`: the same spikes for any number of partitions, workers and threads.

Three rooms: `build` turns a network into arrays, `kernels` holds the compiled loops, `distribute` places partitions on
workers; the modules here join them. What needs numba and Dask is imported when it is first used.
"""

from typing import TYPE_CHECKING

import lazy_loader

from allometry.network.recording import Probe, Record, WeightProbe

if TYPE_CHECKING:
    from allometry.simulate.connections import connections
    from allometry.simulate.distribute.execution import Execution
    from allometry.simulate.runner import run, run_batch
    from allometry.simulate.screens import activated, screen, silenced
    from allometry.simulate.signal_propagation import propagation

__all__ = [
    "Execution", "Probe", "Record", "WeightProbe", "activated", "connections", "propagation", "run", "run_batch", "screen",
    "silenced",
]  # fmt: skip

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "connections": ["connections"],
        "distribute.execution": ["Execution"],
        "runner": ["run", "run_batch"],
        "screens": ["activated", "screen", "silenced"],
        "signal_propagation": ["propagation"],
    },
)


def __dir__() -> list[str]:
    return __all__
