"""Balanced network whose excitatory neurons are wired, or driven, in clusters.

Source: Litwin-Kumar & Doiron 2012, Nat Neurosci 15:1498 (recurrent clusters). Clustered input is this project's definition of
what Xia, Marks, Goard & Wessel 2020, J Neurophysiol, doi 10.1152/jn.00431.2020 compare it with (their abstract; their
parameters were not read).
"""

import math
from typing import Literal

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.network import (
    ClusteredCell,
    CorrelatedInput,
    DCInput,
    ExplicitEdges,
    Input,
    Network,
    PairwiseBernoulli,
    Population,
    Projection,
    Sampled,
    Uniform,
)
from allometry.network.scalars import plain_arguments

N_CLUSTERS, CLUSTER_SIZE, N_INHIBITORY = 50, 80, 1000
TAU_E_MS, TAU_I_MS = 15.0, 10.0
DT_MS = 0.1
#: Weights at an in-degree of 1: they are divided by the root of the number K of excitatory inputs; source, then target.
WEIGHTS = {
    ("E", "E"): 10.0 / TAU_E_MS,
    ("E", "I"): 4.0 / TAU_I_MS,
    ("I", "E"): -19.2 / TAU_E_MS,
    ("I", "I"): -16.0 / TAU_I_MS,
}
P_EE, P_OTHER = 0.2, 0.5
#: Of clustered input: time constant of its fluctuations, its steps, and events per second of either sign that make them.
INPUT_TAU_MS, INPUT_STEP_MS, EVENTS_HZ = 100.0, 10.0, 500.0
_SOURCES_AT_ONCE = 250


def columns(population: str, size: int) -> dict[str, np.ndarray]:
    """Return the cluster of every excitatory neuron, int [neuron]; nothing of the inhibitory ones.

    Parameters
    ----------
    population : str
        `E` or `I`.
    size : int
        Number of neurons.
    """
    return {"cluster": np.arange(size) // (size // N_CLUSTERS)} if population == "E" else {}


@plain_arguments
@model(
    description="Balanced network with clusters of excitatory neurons: 50 states that come and go.",
    source="Litwin-Kumar & Doiron 2012, Nat Neurosci 15:1498 (recurrent clusters; clustered input is this project's)",
    stimulus=("stimulus",),
    columns=columns,
)
def clustered(
    seed: int = 1,
    clusters: Literal["recurrent", "input", "none"] = "recurrent",
    scale: float = 1.0,
    ratio: float = 2.5,
    weight_ratio: float = 1.9,
    stimulus: float = 0.07,
    stimulated: int = 5,
    stimulus_start_ms: float = 1500.0,
    stimulus_stop_ms: float = 2000.0,
    input_sd: float = 0.07,
    input_number: int = 1,
) -> Network:
    """Build the network of 4000 excitatory and 1000 inhibitory neurons, or a smaller one.

    Parameters
    ----------
    seed : int
        Of the synapses among excitatory neurons.
    clusters : {"recurrent", "input", "none"}
        What is clustered: synapses among excitatory neurons; their slow input, onto uniform synapses; or nothing.
    scale : float
        Neurons relative to 5000, 0.025 to 1: clusters are smaller, probabilities stay, and weights are divided by √scale.
    ratio : float
        Connection probability within a cluster over that between clusters, at the same mean; `recurrent` alone.
    weight_ratio : float
        Weight within a cluster over that between clusters; `recurrent` alone.
    stimulus : float
        What the stimulus adds to the voltage that stimulated neurons settle at, in thresholds.
    stimulated : int
        Clusters that are stimulated, the first ones.
    stimulus_start_ms, stimulus_stop_ms : float
        When the stimulus begins and ends, ms.
    input_sd : float
        Standard deviation of either part of the clustered input, as `stimulus`; `input` alone.
    input_number : int
        Which clustered input repeats in all trials: it has groups and time courses of its own, for 3 s; `input` alone.

    Returns
    -------
    Network
        Populations `E` and `I` of `ClusteredCell`; the input named `stimulus` is what a condition replaces. Trials are
        conditions with seeds of their own: these draw initial voltages, and what of clustered input is new in every trial.

    Raises
    ------
    SimulationError
        For a value out of range.
    """
    _check(
        scale=(scale, 0.025, 1.0), ratio=(ratio, 1.0, math.inf), weight_ratio=(weight_ratio, 0.0, math.inf),
        stimulus=(stimulus, 0.0, math.inf), stimulated=(stimulated, 0, N_CLUSTERS), seed=(seed, 0, math.inf),
        stimulus_start_ms=(stimulus_start_ms, 0.0, math.inf), input_sd=(input_sd, 0.0, math.inf),
        stimulus_stop_ms=(stimulus_stop_ms, stimulus_start_ms, math.inf), input_number=(input_number, 0, math.inf),
    )  # fmt: skip
    size = round(CLUSTER_SIZE * scale)
    sizes = {"E": N_CLUSTERS * size, "I": round(N_INHIBITORY * scale)}
    root = math.sqrt(P_EE * sizes["E"])
    weights = {pair: weight / root for pair, weight in WEIGHTS.items()}
    cells = {
        "E": ClusteredCell(tau_m=TAU_E_MS, mu=Uniform(1.1, 1.2)),
        "I": ClusteredCell(tau_m=TAU_I_MS, mu=Uniform(1.0, 1.05)),
    }
    inputs: list[Input] = []
    if clusters == "input":
        gain, inputs = _clustered_input(size, input_sd, input_number)
        cells["E"] = ClusteredCell(tau_m=TAU_E_MS, mu=Uniform(1.1, 1.2), tau_slow=INPUT_TAU_MS, gain=gain)
    if clusters == "recurrent":
        excitatory = _recurrent(seed, size, ratio, weights["E", "E"], weight_ratio)
    else:
        excitatory = Projection("E", "E", PairwiseBernoulli(P_EE, autapses=False), weights["E", "E"], DT_MS)
    first = np.where(np.arange(sizes["E"]) < stimulated * size, stimulus / TAU_E_MS, 0.0)
    return Network(
        populations=tuple(Population(name, sizes[name], cells[name], Uniform(0.0, 1.0)) for name in "EI"),
        projections=(
            excitatory,
            *(
                Projection(source, target, PairwiseBernoulli(P_OTHER, autapses=False), weights[source, target], DT_MS)
                for source, target in (("E", "I"), ("I", "E"), ("I", "I"))
            ),
        ),
        inputs=(DCInput("E", first, stimulus_start_ms, stimulus_stop_ms, name="stimulus"), *inputs),
        dt_ms=DT_MS,
        title=f"Balanced network, clusters: {clusters} (after Litwin-Kumar & Doiron 2012), scale {scale:g}",
        parameters={
            "model": "clustered", "clusters": clusters, "scale": scale, "ratio": ratio,
            "weight_ratio": weight_ratio, "stimulus": stimulus, "stimulated": stimulated,
            "stimulus_start_ms": stimulus_start_ms, "stimulus_stop_ms": stimulus_stop_ms, "input_sd": input_sd,
            "input_number": input_number,
            **({"drawn_with_seed": "synapses among E"} if clusters == "recurrent" else {}),
        },
    )  # fmt: skip


def _check(**given: tuple[float, float, float]) -> None:
    for name, (value, low, high) in given.items():
        if not (low <= value <= high and math.isfinite(value)):
            wanted = f"{low:g} to {high:g}" if math.isfinite(high) else f"a number, {low:g} or above"
            raise SimulationError(f"{name} is {value:g}", where="clustered", expected=wanted)


def probabilities(size: int, ratio: float) -> tuple[float, float]:
    """Return the connection probabilities within and between clusters whose mean over all pairs is 0.2.

    Parameters
    ----------
    size : int
        Neurons of one of the 50 clusters.
    ratio : float
        Probability within a cluster over that between.
    """
    everyone = N_CLUSTERS * size
    between = P_EE * everyone / (size * (ratio - 1.0) + everyone)
    return ratio * between, between


def _recurrent(seed: int, size: int, ratio: float, weight: float, weight_ratio: float) -> Projection:
    """Synapses among excitatory neurons; those within a cluster are drawn in place of, and not beside, the others."""
    within, between = probabilities(size, ratio)
    if within > 1:
        raise SimulationError(
            f"ratio is {ratio:g}", where="clustered", expected="a probability within clusters up to 1"
        )
    everyone = N_CLUSTERS * size
    cluster = np.arange(everyone) // size
    rng = np.random.default_rng(seed)
    sources, targets = [], []
    for low in range(0, everyone, _SOURCES_AT_ONCE):
        rows = np.arange(low, min(low + _SOURCES_AT_ONCE, everyone))
        p = np.where(cluster[rows, None] == cluster, within, between)
        p[rows - low, rows] = 0.0
        source, target = np.nonzero(rng.random(p.shape) < p)
        sources.append(rows[source])
        targets.append(target)
    source, target = np.concatenate(sources), np.concatenate(targets)
    weights = np.where(cluster[source] == cluster[target], weight_ratio * weight, weight)
    return Projection("E", "E", ExplicitEdges(source, target, weights, DT_MS))


def _clustered_input(size: int, sd: float, number: int) -> tuple[np.ndarray, list[Input]]:
    """Slow input to 50 groups: one part is another in every trial, one is the same, in groups of its own.

    A neuron takes a share u of its input from the first and 1 - u from the second, u uniform. The first part is shot noise
    of many small events of both signs, one train for all neurons of a group, and nearly an Ornstein-Uhlenbeck process: its
    excess kurtosis is 0.01. The second is such a process of 3 s, drawn here; afterwards it is 0.
    """
    everyone = N_CLUSTERS * size
    share = np.random.default_rng(size).random(everyone)
    # events of both signs, each leaving weight exp(-t / tau): variance = rate tau weight^2 (of both signs together)
    weight = sd / TAU_E_MS / math.sqrt(EVENTS_HZ * INPUT_TAU_MS / 1000.0)
    inputs: list[Input] = [
        CorrelatedInput("E", EVENTS_HZ, 1.0, sign * weight, np.arange(k * size, (k + 1) * size), receptor="slow")
        for k in range(N_CLUSTERS)
        for sign in (1, -1)
    ]
    rng = np.random.default_rng([size, number])
    group = rng.permutation(everyone) // size
    left = math.exp(-INPUT_STEP_MS / INPUT_TAU_MS)
    course = np.empty((300, N_CLUSTERS))
    course[0] = rng.standard_normal(N_CLUSTERS)
    for t in range(1, len(course)):
        course[t] = left * course[t - 1] + math.sqrt(1.0 - left**2) * rng.standard_normal(N_CLUSTERS)
    driven = (1.0 - share) * course[:, group] * (sd / TAU_E_MS)
    # libm differs between machines in the last bits
    inputs.append(DCInput("E", Sampled(np.round(driven, 9), INPUT_STEP_MS)))
    return share, inputs
