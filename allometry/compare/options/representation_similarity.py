"""Options of the comparison `representation_similarity`."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from allometry.compare.records.populations import PopulationOptions

Model = Literal["pixels", "gabor_simple", "gabor_complex", "motion_energy", "random_convolution"]
SPATIAL_FREQUENCY, TEMPORAL_FREQUENCY, CONTRAST = 0.04, 2.0, 0.8
GABOR_FREQUENCIES = [0.02, 0.04, 0.08, 0.16]


class RepresentationSimilarity(PopulationOptions):
    """Representations of areas and animals against one another and against models on the same stimuli."""

    kind: Literal["representation_similarity"] = Field(
        description="Similarity of representations: areas, animals, and a bank of models."
    )
    measures: list[Literal["ssm", "cka", "svcca", "rsa"]] = Field(
        ["ssm", "cka", "rsa"],
        min_length=1,
        description="Similarity of similarity matrices, debiased CKA, mean canonical correlation of singular directions, rank "
        "correlation of crossnobis distances; the first is used for curves.",
    )
    models: list[Model] = Field(list(get_args(Model)), description="Models of the bank; empty: none.")
    between: bool = Field(True, description="Compare the populations with one another; they must share stimuli.")
    decoding_across: bool = Field(
        False,
        description="Decode the stimuli of each store with a decoder of every other, area by area: stores of different animals.",
    )
    blanks: bool = Field(False, description="Keep blank screens as a stimulus; they are rendered grey.")
    field_deg: float = Field(
        120.0, gt=0, description="Width of the square screen that stimuli are rendered on, in degrees."
    )
    pixels: int = Field(64, ge=16, description="Pixels along a side of it.")
    spatial_frequency: float = Field(
        SPATIAL_FREQUENCY, gt=0, description="Of gratings whose table does not say it, in cycles per degree."
    )
    temporal_frequency: float = Field(
        TEMPORAL_FREQUENCY, gt=0, description="Of drifting gratings whose table does not say it, in Hz."
    )
    contrast: float = Field(CONTRAST, gt=0, le=1, description="Of gratings whose table does not say it.")
    gabor_frequencies: list[Annotated[float, Field(gt=0)]] = Field(
        GABOR_FREQUENCIES, min_length=1, description="Levels of the Gabor pyramid, in cycles per degree."
    )
    orientations: int = Field(8, ge=2, description="Orientations of the Gabor filters.")
    nulls: int = Field(1000, ge=20, description="Orders of the stimuli for p.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the stimuli for the confidence interval.")
    splits: int = Field(50, ge=5, description="Random halves of the repeats and of the units.")
