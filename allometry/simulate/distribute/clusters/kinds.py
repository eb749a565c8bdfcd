"""Where partitions run: Dask clusters of four kinds behind one client."""

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dask

from allometry import plugins
from allometry.errors import SimulationError
from allometry.processes import ONE_THREAD
from allometry.simulate.distribute.clusters import credentials, mpi
from allometry.simulate.distribute.clusters.addresses import own_address
from allometry.simulate.distribute.clusters.placement import wait
from allometry.simulate.distribute.clusters.slurm import worker_jobs
from allometry.simulate.distribute.clusters.worker_main import OTHERS, scripts_left_alone

KINDS = ("local", "slurm", "address", "allocation")
CALM = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
"""Dask settings of workers that are started here: its profiler and its clock, 50 to 100 times a second, would interrupt
one partition after the other, and all wait for the one that is late."""

_LOG = logging.getLogger("allometry")


@contextlib.contextmanager
def connect(cluster: Any, partitions: int, threads: int | None) -> Iterator[Any]:
    """Yield a `distributed.Client` with room for the partitions.

    Parameters
    ----------
    cluster : None, "local", mapping, address, Cluster or Client
        None and "local": a LocalCluster of one worker per partition (one partition stays in this process). A mapping
        has `kind` (local, slurm, address, allocation) and options: `address`, with `tls_ca_file`, `tls_client_cert` and
        `tls_client_key` where its scheduler asks for certificates; for slurm those of `slurm.worker_jobs`; for
        allocation `scheduler_file`; `dashboard` (False) for what is started here. A string with "://" is a scheduler's
        address.
    partitions : int
        Number of partitions.
    threads : int, optional
        Threads of each, to size what is started here.

    What is started here takes no connection without the certificate that is made for it (`credentials`), and listens on
    the loopback interface where all workers are on this machine. A dashboard is on the loopback interface always.
    """
    from distributed import Client

    if isinstance(cluster, Client):
        _share_plugins(cluster)
        yield cluster
        return
    kind, options = _kind(cluster)
    makers = {"local": _local, "slurm": _slurm, "address": _address, "allocation": _allocation, "object": _given}
    with makers[kind](options, partitions, threads) as client:
        _share_plugins(client)
        yield client


def _share_plugins(client: Any) -> None:
    """Import the plugins of this process in the workers that there are, and in those that come."""
    if plugins.places():
        from allometry.simulate.distribute.clusters.worker_plugins import Plugins

        client.register_plugin(Plugins(plugins.places()))


def require_kind(cluster: Any) -> None:
    """Refuse what `connect` does not know.

    Raises
    ------
    SimulationError
        Naming the kinds there are.
    """
    if cluster is not None:
        _kind(cluster)


def _kind(cluster: Any) -> tuple[str, dict[str, Any]]:
    """Return the kind of a cluster and its options."""
    if cluster is None:
        return "local", {}
    if isinstance(cluster, Mapping):
        options = dict(cluster)
        kind = options.pop("kind", "local")
        # asked for by the run, not by the cluster: `Execution.exchange`
        options.pop("exchange", None)
    elif isinstance(cluster, str):
        kind, options = ("address", {"address": cluster}) if "://" in cluster else (cluster, {})
    else:
        from distributed import Client
        from distributed.deploy.cluster import Cluster

        if isinstance(cluster, Client | Cluster):
            return "object", {"cluster": cluster}
        kind, options = cluster, {}
    if kind not in KINDS:
        raise SimulationError(f"unknown cluster kind {kind!r}", where="cluster", expected=", ".join(KINDS))
    return kind, options


@contextlib.contextmanager
def _local(options: dict[str, Any], partitions: int, threads: int | None) -> Iterator[Any]:
    processes = options.pop("processes", partitions > 1)
    settings = {
        "n_workers": partitions if processes else 1,
        "threads_per_worker": 1 if processes else partitions,
        "processes": processes,
        "memory_limit": 0,
        "silence_logs": logging.CRITICAL,
        # one process has no connections to guard
        **({"security": credentials.temporary()} if processes else {}),
        **options,
    }
    with _started(settings) as client:
        yield client


def _in_process_worker(*arguments: Any, **settings: Any) -> Any:
    """Make a worker of this process; without a host of its own, its pages would be on all interfaces."""
    from distributed import Worker

    return Worker(*arguments, **(settings | {"dashboard_address": credentials.LOOPBACK}))


@contextlib.contextmanager
def _started(settings: dict[str, Any]) -> Iterator[Any]:
    """Yield a client of a LocalCluster whose pages are on the loopback interface."""
    from distributed import Client, LocalCluster

    dashboard = bool(settings.pop("dashboard", False))
    if not settings["processes"]:
        settings["worker_class"] = _in_process_worker
    else:
        # what `worker_main` sets, Dask would set back
        settings["env"] = settings.get("env", {}) | ONE_THREAD
    with (
        scripts_left_alone(),
        dask.config.set(CALM | credentials.pages(dashboard)),
        LocalCluster(
            scheduler_kwargs=credentials.scheduler_options(dashboard),
            **settings,
        ) as cluster,
        Client(cluster) as client,
    ):
        if dashboard:
            _LOG.info("dashboard of the simulation's workers: %s", client.dashboard_link)
        yield client


@contextlib.contextmanager
def _slurm(options: dict[str, Any], partitions: int, threads: int | None) -> Iterator[Any]:
    logger = logging.getLogger("distributed")
    level = logger.level
    # what its scheduler does step by step would bury the sentence that says why a job is refused
    logger.setLevel(max(level, logging.WARNING))
    try:
        with worker_jobs(options, partitions, threads, CALM) as client:
            yield client
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _address(options: dict[str, Any], partitions: int, threads: int | None) -> Iterator[Any]:
    from distributed import Client

    address = options.pop("address", None)
    if not address:
        raise SimulationError("no scheduler address is given", where="cluster: address", expected="address: tcp://...")
    security = credentials.given(options, str(address))
    try:
        client = Client(address, timeout=options.pop("timeout_s", 30), security=security)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise SimulationError(
            f"cannot reach the scheduler: {error}",
            where=str(address),
            expected="a scheduler that listens there, and trusts the certificate given, if it asks for one",
            do="check the address, and tls_ca_file, tls_client_cert and tls_client_key",
        ) from error
    with client:
        if not str(address).startswith("tls://"):
            _LOG.warning(
                "the scheduler %s takes connections from anybody who reaches it, without encryption: "
                "start it with certificates where others use the machine or the network",
                address,
            )
        yield client


@contextlib.contextmanager
def _allocation(options: dict[str, Any], partitions: int, threads: int | None) -> Iterator[Any]:
    """Task 0 of a SLURM job or of `mpirun`: its own scheduler and worker, joined by the other tasks (`join.serve`).

    As a rank of MPI, it is the worker itself: a process that it starts would be none. Where this process is the only task of
    its step, as in a job that Snakemake submitted, it starts the others.
    """
    ranks = mpi.world()
    if "SLURM_JOB_ID" not in os.environ and ranks is None:
        raise SimulationError(
            "there is no allocation to use: this is no SLURM job",
            where="cluster: allocation",
            expected="a run inside srun, sbatch, salloc or mpirun",
            do="use the cluster local, or slurm where workers shall be submitted",
        )
    path = Path(options.pop("scheduler_file", allocation_file()))
    timeout = options.pop("timeout_s", 300)
    host = options.pop("host", None) or own_address()
    security = credentials.temporary()
    settings = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "processes": ranks is None,
        "protocol": "tls://",
        "memory_limit": 0,
        "host": host,
        "silence_logs": logging.CRITICAL,
        "security": security,
        **options,
    }
    with _started(settings) as client:
        described = {"address": client.scheduler.address, **credentials.written(security)}
        credentials.private(path, json.dumps(described))
        try:
            with _tasks(path, partitions - 1):
                wait(client, partitions, timeout, "allocation")
                yield client
                client.retire_workers(close_workers=True)
        finally:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _tasks(path: Path, count: int) -> Iterator[None]:
    """Start `count` workers as a step of the surrounding job, unless this step has more than one task already.

    The step has a task more, whose place on the first node is this process's: fewer tasks than nodes would leave the last
    nodes without one.
    """
    if count < 1 or mpi.world() is not None or int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        yield
        return
    # A step's own settings would bind the new one to this task's share of the job.
    kept = ("SLURM_CONF", "SLURM_JOB_ID", "SLURM_JOBID")
    environment = {k: v for k, v in os.environ.items() if k in kept or not k.startswith(("SLURM_", "SRUN_"))}
    command = [
        "srun",
        "--overlap",
        f"--ntasks={count + 1}",
        sys.executable,
        "-m",
        "allometry.simulate.distribute.join",
        str(path),
        OTHERS,
    ]
    try:
        step = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise SimulationError(
            "the other tasks of the job cannot be started: there is no srun",
            where="cluster: allocation",
            expected="a SLURM job with as many tasks as partitions",
        ) from error
    try:
        yield
        step.wait(timeout=60)
    finally:
        if step.poll() is None:
            step.terminate()
            step.wait()


@contextlib.contextmanager
def _given(options: dict[str, Any], partitions: int, threads: int | None) -> Iterator[Any]:
    from distributed import Client

    with Client(options["cluster"]) as client:
        yield client


def allocation_file() -> str:
    """Return the file through which the tasks of one job, or the ranks of one MPI, find each other's scheduler."""
    if (ranks := mpi.world()) is not None:
        return str(Path.cwd() / f".allometry-scheduler-{ranks.name}")
    job = os.environ.get("SLURM_JOB_ID", "none")
    step = os.environ.get("SLURM_STEP_ID", "0")
    return str(Path.cwd() / f".allometry-scheduler-{job}-{step}")
