"""A session as an archive describes it, and how those that a query means are chosen."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from allometry.errors import RetrieveError
from allometry.hints import hint
from allometry.retrieve.places import LEARN


@dataclass(frozen=True)
class Session:
    """One recording session, in one file.

    Attributes
    ----------
    name : str
        What the archive calls it, in lower-case letters, digits and `_`.
    file : str
        Name of its file.
    places : tuple of str
        Addresses of the file, in the order in which they are tried.
    size : int or None
        Bytes of the file, where the archive says it.
    sha256 : str
        Checksum of the file, or `learn` where the archive publishes none.
    about : dict
        What is known of it: `animal`, `container`, `area`, `cre_line`, `stimulus`, `depth_um`.
    """

    name: str
    file: str
    places: tuple[str, ...]
    size: int | None = None
    sha256: str = LEARN
    about: dict[str, Any] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """Plain values for the lock file."""
        return {**asdict(self), "places": list(self.places)}


@dataclass(frozen=True)
class Answer:
    """What an archive said.

    Attributes
    ----------
    sessions : tuple of Session
        In the order of their numbers.
    asked : str
        Address of the question.
    source : dict
        `citation`, `licence` and `species` of the whole, as far as the archive says them.
    """

    sessions: tuple[Session, ...]
    asked: str
    source: dict[str, str] = field(default_factory=dict)


class Choice:
    """Narrows sessions down, criterion by criterion, and remembers what each left.

    Parameters
    ----------
    found : iterable of Session
        All that the archive named.
    where : str
        Address of the question, for messages.
    """

    def __init__(self, found: Iterable[Session], where: str) -> None:
        self.left, self.where = list(found), where
        self.steps = [f"{len(self.left)} in the archive's answer"]

    def by(self, key: str, wanted: Sequence[Any], matches: Callable[[Any, Any], bool] | None = None) -> None:
        """Keep the sessions of which `about[key]` is one of `wanted`; all where nothing is wanted.

        Raises
        ------
        RetrieveError
            A value that no session of the answer has: it is misspelt, or nobody has recorded there.
        """
        if not wanted:
            return
        fits = matches or (lambda value, one: bool(value == one))
        for one in wanted:
            if not any(fits(session.about.get(key), one) for session in self.left):
                there = sorted({str(text) for session in self.left for text in _texts(session.about.get(key))})
                raise RetrieveError(
                    f"no session has {key.replace('_', ' ')} {one!r} (of {', then '.join(self.steps)})",
                    where=self.where,
                    expected="one of " + (", ".join(there[:40]) or "(none is left)"),
                    do=hint(str(one), there, "widen the query"),
                )
        self.left = [s for s in self.left if any(fits(s.about.get(key), one) for one in wanted)]
        self.steps.append(f"{len(self.left)} with {key.replace('_', ' ')} {' or '.join(map(str, wanted))}")

    def within(self, key: str, low: float | None, high: float | None) -> None:
        """Keep the sessions of which the number `about[key]` lies between two; None is no limit."""
        if low is None and high is None:
            return
        least, most = -math.inf if low is None else low, math.inf if high is None else high
        self.left = [s for s in self.left if s.about.get(key) is not None and least <= float(s.about[key]) <= most]
        self.steps.append(f"{len(self.left)} with {key.replace('_', ' ')} {least:g} to {most:g}")

    def result(self, *, one_per_animal: bool, most: int | None) -> tuple[Session, ...]:
        """The sessions that are left, in the order of their names; numbers count as numbers.

        Raises
        ------
        RetrieveError
            None is left.
        """
        self.left.sort(key=lambda s: (not s.name.isdecimal(), int(s.name) if s.name.isdecimal() else 0, s.name))
        if one_per_animal:
            first: dict[Any, Session] = {}
            for session in self.left:
                first.setdefault(session.about.get("animal") or session.name, session)
            self.left = list(first.values())
        if not self.left:
            raise RetrieveError(
                "no session fits the query",
                where=self.where,
                expected="sessions that fit all of it: " + ", then ".join(self.steps),
                do="leave out or widen the criterion after which none was left",
            )
        return tuple(self.left[:most])


def _texts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
