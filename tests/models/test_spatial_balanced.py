"""The spatial balanced network against its published definition, and against a plain loop, spike by spike."""

import math

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models import MODELS, spatial_balanced
from allometry.models.spatial_balanced import lattice_of, places, reduced
from allometry.network import Network
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import initial_values
from tests.simulate import engine


def test_full_size_is_the_published_network() -> None:
    net = spatial_balanced()
    assert {p.name: p.size for p in net.populations} == {"E": 40_000, "I": 10_000, "F": 5_625}
    counts = {(p.source, p.target): p.rule.n for p in net.projections}
    assert counts == {
        ("E", "E"): 2000, ("I", "E"): 2000, ("E", "I"): 500, ("I", "I"): 500, ("F", "E"): 10_000, ("F", "I"): 800
    }  # fmt: skip
    synapses = {key: n * net.population(key[0]).size for key, n in counts.items()}
    assert sum(n for (source, _), n in synapses.items() if source != "F") == 125_000_000
    assert sum(n for (source, _), n in synapses.items() if source == "F") == 60_750_000
    root = math.sqrt(50_000)
    published = {
        ("E", "E"): 40 / 6, ("I", "E"): -400 / 5, ("E", "I"): 120 / 6, ("I", "I"): -400 / 5, ("F", "E"): 120 / 7,
        ("F", "I"): 120 / 7,
    }  # fmt: skip
    for p in net.projections:
        assert p.weight.value * root == pytest.approx(published[p.source, p.target], rel=1e-12)
    assert {p.source: p.rule.kernel.sigma for p in net.projections} == {"E": 0.05, "I": 0.05, "F": 0.1}
    broad = spatial_balanced(regime="broad")
    assert {p.source: p.rule.kernel.sigma for p in broad.projections} == {"E": 0.25, "I": 0.25, "F": 0.1}
    assert [p.weight.value * root for p in broad.projections if p.source == "F"] == pytest.approx([20.0, 20.0])


def plain_loop(
    net: Network, v: dict[str, np.ndarray], edges: np.ndarray, f_spikes: dict[int, list[int]], steps: int
) -> list[tuple[int, int]]:
    """(step, neuron) of E and I by the update order of the specification, with constants of its own.

    `edges` [synapse, 3]: source, target by number in the network, and J/τ; `f_spikes` the feedforward neurons that fire in
    each step.
    """
    dt, (n_e, n_i) = 0.1, (v["E"].size, v["I"].size)
    n, excitatory = n_e + n_i, np.arange(n_e + n_i) < n_e
    v_now = np.concatenate([v["E"], v["I"]])
    g, delta = np.where(excitatory, 1 / 15, 1 / 10), np.where(excitatory, 2.0, 0.5)
    rest = np.where(excitatory, 15, 5)
    tau = {"e": 6.0, "i": 5.0, "F": 7.0 if net.parameters["regime"] == "narrow" else 6.0}
    current = {key: np.zeros(n) for key in tau}
    pending = {key: np.zeros(n) for key in tau}
    refractory = np.zeros(n, int)
    outgoing: dict[int, list[tuple[int, float]]] = {}
    for source, target, weight in edges.tolist():
        outgoing.setdefault(int(source), []).append((int(target), weight))

    def send(kind: str, source: int) -> None:
        for target, weight in outgoing[source]:
            pending[kind][target] += weight * tau[kind]

    found = []
    for step in range(steps):
        for source in f_spikes.get(step, ()):
            send("F", source)
        for i in range(n):
            for key, t in tau.items():
                current[key][i] *= 1 - dt / t
            if refractory[i] > 0:
                refractory[i] -= 1
                v_now[i] = -65.0 if refractory[i] == 0 else -10.0
                continue
            drift = sum(current[key][i] for key in tau) - g[i] * (v_now[i] + 60.0)
            v_now[i] = max(v_now[i] + dt * (drift + g[i] * delta[i] * math.exp((v_now[i] + 50.0) / delta[i])), -100.0)
            if v_now[i] >= -10.0:
                found.append((step, i))
                v_now[i], refractory[i] = -10.0, rest[i]
        for step_fired, i in reversed(found):
            if step_fired != step:
                break
            send("e" if i < n_e else "i", i)
        for key, t in tau.items():
            current[key] += pending[key] / t
            pending[key][:] = 0.0
    return found


@pytest.mark.parametrize("regime", ["narrow", "broad"])
def test_spikes_of_a_plain_loop(regime: str) -> None:
    """In `exact` precision, with its weights: these are the published ones to half a quantum of 2^-10."""
    steps = 400
    net = spatial_balanced(regime=regime, lattice=2, rate_hz=40.0)
    plan = compile_network(net, 1, "exact")
    spikes = engine.spikes(net, steps, precision="exact")
    sizes = [p.size for p in net.populations]
    v = {name: initial_values(plan, Segment(k, 0, sizes[k], 0))["V_m"] for k, name in enumerate("EI")}
    assert all(((x >= -65) & (x <= -50)).all() and x.std() > 3 for x in v.values())
    first_f = sizes[0] + sizes[1]
    table = engine.edges(plan)
    kind = np.digitize(table[:, :2], [sizes[0], first_f])
    j = np.array([[40.0, 120.0], [-400.0, -400.0], [120.0, 120.0]])
    tau = np.array([6.0, 5.0, 7.0 if regime == "narrow" else 6.0])
    weight = table[:, 3] * 2.0**-10
    published = j[kind[:, 0], kind[:, 1]] / math.sqrt(first_f) / tau[kind[:, 0]]
    np.testing.assert_allclose(weight, published, rtol=0, atol=2.0**-11 + 1e-12)
    edges = np.column_stack([table[:, :2], weight])
    f_spikes: dict[int, list[int]] = {}
    for step, neuron in spikes.tolist():
        if neuron >= first_f:
            f_spikes.setdefault(step, []).append(neuron)
    mine = [(step, neuron) for step, neuron in spikes.tolist() if neuron < first_f]
    expected = plain_loop(net, v, edges, f_spikes, steps)
    assert len(mine) > 50
    assert mine == expected


def test_sizes_are_multiples_of_the_lattice() -> None:
    assert [lattice_of(80 * m**2 / 50_000) for m in (6, 8, 10, 12, 15, 20, 25)] == [6, 8, 10, 12, 15, 20, 25]
    assert reduced(0.16, "balanced") == {"lattice": 10}
    assert MODELS["spatial_balanced"].schemes.keys() == {"balanced"}
    small = spatial_balanced(lattice=10)
    assert {p.name: p.size for p in small.populations} == {"E": 6400, "I": 1600, "F": 900}
    assert {(p.source, p.target): p.rule.n for p in small.projections}["F", "E"] == 1600
    full = spatial_balanced()
    for a, b in zip(small.projections, full.projections):
        assert a.rule.n * math.sqrt(8000) * a.weight.value / 8000 == pytest.approx(
            b.rule.n * math.sqrt(50_000) * b.weight.value / 50_000, rel=1e-12
        )


@pytest.mark.parametrize("size", [0.1, 0.05, 1.1, 0.0, -1.0, math.inf, math.nan, 0.0016])
def test_a_size_between_lattices_is_refused(size: float) -> None:
    with pytest.raises(SimulationError, match="no multiple of its lattice"):
        reduced(size, "balanced")


@pytest.mark.parametrize("arguments", [{"regime": "wide"}, {"lattice": 1}, {"lattice": 2.5}, {"rate_hz": -1.0}])
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(SimulationError, match="spatial_balanced"):
        spatial_balanced(**arguments)


def test_places_are_those_of_the_lattice() -> None:
    at = places("E", 256)
    np.testing.assert_array_equal(at["x"][[0, 1, 16, 255]], [0.0, 1 / 16, 0.0, 15 / 16])
    np.testing.assert_array_equal(at["y"][[0, 1, 16, 255]], [0.0, 0.0, 1 / 16, 15 / 16])
