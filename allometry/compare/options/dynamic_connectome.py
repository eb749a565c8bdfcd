"""Options of the comparison `dynamic_connectome`."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from allometry.compare.records.kinds import Options
from allometry.compare.records.synapses import CHEMICAL_AND_ELECTRICAL, Synapse


class DynamicConnectome(Options):
    """Motifs of coupling over time, animals and pairs of neurons, and their communities."""

    kind: Literal["dynamic_connectome"] = Field(description="Dynamic functional connectome of recorded animals.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    structure: list[str] = Field(
        default_factory=list, description="Connectome stores whose modules are compared with the communities."
    )
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse that are added for the modules."
    )
    share: float = Field(
        0.75, gt=0, le=1, description="Neurons count that are labelled in at least this share of the recordings."
    )
    smooth_s: float = Field(1.0, ge=0, description="Width (sd) of the Gaussian filter before the derivative, s.")
    bin_s: float = Field(4.0, gt=0, description="Length of the bins in which affinities are averaged, s.")
    ranks: list[Annotated[int, Field(ge=1)]] = Field(
        default=[1, 2, 3, 4, 5, 6, 7, 8], min_length=1, description="Numbers of motifs that are tried, increasing."
    )
    restarts: int = Field(5, ge=2, description="Random starts for each number of motifs.")
    least_similarity: float = Field(
        0.8, gt=0, le=1, description="Restarts agree from this similarity on (1: the same factors)."
    )
    nulls: int = Field(39, ge=2, description="Sets of recordings whose neurons, or animals, are shifted in time.")

    @field_validator("ranks")
    @classmethod
    def _increasing(cls, value: list[int]) -> list[int]:
        if value != sorted(value):
            raise ValueError(f"increasing numbers expected; write {sorted(value)}")
        return value

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]
