"""Downloads over https that survive interruptions: resumed where the server allows it, else restarted."""

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from allometry.errors import RetrieveError
from allometry.files import BLOCK, write_text

_log = logging.getLogger(__name__)

#: Seconds between two progress messages of one download.
PROGRESS_S = 10.0
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Downloaded:
    """What a download did.

    Attributes
    ----------
    size : int
        Bytes of the complete file.
    resumed : bool
        Whether a part of it came from an earlier, interrupted download.
    """

    size: int
    resumed: bool


class _Interrupted(Exception):
    """The connection broke before the end; what arrived is kept."""


def download(url: str, part: Path, *, timeout_s: float, attempts: int, wait_s: float = 1.0) -> Downloaded:
    """Download `url` into `part`, continuing a part that is there already.

    Parameters
    ----------
    url : str
        http or https address.
    part : Path
        Partial file; beside it ``<part>.json`` keeps what is needed to resume safely (address, ETag or date).
    timeout_s : float
        Seconds without a byte after which the connection counts as broken.
    attempts : int
        Attempts in a row that may bring no byte; one that brings some starts the count anew.
    wait_s : float
        Seconds before the second attempt, doubled before each further one.

    Raises
    ------
    RetrieveError
        The server refuses, does not answer, or keeps breaking off.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    failures, resumed = 0, False
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            size, continued = _attempt(url, part, timeout_s)
            return Downloaded(size, resumed or continued)
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code} {error.reason}"
            if error.code not in _TEMPORARY:
                raise RetrieveError(reason, where=url) from None
        except (_Interrupted, urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        after = part.stat().st_size if part.exists() else 0
        failures = 1 if after > before else failures + 1
        if failures >= attempts:
            raise RetrieveError(f"{reason} ({attempts} attempts)", where=url)
        resumed = resumed or after > 0
        _log.info("%s: %s; trying again", url, reason)
        time.sleep(wait_s * 2 ** (failures - 1))


def discard_part(part: Path) -> None:
    """Forget a partial download."""
    part.unlink(missing_ok=True)
    _sidecar(part).unlink(missing_ok=True)


def _attempt(url: str, part: Path, timeout_s: float) -> tuple[int, bool]:
    """One connection; the size of the complete file, and whether it continued the part."""
    offset, validator = _resumable(url, part)
    headers = {"User-Agent": "allometry", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    with _open(url, headers, timeout_s) as response:
        if isinstance(response, _NotSatisfiable):
            if response.size == offset:
                return offset, True
            # the server's file ends before our part does: the part belongs to another version
            discard_part(part)
            return _attempt(url, part, timeout_s)
        if url.startswith("https:") and not response.url.startswith("https:"):
            raise RetrieveError(
                "the server redirects to an address without encryption", where=f"{url} -> {response.url}"
            )
        continues = response.status == 206 and _start(response.headers) == offset > 0
        if response.status == 206 and not continues:
            discard_part(part)
            raise _Interrupted("the server sent another range than the one asked for")
        total = _total(response.headers, offset if continues else 0)
        if not continues:
            discard_part(part)
            _remember(url, part, response.headers)
        size = _receive(response, part, offset if continues else 0, total, url)
    if total is not None and size != total:
        raise _Interrupted(f"the connection broke off after {size} of {total} bytes")
    return size, continues


class _Refusals(urllib.request.HTTPRedirectHandler):
    """Follow redirects between web addresses only."""

    def redirect_request(self, *arguments: object) -> urllib.request.Request | None:
        """Refuse the other schemes that urllib would follow."""
        target = str(arguments[-1])
        if not target.startswith(("http://", "https://")):
            raise RetrieveError("the server redirects to something that is no web address", where=target)
        return super().redirect_request(*arguments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _NotSatisfiable:
    """Answer 416: the file has `size` bytes (-1 if the server does not say) and nothing beyond our part."""

    size: int


@contextmanager
def _open(
    url: str, headers: Mapping[str, str], timeout_s: float
) -> Iterator[http.client.HTTPResponse | _NotSatisfiable]:
    opener = urllib.request.build_opener(_Refusals)
    try:
        response = opener.open(urllib.request.Request(url, headers=dict(headers)), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code != 416 or "Range" not in headers:
            raise
        size = str(error.headers.get("Content-Range", "")).rpartition("/")[2]
        error.close()
        yield _NotSatisfiable(int(size) if size.isdigit() else -1)
        return
    with response:
        yield response


def _receive(response: http.client.HTTPResponse, part: Path, offset: int, total: int | None, url: str) -> int:
    """Append the body to the part; its size afterwards."""
    size, begun = offset, time.monotonic()
    reported = begun
    with part.open("ab" if offset else "wb") as stream:
        while block := _read(response, size):
            stream.write(block)
            size += len(block)
            now = time.monotonic()
            if now - reported >= PROGRESS_S:
                reported = now
                _log.info("%s", progress(url, size, total, (size - offset) / (now - begun)))
    return size


def _read(response: http.client.HTTPResponse, size: int) -> bytes:
    """What has arrived, so that a broken connection loses nothing that came before it broke."""
    try:
        return response.read1(BLOCK)
    except (http.client.HTTPException, OSError) as error:
        raise _Interrupted(f"the connection broke off after {size} bytes: {error or type(error).__name__}") from None


def progress(url: str, size: int, total: int | None, rate: float) -> str:
    """One line for a person: how much of how much, how fast (bytes/s), how long still."""
    name = url.rstrip("/").rsplit("/", 1)[-1]
    speed = f"{rate / 1e6:.1f} MB/s"
    if total is None:
        return f"{name}: {size / 1e6:.1f} MB, {speed}"
    left = (total - size) / rate if rate > 0 else float("inf")
    eta = f"{left:.0f} s left" if left < 120 else f"{left / 60:.0f} min left"
    return f"{name}: {size / 1e6:.1f} of {total / 1e6:.1f} MB ({100 * size / total:.0f} %), {speed}, {eta}"


def _resumable(url: str, part: Path) -> tuple[int, str]:
    """Bytes at hand, and what the server must still say about its file; 0 when nothing can be continued."""
    try:
        known = json.loads(_sidecar(part).read_text(encoding="utf-8"))
        size = part.stat().st_size
        if known["url"] == url and known["validator"] and size:
            return size, str(known["validator"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, ""


def _remember(url: str, part: Path, headers: Message) -> None:
    etag = headers.get("ETag", "")
    # a weak ETag does not promise the same bytes
    validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
    write_text(_sidecar(part), json.dumps({"url": url, "validator": validator}))


def _sidecar(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _start(headers: Message) -> int:
    """First byte of a partial answer, or -1."""
    unit, _, rest = str(headers.get("Content-Range", "")).partition(" ")
    first = rest.split("-", 1)[0]
    return int(first) if unit == "bytes" and first.isdigit() else -1


def _total(headers: Message, offset: int) -> int | None:
    """Size of the complete file where the server says it."""
    length = headers.get("Content-Length", "")
    return offset + int(length) if length.isdigit() else None
