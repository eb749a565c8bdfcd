"""The threads of a partition: they run together, and end together."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

# How long a thread spins before it gives its core away: little where threads outnumber cores.
PATIENT, CROWDED = 100, 1


class Stopped(Exception):
    """Another partition failed or the run was ended; the cause is reported there."""


def together(
    pool: ThreadPoolExecutor,
    tasks: Sequence[Callable[[], Any]],
    abort: Callable[[], None],
    watch: Callable[[], None] = lambda: None,
) -> list[Any]:
    """Run a task in every thread, and give their results; if one fails all end, and its error is raised.

    `abort` makes tasks that wait for others end; `watch` is called about twice a second and may raise to end the run.
    """
    futures = [pool.submit(task) for task in tasks]
    pending = set(futures)
    try:
        while pending:
            _, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            if any(f.done() and f.exception() for f in futures):
                break
            watch()
    except BaseException:
        abort()
        wait(futures)
        raise
    if pending:
        abort()
        wait(futures)
    errors = [f.exception() for f in futures if f.exception()]
    for error in sorted(errors, key=lambda e: isinstance(e, Stopped)):
        raise error  # type: ignore[misc]
    return [f.result() for f in futures]
