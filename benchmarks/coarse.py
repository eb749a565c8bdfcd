"""Coarse-grained V1 timed beside the network: ms per condition, how much less than a simulation as precise, when tables pay off.

    snakemake scale --cores 2 --configfile config/scaling.yaml      # tables and errors
    python -m benchmarks.coarse --scores results/scaled/v1_coarse.zarr --json OUT

A simulation is as precise when its own noise, by the variance between pieces of the reference, is as large as the error of the
coarse-grained model; a warm-up comes before it. With `--simulate-ms 0`, nothing is simulated and `--s-per-s` is taken as given.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path

import numpy as np
import xarray as xr

from allometry import stores
from allometry.scale.coarse.estimation import network, stimuli, table_of
from allometry.scale.coarse.fixed_point import solve, with_effective_indegrees
from allometry.scale.coarse.pixels import sheet_of, shown
from allometry.scale.coarse.responses import read_tables
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import compile_network

REPEATS = 5


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--tables", type=Path, help="default: `tables.zarr` in the folder named as the scores")
    parser.add_argument("--simulate-ms", type=float, default=1000.0)
    parser.add_argument("--s-per-s", type=float, default=0.85, help="wall s per biological s of the driven network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    tree = stores.open(args.scores)
    assert isinstance(tree, xr.DataTree)
    settings = stores.attribute(tree, "parameters")
    errors = tree["curves/errors"].to_dataset()
    tables = read_tables(args.tables or args.scores.with_suffix("") / "tables.zarr")["drawn"]
    part, seed = settings["evaluation"], int(errors["seed"].values[0])
    found: dict[str, float] = {}

    started = time.perf_counter()
    nets = {name: network(settings["reduction"], seed, one) for name, one in stimuli(part["orientations_deg"]).items()}
    sheet = sheet_of(next(iter(nets.values())), settings["pixel_um"], seed)
    found["draw_s"] = time.perf_counter() - started
    kinds = {name: table_of(float(net.parameters["contrast"])) for name, net in nets.items()}
    given = {name: shown(sheet, net.inputs) for name, net in nets.items()}
    started = time.perf_counter()
    sheets = {
        kind: with_effective_indegrees(sheet, {n: given[n] for n in nets if kinds[n] == kind}, tables[kind])
        for kind in dict.fromkeys(kinds.values())
    }
    found["prepare_s"] = time.perf_counter() - started

    wall, used = [], []
    for _ in range(REPEATS):
        for name, kind in kinds.items():
            before = time.perf_counter(), time.process_time()
            solve(sheets[kind], given[name], tables[kind])
            wall.append(time.perf_counter() - before[0])
            used.append(time.process_time() - before[1])
    found["ms_per_condition"] = 1e3 * float(np.median(wall))
    found["cpu_ms_per_condition"] = 1e3 * float(np.median(used))

    found["s_per_s"] = args.s_per_s
    if args.simulate_ms:
        found["s_per_s"] = _simulated(settings["reduction"], seed, args.simulate_ms, args.threads)
    driven = [str(name) for name in errors["condition"].values if kinds[str(name)] == "driven"]
    # as precise in both populations: the one that takes longer
    found["as_precise_s"] = float(errors["equivalent_s"].sel(condition=driven).mean(("seed", "condition")).max())
    length = found["as_precise_s"] + part["skip_ms"] / 1e3
    found["simulation_s"] = length * found["s_per_s"]
    found["times_faster"] = 1e3 * found["simulation_s"] / found["ms_per_condition"]
    found["times_less_cpu"] = 1e3 * found["simulation_s"] * args.threads / found["cpu_ms_per_condition"]
    train = settings["training"]
    count = len(train["seeds"]) * (len(train["orientations_deg"]) + 1)
    found["training_s"] = count * (train["duration_ms"] + train["skip_ms"]) / 1e3 * found["s_per_s"]
    found["pays_off_after"] = found["training_s"] / (found["simulation_s"] - found["ms_per_condition"] / 1e3)
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"drawing the connections {found['draw_s']:.1f} s, effective in-degrees {found['prepare_s']:.2f} s, per network"
    )
    print(f"{found['ms_per_condition']:.1f} ms per condition ({found['cpu_ms_per_condition']:.1f} ms of CPU)")
    print(
        f"as precise under gratings: {found['as_precise_s']:.2f} s and the warm-up, {found['simulation_s']:.2f} s at "
        f"{found['s_per_s']:.2f} s per biological s: {found['times_faster']:.0f} times faster, {found['times_less_cpu']:.0f} times less CPU"
    )
    print(
        f"simulations for the tables {found['training_s']:.0f} s: paid off after {found['pays_off_after']:.0f} conditions"
    )
    print(f"{found['rss_mb']:.0f} MB, {args.threads} threads, load {os.getloadavg()[0]:.1f}")
    if args.json:
        args.json.write_text(json.dumps({**found, "threads": args.threads, "load": os.getloadavg()[0]}, indent=1))


def _simulated(reduction: float, seed: int, duration_ms: float, threads: int) -> float:
    """Wall s per biological s of the driven network, after its warm-up."""
    net = network(reduction, seed, {"contrast": 1.0})
    steps = round(duration_ms / net.dt_ms)
    with Partition(compile_network(net, seed, "fast"), 0, 1, threads) as partition:
        partition.build()
        partition.window(1000)
        started = time.perf_counter()
        partition.window(1000 + steps)
        return (time.perf_counter() - started) / duration_ms * 1e3


if __name__ == "__main__":
    main()
