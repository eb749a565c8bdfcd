"""What a worker process runs in place of the user's script.

A process that `multiprocessing` spawns imports the script that started it, which a script without a main guard would run
again. Workers need nothing of it: they run this module instead, which leaves Ctrl-C to the process that started them and
gives linear algebra one thread.
"""

import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import spawn
from typing import Any

from allometry.processes import one_thread

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


if __name__ == "__mp_main__":
    one_thread()
    # A terminal sends it to every process; the one that collects the spikes ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
