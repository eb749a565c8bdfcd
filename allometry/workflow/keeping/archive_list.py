"""The list of an archive, and whether the archive still is what it lists.

It imports nothing but Python's own library: `rebuild.sh` runs this file by its path before any package is installed.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

VERSION = 1
LIST = "archive.json"


def read(folder: Path) -> dict[str, Any]:
    """Read the list.

    Raises
    ------
    Unusable
        It is not there, or is of a later version.
    """
    try:
        described = json.loads((folder / LIST).read_bytes())
        version = int(described["archive_version"])
        for key in ("files", "results", "python", "packages", "system"):
            described[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable("this is no archive", f"a folder with {LIST}", "check the path") from error
    if version > VERSION:
        raise Unusable(
            f"the archive has version {version}",
            f"at most version {VERSION}",
            "use the code in the archive: ./rebuild.sh",
        )
    return dict(described)


def check(folder: Path) -> int:
    """Compare an archive with its list.

    Returns
    -------
    Number of files.

    Raises
    ------
    Unusable
        As `read`; files are missing or have changed, or the packages are for another Python or kind of machine.
    """
    described = read(folder)
    listed: dict[str, str] = described["files"]
    missing = [name for name in listed if not (folder / name).is_file()]
    changed = [name for name in listed if name not in missing and _sha256(folder / name) != listed[name]]
    if missing or changed:
        raise Unusable(
            f"the archive is incomplete: {len(missing)} files are missing and {len(changed)} have changed, "
            f"such as {(missing + changed)[0]}",
            f"the {len(listed)} files of {LIST}",
            "copy the archive again",
        )
    series = described["python"].rpartition(".")[0]
    if described["packages"] and series != f"{sys.version_info[0]}.{sys.version_info[1]}":
        raise Unusable(
            f"the packages of the archive are for Python {series}, this is {platform.python_version()}",
            f"Python {series}",
            f"run it with PYTHON=python{series}",
        )
    if described["packages"] and described["system"] != system():
        raise Unusable(
            f"the packages of the archive are for {described['system']}, this is {system()}",
            f"a machine with {described['system']}",
            "run it there, or install envs/requirements.lock from a package index and run the workflow in checkout/",
        )
    return len(listed)


def system() -> str:
    """Operating system and kind of processor, which packages are built for."""
    return f"{sys.platform} {platform.machine()}"


class Unusable(Exception):
    """An archive cannot be used: what is wrong, what was expected, and what to do."""

    def __init__(self, what: str, expected: str, do: str) -> None:
        super().__init__(what, expected, do)
        self.what, self.expected, self.do = what, expected, do


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    try:
        print(f"the archive is complete: {check(place)} files")
    except Unusable as error:
        sys.exit(f"{error.what}\n  where:    {place.resolve()}\n  expected: {error.expected}\n  to do:    {error.do}")
