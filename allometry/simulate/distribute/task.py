"""The long-lived Dask task that is one partition of a run."""

import logging
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Condition, FixedTotalNumber, IafPscExp, Network, Population, Projection
from allometry.simulate.build.fixedpoint import GivenEdges, given_edges
from allometry.simulate.build.partition import Partition, message_room
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage import checkpoint
from allometry.simulate.distribute.storage.spool import Spool, Watch

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
        known = given_edges(setting.network)
        plan, silenced = plan_of(setting, job.trials[0].condition, known)
        compile_s = warm(plan)
        room = message_room(plan, job.partitions, job.threads)
        with (
            open_mail(sockets, room, watch) as mail,
            Partition(
                plan,
                number,
                job.partitions,
                job.threads,
                setting.record.probes,
                mail,
                job.crowded,
                silenced,
                setting.record.weights,
            ) as partition,
        ):
            for trial in job.trials:
                spool, started = Spool(Path(trial.folder)), time.perf_counter()
                if stages:
                    stages.begin(trial)
                if partition.shards:
                    partition.begin(*plan_of(setting, trial.condition, known))
                else:
                    partition.build()
                build_s = time.perf_counter() - started
                if trial.resume_step:
                    checkpoint.restore(partition, spool, setting, trial.resume_step, trial.resume_parts)
                first = partition.step
                pace = checkpoint.pace_of(partition, setting, build_s) if number == 0 and setting.keep else None
                sim_s, recording_s, saves = _advance(partition, setting, spool, watch, pace, stages)
                measured = {
                    "neurons": float(len(partition.neurons)),
                    "synapses": float(partition.synapses),
                    "events": float(partition.events),
                    "compile_s": compile_s,
                    "build_s": build_s,
                    "sim_s": sim_s,
                    "recording_s": recording_s,
                    "checkpoint_s": sum(saves),
                    "checkpoints": float(len(saves)),
                    "steps": float(partition.step - first),
                    "peak_rss_bytes": float(_peak_rss()),
                    "process": float(os.getpid()),
                }
                spool.write_json(f"measured-{number:05d}.json", measured)
                compile_s = 0.0
    finally:
        for s in sockets:
            s.close()


def plan_of(setting: Setting, condition: Condition | None, known: GivenEdges) -> tuple[Plan, np.ndarray]:
    """Return the plan under a condition, and the neurons that it silences."""
    if condition is None:
        return compile_network(setting.network, setting.seed, setting.precision, known=known), np.empty(0, np.int64)
    net = condition.applied(setting.network)
    plan = compile_network(net, setting.seed, setting.precision, condition.seed, known)
    return plan, condition.silenced_units(setting.network)


class _Stages:
    """Says what partition 0 is at: every change, and while it advances about once a second how far it is."""

    def __init__(self, control: Spool, setting: Setting) -> None:
        self._control, self._setting, self._said = control, setting, ("", 0.0)
        self._more: dict[str, str] = {}
        self("build", setting.first)

    def begin(self, trial: Trial) -> None:
        """Name the condition that is built for from now on."""
        if trial.condition:
            self._more, self._said = {"condition": trial.condition.name}, ("", 0.0)
        self("build", self._setting.first)

    def __call__(self, phase: str, step: int) -> None:
        now = time.monotonic()
        if phase == self._said[0] and now - self._said[1] < 1.0:
            return
        self._said = phase, now
        s = self._setting
        dt = s.network.dt_ms
        self._control.say(phase, done_ms=(step - s.first) * dt, of_ms=s.duration_ms, **self._more)


def _advance(
    partition: Partition,
    setting: Setting,
    spool: Spool,
    watch: Watch,
    pace: checkpoint.Pace | None,
    stages: _Stages | None,
) -> tuple[float, float, list[float]]:
    """Run all windows; seconds of the whole, of handing over what was recorded, and of each checkpoint.

    `pace`, of partition 0, says when a checkpoint is due.
    """
    started, recording = time.perf_counter(), 0.0
    saves: list[float] = []
    for window in setting.windows(partition.step):
        watch()
        if stages:
            stages("step loop", partition.step)
        stop = min((window + 1) * setting.window_steps, setting.steps)
        if pace and stop < setting.steps and pace.due():
            with checkpoint.unless_full(setting, stop):
                spool.due(window).touch()
        done = partition.window(stop, watch)
        advanced = time.perf_counter()
        taken: dict[str, Any] = {}
        if stop == setting.steps:
            if setting.keep_state:
                checkpoint.save(partition, spool)
        elif setting.keep and spool.due(window).exists():
            if stages:
                stages("checkpoint", stop)
            with checkpoint.unless_full(setting, stop):
                saves.append(checkpoint.save(partition, spool))
                taken["saved_s"] = np.float64(saves[-1])
            if pace:
                pace.took(time.perf_counter() - advanced)
        sampled = {f"samples_{k}": samples for k, samples in enumerate(done.samples)}
        units = {f"units_{k}": numbers for k, numbers in enumerate(done.units)}
        weights = {f"weights_{k}": values for k, values in enumerate(done.weights)}
        ends = {f"ends_{k}": values for k, values in enumerate(done.ends)}
        made = {"spikes": done.spikes, **sampled, **units, **weights, **ends, **taken}
        spool.write(spool.segment(window, partition.number), made)
        recording += time.perf_counter() - advanced
    return time.perf_counter() - started, recording, saves


def warm(plan: Plan) -> float:
    """Compile (or load from the cache) the kernels by running a network of four neurons; return the seconds it took."""
    precision, slow = plan.precision, bool(plan.slow)
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
        net = Network(
            populations=(Population("warm", 4, IafPscExp(tau_m=1e6 if slow else 10.0)),),
            projections=(Projection("warm", "warm", FixedTotalNumber(4), 1.0, 1.0),),
        )
        try:
            with Partition(compile_network(net, 0, precision), 0, 1, 1) as partition:
                partition.build()
                partition.window(2)
            for neurons in plan.neurons:
                neurons.block(plan.float_type, plan.sum_type)
        finally:
            notice.cancel()
        return time.perf_counter() - started


def _peak_rss() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
