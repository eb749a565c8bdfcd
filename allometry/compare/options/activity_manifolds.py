"""Options of the comparison `activity_manifolds`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options


class ActivityManifolds(Options):
    """Low-dimensional activity of several animals on shared neurons, and decoding of behaviour across animals."""

    kind: Literal["activity_manifolds"] = Field(description="Manifolds of activity compared across animals.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    components: int = Field(3, ge=1, description="Principal components of the derivative.")
    states: list[str] = Field(
        default=["state", "reversal_vec"],
        description="Native variables with the behaviour state of every sample; the first that a recording has counts.",
    )
    ignored_states: list[str] = Field(
        default=["", "nostate"], description="States that stand for no state; their samples are left out."
    )
    fewest_samples: int = Field(20, ge=2, description="Samples of a state that each animal must have.")
    folds: int = Field(5, ge=2, description="Folds of the decoding within an animal, of contiguous blocks.")
    block_s: float = Field(
        30.0, gt=0, description="Length of the contiguous blocks of folds, resamples and permutations, s."
    )
    nulls: int = Field(1000, ge=20, description="Permutations of neurons, and of blocks of labels.")
    bootstrap: int = Field(
        500, ge=100, description="Resamples of neurons, and of blocks, for the confidence intervals."
    )

    def stores(self) -> list[tuple[str, str]]:
        """The recordings."""
        return [("activity", name) for name in self.activity]
