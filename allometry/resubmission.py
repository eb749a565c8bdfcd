"""Jobs that failed are started again by Snakemake (`retries`); a simulation that got further has not used up a retry.

So a simulation of a week goes through a queue of one-hour jobs: each makes a last checkpoint before its time is over and ends
with status 75, and the next continues from there, however many it takes. One that fails where the one before did is given up
after as many retries as were asked for.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def records(folder: str | Path) -> frozenset[str]:
    """Return what says that a simulation got somewhere: records of complete checkpoints, and conditions that are through.

    Parameters
    ----------
    folder : path
        Folder of the checkpoints of a job.
    """
    found = (path for name in ("checkpoint-*.json", "done.json") for path in Path(folder).glob(f"**/{name}"))
    return frozenset(map(str, found))


def further() -> Callable[[Any], bool]:
    """Return a function that says whether a job, which failed, got further than every time before it was asked of this job."""
    known: dict[str, frozenset[str]] = {}

    def got_further(job: Any) -> bool:
        folder = getattr(getattr(job, "params", None), "checkpoint", None)
        if not isinstance(folder, str):
            return False
        before, now = known.get(folder, frozenset()), records(folder)
        known[folder] = before | now
        return not now <= before

    return got_further


def count_vain_attempts_only() -> None:
    """Have Snakemake count a failed attempt only where it got no further; without `retries` nothing changes.

    Where Snakemake has no such method any more, every attempt counts.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    if not hasattr(JobScheduler, "_handle_error"):
        return
    original, got_further = JobScheduler._handle_error, further()

    def handle(scheduler: JobScheduler, job: Any, *arguments: Any, **named: Any) -> None:
        if job.restart_times > 0 and got_further(job):
            # Snakemake adds it again
            job.attempt -= 1
        original(scheduler, job, *arguments, **named)

    JobScheduler._handle_error = handle
