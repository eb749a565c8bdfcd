"""Number, mean and variance of the synaptic input of every size, against counts of drawn synapses and by hand."""

import numpy as np
import pytest
import xarray as xr

from allometry.network import (
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    GaussianKernel,
    Grid,
    IafPscDelta,
    Network,
    PairwiseBernoulli,
    Population,
    Projection,
    Space,
)
from allometry.network.distributions import Constant, Lognormal, Normal, Uniform, moments
from allometry.scale.findings import explanations
from allometry.scale.findings.deviations import Deviations, verdicts
from allometry.scale.findings.explanations import Column
from allometry.scale.statistics.synaptic_input import input_table
from allometry.simulate import connections


def pool(rule, weight, neurons: int = 400, **more) -> Network:
    near = isinstance(rule, DistanceDependent)
    cells = Population("cells", neurons, IafPscDelta(), positions=Grid(20) if near else None)
    delay = None if isinstance(rule, ExplicitEdges) else 1.5
    projection = Projection("cells", "cells", rule, weight, delay, **more)
    return Network((cells,), (projection,), space=Space(1.0, 1.0) if near else None)


def table(small: Network, full: Network) -> xr.Dataset:
    found = input_table({(0.5, "s"): small, (1.0, "s"): full}, ["cells"], 1.0)
    return found.sel(size=0.5, scheme="s", source="cells", target="cells")


def test_half_the_inputs_of_twice_the_weight_have_twice_the_variance() -> None:
    found = table(pool(PairwiseBernoulli(0.1), -0.4, 200), pool(PairwiseBernoulli(0.1), -0.2))
    assert (float(found["indegree"]), float(found["mean"]), float(found["variance"])) == pytest.approx((20, 1, 2))


@pytest.mark.parametrize(
    ("weight", "second"),
    [(Normal(0.3, 0.1), 0.1), (Lognormal(-0.3, 0.4), 0.25), (Uniform(-0.2, 0.4), 0.04)],
)
def test_distributed_weights(weight, second: float) -> None:
    """E[w^2] = mean^2 + sd^2; of a uniform weight (a^2 + a b + b^2) / 3."""
    found = table(pool(PairwiseBernoulli(0.1), weight), pool(PairwiseBernoulli(0.1), 1.0))
    assert float(found["variance"]) == pytest.approx(second)


def test_several_synapses_of_one_source_add_up() -> None:
    """k of K synapses from one of N sources is binomial: E[sum of k^2] = K + K (K - 1) / N."""
    found = table(pool(FixedIndegree(100), 0.1, 50), pool(FixedIndegree(100), 0.1))
    assert float(found["variance"]) == pytest.approx((100 + 100 * 99 / 50) / (100 + 100 * 99 / 400))


def test_no_source_twice_without_multapses() -> None:
    found = table(pool(FixedIndegree(40, multapses=False), 0.1, 50), pool(PairwiseBernoulli(0.1), 0.1))
    assert float(found["variance"]) == pytest.approx(1.0)


def test_listed_synapses_of_one_source_add_up() -> None:
    """Two of weight 1 from one neuron, one from another: 4 + 1, over 4 targets; before, three sources."""
    small = ExplicitEdges([0, 0, 1], [2, 2, 2], 1.0, 1.5)
    found = table(pool(small, None, 4), pool(ExplicitEdges([0, 1, 3], [2, 2, 2], 1.0, 1.5), None, 4))
    assert (float(found["indegree"]), float(found["mean"]), float(found["variance"])) == pytest.approx((0.75, 1, 5 / 3))


@pytest.mark.parametrize("value", [Constant(-0.5), Normal(0.3, 0.1), Lognormal(-0.3, 0.2), Uniform(-0.2, 0.4)])
def test_moments_are_those_of_what_is_drawn(value) -> None:
    """Means of powers of a million draws of numpy: within five of their standard errors."""
    rng = np.random.default_rng(1)
    if isinstance(value, Lognormal):
        width = np.sqrt(np.log1p((value.sd / value.mean) ** 2))
        drawn = np.sign(value.mean) * rng.lognormal(np.log(abs(value.mean)) - width**2 / 2, width, 10**6)
    elif isinstance(value, Constant):
        drawn = np.full(10, value.value)
    else:
        drawn = (
            rng.normal(*vars(value).values(), 10**6)
            if isinstance(value, Normal)
            else rng.uniform(value.low, value.high, 10**6)
        )
    for power, mean in enumerate(moments(value)):
        error = 5 * (drawn**power).std() / np.sqrt(drawn.size)
        assert mean == pytest.approx((drawn**power).mean(), abs=error + 1e-12)


def test_saturated_probabilities_and_normalised_weights_are_those_drawn() -> None:
    """Sums of weights and of their squares of all drawn synapses: seeds differ by 1 % in the squares."""
    rng = np.random.default_rng(1)
    norm = rng.uniform(20.0, 40.0, 400)
    net = pool(
        DistanceDependent(GaussianKernel(0.2, 0.4), p=rng.uniform(0.5, 3.0, 400), autapses=False),
        Normal(0.3, 0.03),
        indegree_norm=norm,
    )
    found = input_table({(1.0, "s"): net, (2.0, "s"): pool(PairwiseBernoulli(0.1), 1.0)}, ["cells"], 2.0)
    here = found.sel(size=1.0, scheme="s", source="cells", target="cells")
    drawn = connections(net, 3)
    weight = drawn["signed_weight"].values
    # the other network: 40 inputs of weight 1, which may be autapses
    assert float(here["indegree"]) == pytest.approx(weight.size / 400, rel=0.02)
    assert float(here["mean"]) * 40 == pytest.approx(weight.sum() / 400, rel=0.02)
    assert float(here["variance"]) * 40 == pytest.approx(np.square(weight).sum() / 400, rel=0.03)


def test_the_sentence_says_what_changes() -> None:
    found = input_table(
        {(0.5, "s"): pool(PairwiseBernoulli(0.1), -0.4, 200), (1.0, "s"): pool(PairwiseBernoulli(0.1), -0.2)},
        ["cells"],
        1.0,
    )
    deviation = Deviations(*(np.array([[value]]) for value in (0.5, 0.4, 0.6, 4.0)))
    column = Column("voltage_sd", "s", "all", [0.5], ["cells"], deviation, verdicts(deviation, 0.1))
    assert explanations.why_inputs(column, found, 1.0) == (
        "Size 0.5: at unchanged rates and before calibration, input has 2 times the variance from cells to cells "
        "(20 synapses for 40)."
    )
    same = Deviations(*(np.array([[value]]) for value in (0.0, -0.01, 0.01, 4.0)))
    kept = Column("voltage_sd", "s", "all", [0.5], ["cells"], same, verdicts(same, 0.1))
    assert explanations.why_inputs(kept, found, 1.0) == ""
