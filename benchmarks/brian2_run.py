"""Timing of a Brian2 network in C++ standalone mode with OpenMP, as the Brian2 benchmarks share it."""

import shutil
import tempfile
import threading
from collections.abc import Callable

import brian2 as b
import numpy as np

from benchmarks import measure


def prepare(threads: int, seed: int, dt_ms: float) -> str:
    """Select the standalone device, OpenMP threads and time step; returns the folder of the generated code."""
    folder = tempfile.mkdtemp(prefix="brian2_")
    b.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b.prefs.devices.cpp_standalone.openmp_threads = threads
    b.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-ffast-math", "-march=native"]
    b.defaultclock.dt = dt_ms * b.ms
    b.seed(seed)
    return folder


def timed_run(
    folder: str, define: Callable[[], tuple[b.Network, b.SpikeMonitor]], duration_ms: float
) -> tuple[np.ndarray, dict[str, object]]:
    """Define the network, compile it, run it.

    Returns
    -------
    count : int array [neuron]
        Spikes of each neuron.
    timing : dict
        `build` (Stopwatch: definition in Python, and creation of the synapses in the binary), `compile_s`, `sim_s`
        (the run loop alone, by Brian2's own clock), `others_share`, `rss_gib` of the binary.
    """
    try:
        with measure.Stopwatch() as build:
            network, monitor = define()
            network.run(duration_ms * b.ms)
        with measure.Stopwatch() as compiled:
            b.device.build(directory=folder, compile=True, run=False, with_output=False)
        with measure.Stopwatch() as ran, _ChildPeak() as peak:
            b.device.run(directory=folder, with_output=False)
        sim_s = float(b.device._last_run_time)
        build.wall_s += ran.wall_s - sim_s
        return np.asarray(monitor.count), {
            "build": build,
            "compile_s": compiled.wall_s,
            "sim_s": sim_s,
            "others_share": ran.others_share,
            "rss_gib": peak.gib,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _ChildPeak:
    """Peak memory of the binary; the usage of ended children would include the compiler's."""

    gib = 0.0

    def __enter__(self) -> "_ChildPeak":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.gib = max(self.gib, measure.largest_child_gib())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
