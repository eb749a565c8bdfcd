"""The spike exchange between partitions, inside the compiled step loop: framed messages over connected TCP sockets.

A message is [interval, count, spikes...] of int64. Its first `FRAME` words are always sent, so that one receive call
gets a typical message; what does not fit follows. libc is called directly: the loop never takes the GIL.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import socket

from numba import int32, int64, njit, types, uint64

from allometry.simulate.intrinsics import address, load_acquire

FRAME = 64
DONE, ABORTED, LOST, CONFUSED = 0, 1, 2, 3
_DONTWAIT = int(socket.MSG_DONTWAIT)
_SEND_FLAGS = int(socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0))
_POLLIN = 1
_POLLOUT = 4
_BROKEN = 8 | 16 | 32

_send = types.ExternalFunction("send", types.int64(types.int32, types.voidptr, types.uint64, types.int32))
_recv = types.ExternalFunction("recv", types.int64(types.int32, types.voidptr, types.uint64, types.int32))
_poll = types.ExternalFunction("poll", types.int32(types.voidptr, types.uint64, types.int32))


@njit(nogil=True)
def _length(count):
    return 8 * max(FRAME, count + 2)


@njit(nogil=True)
def post(sockets, outgoing, progress):
    """Begin an exchange: hand `outgoing` to the sockets of all peers, as far as they take it at once.

    outgoing : int64 [2 + room], filled with interval, count and spikes, left alone until `collect` returned;
    progress : int64 [peer, 2], bytes sent and received.
    """
    total = _length(outgoing[1])
    for p in range(len(sockets)):
        done = _send(int32(sockets[p]), address(outgoing, 0), uint64(total), int32(_SEND_FLAGS))
        progress[p, 0] = max(int64(0), done)
        progress[p, 1] = 0


@njit(nogil=True)
def collect(sockets, outgoing, incoming, progress, polled, interval, abort, patience):
    """End an exchange: send what is left and receive one message from each peer into the rows of `incoming`.

    incoming : int64 [peer, 2 + room]; polled : int64 [peer] scratch of pollfd structs; `patience` scales how long to spin
    before sleeping: waking up costs more than a step takes.
    Returns DONE, ABORTED, LOST (a peer closed its socket) or CONFUSED (a message of another interval).
    """
    peers = len(sockets)
    total = _length(outgoing[1])
    idle = 0
    while True:
        open_ends = 0
        moved = False
        for p in range(peers):
            fd = int32(sockets[p])
            if progress[p, 0] < total:
                sent = progress[p, 0]
                done = _send(fd, address(outgoing, sent), uint64(total - sent), int32(_SEND_FLAGS))
                if done > 0:
                    progress[p, 0] += done
                    moved = True
            have = progress[p, 1]
            want = 8 * FRAME if have < 8 * FRAME else _length(incoming[p, 1])
            if have < want:
                row = 8 * p * incoming.shape[1]
                got = _recv(fd, address(incoming, row + have), uint64(want - have), int32(_DONTWAIT))
                if got == 0:
                    return LOST
                if got > 0:
                    have += got
                    progress[p, 1] = have
                    moved = True
                    if have >= 8 * FRAME:
                        if incoming[p, 0] != interval or incoming[p, 1] < 0 or incoming[p, 1] + 2 > incoming.shape[1]:
                            return CONFUSED
                        want = _length(incoming[p, 1])
            if have < want or progress[p, 0] < total:
                open_ends += 1
        if open_ends == 0:
            return DONE
        if moved:
            idle = 0
            continue
        idle += 1
        if load_acquire(abort, 0) != 0:
            return ABORTED
        if idle > 20 * patience:
            for p in range(peers):
                events = 0
                have = progress[p, 1]
                if have < 8 * FRAME or have < _length(incoming[p, 1]):
                    events |= _POLLIN
                if progress[p, 0] < total:
                    events |= _POLLOUT
                fd = sockets[p] if events != 0 else -1
                polled[p] = (int64(events) << int64(32)) | (int64(fd) & int64(0xFFFFFFFF))
            _poll(address(polled, 0), uint64(peers), int32(20))
            for p in range(peers):
                happened = (polled[p] >> int64(48)) & int64(0xFFFF)
                if happened & _BROKEN and not happened & _POLLIN:
                    return LOST
