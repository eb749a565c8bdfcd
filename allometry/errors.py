"""Errors a user can cause, and how scripts report them.

Every such error says what is wrong, where, what was expected and what to do (DESIGN section 7).
"""

import contextlib
import errno
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType


class AllometryError(Exception):
    """Base of all errors that a user can cause.

    Parameters
    ----------
    what : str
        What is wrong, one sentence.
    where : str
        File, store, key or argument that is wrong.
    expected : str
        What was expected instead.
    do : str
        What the user can do about it.
    """

    status = 1
    """Exit status of a process that it ends."""

    def __init__(self, what: str, where: str = "", expected: str = "", do: str = "") -> None:
        self.what, self.where, self.expected, self.do = what, str(where), expected, do
        lines = [what]
        if where:
            lines.append(f"  where:    {where}")
        if expected:
            lines.append(f"  expected: {expected}")
        if do:
            lines.append(f"  to do:    {do}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["AllometryError"], tuple[str, str, str, str]]:
        # Exceptions travel between Dask workers; the default would call __init__ with the joined message only.
        return type(self), (self.what, self.where, self.expected, self.do)


class ConfigError(AllometryError):
    """The configuration is not valid."""


class RetrieveError(AllometryError):
    """A file could not be retrieved or has the wrong content."""


class ReaderError(AllometryError):
    """A source file does not have the layout that its reader knows."""


class StoreError(AllometryError):
    """A store violates its schema, or is damaged."""


class SimulationError(AllometryError):
    """A network cannot be built or simulated as asked."""


class ComparisonError(AllometryError):
    """A measure cannot be computed from the given stores or arrays."""


class ReportError(AllometryError):
    """The report cannot be written."""


class ExportError(AllometryError):
    """A store cannot be written in the format of another tool."""


class PluginError(AllometryError):
    """A plugin cannot be used.

    Parameters
    ----------
    what, where, expected, do : str
        As of `AllometryError`.
    """


def require_record(above: object, decorator: str) -> None:
    """Refuse a decorator of a plugin that stands without its record, as `@measure` above a function.

    Parameters
    ----------
    above : object
        What the decorator got in place of its record; None where it has one.
    decorator : str
        Its name.
    """
    if above is not None:
        raise PluginError(
            f"@{decorator} above {getattr(above, '__name__', above)!r} has no record",
            where=getattr(above, "__module__", ""),
            expected=f"@{decorator}(...) with what it says of the function",
            do="see docs/plugins.md for an example",
        )


@contextlib.contextmanager
def log_to(*handlers: logging.Handler) -> Iterator[logging.Logger]:
    """Send what the package logs to `handlers`, and close them at the end."""
    logger = logging.getLogger("allometry")
    logger.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
    try:
        yield logger
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            with contextlib.suppress(OSError):  # what a full disk did not take
                handler.close()


_terminated, _announced = threading.Event(), threading.Event()


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM, as of a batch system at its time limit, end the process with status 143 after cleaning up.

    SIGUSR1, with which a batch system can announce the limit, is noted for `announced`, and ends nothing.
    """

    def end(*_: object) -> None:
        _terminated.set()
        sys.exit(143)

    _terminated.clear()
    _announced.clear()
    try:
        before = signal.signal(signal.SIGTERM, end)
        notice = signal.signal(signal.SIGUSR1, lambda *_: _announced.set())
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGUSR1, notice)
        _terminated.clear()
        _announced.clear()


def announced() -> bool:
    """Whether SIGUSR1 has come: the time of this process is nearly over."""
    return _announced.is_set()


def end_if_terminated() -> None:
    """End the process where SIGTERM came but what it raised was lost; for loops that wait for long.

    What a signal raises while a finalizer or a callback of the garbage collector runs is printed by Python and forgotten.

    Raises
    ------
    SystemExit
        Status 143, where the process is `terminable` and a signal has come.
    """
    if _terminated.is_set():
        sys.exit(143)


@contextlib.contextmanager
def interruptible(sentence: Callable[[], str]) -> Iterator[None]:
    """Let Ctrl-C end the block with one sentence, in a script that does not catch it too, and the status of an interrupt."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = _interrupted
        raise KeyboardInterrupt(sentence()) from None


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if kind is KeyboardInterrupt and error.args:
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


#: Set for the jobs of `allometry run`, whose messages go into their logs alone.
QUIET_JOBS = "ALLOMETRY_QUIET_JOBS"


def has_screen() -> bool:
    """Whether this process may draw on a terminal: its errors go to one, and it is no job of `allometry run`, which draws there."""
    return sys.stderr.isatty() and not os.environ.get(QUIET_JOBS)


_DISK = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EFBIG: "write to a file system that takes files of this size",
    errno.EROFS: "write to a disk that is not read-only",
    errno.EACCES: "ask for the right to it, or use another folder",
    errno.EPERM: "ask for the right to it, or use another folder",
    errno.EIO: "check the disk, or use another one",
    errno.ENAMETOOLONG: "choose shorter names, or a folder with a shorter path",
}


def _of_disk(error: OSError) -> AllometryError | None:
    """One message for a disk that is full, read-only, forbidden or broken; None for another error."""
    if error.errno not in _DISK:
        return None
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    # a write to an open file does not name it
    where = " and ".join(paths) or f"a file below {Path.cwd()} or {tempfile.gettempdir()}"
    return AllometryError(f"the disk refuses: {error.strerror}", where=where, do=_DISK[error.errno])


class _OneLog(logging.FileHandler):
    """A log whose disk may fill up: said once, not with a traceback for every line."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not self.failed:
            self.failed = True
            print(f"cannot write the log {self.baseFilename}: {error}", file=sys.stderr)


@contextlib.contextmanager
def script_log(path: str | Path) -> Iterator[logging.Logger]:
    """Log to `path` and to stderr; one message on an `AllometryError`, with its status, or a disk that refuses, 1, 130 on Ctrl-C."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _OneLog(path, mode="w")
    except OSError as error:
        print(_of_disk(error) or f"cannot write the log {path}: {error}", file=sys.stderr)
        sys.exit(1)
    # `allometry run` has a screen of its own, and shows the end of the log of a job that failed
    screen = [] if os.environ.get(QUIET_JOBS) else [logging.StreamHandler(sys.stderr)]
    with terminable(), log_to(file, *screen) as logger:
        try:
            yield logger
        except AllometryError as error:
            logger.error("%s: %s", type(error).__name__, error)
            sys.exit(error.status)
        except OSError as error:
            if (said := _of_disk(error)) is None:
                logger.exception("unexpected error (please report it)")
                raise
            logger.error("%s", said)
            sys.exit(1)
        except KeyboardInterrupt as error:
            logger.error("%s", error if error.args else "interrupted")
            sys.exit(130)
        except Exception:
            logger.exception("unexpected error (please report it)")
            raise
