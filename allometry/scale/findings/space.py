"""Correlations in space: their course at every size, what theory expects of it, and the exponents of both.

The theory is that of long windows, of pairs of excitatory neurons, with the gains that its source fitted at full size
(`models.theory.rates.SpatialBalance`); it is averaged over the very pairs that a lattice has in a bin, and divided by the measured
rate of each size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.theory.rates import SpatialBalance
from allometry.network import Network
from allometry.scale.axes import Axes
from allometry.scale.jobs import Job, arguments, reducible
from allometry.scale.laws import POWER, expected_exponent, value_law
from allometry.scale.statistics.distance import BINS, EDGES
from allometry.scale.statistics.records import STATISTICS

Floats = NDArray[np.float64]

THEORY_OF = "E"
"""Population whose pairs the theory describes."""
BIN, DISPLACEMENT = (EDGES[1:] + EDGES[:-1]) / 2, np.arange(21) / 40
"""Middles of the bins of distance, and distances along a diagonal at which the source draws its theory, in sides of the sheet."""
ALIKE, APART, OPEN = "agrees", "differs", "undetermined"
WIDEST = 1.0
"""Width of an interval of an exponent from which on it tells nothing."""


def course_table(axes: Axes, all_jobs: Sequence[Job], found: Mapping[str, Any]) -> xr.Dataset | None:
    """Correlation against distance of every simulation; None of a study that did not take it.

    Parameters
    ----------
    axes : Axes
        Of the study.
    all_jobs : sequence of Job
        Its jobs.
    found : mapping of str to mapping
        What `measure_job` wrote of each, with `courses`.

    Returns
    -------
    Dataset
        `correlation` [size, scheme, seed, condition, population, bin], and `distance` [size, scheme, population, bin], the mean
        one of the pairs of a bin.
    """
    if not any(one.get("courses") for one in found.values()):
        return None
    shape = tuple(len(part) for part in (axes.sizes, axes.schemes, axes.seeds, axes.conditions, axes.populations, BIN))
    correlation, distance = np.full(shape, np.nan), np.full((*shape[:2], *shape[4:]), np.nan)
    for job in all_jobs:
        for scheme in job.schemes:
            at = axes.sizes.index(job.size), axes.schemes.index(scheme)
            seed = axes.seeds.index(job.seed)
            for condition, by_population in found[job.name].get("courses", {}).items():
                for population, course in by_population.items():
                    p = axes.populations.index(population)
                    correlation[(*at, seed, axes.conditions.index(condition), p)] = _floats(course["correlation"])
                    distance[(*at, p)] = _floats(course["distance"])
    along = ("size", "scheme", "seed", "condition", "population", "bin")
    return xr.Dataset(
        {
            "correlation": (along, correlation, {"units": "1"}),
            "distance": (("size", "scheme", "population", "bin"), distance, {"units": "side of the sheet"}),
        },
        coords={
            "size": axes.sizes,
            "scheme": np.array(axes.schemes, object),
            "seed": axes.seeds,
            "condition": np.array(axes.conditions, object),
            "population": np.array(axes.populations, object),
            "bin": ("bin", BIN, {"units": "side of the sheet"}),
        },
    )


@dataclass(frozen=True)
class Theory:
    """Theory of the correlations of one network.

    Parameters
    ----------
    of : SpatialBalance
        In the plane.
    side : int
        Sites per row of the population that it describes.
    rate_hz : float
        Measured rate, spikes/s, that the covariance is divided by; that of the theory where none was measured.
    """

    of: SpatialBalance
    side: int
    rate_hz: float

    def over_pairs(self, edges: Floats) -> Floats:
        """Mean over all pairs of the lattice in bins of distance, [bin]; NaN where it has no pair.

        Parameters
        ----------
        edges : ndarray [edge]
            Of the bins, in sides of the sheet; the last holds its upper edge.
        """
        distance, value = self._of_lattice
        pairs, total = (np.histogram(distance, edges, weights=weights)[0] for weights in (None, value))
        return np.divide(total, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)

    @cached_property
    def _of_lattice(self) -> tuple[Floats, Floats]:
        """Distance and correlation at every displacement of the lattice but none, [displacement]."""
        steps = np.arange(self.side)
        folded = np.minimum(steps, self.side - steps)
        near = np.arange(self.side // 2 + 1) / self.side
        y, x = (part.ravel() for part in np.meshgrid(near, near, indexing="ij"))
        quarter = self.of.correlation(x, y, self.rate_hz).reshape(near.size, near.size)
        distance = np.hypot(*np.meshgrid(near[folded], near[folded], indexing="ij"))
        return distance.ravel()[1:], quarter[np.ix_(folded, folded)].ravel()[1:]


Theories = Mapping[tuple[float, str], Theory]
"""Theory by size and scheme; empty of models that have none."""


def theories(
    study: Mapping[str, Any],
    networks: Mapping[tuple[float, str], Network],
    rates_hz: Mapping[tuple[float, str], float],
) -> Theories:
    """Theory of the correlations of every network of a study.

    Parameters
    ----------
    study : mapping
        The configured study as plain values.
    networks : mapping of (size, scheme) to Network
        What is simulated.
    rates_hz : mapping of (size, scheme) to float
        Measured rates of the population that the theory describes, spikes/s.
    """
    correlations = getattr(reducible(study["model"]), "correlations", None)
    if correlations is None:
        return {}
    found = {}
    for key, net in networks.items():
        theory = correlations(**arguments(study, *key))
        measured = rates_hz.get(key, math.nan)
        neurons = next(one.size for one in net.populations if one.name == THEORY_OF)
        found[key] = Theory(theory, math.isqrt(neurons), measured if measured > 0 else theory.balanced_rates_hz[0])
    return found


def theory_table(axes: Axes, known: Theories) -> xr.Dataset | None:
    """What theory expects of the correlations at every size; None of a model without such a theory.

    Parameters
    ----------
    axes : Axes
        Of the study.
    known : mapping of (size, scheme) to Theory
        From `theories`.

    Returns
    -------
    Dataset
        [size, scheme, bin]: `expected`, over the pairs of the lattice; [size, scheme, displacement]: `diagonal` and `axis`, at
        displacements in these directions, and `asymptotic`, the limit of many neurons where it exists; [size, scheme]: `rate_hz`,
        that the covariance was divided by, and `balanced_hz`, that of the theory.
    """
    if not known:
        return None
    along, none = DISPLACEMENT / math.sqrt(2), np.zeros_like(DISPLACEMENT)
    curves = {
        "expected": ("bin", lambda one: one.over_pairs(EDGES)),
        "diagonal": ("displacement", lambda one: one.of.correlation(along, along, one.rate_hz)),
        "axis": ("displacement", lambda one: one.of.correlation(DISPLACEMENT, none, one.rate_hz)),
        "asymptotic": ("displacement", lambda one: _asymptotic(one.of)),
    }
    numbers = {"rate_hz": lambda one: one.rate_hz, "balanced_hz": lambda one: one.of.balanced_rates_hz[0]}

    def of_all(value: Any) -> Floats:
        return np.array([[value(known[size, scheme]) for scheme in axes.schemes] for size in axes.sizes])

    data: dict[str, Any] = {
        name: (("size", "scheme", along_), of_all(value), {"units": "1"}) for name, (along_, value) in curves.items()
    }
    data |= {name: (("size", "scheme"), of_all(value), {"units": "Hz"}) for name, value in numbers.items()}
    coords = {
        "size": axes.sizes,
        "scheme": np.array(axes.schemes, object),
        "bin": ("bin", BIN, {"units": "side of the sheet"}),
        "displacement": ("displacement", DISPLACEMENT, {"units": "side of the sheet"}),
    }
    return xr.Dataset(data, coords=coords, attrs={"population": THEORY_OF})


def _asymptotic(theory: SpatialBalance) -> Floats:
    try:
        return theory.asymptotic(DISPLACEMENT)
    except SimulationError:
        # of broad recurrent projections there is no such limit
        return np.full(DISPLACEMENT.shape, np.nan)


def exponent_table(axes: Axes, value: np.ndarray, neurons: np.ndarray, at: int, known: Theories) -> xr.Dataset | None:
    """Exponents against the number of neurons of statistics that have a law themselves, beside those of theory.

    A power law alone is fitted, to the values of single seeds and, with the same weights, to what theory expects of the same
    pairs at the same sizes. The verdict is `agrees` where the interval holds the exponent of the theory, `differs` where it does
    not, and `undetermined` where the interval is wider than 1 or theory has no value.

    Parameters
    ----------
    axes, value, neurons, at
        As `findings.tables.laws_of` takes them.
    known : mapping of (size, scheme) to Theory
        From `theories`.

    Returns
    -------
    Dataset
        A row per statistic, population, scheme and condition; None where no statistic is of the kind.
    """
    rows = []
    for j, scheme in enumerate(axes.schemes):
        for c, condition in enumerate(axes.conditions):
            for s, statistic in enumerate(axes.statistics):
                for p, population in enumerate(axes.populations):
                    found, n = list(value[:, j, :, c, s, p]), neurons[:, j]
                    if not STATISTICS[statistic].itself or not np.isfinite(found).any() or np.unique(n).size < n.size:
                        continue
                    law, expected = value_law(n, found, at, (POWER,)), np.full(n.size, np.nan)
                    if known and population == THEORY_OF and statistic in BINS:
                        edges = np.array(BINS[statistic])
                        expected = np.array([known[size, scheme].over_pairs(edges)[0] for size in axes.sizes])
                    wanted = expected_exponent(n, found, at, expected)
                    bounds = law.exponent_low, law.exponent_high
                    rows.append(
                        {
                            "scheme_of": scheme,
                            "condition_of": condition,
                            "statistic_of": statistic,
                            "population_of": population,
                            "exponent": law.exponent,
                            "exponent_low": _bounded(bounds[0]),
                            "exponent_high": _bounded(bounds[1]),
                            "theory_exponent": wanted,
                            "theory_smallest": expected[int(n.argmin())],
                            "theory_reference": expected[at],
                            "verdict": _verdict(*bounds, wanted),
                        }
                    )
    if not rows:
        return None
    text = {key for key, entry in rows[0].items() if isinstance(entry, str)}
    return xr.Dataset(
        {key: ("row", np.array([row[key] for row in rows], object if key in text else float)) for key in rows[0]}
    )


def _bounded(value: float) -> float:
    return value if np.isfinite(value) else math.nan


def _verdict(low: float, high: float, wanted: float) -> str:
    if not np.isfinite([low, high, wanted]).all() or high - low > WIDEST:
        return OPEN
    return ALIKE if low <= wanted <= high else APART


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values])
