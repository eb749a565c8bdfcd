"""Configuration of the compare stage: comparisons by name."""

from collections.abc import Iterable
from typing import Annotated, Any, Union

from pydantic import Field, create_model

from allometry.compare.records.kinds import Options
from allometry.settings import Model


class CompareConfig(Model):
    """Which stores are compared, and how."""

    comparisons: dict[str, Options] = Field(
        default_factory=dict, description="Named comparisons; the name is the Scores store below `results/compared`."
    )


def compare_model(kinds: Iterable[type[Options]]) -> type[CompareConfig]:
    """The model with the options of every kind of comparison, told apart by `kind`."""
    field = CompareConfig.model_fields["comparisons"]
    options: Any = Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007
    return create_model(
        "CompareConfig",
        __base__=CompareConfig,
        __doc__=CompareConfig.__doc__,
        __module__=CompareConfig.__module__,
        comparisons=(dict[str, options], Field(default_factory=dict, description=field.description)),
    )
