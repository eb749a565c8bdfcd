"""Projections in numbers: what the kernels that draw synapses need to know, and none of it depends on the partition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allometry.network import (
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    OneToOne,
    PairwiseBernoulli,
    Plasticity,
    Projection,
)
from allometry.simulate.build.fixedpoint import GivenEdges, Weights, delay_table, drawn_weights
from allometry.simulate.build.positions import field, positions
from allometry.simulate.build.timing import delay_steps
from allometry.simulate.kernels.distance import Field, expected_degrees
from allometry.simulate.kernels.rng import Purpose, key

# Targets whose expected in-degree is summed over their sources, for the estimate of a rule that depends on distance.
_SAMPLED = 64


@dataclass(frozen=True, eq=False)
class Synapses:
    """One projection in numbers; `number` is its place in the network.

    `explicit` holds the sources and targets of listed edges, `field` the positions of a rule that depends on distance.
    """

    number: int
    source: int
    target: int
    rule: object
    autapses: bool
    key: np.uint64
    degree_key: np.uint64
    weights: np.ndarray
    delays: np.ndarray
    field: Field | None
    plasticity: Plasticity | None
    expected: float

    @property
    def weight_bits(self) -> int:
        """Bits, sign included, that the integer weights need."""
        return int(np.abs(self.weights).max(initial=0)).bit_length() + 1


def compile_projection(
    net: Network, number: int, weights: Weights, unit: float, seed: int, known: GivenEdges
) -> Synapses:
    """Turn projection `number` into numbers; `unit` is the quantum of the weights into its target."""
    projection = net.projections[number]
    names = [p.name for p in net.populations]
    source, target = names.index(projection.source), names.index(projection.target)
    where = f"projection {number} ({projection.source} -> {projection.target})"
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        delays = known[id(rule)][1] if id(rule) in known else delay_steps(rule.delay, net.dt_ms, where)
    else:
        delays = delay_table(projection.delay, net.dt_ms, where)
    return Synapses(
        number=number,
        source=source,
        target=target,
        rule=rule,
        autapses=getattr(rule, "autapses", True) or source != target,
        key=key(seed, Purpose.SYNAPSE, number),
        degree_key=key(seed, Purpose.INDEGREE, number),
        weights=weights.rounded(unit),
        delays=delays,
        plasticity=projection.plasticity,
        field=_field(net, projection, source, target, seed),
        expected=expected_synapses(net, projection, seed),
    )


def raw_weights(projection: Projection, known: GivenEdges) -> Weights:
    """Return the weights of a projection before rounding; `known` holds those of lists seen before."""
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        return known[id(rule)][0] if id(rule) in known else Weights(rule.weight)
    return drawn_weights(projection.weight, f"projection {projection.source} -> {projection.target}")


def _field(net: Network, projection: Projection, source: int, target: int, seed: int) -> Field | None:
    rule = projection.rule
    if getattr(rule, "kernel", None) is None:
        return None
    assert isinstance(rule, FixedIndegree | FixedOutdegree | DistanceDependent)
    assert rule.kernel is not None
    assert net.space is not None
    ends = positions(net, source, seed), positions(net, target, seed)
    candidates, own = ends[::-1] if isinstance(rule, FixedOutdegree) else ends
    return field(net.space, rule.kernel, candidates, own)


def expected_synapses(net: Network, projection: Projection, seed: int = 0) -> float:
    """Return the expected number of synapses; of a rule that depends on distance from the in-degrees of some targets."""
    rule = projection.rule
    n_source, n_target = net.population(projection.source).size, net.population(projection.target).size
    if isinstance(rule, FixedTotalNumber):
        return float(rule.n)
    if isinstance(rule, FixedIndegree):
        return float(rule.n) * n_target
    if isinstance(rule, FixedOutdegree):
        return float(rule.n) * n_source
    if isinstance(rule, PairwiseBernoulli):
        return rule.p * n_source * n_target
    if isinstance(rule, OneToOne):
        return float(n_source)
    if isinstance(rule, DistanceDependent):
        return _expected(net, projection, rule, n_target, seed)
    return float(len(rule.source))


def _expected(net: Network, projection: Projection, rule: DistanceDependent, n_target: int, seed: int) -> float:
    if rule.indegree is not None:
        return float(np.sum(np.broadcast_to(rule.indegree, n_target)))
    assert rule.p is not None
    names = [p.name for p in net.populations]
    source, target = names.index(projection.source), names.index(projection.target)
    found = _field(net, projection, source, target, seed)
    assert found is not None
    chosen = np.unique(np.linspace(0, n_target - 1, min(n_target, _SAMPLED)).astype(np.int64))
    peak = np.broadcast_to(np.asarray(rule.p, np.float64), n_target)
    mean = float(expected_degrees(found, chosen, peak[chosen], rule.autapses or source != target).mean())
    # The sample may miss the few targets that have synapses: 0 is for those that cannot have any.
    return max(mean * n_target, 1.0 if peak.max() > 0.0 else 0.0)


def delay_ranges(count: int, synapses: Sequence[Synapses]) -> tuple[np.ndarray, np.ndarray]:
    """Return per source population the shortest delay in steps, and the number of delays up to the longest, int64."""
    low, high = np.full(count, 2**30, np.int64), np.zeros(count, np.int64)
    for s in synapses:
        if s.expected > 0:
            low[s.source] = min(low[s.source], int(s.delays.min()))
            high[s.source] = max(high[s.source], int(s.delays.max()))
    spans = np.maximum(high - low + 1, 0)
    return np.where(spans > 0, low, 1), spans
