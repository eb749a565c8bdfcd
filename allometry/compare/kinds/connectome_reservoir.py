"""A connectome as reservoir: does its wiring remember, and tell time, better than other wiring?

Weights are synapse counts with the sign of the source neuron where the store knows it, scaled to one spectral radius. Neurons
count that send, and that receive or get the input; the input reaches the sensory ones. Nulls keep the degrees, or the degrees
and how far every connection reaches, or neither.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import null_interval, permutation_p
from allometry.compare.measures.graphs import reservoir
from allometry.compare.measures.graphs.matrices import Floats, Ints, summed_rewirings
from allometry.compare.measures.graphs.spatial_null import distances, spatial_rewirings
from allometry.compare.options.connectome_reservoir import ConnectomeReservoir
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError

INPUT_TYPES = ("sensory", "projection")
INPUT_NAMES = ("pn",)  # how FlyWire abbreviates projection neurons
# Types of cells that are no neurons, as the worm stores name them; muscles are coupled by gap junctions.
NOT_NEURONS = frozenset({"muscle", "pharynx", "glia", "excretory", "epithelium", "fragment"})
STEPS_PER_UNIT = 5
INTERVALS = (5, 10, 20)
MEASURES = ("memory_capacity", "timing_score")


@dataclass(frozen=True)
class Network:
    """Weights [source, target] by kind of synapse, neurons that get the input and that the readout sees, distances.

    `distance` [neurons, neurons] is None where the store holds no positions, NaN where one of the two has none.
    """

    parts: list[Floats]
    driven: Ints
    seen: Ints
    distance: Floats | None

    @property
    def total(self) -> Floats:
        """All kinds of synapse added."""
        return np.sum(self.parts, axis=0)


@comparison(ConnectomeReservoir)
def connectome_reservoir(inputs: Mapping[str, xr.Dataset], options: ConnectomeReservoir) -> Result:
    """Memory capacity and timing score of connectomes, against degree-preserving, spatial and random wiring.

    Parameters
    ----------
    inputs : mapping
        Connectome stores by name.
    options : ConnectomeReservoir
        What is compared, and how.

    Returns
    -------
    Result
        Rows `memory_capacity` and `timing_score` (group: connectome, degree_preserving, spatial, random; a null's score is
        its mean, its interval the 2.5 to 97.5 % range of the null networks, its p that of the connectome against it);
        curves `memory_by_delay` and `reservoir_nulls`.
    """
    rows: list[dict[str, Any]] = []
    decay: list[Floats] = []
    null_values: dict[str, list[Floats]] = {measure: [] for measure in MEASURES}
    names: list[tuple[str, str]] = []
    notes: dict[str, str] = {}
    for name in options.structure:
        network = _network(name, inputs[name], options.synapses, options.readout, options.seed)
        own = network.total
        capacity = _memory(own, network, options.radius, options.noise, options.seed)
        decay.append(capacity.r2)
        score = {
            "memory_capacity": capacity.capacity,
            "timing_score": _timing(own, network, options.radius, options.noise, options.seed),
        }
        drawn: dict[str, Iterable[Floats]] = {
            "degree_preserving": summed_rewirings(network.parts, options.nulls, seed=options.seed)
        }
        if network.distance is not None:
            drawn["spatial"] = _spatial(network, options.nulls, options.bins, options.seed)
        drawn["random"] = _random(own, options.nulls, options.seed)
        values, moved = {}, {}
        for kind, networks in drawn.items():
            # One network at a time: a thousand neurons take 8 MB each.
            found, elsewhere = [], []
            for w in networks:
                found.append(
                    (
                        _memory(w, network, options.radius, options.noise, options.seed).capacity,
                        _timing(w, network, options.radius, options.noise, options.seed),
                    )
                )
                elsewhere.append(np.count_nonzero((w != 0) & (own == 0)) / np.count_nonzero(own))
            values[kind], moved[kind] = np.array(found).T, float(np.mean(elsewhere))
        names += [(name, kind) for kind in values]
        size = len(own)
        for k, measure in enumerate(MEASURES):
            value = score[measure]
            p = {kind: permutation_p(value, pair[k], "two-sided") for kind, pair in values.items()}
            held = [verdict.over_null(kind, value, pair[k]) for kind, pair in values.items()]
            rows.append(
                row(measure, name, "", value, group="connectome", p=p["degree_preserving"], n=size, baselines=held)
            )
            for kind, pair in values.items():
                spread = null_interval(pair[k])
                # the p of the first null stands in the row of the connectome
                own_p = np.nan if kind == "degree_preserving" else p[kind]
                rows.append(row(measure, name, "", spread, group=kind, role="baseline", p=own_p, n=size))
                null_values[measure].append(pair[k])
        notes[f"network_{name}"] = _note(network, options.bins, moved)
    longest = max(len(r2) for r2 in decay)
    padded = [np.pad(r2, (0, longest - len(r2)), constant_values=np.nan) for r2 in decay]
    coords = {"candidate": ("combination", [n for n, _ in names]), "null": ("combination", [k for _, k in names])}
    return Result(
        title="Connectomes as reservoirs, against null wiring",
        rows=with_fdr(rows),
        curves={
            "memory_by_delay": curve(
                ("candidate", "delay"),
                {"candidate": ("candidate", list(options.structure)), "delay": ("delay", np.arange(longest))},
                r2=padded,
            ),
            "reservoir_nulls": curve(("combination", "network"), coords, **null_values),
        },
        derived={
            "weight": f"sum of {' and '.join(options.synapses)} synapse counts, chemical ones with the sign of the source neuron where the "
            f"store knows it, scaled to a spectral radius of {options.radius}",
            **notes,
            "neurons": "cells that the store does not call muscle or another tissue; those that send, and that receive or get the input; input to sensory (or projection) neurons, to all "
            f"where there are none; readout from all, or from a seeded draw of {options.readout} where there are more, the same in "
            "every null",
            "timing_score": f"mean over intervals of {', '.join(map(str, INTERVALS))} steps of 1 - normalised error of a readout "
            "that has to answer so long after a pulse",
            "p": f"two-sided, in the row `connectome` against {options.nulls} degree-preserving networks, in the rows `spatial` and "
            "`random` that of the connectome against those",
            "nulls": "degree_preserving: every in- and out-degree and every neuron's own weights kept; spatial: that, and the "
            f"distance class ({options.bins} quantiles of the edges) of every edge, so that lengths, and weights by length, are kept; "
            "random: the same weights between random pairs. Stores without positions have no spatial null",
            "verdict": "against the null networks with the largest mean: the interval of the difference is the score less the "
            "central 95 % of them; fewer than 39 of a sort allow none",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


@connectome_reservoir.estimate
def estimates(inputs: Mapping[str, xr.Dataset], options: ConnectomeReservoir) -> Iterator[Estimate]:
    """Memory of the largest reservoir and work of all, if every neuron has inputs and outputs."""
    for name in options.structure:
        nodes = inputs[name].sizes["node"]
        seen = min(nodes, options.readout)
        steps = max(1000, STEPS_PER_UNIT * seen)
        # the connectome, the null network at hand and copies of both on the way, distances, the states of one reservoir
        peak = 8 * nodes * nodes * 10 + 8 * steps * (nodes + 2 * seen)
        # running (products with the edges alone where they are few), and the readout's normal equations
        edges = min(float(nodes * nodes), 10.0 * inputs[name].sizes["edge"])
        work = (3 * options.nulls + 1) * (4.0 * steps * edges + steps * seen**2)
        yield Estimate(f"reservoirs of {name}", peak, 0, work)


def _note(network: Network, bins: int, moved: Mapping[str, float]) -> str:
    size = len(network.total)
    said = f"{size} neurons, {network.driven.size} with input, {network.seen.size} read"
    said += "; edges that the nulls moved: " + ", ".join(f"{kind} {share:.0%}" for kind, share in moved.items())
    if network.distance is None:
        return f"{said}; no positions"
    apart = network.distance + np.where(np.eye(size, dtype=bool), np.nan, 0.0)
    placed = int(np.isfinite(apart).any(axis=0).sum())
    length = apart[(network.total != 0) & np.isfinite(apart)]
    return (
        f"{said}; {placed} neurons at known distances, median length of a connection {np.median(length):.3g} in {bins} "
        "classes; edges of unknown length stay in the spatial null"
    )


def _weights(store: xr.Dataset, synapse: str) -> Floats:
    """Weights [source, target] of one kind of synapse, without self-loops; zeros where there is none.

    Where absent means unmeasured, pairs that were not measured are NaN.
    """
    stores.require_kind(store, "Connectome")
    size = store.sizes["node"]
    if synapse not in stores.attribute(store, "absent_means"):
        return np.zeros((size, size))
    matrix = stores.to_dense(store, synapse)[1].astype(float)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _network(name: str, store: xr.Dataset, synapses: Sequence[str], readout: int, seed: int) -> Network:
    """Weights by kind of synapse, chemical ones with the sign of their source, and the neurons that get the input."""
    parts = [_weights(store, synapse) for synapse in synapses]
    size = len(parts[0])
    types = store["type"].values.tolist() if "type" in store else [""] * size
    receives = np.array([_is_input(str(kind)) for kind in types])
    neuron = np.array([str(kind).lower() not in NOT_NEURONS for kind in types])
    # A node of which some inputs were never measured cannot stand in a network.
    kept = np.flatnonzero(neuron & np.isfinite(np.sum(parts, axis=0)).any(axis=0))
    while (holes := np.isnan(np.sum(parts, axis=0)[np.ix_(kept, kept)])).any():
        kept = np.delete(kept, int((holes.sum(axis=0) + holes.sum(axis=1)).argmax()))
    while True:  # leaving out a neuron can leave another one without input or output
        total = np.sum(parts, axis=0)[np.ix_(kept, kept)] > 0
        both = total.any(axis=1) & (total.any(axis=0) | receives[kept])
        if both.all():
            break
        kept = kept[both]
    if kept.size < 10:
        raise ComparisonError(
            f"{kept.size} neurons have an output, and an input of their own or from outside",
            where=name,
            expected="a recurrent network of at least 10",
        )
    sign = store["sign"].values.astype(float) if "sign" in store else np.ones(size)
    sign = np.where(np.isfinite(sign) & (sign != 0), sign, 1.0)
    driven = np.flatnonzero(receives[kept])
    pick = np.ix_(kept, kept)
    # A gap junction has no sign.
    signed = [part[pick] * (1.0 if kind == "electrical" else sign[kept, None]) for kind, part in zip(synapses, parts)]
    seen = np.arange(kept.size)
    if kept.size > readout:
        seen = np.sort(np.random.default_rng(seed).choice(kept.size, readout, replace=False))
    driven = driven if driven.size else np.arange(kept.size)
    return Network(signed, driven, seen, _distances(store, synapses, kept))


def _is_input(kind: str) -> bool:
    return any(word in kind.lower() for word in INPUT_TYPES) or kind.lower() in INPUT_NAMES


def _distances(store: xr.Dataset, synapses: Sequence[str], kept: Ints) -> Floats | None:
    """Distances of the nodes kept: of their positions, or as listed with the edges; None where the store has neither."""
    axes = [axis for axis in ("x", "y", "z") if axis in store]
    if axes:
        found = distances(np.column_stack([store[axis].values[kept].astype(float) for axis in axes]))
    elif "distance" in store:
        listed = [stores.to_dense(store, synapse, "distance")[1] for synapse in synapses]
        found = np.asarray(listed[0], dtype=float)[np.ix_(kept, kept)]
        found = np.where(np.isfinite(found), found, found.T)
    else:
        return None
    return found if np.isfinite(found[~np.eye(len(found), dtype=bool)]).any() else None


def _spatial(network: Network, n: int, bins: int, seed: int) -> Iterator[Floats]:
    assert network.distance is not None
    streams = [
        spatial_rewirings(part, network.distance, n, bins=bins, seed=seed + 7919 * i)
        if part.any()
        else _nothing(part, n)
        for i, part in enumerate(network.parts)
    ]
    for drawn in zip(*streams):
        yield np.sum(drawn, axis=0)


def _nothing(part: Floats, n: int) -> Iterator[Floats]:
    for _ in range(n):
        yield part


def _random(matrix: Floats, n: int, seed: int) -> Iterator[Floats]:
    off = ~np.eye(len(matrix), dtype=bool)
    rng = np.random.default_rng(seed)
    for _ in steps(range(n), "random networks"):
        result = np.zeros_like(matrix)
        result[off] = rng.permutation(matrix[off])
        yield result


def _memory(matrix: Floats, network: Network, radius: float, noise: float, seed: int) -> reservoir.MemoryCapacity:
    return reservoir.memory_capacity(
        matrix,
        inputs=network.driven,
        outputs=network.seen,
        radius=radius,
        steps=max(1000, STEPS_PER_UNIT * network.seen.size),
        max_delay=100,
        noise=noise,
        seed=seed,
    )


def _timing(matrix: Floats, network: Network, radius: float, noise: float, seed: int) -> float:
    # Half of the trials train the readout: several samples for each neuron it sees, or it fits the noise.
    trials = max(40, -(-2 * STEPS_PER_UNIT * network.seen.size // (2 * max(INTERVALS) + 10)))
    return reservoir.timing_task(
        matrix,
        INTERVALS,
        inputs=network.driven,
        outputs=network.seen,
        radius=radius,
        trials=trials,
        noise=noise,
        seed=seed,
    ).score
