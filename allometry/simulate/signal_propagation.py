"""Signal propagation: every neuron of a connectome is driven in turn, and the peak depolarisation of all is recorded.

All trials of a block advance together with the trial as the innermost, vectorised index, so that gap junctions cost one
vector operation per edge and step.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from allometry.errors import SimulationError
from allometry.rewiring import rewire
from allometry.simulate.cluster import cores
from allometry.simulate.compiled import compiled
from allometry.simulate.fixedpoint import delay_steps
from allometry.simulate.network import ConnectomeLif, ExplicitEdges, GapJunctions, Network, Projection
from allometry.simulate.plan import compile_network
from allometry.simulate.validate import check_network

# Trials per block: enough for the work of one row to outweigh its overhead, few enough for the state to stay in cache.
_BLOCK = 160


def propagation(
    net: Network,
    duration_ms: float = 1000.0,
    rate_hz: float = 150.0,
    kick_mv: float = 68.75,
    driven: np.ndarray | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Drive neurons one at a time and return the peak depolarisation of every neuron relative to rest.

    The driven neuron has no refractory time and receives a kick of its membrane potential every round(1 / (rate dt))
    steps from step 0 on. Same equations and order as `ConnectomeLif` in `simulate.run(precision="exact")`.

    Parameters
    ----------
    net : Network
        One population of `ConnectomeLif` with `ExplicitEdges` and perhaps gap junctions; other inputs are not used.
    duration_ms, rate_hz, kick_mv : float
        Simulated time per driven neuron (ms), rate of the kicks (Hz), their size (mV).
    driven : np.ndarray, optional
        Neurons to drive; default every one.
    threads : int, optional
        Default all cores; the result does not depend on it.

    Returns
    -------
    np.ndarray
        float64 [driven, neuron], mV; the largest V - E_L that the neuron reached, its own drive included (diagonal).

    Raises
    ------
    SimulationError
        If the network is of another kind.
    """
    check_network(net)
    model = net.populations[0].neuron
    if len(net.populations) != 1 or not isinstance(model, ConnectomeLif):
        raise SimulationError("signal propagation needs one population of ConnectomeLif neurons", where=net.title)
    if not all(isinstance(p.rule, ExplicitEdges) for p in net.projections):
        raise SimulationError("signal propagation needs ExplicitEdges", where=net.title)
    if not (rate_hz > 0 and duration_ms >= net.dt_ms):
        raise SimulationError(f"rate_hz {rate_hz}, duration_ms {duration_ms}", where="propagation", expected="above 0")
    n = net.size
    driven = np.arange(n) if driven is None else np.asarray(driven, np.int64)
    plan = compile_network(net, 0, "exact")
    a, b, c, rate = plan.neurons[0].parameters[2:6]
    limits, target, weight, delay = _by_source(net, plan.neurons[0].quantum.value)
    gap_limits, gap_source, gap_weight = _gaps(net)
    hold = np.zeros(n, np.int16)
    hold[:] = plan.neurons[0].ref_steps
    arguments = (
        round(duration_ms / net.dt_ms), max(1, round(1000.0 / (rate_hz * net.dt_ms))), kick_mv,
        model.V_reset - model.E_L, model.V_th - model.E_L, a, b, c, rate, hold,
        limits, target, weight, delay, gap_limits, gap_source, gap_weight,
    )  # fmt: skip
    threads = threads or cores()
    # As many blocks for every thread; trials do not see each other, so that the result does not depend on their blocks.
    blocks = np.array_split(driven, threads * -(-len(driven) // (threads * _BLOCK))) if len(driven) else []
    with ThreadPoolExecutor(threads) as pool:
        peaks = list(pool.map(lambda block: _block(block, *arguments), [block for block in blocks if len(block)]))
    return np.concatenate([peak.T for peak in peaks]) if peaks else np.empty((0, n))


def rewired(net: Network, count: int, seed: int) -> Iterator[Network]:
    """Networks in which every neuron keeps its degrees, and nothing else of the graph is kept.

    Chemical edges keep their source with sign, weight and delay, so that in- and out-degrees and every neuron's own
    weights remain; gap junctions are rewired in both directions at once and keep their weights. Edges of a neuron to
    itself stay. Every projection is rewired by itself.

    Parameters
    ----------
    net : Network
        As for `propagation`; every pair of neurons at most once in each projection.
    count : int
        Networks to yield.
    seed : int
        Seed; the k-th network does not depend on `count`.

    Raises
    ------
    SimulationError
        If a gap junction is not listed in both directions with equal weight.
    AllometryError
        If an edge is listed twice.
    """
    for child in np.random.SeedSequence(seed).spawn(count):
        seeds = iter(child.generate_state(len(net.projections) + len(net.gap_junctions)).tolist())
        projections = tuple(_rewired_edges(p, net.size, next(seeds)) for p in net.projections)
        yield dataclasses.replace(
            net,
            projections=projections,
            gap_junctions=tuple(_rewired_gaps(g, net.size, next(seeds)) for g in net.gap_junctions),
        )


def _rewired_edges(projection: Projection, n: int, seed: int) -> Projection:
    edges = projection.rule
    if not isinstance(edges, ExplicitEdges):
        raise SimulationError("only ExplicitEdges can be rewired", where=f"{projection.source} -> {projection.target}")
    moved = edges.source != edges.target
    source, target = edges.source.copy(), edges.target.copy()
    source[moved], target[moved] = rewire(source[moved], target[moved], n, seed=seed)
    return dataclasses.replace(projection, rule=dataclasses.replace(edges, source=source, target=target))


def _rewired_gaps(gaps: GapJunctions, n: int, seed: int) -> GapJunctions:
    forward, backward = gaps.source < gaps.target, gaps.source > gaps.target
    one = np.lexsort((gaps.target[forward], gaps.source[forward]))
    other = np.lexsort((gaps.source[backward], gaps.target[backward]))
    a, b, weight = gaps.source[forward][one], gaps.target[forward][one], gaps.weight[forward][one]
    mirror = gaps.target[backward][other], gaps.source[backward][other], gaps.weight[backward][other]
    if not all(np.array_equal(x, y) for x, y in zip((a, b, weight), mirror)):
        raise SimulationError(
            "a gap junction is not listed in both directions with equal weight",
            where=gaps.population,
            expected="the electrical edges of a Connectome store",
        )
    a, b = rewire(a, b, n, seed=seed, directed=False)
    # A junction of a neuron with itself carries no current.
    return GapJunctions(gaps.population, np.r_[a, b], np.r_[b, a], np.r_[weight, weight])


def _by_source(net: Network, quantum: float) -> tuple[np.ndarray, ...]:
    rules = [p.rule for p in net.projections if isinstance(p.rule, ExplicitEdges)]
    source = np.concatenate([r.source for r in rules] + [np.empty(0, np.int64)])
    target = np.concatenate([r.target for r in rules] + [np.empty(0, np.int64)])
    weight = np.concatenate([r.weight for r in rules] + [np.empty(0)])
    delay = np.concatenate([delay_steps(r.delay, net.dt_ms, "edges") for r in rules] + [np.empty(0, np.uint16)])
    order = np.lexsort((target, source))
    limits = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=net.size))]).astype(np.int64)
    return limits, target[order], np.rint(weight[order] / quantum) * quantum, delay[order].astype(np.int64)


def _gaps(net: Network) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    source = np.concatenate([g.source for g in net.gap_junctions] + [np.empty(0, np.int64)])
    target = np.concatenate([g.target for g in net.gap_junctions] + [np.empty(0, np.int64)])
    weight = np.concatenate([g.weight for g in net.gap_junctions] + [np.empty(0)])
    order = np.lexsort((source, target))
    limits = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=net.size))]).astype(np.int64)
    return limits, source[order], weight[order]


@compiled
def _block(
    driven, steps, period, kick, reset, threshold, a, b, c, rate, hold, limits, target, weight, delay, gap_limits,
    gap_source, gap_weight,
):  # fmt: skip
    """Return the peaks, float64 [neuron, trial], of one block of trials."""
    n, trials = len(hold), len(driven)
    longest = 1
    for e in range(len(delay)):
        longest = max(longest, delay[e])
    delays = np.unique(delay)[::-1]
    # Spikes of the last steps, delivered when they arrive: a sum per target for every step to come would leave the cache.
    slots = longest + 1
    sent, sender, sender_lane = (
        np.zeros(slots, np.int64),
        np.empty((slots, n * trials), np.int32),
        np.empty((slots, n * trials), np.int32),
    )
    arrived = np.zeros((n, trials))
    v, old = np.zeros((n, trials)), np.zeros((n, trials))
    reached, seen = np.zeros((n, trials)), np.zeros((n, trials))
    g, peak = np.zeros((n, trials)), np.zeros((n, trials))
    refractory = np.zeros((n, trials), np.int16)
    joined, kicked = np.zeros(trials), np.zeros(trials)
    flag = np.zeros(trials, np.uint8)
    lane = np.full(n, -1, np.int64)
    for t in range(trials):
        lane[driven[t]] = t
    for step in range(steps):
        old, v = v, old
        seen, reached = reached, seen
        slot = step % slots
        sent[slot] = 0
        for d in delays:
            past = (step - d) % slots
            for k in range(sent[past]):
                j, t = sender[past, k], sender_lane[past, k]
                for e in range(limits[j], limits[j + 1]):
                    if delay[e] == d:
                        arrived[target[e], t] += weight[e]
        for i in range(n):
            for t in range(trials):
                joined[t] = 0.0
            mine, first, last = old[i], gap_limits[i], gap_limits[i + 1]
            # Two edges at a time, in their order: half the traffic of the sum.
            for e in range(first, last - 1, 2):
                w, other, x, another = gap_weight[e], seen[gap_source[e]], gap_weight[e + 1], seen[gap_source[e + 1]]
                for t in range(trials):
                    joined[t] = joined[t] + w * (other[t] - mine[t]) + x * (another[t] - mine[t])
            if (last - first) % 2:
                w, other = gap_weight[last - 1], seen[gap_source[last - 1]]
                for t in range(trials):
                    joined[t] += w * (other[t] - mine[t])
            own = lane[i]
            if own >= 0:
                kicked[own] = kick if step % period == 0 else 0.0
            fired = _row(
                v[i], old[i], reached[i], g[i], refractory[i], arrived[i], joined, kicked, peak[i], flag, reset, threshold, a, b, c,
                rate, hold[i],
            )  # fmt: skip
            if own >= 0:
                kicked[own] = 0.0
                refractory[i, own] = 0
            if fired > 0:
                for t in range(trials):
                    if flag[t] != 0:
                        sender[slot, sent[slot]], sender_lane[slot, sent[slot]] = i, t
                        sent[slot] += 1
    return peak


@compiled
def _row(
    v, old, reached, g, refractory, arrived, joined, kicked, peak, flag, reset, threshold, a, b, c, rate, hold
):  # fmt: skip
    spikes = np.int32(0)
    for t in range(len(v)):
        r = refractory[t]
        free = r == 0
        moved = (old[t] * a + g[t] * c + joined[t] * rate) if free else old[t]
        held = (g[t] * b if free else g[t]) + arrived[t]
        arrived[t] = 0.0
        moved += kicked[t]
        reached[t] = moved
        peak[t] = max(peak[t], moved)
        fired = free and moved > threshold
        v[t] = reset if fired else moved
        g[t] = 0.0 if fired else held
        refractory[t] = hold if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[t] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes
