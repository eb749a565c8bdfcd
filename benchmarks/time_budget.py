"""Time that each stage of the embedded tier took, from Snakemake's benchmark files, against its budget on this machine.

Usage: `python -m benchmarks.time_budget [--strict] [results]`. A budget is that of the reference machine times what this
machine takes for the short measurement that plans of runs are scaled by (`allometry.workflow.planning.speed`): a slow machine gets
more time, a fast one less. What is over budget is said, and with `--strict` ends with status 1; without, only missing benchmark
files do, since a machine shared with others can be slowed down for a while in ways that no calibration sees.
"""

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from allometry.workflow.planning import speed
from allometry.workflow.planning.cost_model import coefficients
from benchmarks import measure

# Seconds on 2 cores of the reference machine, after installation (docs/workflow.md).
BUDGET_S = {"retrieve": 30.0, "homogenize": 40.0, "simulate": 60.0, "scale": 60.0, "compare": 50.0, "report": 20.0}
TOTAL_S = 260.0  # that of the design
CORES = 2
# A job of these stages, or with a benchmark file of such an ending, takes all cores; the others run side by side.
ALL_CORES = {"simulate"}
ALONE = (".simulate.tsv", ".calibrate.tsv")
# The part of the measurement that a stage resembles; all others resemble the tables.
RESEMBLES = {"simulate": "network"}


def spent(results: Path, cores: int) -> dict[str, float]:
    """Seconds per stage: the sum over its jobs, divided by the cores where jobs run side by side."""
    times = {}
    for stage in BUDGET_S:
        times[stage] = 0.0
        for path in (results / "benchmarks" / stage).rglob("*.tsv"):
            with path.open(newline="") as file:
                seconds = sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
            times[stage] += seconds if stage in ALL_CORES or path.name.endswith(ALONE) else seconds / cores
    return times


def scaled(slowness: Mapping[str, float]) -> dict[str, float]:
    """Budget per stage and of them together on a machine that takes `slowness` times the reference's seconds."""
    budgets = {stage: seconds * slowness[RESEMBLES.get(stage, "tables")] for stage, seconds in BUDGET_S.items()}
    together = sum(budgets.values())
    return {**budgets, "together": TOTAL_S * together / sum(BUDGET_S.values())}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.time_budget", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--strict", action="store_true", help="end with status 1 when a scaled budget is exceeded")
    args = parser.parse_args(arguments)
    times = spent(args.results, min(CORES, os.cpu_count() or 1))
    if not any(times.values()):
        print(f"no benchmark files below {args.results / 'benchmarks'}: run the workflow first", file=sys.stderr)
        return 1
    with measure.Stopwatch() as watch:
        slowness = speed.slowness(coefficients().speed_s)
    times["together"] = sum(times.values())
    budgets = scaled(slowness)
    over = [stage for stage, seconds in times.items() if seconds > budgets[stage]]
    print(
        f"This machine takes {slowness['network']:.2f} times the reference's seconds for a simulation,"
        f" {slowness['tables']:.2f} times for the rest; others used {watch.others_share:.0%} of it meanwhile."
    )
    for stage, seconds in times.items():
        print(f"{stage:<11} {seconds:6.1f} s of {budgets[stage]:5.0f} s{'  over budget' if stage in over else ''}")
    return 1 if over and args.strict else 0


if __name__ == "__main__":
    sys.exit(main())
