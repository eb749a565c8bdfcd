"""Statistics of a population's responses with intervals over what varies independently, and nulls from shuffles.

Responses are [stimuli, repeats, units], a missing presentation NaN in every unit and the repeats of a stimulus first (see
`design`). Repeat k of all stimuli is block k.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from allometry.compare.inference.arrays import FloatArray, resolved, varies
from allometry.compare.inference.statistics import Interval, interval
from allometry.compare.measures.populations import covariance as covariance_
from allometry.compare.measures.populations import decoding, tuning
from allometry.errors import ComparisonError

FEWEST_BLOCKS = 3  # for an interval over blocks


@dataclass(frozen=True)
class Decoded:
    """Decoding of a population: `accuracy` with its interval over blocks, `null` accuracies of shuffled labels."""

    accuracy: Interval
    chance: float
    null: FloatArray
    confusion: FloatArray
    trials: int


def decode(
    responses: FloatArray, decoder: str, *, centre_blocks: bool, nulls: int, bootstrap: int, seed: int
) -> Decoded:
    """Decode the stimulus, leaving out one block at a time.

    The interval resamples blocks with the predictions for their trials as they are: a decoder that is trained again on
    resampled blocks would find copies of its test trials.
    """
    found = decoding.decode_within(responses, decoder, centre_blocks)
    block = np.nonzero(np.isfinite(responses[:, :, 0]))[1]
    right = np.bincount(block, found.truth == found.predicted).astype(float)
    shown = np.bincount(block).astype(float)
    rng = np.random.default_rng(seed)
    accuracy = Interval(found.accuracy, np.nan, np.nan)
    if len(shown) >= FEWEST_BLOCKS:
        draws = rng.integers(0, len(shown), (bootstrap, len(shown)))
        replicates = right[draws].sum(axis=1) / shown[draws].sum(axis=1)
        accuracy = interval(replicates, found.accuracy, units=len(shown), bounds=(0.0, 1.0))
    seeds = rng.integers(0, 2**31, nulls)
    null = [decoding.decode_within(responses, decoder, centre_blocks, int(s)).accuracy for s in seeds]
    return Decoded(accuracy, found.chance, np.array(null), found.confusion.astype(float), found.n_trials)


def shuffled_labels(responses: FloatArray, n: int, seed: int) -> Iterator[FloatArray]:
    """Responses with the stimuli of every block shuffled: trials, and what units share in them, stay as they are."""
    rng = np.random.default_rng(seed)
    present = np.isfinite(responses[:, :, 0])
    for _ in range(n):
        out = responses.copy()
        for k in range(responses.shape[1]):
            rows = np.flatnonzero(present[:, k])
            out[rows, k] = responses[rng.permutation(rows), k]
        yield out


def shuffled_trials(responses: FloatArray, n: int, seed: int) -> Iterator[FloatArray]:
    """Responses with the repeats of every stimulus shuffled for each unit by itself: tuning stays, what units share goes."""
    rng = np.random.default_rng(seed)
    number = np.isfinite(responses[:, :, 0]).sum(axis=1)
    for _ in range(n):
        out = responses.copy()
        for s, repeats in enumerate(number):
            out[s, :repeats] = rng.permuted(responses[s, :repeats], axis=0)
        yield out


@dataclass(frozen=True)
class Tuned:
    """Tuning of each unit, [units]: selectivities, preferred angles (degree), p of the orientation selectivity."""

    osi: FloatArray
    dsi: FloatArray
    orientation: FloatArray
    direction: FloatArray


def rates(responses: FloatArray, negative: str) -> FloatArray:
    """Mean responses >= 0 [stimuli, units], as selectivity indices need.

    `rectify`: negative means count as 0; `drop`: units with one are NaN.
    """
    means = np.asarray(np.nanmean(responses, axis=1))
    if negative == "rectify":
        return np.maximum(means, 0.0)
    if negative == "drop":
        return np.where((means < 0).any(axis=0), 0.0, means)  # silent units have no selectivity: NaN
    raise ComparisonError(f"negative={negative!r}", where="negative", expected="rectify or drop")


def tuned(responses: FloatArray, angle: str, angles: FloatArray, negative: str) -> Tuned:
    """Selectivity and preference of every unit; directional ones are NaN where `angle` is an orientation."""
    r = rates(responses, negative)
    osi = np.full(r.shape[1], np.nan)
    if tuning.orientations(angles) > 1:
        osi = np.atleast_1d(np.asarray(tuning.osi(r, angles)))
    preferred = tuning.preferred(r, angles)
    orientation = np.rad2deg(preferred.orientation)
    if angle == "orientation":
        nothing = np.full(osi.shape, np.nan)
        return Tuned(osi, nothing, orientation, nothing)
    dsi = np.atleast_1d(np.asarray(tuning.dsi(r, angles)))
    return Tuned(osi, dsi, orientation, np.rad2deg(preferred.direction))


def signal_correlation(responses: FloatArray, *, splits: int, seed: int) -> FloatArray:
    """Signal correlation [units, units] across halves of the repeats, NaN on the diagonal.

    Unit i's tuning in one half against unit j's in the other, both ways, mean over random halves: what both share in a
    trial cannot enter, since no trial is in both halves. Noise makes it smaller, as it does any correlation of means.
    """
    rng = np.random.default_rng(seed)
    present = np.isfinite(responses[:, :, 0])
    filled = np.where(present[:, :, None], responses, 0.0)
    total = np.zeros((responses.shape[2],) * 2)
    count = np.zeros_like(total)
    for _ in range(splits):
        rank = np.argsort(np.argsort(np.where(present, rng.random(present.shape), np.inf), axis=1), axis=1)
        chosen = present & (rank < present.sum(axis=1, keepdims=True) // 2)
        standard = []
        for part in (chosen, present & ~chosen):
            mean = np.einsum("sr,sru->su", part.astype(float), filled) / part.sum(axis=1)[:, None]
            varying = varies(mean)
            mean = mean - mean.mean(axis=0)
            norm = np.sqrt((mean**2).sum(axis=0))
            standard.append(np.divide(mean, norm, out=np.full_like(mean, np.nan), where=varying))
        r = standard[0].T @ standard[1]
        r = (r + r.T) / 2
        total += np.nan_to_num(r)
        count += np.isfinite(r)
    out = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    np.fill_diagonal(out, np.nan)
    return out


def noise_covariance(responses: FloatArray) -> tuple[FloatArray, int]:
    """Covariance [units, units] of residuals around the mean response to each stimulus, and its degrees of freedom."""
    present = np.isfinite(responses[:, :, 0])
    residual = (responses - np.nanmean(responses, axis=1, keepdims=True))[present]
    # What rounding leaves of a unit that is constant within every stimulus is no noise.
    residual[:, ~resolved(np.abs(residual).max(axis=0), np.abs(responses[present]).max(axis=0))] = 0.0
    freedom = int(present.sum() - len(responses))
    if freedom < 2:
        raise ComparisonError(
            f"{int(present.sum())} presentations of {len(responses)} stimuli leave {freedom} degrees of freedom",
            expected="more repeats",
        )
    return residual.T @ residual / freedom, freedom


def correlation_of(covariance: FloatArray) -> FloatArray:
    """Correlation matrix with NaN on the diagonal, and for units without variance."""
    sd = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
    out = np.clip(covariance / np.outer(sd, sd), -1, 1)
    np.fill_diagonal(out, np.nan)
    return np.asarray(out)


def unit_draws(units: int, n: int, seed: int) -> FloatArray:
    """How often each unit is drawn in each of `n` resamples, [n, units]."""
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=n).astype(float)


def mean_over_pairs(matrix: FloatArray, draws: FloatArray) -> Interval:
    """Mean over pairs of units of a symmetric matrix, NaN left out; a pair of a unit with its own copy counts nowhere."""
    known = np.isfinite(matrix) & ~np.eye(len(matrix), dtype=bool)
    if not known.any():
        return Interval(np.nan, np.nan, np.nan)
    values = np.where(known, matrix, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = _pairs(values, draws) / _pairs(known.astype(float), draws)
    return interval(
        replicates, float(values.sum() / known.sum()), units=int(known.any(axis=0).sum()), bounds=(-1.0, 1.0)
    )


def mean_over_units(values: FloatArray, draws: FloatArray) -> Interval:
    """Mean over units with an interval from resampled units, NaN left out."""
    known = np.isfinite(values)
    if not known.any():
        return Interval(np.nan, np.nan, np.nan)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = (draws @ filled) / (draws @ known)
    return interval(replicates, float(values[known].mean()), units=int(known.sum()))


@dataclass(frozen=True)
class Dispersion:
    """Spectral radius [sizes of the population, resamples] and participation ratio [resamples] of resampled units."""

    radius: FloatArray
    participation: FloatArray


def dispersion(covariance: FloatArray, freedom: int, sizes: FloatArray, draws: FloatArray) -> Dispersion:
    """Spectral radius and participation ratio of drawn units, by the formulas of `correlations`.

    A unit drawn twice has no covariance with its copy: those pairs are left out, else every resample would look more
    correlated than the data.

    Parameters
    ----------
    covariance : ndarray, shape (units, units)
    freedom : int
        Degrees of freedom of the covariance: sampling adds c_ii c_jj / freedom to the variance of c_ij.
    sizes : ndarray, shape (sizes,)
        Sizes of the whole population for the spectral radius.
    draws : ndarray, shape (resamples, units)
        How often each unit is drawn; ones give the data.
    """
    variance = np.diag(covariance).copy()
    off = covariance - np.diag(variance)
    total = draws.sum(axis=1)
    pairs = total**2 - (draws**2).sum(axis=1)
    mean = draws @ variance / total
    squared = _pairs(off**2, draws) / pairs
    product = ((draws @ variance) ** 2 - (draws**2) @ variance**2) / pairs
    spread = squared - (_pairs(off, draws) / pairs) ** 2 - product / freedom
    delta = np.maximum(spread, 0.0) / mean**2
    radius = np.sqrt(1 - 1 / np.sqrt(1 + np.asarray(sizes, float)[:, None] * delta[None]))
    n = covariance.shape[0]
    participation = (n * mean) ** 2 / (n * (draws @ variance**2) / total + n * (n - 1) * squared)
    return Dispersion(radius, participation)


def _pairs(values: FloatArray, draws: FloatArray) -> FloatArray:
    """Sum over ordered pairs of drawn units of a matrix whose diagonal is 0, [resamples]."""
    return np.asarray(np.einsum("bi,bi->b", draws @ values, draws))


def noise_statistics(responses: FloatArray, size: int) -> tuple[float, float, float]:
    """Mean noise correlation, spectral radius, participation ratio of a data set, for nulls."""
    covariance, freedom = noise_covariance(responses)
    r = correlation_of(covariance)
    return (
        float(np.nanmean(r)),
        covariance_.spectral_radius_of_covariance(covariance, size, freedom + 1),
        covariance_.participation_ratio(covariance),
    )
