"""The fixed point of a stimulus: rates of all pixels that give the inputs which give the rates."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.scale.coarse.pixels import POPULATIONS, Sheet, Shown, network_inputs
from allometry.scale.coarse.responses import Table

FloatArray = NDArray[np.float64]
STEP = {"E": 0.1, "I": 0.25}
"""Share of the way to the new rates that each update goes: inhibition is the faster of the two."""
START_HZ = {"E": 3.0, "I": 12.0}


@dataclass(frozen=True)
class Solution:
    """Rates of one stimulus.

    Parameters
    ----------
    rates : dict of str to np.ndarray
        float [pixel], spikes/s, of E and I.
    residual : float
        Largest |updated - rate| of a pixel, relative to the mean rate of its population.
    iterations : int
    converged : bool
    """

    rates: dict[str, FloatArray]
    residual: float
    iterations: int
    converged: bool


def solve(
    sheet: Sheet,
    given: Mapping[str, Shown],
    tables: Mapping[str, Table],
    *,
    tolerance: float = 2e-3,
    iterations: int = 500,
    strict: bool = True,
) -> Solution:
    """Iterate local and inter-pixel updates until the rates stay.

    Parameters
    ----------
    sheet : Sheet
    given : mapping of str to Shown
        The stimulus (`pixels.shown`).
    tables : mapping of str to Table
        Of the stimulus' contrast, by population.
    tolerance : float
        Residual that ends the iteration.
    iterations : int
        The most updates.
    strict : bool
        Raise where it does not converge; else the solution says so.

    Raises
    ------
    SimulationError
        It does not converge, or it ends outside the tables.
    """
    own = {name: cell_sums(sheet, name, given[name], tables[name]) for name in POPULATIONS}
    rates = {name: np.full(sheet.side**2, START_HZ[name]) for name in POPULATIONS}
    residual, number = np.inf, 0
    while residual >= tolerance and number < iterations:
        number += 1
        inputs = network_inputs(sheet, given, rates)
        new = {name: own[name] * tables[name].pixel_factor(inputs[name], clip=True) for name in POPULATIONS}
        residual = max(float(np.abs(new[name] - rates[name]).max() / rates[name].mean()) for name in POPULATIONS)
        if residual >= tolerance:
            rates = {name: rates[name] + STEP[name] * (new[name] - rates[name]) for name in POPULATIONS}
    converged = residual < tolerance
    if converged:
        for name in POPULATIONS:
            tables[name].require(inputs[name])
    elif strict:
        raise SimulationError(
            f"the fixed point does not converge: residual {residual:.3g} after {iterations} iterations",
            where="coarse",
            expected=f"a residual below {tolerance:g}",
            do="allow more iterations, or look at the gains of the tables: recurrent excitation may run away",
        )
    return Solution(rates, residual, number, converged)


def cell_sums(sheet: Sheet, name: str, given: Shown, table: Table) -> FloatArray:
    """Mean rate of the cells of each pixel at mean inputs, float [pixel], spikes/s."""
    cells = sheet.cells[name]
    return sheet.mean_rates(table.cell_factor(cells.lgn_inputs, given.own), name, 1.0)


def open_loop(
    sheet: Sheet, given: Mapping[str, Shown], tables: Mapping[str, Table], observed: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Rates that the tables give at the inputs of a network's own rates, by population, float [pixel], spikes/s."""
    inputs = network_inputs(sheet, given, observed)
    return {
        name: cell_sums(sheet, name, given[name], tables[name]) * tables[name].pixel_factor(inputs[name], clip=True)
        for name in POPULATIONS
    }
