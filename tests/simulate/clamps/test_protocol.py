"""Cells under clamp: NEURON's voltages, held gates in closed form, and what a knock-out takes away."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from allometry.models.cells import WORM_CELLS, Cell, changed
from allometry.simulate.clamps.protocol import Traces, numbers, recorded
from allometry.simulate.kernels.channels.clamp import Current
from tests.simulate.clamps.reference import REFERENCE


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def current(traces: Traces, name: str) -> np.ndarray:
    return traces.current[Current[name]]


def steady(cell: Cell, voltages: list[float], **times: float) -> Traces:
    return recorded(cell, "voltage", voltages, **{"onset_ms": 10.0, "duration_ms": 1000.0, **times})


@pytest.mark.parametrize("name", REFERENCE)
def test_steps_of_current_give_the_voltages_of_neuron(name: str) -> None:
    cell = WORM_CELLS.cells[name]
    times = {"onset_ms": cell.onset_ms, "duration_ms": cell.duration_ms}
    found = numbers(recorded(cell, "current", cell.amplitudes_pa, **times), **times, dt_ms=0.1)
    # 0.05 mV at rest and at the end: NEURON's own time steps differ by 0.003, its rounding is 1e-4; on the way up its steps of
    # 0.4 ms are up to 0.25 mV beside ours of 0.1
    for key, tolerance in {"v_rest": 0.05, "v_steady": 0.05, "v_50ms": 0.5}.items():
        np.testing.assert_allclose(found[key], REFERENCE[name][key], rtol=0, atol=tolerance, err_msg=key)
    assert sum(len(rows["v_steady"]) for rows in REFERENCE.values()) == 57


def test_held_gates_relax_as_exponentials() -> None:
    cell = WORM_CELLS.cells["AVAL"]
    held, v, g, e_ca = -65.0, 5.0, 0.104385, 60.0

    def m(v: float) -> float:
        return sigmoid((v + 4.4) / 7.5)

    def h(v: float) -> float:
        rises = 1.4314 * sigmoid((v - 14.8573) / 11.9541) + 0.1427
        return rises * (5.9589 * sigmoid(-(v + 20.5428) / 8.0552) + 0.6038)

    tau_m = 2.3359 + 2.9324 * math.exp(-(((v + 4.7643) / 6) ** 2)) + 1.8739 * math.exp(-(((v + 8.607) / 30) ** 2))
    tau_h = 0.4 * (44.614845 * sigmoid(-(v + 32.9723) / 5) + 43.0937 + 36.43965 * sigmoid(-(v - 18.7251) / 3.7125))
    found = current(steady(cell, [v], holding_mv=held), "EGL19")[0]
    time = np.arange(0.0, 200.0, 1.0)
    # the state of a time step is that at its start, and the gates of the first step are still those of the holding voltage
    gates = [x(v) + (x(held) - x(v)) * np.exp(-time / tau) for x, tau in ((m, tau_m), (h, tau_h))]
    np.testing.assert_allclose(found[10:210], g * gates[0] * gates[1] * (v - e_ca), rtol=1e-9)
    np.testing.assert_allclose(found[:10], g * m(held) * h(held) * (held - e_ca), rtol=1e-9)


def test_every_gate_of_one_voltage_rests_where_its_curve_says() -> None:
    v = -20.0
    to_k = v + 80.0
    rest = {
        ("RIM", "SHL1"): sigmoid((v - 0.26) / 16.25) * sigmoid(-(v + 50) / 8.3) * to_k,
        ("RIM", "EGL2"): sigmoid((v + 6.8594) / 14.9131) * to_k,
        ("RIM", "IRK"): sigmoid(-(v + 82) / 13) * to_k,
        ("RIM", "UNC2"): sigmoid((v + 37.17) / 3.97) * sigmoid(-(v + 77.47) / 5.6) * (v - 60.0),
        ("RIM", "CCA1"): sigmoid((v + 57.65) / 2.38) ** 2 * sigmoid(-(v + 73) / 8.05) * (v - 60.0),
        ("AVAR", "UNC103"): sigmoid((v + 15.1) / 7.85) * sigmoid(-(v + 48) / 28) * to_k,
        ("AVAR", "NCA"): v - 30.0,
        ("AVAR", "LEAK"): v + 37.0,
        ("VA5", "SHK1"): sigmoid((v - 2) / 10) * sigmoid(-(v + 6.95) / 5.8) * to_k,
        ("AIY", "KQT1"): sigmoid((v + 17.6053) / 9.5843)
        * (0.41 * sigmoid(-(v + 86.84) / 15.05) + 0.59 * sigmoid(-(v - 70.13) / 13.37))
        * to_k,
    }
    for (name, channel), wanted in rest.items():
        cell = WORM_CELLS.cells[name]
        # held at one voltage from the start, where every gate has its rest
        found = current(steady(cell, [v], holding_mv=v, duration_ms=50.0), channel)[0]
        np.testing.assert_allclose(found, cell.conductance_ns[channel] * wanted, rtol=1e-9, err_msg=f"{name} {channel}")


def test_calcium_of_a_held_cell_settles_where_what_enters_leaves() -> None:
    v = 10.0
    cell = WORM_CELLS.cells["VD5"]
    traces = steady(cell, [v])
    entering = [current(traces, name)[0, -2] for name in ("EGL19", "CCA1")]
    m_h = {"EGL19": entering[0] / cell.conductance_ns["EGL19"], "CCA1": entering[1] / cell.conductance_ns["CCA1"]}
    # the open fractions times the driving force that the calcium of the end gives
    m = sigmoid((v + 4.4) / 7.5)
    h = (1.4314 * sigmoid((v - 14.8573) / 11.9541) + 0.1427) * (5.9589 * sigmoid(-(v + 20.5428) / 8.0552) + 0.6038)
    t_open = sigmoid((v + 57.65) / 2.38) ** 2 * sigmoid(-(v + 73) / 8.05)
    density = (cell.conductance_ns["EGL19"] * m * h + cell.conductance_ns["CCA1"] * t_open) * 1e-9 / cell.area_cm2

    def left_over(calcium: float) -> float:
        driving = v - 24.081 / 2 * math.log(2.0 / calcium)
        return -density * driving / (2 * 96485 * 0.1) - 1e-4 * calcium

    calcium = max(1e-4, brentq(left_over, 1e-12, 1.0))
    driving = v - 24.081 / 2 * math.log(2.0 / calcium)
    np.testing.assert_allclose(m_h["EGL19"], m * h * driving, rtol=1e-6)
    np.testing.assert_allclose(m_h["CCA1"], t_open * driving, rtol=1e-6)


def test_a_coupled_channel_opens_beside_its_calcium_channel() -> None:
    v, e_ca = 10.0, 24.081 / 2 * math.log(2.0 / 5e-5)
    cell = WORM_CELLS.cells["AIY"]
    w_close, w_yx, k_yx, n_yx, w_open, w_xy, k_xy, n_xy = (
        3.152961, 0.012643, 34.338784, 1e-4, 0.156217, -0.027527, 55.726186, 1.299198,
    )  # fmt: skip
    m = sigmoid((v + 4.4) / 7.5)
    h = (1.4314 * sigmoid((v - 14.8573) / 11.9541) + 0.1427) * (5.9589 * sigmoid(-(v + 20.5428) / 8.0552) + 0.6038)
    tau = 2.3359 + 2.9324 * math.exp(-(((v + 4.7643) / 6) ** 2)) + 1.8739 * math.exp(-(((v + 8.607) / 30) ** 2))
    near = 0.05 + 1e3 * abs(40e-12 * (v - e_ca) * 1e-3) / (8 * 3.14 * 13e-9 * 250e-12 * 96485.33) * math.exp(
        -13e-9 / math.sqrt(250e-12 / (5e8 * 3e-5))
    )
    alpha = m / tau
    beta = 1 / tau - alpha
    closed = w_close * math.exp(-w_yx * v) / (1 + (0.05 / k_yx) ** n_yx)
    opened = w_close * math.exp(-w_yx * v) / (1 + (near / k_yx) ** n_yx)
    forth = w_open * math.exp(-w_xy * v) / (1 + (k_xy / near) ** n_xy)
    rest = m * forth * (alpha + beta + closed) / ((forth + opened) * (closed + alpha) + beta * closed)
    found = current(steady(cell, [v]), "SLO1_EGL19")[0, -2]
    np.testing.assert_allclose(found, 0.92 * rest * h * (v + 80.0), rtol=1e-6)


def test_holding_the_voltage_that_a_current_leads_to_takes_that_current() -> None:
    for name in ("AVAL", "AVAR"):
        cell = WORM_CELLS.cells[name]
        injected = np.asarray(cell.amplitudes_pa)
        times = {"onset_ms": 1000.0, "duration_ms": 1000.0}
        led = numbers(recorded(cell, "current", cell.amplitudes_pa, **times), **times, dt_ms=0.1)
        held = numbers(recorded(cell, "voltage", led["v_steady"].tolist(), **times), **times, dt_ms=0.1)
        # what the capacitance still takes in the last 10 ms of the step: C dV/dt
        np.testing.assert_allclose(held["i_steady"], injected, rtol=0, atol=0.1)


@pytest.mark.parametrize("name", ["AIY", "VB6"])
def test_currents_of_all_channels_are_the_injected_one_once_the_voltage_stays(name: str) -> None:
    cell = WORM_CELLS.cells[name]
    traces = recorded(cell, "current", [-10.0, 20.0], onset_ms=1000.0, duration_ms=2000.0)
    np.testing.assert_allclose(traces.current.sum(axis=0), traces.total[:, ::10], rtol=1e-12, atol=1e-12)
    late = traces.voltage[:, -200:-1]
    capacitive = cell.capacitance_uf_cm2 * cell.area_cm2 * 1e6 * np.diff(late, axis=1) / 0.1
    # injected = capacitance + channels; one time step apart, over which the currents change by C dV/dt times dt / tau
    np.testing.assert_allclose(
        traces.total[:, -200:-2] + capacitive, np.broadcast_to([[-10.0], [20.0]], capacitive.shape), atol=0.01
    )


def test_a_knockout_takes_the_currents_that_need_the_gene_and_no_others() -> None:
    cell = WORM_CELLS.cells["VB6"]
    without = changed(cell, ["UNC2"])
    assert without.removed == ("UNC2", "SLO1_UNC2", "SLO2_UNC2")
    voltages = [-40.0, 20.0]
    # of channels without calcium: those that are left carry what they did
    wild, mutant = steady(cell, voltages), steady(changed(cell, ["SLO2"]), voltages)
    for channel in cell.conductance_ns:
        if "SLO2" in channel:
            assert not current(mutant, channel).any()
            assert current(wild, channel).any()
        else:
            np.testing.assert_array_equal(current(mutant, channel), current(wild, channel))
    assert not any(current(steady(without, voltages), name).any() for name in without.removed)


def test_steps_do_not_meet_and_the_time_step_hardly_matters() -> None:
    cell = WORM_CELLS.cells["VD5"]
    times = {"onset_ms": 200.0, "duration_ms": 200.0}
    both = recorded(cell, "current", [-20.0, 0.0, 5.0, 10.0, 30.0], **times)
    for k, step in enumerate((-20.0, 0.0, 5.0, 10.0, 30.0)):
        alone = recorded(cell, "current", [step], **times)
        np.testing.assert_array_equal(alone.voltage[0], both.voltage[k])
    fine = recorded(cell, "current", [10.0], **times, dt_ms=0.025)
    np.testing.assert_allclose(fine.voltage[0, -1], both.voltage[3, -1], atol=0.01)


def test_capacitance_slows_and_leak_shifts() -> None:
    passive = replace(WORM_CELLS.cells["AVAL"], conductance_ns={"LEAK": 0.5})
    traces = recorded(passive, "current", [10.0], onset_ms=10.0, duration_ms=400.0, holding_mv=-39.0)
    tau = passive.capacitance_uf_cm2 * passive.area_cm2 * 1e6 / 0.5
    time = np.arange(traces.voltage.shape[1] - 100) * 0.1
    # the semi-implicit step is exact to dt / (2 tau) of the way
    np.testing.assert_allclose(
        traces.voltage[0, 100:], -39.0 + 20.0 * (1 - np.exp(-time / tau)), atol=20 * 0.1 / 2 / tau
    )
