"""Decoding of behaviour states from continuous recordings: contiguous blocks, because neighbouring samples are not independent.

States last for seconds and activity is slow: a decoder tested on samples between its training samples only interpolates, and
labels shuffled sample by sample are a null that anything beats. Folds, resamples and permutations are of whole blocks.
"""

import numpy as np
import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.statistics import Interval, interval, permutation_p
from allometry.errors import ComparisonError


@corresponding("truth", "predicted")
def balanced_accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike, states: npt.ArrayLike | None = None) -> float:
    """Mean over states of the share of their samples that are decoded right; chance is 1 / number of states.

    Parameters
    ----------
    truth, predicted : array_like of int, shape (samples,)
        A negative truth is left out.
    states : array_like of int, optional
        States that count; default: those of `truth`. One that `truth` lacks is left out.

    Returns
    -------
    float
        NaN without any sample.
    """
    true, decoded = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != decoded.shape or true.ndim != 1:
        raise ComparisonError(
            f"labels of shapes {true.shape} and {decoded.shape}", where="truth, predicted", expected="one per sample"
        )
    wanted = np.unique(true[true >= 0]) if states is None else np.unique(np.asarray(states, dtype=np.int64))
    if wanted.size == 0:
        return float("nan")
    known = np.isin(true, wanted)
    size = int(wanted.max()) + 1
    count = np.bincount(true[known], minlength=size)[wanted]
    right = np.bincount(true[known & (true == decoded)], minlength=size)[wanted]
    here = count > 0
    return float((right[here] / count[here]).mean()) if here.any() else float("nan")


def train(features: FloatArray, state: IntArray) -> LinearDiscriminantAnalysis:
    """Linear discriminant with shrinkage (Ledoit-Wolf) and equal priors, on the samples with a state.

    Equal priors: animals differ in how they spend their time, and balanced accuracy weighs all states alike.
    """
    known = state >= 0
    classes = np.unique(state[known])
    if classes.size < 2:
        raise ComparisonError(f"{classes.size} states to train on", expected="at least two", do="use longer recordings")
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(classes.size, 1 / classes.size))
    return model.fit(features[known], state[known])


def blocks(samples: int, length: int) -> list[IntArray]:
    """Contiguous blocks of a recording; the last one takes the rest, from half a length on its own."""
    if length < 1 or samples < 2 * length:
        raise ComparisonError(
            f"blocks of {length} of {samples} samples", expected="at least two blocks", do="lower block_s"
        )
    starts = np.arange(0, samples - length // 2, length)
    return [np.arange(a, b) for a, b in zip(starts, [*starts[1:].tolist(), samples])]


def within(features: FloatArray, state: IntArray, length: int, folds: int, gap: int) -> IntArray:
    """Decode every sample from the rest of the same recording.

    Parameters
    ----------
    features : ndarray, shape (samples, dimensions)
    state : ndarray of int, shape (samples,)
        Negative where there is none.
    length : int
        Samples of a block; block k is in fold k modulo `folds`.
    folds : int
    gap : int
        Samples beside a tested block that are not trained on, since the filter has mixed them.

    Returns
    -------
    ndarray of int, shape (samples,)
        The decoded states.
    """
    parts = blocks(len(state), length)
    used = min(folds, len(parts))
    predicted = np.full(len(state), -1, dtype=np.int64)
    for fold in range(used):
        tested = np.concatenate(parts[fold::used])
        free = np.ones(len(state), dtype=bool)
        for part in parts[fold::used]:
            free[max(part[0] - gap, 0) : part[-1] + gap + 1] = False
        if np.unique(state[free & (state >= 0)]).size < 2:
            continue
        predicted[tested] = train(features[free], state[free]).predict(features[tested])
    return predicted


def block_null(truth: IntArray, predicted: IntArray, length: int, n: int, seed: int) -> FloatArray:
    """Balanced accuracy `[n]` after permuting the blocks of `truth` and shifting it circularly by a random time.

    Within a block labels keep their order, so that the null has bouts as long as the recording.
    """
    rng = np.random.default_rng(seed)
    parts = blocks(len(truth), length)
    out = np.empty(n)
    for k in range(n):
        order = np.concatenate([parts[i] for i in rng.permutation(len(parts))])
        out[k] = balanced_accuracy(np.roll(truth[order], int(rng.integers(len(truth)))), predicted)
    return out


def block_interval(truth: IntArray, predicted: IntArray, length: int, n: int, seed: int) -> Interval:
    """Balanced accuracy with the percentiles of resamples of blocks; states that a resample lacks are left out there."""
    rng = np.random.default_rng(seed)
    parts = blocks(len(truth), length)
    replicates = []
    for _ in range(n):
        index = np.concatenate([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        replicates.append(balanced_accuracy(truth[index], predicted[index]))
    return interval(replicates, balanced_accuracy(truth, predicted), units=len(parts), bounds=(0.0, 1.0))


def block_p(observed: float, null: FloatArray) -> float:
    """One-sided p of a balanced accuracy against `block_null`."""
    return permutation_p(observed, null) if np.isfinite(observed) else float("nan")
