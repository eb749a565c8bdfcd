"""Macaque V1 layer 4C-alpha: geometry, wiring, stimulus and densities against the specification's numbers; rates (slow)."""

import sys
from typing import Any

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models import MODELS, v1, v1_wiring
from allometry.models.v1 import (
    COMPENSATION,
    DENSITY_E,
    DENSITY_I,
    P_EE,
    P_IE,
    SIGMA_E,
    SIGMA_I,
    expected_indegree,
    reduced,
    wiring_of,
)
from allometry.models.v1_stimulus import grating, layer6_drive, layer6_gate, modulation
from allometry.network import Condition, Periodic
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.synapses.wiring import drawn_synapses, with_plastic
from allometry.simulate.check.validate import check_condition, check_network
from tests.simulate import engine


def test_the_map_is_the_published_one() -> None:
    xy = np.array([[500.0, 750.0], [999.9999, 750.0], [250.0, 1.0]])
    theta = np.degrees(v1_wiring.preferred_orientation(xy))
    assert min(theta[0], 180 - theta[0]) == pytest.approx(0.0, abs=1e-6)
    assert theta[1] == pytest.approx(90.0, abs=1e-4)
    # Across the border of two hypercolumns it is continuous.
    sides = v1_wiring.preferred_orientation(np.array([[500.0 - 1e-6, 730.0], [500.0 + 1e-6, 730.0]]))
    assert sides[0] == pytest.approx(sides[1], abs=1e-6)


def test_cells_are_on_the_published_lattice() -> None:
    cells = v1_wiring.lattice(27000)
    assert cells[1, 0] == pytest.approx(9.0909, abs=1e-3)
    assert cells[165].tolist() == pytest.approx([0.0, 1500 / 165])
    assert v1_wiring.lattice(9000)[1, 0] == pytest.approx(15.79, abs=1e-2)


@pytest.mark.parametrize("size", [101, 450, 1350, 900, 13500])
def test_reduced_lattices_leave_no_strip_of_the_sheet_empty(size: int) -> None:
    """Halves, and strips at the four edges, hold their share of the cells: to a row, and to one cell of each row."""
    cells = v1_wiring.lattice(size)
    assert len(np.unique(cells, axis=0)) == size
    assert ((cells > 0) & (cells < 1500)).all()
    spacing = 1500 / np.sqrt(size)
    for axis in (0, 1):
        for low, high in ((0, 750), (750, 1500), (0, 3 * spacing), (1500 - 3 * spacing, 1500)):
            found = ((cells[:, axis] >= low) & (cells[:, axis] < high)).sum()
            assert found == pytest.approx(size * (high - low) / 1500, abs=1.05 * np.sqrt(size) + 1)
        assert cells[:, axis].mean() == pytest.approx(750, abs=0.2 * spacing)


def test_constants_are_those_of_the_specification() -> None:
    assert modulation(2.5) == pytest.approx(0.9411, abs=1e-4)
    assert COMPENSATION.tolist() == pytest.approx([1.55, 1.425, 1.25, 1.075, 0.9, 0.775, 0.65, 0.525, 0.4])
    # In-degrees of the central hypercolumn of the original, by the number of LGN inputs.
    from_e = expected_indegree(P_EE, SIGMA_E, DENSITY_E)
    assert from_e[[0, 4, 8]] == pytest.approx([268.4, 182.3, 118.2], rel=0.01)
    assert expected_indegree(P_IE, SIGMA_E, DENSITY_E)[[0, 8]] == pytest.approx([787, 530], rel=0.02)
    assert expected_indegree(np.array([0.6]), SIGMA_I, DENSITY_I)[0] == pytest.approx(101.9, rel=0.01)


def test_the_wiring_has_the_published_numbers_of_inputs() -> None:
    w = wiring_of(1)
    counts = np.diff(w.starts_e), np.diff(w.starts_i)
    assert counts[0].mean() == pytest.approx(3.55, abs=0.05)
    assert counts[1].mean() == pytest.approx(3.07, abs=0.05)
    cells = v1_wiring.lattice(27000)
    apart = np.sqrt(((w.lgn[w.inputs_e] - np.repeat(cells, counts[0], axis=0)) ** 2).sum(axis=1))
    assert apart.max() <= 540.0
    # The summed input prefers the orientation of the map: resultant of twice the difference, cells with four inputs.
    angles = np.arange(16) * np.pi / 16
    wave = np.exp(2j * np.pi / 800 * (w.lgn @ np.stack([np.cos(angles), np.sin(angles)])))
    signed = np.where(w.inputs_e < 180, 1.0, -1.0)[:, None] * wave[w.inputs_e]
    amplitude = np.abs(np.add.reduceat(signed, np.minimum(w.starts_e[:-1], len(signed) - 1), axis=0))
    four = counts[0] == 4
    preferred = np.angle((amplitude * np.exp(2j * angles)).sum(axis=1)) / 2
    difference = preferred - v1_wiring.preferred_orientation(cells)
    assert abs(np.exp(2j * difference[four]).mean()) > 0.7
    assert w.layer6.shape == (22415, 2)
    again = v1_wiring.procedural(1)
    assert all(np.array_equal(getattr(w, name), getattr(again, name)) for name in vars(w))


def test_the_gate_of_layer_6_follows_the_grating() -> None:
    w = wiring_of(1)
    gates = {angle: np.asarray(layer6_gate(w, angle, 2.5).p) for angle in (0.0, 90.0)}
    theta = v1_wiring.preferred_orientation(w.layer6)
    optimal = np.cos(2 * theta) > 0.95
    assert gates[0.0][optimal].mean() > 2 * gates[90.0][optimal].mean()
    assert gates[0.0].max() <= 1.3 + 1e-9
    assert gates[0.0].min() >= 0.4 - 1e-9


def test_the_grating_drives_on_and_off_cells_in_opposite_phase() -> None:
    w = wiring_of(1)
    wave = grating(w, 0.0, 1.0, 2.5, 4.0).amplitude
    assert isinstance(wave, Periodic)
    assert wave.amplitude == pytest.approx(0.1 * 0.9411, abs=1e-5)
    place = w.lgn[:, 0] / 800
    expected = (place + np.where(np.arange(360) < 180, 0.0, 0.5)) % 1.0
    assert wave.phase == pytest.approx(expected, abs=1e-8)
    u = np.arange(len(wave.values)) / len(wave.values)
    assert wave.values[np.isclose(u, 0.125)] == pytest.approx(np.sqrt(np.sin(np.pi / 4)), abs=1e-8)
    assert wave.values[np.isclose(u, 0.375)] == pytest.approx(np.sin(0.75 * np.pi), abs=1e-8)
    assert np.max(layer6_drive(w, 0.5, 0.5).rate_hz) == 0.0


@pytest.mark.parametrize("scheme", ["none", "weights", "in_degree"])
def test_a_reduced_sheet_keeps_what_its_scheme_says(scheme: Any) -> None:
    net = v1(reduction=20.0, scheme=scheme)
    check_network(net)
    assert [p.size for p in net.populations] == [1350, 450, 360, 22415]
    plan = with_plastic(compile_network(net, 1, "exact"))
    drawn = drawn_synapses(plan, 0, 1)
    own = (drawn.source < 1350) & (drawn.target < 1350)
    quantum = plan.neurons[0].quantum.value
    total = np.bincount(drawn.target[own], drawn.weight[own], minlength=1350) * quantum
    degree = np.bincount(drawn.target[own], minlength=1350)
    full = net.projections[0].indegree_norm
    if full is not None:
        assert total.mean() == pytest.approx(0.028 * float(full.mean()), rel=0.01)
        assert degree.mean() == pytest.approx(106, rel=0.05)
    else:
        assert degree.mean() == pytest.approx(195.7 / 20, rel=0.05)
        assert total.mean() == pytest.approx(0.028 * (20 if scheme == "weights" else 1) * degree.mean(), rel=0.02)


def test_the_stimulus_is_a_condition_on_one_connectivity() -> None:
    net, w = v1(reduction=50.0), wiring_of(1)
    other = Condition(
        "other",
        replaced={"grating": grating(w, 45.0, 0.7, 2.5, 4.0), "layer 6 gate": layer6_gate(w, 45.0, 2.5)},
    )
    check_condition(net, other)
    direct = v1(reduction=50.0, orientation_deg=45.0, contrast=0.7)
    assert other.applied(net).to_dict(digest=True)["inputs"] == direct.to_dict(digest=True)["inputs"]


def test_spikes_do_not_depend_on_the_cut() -> None:
    plan = compile_network(v1(reduction=50.0), 1, "fast")
    whole = engine.run_plan(plan, [300])
    assert len(whole) > 500
    for windows, partitions, threads in (([100, 300], 1, 2), ([300], 3, 1)):
        assert np.array_equal(engine.run_plan(plan, windows, partitions, threads), whole)


def test_the_model_can_be_reduced() -> None:
    assert MODELS["v1"].reduce is reduced
    assert reduced(0.1, "in_degree") == {"reduction": pytest.approx(10.0), "scheme": "in_degree"}
    with pytest.raises(SimulationError, match="no size 2"):
        reduced(2.0, "none")
    for wrong in ({"reduction": 0.5}, {"contrast": -1.0}, {"wiring_seed": -1}):
        with pytest.raises(SimulationError, match=next(iter(wrong))):
            v1(**wrong)  # type: ignore[arg-type]


def rates_of_a_twentieth() -> dict[str, tuple[float, float]]:
    """Rates of E and I cells, Hz, of scheme in_degree with weights as they are, over two seeds of 1 s."""
    net = v1(reduction=20.0)
    w = wiring_of(1)
    dark = Condition("dark", replaced={"grating": grating(w, 0.0, 0.0, 2.5, 4.0), "layer 6": layer6_drive(w, 0.0, 0.5)})
    found: dict[str, list[np.ndarray]] = {"dark": [], "driven": []}
    for seed in (1, 2):
        with Partition(compile_network(net, seed, "fast"), 0, 1, 2, crowded=True) as partition:
            partition.build()
            for condition in (Condition("driven"), dark):
                partition.begin(compile_network(condition.applied(net), seed, "fast"), np.empty(0, np.int64))
                partition.window(3000)
                units = partition.window(13000).spikes & 0xFFFFFFFF
                counts = np.bincount(units, minlength=net.size)
                found[condition.name].append(np.array([counts[:1350].mean(), counts[1350:1800].mean()]))
    return {name: tuple(np.mean(rates, axis=0)) for name, rates in found.items()}


def test_a_twentieth_of_the_cells_on_the_lattice_of_the_specification_has_its_rates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Background 2.49 and 11.0 Hz, driven 4.80 and 27.7 Hz: too high, since a strip at the edge has no I cells.

    Of 1350 E and 450 I cells; seeds differ by 9 % (E) and 4 % (I), and the specification has two or three.
    """

    def published(size: int) -> np.ndarray:
        columns = int(np.ceil(np.sqrt(size)))
        return np.stack([np.arange(size) % columns, np.arange(size) // columns], axis=1) * (1500.0 / columns)

    monkeypatch.setattr(sys.modules["allometry.models.v1"], "lattice", published)
    found = rates_of_a_twentieth()
    for name, (e, i) in {"dark": (2.49, 11.0), "driven": (4.80, 27.7)}.items():
        assert found[name][0] == pytest.approx(e, rel=0.18), name
        assert found[name][1] == pytest.approx(i, rel=0.09), name


def test_a_twentieth_of_the_cells_over_the_whole_sheet_has_the_rates_of_the_full_density() -> None:
    """Those of E cells, to twice what seeds differ by; I cells, with 18 inhibitory inputs for 102, are above theirs."""
    found = rates_of_a_twentieth()
    for name, (e, i) in {"dark": (1.71, 7.82), "driven": (3.24, 20.3)}.items():
        assert found[name][0] == pytest.approx(e, rel=0.13), name
        assert 1.1 < found[name][1] / i < 1.35, name
