"""A plan as a person reads it, and beside what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from allometry.errors import AllometryError
from allometry.simulate.build.estimate import duration
from allometry.workflow.planning.plan import FILE, Plan, Planned, by_stage, load, measured
from allometry.workflow.planning.schedule import peak


def text(plan: Plan) -> str:
    """Jobs by stage, the networks, what is asked of SLURM, and the line that a run begins with."""
    lines = [f"{'stage':<12}{'to run':>8}{'of all':>8}{'job time':>11}{'memory':>10}{'disk':>11}{'files':>9}"]
    needed = by_stage(plan.needed)
    for stage, jobs in by_stage(plan.jobs).items():
        lines.append(_row(stage, needed.get(stage, []), len(jobs)))
    lines += [_row("together", plan.needed, len(plan.jobs)), ""]
    lines += _networks(plan)
    lines += _requests(plan)
    lines.append(f"{plan} on {plan.cores} {'jobs at once' if plan.submits else 'cores'}")
    return "\n".join(lines)


def _row(name: str, jobs: Sequence[Planned], all_jobs: int) -> str:
    seconds, disk = sum(job.seconds for job in jobs), sum(job.disk for job in jobs)
    memory = max((job.memory for job in jobs), default=0)
    return (
        f"{name:<12}{len(jobs):>8}{all_jobs:>8}{duration(seconds):>11}{memory / 2**30:>6.2f} GiB"
        f"{disk / 1e6:>8.1f} MB{sum(job.files for job in jobs):>9}"
    )


def _networks(plan: Plan) -> Iterator[str]:
    simulations = [job for job in plan.needed if job.work["neurons"]]
    if simulations:
        largest = max(simulations, key=lambda job: job.work["synapses"])
        yield (
            f"{len(simulations)} simulations of {sum(job.work['neurons'] for job in simulations):,} neurons and "
            f"{sum(job.work['synapses'] for job in simulations):,} synapses together; the largest {largest.work['neurons']:,} and "
            f"{largest.work['synapses']:,}"
        )
    earlier = sum(job.earlier for job in plan.needed)
    guessed = sorted({job.rule for job in plan.needed if not (job.known or job.earlier)})
    if plan.crowding >= 1.2:
        yield f"other processes are busy here: the times are {plan.crowding:.1f} times those of a machine of one's own"
    if earlier:
        yield f"{earlier} of the times are those of earlier runs"
    if guessed:
        yield f"never measured, so that others of their stage stand for them: some jobs of {', '.join(guessed)}"


def _requests(plan: Plan) -> Iterator[str]:
    if not plan.submits:
        return
    rules: dict[str, list[Planned]] = {}
    for job in plan.needed:
        if job.request is not None:
            rules.setdefault(job.rule, []).append(job)
    yield ""
    yield f"{'SLURM requests of':<32}{'jobs':>6}{'cores':>7}{'MB':>8}{'needs':>8}{'min':>7}{'needs':>8}"
    for rule, jobs in sorted(rules.items()):
        memory, minutes = (max((job.request or {}).get(name, 0) for job in jobs) for name in ("mem_mb", "runtime"))
        needs_mb, needs_min = max(job.memory for job in jobs) / 1e6, max(job.seconds for job in jobs) / 60
        short = [
            name
            for name, asked, needs in (("mem_mb", memory, needs_mb), ("runtime", minutes, needs_min))
            if 0 < asked < needs
        ]
        remark = f"  too little: set-resources, {rule}: {' and '.join(short)}" if short else ""
        yield (
            f"{rule:<32}{len(jobs):>6}{max(job.cores for job in jobs):>7}{memory:>8}{needs_mb:>8.0f}"
            f"{minutes:>7}{needs_min:>8.1f}{remark}"
        )
    yield ""


@dataclass(frozen=True)
class Outcome:
    """What was planned of some jobs, and what was measured: jobs that ran, seconds, peak memory, bytes on disk, files."""

    name: str
    jobs: int
    ran: int
    seconds: tuple[float, float]
    memory: tuple[int, int]
    disk: tuple[int, int]
    files: tuple[int, int]


def outcomes(folder: Path = Path("results")) -> list[Outcome]:
    """Compare the latest plan with what ran since: a line per stage, and one for all, with the wall time of the run.

    Raises
    ------
    AllometryError
        There is no plan, or nothing of it has run.
    """
    plan = load(folder / FILE.name)
    ran: dict[str, tuple[float, int, float]] = {}
    for job in plan.needed:
        path = folder.parent / job.benchmark
        found = measured(path)
        if found is not None and path.stat().st_mtime >= plan.started:
            ran[job.benchmark] = (*found, path.stat().st_mtime)
    if not ran:
        raise AllometryError(
            "nothing of the plan has run yet",
            where=str(folder / FILE.name),
            expected="benchmark files that are newer than the plan",
            do="run the workflow to its end, then check again",
        )
    lines = []
    for stage, jobs in by_stage(plan.needed).items():
        done = [job for job in jobs if job.benchmark in ran]
        seconds = sum(job.seconds for job in done), sum(ran[job.benchmark][0] for job in done)
        memory = (
            max((job.memory for job in done), default=0),
            max((ran[job.benchmark][1] for job in done), default=0),
        )
        lines.append(_outcome(stage, len(jobs), done, seconds, memory, folder))
    done = [job for job in plan.needed if job.benchmark in ran]
    wall = plan.wall_s, max(end for _, _, end in ran.values()) - plan.started
    together = peak((end - seconds, end, memory) for seconds, memory, end in ran.values())
    lines.append(_outcome("together", len(plan.needed), done, wall, (plan.peak, together), folder))
    return lines


def _outcome(
    name: str,
    jobs: int,
    done: Sequence[Planned],
    seconds: tuple[float, float],
    memory: tuple[int, int],
    folder: Path,
) -> Outcome:
    found = [size for job in done for output in job.outputs for size in sizes(folder.parent / output)]
    disk = sum(job.disk for job in done), sum(found)
    return Outcome(name, jobs, len(done), seconds, memory, disk, (sum(job.files for job in done), len(found)))


def sizes(path: Path) -> Iterator[int]:
    """Sizes in bytes of the files of a store or folder, or of the one file."""
    found = path.rglob("*") if path.is_dir() else [path]
    # Snakemake's mark in folders is none of ours
    return (file.stat().st_size for file in found if file.is_file() and file.name != ".snakemake_timestamp")


def check_text(found: Sequence[Outcome]) -> str:
    """What was planned beside what was measured, and the ratio of the two."""
    head = f"{'stage':<12}{'ran':>9}{'time: planned':>15}{'measured':>10}{'ratio':>7}"
    lines = [head + "".join(f"{name:>9}{'ratio':>7}" for name in ("memory", "disk", "files"))]
    for line in found:
        cells = f"{line.name:<12}{f'{line.ran} of {line.jobs}':>9}"
        cells += f"{duration(line.seconds[0]):>15}{duration(line.seconds[1]):>10}{_ratio(*line.seconds):>7}"
        cells += f"{line.memory[1] / 2**30:>5.2f}GiB{_ratio(*line.memory):>7}"
        cells += f"{line.disk[1] / 1e6:>7.1f}MB{_ratio(*line.disk):>7}{line.files[1]:>9}{_ratio(*line.files):>7}"
        lines.append(cells)
    if found[-1].ran < found[-1].jobs:
        lines.append(
            f"{found[-1].jobs - found[-1].ran} jobs of the plan have not run; the wall time is of those that have"
        )
    lines.append("ratio: planned over measured. The time of a stage is that of its jobs, that of all is the wall time.")
    return "\n".join(lines)


def _ratio(planned: float, found: float) -> str:
    return f"{planned / found:.2f}" if found else "-"
