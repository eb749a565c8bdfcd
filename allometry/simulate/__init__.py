"""Simulation of any `allometry.network.Network`: the same spikes for any number of partitions, workers and threads.

Four rooms: `build` turns a network into arrays, `kernels` holds the compiled loops, `distribute` places partitions on
workers, and the modules here join them. What needs numba and Dask is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
