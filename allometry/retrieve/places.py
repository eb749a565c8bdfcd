"""Places that a file can come from, as they are written in the registry."""

import posixpath
import re
from dataclasses import dataclass
from typing import Any, Literal

from allometry.errors import RetrieveError
from allometry.pathnames import is_file_name
from allometry.retrieve.credentials import require_none

Kind = Literal["mirror", "file", "pypi", "https"]

_FORMS = "mirror:relative/path, file:path, pypi:package==version!member/inside/wheel or https://host/path"
_PYPI = re.compile(r"(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.+_-]*)!(?P<member>.+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
LEARN = "learn"


@dataclass(frozen=True)
class Place:
    """One place of a file.

    Attributes
    ----------
    text : str
        The place as written in the registry.
    kind : {'mirror', 'file', 'pypi', 'https'}
        `https` includes plain http.
    value : str
        What follows the prefix: a path, a URL, or the member's path inside the wheel.
    package, version : str
        Requirement of the wheel; empty for the other kinds.
    sha256 : str or None
        Checksum of the copy at this place, `learn`, or None: the checksum of the file entry.
    """

    text: str
    kind: Kind
    value: str
    package: str = ""
    version: str = ""
    sha256: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the place needs no network."""
        return self.kind in ("mirror", "file")


def parse_place(entry: str | dict[str, Any]) -> Place:
    """Parse a place: text, or a mapping with the keys `place` and `sha256`.

    Raises
    ------
    RetrieveError
        The text has none of the known forms, or its path leaves the mirror or the wheel.
    """
    text, sha256 = (entry, None) if isinstance(entry, str) else (str(entry["place"]), entry.get("sha256"))
    if text.startswith(("https://", "http://")):
        return Place(require_none(text), "https", text, sha256=sha256)
    prefix, _, rest = text.partition(":")
    if prefix == "file" and rest:
        return Place(text, "file", rest, sha256=sha256)
    if prefix == "mirror" and rest:
        return Place(text, "mirror", _inside(rest, text), sha256=sha256)
    if prefix == "pypi" and (match := _PYPI.fullmatch(rest)):
        member = _inside(match["member"], text)
        return Place(text, "pypi", member, match["package"], match["version"], sha256)
    raise RetrieveError("a place has no known form", where=text, expected=_FORMS, do="correct the registry entry")


def check_sha256(value: str) -> str:
    """The checksum itself when it is well formed.

    Raises
    ------
    RetrieveError
        It is neither 64 lower-case hex digits nor `learn`.
    """
    if value != LEARN and not _SHA256.fullmatch(value):
        raise RetrieveError(
            "a checksum is malformed", where=str(value), expected=f"64 lower-case hex digits, or `{LEARN}`"
        )
    return value


def check_file_name(name: str) -> str:
    """The name itself when it names a file directly in the source's folder.

    Raises
    ------
    RetrieveError
        The name is empty, hidden, too long, holds what Snakemake takes for a wildcard, or leads to another folder.
    """
    if not is_file_name(name):
        raise RetrieveError(
            "a file of a data set has an invalid name",
            where=repr(name),
            expected="a name of at most 200 bytes without folders, quotes, braces, * ? : or a leading dot, other than "
            '"manifest.json"',
            do="correct `name` in the registry entry",
        )
    return name


def _inside(path: str, text: str) -> str:
    """The relative path itself when it stays below its root."""
    escapes = (
        path.startswith("/")
        or "\\" in path
        or "\0" in path
        or re.match(r"[A-Za-z]:", path)
        or ".." in path.split("/")
        or posixpath.normpath(path) != path
        or path == "."
    )
    if escapes:
        raise RetrieveError(
            "a path leaves its root",
            where=text,
            expected="a relative path without `..`",
            do="correct the registry entry",
        )
    return path
