"""Statistics of a population's responses with intervals over what varies independently, and nulls from shuffles.

Responses are [stimuli, repeats, units], a missing presentation NaN in every unit and the repeats of a stimulus first (see
`design`). Repeat k of all stimuli is block k.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from allometry.compare.inference.arrays import FloatArray, array, varies, whole_number
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.crossed import crossed_interval
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval
from allometry.compare.measures.populations import correlations, decoding, tuning
from allometry.compare.measures.populations import covariance as covariance_
from allometry.compare.records.measures import Scale, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Decoded:
    """Decoding of a population: `accuracy` with its interval over blocks, `null` accuracies of shuffled labels."""

    accuracy: Interval
    chance: float
    null: FloatArray
    confusion: FloatArray
    trials: int


def decode(responses: FloatArray, decoder: str, *, centre_blocks: bool, nulls: int, seed: int) -> Decoded:
    """Decode the stimulus, leaving out one block at a time; see `decoding.block_interval` for the interval."""
    found = decoding.decode_within(responses, decoder, centre_blocks)
    accuracy = decoding.block_interval(found)
    seeds = np.random.default_rng(seed).integers(0, 2**31, nulls)
    null = [decoding.decode_within(responses, decoder, centre_blocks, int(s)).accuracy for s in seeds]
    return Decoded(accuracy, found.chance, np.array(null), found.confusion.astype(float), found.n_trials)


def shuffled_labels(responses: FloatArray, n: int, seed: int, order: FloatArray | None = None) -> Iterator[FloatArray]:
    """Responses with the stimuli of trials that were shown near one another shuffled, everything else as it is.

    Trials, and what units share in them, stay; so does how often a stimulus was shown in each part of the session, so that
    what drifts with time cannot pass for tuning where stimuli were not spread evenly over it.

    Parameters
    ----------
    responses : ndarray, shape (stimuli, repeats, units)
    n, seed : int
    order : ndarray, shape (stimuli, repeats), optional
        When each trial was shown (any increasing scale): windows of as many trials as there are stimuli, in order of time.
        Default: repeat k of all stimuli is a window.
    """
    rng = np.random.default_rng(seed)
    present = np.isfinite(responses[:, :, 0])
    when = np.broadcast_to(np.arange(responses.shape[1]), present.shape) if order is None else order
    places = np.argwhere(present)[np.argsort(when[present], kind="stable")]
    size = len(responses)
    # the rest joins the last window: alone, a few trials could hardly be shuffled
    starts = np.arange(size, max(len(places) - size, 0) + 1, size)
    windows = np.split(places, starts)
    if order is None:
        windows = [np.argwhere(present[:, k]) for k in range(responses.shape[1])]
        windows = [np.column_stack([rows, np.full(len(rows), k)]) for k, rows in enumerate(windows)]
    for _ in steps(range(n), "shuffled responses"):
        out = responses.copy()
        for window in windows:
            drawn = rng.permutation(window)
            out[window[:, 0], window[:, 1]] = responses[drawn[:, 0], drawn[:, 1]]
        yield out


def shuffled_trials(responses: FloatArray, n: int, seed: int) -> Iterator[FloatArray]:
    """Responses with the repeats of every stimulus shuffled for each unit by itself: tuning stays, what units share goes."""
    rng = np.random.default_rng(seed)
    number = np.isfinite(responses[:, :, 0]).sum(axis=1)
    for _ in steps(range(n), "shuffled responses"):
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
    return rectified(np.asarray(np.nanmean(responses, axis=1)), negative)


def rectified(means: FloatArray, negative: str) -> FloatArray:
    """Mean responses [stimuli, units] made >= 0 as `rates` says."""
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


@measure(
    name="signal_correlation",
    version="2",
    inputs="responses [stimuli, repeats, units]",
    invariances="offset and scale of each unit",
    use="are units tuned alike?",
    reference="Cohen & Kohn 2011, Nat. Neurosci. 14:811",
    scale=Scale(True, 0.02, descriptive=True),
    cost="memory",
)
def signal_correlation(responses: FloatArray, *, splits: int, seed: int) -> FloatArray:
    """Signal correlation [units, units] across halves of the repeats, NaN on the diagonal.

    Unit i's tuning in one half against unit j's in the other, both ways, mean over random halves: what both share in a
    trial cannot enter, since no trial is in both halves. Noise makes it smaller, as it does any correlation of means.
    """
    responses, splits = array(responses, "responses", 3, finite=False), whole_number(splits, "splits")
    units = responses.shape[2]
    if not responses.size:
        raise ComparisonError("no responses", where="responses", expected="stimuli, repeats and units")
    need = Estimate(
        f"signal correlations of {units:,} units",
        8 * (5 * units**2 + 3 * responses.size),
        8 * units**2,
        2.0 * splits * responses.size * units,
    )
    afford(need, f"a sample of at most {fitting(40, 2):,} units")
    rng = np.random.default_rng(seed)
    present = np.isfinite(responses[:, :, 0])
    filled = np.where(present[:, :, None], responses, 0.0)
    total = np.zeros((responses.shape[2],) * 2)
    count = np.zeros_like(total)
    for _ in steps(range(splits), "splits"):
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
    covariance, _, freedom = correlations.noise_covariance(responses, np.isfinite(responses[:, :, 0]))
    return covariance, freedom


def correlation_of(covariance: FloatArray) -> FloatArray:
    """Correlation matrix with NaN on the diagonal, and for units without variance."""
    sd = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
    out = np.clip(covariance / np.outer(sd, sd), -1, 1)
    np.fill_diagonal(out, np.nan)
    return np.asarray(out)


def pairs_without(values: FloatArray) -> FloatArray:
    """Mean over pairs of a symmetric matrix [units, units] without each unit, [units]; NaN pairs left out."""
    known = np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((filled.sum() - 2 * filled.sum(axis=0)) / (known.sum() - 2 * known.sum(axis=0)))


def units_without(values: FloatArray) -> FloatArray:
    """Mean over units of values [units] without each unit that has one; NaN left out."""
    kept = values[np.isfinite(values)]
    return np.asarray((kept.sum() - kept) / (kept.size - 1)) if kept.size > 1 else np.empty(0)


def mean_over_pairs(matrix: FloatArray, trials: Sequence[FloatArray] = ()) -> Interval:
    """Mean over pairs of units of a symmetric matrix, with its interval over units and over trials.

    Parameters
    ----------
    matrix : ndarray, shape (units, units)
        NaN pairs, and the diagonal, are left out.
    trials : sequence of ndarray
        The matrix without each group of trials.
    """
    off = [_mean(part[np.triu_indices(len(part), 1)]) for part in (matrix, *trials)]
    return crossed_interval(off[0], pairs_without(matrix), off[1:], bounds=(-1.0, 1.0))


def mean_over_units(
    values: FloatArray, trials: Sequence[FloatArray] = (), bounds: tuple[float, float] = (0.0, 1.0)
) -> Interval:
    """Mean over units of values [units], NaN left out, with its interval over units and trials (values without each)."""
    return crossed_interval(_mean(values), units_without(values), [_mean(part) for part in trials], bounds=bounds)


def _mean(values: FloatArray) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if kept.size else float("nan")


@dataclass(frozen=True)
class Dispersion:
    """Spectral radius [sizes of the population] and participation ratio of a covariance, each also without each unit.

    `radius_without` is [units, sizes], `participation_without` [units].
    """

    radius: FloatArray
    participation: float
    radius_without: FloatArray
    participation_without: FloatArray


def dispersion(covariance: FloatArray, freedom: int | None, sizes: FloatArray) -> Dispersion:
    """Spectral radius and participation ratio of a covariance, and of all its submatrices without one unit.

    Parameters
    ----------
    covariance : ndarray, shape (units, units)
    freedom : int or None
        Degrees of freedom of the covariance: sampling adds c_ii c_jj / freedom to the variance of c_ij, and what it does to
        the traces `covariance.unbiased_traces` takes back. None where the matrix is taken as exact.
    sizes : ndarray, shape (sizes,)
        Sizes of the whole population for the spectral radius.
    """
    variance = np.diag(covariance)
    off = covariance - np.diag(variance)
    squares = off**2
    one = np.concatenate([[0.0], np.ones(len(variance))])  # units left out: none, then each

    def without(total: FloatArray | float, own: FloatArray) -> FloatArray:
        return total - np.concatenate([[0.0], own])

    n = len(variance) - one
    pairs = n * (n - 1)
    trace, diagonal = without(variance.sum(), variance), without((variance**2).sum(), variance**2)
    summed, squared = without(off.sum(), 2 * off.sum(axis=0)), without(squares.sum(), 2 * squares.sum(axis=0))
    excess = (trace**2 - diagonal) / pairs / freedom if freedom else 0.0
    spread = np.maximum(squared / pairs - (summed / pairs) ** 2 - excess, 0.0) / (trace / n) ** 2
    radius = np.sqrt(1 - 1 / np.sqrt(1 + spread[:, None] * np.asarray(sizes, float)))
    full = trace, diagonal + squared
    total, both = covariance_.unbiased_traces(*full, freedom) if freedom else (full[0] ** 2, full[1])
    with np.errstate(divide="ignore"):
        ratio = np.where(both > 0, total / np.where(both > 0, both, 1.0), np.inf)
    return Dispersion(radius[0], float(ratio[0]), radius[1:], ratio[1:])


def noise_statistics(responses: FloatArray, size: int) -> tuple[float, float, float]:
    """Mean noise correlation, spectral radius, participation ratio of a data set, for nulls."""
    covariance, freedom = noise_covariance(responses)
    found = dispersion(covariance, freedom, np.array([size]))
    return float(np.nanmean(correlation_of(covariance))), float(found.radius[0]), found.participation
