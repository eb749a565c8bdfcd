"""The lock file of sessions: what the archives answered, so that every run is of the same sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from allometry.errors import RetrieveError
from allometry.files import exclusive, write_text
from allometry.retrieve.places import check_file_name, check_sha256, parse_place
from allometry.retrieve.sessions.session import Answer, Session

PATH = Path("config/sessions.lock.yaml")
"""Where it lies, in the folder that the workflow runs in."""

_HEADER = """\
# Sessions of the collections of a configuration, as the archives named them: written by `allometry resolve`, read by every
# run. Commit it with the configuration; `allometry resolve --again` asks anew.
"""


@dataclass(frozen=True)
class Resolved:
    """A collection whose sessions are known.

    Attributes
    ----------
    query : dict
        What was asked for.
    answer : Answer
        What the archive said.
    answered : str
        Day of the answer.
    """

    query: dict[str, Any]
    answer: Answer
    answered: str

    def entry(self) -> dict[str, Any]:
        """Plain values for the file."""
        return {
            "query": self.query,
            "asked": self.answer.asked,
            "answered": self.answered,
            "source": self.answer.source,
            "sessions": [session.entry() for session in self.answer.sessions],
        }


def read(path: Path = PATH) -> dict[str, Resolved]:
    """Collections whose sessions are known, by name; none where there is no file.

    Raises
    ------
    RetrieveError
        The file is damaged.
    """
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(name): _resolved(entry) for name, entry in content.items()}
    except (
        yaml.YAMLError,
        UnicodeDecodeError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        RetrieveError,
    ) as error:
        raise RetrieveError(
            f"the lock file of sessions cannot be read: {type(error).__name__}: {str(error).splitlines()[0]}",
            where=str(path),
            expected="what `allometry resolve` wrote",
            do="restore it from version control, or delete it and run `allometry resolve` again",
        ) from None


def _resolved(entry: Mapping[str, Any]) -> Resolved:
    sessions = []
    for one in entry["sessions"]:
        known = Session(**{**one, "places": tuple(one["places"])})
        check_file_name(known.file)
        check_sha256(known.sha256)
        for place in known.places:
            parse_place(place)
        sessions.append(known)
    answer = Answer(tuple(sessions), str(entry["asked"]), dict(entry["source"]))
    return Resolved(dict(entry["query"]), answer, str(entry["answered"]))


def add(name: str, resolved: Resolved, path: Path = PATH) -> None:
    """Write the sessions of one collection, beside those of the others."""
    with exclusive(path.with_name(f".{path.name}.guard"), keep=False):
        known = {**read(path), name: resolved}
        entries = {key: known[key].entry() for key in sorted(known)}
        write_text(path, _HEADER + yaml.safe_dump(entries, sort_keys=False, width=1000, allow_unicode=True))
