"""How fast this machine is now, in a second or two: what estimates of times are scaled by.

Two parts, since machines differ in both: tables, text and arithmetic, as the jobs of most stages do them, and reads in random
order of more than the caches hold, which bound the steps of a simulation. Both are measured in processor time; how many others
wait for the processors is a matter of its own.
"""

import gc
import json
import os
import statistics
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

#: The median counts, after one that is not timed: the first waits for memory and libraries.
REPEATS = 5
#: Times that it is repeated at most, until no part is faster than this share of the time before.
ROUNDS, STEADY = 6, 0.95
#: Looks at who wants a core, and the time between them, s.
LOOKS, APART_S = 20, 0.025
#: Its fourth word is `running/all`: what wants a core at this moment, of all threads.
LOAD = Path("/proc/loadavg")
_ROWS, _SIDE = 6_000, 350
_TABLE, _READS = 1 << 24, 1 << 22


def measure() -> dict[str, float]:
    """Seconds of processor time of each part: `tables` and `network`."""
    rng = np.random.default_rng(1)
    table = np.zeros(_TABLE, np.int32)
    rows = rng.integers(0, _TABLE, _READS)
    matrix = rng.random((_SIDE, _SIDE))

    def network() -> None:
        table.take(rows).sum()

    def tables() -> None:
        records = [{"source": f"N{i % 300:03d}", "weight": i / 7} for i in range(_ROWS)]
        text = json.dumps(sorted(json.loads(json.dumps(records)), key=lambda record: str(record["source"])))
        zlib.compress(text.encode(), 5)
        np.argsort(np.corrcoef(matrix), axis=None)

    found = {"tables": _median(tables), "network": _median(network)}
    # A machine that was idle takes up to a second to come to its speed.
    for _ in range(ROUNDS):
        again = {"tables": _median(tables), "network": _median(network)}
        steady = all(again[part] > STEADY * found[part] for part in found)
        found = {part: min(found[part], again[part]) for part in found}
        if steady:
            break
    return found


def slowness(reference: Mapping[str, float]) -> dict[str, float]:
    """How many times the reference's seconds each part takes here; `reference` is what `measure` gave on it."""
    here = measure()
    return {part: here[part] / seconds for part, seconds in reference.items()}


def crowding(cores: int) -> float:
    """How many times longer work on some cores takes beside what else runs here now.

    Parameters
    ----------
    cores : int
        Cores that the work would keep busy.
    """
    return max(1.0, (others() + cores) / (os.cpu_count() or 1))


def others() -> float:
    """How many others want a core now, on average over `LOOKS` looks; by the load average of a minute where the system does not say.

    That average still holds what ended a minute ago, as the run before, and not yet what has just begun.
    """
    found = []
    for _ in range(LOOKS):
        try:
            # one of them is this process, which looks
            found.append(int(LOAD.read_text().split()[3].partition("/")[0]) - 1)
        except (OSError, ValueError, IndexError):
            return os.getloadavg()[0]
        time.sleep(APART_S)
    return statistics.mean(found)


def _median(work: Callable[[], None]) -> float:
    # In a large process the collector would go through all that it holds, many times: that says nothing of the machine.
    collecting = gc.isenabled()
    gc.disable()
    took = []
    try:
        work()
        for _ in range(REPEATS):
            started = time.process_time()
            work()
            took.append(time.process_time() - started)
    finally:
        if collecting:
            gc.enable()
    return statistics.median(took)
