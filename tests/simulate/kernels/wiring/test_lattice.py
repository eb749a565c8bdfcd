"""Rounded Gaussian displacements on a lattice: edges against probabilities by the error function, and for any cut."""

import math

import numpy as np
import pytest
from scipy import stats

from allometry import simulate
from allometry.errors import SimulationError
from allometry.network import (
    DistanceDependent,
    FixedIndegree,
    FixedOutdegree,
    Grid,
    IafPscExp,
    Network,
    Population,
    Projection,
    RoundedGaussian,
    Space,
    UniformPositions,
)
from allometry.network.serialise import from_dict, to_dict
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.plan.positions import positions
from tests.simulate import engine

COLUMNS, ROWS, WIDTH, HEIGHT = 12, 8, 3.0, 2.0
N = 24


def network(
    rule: object, *, periodic: bool = True, to: Grid | UniformPositions | None = None, target: str = "B"
) -> Network:
    populations = (
        Population("A", N, IafPscExp(), positions=Grid(6, 4, 0.0)),
        Population("B", COLUMNS * ROWS, IafPscExp(), positions=to or Grid(COLUMNS, ROWS, 0.25)),
    )
    space = Space(WIDTH, HEIGHT, periodic, left=-1.0, bottom=5.0)
    return Network(populations, (Projection("A", target, rule, 20.0, 0.5),), space=space)


def plan_of(rule: object, target: str = "B", seed: int = 1) -> Plan:
    return compile_network(network(rule, target=target), seed, "fast")


def probabilities(source: np.ndarray, sites: int, side: float, offset: float, sigma: float) -> np.ndarray:
    """Chance of every site on a ring, [source, site]: the Gaussian between the halves around each of its images."""
    place = source * sites / side - offset
    turns = np.arange(-20, 21) * sites
    at = np.arange(sites)[:, None] + turns
    width = sigma * sites / side
    low, high = ((at + half - place[:, None, None]) / width for half in (-0.5, 0.5))
    return (stats.norm.cdf(high) - stats.norm.cdf(low)).sum(axis=-1)


@pytest.mark.parametrize("sigma", [0.15, 1.4])
def test_targets_are_those_of_rounded_displacements(sigma: float) -> None:
    n = 4000
    plan = plan_of(FixedOutdegree(n, kernel=RoundedGaussian(sigma)))
    table = engine.edges(plan)
    counts = np.zeros((N, COLUMNS * ROWS))
    np.add.at(counts, (table[:, 0], table[:, 1] - N), 1)
    assert (counts.sum(axis=1) == n).all()
    x, y = (positions(plan.network, 0, 1) - [-1.0, 5.0]).T
    p = (
        probabilities(y, ROWS, HEIGHT, 0.25, sigma)[:, :, None]
        * probabilities(x, COLUMNS, WIDTH, 0.25, sigma)[:, None, :]
    ).reshape(N, -1)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-9)
    likely = n * p > 5
    chi2 = ((counts - n * p)[likely] ** 2 / (n * p)[likely]).sum()
    degrees = likely.sum() - N
    assert abs(chi2 - degrees) < 4 * math.sqrt(2 * degrees) + 1
    assert counts[n * p < 1e-6].sum() == 0


def test_halves_are_rounded_away_from_zero() -> None:
    """Sources half-way between sites, a displacement far below one: site 1 from 0.5, and from 1.5 site 2."""
    source = Population("A", 2, IafPscExp(), positions=np.array([[0.125, 0.0], [0.375, 0.0]]))
    target = Population("B", 16, IafPscExp(), positions=Grid(4, offset=0.0))
    rule = FixedOutdegree(400, kernel=RoundedGaussian(1e-4))
    net = Network((source, target), (Projection("A", "B", rule, 1.0, 0.1),), space=Space(1.0, 1.0, periodic=True))
    table = engine.edges(compile_network(net, 1, "fast"))
    for i, near in ((0, (0, 1)), (1, (1, 2))):
        found = np.bincount(table[table[:, 0] == i][:, 1] - 2, minlength=16)
        assert found[list(near)].sum() == 400
        assert abs(found[near[0]] - 200) < 4 * math.sqrt(400 / 4)
    exact = RoundedGaussian(1e-300)  # no displacement at all
    at = engine.edges(
        compile_network(
            Network(
                (source, target),
                (Projection("A", "B", FixedOutdegree(1, kernel=exact), 1.0, 0.1),),
                space=Space(1.0, 1.0, periodic=True),
            ),
            1,
            "fast",
        )
    )
    assert (at[:, 1] - 2).tolist() == [1, 2]


def test_the_same_edges_for_any_cut_and_other_ones_for_another_seed() -> None:
    rule = FixedOutdegree(90, kernel=RoundedGaussian(0.4))
    for target in ("A", "B"):
        rule_plan = plan_of(rule, target)
        whole = engine.edges(rule_plan)
        assert len(whole) == 90 * N
        for parts in (2, 5):
            pieces = np.concatenate([engine.edges(rule_plan, part, parts) for part in range(parts)])
            np.testing.assert_array_equal(pieces[np.lexsort(pieces.T[::-1])], whole)
        assert not np.array_equal(engine.edges(plan_of(rule, target, seed=2)), whole)


def test_the_kernel_is_written_and_read_back() -> None:
    rule = FixedOutdegree(3, kernel=RoundedGaussian(0.25))
    assert from_dict(to_dict(rule)) == rule


KERNEL = RoundedGaussian(0.2)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (network(FixedIndegree(3, kernel=KERNEL)), "RoundedGaussian in FixedIndegree"),
        (network(DistanceDependent(KERNEL, 0.1)), "RoundedGaussian in DistanceDependent"),
        (network(FixedOutdegree(3, autapses=False, kernel=KERNEL), target="A"), "RoundedGaussian without autapses"),
        (network(FixedOutdegree(3, kernel=KERNEL), periodic=False), "needs a periodic space"),
        (network(FixedOutdegree(3, kernel=KERNEL), to=Grid(COLUMNS, ROWS + 1)), "do not fill a lattice"),
        (network(FixedOutdegree(3, kernel=KERNEL), to=UniformPositions()), "do not fill a lattice"),
        (network(FixedOutdegree(3, kernel=RoundedGaussian(0.0))), "sigma of the kernel is 0"),
        (network(FixedOutdegree(3, kernel=RoundedGaussian(1e9))), "far above the extent"),
        (network(FixedOutdegree(3, multapses=False, kernel=KERNEL)), "draws with replacement only"),
    ],
)
def test_impossible_rules_are_refused(net: Network, message: str, tmp_path) -> None:
    with pytest.raises(SimulationError, match=message):
        simulate.run(net, 1.0, 1, tmp_path / "never.zarr")
