"""Commands of Python in processes of their own that need not import the libraries again.

Run as a script, this imports what takes long and forks a process for every command that it reads. The package itself is not
imported before the fork: a command runs the code of the folder that it starts in, as `python -m` does, and sees its environment.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIBRARIES = (
    "snakemake.cli",
    "snakemake.script",
    "dask.array",
    "networkx",
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


class Forks:
    """Runs commands by a process that has the libraries imported; it is started with the first of them."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

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

    def _ask(self, asked: Mapping[str, Any]) -> int:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, __file__],
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
    signal.alarm(PATIENCE_S)
    for descriptor, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], os.O_WRONLY | os.O_CREAT),
        (2, asked["err"], os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    further = [entry for entry in asked["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [asked["cwd"], *further, *path]
    importlib.invalidate_caches()
    exec(asked["first"], {})
    module, *arguments = asked["arguments"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _serve() -> None:
    # without the folder of the tests, whose names are none of a library's
    path = sys.path[1:]
    sys.path[:] = path
    for name in LIBRARIES:
        importlib.import_module(name)
    # objects that nobody changes stay shared with the forks
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            # and return: the command ends as any does, with what it has registered to be done at its end
            _become(asked, path)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
