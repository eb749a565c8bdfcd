"""Configuration of the scale stage: studies of one model at several sizes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from allometry.config.compute import ComputeConfig
from allometry.config.simulate import LONGEST_CONDITION, ConditionConfig
from allometry.config.values import Scalar, Seed
from allometry.pathnames import is_name
from allometry.settings import Model

FEWEST_CALIBRATION_SEEDS = 3
Size = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]


class CalibrationConfig(Model):
    """How the free factors of a scheme are calibrated to the rates of the full model."""

    seeds: list[Seed] = Field(
        default_factory=lambda: [101, 102, 103],
        min_length=FEWEST_CALIBRATION_SEEDS,
        description="Seeds of the simulations of a calibration, at least 3, none of them a seed of the study.",
    )
    duration_ms: float | None = Field(None, gt=0, description="Simulated time of each, in ms; null: that of the study.")
    conditions: list[str] = Field(
        default_factory=list, description="Conditions of the study that rates are calibrated in; none: all of them."
    )
    targets: dict[str, dict[str, Rate]] = Field(
        default_factory=dict,
        description="Target rates in spikes/s, by condition and population; empty: those of the full size in this study.",
    )
    tolerance: float = Field(
        0.04, gt=0, description="Largest |log(rate / target)| of a calibration that has converged."
    )
    iterations: int = Field(8, ge=1, description="Most iterations of a calibration; each is a simulation per seed.")
    step: float = Field(0.1, gt=0, description="Step of the forward differences, in the logarithm of a factor.")
    cap: float = Field(0.25, gt=0, description="Largest change of a factor in one iteration, in its logarithm.")
    damping: float = Field(0.15, ge=0, description="Levenberg's damping.")
    ridge: float = Field(0.003, gt=0, description="Pull of the factors towards 1.")


class FurtherSeeds(Model):
    """Seeds of some sizes beside those of all."""

    sizes: list[Size] = Field(min_length=1, description="Sizes of the study.")
    schemes: list[str] = Field(default_factory=list, description="Schemes of the study; none: all of them.")
    seeds: list[Seed] = Field(min_length=1, description="Further seeds of these sizes in these schemes.")


class StudyConfig(Model):
    """One model at several sizes: what its statistics keep, what they lose, and what that saves."""

    model: str = Field(
        description="Name of a model that can be reduced: microcircuit, brunel, a feature model, or that of a plugin."
    )
    parameters: dict[str, Scalar | None] = Field(
        default_factory=dict, description="Arguments of the model that are the same at every size."
    )
    sizes: list[Size] = Field(min_length=1, description="Sizes as the model takes them; 1 is the model as published.")
    reference: Size | None = Field(
        None,
        description="Size that the others are held against; null: 1 if it is studied, else the one of most neurons.",
    )
    schemes: list[str] = Field(min_length=1, description="Schemes of reduction, as the model names them.")
    seeds: list[Seed] = Field(min_length=1, description="Seeds; every size, scheme and seed is a job.")
    further_seeds: list[FurtherSeeds] = Field(
        default_factory=list, description="More seeds where values differ more between seeds, as in small networks."
    )
    populations: list[str] = Field(
        default_factory=list,
        description="Populations whose spikes are recorded and studied, of which `all` is then the whole; none: all of them.",
    )
    conditions: dict[str, ConditionConfig] = Field(
        default_factory=dict,
        description="Named conditions, all simulated by one job on one connectivity; none: the network as it is.",
    )
    statistics: list[str] = Field(
        default=["rate", "cv", "lv", "correlation", "synchrony", "synchrony_correlation"],
        min_length=1,
        description="Statistics that are taken of every simulation.",
    )
    duration_ms: float | None = Field(
        None, gt=0, description="Simulated time, in ms; null of feature models, which have none."
    )
    skip_ms: float = Field(500.0, ge=0, description="Warm-up that is left out, in ms.")
    precision: Literal["fast", "exact"] = Field("fast", description="`fast`: float32 state; `exact`: float64, as NEST.")
    voltage: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Number of neurons of each named population whose membrane potential is recorded, for voltage_sd; they are "
        "spread evenly over the population.",
    )
    states: list[str] = Field(
        default_factory=list,
        description="State variables that are recorded of the same neurons, for statistics of conductances and currents.",
    )
    bin_ms: float = Field(5.0, gt=0, description="Bin of the counts whose pairwise correlations are taken, in ms.")
    max_units: int = Field(250, ge=5, description="Units sampled from each population, for single units and pairs.")
    tolerance: float = Field(
        0.1, gt=0, description="Relative deviation from the reference up to which a statistic is kept."
    )
    runs: list[str] = Field(
        default_factory=list,
        description="Simulation runs whose points are measured where they are the same simulation, instead of another one.",
    )
    calibration: CalibrationConfig | None = Field(
        default_factory=CalibrationConfig,
        description="Calibration of the schemes that have free factors; null: none, all factors are 1.",
    )

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        for name in self.conditions:
            if not is_name(name) or len(name) > LONGEST_CONDITION or name == "all":
                raise ValueError(
                    f"{name!r} cannot name a condition; use lower-case letters, digits and _, beginning with a letter, at most "
                    f"{LONGEST_CONDITION} of them, and another name than all"
                )
        for key in ("sizes", "schemes", "seeds", "statistics", "runs"):
            values = getattr(self, key)
            if twice := [value for value in dict.fromkeys(values) if values.count(value) > 1]:
                raise ValueError(f"{key} lists {twice[0]} more than once")
        if self.reference is not None and self.reference not in self.sizes:
            raise ValueError(f"the reference {self.reference:g} is none of the sizes")
        for more in self.further_seeds:
            if unknown := [size for size in more.sizes if size not in self.sizes]:
                raise ValueError(f"further_seeds names size {unknown[0]:g}, which is none of the sizes")
            if others := [scheme for scheme in more.schemes if scheme not in self.schemes]:
                raise ValueError(f"further_seeds names the scheme {others[0]}, which is none of the schemes")
            if again := sorted(set(more.seeds) & set(self.seeds)):
                raise ValueError(f"further_seeds names seed {again[0]}, which is one of all sizes")
        how = self.calibration or CalibrationConfig()
        if away := [name for name in how.conditions if name not in self.conditions]:
            raise ValueError(f"calibration.conditions names {away[0]}, which is none of the conditions")
        if self.states and not self.voltage:
            raise ValueError("states are recorded of the neurons under voltage, and there are none")
        if self.duration_ms is not None and self.skip_ms >= self.duration_ms:
            raise ValueError(f"nothing is left of {self.duration_ms:g} ms when {self.skip_ms:g} ms are skipped")
        every = {*self.seeds, *(seed for more in self.further_seeds for seed in more.seeds)}
        if self.calibration and (shared := sorted(every & set(how.seeds))):
            raise ValueError(
                f"seed {shared[0]} is one of the study and of its calibration; use fresh seeds for the study"
            )
        return self


class CoarseNetworks(Model):
    """Full networks beside a coarse-grained model: those its tables are taken from, or those it is held against."""

    seeds: list[Seed] = Field(
        min_length=1, description="Seeds of the networks: of synapses and of the wiring from the LGN."
    )
    orientations_deg: list[Annotated[float, Field(ge=0, lt=180)]] = Field(
        default_factory=lambda: [0.0, 45.0, 90.0, 135.0],
        min_length=1,
        description="Orientations of the gratings they are shown beside the background, in degrees.",
    )
    duration_ms: float = Field(gt=0, description="Simulated time that is counted under each stimulus, in ms.")
    skip_ms: float = Field(500.0, ge=0, description="Warm-up before it, in ms.")


class CoarseConfig(Model):
    """V1 as pixels of cells in place of cells, held against the full network."""

    reduction: float = Field(1.0, ge=1, description="How many times fewer cells than in the cortex the network has.")
    pixel_um: float = Field(
        50.0, gt=0, description="Side of a pixel, in um; a hypercolumn of 500 um is a multiple of it."
    )
    training: CoarseNetworks = Field(description="Networks that the response tables are taken from.")
    evaluation: CoarseNetworks = Field(
        description="Networks that the model is held against, none of them of the training."
    )
    tolerance: float = Field(2e-3, gt=0, description="Largest relative change of a pixel at a fixed point.")
    iterations: int = Field(500, ge=1, description="Most updates; a fixed point that needs more is an error.")

    @model_validator(mode="after")
    def _are_other_networks(self) -> Self:
        for part in (self.training, self.evaluation):
            for key in ("seeds", "orientations_deg"):
                values = getattr(part, key)
                if len(set(values)) < len(values):
                    raise ValueError(f"{key} lists a value more than once")
        if shared := sorted(set(self.training.seeds) & set(self.evaluation.seeds)):
            raise ValueError(
                f"seed {shared[0]} is one of the training and of the evaluation; use fresh seeds to evaluate"
            )
        across = 500.0 / self.pixel_um
        if across < 1 or abs(across - round(across)) > 1e-9:
            raise ValueError(f"pixels of {self.pixel_um:g} um do not fill a hypercolumn of 500 um")
        return self


class ScaleConfig(Model):
    """Studies of scaling."""

    studies: dict[str, StudyConfig] = Field(
        default_factory=dict, description="Named studies; the name is the Scaling store below `results/scaled`."
    )
    compute: dict[str, ComputeConfig] = Field(
        default_factory=dict,
        description="Named studies of how compute scales; the name is the Compute store below `results/scaled/compute`.",
    )
    coarse: dict[str, CoarseConfig] = Field(
        default_factory=dict,
        description="Named coarse-grained models of V1; the name is the Scores store below `results/scaled`.",
    )
    memory_gib: float | None = Field(
        None, gt=0, description="Refuse studies of which a job needs more memory, in GiB; null: what this machine has."
    )
    hours: float | None = Field(
        None, gt=0, description="Refuse studies estimated to take longer in all; null: no limit."
    )

    @model_validator(mode="after")
    def _has_a_folder_of_its_own(self) -> Self:
        if "compute" in {*self.studies, *self.coarse}:
            raise ValueError("a study cannot be called compute: studies of compute scaling lie there")
        return self

    @model_validator(mode="after")
    def _has_names_of_its_own(self) -> Self:
        if shared := sorted(set(self.studies) & set(self.coarse)):
            raise ValueError(f"{shared[0]} names a study and a coarse-grained model; call one of them otherwise")
        return self
