"""A workflow that is parsed, and the machine on which it starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allometry.config import Config
from allometry.workflow.checks.names import Registry
from allometry.workflow.planning import speed
from allometry.workflow.planning.cost_model import Coefficients, coefficients


@dataclass(frozen=True)
class Machine:
    """How fast the machine is on which a workflow starts.

    Parameters
    ----------
    slowness : mapping of str to float
        See `speed.slowness`.
    crowding : float
        How many times longer everything takes beside what else runs here; 1 where jobs run elsewhere.
    """

    slowness: Mapping[str, float]
    crowding: float


@dataclass
class Watched:
    """A workflow that is parsed.

    Parameters
    ----------
    workflow : Workflow
        Snakemake's.
    cfg : Config
    registry : mapping
        Of data sets.
    """

    workflow: Any
    cfg: Config
    registry: Registry

    @property
    def submits(self) -> bool:
        """Whether jobs are submitted to a cluster."""
        return self.workflow.resource_settings.nodes is not None

    @property
    def cores(self) -> int:
        """Cores of this machine, or jobs that a cluster runs at once."""
        settings = self.workflow.resource_settings
        return int(settings.nodes if self.submits else settings.cores or 1)

    @property
    def known(self) -> Coefficients:
        """The cost model."""
        return coefficients()

    @cached_property
    def machine(self) -> Machine:
        """Measured once, so that all that is said of a run agrees."""
        crowding = 1.0 if self.submits else speed.crowding(min(self.cores, os.cpu_count() or 1))
        return Machine(speed.slowness(self.known.speed_s), crowding)
