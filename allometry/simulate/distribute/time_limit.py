"""The end of the time that a run has: a last checkpoint before it, from which the next job continues.

The time is what is asked for, what is left of the SLURM job around this process, or of the jobs of its workers; a batch system
can also say that it is over, with SIGUSR1 (`sbatch --signal=USR1@120`) or with SIGTERM.
"""

import contextlib
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from allometry.errors import announced

RESERVE_S = 15.0
"""What the last checkpoint, its merge and the end of the process may take beside what was measured, s."""
WINDOWS, COSTS = 2.0, 2.0
"""How often a window and a checkpoint, as long as the longest of late, have to fit before the end."""


@dataclass
class TimeLimit:
    """When a run has to end, and how long before it must make its last checkpoint.

    Parameters
    ----------
    left_s : float
        Seconds from now to the end of this process's time; infinite where there is none.
    jobs_left_s : float
        The same of the jobs of its workers, which can be replaced.
    clock : callable
        Seconds.
    """

    left_s: float = math.inf
    jobs_left_s: float = math.inf
    clock: Callable[[], float] = time.monotonic
    signal: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.started = self._changed = self.clock()
        self._ends, self._jobs_end = self.started + self.left_s, self.started + self.jobs_left_s
        self._done, self._window_s = -1, 0.0

    def renewed(self, jobs_left_s: float) -> None:
        """Take note of new jobs of the workers, and their time."""
        self._jobs_end = self.clock() + jobs_left_s

    def advanced(self, done: int) -> None:
        """Take note of what is done by now: the time between two changes is that of a window, or of some."""
        now = self.clock()
        if done != self._done:
            if self._done >= 0:
                self._window_s = max(now - self._changed, self._window_s / 2)
            self._done, self._changed = done, now

    def margin_s(self, checkpoint_s: float) -> float:
        """How long before the end the last checkpoint has to be asked for, s; it is made at the end of the next window.

        Parameters
        ----------
        checkpoint_s : float
            What a checkpoint takes, s.
        """
        return RESERVE_S + WINDOWS * self._window_s + COSTS * checkpoint_s

    def over(self, checkpoint_s: float) -> str:
        """Return why this process has to end now, in words; empty where it need not."""
        if said := self.signal or ("SIGUSR1" if announced() else ""):
            return f"{said} says that its time is over"
        left = self._ends - self.clock()
        return f"{max(0.0, left):.0f} s are left of its time" if left < self.margin_s(checkpoint_s) else ""

    def jobs_over(self, checkpoint_s: float) -> bool:
        """Whether the workers' jobs are about to end."""
        return self._jobs_end - self.clock() < self.margin_s(checkpoint_s)

    @contextlib.contextmanager
    def told_by_signal(self) -> Iterator[None]:
        """Within the block, SIGUSR1 and the first SIGTERM are noted in `signal`; another SIGTERM ends the process with status 143."""

        def note(number: int, _: object) -> None:
            name = signal.Signals(number).name
            if name == self.signal == "SIGTERM":
                sys.exit(143)
            self.signal = name

        try:
            before = [(number, signal.signal(number, note)) for number in (signal.SIGTERM, signal.SIGUSR1)]
        except ValueError:  # not the main thread
            yield
            return
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)
