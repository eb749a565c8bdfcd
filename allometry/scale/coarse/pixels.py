"""The sheet of V1 as pixels: which cells they hold, what the LGN and layer 6 give them, how they reach one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.ndimage import convolve
from scipy.spatial import cKDTree

from allometry.errors import SimulationError
from allometry.models.v1 import LAYER6_E, LAYER6_I, SIGMA_E, SIGMA_I
from allometry.models.v1_wiring import HYPERCOLUMN_UM, MOST_INPUTS, N_LGN, SIDE_UM
from allometry.network import DCInput, ExplicitEdges, Gate, Network, Periodic, PoissonInput, V1Cell

POPULATIONS = ("E", "I")
CLASSES = MOST_INPUTS + 1
#: What the rate of a pixel's cells depends on beside the LGN: rates of E and of I cells by the kernel, drive by layer 6.
INPUTS = ("from_E", "from_I", "layer6")
#: What a cell's own response depends on: mean drive of the LGN by its modulation, its square, and the threshold.
OWN = ("lgn", "lgn_squared", "threshold")
_SUBPIXELS = 3

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
        [cell, LGN cell], 1 for an input of an ON cell and -1 for one of an OFF cell, by numbers of synapses.
    layer6 : sparse.csr_matrix
        [pixel, layer 6 cell], probability that a cell at the centre of a pixel is reached, without the cell's own factor.
    """

    pixel: IntArray
    lgn_inputs: IntArray
    threshold: FloatArray
    lgn: sparse.csr_matrix
    layer6: sparse.csr_matrix


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
    """

    side: int
    pixel_um: float
    cells: dict[str, Cells]
    numbers: dict[str, FloatArray]

    @property
    def central(self) -> NDArray[np.bool_]:
        """Pixels of the middle hypercolumn, bool [pixel]."""
        centre = (np.arange(self.side) + 0.5) * self.pixel_um
        low = (self.side * self.pixel_um - HYPERCOLUMN_UM) / 2
        inside = (centre > low) & (centre < low + HYPERCOLUMN_UM)
        return np.asarray((inside[:, None] & inside[None]).ravel())

    def mean_rates(self, counts: np.ndarray, population: str, duration_s: float) -> FloatArray:
        """Mean rate of the cells of each pixel, float [pixel], spikes/s; of counts int [cell]."""
        summed = np.bincount(self.cells[population].pixel, counts, self.side**2)
        return np.asarray(summed / np.maximum(self.numbers[population].ravel(), 1) / duration_s)

    def neighbours(self, population: str, rates: FloatArray) -> FloatArray:
        """Mean rate of the cells that the synapses of a population come from, float [pixel], spikes/s.

        Row-normalised within the sheet: in-degrees are kept at its edges.
        """
        number = self.numbers[population]
        taps = stencil(SIGMA_E if population == "E" else SIGMA_I, self.pixel_um)
        given = convolve(number * rates.reshape(number.shape), taps, mode="constant")
        return np.asarray((given / convolve(number, taps, mode="constant")).ravel())


@dataclass(frozen=True, eq=False)
class Shown:
    """What a stimulus gives the cells of one population.

    Parameters
    ----------
    own : np.ndarray
        float [cell, `OWN`].
    layer6 : np.ndarray
        float [pixel], events of layer 6 that reach a cell, per s.
    """

    own: FloatArray
    layer6: FloatArray


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


def sheet_of(net: Network, pixel_um: float) -> Sheet:
    """The pixels of a network of V1.

    Parameters
    ----------
    net : Network
        As `models.v1` builds it, of any density.
    pixel_um : float
        Side of a pixel, um.

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
    return Sheet(
        side, pixel_um, {name: _cells(net, name, pixel[name], side, pixel_um) for name in POPULATIONS}, numbers
    )


def _pixel(positions: object, side: int, pixel_um: float) -> IntArray:
    column, row = np.minimum((np.asarray(positions, float) / pixel_um).astype(np.int64), side - 1).T
    return np.asarray(row * side + column)


def _cells(net: Network, name: str, pixel: IntArray, side: int, pixel_um: float) -> Cells:
    population = next(p for p in net.populations if p.name == name)
    assert isinstance(population.neuron, V1Cell)
    edges = next(p.rule for p in net.projections if (p.source, p.target) == ("LGN", name))
    assert isinstance(edges, ExplicitEdges)
    sign = np.where(edges.source < N_LGN // 2, 1.0, -1.0)
    lgn = sparse.csr_matrix((sign, (edges.target, edges.source)), shape=(population.size, N_LGN))
    from_l6 = np.asarray(next(p for p in net.populations if p.name == "L6").positions)
    sigma, reach, peak = {"E": LAYER6_E, "I": LAYER6_I}[name]
    centre = (np.stack(np.divmod(np.arange(side**2), side)[::-1], axis=1) + 0.5) * pixel_um
    near = cKDTree(centre).sparse_distance_matrix(cKDTree(from_l6), reach, output_type="coo_matrix")
    layer6 = sparse.csr_matrix((peak * np.exp(-(near.data**2) / (2 * sigma**2)), (near.row, near.col)), near.shape)
    return Cells(
        pixel=pixel,
        lgn_inputs=np.minimum(np.bincount(edges.target, minlength=population.size), MOST_INPUTS),
        threshold=np.asarray(population.neuron.V_th, np.float64) - 1.0,
        lgn=lgn,
        layer6=layer6,
    )


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
        own = np.stack([modulation, modulation**2, cells.threshold], axis=1)
        out[name] = Shown(own, np.asarray(cells.layer6 @ passed))
    return out


def network_inputs(sheet: Sheet, given: Mapping[str, Shown], rates: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Inputs of each pixel's cells by population, float [pixel, `INPUTS`], per s."""
    around = [sheet.neighbours(name, rates[name]) for name in POPULATIONS]
    return {name: np.stack([*around, given[name].layer6], axis=1) for name in POPULATIONS}
