"""Signal propagation: every neuron of a connectome is driven in turn, and the peak depolarisation of all is recorded.

All trials of a block advance together with the trial as the innermost, vectorised index, so that gap junctions cost one
vector operation per edge and step.
"""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from allometry.errors import SimulationError
from allometry.network import ConnectomeLif, ExplicitEdges, GapJunctions, Network, Projection
from allometry.network.scalars import plain_arguments
from allometry.numerics.rewiring import rewire
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.timing import delay_steps
from allometry.simulate.check.validate import check_network
from allometry.simulate.distribute.clusters.placement import cores
from allometry.simulate.kernels.propagation import trials

# Trials per block: enough for the work of one row to outweigh its overhead, few enough for the state to stay in cache.
_BLOCK = 160


@plain_arguments
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
    driven : np.ndarray [driven neurons], optional
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
    constants = plan.neurons[0].constants
    several = [name for name in plan.neurons[0].varied if name != "ref_steps"]
    if several:
        raise SimulationError(
            "parameters other than t_ref differ between neurons",
            where=net.title,
            expected="one value of tau_m, tau_syn, E_L, V_reset and V_th for all",
        )
    a, b, c, rate = (constants[name] for name in ("decay_v", "decay_g", "from_g", "gap_rate"))
    limits, target, weight, delay = _by_source(net, plan.neurons[0].quantum.value)
    gap_limits, gap_source, gap_weight = _gaps(net)
    hold = np.zeros(n, np.int16)
    hold[:] = constants["ref_steps"]
    arguments = (
        round(duration_ms / net.dt_ms), max(1, round(1000.0 / (rate_hz * net.dt_ms))), kick_mv,
        model.V_reset - model.E_L, model.V_th - model.E_L, a, b, c, rate, hold,
        limits, target, weight, delay, gap_limits, gap_source, gap_weight,
    )  # fmt: skip
    threads = threads or cores()
    # As many blocks for every thread; trials do not see each other, so that the result does not depend on their blocks.
    blocks = np.array_split(driven, threads * -(-len(driven) // (threads * _BLOCK))) if len(driven) else []
    with ThreadPoolExecutor(threads) as pool:
        peaks = list(pool.map(lambda block: trials(block, *arguments), [block for block in blocks if len(block)]))
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
