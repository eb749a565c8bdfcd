"""Options of the comparison `spike_statistics`."""

from typing import ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from allometry.compare.records.kinds import Options

SpikeStatistic = Literal[
    "rate",
    "cv",
    "lv",
    "correlation",
    "osi",
    "spectrum",
    "synchrony",
    "avalanches",
    "branching_ratio",
    "bursts",
    "timescale",
]

ON_REQUEST = ("bursts", "timescale")
"""Statistics of preparations that burst, and of activity that lasts, which are asked for by name."""


class SpikeStatistics(Options):
    """Statistics of spiking activity: simulation against simulation and data, beside what another seed changes."""

    run_kind: ClassVar[str] = "network"
    run_key: ClassVar[str] = "simulated"

    kind: Literal["spike_statistics"] = Field(description="Distributions of spike statistics against each other.")
    simulated: list[str] = Field(
        default_factory=list,
        description="Simulation runs of kind `network`; their points that differ only in the seed are one ensemble.",
    )
    spikes: list[str] = Field(default_factory=list, description="Spikes stores of recordings.")
    responses: list[str] = Field(
        default_factory=list,
        description="Responses stores: event rates, correlations over presentations, orientation selectivity.",
    )
    activity: list[str] = Field(default_factory=list, description="Activity stores: correlations of traces.")
    reference: str | None = Field(
        None,
        description="What all others are held against: a store, or a point without seed and digits (`scale0.1`); null: "
        "every pair is compared.",
    )
    statistics: list[SpikeStatistic] = Field(
        default=[name for name in get_args(SpikeStatistic) if name not in ON_REQUEST],
        min_length=1,
        description="Statistics that are compared; `bursts` of a population and `timescale` of units by name alone.",
    )
    areas: list[str] = Field(
        default_factory=list,
        description="Areas whose units count where a store has a table of timescales in place of the units' spikes; none: all.",
    )
    bin_ms: float = Field(2.0, gt=0, description="Bin of the counts whose pairwise correlations are taken, in ms.")
    skip_ms: float = Field(500.0, ge=0, description="Warm-up of a simulation that is left out, in ms.")
    max_units: int = Field(250, ge=20, description="Units sampled from each population, at random.")
    bootstrap: int = Field(200, ge=100, description="Resamples of units, and of time for population counts.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.stores() and not self.simulated:
            raise ValueError("reads nothing; name what it compares under simulated, spikes, responses or activity")
        return self

    def stores(self) -> list[tuple[str, str]]:
        """Spikes, responses, then traces."""
        kinds = {"spikes": self.spikes, "responses": self.responses, "activity": self.activity}
        return [(kind, name) for kind, names in kinds.items() for name in names]

    def runs(self) -> list[str]:
        """The simulated runs."""
        return self.simulated
