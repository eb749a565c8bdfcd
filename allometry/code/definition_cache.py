"""What is known of the texts of source files, by their checksums, kept between processes in the user's cache folder.

To read some hundred files takes seconds, and few of them change between two runs. An entry belongs to one text, one version of
the code that reads it and one version of Python, so that it is never out of date; without a folder that can be written all is
read anew.
"""

import atexit
import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from allometry import files

MOST = 2000
"""Texts that are kept; beyond, those that this process did not ask for are dropped."""
UNUSED_S = 30 * 86400
"""Age at which the file of another version is deleted."""


@dataclass(frozen=True)
class Import:
    """An import statement.

    Parameters
    ----------
    names : tuple of (str, str)
        What is imported, each with the name that `as` gives it, or "".
    taken : bool
        Whether it says `from`.
    module : str
        What stands after `from`.
    level : int
        Number of dots before it.
    """

    names: tuple[tuple[str, str], ...]
    taken: bool = False
    module: str = ""
    level: int = 0


@dataclass(frozen=True)
class Described:
    """A definition: its bare text, names that it uses, texts in it, names of measures that it registers, imports in it."""

    text: str
    uses: frozenset[tuple[str, ...]]
    words: frozenset[str]
    record_names: frozenset[str]
    imports: tuple[Import, ...]


@dataclass(frozen=True)
class Outline:
    """Imports of a module, and of its other statements the number, the names that it binds, and whether it runs on import."""

    imports: tuple[Import, ...]
    statements: tuple[tuple[int, tuple[str, ...], bool], ...]


class Known:
    """What is known of one text.

    Parameters
    ----------
    entry : dict
        As it is kept; what is found out is added.
    store : _Store
        That it is in.
    """

    def __init__(self, entry: dict[str, Any], store: "_Store") -> None:
        self.entry, self._store = entry, store

    def outline(self) -> Outline | None:
        """Outline of the module; None if it is not known."""
        found = self.entry.get("outline")
        if found is None:
            return None
        imports, statements = found
        return Outline(_imports(imports), tuple((number, tuple(names), effect) for number, names, effect in statements))

    def keep_outline(self, outline: Outline) -> None:
        """Remember it."""
        self.entry["outline"] = [_listed(outline.imports), outline.statements]
        self._store.changed = True

    def described(self, number: int) -> Described | None:
        """The statement of a number; None if it is not known."""
        found = self.entry.get(str(number))
        if found is None:
            return None
        text, uses, words, records, imports = found
        return Described(text, frozenset(map(tuple, uses)), frozenset(words), frozenset(records), _imports(imports))

    def keep(self, number: int, found: Described) -> None:
        """Remember it."""
        self.entry[str(number)] = [
            found.text,
            sorted(found.uses),
            sorted(found.words),
            sorted(found.record_names),
            _listed(found.imports),
        ]
        self._store.changed = True


def known(text: str) -> Known:
    """What is known of a text.

    Parameters
    ----------
    text : str
        Source of a module.
    """
    return _store().known(hashlib.sha256(text.encode()).hexdigest())


def forget() -> None:
    """Take up what was kept before this process, and drop what it has found out: for tests."""
    _store().file = None
    _store.cache_clear()


def place() -> Path | None:
    """File in which all is kept; None where there is no home."""
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    except RuntimeError:
        return None
    readers = (Path(__file__), Path(__file__).with_name("definitions.py"))
    version = hashlib.sha256(b"".join(path.read_bytes() for path in readers) + sys.version.encode()).hexdigest()
    return caches / "allometry" / f"definitions-{version[:16]}.json"


def _imports(found: Any) -> tuple[Import, ...]:
    return tuple(Import(tuple(map(tuple, names)), *rest) for names, *rest in found)


def _listed(imports: tuple[Import, ...]) -> list[list[Any]]:
    return [[one.names, one.taken, one.module, one.level] for one in imports]


class _Store:
    """Entries by checksum, read from the file and written at the end of the process."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.changed = file, False
        self._entries = _read(file)
        self._asked: dict[str, None] = {}

    def known(self, checksum: str) -> Known:
        self._asked[checksum] = None
        return Known(self._entries.setdefault(checksum, {}), self)

    def save(self) -> None:
        if not self.changed or self.file is None:
            return
        kept: dict[str, Any] = {checksum: self._entries[checksum] for checksum in self._asked}
        for checksum, entry in self._entries.items():
            if len(kept) >= MOST:
                break
            kept.setdefault(checksum, entry)
        # without a folder, or room on the disk, nothing is kept
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with files.atomic(self.file, transient=True, mode=0o600) as stream:
                stream.write(json.dumps(kept).encode())
            for other in self.file.parent.glob("definitions-*.json"):
                if time.time() - other.stat().st_mtime > UNUSED_S:
                    other.unlink()


def _read(file: Path | None) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes()) if file is not None else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@cache
def _store() -> _Store:
    made = _Store(place())
    atexit.register(made.save)
    return made
