"""Plastic synapses against NEST on given spikes, and the same bits for any cut, window and restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    STDP,
    Condition,
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Network,
    Normal,
    Parrot,
    PoissonInput,
    Population,
    Projection,
    ShortTermPlasticity,
    SpikeListInput,
    Uniform,
)
from allometry.network.recording import Probe, Record, WeightProbe
from allometry.simulate import Execution
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.synapses import plastic as plastics
from allometry.simulate.check.validate import check_network, check_run
from allometry.simulate.kernels.synapses.plastic import bring_up_to_date
from allometry.stores.storage.manifest import content
from tests.reference import plastic_network as r
from tests.simulate import engine

NEST = Path(__file__).parents[1] / "data" / "nest_plasticity.npz"


def rule_of(name: str) -> Any:
    if name in r.SHORT_TERM:
        return ShortTermPlasticity(**r.SHORT_TERM[name])
    given = dict(r.STDP[name])
    return STDP(learning_rate=given.pop("lambda"), **given)


def listed(population: str, spikes: list[np.ndarray], weight: float) -> SpikeListInput:
    who = np.repeat(np.arange(len(spikes)), [len(steps) for steps in spikes])
    return SpikeListInput(population, who, np.concatenate(spikes) * r.DT_MS, weight)


def feedforward(name: str) -> Network:
    given = r.given()
    edges = ExplicitEdges(given["source"], given["target"], given["weight"], given["delay_steps"] * r.DT_MS)
    return Network(
        (Population("pre", r.SOURCES, Parrot()), Population("post", r.TARGETS, IafPscDelta(**r.NEURON))),
        (Projection("pre", "post", edges, plasticity=rule_of(name)),),
        (listed("pre", given["pre"], 1.0), listed("post", given["post"], r.FORCE_MV)),
    )


@contextmanager
def built(plan: Plan, threads: int = 1, probes: tuple = ()) -> Iterator[Partition]:
    with Partition(plan, 0, 1, threads, probes, crowded=True) as partition:
        partition.build()
        yield partition


def sent(partition: Partition, source: int) -> dict[int, float]:
    """Weight of the last event of a source by target, the parts of all threads together."""
    out = {}
    for shard in partition.shards:
        p = shard.plastic
        scale = p.first[source] * p.second[source] if p.table[0, 0] == 0 else 1.0
        first = shard.where.segments[-1].low
        for e in range(p.rows[source], p.rows[source + 1]):
            out[int(p.target[e]) + first] = p.weight[e] * scale
    return out


@pytest.mark.parametrize("name", [*r.STDP, *r.SHORT_TERM])
@pytest.mark.parametrize("threads", [1, 2])
def test_weights_are_those_of_nest(name: str, threads: int) -> None:
    """Every event of the run, to rounding of exp: spikes on both sides are given, so that nothing can run away."""
    with np.load(NEST) as data:
        wanted = {x: data[f"{name}_{x}"] for x in ("stamp", "source", "target", "weight", "v")}
    plan = compile_network(feedforward(name), 1, "exact")
    probe = Probe("post", [0], 1.0)
    found, v = [], []
    with built(plan, threads, (probe,)) as partition:
        for stamp in np.unique(wanted["stamp"]):
            v.append(partition.window(int(stamp)).samples[0])
            for source in np.unique(wanted["source"][wanted["stamp"] == stamp]):
                weights = sent(partition, int(source))
                found += [weights[target] for target in sorted(weights)]
        v.append(partition.window(round(r.DURATION_MS / r.DT_MS)).samples[0])
    assert len(found) == len(wanted["weight"]) > 1000
    np.testing.assert_allclose(found, wanted["weight"], rtol=1e-11, atol=1e-13)
    # Events are rounded to 2^-20 mV, and a neuron sums some of them.
    np.testing.assert_allclose(np.concatenate(v)[: len(wanted["v"]), 0], wanted["v"], rtol=1e-6, atol=2e-5)


LEARNING = STDP(Wmax=900.0, learning_rate=0.05, mu_plus=0.3, mu_minus=0.9)
RECURRENT = Network(
    (Population("A", 50, IafPscExp()), Population("B", 21, IafPscExp())),
    (
        Projection("A", "A", FixedIndegree(8), 250.0, Normal(1.5, 0.7), plasticity=LEARNING),
        Projection(
            "A", "B", FixedTotalNumber(300), Uniform(200.0, 500.0), 0.3, plasticity=ShortTermPlasticity(0.4, 90.0, 30.0)
        ),
        Projection("B", "A", FixedIndegree(5), -400.0, 0.4, plasticity=ShortTermPlasticity(0.5, 50.0)),
        Projection("A", "B", FixedIndegree(4), Uniform(0.0, 400.0), Uniform(0.2, 2.0), plasticity=LEARNING),
        Projection("B", "B", FixedIndegree(3), -100.0, 1.0),
    ),
    (PoissonInput("A", 9000.0, 110.0), PoissonInput("B", 9000.0, 90.0)),
)


def edges_of(partitions: list[Partition]) -> np.ndarray:
    """Weights of all plastic synapses in one order: projection, source, target, place in the row."""
    rows = []
    for partition in partitions:
        for shard in partition.shards:
            p = shard.plastic
            for k, line in enumerate(p.table.tolist()):
                plan = partition.plan
                s = next(x for x in shard.where.segments if x.population == plan.plastic[k].target)
                for source in range(line[2]):
                    begin, end = p.rows[line[3] + source], p.rows[line[3] + source + 1]
                    rows += [(k, source, p.target[e] + s.low, p.delay[e], p.weight[e]) for e in range(begin, end)]
    return np.array(sorted(rows))


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_the_same_bits_for_any_cut_and_window(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = compile_network(RECURRENT, 3, precision)
    whole = engine.run_plan(plan, [3000])
    assert 500 < len(whole) < 20_000
    assert len(engine.run_plan(compile_network(static(), 3, precision), [3000])) != len(whole)
    for windows, cut in (([3000], (1, 2)), ([100, 101, 1500, 3000], (2, 1)), ([700, 3000], (3, 2)), ([3000], (1, 5))):
        np.testing.assert_array_equal(engine.run_plan(plan, windows, *cut), whole)
    # Weights that are brought up to date, and spikes forgotten, at other times.
    monkeypatch.setattr(plastics, "_ENTRIES", 0)
    monkeypatch.setattr(plastics, "_SPARED", 0)
    np.testing.assert_array_equal(engine.run_plan(plan, [*range(50, 3001, 50)], 1, 2), whole)


def static() -> Network:
    projections = tuple(Projection(p.source, p.target, p.rule, p.weight, p.delay) for p in RECURRENT.projections)
    return Network(RECURRENT.populations, projections, RECURRENT.inputs)


def test_weights_do_not_depend_on_threads() -> None:
    plan = compile_network(RECURRENT, 3, "fast")
    found = []
    for threads in (1, 3):
        with built(plan, threads) as partition:
            partition.window(2000)
            for shard in partition.shards:
                bring_up_to_date(shard.plastic, 2000)
            found.append(edges_of([partition]))
    np.testing.assert_array_equal(found[0], found[1])
    with built(plan) as partition:
        before = edges_of([partition])
    learning = np.isin(before[:, 0], [0, 3])
    assert (before[learning, 4] != found[0][learning, 4]).mean() > 0.9
    np.testing.assert_array_equal(before[~learning], found[0][~learning])


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_a_restart_on_another_cut_continues(precision: str) -> None:
    plan = compile_network(RECURRENT, 3, precision)
    whole = engine.run_plan(plan, [3000])
    with built(plan, 3) as partition:
        first = partition.window(1237).spikes
        state, neurons, plastic = partition.state(), partition.neurons, partition.plastic_state()
    with built(plan, 2) as partition:
        places = np.argsort(neurons)[partition.neurons]
        partition.restore(1237, {name: values[places] for name, values in state.items()}, first)
        partition.restore_plastic(plastic)
        np.testing.assert_array_equal(np.concatenate([first, partition.window(3000).spikes]), whole)


def test_silenced_neurons_teach_nobody() -> None:
    quiet = np.arange(50)
    plan = compile_network(RECURRENT, 3, "fast")
    with Partition(plan, 0, 1, 1, crowded=True, silenced=quiet) as partition:
        partition.build()
        spikes = partition.window(2000).spikes
        assert (spikes & 0xFFFFFFFF >= 50).all()
        learning = partition.shards[0].plastic
        assert learning.used[0] > 20
        assert (learning.owner[: learning.used[0]] >= 50).all()  # those of A have the first 50 places
    assert Condition("a", silenced={"A": quiet}).silenced_units(RECURRENT).tolist() == quiet.tolist()


REFUSED = [
    (ShortTermPlasticity(U=0.0), 1.0, "U is 0"),
    (ShortTermPlasticity(U=1.5), 1.0, "U is 1.5"),
    (ShortTermPlasticity(tau_rec=0.0), 1.0, "tau_rec is 0"),
    (ShortTermPlasticity(tau_fac=-1.0), 1.0, "tau_fac is -1"),
    (STDP(Wmax=0.0), 1.0, "Wmax is 0"),
    (STDP(Wmax=5.0, tau_plus=0.0), 1.0, "tau_plus is 0"),
    (STDP(Wmax=5.0, learning_rate=-0.1), 1.0, "learning_rate is -0.1"),
    (STDP(Wmax=5.0, mu_minus=float("nan")), 1.0, "mu_minus is nan"),
    (STDP(Wmax=5.0), -1.0, r"a weight of -1 is outside \[0, Wmax\]"),
    (STDP(Wmax=5.0), 6.0, r"a weight of 6 is outside \[0, Wmax\]"),
    (STDP(Wmax=5.0), Uniform(1.0, 7.0), r"a weight of 7 is outside \[0, Wmax\]"),
    ("stdp", 1.0, "a str is no plasticity"),
]


@pytest.mark.parametrize(("plasticity", "weight", "message"), REFUSED)
def test_impossible_plasticity_is_refused(plasticity: Any, weight: Any, message: str) -> None:
    population = Population("A", 3, IafPscExp())
    net = Network((population,), (Projection("A", "A", FixedIndegree(1), weight, 1.0, plasticity=plasticity),))
    with pytest.raises(SimulationError, match=message):
        check_network(net)


def test_the_state_of_plastic_synapses_is_not_kept_in_a_store(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="the state of plastic synapses is not kept"):
        simulate.run(RECURRENT, 10.0, 1, tmp_path / "a.zarr", keep_state=True)


def test_round_trip() -> None:
    check_network(RECURRENT)
    assert Network.from_dict(RECURRENT.to_dict()).to_dict() == RECURRENT.to_dict()


def test_recorded_weights(tmp_path: Path) -> None:
    """Those of the threads themselves, sorted, for any partitions and over a restart."""
    record = Record(weights=(WeightProbe(3, 70.0), WeightProbe(0, 150.0)))
    found = simulate.run(RECURRENT, 400.0, 3, tmp_path / "a.zarr", record=record, execution=Execution(threads=2))
    assert found["weight_3"].shape == (5, 84)
    assert found["step_weight_3"].values.tolist() == [700, 1400, 2100, 2800, 3500]
    assert found["weight_0"].shape == (2, 400)
    assert (found["weight_0"].attrs["units"], found["weight_3"].attrs["units"]) == ("pA", "pA")
    with built(compile_network(RECURRENT, 3, "fast")) as partition:
        partition.window(2800)
        bring_up_to_date(partition.shards[0].plastic, 2800)
        wanted = edges_of([partition])
    wanted = wanted[wanted[:, 0] == 3]
    np.testing.assert_array_equal(found["source_weight_3"], wanted[:, 1])
    np.testing.assert_array_equal(found["probe_weight_3"], wanted[:, 2] + 50)
    assert sorted(found["weight_3"].values[3]) == sorted(wanted[:, 4].astype(np.float32))
    stores.validate(found)
    execution = Execution(
        partitions=2, threads=1, cluster="local", checkpoint=1e-9, checkpoint_folder=tmp_path / "kept"
    )
    simulate.run(RECURRENT, 400.0, 3, tmp_path / "b.zarr", record=record, execution=execution)
    assert content(tmp_path / "a.zarr") == content(tmp_path / "b.zarr")


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (WeightProbe(9), "projection 9 does not exist"),
        (WeightProbe(1), "the weights of projection 1 do not change"),
        (WeightProbe(0, 0.05), "interval_ms is 0.05"),
    ],
)
def test_impossible_weight_probes_are_refused(probe: WeightProbe, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        check_run(RECURRENT, 10.0, 1, "fast", Record(weights=(probe,)))
