"""Statistics of covariance matrices: spectrum, participation ratio, spectral radius of the effective connectivity.

All of these need sums over pairs only, which tr(C C) = |X X^T|_F^2 gives from the bins x bins Gram matrix where there
are fewer bins than units: 10^5 units never make a 10^5 x 10^5 matrix, nor do 10^5 bins of few units.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, matrix, numbers, self_product
from allometry.compare.inference.blockwise import BLOCK_BYTES, Estimate, afford, axis_blocks, fitting
from allometry.compare.inference.progress import whole
from allometry.compare.records.measures import Scale, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class CovarianceMoments:
    """Sums over a covariance matrix: number of units and windows, diagonal and off-diagonal moments."""

    n_units: int
    n_windows: int
    mean_variance: float
    mean_squared_variance: float
    mean_covariance: float
    mean_squared_covariance: float

    @property
    def variance_product(self) -> float:
        """Mean of c_ii c_jj over pairs i != j."""
        n = self.n_units
        return (n * self.mean_variance**2 - self.mean_squared_variance) / (n - 1)


def _columns(counts: Any, size: int = 4096) -> Any:
    """Blocks of units of a matrix (numpy, or dask computed one block at a time)."""
    for start in range(0, counts.shape[1], size):
        part = counts[:, start : start + size]
        yield matrix(part.compute() if hasattr(part, "dask") else part, "counts", rows=2)


def _check(counts: Any) -> Any:
    if not hasattr(counts, "dask"):
        counts = numbers(counts, "counts")
    if counts.ndim != 2 or counts.shape[0] < 3 or counts.shape[1] < 2:
        raise ComparisonError(
            f"counts have shape {counts.shape}", where="counts", expected="[bins, units], at least 3 bins and 2 units"
        )
    return counts


def covariance_moments(counts: Any) -> CovarianceMoments:
    """Moments of the sample covariance of all units, from the smaller of the products bins x bins and units x units.

    Parameters
    ----------
    counts : array or dask array, shape (bins, units)
        Read in blocks of units where bins <= units, else in blocks of bins (twice).
    """
    counts = _check(counts)
    n_bins, n = counts.shape
    _afford("covariance_moments", counts)
    if n_bins <= n:
        gram, total, variances = np.zeros((n_bins, n_bins)), np.zeros(n_bins), []
        for part in _columns(counts):
            centred = part - part.mean(axis=0)
            gram += self_product(centred)
            total += centred.sum(axis=1)
            variances.append((centred**2).sum(axis=0) / (n_bins - 1))
        squared = float((gram**2).sum()) / (n_bins - 1) ** 2
        variance, summed = np.concatenate(variances), float(total @ total / (n_bins - 1))
    else:
        covariance = _covariance(counts)
        variance, squared, summed = np.diag(covariance), float((covariance**2).sum()), float(covariance.sum())
    pairs = n * (n - 1)
    return CovarianceMoments(
        n,
        n_bins,
        float(variance.mean()),
        float((variance**2).mean()),
        float((summed - variance.sum()) / pairs),
        float((squared - (variance**2).sum()) / pairs),
    )


def _covariance(counts: Any) -> FloatArray:
    """Sample covariance [units, units], from blocks of bins: first their mean, then their products about it."""
    n_bins, n = counts.shape
    mean, product = np.zeros(n), np.zeros((n, n))
    for _, part in axis_blocks(counts, 0):
        mean += matrix(part, "counts").sum(axis=0) / n_bins
    for _, part in axis_blocks(counts, 0):
        product += self_product((part - mean).T)
    return product / (n_bins - 1)


def _afford(measure: str, counts: Any) -> None:
    """Refuse a product of units or bins, whichever are fewer, that does not fit."""
    n_bins, n = (int(v) for v in counts.shape)
    side = min(n_bins, n)
    block = 16 * n_bins * min(n, 4096) if n_bins <= n else min(3 * BLOCK_BYTES, 24 * n_bins * n)
    need = Estimate(measure, 24 * side * side + block, 8 * side * side, 2.0 * n_bins * n * side)
    fits = fitting(24, 2)
    afford(need, f"at most {fits:,} bins or units (the fewer count): wider bins, or a sample of the units")


@measure(
    name="spectral_radius",
    version="1",
    inputs="spike counts [bins, units], population size",
    invariances="scale of counts",
    use="how near is the network to its linear instability?",
    reference="Dahmen et al. 2019, PNAS 116:13051",
    scale=Scale(True, 0.02, descriptive=True),
    cost="memory",
)
def spectral_radius(counts: Any, population_size: int, correct_bias: bool = True) -> float:
    """Spectral radius R of the effective connectivity, from the dispersion of covariances.

    R^2 = 1 - 1 / sqrt(1 + N Delta^2), Delta = sd(c_ij) / mean(c_ii), where the variance of c_ij is reduced by
    <c_ii c_jj> / (T - 1), its sampling variance with T windows.

    Parameters
    ----------
    counts : array or dask array, shape (windows, units)
        Spike counts (or integrated activity) in windows *much longer than the correlation time*: equal-time covariances
        of short windows give a radius that is wrong (too small by half or more).
    population_size : int
        N: size of the whole recurrent population, of which the recorded units are a sample.
    correct_bias : bool
        Subtract the sampling variance.

    Returns
    -------
    float
        In [0, 1); 0 where the dispersion does not exceed what sampling explains.

    References
    ----------
    Dahmen, Gruen, Diesmann & Helias 2019, PNAS 116:13051, equation 1.
    """
    moments = covariance_moments(counts)
    excess = moments.variance_product / (moments.n_windows - 1) if correct_bias else 0.0
    return _radius(moments, population_size, excess)


@measure(
    name="spectral_radius_of_covariance",
    version="1",
    inputs="covariance [units, units], population size, number of windows",
    invariances="scale of counts, order of units",
    use="as spectral_radius, where the covariance is known (exactly, or from so many windows)",
    reference="Dahmen et al. 2019, PNAS 116:13051",
)
def spectral_radius_of_covariance(
    covariance: npt.ArrayLike, population_size: int, n_windows: int | None = None
) -> float:
    """Spectral radius as in `spectral_radius`, from a covariance matrix (exact, or from `n_windows` windows).

    Parameters
    ----------
    covariance : array_like, shape (units, units)
        Symmetric, in counts squared or any other unit.
    population_size : int
        N: size of the whole recurrent population, of which the units are a sample.
    n_windows : int, optional
        Windows the matrix was estimated from; None if it is exact.

    Returns
    -------
    float
        In [0, 1); 0 where the dispersion does not exceed what sampling explains.

    Raises
    ------
    ComparisonError
        Not symmetric, negative or no variances, or a population smaller than the number of units.

    References
    ----------
    Dahmen, Gruen, Diesmann & Helias 2019, PNAS 116:13051, equation 1.
    """
    c = _square(covariance)
    n = c.shape[0]
    diagonal = np.diag(c)
    pairs = n * (n - 1)
    moments = CovarianceMoments(
        n,
        n_windows or 0,
        float(diagonal.mean()),
        float((diagonal**2).mean()),
        float((c.sum() - diagonal.sum()) / pairs),
        float(((c**2).sum() - (diagonal**2).sum()) / pairs),
    )
    return _radius(moments, population_size, moments.variance_product / (n_windows - 1) if n_windows else 0.0)


def _radius(moments: CovarianceMoments, population_size: int, excess: float) -> float:
    if population_size < moments.n_units:
        raise ComparisonError(
            f"population_size={population_size}, but {moments.n_units} units were recorded",
            where="population_size",
            expected="the size of the whole recurrent population",
        )
    if not moments.mean_variance > 0:
        raise ComparisonError("every unit is constant", where="counts", expected="units that vary")
    dispersion = moments.mean_squared_covariance - moments.mean_covariance**2 - excess
    delta_squared = max(dispersion, 0.0) / moments.mean_variance**2
    return float(np.sqrt(1 - 1 / np.sqrt(1 + population_size * delta_squared)))


def _square(covariance: npt.ArrayLike) -> FloatArray:
    c = matrix(covariance, "covariance", rows=2, columns=2)
    if c.shape[0] != c.shape[1] or not np.allclose(c, c.T, rtol=1e-6, atol=1e-9 * np.abs(c).max()):
        raise ComparisonError("not a symmetric matrix", where="covariance", expected="[units, units], symmetric")
    if np.diag(c).min() < 0:
        raise ComparisonError("negative variances", where="covariance", expected="variances >= 0 on the diagonal")
    return c


def unbiased_traces(trace: Any, squared: Any, freedom: int) -> tuple[Any, Any]:
    """Unbiased (tr C)^2 and tr(C^2) from tr S and tr(S^2) of a sample covariance S with `freedom` degrees of freedom.

    For normal deviates E tr(S^2) = (1 + 1/f) tr C^2 + (tr C)^2 / f and E (tr S)^2 = (tr C)^2 + 2/f tr C^2 (Wishart
    moments; Srivastava 2005, J. Jpn. Stat. Soc. 35:251). Arrays of traces give arrays.
    """
    factor = freedom**2 / ((freedom - 1) * (freedom + 2))
    total = trace**2
    return factor * ((1 + 1 / freedom) * total - 2 / freedom * squared), factor * (squared - total / freedom)


@measure(
    name="participation_ratio",
    version="2",
    inputs="covariance [units, units]",
    invariances="rotation and isotropic scaling of unit space, permutation of units",
    use="effective dimension of activity",
    reference="Gao et al. 2017, bioRxiv 214262",
    scale=Scale(False, 0.5, descriptive=True),
)
def participation_ratio(covariance: npt.ArrayLike, n_windows: int | None = None) -> float:
    """Dimensionality (tr C)^2 / tr(C^2): n for equal, 1 for a single non-zero eigenvalue.

    Parameters
    ----------
    covariance : array_like, shape (units, units)
    n_windows : int, optional
        Windows the matrix was estimated from (degrees of freedom + 1): both traces are then those of the unbiased estimate.
        None if the matrix is exact. Sampling spreads eigenvalues, and makes the plain ratio too small: below `n_windows`
        however many dimensions there are.

    Returns
    -------
    float
        Infinite where the unbiased tr(C^2) is not above 0: too few windows to tell.

    References
    ----------
    Gao & Ganguli 2015, Curr. Opin. Neurobiol. 32:148.
    """
    c = _square(covariance)
    return _ratio(float(np.trace(c)), float((c**2).sum()), n_windows, "covariance")


def _ratio(trace: float, squared: float, n_windows: int | None, where: str) -> float:
    if squared == 0:
        raise ComparisonError("the covariance is zero", where=where, expected="units that vary")
    if n_windows is not None and n_windows < 3:
        raise ComparisonError(f"{n_windows} windows", where=where, expected="at least 3")
    if n_windows is None:
        return trace**2 / squared
    total, squared = unbiased_traces(trace, squared, n_windows - 1)
    return float(total / squared) if squared > 0 else float("inf")


@measure(
    name="participation_ratio_of_counts",
    version="2",
    inputs="spike counts [bins, units]",
    invariances="offset of each unit; rotation and isotropic scaling of unit space, permutation of units",
    use="effective dimension of more units than a covariance matrix can hold",
    reference="Gao et al. 2017, bioRxiv 214262",
    cost="memory",
)
def participation_ratio_of_counts(counts: Any, correct_bias: bool = True) -> float:
    """Participation ratio of the covariance of counts [bins, units], without the matrix where bins < units.

    Parameters
    ----------
    counts : array or dask array, shape (bins, units)
    correct_bias : bool
        Use unbiased traces; the plain estimate is bounded by bins - 1, and too small when there are few bins.

    Returns
    -------
    float
        Number of dimensions, at least 1; inf where the unbiased trace of the squared covariance is not above 0.

    Raises
    ------
    ComparisonError
        Units that are all constant, or too few bins.

    References
    ----------
    Gao et al. 2017, bioRxiv 214262.
    """
    m = covariance_moments(counts)
    squared = m.n_units * m.mean_squared_variance + m.n_units * (m.n_units - 1) * m.mean_squared_covariance
    return _ratio(m.n_units * m.mean_variance, squared, m.n_windows if correct_bias else None, "counts")


@measure(
    name="covariance_spectrum",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="offset of each unit, rotation of unit space, order of bins",
    use="how is variance spread over dimensions?",
    reference="Hu & Sompolinsky 2022, PLoS Comput. Biol. 18:e1010327",
    cost="memory",
)
def covariance_spectrum(counts: Any) -> FloatArray:
    """Eigenvalues of the sample covariance, descending; min(bins - 1, units) of them can differ from 0.

    Parameters
    ----------
    counts : array or dask array, shape (bins, units)

    Returns
    -------
    ndarray, shape (min(bins, units),)

    References
    ----------
    Hu & Sompolinsky 2022, PLoS Comput. Biol. 18:e1010327, for its shape in random networks.
    """
    counts = _check(counts)
    n_bins, n = counts.shape
    _afford("spectrum", counts)
    if n_bins <= n:
        gram = np.zeros((n_bins, n_bins))
        for part in _columns(counts):
            gram += self_product(part - part.mean(axis=0))
        gram /= n_bins - 1
    else:
        gram = _covariance(counts)
    with whole(f"eigenvalues of {len(gram):,} {'bins' if n_bins <= n else 'units'}", 1e-9 * len(gram) ** 3):
        return np.maximum(np.linalg.eigvalsh(gram)[::-1], 0)
