"""Files that are either complete under their name or not there, and locks between jobs."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes and threads; the system releases it when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def atomic(target: Path) -> Iterator[IO[bytes]]:
    """Stream to a file beside `target` that takes its name when the block ends without an exception."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(target)
    try:
        with partial.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(target.parent)


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
    _sync_folder(target.parent)


def beside(target: Path) -> Path:
    """A name of its own in the target's folder, hence on the same file system."""
    return target.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(6)}")


def _sync_folder(folder: Path) -> None:
    # without it a power cut can undo the rename
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
