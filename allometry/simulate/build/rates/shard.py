"""What one thread of a network of rate units owns: a range of blocks, what arrives at their units, and what is summed over them."""

from dataclasses import dataclass

import numpy as np

from allometry.network import Dense, ExplicitEdges, LowRank
from allometry.simulate.build.rates.plan import RatePlan
from allometry.simulate.kernels.rates.advance import DENSE, LOW_RANK, SPARSE, Units
from allometry.simulate.kernels.rates.nonlinearities import NUMBERS
from allometry.simulate.kernels.rates.sums import BLOCK


@dataclass(frozen=True)
class Segment:
    """Units [low, high) of population number `population`; `start` is the number of the first within the shard."""

    population: int
    low: int
    high: int
    start: int

    @property
    def count(self) -> int:
        """Number of units."""
        return self.high - self.low


def block_range(plan: RatePlan, part: int, parts: int) -> tuple[int, int]:
    """Return the blocks [low, high) that part `part` of `parts` owns."""
    return plan.blocks * part // parts, plan.blocks * (part + 1) // parts


def segments(plan: RatePlan, low: int, high: int) -> list[Segment]:
    """Return the units of blocks [low, high), population by population."""
    found, start = [], 0
    for number, u in enumerate(plan.units):
        a, b = max(low, u.first_block), min(high, u.first_block + u.blocks)
        if a < b:
            first, last = (a - u.first_block) * BLOCK, min((b - u.first_block) * BLOCK, u.size)
            found.append(Segment(number, first, last, start))
            start += last - first
    return found


def unit_range(plan: RatePlan, low: int, high: int) -> tuple[int, int]:
    """Return the numbers [first, last) in the network of the units of blocks [low, high)."""
    found = segments(plan, low, high)
    if not found:
        return 0, 0
    first, last = found[0], found[-1]
    return plan.units[first.population].first + first.low, plan.units[last.population].first + last.high


def partial_range(plan: RatePlan, number: int, low: int, high: int) -> tuple[int, int]:
    """Return where the partial sums number `number` of blocks [low, high) stand among all partial sums."""
    begin = partial_starts(plan)[number]
    s = plan.sums[number]
    u, width = plan.units[s.population], s.factors.shape[1]
    a, b = (min(max(block - u.first_block, 0), u.blocks) for block in (low, high))
    return begin + a * width, begin + b * width


def partial_starts(plan: RatePlan) -> list[int]:
    """Return where the partial sums of every sum begin, and where the last ends."""
    sizes = [plan.units[s.population].blocks * s.factors.shape[1] for s in plan.sums]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64).tolist()


def build_units(plan: RatePlan, low: int, high: int, silenced: np.ndarray, probes: np.ndarray, rate: bool) -> Units:
    """Return the units of blocks [low, high), without the patterns of their inputs.

    Parameters
    ----------
    plan : RatePlan
    low, high : int
        Blocks.
    silenced : np.ndarray
        int64, numbers in the network of units that reach nobody.
    probes : np.ndarray
        int64, numbers in the shard of the units that are recorded.
    rate : bool
        Whether rates are recorded, else states.
    """
    own = segments(plan, low, high)
    n = sum(s.count for s in own)
    keep, into, noise = np.zeros(n), np.zeros(n), np.zeros(n)
    parts = []
    for s in own:
        u = plan.units[s.population]
        here = slice(s.start, s.start + s.count)
        keep[here], into[here], noise[here] = (v[s.low : s.high] for v in _step_constants(plan, s.population))
        kind = NUMBERS[u.model.nonlinearity]
        parts.append([s.start, s.count, u.first + s.low, kind, s.population, u.size, s.low])
    sums, factors = _sums(plan, own, silenced)
    projections, weights, limits, sources, edge_weights = _projections(plan, own, silenced)
    return Units(
        parts=np.array(parts, np.int64).reshape(-1, 7),
        keep=keep,
        into=into,
        noise=noise,
        sums=sums,
        factors=factors,
        projections=projections,
        weights=weights,
        limits=limits,
        sources=sources,
        edge_weights=edge_weights,
        exact=np.zeros((0, 0, 0)),
        patterns=np.zeros((1, 0, n)),
        probes=probes,
        recorded=np.array([int(rate)], np.int64),
    )


def _step_constants(plan: RatePlan, population: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step does to every unit of a population: what is kept of x, the share of the input, size of the noise."""
    u = plan.units[population]
    tau = np.broadcast_to(np.asarray(u.model.tau_ms, np.float64), u.size)
    sd = np.broadcast_to(np.asarray(u.model.noise, np.float64), u.size)
    ratio = plan.network.dt_ms / tau
    if u.model.integration == "euler":
        return 1.0 - ratio, np.array(ratio), sd * np.sqrt(2.0 * ratio)
    # through text, since the last bit of libm depends on the machine: 15 digits are those that all agree on
    into = np.array([float(f"{-x:.14e}") for x in np.expm1(-ratio).tolist()])
    return 1.0 - into, into, sd * np.sqrt(into * (2.0 - into))


def _sums(plan: RatePlan, own: list[Segment], silenced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, pieces, at = [], [np.empty(0)], 0
    starts = partial_starts(plan)
    for number, s in enumerate(plan.sums):
        u, width = plan.units[s.population], s.factors.shape[1]
        segment = next((x for x in own if x.population == s.population), Segment(s.population, 0, 0, 0))
        factors = s.factors[segment.low : segment.high].copy()
        numbers = u.first + np.arange(segment.low, segment.high)
        if not s.of_state:
            factors[np.isin(numbers, silenced)] = 0.0
        pieces.append(factors.ravel())
        rows.append(
            [
                segment.start,
                segment.count,
                width,
                at,
                starts[number],
                segment.low // BLOCK,
                u.blocks,
                s.column,
                s.gain,
                s.of_state,
            ]
        )
        at += factors.size
    return np.array(rows, np.int64).reshape(-1, 10), np.concatenate(pieces)


def _projections(
    plan: RatePlan, own: list[Segment], silenced: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rows: list[list[int]] = []
    weights, limits = [np.empty(0)], [np.empty(0, np.int64)]
    sources, edges = [np.empty(0, np.int64)], [np.empty(0)]
    at = limit = edge = 0
    index = {u.name: k for k, u in enumerate(plan.units)}
    for number, projection in enumerate(() if plan.exact else plan.network.projections):
        rule, gain = projection.rule, plan.gain_of[number]
        target, source = index[projection.target], plan.units[index[projection.source]]
        segment = next((s for s in own if s.population == target), Segment(target, 0, 0, 0))
        chosen = slice(segment.low, segment.high)
        if isinstance(rule, LowRank):
            column = next(s.column for s in plan.sums if s.projection == number)
            weights.append(rule.m[chosen].T.ravel())
            rows.append([LOW_RANK, segment.start, segment.count, source.first, rule.rank, at, column, gain])
            at += weights[-1].size
        elif isinstance(rule, Dense):
            matrix = rule.weight[chosen].T.copy()
            matrix[np.isin(source.first + np.arange(source.size), silenced)] = 0.0
            weights.append(matrix.ravel())
            rows.append([DENSE, segment.start, segment.count, source.first, source.size, at, 0, gain])
            at += weights[-1].size
        elif isinstance(rule, ExplicitEdges):
            kept = (rule.target >= segment.low) & (rule.target < segment.high)
            kept &= ~np.isin(source.first + rule.source, silenced)
            order = np.flatnonzero(kept)
            order = order[np.lexsort((rule.source[order], rule.target[order]))]
            counts = np.bincount(rule.target[order] - segment.low, minlength=segment.count)
            limits.append(edge + np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
            sources.append(source.first + rule.source[order])
            edges.append(rule.weight[order])
            rows.append([SPARSE, segment.start, segment.count, source.first, source.size, limit, 0, gain])
            limit += len(limits[-1])
            edge += len(order)
    return (
        np.array(rows, np.int64).reshape(-1, 8),
        np.concatenate(weights),
        np.concatenate(limits),
        np.concatenate(sources),
        np.concatenate(edges),
    )
