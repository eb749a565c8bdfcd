"""Options of the comparison `connectome_reservoir`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options
from allometry.compare.records.synapses import CHEMICAL_AND_ELECTRICAL, Synapse


class ConnectomeReservoir(Options):
    """Connectomes used as reservoirs, against null wiring."""

    kind: Literal["connectome_reservoir"] = Field(description="Memory and timing of connectomes used as reservoirs.")
    structure: list[str] = Field(min_length=1, description="Connectome stores.")
    synapses: list[Synapse | Literal["mesoscale", "structural"]] = Field(
        default=[*CHEMICAL_AND_ELECTRICAL], min_length=1, description="Kinds of synapse whose weights are added."
    )
    radius: float = Field(0.9, gt=0, description="Spectral radius that every network is scaled to, dimensionless.")
    noise: float = Field(
        0.001, ge=0, description="Standard deviation of the noise of each unit, in units of its activation."
    )
    nulls: int = Field(
        49,
        ge=5,
        description="Null networks of each sort (degree-preserving, spatial, random); p is two-sided: 2/(n+1) or more.",
    )
    readout: int = Field(
        500, ge=10, description="Neurons that the readout sees, at most: a draw of them, the same in all networks."
    )
    bins: int = Field(10, ge=1, description="Classes of distance that the spatial null keeps.")

    def stores(self) -> list[tuple[str, str]]:
        """The connectomes."""
        return [("connectome", name) for name in self.structure]
