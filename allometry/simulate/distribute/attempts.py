"""The attempts of one run: partitions as Dask tasks, outputs, restarts after a lost worker."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allometry import files
from allometry.errors import SimulationError, end_if_terminated
from allometry.simulate.build.threads import Stopped
from allometry.simulate.distribute.clusters import mpi, placement
from allometry.simulate.distribute.departure import Departure, WorkerLost, saved
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.output import Output
from allometry.simulate.distribute.progress import progress
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage.spool import Spool
from allometry.simulate.distribute.task import Job, Trial, run_partition
from allometry.simulate.distribute.time_limit import TimeLimit

ATTEMPTS = 3
#: How long a worker may give no sign of life until it is replaced, s.
SILENT_S = 60.0
_POLL_S = 0.05
_LOOK_S = 1.0
_GRACE_S = 20.0
# A worker that was killed is missed by its peers before the scheduler knows.
_NOTICED_S = 5.0
_LOG = logging.getLogger("allometry")


class Silence:
    """How long workers have given no sign of life, on a clock that stands still while this process does.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._looked = clock, clock()
        self._seen: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    def look(self, seen: Mapping[str, float]) -> list[str]:
        """Return the addresses of workers that are silent for too long.

        Parameters
        ----------
        seen : mapping
            When the scheduler heard of each last, s.
        """
        now = self._clock()
        passed, self._looked = min(now - self._looked, 2 * _LOOK_S), now
        for address, last in seen.items():
            silent = self._silent.get(address, 0.0) + passed
            self._silent[address] = silent if self._seen.get(address) == last else 0.0
        self._seen = dict(seen)
        return [address for address in seen if self._silent[address] > SILENT_S]


@dataclass
class Attempts:
    """The attempts of one run: its partitions, and the outputs that they fill one after the other.

    Parameters
    ----------
    setting : Setting
        What all outputs share.
    outputs : sequence of Output
        One per condition.
    spool : Spool
        Folder that says whether the run is still wanted; with a single output its spool too.
    client, partitions, placed
        Where the partitions run.
    shown : bool
        Whether to show progress.
    exchange : str
        How partitions exchange spikes, as `cluster.exchange`.
    limit : TimeLimit
        When the run has to end.
    """

    setting: Setting
    outputs: Sequence[Output]
    spool: Spool
    client: Any
    partitions: int
    placed: placement.Placement
    shown: bool = True
    exchange: str = "auto"
    limit: TimeLimit = field(default_factory=TimeLimit)
    started: float = 0.0

    def __post_init__(self) -> None:
        self._departure = Departure(self.setting, self.outputs, self.spool, self.limit)
        self._silence = Silence()
        # a client that has given up a scheduler has forgotten where it was
        self._scheduler = str(self.client.scheduler_info().get("address", "cluster"))

    def until_done(self) -> None:
        """Run all partitions to the end, again from the last checkpoint if a worker is lost.

        Attempts count only until one gets further than those before it.
        """
        vain, reached = 0, saved(self.outputs)
        while True:
            try:
                with files.writing(self.spool.folder, SimulationError):
                    return self._attempt()
            except WorkerLost as error:
                before, reached = reached, saved(self.outputs)
                vain = 1 if reached != before else vain + 1
                # nobody starts a rank again
                if vain == ATTEMPTS or mpi.world() is not None:
                    raise
                _LOG.warning("%s; starting again from the last checkpoint", error.what)
                self._replace_workers(error)

    def _replace_workers(self, error: WorkerLost) -> None:
        try:
            if renew := getattr(self.client, "renew", None):
                renew()
                self.limit.renewed(self.client.left_s())
            else:
                self.client.wait_for_workers(self.partitions, timeout=60)
            self.placed = placement.place(self.client, self.partitions, self.placed.threads)
        except TimeoutError:
            raise error from None

    def _resume(self) -> tuple[Trial, ...]:
        """Return what is left to run; what had only to be written is finished."""
        trials = []
        for output in [o for o in self.outputs if not o.finished]:
            trial = output.resume()
            if trial is not None:
                trials.append(trial)
                if trial.resume_parts:
                    _LOG.info("continuing from the checkpoint at %g ms", self._ms(trial.resume_step))
                continue
            try:
                output.poll(self.partitions)
                self._finish(output)
            except BaseException:
                output.abort()
                raise
        return tuple(trials)

    def _attempt(self) -> None:
        self.started = time.perf_counter()
        self._departure.begin()
        trials = self._resume()
        if not trials:
            return
        attempt = secrets.token_hex(8)
        self.spool.go(attempt)
        self.spool.say("start", partitions=self.partitions)
        job = Job(
            setting=self.setting,
            trials=trials,
            folder=str(self.spool.folder.resolve()),
            partitions=self.partitions,
            threads=self.placed.threads,
            attempt=attempt,
            secret=secrets.token_bytes(32),
            crowded=self.placed.crowded,
            exchange=self.exchange,
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
        except BaseException:
            for output in self.outputs:
                output.abort()
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
        dt = self.setting.network.dt_ms
        length = self.setting.steps - self.setting.first
        with self.limit.told_by_signal(), progress(len(self.outputs) * length * dt, self.shown) as show:

            def poll(ended: bool = False) -> None:
                end_if_terminated()
                self.spool.touch()
                left = [o for o in self.outputs if not o.finished]
                for output in left:
                    output.poll(self.partitions)
                    # The last is written when the synapses are gone: both would be beside each other in memory.
                    if not (ended or output is not left[-1]) or not self._finish(output):
                        break
                done = sum(o.done_steps for o in self.outputs)
                self.limit.advanced(done)
                show(done * dt, sum(o.spikes for o in self.outputs))
                if not ended:
                    self._departure.mind()

            self._watch_until(futures, poll)
            poll(ended=True)
        if not all(o.finished for o in self.outputs):
            raise SimulationError("a partition ended without writing all of its spikes", where=str(self.spool.folder))

    def _finish(self, output: Output) -> bool:
        """Publish the store of an output that is complete; whether it is."""
        measured = output.measured(self.partitions)
        if measured is None:
            return False
        self.spool.say("publication", store=str(output.store))
        output.finish(measured, self.placed.threads, self.started)
        self.started = time.perf_counter()
        if len(self.outputs) > 1 and not self.setting.keep:
            output.spool.remove()
        return True

    def _watch_until(self, futures: list[Any], poll: Callable[[], None]) -> None:
        """Poll until all tasks are done; raise the cause of the first failure, or `WorkerLost`."""
        looked = time.monotonic()
        while True:
            poll()
            if any(f.status in ("error", "cancelled", "lost") for f in futures):
                self._raise_cause(futures)
            if all(f.status == "finished" for f in futures):
                return
            if time.monotonic() - looked > _LOOK_S:
                looked = time.monotonic()
                self._require_workers()
            time.sleep(_POLL_S)

    def _require_workers(self) -> None:
        try:
            present = placement.workers(self.client)
        except Exception as error:
            raise SimulationError(
                f"the Dask scheduler does not answer: {error}",
                where=self._scheduler,
                expected="a scheduler that lives as long as the run",
                do="start it again, and run the same again: it continues from its last checkpoint, if there is one",
            ) from error
        for number, address in enumerate(self.placed.workers):
            if address not in present:
                raise self._lost(number)
        if self.placed.in_process:
            return
        silent = self._silence.look({address: float(present[address]["last_seen"]) for address in self.placed.workers})
        if silent:
            self._dismiss(silent)
            number = self.placed.workers.index(silent[0])
            raise WorkerLost(
                f"the worker of partition {number} gave no sign of life for {SILENT_S:g} s", where=silent[0]
            )

    def _lost(self, number: int) -> WorkerLost:
        """Say that a worker is gone, and how its job ended, where it was one and that is known."""
        address = self.placed.workers[number]
        why = self.client.why_lost(address) if hasattr(self.client, "why_lost") else ""
        return WorkerLost(
            f"the worker of partition {number} is gone" + (f": {why}" if why else ""),
            where=address,
            do="give the jobs what they lack, as memory or time: section cluster of the configuration" if why else "",
        )

    def _dismiss(self, silent: list[str]) -> None:
        """Have workers ended, and started again where something watches over them: asked to anything, they would not answer."""
        self.client.sync(
            self.client.scheduler.restart_workers,
            workers=silent,
            timeout=_GRACE_S,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"silent-{secrets.token_hex(4)}",
        )

    def _ms(self, step: int) -> float:
        return step * self.setting.network.dt_ms

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
        causes = [error for error in errors if error is not None and not isinstance(error, Stopped)]
        if causes and all(isinstance(error, rendezvous.Unreachable) for error in causes):
            self._until_missed()
        for number, error in enumerate(errors):
            if isinstance(error, SimulationError):
                raise error
            if isinstance(error, OSError) and (said := files.disk_error(error, self.spool.folder, SimulationError)):
                raise said from error
            if isinstance(error, Exception) and not isinstance(error, Stopped):
                if type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError"):
                    raise self._lost(number) from error
                raise SimulationError(
                    f"partition {number} failed: {type(error).__name__}: {error}", where=self.placed.workers[number]
                ) from error
        self._require_workers()
        raise WorkerLost("a partition lost the connection to its peers", where=str(self.placed.workers))

    def _until_missed(self) -> None:
        """Give the scheduler time to miss a worker."""
        deadline = time.monotonic() + _NOTICED_S
        while time.monotonic() < deadline:
            self._require_workers()
            time.sleep(_POLL_S)

    def _settle(self, futures: list[Any]) -> None:
        """Wait until the tasks have ended, so that nothing of them is left, then forget them."""
        deadline = time.monotonic() + _GRACE_S
        try:
            while time.monotonic() < deadline and any(f.status == "pending" for f in futures):
                self._require_workers()
                time.sleep(_POLL_S)
            self.client.cancel(futures, force=True)
        except WorkerLost:
            self.client.cancel(futures, force=True)
        except Exception:  # the cluster itself may be gone: the first error is the one to report
            _LOG.debug("a task could not be waited for", exc_info=True)

    def _forget(self, attempt: str) -> None:
        if self.partitions > 1:
            try:
                self.client.run(rendezvous.forget, attempt, on_error="ignore")
            except Exception:  # the sockets of a dead worker died with it
                _LOG.debug("a worker could not be asked to close its listener", exc_info=True)


def _errors(futures: list[Any]) -> list[BaseException | None]:
    found: list[BaseException | None] = []
    for f in futures:
        if f.status == "error":
            found.append(f.exception())
        else:
            found.append(None)
    return found
