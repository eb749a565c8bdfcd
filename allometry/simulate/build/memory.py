"""How much memory a process may still take: what the machine has free, within the limits of the process's control groups."""

from pathlib import Path

import psutil

_FILES = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}


def free_memory(system: Path = Path("/")) -> int:
    """Return free bytes; a batch job's limit counts, less what the job already uses (cached files do not)."""
    free = int(psutil.virtual_memory().available)
    for folder, (limit, usage) in _groups(system):
        try:
            most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
        except (OSError, ValueError):  # no such group, or `max`
            continue
        free = min(free, max(0, most - used + _cached(folder)))
    return free


def _groups(system: Path) -> list[tuple[Path, tuple[str, str]]]:
    """Folders of the groups this process is in and of all that hold them, version 1 and 2; the outermost always."""
    found = []
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in [*lines, "0::/", "0:memory:/"]:
        _, controllers, path = line.split(":", 2)
        name = "memory" if "memory" in controllers.split(",") else ""
        if controllers and not name:
            continue
        base = system / "sys/fs/cgroup" / name
        inner = base / path.lstrip("/")
        folders = [inner, *(p for p in inner.parents if p == base or base in p.parents)]
        found += [(folder, _FILES[name]) for folder in folders]
    return found


def _cached(folder: Path) -> int:
    try:
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
