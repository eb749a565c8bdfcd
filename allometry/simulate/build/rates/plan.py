"""A network of rate units turned into numbers: what every partition needs to know, and none of it depends on the partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from allometry.network import (
    Constant,
    DCInput,
    Dense,
    Distribution,
    ExplicitEdges,
    LowRank,
    Network,
    PatternInput,
    Population,
    ProjectionGain,
    RateUnit,
    StateReset,
    TaskSignal,
    Values,
)
from allometry.simulate.build.plan.inputs import compile_currents, pieces
from allometry.simulate.build.plan.neurons import draws
from allometry.simulate.build.timing import nearest_steps
from allometry.simulate.kernels.rates.sums import BLOCK
from allometry.simulate.kernels.rng import Purpose, key

OPEN = 2**62
"""Step that no run reaches."""


@dataclass(frozen=True, eq=False)
class Units:
    """A population in numbers: its first unit and first block in the network, and its model."""

    name: str
    size: int
    first: int
    first_block: int
    model: RateUnit

    @property
    def blocks(self) -> int:
        """Number of blocks, between which a network is cut."""
        return -(-self.size // BLOCK)


@dataclass(frozen=True, eq=False)
class Changing:
    """What holds piece by piece: `values`, float64 [piece, column], from `steps`, int64, on; `before` until the first.

    `columns` are where they stand among all signals, or among all gains.
    """

    steps: np.ndarray
    values: np.ndarray
    columns: slice
    before: np.ndarray

    def at(self, step: np.ndarray) -> np.ndarray:
        """Return the values in given steps, float64 [step, column]."""
        piece = np.searchsorted(self.steps, step, side="right") - 1
        return np.where((piece >= 0)[:, None], self.values[np.maximum(piece, 0)], self.before)


@dataclass(frozen=True, eq=False)
class Sums:
    """What is summed over the rates of a population: the latent variables of a projection, or a readout.

    factors : float64 [source unit, column]. `projection` is -1 of a readout; `gain` is its first gain, -1 of a readout; `labels`
    name the columns; `of_state` says that states are summed in place of rates.
    """

    name: str
    population: int
    factors: np.ndarray
    column: int
    gain: int
    projection: int
    labels: tuple[str, ...]
    of_state: bool = False


@dataclass(frozen=True, eq=False)
class RatePlan:
    """A compiled network of rate units.

    `patterns` are the vectors [unit of the network] that the signals of the inputs multiply; `gain_of` the first gain of each
    projection. `longest` is 0: nothing is under way between steps.
    """

    network: Network
    seed: int
    drive_seed: int
    precision: str
    units: tuple[Units, ...]
    sums: tuple[Sums, ...]
    gain_of: tuple[int, ...]
    gain_count: int
    gains: tuple[Changing, ...]
    signals: tuple[Changing, ...]
    signal_count: int
    longest: int = 0

    def __repr__(self) -> str:
        return f"RatePlan({self.network!r}, seed {self.seed})"

    @property
    def size(self) -> int:
        """Number of units."""
        return self.network.size

    @property
    def plastic(self) -> tuple[()]:
        """Plastic projections: none."""
        return ()

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return sum(u.blocks for u in self.units)

    @property
    def exact(self) -> bool:
        """Whether the network is propagated as a whole."""
        return self.units[0].model.integration == "exact"

    @property
    def columns(self) -> int:
        """Number of sums: latent variables and readouts."""
        return sum(s.factors.shape[1] for s in self.sums)

    @property
    def settings(self) -> int:
        """Number of different gains of its projections over all times, of which each has a propagator; 1 without gains."""
        steps = np.unique(np.concatenate([np.zeros(1, np.int64), *(x.steps for x in self.gains)]))
        rows = [x.at(steps) for x in self.gains]
        return len(np.unique(np.concatenate(rows, axis=1), axis=0)) if rows else 1

    @property
    def shares(self) -> bool:
        """Whether units read the rates of others one by one, and not only sums of them."""
        return self.exact or any(not isinstance(p.rule, LowRank) for p in self.network.projections)

    @cached_property
    def patterns(self) -> np.ndarray:
        """Patterns of all channels of the inputs, float64 [channel, unit of the network]."""
        out = np.zeros((self.signal_count, self.size))
        at = 0
        first = {u.name: u.first for u in self.units}
        for population, vectors in _patterns(self.network):
            low = first[population]
            out[at : at + len(vectors), low : low + vectors.shape[1]] = vectors
            at += len(vectors)
        return out

    @cached_property
    def resets(self) -> list[tuple[int, int, np.ndarray]]:
        """Resets in the order of their steps: step, number of the population, float64 [unit]."""
        found = []
        index = {u.name: k for k, u in enumerate(self.units)}
        for x in self.network.inputs:
            if isinstance(x, StateReset):
                size = self.units[index[x.population]].size
                steps = nearest_steps(x.times_ms, self.network.dt_ms).astype(np.int64).tolist()
                rows = np.broadcast_to(x.values, (len(steps), size))
                found += [(step, index[x.population], row) for step, row in zip(steps, rows)]
        return sorted(found, key=lambda reset: reset[0])

    def initial(self, number: int) -> np.ndarray:
        """Return the states of a population at time 0, float64 [unit]."""
        p = self.network.populations[number]
        given: Distribution | None = p.initial_v
        if given is None:
            return np.zeros(p.size)
        if isinstance(given, Constant | Values):
            value = given.value if isinstance(given, Constant) else given.values
            return np.array(np.broadcast_to(np.asarray(value, np.float64), p.size))
        out = np.empty(p.size)
        draws(given, key(self.drive_seed, Purpose.INITIAL_V, number), 0, out)
        return out


def _patterns(net: Network) -> list[tuple[str, np.ndarray]]:
    """Vectors that the signals of every input multiply, float64 [channel, unit], in the order of `_signals`."""
    found = []
    for current in compile_currents(net):
        size = net.population(current.population).size
        found.append((current.population, current.values if current.values.ndim == 2 else np.ones((1, size))))
    found += [(x.population, x.pattern.T) for x in net.inputs if isinstance(x, PatternInput)]
    return found


def _signals(net: Network) -> list[tuple[np.ndarray, np.ndarray]]:
    """Steps and values, [piece, channel], of the signals of every input."""
    found = []
    for current in compile_currents(net):
        values = current.values
        # of a current with a value per unit and piece the pieces are patterns, one at a time
        found.append((current.steps, np.eye(len(values)) if values.ndim == 2 else values[:, None]))
    for x in net.inputs:
        if isinstance(x, PatternInput):
            steps, values = pieces(x.signal, x.start_ms, x.stop_ms, net.dt_ms)
            wide = values[:, None] if values.ndim == 1 else values
            found.append((steps, np.broadcast_to(wide, (len(wide), x.pattern.shape[1]))))
    return found


def compile_rates(
    net: Network, seed: int, precision: str, drive_seed: int | None = None, known: object = None
) -> RatePlan:
    """Turn a validated network of rate units into numbers.

    Noise and initial states have the seed `drive_seed`, default `seed`.
    """
    units, first, block = [], 0, 0
    for p in net.populations:
        units.append(_units(p, first, block))
        first, block = first + p.size, block + units[-1].blocks
    index = {u.name: k for k, u in enumerate(units)}
    sums, gain_of, gains, column = [], [], 0, 0
    for number, projection in enumerate(net.projections):
        gain_of.append(gains)
        if isinstance(projection.rule, LowRank):
            name = projection.name or f"{projection.source} -> {projection.target}"
            n = projection.rule.n
            sums.append(Sums(name, index[projection.source], n, column, gains, number, _labels(name, n)))
            column += projection.rule.rank
            gains += projection.rule.rank
        else:
            gains += 1
    for readout in net.readouts:
        labels = _labels(readout.name, readout.weight)
        of_state = readout.variable == "x"
        sums.append(Sums(readout.name, index[readout.population], readout.weight, column, -1, -1, labels, of_state))
        column += readout.weight.shape[1]
    signals, at = [], 0
    for steps, values in _signals(net):
        width = values.shape[1]
        signals.append(Changing(steps, values, slice(at, at + width), np.zeros(width)))
        at += width
    return RatePlan(
        network=net,
        seed=seed,
        drive_seed=seed if drive_seed is None else drive_seed,
        precision=precision,
        units=tuple(units),
        sums=tuple(sums),
        gain_of=tuple(gain_of),
        gain_count=gains,
        gains=_gains(net, gain_of),
        signals=tuple(signals),
        signal_count=at,
    )


def _units(p: Population, first: int, block: int) -> Units:
    assert isinstance(p.neuron, RateUnit)
    return Units(p.name, p.size, first, block, p.neuron)


def _labels(name: str, factors: np.ndarray) -> tuple[str, ...]:
    count = factors.shape[1]
    return (name,) if count == 1 else tuple(f"{name}_{k}" for k in range(count))


def _gains(net: Network, gain_of: list[int]) -> tuple[Changing, ...]:
    named = {p.name: number for number, p in enumerate(net.projections) if p.name is not None}
    out = []
    for x in net.inputs:
        if not isinstance(x, ProjectionGain):
            continue
        number = named[x.projection]
        rule = net.projections[number].rule
        width = rule.rank if isinstance(rule, LowRank) else 1
        steps, values = pieces(x.gain, 0.0, float("inf"), net.dt_ms)
        wide = np.broadcast_to(values[:, None] if values.ndim == 1 else values, (len(values), width))
        out.append(Changing(steps, wide, slice(gain_of[number], gain_of[number] + width), np.zeros(width)))
    return tuple(out)


def shown(net: Network, step: np.ndarray) -> dict[str, np.ndarray]:
    """Return what inputs with a name were in given steps, float64 [step] or [step, channel]: signals, and gains of projections.

    Parameters
    ----------
    net : Network
        Of rate units.
    step : np.ndarray
        int64.
    """
    found: dict[str, np.ndarray] = {}
    for x in net.inputs:
        start_ms, stop_ms = 0.0, float("inf")
        given: Any = None
        if isinstance(x, DCInput) and not x.differs:
            given, start_ms, stop_ms = x.amplitude, x.start_ms, x.stop_ms
        elif isinstance(x, PatternInput):
            given, start_ms, stop_ms = x.signal, x.start_ms, x.stop_ms
        elif isinstance(x, ProjectionGain | TaskSignal):
            given = x.gain if isinstance(x, ProjectionGain) else x.signal
        if x.name is None or given is None:
            continue
        steps, values = pieces(given, start_ms, stop_ms, net.dt_ms)
        wide = values[:, None] if values.ndim == 1 else values
        rows = Changing(steps, wide, slice(0), np.zeros(wide.shape[1])).at(step)
        kind = "gain" if isinstance(x, ProjectionGain) else "input"
        found[f"{kind}_{x.name}"] = rows[:, 0] if values.ndim == 1 else rows
    return found


def course(
    changing: tuple[Changing, ...], width: int, rest: float, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what changes in steps [first, last): int64 [step], rows of float64 [row, column]; `rest` stands where nothing acts."""
    inside = [x.steps[(x.steps > first) & (x.steps < last)] for x in changing]
    steps = np.unique(np.concatenate([np.array([first], np.int64), *inside]))
    rows = np.full((len(steps), width), rest)
    for x in changing:
        rows[:, x.columns] = x.at(steps)
    different, which = np.unique(rows, axis=0, return_inverse=True)
    return which.ravel()[np.searchsorted(steps, np.arange(first, last), side="right") - 1], different


def one_connectivity(plans: Sequence[RatePlan]) -> bool:
    """Whether the networks of plans have the same populations, projections and readouts, as objects."""
    first = plans[0].network
    return all(
        len(mine) == len(theirs) and all(a is b for a, b in zip(mine, theirs))
        for plan in plans[1:]
        for mine, theirs in (
            (first.populations, plan.network.populations),
            (first.projections, plan.network.projections),
            (first.readouts, plan.network.readouts),
        )
    )


def dense_weights(plan: RatePlan, gains: np.ndarray, silenced: np.ndarray) -> np.ndarray:
    """Return all weights of a network under given gains as a matrix, float64 [target, source]; silenced units reach nobody.

    Every sum over latent variables runs in their order.
    """
    out = np.zeros((plan.size, plan.size))
    first = {u.name: u.first for u in plan.units}
    for number, projection in enumerate(plan.network.projections):
        rule, gain = projection.rule, plan.gain_of[number]
        rows = slice(
            first[projection.target], first[projection.target] + plan.network.population(projection.target).size
        )
        columns = slice(
            first[projection.source], first[projection.source] + plan.network.population(projection.source).size
        )
        if isinstance(rule, LowRank):
            for r in range(rule.rank):
                if gains[gain + r] != 0.0:
                    out[rows, columns] += gains[gain + r] * np.outer(rule.m[:, r], rule.n[:, r])
        elif isinstance(rule, Dense):
            out[rows, columns] += gains[gain] * rule.weight
        elif isinstance(rule, ExplicitEdges):
            np.add.at(out[rows, columns], (rule.target, rule.source), gains[gain] * rule.weight)
    out[:, silenced] = 0.0
    return out
