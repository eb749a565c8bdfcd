"""The microcircuit by the protocol of its community, as a row of the table of the model's implementations.

    python -m benchmarks.race                                     # ten seeds of 15 min beside the reference, ten timed runs of 10 s
    python -m benchmarks.race --seeds 1 2 3 --seconds 10          # beside the stored runs of NEST, which are as long
    python -m benchmarks.race --quick                             # the same code on a tenth of the network, for nobody to quote

Protocol (Senk et al. 2026, Neuromorph Comput Eng 6:012001, checklist): optimised initial conditions, Poisson input, .5 s discarded;
accuracy from 15 min and performance from at least 10 s of ten seeds; spikes are recorded for accuracy, and not for performance.
Accuracy is the Kolmogorov-Smirnov distance of the distributions of rate and CV over neurons and of correlation over pairs, held
against those between seeds of the reference. The reference is NEST, stored or run where its environment is given, of the same
length; else our own `exact` precision (float64, the state of NEST) with other seeds, which the row says. Energy is not measured.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allometry import models, simulate, stores
from benchmarks import measure
from benchmarks.microcircuit_reference import DATA, MEASURES, distances, limit, load, statistics

WARM_UP_MS = 500.0
LEAST_TIMED_S = 10.0
SEEDS, SECONDS, TIMED_S = tuple(range(1, 11)), 900.0, 10.0
QUICK = {"scale": 0.1, "seeds": (1, 2), "seconds": 2.0, "timed_seconds": 2.0}
#: Seeds of the reference, where it is our own, are those of the candidate and this.
OTHER_SEEDS = 1000
STORED = {1.0: DATA / "nest_microcircuit_reference.npz", 0.1: DATA / "nest_microcircuit_tenth.npz"}
QUIET = 0.05
COLUMNS = (
    "Study", "Real-time factor", "Energy per synaptic event (µJ)", "Simulator", "#Nodes", "System", "Process node (nm)",
    "External drive",
)  # fmt: skip


def reference_of(scale: float, seconds: float) -> str:
    """Which reference there is for runs of a scale and length: `stored`, `nest` or `exact`."""
    if scale in STORED and float(load(STORED[scale])["duration_ms"]) == 1e3 * seconds:
        return "stored"
    return "nest" if os.environ.get("ALLOMETRY_NEST_PYTHON") else "exact"


def observed(scale: float, seed: int, seconds: float, precision: str, threads: int) -> dict[str, NDArray]:
    """Statistics of one recorded run of ours after the warm-up."""
    with tempfile.TemporaryDirectory(prefix="race_") as folder:
        spikes = simulate.run(
            models.microcircuit(scale),
            WARM_UP_MS + 1e3 * seconds,
            seed,
            Path(folder) / "spikes.zarr",
            precision=precision,
            execution=simulate.Execution(threads=threads, checkpoint="off"),
        )
        return statistics(spikes, WARM_UP_MS, seed)


def timed(scale: float, seed: int, seconds: float, threads: int) -> dict[str, Any]:
    """Real-time factor of one run that records no spikes, the warm-up with it, and what others took of the machine."""
    duration_ms = WARM_UP_MS + 1e3 * seconds
    with tempfile.TemporaryDirectory(prefix="race_") as folder:
        path = Path(folder) / "spikes.zarr"
        with measure.Stopwatch() as watch:
            simulate.run(
                models.microcircuit(scale),
                duration_ms,
                seed,
                path,
                record=simulate.Record(spikes=False),
                execution=simulate.Execution(threads=threads, checkpoint="off"),
            )
        took = stores.read_manifest(path)["provenance"]["simulation"]
    return {
        "seed": seed,
        "rtf": took["sim_s"] / (1e-3 * duration_ms),
        "build_s": took["build_s"],
        "synaptic_events": took["synaptic_events"],
        "others_share": watch.others_share,
    }


def reference_runs(
    how: str, scale: float, seeds: Sequence[int], seconds: float, threads: int
) -> tuple[dict[str, NDArray], str]:
    """Histograms of the reference, first dimension seed, and what it is in words."""
    if how == "stored":
        found = load(STORED[scale])
        return found, f"NEST {found['nest']}, stored, {len(found['seed'])} seeds"
    if how == "nest":
        with tempfile.TemporaryDirectory(prefix="race_") as folder:
            out = Path(folder) / "nest.npz"
            command = [os.environ["ALLOMETRY_NEST_PYTHON"], "-m", "tests.reference.nest_microcircuit_statistics"]
            command += ["--scale", str(scale), "--seeds", *map(str, seeds), "--threads", str(threads)]
            command += ["--duration-ms", str(1e3 * seconds), "--out", str(out)]
            root = DATA.parents[1]
            subprocess.run(command, check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
            found = load(out)
        return found, f"NEST {found['nest']}, {len(seeds)} seeds"
    runs = [observed(scale, seed + OTHER_SEEDS, seconds, "exact", threads) for seed in seeds]
    return {name: np.array([one[name] for one in runs]) for name in runs[0]}, (
        f"our own exact precision, {len(seeds)} other seeds: NEST of this length is not at hand"
    )


def accuracy(ours: list[dict[str, NDArray]], reference: dict[str, NDArray]) -> dict[str, dict[str, float | None]]:
    """Mean KS distance by measure: of ours to the reference, between seeds of the reference, and the limit (mean + 2 SD of these)."""
    found: dict[str, dict[str, float | None]] = {}
    for name in MEASURES:
        pairs = distances(ours, reference, name)
        within = pairs["NEST-NEST"]
        found[name] = {
            "to the reference": float(np.nanmean(pairs["ours-NEST"])),
            "between its seeds": float(np.nanmean(within)) if len(within) else None,
            "limit": limit(within) if len(within) > 1 else None,
        }
    return found


def row(rtf: Sequence[float], scale: float, machine: dict[str, Any], threads: int, version: str) -> str:
    """The row of the table, with its head."""
    spread = f" ± {np.std(rtf, ddof=1):.3f}" if len(rtf) > 1 else ""
    cells = [
        "this run" if scale == 1 else f"this run, at scale {scale:g} of the model: NOT the benchmark",
        f"{np.mean(rtf):.3f}{spread}",
        "n/a",
        f"Allometry {version}",
        "1",
        f"{machine['cpu']}, {threads} threads of {machine['cpus']} CPUs",
        "n/a",
        "Poisson",
    ]
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|", "| " + " | ".join(cells) + " |"]
    return "\n".join(lines)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Arguments, complete; less than 10 s timed are refused unless it is quick."""
    parser = argparse.ArgumentParser(prog="benchmarks.race", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", help="realisations (1 to 10)")
    parser.add_argument("--seconds", type=float, help="biological time of each for accuracy (900)")
    parser.add_argument("--timed-seconds", type=float, help="and for performance, at least 10 (10)")
    parser.add_argument("--scale", type=float, help="of the model; the benchmark is 1")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--reference", choices=("auto", "stored", "nest", "exact"), default="auto")
    parser.add_argument("--quick", action="store_true", help="a tenth of the network, two seeds, 2 s")
    parser.add_argument("--json", type=Path, help="file to write everything to")
    args = parser.parse_args(arguments)
    usual = QUICK if args.quick else {"scale": 1.0, "seeds": SEEDS, "seconds": SECONDS, "timed_seconds": TIMED_S}
    for name, value in usual.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if not args.quick and args.timed_seconds < LEAST_TIMED_S:
        parser.error(f"--timed-seconds {args.timed_seconds:g}: the protocol asks for at least {LEAST_TIMED_S:g}")
    if args.reference == "auto":
        args.reference = reference_of(args.scale, args.seconds)
    if args.reference == "stored" and reference_of(args.scale, args.seconds) != "stored":
        parser.error("--reference stored: stored are runs of 10 s at scales 1 and 0.1")
    return args


def main(arguments: Sequence[str] | None = None) -> None:
    """Time, compare, print the row."""
    from allometry import __version__

    args = parsed(arguments)
    runs = [timed(args.scale, seed, args.timed_seconds, args.threads) for seed in args.seeds]
    ours = [observed(args.scale, seed, args.seconds, "fast", args.threads) for seed in args.seeds]
    reference, said = reference_runs(args.reference, args.scale, args.seeds, args.seconds, args.threads)
    found = accuracy(ours, reference)
    rtf, others = [one["rtf"] for one in runs], max(one["others_share"] for one in runs)
    print(row(rtf, args.scale, measure.machine(), args.threads, __version__))
    print(
        f"\nPerformance: {len(runs)} seeds of {args.timed_seconds:g} s and {WARM_UP_MS / 1e3:g} s of warm-up, no spikes recorded"
    )
    print(
        f"others used up to {others:.0%} of the machine" + ("; UNDER LOAD: not to be quoted" if others > QUIET else "")
    )
    print(f"Accuracy: {len(ours)} seeds of {args.seconds:g} s; reference: {said}")
    for name, one in found.items():
        print(f"  KS of {name}: " + ", ".join(f"{key} {value:.4f}" for key, value in one.items() if value is not None))
    if args.quick:
        print("QUICK: nothing of this is a result")
    if args.json:
        result = {
            "protocol": {
                name: getattr(args, name) for name in ("seeds", "seconds", "timed_seconds", "scale", "threads")
            },
            "runs": runs,
            "reference": said,
            "ks": found,
            "machine": measure.machine(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S"),
        }
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
