"""Cross-validated Mahalanobis (crossnobis) distances between stimuli, block by block over units."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from allometry.compare.inference.arrays import FloatArray, IntArray, numbers, off_diagonal, resolved, self_product
from allometry.compare.inference.blockwise import axis_blocks, estimate
from allometry.errors import ComparisonError

MEMORY_LIMIT = 4_000_000_000  # bytes that whitening with the full noise covariance may take unless the caller says more


def fold_labels(folds: int | npt.ArrayLike | None, repeats: int) -> IntArray:
    """Fold of each repeat: one fold per repeat (None), `folds` interleaved folds (int), or the labels given."""
    if folds is None:
        labels = np.arange(repeats)
    elif np.ndim(folds) == 0:
        if not isinstance(folds, int | np.integer) or not 2 <= folds <= repeats:
            raise ComparisonError(
                f"folds={folds!r}", where="folds", expected=f"a number of folds from 2 to the {repeats} repeats"
            )
        labels = np.arange(repeats) % int(folds)
    else:
        given = np.asarray(folds)
        if given.shape != (repeats,):
            raise ComparisonError(
                f"folds have shape {given.shape}", where="folds", expected=f"one label per repeat ({repeats})"
            )
        labels = np.unique(given, return_inverse=True)[1]
    if labels.max(initial=0) < 1:
        raise ComparisonError(
            "fewer than two folds", where="folds", expected="at least two folds (repeats) to cross-validate"
        )
    return labels.astype(np.int64)


def _fold_means(block: FloatArray, labels: IntArray) -> FloatArray:
    """Mean of each fold, [stimuli, folds, units]; NaN where a fold has no presentation of a stimulus."""
    n = int(labels.max()) + 1
    if n == labels.size:
        return block if (labels == np.arange(n)).all() else block[:, np.argsort(labels)]
    out = np.empty((block.shape[0], n, block.shape[2]))
    for k in range(n):
        part = block[:, labels == k]
        good = np.isfinite(part)
        number = good.sum(axis=1)
        total = np.where(good, part, 0).sum(axis=1)
        out[:, k] = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return out


def _presence(means: FloatArray, known: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.bool_]:
    """Which folds have which stimulus; the same for all units, with at least two folds for each stimulus."""
    finite = np.isfinite(means)
    present: npt.NDArray[np.bool_] = np.asarray(finite[:, :, 0])
    if (finite != present[:, :, None]).any() or (known is not None and (present != known).any()):
        raise ComparisonError(
            "some presentations are NaN for some units only",
            where="responses",
            expected="a missing presentation to be NaN in every unit",
            do="compare the units of one session at a time, or drop the units concerned",
        )
    few = np.flatnonzero(present.sum(axis=1) < 2)
    if few.size:
        raise ComparisonError(
            f"stimuli {few[:10].tolist()} are present in fewer than two folds",
            where="responses",
            expected="at least two folds with each stimulus",
            do="drop those stimuli",
        )
    return present


def crossnobis(
    responses: Any,
    folds: int | npt.ArrayLike | None = None,
    whiten: bool | str = True,
    memory_limit: int = MEMORY_LIMIT,
) -> FloatArray:
    """Crossnobis dissimilarities: unbiased estimates of squared (Mahalanobis) distances per unit.

    With fold means M_k (k = 1..K) over U units, G = [(sum M)(sum M)^T - sum M_k M_k^T] / (K (K-1) U) and
    D_ij = G_ii + G_jj - 2 G_ij, which equals the mean over leave-one-fold-out splits. Pure noise has mean 0, where the
    naive squared distance has 2 sigma^2 / T; values can be negative.

    Parameters
    ----------
    responses : ndarray, dask or Zarr array, shape (stimuli, repeats, units)
        A missing presentation is NaN in every unit; G is then averaged over the pairs of folds at hand (entry by
        entry unbiased). Lazy arrays are read in blocks of units, once (twice with whiten="diagonal").
    folds : int or array_like of shape (repeats,), optional
        Folds of repeats; default: every repeat is a fold.
    whiten : bool or str
        True: by the noise covariance, shrunk towards its diagonal (Schaefer & Strimmer 2005), in memory: refused above
        `memory_limit`. "diagonal": by the noise variance of each unit, block by block. False: not at all.
    memory_limit : int
        Bytes that full whitening may take (see `blockwise.estimate`).

    Returns
    -------
    ndarray, shape (pairs,)

    Raises
    ------
    ComparisonError
        For fewer than two folds or stimuli, units without noise variance or a singular noise covariance (when
        whitening), or a design in which a stimulus has fewer than two folds.

    References
    ----------
    Walther, Nili, Ejaz, Alink, Kriegeskorte & Diedrichsen 2016, NeuroImage 137:188; Diedrichsen et al. 2020,
    arXiv:2007.02789.
    """
    if not hasattr(responses, "shape"):
        responses = numbers(responses, "responses")
    if responses.ndim != 3 or responses.shape[0] < 2 or responses.shape[2] < 1:
        raise ComparisonError(
            f"responses have shape {responses.shape}",
            where="responses",
            expected="[stimuli, repeats, units] with at least two stimuli",
        )
    labels = fold_labels(folds, int(responses.shape[1]))
    if whiten is True:
        return _fully_whitened(responses, labels, memory_limit)
    if whiten not in (False, "diagonal"):
        raise ComparisonError(f"whiten={whiten!r}", where="whiten", expected='True, False or "diagonal"')
    n, units = int(responses.shape[0]), int(responses.shape[2])
    product = np.zeros((n, n))
    present: npt.NDArray[np.bool_] | None = None
    for _, block in axis_blocks(responses):
        scale = 1 / np.sqrt(_noise_variance(block)) if whiten == "diagonal" else None
        means = _fold_means(block, labels)
        summed = means.sum(axis=1)
        if present is not None or not np.isfinite(summed).all():
            present = _presence(means, present)
            means = np.where(present[:, :, None], means, 0)
            summed = means.sum(axis=1)
        if scale is not None:
            means, summed = means * scale, summed * scale
        flat = means.reshape(n, -1)
        product += self_product(summed) - self_product(flat)
    return _distances(product, present, int(labels.max()) + 1, units)


def _distances(product: FloatArray, present: npt.NDArray[np.bool_] | None, folds: int, units: int) -> FloatArray:
    pairs: Any = folds * (folds - 1)
    if present is not None:
        number = present.sum(axis=1).astype(float)
        pairs = np.outer(number, number) - present.astype(float) @ present.T.astype(float)
    g = product / (pairs * units)
    diagonal = np.diag(g)
    return off_diagonal(diagonal[:, None] + diagonal[None, :] - 2 * g)


def _residuals(block: FloatArray) -> tuple[FloatArray, int]:
    """Residuals around the mean of each stimulus, [presentations, units], and their degrees of freedom."""
    present: npt.NDArray[np.bool_] = np.asarray(np.isfinite(block).all(axis=2))
    number = present.sum(axis=1)
    filled = np.where(present[:, :, None], block, 0)
    mean = filled.sum(axis=1) / np.maximum(number, 1)[:, None]
    freedom = int(number.sum() - np.count_nonzero(number))
    if freedom < 1:
        raise ComparisonError(
            "no stimulus is repeated", where="responses", expected="at least two presentations of a stimulus"
        )
    return (filled - mean[:, None])[present], freedom


def _noise_variance(block: FloatArray) -> FloatArray:
    residual, freedom = _residuals(block)
    variance = (residual**2).sum(axis=0) / freedom
    _refuse_silent(variance, block)
    return np.asarray(variance)


def _refuse_silent(variance: FloatArray, responses: FloatArray) -> None:
    largest = np.nanmax(np.abs(responses), axis=(0, 1))
    silent = np.flatnonzero(~resolved(np.sqrt(variance), largest))
    if silent.size:
        raise ComparisonError(
            f"{silent.size} units have no trial-to-trial variability",
            where=f"units {silent[:10].tolist()}",
            expected="a noise variance > 0 in every unit, to whiten by",
            do="drop those units, or whiten=False",
        )


def shrinkage_intensity(residual: FloatArray, freedom: int) -> float:
    """Schaefer-Strimmer weight of the diagonal target, from standardised residuals [presentations, units].

    lambda = sum_{i!=j} var(s_ij) / sum_{i!=j} s_ij^2, with sums over pairs taken from the smaller Gram matrix.

    References
    ----------
    Schaefer & Strimmer 2005, Stat. Appl. Genet. Mol. Biol. 4:32, table 2, target D.
    """
    n, units = residual.shape
    gram = self_product(residual if n <= units else residual.T)
    squares = residual**2
    sum_s2 = (gram**2).sum() - (squares.sum(axis=0) ** 2).sum()  # sum_{i!=j} (sum_k z_ki z_kj)^2
    sum_z4 = (squares.sum(axis=1) ** 2).sum() - (squares**2).sum()  # sum_k sum_{i!=j} z_ki^2 z_kj^2
    # n presentations with their degrees of freedom: the estimator of rsatoolbox, which is the oracle of this function
    s2 = sum_s2 / (n - 1) ** 2
    variance = n / freedom**2 * (sum_z4 / (n - 1) - s2)
    return float(np.clip(variance / s2, 0, 1)) if s2 > 0 else 1.0


def _fully_whitened(responses: Any, labels: IntArray, memory_limit: int) -> FloatArray:
    n, repeats, units = (int(s) for s in responses.shape)
    need = estimate("crossnobis", stimuli=n, repeats=repeats, units=units, whiten=1)
    if need.peak_bytes > memory_limit:
        raise ComparisonError(
            f"whitening by the full noise covariance would take {need.peak_bytes / 1e9:.1f} GB",
            where=f"responses {responses.shape}",
            expected=f"at most memory_limit = {memory_limit / 1e9:.1f} GB",
            do='whiten="diagonal" runs block by block; or raise memory_limit',
        )
    whole = np.concatenate([block for _, block in axis_blocks(responses)], axis=2)
    means = _fold_means(whole, labels)
    present = None if np.isfinite(means).all() else _presence(means, None)
    residual, freedom = _residuals(whole)
    sd = np.sqrt((residual**2).sum(axis=0) / freedom)
    _refuse_silent(sd**2, whole)
    residual /= sd
    weight = shrinkage_intensity(residual, freedom)
    standard = np.where(np.isfinite(means), means, 0).transpose(1, 0, 2) / sd
    stacked = np.concatenate([standard.sum(axis=0)[None], standard]).reshape(-1, units)
    forms = _quadratic_forms(stacked, n, residual, weight, freedom)
    product = forms[0] - sum(forms[1:], np.zeros((n, n)))
    return _distances(product, present, len(standard), units)


def _quadratic_forms(
    stacked: FloatArray, n: int, residual: FloatArray, weight: float, freedom: int
) -> list[FloatArray]:
    """A P A^T of each stacked matrix A [n, units], P the inverse of weight I + (1 - weight) Z^T Z / freedom."""
    rows, units = residual.shape
    parts = [slice(start, start + n) for start in range(0, len(stacked), n)]
    try:
        if units <= rows:
            noise = (1 - weight) / freedom * self_product(residual.T)
            noise[np.diag_indices(units)] += weight
            solved = cho_solve(_factor(noise), stacked.T).T
            return [stacked[p] @ solved[p].T for p in parts]
        if weight == 0:
            raise np.linalg.LinAlgError
        if weight == 1:
            return [stacked[p] @ stacked[p].T for p in parts]
        # Woodbury: the matrix to invert has one row per presentation rather than per unit.
        inner = self_product(residual)
        inner[np.diag_indices(rows)] += weight * freedom / (1 - weight)
        projected = stacked @ residual.T
        solved = cho_solve(_factor(inner), projected.T).T
        return [(stacked[p] @ stacked[p].T - projected[p] @ solved[p].T) / weight for p in parts]
    except np.linalg.LinAlgError:
        raise ComparisonError(
            "the noise covariance is singular",
            where="responses",
            expected="a noise covariance that can be inverted (linearly independent units, or enough presentations)",
            do='drop duplicated units, or whiten="diagonal"',
        ) from None


def _factor(square: FloatArray) -> Any:
    factor = cho_factor(square, lower=True)
    diagonal = np.diag(factor[0])
    if diagonal.min() < 1e-7 * diagonal.max():
        raise np.linalg.LinAlgError
    return factor
