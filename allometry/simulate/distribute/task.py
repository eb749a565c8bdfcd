"""The long-lived Dask task that is one partition of a run."""

import logging
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from allometry.errors import SimulationError
from allometry.network import FixedTotalNumber, IafPscExp, Network, Population, Projection
from allometry.network.recording import Record
from allometry.simulate.build.partition import Partition, message_room
from allometry.simulate.build.plan import Plan, compile_network
from allometry.simulate.distribute import checkpoint, rendezvous
from allometry.simulate.distribute.mailbox import open_mail
from allometry.simulate.distribute.spool import Spool, Watch

_COMPILING = threading.Lock()
_NOTICE_S = 3.0
_LOG = logging.getLogger("allometry")


@dataclass(frozen=True)
class Job:
    """What a partition needs to know beyond its number."""

    network: Network
    seed: int
    precision: str
    steps: int
    record: Record
    partitions: int
    threads: int
    folder: str
    window_steps: int
    checkpoint_windows: int
    resume_step: int
    resume_parts: int
    attempt: str
    secret: bytes
    crowded: bool


def run_partition(job: Job, number: int, addresses: list[tuple[str, int]]) -> dict[str, float]:
    """Build and advance one partition; write its segments; return what it measured."""
    spool = Spool(Path(job.folder))
    if not spool.folder.is_dir():
        raise SimulationError(
            f"this worker does not see the folder that spikes go through: {spool.folder}",
            where=f"partition {number}",
            expected="a file system that all workers share",
            do="write the store (or the checkpoint) to a shared folder",
        )
    watch = Watch(spool)
    sockets = []
    try:
        if job.partitions > 1:
            sockets = rendezvous.connect(job.attempt, number, addresses, job.secret, watch)
        plan = compile_network(job.network, job.seed, job.precision)
        compile_s = warm(plan)
        room = message_room(plan, job.partitions, job.threads)
        with (
            open_mail(sockets, room, watch) as mail,
            Partition(plan, number, job.partitions, job.threads, job.record.probes, mail, job.crowded) as partition,
        ):
            started = time.perf_counter()
            partition.build()
            build_s = time.perf_counter() - started
            if job.resume_step:
                checkpoint.restore(partition, spool, job.resume_step, job.resume_parts, job.window_steps)
            sim_s, recording_s = _advance(partition, job, spool, watch)
            return {
                "neurons": float(len(partition.neurons)),
                "synapses": float(partition.synapses),
                "events": float(partition.events),
                "compile_s": compile_s,
                "build_s": build_s,
                "sim_s": sim_s,
                "recording_s": recording_s,
                "peak_rss_bytes": float(_peak_rss()),
                "process": float(os.getpid()),
            }
    finally:
        for s in sockets:
            s.close()


def _advance(partition: Partition, job: Job, spool: Spool, watch: Watch) -> tuple[float, float]:
    """Run all windows; seconds of the whole, and of handing over what was recorded."""
    started, recording = time.perf_counter(), 0.0
    for window in range(partition.step // job.window_steps, -(-job.steps // job.window_steps)):
        watch()
        done = partition.window(min((window + 1) * job.window_steps, job.steps), watch)
        advanced = time.perf_counter()
        if job.checkpoint_windows and (window + 1) % job.checkpoint_windows == 0 and done.last < job.steps:
            checkpoint.save(partition, spool)
        sampled = {f"samples_{k}": samples for k, samples in enumerate(done.samples)}
        units = {f"units_{k}": numbers for k, numbers in enumerate(done.units)}
        spool.write(spool.segment(window, partition.number), spikes=done.spikes, **sampled, **units)
        recording += time.perf_counter() - advanced
    return time.perf_counter() - started, recording


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
