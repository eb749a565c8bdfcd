"""Allometry: homogenize, simulate and compare neural data, from worm to cortex.

Each stage of the workflow is a subpackage with its own name: `retrieve`, `homogenize`, `simulate` (with `models`),
`compare` and `report`. Everything that passes between them is a store (`allometry.stores`).
"""

import os
from importlib.metadata import version

from allometry import caches, processes

# before numba and matplotlib are imported, which look where they can write
caches.place(os.environ)
processes.quiet_in_workflow()

__version__ = version("allometry")
