"""That the bytes which were hashed are the bytes which were read: files are held against themselves from before to after."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

from allometry.errors import ReaderError

COARSE_S = 2.0  # within this two changes can have one time stamp (FAT; other file systems are finer)


def sha256(path: Path) -> str:
    """Checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Unchanged:
    """Files as they were before they were read.

    Every write, and every change of a time stamp, moves the time of status change (ctime), which nobody can set back: a file
    whose inode, size, mtime and ctime are those of before has the bytes of before. Only a change within the tick of the clock in which the file
    was last changed leaves no trace there, so that files that have just been written are hashed as well.

    Parameters
    ----------
    files : mapping of str to path
        Those that will be read; ones that do not exist are left out.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = {name: path for name, path in files.items() if path.is_file()}
        self._stamps = {name: _stamp(path) for name, path in self._files.items()}
        now = time.time_ns()
        fresh = [name for name, stamp in self._stamps.items() if now - stamp[-1] < COARSE_S * 1e9]
        self._sums = {name: sha256(self._files[name]) for name in fresh}

    def require(self) -> None:
        """Refuse files that are not as they were.

        Raises
        ------
        ReaderError
            Names the first of them.
        """
        for name, path in self._files.items():
            same = path.is_file() and _stamp(path) == self._stamps[name]
            if not same or (name in self._sums and sha256(path) != self._sums[name]):
                raise ReaderError(
                    f"{name} was changed while it was read",
                    where=str(path.parent),
                    expected="files that nobody writes",
                    do="run again",
                )


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when somebody writes or replaces a file."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
