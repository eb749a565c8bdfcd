"""What a study will need, said before anything runs: jobs, hours, and the memory of the largest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from allometry.scale.jobs import calibrations, condition_names, jobs, network
from allometry.simulate.build.estimate import Estimate, duration, estimate
from allometry.simulate.build.plan.network import compile_network

SECONDS_PER_JOB = 4.0
"""Of a process that starts, reads and writes; measured."""


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
        Estimated time of all of them one after the other, s.
    largest_bytes : int
        Memory of the largest job.
    largest : str
        Its name.
    """

    name: str
    simulated: int
    reused: int
    simulations: int
    calibrations: int
    seconds: float
    largest_bytes: int
    largest: str

    def __str__(self) -> str:
        parts = [f"{self.simulated} jobs to simulate"]
        if self.reused:
            parts.append(f"{self.reused} from runs of the simulate stage")
        if self.calibrations:
            parts.append(f"{self.calibrations} calibrations")
        return (
            f"Study {self.name}: {', '.join(parts)}; {self.simulations} simulations in about {duration(self.seconds)}, at most "
            f"{self.largest_bytes / 2**30:.1f} GiB"
        )


def forecast(study: Mapping[str, Any], name: str, own: Collection[str], cores: int) -> Forecast:
    """Estimate a study.

    Parameters
    ----------
    study : mapping
        A configured study as plain values.
    name : str
        Its name.
    own : collection of str
        Names of the jobs that are simulated for it.
    cores : int
        Cores of a job.
    """
    conditions = len(condition_names(study))
    needs: dict[tuple[float, str, float], Estimate] = {}

    def need(size: float, scheme: str, length_ms: float) -> Estimate:
        key = size, scheme, length_ms
        if key not in needs:
            plan = compile_network(network(study, size, scheme), 1, study["precision"])
            needs[key] = estimate(plan, length_ms, 1, cores, processes=False)
        return needs[key]

    seconds, simulations, sizes = 0.0, 0, [(0, "")]
    every = jobs(study)
    for job in every:
        if job.name in own:
            found = need(job.size, job.schemes[0], study["duration_ms"])
            seconds += found.build_s + conditions * found.sim_s + SECONDS_PER_JOB
            simulations += conditions
            sizes.append((found.bytes_total, job.name))
        seconds += SECONDS_PER_JOB
    asked = calibrations(study)
    for calibration in asked:
        how = calibration.parameters["calibration"]
        found = need(calibration.size, calibration.scheme, calibration.parameters["duration_ms"])
        times = len(how["seeds"]) * (1 + len(calibration.factors) + how["iterations"])
        seconds += times * (found.build_s + conditions * found.sim_s) + SECONDS_PER_JOB
        simulations += times * conditions
        sizes.append((found.bytes_total, calibration.name))
    largest_bytes, largest = max(sizes)
    return Forecast(
        name,
        sum(job.name in own for job in every),
        sum(job.name not in own for job in every),
        simulations,
        len(asked),
        seconds,
        largest_bytes,
        largest,
    )
