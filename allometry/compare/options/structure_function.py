"""Options of the comparison `structure_function`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options
from allometry.compare.records.synapses import CHEMICAL_AND_ELECTRICAL, Synapse


class StructureFunction(Options):
    """Measured signal propagation held against anatomical connectomes."""

    kind: Literal["structure_function"] = Field(description="Signal propagation atlas against anatomical connectomes.")
    function: list[str] = Field(
        min_length=1, description="Connectome stores with functional edges (value, q per pair)."
    )
    structure: list[str] = Field(
        min_length=1, description="Anatomical connectome stores; each is compared with each atlas."
    )
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL,
        min_length=1,
        description="Kinds of synapse whose counts are added to one weight.",
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="A pair counts as connected in function where q is below this.")
    nulls: int = Field(200, ge=20, description="Degree-preserving rewirings per connectome.")
    bootstrap: int = Field(1000, ge=100, description="Resamples of the stimulated neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Atlases first, then connectomes."""
        return [("connectome", name) for name in [*self.function, *self.structure]]
