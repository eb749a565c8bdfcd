"""The axes of a study, and what its jobs found on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.compare.inputs.spike_trains import EVERYONE
from allometry.scale.jobs import Job, all_seeds, condition_names
from allometry.scale.simulations import ALL_CONDITIONS

AXES = ("size", "scheme", "seed", "condition", "statistic", "population")


@dataclass(frozen=True)
class Axes:
    """Values along each of `AXES`, in this order."""

    sizes: list[float]
    schemes: list[str]
    seeds: list[int]
    conditions: list[str]
    statistics: list[str]
    populations: list[str]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each."""
        return tuple(len(part) for part in vars(self).values())


def axes_of(study: Mapping[str, Any], found: Mapping[str, Any]) -> Axes:
    """Axes of a study, from what it asks for and what its jobs found."""
    first = next(iter(found.values()))["values"]
    populations: dict[str, None] = {}
    for by_statistic in first.values():
        for by_population in by_statistic.values():
            populations |= dict.fromkeys(by_population)
    names = list(populations)
    # all together comes last
    names.sort(key=lambda population: population == EVERYONE)
    return Axes(
        [float(size) for size in study["sizes"]],
        list(study["schemes"]),
        all_seeds(study),
        [name for name in (*condition_names(study), ALL_CONDITIONS) if name in first],
        list(study["statistics"]),
        names,
    )


def values_of(axes: Axes, all_jobs: Sequence[Job], found: Mapping[str, Any]) -> np.ndarray:
    """Every statistic of every job on the axes; NaN where a job has none."""
    value = np.full(axes.shape, np.nan)
    for job in all_jobs:
        block = np.full(axes.shape[3:], np.nan)
        for c, condition in enumerate(axes.conditions):
            for s, statistic in enumerate(axes.statistics):
                by_population = found[job.name]["values"].get(condition, {}).get(statistic, {})
                for p, population in enumerate(axes.populations):
                    number = by_population.get(population)
                    block[c, s, p] = np.nan if number is None else number
        for scheme in job.schemes:
            value[axes.sizes.index(job.size), axes.schemes.index(scheme), axes.seeds.index(job.seed)] = block
    return value


def grid(axes: Axes, values: Mapping[tuple[float, str], float], dtype: Any) -> np.ndarray:
    """Values by size and scheme as an array [size, scheme]."""
    return np.array([[values[size, scheme] for scheme in axes.schemes] for size in axes.sizes], dtype)
