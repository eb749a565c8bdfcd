"""Rules that depend on distance: edges against probabilities computed pair by pair, and for any cut of the network."""

import math

import numpy as np
import pytest
from scipy import stats

from allometry.errors import SimulationError
from allometry.network import (
    BoxKernel,
    DistanceDependent,
    ExponentialKernel,
    FixedIndegree,
    FixedOutdegree,
    GaussianKernel,
    Grid,
    IafPscExp,
    Network,
    Normal,
    Population,
    Projection,
    Space,
    UniformPositions,
)
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.plan.positions import positions
from tests.simulate import engine

N, M = 600, 400
WIDTH, HEIGHT = 2.0, 1.0


def built(rule: object, periodic: bool, target: str = "B", seed: int = 1, grid: bool = False) -> Plan:
    where = [Grid(30, 20), Grid(25, 16, 0.0)] if grid else [UniformPositions(), UniformPositions()]
    populations = (
        Population("A", N, IafPscExp(), positions=where[0]),
        Population("B", M, IafPscExp(), positions=where[1]),
    )
    space = Space(WIDTH, HEIGHT, periodic, left=-1.0, bottom=5.0)
    return compile_network(
        Network(populations, (Projection("A", target, rule, 20.0, Normal(1.5, 0.5)),), space=space), seed, "fast"
    )


def pairs(plan: Plan, same: bool = False) -> np.ndarray:
    """Number of synapses, int [target, source]."""
    table = engine.edges(plan)
    out = np.zeros((N if same else M, N), int)
    np.add.at(out, (table[:, 1] - (0 if same else N), table[:, 0]), 1)
    return out


def kernel_values(plan: Plan, kernel: object, periodic: bool, same: bool = False) -> np.ndarray:
    """k(d) of every pair, float [target, source], by formulas of its own."""
    source = positions(plan.network, 0, plan.seed)
    target = source if same else positions(plan.network, 1, plan.seed)
    d = np.abs(target[:, None, :] - source[None, :, :])
    sides = np.array([WIDTH, HEIGHT])
    if periodic:
        d = np.minimum(d, sides - d)
    if isinstance(kernel, GaussianKernel) and kernel.wrapped:
        images = np.arange(-40, 41)[:, None, None, None] * sides
        return np.exp(-0.5 * ((d + images) / kernel.sigma) ** 2).sum(axis=0).prod(axis=-1)
    r = np.hypot(d[..., 0], d[..., 1])
    if isinstance(kernel, BoxKernel):
        return (r <= kernel.radius).astype(float)
    value = (
        np.exp(-r / kernel.length) if isinstance(kernel, ExponentialKernel) else np.exp(-0.5 * (r / kernel.sigma) ** 2)
    )
    return np.where(r <= kernel.cutoff, value, 0.0)


KERNELS = [
    GaussianKernel(0.15),
    GaussianKernel(0.3, 0.5),
    ExponentialKernel(0.1),
    ExponentialKernel(0.4, 0.35),
    BoxKernel(0.22),
]


def assert_agree(counts: np.ndarray, expected: np.ndarray, variance: np.ndarray) -> None:
    """Sums over groups of pairs with like expectation are within their chance: 4.2 sigma, over some 400 groups of all tests."""
    group = np.digitize(expected, np.quantile(expected[expected > 0], np.linspace(0, 1, 12)[1:-1]))
    group = np.where(expected > 0, group + 1, 0)
    for g in np.unique(group):
        mine = group == g
        assert abs((counts - expected)[mine].sum()) <= 4.2 * math.sqrt(variance[mine].sum()) + 1e-9


@pytest.mark.parametrize("kernel", [*KERNELS, GaussianKernel(0.3, wrapped=True)])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("peak", [0.4, 1.5])
def test_probabilities_of_pairs(kernel: object, periodic: bool, peak: float) -> None:
    if getattr(kernel, "wrapped", False) and not periodic:
        return
    plan = built(DistanceDependent(kernel, peak), periodic)
    p = np.minimum(1.0, peak * kernel_values(plan, kernel, periodic))
    counts = pairs(plan)
    assert counts.max() == 1
    assert (counts[p == 0] == 0).all()
    assert (counts[p == 1] == 1).all()
    assert_agree(counts, p, p * (1 - p))
    for axis in (0, 1):  # degrees: sums of independent draws
        if not (p * (1 - p)).any():
            break  # a box: all within, none beyond
        z = (counts.sum(axis) - p.sum(axis)) / np.sqrt((p * (1 - p)).sum(axis) + 1e-9)
        assert 0.8 < z.std() < 1.2
    assert abs(plan.synapses[0].expected - p.sum()) < 0.25 * p.sum()


def test_peaks_per_target_and_autapses() -> None:
    kernel, peak = GaussianKernel(0.2, 0.5), np.linspace(0.0, 2.0, N)
    plan = built(DistanceDependent(kernel, peak, autapses=False), False, target="A")
    p = np.minimum(1.0, peak[:, None] * kernel_values(plan, kernel, False, same=True))
    np.fill_diagonal(p, 0.0)
    counts = pairs(plan, same=True)
    assert (np.diag(counts) == 0).all()
    assert_agree(counts, p, p * (1 - p))
    own = np.diag(pairs(built(DistanceDependent(kernel, 1.0), False, target="A"), same=True))
    assert (own == 1).all()


@pytest.mark.parametrize("wanted", [20.0, 40.0])
def test_the_expected_in_degree_holds_at_the_edge_too(wanted: float) -> None:
    """40 of the some 48 sources in reach of a corner: probabilities saturate there."""
    kernel = GaussianKernel(0.2, 0.45)
    plan = built(DistanceDependent(kernel, indegree=wanted), False, grid=True)
    counts = pairs(plan).sum(axis=1)
    free = pairs(built(DistanceDependent(kernel, 0.5), False, grid=True)).sum(axis=1)
    x, y = (positions(plan.network, 1, 1) - [-1.0, 5.0]).T
    corner = (np.minimum(x, WIDTH - x) < 0.15) & (np.minimum(y, HEIGHT - y) < 0.15)
    middle = (np.minimum(x, WIDTH - x) > 0.45) & (np.minimum(y, HEIGHT - y) > 0.4)
    assert free[corner].mean() < 0.5 * free[middle].mean()
    for chosen in (corner, middle, ~corner):
        assert abs(counts[chosen].mean() - wanted) < 4 * math.sqrt(wanted / chosen.sum())
    assert plan.synapses[0].expected == wanted * M


@pytest.mark.parametrize("kernel", [*KERNELS, GaussianKernel(0.3, wrapped=True)])
@pytest.mark.parametrize("outward", [False, True])
def test_fixed_degrees_are_drawn_by_the_kernel(kernel: object, outward: bool) -> None:
    n = 50
    rule = FixedOutdegree(n, kernel=kernel) if outward else FixedIndegree(n, kernel=kernel)
    plan = built(rule, True)
    counts, k = pairs(plan), kernel_values(plan, kernel, True)
    axis = 0 if outward else 1
    assert (counts.sum(axis=axis) == n).all()
    share = k / k.sum(axis=axis, keepdims=True)
    assert (counts[share == 0] == 0).all()
    assert_agree(counts, n * share, n * share * (1 - share))


def test_wrapped_gaussians_have_the_variance_of_free_ones() -> None:
    """Displacements on the torus: the first Fourier coefficient of a wrapped Gaussian is exp(-2 pi^2 sigma^2 / L^2)."""
    sigma, n = 0.3, 200
    plan = built(FixedOutdegree(n, kernel=GaussianKernel(sigma, wrapped=True)), True, grid=True)
    table = engine.edges(plan)
    step = positions(plan.network, 1, 1)[table[:, 1] - N] - positions(plan.network, 0, 1)[table[:, 0]]
    for axis, side in ((0, WIDTH), (1, HEIGHT)):
        found = np.cos(2 * np.pi * step[:, axis] / side)
        wanted = math.exp(-2 * (math.pi * sigma / side) ** 2)
        assert abs(found.mean() - wanted) < 4 * found.std() / math.sqrt(len(found)) + 1e-3


RULES = [
    DistanceDependent(GaussianKernel(0.2, 0.5), 0.3),
    DistanceDependent(ExponentialKernel(0.1), indegree=7.0),
    FixedIndegree(9, kernel=GaussianKernel(0.2, wrapped=True)),
    FixedOutdegree(11, kernel=BoxKernel(0.3)),
    FixedOutdegree(40),
    FixedOutdegree(40, multapses=False),
    FixedIndegree(40, multapses=False),
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("target", ["A", "B"])
def test_the_same_edges_for_any_cut(rule: object, target: str) -> None:
    plan = built(rule, True, target)
    whole = engine.edges(plan)
    assert len(whole) > 2000
    for parts in (2, 3, 5):
        pieces = np.concatenate([engine.edges(plan, part, parts) for part in range(parts)])
        np.testing.assert_array_equal(pieces[np.lexsort(pieces.T[::-1])], whole)
    assert not np.array_equal(engine.edges(built(rule, True, target, seed=2)), whole)


@pytest.mark.parametrize(
    "rule", [FixedIndegree(3, kernel=BoxKernel(0.001)), FixedOutdegree(3, kernel=BoxKernel(0.001))]
)
def test_a_neuron_with_nobody_in_reach(rule: object) -> None:
    with pytest.raises(SimulationError, match=r"no (source|target) is within the kernel of neuron 0") as caught:
        engine.edges(built(rule, False))
    assert caught.value.where == "projection 0 (A -> B)"


def test_an_in_degree_beyond_the_sources_in_reach() -> None:
    with pytest.raises(SimulationError, match=r"neuron \d+ has fewer than 50 possible sources"):
        engine.edges(built(DistanceDependent(BoxKernel(0.1), indegree=50.0), False))


def test_drawn_positions_are_uniform_and_those_of_the_seed() -> None:
    plan = built(DistanceDependent(BoxKernel(0.1), 0.5), False)
    first, second = positions(plan.network, 0, 1), positions(plan.network, 1, 1)
    for axis, low, side in ((0, -1.0, WIDTH), (1, 5.0, HEIGHT)):
        assert stats.kstest((first[:, axis] - low) / side, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first[:, 0], first[:, 1])[0, 1]) < 4 / math.sqrt(N)
    assert not np.isin(first[:M, 0], second[:, 0]).any()
    assert not np.array_equal(positions(plan.network, 0, 2), first)
    np.testing.assert_array_equal(positions(plan.network, 0, 1), first)


def test_sites_of_a_grid() -> None:
    plan = built(DistanceDependent(BoxKernel(0.1), 0.5), False, grid=True)
    at = positions(plan.network, 1, 1)
    np.testing.assert_allclose(at[[0, 1, 25]], [[-1.0, 5.0], [-1.0 + WIDTH / 25, 5.0], [-1.0, 5.0 + HEIGHT / 16]])
    np.testing.assert_allclose(positions(plan.network, 0, 1)[-1], [-1.0 + WIDTH * 29.5 / 30, 5.0 + HEIGHT * 19.5 / 20])
