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
from allometry.simulate.distribute.spool import Spool, held, remove_abandoned
from allometry.simulate.distribute.task import warm

_LOG = logging.getLogger("allometry")


@plain_arguments
def run(
    net: Network,
    duration_ms: float,
    seed: int,
    store: str | Path,
    partitions: int = 1,
    threads: int | None = None,
    precision: str = "fast",
    record: Record | None = None,
    checkpoint: str | Path | None = None,
    cluster: Any = None,
    attrs: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    checkpoint_ms: float = 1000.0,
    memory_gib: float | None = None,
    overwrite: bool = False,
) -> xr.Dataset:
    """Simulate a network and write its spikes.

    The spikes depend on `net`, `seed` and `precision` only: not on `partitions`, `threads`, the cluster or restarts.

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
    partitions : int
        Number of Dask tasks that the network is cut into.
    threads : int, optional
        Threads of each; default all cores of its share of the host.
    precision : {"fast", "exact"}
        float32 state, or float64 with weights rounded to 2^-10 pA, finer where they are small (NEST gives the same spikes
        with these weights).
    record : Record, optional
        What to record; default all spikes.
    checkpoint : path, optional
        Folder for checkpoints, in which every network and seed has a folder of its own; a rerun with the same arguments
        continues from the last one. Removed at the end. Two processes that simulate the same cannot share it.
    cluster : optional
        See `allometry.simulate.distribute.cluster.connect`; default this machine.
    attrs, provenance : mapping, optional
        Added to the store's root attributes and to its manifest.
    checkpoint_ms : float
        Simulated time between checkpoints, ms, in whole windows of 100 ms.
    memory_gib : float, optional
        Refuse a run estimated to need more; default what is free.
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
    store, record = Path(store), record or Record()
    stores.require_free(store, overwrite=overwrite)
    check_network(net)
    check_run(
        net, duration_ms, partitions, precision, record,
        seed=seed, threads=threads, checkpoint_ms=checkpoint_ms, memory_gib=memory_gib,
    )  # fmt: skip
    plan = compile_network(net, seed, precision)
    steps = round(duration_ms / net.dt_ms)
    kept = (
        "; the same run continues from its last checkpoint" if checkpoint is not None else ", and nothing was written"
    )
    with interruptible(f"the simulation was interrupted{kept}"), contextlib.ExitStack() as stack:
        if not _LOG.hasHandlers():
            # Nobody listens, as in a plain script: the estimate is to be seen before the run all the same.
            stack.enter_context(log_to(logging.StreamHandler(sys.stderr)))
        if partitions > 1 and cluster in (None, "local"):
            # Compile once here: every worker would otherwise do so at the same time.
            warm(precision, bool(plan.slow))
        client = stack.enter_context(clusters.connect(cluster, partitions, threads))
        placed = clusters.place(client, partitions, threads)
        need = estimate(plan, duration_ms, partitions, placed.threads, processes=not placed.in_process)
        _LOG.info("%s, %d x %d threads, %s precision", need, partitions, placed.threads, precision)
        check_memory(client, placed, need, memory_gib)
        spool = stack.enter_context(_spool(store, checkpoint, run_identity(plan, record)))
        every = max(1, round(checkpoint_ms / WINDOW_MS)) if checkpoint is not None else 0
        attempts = Attempts(plan, steps, record, spool, every, store, client, partitions, placed)
        attempts.attrs, attempts.overwrite = attributes(plan, record, attrs), overwrite
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
