"""Options of the comparison `connectome_agreement`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options
from allometry.compare.records.synapses import CHEMICAL_AND_ELECTRICAL, Synapse


class ConnectomeAgreement(Options):
    """Every pair of annotations of one nervous system."""

    kind: Literal["connectome_agreement"] = Field(description="Connectome against connectome.")
    structure: list[str] = Field(min_length=2, description="Connectome stores; every ordered pair is compared.")
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse; each is compared by itself."
    )
    nulls: int = Field(50, ge=20, description="Degree-preserving rewirings of the candidate per pair.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """The connectomes."""
        return [("connectome", name) for name in self.structure]
