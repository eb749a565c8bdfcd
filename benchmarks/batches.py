"""What one more condition costs in a batch, against separate runs of it.

    python -m benchmarks.batches --scale 0.05 --conditions 10 --duration-ms 200 --threads 2 --json OUT

The same conditions (seeds of the drive) of the microcircuit, three ways, in turn: one `simulate.run_batch`; one
`simulate.run` each in one process; one `simulate.run` each in a process of its own, as jobs of a workflow are. The median
over `--repeats` of the wall time is taken; the cost of one more condition is the slope between one condition and all of
them. The stores of the three are compared byte for byte.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from allometry import models, simulate, stores
from allometry.network import Condition
from benchmarks import measure

_ALONE = """
import sys
from allometry import models, simulate
from allometry.network import Condition
scale, duration_ms, threads, seed, store = sys.argv[1:]
simulate.run(
    models.microcircuit(scale=float(scale)), float(duration_ms), 1, store, condition=Condition("c" + seed, seed=int(seed)),
    execution=simulate.Execution(threads=int(threads), progress=False),
)
"""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--duration-ms", type=float, default=200.0)
    parser.add_argument("--conditions", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    net = models.microcircuit(scale=args.scale)
    execution = simulate.Execution(threads=args.threads, progress=False)
    conditions = [Condition(f"c{seed}", seed=seed) for seed in range(1, args.conditions + 1)]

    def batch(count: int, folder: Path) -> None:
        simulate.run_batch(net, conditions[:count], args.duration_ms, 1, folder, execution=execution)

    def one_process(count: int, folder: Path) -> None:
        for c in conditions[:count]:
            place = folder / f"{c.name}.zarr"
            simulate.run(net, args.duration_ms, 1, place, condition=c, execution=execution)

    def processes(count: int, folder: Path) -> None:
        for c in conditions[:count]:
            values = [args.scale, args.duration_ms, args.threads, c.seed, folder / f"{c.name}.zarr"]
            command = [sys.executable, "-c", _ALONE, *map(str, values)]
            subprocess.run(command, check=True, capture_output=True)

    ways: dict[str, Callable[[int, Path], None]] = {
        "batch": batch,
        "runs in one process": one_process,
        "runs in processes of their own": processes,
    }
    wall: dict[str, dict[int, list[float]]] = {name: {1: [], args.conditions: []} for name in ways}
    contents: dict[str, set[str]] = {c.name: set() for c in conditions}
    with tempfile.TemporaryDirectory() as folder:
        batch(1, Path(folder) / "warm")
        for repeat in range(args.repeats):
            for count in (1, args.conditions):
                for name, way in ways.items():
                    place = Path(folder) / f"{repeat}-{count}-{name.replace(' ', '-')}"
                    place.mkdir()
                    started = time.perf_counter()
                    way(count, place)
                    wall[name][count].append(time.perf_counter() - started)
                    for c in conditions[:count]:
                        manifest = stores.read_manifest(place / f"{c.name}.zarr")
                        contents[c.name].add(manifest["content"]["content_sha256"])
    assert all(len(found) == 1 for found in contents.values()), "a condition's store is not that of its run alone"
    rows = {}
    for name, times in wall.items():
        one, many = (statistics.median(times[count]) for count in (1, args.conditions))
        rows[name] = {"first_s": one, "all_s": many, "further_s": (many - one) / (args.conditions - 1)}
        print(f"{name}: first {one:.2f} s, all {many:.2f} s, each further one {rows[name]['further_s']:.3f} s")
    out = {
        "machine": measure.machine(),
        **{key: value for key, value in vars(args).items() if key != "json"},
        "rows": rows,
        "ratio": {name: row["all_s"] / rows["batch"]["all_s"] for name, row in rows.items()},
    }
    print(f"all of them, over the batch: {json.dumps(out['ratio'])}")
    if args.json:
        args.json.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
