"""Checksums that files must have, and the lock file in which those without a published one are learned."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from allometry.errors import RetrieveError
from allometry.files import exclusive, write_text
from allometry.retrieve.places import LEARN, Place, check_sha256

_HEADER = """\
# Checksums learned on first download (`sha256: learn` in the registry).
# Delete a line to accept a new version of its file.
"""


class Checksums:
    """Checksums that the copies of one source's files must have.

    Parameters
    ----------
    source : str
        Name of the source.
    lock : Path or None
        Lock file with learned checksums (``{source: {file: sha256}}``); None: nothing is learned or remembered.
    """

    def __init__(self, source: str, lock: Path | None) -> None:
        self.source, self.lock = source, lock

    def expected(self, file: Mapping[str, Any], place: Place) -> str | None:
        """Checksum that a copy from `place` must have, or None while it is not known."""
        declared = _declared(file, place)
        if declared != LEARN:
            return declared
        # the user's own files may grow: their checksum is recorded with what is made of them, but not held against them
        return None if place.kind == "file" else self._learned().get(_key(file, place))

    def accepted(self, file: Mapping[str, Any], places: Iterable[Place]) -> set[str]:
        """Every checksum that some place of the file would satisfy."""
        return {known for place in places if (known := self.expected(file, place)) is not None}

    def learn(self, file: Mapping[str, Any], place: Place, found: str) -> None:
        """Remember the checksum of a first download."""
        if self.lock is None or place.kind == "file" or _declared(file, place) != LEARN:
            return
        if _key(file, place) in self._learned():
            return
        with exclusive(self.lock.with_name(f".{self.lock.name}.guard")):
            content = _read(self.lock)
            content.setdefault(self.source, {}).setdefault(_key(file, place), found)
            write_text(self.lock, _HEADER + yaml.safe_dump(content, sort_keys=True, width=1000))

    def _learned(self) -> dict[str, str]:
        return _read(self.lock).get(self.source, {}) if self.lock is not None else {}


def _declared(file: Mapping[str, Any], place: Place) -> str:
    return check_sha256(place.sha256 or str(file["sha256"]))


def _key(file: Mapping[str, Any], place: Place) -> str:
    # A checksum learned for one place only must not be asked of the others.
    return f"{file['name']} @ {place.text}" if place.sha256 == LEARN else str(file["name"])


def _read(lock: Path) -> dict[str, dict[str, str]]:
    if not lock.exists():
        return {}
    try:
        content: dict[str, dict[str, str]] = yaml.safe_load(lock.read_text(encoding="utf-8")) or {}
        for files in content.values():
            for value in files.values():
                check_sha256(value)
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError, TypeError, RetrieveError) as error:
        raise RetrieveError(
            f"the lock file of learned checksums cannot be read: {error}",
            where=str(lock),
            expected="source: {file: sha256}",
            do="restore the file from version control, or delete it to learn the checksums anew",
        ) from None
    return content
