"""What a run of the workflow will take, said before it starts and kept beside the results, so that it can be checked afterwards."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allometry import files, processes
from allometry.config import Config
from allometry.errors import AllometryError
from allometry.workflow.checks.names import Registry
from allometry.workflow.planning.cost_model import Coefficients
from allometry.workflow.planning.job_work import Jobs
from allometry.workflow.planning.schedule import Step, intervals, peak
from allometry.workflow.planning.watched import Machine, Watched

FILE = Path("results/plan.json")
STAGES = ("retrieve", "homogenize", "simulate", "scale", "compare", "report")
#: Their rules run where Snakemake itself does.
LOCAL = ("retrieve", "report")
_BENCHMARKS = "results/benchmarks/"


@dataclass(frozen=True)
class Planned:
    """A job.

    Parameters
    ----------
    rule, stage : str
    benchmark : str
        Path of the file in which its time and memory will be.
    outputs : tuple of str
        Paths of what it makes.
    needed : bool
        Whether it would run now.
    cores : int
    seconds, reference_s : float
        Wall time here, and by the cost model on its machine.
    memory, disk, files : int
        Peak memory in bytes, bytes written, files written.
    known : bool
        Whether the seconds rest on a measurement of such jobs.
    earlier : bool
        Whether they rest on an earlier run of this very job.
    work : mapping
        What the cost model knows of it, see `Work`.
    after : tuple of int
        Jobs that it waits for, by number.
    request : mapping or None
        Memory (MB) and run time (min) that the rule asks for; None where it does not ask, since it runs here.
    """

    rule: str
    stage: str
    benchmark: str
    outputs: tuple[str, ...]
    needed: bool
    cores: int
    seconds: float
    reference_s: float
    memory: int
    disk: int
    files: int
    known: bool
    earlier: bool
    work: Mapping[str, Any]
    after: tuple[int, ...]
    request: Mapping[str, int] | None


@dataclass(frozen=True)
class Plan:
    """All jobs of a configuration.

    Parameters
    ----------
    jobs : tuple of Planned
    cores : int
        Cores of this machine, or jobs that a cluster runs at once.
    submits : bool
        Whether jobs are submitted to a cluster.
    slowness : mapping
        Of this machine, see `speed`.
    crowding : float
        How many times longer everything takes beside what else runs on this machine.
    overhead_s : float
        Time between jobs.
    started : float
        When the plan was made, s since the epoch.
    earlier : mapping of str to float
        Of jobs with a benchmark file: the reference seconds of what was run.
    """

    jobs: tuple[Planned, ...]
    cores: int
    submits: bool
    slowness: Mapping[str, float]
    crowding: float
    overhead_s: float
    started: float
    earlier: Mapping[str, float] = field(default_factory=dict)

    @property
    def needed(self) -> list[Planned]:
        """Jobs that would run now."""
        return [job for job in self.jobs if job.needed]

    @property
    def spans(self) -> list[tuple[float, float]]:
        """Begin and end of each needed job, s."""
        numbers = {number: place for place, number in enumerate(n for n, job in enumerate(self.jobs) if job.needed)}
        return intervals(
            [
                Step(
                    job.seconds + self.overhead_s,
                    1 if self.submits else job.cores,
                    job.memory,
                    tuple(numbers[other] for other in job.after if other in numbers),
                )
                for job in self.needed
            ],
            self.cores,
        )

    @property
    def wall_s(self) -> float:
        """Wall time of the needed jobs, s."""
        return max((end for _, end in self.spans), default=0.0)

    @property
    def peak(self) -> int:
        """Largest memory in use at one time, bytes; of one job where others run on other machines."""
        if self.submits:
            return max((job.memory for job in self.needed), default=0)
        return peak((begin, end, job.memory) for (begin, end), job in zip(self.spans, self.needed))

    @property
    def disk(self) -> int:
        """Bytes that the needed jobs write."""
        return sum(job.disk for job in self.needed)

    def __str__(self) -> str:
        count = len(self.needed)
        return (
            f"{count} job{'s' * (count != 1)}, about {in_words(self.wall_s)}, {self.peak / 2**30:.1f} GiB peak, "
            f"{self.disk / 1e9:.2g} GB of disk"
        )


def in_words(seconds: float) -> str:
    """A time for a person: `1 minute`, `40 minutes`, `3.5 hours`."""
    minutes = max(1, round(seconds / 60))
    if minutes >= 100:
        return f"{seconds / 3600:.1f} hours"
    return f"{minutes} minute{'s' * (minutes != 1)}"


_watched: list[Watched] = []
_latest: list[Plan] = []


def watch(workflow: Any, cfg: Config, registry: Registry) -> Watched:
    """Have the workflow that is parsed say its plan when it starts, and remember it for `plan`."""
    watched = Watched(workflow, cfg, registry)
    _watched[:] = [watched]
    workflow.onstart(lambda log: announce())
    return watched


def latest() -> Plan | None:
    """The plan of the run that has started in this process; None where there is none."""
    return _latest[-1] if _latest else None


def announce() -> None:
    """Say in one line what the run that starts will take, and keep the plan beside the results."""
    try:
        made = _of(_watched[0])
        _latest[:] = [made]
        files.write_text(FILE, json.dumps(dataclasses.asdict(made)))
    except Exception as error:  # whatever is wrong with the estimate, the run goes on
        print(f"No plan of this run: {type(error).__name__}: {error}", file=sys.stderr)
        return
    print(f"Plan: {made} (allometry plan --check compares afterwards)", file=sys.stderr)


def plan(options: Sequence[str]) -> Plan:
    """Plan a run without starting it.

    Parameters
    ----------
    options : sequence of str
        Options and targets of snakemake; without a number of cores or jobs, all cores.

    Raises
    ------
    AllometryError
        Snakemake refuses the options or the workflow.
    """
    processes.require_configurations(options)
    from snakemake import cli

    parser, arguments = cli.parse_args([*options, "--dry-run"])
    if arguments.cores is None and arguments.jobs is None:
        arguments.cores = os.cpu_count() or 1
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        succeeded = cli.args_to_api(arguments, parser)
    if not succeeded or not _watched:
        raise AllometryError(
            "Snakemake cannot plan this run",
            where=" ".join(options),
            expected="options and targets of snakemake",
            do="\n".join(said.getvalue().strip().splitlines()[-12:]) or "read what it said above",
        )
    with contextlib.chdir(arguments.directory or "."):
        return _of(_watched[0])


def load(path: Path = FILE) -> Plan:
    """Read the plan of the latest run.

    Raises
    ------
    AllometryError
        There is none.
    """
    try:
        values = json.loads(path.read_bytes())
        jobs = tuple(
            Planned(**{**job, "outputs": tuple(job["outputs"]), "after": tuple(job["after"])})
            for job in values.pop("jobs")
        )
        return Plan(jobs, **values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AllometryError(
            "there is no plan to compare with" if isinstance(error, OSError) else "the plan cannot be read",
            where=str(path),
            expected="the plan that a run of the workflow leaves beside its results when it starts",
            do="run the workflow with this version, then check again",
        ) from error


def measured(path: Path) -> tuple[float, int] | None:
    """Seconds and peak memory (bytes) in a benchmark file of Snakemake; None where there is none, or it is not complete."""
    try:
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        memory = rows[-1]["max_rss"]
        return float(rows[-1]["s"]), round(float(memory) * 2**20) if memory not in ("NA", "-") else 0
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _of(watched: Watched) -> Plan:
    dag, known, submits = watched.workflow.dag, watched.known, watched.submits
    jobs = [job for job in dag.jobs if job.benchmark is not None]
    # an order that does not depend on the moment: inputs first, then by name
    jobs.sort(key=lambda job: str(job.benchmark))
    numbers = {job: number for number, job in enumerate(jobs)}
    described = Jobs(watched.cfg, watched.registry, known)
    needed = set(dag.needrun_jobs(exclude_finished=False))
    before = _before()
    machine = watched.machine if needed else Machine({}, 1.0)
    planned, earlier = [], {}
    for job in jobs:
        path = str(job.benchmark)
        then = before.get(path)
        if then is not None:
            earlier[path] = then
        after = sorted(numbers[other] for other in _within(dag, job, numbers))
        planned.append(_planned(job, described, known, machine, then, job in needed, submits, tuple(after)))
    return Plan(
        tuple(planned),
        cores=watched.cores,
        submits=submits,
        slowness=machine.slowness,
        crowding=machine.crowding,
        overhead_s=known.seconds.get("workflow.job", 0.0) * machine.slowness.get("tables", 1.0) * machine.crowding,
        started=time.time(),
        earlier=earlier,
    )


def _within(dag: Any, job: Any, numbers: Mapping[Any, int]) -> Iterator[Any]:
    """Jobs that a job waits for, with those behind jobs that are none of ours."""
    for other in dag.job_dependencies(job):
        if other in numbers:
            yield other
        else:
            yield from _within(dag, other, numbers)


def _planned(
    job: Any,
    described: Jobs,
    known: Coefficients,
    machine: Machine,
    then: float | None,
    needed: bool,
    submits: bool,
    after: tuple[int, ...],
) -> Planned:
    wildcards = {key: str(value) for key, value in job.wildcards_dict.items()}
    work = described.work(job.rule.name, wildcards, job.threads)
    reference = known.cost(work)
    seconds, memory = known.cost(work, machine.slowness).seconds * machine.crowding, reference.bytes_memory
    found = measured(Path(str(job.benchmark)))
    if found is not None:
        # what is asked for may have changed since then
        growth = reference.seconds / then if then else 1.0
        seconds, memory = found[0] * growth, found[1] if growth <= 1 and found[1] else max(memory, found[1])
    stage = str(job.benchmark).removeprefix(_BENCHMARKS).partition("/")[0]
    request = None
    if submits and stage not in LOCAL:
        request = {name: int(job.resources.get(name) or 0) for name in ("mem_mb", "runtime")}
    return Planned(
        rule=job.rule.name,
        stage=stage,
        benchmark=str(job.benchmark),
        outputs=tuple(map(str, job.output)),
        needed=needed,
        cores=job.threads,
        seconds=seconds,
        reference_s=reference.seconds,
        memory=memory,
        disk=reference.bytes_disk,
        files=reference.files,
        known=known.knows(work),
        earlier=found is not None,
        work=dataclasses.asdict(work),
        after=after,
        request=request,
    )


def _before() -> dict[str, float]:
    """Reference seconds of what each benchmark file was measured on, from the plan of the latest run."""
    try:
        latest = load()
    except AllometryError:
        return {}
    found = dict(latest.earlier)
    for job in latest.needed:
        path = Path(job.benchmark)
        if path.is_file() and path.stat().st_mtime >= latest.started:
            found[job.benchmark] = job.reference_s
    return found


def by_stage(jobs: Iterable[Planned]) -> dict[str, list[Planned]]:
    """Jobs by stage, in the order of the stages."""
    grouped: dict[str, list[Planned]] = {}
    for job in jobs:
        grouped.setdefault(job.stage, []).append(job)
    order = {stage: number for number, stage in enumerate(STAGES)}
    return {stage: grouped[stage] for stage in sorted(grouped, key=lambda stage: order.get(stage, len(order)))}
