"""What makes a score trustworthy: intervals, p values of permutations, multiple testing.

Every function that draws random numbers takes a `seed` and makes its own `numpy.random.Generator` from it. Undefined
replicates (NaN: a resample without variance, say) are left out and counted, never turned into a number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from allometry.compare.inference.arrays import ROUNDING, plain
from allometry.compare.inference.labels import in_one_order, is_labelled
from allometry.compare.inference.progress import steps
from allometry.errors import ComparisonError

Floats = NDArray[np.float64]

FEWEST_UNITS = 3  # independent items below which there is no interval
FEW_UNITS = 10  # independent items below which percentiles of resamples are too narrow whatever is done about it


@dataclass(frozen=True)
class Interval:
    """A confidence interval, and the replicates that it was taken from.

    Parameters
    ----------
    estimate : float
        The statistic of all items, in its own unit, as `low` and `high` are.
    low, high : float
        Bounds; NaN where there is no interval.
    level : float
        Share of such intervals that hold the truth, between 0 and 1.
    method : str
        How the bounds were made, such as "percentile", "bca", "t", or "none" where there are none.
    undefined : int
        Number of replicates that are NaN.
    replicates : ndarray [replicates]
        The statistic of every resample, NaN where it is undefined. All are kept in their order, so that those of two
        statistics of the same resamples stay pairs. Empty where there were no resamples.
    units : int
        Number of independent items that the replicates were drawn from; 0 where there were no resamples.
    """

    estimate: float
    low: float
    high: float
    level: float = 0.95
    method: str = "percentile"
    undefined: int = 0
    replicates: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    units: int = 0

    def p_above(self, value: float = 0.0) -> float:
        """One-sided p of the truth being no larger than `value`, by the same rule as the bounds: they never disagree."""
        if self.replicates.size == 0 or self.units < FEWEST_UNITS or not np.isfinite(self.low):
            return float("nan")
        if self.method == "t":
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (self.estimate - value) / np.float64(_standard_error(self.replicates, self.units))
            return float(scipy.stats.t.sf(t, self.units - 1))
        share = permutation_p(value, self.replicates, "less")
        return float(
            scipy.stats.t.cdf(scipy.stats.norm.ppf(share) / np.sqrt(self.units / (self.units - 1)), self.units - 1)
        )


@dataclass(frozen=True)
class PermutationTest:
    """`observed` statistic, `p` (never below 1/(n+1)) and the `null` distribution it was held against."""

    observed: float
    p: float
    null: Floats = field(repr=False)


def interval(
    replicates: ArrayLike,
    estimate: float,
    level: float = 0.95,
    *,
    units: int,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Interval around `estimate` from bootstrap `replicates` [n]; NaN replicates are left out and counted.

    Percentiles of few resampled units are too narrow (those of a mean cover .83 at 5 units where they should .95). From 10
    units on they are taken farther out, by what Student's t and the factor n - 1 of the variance ask for (the expanded
    percentile interval of Hesterberg 2015); below, the interval is that of Student's t with the standard error of the
    replicates; with fewer than 3 units there is none (NaN).

    Parameters
    ----------
    replicates : array_like [replicates]
        The statistic of every resample; NaN where it is undefined.
    estimate : float
        The statistic of all items.
    level : float
        Share of such intervals that should hold the truth, between 0 and 1.
    units : int
        Independent items that were resampled: animals, stimulated neurons, nodes, blocks, never pairs that share one.
    bounds : (float, float)
        Values that the statistic cannot leave.

    Returns
    -------
    Interval
        In the unit of the statistic. NaN bounds with fewer than 3 units.

    Raises
    ------
    ComparisonError
        More than half of the replicates are undefined.

    References
    ----------
    Hesterberg 2015, Am. Stat. 69:371, section 5.3.
    """
    values = np.asarray(replicates, dtype=float)
    values = np.where(np.isfinite(values), values, np.nan)
    kept = values[np.isfinite(values)]
    if kept.size * 2 < values.size or kept.size == 0:
        raise ComparisonError(
            f"the statistic is undefined in {values.size - kept.size} of {values.size} bootstrap samples",
            expected="a statistic that is defined for most resamples",
            do="use more items (stimuli, units, animals), or leave out the constant ones",
        )
    undefined = int(values.size - kept.size)
    if units < FEWEST_UNITS:
        return Interval(float(estimate), np.nan, np.nan, level, "none", undefined, values, units)
    if units < FEW_UNITS:
        reach = scipy.stats.t.ppf((1 + level) / 2, units - 1) * _standard_error(values, units)
        low, high = np.clip([estimate - reach, estimate + reach], *bounds)
        return Interval(float(estimate), float(low), float(high), level, "t", undefined, values, units)
    low, high = np.clip(_quantiles(kept, np.array(expanded_levels(units, level))), *bounds)
    return Interval(float(estimate), float(low), float(high), level, "percentile", undefined, values, units)


def _quantiles(replicates: Floats, levels: Floats) -> Floats:
    """Quantiles that one more replicate would be below with the probabilities `levels`, as `permutation_p` counts.

    The usual ones are nearer to the middle: with 99 resamples of 12 units .037 of truths lie beyond a bound of .025.
    """
    return np.asarray(np.quantile(replicates, levels, method="weibull"))


def expanded_levels(units: int, level: float = 0.95) -> tuple[float, float]:
    """Levels of the quantiles of replicates that make the expanded percentile interval of `units` items."""
    reach = scipy.stats.t.ppf((1 + level) / 2, units - 1) * np.sqrt(units / (units - 1))
    return float(scipy.stats.norm.sf(reach)), float(scipy.stats.norm.cdf(reach))


def _standard_error(replicates: Floats, units: int) -> float:
    """Sd of the replicates, times what resampling n items makes it too small by, sqrt((n - 1) / n) for a mean."""
    return float(np.nanstd(replicates)) * float(np.sqrt(units / (units - 1)))


def resample(
    statistic: Callable[[NDArray[np.int64]], float],
    items: int,
    *,
    seed: int,
    n: int = 1000,
    level: float = 0.95,
    method: str = "percentile",
) -> Interval:
    """Bootstrap a statistic that is a function of the drawn item numbers.

    Parameters
    ----------
    statistic : callable
        Takes an int array [items] of item numbers (with repetitions) and returns a float. Items are whatever varies
        independently: stimuli, units, animals, stimulated neurons.
    items : int
        Number of items, at least 3.
    method : {"percentile", "bca"}
        `bca`: bias-corrected and accelerated (Efron 1987), with a jackknife over items. Of fewer than 10 items either is
        Student's t interval (see `interval`).

    Raises
    ------
    ComparisonError
        Too few items, an unknown method, or a statistic that is undefined for most resamples.
    """
    if items < 3:
        raise ComparisonError(
            f"{items} items are too few for a bootstrap",
            expected="at least 3",
            do="report the estimate without an interval",
        )
    if n < 1 or not 0 < level < 1:
        raise ComparisonError(f"n={n}, level={level}", expected="at least one resample, a level between 0 and 1")
    if method not in ("percentile", "bca"):
        raise ComparisonError(f"unknown bootstrap method {method!r}", expected="percentile or bca")
    rng = np.random.default_rng(seed)
    replicates = np.array([statistic(rng.integers(0, items, items)) for _ in steps(range(n), "bootstrap")], dtype=float)
    estimate = float(statistic(np.arange(items)))
    plain = interval(replicates, estimate, level, units=items)
    if method == "percentile" or items < FEW_UNITS:
        return plain
    everyone = np.arange(items)
    jackknife = np.array([statistic(np.delete(everyone, i)) for i in steps(everyone, "jackknife")], dtype=float)
    return _bca(plain, jackknife[np.isfinite(jackknife)])


def _bca(plain: Interval, jackknife: Floats) -> Interval:
    """Efron 1987, eqs. 2.3 and 6.6: shift the percentiles by the bias z0 and the acceleration a."""
    kept, estimate = plain.replicates[np.isfinite(plain.replicates)], plain.estimate
    below = (np.sum(kept < estimate) + 0.5 * np.sum(kept == estimate)) / kept.size
    if not 0 < below < 1:
        raise ComparisonError(
            "the bootstrap distribution lies on one side of the estimate", do="use method='percentile'"
        )
    z0 = scipy.stats.norm.ppf(below)
    deviation = jackknife.mean() - jackknife
    spread = np.sum(deviation**2) ** 1.5
    acceleration = float(np.sum(deviation**3) / (6 * spread)) if spread > 0 else 0.0
    z = z0 + scipy.stats.norm.ppf(expanded_levels(plain.units, plain.level))
    low, high = _quantiles(kept, scipy.stats.norm.cdf(z0 + z / (1 - acceleration * z)))
    return Interval(
        estimate, float(low), float(high), plain.level, "bca", plain.undefined, plain.replicates, plain.units
    )


def bootstrap(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    seed: int,
    n: int = 1000,
    level: float = 0.95,
    method: str = "percentile",
    axis: int = 0,
) -> Interval:
    """Bootstrap `statistic(*arrays)` by drawing the same items of every array along `axis` (pairs stay pairs).

    Parameters
    ----------
    statistic : callable
        Takes resampled arrays of the shapes of `arrays`, and returns a float.
    *arrays : array_like [..., items, ...]
        As many items along `axis` in each. Labelled arrays are put in the order of the first where `axis` is 0.
    seed : int
        Seed of the resamples.
    n : int
        Number of resamples.
    level : float
        Share of such intervals that should hold the truth, between 0 and 1.
    method : {"percentile", "bca"}
        `bca`: bias-corrected and accelerated (Efron 1987). Of fewer than 10 items either is Student's t interval (see
        `interval`).
    axis : int
        Axis of the items, which vary independently (stimuli, units, animals).

    Returns
    -------
    Interval
        In the unit of the statistic.

    Raises
    ------
    ComparisonError
        Arrays of different numbers of items, fewer than 3 items, an unknown method, or a statistic that is undefined for
        most resamples.

    References
    ----------
    Efron 1987, J. Am. Stat. Assoc. 82:171 (bca); Hesterberg 2015, Am. Stat. 69:371 (percentiles).
    """
    named = {f"array {k}": a for k, a in enumerate(arrays)}
    labelled = {name: a for name, a in named.items() if is_labelled(a)} if axis == 0 else {}
    data = [plain(a) for a in (named | in_one_order(labelled)).values()]
    lengths = {a.shape[axis] for a in data}
    if len(lengths) != 1:
        raise ComparisonError(
            f"arrays of {sorted(lengths)} items along axis {axis} cannot be resampled together",
            expected="the same number of items (stimuli, units, animals) in each",
        )
    return resample(
        lambda index: statistic(*(np.take(a, index, axis=axis) for a in data)),
        lengths.pop(),
        seed=seed,
        n=n,
        level=level,
        method=method,
    )


def permutation_p(observed: float, null: ArrayLike, alternative: str = "greater") -> float:
    """P value (1 + #null at least as extreme) / (1 + n) of a statistic; ties count as extreme.

    Parameters
    ----------
    observed : float
        The statistic.
    null : array_like, of any shape
        The statistic of n permutations or rewirings; those that are not finite are left out.
    alternative : {"greater", "less", "two-sided"}
        Which values are more extreme; "two-sided" is twice the smaller tail, at most 1.

    Returns
    -------
    float
        Between 1 / (1 + n) and 1; NaN if `observed` or the whole of `null` is not finite.

    Raises
    ------
    ComparisonError
        An unknown alternative.

    References
    ----------
    Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39.
    """
    values = np.asarray(null, dtype=float)
    values = values[np.isfinite(values)]
    if values.size == 0 or not np.isfinite(observed):
        return float("nan")
    # Ties must count whatever the order of summation was: a difference in the last bits is none. The last bits are those
    # of the values at hand, which may be in ampere or in shares.
    slack = ROUNDING * max(abs(observed), float(np.abs(values).max()))
    greater = (1 + np.sum(values >= observed - slack)) / (1 + values.size)
    less = (1 + np.sum(values <= observed + slack)) / (1 + values.size)
    tails = {"greater": greater, "less": less, "two-sided": min(1.0, 2 * min(greater, less))}
    if alternative not in tails:
        raise ComparisonError(f"unknown alternative {alternative!r}", expected=", ".join(tails))
    return float(tails[alternative])


def fdr(p: ArrayLike) -> Floats:
    """Benjamini-Hochberg adjusted p values.

    Parameters
    ----------
    p : array_like, of any shape
        P values in [0, 1]; NaN are not counted as tests.

    Returns
    -------
    ndarray, same shape
        The false discovery rate at which each test is a discovery; NaN stay NaN.

    Raises
    ------
    ComparisonError
        P values below 0 or above 1.

    References
    ----------
    Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    values = np.asarray(p, dtype=float)
    adjusted = np.full(values.shape, np.nan)
    finite = np.isfinite(values)
    if (values[finite] < 0).any() or (values[finite] > 1).any():
        raise ComparisonError("p values below 0 or above 1", where="p", expected="p values in [0, 1], or NaN")
    if finite.any():
        adjusted[finite] = scipy.stats.false_discovery_control(values[finite])
    return adjusted


def wilson(share: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's interval of a share of `n`; shares of ties may be fractions of a count. Not empty at 0 and 1."""
    z = float(scipy.stats.norm.ppf(0.5 + level / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share), level, "Wilson")


def null_interval(values: ArrayLike) -> Interval:
    """Mean of what chance gives (rewirings, shuffles, random halves), and where 95 % of it lies; NaN are left out."""
    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    if not kept.size:
        return Interval(np.nan, np.nan, np.nan)
    low, high = np.quantile(kept, [0.025, 0.975])
    return Interval(float(kept.mean()), float(low), float(high))
