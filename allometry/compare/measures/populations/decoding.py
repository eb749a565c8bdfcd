"""Decoding stimuli from responses: within an animal, and across animals that share stimuli.

Cross-validation is by presentation block (repeat), never by random trials: trials of one block share slow drifts that would
leak from training to test. Hyperparameters are chosen inside the training blocks only.
"""

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
from sklearn import config_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from allometry.compare.inference.arrays import FloatArray, IntArray, array, choice, varies, whole_number
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.inference.statistics import Interval, permutation_p
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError

DECODERS = ("nearest_centroid", "correlation", "lda", "logistic")
PENALTIES = [0.01, 0.1, 1.0]  # inverse L2 penalties of the logistic decoder
ALIGNMENTS = ("none", "procrustes", "cca")
FEWEST_BLOCKS = 3  # for an interval over blocks
# of scikit-learn: its checks of trials that were checked here take longer than a small decoder
CHECKED = {"assume_finite": True, "skip_parameter_validation": True}


@dataclass(frozen=True)
class Decoding:
    """Accuracy, chance level (most frequent stimulus), confusion[true, decoded] in trials; prediction and block of every trial."""

    accuracy: float
    chance: float
    n_trials: int
    confusion: IntArray = field(repr=False)
    truth: IntArray = field(repr=False)
    predicted: IntArray = field(repr=False)
    block: IntArray = field(repr=False)


@dataclass(frozen=True)
class DecodingAcross(Decoding):
    """Decoding of another animal with its interval and p.

    `interval` is over blocks of the target's presentations, for this decoder and alignment; `p` is one-sided, against the `null`
    accuracies with the target's stimuli in another order.
    """

    interval: Interval
    p: float
    null: FloatArray = field(repr=False)


def _trials(responses: npt.ArrayLike, name: str = "responses") -> tuple[FloatArray, IntArray, IntArray]:
    """Trials [trials, units], their stimulus and their block, without missing presentations (NaN in every unit)."""
    x = array(responses, name, 3, finite=False)
    if x.shape[0] < 2 or x.shape[1] < 2 or x.shape[2] < 1:
        raise ComparisonError(
            f"{name} has shape {x.shape}",
            where=name,
            expected="[stimuli, repeats, units], at least two stimuli and repeats",
        )
    present = np.isfinite(x).all(axis=2)
    if (np.isfinite(x).any(axis=2) & ~present).any():
        raise ComparisonError(
            "some presentations are NaN for some units only",
            where=name,
            expected="a missing presentation to be NaN in every unit",
            do="drop the units concerned",
        )
    few = np.flatnonzero(present.sum(axis=1) < 2)
    if few.size:
        raise ComparisonError(
            f"stimuli {few[:10].tolist()} have fewer than two presentations",
            where=name,
            expected="at least two presentations of each stimulus",
            do="drop those stimuli",
        )
    if not varies(x[present]).any():
        raise ComparisonError(f"every unit of {name} is constant", where=name, expected="units that vary")
    stimulus, block = np.nonzero(present)
    return x[present], stimulus.astype(np.int64), block.astype(np.int64)


class _CorrelationCentroid:
    """Nearest class mean by Pearson correlation over units (scikit-learn's NearestCentroid has no such metric)."""

    def fit(self, x: FloatArray, y: IntArray) -> "_CorrelationCentroid":
        self.classes_ = np.unique(y)
        self.centroids_ = np.array([x[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict(self, x: FloatArray) -> IntArray:
        def standard(v: FloatArray) -> FloatArray:
            centred = v - v.mean(axis=1, keepdims=True)
            norm = np.linalg.norm(centred, axis=1, keepdims=True)
            return np.divide(centred, norm, out=np.zeros_like(centred), where=varies(v, axis=1)[:, None])

        return np.asarray(self.classes_[(standard(x) @ standard(self.centroids_).T).argmax(axis=1)])


def _decoder(name: str, groups: IntArray, stimuli: IntArray) -> Any:
    """An estimator; where it has a hyperparameter, a search over it by leaving out blocks of the training data."""
    if name == "nearest_centroid":
        return NearestCentroid()
    if name == "correlation":
        return _CorrelationCentroid()
    if name == "lda":
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    pipeline: Pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    smallest = min(np.unique(stimuli[groups != g]).size for g in np.unique(groups)) if groups.size else 0
    if np.unique(groups).size < 2 or smallest < np.unique(stimuli).size:
        return pipeline
    return GridSearchCV(pipeline, {"logisticregression__C": PENALTIES}, cv=LeaveOneGroupOut())


def _fit(name: str, x: FloatArray, stimulus: IntArray, block: IntArray) -> Any:
    if name == "lda" and len(x) <= np.unique(stimulus).size:
        raise ComparisonError(
            f"{len(x)} training trials of {np.unique(stimulus).size} stimuli",
            where="decoder",
            expected="more trials than stimuli: the covariance of lda is that within stimuli",
            do='use "nearest_centroid" or "correlation", or more repeats',
        )
    units = x.shape[1]
    if name == "lda":
        need = Estimate(f"lda of {units:,} units", 8 * (4 * units**2 + 3 * x.size), 8 * units, float(units) ** 3)
        afford(
            need, f'at most {fitting(32, 2):,} units, or "nearest_centroid" or "correlation", which need no covariance'
        )
    model = _decoder(name, block, stimulus)
    with whole(f"{name} of {len(x):,} trials and {units:,} units", _seconds(name, *x.shape)):
        if isinstance(model, NearestCentroid):
            with warnings.catch_warnings():
                # A silent unit has no spread within a stimulus, which only shrunken centroids would divide by.
                warnings.filterwarnings("ignore", message="self.within_class_std_dev_", category=UserWarning)
                return model.fit(x, stimulus)
        return model.fit(x, stimulus, groups=block) if isinstance(model, GridSearchCV) else model.fit(x, stimulus)


def _seconds(name: str, trials: int, units: int) -> float:
    """Guess of how long training takes: a covariance and its inverse, some hundred gradients, or means."""
    each = {"lda": units**2, "logistic": 300.0 * len(PENALTIES) * units}.get(name, units)
    return 1e-9 * each * (trials + (units if name == "lda" else 0))


def _result(truth: IntArray, predicted: IntArray, block: IntArray, n: int) -> Decoding:
    confusion = np.zeros((n, n), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    chance = float(np.bincount(truth, minlength=n).max() / truth.size)
    return Decoding(float((truth == predicted).mean()), chance, int(truth.size), confusion, truth, predicted, block)


def block_interval(found: Decoding, shared_training: bool = True) -> Interval:
    """Share of trials decoded right with its 95 % interval over blocks: t distribution; NaN bounds below 3 blocks.

    Parameters
    ----------
    found : Decoding
    shared_training : bool
        Blocks were left out of the training in turn. They then share most of their training trials, so that they differ less
        among themselves than data sets do: the variance of a block counts 1 / blocks + 1 / (blocks - 1), test over training
        trials. Of a decoder that was trained elsewhere it counts 1 / blocks.

    References
    ----------
    Nadeau & Bengio 2003, Mach. Learn. 52:239.
    """
    right = found.truth == found.predicted
    _, block = np.unique(found.block, return_inverse=True)
    hits, shown = np.bincount(block, right).astype(float), np.bincount(block).astype(float)
    accuracy, blocks = float(right.mean()), len(shown)
    if blocks < FEWEST_BLOCKS:
        return Interval(accuracy, np.nan, np.nan, method="t over blocks")
    # of the ratio, so that blocks of fewer trials count less
    residual = (hits - accuracy * shown) / shown.mean()
    share = 1 / blocks + (1 / (blocks - 1) if shared_training else 0.0)
    variance = float((residual**2).sum() / (blocks - 1)) * share
    half = float(scipy.stats.t.ppf(0.975, blocks - 1) * np.sqrt(variance))
    return Interval(accuracy, max(accuracy - half, 0.0), min(accuracy + half, 1.0), method="t over blocks")


@measure(
    name="decoding_within",
    version="1",
    inputs="responses [stimuli, repeats, units], repeat k is block k",
    invariances="order of units",
    use="what does one animal's activity tell about the stimulus?",
    reference="Quian Quiroga & Panzeri 2009, Nat. Rev. Neurosci. 10:173",
    scale=SHARE,
    cost="memory",
)
def decode_within(
    responses: npt.ArrayLike, decoder: str = "lda", centre_blocks: bool = False, shuffle_seed: int | None = None
) -> Decoding:
    """Decode stimuli within an animal, leaving out one block of presentations at a time.

    Parameters
    ----------
    responses : array_like, shape (stimuli, repeats, units)
        Repeat k of all stimuli is block k. A missing presentation is NaN in every unit.
    decoder : str
        "nearest_centroid" (Euclidean), "correlation" (nearest centroid by Pearson r), "lda" (Ledoit-Wolf shrinkage), "logistic"
        (multinomial, L2 penalty chosen inside the training blocks).
    centre_blocks : bool
        Subtract each unit's mean over the presentations of each block (no labels needed), which removes drift between
        blocks; right where every block holds every stimulus.
    shuffle_seed : int, optional
        Shuffle the labels within each block: the chance level of the whole procedure.

    Returns
    -------
    Decoding

    Raises
    ------
    ComparisonError
        For stimuli with fewer than two presentations, partial NaN, or constant responses.
    """
    choice(decoder, DECODERS, "decoder")
    x, stimulus, block = _trials(responses)
    if centre_blocks:
        for b in np.unique(block):
            x[block == b] -= x[block == b].mean(axis=0)
    truth = stimulus.copy()
    if shuffle_seed is not None:
        rng = np.random.default_rng(shuffle_seed)
        for b in np.unique(block):
            truth[block == b] = rng.permutation(truth[block == b])
    predicted = np.empty_like(truth)
    with config_context(**CHECKED):
        for b in steps(np.unique(block), "decoding, blocks left out"):
            test = block == b
            predicted[test] = _fit(decoder, x[~test], truth[~test], block[~test]).predict(x[test])
    return _result(truth, predicted, block, int(stimulus.max()) + 1)


@measure(
    name="decoding_across",
    version="1",
    inputs="responses [stimuli, repeats, units] of two animals, the same stimuli",
    invariances="rotation of unit space (alignment)",
    use="does a decoder of one animal work in another?",
    reference="Safaie et al. 2023, Nature 623:765",
    ceiling="ratio",
    scale=SHARE,
    cost="memory",
)
@corresponding("source", "target")
def decode_across(
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    shared: npt.ArrayLike | None = None,
    align: str = "procrustes",
    dimensions: int = 10,
    decoder: str = "lda",
    nulls: int = 199,
    seed: int = 0,
) -> DecodingAcross:
    """Decode stimuli in one animal with a decoder trained in another, after aligning both on shared stimuli.

    Both animals are reduced to principal components of their stimulus means; the map between them (a rotation, or canonical
    directions) is found on the means of the `shared` stimuli only, the decoder is trained on all trials of `source`, and it is
    tested on the *other* stimuli's trials of `target`, so that no tested stimulus has taken part in the alignment.

    Parameters
    ----------
    source, target : array_like, shape (stimuli, repeats of each, units of each)
        The same stimuli in the same order.
    shared : array_like of int [shared stimuli], optional
        Stimuli used for the alignment; default: every other one. More than `dimensions` of them are needed for "cca".
    align : str
        "procrustes", "cca", or "none" (units correspond already, as in identified neurons).
    dimensions : int
        Principal components kept (at most shared stimuli - 1).
    decoder : str
        As in `decode_within`.
    nulls : int
        Orders of the target's stimuli for p, in each of which both animals are aligned anew; 0: none.
    seed : int

    Returns
    -------
    DecodingAcross
        Of the tested stimuli, decoded among themselves. p is exact where all stimuli are alike under the hypothesis that the
        animals share nothing; stimuli on a ring (directions) or a line are not: any two animals with smooth tuning pass.

    References
    ----------
    Gallego, Perich, Chowdhury, Solla & Miller 2020, Nat. Neurosci. 23:260 (CCA alignment).
    """
    choice(align, ALIGNMENTS, "align")
    choice(decoder, DECODERS, "decoder")
    x, x_stimulus, x_block = _trials(source, "source")
    y, y_stimulus, y_block = _trials(target, "target")
    n = int(x_stimulus.max()) + 1
    if n != int(y_stimulus.max()) + 1:
        raise ComparisonError(
            f"{n} and {int(y_stimulus.max()) + 1} stimuli", where="source, target", expected="the same stimuli in both"
        )
    common = np.arange(0, n, 2) if shared is None else np.unique(np.asarray(shared, dtype=np.int64))
    tested = np.setdiff1d(np.arange(n), common)
    if align == "none":
        if x.shape[1] != y.shape[1]:
            raise ComparisonError(
                f"{x.shape[1]} and {y.shape[1]} units", where="align", expected='corresponding units for align="none"'
            )
        tested = np.arange(n) if shared is None else tested
    else:
        if common.size < 3 or tested.size < 2 or common.min() < 0 or common.max() >= n:
            raise ComparisonError(
                f"{common.size} shared and {tested.size} other stimuli",
                where="shared",
                expected="at least three stimuli to align on and two others to decode",
            )
    nulls, dimensions = whole_number(nulls, "nulls", 0), whole_number(dimensions, "dimensions")
    position = np.searchsorted(tested, np.arange(n))
    kept = np.isin(x_stimulus, tested)
    model: Any = None

    def decoded(stimulus: IntArray) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
        nonlocal model
        own, other = x, y
        if align != "none":
            own, other = _aligned(x, x_stimulus, y, stimulus, common, align, dimensions)
        # canonical directions alone turn the source as well
        if model is None or align == "cca":
            model = _fit(decoder, own[kept], position[x_stimulus[kept]], x_block[kept])
        chosen = np.isin(stimulus, tested)
        return position[stimulus[chosen]], np.asarray(model.predict(other[chosen]), dtype=np.int64), chosen

    rng = np.random.default_rng(seed)
    null = np.empty(nulls)
    with config_context(**CHECKED):
        truth, predicted, chosen = decoded(y_stimulus)
        for k in steps(range(nulls), "orders of the stimuli"):
            other, guessed, _ = decoded(rng.permutation(n)[y_stimulus])
            null[k] = (other == guessed).mean()
    found = _result(truth, predicted, y_block[chosen], tested.size)
    return DecodingAcross(
        **vars(found),
        interval=block_interval(found, shared_training=False),
        p=permutation_p(found.accuracy, null),
        null=null,
    )


def _means(x: FloatArray, stimulus: IntArray, wanted: IntArray) -> FloatArray:
    return np.array([x[stimulus == s].mean(axis=0) for s in wanted])


def _aligned(
    x: FloatArray, xs: IntArray, y: FloatArray, ys: IntArray, common: IntArray, align: str, dimensions: int
) -> tuple[FloatArray, FloatArray]:
    """Trials of both animals in one space, in which the means of the common stimuli agree best."""
    reduced, means = [], []
    for trials, stimulus in ((x, xs), (y, ys)):
        mean = _means(trials, stimulus, common)
        centre = mean.mean(axis=0)
        _, s, axes = np.linalg.svd(mean - centre, full_matrices=False)
        rank = min(dimensions, int((s > 1e-10 * s[0]).sum()))
        reduced.append((trials - centre) @ axes[:rank].T)
        means.append((mean - centre) @ axes[:rank].T)
    if align == "procrustes":
        u, s, v = np.linalg.svd(means[1].T @ means[0], full_matrices=False)
        scale = s.sum() / (means[1] ** 2).sum()
        return reduced[0], scale * reduced[1] @ u @ v
    k = min(m.shape[1] for m in means)
    if common.size <= k + 1:
        raise ComparisonError(
            f"{common.size} shared stimuli for {k} dimensions",
            where="dimensions",
            expected="more shared stimuli than dimensions: canonical correlations are 1 otherwise",
            do="lower dimensions, or align by procrustes",
        )
    (qx, rx), (qy, ry) = (np.linalg.qr(m) for m in means)
    u, _, v = np.linalg.svd(qx.T @ qy, full_matrices=False)
    return reduced[0] @ np.linalg.pinv(rx) @ u, reduced[1] @ np.linalg.pinv(ry) @ v.T
