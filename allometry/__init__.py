"""Allometry: homogenize, simulate and compare neural data, from worm to cortex.

Each stage of the workflow is a subpackage with its own name: `retrieve`, `homogenize`, `simulate` (with `models`),
`compare` and `report`. Everything that passes between them is a store (`allometry.stores`).
"""

from importlib.metadata import version

__version__ = version("allometry")
