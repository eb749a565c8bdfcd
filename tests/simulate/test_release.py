"""Draws for every spike, gates, inputs that are computed step by step, and in-degrees: against plain sums, and for any cut."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import simulate
from allometry.errors import SimulationError
from allometry.network import (
    STDP,
    Condition,
    DCInput,
    DistanceDependent,
    ExplicitEdges,
    Gate,
    GaussianKernel,
    Grid,
    IafPscExp,
    LgnCell,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Parrot,
    Periodic,
    PoissonInput,
    Population,
    Projection,
    Rhythm,
    Space,
    SpikeListInput,
    Uniform,
)
from allometry.network.recording import Probe
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.shards import signals
from allometry.simulate.build.synapses.wiring import drawn_synapses
from allometry.simulate.check.validate import check_condition, check_network
from tests.simulate import engine
from tests.simulate.kernels.plain import MASK, draw, mix, uniform

SOURCES, TARGETS, SEED = 12, 9, 5


def network(**changed: Any) -> Network:
    """Sources that spike when told to, onto parrots: their V_m is what arrives in a step."""
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(0, 400, 60)) * 0.1
    projection = Projection("S", "T", PairwiseBernoulli(0.6), Normal(50.0, 10.0), 0.1, **changed)
    return Network(
        (Population("S", SOURCES, Parrot()), Population("T", TARGETS, Parrot())),
        (projection,),
        (SpikeListInput("S", rng.integers(0, SOURCES, 60), times, 1.0),),
    )


def arrivals(net: Network, tmp_path: Path, steps: int = 600, **execution: Any) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the sources (step of the update, source), and what arrives at each target in each step."""
    record = simulate.Record(probes=(Probe("T", np.arange(TARGETS), 0.1),))
    ran = simulate.run(
        net, steps * 0.1, seed=SEED, store=tmp_path / "out.zarr", precision="exact", record=record, overwrite=True,
        execution=simulate.Execution(progress=False, **execution),
    )  # fmt: skip
    mine = ran["spike_unit"].values < SOURCES
    spikes = np.stack([ran["spike_step"].values[mine] - 1, ran["spike_unit"].values[mine]], axis=1)
    return spikes, ran["voltage"].values


def expected(net: Network, spikes: np.ndarray, steps: int) -> np.ndarray:
    """The same sums, from the drawn synapses and plain integers."""
    plan = compile_network(net, SEED, "exact")
    (s,) = plan.released
    assert s.release is not None
    alone = dataclasses.replace(s, delays=np.ones(1, np.uint16), release=None)
    drawn = drawn_synapses(dataclasses.replace(plan, synapses=(alone,), released=(), spans=np.array([1, 0])), 0, 1)
    out = np.zeros((steps + 80, TARGETS))
    unit = plan.neurons[1].quantum.value
    key, gate_key = int(s.release.key), int(s.release.gate_key)
    for step, source in spikes.tolist():
        passes = 1
        if len(s.release.gate):
            mean = float(s.release.gate[source])
            passes = int(mean) + (uniform(draw(draw(gate_key, step), source)) < mean - int(mean))
        base = draw(draw(key, step), source)
        for j in range(passes):
            stream = base if j == 0 or not len(s.release.repeats) else mix((base + j) & MASK)
            delays = s.release.delays if j == 0 or not len(s.release.repeats) else s.release.repeats
            for k in np.flatnonzero(drawn.source == source):
                target = int(drawn.target[k]) - SOURCES
                bits = draw(stream, target)
                weight = int(drawn.weight[k])
                if len(s.release.weights) and (j == 0 or not len(s.release.repeats)):
                    weight = int(s.release.weights[bits & 0xFFFF])
                due = step + int(delays[(bits >> 16) % len(delays)])
                out[due, target] += weight * unit
    return out[:steps]


CASES: dict[str, tuple[dict[str, Any], float | np.ndarray | None]] = {
    "delays": ({"delay": Uniform(0.05, 3.05), "redrawn": ("delay",)}, None),
    "weights": ({"weight": Uniform(20.0, 80.0), "redrawn": ("weight",)}, None),
    "both": ({"weight": Uniform(20.0, 80.0), "delay": Uniform(0.05, 1.05), "redrawn": ("weight", "delay")}, None),
    "gate": ({}, 0.4),
    "multiple": ({}, np.linspace(0.0, 3.3, SOURCES)),
    "repeated": ({"repeat_delay": Uniform(0.05, 3.05)}, np.linspace(0.0, 3.3, SOURCES)),
    "everything": (
        {"delay": Uniform(0.05, 0.55), "redrawn": ("delay",), "repeat_delay": Uniform(1.05, 3.05)},
        np.linspace(0.0, 2.5, SOURCES),
    ),
}


def case(name: str) -> Network:
    changed, gate = CASES[name]
    net = network()
    projection = dataclasses.replace(net.projections[0], **changed)
    gates = () if gate is None else (Gate("S", gate),)
    return dataclasses.replace(net, projections=(projection,), inputs=(*net.inputs, *gates))


@pytest.mark.parametrize("name", list(CASES))
def test_every_event_is_the_one_that_its_draws_say(name: str, tmp_path: Path) -> None:
    net = case(name)
    spikes, found = arrivals(net, tmp_path)
    assert len(spikes) > 50
    wanted = expected(net, spikes, 600)
    assert (wanted > 0).sum() > 20
    # A sample at the end of step k is what arrived in step k.
    np.testing.assert_allclose(found, wanted[: len(found)], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["everything", "both", "multiple"])
def test_what_is_drawn_does_not_depend_on_the_cut_or_on_windows(name: str) -> None:
    plan = compile_network(case(name), SEED, "fast")
    whole = engine.run_plan(plan, [400])
    for windows, partitions, threads in (([7, 120, 400], 1, 1), ([400], 1, 3), ([50, 400], 2, 1), ([400], 3, 2)):
        assert np.array_equal(engine.run_plan(plan, windows, partitions, threads), whole)


@pytest.mark.parametrize("name", ["everything", "both", "gate"])
def test_a_restart_sends_again_what_was_under_way(name: str, tmp_path: Path) -> None:
    net = case(name)
    run = {"seed": SEED, "precision": "fast", "execution": simulate.Execution(threads=1, progress=False)}
    whole = simulate.run(net, 60.0, store=tmp_path / "whole.zarr", **run)
    simulate.run(net, 20.0, store=tmp_path / "first.zarr", keep_state=True, **run)
    second = simulate.run(net, 40.0, store=tmp_path / "second.zarr", continue_from=tmp_path / "first.zarr", **run)
    late = whole["spike_step"].values > 200
    assert late.sum() > 20
    assert np.array_equal(whole["spike_step"].values[late] - 200, second["spike_step"].values)
    assert np.array_equal(whole["spike_unit"].values[late], second["spike_unit"].values)


def test_silenced_sources_release_nothing(tmp_path: Path) -> None:
    net = case("everything")
    silent = Condition("silent", silenced={"S": np.arange(SOURCES)})
    (ran,) = simulate.run_batch(
        net, [silent], 40.0, seed=SEED, folder=tmp_path, execution=simulate.Execution(progress=False)
    ).values()
    assert ran.sizes["spike"] == 0


def rates_network(rate: np.ndarray, **changed: Any) -> Network:
    return Network((Population("P", len(rate), Parrot()),), inputs=(PoissonInput("P", rate, 1.0, **changed),))


def test_rates_per_neuron_are_those_asked_for() -> None:
    rate = np.concatenate([np.zeros(100), np.full(300, 20.0), np.linspace(1, 300, 900), [2000.0]])
    steps = 40_000
    spikes = engine.spikes(rates_network(rate), steps)
    counts = np.bincount(spikes[:, 1], minlength=len(rate))
    assert counts[:100].sum() == 0
    # Several events of one step are one spike of a parrot.
    wanted = steps * -np.expm1(-rate * 1e-4)
    deviation = (counts - wanted)[100:] / np.sqrt(wanted[100:])
    assert abs(deviation).max() < 5
    assert deviation.std() == pytest.approx(1.0, abs=0.08)
    # Trains of one group of neurons are independent: the variance of their sum is its mean.
    summed = np.bincount(spikes[(spikes[:, 1] >= 110) & (spikes[:, 1] < 170), 0], minlength=steps)
    assert summed.var() / summed.mean() == pytest.approx(1.0, abs=0.05)


def test_rates_per_neuron_do_not_depend_on_the_cut() -> None:
    plan = compile_network(rates_network(np.linspace(0, 400, 777), rhythm=Rhythm(60.0, 0.8, 0.02)), 3, "fast")
    whole = engine.run_plan(plan, [500])
    assert len(whole) > 1000
    for windows, partitions, threads in (([7, 120, 500], 1, 1), ([500], 1, 3), ([50, 500], 3, 2)):
        assert np.array_equal(engine.run_plan(plan, windows, partitions, threads), whole)


def test_a_rhythm_modulates_all_trains_alike() -> None:
    net = rates_network(np.full(500, 40.0), rhythm=Rhythm(50.0, 0.6))
    steps = 20_000
    summed = np.bincount(engine.spikes(net, steps)[:, 0], minlength=steps).astype(float)
    assert summed.mean() == pytest.approx(500 * 40 * 1e-4, rel=0.02)
    wave = np.exp(2j * np.pi * 50.0 * np.arange(steps) * 1e-4)
    assert 2 * abs((summed * wave).mean()) / summed.mean() == pytest.approx(0.6, abs=0.03)


def test_the_phase_of_a_rhythm_diffuses() -> None:
    plan = compile_network(rates_network(np.full(3, 1.0), rhythm=Rhythm(64.0, 1.0, 0.02)), 2, "fast")
    steps = 200_000
    factor = signals.factors(plan, signals.begun(plan), 0, steps)[0] * 2.0
    assert factor.min() == pytest.approx(0.0, abs=1e-9)
    assert factor.max() == pytest.approx(2.0, abs=1e-9)
    lag = 500  # 50 ms: cos(2 pi 64 0.05) exp(-0.02 50 / 2) / 2
    covariance = np.mean((factor[lag:] - 1.0) * (factor[:-lag] - 1.0))
    assert covariance == pytest.approx(0.5 * np.cos(2 * np.pi * 64 * 0.05) * np.exp(-0.5), abs=0.06)
    # From anywhere on, in any pieces, it is the same.
    rhythms = signals.begun(plan)
    pieces = [signals.factors(plan, rhythms, a, b) for a, b in ((0, 10), (10, 500), (90, 700))]
    assert np.array_equal(pieces[2][0], factor[90:700] / 2.0)


def test_a_wave_is_a_current_of_its_own_for_every_neuron(tmp_path: Path) -> None:
    wave = np.array([0.0, 1.0, -0.5, 2.0])
    amplitude, phase = np.array([0.5, 1.0, 2.0]), np.array([0.0, 0.3, 0.9])
    net = Network(
        (Population("L", 3, LgnCell(I_e=0.02, V_th=1e9), 0.0),),
        inputs=(DCInput("L", Periodic(wave, 7.0, amplitude, phase), 5.0, 90.0), DCInput("L", 0.01, 20.0)),
    )
    record = simulate.Record(probes=(Probe("L", np.arange(3), 0.1),))
    out = simulate.run(net, 120.0, seed=1, store=tmp_path / "w.zarr", precision="exact", record=record)
    v, want = np.zeros(3), []
    for k in range(1200):
        place = (k * 7.0e-4 + phase) % 1.0 * 4
        low = place.astype(int)
        value = wave[low] + (place - low) * (wave[(low + 1) % 4] - wave[low])
        current = 0.02 + (0.01 if k >= 200 else 0.0) + (amplitude * value if 50 <= k < 900 else 0.0)
        v = v * np.exp(-0.1 / 10.0) + 0.1 * current
        want.append(v)
    np.testing.assert_allclose(out["voltage"].values, np.array(want), atol=2e-6)


def plane(rule: DistanceDependent, **changed: Any) -> Network:
    return Network(
        (
            Population("A", 900, IafPscExp(), positions=Grid(30)),
            Population("B", 400, IafPscExp(), positions=Grid(20)),
        ),
        (Projection("A", "B", rule, 10.0, 1.0, **changed),),
        space=Space(1.0, 1.0),
    )


def in_degrees(net: Network, partitions: int = 1) -> tuple[np.ndarray, np.ndarray]:
    plan = compile_network(net, 4, "exact")
    found = [drawn_synapses(plan, part, partitions) for part in range(partitions)]
    target = np.concatenate([d.target for d in found]) - 900
    weight = np.concatenate([d.weight for d in found]) * plan.neurons[1].quantum.value
    return np.bincount(target, minlength=400), np.bincount(target, weight, minlength=400)


def test_tails_are_drawn_once_more() -> None:
    kernel = GaussianKernel(0.2, cutoff=0.4)
    classes = np.arange(400) % 3
    first, _ = in_degrees(plane(DistanceDependent(kernel, indegree=60.0)))
    rule = DistanceDependent(kernel, indegree=60.0, redrawn_tails=0.1, classes=classes)
    second, _ = in_degrees(plane(rule))
    again = np.zeros(400, bool)
    for c in range(3):
        members = np.flatnonzero(classes == c)
        order = members[np.argsort(first[members], kind="stable")]
        again[order[: len(order) // 10]] = again[order[int(0.9 * len(order)) :]] = True
    assert np.array_equal(first[~again], second[~again])
    assert (first[again] != second[again]).mean() > 0.8
    assert second.std() < 0.85 * first.std()
    assert np.array_equal(in_degrees(plane(rule), 3)[0], second)


def test_whoever_has_too_few_candidates_has_them_all() -> None:
    kernel = GaussianKernel(0.2, cutoff=0.4)
    with pytest.raises(SimulationError, match="fewer than 250 possible sources"):
        in_degrees(plane(DistanceDependent(kernel, indegree=250.0)))
    found, _ = in_degrees(plane(DistanceDependent(kernel, indegree=250.0, clipped=True)))
    a, b = ((np.stack([np.arange(n * n) % n, np.arange(n * n) // n], axis=1) + 0.5) / n for n in (30, 20))
    within = (((a[None] - b[:, None]) ** 2).sum(axis=2) <= 0.16).sum(axis=1)
    short = within < 250
    assert 0 < short.sum() < 400
    assert np.array_equal(found[short], within[short])
    assert found[~short].mean() == pytest.approx(250.0, rel=0.01)


def test_weights_by_in_degree_sum_to_the_same() -> None:
    norm = np.linspace(20.0, 80.0, 400)
    found, total = in_degrees(plane(DistanceDependent(GaussianKernel(0.2, 0.4), p=0.4), indegree_norm=norm))
    assert found.std() > 5
    np.testing.assert_allclose(total, 10.0 * norm, rtol=1e-3)


def test_conditions_replace_inputs_by_name(tmp_path: Path) -> None:
    net = Network(
        (Population("P", 200, Parrot()), Population("Q", 200, Parrot())),
        (Projection("P", "Q", OneToOne(), 1.0, 0.1),),
        (PoissonInput("P", np.full(200, 50.0), 1.0, name="drive"), Gate("P", 1.0, name="gate")),
    )
    conditions = [
        Condition("as_it_is"),
        Condition("faster", replaced={"drive": PoissonInput("P", np.full(200, 150.0), 1.0)}),
        Condition("half", replaced={"gate": Gate("P", 0.5)}),
    ]
    run = {"seed": 2, "execution": simulate.Execution(threads=1, progress=False)}
    stores = simulate.run_batch(net, conditions, 200.0, folder=tmp_path, **run)
    counts = {n: np.bincount(s["spike_unit"].values // 200, minlength=2) for n, s in stores.items()}
    assert counts["faster"][0] == pytest.approx(3 * counts["as_it_is"][0], rel=0.1)
    assert counts["half"][0] == counts["as_it_is"][0]
    assert counts["half"][1] == pytest.approx(0.5 * counts["as_it_is"][1], rel=0.1)
    alone = simulate.run(conditions[2].applied(net), 200.0, store=tmp_path / "alone.zarr", **run)
    assert np.array_equal(alone["spike_unit"].values, stores["half"]["spike_unit"].values)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"other": Gate("S", 1.0)}, "no inputs are named 'other'"),
        ({"gate": Gate("T", 1.0)}, "cannot become a Gate of T"),
        ({"gate": PoissonInput("S", 1.0, 1.0)}, "cannot become a PoissonInput of S"),
    ],
)
def test_conditions_replace_only_what_is_there(replaced: dict[str, Any], message: str) -> None:
    net = network()
    net = dataclasses.replace(net, inputs=(*net.inputs, Gate("S", 1.0, name="gate")))
    with pytest.raises(SimulationError, match=message):
        check_condition(net, Condition("x", replaced=replaced))


def test_a_condition_adds_no_gate() -> None:
    with pytest.raises(SimulationError, match="adds a gate"):
        check_condition(network(), Condition("x", inputs=[Gate("S", 0.5)]))


GATED = (Gate("S", 1.0),)
EDGES = ExplicitEdges([0, 1], [0, 1], 1.0, np.array([0.1, 0.2]))
BAD: list[tuple[Network, tuple, str]] = [
    (network(redrawn=("target",)), (), "'target' cannot be redrawn"),
    (network(repeat_delay=1.0), (), "repeat_delay without a gate"),
    (network(repeat_delay=0.01), GATED, "below the time step"),
    (network(indegree_norm=np.ones(TARGETS)), (), "indegree_norm without DistanceDependent"),
    (network(plasticity=STDP(Wmax=100.0)), GATED, "a plastic projection has a gate"),
    (network(), (*GATED, *GATED), "several gates of S"),
    (network(), (Gate("S", np.ones(3)),), "p has shape"),
    (network(), (Gate("S", -0.5),), "p is negative"),
    (network(), (Gate("S", 1e3),), "passes too often"),
    (network(), (PoissonInput("S", np.ones(3), 1.0),), "rate_hz has shape"),
    (network(), (PoissonInput("S", -np.ones(SOURCES), 1.0),), "rate_hz is negative"),
    (network(), (PoissonInput("S", np.full(SOURCES, 2e6), 1.0),), "200 events per step and neuron"),
    (network(), (PoissonInput("S", 1.0, 1.0, rhythm=Rhythm(10.0, -1.0)),), "depth of the rhythm is -1"),
    (network(), (PoissonInput("S", 1.0, 1.0, receptor="ampa"),), "unknown receptor 'ampa'"),
    (network(), (PoissonInput("S", Periodic([1.0], 1.0), 1.0),), "rates cannot follow this profile"),
    (
        dataclasses.replace(network(), projections=(Projection("S", "T", EDGES),)),
        GATED,
        "listed edges of a source with a gate differ in delay",
    ),
    (plane(DistanceDependent(GaussianKernel(0.2), p=0.1, clipped=True)), (), "clipped without indegree"),
    (plane(DistanceDependent(GaussianKernel(0.2), p=0.1, redrawn_tails=0.7)), (), "redrawn_tails is 0.7"),
    (plane(DistanceDependent(GaussianKernel(0.2), p=0.1, classes=[1, 2])), (), "classes of shape"),
    (plane(DistanceDependent(GaussianKernel(0.2), p=0.1), indegree_norm=np.ones(3)), (), "indegree_norm has shape"),
    (
        plane(DistanceDependent(GaussianKernel(0.2), p=0.1)),
        (DCInput("A", Periodic([1.0], 1.0, [1.0])),),
        "amplitude has",
    ),
]


@pytest.mark.parametrize(("net", "inputs", "message"), BAD, ids=[message for *_, message in BAD])
def test_what_is_impossible_is_refused(net: Network, inputs: tuple, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        check_network(dataclasses.replace(net, inputs=(*net.inputs, *inputs)))


def test_descriptions_keep_what_is_new_and_leave_out_what_is_default(tmp_path: Path) -> None:
    net = case("everything")
    net.to_yaml(tmp_path / "net.yaml")
    again = Network.from_yaml(tmp_path / "net.yaml")
    assert again.to_dict() == net.to_dict()
    assert again.projections[0].redrawn == ("delay",)
    plain = network().to_dict()
    assert not {"redrawn", "repeat_delay", "indegree_norm"} & set(plain["projections"][0])
    assert not {"receptor", "name"} & set(plain["inputs"][0])
