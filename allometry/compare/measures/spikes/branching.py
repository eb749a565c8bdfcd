"""Branching ratio of population activity by multistep regression, with an interval and a test of stationarity.

The slopes r_k of activity k bins later on activity now decay as b m^k in a branching process, however few of its units are
recorded. A rate that drifts, or switches once, keeps r_k up at all lags and would pass for m close to 1: whether the mean
moves by more than the correlations explain is tested first.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, array, numbers, varies
from allometry.compare.inference.statistics import Interval
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

NONSTATIONARY = 0.001  # p below which activity counts as not stationary: many populations are asked
MOST_BLOCKS, FEWEST_BLOCKS = 20, 5  # of the recording, for the interval
SLOWEST = 0.1  # longest correlation time that is told from a drift, as a share of the recording
_TAUS = 120  # grid of correlation times that a fit starts from


@dataclass(frozen=True)
class BranchingRatio:
    """Branching ratio m from r_k = b m^k, with its interval; the coefficients r_k at lags k; naive estimate r_1.

    `stationary_p` is that of a mean as constant as the correlations allow; `replicates` are values of m in resamples of
    blocks of the recording (of trials, where there are several), empty where there are too few.
    """

    m: float
    b: float
    k: IntArray = field(repr=False)
    r_k: FloatArray = field(repr=False)
    naive: float
    interval: Interval
    stationary_p: float
    replicates: FloatArray = field(repr=False)


@measure(
    name="branching_ratio",
    version="4",
    inputs="population activity [bins]",
    invariances="subsampling of units",
    use="how near to critical?",
    reference="Wilting & Priesemann 2018, Nat. Commun. 9:2325",
)
def branching_ratio(
    activity: npt.ArrayLike, k_max: int = 100, *, bootstrap: int = 200, seed: int = 0
) -> BranchingRatio:
    """Branching ratio by multistep regression, which subsampling does not bias: r_k = b m^k.

    Parameters
    ----------
    activity : array_like, shape (bins,) or (trials, bins)
        Population activity; bins of the order of the propagation time (4 ms is usual).
    k_max : int
        Largest lag, in bins: several times the expected -1 / ln m, at most half the recording.
    bootstrap : int
        Resamples of blocks of the recording, or of trials; 0 for no interval.
    seed : int
        Of the resamples.

    Returns
    -------
    BranchingRatio
        The interval is that of -ln m, whose error depends least on m, t distributed with blocks - 1 degrees of freedom; NaN
        where the recording has fewer than 5 blocks of 2 `k_max` bins, or fewer than 5 trials. It is centred on the m without
        the bias that removing the mean of a recording of finite length has (m is too small by it, as published): of many
        short trials it may lie above m.

    Raises
    ------
    ComparisonError
        If the activity is constant, too short, uncorrelated or not stationary, or r_k does not decay.

    References
    ----------
    Wilting & Priesemann 2018, Nat. Commun. 9:2325; Kwiatkowski, Phillips, Schmidt & Shin 1992, J. Econom. 54:159 (test of
    stationarity, here with the long-run variance of the fit r_k = b m^k + c).
    """
    raw = numbers(activity, "activity")
    x = np.atleast_2d(array(raw, "activity", raw.ndim if raw.ndim in (1, 2) else 1))
    if not 3 <= k_max <= x.shape[1] // 2:
        raise ComparisonError(f"k_max={k_max} for {x.shape[1]} bins", where="k_max", expected="3 to half the bins")
    if not varies(x.ravel()):
        raise ComparisonError("the activity is constant", where="activity", expected="activity that varies")
    k = np.arange(1, k_max + 1, dtype=np.int64)
    x = x - x.mean()
    sums = np.stack([_block_sums(trial, k_max) for trial in x])
    each = _slopes(sums.sum(axis=1))
    r_k = np.nanmean(each, axis=0)
    # r_k of uncorrelated activity have sd 1 / sqrt(bins); an exponential fits them with any m.
    first = r_k[:10]
    if not first.mean() * np.sqrt(first.size * x.size) > 3:
        raise ComparisonError(
            "the activity is not correlated over the first lags (mean r_k below 3 standard errors)",
            where="activity",
            expected="correlations that decay with lag",
            do="record longer, or choose bins of the order of the propagation time",
        )
    p = stationary_p(x, k, r_k)
    if p < NONSTATIONARY:
        raise ComparisonError(
            f"the activity is not stationary: its mean moves by more than its correlations explain (p = {p:.2g})",
            where="activity",
            expected="a mean that stays, and correlations that are shorter than k_max and than a tenth of the recording",
            do="cut it to a stretch of constant rate, or pass such stretches as trials",
        )
    taus = np.geomspace(0.05, 10.0 * x.shape[1], _TAUS)
    tau, amplitude = _exponential(r_k[None], k, taus)
    if not (amplitude[0] > 0 and tau[0] < taus[-2]):
        raise ComparisonError("r_k = b m^k does not fit", where="activity", expected="correlations that decay with lag")
    drawn, degrees = _resampled(sums, each, bootstrap, seed)
    replicates = np.exp(-1 / _exponential(drawn, k, taus)[0]) if len(drawn) else np.empty(0)
    m = float(np.exp(-1 / tau[0]))
    found = _interval(m, _unbiased_tau(r_k, k, taus, x.shape[1]), replicates, degrees)
    return BranchingRatio(m, float(amplitude[0]), k, r_k, float(r_k[0]), found, p, replicates)


def _block_sums(x: FloatArray, k_max: int) -> FloatArray:
    """Sums [blocks, 5, lags] of 1, x_t, x_{t+k}, x_t x_{t+k} and x_t^2 over the pairs that start in a block."""
    # Blocks of 4 k_max depend little on their neighbours; where there are few of them, shorter ones must do.
    blocks = int(np.clip(x.size // (4 * k_max), min(FEWEST_BLOCKS, max(x.size // (2 * k_max), 1)), MOST_BLOCKS))
    edges = np.linspace(0, x.size, blocks + 1).astype(np.int64)
    out = np.zeros((blocks, 5, k_max))
    for k in range(1, k_max + 1):
        a, b = x[:-k], x[k:]
        # the last block may be shorter than the lag
        starts = np.minimum(edges[:-1], a.size - 1)
        for row, values in enumerate((np.ones(a.size), a, b, a * b, a * a)):
            out[:, row, k - 1] = np.add.reduceat(values, starts)
    return out


def _slopes(sums: FloatArray) -> FloatArray:
    """Slopes [..., lags] of the regressions with these sums [..., 5, lags]; NaN without variance."""
    n, a, b, ab, aa = np.moveaxis(sums, -2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = aa - a * a / n
        return np.asarray(np.where(variance > 1e-12 * aa, (ab - a * b / n) / variance, np.nan))


def _resampled(sums: FloatArray, each: FloatArray, n: int, seed: int) -> tuple[FloatArray, int]:
    """Coefficients [n, lags] of resamples of trials, or of the blocks of the only one, and their degrees of freedom."""
    trials = len(each) > 1
    items = int(np.isfinite(each).all(axis=1).sum()) if trials else sums.shape[1]
    if n < 1 or items < FEWEST_BLOCKS:
        return np.empty((0, each.shape[1])), 0
    draws = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=n).astype(float)
    if trials:
        return draws @ each[np.isfinite(each).all(axis=1)] / items, items - 1
    return _slopes(np.tensordot(draws, sums[0], axes=1)), items - 1


def _exponential(r: FloatArray, k: IntArray, taus: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least-squares tau and amplitude [rows] of r_k = A exp(-k / tau) for rows of coefficients [rows, lags]."""

    def gain(tau: FloatArray) -> FloatArray:
        """Sum of squares that the best amplitude explains, for taus [rows, candidates]."""
        shape = np.exp(-k / tau[..., None])
        projection = np.einsum("rk,rck->rc", r, shape)
        return np.asarray(np.maximum(projection, 0) ** 2 / (shape**2).sum(axis=-1))

    shapes = np.exp(-k / taus[:, None])
    coarse = np.maximum(r @ shapes.T, 0) ** 2 / (shapes**2).sum(axis=1)
    at = np.clip(coarse.argmax(axis=1), 1, taus.size - 2)
    low, high = np.log(taus[at - 1]), np.log(taus[at + 1])
    for _ in range(8):  # each round keeps the two grid steps around the best of nine
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 9)
        best = np.clip(gain(np.exp(grid)).argmax(axis=1), 1, 7)
        rows = np.arange(len(r))
        low, high = grid[rows, best - 1], grid[rows, best + 1]
    tau = np.exp((low + high) / 2)
    shape = np.exp(-k / tau[:, None])
    return tau, np.asarray((r * shape).sum(axis=1) / (shape**2).sum(axis=1))


def _unbiased_tau(r_k: FloatArray, k: IntArray, taus: FloatArray, bins: int) -> float:
    """Tau of coefficients [lags] without the bias of the mean that was removed from each `bins` bins.

    A mean that varies by the share v of the variance leaves (r_k - v) / (1 - v); v follows from r_k = b m^k.
    """
    lags = np.arange(1, bins)
    corrected = r_k
    for _ in range(4):
        tau, amplitude = _exponential(corrected[None], k, taus)
        # the amplitude at lag 0 cannot exceed 1 in a process, and does in fits
        r = min(float(amplitude[0]), 1.0) * np.exp(-lags / tau[0])
        v = min((1 + 2 * float(((1 - lags / bins) * r).sum())) / bins, 1.0)
        corrected = r_k * (1 - v) + v
    return float(_exponential(corrected[None], k, taus)[0][0])


def _interval(m: float, centre: float, replicates: FloatArray, degrees: int) -> Interval:
    """Interval of m from the spread of -ln m = 1 / tau over resamples, around the tau `centre`.

    The error of 1 / tau grows least with tau, so that its estimate is nearly independent of that of tau.
    """
    if degrees < 1:
        return Interval(m, np.nan, np.nan, method="t of -ln m")
    rate = -np.log(replicates)
    rate = rate[np.isfinite(rate)]
    # resampled blocks vary less than blocks do, by (blocks - 1) / blocks
    sd = float(rate.std() * np.sqrt((degrees + 1) / degrees))
    half = float(scipy.stats.t.ppf(0.975, degrees) * sd)
    low, high = np.exp([-1 / centre - half, min(-1 / centre + half, 0.0)])
    return Interval(m, float(low), float(high), 0.95, "t of -ln m", int(replicates.size - rate.size), replicates)


def stationary_p(x: FloatArray, k: IntArray, r_k: FloatArray) -> float:
    """P that the mean of activity [trials, bins] stays: that of the KPSS statistic, smallest over trials (Bonferroni).

    The long-run variance that cumulative sums are held against is that of the part of r_k = b m^k + c that decays: a mean
    that moves is in c, and cannot hide in the variance that it is tested with.
    """
    b, tau, c = _decaying_part(k, r_k, min(float(k[-1]), SLOWEST * x.shape[1]))
    m = np.exp(-1 / tau)
    # What is in neither part is white noise: variance at lag 0 alone.
    share = 1 - c + 2 * b * m / (1 - m)
    found = []
    for trial in x:
        centred = trial - trial.mean()
        long_run = float(centred.var() * share)
        if long_run > 0:
            found.append(cramer_von_mises_sf(float((np.cumsum(centred) ** 2).sum() / trial.size**2 / long_run)))
    return min(1.0, min(found, default=1.0) * len(found))


def _decaying_part(k: IntArray, r_k: FloatArray, slowest: float) -> tuple[float, float, float]:
    """Amplitude, correlation time and offset of the best r_k = b exp(-k / tau) + c with tau up to `slowest` bins."""
    best = (np.inf, 0.0, 1.0, 0.0)
    for tau in np.geomspace(0.2, max(slowest, 0.4), 200):
        design = np.column_stack([np.exp(-k / tau), np.ones(k.size)])
        (b, c), *_ = np.linalg.lstsq(design, r_k, rcond=None)
        residual = float(((r_k - design @ (b, c)) ** 2).sum())
        if residual < best[0]:
            # an offset below 0 is what removing the mean of a short recording leaves
            best = (residual, float(np.clip(b, 0.0, 1.0)), float(tau), float(np.clip(c, 0.0, 1.0)))
    return best[1:]


def cramer_von_mises_sf(x: float) -> float:
    """P that the integral of a squared Brownian bridge exceeds x (Anderson & Darling 1952, Ann. Math. Stat. 23:193)."""
    if x <= 0:
        return 1.0
    j = np.arange(40)
    q = (4 * j + 1) ** 2 / (16 * x)
    size = (
        np.exp(scipy.special.gammaln(j + 0.5) - scipy.special.gammaln(0.5) - scipy.special.gammaln(j + 1) - 2 * q)
        * np.sqrt(4 * j + 1)
        * scipy.special.kve(0.25, q)
    )
    return float(np.clip(1 - size.sum() / (np.pi * np.sqrt(x)), 0.0, 1.0))
