"""Downloads over https that survive interruptions: resumed where the server allows it, else restarted."""

import http.client
import json
import logging
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from allometry.errors import RetrieveError
from allometry.files import BLOCK, disk_error, write_text
from allometry.retrieve import credentials

_log = logging.getLogger(__name__)

#: Seconds between two progress messages of one download.
PROGRESS_S = 10.0
#: Answers of a server that may be another one later.
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Downloaded:
    """What a download did.

    Attributes
    ----------
    size : int
        Bytes of the complete file.
    resumed : bool
        Whether a part of it came from an earlier, interrupted download.
    whole : bool
        Whether the server said where the file ends; without that, a connection that broke looks like the end.
    """

    size: int
    resumed: bool
    whole: bool = True


class DiskError(RetrieveError):
    """This machine cannot keep the file: no other place would help."""


@dataclass
class _Tally:
    """How often the server began anew where it was asked to continue."""

    begun_anew: int = 0


class _Interrupted(Exception):
    """The connection broke before the end; what arrived is kept."""


def download(
    url: str, part: Path, *, timeout_s: float, attempts: int, wait_s: float = 1.0, most_bytes: float = float("inf")
) -> Downloaded:
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
        Attempts in a row that may bring nothing new, and attempts in all that the server may begin anew; one that brings
        the file further than any before starts the first count again.
    wait_s : float
        Seconds before the second attempt, doubled before each further one.
    most_bytes : float
        Size of the file above which it is refused.

    Raises
    ------
    RetrieveError
        The server refuses, does not answer, keeps breaking off, or sends more than `most_bytes`.
    DiskError
        There is no room for the file.
    """
    failures, resumed, tally = 0, False, _Tally()
    furthest = part.stat().st_size if part.exists() else 0
    while True:
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            done = _attempt(url, part, timeout_s, most_bytes, tally)
            return Downloaded(done.size, resumed or done.resumed, done.whole)
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code} {error.reason}"
            if error.code not in TEMPORARY:
                raise RetrieveError(reason, where=url) from None
        except (_Interrupted, urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        except OSError as error:
            said = disk_error(error, part, DiskError)
            if said is None:
                raise
            discard_part(part)  # what fills the disk is of no use to anybody
            raise said from None
        after = part.stat().st_size if part.exists() else 0
        failures = 1 if after > furthest else failures + 1
        # a server that never continues would otherwise be asked for ever, if each connection lasts a little longer
        if failures >= attempts or tally.begun_anew >= attempts:
            raise RetrieveError(f"{reason} ({attempts} attempts)", where=url)
        furthest = max(furthest, after)
        resumed = resumed or after > 0
        _log.info("%s: %s; trying again", url, reason)
        time.sleep(wait_s * 2 ** (failures - 1))


def discard_part(part: Path) -> None:
    """Forget a partial download."""
    part.unlink(missing_ok=True)
    _sidecar(part).unlink(missing_ok=True)


def _attempt(url: str, part: Path, timeout_s: float, most_bytes: float, tally: _Tally) -> Downloaded:
    """One connection."""
    offset, validator = _resumable(url, part)
    headers = {"User-Agent": "allometry", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    with connect(url, headers, timeout_s) as response:
        if isinstance(response, _NotSatisfiable):
            if response.size == offset:
                return Downloaded(offset, resumed=True)
            # the server's file ends before our part does: the part belongs to another version
            discard_part(part)
            return _attempt(url, part, timeout_s, most_bytes, tally)
        continues = response.status == 206 and _start(response.headers) == offset > 0
        if response.status == 206 and not continues:
            tally.begun_anew += 1
            discard_part(part)
            raise _Interrupted("the server sent another range than the one asked for")
        tally.begun_anew += offset > 0 and not continues
        kept = offset if continues else 0
        total = _total(response.headers, kept)
        if not continues:
            discard_part(part)
        _require_room(url, part, kept, total, most_bytes)
        if not continues:
            _remember(url, part, response.headers)
        size = _receive(response, part, kept, total, url, most_bytes)
        whole = total is not None or bool(getattr(response, "chunked", False))
    if total is not None and size != total:
        raise _Interrupted(f"the connection broke off after {size} of {total} bytes")
    return Downloaded(size, continues, whole)


def _require_room(url: str, part: Path, kept: int, total: int | None, most_bytes: float) -> None:
    """Refuse, before its first byte, a file that is larger than allowed or than what is free."""
    if total is None:
        return
    if total > most_bytes:
        raise _too_large(url, total, most_bytes)
    free = shutil.disk_usage(part.parent).free
    if total - kept > free:
        raise DiskError(
            f"{url.rstrip('/').rsplit('/', 1)[-1]} needs {(total - kept) / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free",
            where=str(part.parent),
            do="free some space, or run in a folder on another disk",
        )


def _too_large(url: str, size: int, most_bytes: float) -> RetrieveError:
    return RetrieveError(
        f"the file has {size / 2**30:.3g} GiB or more, and at most {most_bytes / 2**30:.3g} GiB are allowed",
        where=url,
        do="raise `retrieve.max_file_gib` if that is right",
    )


def _shown(address: str) -> str:
    """An address as the server knows it, without what may be a secret."""
    return address.partition("?")[0]


class _Refusals(urllib.request.HTTPRedirectHandler):
    """Follow redirects between web addresses only, and from encrypted ones only to encrypted ones."""

    def redirect_request(self, req: urllib.request.Request, *arguments: Any) -> urllib.request.Request | None:
        """Refuse the other schemes that urllib would follow, before anything is sent there."""
        target = str(arguments[-1])
        scheme = urllib.parse.urlsplit(target).scheme
        if scheme not in ("http", "https"):
            raise RetrieveError("the server redirects to something that is no web address", where=_shown(target))
        if req.type == "https" and scheme != "https":
            raise RetrieveError(
                "the server redirects to an address without encryption",
                where=f"{_shown(req.full_url)} -> {_shown(target)}",
            )
        return super().redirect_request(req, *arguments)


@dataclass(frozen=True)
class _NotSatisfiable:
    """Answer 416: the file has `size` bytes (-1 if the server does not say) and nothing beyond our part."""

    size: int


@contextmanager
def connect(
    url: str, headers: Mapping[str, str], timeout_s: float, method: str = "GET"
) -> Iterator[http.client.HTTPResponse | _NotSatisfiable]:
    """Ask a server, with the secrets that belong to the address; redirects are followed between web addresses only."""
    opener = urllib.request.build_opener(_Refusals)
    request = urllib.request.Request(credentials.filled(url), headers=dict(headers), method=method)
    if known := credentials.authorization(url):
        # not to where the server redirects
        request.add_unredirected_header("Authorization", known)
    try:
        response = opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code != 416 or "Range" not in headers:
            raise
        size = str(error.headers.get("Content-Range", "")).rpartition("/")[2]
        error.close()
        yield _NotSatisfiable(int(size) if size.isdecimal() else -1)
        return
    with response:
        yield response


def _receive(
    response: http.client.HTTPResponse, part: Path, offset: int, total: int | None, url: str, most_bytes: float
) -> int:
    """Append the body to the part; its size afterwards."""
    size, begun = offset, time.monotonic()
    reported = begun
    with part.open("ab" if offset else "wb") as stream:
        while block := _read(response, size):
            size += len(block)
            if size > most_bytes:
                discard_part(part)
                raise _too_large(url, size, most_bytes)
            stream.write(block)
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
    return int(first) if unit == "bytes" and first.isdecimal() else -1


def _total(headers: Message, offset: int) -> int | None:
    """Size of the complete file where the server says it."""
    length = headers.get("Content-Length", "")
    return offset + int(length) if length.isdecimal() else None
