"""Progress of a run: a bar on a terminal, a line now and then in a log."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from allometry.errors import has_screen
from allometry.simulate.build.estimate import duration

_LOG = logging.getLogger("allometry")
_EVERY_S = 15.0


@contextlib.contextmanager
def progress(total_ms: float, shown: bool = True) -> Iterator[Callable[[float, int], None]]:
    """Yield a function to call with the simulated time (ms) and the number of spikes so far; it may show nothing."""
    if not shown:
        yield lambda done_ms, spikes: None
    elif has_screen():
        yield from _bar(total_ms)
    else:
        yield from _lines(total_ms)


def _bar(total_ms: float) -> Iterator[Callable[[float, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("simulating"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} ms, {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total_ms, rate="building")
        meter = _Meter(total_ms)

        def show(done_ms: float, spikes: int) -> None:
            bar.update(task, completed=done_ms, rate=meter.rate(done_ms, spikes))

        yield show


def _lines(total_ms: float) -> Iterator[Callable[[float, int], None]]:
    meter = _Meter(total_ms)
    last = time.monotonic()

    def show(done_ms: float, spikes: int) -> None:
        nonlocal last
        rate = meter.rate(done_ms, spikes)
        if time.monotonic() - last >= _EVERY_S and 0 < done_ms < total_ms:
            last = time.monotonic()
            _LOG.info("%.0f of %.0f ms, %s, %s left", done_ms, total_ms, rate, duration(meter.left(done_ms)))

    yield show


class _Meter:
    def __init__(self, total_ms: float) -> None:
        self._total = total_ms
        self._start: tuple[float, float] | None = None

    def rate(self, done_ms: float, spikes: int) -> str:
        """Return wall seconds per simulated second since the first window, and the spikes."""
        if done_ms <= 0:
            return "building"
        if self._start is None:
            self._start = (time.monotonic(), done_ms)
            return f"{spikes:,} spikes"
        ms = done_ms - self._start[1]
        factor = (time.monotonic() - self._start[0]) / (ms * 1e-3) if ms > 0 else float("nan")
        return f"{factor:.2f} s per simulated s, {spikes:,} spikes"

    def left(self, done_ms: float) -> float:
        """Return the wall seconds left."""
        if self._start is None or done_ms <= self._start[1]:
            return float("nan")
        return (time.monotonic() - self._start[0]) / (done_ms - self._start[1]) * (self._total - done_ms)
