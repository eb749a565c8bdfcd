"""The fixed point of a stimulus: rates of all pixels that give the inputs which give the rates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.scale.coarse.pixels import POPULATIONS, Cells, Sheet, Shown, network_inputs
from allometry.scale.coarse.responses import Table

FloatArray = NDArray[np.float64]
STEP = {"E": 0.15, "I": 0.3}
"""Share of the way to the new rates that each update goes: inhibition is the faster of the two."""
LOWEST_HZ, HIGHEST_HZ = 1e-3, 1e3
"""Rates of pixels beyond these have run away."""
_REMEMBERED, _PLAIN, _BOUND = 6, 3, 0.5
_MATCHES = 2
"""How often effective in-degrees and the rates of the cells they come from are made to agree: more change nothing."""


@dataclass(frozen=True)
class Solution:
    """Rates of one stimulus.

    Parameters
    ----------
    rates : dict of str to np.ndarray
        float [pixel], spikes/s, of E and I.
    residual : float
        Largest |updated - rate| of a pixel, relative to its rate.
    iterations : int
        Updates of all pixels.
    converged : bool
    """

    rates: dict[str, FloatArray]
    residual: float
    iterations: int
    converged: bool


def drives_at(cells: Cells, given: Shown, inputs: FloatArray) -> FloatArray:
    """What cells are given, float [cell, `responses.DRIVES`], per s, at inputs of their pixels [pixel, `INPUTS`]."""
    around = inputs[cells.pixel]
    excited = cells.indegree["E"] * around[:, 0] + given.layer6
    return np.stack([excited, cells.indegree["I"] * around[:, 1]], axis=1)


def cell_rates(sheet: Sheet, name: str, given: Shown, table: Table, inputs: FloatArray) -> FloatArray:
    """Rates of the cells of a population, float [cell], spikes/s, at inputs of their pixels [pixel, `INPUTS`]."""
    cells = sheet.cells[name]
    drives = drives_at(cells, given, inputs)
    u = table.own_drive(cells.lgn_inputs, given.own) + table.network_drive(cells.lgn_inputs, drives)
    return table.rate(u)


def open_loop(
    sheet: Sheet, given: Mapping[str, Shown], tables: Mapping[str, Table], observed: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Rates that the tables give at the inputs of a network's own rates, by population, float [pixel], spikes/s."""
    inputs = network_inputs(sheet, given, observed)
    return {
        name: sheet.pixel_means(name, cell_rates(sheet, name, given[name], tables[name], inputs[name]))
        for name in POPULATIONS
    }


class _Response:
    """Rates of the pixels of one population, and their expansion in the inputs around those of an earlier step."""

    def __init__(self, sheet: Sheet, name: str, given: Shown, table: Table) -> None:
        self.sheet, self.name, self.table = sheet, name, table
        cells = sheet.cells[name]
        gain, centre = table.gain[cells.lgn_inputs], table.centre[cells.lgn_inputs]
        self.pixel = cells.pixel
        self.excited, self.inhibited = gain[:, 0] * cells.indegree["E"], gain[:, 1] * cells.indegree["I"]
        self.still = table.own_drive(cells.lgn_inputs, given.own) + gain[:, 0] * given.layer6 - (gain * centre).sum(1)

    def expand(self, from_e: FloatArray, from_i: FloatArray) -> None:
        """Take the logarithms of rates and their slopes at the mean rates of the cells around, float [pixel] each."""
        u = self.still + self.excited * from_e[self.pixel] + self.inhibited * from_i[self.pixel]
        slope = self.table.slope(u)
        rate = np.maximum(self.sheet.pixel_means(self.name, self.table.rate(u)), 1e-9)
        self.at = from_e, from_i
        self.log_rate = np.log(rate)
        self.by_e = self.sheet.pixel_means(self.name, slope * self.excited) / rate
        self.by_i = self.sheet.pixel_means(self.name, slope * self.inhibited) / rate

    def __call__(self, from_e: FloatArray, from_i: FloatArray) -> FloatArray:
        """Logarithms of rates, float [pixel], by the expansion."""
        return np.asarray(self.log_rate + self.by_e * (from_e - self.at[0]) + self.by_i * (from_i - self.at[1]))


def solve(
    sheet: Sheet,
    given: Mapping[str, Shown],
    tables: Mapping[str, Table],
    *,
    tolerance: float = 2e-3,
    iterations: int = 500,
    strict: bool = True,
    start: Mapping[str, FloatArray] | None = None,
) -> Solution:
    """Iterate local and inter-pixel updates until the rates stay.

    Cells are summed at the inputs of the present rates; between two sums, pixels respond by the slopes of their cells. Updates
    are those of Anderson's mixing, after a few that go a share of the way.

    Parameters
    ----------
    sheet : Sheet
    given : mapping of str to Shown
        The stimulus (`pixels.shown`).
    tables : mapping of str to Table
        Of the stimulus' contrast, by population.
    tolerance : float
        Residual that ends the iteration: the largest relative change of a pixel.
    iterations : int
        The most updates.
    strict : bool
        Raise where it does not converge or ends outside the tables; else the solution says so.
    start : mapping of str to np.ndarray, optional
        Rates to begin with, float [pixel], spikes/s; default those of isolated pixels at the mean drives.

    Raises
    ------
    SimulationError
        It does not converge, or it ends outside the tables.
    """
    responses = {name: _Response(sheet, name, given[name], tables[name]) for name in POPULATIONS}
    n = sheet.side**2
    if start is None:
        start = {name: _middle(sheet, name, given[name], tables[name]) for name in POPULATIONS}
    x = np.log(np.concatenate([np.maximum(start[name], LOWEST_HZ) for name in POPULATIONS]))
    bounds = np.log(LOWEST_HZ), np.log(HIGHEST_HZ)
    residual, number = np.inf, 0
    while number < iterations:
        around = _around(sheet, x, n)
        for response in responses.values():
            response.expand(*around)
        error = np.concatenate([response.log_rate for response in responses.values()]) - x
        residual = float(np.abs(np.expm1(np.clip(error, -1.0, 1.0))).max())
        number += 1
        if residual < tolerance:
            break
        # as precise as this expansion deserves
        x, used = _inner(sheet, responses, x, max(0.3 * tolerance, 0.03 * min(residual, 1.0)), iterations - number)
        number += used
        x = np.clip(x, *bounds)
    converged = residual < tolerance
    rates = {name: np.exp(part) for name, part in zip(POPULATIONS, (x[:n], x[n:]), strict=True)}
    if strict:
        if not converged:
            raise SimulationError(
                f"the fixed point does not converge: residual {residual:.3g} after {number} iterations",
                where="coarse",
                expected=f"a residual below {tolerance:g}",
                do="allow more iterations, or look at the gains of the tables: recurrent excitation may run away",
            )
        inputs = network_inputs(sheet, given, rates)
        for name in POPULATIONS:
            tables[name].require(inputs[name])
    return Solution(rates, residual, number, converged)


def _around(sheet: Sheet, x: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    return sheet.neighbours("E", np.exp(x[:n])), sheet.neighbours("I", np.exp(x[n:]))


def _middle(sheet: Sheet, name: str, given: Shown, table: Table) -> FloatArray:
    cells = sheet.cells[name]
    return sheet.pixel_means(name, table.rate(table.own_drive(cells.lgn_inputs, given.own)))


def _inner(
    sheet: Sheet, responses: Mapping[str, _Response], x: FloatArray, tolerance: float, most: int
) -> tuple[FloatArray, int]:
    """Fixed point of the expansions, float [E and I pixels], and the updates it took."""
    n = len(x) // 2
    share = np.repeat([STEP[name] for name in POPULATIONS], n)
    places: list[FloatArray] = []
    moves: list[FloatArray] = []
    used = 0
    while used < min(most, 60):
        around = _around(sheet, x, n)
        error = np.concatenate([response(*around) for response in responses.values()]) - x
        used += 1
        largest = np.abs(error).max()
        if largest < tolerance:
            break
        move = share * np.clip(error, -_BOUND, _BOUND)
        places, moves = [*places[-_REMEMBERED + 1 :], x], [*moves[-_REMEMBERED + 1 :], move]
        if used > _PLAIN and largest < 1.0:
            d_move, d_place = np.diff(np.stack(moves), axis=0).T, np.diff(np.stack(places), axis=0).T
            weights = np.linalg.lstsq(d_move, move, rcond=1e-8)[0]
            move = np.clip(move - (d_move + d_place) @ weights, -_BOUND, _BOUND)
        x = x + move
    return x, used


def with_effective_indegrees(
    sheet: Sheet, conditions: Mapping[str, Mapping[str, Shown]], tables: Mapping[str, Table], **options: object
) -> Sheet:
    """The sheet whose in-degrees count each synapse by how active the cell is that it comes from.

    The cells of a pixel fire at very different rates, each onto some hundred others: a cell is given more or less than the mean
    rate of the pixels around it times its summed weight. Rates of cells are those of the tables, at the mean of fixed points.

    Parameters
    ----------
    sheet : Sheet
        With drawn connections; without them it stays as it is.
    conditions : mapping of str to mapping
        Stimuli of one contrast (`pixels.shown`), over which activities are averaged.
    tables : mapping of str to Table
        Of that contrast, by population.
    **options
        Of `solve`.

    Raises
    ------
    SimulationError
        See `solve`.
    """
    for _ in range(_MATCHES):
        found = {name: solve(sheet, given, tables, **options).rates for name, given in conditions.items()}  # type: ignore[arg-type]
        sheet = matched(sheet, conditions, tables, found)
    return sheet


def matched(
    sheet: Sheet,
    conditions: Mapping[str, Mapping[str, Shown]],
    tables: Mapping[str, Table],
    rates: Mapping[str, Mapping[str, FloatArray]],
) -> Sheet:
    """The sheet with effective in-degrees at given rates of its pixels, by condition and population, spikes/s."""
    cells = dict(sheet.cells)
    if any(of.recurrent is None for of in cells.values()):
        return sheet
    active = {name: np.zeros(len(cells[name].pixel)) for name in POPULATIONS}
    for condition, given in conditions.items():
        inputs = network_inputs(sheet, given, rates[condition])
        for name in POPULATIONS:
            active[name] += cell_rates(sheet, name, given[name], tables[name], inputs[name])
    around = {name: sheet.neighbours(name, sheet.pixel_means(name, active[name])) for name in POPULATIONS}
    for target, of in sheet.cells.items():
        assert of.recurrent is not None
        effective = {q: of.recurrent[q] @ active[q] / around[q][of.pixel] for q in POPULATIONS}
        cells[target] = replace(of, indegree=effective)
    return replace(sheet, cells=cells)
