"""Running a network: partitions as long-lived Dask tasks, a collector, restarts after a lost worker."""

import hashlib
import json
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

import allometry
from allometry import stores
from allometry.errors import SimulationError
from allometry.simulate import cluster as clusters
from allometry.simulate import rendezvous
from allometry.simulate.collect import Collector
from allometry.simulate.estimate import check_fits, duration, estimate
from allometry.simulate.inputs import Record
from allometry.simulate.network import Network
from allometry.simulate.partition import Stopped
from allometry.simulate.plan import Plan, compile_network
from allometry.simulate.progress import progress
from allometry.simulate.serialise import to_dict
from allometry.simulate.spool import Spool
from allometry.simulate.task import Job, run_partition
from allometry.simulate.validate import check_network, check_run

WINDOW_MS = 100.0
ATTEMPTS = 3
_POLL_S = 0.05
_GRACE_S = 20.0
_LOG = logging.getLogger("allometry")


class WorkerLost(SimulationError):
    """A worker that ran a partition is gone."""


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
        float32 state, or float64 with weights rounded to 2^-10 pA (NEST gives the same spikes with these weights).
    record : Record, optional
        What to record; default all spikes.
    checkpoint : path, optional
        Folder for checkpoints; a rerun with the same arguments continues from the last one. Removed at the end.
    cluster : optional
        See `allometry.simulate.cluster.connect`; default this machine.
    attrs, provenance : mapping, optional
        Added to the store's root attributes and to its manifest.
    checkpoint_ms : float
        Simulated time between checkpoints, ms, in whole windows of 100 ms.
    memory_gib : float, optional
        Refuse a run estimated to need more; default what is free.

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
    check_network(net)
    check_run(net, duration_ms, partitions, precision, record)
    plan = compile_network(net, seed, precision)
    steps = round(duration_ms / net.dt_ms)
    with clusters.connect(cluster, partitions, threads) as client:
        placed = clusters.place(client, partitions, threads)
        need = estimate(plan, duration_ms, partitions, placed.threads, processes=not placed.in_process)
        _LOG.info("%s, %d x %d threads, %s precision", need, partitions, placed.threads, precision)
        _check_memory(client, placed, need, memory_gib)
        folder = _folder(store, checkpoint)
        spool = Spool(folder)
        every = max(1, round(checkpoint_ms / WINDOW_MS)) if checkpoint is not None else 0
        run_ = _Run(plan, steps, record, spool, every, store, client, partitions, placed)
        run_.attrs = _attributes(plan, record, attrs)
        try:
            started = time.perf_counter()
            measured = run_.until_done()
            wall = time.perf_counter() - started
            run_.finish({**(provenance or {}), "simulation": _provenance(measured, placed, partitions, wall)})
        except BaseException:
            if checkpoint is None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        spool.remove()
    _report(measured, duration_ms, run_.spikes)
    return stores.open(store)  # type: ignore[return-value]


@dataclass
class _Run:
    """The attempts of one run and its collector."""

    plan: Plan
    steps: int
    record: Record
    spool: Spool
    checkpoint_windows: int
    store: Path
    client: Any
    partitions: int
    placed: clusters.Placement
    attrs: dict[str, Any] | None = None
    collector: Collector | None = None

    @property
    def window_steps(self) -> int:
        return max(1, round(WINDOW_MS / self.plan.network.dt_ms))

    @property
    def keep(self) -> bool:
        return self.checkpoint_windows > 0

    @property
    def spikes(self) -> int:
        return self.collector.spikes if self.collector else 0

    def until_done(self) -> list[dict[str, float]]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt()
            except WorkerLost as error:
                if attempt == ATTEMPTS:
                    raise
                _LOG.warning("%s; starting again from the last checkpoint", error.what)
                self._replace_workers(error)
        raise AssertionError("unreachable")

    def _replace_workers(self, error: WorkerLost) -> None:
        try:
            self.client.wait_for_workers(self.partitions, timeout=60)
            self.placed = clusters.place(self.client, self.partitions, self.placed.threads)
        except TimeoutError:
            raise error from None

    def _resume(self) -> tuple[int, int]:
        """Return the step and the number of partitions of the last checkpoint of this very run, (0, 0) without one."""
        identity = self._identity()
        known = self.spool.read_json("run.json")
        saved = self.spool.read_json("checkpoint.json") if known == identity else None
        step, parts = (int(saved["step"]), int(saved["partitions"])) if saved else (0, 0)
        windows = range(step // self.window_steps)
        usable = step < self.steps and all(self.spool.merged(w).exists() for w in windows)
        if not (self.keep and usable):
            step, parts = 0, 0
        self.spool.clear(keep_merged_below=step // self.window_steps, keep_state=step or None)
        self.spool.write_json("run.json", identity)
        if step:
            _LOG.info("continuing from the checkpoint at %g ms", step * self.plan.network.dt_ms)
        return step, parts

    def _identity(self) -> dict[str, Any]:
        description = json.dumps(to_dict(self.plan.network, digest=True), sort_keys=True)
        return {
            "network": hashlib.sha256(description.encode()).hexdigest(),
            "seed": self.plan.seed,
            "precision": self.plan.precision,
            "record": json.dumps(to_dict(self.record), sort_keys=True),
            "window_steps": self.window_steps,
            "version": allometry.__version__,
        }

    def _attempt(self) -> list[dict[str, float]]:
        resume_step, resume_parts = self._resume()
        self.collector = self._open_collector()
        attempt = secrets.token_hex(8)
        job = Job(
            network=self.plan.network,
            seed=self.plan.seed,
            precision=self.plan.precision,
            steps=self.steps,
            record=self.record,
            partitions=self.partitions,
            threads=self.placed.threads,
            folder=str(self.spool.folder.resolve()),
            window_steps=self.window_steps,
            checkpoint_windows=self.checkpoint_windows,
            resume_step=resume_step,
            resume_parts=resume_parts,
            attempt=attempt,
            secret=secrets.token_bytes(32),
            crowded=self.placed.crowded,
        )
        self.spool.touch()
        futures: list[Any] = []
        try:
            addresses = self._listen(attempt)
            shared = job if self.placed.in_process else self.client.scatter(job, broadcast=True)
            futures = [
                self._submit(run_partition, worker, shared, number, addresses)
                for number, worker in enumerate(self.placed.workers)
            ]
            self._collect(futures)
            return [f.result() for f in futures]
        except BaseException:
            self.collector.writer.abort()
            self.spool.stop()
            self._settle(futures)
            raise
        finally:
            self._forget(attempt)

    def _submit(self, function: Callable[..., Any], worker: str, *arguments: Any) -> Any:
        return self.client.submit(
            function, *arguments, workers=[worker], allow_other_workers=False, pure=False, retries=0
        )

    def _listen(self, attempt: str) -> list[tuple[str, int]]:
        if self.partitions == 1:
            return [("", 0)]
        pending = [
            self._submit(rendezvous.listen, worker, attempt, number)
            for number, worker in enumerate(self.placed.workers)
        ]
        self._watch_until(pending, lambda: None)
        return [f.result() for f in pending]

    def _collect(self, futures: list[Any]) -> None:
        assert self.collector is not None
        dt = self.plan.network.dt_ms
        with progress(self.steps * dt) as show:

            def poll() -> None:
                assert self.collector is not None
                self.spool.touch()
                if self.collector.poll():
                    self._commit_checkpoint()
                show(min(self.collector.next * self.window_steps, self.steps) * dt, self.collector.spikes)

            self._watch_until(futures, poll)
            poll()
        if self.collector.next != self.collector.windows:
            raise SimulationError("a partition ended without writing all of its spikes", where=str(self.spool.folder))

    def _commit_checkpoint(self) -> None:
        """Point to the newest state that all partitions have written and whose past is merged; drop older ones."""
        assert self.collector is not None
        if not self.keep:
            return
        step = self.collector.next // self.checkpoint_windows * self.checkpoint_windows * self.window_steps
        paths = [self.spool.state(step, part, self.partitions) for part in range(self.partitions)]
        known = self.spool.read_json("checkpoint.json") or {}
        if step == 0 or known.get("step") == step or not all(p.exists() for p in paths):
            return
        self.spool.write_json("checkpoint.json", {"step": step, "partitions": self.partitions})
        for path in self.spool.folder.glob("state-*.npz"):
            if int(path.name[6:18]) < step:
                path.unlink(missing_ok=True)

    def _watch_until(self, futures: list[Any], poll: Callable[[], None]) -> None:
        """Poll until all tasks are done; raise the cause of the first failure, or `WorkerLost`."""
        looked = time.monotonic()
        while True:
            poll()
            if any(f.status in ("error", "cancelled", "lost") for f in futures):
                self._raise_cause(futures)
            if all(f.status == "finished" for f in futures):
                return
            if time.monotonic() - looked > 1.0:
                looked = time.monotonic()
                self._require_workers()
            time.sleep(_POLL_S)

    def _require_workers(self) -> None:
        present = self.client.scheduler_info(n_workers=-1)["workers"]
        for number, address in enumerate(self.placed.workers):
            if address not in present:
                raise WorkerLost(f"the worker of partition {number} is gone", where=address)

    def _raise_cause(self, futures: list[Any]) -> None:
        """Raise what made a partition fail; those that only lost their peers follow it."""
        self.spool.stop()
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline and any(f.status == "pending" for f in futures):
            if any(isinstance(e, Exception) and not isinstance(e, Stopped) for e in _errors(futures)):
                break
            self._require_workers()
            time.sleep(_POLL_S)
        errors = _errors(futures)
        for number, error in enumerate(errors):
            if isinstance(error, SimulationError):
                raise error
            if isinstance(error, Exception) and not isinstance(error, Stopped):
                if type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError"):
                    raise WorkerLost(f"the worker of partition {number} is gone") from error
                raise SimulationError(
                    f"partition {number} failed: {type(error).__name__}: {error}", where=self.placed.workers[number]
                ) from error
        self._require_workers()
        raise WorkerLost("a partition lost the connection to its peers", where=str(self.placed.workers))

    def _settle(self, futures: list[Any]) -> None:
        """Wait until the tasks have ended, so that nothing of them is left, then forget them."""
        deadline = time.monotonic() + _GRACE_S
        try:
            while time.monotonic() < deadline and any(f.status == "pending" for f in futures):
                self._require_workers()
                time.sleep(_POLL_S)
        except Exception:  # the cluster itself may be gone: the first error is the one to report
            _LOG.debug("a task could not be waited for", exc_info=True)
        self.client.cancel(futures, force=True)

    def _forget(self, attempt: str) -> None:
        if self.partitions > 1:
            try:
                self.client.run(rendezvous.forget, attempt, on_error="ignore")
            except Exception:  # the sockets of a dead worker died with it
                _LOG.debug("a worker could not be asked to close its listener", exc_info=True)

    def _open_collector(self) -> Collector:
        net = self.plan.network
        windows = -(-self.steps // self.window_steps)
        writer = stores.SpikeWriter(
            self.store, unit_table(net), dt_ms=net.dt_ms, duration_ms=self.steps * net.dt_ms, attrs=self.attrs or {}
        )
        return Collector(
            net, self.record, self.spool, writer, self.partitions, windows, self.window_steps, self.steps, self.keep
        )

    def finish(self, provenance: dict[str, Any]) -> None:
        assert self.collector is not None
        self.collector.close({}, provenance)


def _errors(futures: list[Any]) -> list[BaseException | None]:
    found: list[BaseException | None] = []
    for f in futures:
        if f.status == "error":
            found.append(f.exception())
        else:
            found.append(None)
    return found


def unit_table(net: Network) -> pd.DataFrame:
    """Return the table of units of a network: label and population."""
    labels: list[str] = []
    populations: list[str] = []
    for p in net.populations:
        labels += p.labels or [f"{p.name}_{i}" for i in range(p.size)]
        populations += [p.name] * p.size
    if len(set(labels)) < len(labels):
        labels = [f"{p}:{label}" for p, label in zip(populations, labels)]
    return pd.DataFrame({"population": populations}, index=pd.Index(labels, name="unit"))


def _attributes(plan: Plan, record: Record, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    net = plan.network
    return {
        "title": net.title,
        "species": "none (model)",
        "citation": "none",
        "licence": "none",
        "source": {},
        "seed": plan.seed,
        "parameters": {
            **net.parameters,
            "precision": plan.precision,
            "record": to_dict(record, digest=True),
            "network": net.to_dict(digest=True),
        },
        "derived": {
            "weight_quantum": {n.name: n.quantum.value for n in plan.neurons},
            "weight_rounding_error": plan.rounding_error,
            "spike_step": "end of the step in which the threshold was crossed",
        },
        **(extra or {}),
    }


def _folder(store: Path, checkpoint: str | Path | None) -> Path:
    if checkpoint is not None:
        folder = Path(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    store.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{store.stem}-spool-", dir=store.parent))


def _free_memory() -> int:
    import psutil

    free = int(psutil.virtual_memory().available)
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            free = min(free, int(Path(path).read_text()))
        except (OSError, ValueError):
            continue
    return free


def _check_memory(client: Any, placed: clusters.Placement, need: Any, limit_gib: float | None) -> None:
    used = sorted(set(placed.workers))
    free = client.run(_free_memory, workers=used)
    info = client.scheduler_info(n_workers=-1)["workers"]
    hosts = {address: str(info[address]["host"]) for address in used}
    available: dict[str, int] = {}
    counts: dict[str, int] = {}
    for address in placed.workers:
        host = hosts[address]
        available[host] = min(available.get(host, free[address]), free[address])
        counts[host] = 1 if placed.in_process else counts.get(host, 0) + 1
    if limit_gib is not None:
        available = {host: min(free_bytes, int(limit_gib * 2**30)) for host, free_bytes in available.items()}
    check_fits(need, available, counts)


def _provenance(
    measured: list[dict[str, float]], placed: clusters.Placement, partitions: int, wall_s: float
) -> dict[str, Any]:
    processes = {m["process"]: m["peak_rss_bytes"] for m in measured}
    return {
        "partitions": partitions,
        "threads": placed.threads,
        "synapses": int(sum(m["synapses"] for m in measured)),
        "synaptic_events": int(sum(m["events"] for m in measured)),
        "compile_s": max(m["compile_s"] for m in measured),
        "build_s": max(m["build_s"] for m in measured),
        "sim_s": max(m["sim_s"] for m in measured),
        "wall_s": wall_s,
        "peak_rss_bytes": int(sum(processes.values())),
    }


def _report(measured: list[dict[str, float]], duration_ms: float, spikes: int) -> None:
    sim = max(m["sim_s"] for m in measured)
    _LOG.info(
        "%d spikes; compilation %s, build %s, simulation %s (%.2f s per simulated s)",
        spikes,
        duration(max(m["compile_s"] for m in measured)),
        duration(max(m["build_s"] for m in measured)),
        duration(sim),
        sim / (duration_ms * 1e-3),
    )
