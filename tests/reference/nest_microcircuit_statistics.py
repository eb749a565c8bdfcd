"""Reference statistics of the microcircuit from NEST: rates, CV, synchrony and their distributions.

Run from the root of the checkout in NEST's own environment (envs/bench-nest.txt), one seed at a time; each finished
seed is added to the output file, which the tests and `benchmarks/microcircuit_reference.py` read:

    OMP_WAIT_POLICY=passive python -m tests.reference.nest_microcircuit_statistics --seeds 1 2 3 \
        --out tests/data/nest_microcircuit_reference.npz

Full scale takes 11 GiB, about 15 min per seed on two idle cores. `--scale 0.1 --duration-ms 5000` reproduces the
reference table of the downscaled network.
"""

import argparse
import time
from pathlib import Path

import nest
import numpy as np

from benchmarks import microcircuit_definition as d
from benchmarks.nest_microcircuit import DT_MS, build
from benchmarks.population_statistics import (
    CORRELATION_EDGES,
    CV_EDGES,
    RATE_EDGES_HZ,
    population_statistics,
)

CHUNK_MS = 100.0


def run(scale: float, seed: int, threads: int, presimulation_ms: float, duration_ms: float) -> dict[str, np.ndarray]:
    """Simulate one seed; its statistics with wall times."""
    started = time.time()
    populations, recorders = build(scale, seed, threads)
    build_s = time.time() - started
    print(f"seed {seed}: built in {build_s:.0f} s, {nest.GetKernelStatus('num_connections')} connections", flush=True)
    started = time.time()
    total_ms = presimulation_ms + duration_ms
    with nest.RunManager():
        for chunk in range(round(total_ms / CHUNK_MS)):
            nest.Run(CHUNK_MS)
            print(f"seed {seed}: {(chunk + 1) * CHUNK_MS:.0f} ms after {time.time() - started:.0f} s", flush=True)
    simulated_s = time.time() - started
    steps, units, offset, sizes = [], [], 0, np.array([len(p) for p in populations])
    for population, recorder in zip(populations, recorders):
        events = recorder.events
        # A spike of the step from k h to (k + 1) h carries the time (k + 1) h.
        steps.append(np.asarray(events["times"], np.int64) - 1 - round(presimulation_ms / DT_MS))
        units.append(np.asarray(events["senders"], np.int64) - population[0].global_id + offset)
        offset += len(population)
    step, unit = np.concatenate(steps), np.concatenate(units)
    seen = step >= 0
    statistics = population_statistics(step[seen], unit[seen], sizes, round(duration_ms / DT_MS), DT_MS, seed)
    return {**statistics, "build_s": np.array(build_s), "simulated_s": np.array(simulated_s), "seed": np.array(seed)}


def main() -> None:
    """Parse the command line; add each finished seed to the output file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--presimulation-ms", type=float, default=500.0)
    parser.add_argument("--duration-ms", type=float, default=10_000.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for seed in args.seeds:
        one = run(args.scale, seed, args.threads, args.presimulation_ms, args.duration_ms)
        for name, rate, cv, sync in zip(d.NAMES, one["rate"], one["cv"], one["sync"]):
            print(f"{name:5} {rate:7.3f} Hz  CV {cv:.3f}  sync {sync:7.3f}", flush=True)
        seeds = {name: value[None] for name, value in one.items()}
        if args.out.exists():
            with np.load(args.out, allow_pickle=False) as old:
                seeds = {name: np.concatenate([old[name], value]) for name, value in seeds.items()}
        constants = {
            "scale": np.array(args.scale),
            "presimulation_ms": np.array(args.presimulation_ms),
            "duration_ms": np.array(args.duration_ms),
            "nest": np.array(nest.__version__),
            "rate_edges_hz": RATE_EDGES_HZ,
            "cv_edges": CV_EDGES,
            "correlation_edges": CORRELATION_EDGES,
        }
        partial = args.out.with_suffix(".partial.npz")
        np.savez_compressed(partial, **seeds, **constants)
        partial.replace(args.out)


if __name__ == "__main__":
    main()
