"""Files that are either complete under their name or not there, whose they are until then, and locks between jobs."""

import errno
import fcntl
import functools
import hashlib
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from allometry.errors import AllometryError, StoreError

BLOCK = 1 << 20
#: Beginning of the names of unfinished files; a job that was killed may leave some.
PARTIAL = ".partial-"


def sha256_of(path: Path) -> str:
    """Sha256 of a file in hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def exclusive(path: Path, *, keep: bool = True) -> Iterator[None]:
    """Hold a lock between processes and threads; the system releases it when the process dies.

    Without `keep` the file goes with the lock: for folders that people look into.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            try:
                # whoever held it before may have taken the file away: then this lock is on a file without a name
                if not os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                    continue
            except FileNotFoundError:
                continue
            try:
                yield
            finally:
                if not keep:
                    os.unlink(path)
            return


@contextmanager
def atomic(target: Path, *, transient: bool = False, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Stream to a file beside `target` that takes its name when the block ends without an exception.

    Parameters
    ----------
    target : Path
        The file; its folder is made.
    transient : bool
        For what lives as long as a run: the disk is not waited for, and the folder is not made, which goes with the run.
    mode : int
        Permissions, before the umask.
    """
    if not transient:
        target.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(target)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            yield stream
            if not transient:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    if not transient:
        sync_folder(target.parent)


def write_text(target: Path, text: str) -> None:
    """Write a small text file at once."""
    with atomic(target) as stream:
        stream.write(text.encode())


def link_or_copy(source: Path, target: Path) -> None:
    """Give a complete file a second name, or copy it where the file system cannot."""
    partial = beside(target)
    try:
        os.link(source, partial)
    except OSError:
        with source.open("rb") as stream, atomic(target) as copy:
            while block := stream.read(BLOCK):
                copy.write(block)
        return
    try:
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(target.parent)


def beside(target: Path) -> Path:
    """A name of its own in the target's folder, hence on the same file system."""
    return target.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(6)}")


def mark() -> str:
    """A name for something unfinished of this process that no other has; `abandoned` reads it."""
    return f"{_machine()}-{os.getpid()}-{_life(os.getpid())}-{secrets.token_hex(4)}"


def abandoned(name: str) -> bool:
    """Whether the process that gave something its `mark` is dead; False where that cannot be told.

    Parameters
    ----------
    name : str
        The mark, perhaps with a suffix behind it.
    """
    machine, pid, life = [*name.split("-"), "", "", ""][:3]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's, but alive
        pass
    return _life(int(pid)) != life


def remove_abandoned(folder: Path, prefix: str) -> None:
    """Delete what killed processes left unfinished in a folder: entries `{prefix}{mark}`, perhaps with a suffix."""
    for entry in folder.iterdir():
        if entry.name.startswith(prefix) and abandoned(entry.name.removeprefix(prefix)):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(entry)


@functools.cache
def _machine() -> str:
    """Where a process number means one process: the host, and there the container."""
    with suppress(OSError):
        return hashlib.sha256(f"{platform.node()} {os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:8]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _life(pid: int) -> str:
    """Which of the processes with this number it is, since numbers are given again; `0` where that cannot be told."""
    with suppress(OSError, IndexError):
        # the name in parentheses may hold spaces; start time is the 22nd field, in ticks since the host started
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot} {started}".encode()).hexdigest()[:8]
    return "0"


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ENOENT})


def disk_error(error: OSError, path: Path | str, kind: type[AllometryError]) -> AllometryError | None:
    """Say what the disk refused to write, and where; None where the error is of another kind."""
    if error.errno in _FULL:
        do = "free some space, or write to another disk"
    elif error.errno in _FORBIDDEN:
        do = "write to a folder that you may write to, on a disk that is not read-only"
    elif error.errno in _NO_FOLDER:
        do = "choose a path whose parents are folders, or can be made"
    elif error.errno == errno.EIO:
        do = "check the disk, or write to another one"
    else:
        return None
    return kind(f"cannot write: {error.strerror}", where=str(path), do=do)


def is_full(error: OSError) -> bool:
    """Whether there was no room for what was to be written."""
    return error.errno in _FULL


@contextmanager
def writing(path: Path | str, kind: type[AllometryError] = StoreError) -> Iterator[None]:
    """Turn what a full, read-only or broken disk raises into one message with the path."""
    try:
        yield
    except OSError as error:
        said = disk_error(error, path, kind)
        if said is None:
            raise
        raise said from error


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    # without it a power cut can undo the rename
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
