"""Workers as SLURM jobs: what `sbatch` refuses is said at once, and why jobs wait is said while they do."""

import contextlib
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import dask

from allometry.errors import SimulationError
from allometry.processes import ONE_THREAD
from allometry.simulate.distribute.clusters import credentials
from allometry.simulate.distribute.clusters.jobs import how_ended, left_of_job
from allometry.simulate.distribute.clusters.placement import workers

LOOK_S = 5.0
_POLL_S = 0.2
_TELL_S = 60.0
_WORKER_PAGES = ["--no-dashboard", "--dashboard-address", credentials.LOOPBACK]
_LOG = logging.getLogger("allometry")
# Reasons for which a pending job never starts unless somebody changes it, of those that `squeue` documents.
_HOPELESS = re.compile(
    r"AccountNotAllowed|BadConstraints|InvalidAccount|InvalidQOS|MaxMemPerLimit|PartitionNodeLimit|PartitionTimeLimit|"
    r"QOSNotAllowed|(?:Assoc|QOS)Max\w*PerJob\w*"
)
_OWN_ADDRESS = (
    "import socket, sys; a = socket.getaddrinfo(sys.argv[1], 1, type=socket.SOCK_DGRAM)[0]; "
    "s = socket.socket(a[0], a[1]); s.connect(a[4]); print(s.getsockname()[0])"
)
_ALIVE = frozenset(
    {
        "CONFIGURING", "COMPLETING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "RUNNING", "SIGNALING",
        "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "SUSPENDED",
    }
)  # fmt: skip


@contextlib.contextmanager
def worker_jobs(options: Mapping[str, Any], count: int, threads: int | None, calm: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a client whose `count` workers are jobs of their own; the jobs end with the block.

    The client can replace them: `renew`, `left_s` and `why_lost` are beside the methods of Dask's.

    Parameters
    ----------
    options : mapping
        Arguments of `dask_jobqueue.SLURMCluster` (queue, account, memory, walltime, interface, ...), `qos`, `dashboard`
        (False), and `timeout_s`, how long to wait for the jobs to start.
    count, threads : int
        Workers, and threads of each.
    calm : mapping
        Dask settings of the workers.

    Raises
    ------
    SimulationError
        If SLURM refuses a job, it can never start or ends at once, or the time is up.
    """
    from dask_jobqueue.slurm import SLURMCluster, SLURMJob
    from distributed import Client
    from distributed.deploy.spec import ProcessInterface
    from distributed.utils import get_ip

    if os.environ.get("SLURM_JOB_ID"):
        raise SimulationError(
            "a job would wait for further jobs, which can block a full partition for ever",
            where="cluster: slurm",
            expected="slurm from the login node; local or allocation inside a job",
        )
    if shutil.which("sbatch") is None:
        raise SimulationError(
            "there is no sbatch here", where="cluster: slurm", expected="the login node of a cluster with SLURM"
        )
    submitted: list[str] = []
    refusals: list[str] = []

    class WorkerJob(SLURMJob):
        def __init__(self, scheduler: Any = None, *arguments: Any, **named: Any) -> None:
            super().__init__(scheduler, *arguments, **named)
            if "--interface" not in self._command_template and "--host" not in self._command_template:
                self._command_template += f" --host {_seen_from(str(scheduler))}"

        async def start(self) -> None:
            try:
                await super().start()
            except (OSError, RuntimeError, ValueError) as error:
                # Raised here, it would be logged by an event loop, and the workers waited for all the same.
                refusals.append(_words(str(error)))
                await ProcessInterface.start(self)
            else:
                submitted.append(str(self.job_id))

    settings = {
        "cores": threads or 1,
        "processes": 1,
        "memory": "4GB",
        "python": sys.executable,
        # It would raise the level of every handler of the process, and with it hide why jobs wait.
        "silence_logs": False,
        "security": credentials.temporary(),
        # the workers read their certificates from files that only their owner can read, and that go with the cluster
        "shared_temp_directory": str(Path.cwd()),
        **options,
    }
    dashboard = bool(settings.pop("dashboard", False))
    # the address that the workers are given anyway; without it, the scheduler would listen on all interfaces
    chosen = settings.get("scheduler_options", {})
    named = chosen.get("interface") or settings.get("interface") or dask.config.get("jobqueue.slurm.interface", None)
    place = {} if named else {"host": get_ip()}
    settings["scheduler_options"] = credentials.scheduler_options(dashboard) | place | chosen
    quiet = credentials.pages(dashboard)
    settings["worker_extra_args"] = [*_WORKER_PAGES, *settings.get("worker_extra_args", [])]
    timeout = float(settings.pop("timeout_s", 3600))
    if (qos := settings.pop("qos", None)) is not None:
        settings["job_extra_directives"] = [f"--qos={qos}", *settings.get("job_extra_directives", [])]
    exports = [
        f"export DASK_{key.upper().replace('.', '__')}={shlex.quote(str(value))}"
        for key, value in {**calm, **quiet}.items()
    ]
    exports += [f"export {name}={value}" for name, value in ONE_THREAD.items()]
    settings["job_script_prologue"] = [*exports, *settings.get("job_script_prologue", [])]
    try:
        with dask.config.set(quiet):
            cluster = SLURMCluster(job_cls=WorkerJob, **settings)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise SimulationError(
            f"the cluster cannot be made: {error}",
            where="cluster: slurm",
            expected="arguments of dask_jobqueue.SLURMCluster",
        ) from error

    class JobsClient(Client):
        """A client whose workers are jobs that it can replace."""

        jobs: Mapping[str, str] = {}

        def renew(self) -> None:
            """End all jobs there are, and wait for as many new ones."""
            if submitted:
                cluster.scale(jobs=0)
                while workers(self):
                    time.sleep(_POLL_S)
                submitted.clear()
            cluster.scale(jobs=count)
            _wait(self, count, timeout, submitted, refusals)
            # by address, for the words of those that are lost later
            self.jobs = self.run(os.getenv, "SLURM_JOB_ID")

        def left_s(self) -> float:
            """Return the seconds that are left of that job which ends first."""
            return left_of_job(",".join(submitted))

        def why_lost(self, address: str) -> str:
            """Return how the job of a worker ended, in words; empty where nobody knows."""
            job = self.jobs.get(address)
            how = how_ended(job) if job else ""
            return f"SLURM job {job} ended as {how}" if how else ""

    with cluster, JobsClient(cluster) as client:
        client.renew()
        yield client


def _seen_from(scheduler: str) -> str:
    """Words of a job's script that become the address at which its node reaches the scheduler: what its worker listens on."""
    host = urlparse(scheduler).hostname or scheduler
    return f"$({shlex.join([sys.executable, '-c', _OWN_ADDRESS, host])})"


def _words(error: str) -> str:
    """Return what sbatch itself said, of the report of dask-jobqueue."""
    said = error.rpartition("stderr:\n")[2].strip() or error.strip()
    return "; ".join(
        line.removeprefix("sbatch: ").removeprefix("error: ") for line in said.splitlines() if line.strip()
    )


def _wait(client: Any, count: int, timeout: float, submitted: list[str], refusals: list[str]) -> None:
    started = looked = time.monotonic()
    told, told_at, ended_before = "", started, 0
    waiting = ""
    while True:
        if refusals:
            raise SimulationError(
                f"SLURM refuses the job of a worker: {refusals[0]}",
                where="cluster: slurm",
                expected="a partition (queue), account, qos, memory and walltime that this cluster knows and allows",
                do="correct the section cluster of the configuration, or the mapping given to simulate.run",
            )
        have = len(workers(client))
        if have >= count:
            return
        now = time.monotonic()
        if now - started > timeout:
            raise SimulationError(
                f"{have} of {count} workers arrived within {timeout:g} s{f': {waiting}' if waiting else ''}",
                where="cluster: slurm",
                do="wait for free nodes, or ask for less",
            )
        if now - looked >= LOOK_S and len(submitted) == count:
            looked = now
            jobs = queued(submitted)
            if jobs is not None:
                waiting = _require_hope(jobs)
                ended = count - have - sum(state in _ALIVE for state, _ in jobs.values())
                # A worker may come, or its job leave the list, between the two looks.
                if ended > 0 and ended_before > 0:
                    raise SimulationError(
                        f"{ended} of {count} jobs ended before their workers came",
                        where="cluster: slurm",
                        do="read the output of the jobs (slurm-*.out, or log_directory)",
                    )
                ended_before = ended
                if waiting and (waiting != told or now - told_at > _TELL_S):
                    told, told_at = waiting, now
                    _LOG.info("%d of %d workers are there; %s", have, count, waiting)
        time.sleep(_POLL_S)


def queued(jobs: list[str]) -> dict[str, tuple[str, str]] | None:
    """Return state and reason of the jobs that SLURM lists, None where it cannot be asked."""
    command = ["squeue", "--noheader", "--jobs", ",".join(jobs), "--format", "%i|%T|%r"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        # The only job that is asked for may have left the list.
        return {} if "Invalid job id" in done.stderr else None
    rows = [line.strip().split("|") for line in done.stdout.splitlines() if line.count("|") == 2]
    return {job: (state, reason) for job, state, reason in rows}


def _require_hope(jobs: Mapping[str, tuple[str, str]]) -> str:
    """Return why jobs wait, in words; refuse a reason that does not go away."""
    reasons = Counter(reason for state, reason in jobs.values() if state == "PENDING")
    for reason in reasons:
        if _HOPELESS.fullmatch(reason):
            raise SimulationError(
                f"a worker's job can never start: SLURM gives the reason {reason}",
                where="cluster: slurm",
                expected="a partition (queue), account, qos, memory and walltime that allow it",
                do="correct the section cluster of the configuration, or the mapping given to simulate.run",
            )
    return ", ".join(f"{count} job{'s' * (count != 1)} pending ({reason})" for reason, count in sorted(reasons.items()))


def node_cores(partition: str = "") -> int | None:
    """Return the cores of the smallest node of a partition, default the cluster's default partition; None where unknown."""
    command = ["sinfo", "--noheader", "--format", "%P|%c", *(["--partition", partition] if partition else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    rows = [line.strip().split("|") for line in done.stdout.splitlines() if line.count("|") == 1]
    # `16+` where the nodes of a row differ
    cores = [(name, int(count.rstrip("+"))) for name, count in rows if count.rstrip("+").isdigit()]
    default = [count for name, count in cores if name.endswith("*")]
    return min(default if default and not partition else [count for _, count in cores], default=None)
