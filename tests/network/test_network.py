"""Descriptions round-trip; impossible ones are refused with what is wrong and where."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    GapJunctions,
    IafPscDelta,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
    Uniform,
    Values,
)
from allometry.simulate import Probe, Record
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.check.validate import check_network, check_run
from tests.simulate.networks import networks


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(net=networks())
def test_round_trip_and_validity(net: Network) -> None:
    check_network(net)
    data = net.to_dict()
    assert Network.from_dict(json.loads(json.dumps(data, allow_nan=False))).to_dict() == data


def test_yaml_round_trip(tmp_path: Path) -> None:
    net = Network(
        (Population("A", 3, ConnectomeLif(t_ref=[0, 1, 2]), Uniform(-60, -50), labels=("x", "y", "z")),),
        (Projection("A", "A", ExplicitEdges([0, 1], [1, 2], 2.5, [0.1, 0.2])),),
        (SpikeListInput("A", [0, 2], [1.0, 2.0], [3.0, 4.0]),),
        (GapJunctions("A", [0, 1], [1, 0], 0.1),),
        dt_ms=0.05,
        title="three",
        parameters={"model": "test"},
    )
    net.to_yaml(tmp_path / "net.yaml")
    assert Network.from_yaml(tmp_path / "net.yaml").to_dict() == net.to_dict()


def test_digest_hides_arrays_but_tells_them_apart() -> None:
    def digest(weight: float) -> str:
        edges = ExplicitEdges(np.zeros(1000, int), np.zeros(1000, int), weight, 1.0)
        net = Network((Population("A", 1, IafPscExp()),), (Projection("A", "A", edges),))
        return json.dumps(net.to_dict(digest=True))

    assert len(digest(1.0)) < 2000
    assert digest(1.0) != digest(2.0)


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="unknown field 'sise'") as caught:
        Network.from_dict({"populations": [{"kind": "Population", "name": "A", "sise": 3}]})
    assert "did you mean size?" in caught.value.expected
    with pytest.raises(SimulationError, match="unknown kind 'IafPscExpo'") as caught:
        Network.from_dict({"populations": [{"kind": "IafPscExpo"}]})
    assert "did you mean IafPscExp?" in caught.value.expected
    with pytest.raises(SimulationError, match="incomplete description of Population"):
        Network.from_dict({"populations": [{"kind": "Population", "name": "A"}]})
    (tmp_path / "bad.yaml").write_text("[1, 2")
    with pytest.raises(SimulationError, match="cannot read the network"):
        Network.from_yaml(tmp_path / "bad.yaml")


A = Population("A", 10, IafPscExp())
B = Population("B", 4, ConnectomeLif())


def _projection(rule: object = None, weight: object = 1.0, delay: object = 1.0, target: str = "A") -> Network:
    return Network((A, B), (Projection("A", target, rule or FixedIndegree(2), weight, delay),))


def _explicit(source: list[int], target: list[int], weight: object = 1.0, delay: object = 1.0) -> Network:
    return Network((A, B), (Projection("A", "B", ExplicitEdges(source, target, weight, delay)),))


def _neuron(**values: object) -> Network:
    return Network((Population("A", 10, IafPscExp(**values)),))


def _input(x: object) -> Network:
    return Network((A, B), inputs=(x,))


REFUSED = {
    "no populations": (Network(()), "no populations"),
    "text": (Network((Population("A", "10", IafPscExp()),)), "size is '10'"),
    "fraction of a neuron": (Network((Population("A", 10.0, IafPscExp()),)), "size is 10.0"),
    "text as dt": (Network((A,), dt_ms="x"), "dt_ms is 'x'"),
    "text as a parameter": (_neuron(tau_m="10"), "tau_m is '10'"),
    "far below dt": (_neuron(tau_syn_ex=1e-9), "tau_syn_ex is 1e-09 ms, far below the time step"),
    "too few refractory times": (
        _neuron(t_ref=[2.0] * 9),
        "t_ref differs in length from the population: 9 values for 10",
    ),
    "table of parameters": (_neuron(I_e=[[1.0] * 5] * 2), r"I_e is an array of shape \(2, 5\)"),
    "no value": (_neuron(V_th=None), "V_th is None"),
    "one reset of many": (_neuron(V_reset=[-70.0] * 9 + [-40.0]), "V_reset -40 is not below V_th -50"),
    "spread of a parameter": (_neuron(tau_m=Normal(10, -1)), "the standard deviation of tau_m is -1"),
    "spread of V": (
        Network((Population("A", 2, IafPscExp(), Normal(-60, -1)),)),
        "standard deviation of initial_v is -1",
    ),
    "range of V": (Network((Population("A", 2, IafPscExp(), Uniform(-50, -60)),)), "uniform from -50 to -60"),
    "fractional in-degree": (_projection(FixedIndegree(2.5)), "n is 2.5"),
    "endless total": (_projection(FixedTotalNumber(float("inf"))), "n is inf"),
    "spread of a weight": (_projection(weight=Lognormal(1.0, 1e200)), "out of proportion"),
    "text as a rate": (_input(PoissonInput("A", "5", 1.0)), "rate_hz is '5'"),
    "empty population": (Network((Population("A", 0, IafPscExp()),)), "size is 0"),
    "same name": (Network((A, A)), "not unique: A"),
    "dt": (Network((A,), dt_ms=0.0), "dt_ms is 0"),
    "tau_m": (_neuron(tau_m=0.0), "tau_m is 0"),
    "tau_syn": (_neuron(tau_syn_ex=-1.0), "tau_syn_ex is -1"),
    "capacitance": (_neuron(C_m=float("nan")), "C_m is nan"),
    "reset above threshold": (_neuron(V_reset=-40.0), "V_reset -40 is not below"),
    "refractory time": (_neuron(t_ref=-1.0), "t_ref is negative"),
    "labels": (Network((Population("A", 2, IafPscExp(), labels=("a",)),)), "1 labels for 2 neurons"),
    "initial": (Network((Population("A", 2, IafPscExp(), [1.0, 2.0, 3.0]),)), "initial_v differs in length"),
    "source": (Network((A,), (Projection("X", "A", FixedIndegree(1), 1, 1),)), "unknown population 'X'"),
    "target": (_projection(target="Y"), "unknown population 'Y'"),
    "negative delay": (_projection(delay=-1.0), "delays are below the time step"),
    "short delay": (_projection(delay=0.05), "delays are below the time step"),
    "mean delay": (_projection(delay=Normal(0.01, 1.0)), "mean delay is 0.01"),
    "long delay": (_projection(delay=1e5), "exceeds 65535 steps"),
    "no delay": (_projection(delay=None, weight=1.0), "no delay is given"),
    "delay kind": (_projection(delay=Values([1.0, 2.0])), "a delay cannot be Values"),
    "weight kind": (_projection(weight=Values([1.0, 2.0])), "a weight cannot be Values"),
    "weight": (_projection(weight=float("inf")), "weight is not finite"),
    "spread": (_projection(weight=Normal(1.0, -1.0)), "standard deviation is -1"),
    "sign": (_projection(weight=Lognormal(0.0, 1.0)), "mean weight is 0"),
    "probability": (_projection(PairwiseBernoulli(1.2)), "connection probability is 1.2"),
    "in-degree": (_projection(FixedIndegree(-1)), "n is -1"),
    "total": (_projection(FixedTotalNumber(-5)), "n is -5"),
    "source index": (_explicit([10], [0]), "source index 10 is outside"),
    "target index": (_explicit([0], [-1]), "target index -1 is outside"),
    "edge lengths": (_explicit([0, 1], [0]), "differ in length"),
    "edge delay": (_explicit([0], [0], 1.0, 0.01), "delays are below the time step"),
    "edge weight": (_explicit([0], [0], float("nan")), "weight is not finite"),
    "twice": (
        Network((A,), (Projection("A", "A", ExplicitEdges([0], [0], 1, 1), weight=2.0),)),
        "weight and delay are given twice",
    ),
    "input population": (_input(PoissonInput("X", 1.0, 1.0)), "unknown population 'X'"),
    "rate": (_input(PoissonInput("A", -1.0, 1.0)), "the rate is -1"),
    "rate too high": (_input(PoissonInput("A", 1e9, 1.0)), "events per step"),
    "driven neuron": (_input(PoissonInput("A", 1.0, 1.0, [10])), "neuron index 10 is outside"),
    "driven twice": (_input(PoissonInput("A", 1.0, 1.0, [1, 1])), "listed twice"),
    "times": (_input(SpikeListInput("A", [0], [-1.0], 1.0)), "before time 0"),
    "window": (_input(DCInput("A", 1.0, 5.0, 4.0)), "stop_ms is before start_ms"),
    "current into connectome": (_input(DCInput("B", 1.0)), "has no current input"),
    "currents": (_input(DCInput("A", [1.0, 2.0])), "amplitude differs in length"),
    "gap junctions of others": (Network((A,), gap_junctions=(GapJunctions("A", [0], [1], 1.0),)), "ConnectomeLif"),
    "unstable": (Network((B,), gap_junctions=(GapJunctions("B", [0], [1], 300.0),)), "unstable"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_networks_are_refused(case: str) -> None:
    net, message = REFUSED[case]
    with pytest.raises(SimulationError, match=message) as caught:
        check_network(net)
    assert caught.value.where


def test_weights_that_overflow_the_fixed_point_range() -> None:
    net = _explicit([0, 1], [0, 1], [1e-6, 1e6])
    with pytest.raises(SimulationError, match="overflow the fixed-point range") as caught:
        compile_network(net, 1, "fast")
    assert "weights into population B" in caught.value.where
    with pytest.raises(SimulationError, match="overflow the fixed-point range"):
        compile_network(_explicit([0], [0], 1e9), 1, "exact")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1, "fast", Record()), "duration_ms is 0"),
        ((float("nan"), 1, "fast", Record()), "duration_ms is nan"),
        ((10.0, 1, "double", Record()), "precision is 'double'"),
        ((10.0, 1, "fast", Record(counts_ms=0.25)), "counts_ms is 0.25"),
        ((10.0, 1, "fast", Record(probes=(Probe("Z", [0]),))), "unknown population 'Z'"),
        ((10.0, 1, "fast", Record(probes=(Probe("A", [0, 0]),))), "probed twice"),
    ],
)
def test_impossible_runs_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        check_run(Network((A, B)), *arguments)


def test_gap_junctions_need_one_partition() -> None:
    net = Network((B,), gap_junctions=(GapJunctions("B", [0], [1], 1.0),))
    with pytest.raises(SimulationError, match="gap junctions"):
        check_run(net, 10.0, 2, "fast", Record())


def test_equal_time_constants_are_the_limit() -> None:
    def p21(tau_syn: float) -> float:
        plan = compile_network(_neuron(tau_m=10.0, tau_syn_ex=tau_syn, tau_syn_in=3.0), 1, "exact")
        return float(plan.neurons[0].constants["P21_ex"])

    assert p21(10.0) == pytest.approx(p21(10.0 + 1e-7), rel=1e-6)
    delta = Network((Population("A", 1, IafPscDelta()),))
    check_network(delta)


@pytest.mark.parametrize("bad", [[1.7], [float("nan")], ["x"], [True]])
def test_numbers_of_neurons_are_whole(bad: list) -> None:
    with pytest.raises(SimulationError, match="source holds"):
        ExplicitEdges(bad, [0], 1.0, 1.0)
    with pytest.raises(SimulationError, match="target holds"):
        GapJunctions("A", [0], bad, 1.0)
    with pytest.raises(SimulationError, match="neurons holds"):
        Probe("A", bad)
    assert ExplicitEdges([1.0], [0], 1.0, 1.0).source.tolist() == [1]


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"duration_ms": 0.15}, "duration_ms is 0.15"),
        ({"duration_ms": 10.04}, "duration_ms is 10.04"),
        ({"duration_ms": "10"}, "duration_ms is '10'"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"record": Record(counts_ms=float("inf"))}, "counts_ms is inf"),
    ],
)
def test_arguments_of_a_run_are_checked(changed: dict, match: str) -> None:
    given = {"duration_ms": 10.0, "partitions": 1, "precision": "fast", "record": Record()}
    check_run(Network((A,)), **given)
    with pytest.raises(SimulationError, match=match):
        check_run(Network((A,)), **{**given, **changed})


def test_a_threshold_that_single_precision_cannot_tell_from_the_reset_is_refused() -> None:
    net = _neuron(V_reset=-50.0000001, V_th=-50.0)
    check_network(net)
    check_run(net, 10.0, 1, "exact", Record())
    with pytest.raises(SimulationError, match="same number in single precision"):
        check_run(net, 10.0, 1, "fast", Record())


def test_sums_that_overflow_32_bits_are_refused_before_building() -> None:
    few = Projection("A", "A", FixedIndegree(1), 0.001, 1.0)
    strong = PoissonInput("A", 1e6, 60.0)
    events = SpikeListInput("A", [3] * 200, [1.0] * 200, 60.0)
    many = Projection("A", "A", FixedIndegree(200_000), 20.0, 1.0)
    for inputs, projections in (((strong,), (few,)), ((events,), (few,)), ((), (many, few))):
        net = Network((A,), projections, inputs)
        check_network(net)
        assert compile_network(net, 1, "exact")
        with pytest.raises(SimulationError, match="overflow 32 bits"):
            compile_network(net, 1, "fast")
    assert compile_network(Network((A,), (few,), (PoissonInput("A", 100.0, 0.06),)), 1, "fast")


def test_a_weight_that_rounds_to_the_end_of_the_range_is_refused() -> None:
    for weight, fits in ((2.0**21 - 2.0**-10, True), (2.0**21 - 2.0**-12, False)):
        net = _projection(weight=weight)
        if fits:
            assert compile_network(net, 1, "exact").synapses[0].weights[0] == 2**31 - 1
        else:
            with pytest.raises(SimulationError, match="overflow the fixed-point range"):
                compile_network(net, 1, "exact")
