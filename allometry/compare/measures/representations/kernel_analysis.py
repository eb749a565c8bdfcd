"""Kernel analysis: how few components of a representation suffice for a task."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, labelling, matrix, varying_columns
from allometry.compare.inference.blockwise import Estimate, afford, euclidean, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class KernelAnalysis:
    """Score (area under 1 - e(d), d over [0, n - 1]); e(d) `[n]` for d = 0..n-1 components; scale used at each d."""

    score: float
    error: FloatArray
    sigma: FloatArray


def _targets(labels: npt.ArrayLike, n: int) -> FloatArray:
    """Centred targets: one column per class for labels [n]; the values themselves for [n, targets]."""
    y = labelling(labels, "labels")
    if y.ndim not in (1, 2) or y.shape[0] != n:
        raise ComparisonError(
            f"labels have shape {y.shape}", where="labels", expected=f"({n},) classes or ({n}, targets)"
        )
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise ComparisonError("labels hold NaN", where="labels", expected="a class, or values, of every stimulus")
    if y.ndim == 1:
        classes, index = np.unique(y, return_inverse=True)
        if classes.size < 2:
            raise ComparisonError("one class only", where="labels", expected="at least two classes")
        y = np.eye(classes.size)[index]
    y = matrix(y, "labels")
    varying_columns(y, "labels")
    return y - y.mean(axis=0)


@measure(
    name="kernel_analysis",
    version="1",
    inputs="responses [stimuli, units], labels [stimuli]",
    invariances="rotation and isotropic scaling of unit space, permutation of units",
    use="how simple a decoder does a representation allow?",
    reference="Cadieu et al. 2013, arXiv:1301.3530",
    ceiling="ratio",
    cost="memory",
)
@corresponding("responses", "labels")
def kernel_analysis(
    responses: npt.ArrayLike, labels: npt.ArrayLike, quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
) -> KernelAnalysis:
    """Error of a label regression against the number of kernel principal components used.

    Gaussian kernels exp(-d^2 / (2 sigma^2)) with sigma at quantiles of the pairwise distances; e(d) is the share of the label
    variance outside the first d components, at the best sigma for each d.

    Parameters
    ----------
    responses : array_like, shape (stimuli, units)
    labels : array_like, shape (stimuli,) for classes, or (stimuli, targets) for continuous ones
    quantiles : tuple of float
        Quantiles of the pairwise distance, in (0, 1].

    Returns
    -------
    KernelAnalysis
        Random labels give e(d) about 1 - d / (n - 1) and a score of about 1/2; well separated classes a score near 1.

    References
    ----------
    Cadieu et al. 2013, arXiv:1301.3530; Montavon, Braun & Mueller 2011, JMLR 12:2563.
    """
    x = matrix(responses, "responses", rows=3)
    varying_columns(x, "responses")
    y = _targets(labels, x.shape[0])
    n = x.shape[0]
    need = Estimate(f"kernel analysis of {n:,} stimuli", 8 * 7 * n**2, 16 * n, 12.0 * n**3 * len(quantiles))
    afford(need, f"at most {fitting(56, 2):,} stimuli")
    if not all(0 < q <= 1 for q in quantiles) or not quantiles:
        raise ComparisonError(f"quantiles={quantiles}", where="quantiles", expected="values in (0, 1]")
    distance = euclidean(x)
    if not distance.any():
        raise ComparisonError(
            "all stimuli are 0 apart", where="responses", expected="responses that differ", do="rescale"
        )
    sigmas = np.quantile(distance, quantiles)
    sigmas = np.maximum(sigmas, 1e-3 * distance[distance > 0].min())  # repeated stimuli can put a quantile at 0
    squared = scipy.spatial.distance.squareform(distance) ** 2
    stacked = np.array([_unexplained(squared, sigma, y) for sigma in steps(sigmas, "kernel analysis, widths")])
    best = stacked.argmin(axis=0)
    error = stacked.min(axis=0)
    score = float(np.trapezoid(1 - error, dx=1 / (n - 1)))
    return KernelAnalysis(score, error, sigmas[best])


def _unexplained(squared: FloatArray, sigma: float, y: FloatArray) -> FloatArray:
    """e(d) of d = 0..n-1 components of a Gaussian kernel of width sigma, from squared distances [n, n]."""
    kernel = np.exp(-squared / (2 * sigma**2))
    kernel = kernel - kernel.mean(axis=0) - kernel.mean(axis=1, keepdims=True) + kernel.mean()
    with whole(f"components of a kernel of {len(kernel):,} stimuli", 1e-9 * len(kernel) ** 3):
        vectors = np.linalg.eigh(kernel)[1][:, ::-1][:, : len(kernel) - 1]
    explained = ((vectors.T @ y) ** 2).sum(axis=1).cumsum() / (y**2).sum()
    return np.concatenate(([1.0], np.clip(1 - explained, 0, 1)))
