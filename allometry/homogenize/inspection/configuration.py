"""The configuration that reads what was found, as a mapping and as text; and the report about it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from allometry.homogenize.inspection.containers import SMALL
from allometry.homogenize.inspection.examine import Examined, known_files
from allometry.homogenize.look import GUESS, LIKELY, Finding, plain
from allometry.homogenize.unchanged import sha256
from allometry.pathnames import is_name, nearest_name

_CERTAINTY = {GUESS: "a guess", LIKELY: "likely"}
Registry = Mapping[str, Mapping[str, Any]]


def configuration(found: Examined, registry: Registry | None = None, name: str = "") -> dict[str, Any]:
    """Configuration with a data set per finding, whose stores are all made.

    Parameters
    ----------
    found : Examined
        What was found.
    registry : mapping, optional
        Registered data sets: where a file is one of theirs, byte by byte, their citation and licence are taken over; their
        names are not used again.
    name : str
        Name of the data set; empty: made from that of its first file. Further ones get a number.

    Returns
    -------
    dict
        `datasets` and `homogenize`, as YAML has them.
    """
    registry = registry or {}
    taken = {*registry, *(store for entry in registry.values() for store in entry.get("stores") or ())}
    known = known_files(registry)
    datasets: dict[str, Any] = {}
    wanted: dict[str, list[str]] = {}
    for finding in found.findings:
        title = _free(name or _name(finding), {*taken, *datasets})
        entry: dict[str, Any] = {"reader": finding.reader}
        entry |= {"species": finding.species} if finding.species else {}
        entry |= _of_registry(finding, registry, known)
        entry["files"] = [_file(key, path) for key, path in finding.files.items()]
        if finding.options:
            entry["options"] = dict(finding.options)
        entry["stores"] = {}
        for suffix, (kind, options) in finding.stores.items():
            store = _free(f"{title}_{suffix}" if suffix else title, taken)
            taken.add(store)
            entry["stores"][store] = {"kind": kind} | ({"options": dict(options)} if options else {})
            wanted.setdefault(kind, []).append(store)
        datasets[title] = entry
    return {"datasets": datasets, "homogenize": wanted}


def _name(finding: Finding) -> str:
    first = next(iter(finding.files.values()))
    stem = first.name.split(".")[0] if len(finding.files) == 1 else first.parent.name
    made = f"my_{plain(stem)}"
    return made if is_name(made) else nearest_name(made)


def _free(name: str, taken: set[str]) -> str:
    name = name[:90]
    return next(
        made
        for number in range(1, len(taken) + 2)
        if (made := name if number == 1 else f"{name}_{number}") not in taken
    )


def _file(name: str, path: Path) -> Any:
    """A path alone where the file has its own name."""
    full = str(path.absolute())
    return full if path.name == name and "{" not in full else {"name": name, "places": [f"file:{full}"]}


def _of_registry(finding: Finding, registry: Registry, known: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Species, citation and licence of the registered data set that a file is of."""
    for path in finding.files.values():
        if known and path.is_file() and path.stat().st_size <= SMALL and (of := known.get(sha256(path))):
            entry = registry[of[0]]
            return {key: entry[key] for key in ("species", "citation", "licence") if entry.get(key)}
    return {}


def text(found: Examined, registry: Registry | None = None, name: str = "") -> str:
    """The configuration as YAML, with what is doubtful in comments above."""
    made = configuration(found, registry, name)
    lines = ["# Written by `allometry inspect`. Run it: allometry run THIS_FILE homogenize"]
    for title, finding in zip(made["datasets"], found.findings):
        lines += [f"# {title}: {finding.what}", *(f"#   check: {doubt}" for doubt in finding.doubts)]
        lacks = [key for key in ("species", "citation", "licence") if not made["datasets"][title].get(key)]
        lacks = [key for key in lacks if key != "species" or not finding.named]
        if lacks:
            lines.append(f"#   add, where there is one: {', '.join(f'`{key}`' for key in lacks)}")
    dumped = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=110)
    return "\n".join(lines) + "\n" + dumped


def report(found: Examined) -> str:
    """What was found, for people."""
    lines: list[str] = []
    for number, finding in enumerate(found.findings):
        sure = f" ({_CERTAINTY[finding.certainty]})" if finding.certainty in _CERTAINTY else ""
        lines += [f"{finding.what}{sure}", f"  reader: {finding.reader}; {_files(finding)}"]
        lines += [f"  seen: {fact}" for fact in finding.facts]
        lines += [f"  {line}" for line in found.tried.get(number, ())]
        lines += [f"  doubt: {doubt}" for doubt in finding.doubts]
        lines.append("")
    shown = _once([f"  {finding.what} (reader {finding.reader})" for finding in found.others])
    lines += ["Could also be:", *shown, ""] if shown else []
    if found.left:
        lines += ["Not read:", *(f"  {path.name}: {why}" for path, why in list(found.left.items())[:20])]
        lines += [f"  and {len(found.left) - 20} files more"] if len(found.left) > 20 else []
        lines.append("")
    return "\n".join(lines)


def _files(finding: Finding) -> str:
    names = [path.name for path in finding.files.values()]
    return f"{len(names)} files: {', '.join(names[:4])}, ..." if len(names) > 4 else ", ".join(names)


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))
