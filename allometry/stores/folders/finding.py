"""Where the stores and manifests below a folder are."""

import os
from collections.abc import Iterator
from pathlib import Path

from allometry.stores.storage.manifest import read_manifest


def find_stores(path: Path) -> Iterator[Path]:
    """Yield the stores at or below a path, what stands in place of one, and those of which only the manifest is left."""
    if path.suffix == ".zarr":
        yield path
        return
    for folder, folders, names in _walk(path):
        for store in [folder] if _is_store(folder) else [folder / name for name in sorted((*folders, *names))]:
            if _is_store(store):
                yield store
            elif store.name.endswith(".manifest.json"):
                missing = store.with_name(store.name.removesuffix(".manifest.json") + ".zarr")
                if not os.path.lexists(missing):
                    yield missing


def contents(path: Path) -> dict[str, str]:
    """Return the content (sha256) of every store below a directory, by slash-separated relative path.

    Raises
    ------
    StoreError
        A store has no manifest.
    """
    return {
        store.relative_to(path).as_posix(): str(read_manifest(store)["content"]["content_sha256"])
        for store in find_stores(path)
    }


def find_file_manifests(path: Path) -> Iterator[Path]:
    """Yield the manifests of plain files below a directory: of retrieved data sets, and of the report."""
    for folder, _, names in _walk(path):
        if "manifest.json" in names and not _is_store(folder):
            yield folder / "manifest.json"


def _is_store(path: Path) -> bool:
    return path.suffix == ".zarr" or (path / "zarr.json").exists()


def _walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Go through folders as `os.walk` does, but not into stores or hidden folders, and into linked ones once."""
    seen = set()
    for name, folders, names in os.walk(path, followlinks=True):
        folder, real = Path(name), os.path.realpath(name)
        visible = [] if real in seen else sorted(entry for entry in folders if not entry.startswith("."))
        if real not in seen:
            yield folder, visible, [entry for entry in names if not entry.startswith(".")]
        folders[:] = [] if _is_store(folder) else [entry for entry in visible if not _is_store(folder / entry)]
        seen.add(real)
