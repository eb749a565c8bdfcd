"""Correlation against distance, of all pairs of a population that fills a periodic lattice: in wide bins, and its whole course.

Counts of every unit are taken, in the bins of the study: 8·10⁸ pairs have what sampled ones leave to noise. Bins of distance are
wide enough for the counting noise of small networks, and lie where a theory tells the regimes of a balanced network apart
(Rosenbaum et al. 2017, Nat Neurosci 20:107): `near` is the first of the source's own bins, `middle` the trough, `far` beyond it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from allometry.compare.measures.populations.lattices import LatticeCorrelation, lattice_correlation
from allometry.scale.statistics.activity import FEWEST_BINS, FEWEST_UNITS
from allometry.scale.statistics.recorded import Recorded
from allometry.scale.statistics.records import statistic

BINS = {"correlation_near": (0.0, 0.15), "correlation_middle": (0.25, 0.35), "correlation_far": (0.45, 0.5)}
"""Distances of the pairs of each statistic, in sides of the sheet."""
EDGES = np.arange(22) / 40
"""Bins of the whole course, in sides of the sheet."""
LEAST_HZ = 1.0
"""Units that fire less have no pairs, as in the source."""


def side_of(recorded: Recorded, population: str) -> int | None:
    """Sites per row of a population that fills a lattice on the unit torus; None of any other."""
    columns = recorded.columns.get(population, {})
    n = recorded.units[population]
    side = math.isqrt(n)
    if side < 2 or side * side != n or not {"x", "y"} <= set(columns):
        return None
    i = np.arange(n)
    there = np.allclose(columns["x"], (i % side) / side) and np.allclose(columns["y"], (i // side) / side)
    return side if there else None


def against_distance(recorded: Recorded, population: str, edges: NDArray[np.float64]) -> LatticeCorrelation | None:
    """Correlation of all pairs of units that fire often enough, in bins of distance; None where it is undefined.

    Parameters
    ----------
    recorded : Recorded
        A simulation.
    population : str
        One that fills a lattice: of any other, and of too few bins or units, there is none.
    edges : ndarray [edge]
        Of the bins, in sides of the sheet.
    """
    side = side_of(recorded, population)
    firing = recorded.counts[population] >= LEAST_HZ * recorded.duration_s
    if side is None or firing.sum() < FEWEST_UNITS:
        return None
    counts = recorded.windows(population, recorded.bin_s)
    return lattice_correlation(counts, side, edges, firing) if len(counts) >= FEWEST_BINS else None


def _in_bin(recorded: Recorded, population: str, name: str) -> float:
    found = against_distance(recorded, population, np.array(BINS[name]))
    return float("nan") if found is None else float(found.mean[0])


@statistic(
    unit="1",
    description="mean correlation of the counts of all pairs up to 0.15 of the sheet apart, units above 1 spike/s",
    theme="distance",
    itself=True,
)
def correlation_near(recorded: Recorded, population: str) -> float:
    """Mean correlation of all near pairs of a population on a lattice, in the bins of the study; NaN of any other population."""
    return _in_bin(recorded, population, "correlation_near")


@statistic(
    unit="1",
    description="the same of all pairs 0.25 to 0.35 of the sheet apart",
    theme="distance",
    itself=True,
)
def correlation_middle(recorded: Recorded, population: str) -> float:
    """Mean correlation of pairs at the middle distances, where a broad recurrence makes it negative."""
    return _in_bin(recorded, population, "correlation_middle")


@statistic(
    unit="1",
    description="the same of all pairs 0.45 to 0.5 of the sheet apart",
    theme="distance",
    itself=True,
)
def correlation_far(recorded: Recorded, population: str) -> float:
    """Mean correlation of pairs as far as a half of the sheet."""
    return _in_bin(recorded, population, "correlation_far")
