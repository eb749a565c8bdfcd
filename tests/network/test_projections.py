"""Rules, kernels, positions, weights and delays: descriptions round-trip, impossible ones are refused."""

import numpy as np
import pytest

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
    Lognormal,
    Network,
    OneToOne,
    Population,
    Projection,
    Space,
    Uniform,
    UniformPositions,
)
from allometry.simulate.check.validate import check_network

SPACE = Space(2.0, 1.0, periodic=True, left=-1.0)
GRID, ANYWHERE = Grid(4, 3, offset=0.0), UniformPositions()
BOX, ONE = BoxKernel(0.3), FixedIndegree(1)


def net(rule=ONE, weight=1.0, delay=1.0, target="A", positions=GRID, space=SPACE, size=7) -> Network:
    populations = (
        Population("A", 10, IafPscExp(), positions=positions),
        Population("B", size, IafPscExp(), positions=ANYWHERE if positions is not None else None),
    )
    return Network(populations, (Projection("A", target, rule, weight, delay),), space=space)


@pytest.mark.parametrize(
    "rule",
    [
        OneToOne(),
        FixedIndegree(3, multapses=False),
        FixedIndegree(3, kernel=ExponentialKernel(0.2, 0.5)),
        FixedOutdegree(3, kernel=GaussianKernel(0.2, wrapped=True)),
        DistanceDependent(GaussianKernel(0.2), 0.5),
        DistanceDependent(BOX, np.linspace(0, 2, 10)),
        DistanceDependent(GaussianKernel(0.2, 0.6), indegree=np.full(10, 0.5), autapses=False),
    ],
)
@pytest.mark.parametrize("positions", [GRID, ANYWHERE, np.full((10, 2), 0.25)])
def test_round_trip(rule: object, positions: object) -> None:
    given = net(rule, Uniform(-1.0, 2.0), Lognormal(1.5, 0.7), positions=positions)
    check_network(given)
    assert Network.from_dict(given.to_dict()).to_dict() == given.to_dict()


REFUSED = {
    "out-degree above the target": (net(FixedOutdegree(8, multapses=False), target="B"), "8 different targets .* of 7"),
    "in-degree above the source": (net(FixedIndegree(11, multapses=False)), "11 different sources .* of 10"),
    "in-degree of all others": (
        net(FixedIndegree(10, autapses=False, multapses=False)),
        "10 different sources .* of 9",
    ),
    "negative out-degree": (net(FixedOutdegree(-1)), "n is -1"),
    "kernel without multapses": (net(FixedIndegree(2, multapses=False, kernel=BOX)), "draws with replacement only"),
    "one to one": (net(OneToOne(), target="B"), "10 sources cannot be joined to 7 targets"),
    "no positions": (net(DistanceDependent(BOX, 0.5), positions=None), "population A has no positions"),
    "no space": (net(space=None), "positions are given, but the network has no space"),
    "small grid": (net(positions=Grid(3)), "a grid of 3 x 3 sites for 10 neurons"),
    "offset": (net(positions=Grid(5, offset=1.0)), "offset of the grid is 1"),
    "number of positions": (net(positions=np.zeros((9, 2))), r"positions have shape \(9, 2\)"),
    "outside": (net(positions=np.full((10, 2), 1.0)), "10 neurons are outside the space, the first: 0"),
    "position": (net(positions=np.full((10, 2), np.nan)), "a position is not finite"),
    "flat": (net(space=Space(1.0, 0.0)), "height is 0"),
    "kernel": (net(DistanceDependent("box", 0.5)), "the kernel is a str"),
    "width of a kernel": (net(DistanceDependent(GaussianKernel(0.0), 0.5)), "sigma of the kernel is 0"),
    "wrapped on a plane": (
        net(DistanceDependent(GaussianKernel(0.1, wrapped=True), 0.5), space=Space(2.0, 1.0, left=-1.0)),
        "a wrapped kernel needs a periodic space",
    ),
    "wrapped and cut": (net(FixedIndegree(1, kernel=GaussianKernel(0.1, 0.3, True))), "a wrapped kernel has no cutoff"),
    "neither": (net(DistanceDependent(BOX)), "neither the peak probability nor"),
    "both": (net(DistanceDependent(BOX, 0.5, 3.0)), "are both given"),
    "negative p": (net(DistanceDependent(BOX, -0.5)), "p is negative"),
    "peaks": (net(DistanceDependent(BOX, np.ones(9))), r"p has shape \(9,\)"),
    "delays from below": (net(delay=Uniform(0.04, 1.0)), "uniform from 0.04 ms, which rounds to less than one step"),
    "delays backwards": (net(delay=Uniform(2.0, 1.0)), "the delay is uniform from 2 to 1"),
    "long delays": (net(delay=Uniform(2.0, 1e5)), "exceed 65535 steps"),
    "mean delay": (net(delay=Lognormal(0.05, 1.0)), "mean delay is 0.05"),
    "weights backwards": (net(weight=Uniform(2.0, 1.0)), "the weight is uniform from 2 to 1"),
    "weights": (net(weight=Uniform(0.0, float("inf"))), "weight is not finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_projections_are_refused(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(SimulationError, match=message) as caught:
        check_network(given)
    assert caught.value.where
