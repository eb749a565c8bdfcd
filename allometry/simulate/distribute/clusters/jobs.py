"""What SLURM says of a job: how much of its time is left, and how it ended; no accounting database is needed."""

import contextlib
import math
import os
import re
import subprocess
import time
from pathlib import Path

_GOING = frozenset({"", "RUNNING", "COMPLETING", "CONFIGURING", "PENDING", "SUSPENDED"})
#: How long the controller may take to hear of the end, s.
_HEARS_S = 10.0


def left_of_job(jobs: str | None = None) -> float:
    """Return the seconds that are left of SLURM jobs, of that one which has least; infinite outside a job, or where unknown.

    Parameters
    ----------
    jobs : str, optional
        Their numbers, with commas; default the job around this process.
    """
    if jobs is None:
        jobs = os.environ.get("SLURM_JOB_ID", "")
        with contextlib.suppress(KeyError, ValueError):
            return float(os.environ["SLURM_JOB_END_TIME"]) - time.time()
    if not jobs:
        return math.inf
    command = ["squeue", "--noheader", "--jobs", jobs, "--format", "%L"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return math.inf
    return min(map(_seconds, done.stdout.split()), default=math.inf)


def _seconds(text: str) -> float:
    """Read `[days-][hours:]minutes:seconds`; anything else, as UNLIMITED, is no limit."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if not found:
        return math.inf
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def how_ended(job: str, wait_s: float = _HEARS_S) -> str:
    """Return the state of a job that ended, with its reason, and what was said of its last error; empty where nobody knows.

    Parameters
    ----------
    job : str
        Its number.
    wait_s : float
        How long to wait for the controller to hear of it, s.
    """
    deadline = time.monotonic() + wait_s
    while True:
        shown = _shown(job)
        state = shown.get("JobState", "")
        if state not in _GOING or time.monotonic() > deadline or not shown:
            break
        time.sleep(0.5)
    if state in _GOING:
        return ""
    reason = shown.get("Reason", "None")
    said = _last_error(shown.get("StdErr", ""))
    return state + (f" ({reason})" if reason != "None" else "") + (f": {said}" if said else "")


def _shown(job: str) -> dict[str, str]:
    try:
        done = subprocess.run(
            ["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(re.findall(r"(\w+)=(\S*)", done.stdout)) if done.returncode == 0 else {}


def _last_error(path: str) -> str:
    """Return what slurmstepd said last in the output of a job."""
    with contextlib.suppress(OSError):
        lines = Path(path).read_text(errors="replace").splitlines()
        errors = [line for line in lines if line.startswith("slurmstepd: error: ")]
        if errors:
            return errors[-1].removeprefix("slurmstepd: error: ").strip("* ")
    return ""
