"""Options of the comparison `propagation`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options


class Propagation(Options):
    """Simulated signal propagation held against measured signal propagation."""

    kind: Literal["propagation"] = Field(description="Simulated against measured signal propagation.")
    run: str = Field(description="Simulation run of kind `propagation`; each of its points is a candidate.")
    function: str | None = Field(
        None,
        description="Connectome store with measured functional edges (value, q per pair); null: the simulated influence is held "
        "against the connections themselves, direct and over several steps.",
    )
    structure: list[str] = Field(
        min_length=1,
        description="Anatomical connectome stores that the run simulates: they give the direct-weight predictor.",
    )
    steps: int = Field(3, ge=2, le=6, description="Synapses of the longest path of `multi_step`, without `function`.")
    alpha: float = Field(0.05, gt=0, lt=1, description="A pair counts as connected in function where q is below this.")
    nulls: int = Field(
        200, ge=20, description="Degree-preserving rewirings of the connectome for the direct-weight null."
    )
    bootstrap: int = Field(1000, ge=100, description="Resamples of the driven neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """The atlas, then the connectomes."""
        return [("connectome", name) for name in [*([self.function] if self.function else []), *self.structure]]

    def runs(self) -> list[str]:
        """The propagation run."""
        return [self.run]
