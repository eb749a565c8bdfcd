"""Hosts of their own on one machine: namespaces of Linux, each with a name, an address, its processes, and the common disk.

What runs in one cannot see the processes of another, and reaches it over the network alone. Needs root and iproute2.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NETWORK = "10.97.0"
LOGIN = f"{NETWORK}.254"
"""Address of the machine itself on the network of the hosts."""
_BRIDGE = "allometry-br"


@dataclass(frozen=True)
class Host:
    """A host by name and address; `enter` begins a command that is to run in it, and that it lives as long as."""

    name: str
    address: str
    enter: tuple[str, ...]


def missing() -> str:
    """Why there can be no hosts of their own here; empty where there can."""
    absent = [name for name in ("ip", "nsenter", "unshare") if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    allowed = subprocess.run(
        ["unshare", "--net", "--uts", "--pid", "--fork", "--mount-proc", "true"], check=False, capture_output=True
    )
    return "" if allowed.returncode == 0 else "namespaces are not permitted here"


@contextlib.contextmanager
def several(count: int, folder: Path) -> Iterator[list[Host]]:
    """Yield `count` hosts, node1 and so on, which know each other's names from a file in `folder`."""
    names = [f"node{number}" for number in range(1, count + 1)]
    addresses = [f"{NETWORK}.{number}" for number in range(1, count + 1)]
    _forget(names)
    with contextlib.ExitStack() as stack:
        _ip("link", "add", _BRIDGE, "type", "bridge")
        stack.callback(_ip, "link", "del", _BRIDGE)
        _ip("addr", "add", f"{LOGIN}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        made = []
        for name, address in zip(names, addresses):
            # as Debian's installer has it, and as it is on many clusters: a host's own name is an address of its loopback
            lines = ["127.0.0.1 localhost", f"127.0.1.1 {name}"]
            lines += [f"{other} {host}" for host, other in zip(names, addresses) if host != name]
            known = folder / f"hosts-{name}"
            known.write_text("\n".join([*lines, ""]))
            space = f"allometry-{name}"
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            _ip("link", "add", f"allo-{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
            # a namespace goes when its last process has gone, and what it holds later still
            stack.callback(_ip, "link", "del", f"allo-{name}")
            _ip("link", "set", f"allo-{name}", "master", _BRIDGE, "up")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "route", "add", "default", "via", LOGIN)
            inside = f'hostname {name}; mount --bind "{known}" /etc/hosts; "$@" & wait'
            unshare = ["unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
            enter = ("nsenter", f"--net=/run/netns/{space}", *unshare, "sh", "-c", inside, name)
            made.append(Host(name, address, enter))
        yield made


def _forget(names: list[str]) -> None:
    """Take away what a killed test left."""
    for words in (("link", "del", _BRIDGE), *(("netns", "del", f"allometry-{name}") for name in names)):
        subprocess.run(["ip", *words], check=False, capture_output=True)
    for name in names:
        subprocess.run(["ip", "link", "del", f"allo-{name}"], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
