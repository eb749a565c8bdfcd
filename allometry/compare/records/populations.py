"""Options of kinds of comparison that read populations: areas of recordings, and networks of simulation runs."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from allometry.compare.records.kinds import Options


class PopulationOptions(Options):
    """Options of a kind that reads Responses stores, of recordings and of simulation runs.

    Parameters
    ----------
    responses : list of str
        Names of homogenized Responses stores.
    simulated : list of str
        Names of simulation runs with `responses`.
    stimulus : str, optional
        Kind of stimulus.
    fewest_repeats : int
        Presentations that a stimulus needs; at least 2.

    Raises
    ------
    ValidationError
        Neither stores nor runs are named.
    """

    run_kind: ClassVar[str] = "network"
    run_key: ClassVar[str] = "simulated"
    reads_responses: ClassVar[bool] = True

    responses: list[str] = Field(
        default_factory=list, description="Responses stores; each area of a store is a population."
    )
    simulated: list[str] = Field(
        default_factory=list,
        description="Simulation runs with `responses`, beside the recordings; each network is a population.",
    )
    stimulus: str | None = Field(None, description="Kind of stimulus; needed where a store holds several.")
    fewest_repeats: int = Field(2, ge=2, description="Stimuli shown less often are left out.")

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
