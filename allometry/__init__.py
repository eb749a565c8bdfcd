"""Allometry: homogenize, simulate and compare neural data, from worm to cortex.

Each stage of the workflow is a subpackage with its own name: `retrieve`, `homogenize`, `simulate` (with `models`),
`compare` and `report`. Everything that passes between them is a store (`allometry.stores`).
"""

import importlib
import os
from importlib.metadata import version
from types import ModuleType

from allometry import processes

# before numba and matplotlib are imported, which look where they can write
processes.place_caches(os.environ)
processes.quiet_in_workflow()
processes.end_with_workflow()

__version__ = version("allometry")

__all__ = [
    "compare",
    "config",
    "export",
    "homogenize",
    "models",
    "network",
    "plugins",
    "report",
    "retrieve",
    "simulate",
    "stores",
]


def __getattr__(name: str) -> ModuleType:
    """A part of the package, imported when it is first used: `allometry.stores.open(...)` after `import allometry` alone."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
