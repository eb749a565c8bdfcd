"""Kinds of synapse that options of comparisons name."""

from typing import Literal

Synapse = Literal["chemical", "electrical"]
CHEMICAL_AND_ELECTRICAL: list[Synapse] = ["chemical", "electrical"]
