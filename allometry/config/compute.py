"""Configuration of studies of compute scaling: what is measured, and what machine it is carried over to."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from allometry.config.values import Positive, Scalar, Seed
from allometry.settings import Model

Count = Annotated[int, Field(ge=1)]
Several = Annotated[int, Field(ge=2)]
FEWEST_THREADS = 2


class Machine(Model):
    """Nodes and a network that were not measured: what the extrapolation assumes."""

    nodes: list[Count] = Field(
        default=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], min_length=1, description="Numbers of nodes."
    )
    cores: int = Field(64, ge=1, description="Cores of a node, each with one thread of the node's partition.")
    memory_gib: float = Field(256.0, gt=0, description="Memory of a node, in GiB.")
    memory_gb_s: float = Field(200.0, gt=0, description="What the cores of a node together read from memory, in GB/s.")
    line_us: float = Field(
        0.1,
        ge=0,
        description="Time in which a core gets a cache line of another one of its node, in µs: a thread reads one of every other "
        "thread in every step.",
    )
    latency_us: list[Positive] = Field(
        default=[1.0, 2.0, 5.0],
        min_length=3,
        max_length=3,
        description="Time of an empty message between two nodes, in µs: lowest, expected, highest.",
    )
    message_us: float = Field(
        0.2, ge=0, description="Time that a core spends on one message more of the same round, in µs."
    )
    bandwidth_gb_s: float = Field(12.5, gt=0, description="What a node receives from the network, in GB/s.")


class Described(Model):
    """A network by its numbers alone, too large to be built here."""

    neurons: int = Field(ge=1, description="Number of neurons.")
    synapses: float = Field(gt=0, description="Number of synapses.")
    rate_hz: float = Field(gt=0, description="Mean rate of the neurons, in spikes/s.")
    delays: int = Field(30, ge=1, description="Different delays of the synapses of a neuron, in steps.")
    dt_ms: float = Field(0.1, gt=0, description="Time step, in ms.")
    min_delay_ms: float = Field(0.1, gt=0, description="Shortest delay: partitions exchange spikes as often, in ms.")


class ComputeConfig(Model):
    """How wall time and memory of a model, and of the other stages, depend on threads, partitions and size."""

    model: str = Field("microcircuit", description="Name of a model of spiking neurons that can be reduced.")
    parameters: dict[str, Scalar | None] = Field(
        default_factory=dict, description="Arguments of the model that are the same at every size."
    )
    scheme: str = Field("compensated", description="Scheme of reduction of the sizes of strong scaling.")
    weak_scheme: str = Field("indegree", description="That of weak scaling: synapses per neuron have to stay.")
    sizes: list[Positive] = Field(min_length=1, description="Sizes of strong scaling.")
    threads: list[Count] = Field(default=[1, 2], min_length=1, description="Threads of one partition.")
    partitions: list[Count] = Field(
        default=[1, 2], min_length=1, description="Partitions of one thread, of every size; the model is fitted on 1."
    )
    held_out: list[Several] = Field(
        default=[2, 3, 5, 8],
        min_length=1,
        description="Partitions of the smallest size; no run of several partitions is fitted, so that all of them test it.",
    )
    weak_size: float = Field(0.02, gt=0, description="Size per worker of weak scaling.")
    weak_workers: list[Count] = Field(default=[1, 2], min_length=1, description="Threads of weak scaling.")
    exchange_spikes: list[int] = Field(
        default=[0, 16, 256, 2048],
        min_length=2,
        description="Spikes per message when the exchange alone is timed, at the numbers of `held_out`.",
    )
    stage_workers: list[Count] = Field(
        default=[1, 2], min_length=1, description="Processes among which tasks of homogenize and compare are shared."
    )
    tasks: int = Field(8, ge=1, description="Number of these tasks.")
    seed: Seed = Field(1, description="Seed of all simulations.")
    duration_ms: float = Field(1000.0, ge=100, description="Simulated time of each run, in ms.")
    repeats: int = Field(3, ge=1, description="Runs of each point, in turn with the others; the fastest one counts.")
    machine: Machine = Field(
        default_factory=Machine,
        description="Nodes to which the cost model is carried over.",
    )
    networks: dict[str, Described] = Field(
        default_factory=dict, description="Networks that are carried over beside the model at size 1."
    )

    @model_validator(mode="after")
    def _can_be_fitted(self) -> Self:
        if 1 not in self.threads or len(self.threads) < FEWEST_THREADS:
            raise ValueError("threads needs 1 and another number: the meeting of threads is fitted on both")
        if 1 not in self.partitions:
            raise ValueError("partitions needs 1: the cost model is fitted on runs of one partition")
        if any(spikes < 0 for spikes in self.exchange_spikes):
            raise ValueError("exchange_spikes has a negative number")
        if sorted(self.machine.latency_us) != self.machine.latency_us:
            raise ValueError("machine.latency_us goes from the lowest to the highest")
        return self
