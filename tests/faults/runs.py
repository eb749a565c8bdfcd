"""Simulations in processes of their own, to be killed: `python -m tests.faults.runs` forks one for every line that it reads.

All is imported and compiled before the first, so that a run takes little more than its steps. Each is the leader of its own
group: what it starts can be killed with it.
"""

import contextlib
import json
import logging
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

import distributed  # noqa: F401

from allometry import simulate
from allometry.code.fingerprint import fingerprint
from allometry.errors import AllometryError, log_to
from allometry.network import FixedTotalNumber, IafPscExp, Network, Normal, PoissonInput, Population, Projection
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.distribute import attempts, task

#: Of most runs; the window of 100 ms has 200 steps, so that states take as long to write as windows to compute.
DURATION_MS = 1000.0


def network(neurons: int = 20_000, synapses: int = 1_000_000) -> Network:
    """Neurons that fire at some 17 Hz under their drive; steps of half a millisecond."""
    return Network(
        populations=(Population("E", neurons, IafPscExp(), Normal(-58.0, 5.0)),),
        projections=(Projection("E", "E", FixedTotalNumber(synapses), 5.0, 1.5),),
        inputs=(PoissonInput("E", 8000.0, 88.0),),
        dt_ms=0.5,
        title="to be killed",
    )


def run(asked: dict[str, Any]) -> int:
    """Run one simulation; return the status of its process."""
    attempts.SILENT_S = asked.get("silent_s", attempts.SILENT_S)
    if "largest_file" in asked:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"], asked["largest_file"]))
    with log_to(logging.StreamHandler(sys.stderr)):
        try:
            simulate.run(
                network(**asked.get("network", {})),
                asked.get("duration_ms", DURATION_MS),
                asked.get("seed", 1),
                asked["store"],
                execution=simulate.Execution(progress=False, **asked["execution"]),
                overwrite=True,
            )
        except AllometryError as error:
            print(error, file=sys.stderr)
            return 1
        except BaseException:
            traceback.print_exc()
            return 2
    return 0


def fork(asked: dict[str, Any]) -> int:
    """Start a run; return its process."""
    child = os.fork()
    # on both sides, so that it is done before anybody kills the group
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    if child:
        return child
    status = 3
    try:
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(Path(asked["store"]).parent)
        status = run(asked)
    finally:
        os._exit(status)


def main() -> None:
    """Fork a run for every line of standard input that asks for one; wait for the process that it names otherwise."""
    task.warm(compile_network(network(10, 10), 1, "fast"))
    fingerprint("allometry.simulate", "allometry.network.neurons")
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(fork(asked) if isinstance(asked, dict) else os.waitpid(asked, 0)[1], flush=True)


if __name__ == "__main__":
    main()
