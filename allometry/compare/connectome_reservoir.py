"""A connectome as reservoir: does its wiring remember, and tell time, better than wiring with the same degrees?

Weights are synapse counts with the sign of the source neuron where the store knows it, scaled to one spectral radius. Only
neurons count that both receive and send; the readout sees all of them, the input reaches the sensory ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare import reservoir
from allometry.compare.atlas import weights
from allometry.compare.blockwise import Estimate
from allometry.compare.graphs import Floats, Ints, rewirings
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.compare.statistics import Interval, permutation_p
from allometry.errors import ComparisonError

INPUT_TYPES = ("sensory", "projection")
STEPS_PER_UNIT = 5


def connectome_reservoir(
    inputs: Mapping[str, xr.Dataset],
    *,
    structure: Sequence[str],
    synapses: Sequence[str] = ("chemical", "electrical"),
    radius: float = 0.9,
    noise: float = 0.001,
    nulls: int = 20,
    seed: int = 1,
) -> Result:
    """Memory capacity and timing score of connectomes, against degree-preserving and random wiring.

    Parameters
    ----------
    inputs : mapping
        Connectome stores by name.
    structure : sequence of str
        Their names.
    synapses : sequence of str
        Kinds of synapse that are added.
    radius : float
        Spectral radius that every network is scaled to.
    noise : float
        Sd of the noise inside the activation; it bounds the memory.
    nulls : int
        Null networks of each sort.

    Returns
    -------
    Result
        Rows `memory_capacity` and `timing_score` (group: connectome, degree_preserving, random; a null's score is its mean,
        its interval the 2.5 to 97.5 % range of the null networks); curves `memory_by_delay` and `reservoir_nulls`.
    """
    rows: list[dict[str, Any]] = []
    decay: list[Floats] = []
    null_values: dict[str, list[Floats]] = {"memory_capacity": [], "timing_score": []}
    names: list[tuple[str, str]] = []
    for name in structure:
        parts, driven = _network(name, inputs[name], synapses)
        own = np.sum(parts, axis=0)
        capacity = _memory(own, driven, radius, noise, seed)
        decay.append(capacity.r2)
        score = {"memory_capacity": capacity.capacity, "timing_score": _timing(own, driven, radius, noise, seed)}
        drawn = {
            "degree_preserving": list(_rewired(parts, nulls, seed)),
            "random": list(_random(own, nulls, seed)),
        }
        values: dict[str, dict[str, Floats]] = {measure: {} for measure in score}
        for kind, networks in drawn.items():
            values["memory_capacity"][kind] = np.array(
                [_memory(w, driven, radius, noise, seed).capacity for w in networks]
            )
            values["timing_score"][kind] = np.array([_timing(w, driven, radius, noise, seed) for w in networks])
            names.append((name, kind))
        for measure, value in score.items():
            null = values[measure]
            rows.append(
                row(
                    measure,
                    name,
                    "",
                    value,
                    group="connectome",
                    p=permutation_p(value, null["degree_preserving"], "two-sided"),
                    n=len(own),
                )
            )
            for kind, found in null.items():
                low, high = np.quantile(found, [0.025, 0.975])
                spread = Interval(float(found.mean()), float(low), float(high))
                rows.append(row(measure, name, "", spread, group=kind, role="baseline", n=len(own)))
                null_values[measure].append(found)
    longest = max(len(r2) for r2 in decay)
    padded = [np.pad(r2, (0, longest - len(r2)), constant_values=np.nan) for r2 in decay]
    coords = {"candidate": ("combination", [n for n, _ in names]), "null": ("combination", [k for _, k in names])}
    return Result(
        title="Connectomes as reservoirs, against null wiring",
        rows=with_fdr(rows),
        curves={
            "memory_by_delay": curve(
                ("candidate", "delay"),
                {"candidate": ("candidate", list(structure)), "delay": ("delay", np.arange(longest))},
                r2=padded,
            ),
            "reservoir_nulls": curve(("combination", "network"), coords, **null_values),
        },
        derived={
            "weight": f"sum of {' and '.join(synapses)} synapse counts, chemical ones with the sign of the source neuron where the "
            f"store knows it, scaled to a spectral radius of {radius}",
            "neurons": "those with both an input and an output; input to sensory (or projection) neurons, to all where "
            "there are none; readout from all",
            "p": f"two-sided, against {nulls} degree-preserving networks",
            "nulls": "degree_preserving: every in- and out-degree and every neuron's own weights kept; random: the same "
            "weights between random pairs. A spatial null needs positions, which these stores do not hold",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


def estimates(
    inputs: Mapping[str, xr.Dataset], *, structure: Sequence[str], nulls: int = 20, **_: Any
) -> Iterator[Estimate]:
    """Memory of the null networks and work of all reservoirs, if every neuron has inputs and outputs."""
    for name in structure:
        nodes = inputs[name].sizes["node"]
        steps = max(1000, STEPS_PER_UNIT * nodes)
        # all null networks of both sorts, some of the connectome, and the states of one reservoir
        peak = 8 * nodes * nodes * (2 * nulls + 4) + 8 * steps * nodes
        # running, and the readout's normal equations
        work = (2 * nulls + 1) * (4.0 * steps * nodes * nodes + nodes**3)
        yield Estimate(f"reservoirs of {name}", peak, 0, work)


def _network(name: str, store: xr.Dataset, synapses: Sequence[str]) -> tuple[list[Floats], Ints]:
    """Weights by kind of synapse, chemical ones with the sign of their source, and the neurons that get the input."""
    parts = [weights(store, synapse)[1] for synapse in synapses]
    size = len(parts[0])
    kept = np.arange(size)
    while True:  # leaving out a neuron can leave another one without input or output
        total = np.sum(parts, axis=0)[np.ix_(kept, kept)] > 0
        both = total.any(axis=0) & total.any(axis=1)
        if both.all():
            break
        kept = kept[both]
    if kept.size < 10:
        raise ComparisonError(
            f"{kept.size} neurons have both inputs and outputs",
            where=name,
            expected="a recurrent network of at least 10",
        )
    sign = store["sign"].values.astype(float) if "sign" in store else np.ones(size)
    sign = np.where(np.isfinite(sign) & (sign != 0), sign, 1.0)
    types = store["type"].values.tolist() if "type" in store else [""] * size
    driven = [i for i, node in enumerate(kept) if any(kind in types[node].lower() for kind in INPUT_TYPES)]
    chosen = np.array(driven or range(kept.size), dtype=np.int64)
    pick = np.ix_(kept, kept)
    # A gap junction has no sign.
    signed = [part[pick] * (1.0 if kind == "electrical" else sign[kept, None]) for kind, part in zip(synapses, parts)]
    return signed, chosen


def _rewired(parts: Sequence[Floats], n: int, seed: int) -> Iterator[Floats]:
    streams = [rewirings(part, n, seed=seed + 7919 * i) for i, part in enumerate(parts)]
    for drawn in zip(*streams):
        yield np.sum(drawn, axis=0)


def _random(matrix: Floats, n: int, seed: int) -> Iterator[Floats]:
    off = ~np.eye(len(matrix), dtype=bool)
    rng = np.random.default_rng(seed)
    for _ in range(n):
        result = np.zeros_like(matrix)
        result[off] = rng.permutation(matrix[off])
        yield result


def _memory(matrix: Floats, driven: Ints, radius: float, noise: float, seed: int) -> reservoir.MemoryCapacity:
    steps = max(1000, STEPS_PER_UNIT * len(matrix))
    return reservoir.memory_capacity(
        matrix, inputs=driven, radius=radius, steps=steps, max_delay=100, noise=noise, seed=seed
    )


def _timing(matrix: Floats, driven: Ints, radius: float, noise: float, seed: int) -> float:
    return reservoir.timing_task(
        matrix, (5, 10, 20), inputs=driven, radius=radius, trials=40, noise=noise, seed=seed
    ).score
