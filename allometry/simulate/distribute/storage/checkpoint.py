"""Checkpoints: when one is due, the state of a run independently of how it is cut into partitions, and which is whole.

Partition 0 says before a window whether a checkpoint is due at its end; no partition finishes a window before all have begun
it, so that all agree. Each writes its state, and the collector a record once all states and all windows before them are on
the disk. Nothing that a record stands for is changed afterwards, and the last two are kept.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from allometry import files
from allometry.errors import SimulationError
from allometry.simulate.build.engine import AnyPartition
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.synapses.plastic import PREFIX, joined
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage.spool import Spool, damage, load

#: Checkpoints of `auto`: in runs expected to take longer than this, s; not sooner after each other, s; share of the time.
LONG_S, APART_S, SHARE = 300.0, 30.0, 0.04
KEPT = 2
# Until one is measured: what a slow disk takes per second.
_BYTES_PER_S = 5e7
_LOG = logging.getLogger("allometry")


@dataclass
class Pace:
    """When checkpoints are due, told from the clock, the windows done and what checkpoints cost.

    Parameters
    ----------
    interval : "auto" or float
        Seconds between checkpoints. "auto": none in runs that will take `LONG_S` or less by their present pace; in others as
        often as `SHARE` of the time allows, and not more often than every `APART_S`.
    windows : int
        Windows of the whole run.
    build_s : float
        Seconds before the first window.
    expected_s : float
        What the first checkpoint may take, s.
    clock : callable
        Seconds.
    """

    interval: float | str
    windows: int
    build_s: float = 0.0
    expected_s: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._started = self._last = self.clock()
        self._spent, self._done = 0.0, 0

    def due(self) -> bool:
        """Whether the window that begins now shall end with a checkpoint."""
        now, done = self.clock(), self._done
        self._done += 1
        if not isinstance(self.interval, str):
            return now - self._last >= self.interval
        if not done:
            return False
        elapsed = now - self._started
        whole = self.build_s + elapsed / done * self.windows
        affordable = self._spent + self.expected_s <= SHARE * elapsed
        return whole > LONG_S and now - self._last >= APART_S and affordable

    def took(self, seconds: float) -> None:
        """Take note of a checkpoint that was made just now."""
        self._last = self.clock()
        self._spent += seconds
        self.expected_s = seconds


def pace_of(partition: AnyPartition, setting: Setting, build_s: float) -> Pace:
    """Return the pace of a partition that is about to begin its first window."""
    windows = len(setting.windows(setting.first))
    return Pace(setting.checkpoint, windows, build_s, partition.state_bytes / _BYTES_PER_S)


def save(partition: AnyPartition, spool: Spool, condition: int = 0) -> float:
    """Write the state of a partition's neurons and plastic synapses, of one of its conditions; return the seconds it took."""
    started = time.perf_counter()
    path = spool.state(partition.step, partition.number, partition.count)
    state = {"neuron": partition.neurons, **partition.state(condition), **partition.plastic_state()}
    spool.write(path, state, sealed=True, durable=True)
    return time.perf_counter() - started


@contextlib.contextmanager
def unless_full(setting: Setting, step: int) -> Iterator[None]:
    """Go on without the checkpoint of a step if the disk is too full for it."""
    try:
        yield
    except OSError as error:
        if not files.is_full(error):
            raise
        _LOG.warning("no checkpoint at %g ms: %s", step * setting.network.dt_ms, error.strerror)


def commit(spool: Spool, setting: Setting, step: int, partitions: int, cost_s: float, since: int) -> None:
    """Record the checkpoint at `step`, whose states and merged windows are written, and delete all but the last two.

    Parameters
    ----------
    spool, setting, step, partitions
        Where and what.
    cost_s : float
        What the slowest partition took for its state, s.
    since : int
        First merged window that the disk may not have yet.
    """
    for window in range(since, step // setting.window_steps):
        with spool.merged(window).open("rb") as stream:
            os.fsync(stream.fileno())
    files.sync_folder(spool.folder)
    record = {"step": step, "partitions": partitions, "cost_s": cost_s}
    spool.write_json(spool.record(step).name, {**record, "sha256": _digest(record)}, durable=True)
    kept = spool.recorded()[:KEPT]
    for old in spool.recorded()[KEPT:]:
        spool.record(old).unlink(missing_ok=True)
    for path in spool.folder.glob("state-*.npz"):
        if (at := int(path.name[6:18])) < step and at not in kept:
            path.unlink(missing_ok=True)
    for path in spool.folder.glob("due-*"):
        if int(path.name[4:]) < step // setting.window_steps:
            path.unlink(missing_ok=True)


def _digest(record: dict) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def usable(spool: Spool, setting: Setting) -> tuple[int, int]:
    """Return the step of the last checkpoint that is whole, and the partitions that wrote it; those of the start and 0 for none.

    What is damaged is said.
    """
    dt, length = setting.network.dt_ms, setting.window_steps
    steps = [step for step in spool.recorded() if setting.first < step < setting.steps]
    windows = range(setting.windows(setting.first).start, max(steps, default=0) // length)
    broken = next(((w, what) for w in windows if (what := damage(spool.merged(w)))), None)
    for step in steps:
        found = spool.read_json(spool.record(step).name) or {}
        parts = int(found.get("partitions", 0))
        if found.pop("sha256", None) != _digest(found):
            what = f"{spool.record(step).name} is not what was written"
        elif broken is not None and broken[0] < step // length:
            what = broken[1]
        else:
            what = next(filter(None, (damage(spool.state(step, part, parts)) for part in range(parts))), "")
        if not what:
            return step, parts
        _LOG.warning("the checkpoint at %g ms is damaged, and the one before is used: %s", step * dt, what)
    if steps:
        _LOG.warning("no checkpoint in %s is whole: the run begins again", spool.folder)
    return setting.first, 0


def gathered(states: Sequence[Path], size: int) -> dict[str, np.ndarray]:
    """Return the state of all `size` neurons, in the order of their numbers, from files that hold parts of it.

    That of plastic synapses is left out.
    """
    whole: dict[str, np.ndarray] = {}
    found = np.zeros(size, bool)
    for path in states:
        data = load(path)
        neuron = data.pop("neuron")
        found[neuron] = True
        for name, values in data.items():
            if name.startswith(PREFIX):
                continue
            whole.setdefault(name, np.zeros(size, values.dtype))[neuron] = values
    if not found.all():
        raise SimulationError("the checkpoint does not hold every neuron", where=str(states[0].parent), do="delete it")
    return whole


def recent(spool: Spool, setting: Setting, step: int) -> list[np.ndarray]:
    """Return spikes before `step`, int64 (step << 32 | neuron): all that may be under way then, and some that arrived."""
    found = [np.empty(0, np.int64)]
    if step - setting.longest < setting.first:
        found.append(_start_spikes(setting))
    if step > setting.first:
        first = max(setting.first, step - setting.longest) // setting.window_steps
        found += [load(spool.merged(w))["spikes"] for w in range(first, -(-step // setting.window_steps))]
    return found


def restore(partition: AnyPartition, spool: Spool, setting: Setting, step: int, parts: int, condition: int = 0) -> None:
    """Load the state at `step`, written by `parts` partitions of any shape, 0 for that of a store, into one of the conditions
    of this partition."""
    whole = (
        gathered([spool.state(step, part, parts) for part in range(parts)], partition.plan.size)
        if parts
        else _start_state(setting)
    )
    wanted = {name: values.dtype for name, values in partition.state(condition).items()}
    if {name: values.dtype for name, values in whole.items()} != wanted:
        raise SimulationError(
            f"the state holds {', '.join(whole)}, which is not what these neurons have",
            where=setting.start or str(spool.folder),
            expected=", ".join(f"{name} ({dtype})" for name, dtype in wanted.items()),
            do="run the store that is continued again, with this version",
        )
    partition.restore(
        step,
        {name: values[partition.neurons] for name, values in whole.items()},
        np.concatenate(recent(spool, setting, step)),
        condition,
    )
    if isinstance(partition, Partition) and partition.plan.plastic:
        parts_of = [load(spool.state(step, part, parts)) for part in range(parts)]
        partition.restore_plastic(joined(parts_of))


def _start_state(setting: Setting) -> dict[str, np.ndarray]:
    """Return the state of all neurons at `first`, by name."""
    data = load(Path(setting.start))
    del data["spikes"]
    return data


def _start_spikes(setting: Setting) -> np.ndarray:
    """Return the spikes before `first` that may be under way, int64 (step << 32 | neuron)."""
    return load(Path(setting.start))["spikes"] if setting.start else np.empty(0, np.int64)
