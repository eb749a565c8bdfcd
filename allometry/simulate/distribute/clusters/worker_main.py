"""What a worker process runs in place of the user's script.

A process that `multiprocessing` spawns imports the script that started it, which a script without a main guard would run
again. Workers need nothing of it: they run this module instead, which leaves Ctrl-C to the process that started them and
gives linear algebra one thread.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import spawn
from typing import Any

from allometry.processes import one_thread

#: A worker outlives SIGTERM for this long: within it the process that collects has it make a last checkpoint, and ends it.
_PATIENCE_S = 60.0
OTHERS = "others"
"""Word for `join`: the first task of the step does nothing."""
_WORKER = "Dask Worker process"


@contextlib.contextmanager
def scripts_left_alone() -> Iterator[None]:
    """Within the block, Dask's worker processes do not import the main script; other processes do as ever."""
    original = spawn.get_preparation_data

    def preparation(name: str) -> dict[str, Any]:
        data: dict[str, Any] = original(name)
        if name.startswith(_WORKER):
            data.pop("init_main_from_path", None)
            data["init_main_from_name"] = __name__
        return data

    spawn.get_preparation_data = preparation
    try:
        yield
    finally:
        spawn.get_preparation_data = original


def leave_the_time_to_others() -> None:
    """Let the process that collects heed the signals with which a batch system, which sends them to all, ends a job's time."""

    def end(*_: object) -> None:
        last = threading.Timer(_PATIENCE_S, os._exit, (143,))
        last.daemon = True
        last.start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


if __name__ == "__mp_main__":
    one_thread()
    leave_the_time_to_others()
    # A terminal sends it to every process; the one that collects the spikes ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
