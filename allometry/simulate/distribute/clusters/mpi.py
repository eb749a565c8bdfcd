"""MPI as transport: where `mpirun` or `srun` started this process as one of several ranks and mpi4py is importable.

The compiled step loop calls `MPI_Isend`, `MPI_Irecv` and `MPI_Test` of the library that mpi4py was imported with, through
their addresses: kernels are the same with and without MPI.
"""

import ctypes
import os
import secrets
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.errors import SimulationError

EXCHANGES = ("auto", "mpi", "socket", "memory")
_TOKEN = 16
_ISEND, _IRECV, _TEST = "MPI_Isend", "MPI_Irecv", "MPI_Test"
_world: "World | None" = None
#: Memory that MPI may still write to after an exchange was broken off; it lives as long as the process.
_abandoned: list[Any] = []


@dataclass(frozen=True)
class World:
    """The ranks that were started together: this one's number, how many there are, and 16 bytes that all of them know.

    `calls` are int64 [5]: the addresses of `MPI_Isend`, `MPI_Irecv` and `MPI_Test`, and the handles of the data type of
    int64 and of a communicator of our own.
    """

    rank: int
    size: int
    token: bytes
    calls: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of these ranks, for files that they find each other by."""
        return self.token.hex()


def ranks_started() -> int:
    """Return how many ranks a launcher of MPI says that it started; 1 without one."""
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) if "PMIX_RANK" in os.environ else 1


def join(exchange: str = "auto") -> World | None:
    """Initialise MPI in the main thread, at the same time as all other ranks; None where there are no others.

    Parameters
    ----------
    exchange : str
        As `cluster.exchange`; "mpi" asks for it.

    Raises
    ------
    SimulationError
        Ranks were started by `mpirun`, and mpi4py is not importable; MPI was asked for, and is not there.
    """
    global _world
    started = ranks_started()
    if started > 1 and _world is None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            # tasks of srun find each other without MPI as well
            if exchange == "mpi" or "SLURM_JOB_ID" not in os.environ:
                raise SimulationError(
                    f"{started} ranks were started, and mpi4py cannot be imported: {str(error).splitlines()[0]}",
                    where="cluster: exchange",
                    expected="mpi4py, and the MPI that started the ranks",
                    do="pip install 'allometry[mpi]', or start one process with --partitions",
                ) from error
            return None
        if MPI.COMM_WORLD.Get_size() > 1:
            _world = _joined(MPI)
    if exchange == "mpi":
        require(_world)
    return _world


def world() -> World | None:
    """Return the ranks that this process joined."""
    return _world


def require(found: World | None) -> World:
    """Return the ranks, or say that MPI was asked for and is not there.

    Raises
    ------
    SimulationError
        Without ranks.
    """
    if found is None:
        raise SimulationError(
            "MPI is asked for and not there: this process is no rank of several",
            where="cluster: exchange: mpi",
            expected="ranks of one MPI, started by mpirun or srun, with mpi4py in their environment",
            do="pip install 'allometry[mpi]' and run mpirun -n 4 python -m allometry.simulate, or leave exchange at auto",
        )
    return found


def leave(status: int) -> int:
    """End a rank: where task 0 failed, the others with it, for they would wait for each other; returns the status."""
    if _world is not None and _world.rank == 0 and status:
        from mpi4py import MPI

        MPI.COMM_WORLD.Abort(status)
    return status


def tag_of(attempt: str) -> int:
    """Return the tag of the messages of an attempt: even, and below the 32,767 that every MPI allows."""
    return zlib.crc32(attempt.encode()) % 16_000 * 2


def abandon(*memory: Any) -> None:
    """Keep memory that MPI may still write to."""
    _abandoned.extend(memory)


def _joined(mpi: Any) -> World:
    if mpi.Query_thread() < mpi.THREAD_SERIALIZED:
        raise SimulationError(
            "this MPI allows calls of its first thread only",
            where="cluster: exchange: mpi",
            expected="an MPI with MPI_THREAD_SERIALIZED",
            do="use the exchange socket",
        )
    own = mpi.COMM_WORLD.Dup()
    token = own.bcast(secrets.token_bytes(_TOKEN) if own.Get_rank() == 0 else None, root=0)
    library = ctypes.CDLL(mpi.__file__)
    addresses = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in (_ISEND, _IRECV, _TEST)]
    handles = [int(np.uint64(mpi._handleof(of)).astype(np.int64)) for of in (mpi.INT64_T, own)]
    return World(own.Get_rank(), own.Get_size(), token, (*addresses, *handles))
