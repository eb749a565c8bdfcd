"""Closed time windows: the segments of all partitions are merged in order, while the run goes on."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage.spool import Spool, load


@dataclass
class Merging(ABC):
    """Merges windows in order; holds one window at a time.

    What is recorded beside spikes grows in files of the spool until the store is closed. A run with checkpoints keeps the
    merged windows in the spool; `saved` has the windows at whose end all partitions wrote their state, and the seconds of the
    slowest. Time in the store begins where the run does.
    """

    setting: Setting
    spool: Spool
    partitions: int
    next: int = field(default=0, init=False)
    spikes: int = field(default=0, init=False)
    saved: dict[int, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        windows = self.setting.windows(self.setting.first)
        self.next, self._end = windows.start, windows.stop

    def poll(self) -> bool:
        """Merge every window that all partitions have closed; returns whether there was one."""
        moved = False
        while self.next < self._end:
            merged = self.spool.merged(self.next)
            parts = [self.spool.segment(self.next, part) for part in range(self.partitions)]
            if self.setting.keep and merged.exists():
                data = load(merged)
            elif all(path.exists() for path in parts):
                loaded = [load(path) for path in parts]
                if all("saved_s" in x for x in loaded):
                    self.saved[self.next] = max(float(x["saved_s"]) for x in loaded)
                data = self._merged(loaded)
                if self.setting.keeps(self.next):
                    self.spool.write(merged, data, sealed=self.setting.keep)
            else:
                break
            self._append(data)
            for path in parts:
                path.unlink(missing_ok=True)
            self.next += 1
            moved = True
        return moved

    @abstractmethod
    def _merged(self, parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return one window of all partitions, with `spikes`, as its file has it."""

    @abstractmethod
    def _append(self, window: dict[str, np.ndarray]) -> None:
        """Add a merged window to what is stored."""

    @property
    @abstractmethod
    def made(self) -> str:
        """What was recorded, in words."""

    @abstractmethod
    def close(self, state: dict[str, np.ndarray] | None, provenance: dict) -> None:
        """Finalise the store, with the state at the end where it is given."""

    @abstractmethod
    def abort(self) -> None:
        """Delete what was written of the store."""


class Grown:
    """Samples of one variable of some units, growing in a file of the spool; `units` are the numbers of its columns."""

    def __init__(self, name: str, units: np.ndarray, samples: int, dtype: type, spool: Spool) -> None:
        self.name, self.units = name, units.astype(np.int64)
        self._column = {int(unit): column for column, unit in enumerate(self.units)}
        self.values = spool.grown("trace_" + re.sub(r"\W", "_", name), (samples, len(self.units)), dtype)
        self._filled = 0

    def joined(self, number: int, loaded: list[dict[str, np.ndarray]]) -> np.ndarray:
        """Return one window of all partitions, [sample, unit]."""
        out = np.zeros((loaded[0][f"samples_{number}"].shape[0], len(self.units)), self.values.dtype)
        for data in loaded:
            columns = [self._column[int(unit)] for unit in data[f"units_{number}"]]
            out[:, columns] = data[f"samples_{number}"]
        return out

    def append(self, block: np.ndarray) -> None:
        """Add the samples of a window."""
        self.values[self._filled : self._filled + len(block)] = block
        self._filled += len(block)
