"""How many threads the jobs of simulations have."""

from collections.abc import Mapping
from typing import Any

from allometry.config import Config
from allometry.scale.jobs import is_feature
from allometry.simulate.distribute.clusters.slurm import node_cores

_SUBMITTED_THREADS = 8


def simulation_threads(cores: int | None, resources: Mapping[str, Any] | None = None) -> int:
    """Threads of a simulation's job.

    Parameters
    ----------
    cores : int or None
        Cores that Snakemake has itself; None where it submits its jobs.
    resources : mapping, optional
        Snakemake's default resources, of which `slurm_partition` names the nodes.

    Returns
    -------
    All of `cores`; where jobs are submitted, up to 8, and not more than the smallest node of the SLURM partition has.
    """
    if cores:
        return cores
    partition = (resources or {}).get("slurm_partition")
    return min(_SUBMITTED_THREADS, node_cores(str(getattr(partition, "raw", partition) or "")) or _SUBMITTED_THREADS)


def study_threads(
    cfg: Config, count: int, model: str, cores: int | None, resources: Mapping[str, Any] | None = None
) -> int:
    """Threads of a simulation's job of which a study has many: on one machine they run beside each other.

    Two jobs of one thread end sooner than two of two threads one after the other, which meet at every interval.

    Parameters
    ----------
    cfg : Config
        The partitions of a simulation share its threads.
    count : int
        Jobs of that kind.
    model : str
        Of the study; a feature model has one thread.
    cores, resources : int or None, mapping
        As of `simulation_threads`.

    Returns
    -------
    The share of `cores` of each job, at least 1; of partitioned simulations, and where jobs are submitted, as many as any
    simulation has.
    """
    if is_feature(model):
        return 1
    if cores and cfg.simulate.partitions == 1:
        return max(1, cores // max(1, count))
    return simulation_threads(cores, resources)
