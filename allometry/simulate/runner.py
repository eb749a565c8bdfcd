"""Running a network: check it, place it, run it, write its store."""

import contextlib
import hashlib
import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from allometry import files, stores
from allometry.errors import interruptible, log_to
from allometry.network import Network
from allometry.network.recording import Record
from allometry.network.scalars import plain_arguments
from allometry.simulate.build.estimate import estimate
from allometry.simulate.build.plan import compile_network
from allometry.simulate.build.validate import check_network, check_run
from allometry.simulate.distribute import cluster as clusters
from allometry.simulate.distribute.attempts import WINDOW_MS, Attempts, run_identity
from allometry.simulate.distribute.description import attributes, check_memory, measurements, report
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.distribute.spool import Spool, held, remove_abandoned
from allometry.simulate.distribute.task import warm

_LOG = logging.getLogger("allometry")


@plain_arguments
def run(
    net: Network,
    duration_ms: float,
    seed: int,
    store: str | Path,
    *,
    precision: str = "fast",
    record: Record | None = None,
    execution: Execution | None = None,
    attrs: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> xr.Dataset:
    """Simulate a network and write its spikes.

    The spikes depend on `net`, `seed` and `precision` only: not on the execution, nor on restarts.

    Parameters
    ----------
    net : Network
        What to simulate.
    duration_ms : float
        Simulated time, ms.
    seed : int
        Seed of connections, initial voltages and Poisson input.
    store : path
        Spikes store to write; ends in `.zarr`. `spike_step` is the end of the step in which the threshold was crossed.
    precision : {"fast", "exact"}
        float32 state, or float64 with weights rounded to 2^-10 pA, finer where they are small (NEST gives the same spikes
        with these weights).
    record : Record, optional
        What to record; default all spikes.
    execution : Execution, optional
        Where and how to run: partitions, threads, cluster, checkpoints, memory; default all cores of this machine.
    attrs, provenance : mapping, optional
        Added to the store's root attributes and to its manifest.
    overwrite : bool
        Whether a store that is there may be replaced. Anything that is no store of ours is never touched.

    Returns
    -------
    xarray.Dataset
        The opened store.

    Raises
    ------
    SimulationError
        If the network is impossible or does not fit, or a partition fails (with its cause).
    """
    store, record, execution = Path(store), record or Record(), execution or Execution()
    partitions, checkpoint = execution.partitions, execution.checkpoint
    stores.require_free(store, overwrite=overwrite)
    check_network(net)
    check_run(net, duration_ms, partitions, precision, record, seed=seed)
    plan = compile_network(net, seed, precision)
    steps = round(duration_ms / net.dt_ms)
    kept = (
        "; the same run continues from its last checkpoint" if checkpoint is not None else ", and nothing was written"
    )
    with interruptible(f"the simulation was interrupted{kept}"), contextlib.ExitStack() as stack:
        if not _LOG.hasHandlers():
            # Nobody listens, as in a plain script: the estimate is to be seen before the run all the same.
            stack.enter_context(log_to(logging.StreamHandler(sys.stderr)))
        if partitions > 1 and execution.local:
            # Compile once here: every worker would otherwise do so at the same time.
            warm(plan)
        threads = execution.threads_each
        client = stack.enter_context(clusters.connect(execution.cluster, partitions, threads))
        placed = clusters.place(client, partitions, threads)
        need = estimate(plan, duration_ms, partitions, placed.threads, processes=not placed.in_process)
        _LOG.info("%s, %d x %d threads, %s precision", need, partitions, placed.threads, precision)
        check_memory(client, placed, need, execution.memory_gib)
        spool = stack.enter_context(_spool(store, checkpoint, run_identity(plan, record)))
        every = max(1, round(execution.checkpoint_ms / WINDOW_MS)) if checkpoint is not None else 0
        attempts = Attempts(plan, steps, record, spool, every, store, client, partitions, placed)
        attempts.attrs, attempts.overwrite = attributes(plan, record, attrs), overwrite
        attempts.shown = execution.progress
        started = time.perf_counter()
        measured = attempts.until_done()
        wall = time.perf_counter() - started
        attempts.finish({**(provenance or {}), "simulation": measurements(measured, placed, partitions, wall)})
        spool.remove()
        report(measured, duration_ms, attempts.spikes)
    return stores.open(store)  # type: ignore[return-value]


@contextlib.contextmanager
def _spool(store: Path, checkpoint: str | Path | None, identity: Mapping[str, Any]) -> Iterator[Spool]:
    """Yield the folder that the run's files go through: with checkpoints one that a rerun finds, else one that goes at the end."""
    if checkpoint is not None:
        # Named after the run, so that the checkpoints of another seed or network beside it stay.
        name = hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()[:16]
        with held(Path(checkpoint) / f"run-{name}") as spool:
            yield spool
        return
    prefix = f".{store.stem}-spool-"
    with files.writing(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(store.parent, f"{prefix}*")
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=store.parent))
    try:
        yield Spool(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
