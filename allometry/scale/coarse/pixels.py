"""The sheet of V1 as pixels: which cells they hold, what the LGN and layer 6 give them, how they reach one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from allometry.errors import SimulationError
from allometry.models.v1 import (
    COMPENSATION,
    LAYER6_E,
    LAYER6_I,
    S_EE,
    S_IE,
    S_LGN_E,
    S_LGN_I,
    SIGMA_E,
    SIGMA_I,
)
from allometry.models.v1_wiring import HYPERCOLUMN_UM, MOST_INPUTS, N_LGN, SIDE_UM
from allometry.network import DCInput, ExplicitEdges, Gate, Network, Periodic, PoissonInput, V1Cell
from allometry.scale.coarse.synapses import Synapses, drawn, expected_weight

POPULATIONS = ("E", "I")
CLASSES = MOST_INPUTS + 1
#: What reaches a pixel: mean rates of the E and of the I cells around it by the kernel, and events of layer 6.
INPUTS = ("from_E", "from_I", "layer6")
#: What a cell's own response depends on: weight of its LGN inputs beyond their number, modulation of the summed LGN input by
#: the stimulus and its square, threshold and its square.
OWN = ("lgn_weight", "lgn_modulation", "lgn_modulation_squared", "threshold", "threshold_squared")
_SUBPIXELS = 3
_LGN_WEIGHT = {"E": S_LGN_E, "I": S_LGN_I}
_LAYER6_WEIGHT = {"E": S_EE, "I": S_IE}

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one population.

    Parameters
    ----------
    pixel : np.ndarray
        int [cell], its pixel; row by row from the lower left corner.
    lgn_inputs : np.ndarray
        int [cell], class: number of inputs from the LGN, 0 to 8, larger ones as 8.
    threshold : np.ndarray
        float [cell], threshold less 1.
    lgn : sparse.csr_matrix
        [cell, LGN cell], weights of its inputs in units of the mean weight: positive of ON cells, negative of OFF cells.
    layer6 : sparse.csr_matrix
        [row, layer 6 cell], summed weight that a spike of it brings.
    layer6_row : np.ndarray
        int [cell], the row of `layer6` that stands for the cell.
    layer6_factor : np.ndarray
        float [cell], on that row.
    indegree : dict of str to np.ndarray
        float [cell], summed size of the weights from E and from I cells.
    recurrent : dict of str to sparse.csr_matrix, optional
        [cell, cell], sizes of the weights from E and from I cells where the connections are drawn.
    """

    pixel: IntArray
    lgn_inputs: IntArray
    threshold: FloatArray
    lgn: sparse.csr_matrix
    layer6: sparse.csr_matrix
    layer6_row: IntArray
    layer6_factor: FloatArray
    indegree: dict[str, FloatArray]
    recurrent: dict[str, sparse.csr_matrix] | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """A network of V1 as pixels.

    Parameters
    ----------
    side : int
        Pixels along each side.
    pixel_um : float
        Side of a pixel, um.
    cells : dict of str to Cells
        Of E and I.
    numbers : dict of str to np.ndarray
        float [side, side], cells in each pixel.
    kernels : dict of str to sparse.csr_matrix
        [pixel, pixel], where the synapses of each population onto a pixel come from; rows sum to 1 within the sheet, since
        in-degrees are kept at its edges.
    """

    side: int
    pixel_um: float
    cells: dict[str, Cells]
    numbers: dict[str, FloatArray]
    kernels: dict[str, sparse.csr_matrix]

    @property
    def central(self) -> NDArray[np.bool_]:
        """Pixels of the middle hypercolumn, bool [pixel]."""
        centre = (np.arange(self.side) + 0.5) * self.pixel_um
        low = (self.side * self.pixel_um - HYPERCOLUMN_UM) / 2
        inside = (centre > low) & (centre < low + HYPERCOLUMN_UM)
        return np.asarray((inside[:, None] & inside[None]).ravel())

    def pixel_means(self, population: str, of_cells: np.ndarray) -> FloatArray:
        """Mean over the cells of each pixel, float [pixel]; of numbers [cell]."""
        summed = np.bincount(self.cells[population].pixel, of_cells, self.side**2)
        return np.asarray(summed / np.maximum(self.numbers[population].ravel(), 1))

    def neighbours(self, population: str, rates: FloatArray) -> FloatArray:
        """Mean rate of the cells that the synapses of a population come from, float [pixel], spikes/s."""
        return np.asarray(self.kernels[population] @ rates)


@dataclass(frozen=True, eq=False)
class Shown:
    """What a stimulus gives the cells of one population.

    Parameters
    ----------
    own : np.ndarray
        float [cell, `OWN`].
    layer6 : np.ndarray
        float [cell], summed weight of the events of layer 6 that reach it, per s.
    events : np.ndarray
        float [pixel], number of these events of a mean cell, per s.
    """

    own: FloatArray
    layer6: FloatArray
    events: FloatArray


def stencil(sigma: float, pixel_um: float) -> FloatArray:
    """Weights between pixels by their distance, float [row, column]: a Gaussian up to twice its width, over 3 x 3 points each."""
    reach = int(np.ceil(2 * sigma / pixel_um)) + 1
    fine = (np.arange((2 * reach + 1) * _SUBPIXELS) + 0.5) / _SUBPIXELS - reach - 0.5
    # the target is as spread as the source: both stand for all places of a pixel
    inner = ((np.arange(_SUBPIXELS) + 0.5) / _SUBPIXELS - 0.5) * pixel_um
    total = np.zeros((2 * reach + 1, 2 * reach + 1))
    for x in inner:
        for y in inner:
            square = (fine[None] * pixel_um - x) ** 2 + (fine[:, None] * pixel_um - y) ** 2
            weight = np.where(square < 4 * sigma**2, np.exp(-square / (2 * sigma**2)), 0.0)
            total += weight.reshape(2 * reach + 1, _SUBPIXELS, 2 * reach + 1, _SUBPIXELS).sum(axis=(1, 3))
    return np.asarray(total / total.sum())


def sheet_of(net: Network, pixel_um: float, seed: int | None = None) -> Sheet:
    """The pixels of a network of V1.

    Parameters
    ----------
    net : Network
        As `models.v1` builds it, of any density.
    pixel_um : float
        Side of a pixel, um.
    seed : int, optional
        Draw the connections that a run with this seed has, and know what each cell is given by them. None: each cell is given
        what its class is on average.

    Raises
    ------
    SimulationError
        The hypercolumn is no multiple of the pixel, or a pixel holds no cell of a population.
    """
    across = HYPERCOLUMN_UM / pixel_um if pixel_um > 0 else 0.0
    if across < 1 or abs(across - round(across)) > 1e-9:
        raise SimulationError(
            f"pixels of {pixel_um:g} um do not fill a hypercolumn",
            where="pixel_um",
            expected=f"{HYPERCOLUMN_UM:g} um divided by a whole number",
        )
    side = round(SIDE_UM / pixel_um)
    pixel = {p.name: _pixel(p.positions, side, pixel_um) for p in net.populations if p.name in POPULATIONS}
    numbers = {name: np.bincount(of, minlength=side**2).reshape(side, side).astype(float) for name, of in pixel.items()}
    for name, number in numbers.items():
        if not number.all():
            raise SimulationError(
                f"{int((number == 0).sum())} of {side**2} pixels hold no {name} cell",
                where="pixel_um",
                expected="a cell of each population in every pixel",
                do="choose larger pixels, or a network of more cells",
            )
    synapses = None if seed is None else drawn(net, seed)
    cells = {name: _cells(net, name, pixel[name], side, pixel_um, synapses) for name in POPULATIONS}
    widths = {"E": SIGMA_E, "I": SIGMA_I}
    kernels = {name: _kernel(numbers[name], stencil(widths[name], pixel_um)) for name in POPULATIONS}
    return Sheet(side, pixel_um, cells, numbers, kernels)


def _pixel(positions: object, side: int, pixel_um: float) -> IntArray:
    column, row = np.minimum((np.asarray(positions, float) / pixel_um).astype(np.int64), side - 1).T
    return np.asarray(row * side + column)


def _kernel(numbers: FloatArray, taps: FloatArray) -> sparse.csr_matrix:
    """Shares of the synapses onto each pixel by the pixel they come from, [pixel, pixel]."""
    side, reach = len(numbers), len(taps) // 2
    row, column = np.divmod(np.arange(side**2), side)
    rows, columns, values = [], [], []
    for (i, j), weight in np.ndenumerate(taps):
        if weight:
            y, x = row + i - reach, column + j - reach
            inside = (y >= 0) & (y < side) & (x >= 0) & (x < side)
            rows.append(np.flatnonzero(inside))
            columns.append((y * side + x)[inside])
            values.append(weight * numbers[y[inside], x[inside]])
    found = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (side**2, side**2)
    )
    return sparse.diags(1.0 / np.asarray(found.sum(axis=1)).ravel()) @ found


def _cells(net: Network, name: str, pixel: IntArray, side: int, pixel_um: float, synapses: Synapses | None) -> Cells:
    population = next(p for p in net.populations if p.name == name)
    assert isinstance(population.neuron, V1Cell)
    edges = next(p.rule for p in net.projections if (p.source, p.target) == ("LGN", name))
    assert isinstance(edges, ExplicitEdges)
    weight = np.asarray(edges.weight, float) / _LGN_WEIGHT[name] * np.where(edges.source < N_LGN // 2, 1.0, -1.0)
    classes = np.minimum(np.bincount(edges.target, minlength=population.size), MOST_INPUTS)
    if synapses is None:
        layer6, row = _near_layer6(net, name, side, pixel_um), pixel
        factor = COMPENSATION[classes] if name == "E" else np.ones(len(classes))
        indegree, recurrent = {q: expected_weight(net, q, name)[classes] for q in POPULATIONS}, None
    else:
        layer6, row, factor = synapses["L6", name], np.arange(len(pixel)), np.ones(len(pixel))
        recurrent = {q: synapses[q, name] for q in POPULATIONS}
        indegree = {q: np.asarray(recurrent[q].sum(axis=1), np.float64).ravel() for q in POPULATIONS}
    return Cells(
        pixel=pixel,
        lgn_inputs=classes,
        threshold=np.asarray(population.neuron.V_th, np.float64) - 1.0,
        lgn=sparse.csr_matrix((weight, (edges.target, edges.source)), shape=(population.size, N_LGN)),
        layer6=layer6,
        layer6_row=row,
        layer6_factor=factor,
        indegree=indegree,
        recurrent=recurrent,
    )


def _near_layer6(net: Network, name: str, side: int, pixel_um: float) -> sparse.csr_matrix:
    """Expected weight from each cell of layer 6 onto a cell at the centre of a pixel, [pixel, layer 6 cell]."""
    from_l6 = np.asarray(next(p for p in net.populations if p.name == "L6").positions)
    sigma, reach, peak = {"E": LAYER6_E, "I": LAYER6_I}[name]
    centre = (np.stack(np.divmod(np.arange(side**2), side)[::-1], axis=1) + 0.5) * pixel_um
    near = cKDTree(centre).sparse_distance_matrix(cKDTree(from_l6), reach, output_type="coo_matrix")
    value = _LAYER6_WEIGHT[name] * peak * np.exp(-(near.data**2) / (2 * sigma**2))
    return sparse.csr_matrix((value, (near.row, near.col)), near.shape)


def shown(sheet: Sheet, inputs: Sequence[object]) -> dict[str, Shown]:
    """What a stimulus gives the cells of each population.

    Parameters
    ----------
    sheet : Sheet
    inputs : sequence of Input
        Of a network of V1, of which those named `grating`, `layer 6` and `layer 6 gate` are the stimulus.
    """
    named = {getattr(one, "name", None): one for one in inputs}
    grating, drive, gate = named["grating"], named["layer 6"], named["layer 6 gate"]
    assert isinstance(grating, DCInput)
    assert isinstance(grating.amplitude, Periodic)
    assert isinstance(drive, PoissonInput)
    assert isinstance(gate, Gate)
    turns = np.asarray(grating.amplitude.phase, float)
    # ON and OFF cells differ by half a turn, which the sign of an input would count again
    wave = np.exp(2j * np.pi * turns) * (np.asarray(grating.amplitude.amplitude) > 0)
    wave[N_LGN // 2 :] *= -1.0
    passed = np.asarray(drive.rate_hz, float) * np.asarray(gate.p, float)
    out = {}
    for name, cells in sheet.cells.items():
        modulation = np.abs(cells.lgn @ wave)
        beyond = np.asarray(np.abs(cells.lgn).sum(axis=1)).ravel() - cells.lgn_inputs
        threshold = cells.threshold
        own = np.stack([beyond, modulation, modulation**2, threshold, threshold**2], axis=1)
        layer6 = cells.layer6_factor * (cells.layer6 @ passed)[cells.layer6_row]
        out[name] = Shown(own, layer6, sheet.pixel_means(name, layer6) / _LAYER6_WEIGHT[name])
    return out


def network_inputs(sheet: Sheet, given: Mapping[str, Shown], rates: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Inputs of each pixel's cells by population, float [pixel, `INPUTS`], per s."""
    around = [sheet.neighbours(name, rates[name]) for name in POPULATIONS]
    return {name: np.stack([*around, given[name].events], axis=1) for name in POPULATIONS}
