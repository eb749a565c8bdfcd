"""What a rerun next year needs, in one folder: code, packages, raw files by hash, configuration and manifests."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from allometry import config as configuration
from allometry import files, plugins
from allometry.config.registry import SourceEntry
from allometry.errors import AllometryError
from allometry.retrieve.credentials import redacted
from allometry.retrieve.places import parse_place
from allometry.retrieve.source import BY_HASH
from allometry.stores.folders import finding
from allometry.stores.storage import manifest as manifests
from allometry.workflow.keeping import archive_list
from allometry.workflow.keeping.archive_list import LIST, VERSION
from allometry.workflow.reach import reachable, used_sources, without_optional
from allometry.workflow.snakefile import configured

CONFIGURATION = "archived.yaml"
_RUN = ("Snakefile", "allometry", "config", "envs", "profiles", "rules", "scripts")
_REBUILD = """#!/bin/sh
# Build the results of this archive again, without a network, and compare them with those that were archived.
set -eu
cd "$(dirname "$0")/checkout"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"${PYTHON:-python3}" allometry/workflow/keeping/archive_list.py ..
"${PYTHON:-python3}" -m venv .venv
if [ -d ../wheels ]; then
    set -- --no-index --find-links ../wheels --require-hashes -r ../wheels/requirements.lock
else
    echo "archived without packages: they come from a package index"
    set -- --require-hashes -r envs/requirements.lock
fi
.venv/bin/python -m pip install --quiet "$@"
.venv/bin/python -m pip install --quiet --no-index --no-deps --no-build-isolation -e .
.venv/bin/python -m snakemake --cores "${CORES:-all}" --configfile archived.yaml
.venv/bin/python -m allometry archive --against ..
"""


def create(out: Path, configfiles: Sequence[Path] = (), *, packages: bool = True) -> Path:
    """Write an archive of the results that a configuration made in this folder; it appears when it is complete.

    Parameters
    ----------
    out : path
        A new folder.
    configfiles : sequence of path
        As given to Snakemake; none for config.yaml.
    packages : bool
        Whether to download the packages of the lock file, for this version of Python and this platform.

    Returns
    -------
    The folder: `checkout/` (the code, with `archived.yaml`), `wheels/`, `mirror/sha256/` (raw files by hash), `manifests/`,
    `configuration/` (the files as given), `rebuild.sh`, and `archive.json` with the sha256 of all of them.

    Raises
    ------
    AllometryError
        The folder exists, this is no checkout, or a raw file or result is missing or damaged.
    """
    if os.path.lexists(out):
        raise AllometryError("the folder exists", where=str(out), expected="a new name", do="choose another name")
    given = list(configfiles) or [Path("config.yaml")]
    values: dict[str, Any] = {}
    for file in given:
        update_config(values, configuration.read_yaml(file))
    cfg = configured(values, given, [file.parent for file in reversed(given)])
    registry, _ = without_optional(cfg, configuration.load_registry(cfg))
    cfg, left_out = reachable(cfg, registry)
    partial = out.with_name(f".{out.name}.partial-{files.mark()}")
    try:
        with files.writing(out, AllometryError):
            _code(partial / "checkout")
            used = used_sources(cfg, registry)
            values["datasets"] = values.get("datasets", {}) | _raw(partial / "mirror", used)
            values["plugins"] = list(_plugins(partial / "checkout"))
            values |= {"mirror": "../mirror", "retrieve": values.get("retrieve", {}) | {"offline": True}}
            text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
            (partial / "checkout" / CONFIGURATION).write_text(text, encoding="utf-8")
            for number, file in enumerate(given):
                _copy(file, partial / "configuration" / f"{number}-{file.name}")
            stores = _manifests(partial / "manifests")
            if packages:
                _packages(partial / "wheels")
            (partial / "rebuild.sh").write_text(_REBUILD, encoding="utf-8")
            (partial / "rebuild.sh").chmod(0o755)
            described = {
                "archive_version": VERSION,
                "left_out": left_out,
                "packages": packages,
                "platform": platform.platform(),
                "system": archive_list.system(),
                "python": platform.python_version(),
                "git": manifests.git_state(),
                "results": stores,
                "files": {name: files.sha256_of(partial / name) for name in _names(partial)},
            }
            (partial / LIST).write_bytes(manifests.dump(described))
            partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return out


def check(folder: Path) -> int:
    """Compare an archive with its list.

    Returns
    -------
    Number of files.

    Raises
    ------
    AllometryError
        It is no archive, it is of a later version, files are missing or have changed, or the Python is another one.
    """
    with _usable(folder):
        return archive_list.check(folder)


def against(folder: Path, results: Path = Path("results")) -> tuple[int, list[str]]:
    """Compare results with those of an archive.

    Returns
    -------
    Number of stores that were compared, and a line for each whose content differs or that is missing.
    """
    with _usable(folder):
        expected: Mapping[str, str] = archive_list.read(folder)["results"]
    found = finding.contents(results)
    lines = [
        f"{name}: {'is missing' if name not in found else 'content differs from the archived'}"
        for name, content in expected.items()
        if found.get(name) != content
    ]
    return len(expected), lines


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except archive_list.Unusable as error:
        raise AllometryError(error.what, where=str(folder), expected=error.expected, do=error.do) from error


def _names(folder: Path) -> Iterator[str]:
    return (file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _code(target: Path) -> None:
    """Copy the files of the checkout that git knows, and all others that the workflow runs, as they are now."""
    command = ["git", "ls-files", "-z"]
    known = subprocess.run([*command, "--cached"], capture_output=True, text=True)
    others = subprocess.run([*command, "--others", "--exclude-standard", "--", *_RUN], capture_output=True, text=True)
    if known.returncode != 0 or others.returncode != 0 or not Path("Snakefile").is_file():
        raise AllometryError(
            "this is no checkout of the project",
            where=str(Path.cwd()),
            expected="the folder with the Snakefile, under git",
            do="go there",
        )
    for name in filter(None, f"{known.stdout}\0{others.stdout}".split("\0")):
        if Path(name).is_file():
            _copy(Path(name), target / name)


def _raw(mirror: Path, used: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Copy raw files by hash; return the data sets of the user's own, with the copies as the places of their files."""
    own = {}
    for source, entry in used.items():
        listed = _retrieved(source)
        copied = []
        for file in entry["files"]:
            path = Path("results/raw", source, file["name"])
            known = listed.get(file["name"], {}).get("sha256")
            if known is None and file.get("optional"):
                continue
            if known is None or not path.is_file() or files.sha256_of(path) != known:
                raise AllometryError(
                    f"a raw file is {'not there' if known is None or not path.is_file() else 'damaged'}",
                    where=str(path),
                    expected="what the workflow retrieved",
                    do="run the workflow with this configuration first",
                )
            _copy(path, mirror / BY_HASH / known)
            places = [parse_place(place) for place in file["places"]]
            for place in places:
                if place.kind == "mirror" and not (mirror / place.value).exists():
                    (mirror / place.value).parent.mkdir(parents=True, exist_ok=True)
                    os.link(mirror / BY_HASH / known, mirror / place.value)
            if any(place.kind == "file" for place in places):
                copied.append({**file, "sha256": known, "places": [f"file:../mirror/{BY_HASH}/{known}"]})
            else:
                copied.append(dict(file))
        if any(str(place).startswith("file:") for file in copied for place in file["places"]):
            own[source] = {key: entry[key] for key in SourceEntry.model_fields if key in entry} | {"files": copied}
    return own


def _retrieved(source: str) -> Mapping[str, Any]:
    path = Path("results/raw", source, "manifest.json")
    try:
        return dict(json.loads(path.read_bytes())["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AllometryError(
            f"the data set {source} has not been retrieved",
            where=str(path),
            expected="its manifest",
            do="run the workflow with this configuration first",
        ) from error


def _plugins(checkout: Path) -> Iterator[str]:
    """Copy the plugins in use beside the archived configuration; yield their names."""
    for name, place in plugins.places().items():
        source = Path(place)
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            _copy(source, checkout / source.name)
        yield name


def _manifests(target: Path) -> dict[str, str]:
    """Copy the manifests of all results; return the content of every store."""
    results = Path("results")
    for file in sorted(results.rglob("*manifest.json")):
        if ".zarr" not in "/".join(file.relative_to(results).parts[:-1]):
            _copy(file, target / file.relative_to(results))
    found = finding.contents(results)
    if not found:
        raise AllometryError(
            "there are no results", where=str(results.absolute()), expected="stores", do="run the workflow first"
        )
    return found


def _packages(target: Path) -> None:
    """Fetch the packages of the lock file as wheels, with a lock file of their own.

    What comes as source is built here, where a network is: building it needs packages that no lock file names.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--require-hashes", "--requirement", "envs/requirements.lock", "--wheel-dir", str(target)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise AllometryError(
            f"the packages of the lock file cannot be had: {redacted(done.stderr.strip())[-600:]}",
            where="envs/requirements.lock",
            expected="a network, or a package index",
            do="try again, or archive without packages (--without-packages)",
        )
    lines = []
    for wheel in sorted(target.glob("*.whl")):
        name, version, *_ = wheel.name.split("-")
        lines.append(f"{name}=={version} --hash=sha256:{files.sha256_of(wheel)}")
    (target / "requirements.lock").write_text("\n".join(lines) + "\n", encoding="utf-8")
