"""Runs that are killed: started, watched and killed as processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 600.0
_PAUSE_S = 0.0005


@dataclass
class Killed:
    """A run in a folder: its process, its status file and its log.

    Parameters
    ----------
    folder : Path
        Has the store and the checkpoints.
    stable : Stable
        Starts the process.
    """

    folder: Path
    stable: "Stable"
    options: dict[str, Any] = field(default_factory=dict)
    process: int = 0
    before: str = ""

    @property
    def store(self) -> Path:
        """The store that the run is to end in."""
        return self.folder / "out.zarr"

    @property
    def log(self) -> str:
        """What the last process said."""
        return (self.folder / "log").read_text()

    def start(self, **execution: Any) -> "Killed":
        """Start the run, or start it again; checkpoints at the end of every window unless asked otherwise."""
        execution = {"threads": 1, "checkpoint": 1e-9, **execution}
        self.before = self._said()
        asked = {"store": str(self.store), "log": str(self.folder / "log"), "execution": execution, **self.options}
        self.process = self.stable.ask(asked)
        return self

    def spool(self) -> Path | None:
        """Folder of the checkpoints."""
        return next(self.folder.glob(".out-checkpoints/run-*"), None)

    def status(self) -> dict[str, Any]:
        """What the run says that it is at; empty where it has said nothing since it was started last."""
        said = self._said()
        return json.loads(said) if said and said != self.before else {}

    def _said(self) -> str:
        try:
            return next(self.folder.glob(".out-checkpoints/run-*/status.json")).read_text()
        except (StopIteration, FileNotFoundError, NotADirectoryError):
            return ""

    def phase(self) -> str:
        """Phase of the run by its status file; empty before it says the first, and after the last."""
        return self.status().get("phase", "")

    def checkpoints(self) -> list[int]:
        """Steps of the checkpoints that are complete."""
        return sorted(int(p.stem[11:]) for p in self.folder.glob(".out-checkpoints/run-*/checkpoint-*.json"))

    def until(self, there: Callable[[], bool]) -> bool:
        """Wait until something is there; False if the run ended before."""
        deadline = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < deadline, self.log
            if _ended(self.process):
                return there()
            time.sleep(_PAUSE_S)
        return True

    def kill(self) -> str:
        """Kill the process and all that it started at once; return the phase in which that was."""
        os.killpg(self.process, signal.SIGKILL)
        self.wait()
        return self.phase()

    def wait(self) -> int:
        """Wait for the process; its status, negative for a signal."""
        return os.waitstatus_to_exitcode(self.stable.ask(self.process))

    def finished(self) -> str:
        """Wait for the process, which is to end well with nothing left but the store; the content of that."""
        assert self.wait() == 0, self.log
        assert sorted(p.name for p in self.folder.iterdir()) == ["log", "out.manifest.json", "out.zarr"]
        return self.content

    def forget(self) -> None:
        """Delete the store, as if it were to be made again."""
        shutil.rmtree(self.store)
        (self.folder / "out.manifest.json").unlink(missing_ok=True)

    @property
    def content(self) -> str:
        """Digest of the content of the store."""
        return self._manifest()["content"]["content_sha256"]

    @property
    def steps(self) -> int:
        """Steps that the last process advanced."""
        return self._manifest()["provenance"]["simulation"]["steps"]

    def _manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "out.manifest.json").read_text())


class Stable:
    """A process that forks runs; see `tests.faults.runs`."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runs"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert self._answer() == "ready"

    def ask(self, something: object) -> int:
        """Start a run, or wait for one."""
        assert self.process.stdin is not None
        print(json.dumps(something), file=self.process.stdin, flush=True)
        return int(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def _ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture(scope="session")
def stable(root: Path) -> Iterator[Stable]:
    """Starts runs."""
    if not sys.platform.startswith("linux"):
        pytest.skip("looks at processes in /proc")
    made = Stable(root)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def run(stable: Stable, tmp_path: Path) -> Killed:
    """A run to be killed."""
    folder = tmp_path / "run"
    folder.mkdir()
    return Killed(folder, stable)


@pytest.fixture(scope="session")
def undisturbed(stable: Stable, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content of the store of a run that nobody disturbs, without checkpoints."""
    return Killed(tmp_path_factory.mktemp("undisturbed"), stable).start(checkpoint="off").finished()
