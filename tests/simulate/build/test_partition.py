"""A partition that goes from one condition to the next: the spikes of each are those of its run alone."""

import dataclasses

import numpy as np
import pytest

from allometry.network import Condition, DCInput, FixedTotalNumber, Network, SpikeListInput
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import Plan, compile_network
from tests.simulate import engine

CONDITIONS = (
    Condition("plain"),
    Condition("seed", seed=5),
    Condition("rates", rate_factors={"E": 1.1}),
    Condition("silenced", silenced={"E": np.arange(0, 160, 3), "I": [4]}),
    Condition("currents", inputs=(DCInput("I", np.linspace(0, 300, 40), 20.0, 70.0),)),
    Condition("given", inputs=(SpikeListInput("E", np.arange(160), np.full(160, 30.0), 4000.0),)),
    Condition("weights", weight_factors={"E->I": 0.7, "I -> E": 0.0}),
    Condition("wide", weight_factors={"E -> E": 1e-4}),
    Condition("again"),
)


def planned(net: Network, condition: Condition, precision: str = "fast") -> Plan:
    return compile_network(condition.applied(net), 1, precision, condition.seed)


@pytest.mark.parametrize(("threads", "precision"), [(1, "fast"), (3, "fast"), (2, "exact")])
def test_conditions_one_after_the_other(small: Network, threads: int, precision: str) -> None:
    found = {}
    order = (*CONDITIONS, CONDITIONS[-2], CONDITIONS[0])
    first = planned(small, order[0], precision)
    with Partition(first, 0, 1, threads, crowded=True) as partition:
        partition.build()
        words = [shard.drawn for shard in partition.shards]
        for number, condition in enumerate(order):
            if number:
                partition.begin(planned(small, condition, precision), condition.silenced_units(small))
            if number <= 4:
                # the very arrays: nothing was drawn again
                assert all(shard.drawn is drawn for shard, drawn in zip(partition.shards, words))
            words = [shard.drawn for shard in partition.shards]
            found[number, condition.name] = np.concatenate([partition.window(last).spikes for last in (400, 1000)])
    for (_, name), spikes in found.items():
        condition = next(c for c in CONDITIONS if c.name == name)
        with Partition(
            planned(small, condition, precision), 0, 1, 1, silenced=condition.silenced_units(small)
        ) as alone:
            alone.build()
            np.testing.assert_array_equal(spikes, alone.window(1000).spikes, err_msg=name)
    distinct = {spikes.tobytes() for spikes in found.values()}
    assert len(distinct) == len(CONDITIONS) - 1


def test_a_silenced_neuron_has_neither_spikes_nor_effect(small: Network) -> None:
    """As if its outgoing edges were cut and its own spikes deleted."""
    condition = Condition("quiet", silenced={"E": np.arange(80)})
    plan = planned(small, condition)
    with Partition(plan, 0, 1, 2, silenced=condition.silenced_units(small)) as partition:
        partition.build()
        spikes = partition.window(1500).spikes & 0xFFFFFFFF
    assert spikes.min() >= 80
    listed = engine.explicit(small, 1, 1500, "fast")
    cut = []
    for p in listed.projections:
        rule = p.rule
        weight = np.where((rule.source < 80) & (p.source == "E"), 0.0, rule.weight)  # type: ignore[union-attr]
        cut.append(dataclasses.replace(p, rule=dataclasses.replace(rule, weight=weight)))
    alone = engine.spikes(dataclasses.replace(listed, projections=tuple(cut)), 1500)
    alone = alone[alone[:, 1] >= 80]
    np.testing.assert_array_equal(spikes, alone[:, 1])


def test_connections_do_not_depend_on_the_weights(small: Network) -> None:
    """Source, target and delay of every synapse; the weights of one projection are scaled, to the unit of their rounding."""
    many = dataclasses.replace(
        small, projections=(dataclasses.replace(small.projections[0], rule=FixedTotalNumber(900)),)
    )
    plain = compile_network(many, 3, "fast")
    scaled = planned(many, Condition("a", weight_factors={"E -> E": 0.25}))
    scaled = compile_network(scaled.network, 3, "fast")
    a, b = engine.edges(plain), engine.edges(scaled)
    np.testing.assert_array_equal(a[:, :3], b[:, :3])
    one, other = (p.neurons[0].quantum.value for p in (plain, scaled))
    np.testing.assert_allclose(a[:, 3] * one * 0.25, b[:, 3] * other, atol=(one + other) / 2)
