"""Macaque V1 layer 4C-alpha at full density: seconds per biological second, memory, and rates.

    python -m benchmarks.v1 --duration-ms 2000 --threads 2

Background and a grating of full contrast, in turn on one connectivity; the wall time of the simulation alone, build apart.
Another process compiles the kernels first, once per installation, so that the memory is that of a simulation.
"""

import argparse
import json
import multiprocessing
import os
import resource
import time
from pathlib import Path

import numpy as np

from allometry import models
from allometry.models.v1 import wiring_of
from allometry.models.v1_stimulus import grating, layer6_drive
from allometry.network import Condition
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import compile_network


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration-ms", type=float, default=2000.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reduction", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    net, wiring = models.v1(reduction=args.reduction), wiring_of(1)
    dark = {"grating": grating(wiring, 0.0, 0.0, 2.5, 4.0), "layer 6": layer6_drive(wiring, 0.0, 0.5)}
    steps = round(args.duration_ms / net.dt_ms)
    found = []
    compiling = multiprocessing.get_context("spawn").Process(target=_compile, args=(args.reduction, args.threads))
    compiling.start()
    compiling.join()
    started = time.perf_counter()
    with Partition(compile_network(net, 1, "fast"), 0, 1, args.threads) as partition:
        partition.build()
        build_s = time.perf_counter() - started
        for condition in (Condition("driven"), Condition("background", replaced=dark)):
            if found:
                partition.begin(compile_network(condition.applied(net), 1, "fast"), np.empty(0, np.int64))
            partition.window(1000)
            started = time.perf_counter()
            units = partition.window(1000 + steps).spikes & 0xFFFFFFFF
            wall_s = time.perf_counter() - started
            rates = {
                p.name: float(np.mean(_counts(units, net, p.name))) / args.duration_ms * 1e3 for p in net.populations
            }
            found.append({"condition": condition.name, "s_per_s": wall_s / args.duration_ms * 1e3, "rates_hz": rates})
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for row in found:
        rates = ", ".join(f"{name} {value:.2f}" for name, value in row["rates_hz"].items())  # type: ignore[attr-defined]
        print(f"{row['condition']:>10}: {row['s_per_s']:.2f} s per biological s; {rates} spikes/s")
    print(f"build {build_s:.1f} s, {rss:.0f} MB, {args.threads} threads, load {os.getloadavg()[0]:.1f}")
    if args.json:
        args.json.write_text(json.dumps({"build_s": build_s, "rss_mb": rss, "threads": args.threads, "runs": found}))


def _compile(reduction: float, threads: int) -> None:
    with Partition(compile_network(models.v1(reduction=reduction), 1, "fast"), 0, 1, threads) as partition:
        partition.build()
        partition.window(10)


def _counts(units: np.ndarray, net: object, name: str) -> np.ndarray:
    first, size = net.offsets[name], net.population(name).size  # type: ignore[attr-defined]
    return np.bincount(units[(units >= first) & (units < first + size)] - first, minlength=size)


if __name__ == "__main__":
    main()
