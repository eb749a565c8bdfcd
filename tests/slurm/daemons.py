"""A real SLURM on this machine, for tests: munge, one controller and its nodes, all below a folder of the test.

One node is this machine itself; several are hosts of their own (`hosts`). Needs root, and Debian's packages slurm-wlm and
munge (or the same programs from elsewhere).
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.slurm import hosts

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
def running(folder: Path, nodes: Sequence[hosts.Host] = ()) -> Iterator[None]:
    """Start the daemons, wait until all nodes are idle; stop them and leave nothing behind.

    Without `nodes`, this machine is the only one.
    """
    for name in ("state", "spool", "log"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    configuration.write_text(_several(folder, nodes) if nodes else _one(folder))
    daemons: list[subprocess.Popen[bytes]] = []
    CONFIGURED.parent.mkdir(parents=True, exist_ok=True)
    # of a killed test, whose folder is gone
    CONFIGURED.unlink(missing_ok=True)
    # jobs do not see SLURM_CONF of the shell that submits them
    CONFIGURED.symlink_to(configuration)
    try:
        _munge(folder, daemons)
        daemons.append(_daemon(["slurmctld", "-c", "-D"], folder, "slurmctld"))
        if not nodes:
            daemons.append(_daemon(["slurmd", "-D"], folder, "slurmd"))
        for host in nodes:
            daemons.append(_daemon([*host.enter, "slurmd", "-D", "-N", host.name], folder, f"slurmd-{host.name}"))
        _until_idle(folder, max(1, len(nodes)))
        yield
    finally:
        subprocess.run(["scancel", "--user=root"], check=False, capture_output=True, timeout=300)
        CONFIGURED.unlink()
        for daemon in reversed(daemons):
            # a host of its own, and all that it runs, ends with the process that entered it, which heeds nothing else
            daemon.kill() if nodes and daemon.args[0] == nodes[0].enter[0] else daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _daemon(command: list[str], folder: Path, name: str, user: str | None = None) -> subprocess.Popen[bytes]:
    with (folder / "log" / f"{name}.out").open("wb") as log:
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
        daemons.append(_daemon(["munged", "--foreground", "--force"], folder, "munged", user="munge"))


def _until_idle(folder: Path, nodes: int, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    state = ""
    while time.monotonic() < deadline:
        found = subprocess.run(["sinfo", "-h", "-N", "-o", "%t"], check=False, capture_output=True, text=True)
        state = found.stdout.strip() or found.stderr.strip()
        if state.split() == ["idle"] * nodes:
            return
        time.sleep(0.3)
    logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted((folder / "log").iterdir()))
    raise RuntimeError(f"SLURM's nodes are not idle after {timeout_s:g} s: {state!r}\n{logs}")


def _one(folder: Path) -> str:
    host = socket.gethostname().split(".")[0]
    node = f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={_memory_mib()} State=UNKNOWN"
    return _configuration(folder, "127.0.0.1", {}, [node])


def _several(folder: Path, nodes: Sequence[hosts.Host]) -> str:
    """Nodes that also look at the memory of their jobs, once a second, and kill those that use too much."""
    size = f"CPUs={os.cpu_count()} RealMemory={_memory_mib() // len(nodes)} State=UNKNOWN"
    settings = {
        "SlurmdSpoolDir": folder / "spool" / "%n",
        "SlurmdPidFile": folder / "slurmd-%n.pid",
        "SlurmdLogFile": folder / "log" / "slurmd-%n.log",
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
        "JobAcctGatherParams": "OverMemoryKill",
        "KillWait": 20,
    }
    lines = [f"NodeName={host.name} NodeAddr={host.address} {size}" for host in nodes]
    return _configuration(folder, hosts.LOGIN, settings, lines)


def _memory_mib() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 * 9 // 10


def _configuration(folder: Path, controller: str, own: Mapping[str, object], nodes: Sequence[str]) -> str:
    settings = {
        "ClusterName": "local",
        "SlurmctldHost": f"{socket.gethostname().split('.')[0]}({controller})",
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
        **own,
    }
    partition = "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
    return "\n".join([*(f"{key}={value}" for key, value in settings.items()), *nodes, partition, ""])
