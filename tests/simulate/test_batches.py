"""`simulate.run_batch`: every condition's store is that of its run alone; connections are drawn once; kill and resume."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from allometry import simulate, stores
from allometry.errors import SimulationError, StoreError
from allometry.network import (
    Condition,
    ConnectomeLif,
    DCInput,
    ExplicitEdges,
    GapJunctions,
    Network,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.distribute import task
from tests.simulate import engine
from tests.simulate.power import Power

CONDITIONS = [
    Condition("plain"),
    Condition("weak", weight_factors={"E -> I": 0.7, "I -> E": 0.0}),
    Condition("seed-5", seed=5),
    Condition("strong.drive", rate_factors={"E": 1.1, "I": 0.9}),
    Condition("silenced", silenced={"E": np.arange(0, 160, 3), "I": [4]}),
    Condition("currents", inputs=(DCInput("I", np.linspace(0, 300, 40), 20.0, 70.0),)),
    Condition("given", inputs=(SpikeListInput("E", np.arange(160), np.full(160, 30.0), 4000.0),)),
]
RECORD = simulate.Record(counts_ms=20.0, probes=(simulate.Probe("E", np.array([5, 0]), 1.0),))


@pytest.fixture(scope="module")
def alone(client: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Contents of the store of each condition, run by itself."""
    from tests.simulate.conftest import small

    net, folder = small.__wrapped__(), tmp_path_factory.mktemp("alone")  # type: ignore[attr-defined]
    execution = simulate.Execution(threads=1, cluster=client)
    for c in CONDITIONS:
        simulate.run(net, 230, 1, folder / f"{c.name}.zarr", record=RECORD, condition=c, execution=execution)
    return {c.name: engine.content(folder / f"{c.name}.zarr") for c in CONDITIONS}


@pytest.mark.parametrize(("partitions", "threads"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_each_condition_is_its_run_alone(
    client: Client, tmp_path: Path, small: Network, alone: dict[str, str], partitions: int, threads: int
) -> None:
    execution = simulate.Execution(partitions, threads, cluster=client)
    found = simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path / "b", record=RECORD, execution=execution)
    assert list(found) == [c.name for c in CONDITIONS]
    assert {name: engine.content(tmp_path / "b" / f"{name}.zarr") for name in found} == alone
    assert len(set(alone.values())) == len(CONDITIONS)
    names = {f"{c.name}{end}" for c in CONDITIONS for end in (".zarr", ".manifest.json")}
    assert {p.name for p in (tmp_path / "b").iterdir()} == names
    assert stores.violations(xr.open_zarr(tmp_path / "b" / "silenced.zarr")) == []
    assert stores.attribute(found["weak"], "parameters")["condition"]["weight_factors"] == {
        "E -> I": 0.7,
        "I -> E": 0.0,
    }


def test_a_condition_is_the_network_that_it_makes(client: Client, tmp_path: Path, small: Network) -> None:
    """Rates, weights and inputs can be written into the network: the same spikes."""
    execution = simulate.Execution(threads=1, cluster=client)
    found = simulate.run_batch(small, CONDITIONS, 150, 1, tmp_path, execution=execution)
    for condition in CONDITIONS:
        if condition.seed is None and not condition.silenced:
            path = tmp_path / f"{condition.name}-alone.zarr"
            wanted = simulate.run(condition.applied(small), 150, 1, path, execution=execution)
            for name in ("spike_step", "spike_unit"):
                np.testing.assert_array_equal(found[condition.name][name].values, wanted[name].values)


def test_a_batch_in_processes_of_their_own(tmp_path: Path, small: Network, alone: dict[str, str]) -> None:
    some = CONDITIONS[1:4]
    simulate.run_batch(small, some, 230, 1, tmp_path, record=RECORD, execution=simulate.Execution(2, 1))
    assert {c.name: engine.content(tmp_path / f"{c.name}.zarr") for c in some} == {c.name: alone[c.name] for c in some}


def test_lists_of_edges_and_gap_junctions(client: Client, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    source, target = random.integers(0, 50, (2, 400))
    edges = ExplicitEdges(source, target, random.normal(1.0, 1.0, 400), random.integers(1, 20, 400) * 0.1)
    gaps = GapJunctions("A", np.r_[source[:60], target[:60]], np.r_[target[:60], source[:60]], np.full(120, 0.1))
    net = Network(
        (Population("A", 50, ConnectomeLif()),),
        (Projection("A", "A", edges),),
        (PoissonInput("A", 90.0, 9.0),),
        (gaps,),
    )
    conditions = [
        Condition("plain"),
        Condition("half", weight_factors={"A -> A": 0.5}),
        Condition("silenced", silenced={"A": source[:3]}),
    ]
    execution = simulate.Execution(threads=2, cluster=client)
    found = simulate.run_batch(net, conditions, 120, 1, tmp_path, execution=execution)
    for c in conditions:
        path = tmp_path / f"{c.name}-alone.zarr"
        simulate.run(net, 120, 1, path, condition=c, execution=execution)
        assert engine.content(tmp_path / f"{c.name}.zarr") == engine.content(path)
    assert found["plain"].sizes["spike"] > 0


def test_from_one_state_under_many_conditions(client: Client, tmp_path: Path, small: Network) -> None:
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run(small, 130, 1, tmp_path / "warm.zarr", keep_state=True, execution=execution)
    some = [CONDITIONS[1], CONDITIONS[4], CONDITIONS[0]]
    options = {"continue_from": tmp_path / "warm.zarr", "keep_state": True}
    cut = dataclasses.replace(execution, partitions=2)
    found = simulate.run_batch(small, some, 120, 1, tmp_path / "b", execution=cut, **options)  # type: ignore[arg-type]
    for c in some:
        path = tmp_path / f"{c.name}.zarr"
        simulate.run(small, 120, 1, path, condition=c, execution=execution, **options)  # type: ignore[arg-type]
        assert engine.content(tmp_path / "b" / f"{c.name}.zarr") == engine.content(path)
    whole = simulate.run(small, 250, 1, tmp_path / "whole.zarr", execution=execution)
    late = whole["spike_step"].values > 1300
    np.testing.assert_array_equal(found["plain"]["spike_step"].values + 1300, whole["spike_step"].values[late])


def test_connections_are_drawn_once(
    client: Client, tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allometry.simulate.build import partition

    drawn: list[int] = []
    draw = partition.draw_synapses

    def counted(plan, where, *rest):  # type: ignore[no-untyped-def]
        drawn.append(where.neurons)
        return draw(plan, where, *rest)

    task.warm(compile_network(small, 1, "fast"))
    monkeypatch.setattr(partition, "draw_synapses", counted)
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run_batch(small, CONDITIONS, 20, 1, tmp_path, execution=execution)
    # Once more, in place, for a condition with other weights, and for one whose input needs a coarser unit of all weights.
    assert [n for n in drawn if n > 4] == [200, 200, 200]


def test_what_is_finished_is_not_run_again(
    client: Client, tmp_path: Path, small: Network, alone: dict[str, str], power: Power
) -> None:
    """Without checkpoints: stores that are there stay, the others run from time 0; a store that is damaged runs again."""
    execution = simulate.Execution(threads=1, cluster=client)
    with power.failure(windows=8):
        simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path, record=RECORD, execution=execution)
    there = sorted(p.stem for p in tmp_path.glob("*.zarr"))
    assert there == ["plain", "seed-5"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix not in (".zarr", ".json")) == []
    made = [(tmp_path / f"{name}.zarr").stat().st_ino for name in there]
    simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path, record=RECORD, execution=execution)
    assert len(power.steps) == 3 * (len(CONDITIONS) - 2)
    assert made == [(tmp_path / f"{name}.zarr").stat().st_ino for name in there]
    assert {c.name: engine.content(tmp_path / f"{c.name}.zarr") for c in CONDITIONS} == alone
    power.steps.clear()
    simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path, record=RECORD, execution=execution)
    assert power.steps == []
    next((tmp_path / "weak.zarr").rglob("c/0")).unlink()
    simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path, record=RECORD, execution=execution, overwrite=True)
    assert len(power.steps) == 3
    assert engine.content(tmp_path / "weak.zarr") == alone["weak"]


def test_a_batch_resumes_within_a_condition(
    client: Client, tmp_path: Path, small: Network, alone: dict[str, str], power: Power
) -> None:
    """With checkpoints, and with outputs that a workflow deleted meanwhile: finished conditions are only written again."""
    execution = simulate.Execution(threads=1, cluster=client, checkpoint=1e-9, checkpoint_folder=tmp_path / "c")
    with power.failure(windows=8):
        simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path / "b", record=RECORD, execution=execution)
    shutil.rmtree(tmp_path / "b")
    cut = dataclasses.replace(execution, partitions=2)
    simulate.run_batch(small, CONDITIONS, 230, 1, tmp_path / "b", record=RECORD, execution=cut)
    # two are through; a third goes on at 200 ms; the other four run whole
    assert sorted(power.steps)[: 2 * 4] == [0] * 8
    assert len(power.steps) == 2 * (1 + 3 * 4)
    assert {c.name: engine.content(tmp_path / "b" / f"{c.name}.zarr") for c in CONDITIONS} == alone
    assert not (tmp_path / "c").exists()


def test_stores_of_others_are_not_taken_for_a_condition(client: Client, tmp_path: Path, small: Network) -> None:
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run_batch(small, CONDITIONS[:2], 20, 1, tmp_path, execution=execution)
    before = engine.content(tmp_path / "weak.zarr")
    for options in ({"seed": 2}, {"duration_ms": 30}, {"attrs": {"citation": "another"}}, {"keep_state": True}):
        given = {"duration_ms": 20, "seed": 1, "folder": tmp_path, "execution": execution, **options}
        with pytest.raises(StoreError, match="the store exists"):
            simulate.run_batch(small, CONDITIONS[:2], **given)
    assert engine.content(tmp_path / "weak.zarr") == before
    simulate.run_batch(small, CONDITIONS[:2], 20, 2, tmp_path, execution=execution, overwrite=True)
    assert engine.content(tmp_path / "weak.zarr") != before
    mine = tmp_path / "seed-5.zarr"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    with pytest.raises(StoreError, match="no part of a store"):
        simulate.run_batch(small, CONDITIONS[2:3], 20, 2, tmp_path, execution=execution, overwrite=True)


def test_the_cost_of_each_condition_is_in_its_manifest(client: Client, tmp_path: Path, small: Network) -> None:
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run_batch(small, CONDITIONS[:3], 50, 1, tmp_path, execution=execution)
    read = [json.loads((tmp_path / f"{c.name}.manifest.json").read_text()) for c in CONDITIONS[:3]]
    cost = {c.name: m["provenance"]["simulation"] for c, m in zip(CONDITIONS, read)}
    assert cost["plain"]["compile_s"] > 0
    assert cost["seed-5"]["compile_s"] == cost["weak"]["compile_s"] == 0
    assert cost["plain"]["synapses"] == cost["weak"]["synapses"] == 4000
    assert cost["plain"]["synaptic_events"] != cost["seed-5"]["synaptic_events"] > 0


@pytest.mark.parametrize(
    ("conditions", "what", "where"),
    [
        ([], "there are no conditions", "simulate.run_batch"),
        ([Condition("a"), Condition("b"), Condition("a")], "several conditions are named a", "simulate.run_batch"),
        ([Condition("a"), {"name": "b"}], "dict is not a condition", r"conditions\[1\]"),
        ([Condition("a", weight_factors={"E -> X": 2.0})], "unknown projection 'E -> X'", "condition a"),
        ([Condition("a", rate_factors={"X": 2.0})], "population 'X' has no Poisson input", "condition a"),
        ([Condition("a", silenced={"X": [1]})], "unknown population 'X'", "condition a"),
        ([Condition("a", silenced={"I": [3, 40]})], "neuron 40 of population 'I' cannot be silenced", "condition a"),
        ([Condition("a", silenced={"I": [-1]})], "neuron -1 of population 'I' cannot be silenced", "condition a"),
        (
            [Condition("a", inputs=(DCInput("I", np.ones(40)),)), Condition("b", inputs=(DCInput("I", np.ones(41)),))],
            "amplitude differs in length from population",
            "condition b: input 2",
        ),
        (
            [Condition("a", inputs=(SpikeListInput("E", [1, 2], [3.0], 5.0),))],
            "neurons and times_ms differ in length",
            "condition a: input 2",
        ),
        ([Condition("a", inputs=(PoissonInput("X", 1.0, 1.0),))], "unknown population 'X'", "condition a: input 2"),
        ([Condition("a", weight_factors={"E -> E": 1e9})], "overflow", "condition a: weights into population E"),
    ],
)
def test_impossible_batches_are_one_message(
    tmp_path: Path, small: Network, conditions: list, what: str, where: str
) -> None:
    with pytest.raises(SimulationError, match=what) as caught:
        simulate.run_batch(small, conditions, 20, 1, tmp_path / "b")
    assert re.search(where, caught.value.where)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"name": "a/b"}, "'a/b' is no name of a condition"),
        ({"name": ""}, "'' is no name of a condition"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"rate_factors": {"E": [1.0, 2.0]}}, r"rate_factors\['E'\] is \[1.0, 2.0\]"),
        ({"rate_factors": {"E": -1}}, r"rate_factors\['E'\] is -1"),
        ({"weight_factors": {"E -> E": float("nan")}}, r"weight_factors\['E -> E'\] is nan"),
        ({"silenced": {"E": [0.5]}}, r"silenced E holds .*0\.5"),
        ({"silenced": {"E": [True, False]}}, "silenced E holds"),
    ],
)
def test_impossible_conditions_are_one_message(given: dict, what: str) -> None:
    with pytest.raises(SimulationError, match=what) as caught:
        Condition(**{"name": "a", **given})
    assert caught.value.expected


def test_conditions_are_data(small: Network) -> None:
    from allometry.network import serialise

    for condition in CONDITIONS:
        again = serialise.from_dict(serialise.to_dict(condition))
        assert serialise.to_dict(again) == serialise.to_dict(condition)
        assert serialise.to_dict(again.applied(small)) == serialise.to_dict(condition.applied(small))
    same = Condition("b", seed=np.int64(3), rate_factors={"E": np.float32(1.1)})  # type: ignore[arg-type]
    assert (same.seed, same.rate_factors) == (3, {"E": 1.1})


def test_only_what_a_condition_touches_is_new(small: Network) -> None:
    net = Condition("a", weight_factors={"E->I": 2.0}, rate_factors={"I": 0.5}).applied(small)
    touched = [a is not b for a, b in zip(net.projections, small.projections)]
    assert touched == [False, True, False, False]
    assert isinstance(net.projections[1], Projection)
    assert net.projections[1].weight.mean == 176.0
    assert [x.rate_hz for x in net.inputs] == [16000.0, 8000.0]  # type: ignore[union-attr]
