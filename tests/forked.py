"""Commands of Python in processes of their own that need not import the libraries again.

Run as a script, this imports what takes long and forks a process for every command that it reads. The package itself is not
imported before the fork: a command runs the code of the folder that it starts in, as `python -m` does, and sees its environment.

What such a command starts by `sys.executable`, the jobs of a workflow above all, are forks as well: that is a small program
which asks a second process with the same libraries, and gives it its own files, folder and environment.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = (
    "snakemake.cli",
    "snakemake.script",
    "dask.array",
    "networkx",
    "matplotlib.figure",
    "numba",
    "pandas",
    "pydantic",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.stats",
    "xarray",
    "yaml",
    "zarr",
)
PATIENCE_S = 3600
# What stands for Python: it asks for a fork, and becomes Python itself for what no fork is made of, such as `-c`.
SHIM = """#!{python} -ISs
import json, os, socket, sys
words = sys.argv[1:]
if not words or (words[0].startswith("-") and words[0] != "-m"):
    os.execv({python!r}, [{python!r}, *words])
asked = json.dumps({{"words": words, "cwd": os.getcwd(), "env": dict(os.environ)}}).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    said = server.recv(8)
sys.exit(int(said) if said else 1)
"""


class Forks:
    """Runs commands by a process that has the libraries imported; it is started with the first of them."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        self.python = Path(self._folder.name, "python")

    def run(
        self, *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, first: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Do what `subprocess.run([sys.executable, "-m", *arguments])` does.

        Parameters
        ----------
        *arguments : str
            Name of a module, and its arguments.
        cwd : path, optional
            Folder that the command starts in, which comes first on the path of Python; None: that of this process.
        env : mapping, optional
            The whole environment; None: that of this process.
        first : str
            Code that is run before it.
        """
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            asked = {
                "arguments": arguments,
                "cwd": str(cwd or Path.cwd()),
                "env": dict(os.environ if env is None else env),
                "out": str(out),
                "err": str(err),
                "first": first,
            }
            status = self._ask(asked)
            said, complained = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
        if status == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(arguments, PATIENCE_S, said, complained)
        return subprocess.CompletedProcess(arguments, status, said, complained)

    def close(self) -> None:
        """End the process."""
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait()
        self._folder.cleanup()

    def _ask(self, asked: Mapping[str, Any]) -> int:
        if self._server is None:
            address = str(self.python.with_name("jobs"))
            self.python.write_text(SHIM.format(python=sys.executable, address=address), encoding="utf-8")
            self.python.chmod(0o700)
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(self.python), address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                # what a command finds on the path is its own
                env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())


def _become(asked: Mapping[str, Any], path: list[str]) -> None:
    """Turn this process into the command."""
    for descriptor, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], os.O_WRONLY | os.O_CREAT),
        (2, asked["err"], os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    _enter(asked, asked["cwd"], path)
    exec(asked["first"], {})
    _run_module(asked["arguments"])


def _become_job(asked: Mapping[str, Any], path: list[str]) -> None:
    """Turn this process into what was started by `sys.executable`: a module with `-m`, or a script."""
    first, *more = asked["words"]
    if first == "-m":
        _enter(asked, asked["cwd"], path)
        _run_module(more)
        return
    _enter(asked, str(Path(asked["cwd"], first).parent), path)
    sys.executable = _REAL
    sys.argv = asked["words"]
    runpy.run_path(first, run_name="__main__")


def _enter(asked: Mapping[str, Any], first: str, path: Sequence[str]) -> None:
    """Take folder and environment of a command; `first` comes first on the path of Python."""
    signal.alarm(PATIENCE_S)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    further = [entry for entry in asked["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [first, *further, *path]
    importlib.invalidate_caches()


def _run_module(words: Sequence[str]) -> None:
    module, *arguments = words
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


_REAL = sys.executable


def _serve(shim: str, address: str) -> None:
    # without the folder of the tests, whose names are none of a library's
    path = sys.path[1:]
    sys.path[:] = path
    for name in LIBRARIES:
        importlib.import_module(name)
    # objects that nobody changes stay shared with the forks
    gc.collect()
    gc.freeze()
    sys.executable = shim
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen(64)
    parent = os.getpid()
    jobs = os.fork()
    if not jobs:
        _serve_jobs(server, parent, path)
        return
    server.close()
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            # and return: the command ends as any does, with what it has registered to be done at its end
            _become(asked, path)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    os.kill(jobs, signal.SIGTERM)
    os.waitpid(jobs, 0)


def _serve_jobs(server: socket.socket, parent: int, path: list[str]) -> None:
    """Fork what the programs ask for that stand for Python, several at a time, for as long as the parent lives."""
    waiters: list[int] = []
    while os.getppid() == parent:
        waiters = [waiter for waiter in waiters if not os.waitpid(waiter, os.WNOHANG)[0]]
        if not select.select([server], [], [], 1.0)[0]:
            continue
        connection, _ = server.accept()
        waiter = os.fork()
        if not waiter:
            server.close()
            _serve_job(connection, path)
            return
        waiters.append(waiter)
        connection.close()


def _serve_job(connection: socket.socket, path: list[str]) -> None:
    """Fork one job, tell how it ended, and end it where nobody waits for that any more."""
    length, files, _, _ = socket.recv_fds(connection, 8, 3)
    content = b""
    while len(content) < int.from_bytes(length, "big"):
        content += connection.recv(1 << 20)
    asked = json.loads(content)
    job = os.fork()
    if not job:
        connection.close()
        for descriptor, file in enumerate(files):
            os.dup2(file, descriptor)
            os.close(file)
        _become_job(asked, path)
        return
    for file in files:
        os.close(file)
    ended = os.pidfd_open(job)
    while ended not in (ready := select.select([ended, connection], [], [])[0]):
        if connection in ready:
            os.kill(job, signal.SIGTERM)
            select.select([ended], [], [], 10.0)
            os.kill(job, signal.SIGKILL)
            break
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    # as a shell says that a signal ended it
    connection.sendall(str(status if status >= 0 else 128 - status).encode())
    os._exit(0)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
