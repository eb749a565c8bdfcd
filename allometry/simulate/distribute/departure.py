"""Ending before the time is over: a last checkpoint is asked for, and once it is there, the run ends or changes its workers."""

import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

from allometry.errors import SimulationError
from allometry.simulate.distribute.output import Output
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage.spool import Spool
from allometry.simulate.distribute.time_limit import TimeLimit

YOUNG_S = 30.0
"""A run with checkpoints `auto` that SIGTERM ends within this time is not worth one, s."""
_LOOK_S = 0.2
_LOG = logging.getLogger("allometry")


class OutOfTime(SimulationError):
    """A run ended before its time did, with a checkpoint to continue from: status 75, EX_TEMPFAIL of sysexits.h."""

    status = 75


class WorkerLost(SimulationError):
    """A worker that ran a partition is gone."""


class JobsEnd(WorkerLost):
    """The jobs of the workers are about to end, and a checkpoint is there for those that follow."""


def saved(outputs: Sequence[Output]) -> tuple[Any, ...]:
    """Return what would be left of a run if it ended now, to be compared."""
    return tuple((o.finished, *(() if o.finished else o.spool.recorded()[:1])) for o in outputs)


class Departure:
    """Watches the time of a run.

    Parameters
    ----------
    setting, outputs, spool
        The run; see `attempts.Attempts`.
    limit : TimeLimit
        Its time.
    """

    def __init__(self, setting: Setting, outputs: Sequence[Output], spool: Spool, limit: TimeLimit) -> None:
        self._setting, self._outputs, self._spool, self._limit = setting, outputs, spool, limit
        self.begin()

    def begin(self) -> None:
        """Take note that an attempt begins."""
        self._began = time.monotonic()
        self._looked, self._why = 0.0, ""
        self._asked: tuple[Any, ...] | None = None

    def mind(self) -> None:
        """Ask for a last checkpoint where the time is nearly over, and end once it is there.

        Raises
        ------
        OutOfTime
            The time of this process is over, and the checkpoint there.
        JobsEnd
            The same of the workers' jobs, which can be replaced.
        SystemExit
            SIGTERM has come, and there will be no checkpoint.
        """
        if self._asked is not None:
            if saved(self._outputs) != self._asked:
                self._end()
            return
        now, terminated = time.monotonic(), self._limit.signal == "SIGTERM"
        if now - self._looked < _LOOK_S and not terminated:
            return
        self._looked = now
        status = self._spool.read_json("status.json") or {}
        checkpoint_s = float(status.get("checkpoint_s", 0.0))
        advances = self._setting.keep and status.get("phase") in ("step loop", "checkpoint")
        young = self._setting.checkpoint == "auto" and now - self._began < YOUNG_S
        if terminated and (young or not advances):
            sys.exit(143)
        self._why = self._limit.over(checkpoint_s)
        if advances and (self._why or self._limit.jobs_over(checkpoint_s)):
            self._asked = saved(self._outputs)
            _LOG.info("%s: a last checkpoint is made", self._why or "the workers' jobs are about to end")
            self._spool.ask()

    def _end(self) -> None:
        steps = [step for o in self._outputs if not o.finished for step in o.spool.recorded()[:1]]
        reached = f"a checkpoint at {max(steps, default=0) * self._setting.network.dt_ms:g} ms"
        if not (why := self._why or self._limit.signal):
            raise JobsEnd(f"the workers' jobs are about to end, with {reached}")
        raise OutOfTime(
            f"the simulation ends before it is through, with {reached}: {why}",
            where=str(self._spool.folder),
            expected="the same run again, as often as it takes: it continues from there",
            do="run the same again; a workflow with the profile for SLURM does so by itself (retries)",
        )
