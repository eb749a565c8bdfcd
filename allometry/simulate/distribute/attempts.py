"""The attempts of one run: partitions as Dask tasks, the collector, restarts after a lost worker."""

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from allometry import stores
from allometry.errors import SimulationError
from allometry.fingerprint import fingerprint
from allometry.network.recording import Record
from allometry.network.serialise import to_dict
from allometry.simulate.build.partition import Stopped
from allometry.simulate.build.plan import Plan
from allometry.simulate.distribute import cluster as clusters
from allometry.simulate.distribute import rendezvous
from allometry.simulate.distribute.collect import Collector
from allometry.simulate.distribute.description import unit_table
from allometry.simulate.distribute.progress import progress
from allometry.simulate.distribute.spool import Spool
from allometry.simulate.distribute.task import Job, run_partition

WINDOW_MS = 100.0
ATTEMPTS = 3
_POLL_S = 0.05
_GRACE_S = 20.0
_LOG = logging.getLogger("allometry")


class WorkerLost(SimulationError):
    """A worker that ran a partition is gone."""


def run_identity(plan: Plan, record: Record) -> dict[str, Any]:
    """Return what tells a run from others whose checkpoints may stand beside its own."""
    description = json.dumps(to_dict(plan.network, digest=True), sort_keys=True)
    return {
        "network": hashlib.sha256(description.encode()).hexdigest(),
        "seed": plan.seed,
        "precision": plan.precision,
        "record": json.dumps(to_dict(record), sort_keys=True),
    }


@dataclass
class Attempts:
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
    overwrite: bool = False
    shown: bool = True
    collector: Collector | None = None

    @property
    def window_steps(self) -> int:
        """Steps of a window: the unit of segments, progress and checkpoints."""
        return max(1, round(WINDOW_MS / self.plan.network.dt_ms))

    @property
    def keep(self) -> bool:
        """Whether there are checkpoints, for which merged windows are kept."""
        return self.checkpoint_windows > 0

    @property
    def spikes(self) -> int:
        """Spikes collected so far."""
        return self.collector.spikes if self.collector else 0

    def until_done(self) -> list[dict[str, float]]:
        """Run all partitions to the end, again from the last checkpoint if a worker is lost; return what they measured."""
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
        # the state of other code may mean something else
        identity = {
            **run_identity(self.plan, self.record),
            "window_steps": self.window_steps,
            "version": version("allometry"),
            "code": fingerprint("allometry.simulate"),
        }
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
        with progress(self.steps * dt, self.shown) as show:

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
        present = clusters.workers(self.client)
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
            self.store,
            unit_table(net, self.record),
            dt_ms=net.dt_ms,
            duration_ms=self.steps * net.dt_ms,
            attrs=self.attrs or {},
            overwrite=self.overwrite,
        )
        return Collector(
            net, self.record, self.spool, writer, self.partitions, windows, self.window_steps, self.steps, self.keep
        )

    def finish(self, provenance: dict[str, Any]) -> None:
        """Finalise the store."""
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
