"""Configuration of the homogenize stage."""

from typing import Any, Literal

from pydantic import Field

from allometry.settings import Model


class ActivityOptions(Model):
    """Shared treatment of every recording on its way into an Activity store."""

    rate_hz: float = Field(3.0, gt=0, description="Common sampling rate of the canonical view, in Hz.")
    preset: Literal["default", "simeon2024"] = Field(
        "default",
        description="`default`: anti-aliased resampling, no smoothing, no imputation; `simeon2024`: the steps of that collection.",
    )
    label_policy: Literal["strict", "nearest", "drop"] = Field(
        "strict",
        description="Ambiguous labels such as `AWC?`: `strict` keeps them as ambiguous, `nearest` takes the first free name, "
        "`drop` leaves the ROI unlabelled.",
    )
    length_policy: Literal["error", "truncate"] = Field(
        "error", description="Trace and timestamps of different length: refuse, or cut to the shorter and record it."
    )
    impute: Literal["none", "iterative"] = Field(
        "none", description="Missing samples: keep NaN and mask, or impute and record."
    )
    empty_view: Literal["error", "keep"] = Field(
        "error",
        description="A recording of which no neuron is on the canonical axis: refuse it, or keep it at its native rate alone.",
    )


class HomogenizeConfig(Model):
    """Which stores are made from the registered data sets, and how."""

    connectome: list[str] = Field(
        default_factory=list, description="Stores of kind Connectome to make, by name in the registry."
    )
    activity: list[str] = Field(
        default_factory=list, description="Stores of kind Activity to make, by name in the registry."
    )
    responses: list[str] = Field(
        default_factory=list, description="Stores of kind Responses to make, by name in the registry."
    )
    spikes: list[str] = Field(
        default_factory=list, description="Stores of kind Spikes (recordings) to make, by name in the registry."
    )
    worm_stack: list[str] = Field(
        default_factory=list,
        description="Connectome stores of C. elegans that are stacked on the 302-neuron axis into one dense store; empty: no stack.",
    )
    recordings: ActivityOptions = Field(default_factory=ActivityOptions, description="Treatment of recordings.")
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Options of a reader by store name; they override those of the registry."
    )

    def stores(self) -> dict[str, list[str]]:
        """Names of the configured stores by kind."""
        return {
            "connectome": self.connectome,
            "activity": self.activity,
            "responses": self.responses,
            "spikes": self.spikes,
        }
