"""Workers of a cluster: which there are, waiting for them, and which of them has which partition."""

import os
from dataclasses import dataclass
from typing import Any

from allometry.errors import SimulationError


@dataclass(frozen=True)
class Placement:
    """Workers by address, one per partition, the threads of each, and whether they outnumber the cores of a host; the hosts."""

    workers: tuple[str, ...]
    threads: int
    in_process: bool
    crowded: bool
    hosts: tuple[str, ...] = ()


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers(client: Any) -> dict[str, Any]:
    """Return the scheduler's workers by address.

    `Client.scheduler_info` would do, were its answer not overwritten by a periodic update without workers.
    """
    found: dict[str, Any] = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    return found


def wait(client: Any, count: int, timeout: float, where: str) -> None:
    """Wait until a cluster has `count` workers, at most `timeout` seconds; `where` names the cluster in the refusal."""
    try:
        client.wait_for_workers(count, timeout=timeout)
    except TimeoutError as error:
        have = len(workers(client))
        raise SimulationError(
            f"{have} of {count} workers arrived within {timeout:g} s",
            where=f"cluster: {where}",
            do="wait for free nodes",
        ) from error


def place(client: Any, partitions: int, threads: int | None) -> Placement:
    """Choose a worker for each partition: one per worker, more only where a worker has more Dask threads."""
    info = workers(client)
    slots = sorted((index, address) for address, w in info.items() for index in range(int(w["nthreads"])))
    if len(slots) < partitions:
        raise SimulationError(
            f"{partitions} partitions on {len(slots)} Dask worker threads",
            where="simulate.run",
            expected=f"at most {len(slots)} partitions on this cluster",
            do="start more workers, or run fewer partitions with more threads each",
        )
    chosen = [address for _, address in slots[:partitions]]
    in_process = chosen[0].startswith("inproc")
    hosts = [info[address]["host"] for address in chosen]
    busiest = max(hosts.count(h) for h in set(hosts))
    least = min(client.run(cores, workers=sorted(set(chosen))).values())
    threads = threads or max(1, least // busiest)
    return Placement(tuple(chosen), threads, in_process, busiest * threads > least, tuple(sorted(set(hosts))))
