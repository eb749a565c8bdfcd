"""What one round of the spike exchange takes: processes that do nothing else, over shared memory, sockets or MPI."""

import contextlib
import multiprocessing
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.simulate.build.threads import CROWDED, PATIENT
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.kernels.loop.rounds import exchange_rounds
from allometry.simulate.kernels.loop.wire import Mail

_FEWEST, _MOST, _REPEATS = 50, 500_000, 3
_DONE = (-1, 0)

Timed = Callable[[int, int], float]
"""Seconds of the slowest partition for (spikes of a message, rounds)."""


def time_exchange(partitions: int, spikes: Sequence[int], how: str = "memory", seconds: float = 0.2) -> list[float]:
    """Microseconds of a round in which every partition sends its spikes to every other one and has received theirs.

    Parameters
    ----------
    partitions : int
        Number of partitions, at least 2, each a process of one thread on this host. Where they outnumber the cores they
        take turns, as those of a simulation do.
    spikes : sequence of int
        Spikes of a message, 8 bytes each; one value each is returned.
    how : {"memory", "socket"}
        Memory that the processes share, or TCP through the loopback interface.
    seconds : float
        How long a series of rounds is to take; the fastest of three series counts.

    Raises
    ------
    SimulationError
        A partition ended before the others.
    """
    with _processes(partitions, max(spikes), how) as timed:
        return [us_per_round(timed, size, seconds) for size in spikes]


def us_per_round(timed: Timed, spikes: int, seconds: float) -> float:
    """Microseconds of a round, the fastest of three series of about `seconds`."""
    pilot = max(timed(spikes, _FEWEST) for _ in range(2)) / _FEWEST
    rounds = int(np.clip(seconds / pilot, _FEWEST, _MOST))
    return 1e6 * min(timed(spikes, rounds) for _ in range(_REPEATS)) / rounds


def patience_of(partitions: int) -> int:
    """How long a partition spins, as in a simulation of one thread each on this host."""
    return CROWDED if partitions > (os.cpu_count() or 1) else PATIENT


def rounds_of(mail: Mail, partitions: int) -> Timed:
    """Return what times rounds of this partition; all partitions call it with the same arguments in the same order.

    Raises
    ------
    SimulationError
        (what is returned) A peer is gone.
    """
    abort, last = np.zeros(8, np.int64), 0

    def timed(spikes: int, rounds: int) -> float:
        nonlocal last
        started = time.perf_counter()
        last, status = exchange_rounds(mail, last, rounds, spikes, abort, patience_of(partitions))
        if status != 0:
            raise SimulationError("a partition ended during the exchange", where="time_exchange")
        return time.perf_counter() - started

    return timed


@contextlib.contextmanager
def _processes(partitions: int, room: int, how: str) -> Iterator[Timed]:
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []
    secret = secrets.token_bytes(32)
    for number in range(partitions):
        ours, theirs = context.Pipe()
        process = context.Process(target=_partition, args=(number, room, how == "memory", secret, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)

    def timed(spikes: int, rounds: int) -> float:
        for pipe in pipes:
            pipe.send((spikes, rounds))
        return float(max(_answer(pipe) for pipe in pipes))

    try:
        addresses = [_answer(pipe) for pipe in pipes]
        for pipe in pipes:
            pipe.send(addresses)
        yield timed
        for pipe in pipes:
            pipe.send(_DONE)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join()


def _answer(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError as error:
        raise SimulationError("a partition ended during the exchange", where="time_exchange") from error


def _partition(number: int, room: int, share: bool, secret: bytes, pipe: Connection) -> None:
    pipe.send(rendezvous.listen("timing", number))
    addresses = pipe.recv()
    sockets = rendezvous.connect("timing", number, addresses, secret)
    with open_mail(sockets, room, share=share) as mail:
        timed = rounds_of(mail, len(addresses))
        while (asked := pipe.recv()) != _DONE:
            pipe.send(timed(*asked))
    for s in sockets:
        s.close()
