"""Options of the comparison `trial_components`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from allometry.compare.records.kinds import Options


class TrialComponents(Options):
    """Trials x neurons x time in a few components (tensor component analysis), beside trials that are shuffled."""

    run_kind: ClassVar[str] = "network"
    run_key: ClassVar[str] = "simulated"

    kind: Literal["trial_components"] = Field(description="Components of trials x neurons x time.")
    simulated: list[str] = Field(
        default_factory=list,
        description="Simulation runs of kind `network`; the conditions of a point (each with a seed of its own) are its trials.",
    )
    responses: list[str] = Field(
        default_factory=list, description="Responses stores with lags and no negative values; presentations are trials."
    )
    populations: list[str] = Field(default_factory=list, description="Populations of a simulation; none: all of them.")
    components: list[Annotated[int, Field(ge=1)]] = Field(
        default=[1, 2, 3, 4, 6, 8],
        min_length=1,
        description="Numbers of components; that which predicts held-out trials best is chosen. One number is a stated choice.",
    )
    bin_ms: float = Field(25.0, gt=0, description="Bin of the counts of spikes, in ms.")
    skip_ms: float = Field(500.0, ge=0, description="Warm-up of a simulation that is left out, in ms.")
    max_units: int = Field(100, ge=5, description="Units that are taken, at random.")
    restarts: int = Field(4, ge=2, description="Starts of the chosen number of components, which are compared.")
    nulls: int = Field(39, ge=19, description="Tensors with the trials of every unit shuffled by themselves.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.responses and not self.simulated:
            raise ValueError("reads nothing; name what it decomposes under simulated or responses")
        return self

    def stores(self) -> list[tuple[str, str]]:
        """The responses."""
        return [("responses", name) for name in self.responses]

    def runs(self) -> list[str]:
        """The simulated runs."""
        return self.simulated
