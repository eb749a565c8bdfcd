"""`python -m allometry.simulate.distribute.join FILE`: be a worker of the simulation whose scheduler FILE describes.

With the word `others` behind it, the first task of the step does nothing: its place is that of the process which started it.
"""

import asyncio
import json
import logging
import os
import sys
import time
from pathlib import Path

from allometry.errors import SimulationError
from allometry.processes import one_thread
from allometry.simulate.distribute.clusters.worker_main import OTHERS, leave_the_time_to_others


def serve(path: str | Path, timeout_s: float = 300.0) -> None:
    """Be a worker for task 0 of this job until its scheduler closes.

    Parameters
    ----------
    path : path
        File that task 0 writes, with the scheduler's address and the certificates; see `clusters.kinds.allocation_file`.
    timeout_s : float
        How long to wait for it, s.

    Raises
    ------
    SimulationError
        Task 0 did not write its address in time, or the file is another user's, whose scheduler this process would obey.
    """
    import dask
    from distributed import Worker
    from distributed.comm.addressing import get_address_host
    from distributed.utils import get_ip

    from allometry.simulate.distribute.clusters import credentials
    from allometry.simulate.distribute.clusters.kinds import CALM

    leave_the_time_to_others()
    path = Path(path)
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise SimulationError("task 0 of the job did not start a scheduler", where=str(path))
        time.sleep(0.2)
    described = _read(path)
    address = described.pop("address")
    security = credentials.read(described)

    dask.config.set(CALM | credentials.pages(dashboard=False))
    # what a worker does step by step would bury what task 0 says
    logging.getLogger("distributed").setLevel(logging.WARNING)

    async def work() -> None:
        async with Worker(
            address,
            nthreads=1,
            memory_limit=0,
            # where the scheduler sees this task, and on no other interface
            host=get_ip(get_address_host(address)),
            dashboard_address=credentials.LOOPBACK,
            security=security,
        ) as worker:
            await worker.finished()

    asyncio.run(work())


def _read(path: Path) -> dict[str, str]:
    """Read the file of task 0; its name is no secret, and a folder may be one that everybody writes to."""
    with path.open(encoding="utf-8") as stream:
        if os.fstat(stream.fileno()).st_uid != os.geteuid():
            raise SimulationError(
                "the file that describes the scheduler belongs to another user",
                where=str(path),
                expected="a file that task 0 of this job wrote",
                do="run the job in a folder that only you can write to",
            )
        return dict(json.load(stream))


if __name__ == "__main__":
    if sys.argv[2:] != [OTHERS] or os.environ.get("SLURM_PROCID") != "0":
        one_thread()
        serve(sys.argv[1])
