"""Model recovery: which measure can tell which ground truth?

A representation is turned into another whose relation to it is known (rotated, permuted, noisy, ...); every measure scores
every pair, over many draws. A measure that scores two relations alike cannot tell them apart, however good its name: the
confusion matrix of each measure says so, and is quoted on every benchmark card ("use case determines the validity").
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from allometry.compare.inference.arrays import FloatArray, blocks
from allometry.compare.inference.progress import steps
from allometry.compare.measures.representations import rdm, similarity, topology, unit_matching
from allometry.errors import ComparisonError

Measure = Callable[[FloatArray, FloatArray], float]
# Takes the sizes of what is generated (a `Population`, or those of another kind of data) and a generator
Relation = Callable[[Any, np.random.Generator], tuple[FloatArray, FloatArray]]

RESAMPLED_VALUES = 4_000_000  # distances of resampled draws at once
_TIE = 1e-6  # scores closer than this are one score: rounding differs between algebraically equal representations


@dataclass(frozen=True)
class Population:
    """Sizes of the generated data, and the sd of the noise of "noisy" relative to that of the responses.

    Parameters
    ----------
    n_stimuli, n_units, n_latent : int
        Stimuli, units, and latent variables that they mix.
    noise : float
        Standard deviation over that of the responses.
    sources : tuple of ndarray [stimuli, units]
        Responses that stimuli and units are drawn from; none: they are mixtures of latent variables.
    """

    n_stimuli: int = 60
    n_units: int = 24
    n_latent: int = 6
    noise: float = 0.5
    sources: tuple[FloatArray, ...] = ()


@dataclass(frozen=True)
class Recovery:
    """Scores and confusion of measures.

    Attributes
    ----------
    measures, truths : tuple of str
    score : ndarray, shape (measures, truths, draws)
    confusion : ndarray, shape (measures, truths, truths)
        Share of draws of the row's truth that are attributed to the column's, leave-one-out, by the nearest mean score.
    separation : ndarray, shape (measures, truths, truths)
        Probability, folded to [.5, 1], that a draw of one truth scores higher than one of the other: .5 cannot be told
        apart, 1 always can.
    """

    measures: tuple[str, ...]
    truths: tuple[str, ...]
    score: FloatArray
    confusion: FloatArray
    separation: FloatArray

    def tells(self, measure: str, a: str, b: str, threshold: float = 0.9) -> bool:
        """Whether a measure tells two relations apart in at least the share `threshold` of comparisons."""
        i, j = self.truths.index(a), self.truths.index(b)
        return bool(self.separation[self.measures.index(measure), i, j] >= threshold)

    def accuracy(self) -> FloatArray:
        """Share of draws attributed to their own truth, `[measures]`."""
        return np.asarray(self.confusion.diagonal(axis1=1, axis2=2).mean(axis=1))


def responses(population: Population, rng: np.random.Generator, n_units: int | None = None) -> FloatArray:
    """Responses [stimuli, units]: rectified random mixtures of latent variables, of different gains.

    Parameters
    ----------
    population : Population
    rng : Generator
    n_units : int, optional
        Default: that of the population.
    """
    p = population
    n = n_units or p.n_units
    if p.sources:
        return drawn(p.sources[int(rng.integers(len(p.sources)))], p.n_stimuli, n, rng)
    latent = rng.normal(size=(p.n_stimuli, p.n_latent))
    mixed = latent @ rng.normal(size=(p.n_latent, n)) / np.sqrt(p.n_latent)
    return np.asarray(np.maximum(mixed + 0.3 * rng.normal(size=n), 0) * rng.lognormal(0, 0.3, n) + 0.05 * mixed)


def drawn(source: FloatArray, stimuli: int, units: int, rng: np.random.Generator) -> FloatArray:
    """Stimuli and units of a population, in random order, so that two draws have no stimulus in common place.

    A hundredth of their standard deviation is added as noise: of sparse codes no unit of a draw may respond to a stimulus,
    and a pattern of zeros has no correlation.

    Parameters
    ----------
    source : ndarray [stimuli, units]
        All of them.
    stimuli, units : int
        How many are drawn.
    rng : Generator
        Where they are drawn from.

    Raises
    ------
    ComparisonError
        There are fewer.
    """
    if source.shape[0] < stimuli or source.shape[1] < units:
        raise ComparisonError(
            f"a population of {source.shape[1]} units and {source.shape[0]} stimuli gives no {units} units of {stimuli}",
            where="items, units",
            expected="populations that have as many stimuli, and twice as many units as a draw",
            do="lower items or units, or gather more units in the run",
        )
    rows, columns = rng.permutation(source.shape[0])[:stimuli], rng.permutation(source.shape[1])[:units]
    return np.asarray(source[np.ix_(rows, columns)] + 0.01 * source.std() * rng.normal(size=(stimuli, units)))


def _identical(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x.copy()


def _permuted(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x[:, rng.permutation(p.n_units)]


def _rotated(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x @ scipy.stats.ortho_group.rvs(p.n_units, random_state=rng)


def _rescaled(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x * rng.lognormal(0, 1.0, p.n_units)


def _linear(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x @ rng.normal(size=(p.n_units, p.n_units))


def _noisy(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    x = responses(p, rng)
    return x, x + p.noise * x.std() * rng.normal(size=x.shape)


def _subsampled(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Two disjoint halves of one population: what two recordings of one area share."""
    x = responses(p, rng, 2 * p.n_units)
    order = rng.permutation(2 * p.n_units)
    return x[:, order[: p.n_units]], x[:, order[p.n_units :]]


def _different(p: Population, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    return responses(p, rng), responses(p, rng)


#: Relations between two representations, from the same to unrelated.
TRUTHS: Mapping[str, Relation] = {
    "identical": _identical,
    "permuted": _permuted,
    "rotated": _rotated,
    "rescaled": _rescaled,
    "linear": _linear,
    "noisy": _noisy,
    "subsampled": _subsampled,
    "different": _different,
}


def _rsa(metric: str, method: str) -> Measure:
    def score(x: FloatArray, y: FloatArray) -> float:
        return rdm.rsa(rdm.rdm(x, metric), rdm.rdm(y, metric), method)

    return score


def _trsa(x: FloatArray, y: FloatArray) -> float:
    return topology.trsa(rdm.rdm(x, "euclidean"), rdm.rdm(y, "euclidean"), 0.1, 0.6)


def _matching(x: FloatArray, y: FloatArray) -> float:
    return float(np.nanmean(unit_matching.match_units(x, y)[1]))


#: Measures compared by default; each takes two matrices [stimuli, units].
MEASURES: Mapping[str, Measure] = {
    "rsa_correlation": _rsa("correlation", "spearman"),
    "rsa_euclidean": _rsa("euclidean", "spearman"),
    "trsa": _trsa,
    "cka": similarity.cka,
    "procrustes": similarity.procrustes,
    "svcca": similarity.svcca,
    "pwcca": similarity.pwcca,
    "match_units": _matching,
}


def recover(
    measures: Mapping[str, Measure] = MEASURES,
    truths: Mapping[str, Relation] = TRUTHS,
    population: Any = Population(),
    draws: int = 20,
    seed: int = 0,
) -> Recovery:
    """Score known relations with every measure, and see which relations each can tell apart.

    Parameters
    ----------
    measures : mapping of str to callable
        (x[stimuli, units], y[stimuli, units]) -> float; matrices of another kind where the relations make such.
    truths : mapping of str to callable
        (population, generator) -> (x, y).
    population : Population
        Passed to every relation.
    draws : int
        Independent draws per relation, at least 3; every measure sees the same draws.
    seed : int

    Returns
    -------
    Recovery

    Raises
    ------
    ComparisonError
        For too few draws, measures or relations, or a measure that is NaN.
    """
    if draws < 3 or len(truths) < 2 or not measures:
        raise ComparisonError(
            f"{len(measures)} measures, {len(truths)} relations, {draws} draws",
            where="measures, truths, draws",
            expected="a measure, two relations, three draws",
        )
    score = np.empty((len(measures), len(truths), draws))
    for j, relation in enumerate(truths.values()):
        for k in steps(range(draws), "draws of a relation"):
            # One stream per relation and draw: another relation or measure changes no number.
            x, y = relation(population, np.random.default_rng([seed, k, _key(list(truths)[j])]))
            for i, measure in enumerate(measures.values()):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)
                    score[i, j, k] = measure(x, y)
    if not np.isfinite(score).all():
        bad = [name for i, name in enumerate(measures) if not np.isfinite(score[i]).all()]
        raise ComparisonError(f"{', '.join(bad)} gave NaN", where="measures", expected="a finite score for every pair")
    confusion = np.array([_confusion(s) for s in score])
    separation = np.array([_separation(s) for s in score])
    return Recovery(tuple(measures), tuple(truths), score, confusion, separation)


def _key(name: str) -> int:
    return int.from_bytes(name.encode()[:6], "little")


def attributions(score: FloatArray) -> FloatArray:
    """Attribute each score to the relation of the nearest mean score, leaving itself out of its own mean.

    Parameters
    ----------
    score : ndarray, shape (truths, draws)

    Returns
    -------
    ndarray, shape (truths, draws, truths)
        Share of each draw that each relation gets; relations of equally near means share it.
    """
    n, draws = score.shape
    total = score.sum(axis=1)
    mean = np.broadcast_to(total / draws, (n, draws, n)).copy()
    own = np.arange(n)
    mean[own, :, own] = (total[:, None] - score) / (draws - 1)
    distance = np.abs(mean - score[:, :, None])
    nearest = distance <= distance.min(axis=2, keepdims=True) + _TIE
    return np.asarray(nearest / nearest.sum(axis=2, keepdims=True))


def resampled_hits(score: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Share of draws attributed to their own relation in `n` resamples of the draws of every relation, `[n, truths]`.

    The hits of a relation share its mean score, and move with it all together. A draw that a resample holds twice is left
    out of its own mean with its copies: it would find them there.
    """
    truths, draws = score.shape
    out = np.empty((n, truths))
    own = np.arange(truths)
    for part in blocks(n, max(1, RESAMPLED_VALUES // (truths * truths * draws))):
        weight = rng.multinomial(draws, np.full(draws, 1 / draws), size=(part.stop - part.start, truths)).astype(float)
        total = (weight * score).sum(axis=2)
        mean = np.broadcast_to((total / draws)[:, None, None, :], (len(weight), truths, draws, truths)).copy()
        others = draws - weight
        without = np.divide(
            total[:, :, None] - weight * score, others, out=np.full(weight.shape, np.inf), where=others > 0
        )
        mean[:, own, :, own] = np.moveaxis(without, 1, 0)
        distance = np.abs(mean - score[None, :, :, None])
        nearest = distance <= distance.min(axis=3, keepdims=True) + _TIE
        hit = np.moveaxis((nearest / nearest.sum(axis=3, keepdims=True))[:, own, :, own], 0, 1)
        out[part] = (hit * weight).sum(axis=2) / draws
    return out


def _confusion(score: FloatArray) -> FloatArray:
    return np.asarray(attributions(score).mean(axis=1))


def rounded(score: FloatArray) -> FloatArray:
    """Scores as multiples of what rounding can differ by, so that algebraically equal scores are equal."""
    return np.asarray(np.round(score / _TIE))


def _separation(score: FloatArray) -> FloatArray:
    n, draws = score.shape
    levels = rounded(score)
    out = np.full((n, n), 0.5)
    for a in range(n):
        for b in range(a):
            rank: Any = scipy.stats.rankdata(np.concatenate([levels[a], levels[b]]))
            auc = (rank[:draws].sum() - draws * (draws + 1) / 2) / draws**2
            out[a, b] = out[b, a] = max(auc, 1 - auc)
    return out
