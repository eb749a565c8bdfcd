"""Representational geometry of systems on the same stimuli: agreement, with intervals, nulls and ceilings over stimuli.

A system is described by one square matrix [stimuli, stimuli] per measure: a similarity or dissimilarity of every pair. All
resampling works on those matrices, so that a system of 10^5 units costs as much as one of ten.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import ROUNDING, FloatArray, IntArray, varies
from allometry.compare.inference.ceilings import spearman_brown
from allometry.compare.inference.statistics import Interval, interval
from allometry.compare.measures.representations import crossnobis, rdm
from allometry.compare.measures.representations.similarity import gram
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner

MEASURES = ("ssm", "cka", "svcca", "rsa")
GRAMS = ("cka", "svcca")
"""Measures whose matrix is that of inner products; a copy of a stimulus means nothing to them, so that nothing is resampled."""
VARIANCE = 0.99  # share that the directions of `svcca` hold (Raghu et al. 2017)
STIMULI_PER_DIRECTION = 4
FEWEST_STIMULI = 4
FEWEST_FOR_INTERVAL = 6  # stimuli; fewer give too few different resamples
DIGITS = 7  # of a model's dissimilarities: what differs less is a tie, not an order


def matrix_of(measure: str, responses: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Square matrix of a system for a measure.

    Parameters
    ----------
    measure : {"ssm", "cka", "svcca", "rsa"}
        Pearson dissimilarities of the stimuli's patterns (Shi et al. 2019); Gram matrix of centred units; the same; crossnobis
        distances of repeats (whitened by the noise variance of each unit; units without any are left out, unless all are),
        squared Euclidean distances of means.
    responses : ndarray, shape (stimuli, units) or (stimuli, repeats, units)

    Returns
    -------
    ndarray, shape (stimuli, stimuli)
    """
    repeated = responses.ndim == 3
    means = np.nanmean(responses, axis=1) if repeated else responses
    if measure in GRAMS:
        return gram(means)
    if measure == "ssm":
        values = rdm.rdm(means, "correlation")
    elif repeated:
        noisy = _noise_variance(responses) > 0
        # Responses without any noise (of a model, say) have no scale of noise to be measured in.
        whitened = noisy.sum() >= 2
        values = crossnobis.crossnobis(
            responses[:, :, noisy] if whitened else responses, whiten="diagonal" if whitened else False
        )
    else:
        values = rdm.rdm(means, "sqeuclidean")
    if not repeated:
        largest = np.nanmax(np.abs(values), initial=0)
        values = np.round(values / largest, DIGITS) * largest if largest > 0 else values
    return np.asarray(scipy.spatial.distance.squareform(values, checks=False))


def _noise_variance(responses: npt.NDArray[np.floating[Any]]) -> FloatArray:
    residual = responses - np.nanmean(responses, axis=1, keepdims=True)
    return np.asarray(np.nansum(residual**2, axis=(0, 1)))


def agreement(measure: str, a: FloatArray, b: FloatArray) -> float:
    """Agreement of two systems' matrices [stimuli, stimuli].

    Spearman correlation of pairs for `ssm`; for `rsa` rho-a, since models predict ties; debiased CKA for `cka`; for `svcca` the
    mean canonical correlation of the directions that hold 99 % of the variance, at most one for four stimuli. Pairs
    that are NaN in either, or of a stimulus with itself (a bootstrap draws it twice: NaN), are left out. NaN where it is
    undefined: a constant matrix, or fewer than three pairs.
    """
    if measure == "cka":
        return _cka(a, b)
    if measure == "svcca":
        return _svcca(directions(a), directions(b))
    i, j = np.triu_indices(len(a), 1)
    x, y = a[i, j], b[i, j]
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if x.size < 3 or not (varies(x) and varies(y)):
        return float("nan")
    rx, ry = (scipy.stats.rankdata(v) - (x.size + 1) / 2 for v in (x, y))
    scale = (x.size**3 - x.size) / 12 if measure == "rsa" else np.sqrt(inner(rx, rx) * inner(ry, ry))
    return float(inner(rx, ry) / scale)


def _cka(k: FloatArray, m: FloatArray) -> float:
    """Debiased CKA as the correlation of U-centred Gram matrices (Szekely & Rizzo 2014), equal to that by HSIC_1."""
    x, y = _u_centred(k), _u_centred(m)
    own = float((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / np.sqrt(own)) if own > 0 else float("nan")


def directions(k: FloatArray) -> FloatArray:
    """Leading directions of a system over the stimuli, from inner products: those of its singular value decomposition.

    As many as hold `VARIANCE` of the variance, and at most one for `STIMULI_PER_DIRECTION` stimuli: random subspaces of more
    share much of a space of so few dimensions, whatever the data (Raghu et al. 2017 have thousands of stimuli).

    Parameters
    ----------
    k : ndarray, shape (stimuli, stimuli)
        Inner products; they are centred here, so that a part of a matrix will do.

    Returns
    -------
    ndarray, shape (stimuli, directions)
        Orthonormal columns; none where nothing varies.
    """
    rows = k.mean(axis=0)
    values, vectors = np.linalg.eigh(k - rows[:, None] - rows[None, :] + k.mean())
    values, vectors = values[::-1], vectors[:, ::-1]
    if not values[0] > ROUNDING * len(k) * np.abs(k).max():
        return np.empty((len(k), 0))
    rank = int((values > values[0] * len(k) * np.finfo(float).eps).sum())
    share = np.cumsum(values[:rank]) / values[:rank].sum()
    # the slack keeps a share that is reached exactly from asking for one direction more
    rank = min(rank, int(np.searchsorted(share, VARIANCE - 1e-12) + 1), max(1, len(k) // STIMULI_PER_DIRECTION))
    return np.asarray(vectors[:, :rank])


def _svcca(a: FloatArray, b: FloatArray) -> float:
    """Mean canonical correlation of two sets of directions [stimuli, directions]."""
    if not a.shape[1] or not b.shape[1]:
        return float("nan")
    return float(np.clip(np.linalg.svd(a.T @ b, compute_uv=False), 0, 1).mean())


def _u_centred(k: FloatArray) -> FloatArray:
    n = len(k)
    if n < FEWEST_STIMULI:
        raise ComparisonError(f"{n} stimuli", expected=f"at least {FEWEST_STIMULI}")
    k = k - np.diag(np.diag(k))
    rows = k.sum(axis=0) / (n - 2)
    out = k - rows[:, None] - rows[None, :] + k.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(out, 0)
    return np.asarray(out)


def drawn(matrix: FloatArray, index: IntArray) -> FloatArray:
    """Matrix of drawn stimuli; the pair of a stimulus with its own copy is NaN."""
    out = matrix[np.ix_(index, index)].copy()
    out[index[:, None] == index[None, :]] = np.nan
    return out


def replicates(measure: str, a: FloatArray, b: FloatArray, n: int, seed: int) -> FloatArray:
    """Agreement [n] of resampled stimuli; the same seed draws the same stimuli for every pair of systems.

    Empty for fewer than 6 stimuli, and for `cka` and `svcca`, to which copies of a stimulus mean nothing.
    """
    if len(a) < FEWEST_FOR_INTERVAL or measure in GRAMS:
        return np.empty(0)
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(a), (n, len(a)))
    return np.array([agreement(measure, drawn(a, index), drawn(b, index)) for index in draws])


def agreement_interval(measure: str, a: FloatArray, b: FloatArray, draws: FloatArray) -> Interval:
    """Agreement with a 95 % interval over stimuli.

    Percentiles of the `replicates` given for dissimilarities; for debiased CKA the jackknife (leave one stimulus out,
    Student's t). NaN bounds for `svcca` (see `left_out`), and for fewer than 6 stimuli.
    """
    estimate = agreement(measure, a, b)
    if measure not in GRAMS:
        return bounded(draws, estimate, len(a), (-1.0, 1.0))
    if len(a) < FEWEST_FOR_INTERVAL or not np.isfinite(estimate):
        return Interval(estimate, np.nan, np.nan)
    left = left_out(measure, a, b)
    if not np.isfinite(left).all():
        return Interval(estimate, np.nan, np.nan)
    spread = float(np.sqrt((len(a) - 1) / len(a) * ((left - left.mean()) ** 2).sum()))
    reach = float(scipy.stats.t.ppf(0.975, len(a) - 1)) * spread
    return Interval(estimate, estimate - reach, estimate + reach, method="jackknife")


def left_out(measure: str, a: FloatArray, b: FloatArray) -> FloatArray:
    """Agreement [stimuli] with one stimulus left out each; NaN for fewer than 6 stimuli, and for `svcca`.

    The number of directions of `svcca` jumps with the number of stimuli, and its level falls with it. A jackknife of it is up
    to three times too wide, and holds the mean of other stimuli too rarely where the agreement is high.
    """
    everyone = np.arange(len(a))
    if len(a) < FEWEST_FOR_INTERVAL or measure == "svcca":
        return np.full(len(a), np.nan)
    kept = (np.delete(everyone, s) for s in everyone)
    return np.array([agreement(measure, a[np.ix_(k, k)], b[np.ix_(k, k)]) for k in kept])


def bounded(
    values: FloatArray, estimate: float, stimuli: int, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> Interval:
    """Interval of replicates of resampled stimuli, NaN bounds where most are undefined."""
    if not np.isfinite(estimate) or not values.size or np.isfinite(values).mean() < 0.5:
        return Interval(estimate, np.nan, np.nan)
    return interval(values, estimate, units=stimuli, bounds=bounds)


def orders(stimuli: int, n: int, seed: int) -> IntArray:
    """Orders of the stimuli other than the true one: all of them where those are at most `n`, else `n` random ones."""
    if math.factorial(stimuli) - 1 <= n:
        return np.array(list(itertools.permutations(range(stimuli))))[1:]
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(stimuli) for _ in range(n)])


def null(measure: str, a: FloatArray, b: FloatArray, permutations: IntArray) -> FloatArray:
    """Agreement of a with b for each order [permutations, stimuli] of the stimuli of `b`."""
    if measure == "cka":
        x, y = _u_centred(a), _u_centred(b)
        scale = np.sqrt((x * x).sum() * (y * y).sum())
        return np.array([(x * y[np.ix_(p, p)]).sum() / scale if scale > 0 else np.nan for p in permutations])
    if measure == "svcca":
        u, v = directions(a), directions(b)
        return np.array([_svcca(u, v[p]) for p in permutations])
    i, j = np.triu_indices(len(a), 1)
    if not (np.isfinite(a[i, j]).all() and np.isfinite(b[i, j]).all()):
        return np.array([agreement(measure, a, b[np.ix_(p, p)]) for p in permutations])
    # Ranks move with the stimuli, so that they are computed once.
    ranks = scipy.spatial.distance.squareform(scipy.stats.rankdata(b[i, j]) - (len(i) + 1) / 2)
    own = scipy.stats.rankdata(a[i, j]) - (len(i) + 1) / 2
    scale = (i.size**3 - i.size) / 12
    if measure == "ssm":
        scale = np.sqrt(inner(own, own) * inner(ranks[i, j], ranks[i, j]))
    return np.array([inner(ranks[p[i], p[j]], own) / scale if scale > 0 else np.nan for p in permutations])


def halves(responses: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Random halves of the repeats of every stimulus, each [stimuli, repeats of a half, units], missing ones NaN."""
    present = np.isfinite(responses[:, :, 0])
    rank = np.argsort(np.argsort(np.where(present, rng.random(present.shape), np.inf), axis=1), axis=1)
    half = present.sum(axis=1, keepdims=True) // 2
    # The odd repeat goes to either half by chance.
    half = half + (present.sum(axis=1, keepdims=True) % 2) * rng.integers(0, 2, half.shape)
    chosen = present & (rank < half)
    parts = []
    for part in (chosen, present & ~chosen):
        order = np.argsort(~part, axis=1, kind="stable")[:, : part.sum(axis=1).max()]
        kept = np.take_along_axis(part, order, axis=1)
        parts.append(np.where(kept[:, :, None], np.take_along_axis(responses, order[:, :, None], axis=1), np.nan))
    return parts[0], parts[1]


def split_half(measure: str, responses: FloatArray, *, splits: int, seed: int) -> FloatArray:
    """Agreement [splits] of a system with itself: halves of the repeats; NaN where a half cannot give the measure."""
    rng = np.random.default_rng(seed)
    found = np.full(splits, np.nan)
    fewest = int(np.isfinite(responses[:, :, 0]).sum(axis=1).min())
    if fewest < (4 if measure == "rsa" else 2):
        return found
    for k in range(splits):
        a, b = halves(responses, rng)
        found[k] = _safe(measure, a, b)
    return found


def unit_halves(measure: str, responses: FloatArray, *, splits: int, seed: int) -> FloatArray:
    """Agreement [splits] of random halves of the units."""
    rng = np.random.default_rng(seed)
    found = np.empty(splits)
    for k in range(splits):
        order = rng.permutation(responses.shape[2])
        parts = np.array_split(order, 2)
        found[k] = _safe(measure, *(responses[:, :, part] for part in parts))
    return found


def _safe(measure: str, a: FloatArray, b: FloatArray) -> float:
    try:
        return agreement(measure, matrix_of(measure, a), matrix_of(measure, b))
    except ComparisonError:  # a half without any variation
        return float("nan")


def ceiling(agreements: FloatArray) -> tuple[float, float]:
    """Noise ceiling from agreements of halves of the repeats.

    Low: their mean, what one half tells of the other. High: sqrt(2 r / (1 + r)), the correlation of the matrix of all
    repeats with the true one (Spearman-Brown), which a perfect model would reach. Where noise is as large as signal it is
    too low: the noise of a dissimilarity has a part that falls with the square of the number of repeats.
    """
    if not np.isfinite(agreements).any():
        return (float("nan"), float("nan"))
    r = float(np.nanmean(agreements))
    high = float(np.sqrt(spearman_brown(r))) if r > 0 else 0.0
    return (r, max(r, high))


def rotations(angles: Sequence[float], others: Sequence[object]) -> IntArray:
    """Orders of the stimuli that turn every direction by the same step, where the directions make a closed ring.

    Parameters
    ----------
    angles : sequence of float
        Direction of each stimulus, degrees.
    others : sequence
        What else tells stimuli apart (temporal frequency, say), hashable; it is kept.

    Returns
    -------
    ndarray, shape (steps - 1, stimuli)
        Empty where some direction is missing for some value of the others.
    """
    where = {(round(float(a) % 360, 3), o): k for k, (a, o) in enumerate(zip(angles, others))}
    ring = sorted({a for a, _ in where})
    complete = len(where) == len(angles) == len(ring) * len(set(others)) and len(ring) >= FEWEST_STIMULI
    if not complete or not np.allclose(np.diff(ring), 360 / len(ring), atol=0.01):
        return np.empty((0, len(angles)), dtype=np.int64)
    position = {a: k for k, a in enumerate(ring)}
    found = []
    for step in range(1, len(ring)):
        turned = [ring[(position[round(float(a) % 360, 3)] + step) % len(ring)] for a in angles]
        found.append([where[a, o] for a, o in zip(turned, others)])
    return np.array(found, dtype=np.int64)
