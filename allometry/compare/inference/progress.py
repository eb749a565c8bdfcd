"""Progress of a measure: nothing for ten seconds, then a bar on a terminal or one line in the log."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

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
    """Say how long a call that cannot be looked into will take, before it starts, where that is more than ten seconds.

    Parameters
    ----------
    what : str
    seconds : float
        Expected on a core of today.
    """
    if seconds < PATIENCE_S or not _display.acquire(blocking=False):
        yield
        return
    try:
        if sys.stderr.isatty():
            with _bar(f"{what}, about {duration(seconds)}", None):
                yield
        else:
            _LOG.info("%s: about %s", what, duration(seconds))
            yield
    finally:
        _display.release()


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

    if not sys.stderr.isatty():
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
