"""The spike exchange between partitions, inside the compiled step loop.

A message is [interval, count, spikes...] of int64. Partitions on one host read it from the sender's box, memory they share
(`mailbox`); to other hosts it is framed over a connected TCP socket: its first `FRAME` words are always sent, so that one
receive call gets a typical message; what does not fit follows. Ranks of one MPI (`clusters.mpi`) send it as one message; their
sockets then only tell who is gone. libc and MPI are called directly: the loop never takes the GIL.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import socket
from typing import Any, NamedTuple

import numpy as np
from numba import int32, int64, njit, types, uint64

from allometry.simulate.kernels.intrinsics import (
    address,
    load_acquire,
    pause,
    peek,
    peek_acquire,
    store_release,
    test,
    transfer,
)

FRAME = 64
DONE, ABORTED, LOST, CONFUSED = 0, 1, 2, 3
HEAD = 8
"""Words before a message in a box: the first is the generation, alone in its cache line."""
_ALL = 1 << 62
_LATE = 20_000  # about a second, most of it asleep
_DONTWAIT = int(socket.MSG_DONTWAIT)
_SEND_FLAGS = int(socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0))
_POLLIN = 1
_POLLOUT = 4
_BROKEN = 8 | 16 | 32

_send = types.ExternalFunction("send", types.int64(types.int32, types.voidptr, types.uint64, types.int32))
_recv = types.ExternalFunction("recv", types.int64(types.int32, types.voidptr, types.uint64, types.int32))
_poll = types.ExternalFunction("poll", types.int32(types.voidptr, types.uint64, types.int32))


class Mail(NamedTuple):
    """What a partition needs to exchange messages; peers in ascending order of their numbers.

    sockets : int64 [peer], file descriptors. outgoing : int64 [2, HEAD + 2 + room], its own box, written alternately.
    reads : int64 [peer], 1 where the peer reads that box. boxes : int64 [peer], the addresses of the peers' boxes here, 0
    where messages come over the socket. incoming : int64 [2, peer, 2 + room]. progress : int64 [peer, 2], bytes sent and
    received. polled : int64 [peer], scratch of pollfd structs. ranks : int64 [peer], -1 where messages do not go by MPI.
    mpi : int64 [6], addresses of MPI_Isend, MPI_Irecv and MPI_Test, handles of int64 and of the communicator, tag (even).
    requests : int64 [2, peer], of sending and receiving. status : int64 [16], scratch of MPI_Test: a flag, and from its
    ninth word the status.
    """

    sockets: np.ndarray
    outgoing: np.ndarray
    reads: np.ndarray
    boxes: np.ndarray
    incoming: np.ndarray
    progress: np.ndarray
    polled: np.ndarray
    ranks: np.ndarray
    mpi: np.ndarray
    requests: np.ndarray
    status: np.ndarray


def alone() -> Mail:
    """Return the mail of a partition without peers."""
    return Mail(
        sockets=np.zeros(0, np.int64),
        outgoing=np.zeros((2, HEAD + 2), np.int64),
        reads=np.zeros(0, np.int64),
        boxes=np.zeros(0, np.int64),
        incoming=np.zeros((2, 0, 2), np.int64),
        progress=np.zeros((0, 2), np.int64),
        polled=np.zeros(1, np.int64),
        ranks=np.zeros(0, np.int64),
        mpi=np.zeros(6, np.int64),
        requests=np.zeros((2, 0), np.int64),
        status=np.zeros(16, np.int64),
    )


@njit(nogil=True)
def _length(count):
    return 8 * max(FRAME, count + 2)


@njit(nogil=True)
def post(mail, generation):
    """Begin the exchange of a generation: open the box, and hand it to the sockets of those who cannot read it.

    `outgoing[generation & 1]` holds interval, count and spikes behind its `HEAD`, and is left alone until `collect` of the
    next generation returned.
    """
    parity = generation & 1
    outgoing = mail.outgoing[parity]
    store_release(outgoing, 0, generation)
    total = _length(outgoing[HEAD + 1])
    for p in range(len(mail.sockets)):
        mail.progress[p, 1] = 0
        if mail.ranks[p] >= 0:
            mail.progress[p, 0] = 0
            _begin(mail, p, generation)
            continue
        if mail.reads[p] != 0:
            mail.progress[p, 0] = _ALL
            continue
        done = _send(int32(mail.sockets[p]), address(outgoing, 8 * HEAD), uint64(total), int32(_SEND_FLAGS))
        mail.progress[p, 0] = max(int64(0), done)


@njit(nogil=True)
def _begin(mail, p, generation):
    """Begin to receive and to send a message by MPI; a call that fails leaves an exchange that never ends."""
    parity, width, peers = generation & 1, mail.incoming.shape[2], len(mail.ranks)
    kind, communicator, tag = mail.mpi[3], mail.mpi[4], mail.mpi[5] + parity
    into: Any = address(mail.incoming, 8 * width * (parity * peers + p))
    transfer(
        mail.mpi[1], into, int64(width), kind, mail.ranks[p], tag, communicator, address(mail.requests, 8 * (peers + p))
    )
    outgoing = mail.outgoing[parity]
    count = outgoing[HEAD + 1] + 2
    transfer(
        mail.mpi[0],
        address(outgoing, 8 * HEAD),
        count,
        kind,
        mail.ranks[p],
        tag,
        communicator,
        address(mail.requests, 8 * p),
    )


@njit(nogil=True)
def _ended(mail, which, p):
    """Return whether a transfer by MPI has ended: 0 that of our message, 1 that of the peer's."""
    mail.status[0] = 0
    request: Any = address(mail.requests, 8 * (which * len(mail.ranks) + p))
    test(mail.mpi[2], request, address(mail.status, 0), address(mail.status, 64))
    return mail.status[0] & int64(0xFFFFFFFF) != 0


@njit(nogil=True)
def _ended_late(mail, p):
    """Return whether a message arrives that a peer sent before it closed its socket."""
    for spins in range(_LATE):
        if _ended(mail, 1, p):
            return True
        pause(spins, 1)
    return False


@njit(nogil=True)
def _row(mail, generation):
    return (generation & 1) * mail.outgoing.shape[1]


@njit(nogil=True)
def _in_box(mail, p, generation):
    return peek_acquire(mail.boxes[p], _row(mail, generation)) == generation


@njit(nogil=True)
def _fits(interval, found, count, room):
    return found == interval and 0 <= count <= room


@njit(nogil=True)
def _missing(mail, p, incoming):
    """Return whether the message of a peer is incomplete."""
    have = mail.progress[p, 1]
    if mail.boxes[p] != 0 or mail.ranks[p] >= 0:
        return have == 0
    return have < 8 * FRAME or have < _length(incoming[p, 1])


@njit(nogil=True)
def collect(mail, generation, interval, abort, patience):
    """End an exchange: send what is left and receive one message from each peer into `incoming[generation & 1]`.

    `patience` scales how long to spin before sleeping: waking up costs more than a step takes.
    Returns DONE, ABORTED, LOST (a peer closed its socket) or CONFUSED (a message of another interval).
    """
    peers = len(mail.sockets)
    outgoing, incoming, progress = mail.outgoing[generation & 1], mail.incoming[generation & 1], mail.progress
    room = incoming.shape[1] - 2
    total = _length(outgoing[HEAD + 1])
    row = _row(mail, generation) + HEAD
    idle = 0
    while True:
        open_ends, boxed, moved = 0, False, False
        for p in range(peers):
            fd = int32(mail.sockets[p])
            if mail.ranks[p] >= 0:
                if progress[p, 0] == 0 and _ended(mail, 0, p):
                    progress[p, 0] = _ALL
                    moved = True
                if progress[p, 1] == 0 and _ended(mail, 1, p):
                    progress[p, 1] = _ALL
                    moved = True
                if progress[p, 1] != 0 and not _fits(interval, incoming[p, 0], incoming[p, 1], room):
                    return CONFUSED
                if progress[p, 0] == 0 or progress[p, 1] == 0:
                    open_ends += 1
                    boxed = True
                continue
            if progress[p, 0] < total:
                sent = progress[p, 0]
                done = _send(fd, address(outgoing, 8 * HEAD + sent), uint64(total - sent), int32(_SEND_FLAGS))
                if done > 0:
                    progress[p, 0] += done
                    moved = True
            if mail.boxes[p] != 0:
                if progress[p, 1] == 0 and _in_box(mail, p, generation):
                    count = int64(peek(mail.boxes[p], row + 1))
                    if not _fits(interval, peek(mail.boxes[p], row), count, room):
                        return CONFUSED
                    incoming[p, 0] = interval
                    incoming[p, 1] = count
                    for i in range(2, count + 2):
                        incoming[p, i] = peek(mail.boxes[p], row + i)
                    progress[p, 1] = _ALL
                    moved = True
                boxed = boxed or progress[p, 1] == 0
            elif _missing(mail, p, incoming):
                have = progress[p, 1]
                want = 8 * FRAME if have < 8 * FRAME else _length(incoming[p, 1])
                start = 8 * p * incoming.shape[1]
                got = _recv(fd, address(incoming, start + have), uint64(want - have), int32(_DONTWAIT))
                if got == 0:
                    return LOST
                if got > 0:
                    progress[p, 1] = have + got
                    moved = True
                    if have + got >= 8 * FRAME and not _fits(interval, incoming[p, 0], incoming[p, 1], room):
                        return CONFUSED
            if progress[p, 0] < total or _missing(mail, p, incoming):
                open_ends += 1
        if open_ends == 0:
            return DONE
        if moved:
            idle = 0
            continue
        if load_acquire(abort, 0) != 0:
            return ABORTED
        idle = pause(idle, patience) if boxed else idle + 1
        # Nobody wakes up who waits for a box: it sleeps for moments, and looks rarely whether its peers are still there.
        look = idle > 400 * patience and idle & 15 == 0 if boxed else idle > 20 * patience
        if look and not _connected(mail, incoming, generation, total, 0 if boxed else 20):
            return LOST


@njit(nogil=True)
def _connected(mail, incoming, generation, total, timeout_ms):
    """Wait until a socket can move data, or `timeout_ms`; returns False if a peer whose message is missing is gone."""
    peers = len(mail.sockets)
    for p in range(peers):
        events = _POLLIN if _missing(mail, p, incoming) else 0
        if mail.progress[p, 0] < total:
            events |= _POLLOUT
        fd = mail.sockets[p] if events != 0 else -1
        mail.polled[p] = (int64(events) << int64(32)) | (int64(fd) & int64(0xFFFFFFFF))
    _poll(address(mail.polled, 0), uint64(peers), int32(timeout_ms))
    for p in range(peers):
        happened = (mail.polled[p] >> int64(48)) & int64(0xFFFF)
        if happened & _BROKEN and mail.progress[p, 0] < total:
            return False
        if mail.boxes[p] != 0:
            # A peer says nothing over the socket where its box is read, so that this is the end of it.
            if happened & (_BROKEN | _POLLIN) and _missing(mail, p, incoming) and not _in_box(mail, p, generation):
                return False
        elif mail.ranks[p] >= 0:
            if happened & (_BROKEN | _POLLIN) and _missing(mail, p, incoming):
                if not _ended_late(mail, p):
                    return False
                mail.progress[p, 1] = _ALL
        elif happened & _BROKEN and not happened & _POLLIN:
            return False
    return True
