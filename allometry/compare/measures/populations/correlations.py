"""Correlations between units: noise and signal, and against distance.

Kernels for all pairs are in `pairwise.py`, statistics of the covariance matrix in `covariance.py`.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import (
    FloatArray,
    IntArray,
    array,
    condensed,
    matrix,
    n_from_pairs,
    resolved,
    varies,
    vector,
)
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import Scale, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class DistanceCurve:
    """Correlation in bins of distance: edges `[bins + 1]`; mean, sd, standard error and pairs `[bins]`."""

    edges: FloatArray
    distance: FloatArray
    mean: FloatArray
    sd: FloatArray
    sem: FloatArray
    n_pairs: IntArray


def _trials(responses: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Responses [stimuli, repeats, units] and which repeats were presented; a missing one is NaN in every unit."""
    x = array(responses, "responses", 3, finite=False)
    present: npt.NDArray[np.bool_] = np.asarray(np.isfinite(x).all(axis=2))
    partly = np.isfinite(x).any(axis=2) & ~present
    if partly.any():
        raise ComparisonError(
            f"{int(partly.sum())} presentations are NaN for some units only",
            where="responses",
            expected="units that were recorded together: a missing presentation is NaN in every unit",
            do="compare the units of one session at a time",
        )
    if not x.shape[0] or (present.sum(axis=1) < 2).any() or x.shape[2] < 2:
        raise ComparisonError(
            f"some of the {x.shape[0]} stimuli have fewer than two repeats (or there is one unit only)",
            where="responses",
            expected="[stimuli, repeats, units], at least two presentations of each stimulus and two units",
            do="drop those stimuli",
        )
    return x, present


def _correlation_of(covariance: FloatArray) -> FloatArray:
    variance = np.diag(covariance)
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    i, j = np.triu_indices(covariance.shape[0], 1)
    return np.asarray(covariance[i, j] / (sd[i] * sd[j]))


def _afford(x: FloatArray) -> None:
    units = x.shape[2]
    need = Estimate(
        f"correlations of {units:,} units", 8 * (4 * units**2 + 3 * x.size), 4 * units**2, 2.0 * x.size * units
    )
    afford(need, f"a sample of at most {fitting(32, 2):,} units, or `pairwise_summary` of the residuals")


def noise_covariance(x: FloatArray, present: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, int]:
    """Pooled covariance of residuals around each stimulus mean.

    Parameters
    ----------
    x : ndarray, shape (stimuli, repeats, units)
        Responses.
    present : ndarray of bool, shape (stimuli, repeats)
        False where a presentation is missing, NaN in every unit.

    Returns
    -------
    covariance : ndarray, shape (units, units)
        0 for units that are constant within every stimulus.
    mean : ndarray, shape (stimuli, units)
        Mean responses.
    freedom : int
        Degrees of freedom: presentations less stimuli.

    Raises
    ------
    ComparisonError
        Fewer than two degrees of freedom.
    """
    freedom = int(present.sum()) - len(x)
    if freedom < 2:
        raise ComparisonError(
            f"{int(present.sum())} presentations of {len(x)} stimuli leave {freedom} degrees of freedom",
            where="responses",
            expected="at least two",
            do="give more repeats",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(x, axis=1)
    residual = (x - mean[:, None, :])[present]
    # What rounding leaves of a unit that is constant within every stimulus is no noise.
    residual[:, ~resolved(np.abs(residual).max(axis=0), np.abs(x[present]).max(axis=0))] = 0.0
    with whole(f"covariance of {x.shape[2]:,} units", 2e-10 * x.size * x.shape[2]):
        return residual.T @ residual / freedom, mean, freedom


@measure(
    name="noise_correlation",
    version="2",
    inputs="responses [stimuli, repeats, units]",
    invariances="offset and scale of each unit, tuning",
    use="how much do units fluctuate together around their tuning?",
    reference="Cohen & Kohn 2011, Nat. Neurosci. 14:811",
    scale=Scale(True, 0.02, descriptive=True),
    cost="memory",
)
def noise_correlation(responses: npt.ArrayLike) -> FloatArray:
    """Noise correlation: correlation of residuals around the mean response to each stimulus.

    Parameters
    ----------
    responses : array_like, shape (stimuli, repeats, units)
        A missing presentation is NaN in every unit (unbalanced designs).

    Returns
    -------
    ndarray, shape (pairs,)
        NaN for units without trial-to-trial variability.

    References
    ----------
    Cohen & Kohn 2011, Nat. Neurosci. 14:811.
    """
    x, present = _trials(responses)
    _afford(x)
    return _correlation_of(noise_covariance(x, present)[0])


@measure(
    name="signal_correlation_corrected",
    version="1",
    inputs="responses [stimuli, repeats, units]",
    invariances="offset and scale of each unit; on average what units share in a trial",
    use="are units tuned alike? (noise subtracted rather than kept apart by halves)",
    reference="Cohen & Kohn 2011, Nat. Neurosci. 14:811; covariance between groups of a one-way analysis of variance",
    cost="memory",
)
def signal_correlation(responses: npt.ArrayLike, corrected: bool = True) -> FloatArray:
    """Signal correlation: correlation of mean responses over stimuli.

    Parameters
    ----------
    responses : array_like, shape (stimuli, repeats, units)
        A missing presentation is NaN in every unit.
    corrected : bool
        Subtract what trial-to-trial variability leaves in the means: noise covariance times the mean of 1 / repeats.
        Otherwise noise correlations leak into signal correlations. Values can then exceed 1 in noisy units.

    Returns
    -------
    ndarray, shape (pairs,)
        NaN for units without (corrected) signal variance.
    """
    x, present = _trials(responses)
    if x.shape[0] < 3:
        raise ComparisonError(f"{x.shape[0]} stimuli", where="responses", expected="at least three stimuli")
    _afford(x)
    residual, mean, _ = noise_covariance(x, present)
    mean[:, ~varies(mean)] = 0.0
    covariance = np.atleast_2d(np.cov(mean.T))
    if corrected:
        covariance = covariance - residual * (1 / present.sum(axis=1)).mean()
    return _correlation_of(covariance)


@measure(
    name="by_distance",
    version="1",
    inputs="correlations, positions",
    invariances="rotation and translation of space",
    use="spatial reach of correlation",
    reference="Smith & Kohn 2008, J. Neurosci. 28:12591",
    cost="time",
)
def by_distance(correlation: npt.ArrayLike, positions: npt.ArrayLike, edges: npt.ArrayLike) -> DistanceCurve:
    """Correlation as a function of the distance between units.

    Parameters
    ----------
    correlation : array_like, shape (pairs,)
        Condensed upper triangle; NaN pairs are left out.
    positions : array_like, shape (units, dimensions)
        NaN where unknown: those pairs are left out.
    edges : array_like, shape (bins + 1,)
        Ascending distances.

    Returns
    -------
    DistanceCurve
        NaN in empty bins; `distance` is the mean distance of the pairs of each bin.
    """
    r = condensed(correlation, "correlation", finite=False)
    x = matrix(positions, "positions", finite=False)
    e = vector(edges, "edges", size=2)
    if n_from_pairs(r.size) != x.shape[0]:
        raise ComparisonError(
            f"{r.size} pairs do not fit {x.shape[0]} positions", where="positions", expected="one row per unit"
        )
    if (np.diff(e) <= 0).any():
        raise ComparisonError("edges do not ascend", where="edges", expected="ascending distances")
    bins = e.size - 1
    sums = np.zeros((4, bins))
    start = 0
    for i in steps(
        range(x.shape[0] - 1), "distances, units"
    ):  # one unit at a time: 10^4 units would need 5 10^7 distances at once
        later = x.shape[0] - i - 1
        d = np.sqrt(((x[i + 1 :] - x[i]) ** 2).sum(axis=1))
        value = r[start : start + later]
        start += later
        index = np.searchsorted(e, d, side="right") - 1
        index[d == e[-1]] = bins - 1
        good = np.isfinite(value) & np.isfinite(d) & (index >= 0) & (index < bins)
        index, value, d = index[good], value[good], d[good]
        for row, weight in enumerate((np.ones_like(d), d, value, value**2)):
            sums[row] += np.bincount(index, weight, bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = sums[0]
        mean = sums[2] / n
        sd = np.sqrt(np.maximum(sums[3] / n - mean**2, 0))
        return DistanceCurve(e, sums[1] / n, mean, sd, sd / np.sqrt(n), n.astype(np.int64))
