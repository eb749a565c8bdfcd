"""Configuration of virtual recordings: what an experiment would have seen of a run."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from allometry.config.values import Positive, Seed
from allometry.settings import Model

Share = Annotated[float, Field(ge=0, lt=1)]


class TrialsConfig(Model):
    """Windows of a recording as presentations: a Responses store in place of traces or spikes."""

    window_ms: float = Field(500.0, gt=0, description="Length of a presentation, in ms; the windows are repeats.")


class ImagingConfig(Model):
    """What a microscope would have seen of a run: an Activity store."""

    kind: Literal["imaging"] = Field(description="Traces of an indicator: an Activity store.")
    run: str = Field(description="Run of networks whose points are recorded, each a recording of its own.")
    like: str | None = Field(
        None,
        description="Activity store of `homogenize` whose number of neurons, frame rate, noise and share of missing frames are "
        "taken where they are not set.",
    )
    populations: list[str] = Field(default_factory=list, description="Populations that are imaged; none: all of them.")
    neurons: int | None = Field(None, ge=1, description="Neurons, drawn at random; null: as `like`, or all if fewer.")
    frame_rate_hz: Positive | None = Field(None, description="Frame rate, in Hz; null: as `like`.")
    noise: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="Standard deviation of the noise of a frame, in dF/F; null: as `like`, in the units of its traces.",
    )
    missing: Share | None = Field(
        None, description="Share of the frames of a neuron that are missing; null: as `like`."
    )
    gap_s: float = Field(1.0, gt=0, description="Mean length of a gap, in s.")
    signal: Literal["spikes", "voltage"] = Field(
        "spikes", description="What drives the indicator: spikes, or recorded membrane potential above `threshold_mv`."
    )
    threshold_mv: float = Field(-50.0, description="Membrane potential above which calcium enters, in mV.")
    indicator: Literal["jgcamp7f", "jgcamp8f", "jgcamp8m"] | None = Field(
        None, description="Indicator whose amplitude, rise and decay are taken where they are not set."
    )
    amplitude: Positive | None = Field(None, description="dF/F of one spike, or per mV above the threshold.")
    rise_s: Annotated[float, Field(ge=0)] | None = Field(None, description="Time constant of the rise, in s.")
    decay_s: Positive | None = Field(None, description="Time constant of the decay, in s; above that of the rise.")
    saturation: Positive | None = Field(
        None,
        description="Calcium at half of the largest dF/F, in spikes (or mV above the threshold); null: no saturation.",
    )
    skip_ms: float = Field(0.0, ge=0, description="Warm-up that is not recorded, in ms.")
    trials: TrialsConfig | None = Field(None, description="Windows as presentations: a Responses store.")
    seed: Seed = Field(1, description="Of which neurons, noise and gaps.")

    @property
    def store_kind(self) -> str:
        """Kind of the store that is made."""
        return "activity" if self.trials is None else "responses"

    @property
    def like_kind(self) -> str:
        """Kind of the store that `like` names."""
        return "activity"

    @model_validator(mode="after")
    def _indicator_is_known(self) -> Self:
        if self.indicator is None and (
            lacking := [n for n in ("amplitude", "rise_s", "decay_s") if getattr(self, n) is None]
        ):
            raise ValueError(f"set {', '.join(lacking)}, or name an indicator")
        return self  # fmt: skip


class SortingConfig(Model):
    """What electrodes and a sorter would have found of a run: a Spikes store."""

    kind: Literal["sorting"] = Field(description="Sorted units: a Spikes store.")
    run: str = Field(description="Run of networks whose points are recorded.")
    like: str | None = Field(
        None,
        description="Spikes store of `homogenize` whose number of units, least rate and share of time that was not observed "
        "are taken where they are not set.",
    )
    populations: list[str] = Field(default_factory=list, description="Populations that are recorded; none: all.")
    units: int | None = Field(None, ge=1, description="Units, drawn at random; null: as `like`, or all if fewer.")
    least_rate_hz: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Neurons whose units would fire less are not found, in Hz; null: as `like`."
    )
    missing: Share | None = Field(None, description="Share of the time without a recording; null: as `like`.")
    gap_s: float = Field(1.0, gt=0, description="Mean length of a gap, in s.")
    missed: Share = Field(0.0, description="Probability that a spike is missed.")
    false_hz: float = Field(0.0, ge=0, description="Rate of spikes of noise in each unit, in Hz.")
    contamination: Share = Field(0.0, description="Probability that a spike of one other neuron falls into a unit too.")
    skip_ms: float = Field(0.0, ge=0, description="Warm-up that is not recorded, in ms.")
    trials: TrialsConfig | None = Field(None, description="Windows as presentations: a Responses store.")
    seed: Seed = Field(1, description="Of which neurons, missed and false spikes, and gaps.")

    @property
    def store_kind(self) -> str:
        """Kind of the store that is made."""
        return "spikes" if self.trials is None else "responses"

    @property
    def like_kind(self) -> str:
        """Kind of the store that `like` names."""
        return "spikes"


VirtualRecording = Annotated[ImagingConfig | SortingConfig, Field(discriminator="kind")]
