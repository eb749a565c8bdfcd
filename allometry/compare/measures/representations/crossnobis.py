"""Cross-validated Mahalanobis (crossnobis) distances between stimuli, block by block over units."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import (
    FloatArray,
    IntArray,
    lazy_or_numbers,
    numbers,
    off_diagonal,
    resolved,
    self_product,
)
from allometry.compare.inference.blockwise import BLOCK_BYTES, afford, axis_blocks, estimate, fitting
from allometry.compare.inference.progress import steps, whole
from allometry.compare.measures.representations.rdm import covariance_factor
from allometry.compare.records.measures import measure
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


def _centred(means: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    """Fold means without what all stimuli of a fold share, 0 where a fold lacks a stimulus.

    Distances are made of differences within a fold: they see neither the offset of a unit, whose square would take their
    digits, nor its drift between folds.
    """
    if present.all():
        return np.asarray(means - means.mean(axis=0))
    filled = np.where(present[:, :, None], means, 0.0)
    mean = filled.sum(axis=0) / np.maximum(present.sum(axis=0), 1)[:, None]
    return np.where(present[:, :, None], filled - mean, 0.0)


@measure(
    name="crossnobis",
    version="2",
    inputs="responses [stimuli, repeats, units]",
    invariances="order and offset of units, drift between folds; with whitening the scale of each unit",
    use="unbiased dissimilarities from noisy repeats (mean 0 on noise)",
    reference="Walther et al. 2016, NeuroImage 137:188",
    cost="memory",
)
def crossnobis(
    responses: Any,
    folds: int | npt.ArrayLike | None = None,
    whiten: bool | str = True,
    memory_limit: int = MEMORY_LIMIT,
    noise: npt.ArrayLike | None = None,
) -> FloatArray:
    """Crossnobis dissimilarities: unbiased estimates of squared (Mahalanobis) distances per unit.

    D_ij is the mean over pairs of different folds k, l of (m_ki - m_kj) P (m_li - m_lj)^T / U, for fold means m over U units
    and the inverse P of the noise covariance; it equals the mean over leave-one-fold-out splits. Pure noise has mean 0, where
    the naive squared distance has 2 sigma^2 / T; values can be negative. Only differences within a fold enter: what a fold
    adds to all of its stimuli (drift between blocks) does not, with missing presentations either.

    Parameters
    ----------
    responses : ndarray, dask or Zarr array, shape (stimuli, repeats, units)
        A missing presentation is NaN in every unit; a distance is then averaged over the pairs of folds that have both of
        its stimuli. Lazy arrays are read in blocks of units, once (twice with whiten="diagonal").
    folds : int or array_like of shape (repeats,), optional
        Folds of repeats; default: every repeat is a fold.
    whiten : bool or str
        True: by the noise covariance, shrunk towards its diagonal (Schaefer & Strimmer 2005), in memory: refused above
        `memory_limit`. "diagonal": by the noise variance of each unit, block by block. False: not at all.
    memory_limit : int
        Bytes that full whitening may take (see `blockwise.estimate`).
    noise : array_like, shape (units, units) or (folds, units, units), optional
        Noise covariance to whiten by instead, of all folds or of each; folds k and l are compared in the metric of the
        inverse of their mean covariance. Folds are in the order of their labels.

    Returns
    -------
    ndarray, shape (pairs,)
        NaN for two stimuli that share fewer than two folds.

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
    responses = lazy_or_numbers(responses, "responses")
    if responses.ndim != 3 or responses.shape[0] < 2 or responses.shape[2] < 1:
        raise ComparisonError(
            f"responses have shape {responses.shape}",
            where="responses",
            expected="[stimuli, repeats, units] with at least two stimuli",
        )
    labels = fold_labels(folds, int(responses.shape[1]))
    n, repeats, units = (int(s) for s in responses.shape)
    afford(
        estimate("crossnobis", stimuli=n, repeats=repeats, units=units),
        f"at most {fitting(24, 2, 3 * BLOCK_BYTES):,} stimuli",
    )
    if noise is not None:
        if whiten is not True:
            raise ComparisonError(
                f"a noise covariance and whiten={whiten!r}",
                where="noise, whiten",
                expected="whiten=True with a covariance",
            )
        return _given_noise(responses, labels, noise, memory_limit)
    if whiten is True:
        return _fully_whitened(responses, labels, memory_limit)
    if whiten not in (False, "diagonal"):
        raise ComparisonError(f"whiten={whiten!r}", where="whiten", expected='True, False or "diagonal"')
    total = np.zeros((n, n))
    present: npt.NDArray[np.bool_] | None = None
    for _, block in axis_blocks(responses):
        scale = np.sqrt(_noise_variance(block)) if whiten == "diagonal" else 1.0
        means = _fold_means(block, labels)
        del block  # the centred copy takes its place in memory
        present = _presence(means, present)
        means = _centred(means, present)
        means /= scale
        total += _products(means, means, present)
    assert present is not None
    return _distances(total, present, units)


def _products(means: FloatArray, applied: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    """Sum over pairs of different folds that both stimuli have of the products of their differences, [stimuli, stimuli].

    `means` and `applied` are fold means [stimuli, folds, units] without and with the metric. Stimuli that have the same
    folds are computed together: a complete design takes one product of matrices.
    """
    patterns, group = np.unique(present, axis=0, return_inverse=True)
    group = group.reshape(-1)
    out = np.zeros((len(means),) * 2)
    designs = list(itertools.combinations_with_replacement(range(len(patterns)), 2))
    for g, h in steps(designs, "crossnobis, pairs of designs"):
        rows, columns = np.flatnonzero(group == g), np.flatnonzero(group == h)
        shared = patterns[g] & patterns[h]
        if shared.sum() < 2:
            continue
        # Slices where a design is complete: no copy of the data.
        at: Any = slice(None) if shared.all() else shared
        first: Any = slice(None) if rows.size == len(means) else rows
        second: Any = slice(None) if columns.size == len(means) else columns
        a, pa = means[first][:, at], applied[first][:, at]
        b, pb = (a, pa) if g == h else (means[second][:, at], applied[second][:, at])
        own_a, own_b = _own(a, pa), _own(b, pb)
        part = own_a[:, None] + own_b[None, :] - 2 * _between(a, pa, b, pb, symmetric=g == h and means is applied)
        out[np.ix_(rows, columns)] = part
        out[np.ix_(columns, rows)] = part.T
    return out


def _own(a: FloatArray, applied: FloatArray) -> FloatArray:
    """Sum over pairs of different folds of m_k P m_l^T of each stimulus, [stimuli]."""
    return np.asarray((applied.sum(axis=1) * a.sum(axis=1)).sum(axis=1) - np.einsum("sku,sku->s", applied, a))


def _between(a: FloatArray, pa: FloatArray, b: FloatArray, pb: FloatArray, symmetric: bool) -> FloatArray:
    """The same of two stimuli, [stimuli of a, stimuli of b]."""
    if symmetric:
        return self_product(a.sum(axis=1)) - self_product(a.reshape(len(a), -1))
    return np.asarray(pa.sum(axis=1) @ b.sum(axis=1).T - pa.reshape(len(a), -1) @ b.reshape(len(b), -1).T)


def _distances(total: FloatArray, present: npt.NDArray[np.bool_], units: int) -> FloatArray:
    shared = present.astype(float) @ present.astype(float).T
    pairs = shared * (shared - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return off_diagonal(np.where(pairs > 0, total / (pairs * units), np.nan))


def _given_noise(responses: Any, labels: IntArray, noise: npt.ArrayLike, memory_limit: int) -> FloatArray:
    """Distances in the metric of given covariances: one for each pair of folds."""
    trials = _whole(responses, memory_limit)
    raw = _fold_means(trials, labels)
    present = _presence(raw, None)
    means = _centred(raw, present)
    n, folds, units = means.shape
    given = numbers(noise, "noise").astype(np.float64)
    if given.ndim == 2:
        factor = covariance_factor(given, units, "noise")
        applied = scipy.linalg.cho_solve((factor, True), means.reshape(-1, units).T).T.reshape(means.shape)
        return _distances(_products(means, applied, present), present, units)
    if given.shape != (folds, units, units):
        raise ComparisonError(
            f"noise of shape {given.shape}",
            where="noise",
            expected=f"[{units}, {units}] or [{folds}, {units}, {units}]",
        )
    total = np.zeros((n, n))
    for k, m in steps(list(itertools.combinations(range(folds), 2)), "crossnobis, pairs of folds"):
        factor = covariance_factor((given[k] + given[m]) / 2, units, "noise")
        product = means[:, k] @ scipy.linalg.cho_solve((factor, True), means[:, m].T)
        both = present[:, k] & present[:, m]
        own = np.diag(product)
        # each pair of folds counts in both orders
        total += np.where(np.outer(both, both), 2 * (own[:, None] + own[None, :] - product - product.T), 0.0)
    return _distances(total, present, units)


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


def _whole(responses: Any, memory_limit: int) -> FloatArray:
    n, repeats, units = (int(s) for s in responses.shape)
    need = estimate("crossnobis", stimuli=n, repeats=repeats, units=units, whiten=1)
    if need.peak_bytes > memory_limit:
        raise ComparisonError(
            f"whitening by the full noise covariance would take {need.peak_bytes / 1e9:.1f} GB",
            where=f"responses {responses.shape}",
            expected=f"at most memory_limit = {memory_limit / 1e9:.1f} GB",
            do='whiten="diagonal" runs block by block; or raise memory_limit',
        )
    return np.concatenate([block for _, block in axis_blocks(responses)], axis=2)


def _fully_whitened(responses: Any, labels: IntArray, memory_limit: int) -> FloatArray:
    trials = _whole(responses, memory_limit)
    raw = _fold_means(trials, labels)
    present = _presence(raw, None)
    residual, freedom = _residuals(trials)
    sd = np.sqrt((residual**2).sum(axis=0) / freedom)
    _refuse_silent(sd**2, trials)
    residual /= sd
    means = _centred(raw, present)
    means /= sd
    flat = means.reshape(-1, means.shape[2])
    need = estimate("crossnobis", stimuli=len(means), repeats=trials.shape[1], units=means.shape[2], whiten=1)
    with whole("crossnobis, whitening", 1e-10 * need.operations):
        applied = _whitened(flat, residual, shrinkage_intensity(residual, freedom), freedom).reshape(means.shape)
    return _distances(_products(means, applied, present), present, means.shape[2])


def _whitened(rows: FloatArray, residual: FloatArray, weight: float, freedom: int) -> FloatArray:
    """Rows [any, units] times P, the inverse of weight I + (1 - weight) Z^T Z / freedom for residuals Z."""
    presentations, units = residual.shape
    try:
        if units <= presentations:
            noise = (1 - weight) / freedom * self_product(residual.T)
            noise[np.diag_indices(units)] += weight
            return np.asarray(scipy.linalg.cho_solve(_factor(noise), rows.T).T)
        if weight == 0:
            raise np.linalg.LinAlgError
        if weight == 1:
            return rows
        # Woodbury: the matrix to invert has one row per presentation rather than per unit.
        inner = self_product(residual)
        inner[np.diag_indices(presentations)] += weight * freedom / (1 - weight)
        solved = scipy.linalg.cho_solve(_factor(inner), residual @ rows.T).T
        return np.asarray((rows - solved @ residual) / weight)
    except np.linalg.LinAlgError:
        raise ComparisonError(
            "the noise covariance is singular",
            where="responses",
            expected="a noise covariance that can be inverted (linearly independent units, or enough presentations)",
            do='drop duplicated units, or whiten="diagonal"',
        ) from None


def _factor(square: FloatArray) -> Any:
    factor = scipy.linalg.cho_factor(square, lower=True)
    diagonal = np.diag(factor[0])
    if diagonal.min() < 1e-7 * diagonal.max():
        raise np.linalg.LinAlgError
    return factor
