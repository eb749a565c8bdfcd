"""Decoding of behaviour states from continuous recordings: contiguous blocks, because neighbouring samples are not independent.

States last for seconds and activity is slow: a decoder tested on samples between its training samples only interpolates, and
labels shuffled sample by sample are a null that anything beats. Folds and resamples are of whole blocks, longer than a bout;
training keeps several correlation times away from what is tested; nulls shift the labels in time, and train again.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from allometry.compare.inference.arrays import FloatArray, IntArray, codes
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.inference.statistics import Interval, interval, permutation_p
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError

CORRELATION_TIMES = 3  # between a tested block and what is trained on: e^-3 of the correlation is left
FEWEST_BLOCKS = 3


@measure(
    name="state_decoding",
    version="3",
    inputs="features [time, dimensions] and states of two animals",
    invariances="scale of features",
    use="does a decoder of behaviour trained in one animal work in another?",
    reference="Safaie et al. 2023, Nature 623:765; Kato et al. 2015, Cell 163:656",
    ceiling="ratio",
    scale=SHARE,
)
@corresponding("truth", "predicted")
def balanced_accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike, states: npt.ArrayLike | None = None) -> float:
    """Mean over states of the share of their samples that are decoded right; chance is 1 / number of states.

    Parameters
    ----------
    truth, predicted : array_like of int or str, shape (samples,)
        A truth that is negative, or none, is left out.
    states : array_like of int or str, optional
        States that count; default: those of `truth`. One that `truth` lacks is left out.

    Returns
    -------
    float
        NaN without any sample.
    """
    true, decoded = codes(truth, predicted, names=("truth", "predicted"))
    known = true >= 0
    if states is not None:
        known &= np.isin(np.asarray(truth), np.asarray(states))
    count = np.bincount(true[known])
    right = np.bincount(true[known & (true == decoded)], minlength=count.size)
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
    samples, dimensions = int(known.sum()), features.shape[1]
    need = Estimate(
        f"lda of {dimensions:,} dimensions",
        8 * (4 * dimensions**2 + 3 * samples * dimensions),
        8 * dimensions,
        float(dimensions) ** 2 * (samples + dimensions),
    )
    afford(need, f"at most {fitting(32, 2):,} dimensions: the leading components of the traces, or a sample of them")
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(classes.size, 1 / classes.size))
    with whole(need.measure, 1e-9 * need.operations), warnings.catch_warnings():
        # a state of one sample has a mean, and adds nothing to the common covariance
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        return model.fit(features[known], state[known])


def blocks(samples: int, length: int) -> list[IntArray]:
    """Contiguous blocks of a recording; the last one takes the rest, from half a length on its own."""
    if length < 1 or samples < 2 * length:
        raise ComparisonError(
            f"blocks of {length} of {samples} samples", expected="at least two blocks", do="lower block_s"
        )
    starts = np.arange(0, samples - length // 2, length)
    return [np.arange(a, b) for a, b in zip(starts, [*starts[1:].tolist(), samples])]


def correlation_time(features: FloatArray) -> int:
    """Lag, in samples, at which the mean autocorrelation over features [samples, dimensions] falls below 1/e."""
    centred = features - features.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(centred, 2 * len(centred), axis=0)) ** 2
    raw = np.fft.irfft(spectrum, axis=0)[: len(centred)]
    varying = raw[0] > 1e-12 * np.maximum((features**2).sum(axis=0), 1e-300)
    if not varying.any():
        return 1
    below = np.flatnonzero((raw[:, varying] / raw[0, varying]).mean(axis=1) < 1 / math.e)
    return max(int(below[0]), 1) if below.size else len(centred)


def bout(state: IntArray) -> int:
    """Length, in samples, of the bout that a random sample with a state is in, on average; 1 without any."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(state)) + 1, [len(state)]])
    length = np.diff(edges)[state[edges[:-1]] >= 0]
    return int(np.ceil((length**2).sum() / length.sum())) if length.size else 1


@dataclass(frozen=True)
class Pace:
    """How slow a recording is: samples of a block, and samples beside a tested block that are not trained on."""

    length: int
    gap: int

    @classmethod
    def of(cls, features: FloatArray, state: IntArray, shortest: int, filtered: int) -> "Pace":
        """Pace of features [samples, dimensions] and states [samples].

        Parameters
        ----------
        shortest : int
            Least samples of a block. It is longer than two bouts, and than the gap, in any case.
        filtered : int
            Samples that a filter has mixed: least gap.
        """
        gap = max(filtered, CORRELATION_TIMES * correlation_time(features))
        return cls(max(shortest, 2 * bout(state), gap), gap)


def within(features: FloatArray, state: IntArray, pace: Pace, folds: int) -> IntArray:
    """Decode every sample from the rest of the same recording.

    Parameters
    ----------
    features : ndarray, shape (samples, dimensions)
    state : ndarray of int, shape (samples,)
        Negative where there is none.
    pace : Pace
        Block k is in fold k modulo `folds`; samples within the gap of a tested block are not trained on.
    folds : int

    Returns
    -------
    ndarray of int, shape (samples,)
        The decoded states; -1 where nothing could be trained: the recording is too short for its correlations.
    """
    predicted = np.full(len(state), -1, dtype=np.int64)
    if len(state) < FEWEST_BLOCKS * pace.length:
        return predicted
    parts = blocks(len(state), pace.length)
    used = min(folds, len(parts))
    for fold in steps(range(used), "decoding, folds"):
        tested = np.concatenate(parts[fold::used])
        free = np.ones(len(state), dtype=bool)
        for part in parts[fold::used]:
            free[max(part[0] - pace.gap, 0) : part[-1] + pace.gap + 1] = False
        if np.unique(state[free & (state >= 0)]).size < 2:
            continue
        predicted[tested] = train(features[free], state[free]).predict(features[tested])
    return predicted


def within_accuracy(features: FloatArray, state: IntArray, pace: Pace, folds: int) -> float:
    """Balanced accuracy of `within` over the samples that could be decoded; NaN where a state has none of them."""
    predicted = within(features, state, pace, folds)
    tested = np.where(predicted >= 0, state, -1)
    if np.unique(tested[tested >= 0]).size < np.unique(state[state >= 0]).size:
        return float("nan")
    return balanced_accuracy(tested, predicted)


def within_null(features: FloatArray, state: IntArray, pace: Pace, folds: int, n: int) -> FloatArray:
    """Accuracies `[n]` of `within_accuracy` with the states shifted circularly, trained again each time.

    Shifts are equally spaced, and at least as far from 0 as training is from a test; NaN where there are fewer than `n`.
    """
    if len(state) <= 2 * pace.gap or len(state) < FEWEST_BLOCKS * pace.length:
        return np.full(n, np.nan)
    shifts = np.unique(np.linspace(pace.gap, len(state) - pace.gap, n).round().astype(int))
    found = [within_accuracy(features, np.roll(state, shift), pace, folds) for shift in shifts]
    return np.pad(np.array(found), (0, n - len(found)), constant_values=np.nan)


def shift_null(truth: IntArray, predicted: IntArray, n: int, seed: int, gap: int = 1) -> FloatArray:
    """Balanced accuracy `[n]` after shifting `truth` circularly against what was decoded, by `gap` samples or more.

    For a decoder that was trained elsewhere. Bouts stay whole, and keep their order.
    """
    low = max(min(gap, len(truth) // 4), 1)
    shifts = np.random.default_rng(seed).integers(low, len(truth) - low + 1, n)
    return np.array([balanced_accuracy(np.roll(truth, int(shift)), predicted) for shift in shifts])


def block_interval(truth: IntArray, predicted: IntArray, length: int, n: int, seed: int) -> Interval:
    """Balanced accuracy with the percentiles of resamples of blocks; states that a resample lacks are left out there."""
    rng = np.random.default_rng(seed)
    parts = blocks(len(truth), length)
    replicates = []
    for _ in steps(range(n), "bootstrap of blocks"):
        index = np.concatenate([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        replicates.append(balanced_accuracy(truth[index], predicted[index]))
    return interval(replicates, balanced_accuracy(truth, predicted), units=len(parts), bounds=(0.0, 1.0))


def block_p(observed: float, null: FloatArray) -> float:
    """One-sided p of a balanced accuracy against `shift_null` or `within_null`."""
    return permutation_p(observed, null) if np.isfinite(observed) else float("nan")
