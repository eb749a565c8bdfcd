"""Options of a comparison: one model per kind."""

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from allometry.config.base import Model

Synapse = Literal["chemical", "electrical"]
SpikeStatistic = Literal[
    "rate", "cv", "lv", "correlation", "osi", "spectrum", "synchrony", "avalanches", "branching_ratio"
]
CHEMICAL_AND_ELECTRICAL: list[Synapse] = ["chemical", "electrical"]


class Comparison(Model):
    """What every comparison has."""

    run_kind: ClassVar[str] = "propagation"
    """Kind of simulation run that it reads, if any."""
    run_key: ClassVar[str] = "run"
    """Key that names the runs."""

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
    synapses: list[Synapse | Literal["mesoscale", "structural"]] = Field(
        default=[*CHEMICAL_AND_ELECTRICAL], min_length=1, description="Kinds of synapse whose weights are added."
    )
    radius: float = Field(0.9, gt=0, description="Spectral radius that every network is scaled to, dimensionless.")
    noise: float = Field(
        0.001, ge=0, description="Standard deviation of the noise of each unit, in units of its activation."
    )
    nulls: int = Field(
        49,
        ge=5,
        description="Null networks of each sort (degree-preserving, spatial, random); p is two-sided: 2/(n+1) or more.",
    )
    readout: int = Field(
        500, ge=10, description="Neurons that the readout sees, at most: a draw of them, the same in all networks."
    )
    bins: int = Field(10, ge=1, description="Classes of distance that the spatial null keeps.")

    def stores(self) -> list[tuple[str, str]]:
        """The connectomes."""
        return [("connectome", name) for name in self.structure]


class DynamicConnectome(Comparison):
    """Motifs of coupling over time, animals and pairs of neurons, and their communities."""

    kind: Literal["dynamic_connectome"] = Field(description="Dynamic functional connectome of recorded animals.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    structure: list[str] = Field(
        default_factory=list, description="Connectome stores whose modules are compared with the communities."
    )
    synapses: list[Synapse] = Field(
        default=CHEMICAL_AND_ELECTRICAL, min_length=1, description="Kinds of synapse that are added for the modules."
    )
    share: float = Field(
        0.75, gt=0, le=1, description="Neurons count that are labelled in at least this share of the recordings."
    )
    smooth_s: float = Field(1.0, ge=0, description="Width (sd) of the Gaussian filter before the derivative, s.")
    bin_s: float = Field(4.0, gt=0, description="Length of the bins in which affinities are averaged, s.")
    ranks: list[Annotated[int, Field(ge=1)]] = Field(
        default=[1, 2, 3, 4, 5, 6, 7, 8], min_length=1, description="Numbers of motifs that are tried, increasing."
    )
    restarts: int = Field(5, ge=2, description="Random starts for each number of motifs.")
    least_similarity: float = Field(
        0.8, gt=0, le=1, description="Restarts agree from this similarity on (1: the same factors)."
    )
    nulls: int = Field(39, ge=2, description="Sets of recordings whose neurons, or animals, are shifted in time.")

    @field_validator("ranks")
    @classmethod
    def _increasing(cls, value: list[int]) -> list[int]:
        if value != sorted(value):
            raise ValueError(f"increasing numbers expected; write {sorted(value)}")
        return value

    def stores(self) -> list[tuple[str, str]]:
        """Recordings, then connectomes."""
        return [("activity", name) for name in self.activity] + [("connectome", name) for name in self.structure]


class ActivityManifolds(Comparison):
    """Low-dimensional activity of several animals on shared neurons, and decoding of behaviour across animals."""

    kind: Literal["activity_manifolds"] = Field(description="Manifolds of activity compared across animals.")
    activity: list[str] = Field(
        min_length=1, description="Activity stores with labelled neurons; recordings are animals."
    )
    components: int = Field(3, ge=1, description="Principal components of the derivative.")
    states: list[str] = Field(
        default=["state", "reversal_vec"],
        description="Native variables with the behaviour state of every sample; the first that a recording has counts.",
    )
    ignored_states: list[str] = Field(
        default=["", "nostate"], description="States that stand for no state; their samples are left out."
    )
    fewest_samples: int = Field(20, ge=2, description="Samples of a state that each animal must have.")
    folds: int = Field(5, ge=2, description="Folds of the decoding within an animal, of contiguous blocks.")
    block_s: float = Field(
        30.0, gt=0, description="Length of the contiguous blocks of folds, resamples and permutations, s."
    )
    nulls: int = Field(1000, ge=20, description="Permutations of neurons, and of blocks of labels.")
    bootstrap: int = Field(
        500, ge=100, description="Resamples of neurons, and of blocks, for the confidence intervals."
    )

    def stores(self) -> list[tuple[str, str]]:
        """The recordings."""
        return [("activity", name) for name in self.activity]


class ModelRecovery(Comparison):
    """Pairs of known relation scored by every measure: which measure can tell which relation?"""

    kind: Literal["model_recovery"] = Field(description="Confusion matrix of measures on generated data.")
    of: Literal["representations", "connectomes", "influences"] = Field(
        "representations", description="What is generated, and which measures are tried."
    )
    items: int = Field(60, ge=8, description="Stimuli, or neurons of a connectome.")
    units: int = Field(24, ge=4, description="Units of each representation; connectomes have none.")
    noise: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Standard deviation of the noise in units of that of the responses; for connectomes the share of edges missed or added, for influences of influences without reason.",
    )
    draws: int = Field(20, ge=5, description="Independent pairs per relation.")
    nulls: int = Field(500, ge=20, description="Permutations of the names of the relations.")


class SpikeStatistics(Comparison):
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
        default=list(get_args(SpikeStatistic)), min_length=1, description="Statistics that are compared."
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


class PopulationCode(Comparison):
    """What populations of sensory neurons say about the stimulus."""

    kind: Literal["population_code"] = Field(
        description="Decoding, tuning, correlations, reliability of sensory populations."
    )
    responses: list[str] = Field(min_length=1, description="Responses stores; each area of a store is a population.")
    stimulus: str | None = Field(None, description="Kind of stimulus; needed where a store holds several.")
    by: list[str] | None = Field(
        None,
        min_length=1,
        description="Columns of the presentations whose values make a stimulus; null: `direction` or `orientation` where "
        "there is one, else the conditions of the store.",
    )
    decoders: list[Literal["nearest_centroid", "correlation", "lda", "logistic"]] = Field(
        ["nearest_centroid", "correlation"], min_length=1, description="Decoders; the first is used for subsampling."
    )
    centre_blocks: bool | None = Field(
        None,
        description="Subtract each unit's mean over a block of presentations before decoding; null: where every stimulus "
        "was shown equally often.",
    )
    negative: Literal["rectify", "drop"] = Field(
        "rectify", description="Negative mean responses: count as 0 for selectivity, or leave their units out."
    )
    population_size: int | None = Field(
        None,
        ge=2,
        description="Neurons of the whole recurrent population, for the spectral radius; null: the recorded ones, which "
        "gives a lower bound.",
    )
    blanks: bool = Field(False, description="Keep blank screens as a stimulus.")
    fewest_repeats: int = Field(2, ge=2, description="Stimuli shown less often are left out.")
    nulls: int = Field(200, ge=20, description="Shuffles of labels and of trials.")
    subsets: int = Field(20, ge=2, description="Random subsets per size of the subsampling curves.")
    splits: int = Field(50, ge=5, description="Random halves of the repeats for reliability.")

    def stores(self) -> list[tuple[str, str]]:
        """The responses."""
        return [("responses", name) for name in self.responses]


class RepresentationSimilarity(Comparison):
    """Representations of areas and animals against one another and against models on the same stimuli."""

    kind: Literal["representation_similarity"] = Field(
        description="Similarity of representations: areas, animals, and a bank of models."
    )
    responses: list[str] = Field(min_length=1, description="Responses stores; each area of a store is a population.")
    stimulus: str | None = Field(None, description="Kind of stimulus; needed where a store holds several.")
    measures: list[Literal["ssm", "cka", "rsa"]] = Field(
        ["ssm", "cka", "rsa"],
        min_length=1,
        description="Similarity of similarity matrices, debiased CKA, rank correlation of crossnobis distances; the first "
        "is used for curves.",
    )
    models: list[Literal["pixels", "gabor_simple", "gabor_complex", "motion_energy", "random_convolution"]] = Field(
        ["pixels", "gabor_simple", "gabor_complex", "motion_energy", "random_convolution"],
        description="Models of the bank; empty: none.",
    )
    between: bool = Field(True, description="Compare the populations with one another; they must share stimuli.")
    blanks: bool = Field(False, description="Keep blank screens as a stimulus; they are rendered grey.")
    fewest_repeats: int = Field(2, ge=2, description="Stimuli shown less often are left out.")
    field_deg: float = Field(
        120.0, gt=0, description="Width of the square screen that stimuli are rendered on, in degrees."
    )
    pixels: int = Field(64, ge=16, description="Pixels along a side of it.")
    spatial_frequency: float = Field(
        0.04, gt=0, description="Of gratings whose table does not say it, in cycles per degree."
    )
    temporal_frequency: float = Field(2.0, gt=0, description="Of drifting gratings whose table does not say it, in Hz.")
    contrast: float = Field(0.8, gt=0, le=1, description="Of gratings whose table does not say it.")
    gabor_frequencies: list[Annotated[float, Field(gt=0)]] = Field(
        [0.02, 0.04, 0.08, 0.16], min_length=1, description="Levels of the Gabor pyramid, in cycles per degree."
    )
    orientations: int = Field(8, ge=2, description="Orientations of the Gabor filters.")
    nulls: int = Field(1000, ge=20, description="Orders of the stimuli for p.")
    bootstrap: int = Field(500, ge=100, description="Resamples of the stimuli for the confidence interval.")
    splits: int = Field(50, ge=5, description="Random halves of the repeats and of the units.")

    def stores(self) -> list[tuple[str, str]]:
        """The responses."""
        return [("responses", name) for name in self.responses]
