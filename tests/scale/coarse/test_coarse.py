"""Coarse-grained V1: geometry, tables that find known coefficients, fixed points that are known, and a small network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models.v1 import SIGMA_E
from allometry.scale.coarse.estimation import fit_tables, network, observe, read_observation, stimuli
from allometry.scale.coarse.fixed_point import cell_sums, open_loop, solve
from allometry.scale.coarse.pixels import CLASSES, INPUTS, OWN, POPULATIONS, Sheet, Shown, sheet_of, shown, stencil
from allometry.scale.coarse.responses import Table, fit_table, read_tables, write_tables
from allometry.simulate.distribute.execution import Execution

REDUCTION, PIXEL_UM = 50.0, 250.0


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return sheet_of(network(REDUCTION, 1, {}), PIXEL_UM)


@pytest.fixture(scope="module")
def seen(sheet: Sheet) -> dict[str, Shown]:
    return shown(sheet, network(REDUCTION, 1, {"contrast": 1.0}).inputs)


def flat(rate: float, gain: tuple[float, float, float], centre: tuple[float, float, float], most: float = 1e4) -> Table:
    """A table that all classes have alike."""
    n = len(INPUTS)
    return Table(
        np.full(CLASSES, np.log(rate)), np.zeros((CLASSES, len(OWN))), np.array(gain), np.array(centre), np.zeros(n),
        np.full(n, most),
    )  # fmt: skip


def test_a_stencil_is_the_kernel_between_squares() -> None:
    """Its second moment is that of the Gaussian cut at twice its width, sigma^2 (1 - 3/e^2) / (1 - 1/e^2), and of two squares."""
    taps = stencil(SIGMA_E, 50.0)
    at = (np.arange(len(taps)) - len(taps) // 2) * 50.0
    e = np.exp(-2.0)
    along = SIGMA_E**2 * (1 - 3 * e) / (1 - e) + 50.0**2 * 2 / 12
    assert taps.sum() == pytest.approx(1.0)
    assert (taps.sum(axis=0) * at**2).sum() == pytest.approx(along, rel=0.02)  # points 17 um apart, at the cut too
    assert taps == pytest.approx(taps.T)


def test_pixels_hold_all_cells_and_equal_rates_stay_equal(sheet: Sheet) -> None:
    assert sheet.side == 6
    assert [sheet.numbers[name].sum() for name in POPULATIONS] == [540, 180]
    assert sheet.central.sum() == 4
    assert sheet.neighbours("E", np.full(36, 3.0)) == pytest.approx(np.full(36, 3.0))
    assert sheet.mean_rates(np.full(540, 4), "E", 2.0) == pytest.approx(np.full(36, 2.0))


@pytest.mark.parametrize("pixel_um", [0.0, 70.0, 600.0, 10.0])
def test_pixels_that_do_not_fit_are_refused(pixel_um: float) -> None:
    with pytest.raises(SimulationError, match="pixel"):
        sheet_of(network(REDUCTION, 1, {}), pixel_um)


def test_the_background_has_no_modulation_and_a_grating_has(sheet: Sheet, seen: dict[str, Shown]) -> None:
    dark = shown(sheet, network(REDUCTION, 1, {"contrast": 0.0}).inputs)
    for name in POPULATIONS:
        assert not dark[name].own[:, :2].any()
        assert not dark[name].layer6.any()
        n = sheet.cells[name].lgn_inputs
        assert seen[name].own[n == 1, 0] == pytest.approx(1.0)  # one input has no other to cancel
        assert (seen[name].own[n < 8, 0] <= n[n < 8] + 1e-9).all()
    # spec section 6: 39.1 inputs of an E cell, 82.9 of an I cell, at 10.66 Hz and a mean gate of 0.85
    per_cell = {"E": 39.1 / 0.96, "I": 82.9}
    for name in POPULATIONS:
        assert seen[name].layer6.mean() == pytest.approx(per_cell[name] * 10.66 * 0.85, rel=0.2)


def test_a_regression_finds_the_coefficients_that_made_the_spikes() -> None:
    draws = np.random.default_rng(1)
    n, places = 40000, 500
    classes, pixel = draws.integers(0, CLASSES, n), draws.integers(0, places, n)
    own = np.stack([draws.uniform(0, 2, n), draws.uniform(0, 2, n), draws.uniform(-0.1, 0.1, n)], axis=1)
    inputs = draws.uniform([1, 5, 100], [3, 20, 300], (places, 3))
    true = Table(
        np.linspace(1.0, 2.0, CLASSES), np.tile([0.4, -0.2, -5.0], (CLASSES, 1)), np.array([0.8, -0.6, 0.3]),
        inputs.mean(axis=0), np.zeros(3), np.full(3, 1e3),
    )  # fmt: skip
    rate = true.cell_factor(classes, own) * true.pixel_factor(inputs)[pixel]
    found = fit_table(draws.poisson(4.0 * rate), classes, own, inputs, pixel, 4.0)
    # 40,000 cells of some 15 spikes: standard errors of gains below .01, of the slopes of a class below .02 and .2
    assert found.gain == pytest.approx(true.gain, abs=0.03)
    assert found.bias == pytest.approx(true.bias, abs=0.08)
    assert found.own[:, :2] == pytest.approx(true.own[:, :2], abs=0.1)
    assert found.own[:, 2] == pytest.approx(true.own[:, 2], abs=0.8)
    baseline = fit_table(draws.poisson(4.0 * rate), classes, own, inputs, pixel, 4.0, network=False)
    assert not baseline.gain.any()
    # one gain of the sum: the effects of the true gains, of any size, give them back
    single = fit_table(
        draws.poisson(4.0 * rate), classes, own, inputs, pixel, 4.0, effect=7.0 * true.gain / true.centre
    )
    assert single.gain == pytest.approx(true.gain, abs=0.03)


def test_a_regression_of_silence_is_refused() -> None:
    with pytest.raises(SimulationError, match="no cell fired"):
        fit_table(np.zeros(3, int), np.zeros(3, int), np.zeros((3, 3)), np.ones((1, 3)), np.zeros(3, int), 1.0)


def test_a_fixed_point_is_the_one_of_the_equation(sheet: Sheet, seen: dict[str, Shown]) -> None:
    """Of equal pixels it solves r = r0 exp(g (r - c) / c) for inhibition alone, in closed form r = c W(...)."""
    from scipy.special import lambertw

    tables = {"E": flat(5.0, (0.0, -0.7, 0.0), (3.0, 12.0, 1.0)), "I": flat(12.0, (0.0, -1.5, 0.0), (3.0, 9.0, 1.0))}
    found = solve(sheet, seen, tables, tolerance=1e-8)
    inhibition = 9.0 / 1.5 * lambertw(1.5 / 9.0 * 12.0 * np.exp(1.5)).real
    assert found.converged
    assert found.rates["I"] == pytest.approx(inhibition, rel=1e-6)
    assert found.rates["E"] == pytest.approx(5.0 * np.exp(-0.7 * (inhibition - 12.0) / 12.0), rel=1e-6)
    assert open_loop(sheet, seen, tables, found.rates)["E"] == pytest.approx(found.rates["E"], rel=1e-6)
    assert cell_sums(sheet, "E", seen["E"], tables["E"]) == pytest.approx(5.0)


def test_what_runs_away_is_an_error_or_marked(sheet: Sheet, seen: dict[str, Shown]) -> None:
    tables = {"E": flat(5.0, (0.0, 0.0, 0.0), (3.0, 12.0, 1.0)), "I": flat(12.0, (0.0, -40.0, 0.0), (3.0, 12.0, 1.0))}
    with pytest.raises(SimulationError, match="does not converge"):
        solve(sheet, seen, tables, iterations=50)
    marked = solve(sheet, seen, tables, iterations=50, strict=False)
    assert not marked.converged
    assert marked.residual > 2e-3


def test_a_table_is_never_extrapolated(sheet: Sheet, seen: dict[str, Shown]) -> None:
    table = flat(5.0, (0.0, 0.0, 0.0), (3.0, 12.0, 1.0), most=2.0)
    with pytest.raises(SimulationError, match="does not reach from_I"):
        table.pixel_factor(np.array([[1.0, 2.5, 1.0]]))
    wide = flat(12.0, (0.0, 0.0, 0.0), (3.0, 12.0, 1.0))
    with pytest.raises(SimulationError, match="does not reach"):
        solve(sheet, seen, {"E": table, "I": wide})


def test_tables_come_back_from_their_store(tmp_path: Path) -> None:
    tables = {
        "driven": {"E": flat(5.0, (1.0, -1.0, 0.5), (3.0, 12.0, 1.0)), "I": flat(9.0, (0.0, 0.0, 0.1), (1, 2, 3))}
    }
    path = tmp_path / "tables.zarr"
    write_tables(tables, path, {"seeds": [1, 2]})
    write_tables(tables, path, {"seeds": [1, 2]})  # in place of the one that is there
    found = read_tables(path)
    for name in POPULATIONS:
        for key in ("bias", "own", "gain", "centre", "low", "high"):
            assert np.array_equal(getattr(found["driven"][name], key), getattr(tables["driven"][name], key))


def test_a_small_network_is_observed_and_solved(tmp_path: Path) -> None:
    """At the inputs that it was estimated on, a table gives the mean rate of the spikes: what the likelihood's maximum says."""
    path = tmp_path / "observed.zarr"
    observe(path, REDUCTION, 1, stimuli([0.0]), 400.0, 100.0, Execution(threads=1, progress=False))
    one = read_observation(path, PIXEL_UM)
    tables = fit_tables([one])
    assert set(tables) == {"background", "driven"}
    observed = one.rates("grating_0")
    at_inputs = open_loop(one.sheet, one.shown["grating_0"], tables["driven"], observed)
    for name in POPULATIONS:
        number = one.sheet.numbers[name].ravel()
        expected = one.counts["grating_0"][name].sum() / one.duration_s
        assert (at_inputs[name] * number).sum() == pytest.approx(expected, rel=0.01)  # the ridge pulls a little
    # without the network, the fixed point is what the LGN and the class say
    baseline = fit_tables([one], network=False)["background"]
    given = one.shown["background"]
    wide = {name: replace(table, low=np.zeros(3), high=np.full(3, 1e4)) for name, table in baseline.items()}
    solved = solve(one.sheet, given, wide, tolerance=1e-6)
    for name in POPULATIONS:
        assert solved.rates[name] == pytest.approx(cell_sums(one.sheet, name, given[name], baseline[name]), rel=1e-4)
