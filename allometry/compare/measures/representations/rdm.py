"""Representational geometry: dissimilarity matrices (RDM), their comparison (RSA), noise ceiling, SSM.

Crossnobis distances are in `crossnobis.py`, similarity without RDMs (CCA, CKA, Procrustes, RV) in `similarity.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import (
    FloatArray,
    choice,
    condensed,
    lazy_or_numbers,
    matrix,
    off_diagonal,
    resolved,
    same_length,
    self_product,
    varies,
)
from allometry.compare.inference.blockwise import BLOCK_BYTES, afford, axis_blocks, estimate, euclidean, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner, norm

METRICS = ("correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis")
METHODS = ("spearman", "pearson", "kendall", "rho_a")


@measure(
    name="rdm",
    version="2",
    inputs="responses [stimuli, units]",
    invariances="order of units; correlation: offset and scale of each stimulus' pattern",
    use="describe a representation by the dissimilarities of its stimuli",
    reference="Kriegeskorte et al. 2008, Front. Syst. Neurosci. 2:4",
    cost="memory",
)
def rdm(responses: Any, metric: str = "correlation", noise_covariance: npt.ArrayLike | None = None) -> FloatArray:
    """Representational dissimilarity matrix of all pairs of stimuli.

    Parameters
    ----------
    responses : ndarray, dask or Zarr array, shape (stimuli, units)
        Mean responses. Lazy arrays are read in blocks of units, so that 10^5 units need little memory (not for
        "mahalanobis").
    metric : str
        "correlation" (1 - Pearson r over units), "cosine" (1 - cosine), "euclidean" and "mahalanobis" (as in scipy),
        "sqeuclidean" (squared Euclidean distance *per unit*, the scale of crossnobis and of rsatoolbox).
    noise_covariance : array_like, shape (units, units), optional
        For "mahalanobis": covariance of the noise.

    Returns
    -------
    ndarray, shape (pairs,)
        NaN for stimuli with a constant response in "correlation", or an all-zero one in "cosine".

    Raises
    ------
    ComparisonError
        For NaN, fewer than two stimuli or units, or a singular noise covariance.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, Front. Syst. Neurosci. 2:4.
    """
    choice(metric, METRICS, "metric")
    responses = lazy_or_numbers(responses, "responses")
    if responses.ndim != 2 or responses.shape[0] < 2 or responses.shape[1] < 2:
        raise ComparisonError(
            f"responses have shape {responses.shape}",
            where="responses",
            expected="[stimuli, units], at least two of each",
            do="average over repeats, or use crossnobis",
        )
    n, units = (int(s) for s in responses.shape)
    afford(estimate("rdm", stimuli=n, units=units), f"at most {fitting(24, 2, 3 * BLOCK_BYTES):,} stimuli")
    if metric == "mahalanobis":
        return _mahalanobis(responses, noise_covariance)
    product, total, largest = np.zeros((n, n)), np.zeros(n), np.zeros(n)
    origin: FloatArray | None = None
    for _, block in axis_blocks(responses):
        part = matrix(block, "responses")
        largest = np.maximum(largest, np.abs(part).max(axis=1))
        if metric == "correlation":
            # Shifting all sums by a first guess of the origin avoids cancellation where means are far from 0.
            origin = part.mean(axis=1) if origin is None else origin
            part = part - origin[:, None]
        elif metric != "cosine":
            # Distances do not see what a unit does in all stimuli, and its square would take their digits.
            part = part - part.mean(axis=0)
        product += self_product(part)
        total += part.sum(axis=1)
    if metric == "correlation":
        product -= np.outer(total, total) / units
    diagonal = np.diag(product).copy()
    if metric in ("correlation", "cosine"):
        varying = resolved(np.sqrt(np.maximum(diagonal, 0) / units), largest)
        scale = np.sqrt(np.where(varying, diagonal, np.nan))
        return 1 - np.clip(off_diagonal(product / np.outer(scale, scale)), -1, 1)
    squared = np.maximum(off_diagonal(diagonal[:, None] + diagonal[None, :] - 2 * product), 0)
    return squared / units if metric == "sqeuclidean" else np.sqrt(squared)


def _mahalanobis(responses: Any, noise_covariance: npt.ArrayLike | None) -> FloatArray:
    x = matrix(responses.compute() if hasattr(responses, "dask") else responses, "responses")
    if noise_covariance is None:
        raise ComparisonError(
            "no noise covariance", where="noise_covariance", expected="[units, units] for mahalanobis"
        )
    factor = covariance_factor(noise_covariance, x.shape[1])
    with whole(f"whitening of {x.shape[1]:,} units", 1e-10 * x.shape[1] ** 2 * (x.shape[1] + len(x))):
        white = np.ascontiguousarray(np.linalg.solve(factor, (x - x.mean(axis=0)).T).T)
    return euclidean(white)


def covariance_factor(covariance: npt.ArrayLike, units: int, name: str = "noise_covariance") -> FloatArray:
    """Lower Cholesky factor of a covariance [units, units]; refuse what is not symmetric or cannot be inverted."""
    c = matrix(covariance, name)
    if c.shape != (units, units):
        raise ComparisonError(f"shape {c.shape}", where=name, expected=f"[{units}, {units}]")
    if not np.allclose(c, c.T, rtol=1e-6, atol=1e-9 * np.abs(c).max()):
        # a Cholesky factor would be that of the lower triangle, without a word
        raise ComparisonError("not symmetric", where=name, expected="a covariance: a symmetric matrix")
    try:
        factor = np.linalg.cholesky(c)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(c)
    if np.diag(factor).min() <= 1e-7 * np.diag(factor).max():
        raise ComparisonError(
            "the noise covariance is singular",
            where=name,
            expected="a positive definite matrix",
            do="shrink it towards its diagonal",
        )
    return np.asarray(factor, dtype=np.float64)


@measure(
    name="rsa",
    version="1",
    inputs="two RDMs [pairs], condensed upper triangles",
    invariances="monotonic transformation of dissimilarities, order of units",
    use="do two systems tell the same stimuli apart?",
    reference="Kriegeskorte et al. 2008; Nili et al. 2014, PLoS Comput. Biol. 10:e1003553",
    ceiling="correlation",
    scale=SHARE,
)
@corresponding("rdm_a", "rdm_b")
def rsa(rdm_a: npt.ArrayLike, rdm_b: npt.ArrayLike, method: str = "spearman") -> float:
    """Agreement of two RDMs.

    Parameters
    ----------
    rdm_a, rdm_b : array_like, shape (pairs,)
        Pairs that are NaN in either are left out.
    method : str
        "spearman", "pearson", "kendall" (tau-a) or "rho_a" (Spearman's rho expected under random breaking of ties, the one
        to use where a model predicts ties).

    Returns
    -------
    float

    Raises
    ------
    ComparisonError
        For different shapes, fewer than three common pairs, or (Pearson, Spearman) an RDM that is constant.

    References
    ----------
    Nili et al. 2014, PLoS Comput. Biol. 10:e1003553 (tau-a); Schuett et al. 2023, eLife 12:e82566, equation 28 (rho-a).
    """
    choice(method, METHODS, "method")
    a, b = condensed(rdm_a, "rdm_a", finite=False), condensed(rdm_b, "rdm_b", finite=False)
    same_length(a, b, "rdm_a and rdm_b")
    good = np.isfinite(a) & np.isfinite(b)
    if good.sum() < 3:
        raise ComparisonError(f"{good.sum()} common pairs", where="rdm_a and rdm_b", expected="at least three")
    return _agreement(a[good], b[good], method)


def _agreement(a: FloatArray, b: FloatArray, method: str) -> float:
    n = a.size
    if method == "kendall":
        if not (varies(a) and varies(b)):
            return 0.0
        ties = [(np.unique(v, return_counts=True)[1].astype(float)) for v in (a, b)]
        pairs = n * (n - 1) / 2
        untied = [pairs - (t * (t - 1) / 2).sum() for t in ties]
        return float(scipy.stats.kendalltau(a, b).statistic * np.sqrt(untied[0] * untied[1]) / pairs)
    if method == "rho_a":
        centred = [scipy.stats.rankdata(v) - (n + 1) / 2 for v in (a, b)]
        return float(12 * inner(*centred) / (n**3 - n))
    if not (varies(a) and varies(b)):
        raise ComparisonError("an RDM is constant", where="rdm_a or rdm_b", expected="dissimilarities that vary")
    if method == "spearman":
        a, b = scipy.stats.rankdata(a), scipy.stats.rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(inner(a, b) / (norm(a) * norm(b)), -1, 1))


@measure(
    name="noise_ceiling",
    version="1",
    inputs="RDMs [subjects, pairs]",
    invariances="order of subjects and of stimuli; monotonic transformation of each RDM (pearson: linear)",
    use="which rsa could the true model reach, given how much subjects differ?",
    reference="Nili et al. 2014, PLoS Comput. Biol. 10:e1003553",
)
def noise_ceiling(rdms: npt.ArrayLike, method: str = "spearman") -> tuple[float, float]:
    """Bounds on the RSA score that the true model could reach, given the spread between subjects.

    Upper: mean agreement of each subject with the mean RDM of all (overfitted, since the mean includes the subject). Lower:
    with the mean RDM of the others. RDMs are z-scored (Pearson) or ranked before the mean.

    Parameters
    ----------
    rdms : array_like, shape (subjects, pairs)
    method : str
        As in `rsa`.

    Returns
    -------
    low, high : float

    Raises
    ------
    ComparisonError
        For fewer than two subjects, or NaN: compare the stimuli that all subjects saw.

    References
    ----------
    Nili et al. 2014, PLoS Comput. Biol. 10:e1003553.
    """
    choice(method, METHODS, "method")
    x = matrix(rdms, "rdms", rows=2, columns=3)
    condensed(x[0], "rdms[0]")
    if not varies(x, axis=1).all():
        raise ComparisonError("an RDM is constant", where="rdms", expected="dissimilarities that vary")
    if method == "pearson":
        z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    else:
        z = scipy.stats.rankdata(x, axis=1)
    total = z.sum(axis=0)
    low = np.mean([_agreement(total - own, subject, method) for own, subject in zip(z, x)])
    high = np.mean([_agreement(total, subject, method) for subject in x])
    return float(low), float(high)


@measure(
    name="ssm",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="order of units; offset and scale of each stimulus' pattern; monotonic transformation of similarities",
    use="match model layers with brain areas (pseudo-depth)",
    reference="Shi et al. 2019, NeurIPS 32",
    ceiling="correlation",
    scale=SHARE,
    cost="memory",
)
@corresponding("x", "y")
def ssm(x: Any, y: Any) -> float:
    """Similarity of similarity matrices: Spearman correlation of stimulus x stimulus Pearson matrices (upper triangles).

    Parameters
    ----------
    x, y : array, shape (stimuli, units of x), (stimuli, units of y)

    Returns
    -------
    float

    References
    ----------
    Shi, Shea-Brown & Buice 2019, NeurIPS 32, equation 1. Equal to `rsa` of correlation RDMs.
    """
    a, b = rdm(x, "correlation"), rdm(y, "correlation")
    same_length(a, b, "x and y")
    return rsa(a, b, "spearman")


@measure(
    name="pseudo_depth",
    version="1",
    inputs="layers of a model and a population on the same stimuli",
    invariances="those of ssm",
    use="which layer of a model is most like an area?",
    reference="Shi et al. 2019, NeurIPS 32",
    cost="memory",
)
def pseudo_depth(layers: Sequence[Any], y: Any) -> tuple[int, FloatArray]:
    """Layer of a model whose similarity matrix is most similar to that of an area.

    Parameters
    ----------
    layers : sequence of array, each of shape (stimuli, units of the layer)
    y : array, shape (stimuli, units)

    Returns
    -------
    depth : int
        Index of the layer of maximal SSM.
    scores : ndarray, shape (layers,)

    References
    ----------
    Shi, Shea-Brown & Buice 2019, NeurIPS 32.
    """
    if not len(layers):
        raise ComparisonError("no layers", where="layers", expected="at least one layer of responses")
    scores = np.array([ssm(layer, y) for layer in steps(layers, "layers")])
    return int(scores.argmax()), scores
