"""Values that several parts of the configuration have."""

from typing import Annotated

from pydantic import Field

Scalar = bool | int | float | str
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(gt=0)]
Factor = Annotated[float, Field(ge=0)]
Index = Annotated[int, Field(ge=0)]
Swept = dict[str, Scalar | Annotated[list[Scalar], Field(min_length=1)] | None]
"""Arguments of a model; a list is swept."""
