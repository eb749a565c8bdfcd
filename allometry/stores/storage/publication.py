"""How a store gets its name: what is published is whole, and nothing that is not a store of ours is touched."""

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allometry import files
from allometry.errors import StoreError
from allometry.stores.kinds import BY_NAME
from allometry.stores.schema import Schema
from allometry.stores.storage import manifest

_NO_STORE = "there is a folder that is no store of Allometry"
# Files that a store consists of: metadata, chunks below `c` (`c` itself for a scalar), and the marks of other programs.
_OF_A_STORE = re.compile(r"(?:[^/]+/)*(?:zarr\.json|c(?:/\d+)*)")


@dataclass(frozen=True)
class Reservation:
    """A place for a store that is being written.

    Parameters
    ----------
    path : Path
        Its final name.
    partial : Path
        Folder beside it, of this writer alone, that gets this name.
    before : tuple or None
        What stood under the name when the writing began.
    overwrite : bool
        Whether that may be replaced.
    started : float
        When the writing began, seconds since the epoch.
    """

    path: Path
    partial: Path
    before: tuple[object, ...] | None
    overwrite: bool
    started: float

    def discard(self) -> None:
        """Delete what was written."""
        shutil.rmtree(self.partial, ignore_errors=True)
        _manifest_of(self.partial).unlink(missing_ok=True)


def reserve(path: str | Path, *, overwrite: bool = False) -> Reservation:
    """Make an empty folder beside the final name of a store; what killed writers of it left is deleted.

    Raises
    ------
    StoreError
        A store may not be written there; see `require_free`.
    """
    path = Path(path)
    require_free(path, overwrite=overwrite)
    with files.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for purpose in ("partial", "old"):
            files.remove_abandoned(path.parent, f".{path.name}.{purpose}-")
        partial = path.with_name(f".{path.name}.partial-{files.mark()}")
        before = _identity(path)
        reserved = Reservation(path, partial, before, overwrite, time.time())
        try:
            partial.mkdir()
        except BaseException:
            # a signal may arrive once the folder is there
            reserved.discard()
            raise
    return reserved


def require_free(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse to write a store where there is something that may not be replaced.

    Parameters
    ----------
    path : path
        Final name of the store.
    overwrite : bool
        Whether a store of ours that is there may be replaced. Anything else never is.

    Raises
    ------
    StoreError
        The name does not end in `.zarr`, there is a store and `overwrite` is False, or there is something else.
    """
    path = Path(path)
    if path.suffix != ".zarr":
        raise StoreError(what="a store's name must end in .zarr", where=str(path), expected=f"{path}.zarr")
    foreign = _foreign(path)
    if foreign:
        raise StoreError(
            what=f"{foreign}, which would be deleted",
            where=str(path),
            expected="a new name, or a store that Allometry wrote",
            do="choose another name, or move what is there away",
        )
    if not overwrite and (os.path.lexists(path) or manifest.manifest_path(path).exists()):
        raise StoreError(
            what="the store exists" if path.exists() else "the manifest of a store exists",
            where=str(path if path.exists() else manifest.manifest_path(path)),
            expected="a new name",
            do="choose another name, or ask for the store to be replaced (overwrite=True)",
        )


def _foreign(path: Path) -> str:
    """Say what under the name of a store, or of its manifest, is no store of ours; empty if there is nothing such."""
    if path.is_symlink():
        return "there is a symbolic link"
    if not path.exists():
        beside = manifest.manifest_path(path)
        return "" if not beside.exists() or _is_manifest(beside) else f"{beside.name} is no manifest"
    if not path.is_dir():
        return "there is a file"
    found = sorted(name for name in manifest.objects(path) if not _OF_A_STORE.fullmatch(name))
    if found:
        return f"{found[0]} is no part of a store"
    if any(path.iterdir()) and not _is_store(path):
        return _NO_STORE
    return ""


def removable(path: Path) -> str:
    """Say why a damaged store may not be deleted; empty if nothing in its place can be anybody else's.

    A folder is ours if it says so itself, or its manifest does, and if every file in it is one that stores consist of.
    """
    beside = manifest.manifest_path(path)
    foreign = _foreign(path)
    ours = beside.is_file() and _is_manifest(beside) and json.loads(beside.read_bytes()).get("store") == path.name
    return "" if foreign == _NO_STORE and ours else foreign


def _is_store(path: Path) -> bool:
    try:
        return str(json.loads((path / "zarr.json").read_bytes())["attributes"]["schema"]) in BY_NAME
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_manifest(file: Path) -> bool:
    try:
        return "manifest_version" in json.loads(file.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _identity(path: Path) -> tuple[object, ...] | None:
    """What tells one published store from another under the same name."""
    if not path.exists():
        return None
    beside = manifest.manifest_path(path)
    return path.stat().st_ino, manifest.sha256(beside) if beside.is_file() else ""


def _missing(partial: Path) -> list[str]:
    """Name the variables that a store's schema requires and that its files lack."""
    root = json.loads((partial / "zarr.json").read_bytes())
    schema: Schema = BY_NAME[root["attributes"]["schema"]]
    nodes = root["consolidated_metadata"]["metadata"]
    wanted = list(schema.required(root["attributes"]))
    for path, node in nodes.items():
        parent, _, leaf = path.partition("/")
        if node["node_type"] == "group" and leaf:
            wanted += [f"{path}/{name}" for name, spec in schema.groups[parent].items() if not spec.optional]
    return [name for name in wanted if nodes.get(name, {}).get("node_type") != "array"]


def publish(
    reserved: Reservation, provenance: Mapping[str, Any] | None, beside: Mapping[Path, bytes] | None = None
) -> Path:
    """Give a complete store its manifest and its final name, in place of an older one.

    The old manifest goes first and the new one comes last: an interruption at any point leaves a store without a
    manifest, which `open` and `verify` refuse, never an undetected mixture.

    Raises
    ------
    StoreError
        The store is not whole, or another process has published one under this name since the writing began.
    """
    path, partial, beside = reserved.path, reserved.partial, beside or {}
    missing = _missing(partial)
    if missing:
        raise StoreError(
            what=f"what was written has lost {', '.join(missing)}",
            where=str(path),
            expected="every variable that its schema requires",
            do="find out who removed files from the folder, and run again",
        )
    described = manifest.describe(partial, provenance, reserved.started, beside) | {"store": path.name}
    made = {_manifest_of(partial): manifest.manifest_path(path)}
    _manifest_of(partial).write_bytes(manifest.dump(described))
    for file, data in beside.items():
        made[partial.with_name(f"{partial.name}.{file.name}")] = file
        partial.with_name(f"{partial.name}.{file.name}").write_bytes(data)
    try:
        with files.exclusive(path.with_name(f".{path.name}.lock"), keep=False):
            if _identity(path) != reserved.before:
                raise StoreError(
                    what="another process has written this store meanwhile",
                    where=str(path),
                    expected="one writer at a time",
                    do="keep the store that is there, or run again once nobody else writes it",
                )
            _replace(reserved, made)
    finally:
        for unfinished in made:
            unfinished.unlink(missing_ok=True)
    return path


def _replace(reserved: Reservation, made: Mapping[Path, Path]) -> None:
    path = reserved.path
    require_free(path, overwrite=reserved.overwrite)
    manifest.manifest_path(path).unlink(missing_ok=True)
    old = path.with_name(f".{path.name}.old-{files.mark()}")
    if path.exists():
        path.rename(old)
    reserved.partial.rename(path)
    # the manifest, which comes first in `made`, is renamed last
    for unfinished, final in reversed(list(made.items())):
        unfinished.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _manifest_of(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")
