"""Time that each stage of the embedded tier took, from Snakemake's benchmark files, against its budget.

Usage: `python -m benchmarks.time_budget [results]`; ends with status 1 when a budget is exceeded.
"""

import csv
import os
import sys
from pathlib import Path

# Seconds on 2 cores after installation (docs/workflow.md)
BUDGET_S = {"retrieve": 30.0, "homogenize": 40.0, "simulate": 60.0, "compare": 50.0, "report": 20.0}
TOTAL_S = 260.0  # that of the design; it leaves room for a stage of scaling studies
# A job of these stages takes all cores; jobs of the others run side by side.
ALL_CORES = {"simulate"}


def spent(results: Path, cores: int) -> dict[str, float]:
    """Seconds per stage: the sum over its jobs, divided by the cores where jobs run side by side."""
    times = {}
    for stage in BUDGET_S:
        total = 0.0
        for path in (results / "benchmarks" / stage).rglob("*.tsv"):
            with path.open(newline="") as file:
                total += sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
        times[stage] = total if stage in ALL_CORES else total / cores
    return times


def main() -> int:
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    times = spent(results, min(2, os.cpu_count() or 1))
    if not any(times.values()):
        print(f"no benchmark files below {results / 'benchmarks'}: run the workflow first", file=sys.stderr)
        return 1
    over = [stage for stage, seconds in times.items() if seconds > BUDGET_S[stage]]
    for stage, seconds in times.items():
        print(f"{stage:<11} {seconds:6.1f} s of {BUDGET_S[stage]:.0f} s{'  over budget' if stage in over else ''}")
    total = sum(times.values())
    print(f"{'together':<11} {total:6.1f} s of {TOTAL_S:.0f} s")
    return 1 if over or total > TOTAL_S else 0


if __name__ == "__main__":
    sys.exit(main())
