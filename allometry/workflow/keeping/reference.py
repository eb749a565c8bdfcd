"""A reference: the content of every store of a configuration, to compare results with that were made elsewhere."""

import json
from pathlib import Path
from typing import Any

from allometry import files
from allometry.errors import AllometryError
from allometry.stores.attributes import sorted_json
from allometry.stores.folders import finding
from allometry.stores.kinds import KINDS
from allometry.stores.storage.manifest import package_versions

VERSION = 1
#: Packages that write the bytes of stores, or compute what is in them.
_DECISIVE = ("numba", "numpy", "pandas", "scipy", "xarray", "zarr")


def make(file: Path, results: Path) -> int:
    """Write the content of all stores below a folder as the reference.

    Parameters
    ----------
    file : path
        The reference; one that is there is replaced.
    results : path
        Folder of a finished run.

    Returns
    -------
    Number of stores.

    Raises
    ------
    AllometryError
        There are no stores, or one of them has no manifest.
    """
    stores = _stores(results)
    with files.writing(file, AllometryError):
        files.write_text(file, sorted_json({**_made_by(), "stores": stores}).decode())
    return len(stores)


def differences(file: Path, results: Path) -> tuple[int, list[str]]:
    """Compare the content of all stores below a folder with a reference.

    Parameters
    ----------
    file : path
        The reference.
    results : path
        Folder of a finished run of the same configuration.

    Returns
    -------
    Number of stores in the reference, and a line for each store that differs, is missing, or is not in the reference.

    Raises
    ------
    AllometryError
        The file is no reference, or was made by another version of the package, of a store's schema, or, where contents
        differ, of a package that stores depend on.
    """
    reference = _read(file, results)
    expected, found = reference["stores"], _stores(results)
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found:
            lines.append(f"{name}: is missing")
        elif name not in expected:
            lines.append(f"{name}: is not in the reference")
        elif found[name] != expected[name]:
            lines.append(f"{name}: content differs from the reference")
    if lines:
        _same_versions(file, results, reference, ("packages",))
    return len(expected), lines


def _stores(results: Path) -> dict[str, str]:
    found = finding.contents(results)
    if not found:
        raise AllometryError(
            "there are no results", where=str(results.absolute()), expected="stores", do="run the workflow first"
        )
    return found


def _made_by() -> dict[str, Any]:
    versions = package_versions()
    return {
        "reference_version": VERSION,
        "allometry": versions["allometry"],
        "schemas": {name: schema.version for name, schema in KINDS.items()},
        "packages": {name: versions[name] for name in _DECISIVE},
    }


def _read(file: Path, results: Path) -> dict[str, Any]:
    try:
        reference = json.loads(file.read_bytes())
        if not all(isinstance(reference[key], dict) for key in ("stores", "schemas", "packages")):
            raise TypeError("stores, schemas, packages")
        reference["reference_version"], reference["allometry"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AllometryError(
            "this is no reference" if file.exists() else "there is no such reference",
            where=str(file),
            expected="a file that `allometry reference --make` wrote",
            do=f"check the path, or make it: {_command(file, results)}",
        ) from error
    _same_versions(file, results, reference, ("reference_version", "allometry", "schemas"))
    return dict(reference)


def _same_versions(file: Path, results: Path, reference: dict[str, Any], keys: tuple[str, ...]) -> None:
    here = _made_by()
    others = []
    for key in keys:
        then, now = reference[key], here[key]
        if isinstance(now, dict):
            kind = "schema of " if key == "schemas" else ""
            others += [
                f"{kind}{name} {then.get(name, 'none')}, here {now.get(name, 'none')}"
                for name in sorted({*then, *now})
                if then.get(name) != now.get(name)
            ]
        elif then != now:
            others.append(f"{key.replace('_', ' ')} {then}, here {now}")
    if others:
        raise AllometryError(
            f"the reference was made by another version: {'; '.join(others)}",
            where=str(file),
            expected="the versions that are installed here",
            do="install those of envs/requirements.lock; if another content is meant, run the workflow of the reference's "
            f"configuration and make it again: {_command(file, results)}",
        )


def _command(file: Path, results: Path) -> str:
    return f"allometry reference {file} {results} --make"
