"""The cache of compiled kernels follows every module that has any."""

import contextlib
import importlib
import threading
from concurrent.futures import ThreadPoolExecutor

from numba.core.caching import IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

from allometry.simulate.kernels.compiled import _one_at_a_time, kernel_modules


def test_every_module_with_kernels_counts(root) -> None:
    defining = set()
    for path in sorted((root / "allometry").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "numba" not in text and "compiled" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
        if any(isinstance(v, Dispatcher) and v.py_func.__module__ == module.__name__ for v in vars(module).values()):
            defining.add(path)
    assert {"wire.py", "deliver.py", "advance.py", "propagation.py"} <= {path.name for path in defining}
    own = {path for path in defining if path.is_relative_to(root / "allometry" / "simulate" / "kernels")}
    # compiled functions of its own or not (it writes those of neuron models): all of that folder counts
    assert own < set(kernel_modules())
    assert {"compiled.py", "update.py", "steps.py"} <= {path.name for path in kernel_modules()}
    # elsewhere no kernel calls one of another module, so that numba's own stamp, that of the file, is enough
    for path in defining - own:
        assert "simulate.kernels" not in path.read_text(encoding="utf-8"), path


def test_two_that_compile_at_once_do_not_take_each_others_file(tmp_path) -> None:
    """Both read the index before either has written it: without a lock both would save under number 1."""
    met = threading.Barrier(2)

    class Together(IndexDataCacheFile):
        def _load_index(self):
            found = super()._load_index()
            if not found:
                with contextlib.suppress(threading.BrokenBarrierError):
                    met.wait(timeout=0.5)  # for the other one, who cannot come where a lock keeps it out
            return found

    # as in two processes: files, and nothing else, are common to both
    ours = [Together(str(tmp_path), "kernel", "stamp") for _ in range(2)]
    for index in ours:
        for operation in ("load", "save"):
            _one_at_a_time(index, operation)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda index, key: index.save(key, f"code of {key}"), ours, ["float32", "float64"]))
    assert [ours[0].load(key) for key in ("float32", "float64")] == ["code of float32", "code of float64"]
