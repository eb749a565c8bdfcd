"""What studies of scaling will need, said before anything runs, by the cost model that `allometry plan` has for every job."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allometry.config import Config
from allometry.errors import AllometryError, ConfigError
from allometry.simulate.build.estimate import duration
from allometry.simulate.build.memory import free_memory
from allometry.workflow import recording_sessions
from allometry.workflow.job_threads import study_threads
from allometry.workflow.places import studies
from allometry.workflow.planning.cost_model import Work
from allometry.workflow.planning.job_work import Jobs
from allometry.workflow.planning.watched import Machine, Watched
from allometry.workflow.reach import network_note


@dataclass(frozen=True)
class Forecast:
    """Jobs and needs of one study.

    Parameters
    ----------
    name : str
        Its name.
    simulated, reused : int
        Jobs that are simulated for it, and jobs whose spikes a run of the simulate stage makes.
    simulations : int
        Simulations in all: every condition of every job, and the most that calibrations can need.
    calibrations : int
        Calibrations.
    seconds : float
        Estimated time of all of its jobs, s, where nothing else runs on the machine: beside each other on its cores, and
        one after the other where they are submitted.
    crowding : float
        How many times longer they take beside what runs on it now.
    largest_bytes : int
        Memory of the largest jobs that run at once.
    largest : str
        Their names.
    """

    name: str
    simulated: int
    reused: int
    simulations: int
    calibrations: int
    seconds: float
    crowding: float
    largest_bytes: int
    largest: str

    def __str__(self) -> str:
        parts = [f"{self.simulated} jobs to simulate"]
        if self.reused:
            parts.append(f"{self.reused} from runs of the simulate stage")
        if self.calibrations:
            parts.append(f"{self.calibrations} calibrations")
        return (
            f"Study {self.name}: {', '.join(parts)}; {self.simulations} simulations, all jobs in about "
            f"{duration(self.seconds * self.crowding)}, at most {self.largest_bytes / 2**30:.1f} GiB"
        )


def forecast(study: studies.Study, described: Jobs, machine: Machine, cores: int | None, resources: Any) -> Forecast:
    """Estimate a study.

    Parameters
    ----------
    study : Study
        Its jobs count whether they have run or not.
    described : Jobs
        Says what each job does.
    machine : Machine
        How fast it is.
    cores : int or None
        Of this machine; None where jobs are submitted.
    resources : mapping or None
        Snakemake's default resources.
    """
    seconds, sizes = 0.0, []
    for name, work, threads in _works(study, described, cores, resources):
        cost = described.known.cost(work, machine.slowness)
        beside = max(1, (cores or 1) // threads)
        seconds += cost.seconds / beside
        if work.neurons:
            sizes.append((cost.bytes_memory, name, beside))
    conditions = len(studies.conditions(study))
    sizes.sort(reverse=True)
    at_once = sizes[: sizes[0][2]] if sizes else []
    return Forecast(
        study.name,
        len(study.own),
        len(study.jobs) - len(study.own),
        conditions * len(study.own) + sum(job.simulations for job in study.calibrations.values()),
        len(study.calibrations),
        seconds,
        machine.crowding,
        sum(size for size, _, _ in at_once),
        ", ".join(name for _, name, _ in at_once),
    )


def _works(study: studies.Study, described: Jobs, cores: int | None, resources: Any) -> Iterator[tuple[str, Work, int]]:
    """Every job of a study by name, as the rules of the scale stage make them, what it does, and its threads."""
    calibrations = list(study.calibrations)
    own, calibrating = (
        study_threads(described.cfg, len(of), study.values["model"], cores, resources)
        for of in (study.own, calibrations)
    )
    rules = [
        ("scale_fit", "fit", list(studies.fits(described.cfg, study.name)), 1),
        (f"scale_simulate_{study.name}", "job", study.own, own),
        ("scale_calibrate", "calibration", calibrations, calibrating),
        ("scale_measure", "job", list(study.jobs), 1),
        ("scale_study", "", [study.name], 1),
    ]
    for rule, key, names, threads in rules:
        for name in names:
            work = described.work(rule, {"study": study.name} | ({key: name} if key else {}), threads)
            yield name, work, threads


def forecasts(watched: Watched) -> list[Forecast]:
    """What every study of a workflow will need."""
    settings = watched.workflow.resource_settings
    found = studies.studies(watched.cfg)
    described = Jobs(watched.cfg, watched.registry, watched.known)
    # a machine is measured only where something is said of it
    return [forecast(study, described, watched.machine, settings.cores, settings.default_resources) for study in found]


def check_fits(cfg: Config, needs: list[Forecast], *, submits: bool) -> None:
    """Refuse studies that need more memory or time than there is, or than the configuration allows.

    Parameters
    ----------
    cfg : Config
        Its limits are `scale.memory_gib` and `scale.hours`.
    needs : list of Forecast
        Of all studies.
    submits : bool
        Whether jobs run elsewhere, where the memory of this machine is no limit.

    Raises
    ------
    ConfigError
        Which study needs what.
    """
    limit, said = cfg.scale.memory_gib, "scale.memory_gib"
    if limit is None and not submits and needs:
        limit, said = free_memory() / 2**30, "the free memory of this machine"
    for need in needs:
        where = f"scale.studies.{need.name}"
        if limit is not None and need.largest_bytes > limit * 2**30:
            jobs, needs_them = ("jobs", "need") if ", " in need.largest else ("job", "needs")
            raise ConfigError(
                f"the {jobs} {need.largest} {needs_them} about {need.largest_bytes / 2**30:.1f} GiB",
                where=where,
                expected=f"at most {limit:.1f} GiB ({said})",
                do="leave the largest sizes out, or run it on a larger machine",
            )
        if cfg.scale.hours is not None and need.seconds > cfg.scale.hours * 3600:
            raise ConfigError(
                f"the study takes about {need.seconds / 3600:.1f} h",
                where=where,
                expected=f"at most {cfg.scale.hours:g} h (scale.hours)",
                do="study fewer sizes, seeds or conditions, or shorten the simulations",
            )


def announcement(watched: Watched) -> str:
    """A line per study for the start of a run; a study that does not fit ends it.

    Raises
    ------
    ConfigError
        See `check_fits`.
    """
    needs = forecasts(watched)
    check_fits(watched.cfg, needs, submits=watched.submits)
    return "".join(f"{need}\n" for need in needs)


def announce(watched: Watched, left_out: dict[str, str]) -> None:
    """Say at the start of a run what is left out or not at hand, and what studies of scaling and sessions will need.

    A study, or sessions of an archive, for which there is no room end the process with the one message.

    Parameters
    ----------
    watched : Watched
        The workflow that starts.
    left_out : dict of str to str
        What is left out of the run, and why.
    """
    try:
        needs = announcement(watched) + recording_sessions.announcement(watched.cfg, watched.registry)
    except AllometryError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(needs + network_note(watched.cfg, watched.registry, left_out), file=sys.stderr)
