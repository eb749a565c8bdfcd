"""Collections whose sessions are known: their data sets, and the names that stand for the stores of all sessions."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry.config.collections import Collection, DandiSessions
from allometry.config.registry import SourceEntry
from allometry.errors import ConfigError, RetrieveError
from allometry.pathnames import is_name
from allometry.retrieve.sessions import lock
from allometry.retrieve.sessions.session import Session

SOURCE = {
    "allen_two_photon": "de Vries et al. 2020, Nat. Neurosci. 23:138, doi:10.1038/s41593-019-0550-9",
    "allen_neuropixels": "Siegle et al. 2021, Nature 592:86, doi:10.1038/s41586-020-03171-x",
}
_LICENCE = "Allen Institute Terms of Use (research, non-commercial, attribution)"
_KINDS = ("connectome", "activity", "responses", "spikes")


def resolved(
    collections: Mapping[str, Collection], files: Sequence[Any] = (), path: Path = lock.PATH
) -> dict[str, lock.Resolved]:
    """What the lock file says of every collection.

    Parameters
    ----------
    collections : mapping of str to Collection
        Those of the configuration.
    files : sequence of path
        Configuration files, for the command that the message names.
    path : Path
        The lock file.

    Raises
    ------
    ConfigError
        The file is damaged, or a collection is not in it as it is configured now.
    """
    if not collections:
        return {}
    try:
        known = lock.read(path)
    except RetrieveError as error:
        raise ConfigError(error.what, where=error.where, expected=error.expected, do=error.do) from None
    new = [name for name in collections if name not in known]
    changed = [name for name, entry in collections.items() if name in known and known[name].query != entry.query()]
    if new or changed:
        what = f"the sessions of the collection {', '.join(new or changed)} are not known yet"
        if not new:
            what = f"the query of the collection {', '.join(changed)} is another than the one that was answered"
        raise ConfigError(
            what,
            where=f"collections, {path}",
            expected="the archive's answer in the lock file: which sessions there are, and how large",
            do=f"run `allometry resolve --configfile {' --configfile '.join(map(str, files)) or 'FILE'}`, which asks it",
        )
    return {name: known[name] for name in collections}


def data_set(collection: str, session: Session) -> str:
    """Name of the data set of a session."""
    return f"{collection}_{session.name}"


def store(collection: str, session: Session, ending: str) -> str:
    """Name of one of its stores."""
    return f"{data_set(collection, session)}_{ending}"


def entries(collections: Mapping[str, Collection], known: Mapping[str, lock.Resolved]) -> dict[str, SourceEntry]:
    """A registry entry for every session.

    Raises
    ------
    ConfigError
        A session's name makes no valid name of a data set.
    """
    made = {}
    for name, collection in collections.items():
        said = known[name].answer
        source = {"citation": SOURCE.get(collection.reads_with, "unpublished"), "species": "Mus musculus"}
        if isinstance(collection, DandiSessions):
            source = {"citation": f"DANDI:{collection.dandiset}/{collection.version}"} | said.source
        elif collection.kind in SOURCE:
            source["licence"] = _LICENCE
        for session in said.sessions:
            key = data_set(name, session)
            if not all(map(is_name, (key, *(store(name, session, ending) for ending in collection.stores)))):
                raise ConfigError(
                    f"the session {session.name!r} of the collection {name} makes no valid name of a data set",
                    where=str(lock.PATH),
                    expected="at most 100 lower-case letters, digits and _ together with the collection and its endings",
                    do="give the collection and its stores shorter names",
                )
            file = {
                "name": session.file,
                "sha256": session.sha256,
                "places": list(session.places),
                "size": session.size,
            }
            made[key] = SourceEntry.model_validate(
                {
                    "reader": collection.reads_with,
                    **source,
                    "options": dict(collection.options),
                    "files": [file],
                    "stores": {
                        store(name, session, ending): entry.model_dump() for ending, entry in collection.stores.items()
                    },
                }
            )
    return made


def in_full(
    values: Mapping[str, Any], collections: Mapping[str, Collection], known: Mapping[str, lock.Resolved]
) -> dict[str, Any]:
    """Parsed YAML in which every `<collection>_<ending>` is replaced by the stores of all sessions.

    Parameters
    ----------
    values : mapping
        Valid; it is not changed.
    collections, known
        As of `entries`.
    """
    names = {
        f"{name}_{ending}": [store(name, session, ending) for session in known[name].answer.sessions]
        for name, collection in collections.items()
        for ending in collection.stores
    }
    full: dict[str, Any] = copy.deepcopy(dict(values))
    homogenize = full.get("homogenize") or {}
    comparisons = (full.get("compare") or {}).get("comparisons") or {}
    for part in (homogenize, *comparisons.values()):
        for kind in _KINDS:
            if isinstance(part.get(kind), list):
                part[kind] = [one for name in part[kind] for one in names.get(name, [name])]
    return full
