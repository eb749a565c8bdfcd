"""Options of the comparison `activity_structure`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options
from allometry.compare.records.synapses import CHEMICAL_AND_ELECTRICAL, Synapse


class ActivityStructure(Options):
    """Correlation of activity held against connectomes."""

    kind: Literal["activity_structure"] = Field(description="Correlation of activity against connectomes.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    structure: list[str] = Field(min_length=1, description="Connectome stores with the same neuron names.")
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse, each by itself and all together."
    )
    nulls: int = Field(500, ge=20, description="Permutations of the neurons.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]
