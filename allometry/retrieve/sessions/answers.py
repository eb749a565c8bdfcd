"""Questions to the archives' web services: JSON that has the expected form, or one message."""

import json
import logging
import time
import urllib.error
import urllib.parse
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from allometry.errors import RetrieveError
from allometry.retrieve.download import TEMPORARY, connect

_log = logging.getLogger(__name__)
_MOST_BYTES = 512 * 2**20
_COMMAND = "`allometry resolve`"


@dataclass(frozen=True)
class Service:
    """A web service and how patiently it is asked.

    Attributes
    ----------
    base : str
        Address that all questions begin with, without a slash at the end.
    timeout_s : float
        Seconds without a byte after which it counts as not answering.
    attempts : int
        Attempts in all.
    wait_s : float
        Seconds before the second attempt, doubled before each further one.
    """

    base: str
    timeout_s: float = 60.0
    attempts: int = 3
    wait_s: float = 1.0

    def ask(self, path: str) -> Any:
        """The JSON that the service answers to a path below its base, or to a whole address of the same host.

        Raises
        ------
        RetrieveError
            It does not answer, refuses, or answers no JSON.
        """
        url = path if path.startswith(("https://", "http://")) else f"{self.base}/{path}"
        if urllib.parse.urlsplit(url).netloc != urllib.parse.urlsplit(self.base).netloc:
            raise other_form("the next page lies on another server", url, f"an address of {self.base}")
        body = self._body(url)
        try:
            return json.loads(body)
        except ValueError:
            raise other_form("the answer is no JSON", url, "JSON", body[:60].decode("utf-8", "replace")) from None

    def size(self, url: str) -> int | None:
        """Bytes of a file by its headers alone; None where the server does not say it, or does not have it."""
        try:
            with connect(url, {"User-Agent": "allometry"}, self.timeout_s, "HEAD") as response:
                length = response.headers.get("Content-Length", "")  # type: ignore[union-attr]
        except (OSError, HTTPException, RetrieveError) as error:
            _log.info("%s: size not known: %s", url, error)
            return None
        return int(length) if length.isdecimal() else None

    def _body(self, url: str) -> bytes:
        reason = ""
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.wait_s * 2 ** (attempt - 1))
            try:
                with connect(
                    url, {"User-Agent": "allometry", "Accept": "application/json"}, self.timeout_s
                ) as response:
                    body = bytes(response.read(_MOST_BYTES + 1))  # type: ignore[union-attr]
            except urllib.error.HTTPError as error:
                reason = f"HTTP {error.code} {error.reason}"
                if error.code not in TEMPORARY:
                    raise RetrieveError(
                        f"the archive refuses the question: {reason}",
                        where=url,
                        expected="a number, version or path that the archive has",
                        do="correct the query",
                    ) from None
            except (OSError, HTTPException) as error:
                reason = str(getattr(error, "reason", "") or error) or type(error).__name__
            else:
                if len(body) > _MOST_BYTES:
                    raise other_form("the answer is too long", url, f"at most {_MOST_BYTES >> 20} MiB")
                return body
            _log.info("%s: %s", url, reason)
        raise RetrieveError(
            f"the archive does not answer: {reason} ({self.attempts} attempts)",
            where=url,
            expected="a connection to it",
            do=f"repeat {_COMMAND} with a network, or copy the lock file of sessions from where it was run",
        )


def other_form(what: str, where: str, expected: str, found: str = "") -> RetrieveError:
    """The archive answers in a form that is not known here."""
    return RetrieveError(
        f"an archive's answer has another form than documented: {what}" + (f" (it begins {found!r})" if found else ""),
        where=where,
        expected=expected,
        do="see whether the address is that of the archive's service (`services` in the configuration); if it is, its "
        "answers have changed: list the files under `datasets` with their addresses instead",
    )


def value(record: Any, path: str, kind: type | tuple[type, ...], where: str) -> Any:
    """What a record holds at `outer.inner`.

    Raises
    ------
    RetrieveError
        It has nothing there, or something of another type.
    """
    found = record
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            raise other_form(f"a record has no {path}", where, f"{path} in every record")
        found = found[key]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise other_form(f"{path} is {found!r}"[:120], where, f"{path} in every record")
    return found


def text(record: Any, path: str) -> str | None:
    """Text or number at `outer.inner` as text; None where there is nothing of the kind."""
    found = record
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None or isinstance(found, bool | dict | list) else str(found)
