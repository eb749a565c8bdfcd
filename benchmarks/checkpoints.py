"""What checkpoints cost: the same run with them and without, in turn.

    python -m benchmarks.checkpoints --scale 0.5 --duration-ms 60000 --threads 2 --checkpoint 30 --json OUT

The microcircuit, each run in a process of its own, `--repeats` times in alternating order. Checkpoints by themselves (`auto`)
begin in runs of more than five minutes, and are never closer to each other than 30 s: `--checkpoint 30` is as many as there can
be. The share is what the manifest says of the time of the step loop that went into checkpoints; the ratios are those of wall and
processor time of whole processes, which also hold what the collector does for them. The stores are compared byte for byte.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from allometry import stores
from benchmarks import measure

_RUN = """
import sys
from allometry import models, simulate
scale, duration_ms, threads, checkpoint, store = sys.argv[1:]
execution = simulate.Execution(
    threads=int(threads), progress=False, checkpoint=float(checkpoint) if checkpoint[0].isdigit() else checkpoint
)
simulate.run(models.microcircuit(scale=float(scale)), float(duration_ms), 1, store, execution=execution)
"""


def one(args: argparse.Namespace, checkpoint: str, store: Path) -> dict[str, Any]:
    """Run once, and say what it took."""
    values = [args.scale, args.duration_ms, args.threads, checkpoint, store]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", _RUN, *map(str, values)], check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    manifest = stores.read_manifest(store)
    told = manifest["provenance"]["simulation"]
    return {
        "wall_s": wall,
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "sim_s": told["sim_s"],
        "checkpoints": told["checkpoints"],
        "checkpoint_s": told["checkpoint_s"],
        "content": manifest["content"]["content_sha256"],
    }


def summary(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, float]:
    """Medians over pairs of runs without and with checkpoints.

    Returns
    -------
    Checkpoints of a run, seconds of one, share of the step loop, and ratios of wall and processor time.
    """
    having = [pair[1] for pair in pairs]
    return {
        "checkpoints": statistics.median(run["checkpoints"] for run in having),
        "each_s": statistics.median(run["checkpoint_s"] / max(1, run["checkpoints"]) for run in having),
        "share": statistics.median(run["checkpoint_s"] / run["sim_s"] for run in having),
        "wall": statistics.median(b["wall_s"] / a["wall_s"] for a, b in pairs),
        "processor": statistics.median(b["processor_s"] / a["processor_s"] for a, b in pairs),
    }


def main() -> None:
    """Measure and print one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.5)
    parser.add_argument("--duration-ms", type=float, default=60_000.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--checkpoint", default="30", help='seconds, or "auto" (30)')
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(args.repeats):
            order = ("off", args.checkpoint) if repeat % 2 == 0 else (args.checkpoint, "off")
            found = {name: one(args, name, Path(folder) / f"{repeat}-{name}.zarr") for name in order}
            pairs.append((found["off"], found[args.checkpoint]))
            print(json.dumps(found), flush=True)
    assert len({run["content"] for pair in pairs for run in pair}) == 1, "checkpoints change the store"
    out = {
        "machine": measure.machine(),
        **{key: value for key, value in vars(args).items() if key != "json"},
        "runs": pairs,
        **summary(pairs),
    }
    print(json.dumps(summary(pairs)))
    if args.json:
        args.json.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
