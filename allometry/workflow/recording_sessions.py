"""Sessions of public archives: asked for once, listed with the memory and disk that each needs, and checked against this disk."""

import datetime
import shutil
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.utils import update_config

from allometry import config as configuration
from allometry.config import Config
from allometry.config.collections import Collection, Services
from allometry.config.sessions import data_set
from allometry.errors import ConfigError
from allometry.hints import hint
from allometry.retrieve.sessions import brain_map, dandi, lock
from allometry.retrieve.sessions.answers import Service
from allometry.retrieve.sessions.session import Answer, Session
from allometry.workflow.checks.names import Registry, check_collections
from allometry.workflow.reach import used_sources

# By reader and kind: bytes of memory at the least, bytes per byte of the file, and bytes of the store per byte of the file.
# The largest of what `benchmarks/results/homogenize_sessions.json` has, on files of the genuine layout, and a tenth more.
NEEDS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("allen_two_photon", "responses"): (310e6, 0.7, 0.12),
    ("allen_two_photon", "activity"): (930e6, 1.5, 0.28),
    ("allen_neuropixels", "responses"): (680e6, 0.05, 0.08),
    ("allen_neuropixels", "spikes"): (330e6, 0.15, 0.13),
}
_OTHER = (500e6, 2.0, 0.5)
USUAL_MB = 4000
"""Memory that the rule asks for where a session needs less, or nothing is known."""


def asked(collection: Collection, services: Services, timeout_s: float, attempts: int) -> Answer:
    """Ask the archive of a collection which sessions there are.

    Raises
    ------
    RetrieveError
        It does not answer, or has no such session.
    """

    def service(base: str) -> Service:
        return Service(base, timeout_s, attempts)

    ask: dict[str, Callable[[], Answer]] = {
        "allen_two_photon": lambda: brain_map.two_photon(
            collection.query(), service(services.brain_map), services.allen_files
        ),
        "allen_neuropixels": lambda: brain_map.neuropixels(
            collection.query(), service(services.brain_map), services.allen_files
        ),
        "dandi": lambda: dandi.sessions(collection.query(), service(services.dandi)),
    }
    return ask[collection.kind]()


def resolve(configfiles: Sequence[Path], only: Sequence[str] = (), *, again: bool = False) -> str:
    """Ask the archives for the sessions of a configuration's collections, write the lock file, and list them.

    Parameters
    ----------
    configfiles : sequence of path
        As given to Snakemake; none for config.yaml.
    only : sequence of str
        Names of collections; none for all.
    again : bool
        Also ask for those whose sessions are known.

    Returns
    -------
    str
        For people: what is new, and every session with its memory and disk.

    Raises
    ------
    AllometryError
        The configuration is invalid, or an archive does not answer as it should; what was answered before is kept.
    """
    given = list(configfiles) or [Path("config.yaml")]
    values: dict[str, Any] = {}
    for file in given:
        update_config(values, configuration.read_yaml(file))
    cfg = configuration.validate(values, ", ".join(map(str, given)), [file.parent for file in reversed(given)])
    check_collections(cfg)
    if unknown := [name for name in only if name not in cfg.collections]:
        raise ConfigError(
            f"there is no collection {unknown[0]!r}",
            where=", ".join(map(str, given)),
            expected="one of " + (", ".join(cfg.collections) or "(none is configured)"),
            do=hint(unknown[0], cfg.collections),
        )
    if not cfg.collections:
        return "This configuration has no collections: there is nothing to ask."
    before = lock.read()
    lines = []
    for name, collection in cfg.collections.items():
        known = before.get(name)
        if (only and name not in only) or (not again and known and known.query == collection.query()):
            continue
        if cfg.retrieve.offline:
            raise ConfigError(
                f"the sessions of the collection {name} are not known, and the configuration says offline",
                where="retrieve.offline",
                expected="a lock file with them, or a network",
                do=f"copy {lock.PATH} from where `allometry resolve` was run, or set offline to false",
            )
        answer = asked(collection, cfg.services, cfg.retrieve.timeout_s, cfg.retrieve.attempts)
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        lock.add(name, lock.Resolved(collection.query(), answer, today))
        lines += _changes(name, known, answer)
    known_now = lock.read()
    shown = {name: entry for name, entry in cfg.collections.items() if name in known_now}
    return "\n".join([*lines, *listing(shown, known_now)])


def _changes(name: str, known: lock.Resolved | None, answer: Answer) -> list[str]:
    """What the archive has answered now, and did not before."""
    before = {session.name: session for session in known.answer.sessions} if known else {}
    now = {session.name: session for session in answer.sessions}
    said = [f"{name}: {_count(now)} from {urllib.parse.urlsplit(answer.asked).netloc}"]
    if known is None:
        return said
    for what, names in (
        ("new", [one for one in now if one not in before]),
        ("gone", [one for one in before if one not in now]),
        ("another file", [one for one in now if one in before and now[one] != before[one]]),
    ):
        if names:
            said.append(f"  {what}: {', '.join(names)}")
    return said


@dataclass(frozen=True)
class Need:
    """What a session needs, in bytes: its file, its stores, and the memory of the largest job that makes one of them."""

    file: int | None
    stores: int
    memory: int


def need(reader: str, kinds: Iterable[str], size: int | None) -> Need:
    """Memory and disk of a session.

    Parameters
    ----------
    reader : str
    kinds : iterable of str
        Of its stores.
    size : int or None
        Bytes of its file.
    """
    memory, stores = 0.0, 0.0
    for kind in kinds:
        least, by_byte, written = NEEDS.get((reader, kind), _OTHER)
        memory = max(memory, least + by_byte * (size or 0))
        stores += written * (size or 0)
    return Need(size, round(stores), round(memory))


def known_memory(registry: Registry, source: str, kind: str) -> int | None:
    """Peak memory of the job that makes a store of a session, bytes; None of a source that is none, or of unknown size."""
    entry = registry[source]
    sizes = [file.get("size") for file in entry["files"]]
    if (str(entry["reader"]), kind) not in NEEDS or None in sizes:
        return None
    return need(str(entry["reader"]), [kind], sum(map(int, sizes))).memory


def memory_mb(registry: Registry, source: str, kind: str) -> int:
    """Memory that the job of a store asks for, MB: more than usual for a large session."""
    return max(USUAL_MB, round(1.25e-6 * (known_memory(registry, source, kind) or 0)))


def listing(collections: Mapping[str, Collection], known: Mapping[str, lock.Resolved]) -> list[str]:
    """A table of every collection's sessions, and what all need together."""
    lines: list[str] = []
    for name, collection in collections.items():
        found = known[name]
        kinds = [entry.kind for entry in collection.stores.values()]
        lines.append(f"{name} ({found.answered}): {_count(found.answer.sessions)} of {collection.kind}")
        rows: list[tuple[str, ...]] = [
            ("session", "animal", "area", "line", "stimulus", "depth", "file", "stores", "memory")
        ]
        needs = [need(collection.reads_with, kinds, session.size) for session in found.answer.sessions]
        rows += [_row(session, own) for session, own in zip(found.answer.sessions, needs)]
        used = [column for column in range(len(rows[0])) if any(row[column] for row in rows[1:])]
        widths = {column: max(len(row[column]) for row in rows) for column in used}
        lines += ["  " + "  ".join(row[c].ljust(widths[c]) for c in used).rstrip() for row in rows]
        unknown = sum(own.file is None for own in needs)
        lines.append(
            f"  together: {_size(sum(own.file or 0 for own in needs))} of files and about "
            f"{_size(sum(own.stores for own in needs))} of stores; the largest job takes about "
            f"{_size(max((own.memory for own in needs), default=0))} of memory"
            + (f"; {unknown} files of unknown size" if unknown else "")
        )
    return lines


def _row(session: Session, own: Need) -> tuple[str, ...]:
    about = session.about
    areas = about.get("area", "")
    return (
        session.name,
        str(about.get("animal", "")),
        ", ".join(areas) if isinstance(areas, list) else str(areas),
        str(about.get("cre_line", "")),
        str(about.get("stimulus", "")),
        f"{about['depth_um']:g} um" if "depth_um" in about else "",
        "unknown" if own.file is None else _size(own.file),
        _size(own.stores),
        _size(own.memory),
    )


def _count(sessions: Sized) -> str:
    return f"{len(sessions)} session{'s' * (len(sessions) != 1)}"


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def announcement(cfg: Config, registry: Registry) -> str:
    """Sentences about the sessions that a run is of, for its start; empty where there are none.

    Raises
    ------
    ConfigError
        The files that are not here yet do not fit on the disk.
    """
    if not cfg.collections:
        return ""
    known = lock.read()
    used = used_sources(cfg, registry)
    lines = []
    missing = 0
    for name, collection in cfg.collections.items():
        mine = [s for s in known[name].answer.sessions if data_set(name, s) in used]
        kinds = [entry.kind for entry in collection.stores.values()]
        needs = [need(collection.reads_with, kinds, session.size) for session in mine]
        absent = [s for s in mine if not Path("results/raw", data_set(name, s), s.file).is_file()]
        missing += sum(session.size or 0 for session in absent)
        lines.append(
            f"Collection {name}: {_count(mine)}, {len(mine) - len(absent)} here, "
            f"{_size(sum(session.size or 0 for session in absent))} to fetch; the largest job takes about "
            f"{_size(max((own.memory for own in needs), default=0))} of memory"
        )
    check_disk(missing)
    return "".join(f"{line}\n" for line in lines)


def check_disk(missing: int, folder: Path = Path()) -> None:
    """Refuse to begin with sessions for which there is no room.

    Parameters
    ----------
    missing : int
        Bytes of the files that are not here yet.
    folder : Path
        The folder of the run.

    Raises
    ------
    ConfigError
        They are more than what is free; interrupted downloads count as fetched.
    """
    parts = [path.stat().st_size for path in (folder / "results/raw/.cache/downloads").glob("*.part")]
    free = shutil.disk_usage(folder).free
    left = missing - sum(parts)
    if left > free:
        raise ConfigError(
            f"the files of the sessions still to fetch have {_size(left)}, and {_size(free)} are free",
            where=str(folder.resolve()),
            expected=f"at least {_size(left)} of free disk, and about a third more for the stores",
            do="free some space, run in a folder on another disk, or ask for fewer sessions (`most`, a narrower query)",
        )
