"""Files that partitions write while running: a segment per time window, and checkpoints of the state.

A segment holds the spikes (and voltage samples) of one partition in one window; the collector merges the segments of a
window. With checkpoints the merged windows are kept until the run ends, so that a rerun can rewrite its store. Every
file is written beside its name and renamed, so that what is there is complete; what a checkpoint consists of carries a
seal at its end, by which damage is found.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from allometry import files
from allometry.errors import SimulationError
from allometry.files import atomic
from allometry.simulate.build.threads import Stopped

_STALE_S = 300.0
ABANDONED_S = 3600.0
#: How long to wait for a folder that another process holds: one whose workflow was killed needs a moment to end, s.
PATIENCE_S = 20.0
_OURS = re.compile(
    r"^((segment|merged|state)-.*|start)\.npz$|^(checkpoint-\d+|attempt|run|done|status|measured-\d+)\.json$"
    rf"|^grown-.*\.npy$|^due-\d+$|^(alive|asked|stop|lock)$|^condition-[0-9a-f]{{16}}$|^{re.escape(files.PARTIAL)}"
)
_SAVED = re.compile(r"^(?:state|checkpoint)-(\d{12})\b")
_SEAL = b"allosha2"


class _Sealing(io.RawIOBase):
    """Passes on what is written, and digests it; an archive cannot go back in it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._digest = stream, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._stream.write(data)

    def seal(self) -> None:
        self._stream.write(_SEAL + self._digest.digest())


@dataclass(frozen=True)
class Spool:
    """The folder of one run."""

    folder: Path

    @property
    def start(self) -> Path:
        """Path of the state that a continued run begins with."""
        return self.folder / "start.npz"

    def inner(self, name: str) -> "Spool":
        """Return the spool of one condition of a run."""
        return Spool(self.folder / f"condition-{name}")

    def make(self) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def go(self, attempt: str) -> None:
        """Make the folder, and let the partitions of an attempt run; those of earlier ones end."""
        self.make()
        self.write_json("attempt.json", {"attempt": attempt})
        for name in ("stop", "asked"):
            (self.folder / name).unlink(missing_ok=True)

    def segment(self, window: int, part: int) -> Path:
        """Path of a partition's segment."""
        return self.folder / f"segment-{window:08d}-{part:05d}.npz"

    def merged(self, window: int) -> Path:
        """Path of a merged window."""
        return self.folder / f"merged-{window:08d}.npz"

    def state(self, step: int, part: int, parts: int) -> Path:
        """Path of a partition's state."""
        return self.folder / f"state-{step:012d}-{part:05d}-of-{parts:05d}.npz"

    def record(self, step: int) -> Path:
        """Path of what says that the checkpoint of a step is complete."""
        return self.folder / f"checkpoint-{step:012d}.json"

    def recorded(self) -> list[int]:
        """Return the steps of the checkpoints that are complete, the newest first."""
        return sorted((int(path.stem[11:]) for path in self.folder.glob("checkpoint-*.json")), reverse=True)

    def due(self, window: int) -> Path:
        """Path whose being there asks for a checkpoint at the end of a window."""
        return self.folder / f"due-{window:08d}"

    def write(
        self, path: Path, arrays: Mapping[str, np.ndarray], *, sealed: bool = False, durable: bool = False
    ) -> None:
        """Write arrays atomically.

        Parameters
        ----------
        path : Path
            A file of this folder.
        arrays : mapping
            By name.
        sealed : bool
            Whether `damage` can tell later that the file is whole.
        durable : bool
            Whether to wait until the disk has it.
        """
        with atomic(path, transient=True) as file:
            if sealed:
                sealing = _Sealing(file)
                np.savez(sealing, **arrays)  # type: ignore[arg-type]
                sealing.seal()
            else:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            if durable:
                file.flush()
                os.fsync(file.fileno())

    def grown(self, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """Return a new array of zeros that lives in a file, so that memory does not bound it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"grown-{name}.npy"
        path.unlink(missing_ok=True)
        if 0 in shape:
            return np.zeros(shape, dtype)
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)

    def write_json(self, name: str, value: object, *, durable: bool = False) -> None:
        """Write a small JSON file atomically; `durable` waits until the disk has it."""
        with atomic(self.folder / name, transient=not durable) as file:
            file.write(json.dumps(value, indent=1).encode())

    def say(self, phase: str, **more: object) -> None:
        """Keep in `status.json` what the run is at, for whoever looks; its process and when it was written stand there too."""
        about = {"phase": phase, **more, "process": os.getpid(), "written": time.strftime("%Y-%m-%d %H:%M:%S")}
        with contextlib.suppress(OSError):  # whoever looks can do without
            self.write_json("status.json", about)

    def read_json(self, name: str) -> dict | None:
        """Return the content of a JSON file, or None if it is absent or damaged."""
        try:
            value = json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def clear(self, keep_merged_below: int = 0, keep_state_below: int = 0) -> None:
        """Delete this run's files, except merged windows below a number, and checkpoints below a step."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            name = path.name
            if not _OURS.match(name) or name in ("run.json", "lock", "start.npz") or path.is_dir():
                continue
            if name.startswith("merged-") and name.endswith(".npz") and int(name[7:15]) < keep_merged_below:
                continue
            if (saved := _SAVED.match(name)) and int(saved[1]) < keep_state_below:
                continue
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete all of this run's files, those of its conditions too, and the folder if nothing else is in it."""
        for inner in self.folder.glob("condition-*"):
            Spool(inner).remove()
        self.clear()
        for name in ("run.json", "start.npz"):
            (self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def continues(self, finished: bool = True) -> bool:
        """Whether a rerun need not begin again: from a checkpoint, or because what is `finished` need only be published."""
        names = ("checkpoint-*", "done") if finished else ("checkpoint-*",)
        return any(any(self.folder.glob(f"**/{name}.json")) for name in names)

    def touch(self) -> None:
        """Show partitions that the collector lives."""
        (self.folder / "alive").touch()

    def ask(self) -> None:
        """Ask partitions for a checkpoint at the end of the next window."""
        with contextlib.suppress(OSError):
            (self.folder / "asked").touch()

    def stop(self) -> None:
        """Ask partitions to end."""
        with contextlib.suppress(OSError):
            (self.folder / "stop").touch()


def remove_abandoned(parent: Path, pattern: str) -> None:
    """Delete spool folders whose run was killed: nothing in them but files of a run, and no sign of life for `ABANDONED_S`.

    Those with something to continue from stay.
    """
    for folder in parent.glob(pattern):
        with contextlib.suppress(OSError):
            if Spool(folder).continues():
                continue
            seen = max(path.stat().st_mtime for path in (folder, *folder.glob("alive")))
            ours = all(_OURS.match(path.name) for path in folder.iterdir())
            if ours and time.time() - seen > ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[Spool]:
    """Make a folder, and keep it for this process alone; a lock of a killed process is gone with it.

    At the end the folder goes if nothing is left in it, and likewise the folder that holds it, and those that were made for it.

    Raises
    ------
    SimulationError
        If another run holds it.
    """
    deadline = time.monotonic() + PATIENCE_S
    missing = [place for place in folder.parents if not place.exists()]
    while True:
        path = folder / "lock"
        with files.writing(folder, SimulationError):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                opened = path.open("a")
            except FileNotFoundError:  # another run has just removed a folder that both are in
                if time.monotonic() < deadline:
                    continue
                raise
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                raise SimulationError(
                    "another process is simulating the same and writes its checkpoints here",
                    where=str(folder),
                    expected="one process at a time",
                    do="wait for it, or give each a --checkpoint-folder of its own",
                ) from error
            except OSError:  # a file system without locks: the folder's name still tells runs apart
                pass
            # Whoever held the lock before may have removed the file: then this is a lock on nothing.
            try:
                if not os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                    continue
            except FileNotFoundError:
                continue
            try:
                yield Spool(folder)
            finally:
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    for place in (folder.parent, *missing[1:]):
                        place.rmdir()
            return


class Watch:
    """Ends a partition whose run was ended or begun again, or whose collector died."""

    def __init__(self, spool: Spool, attempt: str) -> None:
        self._spool, self._attempt = spool, {"attempt": attempt}
        self._seen = -1.0
        self._since = time.monotonic()

    def asked(self) -> bool:
        """Whether a checkpoint is asked for, whatever its pace."""
        return (self._spool.folder / "asked").exists()

    def __call__(self) -> None:
        """Raise `Stopped` if the partition should end."""
        if (self._spool.folder / "stop").exists() or not self._spool.folder.is_dir():
            raise Stopped("the run was ended")
        if self._spool.read_json("attempt.json") not in (self._attempt, None):
            raise Stopped("the run was begun again")
        try:
            changed = (self._spool.folder / "alive").stat().st_mtime
        except OSError:
            changed = self._seen
        if changed != self._seen:
            self._seen, self._since = changed, time.monotonic()
        elif time.monotonic() - self._since > _STALE_S:
            raise Stopped("the process that collects the spikes is gone")


def load(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a spool file."""
    with np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def damage(path: Path) -> str:
    """Say what is wrong with a sealed file; empty if it is whole."""
    digest, mark = hashlib.sha256(), len(_SEAL) + 32
    try:
        left = path.stat().st_size - mark
        with path.open("rb") as stream:
            while left > 0 and (block := stream.read(min(files.BLOCK, left))):
                digest.update(block)
                left -= len(block)
            end = stream.read(mark)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    if left or not end.startswith(_SEAL):
        return f"{path.name} ends too early"
    return "" if end == _SEAL + digest.digest() else f"{path.name} holds other bytes than were written"
