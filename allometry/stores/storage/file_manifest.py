"""Manifests of plain files: `manifest.json` in a folder, with the sha256 of files in or below it.

The retrieve stage writes one per data set, the report one for the page and its figures.
"""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from allometry.files import atomic, writing
from allometry.stores.storage import manifest as manifests


def write_file_manifest(
    path: str | Path,
    files: Iterable[Path],
    *,
    provenance: Mapping[str, Any] | None = None,
    started: float | None = None,
) -> None:
    """Write the manifest of files; it appears when it is complete.

    Parameters
    ----------
    path : path
        `manifest.json`; the files lie in its folder or below.
    files : iterable of path
        Files to list.
    provenance : mapping, optional
        What the manifest shall say besides versions, host and times.
    started : float, optional
        When the work began, seconds since the epoch.
    """
    path = Path(path)
    described = {
        file.relative_to(path.parent).as_posix(): {"sha256": manifests.sha256(file), "size": file.stat().st_size}
        for file in files
    }
    began = time.time() if started is None else started
    content = {"files": described, "provenance": manifests.provenance(provenance, began)}
    with writing(path), atomic(path) as stream:
        stream.write(manifests.dump(content))


def verify_files(path: str | Path) -> tuple[int, list[str]]:
    """Compare the files of a `manifest.json` with it: number of files, and one line per problem."""
    path = Path(path)
    try:
        described = json.loads(path.read_bytes())["files"]
        if not all(isinstance(entry["sha256"], str) for entry in described.values()):
            raise TypeError("sha256")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return 0, [f"{path}: the manifest cannot be read: {error!r}"]
    problems = [
        problem
        for name, entry in sorted(described.items())
        for problem in manifests.file_problems(path.parent, name, entry)
    ]
    return len(described), problems
