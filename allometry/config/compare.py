"""Configuration of the compare stage: named comparisons, one model per kind."""

from typing import Annotated, Literal

from pydantic import Field

from allometry.config.base import Model

Synapse = Literal["chemical", "electrical"]
CHEMICAL_AND_ELECTRICAL: list[Synapse] = ["chemical", "electrical"]


class Comparison(Model):
    """What every comparison has."""

    seed: int = Field(1, ge=0, description="Seed of every resample, permutation and rewiring.")

    def stores(self) -> list[tuple[str, str]]:
        """Kind and name of every homogenized store that is read."""
        return []

    def runs(self) -> list[str]:
        """Names of the simulation runs that are read."""
        return []


class StructureFunction(Comparison):
    """Measured signal propagation held against anatomical connectomes."""

    kind: Literal["structure_function"] = Field(description="Signal propagation atlas against anatomical connectomes.")
    function: list[str] = Field(
        min_length=1, description="Connectome stores with functional edges (value, q per pair)."
    )
    structure: list[str] = Field(
        min_length=1, description="Anatomical connectome stores; each is compared with each atlas."
    )
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL,
        min_length=1,
        description="Kinds of synapse whose counts are added to one weight.",
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="A pair counts as connected in function where q is below this.")
    nulls: int = Field(200, ge=20, description="Degree-preserving rewirings per connectome.")
    bootstrap: int = Field(1000, ge=100, description="Resamples of the stimulated neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Atlases first, then connectomes."""
        return [("connectome", name) for name in [*self.function, *self.structure]]


class ConnectomeAgreement(Comparison):
    """Every pair of annotations of one nervous system."""

    kind: Literal["connectome_agreement"] = Field(description="Connectome against connectome.")
    structure: list[str] = Field(min_length=2, description="Connectome stores; every ordered pair is compared.")
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse; each is compared by itself."
    )
    nulls: int = Field(50, ge=20, description="Degree-preserving rewirings of the candidate per pair.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """The connectomes."""
        return [("connectome", name) for name in self.structure]


class Propagation(Comparison):
    """Simulated signal propagation held against measured signal propagation."""

    kind: Literal["propagation"] = Field(description="Simulated against measured signal propagation.")
    run: str = Field(description="Simulation run of kind `propagation`; each of its points is a candidate.")
    function: str = Field(description="Connectome store with functional edges (value, q per pair).")
    structure: list[str] = Field(
        min_length=1,
        description="Anatomical connectome stores that the run simulates: they give the direct-weight predictor.",
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="A pair counts as connected in function where q is below this.")
    nulls: int = Field(
        200, ge=20, description="Degree-preserving rewirings of the connectome for the direct-weight null."
    )
    bootstrap: int = Field(1000, ge=100, description="Resamples of the driven neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """The atlas, then the connectomes."""
        return [("connectome", name) for name in [self.function, *self.structure]]

    def runs(self) -> list[str]:
        """The propagation run."""
        return [self.run]


class StructureBold(Comparison):
    """Structural connectivity held against correlation of BOLD, subject by subject."""

    kind: Literal["structure_bold"] = Field(description="Human structural connectivity against BOLD correlation.")
    activity: list[str] = Field(min_length=1, description="Activity stores with BOLD; every recording is a subject.")
    structure: list[str] = Field(
        min_length=1, description="Structural connectome stores, matched to recordings by subject."
    )
    nulls: int = Field(1000, ge=20, description="Permutations of the regions.")
    bootstrap: int = Field(1000, ge=100, description="Resamples of the regions for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]


class ActivityStructure(Comparison):
    """Correlation of activity held against connectomes."""

    kind: Literal["activity_structure"] = Field(description="Correlation of activity against connectomes.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    structure: list[str] = Field(min_length=1, description="Connectome stores with the same neuron names.")
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse, each by itself and all together."
    )
    nulls: int = Field(500, ge=20, description="Permutations of the neurons.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the neurons for the confidence interval.")

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]


class ConnectomeReservoir(Comparison):
    """Connectomes used as reservoirs, against null wiring."""

    kind: Literal["connectome_reservoir"] = Field(description="Memory and timing of connectomes used as reservoirs.")
    structure: list[str] = Field(min_length=1, description="Connectome stores.")
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse whose counts are added."
    )
    radius: float = Field(0.9, gt=0, description="Spectral radius that every network is scaled to, dimensionless.")
    noise: float = Field(
        0.001, ge=0, description="Standard deviation of the noise of each unit, in units of its activation."
    )
    nulls: int = Field(20, ge=5, description="Null networks of each sort (degree-preserving, random).")

    def stores(self) -> list[tuple[str, str]]:
        """The connectomes."""
        return [("connectome", name) for name in self.structure]


class ModelRecovery(Comparison):
    """Pairs of known relation scored by every measure: which measure can tell which relation?"""

    kind: Literal["model_recovery"] = Field(description="Confusion matrix of measures on generated data.")
    of: Literal["representations", "connectomes"] = Field(
        "representations", description="What is generated, and which measures are tried."
    )
    items: int = Field(60, ge=8, description="Stimuli, or neurons of a connectome.")
    units: int = Field(24, ge=4, description="Units of each representation; connectomes have none.")
    noise: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Standard deviation of the noise in units of that of the responses; for connectomes the share of edges missed or added.",
    )
    draws: int = Field(20, ge=5, description="Independent pairs per relation.")
    nulls: int = Field(500, ge=20, description="Permutations of the names of the relations.")


AnyComparison = Annotated[
    StructureFunction
    | ConnectomeAgreement
    | Propagation
    | StructureBold
    | ActivityStructure
    | ConnectomeReservoir
    | ModelRecovery,
    Field(discriminator="kind"),
]


class CompareConfig(Model):
    """Which stores are compared, and how."""

    comparisons: dict[str, AnyComparison] = Field(
        default_factory=dict, description="Named comparisons; the name is the Scores store below `results/compared`."
    )
