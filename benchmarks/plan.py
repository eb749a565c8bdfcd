"""Measure the coefficients of the cost model of `allometry plan` on this machine, or what a plan was worth.

Usage: `python -m benchmarks.plan [FOLDER]` runs the workflow of `plan_calibration.yaml` in a new folder, from nothing, and writes
`allometry/workflow/planning/cost_coefficients.json`; it takes some seven minutes. A run that is there already is only read.
`python -m benchmarks.plan --check CONFIG FOLDER` runs another configuration in a new folder and prints its plan beside what was
measured.

Coefficients are processor time, which other processes on the machine change little, of simulations on one thread; of retrieval,
which waits for a network, wall time.
"""

import argparse
import csv
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from allometry import models, simulate
from allometry.simulate.build.estimate import (
    NS_PER_EVENT,
    NS_PER_LATTICE_SYNAPSE,
    NS_PER_NEURON_STEP,
    NS_PER_SYNAPSE_BUILT,
    US_PER_EXCHANGE,
)
from allometry.workflow.planning import plan, plan_text, speed
from allometry.workflow.planning.cost_model import COEFFICIENTS, OTHER, Coefficients, coefficients
from benchmarks import measure

ROOT = Path(__file__).resolve().parents[1]
CALIBRATION = Path(__file__).with_name("plan_calibration.yaml")
CORES = 2
#: Snakemake looks at a job twice a second for 15 s, then twice a minute, which misses most of what it took; here always twice a second.
SNAKEMAKE = """
import sys
from snakemake import benchmark, cli
benchmark.benchmarked.__wrapped__.__defaults__ = (None, None, 10**6)
sys.exit(cli.main())
"""
#: Time that every job of a stage, or of a kind, begins with, as a share of the shortest, for what a handful of jobs cannot tell
#: apart; it counts as a tenth of a job.
START, WEIGHT = 0.9, 0.1
#: What an amount of work takes by `benchmarks.breakdown` and the estimate of a run, s; it counts as much, for what the jobs hardly
#: depend on.
USUAL_S = {
    "simulate.synapse": 1e-9 * NS_PER_SYNAPSE_BUILT,
    "simulate.placed_synapse": 3e-8 * NS_PER_SYNAPSE_BUILT,
    "simulate.lattice_synapse": 1e-9 * NS_PER_LATTICE_SYNAPSE,
    "simulate.neuron_step": 1e-9 * NS_PER_NEURON_STEP,
    "simulate.event": 1e-9 * NS_PER_EVENT,
    "simulate.drawn_event": 5e-9 * NS_PER_EVENT,
    "simulate.spike": 5e-7,
}
#: Networks whose rates are measured, by the name of the model.
MEASURED: dict[str, dict[str, float]] = {
    "microcircuit": {"scale": 0.1},
    "brunel": {"scale": 0.2},
    "v1": {"reduction": 10.0},
    "spatial_balanced": {"lattice": 10},
}


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job did, and what it took: s of a processor, bytes of memory, bytes and files on disk."""

    seconds_of: Mapping[str, float]
    disk_of: Mapping[str, float]
    memory_of: str
    seconds: float
    memory: int
    disk: int
    files: int


def fit(
    jobs: Iterable[Mapping[str, float]], found: Sequence[float], weights: Sequence[float] | None = None
) -> dict[str, float]:
    """Non-negative coefficients whose sums come nearest to what was found, in relative terms.

    Parameters
    ----------
    jobs : iterable of mapping of str to float
        Amounts by name.
    found : sequence of float
        What was measured of each job, above 0.
    weights : sequence of float, optional
        How much each job counts; default 1.
    """
    rows = list(jobs)
    counts = np.ones(len(rows)) if weights is None else np.array(weights)
    names = sorted({name for row in rows for name in row})
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows], float)
    matrix *= (counts / np.array(found))[:, None]
    scale = np.maximum(matrix.max(axis=0), 1e-300)
    solved = nnls(matrix / scale, counts)[0]
    # what rounding leaves of nothing is nothing
    solved[solved < 1e-9] = 0.0
    # what was nowhere done has no coefficient
    return {name: float(f"{x:.3g}") for name, x, used in zip(names, solved / scale, matrix.any(axis=0)) if used}


def fit_all(jobs: Sequence[Job]) -> dict[str, dict[str, float]]:
    """Coefficients of seconds, bytes, files and memory."""
    rows = [dict(job.seconds_of) for job in jobs]
    found = [job.seconds for job in jobs]
    for name in sorted({name for row in rows for name in row}):
        if f"{name}.".partition(".")[2].startswith("start."):
            rows.append({name: 1.0})
            found.append(START * min(job.seconds for job in jobs if name in job.seconds_of))
        elif usual := USUAL_S.get(".".join(name.split(".")[:2])):
            rows.append({name: 1.0})
            found.append(usual)
    weights = [1.0] * len(jobs) + [WEIGHT] * (len(rows) - len(jobs))
    # what stands for a rule that the model does not know
    middle = statistics.median(job.seconds for job in jobs)
    memory = {"other.job": float(statistics.median(job.memory for job in jobs))}
    for job in jobs:
        if job.memory_of:
            memory[job.memory_of] = max(memory.get(job.memory_of, 0), job.memory)
    written = [job for job in jobs if job.disk and job.files]
    return {
        # no job of the calibration has partitions that exchange spikes
        "seconds": fit(rows, found, weights) | {"simulate.exchange": 1e-6 * US_PER_EXCHANGE[2], "other.job": middle},
        "bytes": fit([job.disk_of for job in written], [job.disk for job in written]) | {"raw.byte": 1, "raw.file": 0},
        "files": fit([job.disk_of for job in written], [job.files for job in written]) | {"raw.byte": 0, "raw.file": 1},
        "memory": dict(sorted(memory.items())),
    }


def done(folder: Path) -> list[Job]:
    """What the jobs of the latest run in a folder did and took."""
    found = []
    for job in plan.load(folder / plan.FILE).needed:
        took = plan.measured(folder / job.benchmark)
        assert took is not None, job.benchmark
        # a download waits for the network, not for a processor
        seconds = took[0] if job.stage == "retrieve" else processor_s(folder / job.benchmark)
        sizes = [size for output in job.outputs for size in plan_text.sizes(folder / output)]
        found.append(
            Job(job.work["seconds"], job.work["disk"], job.work["memory"], seconds, took[1], sum(sizes), len(sizes))
        )
    return found


def processor_s(path: Path) -> float:
    """Processor time in a benchmark file, with half of what the last look missed; the wall time of what ended before it."""
    with path.open(newline="") as stream:
        row = list(csv.DictReader(stream, delimiter="\t"))[-1]
    seconds, processor = float(row["s"]), float(row["cpu_time"])
    return processor + 0.25 * min(1.0, processor / seconds) if processor > 0 else seconds


def rates(folder: Path) -> dict[str, float]:
    """Spikes per second and neuron by population, of models that need no connectome."""
    found: dict[str, float] = {}
    for model, parameters in MEASURED.items():
        net = models.build(model, parameters)
        spikes = simulate.run(net, 1000.0, 1, folder / f"{model}.zarr")
        count = np.bincount(spikes["spike_unit"].values, minlength=net.size)
        for population in net.populations:
            first = net.offsets[population.name]
            found[f"{model}.{population.name}"] = round(float(count[first : first + population.size].mean()), 2)
    return found | {OTHER: 5.0}


def run(config: Path, folder: Path) -> float:
    """Run the workflow of a configuration in a folder; return the share of the machine that others used meanwhile."""
    command = [sys.executable, "-c", SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", str(CORES), "--configfile", str(config.resolve())]
    with measure.Stopwatch() as watch:
        subprocess.run(command, cwd=ROOT, check=True)
    return watch.others_share


def calibrate(folder: Path) -> Coefficients:
    """Run the calibration in a folder, if it has not run there, and return the coefficients that follow."""
    known = json.loads(COEFFICIENTS.read_text())
    others = float("nan")
    if not (folder / "results/report/index.html").is_file():
        # the amounts of work of a network follow from its rate
        known["rates_hz"] = rates(folder)
        COEFFICIENTS.write_text(json.dumps(known, indent=1) + "\n")
        others = run(CALIBRATION, folder)
    fitted = fit_all(done(folder))
    latest = plan.load(folder / plan.FILE)
    took = {job.benchmark: (plan.measured(folder / job.benchmark) or (0.0, 0))[0] for job in latest.jobs}
    explained = dataclasses.replace(
        latest, overhead_s=0.0, jobs=tuple(dataclasses.replace(job, seconds=took[job.benchmark]) for job in latest.jobs)
    ).wall_s
    end = max((folder / job.benchmark).stat().st_mtime for job in latest.needed)
    # what the jobs themselves do not explain, spread over them; without what others took of the cores meanwhile
    between = max(0.0, end - latest.started - explained) * CORES / len(latest.needed)
    single = [job.benchmark for job in latest.needed if job.stage != "retrieve"]
    crowded = max(1.0, sum(took[path] for path in single) / sum(processor_s(folder / path) for path in single))
    fitted["seconds"]["workflow.job"] = round(between / crowded, 3)
    here = [speed.measure() for _ in range(5)]
    return Coefficients(
        **fitted,
        rates_hz=known["rates_hz"],
        raw_bytes=_raw_bytes(folder, latest),
        # in the same company as the jobs, whose processor time grows a little with it too
        speed_s={name: round(statistics.median(found[name] for found in here), 4) for name in here[0]},
        measured={
            **measure.machine(),
            "date": time.strftime("%Y-%m-%d"),
            "others_share": None if np.isnan(others) else round(others, 3),
            "crowding": round(crowded, 2),
            "jobs": len(latest.needed),
            "command": "python -m benchmarks.plan",
        },
    )


def _raw_bytes(folder: Path, latest: plan.Plan) -> dict[str, float]:
    """Mean size of the raw files behind a store, by reader."""
    sizes: dict[str, list[int]] = {}
    jobs = latest.jobs
    for job in jobs:
        readers = [name for name in job.work["seconds"] if name.startswith("homogenize.")]
        before = [jobs[number] for number in job.after if jobs[number].stage == "retrieve"]
        if readers and before:
            size = sum(s for other in before for output in other.outputs for s in plan_text.sizes(folder / output))
            sizes.setdefault(readers[0].removeprefix("homogenize."), []).append(size)
    return {reader: round(sum(found) / len(found)) for reader, found in sorted(sizes.items())}


def described(found: Coefficients) -> str:
    """What was measured, for a person: the jobs, the machine, and what one amount of each kind of work takes."""
    measured = found.measured
    lines = [
        f"{COEFFICIENTS}: {len(found.seconds)} coefficients from {measured['jobs']} jobs on {measured['cpu']}; beside others the "
        f"jobs took {measured['crowding']:g} times their processor time"
    ]
    lines += [f"  {name:<45}{seconds:.3g} s" for name, seconds in sorted(found.seconds.items())]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.plan", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="new folder for the run (a temporary one)")
    parser.add_argument("--check", type=Path, metavar="CONFIG", help="run this configuration, and check its plan")
    args = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with tempfile.TemporaryDirectory(prefix="plan_") as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if args.check:
            others = run(args.check, folder)
            print(plan_text.check_text(plan_text.outcomes(folder / "results")))
            print(f"others used {others:.0%} of the machine meanwhile")
            return 0
        found = calibrate(folder)
        COEFFICIENTS.write_text(json.dumps(dataclasses.asdict(found), indent=1) + "\n")
        coefficients.cache_clear()
        print(described(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
