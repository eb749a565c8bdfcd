"""Checking results against their manifests, and building again exactly what is damaged."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from allometry.errors import AllometryError
from allometry.stores.folders import finding
from allometry.stores.storage import file_manifest, manifest, publication

_STAMP = ".snakemake_timestamp"  # what Snakemake takes for the time of a folder


@dataclass(frozen=True)
class Damaged:
    """Something with a manifest that differs from it.

    Parameters
    ----------
    remove : tuple of path
        What has to go for Snakemake to build it again: store, manifest, files; those that are there.
    targets : tuple of path
        What Snakemake is asked for.
    foreign : str
        Why it may not be removed; empty if it may.
    before : dict
        Path -> (sha256 that the manifest has for it, times of its files), for what is built again with the same content.
    """

    remove: tuple[Path, ...]
    targets: tuple[Path, ...]
    foreign: str = ""
    before: dict[Path, tuple[str, dict[Path, int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verified:
    """What was checked: a line per problem, what is damaged, and how many stores and other files there were."""

    problems: tuple[str, ...]
    damaged: tuple[Damaged, ...]
    stores: int
    files: int

    @property
    def summary(self) -> str:
        """One line for a person."""
        others = f" and {self.files} other files" if self.files else ""
        count = len(self.problems)
        return f"{self.stores} stores{others} checked, {count or 'no'} problem{'s' * (count != 1)}"


def verify(paths: Iterable[Path]) -> Verified:
    """Compare stores, and the files that manifests list, with their manifests.

    Parameters
    ----------
    paths : iterable of path
        Stores, or folders that are searched.
    """
    problems: list[str] = []
    damaged: list[Damaged] = []
    count = files = 0
    for path in paths:
        if path.suffix != ".zarr" and not path.is_dir():
            problems.append(f"{path}: is neither a store nor a directory")
            continue
        found, manifests = list(finding.find_stores(path)), list(finding.find_file_manifests(path))
        if not found and not manifests:
            problems.append(f"{path}: holds no store")
        count += len(found)
        for store in found:
            wrong = manifest.verify(store)
            problems += wrong
            # a source that is gone or has changed is that store's damage, or a reason for Snakemake to build this one
            if [problem for problem in wrong if ": its source " not in problem]:
                damaged.append(_damaged_store(store))
        for listed in manifests:
            number, wrong = file_manifest.verify_files(listed)
            files += number
            problems += wrong
            if wrong:
                damaged.append(_damaged_files(listed))
    return Verified(tuple(problems), tuple(damaged), count, files)


def _damaged_store(store: Path) -> Damaged:
    beside = manifest.manifest_path(store)
    before = {}
    remove = [store, beside]
    if (known := _listed(store)) is not None:
        content, files = known
        remove = files
        before[store] = (content, _times(remove))
    there = tuple(path for path in remove if os.path.lexists(path))
    return Damaged(there, (store,), publication.removable(store), before)


def _listed(store: Path) -> tuple[str, list[Path]] | None:
    """Content that the manifest of a store has, and the paths that belong to it; None where that is no manifest of it."""
    try:
        described = manifest.read_manifest(store)
    except AllometryError:
        return None
    if described.get("store") != store.name:
        return None
    names = described.get("beside", {})
    # a manifest that was edited could name anything
    beside = [store.parent / name for name in names if Path(name).name == name and name.startswith(f"{store.stem}.")]
    return str(described["content"]["content_sha256"]), [store, manifest.manifest_path(store), *beside]


def _damaged_files(listed: Path) -> Damaged:
    try:
        described = json.loads(listed.read_bytes())["files"]
        wrong = [
            listed.parent / name
            for name, entry in described.items()
            if manifest.is_within(name) and manifest.file_problems(listed.parent, name, entry)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        described, wrong = {}, []
    remove = [*wrong, listed]
    before = {
        listed.parent / name: (str(entry["sha256"]), _times([listed.parent / name]))
        for name, entry in described.items()
        if manifest.is_within(name)
    }
    before[listed] = ("", _times([listed]))
    folder = next((path for path in wrong if path.is_dir() and not path.is_symlink()), None)
    foreign = f"{folder} is a folder where a file should be" if folder else ""
    return Damaged(tuple(path for path in remove if os.path.lexists(path)), tuple(remove), foreign, before)


def _times(paths: Iterable[Path]) -> dict[Path, int]:
    """Return the times of paths, and of Snakemake's marks in folders, ns since the epoch."""
    marked = [path for base in paths for path in (base, base / _STAMP) if path.exists()]
    return {path: path.stat().st_mtime_ns for path in marked}


def repair(damaged: Sequence[Damaged], configfiles: Sequence[Path] = (), cores: str = "all") -> None:
    """Remove what is damaged and have Snakemake build it again, and nothing else.

    Whatever comes out with the content it had gets its old times too, so that nothing that was made of it runs again.

    Parameters
    ----------
    damaged : sequence of Damaged
        From `verify`.
    configfiles : sequence of path
        Configurations that the results were made with; none for that of the checkout.
    cores : str
        As Snakemake's `--cores`.

    Raises
    ------
    AllometryError
        Nothing was removed: there is no workflow here, it does not make what is damaged, or something is not ours.
        Otherwise: Snakemake failed.
    """
    if not Path("Snakefile").is_file():
        raise AllometryError(
            "there is no workflow here to build what is damaged again",
            where=str(Path.cwd()),
            expected="the folder of the checkout, with its Snakefile",
            do="go there and give the paths from there (allometry verify --repair results/)",
        )
    for item in damaged:
        if item.foreign:
            raise AllometryError(
                f"{item.foreign}; nothing was removed",
                where=str(item.targets[0]),
                expected="files that Allometry wrote",
                do="move what is yours away, and repair again",
            )
    folder = _folder([target for item in damaged for target in item.targets])
    targets = [os.path.relpath(target, folder) for item in damaged for target in item.targets]
    command = [sys.executable, "-m", "snakemake", *targets, "--directory", str(folder), "--cores", cores]
    command += ["--rerun-triggers", "mtime"]
    chosen = ["--configfile", *(str(file.resolve()) for file in configfiles)] if configfiles else []
    planned = _snakemake([*command, "--dry-run", "--force", *chosen], capture=True)
    unknown = [target for target in targets if target not in planned]
    if unknown:
        raise AllometryError(
            f"this configuration does not make {', '.join(unknown)}; nothing was removed",
            where=", ".join(map(str, configfiles)) or "config.yaml",
            expected="the configuration that the results were made with",
            do="give it with --configfile, or delete what no configuration makes any more",
        )
    # a job that makes several stores makes all of them again
    whole = {store: known for store in finding.find_stores(folder / "results") if (known := _listed(store)) is not None}
    targeted = {target.absolute() for item in damaged for target in item.targets}
    others = Damaged(
        (), (), "", {s: (c, _times(paths)) for s, (c, paths) in whole.items() if s.absolute() not in targeted}
    )
    for path in (path for item in damaged for path in item.remove):
        print(f"removed {path}")
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    _snakemake([*command, *chosen])
    for item in (*damaged, others):
        _restore_times(item)


def _restore_times(item: Damaged) -> None:
    same = {path: _sha256(path) == known for path, (known, _) in item.before.items() if known}
    for path, (known, times) in item.before.items():
        # a manifest is as old as what it lists
        if same[path] if known else all(same.values()):
            for file, moment in times.items():
                if file.exists():
                    os.utime(file, ns=(moment, moment))
        elif known:
            print(f"{path} has other content than before: what was made of it is built again with the next run")


def _sha256(path: Path) -> str:
    if path.suffix == ".zarr":
        return str(manifest.read_manifest(path)["content"]["content_sha256"])
    return manifest.sha256(path)


def _folder(targets: Iterable[Path]) -> Path:
    """Return the folder that Snakemake ran in: that of `results`."""
    found = set()
    for target in map(Path.absolute, targets):
        parts = target.parts[: -(target.parts[::-1].index("results") + 1)] if "results" in target.parts else ()
        found.add(Path(*parts) if parts else None)
    if len(found) != 1 or None in found:
        raise AllometryError(
            "what is damaged was not made by one workflow; nothing was removed",
            where=", ".join(map(str, targets)),
            expected="stores and files below one folder named results",
            do="repair one results folder at a time, and build other stores again by hand",
        )
    return next(folder for folder in found if folder is not None)


def _snakemake(command: Sequence[str], capture: bool = False) -> str:
    done = subprocess.run(command, capture_output=capture, text=True)
    # in a dry run, Snakemake says on standard output what is wrong
    said = f"{done.stderr}\n{done.stdout}" if capture else ""
    if done.returncode != 0 and "MissingRuleException" not in said:
        raise AllometryError(
            "Snakemake cannot build what is damaged again" + ("; nothing was removed" if capture else ""),
            where=" ".join(command[2:]),
            expected="a workflow that makes it",
            do="\n".join(said.strip().splitlines()[-12:]) or "read what it said above",
        )
    return "" if done.returncode != 0 else said
