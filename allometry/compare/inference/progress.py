"""Progress of a measure: nothing for ten seconds, then a bar on a terminal or one line in the log."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

from allometry.errors import has_screen

_LOG = logging.getLogger("allometry")
T = TypeVar("T")

PATIENCE_S = 10.0  # what takes less says nothing
clock: Callable[[], float] = time.monotonic
# One display at a time: a measure within the bootstrap of another would write over its bar, or a line per resample.
_display = threading.Lock()


def steps(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Iterate over `items`; after ten seconds show how many are done and how long the rest will take.

    Parameters
    ----------
    items : iterable
    what : str
        What is computed, as in "geodesic distances".
    total : int, optional
        Number of items; default: their length, if they have one.

    Yields
    ------
    The items.
    """
    number = len(items) if total is None and isinstance(items, Sized) else total
    with contextlib.ExitStack() as stack:
        started = clock()
        show: Callable[[int], None] | None = None
        for done, item in enumerate(items):
            if show is None and clock() - started >= PATIENCE_S and _display.acquire(blocking=False):
                stack.callback(_display.release)
                show = stack.enter_context(_shown(what, number, started))
            if show is not None:
                show(done)
            yield item


@contextlib.contextmanager
def whole(what: str, seconds: float) -> Iterator[None]:
    """Say that a call which cannot be looked into takes long: before it starts, or once it has taken ten seconds.

    Parameters
    ----------
    what : str
    seconds : float
        Expected on a core of today, a guess. From ten seconds on it is said before the call starts. What was guessed too low is
        said after ten seconds, if the call lets other threads run (as those of LAPACK do); a guess below a tenth of a second
        is trusted, so that small calls within a bootstrap cost nothing.
    """
    if seconds < PATIENCE_S / 100:
        yield
        return
    if seconds >= PATIENCE_S:
        notice = _Notice(f"{what}, about {duration(seconds)}", f"{what}: about {duration(seconds)}")
        timer = None
        notice.show()
    else:
        notice = _Notice(what, f"{what}: still running after {duration(PATIENCE_S)}")
        timer = threading.Timer(PATIENCE_S, notice.show)
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        notice.close()


class _Notice:
    """A line in the log, or on a terminal a bar without an end, from `show` to `close`, which two threads may call."""

    def __init__(self, bar: str, line: str) -> None:
        self._texts = bar, line
        self._closed = False
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()

    def show(self) -> None:
        """Show it, unless it is over or something else is shown."""
        with self._lock:
            if self._closed or not _display.acquire(blocking=False):
                return
            self._stack.callback(_display.release)
            if has_screen():
                self._stack.enter_context(_bar(self._texts[0], None))
            else:
                _LOG.info("%s", self._texts[1])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._stack.close()


def duration(seconds: float) -> str:
    """Time that a person reads: `40 s`, `4 min`, `2.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextlib.contextmanager
def _shown(what: str, total: int | None, started: float) -> Iterator[Callable[[int], None]]:
    def state(done: int) -> str:
        spent = clock() - started
        if total is None:
            return f"{done:,} done"
        left = f", about {duration(spent / done * (total - done))} left" if done else ""
        return f"{done:,} of {total:,}{left}"

    if not has_screen():
        said = False

        def line(done: int) -> None:
            nonlocal said
            if not said:
                said = True
                _LOG.info("%s: %s after %s", what, state(done), duration(clock() - started))

        yield line
        return
    with _bar(what, total) as (bar, task):
        yield lambda done: bar.update(task, completed=done, state=state(done))


@contextlib.contextmanager
def _bar(what: str, total: int | None) -> Iterator[tuple[Any, Any]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar, bar.add_task(what, total=total, state="")
