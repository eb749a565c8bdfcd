"""Side-by-side timing of a measure and its peers: the same data, each program in a process of its own, interleaved."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.measure import Stopwatch, machine, peak_rss_gib

# Whose versions are kept with a result
PACKAGES = ("allometry", "elephant", "numpy", "rsatoolbox", "scipy", "tensorly")
Sizes = dict[str, int]
Program = Callable[[Path, Sizes], np.ndarray]


@dataclass(frozen=True)
class Case:
    """A benchmark: sizes (full and quick), how to make the data, and the programs, ours first.

    A program reads the data of a folder and returns an array; results of all programs are compared with the first's
    wherever `comparable` names them. Imports belong to the program's set-up (`warm`), which is not timed.
    """

    name: str
    module: str
    sizes: Sizes
    quick: Sizes
    prepare: Callable[[Path, Sizes], None]
    programs: dict[str, Program]
    warm: dict[str, Callable[[], object]]
    comparable: tuple[str, ...] = ()
    skip_above: dict[str, tuple[str, int]] | None = None


def main(case: Case, argv: list[str] | None = None) -> dict[str, object]:
    """Command line of one benchmark: all programs, or (for the children) one."""
    parser = argparse.ArgumentParser(prog=f"python -m {case.module}")
    parser.add_argument("--json", type=Path, help="file to write the result to (also printed)")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--rounds", type=int, default=1, help="times every program is run; the fastest counts")
    parser.add_argument("--programs", nargs="*", default=list(case.programs), choices=list(case.programs))
    parser.add_argument("--folder", type=Path, help="where the data are made and kept (default: a temporary folder)")
    parser.add_argument("--child", choices=list(case.programs), help=argparse.SUPPRESS)
    for name, value in case.sizes.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"default {value}")
    args = parser.parse_args(argv)
    sizes = {
        k: v if getattr(args, k) is None else getattr(args, k)
        for k, v in (case.quick if args.quick else case.sizes).items()
    }
    if args.child:
        return _child(case, args.child, args.folder, sizes)
    if args.folder:
        return _parent(case, args, args.folder, sizes)
    with tempfile.TemporaryDirectory() as folder:
        return _parent(case, args, Path(folder), sizes)


def _child(case: Case, program: str, folder: Path, sizes: Sizes) -> dict[str, object]:
    case.warm[program]()
    before, cpu = peak_rss_gib(), time.process_time()
    with Stopwatch() as watch:
        result = case.programs[program](folder, sizes)
    cpu = time.process_time() - cpu
    np.save(folder / f"{program}.npy", np.asarray(result))
    row: dict[str, object] = {
        "wall_s": round(watch.wall_s, 3),
        "cpu_s": round(cpu, 3),  # of all threads: what a busy machine does not change
        "others_share": round(watch.others_share, 4),
        "peak_rss_gib": round(peak_rss_gib(), 3),
        "rss_before_gib": round(before, 3),
    }
    print(json.dumps(row))
    return row


def _parent(case: Case, args: argparse.Namespace, folder: Path, sizes: Sizes) -> dict[str, object]:
    folder.mkdir(parents=True, exist_ok=True)
    case.prepare(folder, sizes)
    limits = case.skip_above or {}
    chosen = [p for p in args.programs if p not in limits or sizes[limits[p][0]] <= limits[p][1]]
    rows: dict[str, list[dict[str, object]]] = {p: [] for p in chosen}
    for _ in range(args.rounds):
        for program in chosen:
            flags = [f"--{k.replace('_', '-')}={v}" for k, v in sizes.items()]
            command = [sys.executable, "-m", case.module, "--child", program, "--folder", str(folder), *flags]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows[program].append(json.loads(done.stdout.splitlines()[-1]))
    result: dict[str, object] = {
        "benchmark": case.name,
        "sizes": sizes,
        "programs": {p: min(r, key=lambda x: float(str(x["wall_s"]))) for p, r in rows.items()},
        "largest_difference": _differences(case, folder, chosen),
        "machine": machine(),
        "versions": {name: version(name) for name in PACKAGES},
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(text + "\n")
    return result


def _differences(case: Case, folder: Path, chosen: list[str]) -> dict[str, float]:
    ours = next(iter(case.programs))
    out = {}
    for program in chosen:
        if program != ours and ours in chosen and program in case.comparable:
            a, b = np.load(folder / f"{ours}.npy"), np.load(folder / f"{program}.npy")
            out[program] = float(np.nanmax(np.abs(a - b)))
    return out
