"""Options of the comparison `model_recovery`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from allometry.compare.records.kinds import Options


class ModelRecovery(Options):
    """Pairs of known relation scored by every measure: which measure can tell which relation?"""

    run_kind: ClassVar[str] = "network"
    run_key: ClassVar[str] = "simulated"
    reads_responses: ClassVar[bool] = True

    kind: Literal["model_recovery"] = Field(description="Confusion matrix of measures on generated data.")
    of: Literal["representations", "connectomes", "influences"] = Field(
        "representations", description="What is generated, and which measures are tried."
    )
    simulated: list[str] = Field(
        default_factory=list,
        description="Simulation runs with `responses`: representations are drawn from those of their networks, by stimuli and "
        "units; none: they are generated.",
    )
    items: int = Field(60, ge=8, description="Stimuli, or neurons of a connectome.")
    units: int = Field(24, ge=4, description="Units of each representation; connectomes have none.")
    noise: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Standard deviation of the noise in units of that of the responses; for connectomes the share of edges missed or added, for influences of influences without reason.",
    )
    draws: int = Field(20, ge=5, description="Independent pairs per relation.")
    nulls: int = Field(500, ge=20, description="Permutations of the names of the relations.")

    def runs(self) -> list[str]:
        """The simulated runs."""
        return self.simulated

    @model_validator(mode="after")
    def _of_representations(self) -> Self:
        if self.simulated and self.of != "representations":
            raise ValueError(f"simulated responses are representations, and no {self.of}")
        return self
