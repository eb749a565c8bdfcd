"""Configuration of the simulate stage: runs, and the points that a run consists of."""

import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from allometry.config.clamps import ClampConfig
from allometry.config.features import FeatureRun
from allometry.config.recordings import VirtualRecording
from allometry.config.values import Factor, Index, Positive, Scalar, Seed, Swept
from allometry.pathnames import is_name, part, shortened
from allometry.settings import Model

LONGEST_CONDITION = 40


class RecordConfig(Model):
    """What a simulation records."""

    spikes: bool = Field(True, description="Record every spike.")
    populations: list[str] = Field(
        default_factory=list, description="Populations whose spikes are recorded; none: all of them."
    )
    counts_bin_ms: float | None = Field(
        None, gt=0, description="Also record spike counts per neuron in bins of this width, in ms."
    )
    voltage: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Number of neurons of each named population whose membrane potential is recorded.",
    )


class ConditionConfig(Model):
    """What one condition of a run changes of its network; connections and delays stay."""

    seed: Seed | None = Field(
        None, description="Seed of drive and initial voltages; null: that of the point. The connections keep theirs."
    )
    stimulus: dict[str, float] = Field(
        default_factory=dict,
        description="Parameters of the model's stimulus, as orientation_deg and contrast of v1; with one, and without a seed, "
        "the drive has a seed of its own: another stimulus is another trial.",
    )
    rate_factors: dict[str, Factor] = Field(
        default_factory=dict, description="By population: factor on the rate of each of its Poisson inputs."
    )
    weight_factors: dict[str, Factor] = Field(
        default_factory=dict,
        description="By projection, `source -> target`: factor on the weights of all projections between the two; 0 cuts it.",
    )
    silenced: dict[str, Index | Annotated[list[Index], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By population: neurons that emit no spikes, the number of them (the first ones) or their indices.",
    )
    currents_pa: dict[str, float] = Field(
        default_factory=dict, description="By population: a further constant current into every neuron, in pA."
    )
    parameters: dict[str, Scalar | None] = Field(
        default_factory=dict,
        description="Arguments of a feature model that are others in this condition of a study; networks have none.",
    )


class ResponsesConfig(Model):
    """Responses of the units of a run to the stimuli of its conditions, in the schema of recordings."""

    populations: list[str] = Field(min_length=1, description="Populations whose units respond.")
    window_ms: float = Field(
        500.0, gt=0, description="Length of a presentation, in ms: whole cycles of a grating; the windows are repeats."
    )
    skip_ms: float = Field(500.0, ge=0, description="Warm-up that is left out, in ms.")
    max_units: int = Field(
        200,
        ge=5,
        description="Units of each network and population, drawn at random; of models that say which are `inner`, of those.",
    )


class NetworkRun(Model):
    """Simulations of one model over a grid of parameters and seeds.

    Parameters
    ----------
    kind : {"network"}
    model : str
        Name of the model.
    parameters : dict of str to scalar or list
        Arguments of the model's builder, in its units; a list is swept.
    connectome : list of str
        Connectome stores, each a point of its own.
    duration_ms : float
        Simulated time, ms, above 0.
    seeds : list of int
        Each is a point of its own.
    precision : {"fast", "exact"}
        float32 or float64 state.
    record : RecordConfig
        What is recorded.
    conditions : dict of str to ConditionConfig
        Changes of the network by name, each with a store of its own.
    responses : ResponsesConfig or None
        Responses to the stimuli of the conditions.
    """

    kind: Literal["network"] = Field("network", description="A spiking network model of `allometry.models`.")
    model: str = Field(description="Name of the model: microcircuit, brunel or connectome_lif.")
    parameters: Swept = Field(
        default_factory=dict,
        description="Arguments of the model; a list is swept, and lists are combined with each other.",
    )
    connectome: list[str] = Field(
        default_factory=list,
        description="Connectome stores that a connectome model is built from; each is a point of its own.",
    )
    duration_ms: float = Field(gt=0, description="Simulated time, in ms.")
    seeds: list[Seed] = Field(
        default_factory=lambda: [1], min_length=1, description="Seeds; each is a point of its own."
    )
    precision: Literal["fast", "exact"] = Field("fast", description="`fast`: float32 state; `exact`: float64, as NEST.")
    record: RecordConfig = Field(default_factory=RecordConfig, description="What is recorded.")
    conditions: dict[str, ConditionConfig] = Field(
        default_factory=dict,
        description="Named conditions, each with a store of its own; a job simulates all of them on one connectivity. "
        "Where there are any, the network as it is is one only if it is named too: `unchanged: {}`.",
    )
    responses: ResponsesConfig | None = Field(
        None,
        description="Also write the responses to the stimuli of the conditions, for comparisons that read recordings: "
        "`results/simulated/{run}.responses.zarr`.",
    )

    @model_validator(mode="after")
    def _conditions_can_be_told_apart(self) -> Self:
        for name in self.conditions:
            if not is_name(name) or len(name) > LONGEST_CONDITION:
                raise ValueError(
                    f"{name!r} cannot name a condition; use lower-case letters, digits and _, beginning with a letter, at most "
                    f"{LONGEST_CONDITION} of them"
                )
            for other in self.conditions:
                if name.endswith(f"_{other}"):
                    raise ValueError(f"the name of condition {name} ends in that of {other}; choose another")
        if changed := [name for name, condition in self.conditions.items() if condition.parameters]:
            raise ValueError(f"the condition {changed[0]} changes parameters: make them parameters of the run")
        if self.responses is not None:
            if not any(condition.stimulus for condition in self.conditions.values()):
                raise ValueError("responses need conditions with a stimulus")
            asked = self.responses
            if asked.skip_ms + 2 * asked.window_ms > self.duration_ms:
                raise ValueError(
                    f"{self.duration_ms:g} ms do not hold two windows of {asked.window_ms:g} ms after {asked.skip_ms:g} ms"
                )
        return self


class PropagationRun(Model):
    """Every neuron of a connectome is driven in turn; the response is the peak depolarisation of every other neuron.

    Parameters
    ----------
    kind : {"propagation"}
    connectome : list of str
        Connectome stores, each a point of its own.
    weight_mv : list of float
        Weights per synapse, mV, each a point.
    gap_junction : list of float
        Conductances of one gap junction over the leak conductance, each a point.
    rate_hz : float
        Rate of the regular drive, Hz.
    duration_ms : float
        Simulated time per driven neuron, ms.
    driven : int or None
        Neurons that are driven one at a time, drawn at random; None: every one.
    rewirings : int
        Rewired connectomes per point, its null.
    rewiring_seed : int
        Their seed.
    """

    kind: Literal["propagation"] = Field(description="Signal propagation through a connectome.")
    connectome: list[str] = Field(min_length=1, description="Connectome stores; each is a point of its own.")
    weight_mv: list[Positive] = Field(
        default_factory=lambda: [0.275, 0.55, 1.1, 2.2],
        min_length=1,
        description="Weight per synapse, in mV; each is a point.",
    )
    gap_junction: list[Annotated[float, Field(ge=0)]] = Field(
        default_factory=lambda: [0.0],
        min_length=1,
        description="Conductance of one gap junction over the leak conductance; 0 leaves them out.",
    )
    rate_hz: float = Field(150.0, gt=0, description="Rate of the regular drive to the driven neuron, in Hz.")
    duration_ms: float = Field(1000.0, gt=0, description="Simulated time per driven neuron, in ms.")
    driven: int | None = Field(
        None,
        ge=10,
        description="Neurons that are driven, drawn at random with `rewiring_seed`; null: every one, which takes the square of a large "
        "connectome.",
    )
    rewirings: int = Field(
        0,
        ge=0,
        description="Connectomes rewired with every degree kept that each point simulates as its null; 0: none.",
    )
    rewiring_seed: int = Field(
        1, ge=0, description="Seed of the rewirings and of `driven`; the simulation itself has no randomness."
    )


AnyRun = NetworkRun | PropagationRun | FeatureRun
Run = Annotated[AnyRun, Field(discriminator="kind")]


class SimulateConfig(Model):
    """Simulations to run."""

    runs: dict[str, Run] = Field(
        default_factory=dict, description="Named runs; the name is the folder below `results/simulated`."
    )
    recordings: dict[str, VirtualRecording] = Field(
        default_factory=dict,
        description="Virtual recordings of runs: what an experiment would have seen of them; each is a store "
        "`results/simulated/{name}.recording.zarr`.",
    )
    clamps: dict[str, ClampConfig] = Field(
        default_factory=dict,
        description="Single cells under current or voltage clamp; each is a store `results/simulated/{name}.clamp.zarr`.",
    )
    partitions: int = Field(
        1, ge=1, description="Partitions of target neurons, one Dask task each; the spikes do not depend on it."
    )
    threads: int | None = Field(
        None, ge=1, description="Threads per partition; null: the cores of the job divided by the partitions."
    )
    checkpoint: Literal["auto", "off"] | Positive = Field(
        "auto",
        description="Checkpoints that a killed simulation continues from: `auto` in runs that take more than five minutes, "
        "`off`, or the seconds between them. The spikes do not depend on it.",
    )
    memory_gib: float | None = Field(
        None, gt=0, description="Refuse runs estimated to need more, in GiB; null: what is free."
    )
    wall_time_s: float | None = Field(
        None,
        gt=0,
        description="Seconds that the job of a simulation may take; shortly before, it makes a last checkpoint and ends with "
        "status 75, to be continued by the next. null: what is left of its SLURM job.",
    )

    @field_validator("checkpoint", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        # YAML takes the plain word for a truth value
        return "off" if value is False else value


@dataclass(frozen=True)
class Point:
    """One simulation of a run.

    Attributes
    ----------
    name : str
        Readable parameters and 8 hex digits of all resolved parameters; the stem of the store.
    kind : str
        ``network``, ``propagation`` or ``feature``.
    parameters : dict
        Everything that determines the result.
    connectome : str or None
        Connectome store that the point reads.
    job : str
        Its name without that of its condition: points of one job are simulated together.
    """

    name: str
    kind: str
    parameters: dict[str, Any]
    connectome: str | None
    job: str


def points(run: AnyRun) -> list[Point]:
    """Points of a run: the product of its lists and conditions, each a store of its own; one job does all conditions.

    Parameters
    ----------
    run : NetworkRun, PropagationRun or FeatureRun

    Returns
    -------
    list of Point
        Conditions vary fastest, then seeds.
    """
    if isinstance(run, PropagationRun):
        swept: dict[str, list[Any]] = {
            "connectome": list(run.connectome),
            "weight_mv": run.weight_mv,
            "gap_junction": run.gap_junction,
        }
        fixed: dict[str, Any] = {
            "rate_hz": run.rate_hz,
            "duration_ms": run.duration_ms,
            "rewirings": run.rewirings,
            "rewiring_seed": run.rewiring_seed,
            **({"driven": run.driven} if run.driven is not None else {}),
        }
    else:
        swept = {name: value if isinstance(value, list) else [value] for name, value in sorted(run.parameters.items())}
        swept = {"connectome": list(run.connectome) or [None], **swept, "seed": list(run.seeds)}
        fixed = {"model": run.model}
    if isinstance(run, NetworkRun):
        fixed |= {
            "duration_ms": run.duration_ms,
            "precision": run.precision,
            "record": _said(run.record, "populations"),
        }
    result = []
    for combination in itertools.product(*swept.values()):
        chosen = dict(zip(swept, combination))
        connectome = chosen.pop("connectome")
        if not isinstance(run, PropagationRun):
            seed = chosen.pop("seed")
            resolved = {"kind": run.kind, **fixed, "connectome": connectome, "parameters": chosen, "seed": seed}
            readable = [f"{name}{_short(value)}" for name, value in chosen.items()] + [f"s{seed}"]
        else:
            resolved = {"kind": run.kind, **fixed, "connectome": connectome, **chosen}
            readable = [f"w{_short(chosen['weight_mv'])}", f"gap{_short(chosen['gap_junction'])}"]
        if connectome:
            readable.insert(0, connectome)
        if isinstance(run, NetworkRun) and run.conditions:
            result += _under_conditions(run, resolved, readable, connectome)
            continue
        name = f"{shortened('_'.join(readable))}_{_digest(resolved)}"
        result.append(Point(name, run.kind, resolved, connectome, name))
    return result


def _under_conditions(
    run: NetworkRun, resolved: dict[str, Any], readable: list[str], connectome: str | None
) -> list[Point]:
    """Points of one job: their names are `{settings}{condition}_{end}`, the settings and the end being those of the job."""
    conditions = {name: _said(condition, "stimulus", "parameters") for name, condition in run.conditions.items()}
    *settings, seed = readable
    start = f"{shortened('_'.join(settings))}_" if settings else ""
    end = f"{seed}_{_digest({**resolved, 'conditions': conditions})}"
    return [
        Point(
            f"{start}{name}_{end}",
            run.kind,
            {**resolved, "condition": {"name": name, **condition}},
            connectome,
            f"{start}{end}",
        )
        for name, condition in conditions.items()
    ]


def _said(settings: Model, *optional: str) -> dict[str, Any]:
    """Settings as plain values, of the optional ones those that say something: names of points do not change with others."""
    return {key: value for key, value in settings.model_dump().items() if value or key not in optional}


def _digest(resolved: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()[:8]


def _short(value: Any) -> str:
    # without the +, which would become the sign of a small number
    return part(f"{value:g}".replace("e+", "e") if isinstance(value, float) else str(value))
