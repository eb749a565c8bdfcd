"""Configuration of the compare stage: comparisons by name."""

from typing import Annotated

from pydantic import Field

from allometry.config.base import Model
from allometry.config.comparisons import (
    ActivityManifolds,
    ActivityStructure,
    ConnectomeAgreement,
    ConnectomeReservoir,
    DynamicConnectome,
    ModelRecovery,
    PopulationCode,
    Propagation,
    RepresentationSimilarity,
    SpikeStatistics,
    StructureBold,
    StructureFunction,
)

AnyComparison = Annotated[
    StructureFunction
    | ConnectomeAgreement
    | Propagation
    | StructureBold
    | ActivityStructure
    | ConnectomeReservoir
    | DynamicConnectome
    | ActivityManifolds
    | ModelRecovery
    | SpikeStatistics
    | PopulationCode
    | RepresentationSimilarity,
    Field(discriminator="kind"),
]


class CompareConfig(Model):
    """Which stores are compared, and how."""

    comparisons: dict[str, AnyComparison] = Field(
        default_factory=dict, description="Named comparisons; the name is the Scores store below `results/compared`."
    )
