"""Options of the comparison `population_code`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from allometry.compare.records.kinds import Options


class PopulationCode(Options):
    """What populations of sensory neurons say about the stimulus."""

    run_kind: ClassVar[str] = "network"
    run_key: ClassVar[str] = "simulated"
    reads_responses: ClassVar[bool] = True

    kind: Literal["population_code"] = Field(
        description="Decoding, tuning, correlations, reliability of sensory populations."
    )
    responses: list[str] = Field(
        default_factory=list, description="Responses stores; each area of a store is a population."
    )
    simulated: list[str] = Field(
        default_factory=list,
        description="Simulation runs with `responses`, beside the recordings; each network is a population.",
    )
    stimulus: str | None = Field(None, description="Kind of stimulus; needed where a store holds several.")
    by: list[str] | None = Field(
        None,
        min_length=1,
        description="Columns of the presentations whose values make a stimulus; null: `direction` or `orientation` where "
        "there is one, else the conditions of the store.",
    )
    decoders: list[Literal["nearest_centroid", "correlation", "lda", "logistic"]] = Field(
        ["nearest_centroid", "correlation"], min_length=1, description="Decoders; the first is used for subsampling."
    )
    centre_blocks: bool | None = Field(
        None,
        description="Subtract each unit's mean over a block of presentations before decoding; null: where every stimulus "
        "was shown equally often.",
    )
    negative: Literal["rectify", "drop"] = Field(
        "rectify", description="Negative mean responses: count as 0 for selectivity, or leave their units out."
    )
    population_size: int | None = Field(
        None,
        ge=2,
        description="Neurons of the whole recurrent population, for the spectral radius; null: the recorded ones, which "
        "gives a lower bound.",
    )
    blanks: bool = Field(False, description="Keep blank screens as a stimulus.")
    fewest_repeats: int = Field(2, ge=2, description="Stimuli shown less often are left out.")
    nulls: int = Field(200, ge=20, description="Shuffles of labels and of trials.")
    subsets: int = Field(20, ge=2, description="Random subsets per size of the subsampling curves.")
    splits: int = Field(50, ge=5, description="Random halves of the repeats for reliability.")

    def stores(self) -> list[tuple[str, str]]:
        """The responses."""
        return [("responses", name) for name in self.responses]

    def runs(self) -> list[str]:
        """The simulated runs."""
        return self.simulated

    @property
    def populations_of(self) -> list[str]:
        """Names of everything that is read."""
        return list(dict.fromkeys([*self.responses, *self.simulated]))

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.populations_of:
            raise ValueError("reads nothing; name stores under responses, or runs under simulated")
        return self
