"""Messages between partitions over real sockets, and who is let in."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.simulate import rendezvous, wire


def exchange(s: socket.socket, interval: int, spikes: list[int], room: int, abort: np.ndarray) -> tuple[int, list[int]]:
    outgoing = np.zeros(max(room, wire.FRAME) + 2, np.int64)
    outgoing[0], outgoing[1] = interval, len(spikes)
    outgoing[2 : 2 + len(spikes)] = spikes
    incoming = np.zeros((1, len(outgoing)), np.int64)
    sockets, progress = np.array([s.fileno()]), np.zeros((1, 2), np.int64)
    wire.post(sockets, outgoing, progress)
    status = wire.collect(sockets, outgoing, incoming, progress, np.zeros(1, np.int64), interval, abort, 1)
    return status, incoming[0, 2 : 2 + incoming[0, 1]].tolist()


@pytest.fixture
def pair():
    a, b = socket.socketpair()
    for s in (a, b):
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    yield a, b
    a.close()
    b.close()


@pytest.mark.parametrize("count", [0, 1, wire.FRAME - 2, wire.FRAME - 1, wire.FRAME, 200_000])
def test_messages_of_any_length_arrive(pair: tuple[socket.socket, socket.socket], count: int) -> None:
    abort = np.zeros(8, np.int64)
    sent = [list(range(count)), list(range(-count, 0))]
    with ThreadPoolExecutor(2) as pool:
        for interval in (1, 2):
            futures = [pool.submit(exchange, s, interval, m, count, abort) for s, m in zip(pair, sent)]
            results = [f.result(timeout=30) for f in futures]
            assert results == [(wire.DONE, sent[1]), (wire.DONE, sent[0])]


def test_a_closed_peer_an_abort_and_a_wrong_interval_end_the_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    a, b = pair
    abort = np.zeros(8, np.int64)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(exchange, a, 1, [], 10, abort)
        time.sleep(0.05)
        abort[0] = 1
        assert waiting.result(timeout=5)[0] == wire.ABORTED
        abort[0] = 0
        codes = {pool.submit(exchange, b, 9, [], 10, abort).result(timeout=5)[0]}
        assert codes == {wire.CONFUSED}
        waiting = pool.submit(exchange, b, 1, [], 10, abort)
        time.sleep(0.05)
        a.close()
        assert waiting.result(timeout=5)[0] == wire.LOST


def meet(count: int, secrets: list[bytes], timeout_s: float = 10.0) -> list:
    attempt = f"test-{time.monotonic_ns()}"
    addresses = [rendezvous.listen(attempt, number) for number in range(count)]
    with ThreadPoolExecutor(count) as pool:
        futures = [
            pool.submit(rendezvous.connect, attempt, number, addresses, secrets[number], timeout_s=timeout_s)
            for number in range(count)
        ]
        return [f.exception() or f.result() for f in futures]


def test_partitions_find_each_other_in_order() -> None:
    sockets = meet(3, [b"s"] * 3)
    for number, row in enumerate(sockets):
        for s in row:
            s.setblocking(True)
            s.sendall(bytes([number]))
    for number, row in enumerate(sockets):
        assert [s.recv(1)[0] for s in row] == [other for other in range(3) if other != number]
    for row in sockets:
        for s in row:
            s.close()


def test_a_peer_without_the_secret_is_not_let_in() -> None:
    first, second = meet(2, [b"right", b"wrong"], timeout_s=1.5)
    assert isinstance(second, SimulationError)
    assert isinstance(first, SimulationError)
    assert "did not connect" in first.what


def test_a_stranger_does_not_disturb_the_rendezvous() -> None:
    attempt = f"test-{time.monotonic_ns()}"
    addresses = [rendezvous.listen(attempt, number) for number in range(2)]
    stranger = socket.create_connection(addresses[0])
    stranger.sendall(b"GET / HTTP/1.1\r\n" + b"x" * 200)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(rendezvous.connect, attempt, n, addresses, b"s", timeout_s=20.0) for n in range(2)]
        rows = [f.result() for f in futures]
    stranger.close()
    assert [len(row) for row in rows] == [1, 1]
    for row in rows:
        row[0].close()


def test_listeners_are_forgotten() -> None:
    before = threading.active_count()
    host, port = rendezvous.listen("gone", 0)
    rendezvous.forget("gone")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, port), timeout=2)
    with pytest.raises(SimulationError, match="no listening socket"):
        rendezvous.connect("gone", 0, [(host, port)], b"")
    assert threading.active_count() == before
