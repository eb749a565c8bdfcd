"""Sources of spikes that several targets share, and trains with a given correlation."""

import math

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.network import (
    CorrelatedInput,
    ExplicitEdges,
    FixedIndegree,
    IafPscDelta,
    Network,
    OneToOne,
    Parrot,
    Piecewise,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.check.validate import check_network
from tests.simulate import engine

RELAY = IafPscDelta(V_th=0.5, V_reset=0.0, t_ref=0.0)
"""Spikes in the very step in which a weight of 1 mV arrives."""


def test_given_spikes_reach_all_targets_after_their_delays() -> None:
    given = SpikeListInput("S", [0, 1, 1, 0], [1.0, 1.0, 5.23, 9.9], 1.0)
    edges = ExplicitEdges([0, 0, 1], [0, 2, 1], 1.0, [0.1, 2.0, 0.5])
    net = Network(
        (Population("S", 2, Parrot()), Population("A", 3, RELAY), Population("B", 2, RELAY)),
        (Projection("S", "A", edges), Projection("S", "B", OneToOne(), 1.0, 0.3)),
        (given,),
    )
    # Stamped at the end of its step k, a spike with delay d lands in slot k + d.
    source = {0: [10, 99], 1: [10, 52]}
    wanted = [(k, s) for s, steps in source.items() for k in steps]
    for s, t, d in ((0, 2, 1), (0, 4, 20), (1, 3, 5), (0, 5, 3), (1, 6, 3)):
        wanted += [(k + d, t) for k in source[s]]
    for cut in ((1, 1), (2, 1), (1, 3)):
        assert engine.spikes(net, 130, *cut).tolist() == sorted(map(list, wanted))


def test_targets_of_a_projection_get_the_same_poisson_spikes() -> None:
    net = Network(
        (Population("S", 40, Parrot()), Population("A", 25, RELAY), Population("B", 25, RELAY)),
        (
            Projection("S", "A", FixedIndegree(3), 1.0, 1.5),
            Projection("S", "B", FixedIndegree(3, multapses=False), 1.0, 1.5),
        ),
        (PoissonInput("S", Piecewise([0.0, 100.0], [400.0, 50.0]), 1.0),),
    )
    found = engine.spikes(net, 2000)
    own = found[found[:, 1] < 40]
    counts = np.histogram(own[:, 0], [0, 1000, 2000])[0]
    for count, rate in zip(counts, (400.0, 50.0)):
        expected = 40 * 1000 * -math.expm1(-rate * 1e-4)
        assert abs(count - expected) < 4 * math.sqrt(expected)
    table = engine.edges(compile_network(net, 1, "fast"))
    fires = {(k + d, t) for s, t, d, _ in table.tolist() for k in own[own[:, 1] == s, 0].tolist() if k + d < 2000}
    assert {tuple(x) for x in found[found[:, 1] >= 40].tolist()} == fires


def relayed(*inputs: object, size: int = 30, steps: int = 40_000, **cut: int) -> np.ndarray:
    """Spikes per neuron and step of parrots under an input, int [neuron, step]."""
    net = Network((Population("S", size, Parrot()),), inputs=inputs)  # type: ignore[arg-type]
    found = engine.spikes(net, steps, **cut)
    out = np.zeros((size, steps), int)
    out[found[:, 1], found[:, 0]] = 1
    return out


@pytest.mark.parametrize("c", [0.1, 0.5])
def test_pairwise_correlation_is_the_one_asked_for(c: float) -> None:
    """At most one spike is repeated per step: a train is then Bernoulli, with P(1) = 1 - exp(-r dt) and P(0, 0) known."""
    rate, dt = 150.0, 1e-4
    trains = relayed(CorrelatedInput("S", rate, c, 1.0))
    mean = -math.expm1(-rate * dt)
    # No event of the common process is copied to either of two neurons.
    neither = math.exp(-rate / c * dt * (1 - (1 - c) ** 2))
    wanted = (neither - (1 - mean) ** 2) / (mean * (1 - mean))
    assert abs(wanted - c) < 0.03
    assert abs(trains.mean() - mean) < 5 * math.sqrt(mean * (1 + 29 * c) / trains.size)
    found = np.corrcoef(trains)[np.triu_indices(30, 1)]
    assert abs(found.mean() - wanted) < 0.012
    assert found.std() < 0.08
    bins = trains.reshape(30, -1, 100).sum(axis=2)
    assert abs(np.corrcoef(bins)[np.triu_indices(30, 1)].mean() - c) < 0.06


def test_correlation_of_one_is_one_train() -> None:
    trains = relayed(CorrelatedInput("S", 80.0, 1.0, 1.0), steps=5000)
    assert trains[0].sum() > 20
    assert (trains == trains[0]).all()


def test_only_the_listed_neurons_and_steps() -> None:
    chosen = [3, 4, 29]
    x = CorrelatedInput("S", Piecewise([0.0, 200.0], [80.0, 300.0]), 0.4, 1.0, chosen, 10.0, 400.0)
    trains = relayed(x, steps=5000)
    assert set(np.flatnonzero(trains.any(axis=1))) == set(chosen)
    assert not trains[:, :100].any()
    assert not trains[:, 4000:].any()
    for first, last, rate in ((100, 2000, 80.0), (2000, 4000, 300.0)):
        expected = 3 * (last - first) * rate * 1e-4
        assert abs(trains[:, first:last].sum() - expected) < 4 * math.sqrt(1.8 * expected)
    whole = relayed(CorrelatedInput("S", 80.0, 0.4, 1.0), steps=2000)
    np.testing.assert_array_equal(whole[chosen, 100:], trains[chosen, 100:2000])
    for cut in ({"partitions": 3}, {"threads": 5}):
        np.testing.assert_array_equal(relayed(x, steps=5000, **cut), trains)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (CorrelatedInput("S", 10.0, 0.0, 1.0), "the correlation is 0"),
        (CorrelatedInput("S", 10.0, 1.2, 1.0), "the correlation is 1.2"),
        (CorrelatedInput("S", -1.0, 0.5, 1.0), "the rate is -1.0 Hz"),
        (CorrelatedInput("S", 10.0, 1e-9, 1.0), "events per step"),
        (CorrelatedInput("S", 10.0, 0.5, 1.0, [7]), "neuron index 7 is outside"),
    ],
)
def test_impossible_correlations_are_refused(x: CorrelatedInput, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        check_network(Network((Population("S", 3, Parrot()),), inputs=(x,)))
