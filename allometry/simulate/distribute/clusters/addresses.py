"""The address under which the other hosts of a job reach this one."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator


def own_address() -> str:
    """Return the address to listen on for the other tasks of a job.

    It is what this host's name stands for. Where that is an address of the loopback interface, as on many systems, it is the one
    that leads to where `srun` was started, or to another node of the job; on the loopback interface only where `srun`
    was reached there too.
    """
    address = socket.gethostbyname(socket.gethostname())
    launcher = os.environ.get("SLURM_LAUNCH_NODE_IPADDR", "")
    if not _loops(address) or _loops(launcher):
        return address
    # the number of nodes in the environment is that of the step, not of the job
    for peer in _peers(launcher):
        with contextlib.suppress(OSError):
            if not _loops(found := towards(peer)):
                return found
    from distributed.utils import get_ip

    return str(get_ip())


def towards(peer: str) -> str:
    """Return the address of this host's interface from which a peer, by name or address, is reached; nothing is sent."""
    family, _, _, _, there = socket.getaddrinfo(peer, 1, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect(there)
        return str(s.getsockname()[0])


def _loops(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _peers(launcher: str) -> Iterator[str]:
    if launcher:
        yield launcher
    nodes = os.environ.get("SLURM_JOB_NODELIST", "")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, timeout=30)
        yield from (name for name in done.stdout.split() if name != os.environ.get("SLURMD_NODENAME"))
