"""Options of the comparison `structure_bold`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options


class StructureBold(Options):
    """Structural connectivity held against correlation of BOLD, subject by subject."""

    kind: Literal["structure_bold"] = Field(description="Human structural connectivity against BOLD correlation.")
    activity: list[str] = Field(min_length=1, description="Activity stores with BOLD; every recording is a subject.")
    structure: list[str] = Field(
        min_length=1, description="Structural connectome stores, matched to recordings by subject."
    )
    nulls: int = Field(1000, ge=20, description="Permutations of the regions.")
    bootstrap: int = Field(1000, ge=100, description="Resamples of the regions for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]
