"""What a result is worth beside its strongest baseline: the difference, its interval, and a verdict in one word.

A result has baselines of several sorts (a simpler predictor on the same resamples, a null distribution, a known value). Each
gives a `Baseline`: its score, and the interval of the difference *result less baseline*. The strongest is the one with the best
score; only that one is judged, so that the choice favours the baseline: of a result that equals all of them, *better* is said in
less than 2.5 % of cases.

The verdict is of the 95 % interval of the difference, with the sign of the measure (of a distance, smaller is better):

better
    the whole interval is on the better side of 0;
worse
    the whole interval is on the worse side of 0;
no better
    it holds 0, and its better end lies within the margin of the measure: if there is an advantage, it does not matter;
undecided
    it holds 0 and reaches beyond the margin, or there is no interval (fewer than 3 resampled units, fewer than 39 draws of the
    null): these data cannot tell. Of fewer than 10 units the interval is Student's t (see `statistics.interval`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from allometry.compare.inference.statistics import Interval, interval

BETTER, NO_BETTER, WORSE, UNDECIDED = VERDICTS = ("better", "no better", "worse", "undecided")

LEVEL = 0.95


@dataclass(frozen=True)
class Baseline:
    """What a result is held against: `name` and `score`, and `difference`, the result less the baseline."""

    name: str
    score: float
    difference: Interval


@dataclass(frozen=True)
class Verdict:
    """One of `VERDICTS`, the strongest `baseline`, and the `difference` of the result from it with its interval."""

    verdict: str
    baseline: str
    difference: Interval


def paired(
    name: str, result: float, baseline: float, replicates: ArrayLike, of_baseline: ArrayLike, *, units: int
) -> Baseline:
    """A baseline that was computed on the same resamples as the result.

    Parameters
    ----------
    name : str
    result, baseline : float
        Scores of the data.
    replicates, of_baseline : arrays [resamples]
        Scores of the same resamples, NaN where undefined: the difference is taken resample by resample.
    units : int
        Independent items that were resampled (animals, stimulated neurons, ...).
    """
    drawn = np.asarray(replicates, dtype=float) - np.asarray(of_baseline, dtype=float)
    difference = float(result - baseline)
    if np.isfinite(drawn).sum() * 2 < max(drawn.size, 1) or not np.isfinite(difference):
        return Baseline(name, baseline, Interval(difference, np.nan, np.nan))
    return Baseline(name, baseline, interval(drawn, difference, LEVEL, units=units))


def same_resamples(name: str, result: Interval, baseline: Interval) -> Baseline:
    """A baseline as `paired`, from two intervals whose replicates are of the same resamples, in the same order.

    Where a resample left one of them undefined the order is lost, and there is no interval.
    """
    if result.undefined or baseline.undefined or result.replicates.size != baseline.replicates.size:
        difference = result.estimate - baseline.estimate
        return Baseline(name, baseline.estimate, Interval(difference, np.nan, np.nan))
    units = min(result.units, baseline.units)
    return paired(name, result.estimate, baseline.estimate, result.replicates, baseline.replicates, units=units)


def over_units(name: str, results: ArrayLike, baselines: ArrayLike) -> Baseline:
    """A baseline of the mean over independent units (subjects, animals): t interval of the paired differences [units]."""
    x, y = np.asarray(results, dtype=float), np.asarray(baselines, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    count = int(known.sum())
    if count == 0:
        return Baseline(name, np.nan, Interval(np.nan, np.nan, np.nan))
    each = x[known] - y[known]
    half = _t(count - 1) * float(each.std(ddof=1)) / np.sqrt(count) if count > 2 else np.nan
    mean = float(each.mean())
    return Baseline(name, float(y[known].mean()), Interval(mean, mean - half, mean + half, method="t"))


def jackknifed(name: str, result: float, baseline: float, left_out: ArrayLike) -> Baseline:
    """A baseline with a jackknife: `left_out` [units] are the differences with one independent unit left out each."""
    values = np.asarray(left_out, dtype=float)
    difference, count = float(result - baseline), values.size
    if count < 3 or not np.isfinite(values).all():
        return Baseline(name, baseline, Interval(difference, np.nan, np.nan, method="jackknife"))
    half = _t(count - 1) * float(np.sqrt((count - 1) * values.var()))
    return Baseline(name, baseline, Interval(difference, difference - half, difference + half, method="jackknife"))


def _t(freedom: int) -> float:
    return float(scipy.stats.t.ppf((1 + LEVEL) / 2, freedom))


def over_null(name: str, result: float, null: ArrayLike) -> Baseline:
    """A null distribution: what exchangeable draws of the same statistic leave of the result.

    The bounds are order statistics that the result of one more draw exceeds in at most 2.5 % of cases on either side, whatever
    the distribution; fewer than 39 draws have none.
    """
    values = np.asarray(null, dtype=float)
    values = np.sort(values[np.isfinite(values)])
    mean = float(values.mean()) if values.size else float("nan")
    difference = float(result - mean)
    tail = int(np.floor((values.size + 1) * (1 - LEVEL) / 2 + 1e-9))
    if tail < 1 or not np.isfinite(difference):
        return Baseline(name, mean, Interval(difference, np.nan, np.nan, method="null"))
    low, high = float(result - values[-tail]), float(result - values[tail - 1])
    # a draw that equals the result up to rounding has reached it
    slack = 1e-9 * max(abs(result), float(np.abs(values).max()))
    low, high = (0.0 if abs(bound) <= slack else bound for bound in (low, high))
    return Baseline(name, mean, Interval(difference, low, high, method="null"))


def over_value(name: str, result: Interval, value: float) -> Baseline:
    """A known value, such as chance: the interval of the result moved by it."""
    shifted = Interval(result.estimate - value, result.low - value, result.high - value, method=result.method)
    return Baseline(name, value, shifted)


def strongest(baselines: Sequence[Baseline], *, larger: bool = True) -> Baseline | None:
    """The baseline with the best defined score; None where none is defined."""
    known = [baseline for baseline in baselines if np.isfinite(baseline.score)]
    return max(known, key=lambda baseline: baseline.score if larger else -baseline.score, default=None)


def judge(difference: Interval, *, margin: float, larger: bool = True) -> str:
    """Verdict on a difference (see the module), of a measure of which `larger` or smaller scores are better.

    Parameters
    ----------
    difference : Interval
        Result less baseline.
    margin : float
        Advantage that does not matter, in units of the score.
    """
    low, high = (difference.low, difference.high) if larger else (-difference.high, -difference.low)
    if not np.isfinite(low) or not np.isfinite(high):
        return UNDECIDED
    if low > 0:
        return BETTER
    if high < 0:
        return WORSE
    return NO_BETTER if high <= margin else UNDECIDED


def against(baselines: Sequence[Baseline], *, margin: float, larger: bool = True) -> Verdict | None:
    """Verdict against the strongest of some baselines; None where none is defined."""
    best = strongest(baselines, larger=larger)
    if best is None or not np.isfinite(best.difference.estimate):
        return None
    return Verdict(judge(best.difference, margin=margin, larger=larger), best.name, best.difference)
