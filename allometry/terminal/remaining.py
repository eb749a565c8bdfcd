"""How long a run still takes: its plan, corrected by how the jobs so far went."""

import dataclasses

from allometry.workflow.planning.plan import Plan

# Planned work after which what was measured corrects the plan, s; and how far it may.
_ENOUGH_S = 5.0
_LEAST, _MOST = 0.25, 6.0
_EVERY_S = 2.0


class Remaining:
    """Time left of a run.

    Parameters
    ----------
    plan : Plan
        Made when the run started.
    now : float
        Time at which it starts, s of any clock.
    """

    def __init__(self, plan: Plan, now: float) -> None:
        self._plan, self._started, self._at = plan, now, now
        self._left, self._whole = plan.wall_s, plan.wall_s
        self._numbers = {job.benchmark: number for number, job in enumerate(plan.jobs)}
        self._done: set[int] = set()
        self._running: dict[int, float] = {}

    def planned(self, benchmark: str) -> float:
        """Planned time of the job with this benchmark file, s; 0 where the plan has none."""
        number = self._numbers.get(benchmark)
        return 0.0 if number is None else self._plan.jobs[number].seconds

    def started(self, benchmark: str, now: float) -> None:
        """Note that the job with this benchmark file has started."""
        if benchmark in self._numbers:
            self._running[self._numbers[benchmark]] = now

    def finished(self, benchmark: str, now: float) -> None:
        """Note that the job with this benchmark file is done."""
        if benchmark not in self._numbers:
            return
        number = self._numbers[benchmark]
        self._running.pop(number, None)
        self._done.add(number)
        if now - self._at >= _EVERY_S or len(self._done) == len(self._plan.needed):
            self._left, self._at = self._schedule(now), now

    def seconds(self, now: float) -> float:
        """Time left, s; never negative."""
        return max(0.0, self._left * self._factor() - (now - self._at))

    def _factor(self) -> float:
        """How many times longer it takes than was planned."""
        planned, took = self._whole - self._left, self._at - self._started
        if planned < _ENOUGH_S or took <= 0:
            return 1.0
        return min(_MOST, max(_LEAST, took / planned))

    def _schedule(self, now: float) -> float:
        """Wall time of what is not done, s by the plan; of running jobs what is left of them."""
        jobs = tuple(
            dataclasses.replace(
                job,
                needed=job.needed and number not in self._done,
                seconds=max(0.1, job.seconds - (now - self._running[number]))
                if number in self._running
                else job.seconds,
            )
            for number, job in enumerate(self._plan.jobs)
        )
        return dataclasses.replace(self._plan, jobs=jobs).wall_s
