"""Criticality: avalanches and their exponents, crackling relation, shape collapse, susceptibility.

Power laws are fitted with `powerlaw`, which is imported where it is used, since it brings in matplotlib.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, integer_counts, numbers, vector
from allometry.compare.inference.progress import steps, whole
from allometry.compare.measures.spikes.branching import branching_ratio
from allometry.compare.measures.spikes.bursts import runs
from allometry.compare.measures.spikes.tails import MOST_STARTS, OPTIONS, continuous_start, discrete_start, quiet
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Avalanches:
    """Avalanches: size (events), duration (bins), first bin `[avalanches]`, and the activity they were cut from."""

    size: FloatArray
    duration: IntArray
    start: IntArray
    activity: FloatArray


@dataclass(frozen=True)
class PowerLaw:
    """Fit of a power law to the tail of a distribution.

    `alternatives` maps a distribution to (log-likelihood ratio, p): positive favours the power law, p says whether the sign
    can be trusted.
    """

    alpha: float
    standard_error: float
    xmin: float
    n_tail: int
    distance: float
    alternatives: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Crackling:
    """Exponents of size, duration and of mean size given duration, and the gamma that the first two predict."""

    tau: float
    alpha: float
    gamma: float
    gamma_predicted: float

    @property
    def deviation(self) -> float:
        """|gamma - predicted|: 0 at criticality."""
        return abs(self.gamma - self.gamma_predicted)


@dataclass(frozen=True)
class ShapeCollapse:
    """Exponent of the best collapse, its error, and the collapsed mean shape on `phase` (0 to 1)."""

    gamma: float
    error: float
    phase: FloatArray = field(repr=False)
    shape: FloatArray = field(repr=False)


@dataclass(frozen=True)
class Quasicriticality:
    """Susceptibility and branching ratio of every run against its drive, ordered by drive, and the drive of the maximum."""

    drive: FloatArray
    susceptibility: FloatArray
    m: FloatArray
    peak_drive: float


@measure(
    name="avalanches",
    version="1",
    inputs="counts [bins]",
    invariances="none",
    use="sizes and durations of cascades",
    reference="Beggs & Plenz 2003, J. Neurosci. 23:11167",
)
def avalanches(counts: npt.ArrayLike, threshold: float = 0.0) -> Avalanches:
    """Cut activity into avalanches: runs of bins above threshold between bins that are not.

    Parameters
    ----------
    counts : array_like of int, shape (bins,) or (bins, units)
        Event counts; summed over units.
    threshold : float
        Activity a bin must exceed; what is above it is the size.

    Returns
    -------
    Avalanches
        Runs that touch either end of the recording are left out, since their size is unknown.

    References
    ----------
    Beggs & Plenz 2003, J. Neurosci. 23:11167.
    """
    raw = numbers(counts, "counts")
    x = integer_counts(raw, "counts", ndim=raw.ndim if raw.ndim in (1, 2) else 2)
    activity = (x if x.ndim == 1 else x.sum(axis=1)).astype(float) - threshold
    first, last = runs(activity > 0)
    inside = (first > 0) & (last < activity.size)
    first, last = first[inside], last[inside]
    cumulative = np.concatenate(([0.0], np.cumsum(np.maximum(activity, 0))))
    return Avalanches(cumulative[last] - cumulative[first], last - first, first, activity)


@measure(
    name="power_law",
    version="2",
    inputs="avalanche sizes",
    invariances="scale of sizes above xmin",
    use="exponent and its rivals",
    reference="Clauset et al. 2009, SIAM Rev. 51:661",
    cost="time",
)
def power_law(
    sizes: npt.ArrayLike,
    xmin: float | None = None,
    discrete: bool = True,
    alternatives: Sequence[str] = ("lognormal", "exponential", "truncated_power_law"),
) -> PowerLaw:
    """Fit P(x) ~ x^-alpha for x >= xmin by maximum likelihood, and compare with alternatives.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        Positive values.
    xmin : float, optional
        Start of the tail; default: the one with the smallest Kolmogorov-Smirnov distance (of more than 500 distinct
        continuous values: among 500 of them).
    discrete : bool
        Values are integers (avalanche sizes and durations).
    alternatives : sequence of str
        Distributions of `powerlaw` to compare with.

    Returns
    -------
    PowerLaw

    Raises
    ------
    ComparisonError
        For non-positive values, or fewer than 50 values in the tail.

    References
    ----------
    Clauset, Shalizi & Newman 2009, SIAM Rev. 51:661; Alstott, Bullmore & Plenz 2014, PLoS ONE 9:e85777.
    """
    x = vector(sizes, "sizes", size=50)
    if not (x > 0).all():
        raise ComparisonError("sizes holds values that are not positive", where="sizes", expected="sizes > 0")
    if discrete and (x != np.rint(x)).any():
        raise ComparisonError("sizes are not integers", where="sizes", expected="integers, or discrete=False")
    if np.unique(x).size < 3:
        raise ComparisonError("fewer than three distinct sizes", where="sizes", expected="sizes that vary")
    if xmin is None and not discrete and np.unique(x).size > MOST_STARTS:
        xmin = continuous_start(np.sort(x))
    import powerlaw

    with quiet():
        if xmin is None and discrete:
            xmin = discrete_start(x)
        fit = powerlaw.Fit(x, discrete=discrete, xmin=xmin, **OPTIONS)
        n_tail = int((x >= fit.xmin).sum())
        if n_tail < 50:
            raise ComparisonError(
                f"{n_tail} values above xmin={fit.xmin}", where="sizes", expected="at least 50 in the tail"
            )
        compared = {}
        for name in steps(alternatives, "alternatives to a power law"):
            with whole(f"fit of a {name} to {n_tail:,} values", _seconds(name, n_tail, discrete)):
                ratio = fit.distribution_compare("power_law", name, normalized_ratio=True)
            compared[name] = tuple(float(v) for v in ratio)
        alpha = float(fit.power_law.alpha)
    pairs = {name: (v[0], v[1]) for name, v in compared.items()}
    return PowerLaw(alpha, (alpha - 1) / np.sqrt(n_tail), float(fit.xmin), n_tail, float(fit.power_law.D), pairs)


def _seconds(name: str, values: int, discrete: bool) -> float:
    """Guess of the time that `powerlaw` takes to fit: it has an incomplete gamma function of every continuous value."""
    return values * (1.4e-3 if name == "truncated_power_law" and not discrete else 5e-5)


@measure(
    name="crackling",
    version="1",
    inputs="avalanches, as `avalanches` finds them",
    invariances="order of avalanches",
    use="do the exponents of size and duration predict how size grows with duration?",
    reference="Sethna et al. 2001, Nature 410:242; Friedman et al. 2012, Phys. Rev. Lett. 108:208102",
    cost="time",
)
def crackling(found: Avalanches, xmin_size: float | None = None, xmin_duration: float | None = None) -> Crackling:
    """Test the crackling relation gamma = (alpha - 1) / (tau - 1).

    P(S) ~ S^-tau, P(T) ~ T^-alpha, <S>(T) ~ T^gamma. gamma is the slope of log <S> on log T above the start of the
    duration tail, weighted by the number of avalanches.

    Parameters
    ----------
    found : Avalanches
        As `avalanches` finds them: sizes in events, durations in bins.
    xmin_size, xmin_duration : float, optional
        Starts of the tails; default: scanned.

    Returns
    -------
    Crackling
        The exponents tau, alpha and gamma, and the gamma that tau and alpha predict.

    Raises
    ------
    ComparisonError
        Fewer than three durations in the tail, or too few avalanches for a power law.

    References
    ----------
    Sethna, Dahmen & Myers 2001, Nature 410:242; Friedman et al. 2012, PRL 108:208102.
    """
    size = power_law(found.size, xmin_size, alternatives=())
    duration = power_law(found.duration, xmin_duration, alternatives=())
    values, index = np.unique(found.duration, return_inverse=True)
    number = np.bincount(index)
    mean = np.bincount(index, found.size) / number
    keep = values >= duration.xmin
    if keep.sum() < 3:
        raise ComparisonError(
            "fewer than three durations in the tail", where="avalanches", expected="longer avalanches"
        )
    slope = np.polyfit(np.log(values[keep]), np.log(mean[keep]), 1, w=np.sqrt(number[keep]))[0]
    return Crackling(size.alpha, duration.alpha, float(slope), (duration.alpha - 1) / (size.alpha - 1))


@measure(
    name="shape_collapse",
    version="1",
    inputs="avalanches, as `avalanches` finds them",
    invariances="order of avalanches, scale of activity",
    use="do avalanches of all durations have one shape?",
    reference="Friedman et al. 2012, Phys. Rev. Lett. 108:208102; Marshall et al. 2016, Front. Physiol. 7:250",
)
def shape_collapse(found: Avalanches, min_duration: int = 5, min_count: int = 20, points: int = 50) -> ShapeCollapse:
    """Collapse mean avalanche shapes s(t, T) T^{1-gamma} onto one curve of t/T; gamma minimises the spread.

    Parameters
    ----------
    found : Avalanches
    min_duration : int
        Shortest duration used, in bins.
    min_count : int
        Least avalanches of a duration.
    points : int
        Grid of t/T.

    Returns
    -------
    ShapeCollapse
        Error: mean variance between collapsed shapes over the squared span of their mean.

    References
    ----------
    Friedman et al. 2012, PRL 108:208102; Marshall et al. 2016, Front. Physiol. 7:250.
    """
    phase = (np.arange(points) + 0.5) / points
    values, number = np.unique(found.duration, return_counts=True)
    chosen = values[(values >= min_duration) & (number >= min_count)]
    if chosen.size < 3:
        raise ComparisonError(
            f"{chosen.size} durations with at least {min_count} avalanches",
            where="avalanches",
            expected="at least three durations to collapse",
            do="record longer, or lower min_count or min_duration",
        )
    shapes = []
    for duration in chosen:
        start = found.start[found.duration == duration]
        mean = found.activity[start[:, None] + np.arange(duration)].mean(axis=0)
        shapes.append(np.interp(phase, (np.arange(duration) + 0.5) / duration, mean))
    stacked = np.array(shapes)

    def spread(gamma: float) -> float:
        scaled = stacked * chosen[:, None].astype(float) ** (1 - gamma)
        mean = scaled.mean(axis=0)
        return float(scaled.var(axis=0).mean() / max(np.ptp(mean), 1e-300) ** 2)

    best = scipy.optimize.minimize_scalar(spread, bounds=(0.5, 4.0), method="bounded")
    gamma = float(best.x)
    shape = (stacked * chosen[:, None].astype(float) ** (1 - gamma)).mean(axis=0)
    return ShapeCollapse(gamma, float(best.fun), phase, shape)


@measure(
    name="susceptibility",
    version="1",
    inputs="spike counts [bins, units]",
    invariances="order of units and of bins, further spikes of a unit in a bin",
    use="how much does the share of active units fluctuate?",
    reference="Williams-García et al. 2014, Phys. Rev. E 90:062714",
)
def susceptibility(counts: npt.ArrayLike) -> float:
    """Susceptibility N (<rho^2> - <rho>^2) of the share rho of active units per bin.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units)
        Spikes of each unit in each bin; more than one counts as one.

    Returns
    -------
    float
        At least 0; 0 where the share does not fluctuate.

    Raises
    ------
    ComparisonError
        Counts that are negative or no whole numbers.

    References
    ----------
    Williams-Garcia, Moore, Beggs & Ortiz 2014, Phys. Rev. E 90:062714.
    """
    x = integer_counts(counts, "counts")
    rho = (x > 0).mean(axis=1)
    return float(x.shape[1] * rho.var())


@measure(
    name="quasicriticality",
    version="1",
    inputs="spike counts [bins, units] of several runs, drive [runs]",
    invariances="order of runs, order of units",
    use="at which drive, and which branching ratio, is susceptibility greatest?",
    reference="Williams-García et al. 2014, Phys. Rev. E 90:062714; Fosque et al. 2021, Phys. Rev. Lett. 126:098101",
)
def quasicriticality(runs_by_drive: Sequence[npt.ArrayLike], drive: npt.ArrayLike, k_max: int = 50) -> Quasicriticality:
    """Susceptibility and branching ratio of several runs against their external drive.

    Under quasicriticality the susceptibility peaks at a drive-dependent branching ratio (the nonequilibrium Widom line), and
    its peak falls as the drive grows.

    Parameters
    ----------
    runs_by_drive : sequence of array_like of int, each of shape (bins, units)
        Spikes of each unit in each bin.
    drive : array_like, shape (runs,)
        External drive of each run, in any unit; at least two runs.
    k_max : int
        As in `branching_ratio`.

    Returns
    -------
    Quasicriticality
        Arrays [runs] in the order of the drive, and the drive of the greatest susceptibility, in the unit of `drive`.

    Raises
    ------
    ComparisonError
        Another number of drives than of runs, or what `susceptibility` or `branching_ratio` refuses.

    References
    ----------
    Williams-Garcia, Moore, Beggs & Ortiz 2014, Phys. Rev. E 90:062714; Fosque et al. 2021, PRL 126:098101.
    """
    d = vector(drive, "drive", size=2)
    if len(runs_by_drive) != d.size:
        raise ComparisonError(
            f"{len(runs_by_drive)} runs, {d.size} drives", where="drive", expected="one drive per run"
        )
    order = np.argsort(d)
    chi = np.array([susceptibility(runs_by_drive[i]) for i in order])
    m = np.array([branching_ratio(np.asarray(runs_by_drive[i]).sum(axis=1), k_max, bootstrap=0).m for i in order])
    return Quasicriticality(d[order], chi, m, float(d[order][chi.argmax()]))
