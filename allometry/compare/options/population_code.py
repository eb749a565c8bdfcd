"""Options of the comparison `population_code`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.populations import PopulationOptions


class PopulationCode(PopulationOptions):
    """What populations of sensory neurons say about the stimulus."""

    kind: Literal["population_code"] = Field(
        description="Decoding, tuning, correlations, reliability of sensory populations."
    )
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
    manifolds: bool = Field(
        False,
        description="Also the capacity of the manifolds of repeats, and few-shot learning of stimuli.",
    )
    blanks: bool = Field(False, description="Keep blank screens as a stimulus.")
    nulls: int = Field(200, ge=20, description="Shuffles of labels and of trials.")
    subsets: int = Field(20, ge=2, description="Random subsets per size of the subsampling curves.")
    splits: int = Field(50, ge=5, description="Random halves of the repeats for reliability.")
