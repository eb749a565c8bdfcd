"""How partitions find each other: listening sockets on the workers' own interfaces, and authenticated connections.

Each partition connects to those with lower numbers and accepts those with higher ones. Both sides prove that they know
the run's secret (HMAC of the other's nonce) before a spike is exchanged.
"""

import hashlib
import hmac
import secrets
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import urlparse

from allometry.errors import SimulationError


class Unreachable(SimulationError):
    """A peer cannot be connected to: it is gone, or the network is in the way."""


_LISTENERS: dict[tuple[str, int], socket.socket] = {}
_NONCE = 32
_HELLO = struct.Struct(f"<4sI{_NONCE}s{_NONCE}s")
_MAGIC = b"ALLO"
TIMEOUT_S = 120.0


def own_host() -> str:
    """Return the address of the interface on which this process's Dask worker listens."""
    from distributed import get_worker

    try:
        address = get_worker().address
    except ValueError:
        return "127.0.0.1"
    if address.startswith("inproc"):
        return "127.0.0.1"
    return urlparse(address).hostname or "127.0.0.1"


def listen(attempt: str, number: int) -> tuple[str, int]:
    """Open the listening socket of partition `number` in this process and return its address."""
    server = socket.socket(socket.AF_INET6 if ":" in own_host() else socket.AF_INET, socket.SOCK_STREAM)
    server.bind((own_host(), 0))
    server.listen(128)
    _LISTENERS[attempt, number] = server
    host, port = server.getsockname()[:2]
    return host, port


def forget(attempt: str) -> None:
    """Close the listening sockets of an attempt that are still open in this process."""
    for key in [k for k in _LISTENERS if k[0] == attempt]:
        _LISTENERS.pop(key).close()


def connect(
    attempt: str,
    number: int,
    addresses: list[tuple[str, int]],
    secret: bytes,
    watch: Callable[[], None] = lambda: None,
    timeout_s: float = TIMEOUT_S,
) -> list[socket.socket]:
    """Return connected, authenticated sockets to all other partitions, in ascending order of their numbers.

    Raises
    ------
    SimulationError
        If a peer is not there within `timeout_s`.
    """
    server = _LISTENERS.pop((attempt, number), None)
    if server is None:
        raise SimulationError(f"partition {number} has no listening socket on this worker", where=own_host())
    deadline = time.monotonic() + timeout_s
    peers: dict[int, socket.socket] = {}
    try:
        for other in range(number):
            peers[other] = _dial(addresses[other], number, other, secret, deadline, watch)
        server.settimeout(0.5)
        while len(peers) < len(addresses) - 1:
            watch()
            if time.monotonic() > deadline:
                missing = sorted(set(range(len(addresses))) - set(peers) - {number})
                raise Unreachable(
                    f"partitions {missing} did not connect to partition {number} within {timeout_s:g} s",
                    where="{}:{}".format(*addresses[number]),
                    do="check that the workers can reach each other over the network",
                )
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            admitted = _admit(connection, secret, deadline)
            if admitted is None or admitted in peers or not number < admitted < len(addresses):
                connection.close()
            else:
                peers[admitted] = connection
    except BaseException:
        for connection in peers.values():
            connection.close()
        raise
    finally:
        server.close()
    for connection in peers.values():
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setblocking(False)
    return [peers[other] for other in sorted(peers)]


def _proof(secret: bytes, role: bytes, nonce: bytes, number: int) -> bytes:
    return hmac.new(secret, role + nonce + struct.pack("<I", number), hashlib.sha256).digest()


def _dial(
    address: tuple[str, int], number: int, other: int, secret: bytes, deadline: float, watch: Callable[[], None]
) -> socket.socket:
    where = f"partition {other} at {address[0]}:{address[1]}"
    connection = None
    try:
        connection = socket.create_connection(address, timeout=max(0.1, deadline - time.monotonic()))
        connection.settimeout(0.5)
        challenge = exactly(connection, _NONCE, deadline, watch)
        nonce = secrets.token_bytes(_NONCE)
        connection.sendall(_HELLO.pack(_MAGIC, number, nonce, _proof(secret, b"dial", challenge, number)))
        if not hmac.compare_digest(
            exactly(connection, _NONCE, deadline, watch), _proof(secret, b"admit", nonce, number)
        ):
            raise SimulationError("a peer does not know the secret of this run", where=where)
    except (OSError, EOFError) as error:
        if connection is not None:
            connection.close()
        raise Unreachable(
            f"partition {number} cannot connect to a peer: {error}",
            where=where,
            do="check that the workers can reach each other over the network",
        ) from error
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return connection


def _admit(connection: socket.socket, secret: bytes, deadline: float) -> int | None:
    """Return the number of the partition at the other end, or None if it does not know the secret."""
    try:
        connection.settimeout(min(10.0, max(0.1, deadline - time.monotonic())))
        challenge = secrets.token_bytes(_NONCE)
        connection.sendall(challenge)
        magic, number, nonce, proof = _HELLO.unpack(exactly(connection, _HELLO.size))
        if magic != _MAGIC or not hmac.compare_digest(proof, _proof(secret, b"dial", challenge, number)):
            return None
        connection.sendall(_proof(secret, b"admit", nonce, number))
    except (OSError, EOFError):
        return None
    return int(number)


def exactly(
    connection: socket.socket, size: int, deadline: float | None = None, watch: Callable[[], None] = lambda: None
) -> bytes:
    """Receive `size` bytes, or raise OSError or EOFError; with a deadline, `watch` is called whenever the socket's own timeout passes."""
    data = b""
    while len(data) < size:
        try:
            piece = connection.recv(size - len(data))
        except TimeoutError:
            if deadline is None or time.monotonic() > deadline:
                raise
            watch()
            continue
        if not piece:
            raise EOFError("the connection was closed during the handshake")
        data += piece
    return data
