"""The long-lived Dask task that is one partition of a run."""

import contextlib
import itertools
import logging
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Condition, FixedTotalNumber, IafPscExp, Network, Population, Projection, RateUnit
from allometry.network.rate_unit import is_rate
from allometry.network.recording import Record
from allometry.simulate.build.engine import (
    AnyPartition,
    AnyPlan,
    begin,
    compiled,
    known_edges,
    partition_of,
    room,
    together,
)
from allometry.simulate.build.fixedpoint import GivenEdges
from allometry.simulate.build.rates.plan import RatePlan
from allometry.simulate.distribute.clusters import mpi
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage import checkpoint
from allometry.simulate.distribute.storage.spool import Spool, Watch
from allometry.simulate.kernels.loop.wire import Mail, alone

_COMPILING = threading.Lock()
_NOTICE_S = 3.0
_LOG = logging.getLogger("allometry")


@dataclass(frozen=True)
class Trial:
    """One condition of a job: its folder, and where it is to go on.

    `resume_parts` are the partitions that wrote the state at `resume_step`; 0 at the step at which the run begins.
    """

    condition: Condition | None
    folder: str
    resume_step: int
    resume_parts: int


@dataclass(frozen=True)
class Job:
    """What a partition needs to know beyond its number; `folder` says whether the run is still wanted."""

    setting: Setting
    trials: tuple[Trial, ...]
    folder: str
    partitions: int
    threads: int
    attempt: str
    secret: bytes
    crowded: bool
    exchange: str = "auto"


def run_partition(job: Job, number: int, addresses: list[tuple[str, int]]) -> None:
    """Build one partition and advance it through all trials; write their segments, and what was measured."""
    setting = job.setting
    control = Spool(Path(job.folder))
    if not control.folder.is_dir():
        raise SimulationError(
            f"this worker does not see the folder that spikes go through: {control.folder}",
            where=f"partition {number}",
            expected="a file system that all workers share",
            do="write the store (or the checkpoint) to a shared folder",
        )
    watch = Watch(control, job.attempt)
    stages = _Stages(control, setting) if number == 0 else None
    sockets = []
    try:
        if job.partitions > 1:
            sockets = rendezvous.connect(job.attempt, number, addresses, job.secret, watch)
        known = known_edges(setting.network)
        groups = _groups(job, known)
        plans, silenced = _plans(setting, groups[0], known)
        compile_s = warm(plans[0])
        words = room(plans[0], job.partitions, job.threads, max(map(len, groups)))
        with (
            _mail(job, sockets, words, watch) as mail,
            partition_of(
                plans, silenced, number, job.partitions, job.threads, setting.record, mail, job.crowded
            ) as partition,
        ):
            for trials in groups:
                spools, started = [Spool(Path(trial.folder)) for trial in trials], time.perf_counter()
                if stages:
                    stages.begin(trials)
                begin(partition, *(_plans(setting, trials, known) if partition.shards else (plans, silenced)))
                build_s = time.perf_counter() - started
                for k, (trial, spool) in enumerate(zip(trials, spools)):
                    if trial.resume_step:
                        checkpoint.restore(partition, spool, setting, trial.resume_step, trial.resume_parts, k)
                first = partition.step
                pace = checkpoint.pace_of(partition, setting, build_s) if number == 0 and setting.keep else None
                if stages and pace:
                    stages.checkpoint_s = pace.expected_s
                sim_s, recording_s, saves = _advance(partition, setting, spools, watch, pace, stages)
                # conditions that advance together share the time
                share = 1.0 / len(trials)
                measured = {
                    "neurons": float(len(partition.neurons)),
                    "synapses": float(partition.synapses),
                    "events": float(partition.events),
                    "compile_s": compile_s,
                    "build_s": build_s * share,
                    "sim_s": sim_s * share,
                    "recording_s": recording_s * share,
                    "checkpoint_s": sum(saves) * share,
                    "checkpoints": float(len(saves)),
                    "steps": float(partition.step - first),
                    "peak_rss_bytes": float(_peak_rss()),
                    "process": float(os.getpid()),
                }
                for spool in spools:
                    spool.write_json(f"measured-{number:05d}.json", measured)
                compile_s = 0.0
    finally:
        for s in sockets:
            s.close()


@contextlib.contextmanager
def _mail(job: Job, sockets: list[socket.socket], words: int, watch: Watch) -> Iterator[Mail]:
    """Open the mail of a partition in the way that `cluster.exchange` asks for."""
    how = job.exchange
    ranks = mpi.world() if how in ("auto", "mpi") else None
    if how == "mpi" and sockets:
        mpi.require(ranks)
    share = how in ("auto", "memory")
    with open_mail(sockets, words, watch, share, ranks, mpi.tag_of(job.attempt)) as mail:
        if how == "memory" and not all(mail.boxes):
            raise SimulationError(
                "partitions cannot share memory: they are on several hosts, or this system has no memory files",
                where="cluster: exchange: memory",
                expected="all partitions on one host, with Linux",
                do="leave exchange at auto",
            )
        if how == "mpi" and (mail.ranks < 0).any():
            raise SimulationError(
                "partitions are no ranks of one MPI",
                where="cluster: exchange: mpi",
                expected="all partitions started by the same mpirun or srun",
                do="leave exchange at auto",
            )
        yield mail


def plan_of(setting: Setting, condition: Condition | None, known: GivenEdges) -> tuple[AnyPlan, np.ndarray]:
    """Return the plan under a condition, and the neurons that it silences."""
    if condition is None:
        return compiled(setting.network, setting.seed, setting.precision, known=known), np.empty(0, np.int64)
    net = condition.applied(setting.network)
    plan = compiled(net, setting.seed, setting.precision, condition.seed, known)
    return plan, condition.silenced_units(setting.network)


def _plans(setting: Setting, trials: Sequence[Trial], known: GivenEdges) -> tuple[list[AnyPlan], np.ndarray]:
    """Return the plans of conditions that advance together, and the neurons that all of them silence."""
    found = [plan_of(setting, trial.condition, known) for trial in trials]
    return [plan for plan, _ in found], found[0][1]


def _groups(job: Job, known: GivenEdges) -> list[list[Trial]]:
    """Return the trials of a job, those that advance together in one list: they also begin at one step."""
    if not is_rate(job.setting.network):
        return [[trial] for trial in job.trials]
    groups: list[list[Trial]] = []
    for _, same in itertools.groupby(job.trials, key=lambda trial: trial.resume_step):
        trials = list(same)
        for count in together([plan_of(job.setting, trial.condition, known) for trial in trials]):
            groups.append(trials[:count])
            trials = trials[count:]
    return groups


class _Stages:
    """Says what partition 0 is at: every change, and while it advances about once a second how far it is."""

    def __init__(self, control: Spool, setting: Setting) -> None:
        self._control, self._setting, self._said = control, setting, ("", 0.0)
        self._more: dict[str, str] = {}
        self.checkpoint_s = 0.0
        self("build", setting.first)

    def begin(self, trials: Sequence[Trial]) -> None:
        """Name the conditions that are built for from now on."""
        names = [trial.condition.name for trial in trials if trial.condition]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self._more, self._said = {"condition": f"{names[0]}{more}"}, ("", 0.0)
        self("build", self._setting.first)

    def __call__(self, phase: str, step: int) -> None:
        now = time.monotonic()
        if phase == self._said[0] and now - self._said[1] < 1.0:
            return
        self._said = phase, now
        s = self._setting
        dt = s.network.dt_ms
        self._control.say(
            phase, done_ms=(step - s.first) * dt, of_ms=s.duration_ms, checkpoint_s=self.checkpoint_s, **self._more
        )


def _advance(
    partition: AnyPartition,
    setting: Setting,
    spools: Sequence[Spool],
    watch: Watch,
    pace: checkpoint.Pace | None,
    stages: _Stages | None,
) -> tuple[float, float, list[float]]:
    """Run all windows; seconds of the whole, of handing over what was recorded, and of each checkpoint.

    `spools` has one per condition that advances; `pace`, of partition 0, says when a checkpoint is due.
    """
    started, recording = time.perf_counter(), 0.0
    saves: list[float] = []
    for window in setting.windows(partition.step):
        watch()
        if stages:
            stages("step loop", partition.step)
        stop = min((window + 1) * setting.window_steps, setting.steps)
        if pace and stop < setting.steps and (pace.due() or watch.asked()):
            with checkpoint.unless_full(setting, stop):
                for spool in spools:
                    spool.due(window).touch()
        every = partition.windows(stop, watch)
        advanced = time.perf_counter()
        due = stop < setting.steps and setting.keep and all(spool.due(window).exists() for spool in spools)
        if due and stages:
            stages("checkpoint", stop)
        for number, (done, spool) in enumerate(zip(every, spools)):
            taken: dict[str, Any] = {}
            if stop == setting.steps:
                if setting.keep_state:
                    checkpoint.save(partition, spool, number)
            elif due:
                with checkpoint.unless_full(setting, stop):
                    saves.append(checkpoint.save(partition, spool, number))
                    taken["saved_s"] = np.float64(saves[-1])
            sampled = {f"samples_{k}": samples for k, samples in enumerate(done.samples)}
            units = {f"units_{k}": numbers for k, numbers in enumerate(done.units)}
            weights = {f"weights_{k}": values for k, values in enumerate(done.weights)}
            ends = {f"ends_{k}": values for k, values in enumerate(done.ends)}
            made = {"spikes": done.spikes, **sampled, **units, **weights, **ends, **taken}
            spool.write(spool.segment(window, partition.number), made)
        if due and pace:
            pace.took(time.perf_counter() - advanced)
            if stages:
                stages.checkpoint_s = pace.expected_s
        recording += time.perf_counter() - advanced
    return time.perf_counter() - started, recording, saves


def warm(plan: AnyPlan) -> float:
    """Compile (or load from the cache) the kernels by running a network of four neurons; return the seconds it took."""
    precision = plan.precision
    # Loading takes less: whoever waits longer, waits for the compiler.
    notice = threading.Timer(
        _NOTICE_S,
        _LOG.info,
        ("compiling the kernels of precision %s: about a minute, once per installation", precision),
    )
    notice.daemon = True
    with _COMPILING:
        started = time.perf_counter()
        notice.start()
        try:
            nobody = np.empty(0, np.int64)
            small = compiled(_small(plan), 0, precision)
            with partition_of([small], nobody, 0, 1, 1, Record(), alone(), False) as partition:
                partition.build()
                partition.windows(2)
            if not isinstance(plan, RatePlan):
                for neurons in plan.neurons:
                    neurons.block(plan.float_type, plan.sum_type)
        finally:
            notice.cancel()
        return time.perf_counter() - started


def _small(plan: AnyPlan) -> Network:
    """Return a network of four neurons that needs the kernels of a plan."""
    if isinstance(plan, RatePlan):
        return Network((Population("warm", 4, RateUnit()),))
    return Network(
        populations=(Population("warm", 4, IafPscExp(tau_m=1e6 if plan.slow else 10.0)),),
        projections=(Projection("warm", "warm", FixedTotalNumber(4), 1.0, 1.0),),
    )


def _peak_rss() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
