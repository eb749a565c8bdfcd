"""`allometry doctor`: whether this machine and this environment can run the workflow, line by line, and what to do where not."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from allometry.terminal.arguments import CHECKOUT

OK, WARN, FAIL = "ok", "warn", "fail"
LOCK = Path("envs/requirements.lock")
GIB = 2**30
# The embedded tier writes 0.3 GB, and the environment takes 1.5 GB.
LITTLE_DISK, NO_DISK = 5 * GIB, GIB
# The largest job of the embedded tier takes 1 GiB; the microcircuit at full scale 1.6.
LITTLE_MEMORY, NO_MEMORY = 4 * GIB, 2 * GIB
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(\s*;)?", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """What was found.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "warn", "fail"}
    found : str
        In words.
    do : str
        What to do; empty where all is well.
    """

    name: str
    state: str
    found: str
    do: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<5}{self.name:<14}{self.found}"
        return f"{line}\n{'':<19}to do: {self.do}" if self.do else line


def python() -> Check:
    """Version of Python, and whether it is that of an environment of its own."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check("python", FAIL, version, "use Python 3.11, 3.12 or 3.13: make PYTHON=python3.12")
    if sys.prefix == sys.base_prefix:
        return Check(
            "python", WARN, f"{version}, not in an environment of its own", "run `make install` in the checkout"
        )
    return Check("python", OK, f"{version} in {sys.prefix}")


def packages(lock: Path = LOCK) -> Check:
    """Whether what is installed is what the lock file says."""
    if not lock.is_file():
        return Check(
            "packages", OK, f"allometry {importlib.metadata.version('allometry')}; no lock file in this folder"
        )
    differ, missing = [], []
    for name, wanted, conditional in _PINNED.findall(lock.read_text(encoding="utf-8")):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing += [] if conditional else [name]
            continue
        if found != wanted:
            differ.append(f"{name} {found} (locked: {wanted})")
    said = "; ".join(
        part
        for part in (
            f"{len(missing)} missing: {', '.join(missing[:5])}" if missing else "",
            f"{len(differ)} of another version: {', '.join(differ[:5])}" if differ else "",
        )
        if part
    )
    if said:
        return Check(
            "packages", WARN, said, "run `make install`, which installs the lock file; results may differ till then"
        )
    return Check("packages", OK, f"as {lock} says")


def workflow() -> Check:
    """Whether there is a checkout, whose workflow can be run: this folder, or that of the package."""
    if Path("Snakefile").is_file() and Path("rules").is_dir():
        return Check("workflow", OK, f"a checkout: {Path.cwd()}")
    if (CHECKOUT / "Snakefile").is_file():
        return Check("workflow", OK, f"that of {CHECKOUT}; results go into this folder")
    return Check(
        "workflow", WARN, "this folder is no checkout", "change into one for `allometry run`; all else works anywhere"
    )


def mirror(environment: Mapping[str, str] = os.environ) -> Check:
    """Whether the folder of files that are not downloaded is there."""
    named = environment.get("ALLOMETRY_MIRROR", "")
    if not named:
        return Check("mirror", OK, "none: data come from packages on PyPI, and from downloads")
    folder = Path(named)
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        return Check("mirror", FAIL, f"{folder} is no folder that can be read", "correct ALLOMETRY_MIRROR, or unset it")
    entries = sum(1 for _ in folder.iterdir())
    if not entries:
        return Check(
            "mirror", WARN, f"{folder} is empty", "put files into it as docs/datasets.md names them, or unset it"
        )
    return Check("mirror", OK, f"{folder}, {entries} entries")


def disk(folder: Path = Path()) -> Check:
    """Whether there is room, and the right to write."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Check("disk", FAIL, f"{folder.resolve()}: {error.strerror}", "run in a folder that you may write to")
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free in {folder.resolve()}"
    if free < NO_DISK:
        return Check("disk", FAIL, said, "free some space: a small run writes 0.5 GB")
    if free < LITTLE_DISK:
        return Check("disk", WARN, said, "enough for config.yaml; config/full.yaml needs more: see `allometry plan`")
    return Check("disk", OK, said)


def memory(text: str | None = None) -> Check:
    """Memory that processes can still have; that of the container where it has less."""
    try:
        lines = Path("/proc/meminfo").read_text() if text is None else text
        found = re.search(r"^MemAvailable:\s+(\d+) kB", lines, re.MULTILINE)
        free = int(found[1]) * 1024 if found else None
    except OSError:
        free = None
    if free is None:
        return Check("memory", WARN, "not known on this system", "`allometry plan` says what a run needs")
    limit = _limit()
    free = free if limit is None else min(free, limit)
    said = f"{free / GIB:.1f} GiB available"
    if free < NO_MEMORY:
        return Check("memory", FAIL, said, "close other programs, or use another machine: config.yaml needs 2 GiB")
    if free < LITTLE_MEMORY:
        return Check("memory", WARN, said, "enough for config.yaml; see `allometry plan` for larger ones")
    return Check("memory", OK, said)


def _limit(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that the container leaves, None without a limit."""
    try:
        most, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return None if most == "max" else max(0, int(most) - int(used))
    except (OSError, ValueError):
        return None


def threads(quota: str | None = None, load: float | None = None) -> Check:
    """Cores that this process may use, and how busy they are."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if quota is None:
        try:
            quota = Path("/sys/fs/cgroup/cpu.max").read_text()
        except OSError:
            quota = "max"
    part = quota.split()
    allowed = int(part[0]) / int(part[1]) if len(part) == 2 and part[0].isdigit() else cores
    load = os.getloadavg()[0] if load is None else load
    said = f"{cores} cores"
    if allowed < cores:
        return Check(
            "threads",
            WARN,
            f"{said}, of which this container has {allowed:.1f}",
            f"run with --cores {max(1, int(allowed))}",
        )
    if load > 1.5 * cores:
        return Check("threads", WARN, f"{said}; {load:.1f} processes want them", "it works, and takes longer")
    return Check("threads", OK, said)


def slurm() -> Check:
    """Whether there is a SLURM controller to submit to."""
    if shutil.which("sinfo") is None:
        return Check("SLURM", OK, "not here; runs stay on this machine")
    try:
        done = subprocess.run(["sinfo", "--noheader", "--format", "%P %a"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("SLURM", WARN, f"sinfo does not answer ({type(error).__name__})", "ask the cluster's support")
    if done.returncode:
        return Check(
            "SLURM", WARN, (done.stderr.strip().splitlines() or ["sinfo failed"])[-1], "ask the cluster's support"
        )
    up = [line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["up"]]
    if not up:
        return Check("SLURM", WARN, "no partition is up", "wait, or ask the cluster's support")
    return Check("SLURM", OK, f"partitions {', '.join(up)}; run with --workflow-profile profiles/slurm")


def mpi() -> Check:
    """Whether MPI is there; nothing needs it."""
    launcher, module = shutil.which("mpirun"), importlib.util.find_spec("mpi4py")
    found = [name for name, there in (("mpirun", launcher), ("mpi4py", module)) if there]
    return Check("MPI", OK, f"{' and '.join(found) or 'not here'}; not needed: partitions exchange spikes over sockets")


CHECKS: tuple[Callable[[], Check], ...] = (python, packages, workflow, mirror, disk, memory, threads, slurm, mpi)


def checks() -> Iterator[Check]:
    """Everything that is looked at, in order."""
    for check in CHECKS:
        yield check()


def run() -> int:
    """Print a line for each check; return the exit status, 1 where something fails."""
    found = []
    for check in checks():
        print(check, flush=True)
        found.append(check.state)
    failed, warned = found.count(FAIL), found.count(WARN)
    said = "all is well" if not failed + warned else f"{failed} to be solved, {warned} to know of"
    print(f"{len(found)} checks: {said}")
    return 1 if failed else 0
