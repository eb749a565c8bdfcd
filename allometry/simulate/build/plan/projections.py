"""Projections in numbers: what the kernels that draw synapses need to know, and none of it depends on the partition."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of

import numpy as np

from allometry.network import (
    Dense,
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Gate,
    Grid,
    LowRank,
    Network,
    OneToOne,
    PairwiseBernoulli,
    Plasticity,
    Projection,
    RoundedGaussian,
)
from allometry.simulate.build.fixedpoint import GivenEdges, Weights, delay_table, drawn_weights
from allometry.simulate.build.plan.positions import field, lattice, positions
from allometry.simulate.build.timing import delay_steps
from allometry.simulate.kernels.rng import Purpose, key
from allometry.simulate.kernels.wiring.distance import Field, expected_degrees
from allometry.simulate.kernels.wiring.lattice import Lattice

# Targets whose expected in-degree is summed over their sources, for the estimate of a rule that depends on distance.
_SAMPLED = 64
# Neurons that a thread takes at a time of what all threads compute together.
_PIECE = 512


class Together:
    """Values per neuron of a whole population, which all threads of a partition need: they compute them piece by piece."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: dict[str, list[np.ndarray | None]] = {}
        self._begun: dict[str, int] = {}
        self._failed: set[str] = set()

    def of(self, name: str, size: int, compute: Callable[[int, int], np.ndarray]) -> np.ndarray:
        """Return the values of all `size` neurons; `compute` returns those of neurons [low, high).

        Every thread that asks computes pieces that nobody has begun, and waits for the others at the end.
        """
        count = -(-size // _PIECE)
        with self._changed:
            pieces = self._pieces.setdefault(name, [None] * count)
        while True:
            with self._changed:
                k = self._begun.get(name, 0)
                self._begun[name] = k + 1
            if k >= count:
                break
            try:
                found = compute(k * _PIECE, min(size, (k + 1) * _PIECE))
            except BaseException:
                with self._changed:
                    self._failed.add(name)
                    self._changed.notify_all()
                raise
            with self._changed:
                pieces[k] = found
                self._changed.notify_all()
        with self._changed:
            self._changed.wait_for(lambda: name in self._failed or all(piece is not None for piece in pieces))
        return np.concatenate([piece for piece in pieces if piece is not None])


@dataclass(frozen=True, eq=False)
class Releases:
    """What is drawn anew for every spike of a projection.

    delays, repeats : uint16 [1 or table], steps; weights : int32 [0 or table]; gate : float64 [0 or source], mean passes.
    """

    delays: np.ndarray
    repeats: np.ndarray
    weights: np.ndarray
    gate: np.ndarray
    key: np.uint64
    gate_key: np.uint64

    @property
    def most(self) -> int:
        """The most passes of a spike."""
        return int(np.ceil(self.gate.max(initial=1.0)))

    @property
    def span(self) -> int:
        """Steps between the shortest and the longest delay."""
        every = np.concatenate([self.delays, self.repeats])
        return int(every.max()) - int(every.min())


@dataclass(frozen=True, eq=False)
class Synapses:
    """One projection in numbers; `number` is its place in the network.

    `field` holds the positions of a rule that depends on distance; `release` is None where nothing is drawn for every spike;
    `norm` : float64 [target], what a target's weights are multiplied by, over its in-degree.
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
    field: Field | Lattice | None
    plasticity: Plasticity | None
    expected: float
    release: Releases | None = None
    norm: np.ndarray | None = None
    together: Together = field_of(default_factory=Together)

    @property
    def listed(self) -> bool:
        """Whether its edges are given one by one."""
        return isinstance(self.rule, ExplicitEdges)

    @property
    def weight_bits(self) -> int:
        """Bits, sign included, that the integer weights need; 32 where in-degrees decide."""
        if self.norm is not None:
            return 32
        return int(np.abs(self.weights).max(initial=0)).bit_length() + 1


def compile_projection(
    net: Network, number: int, weights: Weights, unit: float, seeds: tuple[int, int], known: GivenEdges
) -> Synapses:
    """Turn projection `number` into numbers; `unit` is the quantum of the weights into its target.

    `seeds` are those of the connections and of the drive.
    """
    seed = seeds[0]
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
        release=_releases(net, number, weights.rounded(unit), delays, seeds[1]),
        norm=projection.indegree_norm,
    )


def gate_of(net: Network, population: str) -> Gate | None:
    """Return the gate of a population."""
    return next((x for x in net.inputs if isinstance(x, Gate) and x.population == population), None)


def _releases(net: Network, number: int, weights: np.ndarray, delays: np.ndarray, drive_seed: int) -> Releases | None:
    projection = net.projections[number]
    gate = gate_of(net, projection.source)
    if gate is None and not projection.redrawn:
        return None
    where = f"projection {number} ({projection.source} -> {projection.target})"
    size, source = net.population(projection.source).size, [p.name for p in net.populations].index(projection.source)
    repeats = np.empty(0, np.uint16)
    if projection.repeat_delay is not None:
        repeats = delay_table(projection.repeat_delay, net.dt_ms, where)
    return Releases(
        delays=delays[:1] if isinstance(projection.rule, ExplicitEdges) else delays,
        repeats=repeats,
        weights=weights if "weight" in projection.redrawn else np.empty(0, np.int32),
        gate=np.empty(0) if gate is None else np.array(np.broadcast_to(np.asarray(gate.p, np.float64), size)),
        key=key(drive_seed, Purpose.RELEASE, number),
        gate_key=key(drive_seed, Purpose.GATE, source),
    )


def raw_weights(projection: Projection, known: GivenEdges) -> Weights:
    """Return the weights of a projection before rounding; `known` holds those of lists seen before."""
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        return known[id(rule)][0] if id(rule) in known else Weights(rule.weight)
    return drawn_weights(projection.weight, f"projection {projection.source} -> {projection.target}")


def _field(net: Network, projection: Projection, source: int, target: int, seed: int) -> Field | Lattice | None:
    rule = projection.rule
    if getattr(rule, "kernel", None) is None:
        return None
    assert isinstance(rule, FixedIndegree | FixedOutdegree | DistanceDependent)
    assert rule.kernel is not None
    assert net.space is not None
    if isinstance(rule.kernel, RoundedGaussian):
        grid = net.populations[target].positions
        assert isinstance(grid, Grid)
        return lattice(net.space, rule.kernel, grid, positions(net, source, seed))
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
    if isinstance(rule, Dense | LowRank):
        return float(rule.weight.size if isinstance(rule, Dense) else rule.m.size + rule.n.size)
    return float(len(rule.source))


def _expected(net: Network, projection: Projection, rule: DistanceDependent, n_target: int, seed: int) -> float:
    if rule.indegree is not None:
        return float(np.sum(np.broadcast_to(rule.indegree, n_target)))
    _, found = _sampled_indegrees(net, projection, rule, n_target, seed)
    # The sample may miss the few targets that have synapses: 0 is for those that cannot have any.
    return max(float(found.mean()) * n_target, 1.0 if np.max(np.asarray(rule.p)) > 0.0 else 0.0)


def _sampled_indegrees(
    net: Network, projection: Projection, rule: DistanceDependent, n_target: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    assert rule.p is not None
    names = [p.name for p in net.populations]
    source, target = names.index(projection.source), names.index(projection.target)
    found = _field(net, projection, source, target, seed)
    assert isinstance(found, Field)
    chosen = np.unique(np.linspace(0, n_target - 1, min(n_target, _SAMPLED)).astype(np.int64))
    peak = np.broadcast_to(np.asarray(rule.p, np.float64), n_target)
    return chosen, expected_degrees(found, chosen, peak[chosen], rule.autapses or source != target)


def expected_indegrees(net: Network, projection: Projection, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return targets, int64, and their expected in-degrees, float64; of a rule that depends on distance a sample of targets."""
    rule, n_target = projection.rule, net.population(projection.target).size
    if isinstance(rule, DistanceDependent) and rule.p is not None:
        return _sampled_indegrees(net, projection, rule, n_target, seed)
    if isinstance(rule, DistanceDependent):
        return np.arange(n_target), np.broadcast_to(np.asarray(rule.indegree, np.float64), n_target)
    mean = expected_synapses(net, projection, seed) / n_target
    return np.arange(n_target), np.full(n_target, mean)


def delay_ranges(count: int, synapses: Sequence[Synapses]) -> tuple[np.ndarray, np.ndarray]:
    """Return per source population the shortest delay in steps, and the number of delays up to the longest, int64."""
    low, high = np.full(count, 2**30, np.int64), np.zeros(count, np.int64)
    for s in synapses:
        if s.expected > 0:
            repeats = s.release.repeats if s.release else s.delays[:0]
            low[s.source] = min(low[s.source], int(s.delays.min()), *repeats.tolist())
            high[s.source] = max(high[s.source], int(s.delays.max()), *repeats.tolist())
    spans = np.maximum(high - low + 1, 0)
    return np.where(spans > 0, low, 1), spans
