"""Crashes on purpose: the power of the partitions of one network, which can fail and come back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from allometry.errors import SimulationError
from allometry.network import Network
from allometry.simulate.build.partition import Partition


class Power:
    """What partitions of a network run on, in this process.

    `steps` holds the first step of every window that they advanced, since the last failure was over.
    """

    def __init__(self, net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[int] = []
        self._fails: tuple[int, int] | None = None
        advance = Partition.window

        def window(partition: Partition, last: int, *rest: object) -> object:
            if partition.plan.size == net.size:
                if self._fails and partition.step >= self._fails[0] and len(self.steps) >= self._fails[1]:
                    raise RuntimeError("the power failed")
                self.steps.append(partition.step)
            return advance(partition, last, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(Partition, "window", window)

    @contextmanager
    def failure(self, step: int = 0, windows: int = 0) -> Iterator[None]:
        """Fail every window that begins at `step` or later and comes after so many others; the run within must say so."""
        self._fails = (step, windows)
        with pytest.raises(SimulationError, match="the power failed"):
            yield
        self._fails = None
        self.steps.clear()
