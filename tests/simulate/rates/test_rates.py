"""Networks of rate units: against plain numpy and scipy, the same bits for any cut, under conditions, and after a restart."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client
from scipy.linalg import expm

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    Condition,
    DCInput,
    LowRank,
    Network,
    PatternInput,
    Population,
    Projection,
    ProjectionGain,
    RateUnit,
    Readout,
    Sampled,
    StateReset,
)
from allometry.numerics.fixed_order import product
from allometry.simulate import Probe, Record
from allometry.simulate.build.rates.partition import RatePartition
from allometry.simulate.build.rates.propagator import propagators
from tests.simulate.rates.networks import DT, STEPS, everything, inputs_at, parts, weights_at

FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


def run(net: Network, store: Path, client: Client, partitions: int = 1, threads: int = 1, **more: Any) -> Any:
    checkpoint = more.pop("checkpoint", "off")
    execution = simulate.Execution(
        partitions=partitions, threads=threads, cluster=client, checkpoint=checkpoint, progress=False
    )
    return simulate.run(net, more.pop("duration_ms", STEPS * DT), 1, store, execution=execution, **more)


def content(store: Path) -> str:
    return str(stores.read_manifest(store)["content"]["content_sha256"])


def by_hand(f: Callable[[np.ndarray], np.ndarray], size: int = 150, other: int = 70) -> dict[str, np.ndarray]:
    """Rates, latent variables and readouts of the network `everything` by Euler's method, step after step."""
    p = parts(size, other)
    tau = np.concatenate([np.full(size, 20.0), np.linspace(10.0, 30.0, other)])
    x = np.concatenate([p.start, np.zeros(other)])
    found: dict[str, list[np.ndarray]] = {"trace": [], "latent_loop": [], "readout_y": [], "readout_state": []}
    for step in range(STEPS):
        if step == 60:
            x[:size] = p.reset
        r = f(x)
        gains = np.array([1.0, 0.5, 0.0] if step < 30 else [0.0, 1.0, 1.0])
        found["trace"].append(r)
        found["latent_loop"].append(gains * (p.n.T @ r[size:]))
        found["readout_y"].append(p.read.T @ r[:size])
        found["readout_state"].append(p.read[:, 0] @ x[:size])
        x = x + DT / tau * (-x + weights_at(p, other, step) @ r + inputs_at(p, other, step))
    return {name: np.array(rows) for name, rows in found.items()}


@pytest.mark.parametrize("nonlinearity", FORMULAS)
def test_euler_is_what_numpy_makes_of_it(client: Client, tmp_path: Path, nonlinearity: str) -> None:
    found = run(everything(nonlinearity), tmp_path / "a.zarr", client)
    for name, wanted in by_hand(FORMULAS[nonlinearity]).items():
        # traces are float32; sums run in another order
        np.testing.assert_allclose(found[name].values, wanted, rtol=2e-7, atol=2e-7 if name == "trace" else 1e-12)
    np.testing.assert_array_equal(found["time"].values, np.arange(STEPS) * 1e-3)
    np.testing.assert_array_equal(found["gain_loops"].values[[29, 30]], [[1.0, 0.5, 0.0], [0.0, 1.0, 1.0]])
    np.testing.assert_array_equal(found["input_seen"].values[[4, 5, 7]], [[0.0, 0.0], *parts().signal[:2]])
    assert found["trace"].attrs == {"units": "1", "long_name": "rate"}
    assert found["neuron"].values[[0, 150]].tolist() == ["A_0", "B_0"]
    assert found["population"].values[[149, 150]].tolist() == ["A", "B"]
    assert found.attrs["schema"] == "Activity"


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_the_same_bits_for_any_cut(client: Client, tmp_path: Path, integration: str) -> None:
    """Five partitions of four blocks: one has no unit at all."""
    net = everything(
        "linear" if integration == "exact" else "tanh", integration, 0.0 if integration == "exact" else 0.1
    )
    made = []
    for number, (partitions, threads) in enumerate([(1, 1), (1, 3), (2, 2), (5, 1)]):
        run(net, tmp_path / f"{number}.zarr", client, partitions, threads)
        made.append(content(tmp_path / f"{number}.zarr"))
    assert len(set(made)) == 1


def test_exact_propagation_is_that_of_the_whole_network(client: Client, tmp_path: Path) -> None:
    found = run(everything("linear", "exact"), tmp_path / "a.zarr", client)
    p, size, other = parts(), 150, 70
    tau = np.concatenate([np.full(size, 20.0), np.linspace(10.0, 30.0, other)])
    x = np.concatenate([p.start, np.zeros(other)])
    n = size + other
    for step in range(STEPS):
        if step == 60:
            x[:size] = p.reset
        np.testing.assert_allclose(found["trace"].values[step], x, rtol=2e-7, atol=2e-7)
        np.testing.assert_allclose(found["readout_y"].values[step], p.read.T @ x[:size], rtol=1e-10, atol=1e-10)
        augmented = np.zeros((n + 1, n + 1))
        augmented[:n, :n] = (weights_at(p, other, step) - np.eye(n)) / tau[:, None]
        augmented[:n, n] = inputs_at(p, other, step) / tau
        x = (expm(augmented * DT) @ np.append(x, 1.0))[:n]


def test_exponential_steps_are_exact_for_units_alone(client: Client, tmp_path: Path) -> None:
    net = Network(
        (Population("A", 3, RateUnit([5.0, 10.0, 40.0], "linear", integration="exponential"), [1.0, -2.0, 0.5]),),
        inputs=(DCInput("A", [0.5, 1.0, -3.0]),),
        dt_ms=2.0,
    )
    found = run(net, tmp_path / "a.zarr", client, duration_ms=100.0)
    t = np.arange(50)[:, None] * 2.0
    c = np.array([0.5, 1.0, -3.0])
    wanted = c + (np.array([1.0, -2.0, 0.5]) - c) * np.exp(-t / np.array([5.0, 10.0, 40.0]))
    np.testing.assert_allclose(found["trace"].values, wanted, rtol=3e-7)


def test_propagators_against_scipy() -> None:
    rng = np.random.default_rng(3)
    for scale in (0.01, 1.0, 30.0):
        a = rng.normal(size=(40, 40)) / np.sqrt(40) * scale - np.eye(40)
        step, integral = propagators(a, 0.7)
        np.testing.assert_allclose(step, expm(a * 0.7), rtol=1e-11, atol=1e-11 * np.abs(step).max())
        np.testing.assert_allclose(product(a, integral), step - np.eye(40), atol=1e-10 * np.abs(step).max())


@pytest.mark.parametrize("integration", ["euler", "exponential"])
def test_noise_has_the_standard_deviation_that_is_asked_for(client: Client, tmp_path: Path, integration: str) -> None:
    """Units alone: the variance of Euler's scheme is sigma^2 / (1 - dt / 2 tau), that of the other sigma^2."""
    tau, dt = 4.0, 1.0
    net = Network((Population("A", 400, RateUnit(tau, "linear", 0.2, integration)),), dt_ms=dt)
    x = run(net, tmp_path / "a.zarr", client, duration_ms=1040.0)["trace"].values[40:].astype(float)
    wanted = 0.2 / np.sqrt(1 - dt / (2 * tau)) if integration == "euler" else 0.2
    decay = 1 - dt / tau if integration == "euler" else np.exp(-dt / tau)
    # 400 units of 1000 samples, of which one in (1 + decay) / (1 - decay) is independent
    independent = 400 * 1000 * (1 - decay) / (1 + decay)
    assert abs(x.std() / wanted - 1) < 4 / np.sqrt(2 * independent)
    assert abs(x.mean()) < 4 * wanted / np.sqrt(independent)
    lagged = float((x[1:] * x[:-1]).mean() / (x**2).mean())
    assert abs(lagged - decay) < 4 / np.sqrt(independent)
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < 0.2


def test_conditions_advance_together_and_give_the_bits_of_each_alone(client: Client, tmp_path: Path) -> None:
    net = everything(noise=0.05)
    p = parts()
    conditions = [
        Condition("as_it_is"),
        Condition("seen", replaced={"seen": PatternInput("A", p.pattern[:, 1], 0.4, name="seen")}),
        Condition("other_noise", seed=8),
        Condition("driven", inputs=[DCInput("B", 1.0)]),
        Condition("closed", replaced={"loops": ProjectionGain("loop", 0.0, name="loops")}),
        Condition("weak", weight_factors={"A -> A": 0.5, "B -> A": 2.0, "A -> B": 0.0}),
        Condition("silenced", silenced={"A": [0, 5, 149], "B": [3]}),
    ]
    execution = simulate.Execution(threads=2, cluster=client, checkpoint="off", progress=False)
    found = simulate.run_batch(net, conditions, STEPS * DT, 1, tmp_path / "batch", execution=execution)
    for condition in conditions:
        run(net, tmp_path / f"{condition.name}.zarr", client, partitions=2, condition=condition)
        assert content(tmp_path / "batch" / f"{condition.name}.zarr") == content(tmp_path / f"{condition.name}.zarr")
    values = {name: store["trace"].values for name, store in found.items()}
    assert len({v.tobytes() for v in values.values()}) == len(conditions)
    # silenced units reach nobody: the others are those of a network whose weights from them are 0
    assert not values["silenced"][:, [0, 5, 149, 153]].any()
    for name in ("weak", "silenced"):
        w = weights_at(p, 70, 0)
        if name == "weak":
            w[:150, :150] *= 0.5
            w[:150, 150:] *= 2.0
            w[150:] = 0.0
        else:
            w[:, [0, 5, 149, 153]] = 0.0
        tau = np.concatenate([np.full(150, 20.0), np.linspace(10.0, 30.0, 70)])
        quiet = run(
            dataclasses.replace(net, populations=tuple(_quiet(x) for x in net.populations)),
            tmp_path / f"quiet_{name}.zarr",
            client,
            condition=next(c for c in conditions if c.name == name),
            duration_ms=2.0,
            record=Record(probes=(Probe("A", np.arange(150), 1.0, "x"), Probe("B", np.arange(70), 1.0, "x"))),
        )["trace"].values
        x = np.concatenate([p.start, np.zeros(70)])
        np.testing.assert_allclose(
            quiet[1], x + DT / tau * (-x + w @ np.tanh(x) + inputs_at(p, 70, 0)), rtol=1e-6, atol=1e-6
        )


def _quiet(p: Population) -> Population:
    return dataclasses.replace(p, neuron=dataclasses.replace(p.neuron, noise=0.0))


def test_two_runs_in_a_row_are_one(client: Client, tmp_path: Path) -> None:
    net = everything(noise=0.1)
    whole = run(net, tmp_path / "whole.zarr", client)
    run(net, tmp_path / "first.zarr", client, duration_ms=70.0, keep_state=True)
    second = run(net, tmp_path / "second.zarr", client, 2, duration_ms=60.0, continue_from=tmp_path / "first.zarr")
    for name in ("trace", "latent_loop", "readout_y"):
        np.testing.assert_array_equal(second[name].values, whole[name].values[70:])
    execution = simulate.Execution(cluster=client)
    with pytest.raises(SimulationError, match="seed"):
        simulate.run(net, 10.0, 2, tmp_path / "x.zarr", continue_from=tmp_path / "first.zarr", execution=execution)


def test_resumes_from_a_checkpoint(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = dataclasses.replace(everything(noise=0.1), dt_ms=0.05)  # three windows of 2000 steps
    record = Record(sample_ms=5.0)
    run(net, tmp_path / "whole.zarr", client, record=record, duration_ms=250.0, condition=Condition("a"))
    advance = RatePartition.windows

    def windows(self: RatePartition, last: int, *rest: Any) -> Any:
        if self.step >= 4000:
            raise OSError("the power failed")
        return advance(self, last, *rest)

    conditions = [Condition("a"), Condition("b", inputs=[DCInput("A", 0.1)])]
    how = simulate.Execution(threads=1, cluster=client, checkpoint=1e-9, progress=False)
    with monkeypatch.context() as patched:
        patched.setattr(RatePartition, "windows", windows)
        with pytest.raises(SimulationError, match="the power failed"):
            simulate.run_batch(net, conditions, 250.0, 1, tmp_path / "batch", record=record, execution=how)
    begun: list[int] = []

    def recorded(self: RatePartition, last: int, *rest: Any) -> Any:
        if self.plan.size == net.size:
            begun.append(self.step)
        return advance(self, last, *rest)

    monkeypatch.setattr(RatePartition, "windows", recorded)
    simulate.run_batch(net, conditions, 250.0, 1, tmp_path / "batch", record=record, execution=how)
    # a checkpoint counts once the collector has its windows, which on a busy machine is a window later
    assert begun[0] in (2000, 4000)
    assert content(tmp_path / "batch" / "a.zarr") == content(tmp_path / "whole.zarr")


def test_records_what_is_asked_for(client: Client, tmp_path: Path) -> None:
    net = everything()
    wanted = by_hand(np.tanh)
    record = Record(probes=(Probe("B", [7, 2], 5.0, "rate"), Probe("A", [3], 5.0, "rate")))
    found = run(net, tmp_path / "a.zarr", client, 2, record=record)
    assert found["neuron"].values.tolist() == ["B_7", "B_2", "A_3"]
    np.testing.assert_allclose(found["trace"].values, wanted["trace"][::5][:, [157, 152, 3]], rtol=2e-7, atol=2e-7)
    np.testing.assert_allclose(found["latent_loop"].values, wanted["latent_loop"][::5], atol=1e-12)
    np.testing.assert_array_equal(found["time"].values, np.arange(0, STEPS, 5) * 1e-3)
    assert found["native_rate"].values.tolist() == [200.0]
    every = run(net, tmp_path / "b.zarr", client, record=Record(sample_ms=10.0))
    assert every["trace"].shape == (13, 220)
    assert isinstance(stores.open(tmp_path / "b.zarr"), xr.DataTree)


def test_descriptions_survive_yaml(tmp_path: Path) -> None:
    net = everything()
    net.to_yaml(tmp_path / "net.yaml")
    again = Network.from_yaml(tmp_path / "net.yaml")
    assert again.to_dict() == net.to_dict()
    rule = again.projections[1].rule
    assert isinstance(rule, LowRank)
    assert rule.m.shape == (150, 3)


def small(**changes: Any) -> Network:
    """Ten units that a loop of rank two joins."""
    given: dict[str, Any] = {
        "populations": (Population("A", 10, RateUnit(20.0)),),
        "projections": (Projection("A", "A", LowRank(np.ones((10, 2)), np.ones((10, 2))), name="loop"),),
        "dt_ms": 1.0,
    }
    return Network(**{**given, **changes})


def _projected(rule: Any, **more: Any) -> Network:
    return small(projections=(Projection("A", "A", rule, **more),))


BAD: list[tuple[Network, str]] = [
    (_projected(LowRank(np.ones((10, 11)), np.ones((10, 11)))), "the rank 11 is above the size"),
    (_projected(LowRank(np.ones((10, 2)), np.ones((10, 3)))), "m has rank 2, n 3"),
    (_projected(LowRank(np.ones((9, 2)), np.ones((10, 2)))), "m has shape 9 x 2"),
    (_projected(LowRank(np.full((10, 2), np.nan), np.ones((10, 2)))), "m is not finite"),
    (_projected(LowRank(np.ones((10, 2)), np.ones((10, 2))), weight=1.0), "weight is given"),
    (small(populations=(Population("A", 10, RateUnit(0.5)),)), "steps of 1 ms overshoot with tau_ms 0.5"),
    (small(populations=(Population("A", 10, RateUnit(20.0, "square")),)), "nonlinearity is 'square'"),
    (small(populations=(Population("A", 10, RateUnit(20.0, integration="exact")),)), "tanh have no exact propagation"),
    (
        small(populations=(Population("A", 10, RateUnit(20.0, "linear", 0.1, "exact")),)),
        "exact propagation has no noise",
    ),
    (
        small(
            populations=(
                Population("A", 10, RateUnit(20.0, "linear", 0.0, "exact")),
                Population("B", 10, RateUnit(20.0)),
            )
        ),
        "populations are integrated as euler, exact",
    ),
    (small(inputs=(ProjectionGain("loops", 1.0),)), "no projection is named 'loops'"),
    (small(inputs=(ProjectionGain("loop", 1.0), ProjectionGain("loop", 0.0))), "several gains of projections"),
    (small(inputs=(ProjectionGain("loop", [1.0, 0.0, 1.0]),)), r"gain has shape \(3,\)"),
    (small(inputs=(PatternInput("A", np.ones((10, 2)), Sampled(np.ones((5, 3)), 1.0)),)), r"signal has shape \(5, 3\)"),
    (small(inputs=(PatternInput("A", np.ones(9)),)), "pattern has shape 9 x 1"),
    (
        small(inputs=(PatternInput("A", np.ones(10), Sampled([1.0, 2.0], 0.5)),)),
        "a step of 0.5 ms, below the time step",
    ),
    (small(inputs=(StateReset("A", [5.0, 2.0], 0.0),)), "the times do not rise"),
    (small(inputs=(StateReset("A", [5.0], np.zeros(4)),)), r"values have shape \(4,\)"),
    (small(readouts=(Readout("y", "B", np.ones(10)),)), "unknown population 'B'"),
    (small(readouts=(Readout("y", "A", np.ones(4)),)), "weight has shape 4 x 1"),
    (small(readouts=(Readout("y", "A", np.ones(10)), Readout("y", "A", np.ones(10)))), "several readouts"),
]


@pytest.mark.parametrize(("net", "what"), BAD, ids=[what[:30] for _, what in BAD])
def test_an_impossible_network_is_refused(tmp_path: Path, net: Network, what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        simulate.run(net, 10.0, 1, tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (Record(counts_ms=5.0), "counts_ms is asked for"),
        (Record(probes=(Probe("A", [0], 1.0, "V_m"),)), "no variable 'V_m'"),
        (
            Record(probes=(Probe("A", [0], 1.0, "x"), Probe("A", [1], 2.0, "x"))),
            "the probes record x every 1 ms, x every",
        ),
        (Record(probes=(Probe("A", [0, 0], 1.0, "x"),)), "a unit is probed twice"),
        (Record(sample_ms=1.5), "sample_ms is 1.5"),
        (Record(probes=(Probe("A", [0], 1.0, "x"),), sample_ms=1.0), "sample_ms is given beside probes"),
    ],
)
def test_an_impossible_record_is_refused(tmp_path: Path, record: Record, what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        simulate.run(small(), 10.0, 1, tmp_path / "a.zarr", record=record)


def test_conditions_are_refused_by_name(tmp_path: Path) -> None:
    net = small(inputs=(ProjectionGain("loop", 1.0, name="gate"),))
    for condition, what in (
        (Condition("c", replaced={"gate": DCInput("A", 1.0, name="gate")}), "cannot become a DCInput of A"),
        (Condition("c", inputs=[ProjectionGain("loop", 0.5)]), "condition c: network"),
        (Condition("c", rate_factors={"A": 2.0}), "has no Poisson input"),
    ):
        with pytest.raises(SimulationError, match=what):
            simulate.run(net, 10.0, 1, tmp_path / "a.zarr", condition=condition)
