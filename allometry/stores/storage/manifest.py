"""Manifests: what a store's files must be (`content`) and where they came from (`provenance`)."""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allometry.errors import StoreError
from allometry.stores.attributes import plain, sorted_json

MANIFEST_VERSION = 1
# What Snakemake, file managers and network file systems leave in folders is no part of a store, and no damage.
_NOT_CONTENT = re.compile(
    r"\.snakemake_timestamp|\.DS_Store|\._.*|[Tt]humbs\.db|[Dd]esktop\.ini|\.directory|\.nfs[0-9a-f]+|\.fuse_hidden.*"
)
NO_FILE = -1  # size of a link that leads to no file
SOURCES = "sources_read"


def manifest_path(store: str | Path) -> Path:
    """Return the manifest's path: `{name}.manifest.json` beside `{name}.zarr`.

    Parameters
    ----------
    store : path
        The store, whether it is there or not.

    Returns
    -------
    Path
    """
    store = Path(store)
    return store.with_name(store.name.removesuffix(".zarr") + ".manifest.json")


def objects(store: Path) -> dict[str, int]:
    """List the files of a store with their sizes in bytes, by slash-separated relative path, sorted.

    A link to a file counts as the file; one to a folder, or to nothing, has the size `NO_FILE`.
    """
    found = {}
    for folder, folders, names in os.walk(store):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in [*names, *links]:
            if not _NOT_CONTENT.fullmatch(name):
                file = Path(folder) / name
                found[file.relative_to(store).as_posix()] = file.stat().st_size if file.is_file() else NO_FILE
    return dict(sorted(found.items()))


def sha256(file: Path) -> str:
    """Return the sha256 of a file as hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content(store: Path) -> dict[str, Any]:
    """Describe a store's files: size and sha256 of each, and one sha256 over the sorted list."""
    described = {path: {"sha256": sha256(store / path), "size": size} for path, size in objects(store).items()}
    return {"content_sha256": list_sha256(described), "objects": described}


def list_sha256(described: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one sha256 over the sorted list of `sha256  path` lines, as `sha256sum` would print them."""
    lines = "".join(f"{described[path]['sha256']}  {path}\n" for path in sorted(described))
    return hashlib.sha256(lines.encode()).hexdigest()


@functools.cache
def package_versions() -> dict[str, str]:
    """Return the versions of Allometry and of what it directly depends on."""
    versions = {"allometry": importlib.metadata.version("allometry")}
    for requirement in importlib.metadata.requires("allometry") or []:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return dict(sorted(versions.items()))


@functools.cache
def git_state() -> dict[str, Any] | None:
    """Return commit and cleanness of the checkout that the package runs from, None outside of one."""

    def git(*arguments: str) -> str:
        root = Path(__file__).resolve().parent
        return subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def provenance(given: Mapping[str, Any] | None, started: float) -> dict[str, Any]:
    """Describe who wrote a store, when and with what; `given` (configuration, cluster, ...) is kept beside it."""

    def iso(moment: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

    return {
        "git": git_state(),
        "host": platform.node(),
        "packages": package_versions(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "times": {"started": iso(started), "finished": iso(time.time())},
        **plain(given or {}),
    }


def describe(
    store: Path, given: Mapping[str, Any] | None, started: float, beside: Mapping[Path, bytes] | None = None
) -> dict[str, Any]:
    """Return the manifest of a complete store, with the sha256 of the files that lie beside it and belong to it."""
    files = {
        file.name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for file, data in (beside or {}).items()
    }
    return {
        "manifest_version": MANIFEST_VERSION,
        "store": store.name,
        "content": content(store),
        "provenance": provenance(given, started),
        **({"beside": files} if files else {}),
    }


def dump(manifest: Mapping[str, Any]) -> bytes:
    """Serialise a manifest."""
    try:
        return sorted_json(manifest)
    except (TypeError, ValueError) as error:
        raise StoreError(
            what=f"provenance cannot be written as JSON: {error}",
            where=str(manifest.get("store", "")),
            expected="text, finite numbers, lists and dicts",
            do="pass plain values as provenance",
        ) from error


def read_manifest(store: str | Path) -> dict[str, Any]:
    """Read a store's manifest.

    Parameters
    ----------
    store : path
        The store that it lies beside.

    Returns
    -------
    dict
        `content` (`objects`: by file `sha256` and `size` in bytes; `content_sha256`), `provenance`, and `beside` where
        further files belong to the store.

    Raises
    ------
    StoreError
        There is none, or it is not one.
    """
    path = manifest_path(store)
    try:
        manifest = json.loads(path.read_bytes())
        described = manifest["content"]["objects"]
        if not all({"sha256", "size"} <= set(entry) for entry in described.values()):
            raise KeyError("sha256, size")
        manifest["content"]["content_sha256"]
        if not all({"sha256", "size"} <= set(entry) for entry in manifest.get("beside", {}).values()):
            raise KeyError("beside")
    except FileNotFoundError:
        raise StoreError(
            what="the store has no manifest",
            where=str(store),
            expected=str(path),
            do="build the store again (its writing was interrupted, or the manifest was deleted)",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(
            what=f"the manifest cannot be read: {error!r}",
            where=str(path),
            expected="JSON with content.objects and content.content_sha256",
            do="build the store again",
        ) from error
    return dict(manifest)


def differences(store: Path, manifest: Mapping[str, Any], hashes: bool) -> list[str]:
    """List in what a store's files differ from its manifest: names and sizes, and contents with `hashes`."""
    described, found = manifest["content"]["objects"], objects(store)
    problems = [f"{path}: is missing" for path in sorted(described.keys() - found.keys())]
    problems += [f"{path}: is not in the manifest" for path in sorted(found.keys() - described.keys())]
    for path in sorted(described.keys() & found.keys()):
        if found[path] == NO_FILE:
            problems.append(f"{path}: is a link that leads to no file")
        elif found[path] != described[path]["size"]:
            problems.append(f"{path}: has {found[path]} bytes, expected {described[path]['size']}")
        elif hashes and sha256(store / path) != described[path]["sha256"]:
            problems.append(f"{path}: content differs from the manifest")
    if hashes and list_sha256(described) != manifest["content"]["content_sha256"]:
        problems.append("manifest: content_sha256 does not fit its own list")
    return problems


def verify(path: str | Path) -> list[str]:
    """Compare every file of a store with its manifest, names, sizes and sha256.

    Parameters
    ----------
    path : path of a store (`{name}.zarr`)

    Returns
    -------
    One line per problem, empty for an intact store.
    """
    store = Path(path)
    if not store.is_dir():
        return [f"{store}: {'is no folder' if store.exists() else 'is missing'}"]
    try:
        manifest = read_manifest(store)
    except StoreError as error:
        return [f"{store}: {error.what}"]
    problems = [f"{store}: {problem}" for problem in differences(store, manifest, hashes=True)]
    if manifest.get("store") != store.name:
        problems.append(f"{store}: its manifest is that of {manifest.get('store')}")
    for name, described in manifest.get("beside", {}).items():
        problems += file_problems(store.parent, name, described)
    return problems + _source_problems(store, manifest)


def file_problems(folder: Path, name: str, described: Mapping[str, Any]) -> list[str]:
    """Compare a file in or below a folder with the sha256 that a manifest has for it."""
    file = folder / name
    if not is_within(name):
        return [f"{file}: the manifest names a file outside of its folder"]
    if not file.is_file():
        return [f"{file}: is missing"]
    return [] if sha256(file) == described["sha256"] else [f"{file}: content differs from the manifest"]


def is_within(name: str) -> bool:
    """Whether a name in a manifest is that of a file in or below its folder."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def sources_read(paths: Mapping[str, str | Path], out: str | Path) -> dict[str, Any]:
    """Provenance of a store that was computed from others: where each lies, seen from it, and its content.

    Parameters
    ----------
    paths : mapping of str to path
        The stores that were read, by name.
    out : path
        The store that was made of them.
    """
    read = {
        name: {
            "path": os.path.relpath(path, Path(out).parent),
            "content_sha256": read_manifest(path)["content"]["content_sha256"],
        }
        for name, path in sorted(paths.items())
    }
    return {SOURCES: read}


def _source_problems(store: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Say which of the stores that this one was computed from are gone, or are others now."""
    problems = []
    for name, read in (manifest.get("provenance", {}).get(SOURCES) or {}).items():
        source = Path(os.path.normpath(store.parent / read["path"]))
        try:
            known = read_manifest(source)["content"]["content_sha256"] if source.is_dir() else None
        except StoreError:
            known = None
        if known is None:
            problems.append(f"{store}: its source {name} is gone ({source})")
        elif known != read["content_sha256"]:
            problems.append(f"{store}: its source {name} has changed since ({source})")
    return problems
