"""Memory that partitions on one host share: each writes its messages into a box of its own, and the others read them there.

Over the authenticated sockets of a run, each partition says where its box is: an anonymous file (Linux) in its own table
of open files, so that nothing is left behind however a process ends. A peer that finds the run's token there reads the
box; to one on another host, in another container or on another system, messages go over the socket. Between ranks of one MPI
they go by MPI, which has shared memory and the network of the cluster below it.
"""

import contextlib
import math
import mmap
import os
import secrets
import socket
import struct
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from allometry.simulate.build.threads import Stopped
from allometry.simulate.distribute.clusters import mpi
from allometry.simulate.distribute.exchange.rendezvous import exactly
from allometry.simulate.kernels.loop.wire import FRAME, HEAD, Mail

_TOKEN = 32
_OFFER = struct.Struct(f"<qqq{_TOKEN}sq16s")
_NAME = "allometry-spikes"
_POLL_S = 0.5


@contextlib.contextmanager
def open_mail(
    sockets: Sequence[socket.socket],
    room: int,
    watch: Callable[[], None] = lambda: None,
    share: bool = True,
    ranks: mpi.World | None = None,
    tag: int = 0,
) -> Iterator[Mail]:
    """Agree with all peers, over connected sockets in their ascending order, on how messages travel; yields `Mail`.

    Parameters
    ----------
    sockets : sequence of socket
        Connections to the peers, which call this at the same time with the same `room`; left non-blocking.
    room : int
        The most spikes of a message.
    watch : callable
        Called about twice a second while waiting; may raise to end the wait.
    share : bool
        Whether memory is offered and used; without, all messages go over the sockets.
    ranks : World, optional
        Of which this process is one: messages to others of it go by MPI.
    tag : int
        Of these, even; see `mpi.tag_of`.

    Raises
    ------
    Stopped
        If a peer closed its connection.
    """
    row = -(-(2 + max(room, FRAME)) // HEAD) * HEAD
    words = HEAD + 2 * (HEAD + row)
    token = secrets.token_bytes(_TOKEN)
    memory, descriptor = (
        _anonymous(words, token) if share and sockets and ranks is None else (np.zeros(words, np.int64), -1)
    )
    boxes: list[np.ndarray | None] = []
    peers: list[int] = []
    try:
        mine = (ranks.rank, ranks.token) if ranks else (-1, b"")
        offer = _OFFER.pack(os.getpid(), descriptor, 8 * words, token, *mine)
        for s in sockets:
            _send(s, offer)
        for s in sockets:
            pid, theirs, size, sign, rank, world = _OFFER.unpack(_receive(s, _OFFER.size, watch))
            peers.append(rank if ranks and rank >= 0 and world == ranks.token and size == 8 * words else -1)
            boxes.append(_look(pid, theirs, words, sign) if share and size == 8 * words else None)
        for s, box in zip(sockets, boxes):
            _send(s, b"\0" if box is None else b"\1")
        reads = [_receive(s, 1, watch)[0] for s in sockets]
    finally:
        # All peers have looked; the memory lives as long as the arrays.
        if descriptor >= 0:
            os.close(descriptor)
    for s in sockets:
        s.setblocking(False)
    mail = Mail(
        sockets=np.array([s.fileno() for s in sockets], np.int64),
        outgoing=memory[HEAD:].reshape(2, -1),
        reads=np.array(reads, np.int64),
        boxes=np.array([0 if box is None else box[HEAD:].ctypes.data for box in boxes], np.int64),
        incoming=np.zeros((2, len(sockets), row), np.int64),
        progress=np.zeros((len(sockets), 2), np.int64),
        polled=np.zeros(max(1, len(sockets)), np.int64),
        ranks=np.array(peers, np.int64),
        mpi=np.array([*ranks.calls, tag] if ranks else [0] * 6, np.int64),
        requests=np.zeros((2, len(sockets)), np.int64),
        status=np.zeros(16, np.int64),
    )
    try:
        yield mail
    finally:
        if max(peers, default=-1) >= 0 and not mail.progress.all():
            mpi.abandon(mail)


def _anonymous(words: int, token: bytes) -> tuple[np.ndarray, int]:
    """Return memory that begins with the token, and its descriptor; -1 where the system cannot share it this way."""
    if not hasattr(os, "memfd_create"):
        return np.zeros(words, np.int64), -1
    descriptor = os.memfd_create(_NAME)
    try:
        os.ftruncate(descriptor, 8 * words)
        memory = np.frombuffer(mmap.mmap(descriptor, 8 * words), np.int64)
    except BaseException:
        os.close(descriptor)
        raise
    memory[: _TOKEN // 8] = np.frombuffer(token, np.int64)
    return memory, descriptor


def _look(pid: int, descriptor: int, words: int, token: bytes) -> np.ndarray | None:
    """Return a peer's memory if it is within reach, which the token proves: numbers mean nothing on another host."""
    path = f"/proc/{pid}/fd/{descriptor}"
    try:
        if descriptor < 0 or not os.readlink(path).startswith(f"/memfd:{_NAME}"):
            return None
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            memory = np.frombuffer(mmap.mmap(opened, 8 * words, prot=mmap.PROT_READ), np.int64)
        finally:
            os.close(opened)
    except (OSError, ValueError):
        return None
    return memory if memory[: _TOKEN // 8].tobytes() == token else None


def _send(connection: socket.socket, data: bytes) -> None:
    connection.settimeout(_POLL_S)
    try:
        connection.sendall(data)
    except OSError as error:
        raise Stopped(f"a peer closed its connection: {error}") from error


def _receive(connection: socket.socket, size: int, watch: Callable[[], None]) -> bytes:
    try:
        return exactly(connection, size, math.inf, watch)
    except (OSError, EOFError) as error:
        raise Stopped(f"a peer closed its connection: {error}") from error
