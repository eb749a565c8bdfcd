"""Coarse-grained V1: geometry, synapses, tables, and fixed points that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import lambertw

from allometry import stores
from allometry.errors import SimulationError
from allometry.models.v1 import SIGMA_E
from allometry.scale.coarse.estimation import network
from allometry.scale.coarse.fixed_point import cell_rates, matched, open_loop, solve, with_effective_indegrees
from allometry.scale.coarse.pixels import (
    CLASSES,
    OWN,
    POPULATIONS,
    Sheet,
    Shown,
    network_inputs,
    sheet_of,
    shown,
    stencil,
)
from allometry.scale.coarse.responses import DRIVES, Table, read_tables, write_tables

REDUCTION, PIXEL_UM = 50.0, 250.0
EXPONENTIAL = 1e9


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return sheet_of(network(REDUCTION, 1, {}), PIXEL_UM)


@pytest.fixture(scope="module")
def known() -> Sheet:
    return sheet_of(network(REDUCTION, 1, {}), PIXEL_UM, 1)


@pytest.fixture(scope="module")
def seen(sheet: Sheet) -> dict[str, Shown]:
    return shown(sheet, network(REDUCTION, 1, {"contrast": 1.0}).inputs)


def flat(rate: float, by_inhibition: float = 0.0, saturation: float = EXPONENTIAL) -> Table:
    """A table that all classes have alike, of inhibition alone."""
    return Table(
        np.full(CLASSES, np.log(rate)), np.zeros((CLASSES, len(OWN))), np.tile([0.0, by_inhibition], (CLASSES, 1)),
        np.zeros((CLASSES, len(DRIVES))), saturation,
    )  # fmt: skip


def with_unit_indegrees(sheet: Sheet) -> Sheet:
    cells = {
        name: replace(of, indegree=dict.fromkeys(POPULATIONS, np.ones(len(of.pixel))))
        for name, of in sheet.cells.items()
    }
    return replace(sheet, cells=cells)


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
    assert sheet.pixel_means("E", np.full(540, 4)) == pytest.approx(np.full(36, 4.0))
    # from one pixel: in the middle of the kernel of I cells is the pixel itself, whose neighbours are alike
    one = np.zeros(36)
    one[14] = 1.0
    given = sheet.neighbours("I", one).reshape(6, 6)
    assert given.argmax() == 14
    assert given[2, 1] == pytest.approx(given[2, 3], rel=0.3)  # by their numbers of cells


@pytest.mark.parametrize("pixel_um", [0.0, 70.0, 600.0, 10.0])
def test_pixels_that_do_not_fit_are_refused(pixel_um: float) -> None:
    with pytest.raises(SimulationError, match="pixel"):
        sheet_of(network(REDUCTION, 1, {}), pixel_um)


def test_the_background_has_no_modulation_and_a_grating_has(sheet: Sheet, seen: dict[str, Shown]) -> None:
    dark = shown(sheet, network(REDUCTION, 1, {"contrast": 0.0}).inputs)
    for name in POPULATIONS:
        assert not dark[name].own[:, 1:3].any()
        assert not dark[name].layer6.any()
        n = sheet.cells[name].lgn_inputs
        assert seen[name].own[n == 1, 1] == pytest.approx(
            1.0, abs=0.4
        )  # one input has no other to cancel; weights vary
        assert (seen[name].own[n < 8, 1] <= (n + seen[name].own[:, 0])[n < 8] + 1e-9).all()
    # spec section 6: 39.1 inputs of an E cell, 82.9 of an I cell, at 10.66 Hz and a mean gate of 0.85
    per_cell = {"E": 39.1, "I": 82.9}
    for name in POPULATIONS:
        assert seen[name].events.mean() == pytest.approx(per_cell[name] * 10.66 * 0.85, rel=0.2)


def test_drawn_synapses_are_those_expected(sheet: Sheet, known: Sheet, seen: dict[str, Shown]) -> None:
    """Summed weights of this scheme are those of the full network; layer 6 reaches a cell by chance, all cells as expected."""
    drawn = shown(known, network(REDUCTION, 1, {"contrast": 1.0}).inputs)
    for name in POPULATIONS:
        for source in POPULATIONS:
            found, expected = (of.cells[name].indegree[source] for of in (known, sheet))
            # weights onto E cells differ by a tenth of them: of at least 5 synapses by 4.5 %, of all cells by less than .3 %
            assert found.mean() == pytest.approx(expected.mean(), rel=0.01)
            assert found == pytest.approx(expected, rel=0.25)
        # some 40 inputs of rates as unequal as gamma of shape .363: 28 % of each of 540 and 180 cells, 2 % of their mean
        assert drawn[name].layer6.mean() == pytest.approx(seen[name].layer6.mean(), rel=0.08)
        assert drawn[name].own == pytest.approx(seen[name].own)


def test_a_fixed_point_is_the_one_of_the_equation(sheet: Sheet, seen: dict[str, Shown]) -> None:
    """Of equal pixels it solves r = r0 exp(-g r) for inhibition alone, in closed form r = W(g r0) / g."""
    plain = with_unit_indegrees(sheet)
    tables = {"E": flat(5.0, -0.05), "I": flat(12.0, -0.15)}
    found = solve(plain, seen, tables, tolerance=1e-8)
    inhibition = lambertw(0.15 * 12.0).real / 0.15
    assert found.converged
    assert found.rates["I"] == pytest.approx(inhibition, rel=1e-6)
    assert found.rates["E"] == pytest.approx(5.0 * np.exp(-0.05 * inhibition), rel=1e-6)
    assert open_loop(plain, seen, tables, found.rates)["E"] == pytest.approx(found.rates["E"], rel=1e-6)


def test_rates_saturate_as_the_table_says(sheet: Sheet, seen: dict[str, Shown]) -> None:
    table = flat(5.0, saturation=2.0)
    assert table.rate(np.array([np.log(5.0), -20.0])) == pytest.approx([2.0 * np.log(1 + 5.0 / 2.0), np.exp(-20.0)])
    u, step = np.array([-1.0, 2.0]), 1e-6
    assert table.slope(u) == pytest.approx((table.rate(u + step) - table.rate(u - step)) / (2 * step), rel=1e-6)
    found = solve(sheet, seen, {"E": table, "I": table})
    assert found.rates["I"] == pytest.approx(2.0 * np.log(3.5), rel=2e-3)


def test_what_runs_away_is_an_error_or_marked(sheet: Sheet, seen: dict[str, Shown]) -> None:
    """E cells that excite themselves, r = exp(g r) with g e > 1, have no fixed point."""
    plain = with_unit_indegrees(sheet)
    runaway = replace(flat(1.0), gain=np.tile([0.6, 0.0], (CLASSES, 1)))
    dark = {name: replace(of, layer6=np.zeros_like(of.layer6)) for name, of in seen.items()}
    with pytest.raises(SimulationError, match="does not converge"):
        solve(plain, dark, {"E": runaway, "I": flat(12.0)}, iterations=200)
    marked = solve(plain, dark, {"E": runaway, "I": flat(12.0)}, iterations=200, strict=False)
    assert not marked.converged
    assert marked.residual > 2e-3


def test_a_table_is_never_extrapolated(sheet: Sheet, seen: dict[str, Shown]) -> None:
    narrow = replace(flat(5.0), high=np.array([10.0, 2.0, 1e5]))
    with pytest.raises(SimulationError, match=r"does not reach from_I = 2\.5"):
        narrow.require(np.array([[1.0, 2.5, 1.0]]))
    with pytest.raises(SimulationError, match=r"does not reach from_I = 12 per s \(36 of 36"):
        solve(sheet, seen, {"E": narrow, "I": flat(12.0)})


def test_tables_come_back_from_their_store(tmp_path: Path) -> None:
    one = replace(flat(5.0, -0.1, 7.0), low=np.array([1.0, 2.0, 3.0]), high=np.array([4.0, 5.0, 6.0]))
    tables = {"drawn": {"driven": {"E": one, "I": flat(9.0)}}, "own": {"driven": {"E": flat(1.0), "I": flat(2.0)}}}
    path = tmp_path / "tables.zarr"
    write_tables(tables, path, {"parameters": {"seeds": [1, 2]}})
    write_tables(tables, path, {"parameters": {"seeds": [1, 2]}})  # in place of the one that is there
    stored = stores.open(path)
    assert stored.attrs["schema"] == "Scores"
    assert stored["curves/tables"]["gain"].attrs["units"] == "s"
    found = read_tables(path)
    for known, by_contrast in tables.items():
        for name in POPULATIONS:
            for key in ("bias", "own", "gain", "centre", "saturation", "low", "high"):
                assert np.array_equal(
                    getattr(found[known]["driven"][name], key), getattr(by_contrast["driven"][name], key)
                )


def test_effective_indegrees_give_the_input_of_cells_exactly(known: Sheet, seen: dict[str, Shown]) -> None:
    """At the rates they are matched at, kernel times effective in-degree is the sum over the synapses of every cell."""
    given = shown(known, network(REDUCTION, 1, {"contrast": 1.0}).inputs)
    tables = {name: replace(flat(5.0), own=np.tile([0.1, 0.5, 0.0, -8.0, 0.0], (CLASSES, 1))) for name in POPULATIONS}
    rates = {name: np.full(known.side**2, 5.0) for name in POPULATIONS}
    there = matched(known, {"a": given}, tables, {"a": rates})
    inputs = network_inputs(known, given, rates)
    cell = {name: cell_rates(known, name, given[name], tables[name], inputs[name]) for name in POPULATIONS}
    for name in POPULATIONS:
        recurrent = known.cells[name].recurrent
        assert recurrent is not None
        for source in POPULATIONS:
            around = known.neighbours(source, known.pixel_means(source, cell[source]))[known.cells[name].pixel]
            assert there.cells[name].indegree[source] * around == pytest.approx(
                recurrent[source] @ cell[source], rel=1e-5
            )
    # what is not drawn is not matched
    plain = replace(known, cells={k: replace(c, recurrent=None) for k, c in known.cells.items()})
    assert matched(plain, {"a": given}, tables, {"a": rates}) is plain
    assert with_effective_indegrees(plain, {"a": given}, tables) is plain
