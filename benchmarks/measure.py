"""What every timed run reports, for us and for peers alike (standard library only: peers import it too)."""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _busy_seconds() -> float:
    """CPU seconds used by anybody since boot: all of the first line of /proc/stat except idle and iowait."""
    fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def _tree_seconds(root: int) -> float:
    """CPU seconds of a process, its living descendants, and those of their children that have ended."""
    parent, used = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parent[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = sum(int(x) for x in fields[11:15]) / TICKS
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0.0)
        waiting += [child for child, p in parent.items() if p == pid]
    return total


class Stopwatch:
    """Wall time of a `with` block, and the CPU time that other processes took meanwhile.

    Attributes
    ----------
    wall_s : float
    others_share : float
        CPU time of processes outside our own process tree, as a share of wall time times number of CPUs.
    cpu_s : float
        CPU time of our own process tree: what others take changes it little.
    """

    wall_s = float("nan")
    cpu_s = float("nan")
    others_share = float("nan")

    def __enter__(self) -> "Stopwatch":
        self._start = (time.perf_counter(), _busy_seconds(), _tree_seconds(os.getpid()))
        return self

    def __exit__(self, *_: object) -> None:
        wall, busy, own = self._start
        self.wall_s = time.perf_counter() - wall
        self.cpu_s = _tree_seconds(os.getpid()) - own
        others = (_busy_seconds() - busy) - self.cpu_s
        self.others_share = max(0.0, others) / (self.wall_s * (os.cpu_count() or 1))


def largest_child_gib() -> float:
    """Peak resident memory so far of the largest living child of this process."""
    largest = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = dict(x.split(":", 1) for x in (entry / "status").read_text().splitlines() if ":" in x)
            except OSError:
                continue
            if int(status["PPid"]) == os.getpid() and "VmHWM" in status:
                largest = max(largest, int(status["VmHWM"].split()[0]) / 2**20)
    return largest


def peak_rss_gib() -> float:
    """Peak resident memory of this process; `ru_maxrss` would begin with that of the process it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split(None, 1)[0]) / 2**20


def machine() -> dict[str, object]:
    """CPU model, number of CPUs and memory of the machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"cpu": model or platform.machine(), "cpus": os.cpu_count(), "memory_gib": round(memory, 1)}


def arguments(description: str | None, **defaults: float) -> argparse.ArgumentParser:
    """Command line shared by all timed runs."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=defaults.get("scale", 0.1))
    parser.add_argument("--threads", type=int, default=int(defaults.get("threads", os.cpu_count() or 1)))
    parser.add_argument("--duration-ms", type=float, default=defaults.get("duration_ms", 1000.0))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file to write the result to (also printed)")
    return parser


def report(
    *,
    program: str,
    network: str,
    args: argparse.Namespace,
    build: Stopwatch,
    sim_s: float,
    others_share: float,
    rss_gib: float,
    spikes: dict[str, int],
    sizes: dict[str, int],
    synaptic_events: int,
    compile_s: float = 0.0,
    **more: object,
) -> dict[str, object]:
    """Assemble the result of one run, print it as JSON and write it to `--json`."""
    seconds = args.duration_ms / 1000
    result: dict[str, object] = {
        "program": program,
        "network": network,
        "scale": args.scale,
        "threads": args.threads,
        "partitions": getattr(args, "partitions", 1),
        "duration_ms": args.duration_ms,
        "seed": args.seed,
        "compile_s": round(compile_s, 3),
        "build_s": round(build.wall_s, 3),
        "sim_s": round(sim_s, 4),
        "rtf": round(sim_s / seconds, 4),
        "peak_rss_gib": round(rss_gib, 3),
        "spikes": int(sum(spikes.values())),
        "synaptic_events": int(synaptic_events),
        "events_per_s": round(synaptic_events / sim_s),
        "rates": {name: round(count / sizes[name] / seconds, 4) for name, count in spikes.items()},
        "others_share": round(others_share, 4),
        "machine": machine(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S"),
        **more,
    }
    text = json.dumps(result, indent=1)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        partial = args.json.with_suffix(".partial")
        partial.write_text(text + "\n")
        partial.replace(args.json)
    sys.stdout.write(text + "\n")
    return result
