"""Space: where neurons are, and how the connection probability falls with distance."""

from dataclasses import dataclass

import numpy as np

from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True)
class Space:
    """A rectangle [left, left + width) x [bottom, bottom + height) that holds all positions.

    Parameters
    ----------
    width, height : float
        Extent, in `unit`.
    periodic : bool
        Whether opposite edges are joined (a torus); else a plane, whose neurons near an edge have fewer neighbours.
    left, bottom : float
        Its lower left corner.
    unit : str
        Unit of every length, for the store: `mm`, `um`, `1`, ...
    """

    width: float
    height: float
    periodic: bool = False
    left: float = 0.0
    bottom: float = 0.0
    unit: str = "mm"


@serialisable
@dataclass(frozen=True)
class Grid:
    """Neurons on a lattice over the whole space, row by row from the lower left.

    Neuron i is at ((i mod columns + offset) width / columns, (i // columns + offset) height / rows).

    Parameters
    ----------
    columns, rows : int
        Sites per row, and rows (default as many); they hold at least as many sites as there are neurons.
    offset : float
        Place within a site, 0 to 1 (below 1): 0 its lower left corner, 0.5 its centre.
    """

    columns: int
    rows: int | None = None
    offset: float = 0.5


@serialisable
@dataclass(frozen=True)
class UniformPositions:
    """Every neuron anywhere in the space, drawn from (seed, population, neuron)."""


@serialisable
@dataclass(frozen=True)
class GaussianKernel:
    """exp(-d^2 / (2 sigma^2)) up to the distance `cutoff`, 0 beyond.

    On a torus d is the shortest distance; with `wrapped` the kernel is the sum over all images of the source instead
    (no cutoff then), whose Fourier coefficients are those of the Gaussian, as theories of networks on a ring have it.

    Parameters
    ----------
    sigma : float
        Width, above 0, in the unit of the space.
    cutoff : float
        Longest distance, above 0, in the unit of the space; default none.
    wrapped : bool
        Whether to sum over all images of the source; the space is periodic then.
    """

    sigma: float
    cutoff: float = float("inf")
    wrapped: bool = False


@serialisable
@dataclass(frozen=True)
class ExponentialKernel:
    """exp(-d / length) up to the distance `cutoff`, 0 beyond.

    Parameters
    ----------
    length : float
        Distance over which the kernel falls to 1/e, above 0, in the unit of the space.
    cutoff : float
        Longest distance, above 0, in the unit of the space; default none.
    """

    length: float
    cutoff: float = float("inf")


@serialisable
@dataclass(frozen=True)
class BoxKernel:
    """1 up to the distance `radius`, 0 beyond.

    Parameters
    ----------
    radius : float
        Longest distance, above 0, in the unit of the space.
    """

    radius: float


@serialisable
@dataclass(frozen=True)
class RoundedGaussian:
    """The lattice site nearest to the source's own place plus a Gaussian displacement, on a torus; for `FixedOutdegree`.

    Along each axis the target's site is round(s + sigma n z / L) modulo n, with n sites of the target's lattice over the extent L,
    the source's place s in sites of that lattice, and z standard normal; halves are rounded away from zero. Displacements are
    independent, and their density that of a wrapped Gaussian. Targets are on a `Grid` that they fill, in a periodic space; sources anywhere.
    A draw takes the same time however wide the kernel is. Source: Rosenbaum et al. 2017, Nat Neurosci 20:107 (their code).

    Parameters
    ----------
    sigma : float
        Standard deviation of the displacement along each axis, above 0, in the unit of the space.
    """

    sigma: float


Kernel = GaussianKernel | ExponentialKernel | BoxKernel | RoundedGaussian
Positions = Grid | UniformPositions | np.ndarray
"""Where the neurons of a population are: a rule, or given coordinates, float [neuron, 2]."""
