"""Where the jobs of scaling studies lie, what each of them reads, and what all of them need: for the rules of the scale stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from allometry import config as configuration
from allometry.config import Config
from allometry.scale.jobs import CalibrationJob, Job, calibrations, condition_names, is_feature, jobs, same_point, under
from allometry.simulate.stimuli import shown
from allometry.workflow.places.feature_runs import fit_of


@dataclass(frozen=True)
class Study:
    """A configured study with its jobs.

    Parameters
    ----------
    name : str
        Its name.
    values : dict
        What is configured, as plain values.
    jobs, calibrations : dict of str to Job or CalibrationJob
        By name.
    spikes : dict of str to dict of str to str
        Spikes store of every job by condition: its own, or that of a point of a run.
    """

    name: str
    values: dict[str, Any]
    jobs: dict[str, Job]
    calibrations: dict[str, CalibrationJob]
    spikes: dict[str, dict[str, str]]

    @property
    def folder(self) -> str:
        """Where its jobs lie."""
        return f"results/scaled/{self.name}"

    @property
    def own(self) -> list[str]:
        """Jobs that are simulated for the study itself."""
        return [
            job for job, places in self.spikes.items() if all(p.startswith(f"{self.folder}/") for p in places.values())
        ]

    def statistics(self, job: str) -> str:
        """Path of the statistics of a job."""
        return f"{self.folder}/{job}.statistics.json"

    def calibration(self, name: str) -> str:
        """Path of what a calibration found."""
        return f"{self.folder}/{name}.calibration.json"

    def stores(self, job: str) -> list[str]:
        """Spikes stores of a job."""
        return list(self.spikes[job].values())

    def manifests(self, job: str) -> list[str]:
        """Manifests of its Spikes stores."""
        return [path.removesuffix(".zarr") + ".manifest.json" for path in self.stores(job)]


def study(cfg: Config, name: str) -> Study:
    """A configured study.

    Raises
    ------
    SimulationError
        Its model cannot be reduced so.
    """
    return _study(cfg.scale.studies[name].model_dump_json(), name, _runs(cfg, name))


def studies(cfg: Config) -> list[Study]:
    """All configured studies."""
    return [study(cfg, name) for name in cfg.scale.studies]


def _runs(cfg: Config, name: str) -> str:
    runs = {run: cfg.simulate.runs[run] for run in cfg.scale.studies[name].runs if run in cfg.simulate.runs}
    return configuration.SimulateConfig(runs=runs).model_dump_json()


@cache
def _study(values: str, name: str, runs: str) -> Study:
    # by text: configurations are no keys
    given = configuration.StudyConfig.model_validate_json(values).model_dump(mode="json")
    read = configuration.SimulateConfig.model_validate_json(runs).runs
    made = {job.name: job for job in jobs(given)}
    spikes: dict[str, dict[str, str]] = {}
    for job in made.values():
        found = {
            condition: _point(read, job, given["conditions"].get(condition)) for condition in condition_names(given)
        }
        own = any(path is None for path in found.values())
        spikes[job.name] = {
            condition: f"results/scaled/{name}/{job.name}/{condition}.zarr" if own else str(path)
            for condition, path in found.items()
        }
    return Study(name, given, made, {job.name: job for job in calibrations(given)}, spikes)


def _point(runs: Mapping[str, Any], job: Job, condition: Mapping[str, Any] | None) -> str | None:
    """Store of the point of a run that is the same simulation."""
    for run, entry in runs.items():
        points = configuration.points(entry)
        index = same_point(job, condition, [point.parameters for point in points])
        if index is not None:
            return f"results/simulated/{run}/{points[index].name}.zarr"
    return None


def conditions(found: Study) -> list[str]:
    """Conditions of every job of a study."""
    return condition_names(found.values)


def calibration_of(cfg: Config, name: str, job: str) -> list[str]:
    """Path of the calibration whose factors a job takes; empty where it takes none."""
    found = study(cfg, name)
    calibration = found.jobs[job].calibration
    return [found.calibration(calibration)] if calibration else []


def fits(cfg: Config, name: str) -> dict[str, dict[str, Any]]:
    """All fits of a study of a feature model by name, with what determines each."""
    found = study(cfg, name)
    every = [fit_of(point) for job in found.own for point in _points(found, job)]
    return dict(one for one in every if one is not None)


def fits_of(cfg: Config, name: str, job: str) -> list[str]:
    """Path of the fit that each condition of a job reads, in their order; empty of a model that is not fitted."""
    found = study(cfg, name)
    every = [fit_of(point) for point in _points(found, job)]
    return [f"{found.folder}/{one[0]}.fit.json" for one in every if one is not None]


def _points(found: Study, job: str) -> list[dict[str, Any]]:
    return under(found.jobs[job].parameters) if is_feature(found.values["model"]) else []


def reference_of(cfg: Config, name: str, calibration: str) -> list[str]:
    """Statistics of the jobs of full size that a calibration takes its targets from; empty where they are configured."""
    found = study(cfg, name)
    return [found.statistics(job) for job in found.calibrations[calibration].reference]


def measured(cfg: Config, name: str) -> dict[str, Any]:
    """How the statistics of a job are taken."""
    values = study(cfg, name).values
    stimuli = {
        condition: shown(values["model"], values["parameters"], values["conditions"].get(condition))
        for condition in condition_names(values)
        if not is_feature(values["model"])
    }
    return {
        "names": values["statistics"],
        **{key: values[key] for key in ("skip_ms", "bin_ms", "max_units", "populations", "model")},
        "stimuli": stimuli,
    }


def all_statistics(cfg: Config, name: str) -> list[str]:
    """Statistics of all jobs of a study."""
    found = study(cfg, name)
    return [found.statistics(job) for job in found.jobs]


def all_calibrations(cfg: Config, name: str) -> list[str]:
    """What all calibrations of a study found."""
    found = study(cfg, name)
    return [found.calibration(calibration) for calibration in found.calibrations]


def all_stores(cfg: Config, name: str) -> list[str]:
    """Spikes stores of all jobs of a study."""
    found = study(cfg, name)
    return [path for job in found.jobs for path in found.stores(job)]


def all_manifests(cfg: Config, name: str) -> list[str]:
    """Their manifests."""
    found = study(cfg, name)
    return [path for job in found.jobs for path in found.manifests(job)]


def scaled(name: str) -> list[str]:
    """Path of the store of a study, of its manifest and of its costs."""
    stem = f"results/scaled/{name}"
    return [f"{stem}.zarr", f"{stem}.manifest.json", f"{stem}.costs.json", f"{stem}/manifest.json"]


def sweeps(study: configuration.StudyConfig) -> bool:
    """Whether the conditions of a study are values of one parameter."""
    numbers = [
        {key: value for key, value in one.parameters.items() if isinstance(value, int | float)}
        for one in study.conditions.values()
    ]
    shared = set.intersection(*map(set, numbers)) if numbers else set()
    return sum(len({one[key] for one in numbers}) > 1 for key in shared) == 1
