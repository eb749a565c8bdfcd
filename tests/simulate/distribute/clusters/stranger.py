"""Another user of the same machine, who tries what he can: to be a client, to read pages and to read files."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

# He tries to be a client without and with a certificate of his own.
STRANGER = """
import json, os, sys
from urllib.request import urlopen
from distributed import Client, Security
import dask
Security.temporary()
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
dask.config.set({"distributed.comm.timeouts.connect": "2s", "distributed.comm.retry.count": 0})
reached = []
for address in sys.argv[1].split():
    for scheme, security in (("tcp", None), ("tls", Security.temporary())):
        try:
            with Client(f"{scheme}://{address}", timeout=2, security=security) as client:
                client.run_on_scheduler(lambda: None)
            reached.append(f"{scheme}://{address}")
        except Exception:
            pass
for address in sys.argv[2].split():
    for page in ("status", "info/main/workers.html", "json/identity.json", "metrics"):
        try:
            with urlopen(f"http://{address}/{page}", timeout=5) as answer:
                reached.append(f"{address}/{page}")
        except Exception:
            pass
for file in sys.argv[3].split():
    try:
        open(file).read()
        reached.append(file)
    except PermissionError:
        pass
print(json.dumps(reached))
"""


def stranger(addresses: list[str], pages: list[str], files: list[str]) -> list[str]:
    """What he reached, of addresses of Dask (`host:port`), of pages and of files.

    Where the tests run as root he is the user 65534, else the same user.
    """
    command = [sys.executable, "-c", STRANGER, *map(" ".join, (addresses, pages, files))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    reached: list[str] = json.loads(done.stdout.splitlines()[-1])
    return reached


def listening(processes: set[int]) -> list[tuple[str, int]]:
    """Return the addresses on which TCP sockets of processes listen, as the kernel lists them."""
    inodes = set()
    for process in processes:
        for link in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table, width in (("tcp", 8), ("tcp6", 32)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                host, port = columns[1].split(":")
                assert len(host) == width
                readable = socket.inet_ntoa(bytes.fromhex(host)[::-1]) if width == 8 else host
                found.append((readable, int(port, 16)))
    return found
