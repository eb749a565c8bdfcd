"""Geometry of macaque V1 layer 4C-alpha, and what its cells are given: inputs from the LGN, thresholds, layer 6.

Chariker, Shapley & Young 2016, J Neurosci 36:12368. The rule for the wiring from the LGN is ours: it reproduces numbers of ON
and OFF inputs, their distances, and the amplitude and orientation preference of the summed input, not that neighbours share
their inputs. Lengths in um of cortex; 1 degree of the visual field is 2000 um.
"""

from dataclasses import dataclass

import numpy as np
import scipy

SIDE_UM, HYPERCOLUMN_UM, UM_PER_DEGREE = 1500.0, 500.0, 2000.0
N_EXCITATORY, N_INHIBITORY, N_LGN = 27000, 9000, 360
MOST_INPUTS = 8
#: Numbers of E cells with so many ON (rows) and OFF inputs (columns) from the LGN.
EXCITATORY_INPUTS = np.array(
    [
        [2008, 1390, 0, 0, 0, 0, 0],
        [1344, 3386, 2049, 0, 0, 0, 0],
        [0, 1985, 6681, 1744, 852, 0, 51],
        [0, 0, 1694, 1665, 361, 83, 0],
        [0, 0, 810, 351, 430, 0, 0],
        [0, 0, 0, 70, 0, 0, 0],
        [0, 0, 46, 0, 0, 0, 0],
    ]
)
#: The same of I cells.
INHIBITORY_INPUTS = np.array(
    [
        [938, 520, 360, 222, 109, 32, 14, 2],
        [558, 797, 707, 396, 184, 55, 9, 6],
        [398, 684, 556, 340, 142, 37, 9, 0],
        [186, 399, 339, 188, 71, 22, 0, 0],
        [105, 177, 155, 58, 34, 0, 0, 0],
        [25, 55, 38, 20, 0, 0, 0, 0],
        [15, 19, 14, 0, 0, 0, 0, 0],
        [1, 3, 0, 0, 0, 0, 0, 0],
    ]
)
LAYER6_CORNER_UM, LAYER6_PITCH_UM, LAYER6_SITES, LAYER6_CELLS = -349.0, 12.682, (165, 164), 22415
#: Gamma shape of the rates of layer 6 cells, and the largest rate relative to their mean.
LAYER6_SHAPE, LAYER6_LARGEST = 0.363, 12.0
_WAVELENGTH_UM = 800.0
_TRIES, _CHUNK = 6, 3000


@dataclass(frozen=True, eq=False)
class Wiring:
    """What the cells of the full-density sheet are given.

    Parameters
    ----------
    lgn : np.ndarray
        float [360, 2], positions of LGN cells in the cortex, um: 180 ON cells, then 180 OFF cells.
    starts_e, starts_i : np.ndarray
        int [cell + 1], where the inputs of each E and I cell begin.
    inputs_e, inputs_i : np.ndarray
        int [input], LGN cells.
    threshold_e, threshold_i : np.ndarray
        float [cell], thresholds.
    strength_e : np.ndarray
        float [input], factors on the weights of the inputs of E cells.
    layer6 : np.ndarray
        float [cell, 2], positions of layer 6 cells, um.
    layer6_rate : np.ndarray
        float [cell], their rates, relative to the mean.
    """

    lgn: np.ndarray
    starts_e: np.ndarray
    inputs_e: np.ndarray
    starts_i: np.ndarray
    inputs_i: np.ndarray
    threshold_e: np.ndarray
    threshold_i: np.ndarray
    strength_e: np.ndarray
    layer6: np.ndarray
    layer6_rate: np.ndarray


def lattice(size: int) -> np.ndarray:
    """Return the positions of `size` cells on the sheet, float [cell, 2], um, row by row.

    At full density as published: a square lattice from the lower left corner, the last row partly filled. Of a few hundred
    cells that would leave a strip without inhibition at the upper edge, as wide as its reach; other sizes lie in rows of equal
    numbers, to one cell, over the whole sheet.
    """
    if size in (N_EXCITATORY, N_INHIBITORY):
        columns = int(np.ceil(np.sqrt(size)))
        i = np.arange(size)
        return np.stack([i % columns, i // columns], axis=1) * (SIDE_UM / columns)
    rows = round(np.sqrt(size))
    ends = np.arange(rows + 1) * size // rows
    numbers = np.diff(ends)
    row = np.repeat(np.arange(rows), numbers)
    column = np.arange(size) - ends[row]
    return np.stack([(column + 0.5) * SIDE_UM / numbers[row], (row + 0.5) * SIDE_UM / rows], axis=1)


def map_angle(xy: np.ndarray) -> np.ndarray:
    """Return the angle of the orientation map, float [place], radians in [0, 2 pi): a pinwheel in every hypercolumn.

    Neighbouring hypercolumns are mirrored, so that the map is continuous.
    """
    k = np.floor(xy / HYPERCOLUMN_UM)
    m = xy / HYPERCOLUMN_UM - k
    centred = np.where(k % 2 == 0, m - 0.5, 0.5 - m)
    return np.arctan2(centred[:, 1], centred[:, 0]) % (2 * np.pi)


def preferred_orientation(xy: np.ndarray) -> np.ndarray:
    """Return the preferred direction of a grating's wave vector at places of the map, float [place], radians in [0, pi)."""
    return (-map_angle(xy) / 2) % np.pi


def procedural(seed: int) -> Wiring:
    """Draw the wiring from the LGN, thresholds and layer 6 of a full-density sheet.

    Parameters
    ----------
    seed : int
        Seed of all of it.

    Returns
    -------
    Wiring
        The same for the same seed.
    """
    draws = np.random.Generator(np.random.PCG64(seed))
    lgn = _lgn_cells(draws)
    excitatory = _oriented(draws, lgn, lattice(N_EXCITATORY))
    inhibitory = _scattered(draws, lgn, lattice(N_INHIBITORY))
    starts_e, inputs_e = _joined(excitatory)
    starts_i, inputs_i = _joined(inhibitory)
    sites = np.sort(np.argsort(draws.random(LAYER6_SITES[0] * LAYER6_SITES[1]), kind="stable")[:LAYER6_CELLS])
    layer6 = LAYER6_CORNER_UM + LAYER6_PITCH_UM * np.stack([sites % LAYER6_SITES[0], sites // LAYER6_SITES[0]], axis=1)
    return given(draws, lgn, starts_e, inputs_e, starts_i, inputs_i, layer6)


def given(
    draws: np.random.Generator,
    lgn: np.ndarray,
    starts_e: np.ndarray,
    inputs_e: np.ndarray,
    starts_i: np.ndarray,
    inputs_i: np.ndarray,
    layer6: np.ndarray,
) -> Wiring:
    """Return a wiring from the LGN that is known, with thresholds, strengths and layer 6 rates drawn."""
    rates = scipy.special.gammaincinv(LAYER6_SHAPE, draws.random(len(layer6))) / LAYER6_SHAPE
    return Wiring(
        lgn=lgn,
        starts_e=starts_e,
        inputs_e=inputs_e,
        starts_i=starts_i,
        inputs_i=inputs_i,
        threshold_e=np.clip(1.0 + 0.05 * _normal(draws, N_EXCITATORY), 0.95, 1.05),
        threshold_i=0.9 + 0.2 * draws.random(N_INHIBITORY),
        strength_e=1.0 + 0.1 * np.clip(_normal(draws, len(inputs_e)), -4.0, 4.0),
        layer6=layer6,
        layer6_rate=np.minimum(rates, LAYER6_LARGEST),
    )


def _normal(draws: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    u: np.ndarray = draws.random(shape)
    return np.asarray(scipy.special.ndtri(np.maximum(u, 2.0**-54)))


def _lgn_cells(draws: np.random.Generator) -> np.ndarray:
    row, column = np.divmod(np.arange(N_LGN // 2), 12)
    cells = []
    for low in (-466.8, -329.8):
        exact = np.stack([-563.5 + 250.3 * (column + (row % 2) / 2), low + 200.0 * row], axis=1)
        jitter = np.clip(_normal(draws, exact.shape) * np.array([19.0, 16.0]), -50.0, 50.0)
        cells.append(exact + jitter)
    return np.concatenate(cells)


def _numbers(draws: np.random.Generator, table: np.ndarray, size: int) -> np.ndarray:
    """Return numbers of ON and OFF inputs drawn from a table, int [cell, 2]."""
    cumulative = np.cumsum(table.ravel()) / table.sum()
    place = np.searchsorted(cumulative, draws.random(size), side="right")
    return np.stack(np.divmod(place, table.shape[1]), axis=1)


def _near(lgn: np.ndarray, xy: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the LGN cells nearest to each place, int [place, candidate], who is within reach, and displacements."""
    apart = lgn[None] - xy[:, None]
    distance = np.sqrt((apart**2).sum(axis=2))
    most = int((distance <= reach).sum(axis=1).max())
    chosen = np.argsort(distance, axis=1, kind="stable")[:, :most]
    return (
        chosen,
        np.take_along_axis(distance, chosen, axis=1) <= reach,
        np.take_along_axis(apart, chosen[:, :, None], axis=1),
    )


def _oriented(draws: np.random.Generator, lgn: np.ndarray, cells: np.ndarray) -> list[np.ndarray]:
    """Return the inputs of E cells: rows of ON and OFF cells across the axis that their place prefers."""
    numbers = _numbers(draws, EXCITATORY_INPUTS, len(cells))
    axis = preferred_orientation(cells) + 0.16 * _normal(draws, len(cells))
    out = []
    for a in range(0, len(cells), _CHUNK):
        here = slice(a, a + _CHUNK)
        out += _oriented_chunk(draws, lgn, cells[here], numbers[here], axis[here])
    return out


def _oriented_chunk(
    draws: np.random.Generator, lgn: np.ndarray, cells: np.ndarray, numbers: np.ndarray, axis: np.ndarray
) -> list[np.ndarray]:
    candidates, within, apart = _near(lgn, cells, 540.0)
    cos, sin = np.cos(axis)[:, None], np.sin(axis)[:, None]
    u, z = cos * apart[:, :, 0] + sin * apart[:, :, 1], cos * apart[:, :, 1] - sin * apart[:, :, 0]
    envelope = np.exp(-(u**2) / (2 * 280.0**2) - z**2 / (2 * 600.0**2))
    sign = np.where(candidates < N_LGN // 2, 1.0, -1.0)
    angles = np.arange(8) * np.pi / 8
    k = 2 * np.pi / _WAVELENGTH_UM
    wave = np.exp(1j * k * (lgn @ np.stack([np.cos(angles), np.sin(angles)])))
    best, selectivity = np.zeros(candidates.shape, bool), np.full(len(cells), -np.inf)
    for _ in range(_TRIES):
        phase = 2 * np.pi * draws.random(len(cells))[:, None]
        score = envelope * (sign * np.cos(k * u - phase) + 0.3 * _normal(draws, candidates.shape))
        taken = np.zeros(candidates.shape, bool)
        for kind, side in enumerate((1.0, -1.0)):
            allowed = np.where(within & (sign == side), score, -np.inf)
            _take_lowest(taken, -allowed, numbers[:, kind])
        row, place = np.nonzero(taken)
        summed = np.zeros((len(cells), len(angles)), complex)
        np.add.at(summed, row, sign[row, place][:, None] * wave[candidates[row, place]])
        amplitude = np.abs(summed)
        total = amplitude.sum(axis=1)
        tuned = (amplitude * np.cos(2 * (angles - axis[:, None]))).sum(axis=1)
        found = np.divide(tuned, total, out=np.zeros_like(total), where=total > 0)
        better = found > selectivity
        selectivity[better] = found[better]
        best[better] = taken[better]
    return [np.sort(row[chosen]) for row, chosen in zip(candidates, best)]


def _scattered(draws: np.random.Generator, lgn: np.ndarray, cells: np.ndarray) -> list[np.ndarray]:
    """Return the inputs of I cells: any cells within reach."""
    numbers = _numbers(draws, INHIBITORY_INPUTS, len(cells))
    candidates, within, _ = _near(lgn, cells, 450.0)
    taken = np.zeros(candidates.shape, bool)
    order = draws.random(candidates.shape)
    for kind, on in enumerate((True, False)):
        allowed = np.where(within & ((candidates < N_LGN // 2) == on), order, np.inf)
        _take_lowest(taken, allowed, numbers[:, kind])
    return [np.sort(row[chosen]) for row, chosen in zip(candidates, taken)]


def _take_lowest(taken: np.ndarray, scores: np.ndarray, numbers: np.ndarray) -> None:
    """Mark in `taken` [cell, candidate] as many candidates of each cell as asked for, those of lowest finite score."""
    most = min(int(numbers.max(initial=0)), scores.shape[1])
    lowest = np.argsort(scores, axis=1, kind="stable")[:, :most]
    row, rank = np.nonzero(np.arange(most) < numbers[:, None])
    place = lowest[row, rank]
    taken[row, place] |= np.isfinite(scores[row, place])


def _joined(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([[0], np.cumsum([len(row) for row in rows])]), np.concatenate(rows)
