"""`python -m tests.workflow.keeping.simulate_again RESULTS OUT CONFIGURATION`: the stages simulate and scale again.

Connectomes are read from finished results, all else is computed anew, in this process. It prints JSON: the content of every
store by its path, numbers of the theory of networks, and the digest of networks that are described with its help.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from allometry import config, models
from allometry.config import Config
from allometry.models.theory.mean_field import mean_field
from allometry.network.serialise import to_dict
from allometry.numerics.rounding import significant
from allometry.scale.simulations import calibrate_job, measure_job, simulate_job
from allometry.scale.study import write_study
from allometry.simulate import Execution
from allometry.simulate.point import run_batch_of, run_point
from allometry.stores.folders.finding import contents
from allometry.workflow import snakefile
from allometry.workflow.places import studies

ONE = Execution(threads=1)


def networks() -> dict[str, str]:
    """Digest of reduced networks, of which theory or libm decide a part."""
    described = {"microcircuit": models.microcircuit(scale=0.02), "brunel": models.brunel(scale=0.05)}
    return {
        name: hashlib.sha256(json.dumps(to_dict(net), sort_keys=True, default=_plain).encode()).hexdigest()
        for name, net in described.items()
    }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)


def theory() -> dict[str, list[float]]:
    """What mean-field theory says of a reduced microcircuit, to the digits that a study stores."""
    found = mean_field(models.microcircuit(scale=0.05))
    return {
        name: [significant(value) for value in getattr(found, name).tolist()]
        for name in ("rate_hz", "mean_mv", "sd_mv", "skewness", "shared", "psp_mv")
    }


def simulate(cfg: Config, out: Path) -> None:
    """Simulate every point of every run; connectomes are those below the working directory."""
    with_conditions = snakefile.conditions_of(cfg)
    for name, run in cfg.simulate.runs.items():
        points = config.points(run)
        folder = out / "simulated" / name
        folder.mkdir(parents=True)
        if name in with_conditions:
            for job in dict.fromkeys(point.job for point in points):
                places = [folder / f"{point.name}.zarr" for point in points if point.job == job]
                connectome = next(iter(snakefile.batch_stores(cfg, name, job)), None)
                run_batch_of(snakefile.batch(cfg, name, job), places, connectome, ONE)
        else:
            for point in points:
                connectome = next(iter(snakefile.point_stores(cfg, name, point.name)), None)
                run_point(point.parameters, folder / f"{point.name}.zarr", connectome, ONE)


def scale(cfg: Config, out: Path) -> None:
    """Make every study, its simulations and calibrations with it."""
    for study in studies.studies(cfg):

        def place(path: str) -> Path:
            return out / path.removeprefix("results/")

        place(study.folder).mkdir(parents=True)
        for calibration in study.calibrations.values():
            reference = [place(study.statistics(job)) for job in calibration.reference]
            calibrate_job(
                calibration.parameters,
                calibration.factors,
                place(study.calibration(calibration.name)),
                Execution(threads=1, checkpoint="off"),
                reference,
            )
        for name, job in study.jobs.items():
            places = {condition: place(path) for condition, path in study.spikes[name].items()}
            if name in study.own:
                found = place(study.calibration(job.calibration)) if job.calibration else None
                simulate_job(job.parameters, list(places.values()), ONE, found)
            measure_job(places, place(study.statistics(name)), **studies.measured(cfg, study.name))
        write_study(
            study.values,
            study.name,
            place(f"{study.folder}.zarr"),
            statistics=[place(study.statistics(job)) for job in study.jobs],
            spikes={job: {c: place(path) for c, path in paths.items()} for job, paths in study.spikes.items()},
            calibrations=[place(study.calibration(name)) for name in study.calibrations],
        )


def simulate_again(results: Path, out: Path, configuration: Path) -> dict[str, Any]:
    """Compute the stores of both stages of a configuration."""
    cfg = config.validate(config.read_yaml(configuration), str(configuration))
    os.chdir(results.parent)
    simulate(cfg, out)
    scale(cfg, out)
    return {"contents": contents(out), "networks": networks(), "theory": theory()}


if __name__ == "__main__":
    print(json.dumps(simulate_again(*(Path(argument).resolve() for argument in sys.argv[1:]))))
