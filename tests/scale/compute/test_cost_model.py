"""The cost model: amounts that are counted by hand, coefficients that are found again, and what a machine cannot do faster."""

import dataclasses
import math

import numpy as np
import pytest

from allometry.scale.compute.amounts import Amounts, described
from allometry.scale.compute.cost_model import CostModel, Exchange, band, fit
from allometry.scale.compute.extrapolation import LABEL, extrapolated

TRUE = CostModel(
    update=0.4e-9, event=0.5e-9, row=20e-9, step=0.3e-6, meeting=0.2e-6, passed=4e-9, recorded=30e-9,
    exchange=Exchange(latency=1e-6, message=0.5e-6, byte=1e-9, turn=50e-6), cores=2,
)  # fmt: skip
MACHINE = {
    "nodes": [1, 2, 10, 1000],
    "cores": 64,
    "memory_gib": 100.0,
    "memory_gb_s": 200.0,
    "line_us": 0.1,
    "latency_us": [1.0, 2.0, 5.0],
    "message_us": 0.2,
    "bandwidth_gb_s": 12.5,
}


def amounts(scale: float) -> Amounts:
    """Like those of the microcircuit: neurons and synapses per neuron both grow with the scale."""
    neurons = round(77_169 * scale)
    return described(neurons, 3880.0 * scale * neurons, 3.2, 25, 0.1, 0.1)


def runs() -> list[dict[str, object]]:
    found = [(amounts(scale), threads) for scale in (0.05, 0.2, 1.0) for threads in (1, 2)]
    silent = Amounts(4, 1, 1e4, 1e4, 0, 0, 1.0)
    found += [(silent, threads) for threads in (1, 2)]
    return [
        {
            "amounts": one,
            "partitions": 1,
            "threads": threads,
            "sim_s": TRUE.seconds(one, 1, threads),
            "recording_s": TRUE.parts(one, 1, threads)["recording"],
        }
        for one, threads in found
    ]


def rounds() -> list[dict[str, float]]:
    return [
        {
            "partitions": count,
            "message_bytes": size,
            "round_s": TRUE.exchange.seconds(count, (count - 1) * size, max(1.0, count / 2)),
        }
        for count in (2, 3, 5, 8)
        for size in (0.0, 512.0, 16384.0)
    ]


def test_amounts_by_hand() -> None:
    net = described(1000, 50_000.0, 8.0, 10, 0.1, 0.5, seconds=2.0)
    assert (net.spikes, net.events) == (16_000.0, 800_000.0)
    assert (net.steps, net.rounds) == (20_000.0, 4_000.0)
    assert net.message_bytes(4) == 8.0  # 16,000 spikes in 4,000 rounds among 4: one spike
    # 50 synapses on 10 delays: a worker has 5 or .05 of them per row
    assert net.rows(1) == pytest.approx(160_000 * (1 - math.exp(-5)))
    assert net.rows(100) == pytest.approx(160_000 * (1 - math.exp(-0.05)))
    # no worker reads more rows than there are events for it
    assert net.rows(10_000) == pytest.approx(net.events / 10_000, rel=0.01)
    drawn = np.random.default_rng(1).poisson(0.5, 100_000)
    assert net.rows(10) / 160_000 == pytest.approx((drawn > 0).mean(), rel=0.01)


def test_memory_of_a_node() -> None:
    net = described(1_000_000, 6e9, 5.0, 60, 0.1, 0.1)
    one, many = (net.memory_bytes(nodes, 64, 0.0) for nodes in (1, 1000))
    # every thread of one node has synapses of every neuron: limits of 61 rows, and where they are
    assert one == pytest.approx(4 * 6e9 + 64e6 + 64 * 1e6 * (18 + 4 * 61), rel=1e-6)
    # on 1,000 nodes a thread has synapses of 9 % of the neurons
    assert many == pytest.approx(24e6 + 64e3 + 64 * 1e6 * (18 + 4 * 61 * -math.expm1(-6000 / 64_000)), rel=1e-6)


def test_what_each_amount_takes_is_found_again() -> None:
    found = fit(runs(), rounds(), TRUE.passed, 2)
    for name in ("update", "event", "row", "step", "meeting", "passed", "recorded"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=1e-6), name
    for name, value in dataclasses.asdict(TRUE.exchange).items():
        assert getattr(found.exchange, name) == pytest.approx(value, rel=1e-6), name


def test_partitions_that_share_cores_take_turns() -> None:
    net = amounts(0.2)
    apart, shared = (dataclasses.replace(TRUE, cores=cores).parts(net, 8, 1) for cores in (8, 2))
    for name in ("update", "event", "row", "step", "passed", "recording"):
        assert shared[name] == pytest.approx(4 * apart[name])
    # an exchange: messages and bytes fourfold, three further turns, one latency
    expected = net.rounds * (1e-6 + 4 * 6 * 0.5e-6 + 4 * 7 * net.message_bytes(8) * 1e-9 + 3 * 50e-6)
    assert shared["exchange"] == pytest.approx(expected)
    assert TRUE.parts(net, 1, 2)["exchange"] == 0


def test_the_band_covers_the_errors_it_was_made_from() -> None:
    errors = np.random.default_rng(2).normal(0, 0.2, 2000)
    assert band(np.exp(errors).tolist()) == pytest.approx(math.exp(1.96 * 0.2), rel=0.03)
    assert band([2.0, 0.5]) == pytest.approx(2.0**1.96)


def test_an_extrapolation_is_labelled_and_has_a_floor() -> None:
    networks = {"small": amounts(1.0), "large": described(4_130_000, 24.2e9, 5.0, 60, 0.1, 0.1)}
    rows = extrapolated(TRUE, networks, MACHINE, 1.5, 3e8)
    assert [one["nodes"] for one in rows] == [1, 2, 10, 1000] * 2
    assert {one["label"] for one in rows} == {LABEL}
    for one in rows:
        computed = one["rtf"] - one["parts"]["exchange"]
        # the exchange rests on what is given of the network: 1 us less and 3 us more in each of 10,000 rounds
        several = one["nodes"] > 1
        assert one["low"] == pytest.approx(computed / 1.5 + one["parts"]["exchange"] - 0.01 * several)
        assert one["high"] == pytest.approx(computed * 1.5 + one["parts"]["exchange"] + 0.03 * several)
        assert sum(one["parts"].values()) == pytest.approx(one["rtf"])
        # 10,000 rounds a second, each a latency and the messages of all others but one
        floor = 1e4 * (2e-6 + (one["nodes"] - 2) * 0.2e-6) if one["nodes"] > 1 else 0.0
        assert one["floor"] == pytest.approx(floor)
        assert one["rtf"] > floor
    # 97 GB of synapses, and the tables of 64 threads
    assert [one["fits"] for one in rows[4:]] == [False, False, True, True]


def test_memory_is_a_limit_of_its_own() -> None:
    net = amounts(1.0)
    free, bound = (TRUE.elsewhere(net, 1, 64, Exchange(0, 0, 0), bytes_s, 1e-7) for bytes_s in (1e15, 1e9))
    assert free["memory"] == 0
    read = 4 * net.events + 64 * 64 * net.rows(64)
    assert bound["event"] + bound["row"] + bound["memory"] == pytest.approx(read / 1e9)
    # 62 further cache lines in each of 10,000 steps, beside the thread that was measured
    assert free["meeting"] == pytest.approx(1e4 * (TRUE.meeting + 62 * 1e-7))
    alone, pair = (TRUE.elsewhere(net, 1, threads, Exchange(0, 0, 0), 1e15, 1e-7)["meeting"] for threads in (1, 2))
    assert (alone, pair) == (0, pytest.approx(1e4 * TRUE.meeting))
