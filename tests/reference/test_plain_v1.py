"""Macaque V1's cells and its network in the engine follow plain numpy, step by step; and that has the published numbers."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from allometry.models.v1 import sheet, wiring_of
from allometry.models.v1_stimulus import grating, layer6_gate
from allometry.network import (
    DCInput,
    LgnCell,
    Network,
    Periodic,
    PoissonInput,
    Population,
    SpikeListInput,
    V1Cell,
)
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.plan.projections import Synapses
from allometry.simulate.build.shards.state import gathered
from allometry.simulate.build.synapses.wiring import drawn_synapses, with_plastic
from allometry.simulate.kernels.loop.cells import VOLTAGE
from tests.reference import plain_v1 as plain
from tests.simulate import engine
from tests.simulate.kernels.plain import MASK, draw, mix, uniform

ROUNDING = 1e-12
UNIT = 2.0**-20
"""A weight of the smallest size in `exact`: all given here are multiples of it."""


def kernel(ex: float, ampa: float, gaba: float) -> dict[str, np.ndarray]:
    """Conductances of a cell, 1/ms, by step after one event of each kind."""
    cells = plain.Cells(np.zeros(1), 20.0, 9.0, 20, 0.2)
    cells.receive(*(np.array([w]) for w in (ex, ampa, gaba)))
    found: dict[str, list[float]] = {"ampa": [], "nmda": [], "gaba": []}
    for _ in range(20_000):
        for name, g in (
            ("ampa", cells.ampa.g[0, 0]),
            ("nmda", cells.slow[0] - cells.rise[0]),
            ("gaba", cells.gaba.g[0, 0]),
        ):
            found[name].append(float(g))
        cells.conductances()
    return {name: np.array(g) for name, g in found.items()}


def test_plain_conductances_have_the_published_integrals_and_courses() -> None:
    g = kernel(0.5, 0.3, 0.7)
    area = {name: plain.DT * values.sum() for name, values in g.items()}
    # A sum of steps for an integral: 0.1 ms are short for cubic onsets, and cut 0.1 % off the onset of NMDA.
    assert area["ampa"] == pytest.approx(0.8 * 0.5 + 0.3, rel=1e-6)
    assert area["nmda"] == pytest.approx(0.2 * 0.5, rel=1e-3)
    assert area["gaba"] == pytest.approx(1.154 * 0.7, rel=1e-3)
    t = plain.DT * np.arange(1, 301)
    scaled = t / plain.TAU_AMPA
    assert g["ampa"][:300] == pytest.approx(0.7 * scaled**3 * np.exp(-scaled) / (6 * plain.TAU_AMPA), rel=1e-9)


def test_plain_advanced_start_of_gaba_is_the_published_one() -> None:
    cells = plain.Cells(np.zeros(1), 20.0, 9.0, 20, 0.2)
    cells.receive(np.zeros(1), np.zeros(1), np.ones(1))
    assert cells.gaba.g[:, 0] == pytest.approx([0.0236528, 0.0296251, 0.0371055, 0.0464746], rel=1e-4)


@pytest.mark.parametrize(("contrast", "published"), [(0.0, 17.8), (1.0, 39.5), (2.0, 67.0)])
def test_plain_lgn_cells_have_the_published_rates(contrast: float, published: float) -> None:
    rng, w = np.random.default_rng(5), wiring_of(1)
    lgn, settled, steps, spikes = plain.Lgn(360), 5_000, 15_000, 0
    for step in range(steps):
        turns = plain.lgn_turns(w.lgn, np.arange(360) >= 180, 0.0, 2.5, 4.0, step * plain.DT)
        current = plain.LGN_DRIVE * (1 + contrast * plain.contrast_factor(2.5) * plain.wave(turns))
        fired = lgn.step(current, 0.075 * rng.poisson(0.1, 360), rng.random(360) < 0.5)
        spikes += len(fired) if step >= settled else 0
    # One second is four periods of the grating. 360 cells have a standard error below that of Poisson trains, 1.2 %.
    assert spikes / 360 == pytest.approx(published, rel=0.02)


def state(partition: Partition) -> dict[str, np.ndarray]:
    """State variables of the first population by name, of the only thread."""
    plan, shard = partition.plan, partition.shards[0]
    found, neurons = gathered(plan, shard.where, shard.cells), plan.neurons[0]
    size = neurons.size
    return {
        name: found[f"{width}{k}"][:size]
        for width in ("real", "double", "count")
        for k, name in enumerate(neurons.widths(width))
    }


@pytest.mark.parametrize(("tau_m", "t_ref", "clamp", "nmda"), [(20.0, 2.0, 20, 0.2), (15.0, 1.0, 10, 1 / 3)])
def test_a_cell_follows_plain_numpy_step_by_step(tau_m: float, t_ref: float, clamp: int, nmda: float) -> None:
    rng = np.random.default_rng(7)
    size, steps = 6, 3000
    v, threshold = rng.uniform(0.0, 0.9, size), rng.uniform(0.9, 1.1, size)
    # Strong enough that some cells spike often and others are held below rest.
    strength = {"ex": 0.06, "ampa": 0.03, "gaba": 0.11}
    given = {name: rng.poisson(0.09, (steps, size)) * np.rint(w / UNIT) * UNIT for name, w in strength.items()}
    given["gaba"] *= np.linspace(0.0, 1.0, size).round(3) > 0.3
    inputs = []
    for name, weights in given.items():
        step, cell = np.nonzero(weights)
        sign = -1.0 if name == "gaba" else 1.0
        times = (step + 0.5) * plain.DT
        inputs.append(SpikeListInput("E", cell, times, sign * weights[step, cell], receptor=name))
    cell = V1Cell(tau_m=tau_m, V_th=threshold, t_ref=t_ref, nmda=nmda)
    net = Network((Population("E", size, cell, v),), (), tuple(inputs), dt_ms=plain.DT)
    cells, spikes = plain.Cells(v, tau_m, threshold, clamp, nmda), []
    with Partition(compile_network(net, 1, "exact"), 0, 1, 1) as partition:
        partition.build()
        for step in range(steps):
            cells.receive(*(given[name][step] for name in ("ex", "ampa", "gaba")))
            emitted = partition.window(step + 1).spikes
            cells.voltages()
            found = state(partition)
            wanted = {
                "g_ampa": cells.ampa.g[0], "ampa_1": cells.ampa.g[1], "ampa_2": cells.ampa.g[2], "ampa_3": cells.ampa.g[3],
                "g_gaba": cells.gaba.g[0], "gaba_1": cells.gaba.g[1], "gaba_2": cells.gaba.g[2], "gaba_3": cells.gaba.g[3],
                "nmda_slow": cells.slow, "nmda_rise": cells.rise,
            }  # fmt: skip
            for name, values in wanted.items():
                np.testing.assert_allclose(
                    found[name], values, rtol=ROUNDING, atol=1e-15, err_msg=f"{name}, step {step}"
                )
            cells.conductances()
            fired = cells.fire()
            np.testing.assert_allclose(found["V_m"], cells.v, rtol=0, atol=ROUNDING, err_msg=f"V, step {step}")
            assert np.array_equal(emitted & 0xFFFFFFFF, fired), step
            spikes += fired.tolist()
    counts = np.bincount(spikes, minlength=size)
    assert counts.max() > 20
    assert counts.min() < counts.max() / 3


def wave_of(profile: Periodic, step: int) -> np.ndarray:
    """A periodic current in a step: the wave's samples with straight lines between them."""
    place = (step * plain.DT * profile.frequency_hz / 1000.0 + np.asarray(profile.phase)) % 1.0
    known = np.append(profile.values, profile.values[0])
    value = np.interp(place, np.arange(len(known)) / len(profile.values), known)
    return np.asarray(profile.amplitude * value)


@pytest.mark.parametrize("theta_deg", [0.0, 67.5])
def test_the_grating_is_the_published_current(theta_deg: float) -> None:
    w = wiring_of(1)
    profile = grating(w, theta_deg, 1.0, 2.5, 4.0).amplitude
    assert isinstance(profile, Periodic)
    apart = []
    for step in range(0, 2500, 7):
        turns = plain.lgn_turns(w.lgn, np.arange(360) >= 180, math.radians(theta_deg), 2.5, 4.0, step * plain.DT)
        published = plain.LGN_DRIVE * plain.contrast_factor(2.5) * plain.wave(turns)
        apart.append(wave_of(profile, step) - published)
    # Straight lines between 4096 samples cut the corner of a root at 0, and nothing else.
    assert np.abs(apart).max() < 0.01 * plain.LGN_DRIVE
    assert np.quantile(np.abs(apart), 0.99) < 1e-4 * plain.LGN_DRIVE
    assert abs(np.mean(apart)) < 1e-5 * plain.LGN_DRIVE


def shots(rng: np.random.Generator, steps: int, unit: float) -> tuple[np.ndarray, np.ndarray, list[SpikeListInput]]:
    """Sums of shots and whether they count negative, [step, LGN cell], and the same as inputs."""
    total, negative = rng.poisson(0.1, (steps, 360)) * (np.rint(0.075 / unit) * unit), rng.random((steps, 360)) < 0.5
    inputs = []
    for receptor, weights in (("shot", total), ("flip", negative.astype(float))):
        step, cell = np.nonzero(weights)
        inputs.append(SpikeListInput("LGN", cell, (step + 0.5) * plain.DT, weights[step, cell], receptor=receptor))
    return total, negative, inputs


def test_an_lgn_cell_follows_plain_numpy_step_by_step() -> None:
    steps, w = 1500, wiring_of(1)
    drive = grating(w, 30.0, 1.0, 2.5, 4.0)
    assert isinstance(drive.amplitude, Periodic)
    total, negative, inputs = shots(np.random.default_rng(2), steps, UNIT)
    net = Network((Population("LGN", 360, LgnCell(), 0.0),), (), (drive, *inputs), dt_ms=plain.DT)
    cells, spikes = plain.Lgn(360), 0
    with Partition(compile_network(net, 1, "exact"), 0, 1, 1) as partition:
        partition.build()
        for step in range(steps):
            emitted = partition.window(step + 1).spikes & 0xFFFFFFFF
            fired = cells.step(plain.LGN_DRIVE + wave_of(drive.amplitude, step), total[step], negative[step])
            assert np.array_equal(emitted, fired), step
            np.testing.assert_allclose(state(partition)["V_m"], cells.v, rtol=0, atol=1e-11)
            spikes += len(fired)
    assert spikes > 1000


def listed(
    net: Network, seed: int, steps: int, unit: dict[str, float]
) -> tuple[tuple[Any, ...], dict, np.ndarray, tuple]:
    """Inputs of a sheet with every random event listed; events of cells, of layer 6, and shots, in arrays."""
    rng = np.random.default_rng(seed)
    ambient: dict[tuple[str, str], np.ndarray] = {}
    inputs: list[Any] = []
    for x in net.inputs:
        if isinstance(x, PoissonInput) and x.population in "EI":
            assert x.receptor is not None
            weight = np.rint(x.weight / unit[x.population]) * unit[x.population]
            counts = rng.poisson(np.asarray(x.rate_hz) * plain.DT / 1000.0, (steps, net.population(x.population).size))
            step, cell = np.nonzero(counts)
            events = counts[step, cell] * weight
            inputs.append(SpikeListInput(x.population, cell, (step + 0.5) * plain.DT, events, receptor=x.receptor))
            ambient[x.population, x.receptor] = counts * weight
    step, cell = np.nonzero(rng.random((steps, net.population("L6").size)) < 0.3e-3)
    inputs.append(SpikeListInput("L6", cell, (step + 0.5) * plain.DT, 1.0))
    total, negative, more = shots(rng, steps, unit["LGN"])
    kept = [x for x in net.inputs if not isinstance(x, PoissonInput)]
    return (*inputs, *more, *kept), ambient, np.stack([step, cell], axis=1), (total, negative)


def releasing(s: Synapses, unit: float) -> Callable[..., list[tuple[np.ndarray, np.ndarray]]]:
    """What one spike does: passes of a gate, and delays and weights drawn for it, from plain hashes."""
    r = s.release
    assert r is not None

    def drawn(stream: int, post: np.ndarray, weight: np.ndarray, delays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bits = [draw(stream, int(t)) for t in post]
        late = np.array([int(delays[(b >> 16) % len(delays)]) for b in bits], int)
        if len(r.weights):
            weight = np.array([abs(int(r.weights[b & 0xFFFF])) * unit for b in bits])
        return late, weight

    def of(step: int, pre: int, post: np.ndarray, weight: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        base, passes = draw(draw(int(r.key), step), pre), 1
        if len(r.gate):
            mean = float(r.gate[pre])
            passes = int(mean) + (uniform(draw(draw(int(r.gate_key), step), pre)) < mean - int(mean))
        if not len(r.repeats):
            late, weight = drawn(base, post, weight, r.delays)
            return [(late, passes * weight)]
        again = [drawn(mix((base + k) & MASK), post, weight, r.repeats) for k in range(1, passes)]
        return [drawn(base, post, weight, r.delays)][: min(passes, 1)] + again

    return of


def edges(plan: Plan) -> list[plain.Edges]:
    """The drawn synapses of every projection."""
    out = []
    merged = with_plastic(plan)
    for s in sorted((*plan.synapses, *plan.released), key=lambda s: s.number):
        alone = dataclasses.replace(merged, synapses=tuple(x for x in merged.synapses if x.number == s.number))
        found = drawn_synapses(alone, 0, 1)
        source, target = plan.neurons[s.source], plan.neurons[s.target]
        unit = target.quantum.value
        released = {"released": releasing(s, unit)} if s.release is not None else {}
        kind = plan.network.projections[s.number].receptor
        assert kind is not None
        out.append(
            plain.Edges(
                source.name, target.name, kind, found.source - source.first, found.target - target.first,
                np.abs(found.weight) * unit, **released,
            )
        )  # fmt: skip
    return out


def test_a_small_sheet_has_the_spikes_of_plain_numpy() -> None:
    """All of it but the draws of ambient events, shots and layer 6, which are given: 300 E and 100 I cells."""
    w, steps, seed = wiring_of(1), 1500, 4
    stimulus = grating(w, 22.5, 1.0, 2.5, 4.0)
    drawn = sheet(w, (stimulus, layer6_gate(w, 22.5, 2.5)), 90.0, "weights", (0.5, 0.8, 1.2, 1.0))
    unit = {n.name: n.quantum.value for n in compile_network(drawn, seed, "exact").neurons}
    inputs, ambient, layer6, flashes = listed(drawn, seed, steps, unit)
    net = dataclasses.replace(drawn, inputs=inputs)
    plan = compile_network(net, seed, "exact")
    assert {n.name: n.quantum.value for n in plan.neurons} == unit
    assert len(plan.released) == 4
    spikes = engine.decoded(engine.run_plan(plan, [steps]))
    with Partition(plan, 0, 1, 1) as partition:
        partition.build()
        v = state_of_voltages(partition)
    cells = {
        "E": plain.Cells(v["E"], 20.0, np.asarray(net.population("E").neuron.V_th), 20, 0.2),
        "I": plain.Cells(v["I"], 15.0, np.asarray(net.population("I").neuron.V_th), 10, 1 / 3),
    }
    assert isinstance(stimulus, DCInput)
    assert isinstance(stimulus.amplitude, Periodic)
    wave = stimulus.amplitude
    found = plain.simulate(
        cells, edges(plan), ambient, layer6, plain.Lgn(360), lambda k: plain.LGN_DRIVE + wave_of(wave, k), flashes, steps
    )  # fmt: skip
    for name, least in (("E", 50), ("I", 100), ("LGN", 1000)):
        first = net.offsets[name]
        mine = spikes[(spikes[:, 1] >= first) & (spikes[:, 1] < first + net.population(name).size)] - [0, first]
        assert len(mine) > least
        assert mine.tolist() == sorted(map(list, found[name])), name


def state_of_voltages(partition: Partition) -> dict[str, np.ndarray]:
    """Voltages at time 0 by population."""
    plan, shard = partition.plan, partition.shards[0]
    out = {}
    for row, s in enumerate(shard.where.segments):
        at = shard.cells.segments[row, VOLTAGE]
        out[plan.neurons[s.population].name] = shard.cells.state[at : at + s.count].copy()
    return out
