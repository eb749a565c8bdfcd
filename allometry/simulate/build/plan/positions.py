"""Positions of neurons, and the patches in which rules that depend on distance look for them."""

import math

import numpy as np

from allometry.network import (
    BoxKernel,
    ExponentialKernel,
    GaussianKernel,
    Grid,
    Kernel,
    Network,
    RoundedGaussian,
    Space,
)
from allometry.simulate.kernels.rng import Purpose, key, uniform_draws
from allometry.simulate.kernels.wiring.distance import BOX, EXPONENTIAL, GAUSSIAN, WRAPPED, Field
from allometry.simulate.kernels.wiring.lattice import Lattice

_PATCHES_PER_LENGTH = 2.0
_LEAST_PER_PATCH = 4


def positions(net: Network, number: int, seed: int) -> np.ndarray:
    """Return the coordinates of the neurons of population `number`, float64 [neuron, 2], in the unit of the space."""
    p, space = net.populations[number], net.space
    assert space is not None
    assert p.positions is not None
    if isinstance(p.positions, np.ndarray):
        return p.positions
    out = np.empty((p.size, 2))
    if isinstance(p.positions, Grid):
        grid, i = p.positions, np.arange(p.size)
        rows = grid.columns if grid.rows is None else grid.rows
        out[:, 0] = (i % grid.columns + grid.offset) * (space.width / grid.columns) + space.left
        out[:, 1] = (i // grid.columns + grid.offset) * (space.height / rows) + space.bottom
        return out
    for axis, (start, width) in enumerate(((space.left, space.width), (space.bottom, space.height))):
        drawn = np.empty(p.size)
        uniform_draws(key(seed, Purpose.POSITION, 2 * number + axis), 0, start, width, drawn)
        out[:, axis] = drawn
    return out


def field(space: Space, kernel: Kernel, candidates: np.ndarray, own: np.ndarray) -> Field:
    """Sort the candidates, float64 [candidate, 2], into patches for neurons at `own`, float64 [neuron, 2]."""
    kind, length, cutoff = _numbers(kernel)
    most = max(1, len(candidates) // _LEAST_PER_PATCH)
    corner = np.array([space.left, space.bottom])
    sides = np.array([space.width, space.height])
    columns, rows = (max(1, math.ceil(_PATCHES_PER_LENGTH * side / length)) for side in sides.tolist())
    if columns * rows > most:
        shrink = math.sqrt(most / (columns * rows))
        columns, rows = max(1, int(columns * shrink)), max(1, int(rows * shrink))
    counts = np.array([columns, rows])
    place = np.minimum(((candidates - corner) * (counts / sides)).astype(np.int64), counts - 1)
    patch = place[:, 0] + columns * place[:, 1]
    order = np.argsort(patch, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(patch, minlength=columns * rows))])
    x, y = (np.ascontiguousarray((candidates[order] - corner)[:, axis]) for axis in (0, 1))
    own_x, own_y = (np.ascontiguousarray((own - corner)[:, axis]) for axis in (0, 1))
    return Field(
        kind, length, cutoff, float(space.width), float(space.height), bool(space.periodic), columns, rows,
        order.astype(np.int64), starts.astype(np.int64), x, y, own_x, own_y,
    )  # fmt: skip


def lattice(space: Space, kernel: RoundedGaussian, grid: Grid, own: np.ndarray) -> Lattice:
    """Return the sites of targets on a grid for sources at `own`, float64 [source, 2]."""
    sites = np.array([grid.columns, grid.columns if grid.rows is None else grid.rows])
    sides = np.array([space.width, space.height])
    # a place that is a site, or half-way between two, has to be so in floating point too: halves decide the rounding
    at = np.round((own - np.array([space.left, space.bottom])) * (sites / sides) - grid.offset, 9)
    wide, high = (kernel.sigma * sites / sides).tolist()
    x, y = (np.ascontiguousarray(at[:, axis]) for axis in (0, 1))
    return Lattice(int(sites[0]), int(sites[1]), wide, high, x, y)


def _numbers(kernel: Kernel) -> tuple[int, float, float]:
    if isinstance(kernel, BoxKernel):
        return BOX, float(kernel.radius), float(kernel.radius)
    if isinstance(kernel, ExponentialKernel):
        return EXPONENTIAL, float(kernel.length), float(kernel.cutoff)
    assert isinstance(kernel, GaussianKernel)
    return WRAPPED if kernel.wrapped else GAUSSIAN, float(kernel.sigma), float(kernel.cutoff)
