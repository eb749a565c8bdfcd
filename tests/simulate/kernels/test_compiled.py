"""The cache of compiled kernels follows every module that has any."""

import importlib

from numba.core.dispatcher import Dispatcher

from allometry.simulate.kernels.compiled import kernel_modules


def test_every_module_with_kernels_counts(root) -> None:
    defining = set()
    for path in sorted((root / "allometry").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "numba" not in text and "compiled" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
        if any(isinstance(v, Dispatcher) and v.py_func.__module__ == module.__name__ for v in vars(module).values()):
            defining.add(path)
    assert {"wire.py", "deliver.py", "update.py", "advance.py", "propagation.py"} <= {path.name for path in defining}
    own = {path for path in defining if path.parent == root / "allometry" / "simulate" / "kernels"}
    assert own == set(kernel_modules()) - {root / "allometry" / "simulate" / "kernels" / "compiled.py"}
    # elsewhere no kernel calls one of another module, so that numba's own stamp, that of the file, is enough
    for path in defining - own:
        assert "simulate.kernels" not in path.read_text(encoding="utf-8"), path
