"""A real SLURM on this machine, for tests: munge, one controller and one node, all below a folder of the test.

Needs root, and Debian's packages slurm-wlm and munge (or the same programs from elsewhere).
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
CONFIGURED = Path("/etc/slurm/slurm.conf")


def missing() -> str:
    """Why SLURM cannot be started here; empty where it can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian's packages slurm-wlm and munge)"
    if os.geteuid() != 0:
        return "only root can start SLURM's daemons"
    if CONFIGURED.exists():
        return f"{CONFIGURED} exists: this machine has a SLURM of its own"
    return ""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[None]:
    """Start the daemons, wait until the node is idle; stop them and leave nothing behind."""
    for name in ("state", "spool", "log"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    configuration.write_text(_configuration(folder))
    daemons: list[subprocess.Popen[bytes]] = []
    CONFIGURED.parent.mkdir(parents=True, exist_ok=True)
    # jobs do not see SLURM_CONF of the shell that submits them
    CONFIGURED.symlink_to(configuration)
    try:
        _munge(folder, daemons)
        for command in (["slurmctld", "-c", "-D"], ["slurmd", "-D"]):
            daemons.append(_daemon(command, folder))
        _until_idle(folder)
        yield
    finally:
        subprocess.run(["scancel", "--user=root"], check=False, capture_output=True, timeout=300)
        CONFIGURED.unlink()
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _daemon(command: list[str], folder: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    with (folder / "log" / f"{command[0]}.out").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": _path()},
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def _munge(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> None:
    for name, mode in (("/run/munge", 0o755), ("/var/log/munge", 0o700), ("/var/lib/munge", 0o700)):
        Path(name).mkdir(parents=True, exist_ok=True)
        shutil.chown(name, "munge", "munge")
        Path(name).chmod(mode)
    if subprocess.run(["munge", "-n"], check=False, capture_output=True).returncode != 0:
        daemons.append(_daemon(["munged", "--foreground", "--force"], folder, user="munge"))


def _until_idle(folder: Path, timeout_s: float = 300.0) -> None:
    deadline = time.monotonic() + timeout_s
    state = ""
    while time.monotonic() < deadline:
        found = subprocess.run(["sinfo", "-h", "-o", "%t"], check=False, capture_output=True, text=True)
        state = found.stdout.strip() or found.stderr.strip()
        if state == "idle":
            return
        time.sleep(0.3)
    logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted((folder / "log").iterdir()))
    raise RuntimeError(f"SLURM's node is not idle after {timeout_s:g} s: {state!r}\n{logs}")


def _configuration(folder: Path) -> str:
    host = socket.gethostname().split(".")[0]
    memory_mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 * 9 // 10
    settings = {
        "ClusterName": "local",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        "CredType": "cred/munge",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmctldLogFile": folder / "log" / "slurmctld.log",
        "SlurmdLogFile": folder / "log" / "slurmd.log",
        "SlurmctldPort": 16817,
        "SlurmdPort": 16818,
        "MpiDefault": "none",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SwitchType": "switch/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_CPU_Memory",
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": "sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0",
        "ReturnToService": 2,
        "MinJobAge": 300,
    }
    node = f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={memory_mib} State=UNKNOWN"
    partition = f"PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP"
    return "\n".join([*(f"{key}={value}" for key, value in settings.items()), node, partition, ""])
