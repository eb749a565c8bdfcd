"""How a run is executed: where, on how many cores, with which checkpoints. None of it changes what is written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allometry.errors import SimulationError
from allometry.network.scalars import plain
from allometry.simulate.distribute.clusters.kinds import require_kind
from allometry.simulate.distribute.clusters.mpi import EXCHANGES
from allometry.simulate.distribute.clusters.placement import cores as cores_here

_WHERE = "simulate.Execution"


@dataclass(frozen=True)
class Execution:
    """How a run is executed; the spikes do not depend on it.

    Parameters
    ----------
    partitions : int
        Dask tasks that the network is cut into, each with its neurons and their incoming synapses.
    threads : int, optional
        Threads of each partition; default its share of `cores`, and where those are not given, of its host.
    cores : int, optional
        Cores of this machine that the run may use, shared among its partitions; default all that this process may.
        Other clusters do not use it.
    cluster : optional
        None or "local": this machine, with a process for each of several partitions. Otherwise a mapping of a `kind`
        (local, slurm, address, allocation) and its options, among them `exchange` (auto, mpi, socket, memory), the address of a Dask scheduler, or a Dask cluster or client.
    checkpoint : "auto", "off" or float
        From checkpoints a rerun with the same arguments continues. "auto": where a run will take more than five minutes,
        every half a minute or less often, so that they take less than 5 % of the time. A number: seconds between them, to
        the next end of a window of 100 ms of simulated time.
    checkpoint_folder : path, optional
        Folder for checkpoints, in which every network and seed has a folder of its own; default `.{store}-checkpoints`
        beside the store. Removed at the end. Two processes that simulate the same cannot share it.
    memory_gib : float, optional
        Refuse a run estimated to need more, GiB; default what is free.
    wall_time_s : float, optional
        Seconds that the run may take; default what is left of the SLURM job around it. Shortly before the end it makes a last
        checkpoint and ends with `OutOfTime`; the same run continues from there.
    progress : bool
        Whether to show how far the run is: a bar on a terminal, otherwise a line now and then.

    Raises
    ------
    SimulationError
        For a value out of range, or an unknown kind of cluster.
    """

    partitions: int = 1
    threads: int | None = None
    cores: int | None = None
    cluster: Any = None
    checkpoint: float | str = "auto"
    checkpoint_folder: str | Path | None = None
    memory_gib: float | None = None
    wall_time_s: float | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("partitions", "threads", "cores", "checkpoint", "memory_gib", "wall_time_s"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        for name, least in (("partitions", None), ("threads", 1), ("cores", 1)):
            value = getattr(self, name)
            if value is None and least is not None:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise _refusal(name, value, "a whole number")
            if value < 1:
                raise _refusal(name, value, "at least 1")
        for name, word, others in (
            ("checkpoint", "'auto', 'off' or ", ("auto", "off")),
            ("memory_gib", "", (None,)),
            ("wall_time_s", "", (None,)),
        ):
            value = getattr(self, name)
            if value is None or isinstance(value, str):
                if value in others:
                    continue
                raise _refusal(name, value, f"{word}a number")
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise _refusal(name, value, f"{word}a number")
            if not (value > 0 and math.isfinite(value)):
                raise _refusal(name, value, "above 0")
        if not isinstance(self.progress, bool):
            raise _refusal("progress", self.progress, "True or False")
        if self.checkpoint_folder is not None:
            if not isinstance(self.checkpoint_folder, str | Path):
                raise _refusal("checkpoint_folder", self.checkpoint_folder, "a folder")
            object.__setattr__(self, "checkpoint_folder", Path(self.checkpoint_folder))
        require_kind(self.cluster)
        if self.exchange not in EXCHANGES:
            raise SimulationError(
                f"unknown exchange {self.exchange!r}", where="cluster: exchange", expected=", ".join(EXCHANGES)
            )

    @property
    def local(self) -> bool:
        """Whether the run starts its own workers, on this machine."""
        kind = self.cluster.get("kind", "local") if isinstance(self.cluster, Mapping) else self.cluster
        return kind is None or (isinstance(kind, str) and kind == "local")

    @property
    def exchange(self) -> str:
        """How partitions exchange spikes: auto, mpi, socket or memory."""
        return str(self.cluster.get("exchange", "auto")) if isinstance(self.cluster, Mapping) else "auto"

    @property
    def threads_each(self) -> int | None:
        """Threads of each partition; None where they are the cores that its worker finds."""
        if self.threads is not None or not self.local or self.cores is None:
            return self.threads
        return max(1, self.cores // self.partitions)

    @property
    def threads_here(self) -> int:
        """Threads for what is computed in this process alone."""
        return self.threads or self.cores or cores_here()


def _refusal(name: str, value: Any, expected: str) -> SimulationError:
    return SimulationError(f"{name} is {value!r}", where=_WHERE, expected=expected)
