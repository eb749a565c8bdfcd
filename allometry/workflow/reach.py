"""Which data sets can be had here: without a network, with one, or only from a mirror; and what follows for a run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allometry.config import Config
from allometry.errors import ConfigError
from allometry.hints import nearest
from allometry.homogenize.readers import READERS
from allometry.workflow.checks.names import WORM, Registry, stores_of


def mirror(cfg: Config) -> str | None:
    """Folder that is tried before any network: the configured one, else the environment variable ALLOMETRY_MIRROR."""
    return cfg.mirror or os.environ.get("ALLOMETRY_MIRROR") or None


def used_sources(cfg: Config, registry: Registry) -> Registry:
    """Registry entries of the sources that the configured stores are made from."""
    made = stores_of(registry)
    used = {made[kind, name] for kind, names in cfg.homogenize.stores().items() for name in names}
    return {name: entry for name, entry in registry.items() if name in used}


@dataclass(frozen=True)
class Way:
    """How a file is had here.

    Parameters
    ----------
    kind : {"copy", "package", "download"}
        Of a mirror or the user's own; out of a package; from the web.
    once : str
        What is fetched: the same for all files of one package.
    size : int or None
        Bytes, where that is known before it is fetched.
    """

    kind: str
    once: str
    size: int | None


def ways(cfg: Config, source: str, files: Sequence[dict[str, Any]]) -> list[Way]:
    """How each file of a source is had here; one that is there already counts as what it would be without."""
    folder = mirror(cfg)
    found = []
    for file in files:
        places = [_place(place) for place in file["places"]]
        local = [Path(folder, place.partition(":")[2]) for place in places if folder and place.startswith("mirror:")]
        local += [_own_path(place) for place in places if _is_own(place)]
        retrieved = Path("results/raw", source, file["name"])
        size = next((path.stat().st_size for path in (*local, retrieved) if path.is_file()), file.get("size"))
        package = next((place for place in places if place.startswith("pypi:")), None)
        if any(path.is_file() for path in local):
            found.append(Way("copy", file["name"], size))
        elif package:
            found.append(Way("package", package.partition("!")[0], size))
        else:
            found.append(Way("download", file["name"], size))
    return found


def unused_sources(cfg: Config, registry: Registry) -> dict[str, list[str]]:
    """Registered sources that this configuration does not use: those whose files are all in `packages`, those `elsewhere`.

    A property of the registry alone: what this machine has at hand must not redo the report.
    """
    unused: dict[str, list[str]] = {"packages": [], "elsewhere": []}
    for name in sorted(set(registry) - set(used_sources(cfg, registry))):
        files = registry[name]["files"]
        packaged = all(any(_place(place).startswith("pypi:") for place in file["places"]) for file in files)
        unused["packages" if files and packaged else "elsewhere"].append(name)
    return unused


def out_of_reach(cfg: Config, registry: Registry) -> dict[str, str]:
    """Registered sources that cannot be had without a network (or a file of the user's own), and why.

    A source is at hand when each of its files is there already, in the mirror, a file of the user's own, or inside a package
    (the machine's own package index counts as at hand).
    """
    folder = mirror(cfg)
    reasons = {}
    for name, entry in registry.items():
        missing = [file for file in entry["files"] if not _at_hand(name, file, folder)]
        private = [file for file in missing if not any(_place(place).startswith("https:") for place in file["places"])]
        if private:
            reasons[name] = (
                f"{len(private)} of {len(entry['files'])} files are in no public place known to us: "
                "they need a mirror or files of your own"
            )
        elif missing:
            reasons[name] = f"{len(missing)} of {len(entry['files'])} files need a download"
    return reasons


def without_optional(cfg: Config, registry: Registry) -> tuple[Registry, dict[str, str]]:
    """The registry without optional files that no place here can give, and why each was left out.

    One file that only a mirror has, or the user, must not cost the whole data set where its reader can do without it.
    """
    folder = mirror(cfg)
    kept: Registry = {}
    left_out: dict[str, str] = {}
    for name, entry in registry.items():
        absent = {file["name"] for file in entry["files"] if file.get("optional") and _only_local(name, file, folder)}
        kept[name] = {**entry, "files": [file for file in entry["files"] if file["name"] not in absent]}
        if kept[name]["files"]:
            why = "an optional file that is in no public place known to us; the data set is made without it"
            left_out |= {f"{name}/{file}": why for file in sorted(absent)}
        else:
            kept[name] = entry
    return kept, left_out


def check_own_files(cfg: Config, registry: Registry) -> None:
    """Refuse files of the user's own data sets that are not where they say, before any job looks for them.

    Raises
    ------
    ConfigError
        A file that no other place gives does not exist, or is a folder and the reader takes none.
    """
    for name, entry in used_sources(cfg, registry).items():
        for file in entry["files"] if entry.get("own") else ():
            places = [_place(place) for place in file["places"]]
            if Path("results/raw", name, file["name"]).is_file() or not all(map(_is_own, places)):
                continue
            paths = [_own_path(place) for place in places]
            folders = str(entry["reader"]) in READERS and READERS[str(entry["reader"])].folders
            if any(path.is_file() or (folders and path.is_dir()) for path in paths):
                continue
            path = next((path for path in paths if path.is_dir()), paths[0])
            beside = [found.name for found in path.parent.iterdir()] if path.parent.is_dir() else []
            near = nearest(path.name, beside, n=1)
            raise ConfigError(
                f"{path} is a folder" if path.is_dir() else f"the file {path} does not exist",
                where=f"datasets.{name}.files",
                expected="the path of a file; relative ones start in the folder that Snakemake runs in",
                do="list the files in it"
                if path.is_dir()
                else f"perhaps {path.with_name(near[0])} is meant"
                if near
                else "correct the path",
            )


def no_download(cfg: Config, registry: Registry) -> dict[str, str]:
    """Sources with a file that no download can give and that is not here, and why.

    Its places are all in a mirror, and the mirror here lacks it; or, of a registered source, also where its files have to be put
    by hand. A missing file of a user's own data set is no such case: the user named it, and `check_own_files` says that it is
    missing.
    """
    folder = mirror(cfg)
    why = "its files are in no public place known to us: it needs a mirror (key `mirror`, or ALLOMETRY_MIRROR)"
    found = {}
    for name, entry in registry.items():
        lacks = _only_mirrored if entry.get("own") else _only_local
        absent = [file for file in entry["files"] if lacks(name, file, folder)]
        if all(file.get("optional") for file in absent) and len(absent) < len(entry["files"]):
            continue
        own = [_own_path(place) for file in absent for place in map(_place, file["places"]) if _is_own(place)]
        page = "worms" if entry.get("species") == WORM else "datasets"
        found[name] = f"{own[0]} does not exist: put its files there (docs/{page}.md)" if own else why
    return found


def reachable(cfg: Config, registry: Registry) -> tuple[Config, dict[str, str]]:
    """The configuration without the stores that cannot be had here, and without the runs and comparisons that need them.

    Returns
    -------
    cfg : Config
        What can be finished.
    left_out : dict of str to str
        What was left out (a store, or the key of a run or comparison), and why.
    """
    gone = no_download(cfg, registry)
    absent = {(kind, store): gone[source] for (kind, store), source in stores_of(registry).items() if source in gone}
    left_out: dict[str, str] = {}

    def lacks(pairs: list[tuple[str, str]]) -> list[str]:
        return list(dict.fromkeys(name for kind, name in pairs if (kind, name) in absent))

    def note(pairs: list[tuple[str, str]]) -> None:
        left_out.update({pair[1]: absent[pair] for pair in pairs if pair in absent})

    kept: dict[str, Any] = {}
    for kind, names in cfg.homogenize.stores().items():
        note([(kind, name) for name in names])
        kept[kind] = [name for name in names if (kind, name) not in absent]
    stacked = [("connectome", name) for name in cfg.homogenize.worm_stack]
    if missing := lacks(stacked):
        note(stacked)
        left_out["homogenize.worm_stack"] = f"needs {', '.join(missing)}"
        kept["worm_stack"] = []
    runs, comparisons = dict(cfg.simulate.runs), dict(cfg.compare.comparisons)
    for label, run in cfg.simulate.runs.items():
        wired = [("connectome", name) for name in run.connectome]
        if missing := lacks(wired):
            note(wired)
            left_out[f"simulate.runs.{label}"] = f"needs {', '.join(missing)}"
            del runs[label]
    virtual = dict(cfg.simulate.recordings)
    for label, recording in cfg.simulate.recordings.items():
        reference = [(recording.like_kind, recording.like)] if recording.like is not None else []
        note(reference)
        if missing := [*lacks(reference), *([f"simulate.runs.{recording.run}"] if recording.run not in runs else [])]:
            left_out[f"simulate.recordings.{label}"] = f"needs {', '.join(missing)}"
            del virtual[label]
    for label, comparison in cfg.compare.comparisons.items():
        missing = lacks(comparison.stores())
        note(comparison.stores())
        gone_recordings = [
            f"simulate.recordings.{name}"
            for _, name in comparison.stores()
            if name in cfg.simulate.recordings.keys() - virtual
        ]
        gone_runs = [f"simulate.runs.{name}" for name in comparison.runs() if name not in runs]
        if missing := [*missing, *gone_recordings, *gone_runs]:
            left_out[f"compare.comparisons.{label}"] = f"needs {', '.join(missing)}"
            del comparisons[label]
    if not left_out:
        return cfg, left_out
    changed = {
        "homogenize": cfg.homogenize.model_copy(update=kept),
        "simulate": cfg.simulate.model_copy(update={"runs": runs, "recordings": virtual}),
        "compare": cfg.compare.model_copy(update={"comparisons": comparisons}),
    }
    return cfg.model_copy(update=changed), left_out


def network_note(cfg: Config, registry: Registry, left_out: dict[str, str]) -> str:
    """Sentences that say what is left out of this run, which data sets are not at hand, and which of them it asks for."""
    missing = out_of_reach(cfg, registry)
    asked = set(used_sources(cfg, registry))
    lines = [f"Left out of this run: {name}: {reason}" for name, reason in left_out.items()]
    if not missing:
        return "\n".join([*lines, "All registered data sets are at hand."])
    if asked <= cfg.datasets.keys() - missing.keys():  # who brings data asks for no other
        return "\n".join([*lines, "All data sets of this run are at hand."])
    lines.append(f"Not at hand without a network{' (mirror: ' + str(mirror(cfg)) + ')' if mirror(cfg) else ''}:")
    lines += [
        f"  {name}: {reason}; asked for by this configuration" for name, reason in missing.items() if name in asked
    ]
    if others := sorted(set(missing) - asked):
        lines.append(f"  not asked for by this configuration: {', '.join(others)} (docs/datasets.md)")
    return "\n".join(lines)


def _only_mirrored(source: str, file: dict[str, Any], folder: str | None) -> bool:
    """Whether a file is in mirrors alone, and not in the one here."""
    mirrored = all(_place(place).startswith("mirror:") for place in file["places"])
    return mirrored and not _at_hand(source, file, folder)


def _only_local(source: str, file: dict[str, Any], folder: str | None) -> bool:
    """Whether a file is in mirrors or with the user alone, and not here."""
    local = all(_place(place).startswith(("mirror:", "file:")) for place in file["places"])
    return local and not _at_hand(source, file, folder)


def _is_own(place: str) -> bool:
    return place.startswith("file:")


def _own_path(place: str) -> Path:
    return Path(place.removeprefix("file:")).expanduser()


def _at_hand(source: str, file: dict[str, Any], folder: str | None) -> bool:
    if Path("results/raw", source, file["name"]).is_file():
        return True
    for place in map(_place, file["places"]):
        kind, _, rest = place.partition(":")
        if kind == "pypi" or (kind == "file" and _own_path(place).exists()):
            return True
        if kind == "mirror" and folder and Path(folder, rest).is_file():
            return True
    return False


def _place(entry: str | dict[str, str]) -> str:
    return entry if isinstance(entry, str) else entry["place"]
