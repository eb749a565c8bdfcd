"""Messages between partitions over real sockets and shared memory, and who is let in."""

import contextlib
import gc
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.simulate.build.threads import Stopped
from allometry.simulate.distribute.exchange import mailbox, rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.kernels.loop import wire

ROOM = 200_000
PATIENCE_S = 120.0  # for what comes at once, on a machine however slow


def exchange(mail: wire.Mail, generation: int, spikes: list[int], abort: np.ndarray, interval: int | None = None):
    """Send one message and receive one; the status and the received spikes."""
    outgoing = mail.outgoing[generation & 1]
    outgoing[wire.HEAD : wire.HEAD + 2] = generation if interval is None else interval, len(spikes)
    outgoing[wire.HEAD + 2 : wire.HEAD + 2 + len(spikes)] = spikes
    wire.post(mail, generation)
    status = wire.collect(mail, generation, generation if interval is None else interval, abort, 1)
    incoming = mail.incoming[generation & 1, 0]
    return status, incoming[2 : 2 + incoming[1]].tolist()


@pytest.fixture
def ends():
    """Two connected sockets."""
    pair = socket.socketpair()
    for s in pair:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    yield pair
    for s in pair:
        s.close()


@contextlib.contextmanager
def mails(ends, share=(True, True)):
    """The mail of both ends, opened at the same time as two partitions do."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        opened = [open_mail([s], ROOM, share=given) for s, given in zip(ends, share)]
        yield list(pool.map(stack.enter_context, opened))


@pytest.mark.parametrize("share", [(True, True), (True, False), (False, False)])
def test_messages_of_any_length_arrive(ends, share: tuple[bool, bool]) -> None:
    abort = np.zeros(8, np.int64)
    with mails(ends, share) as pair, ThreadPoolExecutor(2) as pool:
        assert all((m.boxes[0] != 0) == all(share) and m.reads[0] == all(share) for m in pair)
        for generation, count in enumerate([0, 1, wire.FRAME - 2, wire.FRAME - 1, wire.FRAME, ROOM, 0, 3], start=1):
            sent = [list(range(count)), list(range(-count, 0))]
            futures = [pool.submit(exchange, m, generation, spikes, abort) for m, spikes in zip(pair, sent)]
            assert [f.result(timeout=PATIENCE_S) for f in futures] == [(wire.DONE, sent[1]), (wire.DONE, sent[0])]


@pytest.mark.parametrize("share", [True, False])
def test_a_closed_peer_an_abort_and_a_wrong_interval_end_the_wait(ends, share: bool) -> None:
    abort = np.zeros(8, np.int64)
    with mails(ends, (share, share)) as (a, b), ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(exchange, a, 1, [], abort)
        time.sleep(0.05)
        abort[0] = 1
        assert waiting.result(timeout=PATIENCE_S)[0] == wire.ABORTED
        abort[0] = 0
        assert pool.submit(exchange, b, 1, [], abort, interval=9).result(timeout=PATIENCE_S)[0] == wire.CONFUSED
        waiting = pool.submit(exchange, b, 2, [], abort)
        time.sleep(0.05)
        ends[0].close()
        assert waiting.result(timeout=PATIENCE_S)[0] == wire.LOST


def test_what_a_peer_wrote_before_it_ended_is_read(ends) -> None:
    abort = np.zeros(8, np.int64)
    with mails(ends) as (a, b):
        a.outgoing[1, wire.HEAD : wire.HEAD + 3] = 1, 1, 42
        wire.post(a, 1)
        ends[0].close()
        assert exchange(b, 1, [], abort) == (wire.DONE, [42])
        assert exchange(b, 2, [], abort)[0] == wire.LOST


def test_a_peer_that_ends_with_a_message_on_its_way_to_it(ends) -> None:
    """We read its box, it reads our socket: its message is here, ours can never arrive."""
    abort = np.zeros(8, np.int64)
    with mails(ends) as (a, b), ThreadPoolExecutor(1) as pool:
        b.reads[0] = 0
        a.outgoing[1, wire.HEAD : wire.HEAD + 2] = 1, 0
        wire.post(a, 1)
        waiting = pool.submit(exchange, b, 1, list(range(ROOM)), abort)
        time.sleep(0.05)
        assert not waiting.done()
        ends[0].close()
        assert waiting.result(timeout=PATIENCE_S)[0] == wire.LOST


def test_memory_of_another_process_is_read_only_with_its_token(ends) -> None:
    """An offer from another host names some process here, or none: messages go over the socket."""
    memory, descriptor = mailbox._anonymous(512, bytes(range(32)))
    other = os.open(os.devnull, os.O_RDONLY)
    try:
        assert mailbox._look(os.getpid(), descriptor, 512, bytes(range(32))) is not None
        assert mailbox._look(os.getpid(), descriptor, 512, bytes(32)) is None
        assert mailbox._look(os.getpid(), other, 512, bytes(range(32))) is None
        assert mailbox._look(2**30, descriptor, 512, bytes(range(32))) is None
        assert mailbox._look(os.getpid(), -1, 512, bytes(range(32))) is None
    finally:
        os.close(descriptor)
        os.close(other)
    assert memory[:4].tobytes() == bytes(range(32))


def test_an_ended_exchange_leaves_no_open_files(ends) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not list open files")

    def once() -> None:
        with mails(ends) as pair:
            assert all(m.boxes[0] for m in pair)

    once()
    before = len(list(folder.iterdir()))
    for _ in range(5):
        once()
    gc.collect()
    assert len(list(folder.iterdir())) <= before


def test_a_peer_that_ends_while_mail_is_opened_is_reported(ends) -> None:
    ends[1].close()
    with pytest.raises(Stopped, match="closed its connection"), open_mail([ends[0]], ROOM):
        pass


def meet(count: int, secrets: list[bytes], timeout_s: float = PATIENCE_S) -> list:
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
        futures = [pool.submit(rendezvous.connect, attempt, n, addresses, b"s", timeout_s=PATIENCE_S) for n in range(2)]
        rows = [f.result() for f in futures]
    stranger.close()
    assert [len(row) for row in rows] == [1, 1]
    for row in rows:
        row[0].close()


def test_who_waits_to_be_let_in_looks_whether_the_run_goes_on() -> None:
    attempt = f"test-{time.monotonic_ns()}"
    addresses = [rendezvous.listen(attempt, number) for number in range(2)]

    def ended() -> None:
        raise Stopped("the run was ended")

    with pytest.raises(Stopped, match="the run was ended"):
        rendezvous.connect(attempt, 1, addresses, b"s", ended, timeout_s=PATIENCE_S)
    rendezvous.forget(attempt)


def test_listeners_are_forgotten() -> None:
    before = threading.active_count()
    host, port = rendezvous.listen("gone", 0)
    rendezvous.forget("gone")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, port), timeout=PATIENCE_S)
    with pytest.raises(SimulationError, match="no listening socket"):
        rendezvous.connect("gone", 0, [(host, port)], b"")
    assert threading.active_count() == before
