"""Configuration of runs of feature models: units that respond to stimuli, without spikes."""

from typing import Literal

from pydantic import Field

from allometry.config.values import Seed, Swept
from allometry.settings import Model


class GatheredConfig(Model):
    """The responses of all points of a run in one store, in the schema of recordings."""

    populations: list[str] = Field(
        default_factory=list, description="Areas of the model whose units are taken; none: all of them."
    )
    max_units: int = Field(200, ge=1, description="Units of each network and area, spread evenly.")


class FeatureRun(Model):
    """Responses of one feature model over a grid of parameters and seeds.

    Parameters
    ----------
    kind : {"feature"}
    model : str
        Name of the model.
    parameters : dict of str to scalar or list
        Arguments of the model's builder; a list is swept.
    seeds : list of int
        Each is a point of its own.
    responses : GatheredConfig or None
        The responses of all points in one store.
    """

    kind: Literal["feature"] = Field(description="A feature model of `allometry.models.features`.")
    model: str = Field(description="Name of the model: cerebellum_like, v2_feedforward, or that of a plugin.")
    parameters: Swept = Field(
        default_factory=dict,
        description="Arguments of the model; a list is swept, and lists are combined with each other.",
    )
    seeds: list[Seed] = Field(
        default_factory=lambda: [1], min_length=1, description="Seeds; each is a point of its own."
    )
    responses: GatheredConfig | None = Field(
        None,
        description="Also write the responses of all points in one store, for comparisons that read recordings: "
        "`results/simulated/{run}.responses.zarr`. All points must show the same stimuli.",
    )

    @property
    def connectome(self) -> list[str]:
        """Connectomes that its points read: none."""
        return []
