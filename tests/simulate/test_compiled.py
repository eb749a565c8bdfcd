"""The cache of compiled kernels follows every module that has any."""

import importlib

from numba.core.dispatcher import Dispatcher

from allometry import simulate
from allometry.simulate.compiled import kernel_modules


def test_every_module_with_kernels_counts(root) -> None:
    defining = set()
    for path in sorted((root / "allometry" / "simulate").glob("*.py")):
        if path.stem.startswith("__"):
            continue
        module = importlib.import_module(f"{simulate.__name__}.{path.stem}")
        if any(isinstance(v, Dispatcher) and v.py_func.__module__ == module.__name__ for v in vars(module).values()):
            defining.add(path.name)
    assert {"wire.py", "deliver.py", "update.py", "advance.py"} <= defining
    assert defining == {path.name for path in kernel_modules()} - {"compiled.py"}
